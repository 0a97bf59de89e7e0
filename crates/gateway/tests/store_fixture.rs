//! A store that an earlier program wrote still opens and says the same.
//!
//! `fixtures/store-v1.redb` is kept for ever. A new format gets a fixture of its own: where there is
//! none, the test writes it, fails, and asks for it to be committed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failure of the test")]

mod store_support;

use bellwether_core::labels::MetricName;
use bellwether_core::sample::Kind;
use bellwether_gateway::store::{AlertChange, Batch, BatchSample, Declaration, FORMAT, Outcome, Store};
use std::path::PathBuf;
use store_support::{EPOCH, HOUR, START, all_of, at, batch, key, named, open, replay, sample, seal_all};

/// Everything that the format knows: four kinds, references, late samples, batch ids of both forms,
/// alerts, notices, chunks packed and plain, and a tail.
fn write(folder: &std::path::Path) {
    let mut store = open(folder);
    let series = |place: usize| {
        let metric = ["booking_response_time", "requests_total", "temperature", "conflict"][place];
        (key(metric, "a"), [Kind::Observation, Kind::Counter, Kind::Gauge, Kind::Event][place])
    };
    for minute in 0..90_i64 {
        let now = START + minute * 60_000 + 1;
        let samples = (0..4).map(|place| {
            let (key, kind) = series(place);
            let reference = (place == 0).then(|| format!("case {minute}").into());
            BatchSample { reference, ..sample(&key, kind, now, (minute * 4) as f64 + place as f64 / 4.0) }
        });
        let batch = named(&format!("sender:{}", minute * 2), batch(now, samples.collect()));
        store.append(&[batch]).unwrap();
    }
    seal_all(&mut store, START + 90 * 60_000);
    let (late, kind) = series(2);
    let declaration = Declaration { metric: MetricName::new("temperature").unwrap(), kind, unit: Some("°C".into()) };
    let tail = batch(START + 90 * 60_000, vec![sample(&late, kind, START + 7, -0.5)]);
    store.append(&[named("opaque", Batch { declarations: vec![declaration], ..tail })]).unwrap();
    let alert = AlertChange::Set { key: "Slow".to_owned(), record: b"firing".to_vec() };
    store.save_alerts(&[alert], &[b"payload".to_vec()], at(START)).unwrap();
    store.notice_failed(0, at(START + 5_000), at(START)).unwrap();
    store.close().unwrap();
}

#[test]
fn a_store_of_format_1_still_opens() {
    let fixture =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format!("store-v{FORMAT}.redb"));
    let folder = tempfile::tempdir().unwrap();
    if !fixture.exists() {
        write(folder.path());
        std::fs::copy(folder.path().join("bellwether.redb"), &fixture).unwrap();
        panic!("there was no {}; it is written now: look at it and commit it", fixture.display());
    }
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(&fixture, copy.path().join("bellwether.redb")).unwrap();
    let mut store = open(copy.path());
    assert_eq!((store.epoch(), store.seq()), (EPOCH, 91));
    assert_eq!(store.verify().unwrap().fault_count, 0);

    let reading = store.read(&key("booking_response_time", "a"), at(START), at(START + 2 * HOUR)).unwrap();
    assert_eq!(reading.samples.len(), 90);
    assert_eq!(reading.samples[7].reference.as_deref(), Some("case 7"));
    assert_eq!(reading.samples[7].sample.value(), 28.0);
    let late = all_of(&store, &key("temperature", "a"));
    assert_eq!((late.len(), late[1]), (91, (START + 7, (-0.5_f64).to_bits())));
    let (replayed, faults) = replay(&store, START + 60 * HOUR);
    assert_eq!(faults, []);
    let requests = &replayed[&key("requests_total", "a")];
    let hour = &requests.hours[&(START + HOUR)];
    assert_eq!((hour.count, hour.increase, hour.sketch.count()), (60, 59.0 * 4.0, 60));
    assert_eq!(requests.points.len(), 30, "the second hour is not over: it is in the tail");
    let kinds: Vec<_> = store.series().iter().map(|each| each.kind).collect();
    assert_eq!(kinds, [Kind::Observation, Kind::Counter, Kind::Gauge, Kind::Event]);

    assert_eq!(store.declarations()[0].unit.as_deref(), Some("°C"));
    assert_eq!(store.alerts().unwrap(), [("Slow".to_owned(), b"firing".to_vec())]);
    let notices = store.due_notices(at(START + 5_000), 9).unwrap();
    assert_eq!((notices.len(), notices[0].attempts, &notices[0].payload[..]), (1, 1, &b"payload"[..]));

    let again = |id: &str| named(id, batch(START + 90 * 60_000, Vec::new()));
    let outcomes = store.append(&[again("sender:8"), again("sender:9"), again("opaque")]).unwrap();
    assert_eq!(outcomes, [Outcome::Duplicate, Outcome::Stored { seq: 92 }, Outcome::Duplicate]);
    seal_all(&mut store, START + 9 * HOUR);
    assert_eq!(all_of(&store, &key("temperature", "a")), late, "it can be gone on with");
}
