//! Alerts: on the feed, to the webhook, across restarts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bellwether_core::rule::AlertState;
use serde_json::Value;

use crate::live::Live;
use crate::running::{Running, board, command, until};

/// Fires when the mean of 3 s is over 300, so that a test need not wait for minutes.
const BOARD: &str = r#"{"title":"Service","rules":[
    {"name":"BookingSlow","query":{"metric":"booking_response_time","window":"3s","agg":"avg"},
     "is":"above","threshold":300,"no_data":"resolve","severity":"page",
     "labels":{"team":"booking"},"summary":"Bookings are slow","runbook":"https://example.org/slow"}]}"#;

/// A webhook receiver; it can be made anew on the same port.
struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Value>>>,
    /// What each said in the header `authorization`.
    authorized: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    /// Answers each POST with the next of `answers`, the last of them for ever.
    fn listen(listener: TcpListener, answers: &'static [&'static str]) -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let address = listener.local_addr().unwrap();
        let seen = Arc::clone(&received);
        let authorized = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&authorized);
        // It lasts as long as the test's process.
        std::thread::spawn(move || {
            for (place, stream) in listener.incoming().enumerate() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).unwrap();
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if let Some((name, value)) = line.split_once(':')
                        && name.eq_ignore_ascii_case("authorization")
                    {
                        heard.lock().unwrap().push(value.trim().to_owned());
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let answer = answers[place.min(answers.len() - 1)];
                if answer.starts_with("200") {
                    seen.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                }
                let head = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.get_mut().write_all(head.as_bytes()).unwrap();
            }
        });
        Self { address, received, authorized }
    }

    fn statuses(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        received.iter().map(|message| message["status"].as_str().unwrap().to_owned()).collect()
    }
}

/// A port that refuses connections for now and that nobody else can get meanwhile: it is bound, and
/// nothing listens.
struct ReservedPort {
    runtime: tokio::runtime::Runtime,
    socket: tokio::net::TcpSocket,
}

impl ReservedPort {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self { runtime, socket }
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    fn listen(self) -> TcpListener {
        let _entered = self.runtime.enter();
        let listener = self.socket.listen(128).unwrap().into_std().unwrap();
        listener.set_nonblocking(false).unwrap();
        listener
    }
}

/// A counter or gauge of the gateway's own.
fn metric(gateway: &Running, name: &str) -> Option<f64> {
    let text = gateway.get("/metrics").body;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map(|value| value.parse().unwrap())
}

fn until_nothing_waits(gateway: &Running) {
    until("nothing waits to be told", || metric(gateway, "gateway_notifications_waiting") == Some(0.0));
}

fn slow(gateway: &Running) {
    assert_eq!(gateway.ingest(r#"{"name":"booking_response_time","value":900}"#).status, 204);
}

fn state(live: &Live) -> Option<AlertState> {
    live.alerts.alerts.first().map(|alert| alert.state)
}

#[test]
fn slow_bookings_raise_an_alert_that_resolves() {
    // Not well at first: what leads elsewhere is not followed, and tried again.
    let answers = &["302 Found\r\nlocation: http://127.0.0.1:1/", "200 OK"];
    let receiver = Receiver::listen(TcpListener::bind("127.0.0.1:0").unwrap(), answers);
    let folder = tempfile::tempdir().unwrap();
    let path = board(folder.path(), BOARD);
    let hook = format!("http://{}/hook", receiver.address);
    let gateway = Running::start(&["--board", path.to_str().unwrap(), "--alert-webhook", &hook]);
    let mut live = Live::open(&gateway);
    slow(&gateway);
    live.until("the alert fires", |live| matches!(state(live), Some(AlertState::Firing { .. })));
    let alert = &live.alerts.alerts[0];
    assert_eq!((alert.rule.as_str(), alert.value, alert.threshold), ("BookingSlow", Some(900.0), 300.0));
    assert_eq!(alert.labels.get("team"), Some("booking"));
    assert_eq!(alert.summary, "Bookings are slow");
    live.until("the alert is resolved", |live| matches!(state(live), Some(AlertState::Resolved { .. })));
    // Who comes later still sees that it was.
    assert!(matches!(state(&Live::open(&gateway)), Some(AlertState::Resolved { .. })));

    // And it can be asked for when it is no alert any more.
    let history = |query: &str| gateway.get(&format!("/api/v1/alerts/ended{query}")).json();
    until("its end is kept", || history("")["alerts"].as_array().is_some_and(|ended| !ended.is_empty()));
    let ended = history("");
    assert_eq!((ended["alerts"].as_array().unwrap().len(), &ended["more"]), (1, &Value::Bool(false)));
    let past = &ended["alerts"][0];
    assert_eq!((past["rule"].as_str(), past["severity"].as_str()), (Some("BookingSlow"), Some("page")));
    assert_eq!(past["labels"]["team"], "booking");
    let Some(AlertState::Resolved { active_at, fired_at, at }) = state(&live) else { panic!("{:?}", state(&live)) };
    assert_eq!(past["active_at"], active_at.get());
    assert_eq!((past["fired_at"].as_i64(), past["resolved_at"].as_i64()), (Some(fired_at.get()), Some(at.get())));
    let number = |query: &str| history(query)["alerts"].as_array().unwrap().len();
    assert_eq!(number(&format!("?from={}", at.get())), 0, "it ended no later");
    assert_eq!(number(&format!("?from={}&to={}", at.get() - 1, at.get())), 1);
    assert_eq!(number(&format!("?to={}", at.get() - 1)), 0);
    gateway.get("/api/v1/alerts/ended?since=1").is_error(400, "bad_query");
    gateway.get("/api/v1/alerts/ended?from=yesterday").is_error(400, "bad_query");

    until("both are told", || receiver.statuses().len() >= 2);
    until_nothing_waits(&gateway);
    assert_eq!(receiver.statuses(), ["firing", "resolved"]);
    let received = receiver.received.lock().unwrap();
    for message in received.iter() {
        assert_eq!(message["version"], "4");
        assert_eq!(message["alerts"].as_array().unwrap().len(), 1);
        let alert = &message["alerts"][0];
        assert_eq!(alert["labels"]["alertname"], "BookingSlow");
        assert_eq!(alert["labels"]["severity"], "page");
        assert_eq!(alert["annotations"]["summary"], "Bookings are slow");
        assert_eq!(alert["annotations"]["runbook_url"], "https://example.org/slow");
    }
    assert_eq!(received[0]["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
    assert_ne!(received[1]["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
    assert_eq!(received[0]["alerts"][0]["startsAt"], received[1]["alerts"][0]["startsAt"]);
}

#[test]
fn the_webhook_is_given_the_token_of_a_file_and_the_log_never() {
    let receiver = Receiver::listen(TcpListener::bind("127.0.0.1:0").unwrap(), &["200 OK"]);
    let folder = tempfile::tempdir().unwrap();
    let path = board(folder.path(), BOARD);
    let token = folder.path().join("token");
    let hook = format!("http://{}/hook", receiver.address);
    let flags =
        ["--board", path.to_str().unwrap(), "--alert-webhook", &hook, "--alert-webhook-token", token.to_str().unwrap()];
    let data = folder.path().join("data");
    // Without the file it does not start, and says which.
    let output = command(&data).args(flags).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains(token.to_str().unwrap()), "{said}");

    std::fs::write(&token, "the-first-secret\n").unwrap();
    let (gateway, mut log) = Running::start_heard(&data, &flags);
    std::fs::remove_file(&token).unwrap();
    slow(&gateway);
    // Not to be had just now: it is tried again, with what the file then holds.
    let said = log.find(|line| line.contains("could not be told")).unwrap();
    assert!(said.contains("cannot be read") && !said.contains("secret"), "{said}");
    std::fs::write(&token, "the-second-secret").unwrap();
    let said = log.find(|line| line.contains("secret") || line.contains("the alert webhook was told")).unwrap();
    assert!(!said.contains("secret"), "{said}");
    assert_eq!(receiver.authorized.lock().unwrap()[0], "Bearer the-second-secret");
}

#[test]
fn the_log_says_what_fires_and_what_ended_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = board(folder.path(), BOARD);
    let data = folder.path().join("data");
    let (gateway, mut log) = Running::start_heard(&data, &["--board", path.to_str().unwrap()]);
    slow(&gateway);
    let fires = log.find(|line| line.contains("an alert fires")).unwrap();
    assert!(fires.contains("WARN") && fires.contains("BookingSlow") && fires.contains("value=900"), "{fires}");
    // Nothing more comes: no figure is left, and the one of before is none of now.
    let ended = log.find(|line| line.contains("an alert is resolved")).unwrap();
    assert!(ended.contains("INFO") && ended.contains("no figure any more"), "{ended}");
    assert!(!ended.contains("value="), "{ended}");
    slow(&gateway);
    log.find(|line| line.contains("an alert fires")).unwrap();
    // The log comes before what is kept.
    until("it is kept", || Live::open(&gateway).alerts.alerts.iter().any(|alert| alert.state.is_active()));
    // Who read the log may go: what is said then is said to nobody, and all goes on.
    drop(log);
    assert_eq!(gateway.terminate().0.code(), Some(0));

    let other = board(folder.path(), r#"{"title":"Service"}"#);
    let (_gateway, mut log) = Running::start_heard(&data, &["--board", other.to_str().unwrap()]);
    let ended = log.find(|line| line.contains("an alert is resolved")).unwrap();
    assert!(ended.contains("INFO") && ended.contains("the rule was removed from the board"), "{ended}");
}

#[test]
fn a_receiver_that_was_down_is_told_once_each() {
    let port = ReservedPort::new();
    let address = port.address();
    let folder = tempfile::tempdir().unwrap();
    let path = board(folder.path(), BOARD);
    let hook = format!("http://{address}/hook");
    let gateway = Running::start(&["--board", path.to_str().unwrap(), "--alert-webhook", &hook]);
    let mut live = Live::open(&gateway);
    slow(&gateway);
    live.until("the alert is resolved", |live| matches!(state(live), Some(AlertState::Resolved { .. })));
    let failed = || metric(&gateway, "gateway_webhook_calls_total{outcome=\"failed\"}").unwrap_or(0.0);
    until("an attempt failed", || failed() > 0.0);
    let down_since = Instant::now();
    until("it was down for 10 s", || down_since.elapsed() >= Duration::from_secs(10));
    // At once, and after 1, 2 and 4 s more; "resolved" waits behind "firing".
    assert!((3.0..=5.0).contains(&failed()), "{}", failed());
    assert_eq!(metric(&gateway, "gateway_notifications_waiting"), Some(2.0));
    let receiver = Receiver::listen(port.listen(), &["200 OK"]);
    until_nothing_waits(&gateway);
    assert_eq!(receiver.statuses(), ["firing", "resolved"]);
}

#[test]
fn alerts_and_what_is_to_be_told_outlive_a_kill() {
    let port = ReservedPort::new();
    let address = port.address();
    let folder = tempfile::tempdir().unwrap();
    let path = board(folder.path(), &BOARD.replace("\"resolve\"", "\"keep\""));
    let hook = format!("http://{address}/hook");
    let flags = ["--board", path.to_str().unwrap(), "--alert-webhook", &hook];
    let data = folder.path().join("data");
    let gateway = Running::start_in(&data, &flags);
    let mut live = Live::open(&gateway);
    slow(&gateway);
    live.until("the alert fires", |live| matches!(state(live), Some(AlertState::Firing { .. })));
    let fired = state(&live);
    until("it is in the outbox", || metric(&gateway, "gateway_notifications_waiting") == Some(1.0));
    gateway.kill();

    let receiver = Receiver::listen(port.listen(), &["200 OK"]);
    let gateway = Running::start_in(&data, &flags);
    let live = Live::open(&gateway);
    assert_eq!(state(&live), fired, "it goes on as it was");
    until("it is told", || !receiver.statuses().is_empty());
    assert_eq!(gateway.ingest(r#"{"name":"booking_response_time","value":1}"#).status, 204);
    // Values as quick as these bring the mean of 3 s under the threshold once the slow one is out.
    until("the end is told", || {
        gateway.ingest(r#"{"name":"booking_response_time","value":1}"#);
        receiver.statuses().len() >= 2
    });
    until_nothing_waits(&gateway);
    assert_eq!(receiver.statuses(), ["firing", "resolved"]);
    let ended = || gateway.get("/api/v1/alerts/ended").json()["alerts"].clone();
    until("its end is kept", || ended().as_array().is_some_and(|ended| !ended.is_empty()));
    let before = ended();
    gateway.kill();
    let gateway = Running::start_in(&data, &flags);
    assert_eq!(gateway.get("/api/v1/alerts/ended").json()["alerts"], before, "and outlives a kill, once");
}
