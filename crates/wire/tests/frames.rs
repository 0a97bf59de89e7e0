//! Text frames: they read back, their text stays what it is, and what is wrong is named.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where something is wrong")]

use bellwether_core::board::Board;
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::rule::{AlertState, Comparison, Severity};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::feed::{BucketSummary, FeedFrame, FeedHeader, FeedSeries, Follow, Phase};
use bellwether_wire::frame::{
    Ack, AlertList, AlertNotice, Batch, ClientFrame, ErrorFrame, FeedFormat, Gap, Hello, MAX_SELECTIONS,
    RejectedSample, RestatedSpan, Resume, Selection, ServerFrame, Step, Subscribe, Subscribed, Tick,
};
use proptest::prelude::*;

fn at(ms: i64) -> TimestampMs {
    TimestampMs::new(ms)
}

fn metric(name: &str) -> MetricName {
    MetricName::new(name).unwrap()
}

fn sample(ms: i64, value: f64) -> Sample {
    Sample::new(at(ms), value).unwrap()
}

fn notice(state: AlertState, value: Option<f64>) -> AlertNotice {
    AlertNotice {
        rule: "BookingSlow".into(),
        labels: Labels::new([("alertname", "BookingSlow"), ("route", "</b>")]).unwrap(),
        severity: Severity::Page,
        state,
        value,
        stale: false,
        comparison: Comparison::Above,
        threshold: 300.0,
        summary: "Bookings are \"slow\".".into(),
        runbook: String::new(),
    }
}

fn feed() -> FeedFrame {
    let key = |name, labels: &[(&str, &str)]| SeriesKey {
        metric: metric(name),
        labels: Labels::new(labels.iter().copied()).unwrap(),
    };
    let mut summary = Summary::of(sample(1_200, -2.0), Kind::Gauge);
    summary.record(sample(1_400, 0.0), Kind::Gauge);
    summary.record(sample(1_900, 8.0), Kind::Gauge);
    FeedFrame {
        header: FeedHeader {
            epoch: 9,
            seq: 4,
            subscription: 1,
            phase: Phase::History,
            step: DurationMs::from_secs(1),
            follow: Follow::End,
        },
        series: vec![
            FeedSeries {
                key: key("booking_response_time", &[("route", "/book")]),
                kind: Kind::Observation,
                samples: vec![sample(500, 120.0), sample(700, 0.1)],
                summaries: vec![],
            },
            FeedSeries {
                key: key("depth", &[]),
                kind: Kind::Gauge,
                samples: vec![sample(800, -0.0)],
                summaries: vec![BucketSummary { end: at(2_000), summary }],
            },
        ],
    }
}

/// One of each frame that a gateway sends, with its name in the golden file.
fn server_frames() -> Vec<ServerFrame> {
    let board = bellwether_wire::board::decode(
        r#"{"title":"B","kpis":[{"id":"k","title":"K","better":"lower","query":{"metric":"m","window":"5m","agg":"p95"}}]}"#,
    )
    .unwrap();
    let (active_at, fired_at) = (at(1_000), at(2_000));
    let key = |name: &str, labels: &[(&str, &str)]| SeriesKey {
        metric: metric(name),
        labels: Labels::new(labels.iter().copied()).unwrap(),
    };
    vec![
        ServerFrame::Hello(Hello {
            version: "0.1.0".into(),
            epoch: 1_700_000_000_000,
            seq: 3,
            now: at(1_700_000_001_000),
            title: "Bellwether".into(),
            demo: true,
            board,
            staleness: DurationMs::from_minutes(5),
        }),
        ServerFrame::Subscribed(Subscribed {
            id: 1,
            epoch: 1_700_000_000_000,
            seq: 17,
            restated: Vec::new(),
            until: None,
        }),
        ServerFrame::Samples(feed()),
        ServerFrame::Alerts(AlertList {
            seq: 18,
            alerts: vec![
                notice(AlertState::Pending { active_at }, Some(301.5)),
                notice(AlertState::Firing { active_at, fired_at, keep_firing_since: None }, None),
                notice(AlertState::Firing { active_at, fired_at, keep_firing_since: Some(at(3_000)) }, Some(10.0)),
                notice(AlertState::Resolved { active_at, fired_at, at: at(4_000) }, Some(299.0)),
            ],
            left_out: 0,
        }),
        ServerFrame::Tick(Tick { now: at(1_700_000_002_000), seq: 18 }),
        ServerFrame::Gap(Gap { subscription: 1, from_seq: 19, to_seq: 21 }),
        ServerFrame::Ack(Ack { id: 5, rejected: Vec::new() }),
        ServerFrame::Error(ErrorFrame::new("not_supported", "Say it by POST /ingest.")),
        ServerFrame::Samples(FeedFrame {
            header: FeedHeader { epoch: 9, seq: 5, subscription: 1, follow: Follow::More, ..FeedHeader::default() },
            series: Vec::new(),
        }),
        ServerFrame::Ack(Ack {
            id: 6,
            rejected: vec![RejectedSample { index: 1, code: "bad_value".into(), message: "It is <no> number.".into() }],
        }),
        ServerFrame::Error(ErrorFrame { batch: Some(7), ..ErrorFrame::new("overloaded", "Try again.") }),
        ServerFrame::Subscribed(Subscribed {
            id: 2,
            epoch: 9,
            seq: 18,
            restated: vec![
                RestatedSpan { series: key("m", &[("team", "a")]), from: at(999), to: at(1_000), at: at(5_000) },
                RestatedSpan { series: key("n", &[]), from: at(0), to: at(3_600_000), at: at(6_000) },
            ],
            until: None,
        }),
        ServerFrame::Subscribed(Subscribed {
            id: 3,
            epoch: 9,
            seq: 18,
            restated: Vec::new(),
            until: Some(at(7_200_000)),
        }),
    ]
}

fn client_frames() -> Vec<ClientFrame> {
    let all = Selection { name: metric("host_load1"), matchers: vec![], range: DurationMs::ZERO };
    let text = r#"{"type":"subscribe","id":2,"metrics":[{"name":"m","where":["a:b:c",{"d":{"not":"e"}}],"range":"1h"}],"step":"raw"}"#;
    vec![
        ClientFrame::Subscribe(Subscribe {
            id: 1,
            metrics: vec![all],
            step: Step::Every(DurationMs::from_secs(1)),
            format: FeedFormat::Binary,
            resume: None,
            until: None,
        }),
        ClientFrame::decode(text).unwrap(),
        ClientFrame::Samples(Batch { id: 5, key: None, samples: r#"[{"name":"a","value":0.1}]"#.into() }),
        ClientFrame::Subscribe(Subscribe {
            id: 1,
            metrics: vec![],
            step: Step::Raw,
            format: FeedFormat::Json,
            resume: Some(Resume { epoch: 9, seq: 5 }),
            until: None,
        }),
        ClientFrame::Samples(Batch { id: 6, key: Some("till-7:12".into()), samples: "[]".into() }),
        ClientFrame::Subscribe(Subscribe {
            id: 3,
            metrics: vec![],
            step: Step::Every(DurationMs::from_secs(1)),
            format: FeedFormat::Binary,
            resume: None,
            until: Some(at(7_205_000)),
        }),
    ]
}

#[test]
fn frames_read_back_and_their_text_stays() {
    let kept = include_str!("../../../tests/golden/wire/frames-v1.jsonl");
    let server: Vec<String> = server_frames().iter().map(ServerFrame::encode).collect();
    let client: Vec<String> = client_frames().iter().map(ClientFrame::encode).collect();
    let written: Vec<_> = server.iter().chain(&client).map(String::as_str).collect();
    assert_eq!(written, kept.lines().collect::<Vec<_>>());
    for (text, frame) in server.iter().zip(server_frames()) {
        assert_eq!(ServerFrame::decode(text), Ok(frame), "{text}");
    }
    for (text, frame) in client.iter().zip(client_frames()) {
        assert_eq!(ClientFrame::decode(text), Ok(frame), "{text}");
    }
}

#[test]
fn a_list_of_alerts_says_what_it_leaves_out() {
    let frame = ServerFrame::Alerts(AlertList { seq: 1, alerts: vec![], left_out: 7 });
    let text = r#"{"type":"alert","seq":1,"alerts":[],"left_out":7}"#;
    assert_eq!((frame.encode().as_str(), ServerFrame::decode(text)), (text, Ok(frame)));
}

#[test]
fn an_error_names_what_it_refuses() {
    let Some(ClientFrame::Subscribe(asked)) = client_frames().into_iter().nth(1) else { panic!("no subscription") };
    let error = ErrorFrame {
        subscription: Some(asked.id),
        metrics: asked.metrics,
        ..ErrorFrame::new("too_many_series", "m is left out")
    };
    let text = r#"{"type":"error","code":"too_many_series","message":"m is left out","subscription":2,"metrics":[{"name":"m","where":{"a":"b:c","d":{"not":"e"}},"range":"1h"}]}"#;
    let kept = include_str!("../../../tests/golden/wire/error-v1.jsonl");
    let frame = ServerFrame::Error(error);
    assert_eq!((frame.encode().as_str(), kept.trim_end()), (text, text));
    assert_eq!(ServerFrame::decode(text), Ok(frame.clone()));
    let later = text.replace(r#""range":"1h""#, r#""range":"1h","news":1"#);
    assert_eq!(ServerFrame::decode(&later), Ok(frame), "a later gateway may say more");
    let wrong = ServerFrame::decode(r#"{"type":"error","code":"c","metrics":[{"where":[]}]}"#).unwrap_err();
    assert_eq!(wrong.to_string(), "metrics[0].name: this is missing");
}

#[test]
fn a_subscription_has_defaults() {
    let text = r#"{"type":"subscribe","id":1,"metrics":[{"name":"m"}],"step":"10s"}"#;
    let Ok(ClientFrame::Subscribe(subscribe)) = ClientFrame::decode(text) else { panic!("{text}") };
    assert_eq!(subscribe.format, FeedFormat::Json);
    assert_eq!(subscribe.step, Step::Every(DurationMs::from_secs(10)));
    assert_eq!(subscribe.metrics[0].range, DurationMs::ZERO);
}

#[track_caller]
fn refused(text: &str, code: &str, message: &str) {
    let error = ClientFrame::decode(text).expect_err(text);
    assert_eq!((error.code(), error.to_string().as_str()), (code, message), "{text}");
}

#[test]
fn what_is_wrong_with_a_clients_frame_is_named() {
    refused("", "bad_frame", "line 1, column 0: this is not JSON: EOF while parsing a value");
    refused("[]", "bad_frame", "this is an array; it must be an object");
    refused("{}", "bad_frame", "type: this is missing");
    refused(
        r#"{"type":"query"}"#,
        "unknown_type",
        "a frame of type \"query\" is not known; known here: subscribe, samples",
    );
    refused(
        r#"{"type":"subscribe","id":-1,"metrics":[{"name":"m","rang":"1h"}],"step":"0s","fromat":"json"}"#,
        "bad_frame",
        "id: this must be a whole number from 0 to 2^53; metrics[0].rang: this field is not known; did you mean \"range\"?; \
         step: a step of no length; write \"1s\", or \"raw\" for each sample as it is; \
         fromat: this field is not known; did you mean \"format\"?",
    );
    refused(
        r#"{"type":"subscribe","id":4294967296,"metrics":[],"step":"1s"}"#,
        "bad_frame",
        "id: this must be a whole number below 2^32",
    );
    let stray = (0..7).map(|n| format!(r#""zzzzzzzz{n}":0"#)).collect::<Vec<_>>().join(",");
    let text = format!(r#"{{"type":"subscribe","id":1,"metrics":[],"step":"1s",{stray}}}"#);
    let message = ClientFrame::decode(&text).unwrap_err().to_string();
    assert!(message.ends_with("; and 2 more"), "{message}");
    let many = vec![r#"{"name":"m"}"#; MAX_SELECTIONS + 1].join(",");
    refused(
        &format!(r#"{{"type":"subscribe","id":1,"metrics":[{many}],"step":"1s"}}"#),
        "bad_frame",
        "metrics: these are 1001; at most 1000 are allowed",
    );
}

#[test]
fn a_page_reads_what_a_newer_gateway_adds() {
    let text = r#"{"type":"tick","now":5,"seq":6,"mood":"fine"}"#;
    assert_eq!(ServerFrame::decode(text), Ok(ServerFrame::Tick(Tick { now: at(5), seq: 6 })));
    let other = ServerFrame::Hello(Hello {
        version: String::new(),
        epoch: 0,
        seq: 0,
        now: at(0),
        title: String::new(),
        demo: false,
        board: Board::default(),
        staleness: DurationMs::ZERO,
    })
    .encode()
    .replace("bellwether.v1", "bellwether.v2");
    let error = ServerFrame::decode(&other).unwrap_err();
    assert!(error.to_string().contains("load the page anew"), "{error}");
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,60}") {
        let _ = ClientFrame::decode(&text);
        let _ = ServerFrame::decode(&text);
    }

    #[test]
    fn values_keep_every_bit(value in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO) {
        let mut frame = feed();
        frame.series[0].samples[0] = sample(500, value);
        let text = ServerFrame::Samples(frame).encode();
        let Ok(ServerFrame::Samples(read)) = ServerFrame::decode(&text) else { panic!("{text}") };
        prop_assert_eq!(read.series[0].samples[0].value().to_bits(), value.to_bits());
    }
}

#[test]
fn a_subscription_takes_only_so_many_patterns() {
    let ask = |patterns: usize, text: &str| {
        let conditions = (0..patterns).map(|n| format!(r#"{{"l{n}":{{"matches":"{text}"}}}}"#)).collect::<Vec<_>>();
        let conditions = conditions.join(",");
        ClientFrame::decode(&format!(
            r#"{{"type":"subscribe","id":1,"metrics":[{{"name":"m","where":[{conditions},"a:b"]}}],"step":"1s"}}"#
        ))
        .map_err(|error| error.to_string())
    };
    assert!(ask(8, "5..").is_ok());
    let many = ask(9, "5..").unwrap_err();
    let told = "metrics[0].where[8].l8.matches: this is one pattern too many; at most 8 are taken in one subscribe";
    assert!(many.contains(told), "{many}");
    // Spread over its metrics they are no cheaper.
    let metrics = [r#"{"name":"m","where":{"a":{"matches":"5.."}}}"#; 9].join(",");
    let spread = ClientFrame::decode(&format!(r#"{{"type":"subscribe","id":1,"metrics":[{metrics}],"step":"1s"}}"#));
    let spread = spread.unwrap_err().to_string();
    assert!(spread.contains("metrics[8].where.a.matches: this is one pattern too many"), "{spread}");
    let hostile = ask(1, "(.{999}){99}").unwrap_err();
    assert!(hostile.contains("metrics[0].where[0].l0.matches: \"(.{999}){99}\" asks for too much"), "{hostile}");
}
