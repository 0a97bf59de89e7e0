//! Alerts: on the feed, to the webhook, across restarts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use bellwether_core::rule::AlertState;
use serde_json::Value;

use crate::live::Live;
use crate::running::{Running, board, until};

/// Fires when the mean of 3 s is over 300, so that a test need not wait for minutes.
const BOARD: &str = r#"{"title":"Service","rules":[
    {"name":"BookingSlow","query":{"metric":"booking_response_time","window":"3s","agg":"avg"},
     "is":"above","threshold":300,"no_data":"resolve","severity":"page",
     "labels":{"team":"booking"},"summary":"Bookings are slow","runbook":"https://example.org/slow"}]}"#;

/// A webhook receiver; it can be made anew on the same port.
struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    /// Answers each POST with the next of `answers`, the last of them for ever.
    fn listen(listener: TcpListener, answers: &'static [&'static str]) -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let address = listener.local_addr().unwrap();
        let seen = Arc::clone(&received);
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
        Self { address, received }
    }

    fn statuses(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        received.iter().map(|message| message["status"].as_str().unwrap().to_owned()).collect()
    }
}

/// A port that nothing listens on for now.
fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn slow(gateway: &Running) {
    assert_eq!(gateway.ingest(r#"{"name":"booking_response_time","value":900}"#).status, 204);
}

fn state(live: &Live) -> Option<AlertState> {
    live.alerts.alerts.first().map(|alert| alert.state)
}

#[test]
fn slow_bookings_raise_an_alert_that_resolves() {
    let receiver = Receiver::listen(TcpListener::bind("127.0.0.1:0").unwrap(), &["200 OK"]);
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

    until("both are told", || receiver.statuses().len() >= 2);
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
fn a_receiver_that_was_down_is_told_once_each() {
    let address = free_port();
    let folder = tempfile::tempdir().unwrap();
    let path = board(folder.path(), BOARD);
    let hook = format!("http://{address}/hook");
    let gateway = Running::start(&["--board", path.to_str().unwrap(), "--alert-webhook", &hook]);
    let mut live = Live::open(&gateway);
    slow(&gateway);
    live.until("the alert is resolved", |live| matches!(state(live), Some(AlertState::Resolved { .. })));
    until("an attempt failed", || {
        gateway.get("/metrics").body.contains("gateway_webhook_calls_total{outcome=\"failed\"}")
    });
    // Up, but not well at first.
    let answers = &["302 Found\r\nlocation: http://127.0.0.1:1/", "200 OK"];
    let receiver = Receiver::listen(TcpListener::bind(address).unwrap(), answers);
    until("nothing waits any more", || gateway.get("/metrics").body.contains("gateway_notifications_waiting 0"));
    assert_eq!(receiver.statuses(), ["firing", "resolved"]);
}

#[test]
fn alerts_and_what_is_to_be_told_outlive_a_kill() {
    let address = free_port();
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
    until("it is in the outbox", || gateway.get("/metrics").body.contains("gateway_notifications_waiting 1"));
    gateway.kill();

    let receiver = Receiver::listen(TcpListener::bind(address).unwrap(), &["200 OK"]);
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
    assert_eq!(receiver.statuses(), ["firing", "resolved"]);
}
