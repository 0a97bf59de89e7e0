//! Windows of years, in an engine that is told to keep years.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use bellwether_core::engine::{Engine, EngineConfig, TierConfig};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Answer, Query, QueryError};
use bellwether_core::sample::Sample;
use bellwether_core::time::{DurationMs, TimestampMs};

const DAY: u64 = 86_400_000;

/// The end of a day since the epoch, 10 years on.
fn day(number: u64) -> TimestampMs {
    TimestampMs::new(0) + DurationMs::from_millis((3_650 + number) * DAY)
}

fn ask(engine: &Engine, aggregation: &str, days: u64, at: u64) -> Result<Answer, QueryError> {
    let metric = MetricName::new("resolution_time").unwrap();
    engine.query(&Query::new(metric, DurationMs::from_days(days), aggregation.parse().unwrap()), day(at))
}

#[test]
fn figures_of_years_come_from_days() {
    let mut config = EngineConfig::default();
    config.tiers.push(TierConfig { width: DurationMs::from_days(1), span: DurationMs::from_days(3_650) });
    let mut engine = Engine::new(config).unwrap();
    let key = SeriesKey { metric: MetricName::new("resolution_time").unwrap(), labels: Labels::empty() };
    let id = engine.series(&key, None).unwrap();
    // Four years, a sample a day: its value is the number of the day.
    for number in 1..=1_460 {
        engine.record(id, Sample::new(day(number), number as f64).unwrap(), day(number)).unwrap();
        engine.advance(day(number));
    }
    let value = |aggregation, days| ask(&engine, aggregation, days, 1_460).unwrap().value;
    assert_eq!(value("count", 365), Some(365.0));
    assert_eq!(value("sum", 1_460), Some(1_460.0 * 1_461.0 / 2.0));
    assert_eq!((value("first", 730), value("last", 730), value("min", 730)), (Some(731.0), Some(1_460.0), Some(731.0)));
    // Against the year before: each day is 365 more.
    assert_eq!(value("delta", 365), Some(365.0));
    let p90 = ask(&engine, "p90", 1_095, 1_460).unwrap();
    // Rank floor(0.9 · 1094) = 984 of 366 … 1460.
    assert!((p90.value.unwrap() - 1_350.0).abs() <= 1_350.0 * p90.relative_error && p90.relative_error < 0.005_5);
    assert_eq!((p90.from, p90.to, p90.count), (day(365), day(1_460), 1_095));
    let longest = DurationMs::from_days(3_650);
    assert_eq!(
        ask(&engine, "avg", 3_651, 1_460),
        Err(QueryError::WindowTooLong { window: DurationMs::from_days(3_651), longest })
    );
}
