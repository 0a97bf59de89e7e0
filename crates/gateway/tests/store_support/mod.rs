//! What the tests of the store share.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failure of the test")]

pub(crate) mod faulty;

use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_gateway::store::{
    Batch, BatchSample, Fault, IdempotencyKey, Outcome, Progress, Recovered, RedbStore, Retention, SealLimits,
    SeriesIx, Store, StoredSample,
};
use bellwether_wire::ingest::Repeats;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

/// The random number of every store of the tests.
pub(crate) const EPOCH: u64 = 0x5eed;
/// An hour, in the tests' milliseconds.
pub(crate) const HOUR: i64 = 3_600_000;
/// An instant on the edge of an hour: 2026-11-22T00:00:00Z.
pub(crate) const START: i64 = 1_795_305_600_000;

pub(crate) fn at(ms: i64) -> TimestampMs {
    TimestampMs::new(ms)
}

pub(crate) fn key(metric: &str, host: &str) -> SeriesKey {
    SeriesKey { metric: MetricName::new(metric).unwrap(), labels: Labels::new([("host", host)]).unwrap() }
}

pub(crate) fn sample(series: &SeriesKey, kind: Kind, timestamp: i64, value: f64) -> BatchSample {
    let sample = Sample::new(at(timestamp), value).unwrap();
    BatchSample { series: series.clone(), kind, sample, reference: None, repeats: Repeats::Count }
}

pub(crate) fn batch(received_at: i64, samples: Vec<BatchSample>) -> Batch {
    Batch { samples, histograms: Vec::new(), declarations: Vec::new(), idempotency: None, received_at: at(received_at) }
}

pub(crate) fn named(id: &str, batch: Batch) -> Batch {
    Batch { idempotency: Some(IdempotencyKey::new(id).unwrap()), ..batch }
}

pub(crate) fn open(folder: &Path) -> RedbStore {
    RedbStore::open(folder, EPOCH).unwrap()
}

/// A copy of a store's files as they are now, as a process that ends on a sudden leaves them.
pub(crate) fn copy_files(from: &Path, to: &Path) {
    for name in ["bellwether.redb", "bellwether.journal"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

/// Limits so small that a round of a few samples takes many steps, and a tail of some is too long.
pub(crate) const SMALL_STEPS: SealLimits = SealLimits {
    tail_samples: 150,
    tail_batches: 12,
    round_samples: 100,
    load_samples: 15,
    write_samples: 20,
    write_series: 2,
    sweep_batches: 2,
    chunk_samples: 16,
};

/// Stores one batch and gives its place in the stream.
#[track_caller]
pub(crate) fn store_one(store: &mut RedbStore, batch: Batch) -> u64 {
    match store.append(&[batch]).unwrap()[..] {
        [Outcome::Stored { seq }] => seq,
        ref other => panic!("not stored: {other:?}"),
    }
}

/// A sample without its name: timestamp and the bits of the value.
pub(crate) type Point = (i64, u64);

/// Everything that a replay gives of one series.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    /// Raw samples in the order in which they came.
    pub(crate) points: Vec<Point>,
    /// Summaries of hours, by their ends.
    pub(crate) hours: BTreeMap<i64, Summary>,
}

/// What a replay gives, by series; fails where something comes before its series.
pub(crate) fn replay(store: &RedbStore, now: i64) -> (BTreeMap<SeriesKey, Replayed>, Vec<Fault>) {
    let mut names: BTreeMap<SeriesIx, SeriesKey> = BTreeMap::new();
    let mut all: BTreeMap<SeriesKey, Replayed> = BTreeMap::new();
    let faults = store
        .replay(at(now), &mut |piece| {
            match piece {
                Recovered::Series(series) => {
                    assert!(names.insert(series.ix, series.key.clone()).is_none(), "{} comes twice", series.key);
                    all.insert(series.key.clone(), Replayed::default());
                }
                Recovered::Hour { series, bucket_end, summary, .. } => {
                    let hours = &mut all.get_mut(&names[&series]).unwrap().hours;
                    assert!(hours.insert(bucket_end.get(), summary.clone()).is_none(), "an hour comes twice");
                }
                Recovered::Samples { series, samples } => {
                    assert!(!samples.is_empty());
                    let points = &mut all.get_mut(&names[&series]).unwrap().points;
                    points.extend(samples.iter().map(|each| (each.timestamp().get(), each.value().to_bits())));
                }
                other => panic!("not expected here: {other:?}"),
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    (all, faults)
}

/// The raw samples of a replay, sorted; fails where there is damage.
pub(crate) fn replayed(store: &RedbStore, now: i64) -> BTreeMap<SeriesKey, Vec<Point>> {
    let (all, faults) = replay(store, now);
    assert_eq!(faults, []);
    all.into_iter()
        .map(|(key, mut replayed)| {
            assert!(replayed.hours.is_empty());
            replayed.points.sort_unstable();
            (key, replayed.points)
        })
        .collect()
}

/// All samples of a series, sorted; fails where there is damage.
pub(crate) fn all_of(store: &RedbStore, series: &SeriesKey) -> Vec<Point> {
    let reading = store.read(series, at(i64::MIN), at(i64::MAX)).unwrap();
    assert_eq!(reading.faults, []);
    let mut points = points(&reading.samples);
    points.sort_unstable();
    points
}

pub(crate) fn points(samples: &[StoredSample]) -> Vec<Point> {
    samples.iter().map(|each| (each.sample.timestamp().get(), each.sample.value().to_bits())).collect()
}

/// Seals until nothing is left to seal; fails where that takes for ever.
pub(crate) fn seal_all(store: &mut RedbStore, now: i64) {
    for _ in 0..10_000 {
        if store.seal(at(now)).unwrap() == Progress::Done {
            return;
        }
    }
    panic!("sealing does not end");
}

/// Drops all that is older than `retention`.
pub(crate) fn expire_all(store: &mut RedbStore, now: i64, retention: DurationMs) {
    for _ in 0..10_000 {
        if store.expire(at(now), Retention::all(retention)).unwrap() == Progress::Done {
            return;
        }
    }
    panic!("dropping does not end");
}
