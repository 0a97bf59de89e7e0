//! A store that an earlier program wrote still opens and says the same.
//!
//! `fixtures/store-v1.redb` is kept for ever, and so is `fixtures/store-v1-corrected.redb`, which has the tables that
//! are made with the first histogram and the first correction. Format 2 has the same tables and a journal beside them:
//! `fixtures/store-v2-ended/` is what a process left that ended on a sudden, with its newest commits only in the
//! journal. A new format gets fixtures of its own: where there is none, the test writes it, fails, and asks for it to
//! be committed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failure of the test")]

mod store_support;

use bellwether_core::labels::MetricName;
use bellwether_core::sample::Kind;
use bellwether_core::time::DurationMs;
use bellwether_gateway::store::{
    Action, AlertChange, Batch, BatchHistogram, BatchSample, Change, Corrected, Correction, Declaration, Outcome,
    RedbStore, StoppedStore, Store, Target,
};
use bellwether_wire::protocol::{Course, HistogramPoint, explicit};
use std::path::PathBuf;
use store_support::{EPOCH, HOUR, START, all_of, at, batch, copy_files, key, named, open, replay, sample, seal_all};

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

fn corrected(store: &mut RedbStore, reference: &str, change: Change) {
    let target = Target::new(reference);
    let found = store.snapshot().unwrap().find(&target, change.action()).unwrap();
    let reason = Some("entered wrongly".into());
    let asked = Correction { target, change, reason, by: "desk".into(), now: at(START + 3 * HOUR) };
    let done = store.correct(&asked, &found).unwrap();
    assert!(matches!(done, Corrected::Done { samples: 1, .. }), "{done:?}");
}

/// Two hours of cases, the first sealed; one corrected, one moved, one withdrawn and one erased in each; a histogram.
fn write_corrected(folder: &std::path::Path) {
    let mut store = open(folder);
    let days = key("resolution_time", "a");
    for hour in 0..2 {
        let of = |case: i64| {
            let reference = Some(format!("case {hour}-{case}").into());
            BatchSample { reference, ..sample(&days, Kind::Observation, START + hour * HOUR + case, case as f64) }
        };
        store.append(&[batch(START + hour * HOUR, (1..=9).map(of).collect())]).unwrap();
        if hour == 0 {
            seal_all(&mut store, START + HOUR + 600_000);
        }
    }
    for hour in 0..2 {
        let moved = at(START + hour * HOUR + 600_000);
        corrected(&mut store, &format!("case {hour}-1"), Change::Correct { value: Some(0.5), timestamp: None });
        corrected(&mut store, &format!("case {hour}-2"), Change::Correct { value: None, timestamp: Some(moved) });
        corrected(&mut store, &format!("case {hour}-3"), Change::Withdraw);
        corrected(&mut store, &format!("case {hour}-4"), Change::Erase);
    }
    let course = Course::Cumulative { since: Some(at(START - HOUR)), restarted: false };
    let counted = |offset: i64, counts: [u64; 3], sum: f64| {
        let sketch = explicit::carrier(&counts).unwrap();
        let bounds = Some(vec![10.0, 100.0]);
        let point = HistogramPoint { at: at(START + offset), sketch, bounds, sum, extremes: None, course };
        BatchHistogram { series: key("latency", "a"), kind: Kind::Observation, point }
    };
    let histograms = vec![counted(1_000, [5, 0, 0], 20.0), counted(2_000, [6, 2, 0], 100.0)];
    store.append(&[Batch { histograms, ..batch(START + HOUR, Vec::new()) }]).unwrap();
    store.close().unwrap();
}

/// A copy of a fixture, open; where there is none, `write` writes it.
fn copied(name: &str, write: impl FnOnce(&std::path::Path)) -> (tempfile::TempDir, RedbStore) {
    let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let folder = tempfile::tempdir().unwrap();
    if !fixture.exists() {
        write(folder.path());
        std::fs::copy(folder.path().join("bellwether.redb"), &fixture).unwrap();
        panic!("there was no {}; it is written now: look at it and commit it", fixture.display());
    }
    std::fs::copy(&fixture, folder.path().join("bellwether.redb")).unwrap();
    let store = open(folder.path());
    (folder, store)
}

#[test]
fn a_store_of_format_1_with_corrections_and_histograms_still_opens() {
    let (_folder, mut store) = copied("store-v1-corrected.redb", write_corrected);
    assert_eq!(store.verify().unwrap().fault_count, 0);
    let days = key("resolution_time", "a");
    let expected = (0..2).flat_map(|hour| {
        let of_hour = [(1, 0.5), (5, 5.0), (6, 6.0), (7, 7.0), (8, 8.0), (9, 9.0), (600_000, 2.0)];
        of_hour.map(|(offset, value): (i64, f64)| (START + hour * HOUR + offset, value.to_bits()))
    });
    assert_eq!(all_of(&store, &days), expected.collect::<Vec<_>>());
    let trail = store.snapshot().unwrap().trail(0, (at(0), at(i64::MAX)), 99).unwrap();
    assert_eq!((trail.faults, trail.next), (Vec::new(), None));
    let told: Vec<_> = trail.entries.iter().map(|(id, entry)| (*id, entry.action, entry.about.is_some())).collect();
    let actions = [(Action::Correct, true), (Action::Correct, true), (Action::Withdraw, true), (Action::Erase, false)];
    let numbered = (0..).zip(actions.iter().cycle()).take(8);
    assert_eq!(told, numbered.map(|(id, (action, told))| (id, *action, *told)).collect::<Vec<_>>());
    let first = trail.entries[0].1.about.as_ref().unwrap();
    assert_eq!((&*first.reference, first.reason.as_deref()), ("case 0-1", Some("entered wrongly")));
    let marks = store.restated().unwrap();
    let hours = marks.iter().filter(|(_, mark)| mark.to.since(mark.from) == DurationMs::from_hours(1)).count();
    assert_eq!((marks.len(), hours), (10, 2), "four instants and an hour in each");
    let (replayed, faults) = replay(&store, START + 60 * HOUR);
    assert_eq!(faults, []);
    assert_eq!(replayed[&days].points.len(), 14, "what samples became is not sealed yet");
    let histogram = &replayed[&key("latency", "a")].hours;
    assert_eq!(histogram.values().map(|summary| summary.count).sum::<u64>(), 3);

    corrected(&mut store, "case 0-1", Change::Erase);
    corrected(&mut store, "case 1-9", Change::Withdraw);
    seal_all(&mut store, START + 9 * HOUR);
    assert_eq!(all_of(&store, &days).len(), 12, "it can be gone on with");
    let hour = &replay(&store, START + 60 * HOUR).0[&days].hours[&(START + HOUR)];
    assert_eq!((hour.count, hour.sum, hour.min, hour.max), (6, 37.0, 2.0, 9.0));
    assert_eq!(store.verify().unwrap().fault_count, 0);
}

#[test]
fn a_store_of_format_1_still_opens() {
    let (_folder, mut store) = copied("store-v1.redb", write);
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

/// A few commits, of which the database has none: names, kinds, references, declarations and batch ids of both forms.
fn write_ended(folder: &std::path::Path) {
    let mut store = open(folder);
    for minute in 0..9_i64 {
        let now = START + minute * 60_000;
        let reference = Some(format!("case {minute}").into());
        let case = BatchSample { reference, ..sample(&key("cases", "a"), Kind::Observation, now, minute as f64) };
        let host = key("cpu", if minute < 5 { "a" } else { "b" });
        let declaration = Declaration {
            metric: MetricName::new("cpu").unwrap(),
            kind: Kind::Gauge,
            unit: Some(if minute < 5 { "%" } else { "ratio" }.into()),
        };
        let id = if minute % 2 == 0 { format!("sender:{minute}") } else { format!("opaque {minute}") };
        let samples = vec![case, sample(&host, Kind::Gauge, now, -0.5)];
        let one = named(&id, Batch { declarations: vec![declaration], ..batch(now, samples) });
        // Longer than a block: what it takes goes on in the next ones.
        let more = (0..700).map(|place| sample(&key("many", "a"), Kind::Counter, now + place, place as f64));
        let two = batch(now, if minute == 3 { more.collect() } else { Vec::new() });
        store.append(&[one, two]).unwrap();
    }
    // No close: it ends on a sudden.
    std::mem::forget(store);
}

#[test]
fn what_a_store_of_format_2_left_in_its_journal_is_still_taken_up() {
    let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store-v2-ended");
    let folder = tempfile::tempdir().unwrap();
    if !fixture.exists() {
        write_ended(folder.path());
        std::fs::create_dir(&fixture).unwrap();
        copy_files(folder.path(), &fixture);
        // Without the blocks that were never written.
        let journal = std::fs::read(fixture.join("bellwether.journal")).unwrap();
        let used = journal.chunks(4_096).take_while(|block| block[0] != 0).count() * 4_096;
        std::fs::write(fixture.join("bellwether.journal"), &journal[..used]).unwrap();
        panic!("there was no {}; it is written now: look at it and commit it", fixture.display());
    }
    copy_files(&fixture, folder.path());
    let stopped = StoppedStore::open(folder.path()).unwrap();
    let found = stopped.snapshot().unwrap().verify().unwrap();
    assert_eq!((found.format, found.fault_count, found.tail_samples), (2, 0, 718), "also without a change to it");
    drop(stopped);
    for _ in 0..2 {
        let mut store = open(folder.path());
        assert_eq!((store.seq(), store.series().len()), (18, 4));
        assert_eq!(all_of(&store, &key("many", "a")).len(), 700);
        let cases = store.read(&key("cases", "a"), at(START - 1), at(START + HOUR)).unwrap().samples;
        assert_eq!((cases.len(), cases[7].reference.as_deref(), cases[7].sample.value()), (9, Some("case 7"), 7.0));
        assert_eq!(all_of(&store, &key("cpu", "b")).len(), 4);
        assert_eq!(store.declarations()[0].unit.as_deref(), Some("ratio"));
        let again = |id: &str| named(id, batch(START + 60_000, Vec::new()));
        let outcomes = store.append(&[again("sender:8"), again("opaque 7")]).unwrap();
        assert_eq!(outcomes, [Outcome::Duplicate, Outcome::Duplicate]);
        assert_eq!(store.verify().unwrap().fault_count, 0);
    }
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["bellwether.redb"], "a store that was closed is one file");
}
