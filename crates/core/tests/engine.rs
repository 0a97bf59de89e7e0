//! The engine at its edges: limits, refusals, clocks that jump, the ends of time and of the floats.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is wrong")]

use bellwether_core::engine::{ConfigError, Engine, EngineConfig, SeriesError, SeriesId, TierConfig, TimestampError};
use bellwether_core::labels::{LabelName, Labels, MetricName, SeriesKey};
use bellwether_core::query::{Across, Aggregation, Expression, Query, QueryError};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::selector::{Condition, Matcher, Pattern};
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use proptest::prelude::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// Midnight of a day in 2023, on an edge of every tier.
const NOW: i64 = 1_700_006_400_000;

fn at(ms: i64) -> TimestampMs {
    TimestampMs::new(ms)
}

fn metric(name: &str) -> MetricName {
    MetricName::new(name).unwrap()
}

fn key(name: &str, labels: &[(&str, &str)]) -> SeriesKey {
    SeriesKey { metric: metric(name), labels: Labels::new(labels.iter().copied()).unwrap() }
}

fn sample(timestamp: i64, value: f64) -> Sample {
    Sample::new(at(timestamp), value).unwrap()
}

fn engine() -> Engine {
    Engine::new(EngineConfig::default()).unwrap()
}

fn query(name: &str, window: &str, aggregation: &str) -> Query {
    Query::new(metric(name), window.parse().unwrap(), aggregation.parse().unwrap())
}

fn value(engine: &Engine, query: &Query, now: i64) -> Option<f64> {
    engine.query(query, at(now)).unwrap().value
}

#[test]
fn tiers_must_fit_each_other() {
    let tier = |width, span| TierConfig { width: DurationMs::from_millis(width), span: DurationMs::from_millis(span) };
    let check = |tiers: &[TierConfig]| {
        Engine::new(EngineConfig { tiers: tiers.to_vec(), ..EngineConfig::default() }).map(|_| ()).unwrap_err()
    };
    let ms = DurationMs::from_millis;
    assert_eq!(check(&[]), ConfigError::NoTier);
    assert_eq!(check(&[tier(0, 9)]), ConfigError::Width { tier: 0, width: ms(0) });
    assert_eq!(check(&[tier(2, 9), tier(2, 10)]), ConfigError::NotMultiple { tier: 1, width: ms(2) });
    assert_eq!(check(&[tier(2, 9), tier(3, 10)]), ConfigError::NotMultiple { tier: 1, width: ms(3) });
    assert_eq!(check(&[tier(2, 9), tier(4, 9)]), ConfigError::Span { tier: 1, span: ms(9) });
    assert_eq!(check(&[tier(2, 1)]), ConfigError::Span { tier: 0, span: ms(1) });
    assert!(Engine::new(EngineConfig::page()).is_ok());
}

#[test]
fn a_metric_has_one_kind() {
    let mut engine = engine();
    engine.declare(&metric("a"), Kind::Gauge).unwrap();
    assert_eq!(engine.declare(&metric("a"), Kind::Gauge), Ok(()));
    assert!(engine.declare(&metric("a"), Kind::Event).is_err());
    let id = engine.series(&key("a", &[]), None).unwrap();
    assert_eq!(engine.series_kind(id), Kind::Gauge);
    let refused = engine.series(&key("a", &[("x", "1")]), Some(Kind::Counter)).unwrap_err();
    assert!(matches!(refused, SeriesError::KindConflict(_)));
    assert_eq!(
        refused.to_string(),
        "metric a is kept as gauge, so it cannot be counter as well; give one of them another name"
    );
    let id = engine.series(&key("b_total", &[]), None).unwrap();
    assert_eq!(engine.series_kind(id), Kind::Counter, "implied by the name");
    let id = engine.series(&key("c_total", &[]), Some(Kind::Gauge)).unwrap();
    assert_eq!(engine.series_kind(id), Kind::Gauge, "declared by the sender");
    let id = engine.series(&key("d", &[]), None).unwrap();
    assert_eq!(engine.series_kind(id), Kind::Observation);
    let metrics: Vec<_> = engine.metrics().map(|(name, kind, series)| (name.as_str(), kind, series)).collect();
    assert_eq!(metrics[0], ("a", Kind::Gauge, 1));
    assert_eq!(metrics.len(), 4);
}

#[test]
fn series_are_counted_and_refused_by_name() {
    let config = EngineConfig { max_series: 3, max_series_per_metric: 2, ..EngineConfig::default() };
    let mut engine = Engine::new(config).unwrap();
    let first = engine.series(&key("a", &[("n", "1")]), None).unwrap();
    engine.series(&key("a", &[("n", "2")]), None).unwrap();
    assert_eq!(
        engine.series(&key("a", &[("n", "3")]), None),
        Err(SeriesError::TooManySeriesOfMetric { metric: metric("a"), most: 2 })
    );
    engine.series(&key("b", &[]), None).unwrap();
    assert_eq!(engine.series(&key("c", &[]), None), Err(SeriesError::TooManySeries { most: 3 }));
    assert_eq!(engine.series(&key("a", &[("n", "1")]), None), Ok(first), "what is there stays reachable");
    assert_eq!(engine.find(&key("a", &[("n", "1")])), Some(first));
    assert_eq!(engine.find(&key("c", &[])), None);
    assert_eq!((engine.series_count(), first.index()), (3, 0));
}

#[test]
fn timestamps_are_accepted_up_to_the_edges() {
    let engine = engine();
    let check = |timestamp| engine.check(at(timestamp), at(NOW));
    assert_eq!(check(NOW + 600_000), Ok(()));
    let latest = at(NOW + 600_000);
    assert_eq!(check(NOW + 600_001), Err(TimestampError::TooNew { timestamp: at(NOW + 600_001), latest }));
    // 92 days before now is an edge of hours: what lies before it is gone.
    let oldest = NOW - 92 * DAY + 1;
    assert_eq!(check(oldest), Ok(()));
    assert_eq!(check(oldest - 1), Err(TimestampError::TooLate { timestamp: at(oldest - 1), oldest: at(oldest) }));
}

#[test]
fn samples_lie_within_the_whole_numbers_that_a_float_holds() {
    let config = EngineConfig { future_skew: DurationMs::from_millis(u64::MAX), ..EngineConfig::default() };
    let engine = Engine::new(config).unwrap();
    let check = |timestamp, now| engine.check(timestamp, now);
    let (earliest, latest) = (TimestampMs::EARLIEST, TimestampMs::LATEST);
    let (first, last) = (at(i64::MIN), at(i64::MAX));
    assert_eq!((earliest.get() as f64, latest.get() as f64), (-9_007_199_254_740_991.0, 9_007_199_254_740_991.0));
    assert_eq!(check(earliest, first), Ok(()));
    assert_eq!(check(first, first), Err(TimestampError::TooLate { timestamp: first, oldest: earliest }));
    assert_eq!(check(latest, latest), Ok(()));
    assert_eq!(check(last, last), Err(TimestampError::TooNew { timestamp: last, latest }));
}

#[test]
fn a_sample_far_ahead_blocks_none_after_it() {
    let mut engine = engine();
    let id = engine.series(&key("m", &[]), None).unwrap();
    assert!(engine.record(id, sample(NOW + 10 * DAY, 9.0), at(NOW)).is_err());
    engine.record(id, sample(NOW + 500_000, 5.0), at(NOW)).unwrap();
    engine.record(id, sample(NOW, 1.0), at(NOW)).unwrap();
    assert_eq!(value(&engine, &query("m", "5m", "sum"), NOW), Some(1.0), "what lies ahead does not count yet");
    assert_eq!(engine.latest(id), Some(sample(NOW + 500_000, 5.0)));
    assert_eq!(value(&engine, &query("m", "10m", "sum"), NOW + 500_000), Some(6.0));
}

#[test]
fn a_clock_that_was_ahead_and_is_set_back_heals() {
    let mut engine = engine();
    let id = engine.series(&key("m", &[]), None).unwrap();
    engine.record(id, sample(NOW - 30 * DAY, 1.0), at(NOW)).unwrap();
    engine.record(id, sample(NOW - 1_000, 2.0), at(NOW)).unwrap();
    // The clock jumps ten days ahead and comes back after a while.
    engine.advance(at(NOW + 10 * DAY));
    engine.record(id, sample(NOW + 10 * DAY, 4.0), at(NOW + 10 * DAY)).unwrap();
    engine.advance(at(NOW + 1_000));
    engine.record(id, sample(NOW + 1_000, 8.0), at(NOW + 1_000)).unwrap();
    // What the fine tiers lost is told from the hours that are left; nothing counts twice.
    assert_eq!(value(&engine, &query("m", "90d", "sum"), NOW + 1_000), Some(11.0));
    engine.record(id, sample(NOW + 120_000, 16.0), at(NOW + 120_000)).unwrap();
    let answer = engine.query(&query("m", "1m", "sum"), at(NOW + 120_000)).unwrap();
    assert_eq!((answer.value, answer.from), (Some(16.0), at(NOW + 60_000)), "fine again after a minute");
}

#[test]
fn what_is_old_goes_and_memory_is_bounded() {
    let mut engine = engine();
    let ids: Vec<SeriesId> =
        (0..3).map(|n| engine.series(&key("m", &[("n", &n.to_string())]), None).unwrap()).collect();
    let mut most = 0;
    // A day of a sample each 20 s.
    for step in 0..4_320 {
        let now = NOW + step * 20_000;
        for id in &ids {
            engine.record(*id, sample(now, step as f64), at(now)).unwrap();
        }
        engine.advance(at(now));
        most = most.max(engine.memory().time_buckets);
    }
    // By tier and series: 30 of seconds, 360 of ten seconds, 1,440 of minutes, 24 of hours, and
    // what waits for the next sweep.
    assert!(most <= 3 * (30 + 360 + 1_440 + 25) * 66 / 64, "{most}");
    let memory = engine.memory();
    assert_eq!(memory.series, 3);
    assert!(memory.bytes > memory.time_buckets * 32 && memory.bytes < memory.time_buckets * 256, "{memory:?}");
    // Quiet series are evicted as well.
    engine.advance(at(NOW + 200 * DAY));
    assert_eq!(engine.memory().time_buckets, 0);
    assert!(engine.memory().bytes < 10_000, "{:?}", engine.memory());
    assert_eq!(engine.latest(ids[0]), None);
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let mut engine = engine();
    engine.declare(&metric("g"), Kind::Gauge).unwrap();
    let ask =
        |query: &Query| engine.query(query, at(NOW)).map(|answer| answer.value).map_err(|error| error.to_string());
    assert_eq!(ask(&query("g", "0", "avg")).unwrap_err(), "the window is zero long; ask for at least 1 ms, such as 5m");
    assert_eq!(ask(&query("g", "93d", "avg")).unwrap_err(), "the window is 93d long; at most 92d are kept");
    assert_eq!(
        ask(&query("g", "5m", "rate")).unwrap_err(),
        "rate does not fit g, which is a gauge; use delta, avg, min, max or last"
    );
    assert_eq!(ask(&query("unheard_of", "5m", "rate")), Ok(None));
    assert_eq!(engine.query_groups(&query("unheard_of", "5m", "avg"), at(NOW)), Ok(vec![]));
}

#[test]
fn groups_ratios_and_joins() {
    let mut engine = engine();
    for (route, status, n) in [("/a", "200", 8), ("/a", "500", 2), ("/b", "200", 5)] {
        let id = engine.series(&key("requests", &[("route", route), ("status", status)]), Some(Kind::Event)).unwrap();
        for _ in 0..n {
            engine.record(id, sample(NOW, 1.0), at(NOW)).unwrap();
        }
    }
    let mut all = query("requests", "5m", "sum");
    all.by = vec![LabelName::new("route").unwrap()];
    let mut errors = all.clone();
    errors.matchers =
        vec![Matcher { label: LabelName::new("status").unwrap(), condition: Condition::Equal("500".into()) }];
    let groups = engine.evaluate(&Expression::Ratio(errors.clone(), all.clone()), at(NOW)).unwrap();
    assert_eq!(groups.len(), 1, "a group that only one side has is left out");
    assert_eq!(groups[0].labels.get("route"), Some("/a"));
    assert_eq!((groups[0].answer.value, groups[0].answer.count), (Some(0.2), 10));
    let one = engine.evaluate_one(&Expression::Ratio(errors, all.clone()), at(NOW)).unwrap();
    assert_eq!(one.value, Some(2.0 / 15.0));
    for (across, expected) in
        [(Across::Merge, 15.0), (Across::Sum, 15.0), (Across::Avg, 5.0), (Across::Min, 2.0), (Across::Max, 8.0)]
    {
        all.across = across;
        assert_eq!(value(&engine, &all, NOW), Some(expected), "{across:?}");
    }
    all.aggregation = Aggregation::Last;
    all.across = Across::Merge;
    assert!(matches!(engine.query(&all, at(NOW)), Err(QueryError::AcrossNeeded { series: 3, .. })));
    all.by.push(LabelName::new("status").unwrap());
    assert_eq!(engine.query_groups(&all, at(NOW)).unwrap().len(), 3);
}

#[test]
fn quantiles_of_both_signs_have_a_bound_that_holds() {
    let mut engine = engine();
    // Three values each, so that the middle one is estimated.
    let mut ask = |name: &str, across, middles: &[f64]| {
        for (place, middle) in middles.iter().enumerate() {
            let id = engine.series(&key(name, &[("n", &place.to_string())]), None).unwrap();
            for value in [middle - 90.0, *middle, middle + 90.0] {
                engine.record(id, sample(NOW, value), at(NOW)).unwrap();
            }
        }
        let mut query = query(name, "5m", "p50");
        query.across = across;
        let answer = engine.query(&query, at(NOW)).unwrap();
        let sum: f64 = middles.iter().sum();
        let exact = if across == Across::Avg { sum / middles.len() as f64 } else { sum };
        (answer, exact)
    };
    for (name, across, middles) in [
        ("a", Across::Sum, [1_003.0, -903.0]),
        ("b", Across::Avg, [1_003.0, -903.0]),
        ("c", Across::Sum, [1_003.0, 17.0]),
    ] {
        let (answer, exact) = ask(name, across, &middles);
        let error = (answer.value.unwrap() - exact).abs() / exact;
        assert!(error > 0.0 && error <= answer.relative_error, "{error}, {answer:?}");
    }
    let (cancelled, _) = ask("d", Across::Sum, &[1_003.0, -1_003.5]);
    assert_eq!(cancelled.relative_error, f64::INFINITY);
    assert!(ask("e", Across::Sum, &[1_003.0, 1_003.5]).0.relative_error < 0.005_5, "one sign, no more than each");
}

#[test]
fn a_division_by_nothing_has_no_value() {
    let mut engine = engine();
    let id = engine.series(&key("zero", &[]), None).unwrap();
    engine.record(id, sample(NOW, 0.0), at(NOW)).unwrap();
    let (zero, absent) = (query("zero", "5m", "sum"), query("absent", "5m", "sum"));
    for (dividend, divisor) in [(&zero, &zero), (&zero, &absent), (&absent, &zero)] {
        let ratio = Expression::Ratio(dividend.clone(), divisor.clone());
        assert_eq!(engine.evaluate_one(&ratio, at(NOW)).unwrap().value, None);
    }
}

#[test]
fn a_change_needs_all_of_the_window_before() {
    let mut engine = engine();
    let id = engine.series(&key("m", &[]), None).unwrap();
    for days in 0..91 {
        engine.record(id, sample(NOW - days * DAY, f64::from(days < 30)), at(NOW)).unwrap();
    }
    assert_eq!(value(&engine, &query("m", "30d", "delta"), NOW), Some(1.0));
    // Of 90 days only 2 are kept before.
    assert_eq!(value(&engine, &query("m", "90d", "delta"), NOW), None);
    assert_eq!(value(&engine, &query("m", "90d", "avg"), NOW), Some(1.0 / 3.0));
}

#[test]
fn a_counter_counts_the_step_into_a_window_as_long_as_a_tier() {
    let mut engine = engine();
    let id = engine.series(&key("requests_total", &[]), None).unwrap();
    // 60 a minute, from midnight until half past twelve on the next day.
    for second in 0..=131_400 {
        let now = NOW + second * 1_000;
        engine.record(id, sample(now, second as f64), at(now)).unwrap();
    }
    let now = NOW + 131_400_000;
    for sweep in [false, true] {
        if sweep {
            engine.advance(at(now));
        }
        for (window, expected) in [("10m", 600.0), ("2h", 7_200.0), ("24h", 86_400.0)] {
            assert_eq!(value(&engine, &query("requests_total", window, "increase"), now), Some(expected), "{window}");
        }
    }
}

/// Samples from four days before [`NOW`] up to it, each worth the seconds since the one before: one
/// each 10 s, and in the last three hours each second.
fn four_days() -> Engine {
    let mut engine = engine();
    engine.declare(&metric("e"), Kind::Event).unwrap();
    let id = engine.series(&key("e", &[]), None).unwrap();
    let tens = (-4 * 8_640..-1_080).map(|ten| (ten * 10, 10.0));
    for (second, value) in tens.chain((-10_809..=0).map(|second| (second, 1.0))) {
        engine.record(id, sample(NOW + second * 1_000, value), at(NOW + second * 1_000)).unwrap();
    }
    engine
}

#[test]
fn a_window_in_the_past_ends_where_it_was_asked_to_or_is_refused() {
    let engine = four_days();
    let ask = |ago: i64| engine.query(&query("e", "5m", "sum"), at(NOW - ago));
    let exact = |ago: i64, from: i64| {
        let answer = ask(ago).unwrap();
        assert_eq!((answer.from, answer.to), (at(NOW - from), at(NOW - ago)), "{ago} ms ago");
        assert_eq!(answer.value, Some(((from - ago) / 1_000) as f64), "{ago} ms ago");
    };
    let refused = |ago: i64, width: &str, nearest: i64| {
        let (at, width, nearest) = (at(NOW - ago), width.parse().unwrap(), at(NOW - nearest));
        assert_eq!(ask(ago), Err(QueryError::RightEdgeGone { at, width, nearest }), "{ago} ms ago");
    };
    let (minute, day) = (60_000, DAY);
    exact(5 * minute, 10 * minute);
    // The second before is only in the ten seconds before.
    exact(5 * minute + 1_000, 10 * minute + 10_000);
    exact(30 * minute, 35 * minute);
    exact(30 * minute + 10_000, 35 * minute + 10_000);
    refused(30 * minute + 1_000, "10s", 30 * minute + 10_000);
    exact(3 * HOUR, 3 * HOUR + 5 * minute);
    exact(3 * HOUR + minute, 3 * HOUR + 6 * minute);
    refused(3 * HOUR + 10_000, "1m", 3 * HOUR + minute);
    exact(3 * day, 3 * day + HOUR);
    refused(3 * day + minute, "1h", 3 * day + HOUR);
    // Five minutes that span two tiers: the left edge is one of the coarser.
    exact(2 * HOUR, 2 * HOUR + 5 * minute);
    assert_eq!(
        ask(3 * day + minute).unwrap_err().to_string(),
        "figures up to 1699747140000 are gone: of that time whole 1h are kept; ask at 1699743600000 or at another \
         multiple of 1h"
    );
    // Where nothing came between, nothing is missed.
    let mut sparse = self::engine();
    let id = sparse.series(&key("m", &[]), None).unwrap();
    sparse.record(id, sample(NOW - 3 * day - 30 * minute, 7.0), at(NOW)).unwrap();
    let answer = sparse.query(&query("m", "5m", "avg"), at(NOW - 3 * day - 20 * minute)).unwrap();
    assert_eq!((answer.value, answer.to), (Some(7.0), at(NOW - 3 * day - 20 * minute)));
    assert!(sparse.query(&query("m", "5m", "avg"), at(NOW - 3 * day - 40 * minute)).is_err());
}

#[test]
fn a_change_against_the_window_before_is_whole_at_any_instant() {
    let mut engine = four_days();
    let id = engine.find(&key("e", &[])).unwrap();
    for second in 1..4_000 {
        let now = NOW + second * 1_000;
        engine.record(id, sample(now, 1.0), at(now)).unwrap();
        if second % 613 == 0 {
            for (window, ms) in [("5m", 300_000), ("10m", 600_000), ("2h", 7_200_000), ("24h", 86_400_000)] {
                let sum = |to: TimestampMs| {
                    let answer = engine.query(&query("e", window, "sum"), to).unwrap();
                    assert_eq!(answer.to, to, "{window} at {second}");
                    assert_eq!(answer.value, Some((to.since(answer.from).as_millis() / 1_000) as f64));
                    (answer.value.unwrap(), answer.from)
                };
                let (current, from) = sum(at(now));
                assert!(at(now).since(from).as_millis() - ms < 60_000, "{window} at {second}");
                let (previous, _) = sum(from);
                assert_eq!(value(&engine, &query("e", window, "delta"), now), Some(current - previous));
            }
        }
    }
}

/// Every matcher against every series, one by one.
#[test]
fn a_search_finds_what_looking_at_each_would() {
    let mut engine = engine();
    let mut keys = Vec::new();
    for host in ["a", "b", "c", ""] {
        for core in ["0", "1", ""] {
            keys.push(key("m", &[("host", host), ("core", core)]));
            engine.series(keys.last().unwrap(), None).unwrap();
        }
    }
    engine.series(&key("other", &[("host", "a")]), None).unwrap();
    let conditions = |text: &str| {
        let pattern = || Pattern::new(text).unwrap();
        [
            Condition::Equal(text.into()),
            Condition::NotEqual(text.into()),
            Condition::Matches(pattern()),
            Condition::MatchesNot(pattern()),
        ]
    };
    let texts = ["a", "z", "", "a|b", ".*", ".+"];
    for first in texts.iter().flat_map(|text| conditions(text)) {
        for second in texts.iter().flat_map(|text| conditions(text)) {
            let matchers = [
                Matcher { label: LabelName::new("host").unwrap(), condition: first.clone() },
                Matcher { label: LabelName::new("core").unwrap(), condition: second },
            ];
            let name = metric("m");
            let found: Vec<&SeriesKey> = engine.matching(&name, &matchers).map(|id| engine.key(id)).collect();
            let wanted = keys.iter().filter(|key| matchers.iter().all(|matcher| matcher.matches(&key.labels)));
            assert_eq!(found, wanted.collect::<Vec<_>>(), "{matchers:?}");
        }
    }
}

fn any_time() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        Just(i64::MIN),
        Just(i64::MAX),
        (i64::MAX - 10 * DAY)..i64::MAX,
        i64::MIN..(i64::MIN + 100 * DAY),
        NOW - 100 * DAY..NOW + DAY
    ]
}

proptest! {
    /// No finite float, no instant and no window makes the engine panic or answer with what is not
    /// a number.
    #[test]
    fn nothing_panics_and_every_figure_is_finite(
        kind in prop_oneof![Just(Kind::Observation), Just(Kind::Gauge), Just(Kind::Event), Just(Kind::Counter)],
        nows in proptest::collection::vec(any_time(), 1..5),
        samples in proptest::collection::vec((any_time(), any::<f64>(), -700_000..700_000_i64), 1..40),
        window in prop_oneof![1..7_948_800_000_u64, Just(1), Just(7_948_800_000)],
        asked in 1..2_000_usize,
    ) {
        let mut engine = engine();
        engine.declare(&metric("m"), kind).unwrap();
        let ids = ["a", "b"].map(|host| engine.series(&key("m", &[("host", host)]), None).unwrap());
        for (place, (timestamp, value, near)) in samples.iter().enumerate() {
            let now = nows[place % nows.len()];
            let Ok(value) = Sample::new(at(*timestamp), *value).map(Sample::value) else { continue };
            for timestamp in [*timestamp, now.saturating_add(*near)] {
                let _ = engine.check(at(timestamp), at(now));
                let _ = engine.record(ids[place % 2], sample(timestamp, value), at(now));
                let summary = Summary::of(sample(timestamp, value), kind);
                for width in [1_000, 3_600_000] {
                    let end = timestamp.div_euclid(width).saturating_mul(width);
                    let width = DurationMs::from_millis(width.unsigned_abs());
                    let _ = engine.merge(ids[0], width, at(end), &summary, at(now));
                    let _ = engine.merge(ids[1], width, at(end) + width, &summary, at(now));
                }
            }
            engine.advance(at(now));
        }
        let mut query = query("m", "1m", "avg");
        query.window = DurationMs::from_millis(window);
        let names = ["avg", "sum", "count", "min", "max", "stddev", "rate", "increase", "delta", "p50", "p99", "last"];
        for now in nows {
            for name in names {
                for across in [Across::Merge, Across::Sum, Across::Avg] {
                    query.aggregation = name.parse().unwrap();
                    query.across = across;
                    if let Ok(answer) = engine.query(&query, at(now)) {
                        prop_assert!(answer.value.is_none_or(f64::is_finite), "{name} {answer:?}");
                        prop_assert!(answer.from <= answer.to && answer.to <= at(now));
                    }
                    let from = at(now) - query.window;
                    for line in engine.columns(&query, from, at(now), asked).into_iter().flatten() {
                        for column in line.columns.iter().flatten() {
                            prop_assert!(column.value.is_finite() && column.min.is_finite(), "{name} {column:?}");
                        }
                    }
                }
            }
            for id in ids {
                let _ = engine.latest(id);
                prop_assert!(engine.history(id, at(now)).all(|piece| piece.summary.count > 0));
            }
        }
        let _ = engine.memory();
    }
}

#[test]
fn a_series_that_has_gone_quiet_gives_all_its_memory_back() {
    let mut engine = engine();
    let id = engine.series(&key("m", &[]), None).unwrap();
    let bare = engine.memory().bytes;
    // It falls silent in the middle of an hour, a minute and a time bucket of ten seconds.
    for step in 0..4_000 {
        engine.record(id, sample(NOW + step * 500, step as f64), at(NOW + step * 500)).unwrap();
    }
    engine.advance(at(NOW + 200 * DAY));
    assert_eq!(engine.memory().bytes, bare);
}

#[test]
fn a_series_becomes_what_another_engine_has_of_it() {
    let (mut here, mut there) = (engine(), engine());
    let (kept, gone) = (key("m", &[("a", "1")]), key("m", &[("a", "2")]));
    let counter = key("c", &[]);
    let ids = [&kept, &gone].map(|key| here.series(key, Some(Kind::Gauge)).unwrap());
    let of_counter = here.series(&counter, Some(Kind::Counter)).unwrap();
    there.series(&counter, Some(Kind::Gauge)).unwrap();
    let id = there.series(&kept, Some(Kind::Gauge)).unwrap();
    let mut direct = engine();
    let of_direct = direct.series(&kept, Some(Kind::Gauge)).unwrap();
    for second in 0..50_000_i64 {
        let each = sample(NOW + second * 1_000, second as f64);
        let now = each.timestamp();
        here.record(ids[0], sample(NOW + second * 1_000, 7.0), now).unwrap();
        here.record(ids[1], each, now).unwrap();
        there.record(id, each, now).unwrap();
        direct.record(of_direct, each, now).unwrap();
    }
    let end = NOW + 50_000_000;
    assert!(ids.iter().all(|id| here.replace(*id, &mut there)));
    assert!(!here.replace(of_counter, &mut there), "of another kind");
    for engine in [&mut here, &mut direct] {
        let id = engine.find(&kept).unwrap();
        engine.record(id, sample(end, 3.0), at(end)).unwrap();
        engine.record(id, sample(end - 3 * HOUR, -1.0), at(end)).unwrap();
    }
    assert_eq!(here.latest(ids[1]), None);
    assert_eq!(there.latest(id), None);
    for window in ["10s", "10m", "1h", "6h", "1d"] {
        for aggregation in ["sum", "count", "min", "last", "p90"] {
            let query = query("m", window, aggregation);
            assert_eq!(value(&here, &query, end), value(&direct, &query, end), "{window} {aggregation}");
        }
    }
    let other = EngineConfig { tiers: EngineConfig::default().tiers[..1].to_vec(), ..EngineConfig::default() };
    let mut other = Engine::new(other).unwrap();
    other.series(&kept, Some(Kind::Gauge)).unwrap();
    assert!(!here.replace(ids[0], &mut other), "of other tiers");
    assert!(here.latest(ids[0]).is_some());
}
