//! Five hundred viewers of one feed, one of them stopped and one cut off each second: nobody holds up anybody.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bellwether_wire::binary;
use bellwether_wire::frame::ServerFrame;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite, Join, join};
use tokio::net::unix::pipe;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::running::{Running, rounds, tell, until};

/// How many watch and take what comes.
const READERS: usize = 498;
/// How much the gateway may grow by while it sends: twice what it may keep of all feeds, 64 MiB, for the allocator
/// and for what it has not yet written.
const MAX_GROWTH_BYTES: u64 = 128 << 20;

/// The two directions of a connection.
type Line = Join<Box<dyn AsyncRead + Send + Unpin>, Box<dyn AsyncWrite + Send + Unpin>>;

/// A process that reads a socket for a viewer, and can be stopped like any other.
struct Reader(Child);

impl Reader {
    /// Has `stream` read by `cat`; the connection as it then is.
    fn of(stream: TcpStream) -> (Self, Line) {
        let stream = stream.into_std().unwrap();
        // What the two share says whether it blocks, and `cat` waits for what comes.
        stream.set_nonblocking(false).unwrap();
        let socket = Stdio::from(OwnedFd::from(stream.try_clone().unwrap()));
        let mut cat = Command::new("cat").stdin(socket).stdout(Stdio::piped()).spawn().unwrap();
        let read = pipe::Receiver::from_owned_fd(cat.stdout.take().unwrap().into()).unwrap();
        (Self(cat), join(Box::new(read), Box::new(Blocking(stream))))
    }

    /// Sends it a signal by its name, such as STOP.
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.0.id().to_string()).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // One that is stopped dies of this too.
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// The way out of a socket that blocks; only short messages take it.
struct Blocking(std::net::TcpStream);

impl AsyncWrite for Blocking {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A viewer of `m`, each sample as it is, and what it has got.
struct Viewer {
    socket: WebSocketStream<Line>,
    /// Up to where it has all.
    place: Option<(u64, u64)>,
    /// When each value came; each is sent once.
    came: BTreeMap<u64, Instant>,
    /// Values that came as a part of a time bucket.
    in_summaries: u64,
    gaps: usize,
}

/// Opens a connection of this process.
async fn connect(address: &str) -> WebSocketStream<Line> {
    let (read, write) = TcpStream::connect(address).await.unwrap().into_split();
    greet(address, join(Box::new(read), Box::new(write))).await
}

/// Opens a connection that takes in only so much ahead, and has a process of its own.
async fn connect_apart(address: &str, receive_buffer: u32) -> (Reader, WebSocketStream<Line>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(receive_buffer).unwrap();
    let (reader, line) = Reader::of(socket.connect(address.parse().unwrap()).await.unwrap());
    (reader, greet(address, line).await)
}

async fn greet(address: &str, line: Line) -> WebSocketStream<Line> {
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("bellwether.v1"));
    client_async(request, line).await.unwrap().0
}

/// What one message was.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Subscribed,
    Other,
    Closed(Option<u16>),
}

impl Viewer {
    async fn open(address: &str) -> Self {
        Self::over(connect(address).await).await
    }

    async fn over(socket: WebSocketStream<Line>) -> Self {
        let mut viewer = Self { socket, place: None, came: BTreeMap::new(), in_summaries: 0, gaps: 0 };
        viewer.subscribe("m").await;
        viewer
    }

    /// Asks for `metric`, for what came after its place where it has one, and waits until it is live.
    async fn subscribe(&mut self, metric: &str) {
        let resume = self.place.map(|(epoch, seq)| format!(r#","resume":{{"epoch":{epoch},"seq":{seq}}}"#));
        let said = format!(
            r#"{{"type":"subscribe","id":1,"metrics":[{{"name":"{metric}","range":"1h"}}],"step":"raw","format":"binary"{}}}"#,
            resume.unwrap_or_default()
        );
        self.socket.send(Message::Text(said.into())).await.unwrap();
        loop {
            match self.hear().await {
                Heard::Subscribed => return,
                Heard::Other => {}
                Heard::Closed(code) => panic!("closed with {code:?} before it was subscribed"),
            }
        }
    }

    /// The connection is gone without a word; another one goes on.
    async fn cut(&mut self, address: &str) {
        self.socket = connect(address).await;
        self.subscribe("m").await;
    }

    /// Takes in one message.
    async fn hear(&mut self) -> Heard {
        match self.socket.next().await {
            Some(Ok(Message::Binary(bytes))) => {
                self.take(&bytes);
                Heard::Other
            }
            Some(Ok(Message::Text(text))) => match ServerFrame::decode(text.as_str()).unwrap() {
                ServerFrame::Subscribed(subscribed) => {
                    if subscribed.id == 1 {
                        self.place = Some((subscribed.epoch, subscribed.seq));
                    }
                    Heard::Subscribed
                }
                ServerFrame::Gap(_) => {
                    self.gaps += 1;
                    self.came.clear();
                    self.in_summaries = 0;
                    Heard::Other
                }
                _ => Heard::Other,
            },
            Some(Ok(Message::Close(close))) => Heard::Closed(close.map(|close| close.code.into())),
            Some(Ok(_)) => Heard::Other,
            Some(Err(_)) | None => Heard::Closed(None),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let at = Instant::now();
        let frame = binary::decode(bytes).unwrap();
        if let Some((epoch, seq)) = &mut self.place {
            (*epoch, *seq) = (frame.header.epoch, frame.header.seq);
        }
        for series in frame.series.iter().filter(|series| series.key.metric.as_str() == "m") {
            for sample in &series.samples {
                let before = self.came.insert(sample.value() as u64, at);
                assert!(before.is_none(), "{} came twice", sample.value());
            }
            self.in_summaries += series.summaries.iter().map(|bucket| bucket.summary.count).sum::<u64>();
        }
    }

    /// How many values it has.
    fn count(&self) -> u64 {
        self.came.len() as u64 + self.in_summaries
    }
}

/// Reads until all `expected` values are there; `expected` is known when all are sent.
async fn read_all(mut viewer: Viewer, mut expected: watch::Receiver<Option<u64>>) -> Viewer {
    loop {
        if expected.borrow().is_some_and(|expected| viewer.count() >= expected) {
            return viewer;
        }
        tokio::select! {
            heard = viewer.hear() => assert!(!matches!(heard, Heard::Closed(_)), "{heard:?}"),
            _ = expected.changed() => {}
        }
    }
}

/// Reads, and is cut off each second.
async fn read_with_cuts(
    mut viewer: Viewer,
    address: String,
    expected: watch::Receiver<Option<u64>>,
) -> (Viewer, usize) {
    let mut cuts = 0;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.tick().await;
    loop {
        let done = expected.borrow().is_some_and(|expected| viewer.count() >= expected);
        if done && cuts >= 3 {
            return (viewer, cuts);
        }
        tokio::select! {
            heard = viewer.hear() => assert!(!matches!(heard, Heard::Closed(_)), "{heard:?}"),
            _ = second.tick() => {
                viewer.cut(&address).await;
                cuts += 1;
            }
        }
    }
}

/// The sends that were acknowledged, and when.
struct Sender<'a> {
    gateway: &'a Running,
    acks: Vec<Instant>,
}

impl Sender<'_> {
    /// Sends the next values of `m`, one after the other.
    fn send(&mut self, values: u32) {
        for _ in 0..values {
            let body = format!(r#"{{"name":"m","value":{}}}"#, self.acks.len());
            assert_eq!(self.gateway.ingest(&body).status, 204);
            self.acks.push(Instant::now());
        }
    }

    /// How many values were sent.
    fn sent(&self) -> u64 {
        self.acks.len() as u64
    }
}

/// Sends 0.7 MB that only the stopped viewer asked for.
fn flood(gateway: &Running) {
    let sample = format!(r#"{{"name":"fat","value":1,"labels":{{"text":"{}"}}}}"#, "x".repeat(60));
    assert_eq!(gateway.ingest(&format!("[{}]", vec![sample; 5_000].join(","))).status, 204);
}

fn metric(gateway: &Running, name: &str) -> u64 {
    let text = gateway.get("/metrics").body;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap();
    line.parse().unwrap()
}

/// The latencies from ack to receipt of the values that came as they are, sorted.
fn latencies(viewers: &[Viewer], acks: &[Instant]) -> Vec<Duration> {
    let of = |viewer: &Viewer| {
        let values = viewer.came.iter();
        values.map(|(value, came)| came.saturating_duration_since(acks[*value as usize])).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = viewers.iter().flat_map(of).collect();
    all.sort();
    all
}

#[test]
fn five_hundred_viewers_hold_up_nobody() {
    // A busy machine sends slowly; that nobody is waited for without end is the last part.
    // Who is stopped says nothing either, and is to be let go for what it does not take.
    let slow = ["--limits-send-time", "45s", "--limits-take-time", "1m", "--limits-idle-time", "10m"];
    let gateway = Running::start(&slow);
    let address = gateway.address().to_owned();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (all_sent, expected) = watch::channel(None);

    let joined = Arc::new(AtomicUsize::new(0));
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let (address, expected, joined) = (address.clone(), expected.clone(), Arc::clone(&joined));
            runtime.spawn(async move {
                let viewer = Viewer::open(&address).await;
                joined.fetch_add(1, Ordering::AcqRel);
                read_all(viewer, expected).await
            })
        })
        .collect();
    let restless = {
        let (address, expected, joined) = (address.clone(), expected.clone(), Arc::clone(&joined));
        runtime.spawn(async move {
            let viewer = Viewer::open(&address).await;
            joined.fetch_add(1, Ordering::AcqRel);
            read_with_cuts(viewer, address, expected).await
        })
    };
    // The one that is stopped has asked for more than all others.
    let (reader, mut stopped) = runtime.block_on(async {
        let (reader, socket) = connect_apart(&address, 16 * 1024).await;
        let mut viewer = Viewer::over(socket).await;
        let fat = r#"{"type":"subscribe","id":2,"metrics":[{"name":"fat"}],"step":"raw","format":"json"}"#;
        viewer.socket.send(Message::Text(fat.into())).await.unwrap();
        while viewer.hear().await != Heard::Subscribed {}
        (reader, viewer)
    });
    reader.signal("STOP");
    until("all have joined", || joined.load(Ordering::Acquire) == READERS + 1);
    let bytes_before = gateway.resident_bytes();

    let mut sender = Sender { gateway: &gateway, acks: Vec::new() };
    sender.send(rounds(30, 600));
    // More than its socket (4 MB at most) and its queue (1 MiB) take, less than is kept for it (8 MiB).
    for _ in 0..10 {
        flood(&gateway);
    }
    until("it is behind", || metric(&gateway, "gateway_subscribers_behind") == 1);
    sender.send(rounds(30, 600));
    // It goes on, and has missed nothing.
    reader.signal("CONT");
    let expected_of_stopped = sender.sent();
    stopped = runtime.block_on(async {
        while stopped.count() < expected_of_stopped {
            assert!(!matches!(stopped.hear().await, Heard::Closed(_)), "it was let go");
        }
        stopped
    });
    assert_eq!(stopped.count(), expected_of_stopped);
    // Counted once what it missed is on its way.
    until("it was coalesced", || metric(&gateway, "gateway_subscribers_caught_up_total") > 0);
    assert_eq!(metric(&gateway, "gateway_subscribers_too_slow_total"), 0);

    // It stops for longer than anybody waits for it.
    reader.signal("STOP");
    let mut floods = 0;
    while metric(&gateway, "gateway_subscribers_too_slow_total") == 0 {
        // More than is kept for it.
        if floods < 20 {
            flood(&gateway);
            floods += 1;
        }
        sender.send(1);
        assert!(sender.sent() < 100_000, "it was never let go for being slow");
    }
    sender.send(rounds(30, 600));
    let bytes_after = gateway.resident_bytes();
    let all = sender.sent();
    all_sent.send(Some(all)).unwrap();

    let (readers, (restless, cuts)) = runtime.block_on(async {
        let mut done = Vec::new();
        for reader in readers {
            done.push(reader.await.unwrap());
        }
        (done, restless.await.unwrap())
    });
    for viewer in &readers {
        assert_eq!((viewer.count(), viewer.in_summaries, viewer.gaps), (all, 0, 0));
    }
    assert_eq!((restless.count(), restless.gaps), (all, 0), "after {cuts} cuts");
    // What was on its way still comes, then the goodbye, where the socket had room for it; it may come back.
    reader.signal("CONT");
    runtime.block_on(async {
        loop {
            match stopped.hear().await {
                Heard::Closed(code) => {
                    assert!(code.is_none_or(|code| code == 1013), "{code:?}");
                    break;
                }
                Heard::Subscribed | Heard::Other => {}
            }
        }
        stopped.cut(&address).await;
        let deadline = tokio::time::sleep(Duration::from_secs(60));
        tokio::pin!(deadline);
        while stopped.count() < all {
            tokio::select! {
                heard = stopped.hear() => assert!(!matches!(heard, Heard::Closed(_)), "{heard:?}"),
                () = &mut deadline => panic!("it has {} of {all}", stopped.count()),
            }
        }
        assert_eq!(stopped.count(), all);
    });

    let grown = bytes_after.saturating_sub(bytes_before);
    assert!(grown <= MAX_GROWTH_BYTES, "{grown} bytes more after {all} values");
    let latencies = latencies(&readers, &sender.acks);
    let at = |share: usize| latencies[(latencies.len() - 1) * share / 1_000].as_secs_f64() * 1_000.0;
    tell(&format!(
        "{READERS} viewers got {all} values each, {cuts} cuts of another; from ack to receipt: median {:.1} ms, p99 {:.1} ms, \
         most {:.1} ms; memory grew by {} KiB",
        at(500),
        at(990),
        at(1_000),
        grown / 1_024
    ));
}
