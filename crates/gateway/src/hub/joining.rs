//! Subscriptions whose history is being copied, a slice at a time. What is recorded meanwhile of a series
//! that is copied already is gathered here; of one that is not, it will be in the copy. So each sample is
//! in the one or in the other.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::engine::{Engine, SeriesId};
use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::TimestampMs;

use super::fanout::{ConnectionId, Steps, Takes, add_step, merge_step};
use super::feed::Feed;

/// A subscription on its way in.
#[derive(Debug)]
struct Joiner {
    feed: Feed,
    /// Series that are still to be copied.
    uncopied: BTreeSet<SeriesId>,
    takes: Takes,
    steps: Steps,
}

/// All of them; a connection has at most one at a time.
#[derive(Debug, Default)]
pub(super) struct Joining(BTreeMap<ConnectionId, Joiner>);

impl Joining {
    /// Begins with a subscription of which `uncopied` are all series that there are.
    pub(super) fn begin(&mut self, id: ConnectionId, feed: Feed, uncopied: BTreeSet<SeriesId>) {
        self.0.insert(id, Joiner { feed, uncopied, takes: Takes::default(), steps: Steps::new() });
    }

    /// Notes a recorded sample for those who have copied its series.
    pub(super) fn record(&mut self, engine: &Engine, id: SeriesId, kind: Kind, sample: Sample) {
        for Joiner { feed, uncopied, takes, steps } in self.0.values_mut() {
            if takes.series(id, engine, |engine| feed.takes(engine.key(id))) && !uncopied.contains(&id) {
                add_step(steps, id, kind, sample);
            }
        }
    }

    /// The same of what a histogram added in the step that ends at `end`.
    pub(super) fn merge(&mut self, engine: &Engine, id: SeriesId, kind: Kind, end: TimestampMs, summary: &Summary) {
        for Joiner { feed, uncopied, takes, steps } in self.0.values_mut() {
            if takes.series(id, engine, |engine| feed.takes(engine.key(id))) && !uncopied.contains(&id) {
                merge_step(steps, id, kind, end, summary);
            }
        }
    }

    /// A series is copied: what comes of it from now on is gathered.
    pub(super) fn copied(&mut self, id: ConnectionId, series: SeriesId) {
        if let Some(joiner) = self.0.get_mut(&id) {
            joiner.uncopied.remove(&series);
        }
    }

    /// The copies of these series are given up; they may be copied again.
    pub(super) fn given_up(&mut self, id: ConnectionId, series: &[SeriesId]) {
        let Some(joiner) = self.0.get_mut(&id) else { return };
        for series in series {
            joiner.uncopied.insert(*series);
            joiner.steps.remove(series);
        }
    }

    /// The subscriptions that take one of these series.
    pub(super) fn taking(&self, series: &[SeriesKey]) -> Vec<ConnectionId> {
        let takes = |joiner: &Joiner| series.iter().any(|key| joiner.feed.takes(key));
        self.0.iter().filter(|(_, joiner)| takes(joiner)).map(|(id, _)| *id).collect()
    }

    /// What was gathered beside the copies; `None` where the subscription is not on its way in any more.
    pub(super) fn end(&mut self, id: ConnectionId) -> Option<Steps> {
        self.0.remove(&id).map(|joiner| joiner.steps)
    }
}
