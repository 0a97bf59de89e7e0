//! Whatever happens to an engine, in any order and at any time.

use bellwether_core::alerts::Alerts;
use bellwether_core::engine::{Engine, EngineConfig, TierConfig};
use bellwether_core::labels::{LabelName, Labels};
use bellwether_core::query::{Expression, Query};
use bellwether_core::rule::{Comparison, NoData, Rule, Severity};
use bellwether_core::sample::Sample;
use bellwether_core::scorecard::scorecard;
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};

use crate::engine_model::small_tiers;
use crate::source::Source;

/// Most steps of one run, so that one input cannot take a second.
const MOST_STEPS: usize = 300;

/// Any configuration, any instants, a clock that jumps to and fro: no panic, no figure that is not
/// finite, and a snapshot that is the engine.
pub fn engine(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let config = config(&mut source);
    let Ok(mut engine) = Engine::new(config.clone()) else { return };
    let mut alerts = Alerts::new();
    let mut now = source.instant();
    for _ in 0..MOST_STEPS {
        if source.is_empty() {
            break;
        }
        match source.below(12) {
            0 => now = source.instant(),
            1 => now = now + DurationMs::from_millis(source.below(100_000)),
            2 => engine.advance(now),
            3 => engine = Engine::restore(config.clone(), &engine.snapshot()).unwrap(),
            4..=6 => record(&mut engine, &mut source, now),
            7 => merge(&mut engine, &mut source, now),
            8 => {
                let count = source.below(4) as usize;
                let numbers: Vec<u32> = (0..count).map(|_| source.below(8) as u32).collect();
                let times: Vec<f64> = (0..count).map(|_| f64::from_bits(source.int() as u64)).collect();
                let values: Vec<f64> = (0..count).map(|_| f64::from_bits(source.int() as u64)).collect();
                let receipt = engine.record_columns(&numbers, &times, &values, now).unwrap();
                assert_eq!(receipt.accepted + receipt.refused, count);
            }
            9 => ask(&engine, &mut source, now),
            10 => chart(&engine, &mut source, now),
            _ => {
                let rule = rule(&mut source);
                alerts.evaluate(&[rule], &engine, now);
                let _ = scorecard(&engine, now);
            }
        }
    }
    ask(&engine, &mut source, now);
    let kept = engine.snapshot();
    assert_eq!(Engine::restore(config, &kept).unwrap().snapshot(), kept);
}

fn config(source: &mut Source<'_>) -> EngineConfig {
    let tiers = match source.below(4) {
        0 => return EngineConfig::default(),
        1 => return EngineConfig::page(),
        2 => small_tiers().tiers,
        _ => (0..source.below(4)).map(|_| TierConfig { width: source.length(), span: source.length() }).collect(),
    };
    EngineConfig {
        tiers,
        max_series: source.below(8) as usize,
        max_series_per_metric: source.below(8) as usize,
        future_skew: source.length(),
        staleness: source.length(),
    }
}

/// Mostly near now, sometimes anywhere.
fn near(source: &mut Source<'_>, now: TimestampMs) -> TimestampMs {
    match source.below(4) {
        0 => now,
        1 => source.instant(),
        2 => now + DurationMs::from_millis(source.below(2_000)),
        _ => now - DurationMs::from_millis(source.below(70_000)),
    }
}

fn record(engine: &mut Engine, source: &mut Source<'_>, now: TimestampMs) {
    let declared = (source.below(2) == 0).then(|| source.kind());
    let Ok(id) = engine.series(&source.key(), declared) else { return };
    let timestamp = near(source, now);
    let sample = Sample::new(timestamp, source.value()).unwrap();
    let is_taken = engine.check(timestamp, now).is_ok();
    assert_eq!(engine.record(id, sample, now).is_ok(), is_taken);
    let _ = engine.latest(id);
}

fn merge(engine: &mut Engine, source: &mut Source<'_>, now: TimestampMs) {
    let Ok(id) = engine.series(&source.key(), None) else { return };
    let kind = engine.series_kind(id);
    let width = source.one_of(&[100, 500, 1_000, 2_000, 10_000, 60_000, 3_600_000]);
    let end = edge_after(near(source, now), width);
    let mut summary: Option<Summary> = None;
    for _ in 0..=source.below(4) {
        let timestamp = end - DurationMs::from_millis(source.below(width));
        let sample = Sample::new(timestamp, source.value()).unwrap();
        match &mut summary {
            Some(summary) => summary.record(sample, kind),
            None => summary = Some(Summary::of(sample, kind)),
        }
    }
    let summary = summary.unwrap();
    let parts = Summary::from_parts(summary.parts()).unwrap();
    assert_eq!(parts, summary);
    let _ = engine.merge(id, DurationMs::from_millis(width), end, &summary, now);
}

/// The next edge of time buckets of `width` ms, or the end of time where there is none.
fn edge_after(instant: TimestampMs, width: u64) -> TimestampMs {
    let width = width as i64;
    TimestampMs::new(instant.get().div_euclid(width).saturating_add(1).saturating_mul(width))
}

fn question(source: &mut Source<'_>) -> Query {
    let mut query = Query::new(source.key().metric, source.length(), source.aggregation());
    query.across = source.across();
    if source.below(2) == 0 {
        query.by.push(LabelName::new("a").unwrap());
    }
    query
}

fn expression(source: &mut Source<'_>) -> Expression {
    let first = question(source);
    if source.below(4) > 0 {
        return Expression::Single(first);
    }
    let mut second = question(source);
    second.by.clone_from(&first.by);
    Expression::Ratio(first, second)
}

fn ask(engine: &Engine, source: &mut Source<'_>, now: TimestampMs) {
    let expression = expression(source);
    let at = near(source, now);
    for group in engine.evaluate(&expression, at).into_iter().flatten() {
        let answer = group.answer;
        assert!(answer.value.is_none_or(f64::is_finite), "{expression:?} {answer:?}");
        assert!(answer.from <= answer.to && answer.to <= at, "{expression:?} at {at:?} {answer:?}");
        assert!(answer.relative_error >= 0.0, "{expression:?} {answer:?}");
    }
    let _ = engine.evaluate_one(&expression, at);
    let ids: Vec<_> = engine.matching(&source.key().metric, &[]).collect();
    for id in ids {
        let from = near(source, now);
        engine.history(id, from).for_each(drop);
    }
    let _ = engine.memory();
}

fn chart(engine: &Engine, source: &mut Source<'_>, now: TimestampMs) {
    let expression = expression(source);
    let (from, to) = (near(source, now), near(source, now));
    let most = source.below(64) as usize;
    for line in engine.lines(&expression, from, to, most).into_iter().flatten() {
        assert!(line.columns.len() <= most);
    }
}

fn rule(source: &mut Source<'_>) -> Rule {
    Rule {
        name: source.one_of(&["A", "B"]).to_owned(),
        figure: expression(source),
        comparison: source.one_of(&[Comparison::Above, Comparison::AtMost]),
        threshold: source.value(),
        hold: source.length(),
        keep_firing_for: source.length(),
        query_offset: source.length(),
        no_data: source.one_of(&[NoData::Keep, NoData::Resolve, NoData::Fire]),
        severity: Severity::Page,
        labels: Labels::empty(),
        summary: String::new(),
        runbook: String::new(),
    }
}
