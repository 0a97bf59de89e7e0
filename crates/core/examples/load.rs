//! Times of the engine under load: `cargo run --profile gateway -p bellwether-core --example load`.
//!
//! `W1` records a million samples of 100 series over an hour and asks for everything; `W2` slides a
//! window of five minutes over 10,000 samples a second; `many` is 10,000 series, one sample a second.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program that prints what it measured")]

use std::time::Instant;

use bellwether_core::engine::{Engine, EngineConfig, SeriesId};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Aggregation, Query};
use bellwether_core::selector::{Condition, Matcher};
use bellwether_core::table::{Rows, Table};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_testkit::random::Random;

const START_MS: i64 = 1_700_000_000_000;

struct Load {
    series: Vec<u32>,
    timestamps_ms: Vec<f64>,
    values: Vec<f64>,
}

/// The samples of `tests/bench`: log-normal response times, `per_second` samples a second.
fn rows(count: usize, series: u32, per_second: f64) -> Load {
    let mut random = Random::new(42);
    let mut rows = Load { series: Vec::new(), timestamps_ms: Vec::new(), values: Vec::new() };
    for place in 0..count {
        let (a, b) = (1.0 - random.unit(), random.unit());
        let normal = (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        let number = (random.unit() * f64::from(series)) as u32;
        let (mu, sigma) = (20.0_f64.ln() + 0.15 * f64::from(number % 10), 0.4 + 0.1 * f64::from(number % 5));
        rows.series.push(number);
        rows.values.push((mu + sigma * normal).exp());
        rows.timestamps_ms.push(START_MS as f64 + place as f64 * 1_000.0 / per_second);
    }
    rows
}

fn engine(config: EngineConfig, series: u32) -> (Engine, Vec<SeriesId>) {
    let mut engine = Engine::new(config).unwrap();
    let key = |n: u32| SeriesKey {
        metric: MetricName::new("m").unwrap(),
        labels: Labels::new([("n", n.to_string().as_str())]).unwrap(),
    };
    let ids = (0..series).map(|n| engine.series(&key(n), None).unwrap()).collect();
    (engine, ids)
}

fn question(n: u32, window: DurationMs, aggregation: &str) -> Query {
    let mut query = Query::new(MetricName::new("m").unwrap(), window, aggregation.parse::<Aggregation>().unwrap());
    let label = bellwether_core::labels::LabelName::new("n").unwrap();
    query.matchers = vec![Matcher { label, condition: Condition::Equal(n.to_string()) }];
    query
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let wanted = std::env::args().nth(1);
    let is_wanted = |part: &str| wanted.as_deref().is_none_or(|wanted| wanted == part);
    if is_wanted("w1") {
        w1();
    }
    if is_wanted("w2") {
        w2();
    }
    if is_wanted("many") {
        many();
    }
}

fn w1() {
    let load = rows(1_000_000, 100, 1e6 / 3_600.0);
    for batch in [500, 1_000_000] {
        let (mut times, mut queries) = (Vec::new(), Vec::new());
        for _ in 0..std::env::args().nth(2).and_then(|times| times.parse().ok()).unwrap_or(15) {
            let (mut engine, _) = engine(EngineConfig::page(), 100);
            let start = Instant::now();
            let batches =
                load.series.chunks(batch).zip(load.timestamps_ms.chunks(batch)).zip(load.values.chunks(batch));
            for ((series, timestamps_ms), values) in batches {
                let now = TimestampMs::new(timestamps_ms[timestamps_ms.len() - 1].ceil() as i64);
                let receipt = engine.record_columns(series, timestamps_ms, values, now).unwrap();
                assert_eq!(receipt.refused, 0);
            }
            times.push(ms(start));
            let now = TimestampMs::new(load.timestamps_ms[load.series.len() - 1].ceil() as i64);
            let start = Instant::now();
            let mut total = 0;
            for n in 0..100 {
                total += engine.query(&question(n, DurationMs::from_hours(2), "p99"), now).unwrap().count;
            }
            assert_eq!(total, 1_000_000);
            queries.push(ms(start));
        }
        let least = times.iter().fold(f64::MAX, |least, time| least.min(*time));
        println!(
            "W1 in batches of {batch}: record {:.1} ms (least {least:.1}), p99 of all {:.2} ms",
            median(times),
            median(queries)
        );
    }
}

fn w2() {
    let load = rows(3_600_000, 100, 10_000.0);
    let (mut filled, _) = engine(EngineConfig::page(), 100);
    let (mut ingests, mut asks, mut longest) = (Vec::new(), Vec::new(), 0.0_f64);
    let figures = ["count", "avg", "p50", "p95", "p99"].map(|word| word.parse::<Aggregation>().unwrap());
    let query = Query::new(MetricName::new("m").unwrap(), DurationMs::from_minutes(5), Aggregation::Count);
    let mut table = Table::new(query, figures.to_vec(), Rows::BySeries);
    for second in 0..360_usize {
        let range = second * 10_000..(second + 1) * 10_000;
        let now = TimestampMs::new(START_MS + (second as i64 + 1) * 1_000);
        let start = Instant::now();
        for batch in range.clone().step_by(500) {
            let rows = batch..batch + 500;
            let one = Instant::now();
            let values = &load.values[rows.clone()];
            filled.record_columns(&load.series[rows.clone()], &load.timestamps_ms[rows], values, now).unwrap();
            if second > 300 {
                longest = longest.max(ms(one));
            }
        }
        ingests.push(ms(start));
        if second >= 300 {
            let start = Instant::now();
            let answer = table.answer(&filled, now).unwrap();
            asks.push(ms(start));
            assert_eq!(answer.values.len(), 500);
        }
    }
    println!(
        "W2: record a second {:.3} ms, longest call {longest:.2} ms, five figures of all {:.3} ms, {:.1} MB",
        median(ingests),
        median(asks),
        filled.memory().bytes as f64 / 1e6
    );
}

fn many() {
    for config in [EngineConfig::page(), EngineConfig::default()] {
        let (mut engine, _) = engine(config, 10_000);
        let load = rows(100_000, 10_000, 10_000.0);
        let numbers: Vec<u32> = (0..10_000).collect();
        let (mut times, mut longest) = (Vec::new(), (0.0, 0));
        for second in 0..3_600_i64 {
            let now = START_MS + second * 1_000;
            let from = (second as usize * 7_919) % 90_000;
            let start = Instant::now();
            engine
                .record_columns(
                    &numbers,
                    &vec![now as f64; 10_000],
                    &load.values[from..from + 10_000],
                    TimestampMs::new(now),
                )
                .unwrap();
            engine.advance(TimestampMs::new(now));
            let took = ms(start);
            times.push(took);
            if took > longest.0 {
                longest = (took, second);
            }
        }
        times.sort_by(f64::total_cmp);
        let memory = engine.memory();
        println!(
            "10,000 series for an hour: a second p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms at {} s; {:.0} MB, {} time buckets",
            times[1_800],
            times[3_564],
            longest.0,
            longest.1,
            memory.bytes as f64 / 1e6,
            memory.time_buckets
        );
        let now = TimestampMs::new(START_MS + 3_599_000);
        for aggregation in ["avg", "p99"] {
            let start = Instant::now();
            for n in 0..1_000 {
                engine.query(&question(n * 7, DurationMs::from_minutes(5), aggregation), now).unwrap();
            }
            println!("  1,000 queries of {aggregation} over one series each: {:.2} ms", ms(start));
        }
        let mut all = question(0, DurationMs::from_minutes(5), "p99");
        all.matchers.clear();
        let start = Instant::now();
        engine.query(&all, now).unwrap();
        println!("  p99 over all: {:.1} ms", ms(start));
    }
}
