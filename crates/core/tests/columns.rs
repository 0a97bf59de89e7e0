//! Charts: columns against the samples that they stand for.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is wrong")]

use bellwether_core::columns::{Column, Line, Link};
use bellwether_core::engine::{Engine, EngineConfig};
use bellwether_core::labels::{LabelName, Labels, MetricName, SeriesKey};
use bellwether_core::query::{Across, Aggregation, Expression, Query, QueryError};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_testkit::naive::Naive;
use proptest::prelude::*;

const START: i64 = 1_700_000_000_000;

fn at(secs: f64) -> TimestampMs {
    TimestampMs::new(START + (secs * 1_000.0) as i64)
}

fn metric() -> MetricName {
    MetricName::new("m").unwrap()
}

fn query(aggregation: &str, window_secs: u64) -> Query {
    Query::new(metric(), DurationMs::from_secs(window_secs), aggregation.parse().unwrap())
}

fn key(host: &str) -> SeriesKey {
    SeriesKey { metric: metric(), labels: Labels::new([("host", host)]).unwrap() }
}

/// An engine with samples of hosts: (host, seconds, value).
fn engine(kind: Kind, samples: &[(&str, f64, f64)], now: f64) -> Engine {
    let mut engine = Engine::new(EngineConfig::default()).unwrap();
    engine.declare(&metric(), kind).unwrap();
    for (host, secs, value) in samples {
        let id = engine.series(&key(host), None).unwrap();
        engine.record(id, Sample::new(at(*secs), *value).unwrap(), at(now)).unwrap();
    }
    engine.advance(at(now));
    engine
}

fn only(lines: Vec<Line>) -> Vec<Option<Column>> {
    assert_eq!(lines.len(), 1);
    lines.into_iter().next().unwrap().columns
}

fn values(columns: &[Option<Column>]) -> Vec<Option<f64>> {
    columns.iter().map(|column| column.map(|column| column.value)).collect()
}

#[test]
fn each_column_keeps_first_least_greatest_and_last() {
    let samples = [("a", 0.5, 5.0), ("a", 0.6, 1.0), ("a", 1.7, 9.0), ("a", 1.9, 4.0), ("a", 2.5, 2.0)];
    let engine = engine(Kind::Gauge, &samples, 4.0);
    let columns = only(engine.columns(&query("avg", 60), at(0.0), at(4.0), 4).unwrap());
    assert_eq!(columns.len(), 4);
    let first = columns[0].unwrap();
    assert_eq!((first.first, first.min, first.max, first.last), (5.0, 1.0, 5.0, 1.0));
    assert_eq!((first.first_at, first.last_at, first.count), (at(0.5), at(0.6), 2));
    assert_eq!((first.from, first.to, first.link), (at(0.0), at(1.0), Link::Broken));
    let second = columns[1].unwrap();
    assert_eq!((second.first, second.min, second.max, second.last, second.value), (9.0, 4.0, 9.0, 4.0, 6.5));
    assert_eq!(second.link, Link::Joined);
    assert_eq!(columns[3], None);
}

#[test]
fn a_silence_breaks_the_line_only_when_it_is_stale() {
    let samples = [("a", 10.0, 1.0), ("a", 200.0, 2.0), ("a", 501.0, 3.0), ("a", 502.0, 4.0)];
    let engine = engine(Kind::Gauge, &samples, 600.0);
    let columns = only(engine.columns(&query("last", 60), at(0.0), at(600.0), 600).unwrap());
    let links: Vec<Link> = columns.iter().flatten().map(|column| column.link).collect();
    // 190 s of silence are less than the 5 minutes of staleness, 301 s are more.
    assert_eq!(links, [Link::Broken, Link::Joined, Link::Broken, Link::Joined]);
}

#[test]
fn a_rate_is_that_of_the_window_before_the_column() {
    let samples: Vec<_> = (0..=40).map(|n| ("a", f64::from(n) * 15.0, f64::from(n) * 30.0)).collect();
    let engine = engine(Kind::Counter, &samples, 600.0);
    let columns = only(engine.columns(&query("rate", 60), at(300.0), at(600.0), 300).unwrap());
    for column in columns.iter().flatten() {
        assert!((column.value - 2.0).abs() <= 0.5, "{column:?}");
    }
    assert!(columns.iter().all(Option::is_some), "samples come every 15 s, the window is 60 s");
    let now = engine.query(&query("rate", 60), at(600.0)).unwrap();
    assert_eq!(columns.last().unwrap().unwrap().value, now.value.unwrap(), "the chart ends with the figure");
}

#[test]
fn an_increase_counts_the_step_into_its_column() {
    let samples = [("a", 0.5, 10.0), ("a", 1.5, 14.0), ("a", 2.5, 3.0), ("a", 2.6, 4.0)];
    let engine = engine(Kind::Counter, &samples, 4.0);
    let columns = only(engine.columns(&query("increase", 60), at(0.0), at(4.0), 4).unwrap());
    assert_eq!(values(&columns), [None, Some(4.0), Some(4.0), None]);
}

#[test]
fn a_delta_is_against_the_column_before() {
    let samples = [("a", 0.5, 10.0), ("a", 1.5, 14.0), ("a", 3.5, 1.0), ("a", 4.5, 3.0)];
    let engine = engine(Kind::Gauge, &samples, 5.0);
    let columns = only(engine.columns(&query("delta", 60), at(0.0), at(5.0), 5).unwrap());
    assert_eq!(values(&columns), [None, Some(4.0), None, None, Some(2.0)]);
}

#[test]
fn a_sum_of_gauges_holds_the_one_that_is_between_samples() {
    let samples = [("a", 0.5, 10.0), ("b", 0.5, 1.0), ("a", 1.5, 20.0), ("a", 2.5, 30.0), ("b", 2.6, 2.0)];
    let engine = engine(Kind::Gauge, &samples, 400.0);
    let mut sum = query("last", 60);
    sum.across = Across::Sum;
    let columns = only(engine.columns(&sum, at(0.0), at(4.0), 4).unwrap());
    assert_eq!(values(&columns), [Some(11.0), Some(21.0), Some(32.0), None]);
    // What came before the chart is held as well.
    let columns = only(engine.columns(&sum, at(1.0), at(2.0), 4).unwrap());
    assert_eq!(values(&columns), [Some(21.0)]);
}

#[test]
fn groups_have_a_line_each_and_share_their_columns() {
    let samples = [("a", 0.5, 1.0), ("b", 3.5, 2.0)];
    let engine = engine(Kind::Gauge, &samples, 4.0);
    let mut by_host = query("last", 60);
    by_host.by = vec![LabelName::new("host").unwrap()];
    let lines = engine.columns(&by_host, at(0.0), at(4.0), 100).unwrap();
    assert_eq!(lines.iter().map(|line| line.labels.get("host").unwrap()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(values(&lines[0].columns), [Some(1.0), None, None, None]);
    assert_eq!(values(&lines[1].columns), [None, None, None, Some(2.0)]);
    assert!(matches!(engine.columns(&query("last", 60), at(0.0), at(4.0), 1), Err(QueryError::AcrossNeeded { .. })));
}

#[test]
fn a_ratio_is_drawn_from_the_windows_of_both_queries() {
    let mut engine = Engine::new(EngineConfig::default()).unwrap();
    let (errors, requests) = (MetricName::new("errors").unwrap(), MetricName::new("requests").unwrap());
    engine.declare(&errors, Kind::Event).unwrap();
    engine.declare(&requests, Kind::Event).unwrap();
    for second in 1..=300_i32 {
        for (metric, every) in [(&errors, 10), (&requests, 1)] {
            let key = SeriesKey { metric: metric.clone(), labels: Labels::empty() };
            let id = engine.series(&key, None).unwrap();
            if second % every == 0 {
                let now = at(f64::from(second));
                engine.record(id, Sample::new(now, 1.0).unwrap(), now).unwrap();
            }
        }
    }
    let sum = |metric: &MetricName| Query::new(metric.clone(), DurationMs::from_secs(60), Aggregation::Sum);
    let ratio = Expression::Ratio(sum(&errors), sum(&requests));
    let columns = only(engine.lines(&ratio, at(100.0), at(300.0), 200).unwrap());
    assert_eq!(columns.len(), 200);
    assert!(columns.iter().all(|column| column.unwrap().value == 0.1));
    assert!(columns[1..].iter().all(|column| column.unwrap().link == Link::Joined));
    assert_eq!(engine.evaluate_one(&ratio, at(300.0)).unwrap().value, Some(0.1));
}

#[test]
fn nothing_to_draw_on_is_an_error_and_nothing_to_draw_is_not() {
    let engine = engine(Kind::Gauge, &[], 10.0);
    assert_eq!(engine.columns(&query("avg", 60), at(0.0), at(4.0), 0), Err(QueryError::NoColumns));
    assert_eq!(engine.columns(&query("avg", 60), at(4.0), at(4.0), 9), Err(QueryError::NoColumns));
    assert_eq!(engine.columns(&query("avg", 60), at(0.0), at(4.0), 9), Ok(vec![]));
    assert_eq!(engine.columns(&query("avg", 60), at(-1e9), at(-9e8), 9), Ok(vec![]));
    assert_eq!(
        engine.columns(&query("avg", 60), TimestampMs::new(i64::MIN), TimestampMs::new(i64::MAX), 9),
        Ok(vec![])
    );
}

#[test]
fn a_percentile_and_an_average_of_observations_are_those_that_a_query_gives_then() {
    let samples: Vec<_> = (0..600).map(|n| ("a", f64::from(n), f64::from(n * 37 % 101))).collect();
    let engine = engine(Kind::Observation, &samples, 600.0);
    for aggregation in ["p95", "avg", "stddev"] {
        let query = query(aggregation, 60);
        let columns = only(engine.columns(&query, at(300.0), at(599.0), 299).unwrap());
        for column in columns.into_iter().flatten() {
            let asked = engine.query(&query, column.to).unwrap().value.unwrap();
            assert!((asked - column.value).abs() <= asked * 1e-12, "{aggregation}: {asked} {}", column.value);
        }
    }
}

#[test]
fn a_gauge_is_drawn_sample_by_sample() {
    let engine = engine(Kind::Gauge, &[("a", 0.5, 1.0), ("a", 1.5, 9.0), ("a", 2.5, 1.0)], 10.0);
    let columns = only(engine.columns(&query("avg", 60), at(0.0), at(3.0), 3).unwrap());
    assert_eq!(values(&columns), [Some(1.0), Some(9.0), Some(1.0)]);
}

proptest! {
    /// Every column is what the samples in it say; together they hold each sample once.
    #[test]
    fn columns_are_those_of_the_samples(
        kind in prop_oneof![Just(Kind::Observation), Just(Kind::Gauge), Just(Kind::Event), Just(Kind::Counter)],
        mut samples in proptest::collection::vec((0..600_000_i64, 0..100_u32), 1..200),
        (from, length) in (0..500_000_i64, 1..600_000_i64),
        asked in 1..700_usize,
        aggregation in prop_oneof![Just("avg"), Just("sum"), Just("count"), Just("increase"), Just("rate"), Just("p90")],
        window in 1..300_u64,
    ) {
        prop_assume!(kind != Kind::Gauge || !matches!(aggregation, "increase" | "rate"));
        samples.sort_by_key(|(taken, _)| *taken);
        let now = TimestampMs::new(START + 600_000);
        let mut naive = Naive::new();
        naive.declare(&metric(), kind);
        let mut engine = engine(kind, &[], 600.0);
        let id = engine.series(&key("a"), None).unwrap();
        for (taken, value) in &samples {
            let sample = Sample::new(TimestampMs::new(START + taken), f64::from(*value)).unwrap();
            naive.record(&key("a"), sample);
            engine.record(id, sample, now).unwrap();
        }
        let to = TimestampMs::new(START + (from + length).min(600_000));
        let from = TimestampMs::new(START + from);
        let query = query(aggregation, window);
        let columns = only(engine.columns(&query, from, to, asked).unwrap());
        prop_assert!(columns.len() <= asked);
        let mut edge = None;
        for column in columns.iter().flatten() {
            prop_assert!(edge.is_none_or(|edge| edge <= column.from) && column.from < column.to);
            edge = Some(column.to);
            let windowed = match aggregation {
                "rate" | "p90" => true,
                "avg" => matches!(kind, Kind::Observation | Kind::Event),
                _ => false,
            };
            let start = if windowed { column.to - query.window } else { column.from };
            // A window begins on the edge of one of its time buckets.
            let widths = if windowed { vec![1_000, 10_000] } else { vec![1] };
            let relative_error = if aggregation == "p90" { 0.0055 } else { 1e-12 };
            let matches = widths.iter().any(|width| {
                let start = TimestampMs::new(start.get().div_euclid(*width) * width);
                let exact = naive.figure(&query, start, column.to).unwrap();
                exact.count == column.count
                    && exact.value.is_some_and(|exact| (exact - column.value).abs() <= exact.abs() * relative_error)
            });
            // The time bucket that holds the right edge is left out where samples lie behind it.
            prop_assert!(matches || column.to == to, "{column:?}");
            if !windowed {
                prop_assert!(column.from < column.first_at && column.last_at <= column.to);
            }
        }
        if aggregation == "count" {
            let told: f64 = columns.iter().flatten().map(|column| column.value).sum();
            let left = TimestampMs::new(from.get().div_euclid(1_000) * 1_000);
            let right = TimestampMs::new(to.get().div_euclid(1_000) * 1_000);
            let least = naive.figure(&query, left, right).unwrap().count;
            let most = naive.figure(&query, left, to).unwrap().count;
            prop_assert!((least..=most).contains(&(told as u64)));
        }
    }
}
