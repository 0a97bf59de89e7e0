//! A client of the live feed: a WebSocket, and an engine as the page has it.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use bellwether_core::engine::{Engine, EngineConfig};
use bellwether_core::labels::MetricName;
use bellwether_core::query::{Aggregation, Answer, Query};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::feed::{FeedFrame, Follow, Phase, Point};
use bellwether_wire::frame::{AlertList, Gap, Hello, ServerFrame};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, HandshakeError, Message, WebSocket, client};

use crate::running::Running;

/// A connection to the live feed.
pub(crate) struct Live {
    socket: WebSocket<TcpStream>,
    pub(crate) hello: Hello,
    pub(crate) alerts: AlertList,
    pub(crate) engine: Engine,
    /// The gateway's clock as it was heard last.
    pub(crate) now: TimestampMs,
    /// Whether the history of the subscription is complete.
    pub(crate) subscribed: bool,
    /// Places of the feed's frames, as they came.
    pub(crate) seqs: Vec<u64>,
    /// Up to where the engine has all: the stream and the newest batch.
    pub(crate) place: Option<(u64, u64)>,
    /// What could not be resumed.
    pub(crate) gaps: Vec<Gap>,
    /// Frames of history.
    pub(crate) history_frames: usize,
}

/// Opens a connection; the status where the handshake is refused.
pub(crate) fn connect(to: &Running, protocol: Option<&str>, origin: Option<&str>) -> Result<WebSocket<TcpStream>, u16> {
    let headers = [("sec-websocket-protocol", protocol), ("origin", origin)];
    let headers: Vec<_> = headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    connect_with(to, "/ws", &headers)
}

/// Opens a connection at `path` with headers of its own; the status where the handshake is refused.
pub(crate) fn connect_with(
    to: &Running,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<WebSocket<TcpStream>, u16> {
    let mut request = format!("ws://{}{path}", to.address()).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let stream = TcpStream::connect(to.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    match client(request, stream) {
        Ok((socket, _)) => Ok(socket),
        Err(HandshakeError::Failure(Error::Http(response))) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

impl Live {
    /// Connects and hears the greeting.
    pub(crate) fn open(to: &Running) -> Self {
        let mut socket = connect(to, Some("bellwether.v1"), None).unwrap();
        let ServerFrame::Hello(hello) = text_frame(&mut socket) else { panic!("the first frame is hello") };
        let ServerFrame::Alerts(alerts) = text_frame(&mut socket) else { panic!("the second frame is the alerts") };
        let mut engine = Engine::new(EngineConfig::page()).unwrap();
        for metric in &hello.board.metrics {
            engine.declare(&metric.name, metric.kind).unwrap();
        }
        let now = hello.now;
        let (subscribed, seqs, place, gaps, history_frames) = (false, Vec::new(), None, Vec::new(), 0);
        Self { socket, hello, alerts, engine, now, subscribed, seqs, place, gaps, history_frames }
    }

    /// Cuts the connection without a word and opens another one, which has what this one had.
    pub(crate) fn reopen(self, to: &Running) -> Self {
        let Self { socket, engine, place, gaps, .. } = self;
        drop(socket);
        Self { engine, place, gaps, ..Self::open(to) }
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.socket.send(Message::Text(text.into())).unwrap();
    }

    /// Sends bytes as they are, which need not be a frame.
    pub(crate) fn write_raw(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).unwrap();
    }

    pub(crate) fn close(&mut self) {
        let close = CloseFrame { code: CloseCode::Normal, reason: "done".into() };
        self.socket.close(Some(close)).unwrap();
    }

    pub(crate) fn subscribe(&mut self, metric: &str, step: &str, format: &str) {
        self.say(&format!(
            r#"{{"type":"subscribe","id":1,"metrics":[{{"name":"{metric}","range":"1h"}}],"step":"{step}","format":"{format}"}}"#
        ));
    }

    /// Subscribes to what comes after what the engine has.
    pub(crate) fn resume(&mut self, metric: &str, step: &str, format: &str) {
        let (epoch, seq) = self.place.expect("it was subscribed");
        self.subscribed = false;
        self.say(&format!(
            r#"{{"type":"subscribe","id":1,"metrics":[{{"name":"{metric}","range":"1h"}}],"step":"{step}","format":"{format}",
                "resume":{{"epoch":{epoch},"seq":{seq}}}}}"#
        ));
    }

    /// Reads one message and takes it in; an error of the gateway or an end is returned.
    pub(crate) fn step(&mut self) -> Result<ServerFrame, String> {
        loop {
            match self.socket.read().map_err(|error| error.to_string())? {
                Message::Text(text) => {
                    let frame = ServerFrame::decode(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
                    self.take(&frame);
                    return Ok(frame);
                }
                Message::Binary(bytes) => {
                    let frame = ServerFrame::Samples(bellwether_wire::binary::decode(&bytes).unwrap());
                    self.take(&frame);
                    return Ok(frame);
                }
                Message::Close(close) => {
                    return Err(close.map_or_else(String::new, |close| format!("{}: {}", close.code, close.reason)));
                }
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    fn take(&mut self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Samples(feed) => self.record(feed),
            ServerFrame::Subscribed(subscribed) => {
                self.subscribed = true;
                self.place = Some((subscribed.epoch, subscribed.seq));
            }
            ServerFrame::Alerts(alerts) => self.alerts = alerts.clone(),
            ServerFrame::Tick(tick) => {
                self.now = tick.now;
                if let (true, Some((_, seq))) = (self.subscribed, &mut self.place) {
                    *seq = tick.seq;
                }
            }
            ServerFrame::Gap(gap) => {
                self.gaps.push(*gap);
                self.place = None;
                self.engine = Engine::new(EngineConfig::page()).unwrap();
            }
            _ => {}
        }
    }

    fn record(&mut self, feed: &FeedFrame) {
        self.seqs.push(feed.header.seq);
        assert_eq!(feed.header.epoch, self.hello.epoch);
        match feed.header.phase {
            Phase::History => self.history_frames += 1,
            Phase::Live => {
                self.place = (feed.header.follow == Follow::End).then_some((feed.header.epoch, feed.header.seq));
            }
        }
        // Well after all that is sent here, so that nothing is refused for its time.
        let now = self.hello.now + DurationMs::from_minutes(5);
        for series in &feed.series {
            let id = self.engine.series(&series.key, Some(series.kind)).unwrap();
            for point in series.points() {
                match point {
                    Point::Sample(sample) => self.engine.record(id, sample, now).unwrap(),
                    Point::Summary(bucket) => {
                        self.engine.merge(id, feed.header.step, bucket.end, &bucket.summary, now).unwrap();
                    }
                }
            }
        }
    }

    /// Reads until `condition` holds.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        while !condition(self) {
            if let Err(error) = self.step() {
                panic!("waited in vain until {what}: {error}");
            }
        }
    }

    /// The figure over the last two hours, as the page would show it.
    pub(crate) fn figure(&self, metric: &str, aggregation: Aggregation) -> Answer {
        let query = Query::new(MetricName::new(metric).unwrap(), DurationMs::from_hours(2), aggregation);
        self.engine.query(&query, self.hello.now + DurationMs::from_minutes(5)).unwrap()
    }
}

fn text_frame(socket: &mut WebSocket<TcpStream>) -> ServerFrame {
    match socket.read().unwrap() {
        Message::Text(text) => ServerFrame::decode(&text).unwrap(),
        other => panic!("a text frame was expected, not {other:?}"),
    }
}
