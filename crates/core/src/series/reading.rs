//! What is told of a series: its time buckets, the fresh samples among them, and its last sample.

use super::Series;
use crate::chunk::{Terms, occupied};
use crate::horizon::Horizon;
use crate::part::{Part, Run, Values, summary_of};
use crate::sample::Sample;
use crate::slim::Slims;
use crate::tier::Tier;
use crate::time::TimestampMs;

impl Series {
    /// The time buckets of a tier numbered `from..=to`, as [`Series::each_part`] tells them.
    pub(crate) fn parts(&self, index: usize, numbers: (i64, i64), horizon: &Horizon) -> Vec<Part<'_>> {
        let mut parts = Vec::new();
        self.each_part(index, numbers, horizon, &mut |part| parts.push(part));
        parts
    }

    /// Calls `each` with the time buckets of a tier numbered `from..=to`, ascending; of those that are
    /// not sealed with the finer ones in them, each with the number of the wide one.
    ///
    /// This and [`Series::each_run`] are no generics: every reader would have kilobytes of its own.
    pub(crate) fn each_part<'a>(
        &'a self,
        index: usize,
        numbers: (i64, i64),
        horizon: &Horizon,
        each: &mut dyn FnMut(Part<'a>),
    ) {
        let grid = horizon.grid(index);
        let fresh = self.each_layer(index, numbers, horizon, &mut |tier, first, last, terms| {
            tier.each_part((first, last), terms, grid, each);
        });
        fresh.each_bucket(grid, &mut |number, bucket| {
            if let Some(summary) = summary_of(bucket, self.kind) {
                each(Part { number, summary, values: Values::Samples(bucket) });
            }
        });
    }

    /// Calls `each` with the samples in the time buckets of a tier numbered `from..=to`, in order of
    /// time and in as large runs as they lie there.
    pub(crate) fn each_run(&self, index: usize, numbers: (i64, i64), horizon: &Horizon, each: &mut dyn FnMut(Run<'_>)) {
        let fresh = self.each_layer(index, numbers, horizon, &mut |tier, first, last, terms| {
            tier.each_run(first, last, terms, each);
        });
        if !fresh.is_empty() {
            each(Run::Samples(fresh));
        }
    }

    /// Calls `each` with every tier that holds some of the time buckets of a tier numbered
    /// `from..=to`, and with the numbers of its own time buckets in them; gives the fresh samples.
    fn each_layer<'a>(
        &'a self,
        index: usize,
        (from, to): (i64, i64),
        horizon: &Horizon,
        each: &mut dyn FnMut(&'a Tier, i64, i64, Terms),
    ) -> Slims<'a> {
        let grid = horizon.grid(index);
        let (start, end) = (grid.start(from), grid.end(to));
        for layer in (0..=index).rev() {
            let tier = &self.tiers[layer];
            let terms = self.terms(layer, horizon);
            let (mut first, mut last) = (from, to);
            if layer != index {
                let start = start.max(self.tiers[layer + 1].sealed_to());
                if start >= end {
                    continue;
                }
                (first, last) = (terms.grid.whole_until(start).saturating_add(1), terms.grid.bucket_of(end));
            }
            // What is asked for again and again is new, and not sealed yet.
            if tier.sealed_to() > start {
                each(tier, first, last, terms);
            }
        }
        self.fresh_between(start, end)
    }

    /// The fresh samples in `(from, to]`.
    fn fresh_between(&self, from: TimestampMs, to: TimestampMs) -> Slims<'_> {
        let fresh = self.fresh.slims();
        if self.newest <= from {
            return fresh.split_at(0).0;
        }
        // Mostly all that is asked for is the last few of them.
        let end = if self.newest > to { fresh.count_near(fresh.len(), to) } else { fresh.len() };
        fresh.split_at(end).0.split_at(fresh.count_near(end, from)).1
    }

    /// How many samples up to `edge`, an edge of the finest tier's time buckets that it still holds,
    /// ever came. A restored series begins to count anew, below zero: what it holds behind the edge
    /// came before.
    pub(crate) fn came_until(&self, edge: TimestampMs, horizon: &Horizon) -> Came {
        let fresh = self.fresh_between(edge, TimestampMs::new(i64::MAX)).len() as u64;
        let mut beyond = fresh;
        if self.tiers[0].sealed_to() > edge {
            let terms = self.terms(0, horizon);
            let first = terms.grid.whole_until(edge).saturating_add(1);
            self.tiers[0]
                .each_run(first, i64::MAX, terms, &mut |run: Run<'_>| beyond = beyond.wrapping_add(run.count()));
        }
        let all = self.came.wrapping_add(self.fresh.len() as u64);
        Came { until: all.wrapping_sub(beyond), wide: self.came_wide }
    }

    /// Whether a time bucket of a tier holds samples later than `at`.
    pub(crate) fn goes_beyond(&self, index: usize, number: i64, at: TimestampMs, horizon: &Horizon) -> bool {
        // Mostly the last fresh sample is the last of all, and it is not.
        if !self.fresh.is_empty() && self.newest <= at {
            return false;
        }
        let mut is_beyond = false;
        self.each_part(index, (number, number), horizon, &mut |part| is_beyond = part.summary.last.timestamp() > at);
        is_beyond
    }

    /// The latest sample that is kept.
    pub(crate) fn latest(&self, horizon: &Horizon) -> Option<Sample> {
        let coarsest = horizon.grid(self.tiers.len() - 1);
        let latest = self.latest_until(TimestampMs::new(i64::MAX), horizon)?;
        (coarsest.bucket_of(latest.timestamp()) > horizon.gone(self.tiers.len() - 1)).then_some(latest)
    }

    /// The last sample before or at `edge` of those that are kept.
    ///
    /// Where no tier tells it apart, as after a clock that was set back, the first sample of the
    /// time bucket that `edge` lies in stands for it.
    pub(crate) fn last_until(&self, edge: TimestampMs, horizon: &Horizon) -> Option<Sample> {
        let mut found = self.latest_until(edge, horizon);
        for before in self.tiers.iter().filter_map(Tier::before) {
            let is_later = found.is_none_or(|found| found.timestamp() < before.timestamp());
            if is_later && before.timestamp() <= edge {
                found = Some(before);
            }
        }
        found.filter(|sample| sample.timestamp() > horizon.kept_from())
    }

    /// The latest sample up to `edge` that the time buckets tell apart; of several at one instant the
    /// one that the finest tier knows.
    fn latest_until(&self, edge: TimestampMs, horizon: &Horizon) -> Option<Sample> {
        let fresh = self.fresh.slims();
        if let Some(last) = fresh.split_at(fresh.count_near(fresh.len(), edge)).0.last() {
            return Some(last);
        }
        let mut found: Option<Sample> = None;
        for (index, tier) in self.tiers.iter().enumerate() {
            let latest = tier.latest_until(edge, self.terms(index, horizon));
            if let Some(latest) = latest
                && found.is_none_or(|found| found.timestamp() < latest.timestamp())
            {
                found = Some(latest);
            }
        }
        found
    }

    /// Number of time buckets with samples, over all tiers.
    pub(crate) fn time_buckets(&self, horizon: &Horizon) -> usize {
        let fresh = occupied(self.fresh.slims().iter().map(Sample::timestamp), horizon.grid(0));
        let tiers = self.tiers.iter().enumerate();
        let sealed = tiers.map(|(index, tier)| tier.time_buckets(horizon.gone(index), self.terms(index, horizon)));
        fresh + sealed.sum::<usize>()
    }

    /// Bytes outside of the struct, without those of the key.
    pub(crate) fn heap_bytes(&self) -> usize {
        let tiers: usize = self.tiers.iter().map(|tier| size_of_val(tier) + tier.heap_bytes()).sum();
        self.fresh.heap_bytes() + tiers
    }
}

/// Number of samples that ever came, also of those that are gone since: the difference of two tells
/// whether any came late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Came {
    /// Up to an instant, and those of wider tiers at any.
    until: u64,
    /// Those that are in wider tiers only.
    wide: u64,
}

impl Came {
    /// What it becomes when so many more come in order.
    pub(crate) const fn after(self, more: u64) -> Self {
        Self { until: self.until.wrapping_add(more), ..self }
    }
}
