//! What a sender or a reader may do at most, limit by limit: what is over is refused by name, and nothing else is
//! lost. Limits that need more than a row have tests of their own: `ingest` and `remote_write` (lengths, packing, the
//! time of a body), `access` (tokens and tickets), `doors` (hosts, origins), `proxies` (addresses), `viewers`.

use std::io::{Read, Write};
use std::net::TcpStream;

use bellwether_wire::frame::ServerFrame;
use serde_json::{Value, json};

use crate::live::{Live, connect_with};
use crate::prometheus::{WriteRequest, series, snappy};
use crate::running::{Answer, Request, Running, command, now_ms, read_answer, until};

/// A way to send samples.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Door {
    Json,
    Lines,
    RemoteWrite,
    Otlp,
    Influx,
    Text,
}

const DOORS: [Door; 6] = [Door::Json, Door::Lines, Door::RemoteWrite, Door::Otlp, Door::Influx, Door::Text];

/// A sample to be sent; names end with `_v`, so that Influx's can have them too.
#[derive(Clone)]
struct Given {
    name: String,
    labels: Vec<(String, String)>,
    value: &'static str,
    at: i64,
}

fn given(name: &str, labels: &[(&str, &str)]) -> Given {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Given { name: name.to_owned(), labels, value: "1", at: now_ms() - 1_000 }
}

impl Door {
    /// Sends samples as this door has them; what it cannot say at all is `None`.
    fn send(self, gateway: &Running, samples: &[Given]) -> Answer {
        self.request(samples).send(gateway)
    }

    fn request(self, samples: &[Given]) -> Request {
        match self {
            Self::Json | Self::Lines => {
                let one = |given: &Given| {
                    let labels = given.labels.iter().map(|(name, value)| format!("{}:{}", json!(name), json!(value)));
                    let (name, labels) = (json!(given.name), labels.collect::<Vec<_>>().join(","));
                    format!(
                        r#"{{"name":{name},"value":{},"timestamp":{},"labels":{{{labels}}}}}"#,
                        given.value, given.at
                    )
                };
                let samples: Vec<_> = samples.iter().map(one).collect();
                let (content_type, body) = if self == Self::Json {
                    ("application/json", format!("[{}]", samples.join(",")))
                } else {
                    ("application/x-ndjson", samples.join("\n"))
                };
                Request::post("/ingest").header("content-type", content_type).body(body)
            }
            Self::RemoteWrite => {
                let one = |given: &Given| {
                    let mut labels: Vec<_> =
                        given.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    labels.push(format!("__name__={}", given.name));
                    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
                    series(&labels, &[(given.at, given.value.parse().unwrap())])
                };
                let timeseries = samples.iter().map(one).collect();
                let request = Request::post("/api/v1/write").header("content-type", "application/x-protobuf");
                let request = request.header("content-encoding", "snappy");
                request.body(snappy(&WriteRequest { timeseries, metadata: Vec::new() }))
            }
            Self::Otlp => {
                let one = |given: &Given| {
                    let attributes: Vec<_> = given
                        .labels
                        .iter()
                        .map(|(name, value)| json!({"key": name, "value": {"stringValue": value}}))
                        .collect();
                    let nanos = format!("{}000000", given.at);
                    let point = json!({"timeUnixNano": nanos, "asDouble": given.value, "attributes": attributes});
                    json!({"name": given.name, "gauge": {"dataPoints": [point]}})
                };
                let metrics: Vec<_> = samples.iter().map(one).collect();
                let body = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]});
                Request::post("/v1/metrics").header("content-type", "application/json").body(body.to_string())
            }
            Self::Influx => {
                let one = |given: &Given| {
                    let tags: String = given.labels.iter().map(|(name, value)| format!(",{name}={value}")).collect();
                    let measurement = given.name.strip_suffix("_v").unwrap();
                    format!("{measurement}{tags} v={} {}\n", given.value, given.at)
                };
                Request::post("/write?precision=ms").body(samples.iter().map(one).collect::<String>())
            }
            Self::Text => {
                let one = |given: &Given| {
                    let labels = given.labels.iter().map(|(name, value)| format!("{name}={value:?}"));
                    let labels = labels.collect::<Vec<_>>().join(",");
                    format!("{}{{{labels}}} {} {}\n", given.name, given.value, given.at)
                };
                let body: String = samples.iter().map(one).collect();
                Request::post("/api/v1/import/prometheus").body(body)
            }
        }
    }

    /// The status where some samples are refused and the others kept.
    fn partly(self) -> u16 {
        match self {
            Self::Json | Self::Lines => 422,
            Self::Otlp => 200,
            Self::RemoteWrite | Self::Influx | Self::Text => 400,
        }
    }

    /// The code of a body that is refused whole.
    fn code(self, answer: &Answer) -> String {
        let body = answer.json();
        let code = if self == Self::Influx { &body["code"] } else { &body["error"]["code"] };
        code.as_str().unwrap_or_default().to_owned()
    }
}

/// A limit of one sample: what is sent beyond it, and how that is called and told.
struct Row {
    limit: &'static str,
    bad: Given,
    code: &'static str,
    told: &'static str,
    /// Doors at which it is another fault, or none.
    not_at: &'static [Door],
}

fn rows() -> Vec<Row> {
    let (now, minute_ms, day_ms) = (now_ms(), 60_000, 86_400_000);
    let plain = given("bad_v", &[]);
    let row = |limit, bad, code, told| Row { limit, bad, code, told, not_at: &[] };
    let labelled = |name: &str, value: &str| given("bad_v", &[(name, value)]);
    let many: Vec<_> = (0..31).map(|number| (format!("l{number}"), "v".to_owned())).collect();
    vec![
        row("a value is finite", Given { value: "1e999", ..plain.clone() }, "bad_value", ""),
        Row {
            not_at: &[Door::Json, Door::Lines],
            ..row("a value is a number", Given { value: "NaN", ..plain.clone() }, "bad_value", "NaN")
        },
        row(
            "not over now + 10 min",
            Given { at: now + 11 * minute_ms, ..plain.clone() },
            "too_new",
            "more than 10m after the gateway's clock",
        ),
        row(
            "not before the retention's start",
            Given { at: now - 91 * day_ms, ..plain.clone() },
            "too_late",
            "the start of what is kept",
        ),
        Row {
            // There a number of nanoseconds cannot be negative; and Influx's line is refused as one.
            not_at: &[Door::Otlp, Door::Influx],
            ..row("a timestamp is not negative", Given { at: -1, ..plain.clone() }, "bad_timestamp", "1970")
        },
        row("30 labels", Given { labels: many, ..plain.clone() }, "bad_labels", "at most 30 are allowed"),
        row("a name of 256 bytes", given(&("n".repeat(255) + "_v"), &[]), "bad_name", "at most 256 are allowed"),
        row("a label's name of 256 bytes", labelled(&"l".repeat(257), "v"), "bad_labels", "at most 256 are allowed"),
        row("a value of 2,048 bytes", labelled("l", &"v".repeat(2_049)), "bad_labels", "at most 2048 are allowed"),
        row("no name twice", given("bad_v", &[("l", "1"), ("l", "2")]), "bad_labels", "given twice"),
    ]
}

#[test]
fn a_sample_beyond_a_limit_is_named_and_those_around_it_are_kept() {
    let gateway = Running::start(&[]);
    let mut kept = 0.0;
    for (number, Row { limit, bad, code, told, not_at }) in rows().into_iter().enumerate() {
        for door in DOORS.into_iter().filter(|door| !not_at.contains(door)) {
            let place = format!("{number}{door:?}");
            let good = |part: &str| given("good_v", &[("place", place.as_str()), ("part", part)]);
            let answer = door.send(&gateway, &[good("before"), bad.clone(), good("after")]);
            let context = format!("{limit}, {door:?}: {} {}", answer.status, answer.body);
            assert_eq!(answer.status, door.partly(), "{context}");
            assert!(answer.body.contains(code) && answer.body.contains(told), "{context}");
            assert!(answer.body.len() < 1_000, "{context}");
            if matches!(door, Door::Json | Door::Lines | Door::RemoteWrite | Door::Text) {
                let rejected = &answer.json()["rejected"];
                let all = rejected.as_array().unwrap();
                assert_eq!(
                    (all.len(), &rejected[0]["index"], &rejected[0]["code"]),
                    (1, &json!(1), &json!(code)),
                    "{context}"
                );
            }
            kept += 2.0;
        }
    }
    assert_eq!(gateway.result("name=good_v&window=1h&agg=count"), Some(kept));
    assert_eq!(gateway.result("name=bad_v&window=1h&agg=count"), None);
}

#[test]
fn a_series_beyond_a_limit_is_named_and_those_that_are_there_go_on() {
    // The gateway's own samples have series too.
    for (flags, sent, told) in [
        (["--limits-series-of-metric", "30"], 31, "at most 30 are allowed for one metric"),
        (["--limits-series", "100"], 101, "at most 100 are allowed in all"),
    ] {
        for door in DOORS {
            let gateway = Running::start(&flags);
            let all: Vec<_> = (0..sent).map(|number| given("m_v", &[("l", number.to_string().as_str())])).collect();
            let answer = door.send(&gateway, &all);
            let context = format!("{flags:?}, {door:?}: {} {}", answer.status, answer.body);
            assert_eq!(answer.status, door.partly(), "{context}");
            assert!(answer.body.contains("too_many_series") && answer.body.contains(told), "{context}");
            let known = Given { at: all[0].at + 1, ..all[0].clone() };
            assert!(door.send(&gateway, &[known]).status < 300, "{context}");
            assert_eq!(gateway.result("name=m_v&window=1h&agg=count&where=l:0"), Some(2.0), "{context}");
            let last = format!("name=m_v&window=1h&agg=count&where=l:{}", sent - 1);
            assert_eq!(gateway.result(&last), None, "{context}");
        }
    }
}

#[test]
fn a_body_beyond_a_limit_is_refused_whole_and_the_next_is_taken() {
    let gateway = Running::start(&["--limits-body", "900KiB", "--limits-binary-body", "2MiB"]);
    let many = vec![given("bad_v", &[]); 10_001];
    let deep =
        |depth: usize| format!(r#"{{"name":"bad_v","value":1,"labels":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let mut taken = 0.0;
    for door in DOORS {
        let mut check = |limit: &str, request: Request, status: u16, code: &str, told: &str| {
            let answer = request.send(&gateway);
            let context = format!("{limit}, {door:?}: {} {}", answer.status, answer.body);
            assert_eq!((answer.status, door.code(&answer).as_str()), (status, code), "{context}");
            assert!(answer.body.contains(told) && answer.body.len() < 1_000, "{context}");
            taken += 1.0;
            let good = given("good_v", &[("place", format!("{taken}{door:?}").as_str())]);
            assert!(door.send(&gateway, &[good]).status < 300, "{context}");
        };
        check("10,000 samples", door.request(&many), 400, "too_many_samples", "more than 10000 samples");
        let is_binary = matches!(door, Door::RemoteWrite | Door::Otlp);
        let limit_bytes = if is_binary { 2 << 20 } else { 900 << 10 };
        let long = if door == Door::RemoteWrite {
            snap::raw::Encoder::new().compress_vec(&vec![0; limit_bytes + 1]).unwrap()
        } else {
            vec![b' '; limit_bytes + 1]
        };
        let told = format!("longer than {limit_bytes} bytes");
        check("the body's length", door.request(&[]).body(long), 413, "body_too_large", &told);
        if door == Door::Json {
            check("16 levels", door.request(&[]).body(deep(17)), 400, "too_deep", "deeper than 16");
        }
    }
    assert_eq!(gateway.result("name=good_v&window=1h&agg=count"), Some(taken));
    assert_eq!(gateway.result("name=bad_v&window=1h&agg=count"), None);
}

#[test]
fn fewer_samples_may_be_taken_at_once() {
    let gateway = Running::start(&["--limits-samples", "2"]);
    for (number, door) in DOORS.into_iter().enumerate() {
        let of = |part: &str| given("m_v", &[("door", number.to_string().as_str()), ("part", part)]);
        let bad = Given { at: 1, ..of("bad") };
        let refused = door.send(&gateway, &[of("a"), bad, of("b")]);
        let context = format!("{door:?}: {} {}", refused.status, refused.body);
        assert_eq!((refused.status, door.code(&refused).as_str()), (400, "too_many_samples"), "{context}");
        assert!(refused.body.contains("more than 2 samples"), "{context}");
        assert!(door.send(&gateway, &[of("a"), of("b")]).status < 300, "{door:?}");
    }
    let mut live = Live::open(&gateway);
    let batch = [r#"{"name":"m_v","value":1}"#; 3].join(",");
    live.say(&format!(r#"{{"type":"samples","id":1,"samples":[{batch}]}}"#));
    let answered = loop {
        match live.step().unwrap() {
            ServerFrame::Tick(_) => {}
            other => break other,
        }
    };
    assert!(matches!(&answered, ServerFrame::Error(error) if error.code == "too_many_samples"), "{answered:?}");
    assert_eq!(gateway.result("name=m_v&window=1h&agg=count"), Some(12.0));
}

const SUBPROTOCOL: (&str, &str) = ("sec-websocket-protocol", "bellwether.v1");

/// The end of a connection: its code and why.
fn end(live: &mut Live) -> String {
    loop {
        if let Err(end) = live.step() {
            return end;
        }
    }
}

#[test]
fn a_live_connection_beyond_a_limit_is_closed_and_says_why() {
    let gateway = Running::start(&["--limits-messages", "3", "--limits-message", "200B"]);
    let mut goes_on = Live::open(&gateway);
    goes_on.subscribe("m", "1s", "json");
    goes_on.until("it is subscribed", |live| live.subscribed);

    let mut live = Live::open(&gateway);
    for _ in 0..4 {
        live.say(r#"{"type":"shout"}"#);
    }
    assert_eq!(end(&mut live), "1008: more than 3 messages in a minute");

    let mut live = Live::open(&gateway);
    live.say(&format!(r#"{{"type":"shout{}"}}"#, "!".repeat(200)));
    assert_eq!(end(&mut live), "1009: a message is longer than 200 bytes, or a batch than a body may be");
    // A batch is a body, and has a body's limits.
    let mut live = Live::open(&gateway);
    let sample = format!(r#"{{"name":"m","value":1,"labels":{{"l":"{}"}}}}"#, "v".repeat(300));
    live.say(&format!(r#"{{"type":"samples","id":1,"samples":[{sample}]}}"#));
    until("the batch is stored", || gateway.result("name=m&window=1h&agg=count") == Some(1.0));

    goes_on.until("the sample came", |live| !live.seqs.is_empty());
}

#[test]
fn a_live_connection_that_breaks_the_protocol_is_closed_with_the_code_for_it() {
    let gateway = Running::start(&[]);
    let mut goes_on = Live::open(&gateway);
    goes_on.subscribe("m", "1s", "json");
    goes_on.until("it is subscribed", |live| live.subscribed);
    let (text, masked) = (0x81, 0x80);
    let no_mask = [0, 0, 0, 0];
    for (fault, frame, told) in [
        ("no UTF-8", [&[text, masked | 2][..], &no_mask, &[0xc3, 0x28]].concat(), "1007: a text frame holds UTF-8"),
        ("a reserved bit", [&[text | 0x40, masked][..], &no_mask].concat(), "1002: this is not WebSocket"),
        ("a reserved opcode", [&[0x83, masked][..], &no_mask].concat(), "1002: this is not WebSocket"),
        ("no mask", vec![text, 0], "1002: this is not WebSocket"),
        ("a ping in parts", [&[0x09, masked][..], &no_mask].concat(), "1002: this is not WebSocket"),
        ("the rest of nothing", [&[0x80, masked][..], &no_mask].concat(), "1002: this is not WebSocket"),
    ] {
        let mut live = Live::open(&gateway);
        live.write_raw(&frame);
        let said = end(&mut live);
        assert!(said.starts_with(told), "{fault}: {said}");
    }
    let good = Door::Json.send(&gateway, &[given("m", &[])]);
    assert_eq!(good.status, 204);
    goes_on.until("the sample came", |live| !live.seqs.is_empty());
}

#[test]
fn there_are_only_so_many_live_connections_and_none_is_packed() {
    let gateway = Running::start(&["--limits-connections", "2"]);
    let open = || connect_with(&gateway, "/ws", &[SUBPROTOCOL]);
    let held = [open().unwrap(), open().unwrap()];
    assert_eq!(open().err(), Some(503));
    drop(held);
    until("there is a seat again", || open().is_ok());

    // A client may offer to pack what it sends, which would hide how long it is: that is not taken up.
    let handshake = [
        SUBPROTOCOL,
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-extensions", "permessage-deflate"),
    ];
    let mut head = format!("GET /ws HTTP/1.1\r\nhost: {}\r\n", gateway.address());
    head.extend(handshake.map(|(name, value)| format!("{name}: {value}\r\n")));
    until("there is a seat", || {
        let mut stream = TcpStream::connect(gateway.address()).unwrap();
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
        let answer = read_answer(&answer);
        assert_eq!(answer.header("sec-websocket-extensions"), None);
        answer.status == 101
    });
}

#[test]
fn who_gives_no_sign_of_life_is_closed_and_who_does_stays() {
    let gateway = Running::start(&["--limits-idle-time", "600ms", "--limits-ping-time", "100ms"]);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Reads what comes and answers nothing, not even pings.
            let mut silent = connect_with(&gateway, "/ws", &[SUBPROTOCOL]).unwrap();
            let mut heard = Vec::new();
            silent.get_mut().read_to_end(&mut heard).unwrap();
            let words = b"no sign of life for 600ms; connect again";
            assert!(heard.windows(words.len()).any(|part| part == words), "{}", String::from_utf8_lossy(&heard));
        });
        let mut answers = Live::open(&gateway);
        let began = answers.now;
        answers.until("it is told the time", |live| live.now.since(began).as_millis() > 1_500);
    });
}

#[test]
fn who_says_nothing_of_itself_is_closed_in_the_time_that_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "wall read secret-of-the-wall").unwrap();
    let tokens = tokens.to_str().unwrap();
    let gateway = Running::start(&["--tokens", tokens, "--limits-introduction-time", "300ms"]);
    let mut silent = connect_with(&gateway, "/ws", &[SUBPROTOCOL]).unwrap();
    let said = silent.read().unwrap();
    assert!(said.to_string().contains("within 300ms"), "{said:?}");
    // A token in the address is none: addresses are kept in logs.
    let mut addressed = connect_with(&gateway, "/ws?token=secret-of-the-wall", &[SUBPROTOCOL]).unwrap();
    assert!(addressed.read().unwrap().is_close());
}

#[test]
fn limits_that_would_not_work_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, told) in [
        (["--limits-send-time", "40s"], "limits.send_time must be shorter than limits.take_time: 40s"),
        (["--limits-samples", "10001"], "limits.samples is 10000 at most"),
        (["--limits-ping-time", "1m"], "limits.ping_time must be shorter than limits.idle_time: 1m"),
    ] {
        let output = command(folder.path()).args(flags).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(told), "{said}");
    }
}

#[test]
fn what_is_refused_is_counted_by_its_reason() {
    let gateway = Running::start(&[]);
    let rows = rows();
    for row in &rows {
        Door::RemoteWrite.send(&gateway, std::slice::from_ref(&row.bad));
    }
    let metrics = gateway.get("/metrics").body;
    let count = |code: &str| rows.iter().filter(|row| row.code == code).count();
    for code in ["bad_value", "too_new", "too_late", "bad_timestamp", "bad_labels", "bad_name"] {
        let line = format!("gateway_samples_rejected_total{{reason=\"{code}\"}} {}", count(code));
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
    let answered: Value = Door::Json.send(&gateway, &[given("good_v", &[])]).status.into();
    assert_eq!(answered, 204);
}
