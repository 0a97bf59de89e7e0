//! The naive model: keeps every sample, sorts a `Vec` for each question, shares nothing with the
//! engine but the types of the question. What it says is right by being simple.

use std::collections::BTreeMap;

use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Across, Aggregation, Query};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::{DurationMs, TimestampMs};

/// An exact figure and what is needed to judge another's distance from it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exact {
    /// The figure; `None` where no sample could give one.
    pub value: Option<f64>,
    /// Number of samples.
    pub count: u64,
    /// Sum of the magnitudes of the samples.
    pub magnitude: f64,
}

/// Why the model has no figure; the words are its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NaiveError {
    /// A rate or an increase of a gauge.
    #[error("a gauge has neither rate nor increase")]
    NotForKind,
    /// The first or last sample of several series.
    #[error("several series have no single first or last sample")]
    SeveralSeries,
}

/// Every sample of every series, as they came.
#[derive(Clone, Debug, Default)]
pub struct Naive {
    kinds: BTreeMap<MetricName, Kind>,
    series: BTreeMap<SeriesKey, Vec<Sample>>,
}

impl Naive {
    /// A model without samples.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a metric its kind; the first one stays.
    pub fn declare(&mut self, metric: &MetricName, kind: Kind) {
        self.kinds.entry(metric.clone()).or_insert(kind);
    }

    /// The kind of a metric: declared, implied by its name, or observation.
    #[must_use]
    pub fn kind(&self, metric: &MetricName) -> Kind {
        let implied = || Kind::implied_by(metric.as_str()).unwrap_or(Kind::Observation);
        self.kinds.get(metric).copied().unwrap_or_else(implied)
    }

    /// Keeps a sample.
    pub fn record(&mut self, key: &SeriesKey, sample: Sample) {
        self.series.entry(key.clone()).or_default().push(sample);
    }

    /// Forgets the samples up to `edge`, as a store does that keeps only so much.
    pub fn forget_until(&mut self, edge: TimestampMs) {
        for samples in self.series.values_mut() {
            samples.retain(|sample| sample.timestamp() > edge);
        }
    }

    /// The samples of a series in order of time; of several at one instant, as they came.
    #[must_use]
    pub fn samples(&self, key: &SeriesKey) -> Vec<Sample> {
        let mut samples = self.series.get(key).cloned().unwrap_or_default();
        samples.sort_by_key(|sample| sample.timestamp());
        samples
    }

    /// One figure over all series that match, over `(now − window, now]`.
    ///
    /// # Errors
    /// [`NaiveError`] where the question makes no sense.
    pub fn query(&self, query: &Query, now: TimestampMs) -> Result<Exact, NaiveError> {
        self.figure(query, now - query.window, now)
    }

    /// One figure over all series that match, over `(from, to]`.
    ///
    /// # Errors
    /// [`NaiveError`] where the question makes no sense.
    pub fn figure(&self, query: &Query, from: TimestampMs, to: TimestampMs) -> Result<Exact, NaiveError> {
        self.of_series(query, &self.matching(query), from, to)
    }

    /// The figure of each group of series that agree in the labels of `by`, over `(from, to]`, sorted
    /// by labels.
    ///
    /// # Errors
    /// [`NaiveError`] where the question makes no sense.
    pub fn figures(
        &self,
        query: &Query,
        from: TimestampMs,
        to: TimestampMs,
    ) -> Result<Vec<(Labels, Exact)>, NaiveError> {
        let mut groups: BTreeMap<Labels, Vec<&SeriesKey>> = BTreeMap::new();
        for key in self.matching(query) {
            groups.entry(key.labels.only(&query.by)).or_default().push(key);
        }
        let figure = |(labels, keys): (Labels, Vec<&SeriesKey>)| Ok((labels, self.of_series(query, &keys, from, to)?));
        groups.into_iter().map(figure).collect()
    }

    /// Whether a series that matches has a sample in `(from, to]`.
    #[must_use]
    pub fn any_between(&self, query: &Query, from: TimestampMs, to: TimestampMs) -> bool {
        let between = |sample: &Sample| from < sample.timestamp() && sample.timestamp() <= to;
        self.matching(query).iter().any(|key| self.samples(key).iter().any(between))
    }

    fn matching(&self, query: &Query) -> Vec<&SeriesKey> {
        let wanted = |key: &&SeriesKey| {
            key.metric == query.metric && query.matchers.iter().all(|matcher| matcher.matches(&key.labels))
        };
        self.series.keys().filter(wanted).collect()
    }

    fn of_series(
        &self,
        query: &Query,
        keys: &[&SeriesKey],
        from: TimestampMs,
        to: TimestampMs,
    ) -> Result<Exact, NaiveError> {
        let kind = self.kind(&query.metric);
        let one_window = |aggregation, from: TimestampMs, to: TimestampMs| {
            let windows = keys.iter().map(|key| Window::of(&self.samples(key), kind, from, to));
            let windows: Vec<Window> = windows.filter(|window| !window.samples.is_empty()).collect();
            joined(aggregation, query.across, &windows, to.since(from))
        };
        match query.aggregation {
            Aggregation::Rate | Aggregation::Increase if kind == Kind::Gauge => Err(NaiveError::NotForKind),
            Aggregation::Delta => {
                let aggregation = match kind {
                    Kind::Counter | Kind::Event => Aggregation::Increase,
                    Kind::Observation | Kind::Gauge => Aggregation::Avg,
                };
                let current = one_window(aggregation, from, to)?;
                let previous = one_window(aggregation, from - query.window, from)?;
                let value = current.value.zip(previous.value).map(|(current, previous)| current - previous);
                Ok(Exact { value, ..current })
            }
            aggregation => one_window(aggregation, from, to),
        }
    }
}

/// The samples of one series in a window.
#[derive(Clone, Debug)]
struct Window {
    samples: Vec<Sample>,
    increase: Option<f64>,
}

impl Window {
    fn of(all: &[Sample], kind: Kind, from: TimestampMs, to: TimestampMs) -> Self {
        let inside = |sample: &&Sample| from < sample.timestamp() && sample.timestamp() <= to;
        let samples: Vec<Sample> = all.iter().filter(inside).copied().collect();
        let increase = match kind {
            Kind::Gauge => None,
            Kind::Observation => Some(samples.len() as f64),
            Kind::Event => Some(samples.iter().map(|sample| sample.value()).sum()),
            Kind::Counter => {
                let steps = all.windows(2).filter(|pair| inside(&&pair[1]));
                let steps = steps.map(|pair| (pair[0].value(), pair[1].value()));
                // After a reset all that the counter counts is new.
                let grown = steps.map(|(before, after)| if after < before { after } else { after - before });
                grown.reduce(|a, b| a + b)
            }
        };
        Self { samples, increase }
    }

    /// The figure of this series alone.
    fn figure(&self, aggregation: Aggregation, length: DurationMs) -> Option<f64> {
        let mut values: Vec<f64> = self.samples.iter().map(|sample| sample.value()).collect();
        values.sort_by(f64::total_cmp);
        let (least, greatest) = (*values.first()?, *values.last()?);
        let n = values.len() as f64;
        let sum: f64 = values.iter().sum();
        let mean = sum / n;
        match aggregation {
            Aggregation::Avg => Some(mean),
            Aggregation::Sum => Some(sum),
            Aggregation::Count => Some(n),
            Aggregation::Min => Some(least),
            Aggregation::Max => Some(greatest),
            Aggregation::First => self.samples.first().map(|sample| sample.value()),
            Aggregation::Last => self.samples.last().map(|sample| sample.value()),
            Aggregation::Stddev => Some((values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt()),
            Aggregation::Increase => self.increase,
            Aggregation::Rate => self.increase.map(|increase| increase / length.as_secs_f64()),
            Aggregation::Quantile(_) => values.get(rank(aggregation, values.len())?).copied(),
            Aggregation::Delta => None,
        }
    }
}

/// The rank floor(q·(n − 1)) of a percentile such as `p99.9`, in whole numbers: its decimals are what
/// was asked for, the nearest float is not.
fn rank(aggregation: Aggregation, n: usize) -> Option<usize> {
    let text = aggregation.to_string();
    let (whole, decimals) = text.strip_prefix('p')?.split_once('.').unwrap_or((text.strip_prefix('p')?, ""));
    let dividend: u128 = format!("{whole}{decimals}").parse().ok()?;
    let divisor = 100 * 10_u128.pow(decimals.len().try_into().ok()?);
    usize::try_from(dividend * (n as u128).checked_sub(1)? / divisor).ok()
}

fn joined(
    aggregation: Aggregation,
    across: Across,
    windows: &[Window],
    length: DurationMs,
) -> Result<Exact, NaiveError> {
    let count = windows.iter().map(|window| window.samples.len() as u64).sum();
    let magnitude = windows.iter().flat_map(|window| &window.samples).map(|sample| sample.value().abs()).sum();
    let figures: Vec<f64> = match across {
        Across::Merge => {
            if matches!(aggregation, Aggregation::First | Aggregation::Last) && windows.len() > 1 {
                return Err(NaiveError::SeveralSeries);
            }
            let samples = windows.iter().flat_map(|window| window.samples.clone()).collect();
            let increase = windows.iter().filter_map(|window| window.increase).reduce(|a, b| a + b);
            Window { samples, increase }.figure(aggregation, length).into_iter().collect()
        }
        _ => windows.iter().filter_map(|window| window.figure(aggregation, length)).collect(),
    };
    let value = match across {
        Across::Merge => figures.first().copied(),
        Across::Sum => figures.iter().copied().reduce(|a, b| a + b),
        Across::Avg => figures.iter().copied().reduce(|a, b| a + b).map(|sum| sum / figures.len() as f64),
        Across::Min => figures.iter().copied().reduce(f64::min),
        Across::Max => figures.iter().copied().reduce(f64::max),
    };
    Ok(Exact { value, count, magnitude })
}

/// One figure divided by another; none where that is zero. The count is the divisor's.
#[must_use]
pub fn ratio(dividend: Exact, divisor: Exact) -> Exact {
    let value = match (dividend.value, divisor.value) {
        (Some(_), Some(0.0)) => None,
        (Some(dividend), Some(divisor)) => Some(dividend / divisor),
        _ => None,
    };
    Exact { value, ..divisor }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, aggregation: &str, samples: &[(i64, f64)], from: i64, to: i64, expected: Option<f64>) {
        let metric = MetricName::new("m").unwrap();
        let key = SeriesKey { metric: metric.clone(), labels: Labels::empty() };
        let mut naive = Naive::new();
        naive.declare(&metric, kind);
        for (timestamp, value) in samples {
            naive.record(&key, Sample::new(TimestampMs::new(*timestamp), *value).unwrap());
        }
        let window = DurationMs::from_millis((to - from).unsigned_abs());
        let query = Query::new(metric, window, aggregation.parse().unwrap());
        let found = naive.query(&query, TimestampMs::new(to)).unwrap();
        assert_eq!(found.value, expected);
    }

    #[test]
    fn windows_are_left_open_and_right_closed() {
        check(Kind::Gauge, "sum", &[(0, 1.0), (1, 2.0), (2, 4.0), (3, 8.0)], 0, 2, Some(6.0));
        check(Kind::Gauge, "sum", &[(0, 1.0), (3, 8.0)], 0, 2, None);
    }

    #[test]
    fn increase_counts_the_step_into_the_window() {
        let samples = [(0, 10.0), (5, 12.0), (7, 1.0), (9, 4.0)];
        check(Kind::Counter, "increase", &samples, 0, 9, Some(2.0 + 1.0 + 3.0));
        check(Kind::Counter, "increase", &samples, 5, 9, Some(1.0 + 3.0));
        check(Kind::Counter, "increase", &samples[..1], -9, 9, None);
        check(Kind::Counter, "rate", &[(0, 0.0), (1_000, 5.0)], 0, 1_000, Some(5.0));
        check(Kind::Event, "increase", &samples, 0, 9, Some(17.0));
        check(Kind::Observation, "increase", &samples, 0, 9, Some(3.0));
    }

    #[test]
    fn quantiles_are_order_statistics() {
        let samples = [(1, 5.0), (2, 1.0), (3, 4.0), (4, 2.0), (5, 3.0)];
        check(Kind::Observation, "p0", &samples, 0, 5, Some(1.0));
        check(Kind::Observation, "p50", &samples, 0, 5, Some(3.0));
        check(Kind::Observation, "p99", &samples, 0, 5, Some(4.0));
        check(Kind::Observation, "p100", &samples, 0, 5, Some(5.0));
    }

    #[test]
    fn ranks_are_those_of_the_decimals() {
        let rank = |text: &str, n| rank(text.parse().unwrap(), n);
        for percent in 0..=100 {
            assert_eq!(rank(&format!("p{percent}"), 101), Some(percent));
        }
        assert_eq!(rank("p99.99", 10_001), Some(9_999));
        assert_eq!((rank("p99.9", 1_000), rank("p50", 4), rank("p50", 1)), (Some(998), Some(1), Some(0)));
    }

    #[test]
    fn a_change_is_against_the_window_before() {
        check(Kind::Gauge, "delta", &[(1, 5.0), (3, 7.0), (4, 9.0)], 2, 4, Some(3.0));
        check(Kind::Gauge, "delta", &[(3, 7.0)], 2, 4, None);
    }
}
