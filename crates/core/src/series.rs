//! Series: one metric with one set of labels, in time buckets of every width.
//!
//! What comes in order is only appended to the *fresh* samples. They are sealed into the finest tier
//! when there are many, and a wider tier's time buckets are made from those of the next finer one
//! when they leave that. Until then whoever reads a wide time bucket is told the finer ones in it, so
//! that no reader knows the difference. What comes late goes into each tier that has sealed its
//! instant.

mod reading;
mod sealing;
mod widening;

pub(crate) use reading::Came;
pub(crate) use sealing::LOT;

use crate::chunk::{Change, Scratch, Terms};
use crate::horizon::Horizon;
use crate::labels::SeriesKey;
use crate::sample::{Kind, Sample};
use crate::slim::Slims;
use crate::summary::Summary;
use crate::tier::{Order, Tier};
use crate::time::{DurationMs, TimestampMs};
use crate::trail::Trail;

/// The first whole millisecond that is not before. Cheaper than `ceil`, which is a call on some
/// machines.
#[inline]
pub(crate) fn rounded_up(timestamp_ms: f64) -> TimestampMs {
    let whole = timestamp_ms as i64;
    TimestampMs::new(whole + i64::from((whole as f64) < timestamp_ms))
}

/// A series and what is kept of its samples.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Samples that are in no tier yet, in order of time.
    fresh: Trail,
    /// Timestamp of the last fresh sample; where there is none, the earliest that one may have.
    newest: TimestampMs,
    /// Number of samples that came and are no longer fresh, or never were; since a restore, and only
    /// differences count, so it may wrap.
    came: u64,
    /// Those of them that are in wider tiers only.
    came_wide: u64,
    kind: Kind,
    /// By how many samples more than others it puts off sealing: series that begin together would all
    /// seal in the same call.
    patience: u8,
    key: SeriesKey,
    tiers: Box<[Tier]>,
}

impl Series {
    /// The series whose [`crate::engine::SeriesId::index`] is `index`, without samples.
    pub(crate) fn new(key: SeriesKey, kind: Kind, tiers: usize, index: usize) -> Self {
        let never = TimestampMs::new(i64::MIN);
        let patience = (index % sealing::PATIENCE) as u8;
        let tiers = (0..tiers).map(|_| Tier::default()).collect();
        Self { fresh: Trail::new(), newest: never, came: 0, came_wide: 0, kind, patience, key, tiers }
    }

    /// Holds what `other` holds, under its own name.
    pub(crate) fn replace(&mut self, other: Self) {
        let Self { fresh, newest, came, came_wide, tiers, .. } = other;
        let (key, kind, patience) = (self.key.clone(), self.kind, self.patience);
        *self = Self { fresh, newest, came, came_wide, kind, patience, key, tiers };
    }

    pub(crate) fn key(&self) -> &SeriesKey {
        &self.key
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn tier(&self, index: usize) -> &Tier {
        &self.tiers[index]
    }

    pub(crate) fn terms(&self, index: usize, horizon: &Horizon) -> Terms {
        Terms { grid: horizon.grid(index), kind: self.kind }
    }

    /// Whether a tier may lack samples that came in wider time buckets.
    pub(crate) fn is_patchy(&self) -> bool {
        self.tiers.iter().any(|tier| tier.incomplete_until() > TimestampMs::new(i64::MIN))
    }

    /// Samples that are in no tier yet.
    pub(crate) fn fresh(&self) -> Slims<'_> {
        self.fresh.slims()
    }

    pub(crate) fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// Becomes what it was; `false` where that cannot have been.
    pub(crate) fn restore(&mut self, fresh: &[Sample], tiers: Vec<Tier>, horizon: &Horizon) -> bool {
        let sealed_to = tiers.first().map_or(TimestampMs::new(i64::MIN), Tier::sealed_to);
        let is_sorted = fresh.windows(2).all(|pair| pair[0].timestamp() <= pair[1].timestamp());
        let is_fresh = fresh.first().is_none_or(|first| first.timestamp() >= sealed_to);
        let are_sealed = tiers.windows(2).all(|pair| pair[0].sealed_to() >= pair[1].sealed_to());
        let is_whole = tiers.len() == self.tiers.len();
        if !(is_whole && is_sorted && is_fresh && are_sealed) {
            return false;
        }
        self.tiers = tiers.into();
        self.newest = self.newest_kept();
        let mut scratch = Scratch::default();
        // Older snapshots may hold fresh samples that lie further apart than they may now: what is before is sealed.
        fresh.iter().for_each(|sample| self.place(*sample, horizon, &mut scratch));
        true
    }

    /// Adds the time buckets of a tier that a snapshot of version 1 tells of: each tier had all samples.
    pub(crate) fn restore_bucket(&mut self, index: usize, number: i64, change: Change<'_>, horizon: &Horizon) {
        let terms = self.terms(index, horizon);
        self.tiers[index].change(number, change, terms, &mut Scratch::default());
        let coarsest = horizon.grid(self.tiers.len() - 1);
        let edge = coarsest.edge_after(terms.grid.end(number)).max(self.tiers[0].sealed_to());
        self.tiers.iter_mut().for_each(|tier| tier.seal_to(edge));
        self.newest = self.newest_kept();
    }

    pub(crate) fn tier_mut(&mut self, index: usize) -> &mut Tier {
        &mut self.tiers[index]
    }

    /// Timestamp of the last fresh sample; where there is none, the earliest that one may have: what
    /// comes at the very instant up to which all is sealed is fresh as long as no wider tier has it.
    fn newest_kept(&self) -> TimestampMs {
        if let Some(last) = self.fresh.slims().last() {
            return last.timestamp();
        }
        let sealed_to = self.tiers[0].sealed_to();
        match self.tiers.get(1) {
            Some(wider) if wider.sealed_to() >= sealed_to => sealed_to + DurationMs::from_millis(1),
            _ => sealed_to,
        }
    }

    /// Records a sample. Cost: O(1) in order.
    #[inline]
    pub(crate) fn record(&mut self, sample: Sample, horizon: &Horizon, scratch: &mut Scratch) {
        if !self.push(sample.timestamp().get() as f64, sample.value()) {
            self.record_elsewhere(sample, horizon, scratch);
        }
    }

    /// Records a finite value at an instant, or between two of them, where it counts as at the later one; `false`, and
    /// nothing changed, where it finds no room or comes out of order.
    #[inline(always)]
    pub(crate) fn push(&mut self, at_ms: f64, value: f64) -> bool {
        let at = self.fresh.push_within(at_ms, value, self.newest);
        self.newest = at.unwrap_or(self.newest);
        at.is_some()
    }

    /// Records a sample that finds no room or comes out of order.
    #[inline(never)]
    fn record_elsewhere(&mut self, sample: Sample, horizon: &Horizon, scratch: &mut Scratch) {
        self.make_room(horizon, scratch);
        self.place(sample, horizon, scratch);
    }

    /// Puts a sample among the fresh ones, or into the tiers where they have sealed its instant.
    fn place(&mut self, sample: Sample, horizon: &Horizon, scratch: &mut Scratch) {
        if sample.timestamp() < self.newest && sample.timestamp() <= self.tiers[0].sealed_to() {
            return self.record_late(sample, horizon, scratch);
        }
        self.append(sample, horizon, scratch);
    }

    /// Puts a sample among the fresh ones, of which there may be as many.
    fn append(&mut self, sample: Sample, horizon: &Horizon, scratch: &mut Scratch) {
        let at = sample.timestamp();
        if !self.fresh.fit(at, horizon.grid(0)) {
            // The others lie too far away to be told from the same base.
            self.seal(horizon.grid(0).edge_after(self.newest.max(at)), horizon, scratch);
            return self.record_late(sample, horizon, scratch);
        }
        if self.fresh.len() == self.fresh.capacity() {
            self.grow();
        }
        if at >= self.newest {
            self.fresh.push(sample);
            self.newest = at;
        } else {
            self.fresh.insert(sample);
        }
    }

    /// Records a sample into every tier that has sealed its instant and still holds its time bucket.
    fn record_late(&mut self, sample: Sample, horizon: &Horizon, scratch: &mut Scratch) {
        self.came = self.came.wrapping_add(1);
        for index in 0..self.tiers.len() {
            if sample.timestamp() > self.tiers[index].sealed_to() {
                break;
            }
            self.change(index, sample.timestamp(), sample, Change::Sample(sample), horizon, scratch);
        }
    }

    /// Merges a summary of the time `width` before `end` into every tier whose time buckets are made
    /// of whole spans of that width, and notes in the others that they lack it.
    pub(crate) fn merge(
        &mut self,
        width: DurationMs,
        end: TimestampMs,
        summary: &Summary,
        horizon: &Horizon,
        scratch: &mut Scratch,
    ) {
        let takes = |index: usize| horizon.grid(index).is_multiple_of(width);
        let Some(finest) = (0..self.tiers.len()).find(|index| takes(*index)) else { return };
        if finest == 0 && summary.count == 1 {
            return self.record(summary.first, horizon, scratch);
        }
        self.came = self.came.wrapping_add(summary.count);
        if finest > 0 {
            self.came_wide = self.came_wide.wrapping_add(summary.count);
        }
        self.seal_through(finest, horizon.grid(finest).edge_after(end), horizon, scratch);
        for index in 0..self.tiers.len() {
            if !takes(index) {
                self.tiers[index].lacks_until(end);
                self.tiers[index].pass_by(summary.last);
            } else if end <= self.tiers[index].sealed_to() {
                self.change(index, end, summary.last, Change::Summary(summary), horizon, scratch);
            }
        }
    }

    /// Changes the time bucket of one tier that `at` is in, or notes that `last` has passed it by.
    fn change(
        &mut self,
        index: usize,
        at: TimestampMs,
        last: Sample,
        change: Change<'_>,
        horizon: &Horizon,
        scratch: &mut Scratch,
    ) {
        let terms = self.terms(index, horizon);
        let number = terms.grid.bucket_of(at);
        // A tier holds what has left it until the next wider one has sealed it.
        let is_held = self.tiers.get(index + 1).is_some_and(|wider| at > wider.sealed_to());
        if number <= horizon.gone(index) && !is_held {
            self.tiers[index].pass_by(last);
        } else if self.tiers[index].change(number, change, terms, scratch) == Order::Lost {
            self.settle(index, number, horizon, scratch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, EngineConfig};
    use crate::labels::{Labels, MetricName};

    #[test]
    fn fresh_samples_of_an_older_snapshot_may_lie_far_apart() -> Result<(), Box<dyn std::error::Error>> {
        let mut horizon = Engine::new(EngineConfig::default())?.horizon;
        let start = 1_700_000_000_000;
        let late = start + DurationMs::from_days(60).as_millis() as i64;
        let instants = [start, late + 100, late + 200];
        horizon.observe(TimestampMs::new(late + 1_000));
        let samples: Vec<_> =
            instants.iter().map(|at| Sample::new(TimestampMs::new(*at), 1.0)).collect::<Result<_, _>>()?;
        let key = SeriesKey { metric: MetricName::new("load")?, labels: Labels::empty() };
        let tiers = horizon.tiers();
        let mut series = Series::new(key, Kind::Gauge, tiers, 0);
        assert!(series.restore(&samples, vec![Tier::default(); tiers], &horizon));
        let sealed_to = series.tier(0).sealed_to();
        let fresh = series.fresh().first().map(Sample::timestamp);
        assert!(fresh.is_none_or(|fresh| fresh >= sealed_to), "{fresh:?} is fresh, and sealed is up to {sealed_to:?}");
        Ok(())
    }
}
