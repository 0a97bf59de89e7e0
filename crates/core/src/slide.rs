//! A window that slides over time buckets: what enters is merged in, what leaves is dropped,
//! nothing is subtracted.
//!
//! Two stacks (the queue of two stacks, as in Tangwongsan and others, "General incremental
//! sliding-window aggregation", 2015): the older half keeps, for each time bucket, what it and all
//! later ones of that half come to; the newer half keeps one total. So a step costs a few merges,
//! however long the window is.

use crate::sample::{Kind, Sample};
use crate::summary::Summary;
use crate::tier::{Content, TimeBucket};
use crate::window::{Pool, Spread};

/// A time bucket of the older half.
struct Older {
    number: i64,
    /// Its own last sample.
    last: Sample,
    /// What it and the later ones of the older half come to.
    total: Summary,
}

/// The time buckets of one series in a sliding window.
pub(crate) struct Slide<'a> {
    kind: Kind,
    spread: Spread,
    /// The last sample before the window.
    before: Option<Sample>,
    /// Newest first, so that the oldest is on top.
    older: Vec<Older>,
    newer: Vec<&'a TimeBucket>,
    newer_total: Option<Summary>,
}

impl<'a> Slide<'a> {
    pub(crate) fn new(before: Option<Sample>, kind: Kind, spread: Spread) -> Self {
        Self { kind, spread, before, older: Vec::new(), newer: Vec::new(), newer_total: None }
    }

    /// Lets the next later time bucket in.
    pub(crate) fn enter(&mut self, bucket: &'a TimeBucket) {
        match &mut self.newer_total {
            Some(total) => self.spread.merge_content(total, &bucket.content, self.kind),
            None => self.newer_total = Some(self.spread.summary(&bucket.content, self.kind)),
        }
        self.newer.push(bucket);
    }

    /// Lets the time buckets up to `number` go.
    pub(crate) fn leave_until(&mut self, number: i64) {
        while self.oldest().is_some_and(|oldest| oldest <= number) {
            if self.older.is_empty() {
                self.turn_over();
            }
            self.before = self.older.pop().map_or(self.before, |gone| Some(gone.last));
        }
    }

    /// What is in the window.
    pub(crate) fn pool(&self) -> Pool {
        let mut total = self.older.last().map(|oldest| oldest.total.clone());
        if let Some(newer) = &self.newer_total {
            match &mut total {
                Some(total) => self.spread.merge(total, newer, self.kind),
                None => total = Some(newer.clone()),
            }
        }
        Pool::made_of(total, self.before, self.kind, self.spread)
    }

    fn oldest(&self) -> Option<i64> {
        self.older.last().map(|oldest| oldest.number).or_else(|| self.newer.first().map(|bucket| bucket.number))
    }

    /// Makes the newer half the older one.
    fn turn_over(&mut self) {
        self.newer_total = None;
        while let Some(bucket) = self.newer.pop() {
            let mut total = self.spread.summary(&bucket.content, self.kind);
            if let Some(later) = self.older.last() {
                self.spread.merge(&mut total, &later.total, self.kind);
            }
            self.older.push(Older { number: bucket.number, last: bucket.content.last(), total });
        }
    }
}

impl Spread {
    /// The summary of a time bucket, with its sketch where that is needed.
    pub(crate) fn summary(self, content: &Content, kind: Kind) -> Summary {
        match (content, self) {
            (Content::One(sample), Self::Needed) => Summary::of(*sample, kind),
            (Content::One(sample), Self::NotNeeded) => Summary::without_sketch(*sample, kind),
            (Content::Many(summary), Self::Needed) => Summary::clone(summary),
            (Content::Many(summary), Self::NotNeeded) => summary.clone_without_sketch(),
        }
    }

    pub(crate) fn merge_content(self, into: &mut Summary, content: &Content, kind: Kind) {
        match (content, self) {
            (Content::One(sample), Self::Needed) => into.record(*sample, kind),
            (Content::One(sample), Self::NotNeeded) => into.record_without_sketch(*sample, kind),
            (Content::Many(summary), _) => self.merge(into, summary, kind),
        }
    }

    pub(crate) fn merge(self, into: &mut Summary, other: &Summary, kind: Kind) {
        match self {
            Self::Needed => into.merge(other, kind),
            Self::NotNeeded => into.merge_without_sketch(other, kind),
        }
    }
}
