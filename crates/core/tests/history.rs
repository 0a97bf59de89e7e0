//! What one engine tells of its past, another takes in and answers the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is wrong")]

use bellwether_core::engine::{Engine, EngineConfig, MergeError, SeriesId, TierConfig, TimestampError};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Aggregation, Query};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use proptest::prelude::*;

fn ms(ms: u64) -> DurationMs {
    DurationMs::from_millis(ms)
}

fn at(ms: i64) -> TimestampMs {
    TimestampMs::new(ms)
}

fn sample(timestamp: i64, value: f64) -> Sample {
    Sample::new(at(timestamp), value).unwrap()
}

/// Small tiers; the page lacks the one in the middle.
fn config(tiers: &[(u64, u64)]) -> EngineConfig {
    let tier = |(width, span): &(u64, u64)| TierConfig { width: ms(*width), span: ms(*span) };
    EngineConfig { tiers: tiers.iter().map(tier).collect(), ..EngineConfig::default() }
}

const GATEWAY: [(u64, u64); 4] = [(100, 2_000), (500, 10_000), (2_000, 60_000), (10_000, 600_000)];
const PAGE: [(u64, u64); 3] = [(100, 2_000), (500, 10_000), (10_000, 600_000)];

fn metric() -> MetricName {
    MetricName::new("m").unwrap()
}

fn engine(tiers: &[(u64, u64)], kind: Kind) -> (Engine, SeriesId) {
    let mut engine = Engine::new(config(tiers)).unwrap();
    engine.declare(&metric(), kind).unwrap();
    let id = engine.series(&SeriesKey { metric: metric(), labels: Labels::empty() }, None).unwrap();
    (engine, id)
}

/// An engine that took in the history of another.
fn copy(of: &Engine, id: SeriesId, tiers: &[(u64, u64)], from: TimestampMs, now: TimestampMs) -> (Engine, SeriesId) {
    let (mut copy, copied) = engine(tiers, of.series_kind(id));
    for piece in of.history(id, from) {
        copy.merge(copied, piece.width, piece.end, &piece.summary, now).unwrap();
    }
    copy.advance(now);
    (copy, copied)
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Observation), Just(Kind::Gauge), Just(Kind::Event), Just(Kind::Counter)]
}

/// (ago, value) of samples over the whole span, most of them recent.
fn samples() -> impl Strategy<Value = Vec<(i64, f64)>> {
    let ago = prop_oneof![0..2_500_i64, 0..12_000_i64, 0..70_000_i64, 0..650_000_i64];
    proptest::collection::vec((ago, (0..1_000_i32).prop_map(f64::from)), 1..150)
}

fn counts(engine: &Engine, window: u64, now: TimestampMs) -> (u64, TimestampMs) {
    let answer = engine.query(&Query::new(metric(), ms(window), Aggregation::Count), now).unwrap();
    (answer.count, answer.from)
}

/// What a counter has grown by in `(from, to]`, with the step from the last sample before.
fn increase(samples: &[Sample], from: TimestampMs, to: TimestampMs) -> Option<f64> {
    let pairs = samples.windows(2).filter(|pair| from < pair[1].timestamp() && pair[1].timestamp() <= to);
    let steps = pairs.map(|pair| (pair[0].value(), pair[1].value()));
    steps.map(|(before, after)| if after < before { after } else { after - before }).reduce(|a, b| a + b)
}

proptest! {
    #[test]
    fn a_copy_answers_the_same(
        kind in kinds(),
        start in 1_000_000..1_020_000_i64,
        mut samples in samples(),
        windows in proptest::collection::vec(1..600_000_u64, 1..8),
        to_page in any::<bool>(),
    ) {
        let now = at(start);
        let (mut original, id) = engine(&GATEWAY, kind);
        samples.sort_by_key(|(ago, _)| -ago);
        let samples: Vec<Sample> = samples.iter().map(|(ago, value)| sample(start - ago, *value)).collect();
        for sample in &samples {
            // Time goes on with the samples, as it does in life.
            let _ = original.record(id, *sample, sample.timestamp());
        }
        original.advance(now);
        let kept = at((start - 600_000).div_euclid(10_000) * 10_000);
        let samples: Vec<Sample> = samples.into_iter().filter(|sample| sample.timestamp() > kept).collect();
        let tiers = if to_page { &PAGE[..] } else { &GATEWAY[..] };
        let (copy, _) = copy(&original, id, tiers, at(i64::MIN), now);
        for window in windows {
            for aggregation in ["avg", "sum", "min", "max", "first", "last", "increase", "p50", "p99"] {
                if kind == Kind::Gauge && aggregation == "increase" {
                    continue;
                }
                // The copy may know the past in wider time buckets only; over the range that it
                // really covers the two agree.
                let mut query = Query::new(metric(), ms(window), aggregation.parse().unwrap());
                let answer = copy.query(&query, now).unwrap();
                query.window = now.since(answer.from).min(ms(600_000));
                let found = copy.query(&query, now).unwrap();
                let expected = original.query(&query, now).unwrap();
                if found.from != expected.from {
                    continue;
                }
                prop_assert_eq!(found.count, expected.count);
                if kind == Kind::Counter && aggregation == "increase" {
                    let exact = increase(&samples, found.from, found.to);
                    prop_assert_eq!((found.value, expected.value), (exact, exact), "{}", window);
                    continue;
                }
                match (found.value, expected.value) {
                    (Some(found), Some(expected)) => {
                        // Sums may be put together in another order; sketches are the same, but a
                        // time bucket with several samples in both may have been one of one.
                        let allowed = if aggregation.starts_with('p') { 0.011 } else { 1e-12 };
                        prop_assert!(
                            (found - expected).abs() <= expected.abs().max(1.0) * allowed,
                            "{aggregation} over {window}: {found} for {expected}"
                        );
                    }
                    (found, expected) => prop_assert_eq!(found, expected),
                }
            }
        }
    }

    #[test]
    fn history_tells_each_sample_once(
        kind in kinds(),
        start in 1_000_000..1_020_000_i64,
        samples in samples(),
        range in 1..700_000_u64,
    ) {
        let (mut original, id) = engine(&GATEWAY, kind);
        let now = at(start);
        original.advance(now);
        let mut taken = Vec::new();
        for (ago, value) in samples {
            if original.record(id, sample(start - ago, value), now).is_ok() {
                taken.push(start - ago);
            }
        }
        let from = now - ms(range);
        let kept = at((start - 600_000).div_euclid(10_000) * 10_000);
        let pieces: Vec<_> = original.history(id, from).collect();
        // No two overlap, and newer ones come first.
        for pair in pieces.windows(2) {
            prop_assert!(pair[1].end <= pair[0].end - pair[0].width);
        }
        let told: u64 = pieces.iter().map(|piece| piece.summary.count).sum();
        let wanted = taken.iter().filter(|taken| at(**taken) > from).count() as u64;
        prop_assert!(told >= wanted, "{told} of {wanted}");
        // Nothing is told of before the left-most time bucket, but a counter's last sample there.
        let (extra, pieces): (Vec<_>, Vec<_>) = pieces.into_iter().partition(|piece| piece.end <= from);
        let told: u64 = pieces.iter().map(|piece| piece.summary.count).sum();
        if let Some(left) = pieces.iter().map(|piece| piece.end - piece.width).min() {
            prop_assert_eq!(told, taken.iter().filter(|taken| at(**taken) > left).count() as u64);
            let before = taken.iter().map(|taken| at(*taken)).filter(|taken| *taken <= left).max();
            let before = before.filter(|_| kind == Kind::Counter && left > kept);
            let extra: Vec<_> = extra.iter().map(|piece| (piece.summary.count, piece.summary.last.timestamp())).collect();
            prop_assert_eq!(extra, before.map(|before| (1, before)).into_iter().collect::<Vec<_>>());
        } else {
            prop_assert!(extra.len() <= usize::from(kind == Kind::Counter));
        }
    }
}

#[test]
fn a_tier_that_got_no_fine_samples_is_passed_over() {
    let (mut original, id) = engine(&GATEWAY, Kind::Event);
    let now = at(60_000);
    let mut wide = Summary::of(sample(50_100, 1.0), Kind::Event);
    wide.record(sample(50_900, 1.0), Kind::Event);
    original.merge(id, ms(2_000), at(52_000), &wide, now).unwrap();
    original.record(id, sample(59_950, 1.0), now).unwrap();
    // 10 s are within the second tier's span, but that has nothing up to 52 s.
    assert_eq!(counts(&original, 9_500, now), (3, at(50_000)));
    assert_eq!(counts(&original, 1_000, now), (1, at(59_000)));
    assert_eq!(counts(&original, 8_000, now), (1, at(52_000)));
}

#[test]
fn a_summary_that_does_not_fit_is_refused() {
    let (mut original, id) = engine(&GATEWAY, Kind::Event);
    let now = at(1_000_000);
    let one = Summary::of(sample(999_950, 1.0), Kind::Event);
    let mut merge = |width, end, summary: &Summary| original.merge(id, ms(width), at(end), summary, now);
    assert_eq!(merge(0, 1_000_000, &one), Err(MergeError::Width { width: ms(0) }));
    assert_eq!(merge(7_000, 1_001_000, &one), Err(MergeError::Width { width: ms(7_000) }));
    assert_eq!(merge(100, 1_000_001, &one), Err(MergeError::Edge { end: at(1_000_001), width: ms(100) }));
    assert_eq!(merge(100, 999_900, &one), Err(MergeError::Outside { end: at(999_900), width: ms(100) }));
    let old = Summary::of(sample(10, 1.0), Kind::Event);
    assert_eq!(
        merge(100, 100, &old),
        Err(MergeError::Timestamp(TimestampError::TooLate { timestamp: at(10), oldest: at(400_001) }))
    );
    assert_eq!(merge(100, 1_000_000, &one), Ok(()));
    // A width that is no tier's own goes into those that are made of it.
    assert_eq!(merge(1_000, 1_000_000, &one), Ok(()));
    assert_eq!(counts(&original, 600_000, now).0, 2);
}
