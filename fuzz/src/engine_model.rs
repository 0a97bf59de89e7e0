//! The engine against the naive model, while time goes on.

use bellwether_core::engine::{Engine, EngineConfig, SeriesId, TierConfig};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Aggregation, Query};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::sketch::Sketch;
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_testkit::naive::Naive;

use crate::source::Source;

/// Small tiers, so that few samples fill and leave them all.
const TIERS: [(u64, u64); 3] = [(100, 2_000), (500, 10_000), (2_000, 60_000)];
/// Most steps of one run, so that one input cannot take a second.
const MOST_STEPS: usize = 120;

/// What the samples are, and in what order they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Regime {
    /// Any values at any time, also as summaries.
    AnyOrder(Kind),
    /// A counter with resets, in order.
    Resets,
    /// A counter that only grows, in any order.
    Growth,
}

/// Samples and summaries that arrive while time goes on, questions at every instant, snapshots in
/// between: each figure is that of the samples in the range that the answer names.
pub fn engine_model(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let regime = source.one_of(&[
        Regime::AnyOrder(Kind::Observation),
        Regime::AnyOrder(Kind::Gauge),
        Regime::AnyOrder(Kind::Event),
        Regime::Resets,
        Regime::Growth,
    ]);
    let start = source.one_of(&[0, 1_700_000_000_000, -100_000, 777]);
    let mut pair = Pair::new(regime, start);
    for _ in 0..MOST_STEPS {
        if source.is_empty() {
            break;
        }
        match source.below(8) {
            0..=2 => pair.arrive(&mut source),
            3 => {
                let most = source.one_of(&[300, 3_000, 30_000]);
                pair.now = pair.now + DurationMs::from_millis(source.below(most));
            }
            4 => pair.summary(&mut source),
            5 => pair.engine.advance(pair.now),
            6 => pair.engine = Engine::restore(small_tiers(), &pair.engine.snapshot()).unwrap(),
            _ => pair.ask(&mut source),
        }
    }
    pair.ask(&mut source);
}

pub(crate) fn small_tiers() -> EngineConfig {
    let tier =
        |(width, span)| TierConfig { width: DurationMs::from_millis(width), span: DurationMs::from_millis(span) };
    EngineConfig { tiers: TIERS.map(tier).to_vec(), ..EngineConfig::default() }
}

struct Pair {
    regime: Regime,
    start: i64,
    metric: MetricName,
    engine: Engine,
    naive: Naive,
    series: Vec<(SeriesKey, SeriesId)>,
    now: TimestampMs,
}

impl Pair {
    fn new(regime: Regime, start: i64) -> Self {
        let metric = MetricName::new("m").unwrap();
        let kind = match regime {
            Regime::AnyOrder(kind) => kind,
            Regime::Resets | Regime::Growth => Kind::Counter,
        };
        let mut engine = Engine::new(small_tiers()).unwrap();
        let mut naive = Naive::new();
        engine.declare(&metric, kind).unwrap();
        naive.declare(&metric, kind);
        let mut series = Vec::new();
        for name in ["a", "b"] {
            let key = SeriesKey { metric: metric.clone(), labels: Labels::new([("s", name)]).unwrap() };
            let id = engine.series(&key, None).unwrap();
            series.push((key, id));
        }
        Self { regime, start, metric, engine, naive, series, now: TimestampMs::new(start) }
    }

    /// A sample of the regime: its values are small enough for sums to be compared.
    fn sample(&self, timestamp: TimestampMs, source: &mut Source<'_>) -> Sample {
        let value = match self.regime {
            Regime::AnyOrder(_) => source.below(2_000) as f64 / 8.0 - 100.0,
            Regime::Resets => source.below(100) as f64,
            Regime::Growth => (timestamp.get() - self.start + 200_000) as f64 / 8.0,
        };
        Sample::new(timestamp, value).unwrap()
    }

    fn arrive(&mut self, source: &mut Source<'_>) {
        let ago = match self.regime {
            Regime::Resets => 0,
            _ => {
                let most = source.one_of(&[1, 200, 15_000, 70_000]);
                source.below(most)
            }
        };
        let sample = self.sample(self.now - DurationMs::from_millis(ago), source);
        let place = source.below(2) as usize;
        let (key, id) = &self.series[place];
        if self.engine.record(*id, sample, self.now).is_ok() {
            self.naive.record(key, sample);
        }
    }

    /// Samples that come together as the summary of a time bucket.
    fn summary(&mut self, source: &mut Source<'_>) {
        let Regime::AnyOrder(kind) = self.regime else { return };
        let width = source.one_of(&[100, 500, 1_000, 2_000]);
        let most = source.one_of(&[1, 5_000, 60_000]);
        let ago = source.below(most);
        let end = TimestampMs::new((self.now.get() - ago as i64).div_euclid(width as i64) * width as i64);
        let mut samples: Vec<Sample> = Vec::new();
        for _ in 0..=source.below(3) {
            samples.push(self.sample(end - DurationMs::from_millis(source.below(width)), source));
        }
        samples.sort_by_key(|sample| sample.timestamp());
        let mut summary = Summary::of(samples[0], kind);
        samples[1..].iter().for_each(|sample| summary.record(*sample, kind));
        let (key, id) = &self.series[source.below(2) as usize];
        if self.engine.merge(*id, DurationMs::from_millis(width), end, &summary, self.now).is_ok() {
            samples.into_iter().for_each(|sample| self.naive.record(key, sample));
        }
    }

    fn ask(&mut self, source: &mut Source<'_>) {
        self.engine.advance(self.now);
        let (width, span) = TIERS[2];
        let gone = (self.now.get() - span as i64).div_euclid(width as i64) * width as i64;
        self.naive.forget_until(TimestampMs::new(gone));
        let window = source.one_of(&[100, 500, 1_999, 2_000, 2_001, 9_950, 10_000, 10_050, 59_999, 60_000]);
        let aggregation = source.aggregation();
        let mut query = Query::new(self.metric.clone(), DurationMs::from_millis(window), aggregation);
        query.across = source.across();
        let Ok(answer) = self.engine.query(&query, self.now) else { return };
        if aggregation == Aggregation::Delta {
            // Two windows, of which the answer names one range; the model's tests cover them.
            return;
        }
        assert!(answer.from <= (self.now - query.window).max(TimestampMs::new(gone)), "{answer:?}");
        assert!(answer.to <= self.now, "{answer:?}");
        let exact = self.naive.figure(&query, answer.from, answer.to).unwrap();
        assert_eq!(answer.count, exact.count, "{query:?} {answer:?}");
        let (Some(value), Some(expected)) = (answer.value, exact.value) else {
            assert_eq!(answer.value, exact.value, "{query:?} {answer:?}");
            return;
        };
        // What a counter had before the window takes part in its first step.
        let magnitude = exact.magnitude + 100_000.0;
        let allowed = match aggregation {
            Aggregation::Quantile(_) if answer.relative_error.is_finite() => {
                expected.abs() * answer.relative_error * (1.0 + 1e-12)
            }
            Aggregation::Quantile(_) => magnitude * Sketch::default().relative_error(),
            Aggregation::Stddev => 1e-6 * magnitude,
            _ => 1e-12 * magnitude,
        };
        assert!((value - expected).abs() <= allowed + 1e-9, "{query:?}\n{answer:?}\n{exact:?} ± {allowed}");
    }
}
