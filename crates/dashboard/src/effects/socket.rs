//! The WebSocket of the live feed.

use std::cell::RefCell;
use std::rc::Rc;

use bellwether_wire::frame::PROTOCOL;
use futures_util::future::{AbortHandle, Abortable};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};
use wasm_bindgen_futures::spawn_local;
use yew::Callback;

use super::{address, clock, tab};
use crate::feed::Feed;
use crate::message::Msg;
use crate::settings::TAB;
use crate::texts::Text;

/// What stands for a close frame where there was none.
const ABNORMAL: u16 = 1006;

/// An open socket; dropping it closes it, and nothing of it is reported any more.
pub(super) struct Socket {
    reading: AbortHandle,
    sink: Rc<RefCell<Option<SplitSink<WebSocket, Message>>>>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reading.abort();
        self.sink.borrow_mut().take();
    }
}

impl Socket {
    /// Opens the feed of `gateway`; what comes goes into `feed`, and what follows from it to `dispatch`.
    pub(super) fn open(gateway: &str, feed: Rc<RefCell<Feed>>, dispatch: Callback<Msg>) -> Option<Self> {
        let opened = if gateway == TAB {
            tab::feed()
        } else {
            address::socket(gateway).and_then(|url| WebSocket::open_with_protocol(&url, PROTOCOL).ok())
        };
        let Some(socket) = opened else {
            // The browser refuses the address itself: an insecure gateway from a secure page, a blocked port.
            dispatch.emit(Msg::BrowserRefused(Text::SocketRefused.fill(&[gateway])));
            return None;
        };
        let (sink, stream) = socket.split();
        let (reading, registration) = AbortHandle::new_pair();
        spawn_local(async move {
            // Aborted means that nobody waits for the end.
            let _ = Abortable::new(read(stream, feed, dispatch), registration).await;
        });
        Some(Self { reading, sink: Rc::new(RefCell::new(Some(sink))) })
    }

    /// Sends a text frame.
    pub(super) fn send(&self, text: String) {
        let shared = Rc::clone(&self.sink);
        spawn_local(async move {
            let Some(mut sink) = shared.borrow_mut().take() else { return };
            // A send that fails is followed by the socket's close event, which is reported.
            let _ = sink.send(Message::Text(text)).await;
            *shared.borrow_mut() = Some(sink);
        });
    }
}

async fn read(mut stream: SplitStream<WebSocket>, feed: Rc<RefCell<Feed>>, dispatch: Callback<Msg>) {
    let (mut code, mut reason) = (ABNORMAL, String::new());
    while let Some(message) = stream.next().await {
        let at = clock::now();
        let facts = match message {
            Ok(Message::Text(text)) => feed.borrow_mut().receive_text(&text, at),
            Ok(Message::Bytes(bytes)) => feed.borrow_mut().receive_binary(&bytes, at),
            Err(WebSocketError::ConnectionClose(closed)) => {
                (code, reason) = (closed.code, closed.reason);
                break;
            }
            // The close event follows.
            Err(_) => Vec::new(),
        };
        for fact in facts {
            dispatch.emit(fact);
        }
    }
    dispatch.emit(Msg::SocketClosed { code, reason });
}
