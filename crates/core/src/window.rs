//! Window: which time buckets make up `(from, to]`, and what the samples in them come to.

use crate::horizon::Horizon;
use crate::part::Part;
use crate::query::Quantile;
use crate::query::QueryError;
use crate::sample::{Kind, Sample};
use crate::series::Series;
use crate::sketch::Sketch;
use crate::summary::Summary;
use crate::tally::Tally;
use crate::time::{DurationMs, TimestampMs};

/// Time buckets `first..=last` of one tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) tier: usize,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// The time buckets that make up a window, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    stretches: Vec<Stretch>,
    /// The time bucket that holds the right edge, as tier and number.
    open: Option<(usize, i64)>,
    /// Left edge that is covered.
    pub(crate) from: TimestampMs,
    /// Right edge of the stretches.
    closed_until: TimestampMs,
    /// Right edge that is covered.
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

    /// Leaves out the time bucket that holds the right edge where one of the series has samples
    /// behind the edge in it: all series are counted up to the same instant.
    ///
    /// # Errors
    /// [`QueryError::RightEdgeGone`] where that would leave out more than a part of a time bucket of
    /// the finest tier.
    pub(crate) fn settled<'a>(
        mut self,
        series: impl IntoIterator<Item = &'a Series>,
        horizon: &Horizon,
    ) -> Result<Self, QueryError> {
        if let Some((tier, number)) = self.open {
            let is_behind = |series: &Series| series.goes_beyond(tier, number, self.to, horizon);
            if series.into_iter().any(is_behind) {
                if tier > 0 {
                    let grid = horizon.grid(tier);
                    let (width, nearest) = (grid.width(), grid.edge_before(self.to));
                    return Err(QueryError::RightEdgeGone { at: self.to, width, nearest });
                }
                self.open = None;
                self.to = self.closed_until;
            }
        }
        Ok(self)
    }

    /// Whether [`Plan::settled`] would leave it as it is.
    pub(crate) fn is_settled<'a>(&self, series: impl IntoIterator<Item = &'a Series>, horizon: &Horizon) -> bool {
        self.open.is_none_or(|(tier, number)| {
            !series.into_iter().any(|series| series.goes_beyond(tier, number, self.to, horizon))
        })
    }

    /// The length of time that is covered.
    pub(crate) fn covered(&self) -> DurationMs {
        self.to.since(self.from)
    }

    /// The whole time buckets, oldest first.
    pub(crate) fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// The time bucket that holds the right edge, where it counts.
    pub(crate) fn open(&self) -> Option<Stretch> {
        self.open.map(|(tier, number)| Stretch { tier, first: number, last: number })
    }

    /// Puts the samples of one series together.
    pub(crate) fn pool(&self, series: &Series, horizon: &Horizon, spread: Spread) -> Pool {
        let before = match series.kind() {
            Kind::Counter => series.last_until(self.from, horizon),
            _ => None,
        };
        let mut pool = Pool::after(before, series.kind(), spread);
        for stretch in self.stretches.iter().copied().chain(self.open()) {
            series.each_part(stretch.tier, (stretch.first, stretch.last), horizon, &mut |part| pool.add(&part));
        }
        pool
    }
}

/// Whether a figure needs the sketches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    Needed,
    NotNeeded,
}

impl Spread {
    pub(crate) fn is_needed(self) -> bool {
        self == Self::Needed
    }
}

/// Samples of a window put together.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    kind: Kind,
    spread: Spread,
    /// The last sample before the window, from which a counter's first step is taken.
    before: Option<Sample>,
    /// What the samples come to, without a sketch; its increase has the step from `before`.
    summary: Option<Summary>,
    /// Their value buckets, where those are needed.
    tally: Tally,
    /// Number of steps between samples, without which a counter has no increase.
    steps: u64,
}

impl Pool {
    /// A pool without samples that comes after the sample `before`.
    pub(crate) fn after(before: Option<Sample>, kind: Kind, spread: Spread) -> Self {
        Self { kind, spread, before, summary: None, tally: Tally::default(), steps: 0 }
    }

    /// A pool of samples that are put together already but for the step from `before`.
    pub(crate) fn made_of(
        summary: Option<Summary>,
        tally: Tally,
        before: Option<Sample>,
        kind: Kind,
        spread: Spread,
    ) -> Self {
        let mut pool = Self { summary, tally, ..Self::after(before, kind, spread) };
        pool.steps = pool.count().saturating_sub(1);
        pool.step_in();
        pool
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

    /// The value of rank `floor(q·(n − 1))` and the bound of its relative error: 0 where the value is
    /// the least or the greatest one and so known exactly.
    pub(crate) fn quantile(&self, q: Quantile) -> Option<(f64, f64)> {
        let summary = self.summary.as_ref()?;
        Some(summary.quantile_of(q, |rank| self.tally.walk(summary.count).value_at(rank), self.tally.scale()))
    }

    /// How the values are spread.
    pub(crate) fn sketch(&self) -> Sketch {
        self.tally.to_sketch()
    }

    /// Adds the next later part of the same series.
    pub(crate) fn add(&mut self, part: &Part<'_>) {
        self.steps = self.steps.saturating_add(part.summary.count - 1);
        if self.spread == Spread::Needed {
            self.tally.add(&part.values);
        }
        match &mut self.summary {
            Some(summary) => {
                self.steps = self.steps.saturating_add(1);
                summary.merge_without_sketch(&part.summary, self.kind);
            }
            None => {
                self.summary = Some(part.summary.clone());
                self.step_in();
            }
        }
    }

    /// Adds what another series' samples come to.
    pub(crate) fn add_series(&mut self, other: Self) {
        self.steps = self.steps.saturating_add(other.steps);
        self.tally.merge(&other.tally);
        self.summary = match (self.summary.take(), other.summary) {
            (Some(mut summary), Some(other)) => {
                summary.merge_across_without_sketch(&other);
                Some(summary)
            }
            (own, other) => own.or(other),
        };
    }

    /// Takes the step from the last sample before the window to its first.
    fn step_in(&mut self) {
        if let (Some(summary), Some(before)) = (&mut self.summary, self.before) {
            self.steps = self.steps.saturating_add(1);
            summary.step_from(before, self.kind);
        }
    }
}
