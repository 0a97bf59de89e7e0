//! A snapshot says what was there when it was taken, whatever is done to the store meanwhile; and a copy of it
//! is a store that says the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failure of the test")]

mod store_support;

use bellwether_core::labels::{LabelName, MetricName};
use bellwether_core::sample::Kind;
use bellwether_core::selector::{Condition, Matcher};
use bellwether_core::time::DurationMs;
use bellwether_gateway::store::{
    BatchSample, Fault, Outcome, Receiving, RedbStore, Selection, Snapshot, StoppedStore, Store, StoreError,
    TransferError,
};
use bellwether_testkit::random::Random;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use store_support::{
    EPOCH, HOUR, SMALL_STEPS, START, all_of, at, batch, expire_all, key, named, open, sample, seal_all, store_one,
};

type Row = (i64, u64, Option<String>);
type Rows = BTreeMap<String, Vec<Row>>;

fn rows(snapshot: &Snapshot, selection: &Selection) -> Result<(Rows, Vec<Fault>), StoreError> {
    let mut all = Rows::new();
    let faults = snapshot.export(selection, &mut |row| {
        let sample = row.stored.sample;
        let reference = row.stored.reference.as_deref().map(str::to_owned);
        let row_of_series = (sample.timestamp().get(), sample.value().to_bits(), reference);
        all.entry(row.series.key.to_string()).or_default().push(row_of_series);
        ControlFlow::Continue(())
    })?;
    Ok((all, faults))
}

#[track_caller]
fn all_rows(snapshot: &Snapshot) -> Rows {
    let (rows, faults) = rows(snapshot, &Selection::default()).unwrap();
    assert_eq!(faults, []);
    assert!(rows.values().all(|of_series| of_series.is_sorted_by_key(|row| row.0)), "in the order of time");
    rows
}

/// Some hours of three series, in order and late, some with references; sealed here and there.
fn filled(store: &mut RedbStore, random: &mut Random) -> Rows {
    let mut model = Rows::new();
    for number in 0..80_i64 {
        let now = START + number * 600_000;
        let samples: Vec<BatchSample> = (0..=random.below(4))
            .map(|_| {
                let key = key("cases", ["a", "b", "c"][random.below(3) as usize]);
                let late = i64::try_from(random.below(3 * HOUR as u64)).unwrap() * i64::from(random.below(4) == 0);
                let reference = (random.below(3) == 0).then(|| format!("case {number}").into());
                BatchSample { reference, ..sample(&key, Kind::Observation, now - late, number as f64) }
            })
            .collect();
        for each in &samples {
            let reference = each.reference.as_deref().map(str::to_owned);
            let row = (each.sample.timestamp().get(), each.sample.value().to_bits(), reference);
            model.entry(each.series.to_string()).or_default().push(row);
        }
        store_one(store, batch(now, samples));
        for _ in 0..random.below(4) {
            store.seal(at(now)).unwrap();
        }
    }
    model
}

#[track_caller]
fn same(found: &Rows, expected: &Rows) {
    // Of equal timestamps, sealing may put one that came later first.
    let sorted = |rows: &Rows| {
        let mut rows = rows.clone();
        rows.values_mut().for_each(|of_series| of_series.sort());
        rows
    };
    assert_eq!(sorted(found), sorted(expected));
}

#[test]
fn a_snapshot_stays_as_it_was() {
    for seed in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let mut random = Random::new(seed);
        let mut store = open(folder.path()).with_seal_limits(SMALL_STEPS);
        let model = filled(&mut store, &mut random);
        let snapshot = store.snapshot().unwrap();
        same(&all_rows(&snapshot), &model);
        store_one(&mut store, batch(START, vec![sample(&key("cases", "a"), Kind::Observation, START, 7.5)]));
        seal_all(&mut store, START + 100 * HOUR);
        expire_all(&mut store, START + 200 * HOUR, DurationMs::from_days(1));
        assert_eq!(all_rows(&store.snapshot().unwrap()), Rows::new(), "all of it is dropped");
        same(&all_rows(&snapshot), &model);
        assert_eq!(snapshot.verify().unwrap().fault_count, 0);
    }
}

#[test]
fn a_selection_is_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path()).with_seal_limits(SMALL_STEPS);
    let model = filled(&mut store, &mut Random::new(99));
    store_one(&mut store, batch(START, vec![sample(&key("other", "a"), Kind::Gauge, START, 1.0)]));
    let snapshot = store.snapshot().unwrap();
    let cases = Selection { metrics: [MetricName::new("cases").unwrap()].into(), ..Selection::default() };
    same(&rows(&snapshot, &cases).unwrap().0, &model);

    let b = Matcher { label: LabelName::new("host").unwrap(), condition: Condition::Equal("b".to_owned()) };
    let (from, to) = (START + 2 * HOUR, START + 7 * HOUR + 12_345);
    let some = Selection { matchers: vec![b], from: at(from), to: at(to), ..cases };
    let mut expected = model;
    expected.retain(|name, _| name.contains("\"b\""));
    expected.values_mut().for_each(|of_series| of_series.retain(|row| from < row.0 && row.0 <= to));
    assert_eq!(expected.len(), 1);
    same(&rows(&snapshot, &some).unwrap().0, &expected);

    let mut seen = 0;
    let stopped = snapshot.export(&Selection::default(), &mut |_| {
        seen += 1;
        if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((stopped.unwrap(), seen), (vec![], 3));
}

fn sent(snapshot: &Snapshot) -> Vec<u8> {
    let mut stream = Vec::new();
    let taken = snapshot.send::<()>(&mut |piece| {
        stream.extend_from_slice(piece);
        Ok(())
    });
    taken.unwrap().unwrap();
    stream
}

fn received(stream: &[u8], piece: usize) -> Result<tempfile::TempDir, TransferError> {
    let folder = tempfile::tempdir().unwrap();
    let mut receiving = Receiving::new(&folder.path().join("bellwether.redb"))?;
    for piece in stream.chunks(piece) {
        receiving.take(piece)?;
    }
    receiving.finish(77)?;
    Ok(folder)
}

#[test]
fn a_copy_is_a_store_that_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path()).with_seal_limits(SMALL_STEPS);
    let model = filled(&mut store, &mut Random::new(5));
    store_one(&mut store, named("sender:7", batch(START, Vec::new())));
    let stream = sent(&store.snapshot().unwrap());
    for piece in [1, 7, 100_000] {
        let copy = received(&stream, piece).unwrap();
        let stopped = StoppedStore::open(copy.path()).unwrap();
        same(&all_rows(&stopped.snapshot().unwrap()), &model);
        assert_eq!(stopped.snapshot().unwrap().verify().unwrap(), store.verify().unwrap());
        drop(stopped);
        let mut copy = open(copy.path());
        assert_eq!((copy.epoch(), copy.seq()), (77, store.seq()), "another stream of the same batches");
        let again = copy.append(&[named("sender:7", batch(START, Vec::new()))]).unwrap();
        assert_eq!(again, [Outcome::Duplicate]);
        for host in ["a", "b", "c"] {
            assert_eq!(all_of(&copy, &key("cases", host)), all_of(&store, &key("cases", host)));
        }
    }
}

#[test]
fn a_copy_that_is_not_whole_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    filled(&mut store, &mut Random::new(6));
    let stream = sent(&store.snapshot().unwrap());
    let mut random = Random::new(1);
    for _ in 0..20 {
        let cut = random.below(stream.len() as u64) as usize;
        assert!(received(&stream[..cut], 1_000).is_err(), "cut at {cut}");
        let mut flipped = stream.clone();
        flipped[cut] ^= 1 << random.below(8);
        assert!(received(&flipped, 1_000).is_err(), "flipped at {cut}");
    }
    let more = [stream.as_slice(), b"more"].concat();
    assert!(received(&more, 1_000).is_err());
    assert!(received(b"", 1).is_err());
}

#[test]
fn a_look_at_a_stopped_store_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let model = filled(&mut store, &mut Random::new(8));
    assert!(matches!(StoppedStore::open(folder.path()), Err(StoreError::Locked { .. })));
    // As a crash leaves it: not closed.
    let crashed = folder.path().join("crashed.redb");
    std::fs::copy(store.path(), &crashed).unwrap();
    let before = std::fs::read(&crashed).unwrap();
    let mut stopped = StoppedStore::open(&crashed).unwrap();
    stopped.check_pages().unwrap();
    same(&all_rows(&stopped.snapshot().unwrap()), &model);
    drop(stopped);
    assert!(std::fs::read(&crashed).unwrap() == before);
}

#[test]
fn what_is_no_store_is_said_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("empty"), "").unwrap();
    std::fs::write(place("text"), vec![b'x'; 10_000]).unwrap();
    assert!(matches!(StoppedStore::open(&place("none")), Err(StoreError::Missing { .. })));
    assert!(matches!(StoppedStore::open(folder.path()), Err(StoreError::Missing { .. })));
    assert!(matches!(StoppedStore::open(&place("empty")), Err(StoreError::Missing { .. })));
    assert!(matches!(StoppedStore::open(&place("text")), Err(StoreError::Corrupt { .. })));
    let left: usize = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!((left, std::fs::metadata(place("empty")).unwrap().len()), (2, 0));
}

#[test]
fn what_a_flipped_bit_takes_away_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let model = filled(&mut store, &mut Random::new(9));
    seal_all(&mut store, START + 9 * HOUR);
    let path = store.path().to_owned();
    store.close().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let damaged = folder.path().join("damaged.redb");
    let mut random = Random::new(EPOCH);
    let (mut told, mut harmless) = (0, 0);
    for _ in 0..60 {
        let mut bytes = whole.clone();
        let bit = random.below(bytes.len() as u64 * 8) as usize;
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&damaged, bytes).unwrap();
        let looked = StoppedStore::open(&damaged).and_then(|mut store| {
            let pages = store.check_pages();
            let snapshot = store.snapshot()?;
            let found = snapshot.verify()?;
            pages?;
            let (rows, _) = rows(&snapshot, &Selection::default())?;
            Ok((found.fault_count == 0).then_some(rows))
        });
        match looked {
            // What is said to be whole is.
            Ok(Some(rows)) => {
                same(&rows, &model);
                harmless += 1;
            }
            Ok(None) | Err(_) => told += 1,
        }
    }
    assert!(told > 0, "no flip hit anything: the test tests nothing");
    assert!(harmless > 0, "the free part of the file is no part of the store");
}
