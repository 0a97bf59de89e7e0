//! Catalog: which metrics and series there are, found by name and labels.

use std::borrow::Cow;
use std::sync::Arc;

use crate::labels::{LabelName, Labels, MetricName, SeriesKey};
use crate::postings::{Map, Postings};
use crate::sample::Kind;
use crate::selector::Matcher;

/// A series of one engine: a dense number, in the order in which the series came. It means nothing
/// to another engine: there it names another series, or none, and then stops the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(u32);

impl SeriesId {
    /// The number, from 0 on without gaps.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A metric was declared with two kinds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("metric {metric} is kept as {}, so it cannot be {} as well; give one of them another name", .kept.as_str(), .declared.as_str())]
pub struct KindConflict {
    /// The metric.
    pub metric: MetricName,
    /// The kind that it has.
    pub kept: Kind,
    /// The kind that was declared.
    pub declared: Kind,
}

/// Why a series was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesError {
    /// Its metric is kept with another kind.
    #[error(transparent)]
    KindConflict(#[from] KindConflict),
    /// The engine is full.
    #[error("{most} series are kept already, which is the most; send fewer label values")]
    TooManySeries {
        /// The limit.
        most: usize,
    },
    /// The metric is full.
    #[error("metric {metric} has {most} series already, which is the most; send fewer label values")]
    TooManySeriesOfMetric {
        /// The metric.
        metric: MetricName,
        /// The limit.
        most: usize,
    },
}

#[derive(Clone, Debug)]
struct Metric {
    name: MetricName,
    kind: Kind,
    series: Vec<SeriesId>,
    postings: Postings,
}

/// The metrics, their kinds and their series.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    /// In the order in which they came.
    metrics: Vec<Metric>,
    /// The places of the metrics, in the order of their names.
    by_name: Vec<u32>,
    ids: Map<SeriesKey, SeriesId>,
    most: usize,
    most_of_metric: usize,
}

impl Catalog {
    pub(crate) fn new(most: usize, most_of_metric: usize) -> Self {
        Self { most: most.min(u32::MAX as usize), most_of_metric, ..Self::default() }
    }

    pub(crate) fn declare(&mut self, metric: &MetricName, kind: Kind) -> Result<(), KindConflict> {
        let kept = self.kind(metric).unwrap_or(kind);
        if kept != kind {
            return Err(KindConflict { metric: metric.clone(), kept, declared: kind });
        }
        self.metric(metric, kind);
        Ok(())
    }

    /// The series of a number, where it is one of this engine's.
    pub(crate) fn numbered(&self, number: u32) -> Option<SeriesId> {
        ((number as usize) < self.ids.len()).then_some(SeriesId(number))
    }

    pub(crate) fn kind(&self, metric: &MetricName) -> Option<Kind> {
        self.named(metric).map(|metric| metric.kind)
    }

    pub(crate) fn find(&self, key: &SeriesKey) -> Option<SeriesId> {
        self.ids.get(key).copied()
    }

    /// The kind that a series of `metric` has, new or not, where a sender declares `declared`.
    pub(crate) fn checked_kind(&self, metric: &MetricName, declared: Option<Kind>) -> Result<Kind, KindConflict> {
        let implied = || Kind::implied_by(metric.as_str()).unwrap_or(Kind::Observation);
        match (self.kind(metric), declared) {
            (Some(kept), Some(declared)) if kept != declared => {
                Err(KindConflict { metric: metric.clone(), kept, declared })
            }
            (kept, declared) => Ok(kept.or(declared).unwrap_or_else(implied)),
        }
    }

    /// Whether a series of `metric` can be added after `ahead` others, `ahead_of_metric` of them of
    /// the same metric.
    pub(crate) fn check_room(
        &self,
        metric: &MetricName,
        ahead: usize,
        ahead_of_metric: usize,
    ) -> Result<(), SeriesError> {
        if self.ids.len() + ahead >= self.most {
            return Err(SeriesError::TooManySeries { most: self.most });
        }
        let most = self.most_of_metric;
        if self.named(metric).map_or(0, |metric| metric.series.len()) + ahead_of_metric >= most {
            return Err(SeriesError::TooManySeriesOfMetric { metric: metric.clone(), most });
        }
        Ok(())
    }

    /// Adds a series that is not there; the key comes back with the catalog's own metric name.
    pub(crate) fn add(&mut self, key: &SeriesKey, kind: Kind) -> Result<(SeriesId, SeriesKey), SeriesError> {
        self.check_room(&key.metric, 0, 0)?;
        let name = self.named(&key.metric).map_or(&key.metric, |metric| &metric.name).clone();
        let key = SeriesKey { metric: name, labels: key.labels.clone() };
        let id = SeriesId(self.ids.len() as u32);
        let metric = self.metric(&key.metric, kind);
        metric.series.push(id);
        metric.postings.add(id, &key.labels);
        self.ids.insert(key.clone(), id);
        Ok((id, key))
    }

    pub(crate) fn metrics(&self) -> impl Iterator<Item = (&MetricName, Kind, usize)> {
        let metrics = self.by_name.iter().map(|place| &self.metrics[*place as usize]);
        metrics.map(|metric| (&metric.name, metric.kind, metric.series.len()))
    }

    /// The series of `metric` whose labels satisfy all `matchers`, ascending.
    pub(crate) fn matching<'a, 'b>(
        &'a self,
        metric: &MetricName,
        matchers: &[Matcher],
        labels_of: impl Fn(SeriesId) -> &'b Labels,
    ) -> Cow<'a, [SeriesId]> {
        let Some(metric) = self.named(metric) else { return Cow::Borrowed(&[]) };
        metric.postings.select(&metric.series, matchers, labels_of)
    }

    /// The place of a metric among the sorted, or where it belongs there.
    fn search(&self, name: &MetricName) -> Result<usize, usize> {
        self.by_name.binary_search_by(|place| self.metrics[*place as usize].name.cmp(name))
    }

    fn named(&self, name: &MetricName) -> Option<&Metric> {
        self.search(name).ok().map(|place| &self.metrics[self.by_name[place] as usize])
    }

    fn metric(&mut self, name: &MetricName, kind: Kind) -> &mut Metric {
        let place = self.search(name).unwrap_or_else(|place| {
            self.by_name.insert(place, self.metrics.len() as u32);
            self.metrics.push(Metric { name: name.clone(), kind, series: Vec::new(), postings: Postings::default() });
            place
        });
        &mut self.metrics[self.by_name[place] as usize]
    }
}

/// Bytes that the catalog and the series hold of a key; what several keys share counts for each.
pub(crate) fn key_bytes(labels: &Labels) -> usize {
    const POSTING: usize = size_of::<((LabelName, Arc<str>), Vec<SeriesId>)>() / 2;
    let of_labels: usize = labels.iter().map(|(name, value)| name.len() + value.len() + POSTING + 64).sum();
    2 * size_of::<SeriesKey>() + of_labels
}
