//! Columns of samples against the same samples one by one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is wrong")]

use bellwether_core::engine::{Engine, EngineConfig, SeriesId, TimestampError};
use bellwether_core::intake::{LengthError, Refusal, Refused};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Aggregation, Query};
use bellwether_core::sample::{Kind, NotFinite, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use proptest::prelude::*;

const NOW: i64 = 1_700_006_400_000;

fn at(ms: i64) -> TimestampMs {
    TimestampMs::new(ms)
}

fn metric() -> MetricName {
    MetricName::new("m").unwrap()
}

fn engine(kind: Kind) -> (Engine, Vec<SeriesId>) {
    let mut engine = Engine::new(EngineConfig::default()).unwrap();
    engine.declare(&metric(), kind).unwrap();
    let key = |name| SeriesKey { metric: metric(), labels: Labels::new([("s", name)]).unwrap() };
    let ids = ["a", "b", "c"].map(|name| engine.series(&key(name), None).unwrap());
    (engine, ids.to_vec())
}

#[test]
fn what_is_refused_is_named_and_the_rest_is_recorded() {
    let (mut engine, _) = engine(Kind::Event);
    let now = NOW as f64;
    let times = [now, f64::NAN, now + 1e9, now - 1e12, now, now, now - 0.5, f64::INFINITY];
    let values = [1.0, 1.0, 1.0, 1.0, f64::INFINITY, 1.0, 4.0, 1.0];
    let receipt = engine.record_columns(&[0, 0, 0, 0, 0, 3, 0, 1], &times, &values, at(NOW)).unwrap();
    assert_eq!((receipt.accepted, receipt.refused), (2, 6));
    let whys: Vec<(usize, &Refusal)> = receipt.refusals.iter().map(|Refused { index, why }| (*index, why)).collect();
    assert!(matches!(whys[0], (1, Refusal::NoTimestamp { .. })));
    assert!(matches!(whys[1], (2, Refusal::Timestamp(TimestampError::TooNew { .. }))));
    assert!(matches!(whys[2], (3, Refusal::Timestamp(TimestampError::TooLate { .. }))));
    assert_eq!(whys[3], (4, &Refusal::Value(NotFinite)));
    assert_eq!(whys[4], (5, &Refusal::Series { number: 3 }));
    assert!(matches!(whys[5], (7, Refusal::NoTimestamp { .. })));
    let query = Query::new(metric(), DurationMs::from_minutes(1), Aggregation::Sum);
    assert_eq!(engine.query(&query, at(NOW)).unwrap().value, Some(5.0));
}

#[test]
fn the_first_hundred_refusals_are_named_and_all_are_counted() {
    let (mut engine, _) = engine(Kind::Event);
    let receipt = engine.record_columns(&[7; 250], &[0.0; 250], &[0.0; 250], at(NOW)).unwrap();
    assert_eq!((receipt.accepted, receipt.refused, receipt.refusals.len()), (0, 250, 100));
    assert_eq!(receipt.refusals[99].index, 99);
}

#[test]
fn columns_of_different_lengths_are_refused_whole() {
    let (mut engine, _) = engine(Kind::Event);
    let error = engine.record_columns(&[0, 0], &[NOW as f64; 2], &[1.0], at(NOW)).unwrap_err();
    assert_eq!(error, LengthError { series: 2, timestamps: 2, values: 1 });
    assert_eq!(engine.memory().time_buckets, 0);
}

#[test]
fn a_fraction_of_a_millisecond_stays_in_its_window() {
    let (mut engine, _) = engine(Kind::Event);
    let query = Query::new(metric(), DurationMs::from_secs(1), Aggregation::Sum);
    // Windows are left-open and right-closed: half a millisecond after an edge is behind it.
    engine.record_columns(&[0, 0], &[NOW as f64 - 0.5, NOW as f64 + 0.5], &[1.0, 2.0], at(NOW + 1_000)).unwrap();
    assert_eq!(engine.query(&query, at(NOW)).unwrap().value, Some(1.0));
    assert_eq!(engine.query(&query, at(NOW + 1_000)).unwrap().value, Some(2.0));
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Observation), Just(Kind::Gauge), Just(Kind::Event), Just(Kind::Counter)]
}

/// Samples of series 0 to 3, of which there may be none, as milliseconds that pass and rows of series, age in ms and value.
type Batches = Vec<(i64, Vec<(u32, i64, f64)>)>;

fn batches(oldest_ms: i64) -> impl Strategy<Value = Batches> {
    let row = (0..4_u32, prop_oneof![-700_i64..5_000, 0..oldest_ms], -1e3..1e3_f64);
    proptest::collection::vec((0..40_000_i64, proptest::collection::vec(row, 0..60)), 1..30)
}

/// Records batches as columns and one by one, and compares what `of` says of each time bucket after each of them.
fn compare<T: PartialEq + std::fmt::Debug>(
    kind: Kind,
    batches: Batches,
    of: impl Fn(&Summary) -> T,
) -> Result<(), TestCaseError> {
    let ((mut columns, ids), (mut single, _)) = (engine(kind), engine(kind));
    let mut now = NOW;
    for (pass, rows) in batches {
        now += pass;
        let series: Vec<u32> = rows.iter().map(|(series, _, _)| *series).collect();
        let times: Vec<f64> = rows.iter().map(|(_, ago, _)| (now - ago) as f64).collect();
        let values: Vec<f64> = rows.iter().map(|(_, _, value)| *value).collect();
        let receipt = columns.record_columns(&series, &times, &values, at(now)).unwrap();
        let mut accepted = 0;
        for (series, ago, value) in &rows {
            let Some(id) = ids.get(*series as usize) else { continue };
            accepted += usize::from(single.record(*id, Sample::new(at(now - ago), *value).unwrap(), at(now)).is_ok());
        }
        prop_assert_eq!((receipt.accepted, receipt.refused), (accepted, rows.len() - accepted));
        columns.advance(at(now));
        single.advance(at(now));
        for id in &ids {
            prop_assert_eq!(columns.latest(*id), single.latest(*id));
            let of = |engine: &Engine| -> Vec<_> {
                engine.history(*id, at(0)).map(|piece| (piece.width, piece.end, of(&piece.summary))).collect()
            };
            prop_assert_eq!(of(&columns), of(&single));
        }
    }
    Ok(())
}

proptest! {
    /// Batches of columns leave the same behind as their samples one by one.
    #[test]
    fn columns_are_their_samples_one_by_one(kind in kinds(), batches in batches(500_000)) {
        compare(kind, batches, Summary::clone)?;
    }

    /// What is older than the finest tier may join a wide time bucket before that is made in the one engine, and after it
    /// in the other: floats are summed in another order, and of a counter's steps only the outermost are known.
    #[test]
    fn columns_with_the_oldest_samples_are_these_one_by_one(kind in kinds(), batches in batches(900_000)) {
        compare(kind, batches, |each| (each.count, each.min, each.max, each.first, each.last, each.sketch.clone()))?;
    }
}

/// Far more samples of one second than are sealed at once: in order, several at one instant, late.
#[test]
fn any_number_of_samples_of_one_second_are_counted() {
    let mut engine = Engine::new(EngineConfig::default()).unwrap();
    let series = |engine: &mut Engine, metric: &str| {
        let key = SeriesKey { metric: MetricName::new(metric).unwrap(), labels: Labels::empty() };
        engine.series(&key, None).unwrap()
    };
    let (observed, counted) = (series(&mut engine, "latency"), series(&mut engine, "requests_total"));
    let count = 30_000_usize;
    let late = 50;
    let now = at(NOW + 1_000);
    let timestamps: Vec<f64> = (0..count)
        .map(|place| {
            let passed = (place * 1_000 / count) as i64 + 1;
            (NOW + if place + late > count { 500 } else { passed.min(1_000) }) as f64
        })
        .collect();
    let values: Vec<f64> = (0..count).map(|place| (place % 997 + 1) as f64).collect();
    // It is reset twice.
    let counter: Vec<f64> =
        (0..count).map(|place| if place + late > count { 1.0 } else { (place % 12_000) as f64 }).collect();
    for (id, values) in [(observed, &values), (counted, &counter)] {
        let length = if id == counted { count - late } else { count };
        let column = vec![id.index() as u32; length];
        for start in (0..length).step_by(500) {
            let end = (start + 500).min(length);
            let rows = start..end;
            let receipt = engine.record_columns(&column[rows.clone()], &timestamps[rows.clone()], &values[rows], now);
            assert_eq!(receipt.unwrap().refused, 0);
        }
    }
    let check = |engine: &Engine, now: TimestampMs| {
        let asked = |metric: &str, word: &str| {
            let metric = MetricName::new(metric).unwrap();
            let query = Query::new(metric, DurationMs::from_minutes(1), word.parse().unwrap());
            engine.query(&query, now).unwrap().value.unwrap()
        };
        assert_eq!(asked("latency", "count"), count as f64);
        assert_eq!(asked("latency", "sum"), values.iter().sum::<f64>());
        assert_eq!((asked("latency", "min"), asked("latency", "max")), (1.0, 997.0));
        let mean = values.iter().sum::<f64>() / count as f64;
        let stddev = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64).sqrt();
        assert!((asked("latency", "stddev") - stddev).abs() < 1e-9 * stddev);
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        for (word, q) in [("p50", 0.5), ("p99", 0.99)] {
            let exact = sorted[(q * (count - 1) as f64) as usize];
            assert!((asked("latency", word) - exact).abs() <= 0.0055 * exact, "{word}");
        }
        let steps = counter[..count - late].windows(2);
        let increase: f64 = steps.map(|pair| if pair[1] < pair[0] { pair[1] } else { pair[1] - pair[0] }).sum();
        assert_eq!(asked("requests_total", "increase"), increase);
    };
    check(&engine, now);
    let restored = Engine::restore(EngineConfig::default(), &engine.snapshot()).unwrap();
    check(&restored, now);
    // Those of the next second seal this one.
    for id in [observed, counted] {
        for place in 0..200 {
            engine.record(id, Sample::new(at(NOW + 1_500 + place), 1.0).unwrap(), at(NOW + 2_000)).unwrap();
        }
    }
    engine.advance(at(NOW + 2_000));
    check(&engine, now);
}
