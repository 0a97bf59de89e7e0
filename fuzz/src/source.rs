//! Choices made of a fuzzer's bytes.

use arbitrary::Unstructured;
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Across, Aggregation, Quantile};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::{DurationMs, TimestampMs};

/// Bytes that are used up choice by choice; when there are none left, every choice is the first one.
pub(crate) struct Source<'a>(Unstructured<'a>);

impl<'a> Source<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or_default()
    }

    pub(crate) fn int(&mut self) -> i64 {
        self.0.arbitrary().unwrap_or_default()
    }

    /// A whole number in `0..bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.int_in_range(0..=bound.saturating_sub(1)).unwrap_or_default()
    }

    pub(crate) fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize].clone()
    }

    /// Any finite float, often an awkward one.
    pub(crate) fn value(&mut self) -> f64 {
        match self.below(4) {
            0 => self.below(1_000) as f64 - 500.0,
            1 => self.one_of(&[0.0, -0.0, 5e-324, f64::MIN_POSITIVE, f64::MAX, f64::MIN, 1e300, -1e-300, 0.1]),
            _ => Some(f64::from_bits(self.int() as u64)).filter(|value| value.is_finite()).unwrap_or(1.0),
        }
    }

    /// Any instant, often a plain or an extreme one.
    pub(crate) fn instant(&mut self) -> TimestampMs {
        TimestampMs::new(match self.below(4) {
            0 => 1_700_000_000_000 + self.below(100_000_000) as i64,
            1 => self.one_of(&[i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX]),
            2 => self.below(100_000) as i64,
            _ => self.int(),
        })
    }

    pub(crate) fn length(&mut self) -> DurationMs {
        DurationMs::from_millis(match self.below(4) {
            0 => self.below(100_000),
            1 => self.one_of(&[0, 1, 999, 1_000, 60_000, 3_600_000, 7_948_800_000, u64::MAX]),
            2 => self.below(10_000_000_000),
            _ => self.int() as u64,
        })
    }

    pub(crate) fn kind(&mut self) -> Kind {
        self.one_of(&Kind::ALL)
    }

    pub(crate) fn aggregation(&mut self) -> Aggregation {
        let quantile = Quantile::new(self.below(1_001) as f64 / 1_000.0).unwrap();
        self.one_of(&[
            Aggregation::Avg,
            Aggregation::Sum,
            Aggregation::Count,
            Aggregation::Min,
            Aggregation::Max,
            Aggregation::First,
            Aggregation::Last,
            Aggregation::Stddev,
            Aggregation::Rate,
            Aggregation::Increase,
            Aggregation::Delta,
            Aggregation::Quantile(quantile),
        ])
    }

    pub(crate) fn across(&mut self) -> Across {
        self.one_of(&[Across::Merge, Across::Sum, Across::Avg, Across::Min, Across::Max])
    }

    /// One of a few series, so that they are hit again and again.
    pub(crate) fn key(&mut self) -> SeriesKey {
        let metric = MetricName::new(self.one_of(&["m", "requests_total", "conflict"])).unwrap();
        let labels = self.one_of(&[&[][..], &[("a", "1")], &[("a", "2")], &[("a", "1"), ("b", "x")]]);
        SeriesKey { metric, labels: Labels::new(labels.iter().copied()).unwrap() }
    }

    pub(crate) fn sample(&mut self) -> Sample {
        let timestamp = self.instant();
        Sample::new(timestamp, self.value()).unwrap()
    }
}
