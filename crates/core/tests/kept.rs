//! A table that keeps its windows against queries that put them together anew, at every instant:
//! samples in order, late and ahead of now, summaries, gaps, clocks that jump.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is wrong")]

use bellwether_core::engine::{Engine, EngineConfig, SeriesId, TierConfig};
use bellwether_core::labels::{LabelName, Labels, MetricName, SeriesKey};
use bellwether_core::query::{Aggregation, Query};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::table::{Rows, Table};
use bellwether_core::time::{DurationMs, TimestampMs};
use proptest::prelude::*;

const WORDS: [&str; 9] = ["count", "avg", "sum", "min", "max", "stddev", "p50", "p99", "p0"];

fn ms(ms: u64) -> DurationMs {
    DurationMs::from_millis(ms)
}

fn at(ms: i64) -> TimestampMs {
    TimestampMs::new(ms)
}

fn metric() -> MetricName {
    MetricName::new("m").unwrap()
}

fn engine(kind: Kind) -> (Engine, Vec<SeriesId>) {
    let tier = |(width, span)| TierConfig { width: ms(width), span: ms(span) };
    let tiers = [(100, 2_000), (500, 10_000), (2_000, 60_000)].map(tier).to_vec();
    let config = EngineConfig { tiers, future_skew: ms(1_000), ..EngineConfig::default() };
    let mut engine = Engine::new(config).unwrap();
    engine.declare(&metric(), kind).unwrap();
    let key = |name| SeriesKey { metric: metric(), labels: Labels::new([("s", name)]).unwrap() };
    let ids = ["a", "b", "c"].map(|name| engine.series(&key(name), None).unwrap());
    (engine, ids.to_vec())
}

#[derive(Clone, Debug)]
enum Step {
    Pass(i64),
    Advance,
    Arrive { series: usize, ago: i64, value: f64 },
    Merge { series: usize, ago: i64, value: f64 },
    Ask,
}

struct Asker {
    table: Table,
    query: Query,
}

impl Asker {
    fn new(window: u64, by: &[&str]) -> Self {
        let mut query = Query::new(metric(), ms(window), Aggregation::Count);
        query.by = by.iter().map(|label| LabelName::new(label).unwrap()).collect();
        let aggregations = WORDS.iter().map(|word| word.parse().unwrap()).collect();
        Self { table: Table::new(query.clone(), aggregations, Rows::ByLabels), query }
    }

    fn check(&mut self, engine: &Engine, now: TimestampMs) {
        let figures = match self.table.answer(engine, now) {
            Ok(figures) => figures,
            Err(error) => {
                assert_eq!(engine.query_groups(&self.query, now).unwrap_err(), error);
                return;
            }
        };
        let rows = self.table.rows().len();
        for (column, word) in WORDS.iter().enumerate() {
            let query = Query { aggregation: word.parse().unwrap(), ..self.query.clone() };
            for group in engine.query_groups(&query, now).unwrap() {
                let row = self.table.rows().iter().position(|labels| *labels == group.labels).unwrap();
                let found = figures.values[column * rows + row];
                let Some(expected) = group.answer.value else {
                    assert!(found.is_nan(), "{word}: {found}");
                    continue;
                };
                let tolerance = match *word {
                    "avg" => 1e-9_f64.max(1e-12 * expected.abs()),
                    "sum" => (1e-9 * (1.0 + group.answer.count as f64)).max(1e-12 * expected.abs()),
                    "stddev" => 1e-5_f64.max(1e-12 * expected.abs()),
                    _ => 0.0,
                };
                assert!((found - expected).abs() <= tolerance, "{word} at {}: {found}, not {expected}", now.get());
            }
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ago = || prop_oneof![6 => Just(0_i64), 2 => -900..300_i64, 1 => 0..15_000_i64];
    let value = || prop_oneof![Just(0.0), -1e3..1e3_f64, 0.001..1e3_f64];
    let step = prop_oneof![
        10 => (0..3_usize, ago(), value()).prop_map(|(series, ago, value)| Step::Arrive { series, ago, value }),
        1 => (0..3_usize, ago(), value()).prop_map(|(series, ago, value)| Step::Merge { series, ago, value }),
        5 => prop_oneof![8 => 0..150_i64, 2 => 0..1_500_i64, 1 => -3_000..30_000_i64].prop_map(Step::Pass),
        1 => Just(Step::Advance),
        5 => Just(Step::Ask),
    ];
    proptest::collection::vec(step, 1..300)
}

proptest! {
    #[test]
    fn a_kept_window_is_the_window(
        kind in prop_oneof![Just(Kind::Observation), Just(Kind::Gauge), Just(Kind::Event)],
        start in prop_oneof![Just(1_700_000_000_000_i64), -100_000..100_000_i64],
        window in prop_oneof![Just(1_000_u64), Just(2_000), 1..60_000_u64, Just(10_000)],
        steps in steps(),
    ) {
        let (mut engine, ids) = engine(kind);
        let mut now = start;
        let mut askers = [Asker::new(window, &["s"]), Asker::new(window, &[])];
        for step in steps {
            match step {
                Step::Pass(pass) => now += pass,
                Step::Advance => engine.advance(at(now)),
                Step::Arrive { series, ago, value } => {
                    let _ = engine.record(ids[series], Sample::new(at(now - ago), value).unwrap(), at(now));
                }
                Step::Merge { series, ago, value } => {
                    let end = (now - ago).div_euclid(500) * 500;
                    let mut summary = Summary::of(Sample::new(at(end - 300), value).unwrap(), kind);
                    summary.record(Sample::new(at(end), -value).unwrap(), kind);
                    let _ = engine.merge(ids[series], ms(500), at(end), &summary, at(now));
                }
                Step::Ask => {
                    for asker in &mut askers {
                        asker.check(&engine, at(now));
                    }
                }
            }
        }
    }

    /// Many samples, so that time buckets are packed and sealed in the middle of it.
    #[test]
    fn a_busy_kept_window_is_the_window(
        window in prop_oneof![Just(1_000_u64), Just(2_000), Just(10_000), 500..9_000_u64],
        bursts in proptest::collection::vec((0..120_usize, 0..260_i64, 1.0..1e3_f64), 20..80),
    ) {
        let (mut engine, ids) = engine(Kind::Observation);
        let mut now = 1_700_000_000_000;
        let mut askers = [Asker::new(window, &["s"]), Asker::new(window, &[])];
        for (count, pass, value) in bursts {
            let rows: Vec<u32> = (0..count).map(|n| ids[n % 3].index() as u32).collect();
            let times: Vec<f64> = (0..count).map(|n| now as f64 + (pass * n as i64) as f64 / count as f64).collect();
            let values: Vec<f64> = (0..count).map(|n| value * (1.0 + n as f64 / 50.0)).collect();
            now += pass;
            let receipt = engine.record_columns(&rows, &times, &values, at(now)).unwrap();
            prop_assert_eq!(receipt.refused, 0);
            for asker in &mut askers {
                asker.check(&engine, at(now));
            }
        }
    }
}

/// An engine with a sample every 20 ms for `length` ms up to `until`, and their series.
fn steady(until: i64, length: i64) -> (Engine, SeriesId) {
    let (mut engine, ids) = engine(Kind::Observation);
    for time in (until - length..=until).step_by(20) {
        engine.record(ids[0], Sample::new(at(time), 1.0 + (time % 997) as f64).unwrap(), at(time)).unwrap();
    }
    engine.advance(at(until));
    (engine, ids[0])
}

const NOON: i64 = 1_700_000_000_000;

#[test]
fn a_late_sample_is_seen_in_an_engine_that_was_restored() {
    let (engine, _) = steady(NOON, 30_000);
    let mut engine = Engine::restore(engine.config().clone(), &engine.snapshot()).unwrap();
    let id = engine.matching(&metric(), &[]).next().unwrap();
    // The window ends before the present, as a rule's does that leaves time for what is sent late.
    let mut asker = Asker::new(1_000, &[]);
    asker.check(&engine, at(NOON - 1_500));
    engine.record(id, Sample::new(at(NOON - 2_000), 5_000.0).unwrap(), at(NOON)).unwrap();
    asker.check(&engine, at(NOON - 1_500));
}

#[test]
fn late_samples_are_seen_however_many_were_evicted_behind_the_window() {
    let (engine, id) = steady(NOON, 30_000);
    for late in 0..200 {
        let mut engine = engine.clone();
        let mut asker = Asker::new(10_000, &[]);
        // The finest tier reaches back by 2 s and no longer tells what came behind this window.
        asker.check(&engine, at(NOON - 4_000));
        for _ in 0..late {
            engine.record(id, Sample::new(at(NOON - 6_000), 5_000.0).unwrap(), at(NOON)).unwrap();
        }
        asker.check(&engine, at(NOON - 1_000));
    }
}

#[test]
fn what_a_clock_that_was_ahead_evicted_is_not_kept() {
    let (mut engine, id) = steady(NOON, 60_000);
    let mut asker = Asker::new(50_000, &[]);
    asker.check(&engine, at(NOON));
    engine.advance(at(NOON + 40_000));
    engine.advance(at(NOON));
    asker.check(&engine, at(NOON));
    engine.record(id, Sample::new(at(NOON + 100), 7.0).unwrap(), at(NOON)).unwrap();
    asker.check(&engine, at(NOON + 4_000));
}

/// Finer time buckets that were counted one by one come to so many values together that the wider one,
/// which takes their place later, has coarser value buckets.
#[test]
fn what_was_counted_finer_than_it_is_kept_leaves_the_window_whole() {
    let (mut engine, ids) = engine(Kind::Observation);
    let mut asker = Asker::new(8_000, &[]);
    for step in 0..300 {
        let now = NOON + step * 100;
        let count = if (20..30).contains(&step) { 700 } else { 3 };
        for n in 0..count {
            let value = 1e-6 * 1.012_f64.powi(5 * n + step as i32 % 5);
            engine.record(ids[0], Sample::new(at(now - 50), value).unwrap(), at(now)).unwrap();
        }
        // While they are in it, the kept window is finer than one that is put together anew.
        if (20..115).contains(&step) {
            asker.table.answer(&engine, at(now)).unwrap();
        } else {
            asker.check(&engine, at(now));
        }
    }
}
