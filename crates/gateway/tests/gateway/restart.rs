//! A start after a kill, over a store that holds much: all of it is to be seen, and how long that takes is told.

use std::path::Path;
use std::time::Instant;

use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::TimestampMs;
use bellwether_gateway::store::{Batch, BatchSample, Progress, RedbStore, Store};
use bellwether_wire::ingest::Repeats;

use crate::running::{Running, command_for_use, now_ms, rounds, tell};

const SERIES: u32 = 100;
/// Seconds that one batch holds.
const SECONDS: u32 = 100;
/// Batches of an hour.
const HOUR: u32 = 36;

/// A second and series a sample, in so many batches, the newest of them at `newest_ms`; hours that are over are sealed.
fn fill(folder: &Path, batches: u32, newest_ms: i64) {
    let mut store = RedbStore::open(folder, 7).unwrap();
    let key = |number: u32| SeriesKey {
        metric: MetricName::new("m").unwrap(),
        labels: Labels::new([("host", number.to_string())]).unwrap(),
    };
    let keys: Vec<SeriesKey> = (0..SERIES).map(key).collect();
    let seal = |store: &mut RedbStore, now| while store.seal(now).unwrap() == Progress::More {};
    for number in 0..batches {
        let end_ms = newest_ms - i64::from(batches - 1 - number) * i64::from(SECONDS) * 1_000;
        let sample = |second: u32, series: &SeriesKey| {
            let at = TimestampMs::new(end_ms - i64::from(SECONDS - 1 - second) * 1_000);
            BatchSample {
                series: series.clone(),
                kind: Kind::Gauge,
                sample: Sample::new(at, f64::from((number * SECONDS + second) % 1_000) / 8.0).unwrap(),
                reference: None,
                repeats: Repeats::Count,
            }
        };
        let samples = (0..SECONDS).flat_map(|second| keys.iter().map(move |key| sample(second, key))).collect();
        let received_at = TimestampMs::new(end_ms);
        let batch = Batch { samples, histograms: Vec::new(), declarations: Vec::new(), idempotency: None, received_at };
        store.append(&[batch]).unwrap();
        if number % HOUR == HOUR - 1 {
            seal(&mut store, received_at);
        }
    }
    seal(&mut store, TimestampMs::new(newest_ms));
    store.close().unwrap();
}

#[test]
fn a_start_after_a_kill_shows_every_sample_of_a_large_store() {
    let folder = tempfile::tempdir().unwrap();
    let batches = rounds(10, 1_000);
    fill(folder.path(), batches, now_ms() / 1_000 * 1_000);
    let samples = f64::from(batches * SECONDS * SERIES);
    let count = |gateway: &Running| gateway.result("name=m&window=2d&agg=count");

    let gateway = Running::start_in(folder.path(), &[]);
    assert_eq!(count(&gateway), Some(samples));
    assert_eq!(gateway.ingest(r#"{"name":"m","value":1,"kind":"gauge"}"#).status, 204);
    gateway.kill();

    let (command, build) = command_for_use(folder.path());
    let began = Instant::now();
    let gateway = Running::start_command(command);
    let took = began.elapsed();
    assert_eq!(count(&gateway), Some(samples + 1.0));
    tell(&format!("a start after a kill, over {samples} samples, {build}: {:.2} s", took.as_secs_f64()));
}
