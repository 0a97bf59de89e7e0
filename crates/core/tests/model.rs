//! The engine against the naive model, at every instant: samples in order and late, ahead of now,
//! with gaps, resets, several series, and windows of any length.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is wrong")]

use bellwether_core::engine::{Engine, EngineConfig, SeriesId, TierConfig};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Across, Aggregation, Answer, Query};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::sketch::Sketch;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_testkit::naive::Naive;
use bellwether_testkit::random::Random;
use proptest::prelude::*;

/// Small tiers, so that few samples fill and leave them all.
const WIDTHS: [u64; 3] = [100, 500, 2_000];
const SPANS: [u64; 3] = [2_000, 10_000, 60_000];
const SKEW: u64 = 1_000;

fn config() -> EngineConfig {
    let tier = |(width, span): (&u64, &u64)| TierConfig {
        width: DurationMs::from_millis(*width),
        span: DurationMs::from_millis(*span),
    };
    EngineConfig {
        tiers: WIDTHS.iter().zip(&SPANS).map(tier).collect(),
        future_skew: DurationMs::from_millis(SKEW),
        ..EngineConfig::default()
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    /// Time goes on.
    Pass(u64),
    /// What is too old is evicted.
    Advance,
    /// The engine becomes what its snapshot makes of it.
    Restore,
    /// A sample arrives, taken this long ago or, where negative, ahead of now.
    Arrive { series: usize, ago: i64, value: f64 },
    /// Figures are asked for, over a window of this length.
    Ask(u64),
}

/// The engine and the model side by side.
struct Pair {
    kind: Kind,
    metric: MetricName,
    engine: Engine,
    ids: Vec<SeriesId>,
    keys: Vec<SeriesKey>,
    naive: Naive,
    now: TimestampMs,
}

impl Pair {
    fn new(kind: Kind, start: i64) -> Self {
        let metric = MetricName::new("m").unwrap();
        let mut engine = Engine::new(config()).unwrap();
        engine.declare(&metric, kind).unwrap();
        let mut naive = Naive::new();
        naive.declare(&metric, kind);
        let key = |name| SeriesKey { metric: metric.clone(), labels: Labels::new([("s", name)]).unwrap() };
        let keys: Vec<SeriesKey> = ["a", "b", "c"].into_iter().map(key).collect();
        let ids = keys.iter().map(|key| engine.series(key, None).unwrap()).collect();
        Self { kind, metric, engine, ids, keys, naive, now: TimestampMs::new(start) }
    }

    fn run(kind: Kind, start: i64, steps: &[Step], value: impl Fn(TimestampMs, f64) -> f64) {
        let mut pair = Self::new(kind, start);
        for step in steps {
            match *step {
                Step::Pass(ms) => pair.now = pair.now + DurationMs::from_millis(ms),
                Step::Advance => pair.engine.advance(pair.now),
                Step::Restore => pair.engine = Engine::restore(config(), &pair.engine.snapshot()).unwrap(),
                Step::Ask(window) => pair.ask(window),
                Step::Arrive { series, ago, value: seed } => {
                    let timestamp = TimestampMs::new(pair.now.get() - ago);
                    pair.arrive(series, timestamp, value(timestamp, seed));
                }
            }
        }
        pair.ask(SPANS[1]);
    }

    fn arrive(&mut self, series: usize, timestamp: TimestampMs, value: f64) {
        let sample = Sample::new(timestamp, value).unwrap();
        if self.engine.record(self.ids[series], sample, self.now).is_ok() {
            self.naive.record(&self.keys[series], sample);
        }
    }

    fn ask(&mut self, window: u64) {
        self.engine.advance(self.now);
        self.naive.forget_until(self.kept());
        let all = [
            "avg", "sum", "count", "min", "max", "first", "last", "stddev", "rate", "increase", "p0", "p50", "p90",
            "p99.9", "p100",
        ];
        for aggregation in all {
            let joins = match aggregation {
                "avg" | "last" | "increase" | "p50" => {
                    &[Across::Merge, Across::Sum, Across::Avg, Across::Min, Across::Max][..]
                }
                _ => &[Across::Merge][..],
            };
            for across in joins {
                let aggregation: Aggregation = aggregation.parse().unwrap();
                let mut query = Query::new(self.metric.clone(), DurationMs::from_millis(window), aggregation);
                query.across = *across;
                self.check(&query);
            }
        }
    }

    /// The edge up to which everything is gone.
    fn kept(&self) -> TimestampMs {
        let width = WIDTHS[2] as i64;
        TimestampMs::new((self.now.get() - SPANS[2] as i64).div_euclid(width) * width)
    }

    fn check(&self, query: &Query) {
        let answer = match self.engine.query(query, self.now) {
            Ok(answer) => answer,
            Err(error) => {
                let count = Query { aggregation: Aggregation::Count, ..query.clone() };
                let covered = self.engine.query(&count, self.now).unwrap_or_else(|_| panic!("{query:?}: {error}"));
                assert!(self.naive.figure(query, covered.from, covered.to).is_err(), "{query:?}: {error}");
                return;
            }
        };
        self.check_range(query, &answer);
        let expected = self.naive.figure(query, answer.from, answer.to).unwrap();
        assert_eq!(answer.count, expected.count, "{query:?} {answer:?}");
        let (Some(value), Some(exact)) = (answer.value, expected.value) else {
            assert_eq!(answer.value, expected.value, "{query:?} {answer:?}");
            return;
        };
        if !exact.is_finite() {
            // Beyond the floats, where the engine stops at the greatest.
            assert!(value.is_finite() && value > 1e150, "{query:?} {answer:?}");
            return;
        }
        let tolerance = match query.aggregation {
            Aggregation::Quantile(_) => {
                // The answer's own bound, but for the rounding of a sum; where it knows none, that of the
                // values that it was made of.
                let (figure, bound) = match answer.relative_error {
                    bound if bound.is_finite() => (exact.abs(), bound),
                    _ => (expected.magnitude, Sketch::default().relative_error()),
                };
                figure * bound * (1.0 + 1e-12) + 1e-15 * expected.magnitude + f64::from_bits(1)
            }
            // The root of a sum of squares, whose error is relative to the squares of the values.
            Aggregation::Stddev => 1e-6 * expected.magnitude,
            Aggregation::Increase | Aggregation::Rate if self.kind == Kind::Counter => {
                let seconds = answer.to.since(answer.from).as_secs_f64();
                let divisor = if query.aggregation == Aggregation::Rate { seconds } else { 1.0 };
                1e-12 * (self.magnitude_before(answer.from) + expected.magnitude) / divisor
            }
            Aggregation::Rate => 1e-12 * expected.magnitude.max(1.0) / answer.to.since(answer.from).as_secs_f64(),
            _ => 1e-12 * expected.magnitude,
        };
        assert!((value - exact).abs() <= tolerance, "{query:?}\n{answer:?}\n{expected:?} ± {tolerance}");
    }

    /// Sum of the magnitudes of the samples before a window, from which its first steps are taken.
    fn magnitude_before(&self, from: TimestampMs) -> f64 {
        let last = |key| self.naive.samples(key).into_iter().rfind(|sample| sample.timestamp() <= from);
        self.keys.iter().filter_map(last).map(|sample| sample.value().abs()).sum()
    }

    /// Only the left edge moves, outward, and by less than a time bucket of the finest tier that
    /// reaches so far back.
    fn check_range(&self, query: &Query, answer: &Answer) {
        let asked = self.now - query.window;
        let tier = SPANS.iter().position(|span| query.window.as_millis() <= *span).unwrap();
        assert!(answer.from <= asked.max(self.kept()), "{answer:?}");
        assert!(asked.since(answer.from).as_millis() < WIDTHS[tier], "{query:?} {answer:?}");
        assert!(answer.to <= self.now && self.now.since(answer.to).as_millis() < WIDTHS[0], "{answer:?}");
    }
}

/// A life longer than the longest tier, looked at a millisecond before, at and after every edge of the
/// finest time buckets: all that enters, leaves and is evicted does so at one of them.
#[test]
fn every_edge_of_a_life() {
    for kind in Kind::ALL {
        let mut pair = Pair::new(kind, 0);
        let mut random = Random::new(kind.number().into());
        let mut total = 0.0;
        for tick in 1..=700_i64 {
            let edge = tick * 100;
            for now in [edge - 1, edge, edge + 1] {
                pair.now = TimestampMs::new(now);
                // Silences as long as a tier, and bursts.
                if random.below(3) == 0 && tick % 250 < 190 {
                    total = if random.below(20) == 0 { 0.0 } else { total + random.below(9) as f64 };
                    let value = if kind == Kind::Counter { total } else { random.between(-5.0, 50.0) };
                    pair.arrive(random.below(3) as usize, pair.now, value);
                }
                pair.engine.advance(pair.now);
                if random.below(50) == 0 {
                    pair.engine = Engine::restore(config(), &pair.engine.snapshot()).unwrap();
                }
                pair.naive.forget_until(pair.kept());
                let at_random = random.below(SPANS[2]) + 1;
                for window in [WIDTHS[0], SPANS[0], SPANS[1] - 1, SPANS[2], at_random] {
                    for aggregation in ["count", "increase", "p50"] {
                        if kind == Kind::Gauge && aggregation == "increase" {
                            continue;
                        }
                        let aggregation = aggregation.parse().unwrap();
                        pair.check(&Query::new(pair.metric.clone(), DurationMs::from_millis(window), aggregation));
                    }
                }
            }
        }
    }
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Observation), Just(Kind::Gauge), Just(Kind::Event)]
}

/// Where an engine's life begins: also before the epoch, and off every edge.
fn starts() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0_i64), Just(1_700_000_000_000), -100_000..100_000_i64]
}

fn values() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(-0.0),
        -1e3..1e3_f64,
        (0..100_i32).prop_map(f64::from),
        1e-9..1e9_f64,
        Just(5e-324),
        Just(-1e300),
    ]
}

fn steps(ago: impl Strategy<Value = i64> + Clone + 'static) -> impl Strategy<Value = Vec<Step>> {
    let arrive = (0..3_usize, ago, values()).prop_map(|(series, ago, value)| Step::Arrive { series, ago, value });
    let pass = prop_oneof![0..300_u64, 0..3_000_u64, 0..30_000_u64];
    let window = prop_oneof![1..2_000_u64, 1..=60_000_u64, Just(100), Just(2_000), Just(10_000), Just(60_000)];
    let step = prop_oneof![
        8 => arrive,
        4 => pass.prop_map(Step::Pass),
        1 => Just(Step::Advance),
        1 => Just(Step::Restore),
        2 => window.prop_map(Step::Ask),
    ];
    proptest::collection::vec(step, 1..120)
}

/// Mostly now or shortly before, sometimes long ago, sometimes ahead, sometimes on an edge.
fn any_time() -> impl Strategy<Value = i64> + Clone {
    prop_oneof![Just(0_i64), 0..200_i64, 0..15_000_i64, -1_200..70_000_i64, (0..40_i64).prop_map(|tenths| tenths * 100)]
}

proptest! {
    #[test]
    fn figures_are_those_of_the_samples(kind in kinds(), start in starts(), steps in steps(any_time())) {
        Pair::run(kind, start, &steps, |_, value| value);
    }

    #[test]
    fn counters_in_order_grow_through_resets(start in starts(), steps in steps(Just(0_i64))) {
        Pair::run(Kind::Counter, start, &steps, |_, value| value.abs().min(1e12));
    }

    #[test]
    fn counters_without_resets_take_samples_in_any_order(start in starts(), steps in steps(any_time())) {
        Pair::run(Kind::Counter, start, &steps, |timestamp, _| (timestamp.get() - start + 200_000) as f64 / 8.0);
    }

    #[test]
    fn counters_take_late_resets_where_time_buckets_tell_them_apart(
        start in (0..1_000_i64).prop_map(|tenths| tenths * 100),
        values in proptest::collection::vec(0..100_u32, 2..14),
        order in proptest::collection::vec(any::<u32>(), 14),
    ) {
        // The finest tier holds all of the wider time buckets that the samples fall into.
        let mut pair = Pair::new(Kind::Counter, start + 1_400);
        let mut places: Vec<usize> = (0..values.len()).collect();
        places.sort_by_key(|place| order[*place]);
        for place in places {
            let timestamp = TimestampMs::new(start + 100 * place as i64 + 50);
            pair.arrive(0, timestamp, f64::from(values[place]));
            pair.ask(2_000);
            pair.ask(9_000);
            pair.ask(60_000);
        }
    }
}
