//! Accepts connections and speaks HTTP/1.1 on them, within limits of time and size.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use super::allowance::{Allowance, Allowed};
use super::caller::Transport;
use super::socket::{PlainSocket, WriteSide};
use super::tls::Tls;

/// What a connection may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerLimits {
    /// How long the head of a request may take to arrive; so long, too, a connection may wait for its next
    /// request. A sender that dribbles its head is let go.
    pub(crate) head_time: Duration,
    /// Longest head of a request, its target included.
    pub(crate) head_bytes: usize,
    /// How long a connection may take nothing of what it is sent. The live feed has a shorter limit of its
    /// own, which says why it ends, and this one must leave it room.
    pub(crate) take_time: Duration,
}

/// How long a connection that waits for no answer may live on once a stop began: browsers open some for
/// nothing yet, and others still read the end of theirs.
const LEAVE_LIMIT: Duration = Duration::from_secs(1);
/// How long nothing is accepted after the system had no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stopping` turns true, then ends when the requests under way are answered. Who asks is
/// told to the routes as [`ConnectInfo`].
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServerLimits,
    tls: Option<Arc<Tls>>,
    stopping: watch::Receiver<bool>,
) {
    // Held by every connection; when all are closed, the other end learns of it.
    let (open, mut all_closed) = mpsc::channel::<()>(1);
    let stop = super::stopping(stopping.clone());
    tokio::pin!(stop);
    let mut complained = false;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                complained = false;
                let (router, stopping, open, tls) = (router.clone(), stopping.clone(), open.clone(), tls.clone());
                tokio::spawn(async move {
                    take(stream, peer, router, limits, tls.as_deref(), stopping).await;
                    drop(open);
                });
            }
            // Whoever connected has gone again; the next one may be well.
            Err(error) if is_of_the_other_side(&error) => {}
            Err(error) => {
                if !complained {
                    complained = true;
                    tracing::error!(%error, "no more connections can be accepted for now; `ulimit -n` says how many may be open");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop((listener, open));
    while all_closed.recv().await.is_some() {}
}

fn is_of_the_other_side(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

/// Takes one connection, encrypted or not, and answers its requests until it ends.
async fn take(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: ServerLimits,
    tls: Option<&Tls>,
    stopping: watch::Receiver<bool>,
) {
    // A live value is worth more than a full packet. Where it cannot be had, all goes on, a little later.
    let _slower = stream.set_nodelay(true);
    let stream = PlainSocket::new(stream);
    let write_side = stream.write_side();
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.take_time));
    let stream = Box::pin(stream);
    let Some(tls) = tls else {
        return converse(stream, peer, Line::Plain(write_side), router, limits, stopping).await;
    };
    // Whoever dribbles its greeting is let go like whoever dribbles a head.
    let greeting = timeout(limits.head_time, tls.acceptor().accept(stream));
    let greeted = tokio::select! {
        greeted = greeting => greeted,
        () = super::stopping(stopping.clone()) => return,
    };
    match greeted {
        Ok(Ok(stream)) => converse(stream, peer, Line::Tls, router, limits, stopping).await,
        Ok(Err(error)) => tracing::debug!(%error, %peer, "a connection is not encrypted as it should be"),
        Err(_) => tracing::debug!(%peer, "a connection did not say how it is to be encrypted in time"),
    }
}

/// What a connection comes over.
enum Line {
    /// The bytes of its socket are its own, so that the live feed may write to it at once.
    Plain(WriteSide),
    Tls,
}

/// Answers the requests of one connection until it ends, or until the one under way is answered once
/// `stopping` turned true.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    line: Line,
    router: Router,
    limits: ServerLimits,
    stopping: watch::Receiver<bool>,
) {
    let allowance = Allowance::default();
    let stream = Allowed::new(stream, allowance.clone());
    let under_way = Arc::new(AtomicBool::new(false));
    let answering = Arc::clone(&under_way);
    let answer = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        match &line {
            Line::Plain(write_side) => {
                request.extensions_mut().insert(Transport::Plain);
                request.extensions_mut().insert(write_side.clone());
            }
            Line::Tls => {
                request.extensions_mut().insert(Transport::Tls);
            }
        }
        request.extensions_mut().insert(allowance.clone());
        let (router, answering) = (router.clone(), Arc::clone(&answering));
        async move {
            answering.store(true, Ordering::Release);
            let answer = router.oneshot(request).await;
            answering.store(false, Ordering::Release);
            answer
        }
    });
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(limits.head_time).max_header_size(limits.head_bytes);
    let connection = protocol.serve_connection(TokioIo::new(stream), answer).with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = super::stopping(stopping) => {
            connection.as_mut().graceful_shutdown();
            if under_way.load(Ordering::Acquire) {
                connection.await
            } else {
                timeout(LEAVE_LIMIT, connection).await.unwrap_or(Ok(()))
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;

    const HEAD_LIMIT: Duration = Duration::from_secs(10);
    const MAX_HEAD_BYTES: usize = 64 * 1024;
    const TAKE_LIMIT: Duration = Duration::from_secs(30);
    const LIMITS: ServerLimits =
        ServerLimits { head_time: HEAD_LIMIT, head_bytes: MAX_HEAD_BYTES, take_time: TAKE_LIMIT };

    /// A server with one route, how to stop it, and its end.
    async fn server() -> (SocketAddr, watch::Sender<bool>, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        let router =
            Router::new().route("/", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }));
        (address, stop, tokio::spawn(serve(listener, router, LIMITS, None, stopping)))
    }

    /// What comes until the other side closes; an error where it does not.
    async fn heard(stream: &mut TcpStream) -> Option<String> {
        let mut bytes = Vec::new();
        timeout(HEAD_LIMIT * 3, stream.read_to_end(&mut bytes)).await.ok()?.ok()?;
        Some(String::from_utf8(bytes).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn who_dribbles_a_head_is_let_go() {
        let (address, _stop, _serving) = server().await;
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n").await.unwrap();
        assert_eq!(heard(&mut stream).await.as_deref(), Some(""));
        assert!(began.elapsed() >= HEAD_LIMIT && began.elapsed() < HEAD_LIMIT * 2, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_of_an_answer_is_let_go() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut reader = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        // More than the system takes on its own for a reader who takes nothing.
        let router = Router::new().route("/", get(|| async { vec![0; 64 * 1024 * 1024] }));
        let (_stop, stopping) = watch::channel(false);
        reader.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let began = Instant::now();
        timeout(TAKE_LIMIT * 3, take(stream, peer, router, LIMITS, None, stopping)).await.unwrap();
        assert!(began.elapsed() >= TAKE_LIMIT && began.elapsed() < TAKE_LIMIT * 2, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_not_asked_yet_does_not_hold_up_a_stop() {
        let (address, stop, serving) = server().await;
        let _silent = TcpStream::connect(address).await.unwrap();
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(b"GET / HT").await.unwrap();
        // Accepted in the order in which they came: once this one is answered, the others are known.
        let mut last = TcpStream::connect(address).await.unwrap();
        last.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        assert!(heard(&mut last).await.unwrap().starts_with("HTTP/1.1 200 "));
        let began = Instant::now();
        stop.send_replace(true);
        serving.await.unwrap();
        assert!(began.elapsed() <= LEAVE_LIMIT * 2, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn a_head_without_end_is_refused() {
        let (address, _stop, _serving) = server().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}", "x".repeat(MAX_HEAD_BYTES));
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = heard(&mut stream).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }

    #[tokio::test]
    async fn the_asker_is_told_to_the_routes_and_a_stop_lets_go_of_who_asks_nothing() {
        let (address, stop, serving) = server().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let own = stream.local_addr().unwrap().to_string();
        let mut answer = Vec::new();
        while !answer.ends_with(own.as_bytes()) {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{}", String::from_utf8_lossy(&answer));
        }
        // The connection waits for its next request.
        stop.send_replace(true);
        assert_eq!(heard(&mut stream).await.as_deref(), Some(""));
        timeout(Duration::from_secs(20), serving).await.unwrap().unwrap();
    }
}
