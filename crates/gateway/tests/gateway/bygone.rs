//! What a subscription is sent as of an instant of the past.

use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::Aggregation;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_gateway::store::{Batch, BatchSample, Progress, RedbStore, Store};
use bellwether_wire::frame::ServerFrame;
use bellwether_wire::ingest::Repeats;

use crate::live::Live;
use crate::running::{Running, now_ms, until};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// A sample each ten seconds for the five hours up to `end`, each one more than the one before; a gateway of those days
/// has kept and sealed them.
fn kept(folder: &std::path::Path, end: i64) {
    let mut store = RedbStore::open(folder, 7).unwrap();
    let key =
        SeriesKey { metric: MetricName::new("depth").unwrap(), labels: Labels::new([("team", "north")]).unwrap() };
    let samples = (0..1_800_i64).map(|number| BatchSample {
        series: key.clone(),
        kind: Kind::Gauge,
        sample: Sample::new(TimestampMs::new(end - (1_799 - number) * 10_000), number as f64).unwrap(),
        reference: None,
        repeats: Repeats::Count,
    });
    let batch = Batch {
        samples: samples.collect(),
        histograms: Vec::new(),
        declarations: Vec::new(),
        idempotency: None,
        received_at: TimestampMs::new(end),
    };
    store.append(&[batch]).unwrap();
    while store.seal(TimestampMs::new(now_ms())).unwrap() == Progress::More {}
    store.close().unwrap();
}

/// A client whose engine stands at `at`, subscribed to what was known then; and the instant that its history ends at.
fn as_of(gateway: &Running, at: i64, range: &str, condition: &str) -> (Live, i64) {
    let mut live = Live::open(gateway);
    live.hello.now = TimestampMs::new(at) - DurationMs::from_minutes(5);
    live.say(&format!(
        r#"{{"type":"subscribe","id":3,"metrics":[{{"name":"depth","range":"{range}"{condition}}}],"step":"1s","format":"binary","until":{at}}}"#
    ));
    loop {
        if let ServerFrame::Subscribed(subscribed) = live.step().unwrap() {
            return (live, subscribed.until.unwrap().get());
        }
    }
}

#[test]
fn the_past_is_as_fine_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let end = (now_ms() - 3 * DAY) / 10_000 * 10_000;
    kept(folder.path(), end);
    let gateway = Running::start_in(folder.path(), &["--no-host-metrics"]);
    // The last sample but 100, at no round time.
    let at = end - 1_000_000 + 7_123;
    let (mut live, until) = as_of(&gateway, at, "2h", "");
    assert_eq!(until, at);
    assert_eq!(live.figure("depth", Aggregation::Last).value, Some(1_699.0), "nothing of what came later");
    let counted = live.figure("depth", Aggregation::Count);
    assert!((720.0..=726.0).contains(&counted.value.unwrap()), "{counted:?}: two hours, to at most a minute more");

    // Nothing follows, and what is live is not disturbed by it.
    assert_eq!(gateway.ingest(r#"{"name":"depth","value":5,"labels":{"team":"north"},"kind":"gauge"}"#).status, 204);
    let mut ticks = 0;
    while ticks < 2 {
        match live.step().unwrap() {
            ServerFrame::Tick(_) => ticks += 1,
            ServerFrame::Samples(frame) => panic!("{frame:?}"),
            _ => {}
        }
    }
    let (live, _) = as_of(&gateway, at, "2h", r#","where":["team:south"]"#);
    assert_eq!(live.engine.series_count(), 0, "only what was asked for");
    let (live, _) = as_of(&gateway, now_ms(), "2h", "");
    assert_eq!(live.figure("depth", Aggregation::Last).value, Some(5.0), "what was just stored is known");
    let (_, until) = as_of(&gateway, now_ms() + DAY, "2h", "");
    assert!(until <= now_ms(), "the future is not known");
}

#[test]
fn where_the_samples_are_gone_hours_are_told_up_to_the_last_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let end = (now_ms() - 100 * DAY) / HOUR * HOUR;
    kept(folder.path(), end);
    let gateway = Running::start_in(folder.path(), &["--no-host-metrics"]);
    let raw = || gateway.get("/api/v1/export?format=ndjson&name=depth").body.lines().count();
    until("samples older than 90 days are dropped", || raw() == 0);
    let (live, until) = as_of(&gateway, end - 1_000_000, "2h", "");
    assert_eq!(until, end - HOUR);
    assert_eq!(live.figure("depth", Aggregation::Count).value, Some(720.0));
    // No whole hour lies within 65 minutes that begin at 35 minutes past: they are told all the same.
    let (live, until) = as_of(&gateway, end - HOUR / 3, "65m", "");
    assert_eq!(until, end - HOUR);
    assert_eq!(live.figure("depth", Aggregation::Count).value, Some(720.0), "both hours that they have a part of");
}

#[test]
fn a_subscription_to_the_past_that_cannot_be_is_refused_by_name() {
    let gateway = Running::start(&["--no-host-metrics"]);
    let mut live = Live::open(&gateway);
    live.say(r#"{"type":"subscribe","id":3,"metrics":[{"name":"m"}],"step":"5s","until":1000}"#);
    let ServerFrame::Error(error) = live.step().unwrap() else { panic!() };
    assert_eq!((error.code.as_str(), error.subscription), ("bad_step", Some(3)), "the client knows which one");
    live.say(r#"{"type":"subscribe","id":3,"metrics":[{"name":"m"}],"step":"1s","until":"yesterday"}"#);
    let ServerFrame::Error(error) = live.step().unwrap() else { panic!() };
    assert!(error.message.contains("until"), "{}", error.message);
}
