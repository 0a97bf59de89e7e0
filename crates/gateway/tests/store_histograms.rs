//! Histograms in the store: what each adds counts once, and comes back as it was.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failure of the test")]

mod store_support;

use bellwether_core::sample::Kind;
use bellwether_core::sketch::Sketch;
use bellwether_core::time::DurationMs;
use bellwether_gateway::store::{Batch, BatchHistogram, Counted, Outcome, Progress, RedbStore, Retention, Store};
use bellwether_wire::protocol::{Course, HistogramPoint, explicit};
use store_support::{HOUR, START, at, batch, expire_all, key, open, replay, sample, seal_all};

/// A cumulative histogram with bounds 10 and 100, which began at the hour before `START`.
fn point(offset: i64, counts: [u64; 3], sum: f64) -> HistogramPoint {
    let course = Course::Cumulative { since: Some(at(START - HOUR)), restarted: false };
    let sketch = explicit::carrier(&counts).unwrap();
    HistogramPoint { at: at(START + offset), sketch, bounds: Some(vec![10.0, 100.0]), sum, extremes: None, course }
}

fn of(points: Vec<HistogramPoint>) -> Batch {
    let histogram = |point| BatchHistogram { series: key("latency", "a"), kind: Kind::Observation, point };
    Batch { histograms: points.into_iter().map(histogram).collect(), ..batch(START + HOUR, Vec::new()) }
}

fn counted(store: &mut RedbStore, points: Vec<HistogramPoint>) -> Vec<Counted> {
    match store.append(&[of(points)]).unwrap().remove(0) {
        Outcome::StoredInPart { counted, left_out, .. } if left_out.is_empty() => counted,
        other => panic!("{other:?}"),
    }
}

/// How many values each added; nothing where it was there before or is refused.
fn counts(counted: &[Counted]) -> Vec<Option<u64>> {
    let count = |each: &Counted| match each {
        Counted::Increment(summary) => Some(summary.count),
        Counted::Nothing => Some(0),
        _ => None,
    };
    counted.iter().map(count).collect()
}

#[test]
fn what_each_adds_counts_once_across_starts() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let first = || vec![point(1_000, [5, 0, 0], 20.0), point(2_000, [6, 2, 0], 100.0), point(3_000, [6, 2, 0], 100.0)];
    assert_eq!(counts(&counted(&mut store, first())), [Some(0), Some(3), Some(0)]);
    drop(store);
    let mut store = open(folder.path());
    assert_eq!(counted(&mut store, first()), [Counted::Same, Counted::Same, Counted::Same]);
    let next = vec![point(4_000, [6, 3, 1], 700.0), point(2_500, [6, 2, 0], 100.0), point(5_000, [1, 0, 0], 4.0)];
    let next = counted(&mut store, next);
    assert_eq!(counts(&next), [Some(2), None, Some(1)], "the last is a restart: its count fell");
    assert_eq!(next[1], Counted::TooLate { newest: at(START + 4_000) });

    let (replayed, faults) = replay(&store, START + HOUR);
    assert_eq!(faults, []);
    let seconds = &replayed[&key("latency", "a")].hours;
    let ends: Vec<_> = seconds.iter().map(|(end, summary)| (end - START, summary.count, summary.sum)).collect();
    assert_eq!(ends, [(2_000, 3, 80.0), (4_000, 2, 600.0), (5_000, 1, 4.0)]);
    let (replayed, _) = replay(&store, START + 60 * HOUR);
    let hours = &replayed[&key("latency", "a")].hours;
    let hour = &hours[&(START + HOUR)];
    assert_eq!((hours.len(), hour.count, hour.sum, hour.sketch.count()), (1, 6, 684.0, 6));
    assert_eq!((hour.min, hour.max), (0.0, 100.0), "the outer bounds, for the sender said no extremes");
    let verified = store.verify().unwrap();
    assert_eq!((verified.points, verified.fault_count), (5, 0));
}

#[test]
fn two_senders_of_one_series_are_added_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let delta = |values: &[f64]| {
        let mut sketch = Sketch::default();
        sketch.record_all(values).unwrap();
        let sum = values.iter().sum();
        HistogramPoint { at: at(START + 1), sketch, bounds: None, sum, extremes: None, course: Course::Increment }
    };
    assert_eq!(counts(&counted(&mut store, vec![delta(&[1.0, 2.0])])), [Some(2)]);
    assert_eq!(counts(&counted(&mut store, vec![delta(&[3.0])])), [Some(1)]);
    let (replayed, _) = replay(&store, START + 60 * HOUR);
    let hour = &replayed[&key("latency", "a")].hours[&(START + HOUR)];
    assert_eq!((hour.count, hour.sum), (3, 6.0));
}

#[test]
fn a_late_point_adds_to_an_hour_whose_points_are_dropped_for_their_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let delta = |offset: i64| {
        let mut sketch = Sketch::default();
        sketch.record_all(&[7.0]).unwrap();
        let course = Course::Increment;
        HistogramPoint { at: at(START + offset), sketch, bounds: None, sum: 7.0, extremes: None, course }
    };
    counted(&mut store, (1..=5).map(|second| delta(second * 1_000)).collect());
    let room = batch(START + HOUR, vec![sample(&key("other", "a"), Kind::Gauge, START + 1, 1.0)]);
    store.append(&[room]).unwrap();
    let now = START + 72 * HOUR;
    seal_all(&mut store, now);
    let long = DurationMs::from_days(3_653);
    let retention = Retention { raw: long, raw_bytes: Some(1), rollups: long };
    while store.expire(at(now), retention).unwrap() == Progress::More {}
    assert_eq!(store.verify().unwrap().points, 0, "the points went, and their hour stayed");
    counted(&mut store, vec![delta(9_000)]);
    let (replayed, _) = replay(&store, now);
    let hour = &replayed[&key("latency", "a")].hours[&(START + HOUR)];
    assert_eq!((hour.count, hour.sum), (6, 42.0));
}

#[test]
fn histograms_go_with_their_retention_and_their_series_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let points = (0..50).map(|hour| point(hour * HOUR + 1, [hour as u64 + 1, 0, 0], hour as f64)).collect();
    assert_eq!(counts(&counted(&mut store, points)).len(), 50);
    let now = START + 51 * HOUR;
    expire_all(&mut store, now, DurationMs::from_hours(10));
    let (replayed, _) = replay(&store, now + 60 * HOUR);
    assert_eq!(replayed[&key("latency", "a")].hours.len(), 9, "those that ended within ten hours");
    expire_all(&mut store, now + 20 * HOUR, DurationMs::from_hours(10));
    assert!(store.series().is_empty());
    assert_eq!(store.verify().unwrap().points, 0);
    // Its name begins anew, and nothing of what it had counted is left.
    let again = point(80 * HOUR, [7, 0, 0], 1.0);
    assert_eq!(counts(&counted(&mut store, vec![again])), [Some(0)]);
}
