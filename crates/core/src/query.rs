//! What is asked of the engine, and what it answers.

use std::fmt;
use std::str::FromStr;

use crate::labels::{LabelName, Labels, MetricName};
use crate::sample::Kind;
use crate::selector::Matcher;
use crate::time::{DurationMs, TimestampMs};
use crate::words::words;

/// A quantile between 0 and 1, both included.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Quantile(f64);

impl Quantile {
    /// `None` outside `0..=1` and for NaN.
    #[must_use]
    pub fn new(q: f64) -> Option<Self> {
        (0.0..=1.0).contains(&q).then_some(Self(q))
    }

    /// The quantile as a share of 1.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// How the samples of a window become one figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregation {
    /// Mean of the values; of an `event`, mean of the added values.
    Avg,
    /// Sum of the values.
    Sum,
    /// Number of samples.
    Count,
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Value of the earliest sample; of several series only with [`Across`] other than `merge`.
    First,
    /// Value of the latest sample; of several series only with [`Across`] other than `merge`.
    Last,
    /// Population standard deviation.
    Stddev,
    /// Increase for each second of the range that is really covered.
    Rate,
    /// What was added: reset-aware for a counter, the sum for events, the count for observations.
    ///
    /// DIFFERENCE: Prometheus extrapolates to the window's edges. Here nothing is extrapolated; a
    /// counter's step from the last sample before the window to the first one in it counts as a
    /// whole, so that the increases of windows side by side add up. A counter's only sample is no
    /// increase, as in Prometheus.
    Increase,
    /// The value at a quantile.
    Quantile(Quantile),
    /// Change against the previous window of the same length: of the average for observations and
    /// gauges, of the increase for counters and events.
    Delta,
}

/// Text that names no aggregation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not an aggregation; use avg, sum, count, min, max, first, last, stddev, rate, increase, delta or p<q> such as p95 or p99.9"
)]
pub struct AggregationError {
    /// The text that was given.
    pub text: String,
}

impl Aggregation {
    /// Whether the aggregation says something about samples of `kind`: a gauge has no rate and no
    /// increase, its change is [`Aggregation::Delta`].
    #[must_use]
    pub const fn fits(self, kind: Kind) -> bool {
        !matches!((self, kind), (Self::Rate | Self::Increase, Kind::Gauge))
    }
}

impl FromStr for Aggregation {
    type Err = AggregationError;

    /// # Errors
    /// [`AggregationError`] for any text that [`Aggregation`]'s `Display` would not write.
    fn from_str(text: &str) -> Result<Self, AggregationError> {
        let error = || AggregationError { text: text.to_owned() };
        Ok(match text {
            "avg" => Self::Avg,
            "sum" => Self::Sum,
            "count" => Self::Count,
            "min" => Self::Min,
            "max" => Self::Max,
            "first" => Self::First,
            "last" => Self::Last,
            "stddev" => Self::Stddev,
            "rate" => Self::Rate,
            "increase" => Self::Increase,
            "delta" => Self::Delta,
            _ => {
                let percent = text.strip_prefix('p').and_then(percent).ok_or_else(error)?;
                Self::Quantile(Quantile::new(percent / 100.0).ok_or_else(error)?)
            }
        })
    }
}

/// The number that digits, with at most one point among them, stand for; `None` for any other text and
/// for more than 15 digits.
///
/// The library's parser would bring its table of powers of ten, which is 12 KB of the page. Up to 15
/// digits both numbers of the division are exact, so that its result is the nearest one.
fn percent(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.len() + fraction.len();
    if digits == 0 || digits > 15 {
        return None;
    }
    let mut number = 0.0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10.0 + f64::from(digit - b'0');
    }
    Some(fraction.bytes().fold(1.0, |power, _| power * 10.0)).map(|power| number / power)
}

/// Writes a quantile as `p99.9`. Ten digits behind the point hide the rounding of q/100·100 and keep every quantile
/// people write. In whole numbers: to print floats takes 9 KB of the page.
fn write_percent(f: &mut fmt::Formatter<'_>, q: Quantile) -> fmt::Result {
    const ONE_PERCENT: u64 = 10_000_000_000;
    let number = (q.get() * 1e12).round() as u64;
    let (whole, mut fraction, mut digits) = (number / ONE_PERCENT, number % ONE_PERCENT, 10);
    if fraction == 0 {
        return write!(f, "p{whole}");
    }
    while fraction % 10 == 0 {
        fraction /= 10;
        digits -= 1;
    }
    write!(f, "p{whole}.{fraction:0digits$}")
}

impl fmt::Display for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avg => "avg",
            Self::Sum => "sum",
            Self::Count => "count",
            Self::Min => "min",
            Self::Max => "max",
            Self::First => "first",
            Self::Last => "last",
            Self::Stddev => "stddev",
            Self::Rate => "rate",
            Self::Increase => "increase",
            Self::Delta => "delta",
            Self::Quantile(q) => return write_percent(f, *q),
        })
    }
}

/// How several series become one figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Across {
    /// Merge their time buckets and sketches: averages and percentiles over all samples.
    #[default]
    Merge,
    /// Sum of each series' figure ("memory of three hosts together").
    Sum,
    /// Mean of each series' figure.
    Avg,
    /// Least of each series' figure.
    Min,
    /// Greatest of each series' figure.
    Max,
}

words! {
    Across: "The word that boards and `/query` use.",
    Merge = "merge",
    Sum = "sum",
    Avg = "avg",
    Min = "min",
    Max = "max",
}

/// One figure asked of one metric over the window `(now − window, now]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The metric.
    pub metric: MetricName,
    /// Conditions that a series must all satisfy.
    pub matchers: Vec<Matcher>,
    /// Length of the window; greater than zero.
    pub window: DurationMs,
    /// How samples become a figure.
    pub aggregation: Aggregation,
    /// Labels to group by; empty for one figure over all.
    pub by: Vec<LabelName>,
    /// How several series become one figure.
    pub across: Across,
}

impl Query {
    /// A query over all series of `metric`, merged.
    #[must_use]
    pub const fn new(metric: MetricName, window: DurationMs, aggregation: Aggregation) -> Self {
        Self { metric, matchers: Vec::new(), window, aggregation, by: Vec::new(), across: Across::Merge }
    }
}

/// A figure: one query, or the ratio of two.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// The answer of one query.
    Single(Query),
    /// The first answer divided by the second; no value where the second is zero or has none.
    Ratio(Query, Query),
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A window without length.
    #[error("the window is zero long; ask for at least 1 ms, such as 5m")]
    ZeroWindow,
    /// A window longer than anything that is kept.
    #[error("the window is {window} long; at most {longest} are kept")]
    WindowTooLong {
        /// The window that was asked for.
        window: DurationMs,
        /// The longest that can be asked for.
        longest: DurationMs,
    },
    /// An aggregation that says nothing about samples of this kind.
    #[error("{aggregation} does not fit {metric}, which is a {}; use delta, avg, min, max or last", .kind.as_str())]
    NotForKind {
        /// The metric.
        metric: MetricName,
        /// The aggregation.
        aggregation: Aggregation,
        /// The metric's kind.
        kind: Kind,
    },
    /// The first or last sample of several series that are merged.
    #[error(
        "{aggregation} of {series} series of {metric} is not one figure; say how to join them with across sum, avg, min or max, or tell them apart with by"
    )]
    AcrossNeeded {
        /// The metric.
        metric: MetricName,
        /// The aggregation.
        aggregation: Aggregation,
        /// Number of series with samples in the window.
        series: usize,
    },
    /// A window that ends within a time bucket that is no longer told apart.
    #[error(
        "figures up to {} are gone: of that time whole {width} are kept; ask at {} or at another multiple of {width}", .at.get(), .nearest.get()
    )]
    RightEdgeGone {
        /// The instant that was asked for.
        at: TimestampMs,
        /// The width of the time buckets that are kept of that time.
        width: DurationMs,
        /// The last instant before `at` that can be asked for.
        nearest: TimestampMs,
    },
    /// A chart without columns, or whose end is not after its start.
    #[error("the chart has no columns to draw; ask for at least one and for an end after the start")]
    NoColumns,
}

/// One figure and what stands behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The figure; `None` where the window holds no sample that could give one.
    pub value: Option<f64>,
    /// Number of samples in the window.
    pub count: u64,
    /// Left edge of the range that was really covered (not included).
    pub from: TimestampMs,
    /// Right edge of the range that was really covered (included).
    pub to: TimestampMs,
    /// Bound of the relative error of `value`: 0 where it is exact, infinite where quantiles of both
    /// signs cancel in a sum or an average so that nothing is known.
    pub relative_error: f64,
}

/// The figure of one group of series.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The labels asked for with `by`.
    pub labels: Labels,
    /// The figure.
    pub answer: Answer,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str) {
        assert_eq!(text.parse::<Aggregation>().map(|found| found.to_string()), Ok(text.to_owned()));
    }

    #[test]
    fn aggregations_read_back() {
        for text in [
            "avg", "sum", "count", "min", "max", "first", "last", "stddev", "rate", "increase", "delta", "p0", "p50",
            "p99.9", "p99.99", "p100",
        ] {
            check(text);
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "mean", "p", "p101", "p-1", "pNaN", "p1e1", "AVG", "p.", "p99.9.9"] {
            assert!(text.parse::<Aggregation>().is_err(), "{text}");
        }
    }
}
