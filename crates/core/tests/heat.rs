//! Heat maps against the samples they are made of.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use bellwether_core::engine::{Engine, EngineConfig};
use bellwether_core::heat::HeatMap;
use bellwether_core::labels::{LabelName, Labels, MetricName, SeriesKey};
use bellwether_core::query::{Aggregation, Query, QueryError};
use bellwether_core::sample::Sample;
use bellwether_core::time::{DurationMs, TimestampMs};
use proptest::prelude::*;

const START: TimestampMs = TimestampMs::new(1_699_999_200_000);

fn at(millis: u64) -> TimestampMs {
    START + DurationMs::from_millis(millis)
}

/// An engine with samples of (series, milliseconds, value).
fn engine(samples: &[(u32, u64, f64)]) -> Engine {
    let mut engine = Engine::new(EngineConfig::default()).unwrap();
    for (series, millis, value) in samples {
        let labels = Labels::new([("host", if series % 2 == 0 { "a" } else { "b" }), ("n", &series.to_string())]);
        let key = SeriesKey { metric: MetricName::new("m").unwrap(), labels: labels.unwrap() };
        let id = engine.series(&key, None).unwrap();
        engine.record(id, Sample::new(at(*millis), *value).unwrap(), at(*millis)).unwrap();
    }
    engine
}

fn query(by: &[&str]) -> Query {
    let mut query = Query::new(MetricName::new("m").unwrap(), DurationMs::ZERO, Aggregation::Rate);
    query.by = by.iter().map(|name| LabelName::new(name).unwrap()).collect();
    query
}

fn maps(engine: &Engine, by: &[&str], to: u64, columns: usize, rows: usize) -> Vec<HeatMap> {
    engine.heat_maps(&query(by), START, at(to), columns, rows).unwrap()
}

#[test]
fn cells_are_counts_of_value_buckets() {
    let engine = engine(&[(0, 500, 1.0), (1, 1_000, 1.0), (0, 1_001, 0.0), (1, 2_000, -100.0), (0, 2_000, 100.0)]);
    let map = &maps(&engine, &[], 3_000, 3, 100)[0];
    let rows: Vec<(f64, f64, u64)> = map.rows.iter().map(|row| (row.lower, row.upper, row.count)).collect();
    let base = 2.0_f64.powf(1.0 / 64.0);
    assert_eq!((rows.len(), rows[1], rows[2].1, rows[2].2), (4, (0.0, 0.0, 1), 1.0, 2));
    assert!((rows[2].0 - 1.0 / base).abs() < 1e-15);
    assert!(rows[0].0 <= -100.0 && -100.0 <= rows[0].1 && rows[3].0 <= 100.0 && 100.0 <= rows[3].1);
    let cells: Vec<_> = map.columns.iter().map(|column| (column.count, column.cells.clone())).collect();
    assert_eq!(cells, [(2, vec![(2, 2)]), (3, vec![(0, 1), (1, 1), (3, 1)]), (0, vec![])]);
    assert_eq!((map.columns[0].from, map.columns[0].to, map.columns[2].to), (START, at(1_000), at(3_000)));
    assert!(map.relative_error < 0.005_5);
}

#[test]
fn zero_and_the_least_float_are_told_apart() {
    let least = f64::from_bits(1);
    let engine = engine(&[(0, 500, 0.0), (1, 600, least), (0, 700, -least), (0, 1_700, least)]);
    let map = &maps(&engine, &[], 2_000, 2, 100)[0];
    let rows: Vec<(f64, f64, u64)> = map.rows.iter().map(|row| (row.lower, row.upper, row.count)).collect();
    assert_eq!(rows, [(-least, 0.0, 1), (0.0, 0.0, 1), (0.0, least, 2)]);
    assert_eq!(map.columns[1].cells, [(2, 1)]);
}

#[test]
fn groups_have_maps_of_their_own() {
    let engine = engine(&[(0, 500, 1.0), (1, 1_000, 2.0), (2, 1_000, 4.0)]);
    let found: Vec<(String, u64)> = maps(&engine, &["host"], 3_000, 3, 100)
        .iter()
        .map(|map| (map.labels.to_string(), map.columns.iter().map(|column| column.count).sum()))
        .collect();
    assert_eq!(found, [(r#"{host="a"}"#.to_owned(), 2), (r#"{host="b"}"#.to_owned(), 1)]);
    let elsewhere = Query::new(MetricName::new("x").unwrap(), DurationMs::ZERO, Aggregation::Avg);
    assert_eq!(engine.heat_maps(&elsewhere, START, at(1), 3, 3), Ok(vec![]));
}

#[test]
fn no_cell_to_draw_is_an_error() {
    let engine = engine(&[(0, 500, 1.0)]);
    for (to, columns, rows) in [(1_000, 0, 1), (1_000, 1, 0), (0, 1, 1)] {
        assert_eq!(engine.heat_maps(&query(&[]), START, at(to), columns, rows), Err(QueryError::NoColumns));
    }
}

proptest! {
    #[test]
    fn every_sample_is_in_the_one_cell_of_its_time_and_value(
        mut samples in proptest::collection::vec((0..4_u32, 1..400_000_u64, prop_oneof![
            -10.0..10.0_f64, Just(0.0), 1e-300..1e300_f64, any::<f64>().prop_filter("finite", |value| value.is_finite()),
        ]), 1..120),
        length in 1..400_000_u64,
        columns in 1..50_usize,
        rows in 1..400_usize,
    ) {
        samples.sort_by_key(|sample| sample.1);
        let engine = engine(&samples);
        let map = &maps(&engine, &[], length, columns, rows)[0];
        prop_assert!((1..=columns).contains(&map.columns.len()));
        // The coarsest scale has 132 value buckets of each sign, and zero.
        prop_assert!(map.rows.len() <= rows.max(265));
        prop_assert!(map.rows.is_sorted_by(|a, b| a.lower < b.lower && a.upper <= b.lower || b.lower == 0.0));
        prop_assert_eq!(map.columns[0].from, START);
        prop_assert_eq!(map.columns[map.columns.len() - 1].to, at(length));
        for column in &map.columns {
            // The bucket of a second that holds the right edge counts where it ends before the edge.
            let is_in = |millis: u64| column.from < at(millis) && at(millis) <= column.to;
            let last = |series: u32| samples.iter().rev().find(|s| s.0 == series && at(s.1) <= at(length.div_ceil(1_000) * 1_000)).map(|s| s.1);
            let is_counted = |sample: &&(u32, u64, f64)| {
                let is_cut = length % 1_000 != 0 && sample.1 > length / 1_000 * 1_000 && last(sample.0).is_some_and(|last| last > length);
                is_in(sample.1) && !is_cut
            };
            let expected: Vec<f64> = samples.iter().filter(is_counted).map(|sample| sample.2).collect();
            prop_assert_eq!(column.count, expected.len() as u64);
            for (row, count) in &column.cells {
                let bucket = map.rows[*row];
                let holds = |value: &&f64| {
                    if **value > 0.0 { bucket.lower < **value && **value <= bucket.upper }
                    else if **value < 0.0 { bucket.lower <= **value && **value < bucket.upper }
                    else { bucket.lower == 0.0 && bucket.upper == 0.0 }
                };
                prop_assert_eq!(expected.iter().filter(holds).count() as u64, *count);
            }
            prop_assert_eq!(column.cells.iter().map(|(_, count)| count).sum::<u64>(), column.count);
        }
        for (place, row) in map.rows.iter().enumerate() {
            let cells = map.columns.iter().flat_map(|column| &column.cells).filter(|(row, _)| *row == place);
            prop_assert_eq!(cells.map(|(_, count)| count).sum::<u64>(), row.count);
            prop_assert!(row.count > 0);
        }
    }
}
