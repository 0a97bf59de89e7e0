//! Horizon: which time buckets each tier still holds, and since when it holds all of them.

use crate::grid::Grid;
use crate::tier::Tier;
use crate::time::{DurationMs, TimestampMs};

/// One tier's part of the horizon.
#[derive(Clone, Debug)]
struct Reach {
    grid: Grid,
    span: DurationMs,
    /// Number of the newest time bucket that has left the span.
    gone: i64,
    /// Number of the newest time bucket that may lack samples.
    incomplete: i64,
}

/// How far back the tiers of an engine reach, anchored on the newest `now` that it was told.
///
/// A time bucket is kept while any instant of the next coarser tier's time bucket around it lies
/// within the span before `now`, so that a tier begins where a coarser time bucket ends: a window may
/// end at any edge of the finest tier that reaches back so far.
#[derive(Clone, Debug)]
pub(crate) struct Horizon {
    now: TimestampMs,
    reaches: Box<[Reach]>,
}

impl Horizon {
    pub(crate) fn new(tiers: impl IntoIterator<Item = (Grid, DurationMs)>) -> Self {
        let now = TimestampMs::new(i64::MIN);
        let reach = |(grid, span): (Grid, DurationMs)| {
            let gone = grid.whole_until(now);
            Reach { grid, span, gone, incomplete: gone }
        };
        Self { now, reaches: tiers.into_iter().map(reach).collect() }
    }

    /// Moves to `now`. A clock that was ahead and is set back leaves the tiers incomplete only up
    /// to the new `now`.
    pub(crate) fn observe(&mut self, now: TimestampMs) {
        if now == self.now {
            return;
        }
        for tier in 0..self.reaches.len() {
            let coarser = self.reaches.get(tier + 1).map_or(self.reaches[tier].grid, |coarser| coarser.grid);
            let reach = &mut self.reaches[tier];
            reach.gone = reach.grid.whole_until(coarser.edge_before(now - reach.span));
            let present = reach.grid.bucket_of(now);
            reach.incomplete = reach.incomplete.min(present).max(reach.gone);
        }
        self.now = now;
    }

    pub(crate) fn tiers(&self) -> usize {
        self.reaches.len()
    }

    /// The newest `now` that was told.
    pub(crate) fn now(&self) -> TimestampMs {
        self.now
    }

    /// The newest time bucket of a tier that may lack samples.
    pub(crate) fn incomplete(&self, tier: usize) -> i64 {
        self.reaches[tier].incomplete
    }

    /// Sets what [`Horizon::incomplete`] says, no further than the present and no less than what is gone.
    pub(crate) fn restore_incomplete(&mut self, tier: usize, number: i64) {
        let reach = &mut self.reaches[tier];
        reach.incomplete = number.min(reach.grid.bucket_of(self.now)).max(reach.gone);
    }

    /// The grid of a tier; tiers ascend by width.
    pub(crate) fn grid(&self, tier: usize) -> Grid {
        self.reaches[tier].grid
    }

    /// The newest time bucket that has left a tier.
    pub(crate) fn gone(&self, tier: usize) -> i64 {
        self.reaches[tier].gone
    }

    /// The edge up to which no tier keeps anything.
    pub(crate) fn kept_from(&self) -> TimestampMs {
        self.reaches.last().map_or(TimestampMs::new(i64::MIN), |coarsest| coarsest.grid.end(coarsest.gone))
    }

    /// The edge from which on a tier can hold all samples of a series.
    ///
    /// The coarsest tier holds what there is: nothing else could answer for what it lacks.
    pub(crate) fn edge(&self, tier: usize) -> TimestampMs {
        let reach = &self.reaches[tier];
        reach.grid.end(if tier + 1 == self.tiers() { reach.gone } else { reach.incomplete })
    }

    /// The edge from which on a tier of one series holds all its samples.
    pub(crate) fn complete_from(&self, tier: usize, of: &Tier) -> TimestampMs {
        let edge = self.edge(tier);
        if tier + 1 == self.tiers() { edge } else { self.grid(tier).edge_after(of.incomplete_until()).max(edge) }
    }
}
