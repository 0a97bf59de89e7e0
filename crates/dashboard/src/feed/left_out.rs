//! Series that the page's engine did not take, and why: they are counted and named, never dropped in silence.

use std::rc::Rc;

use bellwether_core::engine::SeriesError;
use bellwether_core::labels::{MetricName, SeriesKey};

/// Metrics that are named; of more only the number is told.
const NAMED: usize = 3;
/// Series that are told apart; beyond them the count stands still.
const COUNTED: usize = 10_000;

/// What was left out since the engine was begun.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// In order.
    series: Vec<SeriesKey>,
    metrics: Vec<(MetricName, usize, String)>,
}

impl LeftOut {
    /// Notes one refusal; `true` where it is news.
    pub(super) fn note(&mut self, key: &SeriesKey, error: &SeriesError) -> bool {
        // A sorted list: a tree of them would be a kilobyte more of the page.
        let Err(place) = self.series.binary_search(key) else { return false };
        if self.series.len() >= COUNTED {
            return false;
        }
        self.series.insert(place, key.clone());
        match self.metrics.iter_mut().find(|(metric, ..)| *metric == key.metric) {
            Some((_, count, _)) => *count += 1,
            None => self.metrics.push((key.metric.clone(), 1, error.to_string())),
        }
        true
    }

    /// The metrics of which series were left out.
    pub(super) fn metrics(&self) -> Rc<[MetricName]> {
        self.metrics.iter().map(|(metric, ..)| metric.clone()).collect()
    }

    /// One sentence for each of the first metrics, and one for all others.
    pub(super) fn sentences(&self) -> Rc<[String]> {
        let named = self.metrics.iter().take(NAMED);
        let mut sentences: Vec<_> =
            named.map(|(metric, count, reason)| format!("Left out: {count} series of {metric}. {reason}.")).collect();
        if self.metrics.len() > NAMED {
            let more = self.metrics.len() - NAMED;
            let metrics = if more == 1 { "metric" } else { "metrics" };
            sentences.push(format!("Left out as well: series of {more} other {metrics}."));
        }
        sentences.into()
    }
}
