//! What the tests of the store share.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failure of the test")]

use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::TimestampMs;
use bellwether_gateway::store::{Batch, BatchSample, IdempotencyKey, Outcome, Recovered, RedbStore, SeriesIx, Store};
use std::collections::BTreeMap;
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
    BatchSample { series: series.clone(), kind, sample: Sample::new(at(timestamp), value).unwrap(), reference: None }
}

pub(crate) fn batch(received_at: i64, samples: Vec<BatchSample>) -> Batch {
    Batch { samples, declarations: Vec::new(), idempotency: None, received_at: at(received_at) }
}

pub(crate) fn named(id: &str, batch: Batch) -> Batch {
    Batch { idempotency: Some(IdempotencyKey::new(id).unwrap()), ..batch }
}

pub(crate) fn open(folder: &Path) -> RedbStore {
    RedbStore::open(folder, EPOCH).unwrap()
}

/// Stores one batch and gives its place in the stream.
#[track_caller]
pub(crate) fn store_one(store: &mut RedbStore, batch: Batch) -> u64 {
    match store.append(&[batch]).unwrap()[..] {
        [Outcome::Stored { seq }] => seq,
        ref other => panic!("not stored: {other:?}"),
    }
}

/// What the replay gives of raw samples: `(timestamp, bits of the value)` of each series, in order.
pub(crate) fn replayed(store: &RedbStore, now: i64) -> BTreeMap<SeriesKey, Vec<(i64, u64)>> {
    let mut names: BTreeMap<SeriesIx, SeriesKey> = BTreeMap::new();
    let mut samples: BTreeMap<SeriesKey, Vec<(i64, u64)>> = BTreeMap::new();
    store
        .replay(at(now), &mut |piece| match piece {
            Recovered::Series(series) => {
                names.insert(series.ix, series.key.clone());
            }
            Recovered::Samples { series, samples: more } => {
                let place = samples.entry(names[&series].clone()).or_default();
                place.extend(more.iter().map(|each| (each.timestamp().get(), each.value().to_bits())));
            }
            other => panic!("not expected here: {other:?}"),
        })
        .unwrap();
    for each in samples.values_mut() {
        each.sort_unstable();
    }
    samples
}
