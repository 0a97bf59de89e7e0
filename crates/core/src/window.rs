//! Window: which time buckets make up `(from, to]`, and what the samples in them come to.

use crate::horizon::Horizon;
use crate::sample::{Kind, Sample};
use crate::series::Series;
use crate::summary::Summary;
use crate::tier::Content;
use crate::time::TimestampMs;

/// Time buckets `first..=last` of one tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    tier: usize,
    first: i64,
    last: i64,
}

/// The time buckets that make up a window, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    stretches: Vec<Stretch>,
    /// The time bucket that holds the right edge, as tier and number; it counts where its samples
    /// do not lie behind the edge.
    open: Option<(usize, i64)>,
    /// Left edge that is covered.
    pub(crate) from: TimestampMs,
    /// Right edge of the stretches.
    closed_until: TimestampMs,
    /// Right edge that was asked for.
    pub(crate) to: TimestampMs,
}

impl Plan {
    /// Plans `(from, to]` where tier `i` holds all samples from `complete[i]` on.
    ///
    /// The finest tier that reaches back to `from` gives the whole time buckets, finer ones the rest
    /// up to `to`, so that only the left edge moves outward. Where even the coarsest tier does not
    /// reach back, the window begins where that tier does.
    pub(crate) fn new(horizon: &Horizon, complete: &[TimestampMs], from: TimestampMs, to: TimestampMs) -> Self {
        let coarsest = complete.len() - 1;
        if complete[coarsest] >= to {
            return Self { stretches: Vec::new(), open: None, from: to, closed_until: to, to };
        }
        let mut tier = complete.iter().position(|edge| *edge <= from).unwrap_or(coarsest);
        let from = horizon.grid(tier).edge_before(from.max(complete[tier]));
        let mut plan = Self { stretches: Vec::new(), open: None, from, closed_until: from, to };
        loop {
            let grid = horizon.grid(tier);
            let (first, last) = (grid.whole_until(plan.closed_until) + 1, grid.whole_until(to));
            if first <= last {
                plan.stretches.push(Stretch { tier, first, last });
                plan.closed_until = grid.end(last);
            }
            if plan.closed_until >= to {
                return plan;
            }
            match tier.checked_sub(1) {
                Some(finer) if complete[finer] <= plan.closed_until => tier = finer,
                _ => {
                    plan.open = Some((tier, grid.bucket_of(to)));
                    return plan;
                }
            }
        }
    }

    /// Puts the samples of one series together, and says how far they really reach.
    pub(crate) fn pool(&self, series: &Series, horizon: &Horizon, spread: Spread) -> (Pool, TimestampMs) {
        let mut pool = Pool::new(series.kind(), spread);
        if series.kind() == Kind::Counter {
            let finest = self.stretches.first().map_or_else(|| self.open.map_or(0, |open| open.0), |first| first.tier);
            pool.before = series.last_until(self.from, finest, horizon);
        }
        for stretch in &self.stretches {
            for bucket in series.tier(stretch.tier).range(stretch.first, stretch.last) {
                pool.add(&bucket.content);
            }
        }
        let mut to = self.to;
        if let Some((tier, number)) = self.open
            && let Some(bucket) = series.tier(tier).get(number)
        {
            if bucket.content.last().timestamp() <= self.to {
                pool.add(&bucket.content);
            } else {
                to = self.closed_until;
            }
        }
        (pool, to)
    }
}

/// Whether a figure needs the sketches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    Needed,
    NotNeeded,
}

/// Samples of a window put together.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    kind: Kind,
    spread: Spread,
    /// The last sample before the window, from which a counter's first step is taken.
    before: Option<Sample>,
    /// What the samples come to; its increase has the step from `before`.
    summary: Option<Summary>,
    /// Number of steps between samples, without which a counter has no increase.
    steps: u64,
}

impl Pool {
    pub(crate) fn new(kind: Kind, spread: Spread) -> Self {
        Self { kind, spread, before: None, summary: None, steps: 0 }
    }

    pub(crate) fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    pub(crate) fn count(&self) -> u64 {
        self.summary.as_ref().map_or(0, |summary| summary.count)
    }

    /// The increase; `None` where there is no sample, or of a counter no second one.
    pub(crate) fn increase(&self) -> Option<f64> {
        let measured = self.kind != Kind::Counter || self.steps > 0;
        self.summary.as_ref().filter(|_| measured).map(|summary| summary.increase)
    }

    /// Adds the content of the next later time bucket of the same series.
    pub(crate) fn add(&mut self, content: &Content) {
        self.steps += content.count() - 1;
        if let Some(summary) = &mut self.summary {
            self.steps += 1;
            match (content, self.spread) {
                (Content::One(sample), Spread::Needed) => summary.record(*sample, self.kind),
                (Content::One(sample), Spread::NotNeeded) => summary.record_without_sketch(*sample, self.kind),
                (Content::Many(other), Spread::Needed) => summary.merge(other, self.kind),
                (Content::Many(other), Spread::NotNeeded) => summary.merge_without_sketch(other, self.kind),
            }
            return;
        }
        let mut summary = match (content, self.spread) {
            (Content::One(sample), Spread::Needed) => Summary::of(*sample, self.kind),
            (Content::One(sample), Spread::NotNeeded) => Summary::without_sketch(*sample, self.kind),
            (Content::Many(other), Spread::Needed) => Summary::clone(other),
            (Content::Many(other), Spread::NotNeeded) => other.clone_without_sketch(),
        };
        if let Some(before) = self.before {
            self.steps += 1;
            summary.step_from(before, self.kind);
        }
        self.summary = Some(summary);
    }

    /// Adds what another series' samples come to.
    pub(crate) fn add_series(&mut self, other: Self) {
        self.steps += other.steps;
        self.summary = match (self.summary.take(), other.summary) {
            (Some(mut summary), Some(other)) => {
                match self.spread {
                    Spread::Needed => summary.merge_across(&other),
                    Spread::NotNeeded => summary.merge_across_without_sketch(&other),
                }
                Some(summary)
            }
            (own, other) => own.or(other),
        };
    }
}
