//! A window that slides over time buckets: what enters is merged in, what leaves is dropped;
//! only the counts of value buckets, which are whole numbers, are subtracted.
//!
//! Two stacks (the queue of two stacks, as in Tangwongsan and others, "In-order sliding-window
//! aggregation in worst-case constant time", 2021): the older half keeps, for each time bucket, what
//! it and all later ones of that half come to; the newer half keeps one total. So a step costs a few
//! merges on the average, however long the window is.

use std::collections::VecDeque;

use crate::part::{Part, Values};
use crate::sample::{Kind, Sample};
use crate::summary::Summary;
use crate::tally::Tally;
use crate::window::{Pool, Spread};

/// A part of the older half.
struct Older {
    number: i64,
    /// Its own last sample.
    last: Sample,
    /// What it and the later ones of the older half come to.
    total: Summary,
}

/// The parts of one series in a sliding window.
pub(crate) struct Slide<'a> {
    kind: Kind,
    spread: Spread,
    /// The last sample before the window.
    before: Option<Sample>,
    /// Newest first, so that the oldest is on top.
    older: Vec<Older>,
    newer: Vec<(i64, Summary)>,
    newer_total: Option<Summary>,
    /// The value buckets of the whole window: those are whole numbers, which can be taken away.
    tally: Tally,
    /// The values that will be, oldest first.
    values: VecDeque<Values<'a>>,
}

impl<'a> Slide<'a> {
    pub(crate) fn new(before: Option<Sample>, kind: Kind, spread: Spread) -> Self {
        Self {
            kind,
            spread,
            before,
            older: Vec::new(),
            newer: Vec::new(),
            newer_total: None,
            tally: Tally::default(),
            values: VecDeque::new(),
        }
    }

    /// Lets the next later part in.
    pub(crate) fn enter(&mut self, part: Part<'a>) {
        match &mut self.newer_total {
            Some(total) => total.merge_without_sketch(&part.summary, self.kind),
            None => self.newer_total = Some(part.summary.clone()),
        }
        self.newer.push((part.number, part.summary));
        if self.spread == Spread::Needed {
            self.tally.add(&part.values);
            self.values.push_back(part.values);
        }
    }

    /// Lets the time buckets up to `number` go.
    pub(crate) fn leave_until(&mut self, number: i64) {
        while self.oldest().is_some_and(|oldest| oldest <= number) {
            if self.older.is_empty() {
                self.turn_over();
            }
            self.before = self.older.pop().map_or(self.before, |gone| Some(gone.last));
            if let Some(values) = self.values.pop_front() {
                self.tally.take(&values);
            }
        }
    }

    /// What is in the window.
    pub(crate) fn pool(&self) -> Pool {
        let mut total = self.older.last().map(|oldest| oldest.total.clone());
        if let Some(newer) = &self.newer_total {
            match &mut total {
                Some(total) => total.merge_without_sketch(newer, self.kind),
                None => total = Some(newer.clone()),
            }
        }
        Pool::made_of(total, self.tally.clone(), self.before, self.kind, self.spread)
    }

    fn oldest(&self) -> Option<i64> {
        self.older.last().map(|oldest| oldest.number).or_else(|| self.newer.first().map(|(number, _)| *number))
    }

    /// Makes the newer half the older one.
    fn turn_over(&mut self) {
        self.newer_total = None;
        while let Some((number, mut total)) = self.newer.pop() {
            let last = total.last;
            if let Some(later) = self.older.last() {
                total.merge_without_sketch(&later.total, self.kind);
            }
            self.older.push(Older { number, last, total });
        }
    }
}
