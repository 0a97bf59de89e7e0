//! Series: one metric with one set of labels, in time buckets of every width.
//!
//! What comes in order is only appended to the *fresh* samples. They are sealed into the finest tier
//! later, and a wider tier's time buckets are made from those of the next finer one when they are
//! over. Until then whoever reads a wide time bucket is told the finer ones in it, so that no reader
//! knows the difference. What comes late goes into each tier that has sealed its instant.

mod reading;

pub(crate) use reading::Came;

use crate::chunk::{Change, Scratch, Terms};
use crate::horizon::Horizon;
use crate::labels::SeriesKey;
use crate::sample::{Kind, Sample};
use crate::summary::{Summary, finite, step};
use crate::tier::{Order, Tier};
use crate::time::{DurationMs, TimestampMs};

/// So many fresh samples are worth sealing.
const ENOUGH: usize = 32;
/// Fresh samples of several time buckets are sealed at once where there are so many …
const MANY: usize = 1_024;
/// … and those of one where there are so many.
const MOST: usize = 65_536;

/// A series and what is kept of its samples.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Samples that are in no tier yet, in order of time.
    fresh: Vec<Sample>,
    /// Timestamp of the last fresh sample, else how far the finest tier is sealed.
    newest: TimestampMs,
    /// Right edge of the finest time bucket that the last fresh sample is in.
    end: TimestampMs,
    /// The finest tier's newest time bucket that was evicted.
    evicted: i64,
    /// Number of samples that came and are no longer fresh, or never were; since a restore, and only
    /// differences count, so it may wrap.
    came: u64,
    /// Those of them that are in wider tiers only.
    came_wide: u64,
    kind: Kind,
    key: SeriesKey,
    tiers: Box<[Tier]>,
}

impl Series {
    pub(crate) fn new(key: SeriesKey, kind: Kind, tiers: usize) -> Self {
        let never = TimestampMs::new(i64::MIN);
        let tiers = (0..tiers).map(|_| Tier::default()).collect();
        Self {
            fresh: Vec::new(),
            newest: never,
            end: never,
            evicted: i64::MIN,
            came: 0,
            came_wide: 0,
            kind,
            key,
            tiers,
        }
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

    /// Samples that are in no tier yet.
    pub(crate) fn fresh(&self) -> &[Sample] {
        &self.fresh
    }

    /// The finest tier's newest time bucket that was evicted.
    pub(crate) const fn evicted(&self) -> i64 {
        self.evicted
    }

    pub(crate) fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// Becomes what it was; `false` where that cannot have been.
    pub(crate) fn restore(&mut self, fresh: Vec<Sample>, tiers: Vec<Tier>, evicted: i64, horizon: &Horizon) -> bool {
        let sealed_to = tiers.first().map_or(TimestampMs::new(i64::MIN), Tier::sealed_to);
        let is_sorted = fresh.windows(2).all(|pair| pair[0].timestamp() <= pair[1].timestamp());
        let is_fresh = fresh.first().is_none_or(|first| first.timestamp() > sealed_to);
        let are_sealed = tiers.windows(2).all(|pair| pair[0].sealed_to() >= pair[1].sealed_to());
        let grid = horizon.grid(0);
        (self.newest, self.end) = match fresh.last() {
            Some(last) => (last.timestamp(), grid.end(grid.bucket_of(last.timestamp()))),
            None => (sealed_to, TimestampMs::new(i64::MIN)),
        };
        self.evicted = evicted;
        self.fresh = fresh;
        let is_whole = tiers.len() == self.tiers.len();
        self.tiers = tiers.into();
        is_whole && is_sorted && is_fresh && are_sealed
    }

    /// Adds the time buckets of a tier that a snapshot of version 1 tells of: each tier had all samples.
    pub(crate) fn restore_bucket(&mut self, index: usize, number: i64, change: Change<'_>, horizon: &Horizon) {
        let terms = self.terms(index, horizon);
        self.tiers[index].change(number, change, terms, &mut Scratch::default());
        let coarsest = horizon.grid(self.tiers.len() - 1);
        let edge = coarsest.edge_after(terms.grid.end(number)).max(self.tiers[0].sealed_to());
        self.tiers.iter_mut().for_each(|tier| tier.seal_to(edge));
        self.newest = edge;
    }

    pub(crate) fn tier_mut(&mut self, index: usize) -> &mut Tier {
        &mut self.tiers[index]
    }

    /// Records a sample. Cost: O(1) in order.
    #[inline]
    pub(crate) fn record(&mut self, sample: Sample, horizon: &Horizon, scratch: &mut Scratch) {
        let at = sample.timestamp();
        if at >= self.newest && at <= self.end && self.fresh.len() < self.fresh.capacity() {
            self.fresh.push(sample);
            self.newest = at;
        } else {
            self.record_elsewhere(sample, horizon, scratch);
        }
    }

    /// Records a sample that begins a time bucket, finds no room or comes out of order.
    #[inline(never)]
    fn record_elsewhere(&mut self, sample: Sample, horizon: &Horizon, scratch: &mut Scratch) {
        let at = sample.timestamp();
        let is_next = at > self.end;
        if self.fresh.len() >= if is_next { MANY } else { MOST } {
            self.seal(self.end, horizon, scratch);
        }
        if at <= self.tiers[0].sealed_to() {
            return self.record_late(sample, horizon, scratch);
        }
        if self.fresh.len() == self.fresh.capacity() {
            // By no power of two, and not by the same at all series: they would all grow at once.
            self.fresh.reserve_exact(4 + self.fresh.len() / 2);
        }
        if at >= self.newest || self.fresh.is_empty() {
            let grid = horizon.grid(0);
            let next = self.end + grid.width();
            self.end = if at <= self.end {
                self.end
            } else if at <= next && !self.fresh.is_empty() {
                next
            } else {
                grid.end(grid.bucket_of(at))
            };
            self.newest = at;
            self.fresh.push(sample);
        } else {
            let place = self.fresh.partition_point(|fresh| fresh.timestamp() <= at);
            self.fresh.insert(place, sample);
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

    /// Seals the fresh samples up to `edge`, an edge of the finest tier's time buckets, into that
    /// tier, and makes the time buckets of the next wider one that are over.
    pub(crate) fn seal(&mut self, edge: TimestampMs, horizon: &Horizon, scratch: &mut Scratch) {
        let terms = self.terms(0, horizon);
        let count = self.fresh.partition_point(|sample| sample.timestamp() <= edge);
        let sealed = &self.fresh[..count];
        let before = self.tiers[0].sealed_to();
        self.tiers[0].append_samples(sealed, terms, scratch);
        self.tiers[0].seal_to(edge);
        if self.tiers.len() > 1 {
            let wider = Terms { grid: horizon.grid(1), kind: self.kind };
            let whole = wider.grid.edge_before(edge);
            if before <= self.tiers[1].sealed_to() && whole > self.tiers[1].sealed_to() {
                // The samples are at hand: no need to read them again.
                let count = sealed.partition_point(|sample| sample.timestamp() <= whole);
                self.tiers[1].append_samples(&sealed[..count], wider, scratch);
                self.tiers[1].seal_to(whole);
            }
        }
        self.fresh.drain(..count);
        self.came = self.came.wrapping_add(count as u64);
        if self.fresh.is_empty() {
            (self.newest, self.end) = (self.tiers[0].sealed_to(), TimestampMs::new(i64::MIN));
        }
        if self.fresh.capacity() > 4 * MANY && self.fresh.len() < MANY {
            self.fresh.shrink_to(MANY);
        }
    }

    /// Seals all tiers up to the one numbered `finest` through `edge`, an edge of that one.
    fn seal_through(&mut self, finest: usize, edge: TimestampMs, horizon: &Horizon, scratch: &mut Scratch) {
        if self.tiers[0].sealed_to() < edge {
            self.seal(edge, horizon, scratch);
        }
        for index in 1..=finest {
            self.widen(index, edge, horizon, scratch);
        }
    }

    /// Makes the time buckets of a tier up to `edge`, an edge of it up to which the next finer tier
    /// is sealed. Says how many parts and values that took.
    fn widen(&mut self, index: usize, edge: TimestampMs, horizon: &Horizon, scratch: &mut Scratch) -> usize {
        let terms = self.terms(index, horizon);
        let finer = self.terms(index - 1, horizon);
        let (finer_tiers, tiers) = self.tiers.split_at_mut(index);
        let (Some(source), Some(tier)) = (finer_tiers.last(), tiers.first_mut()) else { return 0 };
        if edge <= tier.sealed_to() {
            return 0;
        }
        let from = finer.grid.whole_until(tier.sealed_to()).saturating_add(1);
        let mut work = 0;
        let mut few: Vec<Sample> = Vec::new();
        let mut parts = source.range(from, finer.grid.whole_until(edge), finer).peekable();
        while let Some(first) = parts.next() {
            let number = terms.grid.bucket_of(first.summary.last.timestamp());
            let end = terms.grid.end(number);
            let mut summary = first.summary;
            scratch.spread.clear();
            scratch.spread.add(&first.values);
            few.clear();
            first.values.samples(&mut few);
            while let Some(part) = parts.next_if(|part| part.summary.last.timestamp() <= end) {
                summary.merge_without_sketch(&part.summary, self.kind);
                scratch.spread.add(&part.values);
                part.values.samples(&mut few);
                work += 4;
            }
            work += 8 + scratch.spread.work();
            if few.len() as u64 == summary.count {
                tier.append_samples(&few, terms, scratch);
            } else {
                summary.set_residue(0.0);
                tier.append_packed(number, &summary, terms, scratch);
            }
        }
        tier.seal_to(edge);
        work
    }

    /// Seals what is over and drops what has left the tiers. Says how much work that was, counted in
    /// samples, parts and values.
    pub(crate) fn tidy(&mut self, horizon: &Horizon, scratch: &mut Scratch) -> usize {
        let mut work = 0;
        if self.fresh.len() >= ENOUGH {
            let grid = horizon.grid(1.min(self.tiers.len() - 1));
            let past = self.newest - DurationMs::from_millis(1);
            let edge = grid.edge_before(past.min(horizon.now()));
            let count = self.fresh.partition_point(|sample| sample.timestamp() <= edge);
            if count >= ENOUGH / 2 {
                self.seal(edge, horizon, scratch);
                work += 4 * count;
            }
        }
        let gone = horizon.gone(0);
        if self.evicted == gone {
            return work;
        }
        self.evicted = gone;
        for index in 1..self.tiers.len() {
            let edge = horizon.grid(index).edge_before(self.tiers[index - 1].sealed_to());
            work += self.widen(index, edge, horizon, scratch);
        }
        let is_over = self.newest <= horizon.kept_from();
        for index in 0..self.tiers.len() {
            let terms = self.terms(index, horizon);
            // What no tier keeps any more need not wait for the end of a wide time bucket, which
            // comes with later samples only.
            let wider = self.tiers.get(index + 1).filter(|_| !is_over);
            let sealed = wider.map_or(i64::MAX, |wider| terms.grid.whole_until(wider.sealed_to()));
            let gone = horizon.gone(index).min(sealed);
            self.tiers[index].evict(gone, terms);
        }
        if is_over && let Some(last) = self.fresh.last() {
            self.tiers[0].pass_by(*last);
            self.tiers[0].seal_to(self.end);
            self.came = self.came.wrapping_add(self.fresh.len() as u64);
            self.fresh = Vec::new();
            (self.newest, self.end) = (self.tiers[0].sealed_to(), TimestampMs::new(i64::MIN));
        }
        work + self.tiers.len()
    }

    /// Counts the increase of a counter's time bucket anew from the next finer tier, where that has
    /// all of it: what came late lies between samples whose order only the finer tier knows.
    fn settle(&mut self, index: usize, number: i64, horizon: &Horizon, scratch: &mut Scratch) {
        let Some(finer) = index.checked_sub(1) else { return };
        let terms = self.terms(index, horizon);
        let start = terms.grid.start(number);
        if self.kind != Kind::Counter || start < horizon.complete_from(finer, &self.tiers[finer]) {
            return;
        }
        let numbers = horizon.grid(finer);
        let mut increase = 0.0;
        let mut before: Option<Sample> = None;
        let (first, last) = (numbers.bucket_of(start) + 1, numbers.bucket_of(terms.grid.end(number)));
        for part in self.parts(finer, first, last, horizon) {
            if let Some(before) = before {
                increase += step(before.value(), part.summary.first.value());
            }
            increase += part.summary.increase;
            before = Some(part.summary.last);
        }
        let change = Change::Increase(finite(increase));
        self.tiers[index].change(number, change, terms, scratch);
    }
}
