//! Says back every WebSocket message, over the stack and within the bounds of the live feed: the server that Autobahn's
//! tests are run against (`tests/peers/autobahn.mjs`). It says its address and the longest message that it takes, in bytes, which is the gateway's
//! own limit or its one argument.
//!
//! ```text
//! cargo run -p bellwether-gateway --example websocket_echo -- 17000000
//! ```
#![expect(clippy::print_stdout, reason = "telling its address is how others find it")]
#![expect(clippy::unwrap_used, reason = "without a socket there is nothing to test")]

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::routing::get;
use bellwether_gateway::websocket::{self, Breach};

#[tokio::main]
async fn main() {
    let longest = std::env::args().nth(1).map_or_else(websocket::longest_by_default, |bytes| bytes.parse().unwrap());
    let upgrade = move |upgrade: WebSocketUpgrade| async move { websocket::bounded(upgrade, longest).on_upgrade(echo) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("ws://{} {longest}", listener.local_addr().unwrap());
    axum::serve(listener, Router::new().route("/", get(upgrade))).await.unwrap();
}

async fn echo(mut socket: WebSocket) {
    loop {
        let sent = match socket.recv().await {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => socket.send(message).await,
            // The library answers pings and goodbyes.
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => {
                let Some(breach) = Breach::of(error) else { return };
                let close = CloseFrame { code: breach.close_code(), reason: "".into() };
                let _gone = socket.send(Message::Close(Some(close))).await;
                return;
            }
            None => return,
        };
        if sent.is_err() {
            return;
        }
    }
}
