//! Kept: a window that is asked for again and again. What enters is added and what leaves is taken
//! away, so that the cost does not grow with what is in it.
//!
//! Counts of value buckets are whole numbers and are subtracted; sums, least and greatest are merged
//! with two stacks (as in [`crate::slide`]), because floats that were added cannot be taken away
//! again without an error that grows.

use crate::engine::{Engine, SeriesId};
use crate::part::Part;
use crate::sample::Sample;
use crate::series::Came;
use crate::sketch::Sketch;
use crate::summary::{Residue, Summary};
use crate::tally::Tally;
use crate::time::TimestampMs;
use crate::window::{Plan, Spread, Stretch};

/// What does not depend on the order of samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments {
    count: u64,
    sum: f64,
    /// What rounding took from the sum, so that it is the same whatever was added first.
    residue: Residue,
    m2: f64,
    min: f64,
    max: f64,
}

impl Moments {
    const NONE: Self = Self { count: 0, sum: 0.0, residue: Residue::NONE, m2: 0.0, min: f64::MAX, max: f64::MIN };

    fn of(summary: &Summary) -> Self {
        let Summary { count, sum, m2, min, max, .. } = *summary;
        let mut moments = Self { count, sum, residue: Residue::NONE, m2, min, max };
        moments.residue.add(&mut moments.sum, summary.residue());
        moments
    }

    fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (own, others) = (self.count as f64, other.count as f64);
        let distance = other.sum / others - self.sum / own;
        // Chan, Golub, LeVeque 1979.
        self.m2 = (self.m2 + other.m2 + distance * distance * (own * others / (own + others))).min(f64::MAX);
        self.count = self.count.saturating_add(other.count);
        self.residue.add(&mut self.sum, other.sum);
        self.residue.add(&mut self.sum, other.residue.get());
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// As a summary without a sketch, whose first and last samples mean nothing.
    pub(crate) fn summary(&self) -> Option<Summary> {
        let (Self { count, sum, m2, min, max, .. }, at) = (*self, TimestampMs::new(0));
        (count > 0).then(|| Summary::unpacked(count, sum, m2, (min, max), Sample::kept(at, min), Sample::kept(at, max)))
    }
}

/// The samples of some series in the whole time buckets of a window.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    spread: Spread,
    /// The time buckets that are counted, of one tier.
    counted: Option<Stretch>,
    /// Of each series, the number of samples up to the right edge of the last of them that ever came;
    /// none where that is not known.
    seen: Vec<Came>,
    /// What each time bucket of the older half and the later ones of that half come to, the newest
    /// first, so that the oldest is on top.
    older: Vec<(i64, Moments)>,
    /// The time buckets of the newer half, oldest first.
    newer: Vec<(i64, Moments)>,
    /// What they come to.
    newer_total: Moments,
    tally: Tally,
    /// Time buckets on their way in.
    entering: Vec<(i64, Moments)>,
}

impl Kept {
    pub(crate) fn new(spread: Spread) -> Self {
        Self {
            spread,
            counted: None,
            seen: Vec::new(),
            older: Vec::new(),
            newer: Vec::new(),
            newer_total: Moments::NONE,
            tally: Tally::default(),
            entering: Vec::new(),
        }
    }

    /// Moves to the window of `plan` and shows what is in it: the moments and the value buckets.
    ///
    /// Cost: O(what entered and left since), and O(what the window holds) where it is asked for the
    /// first time, samples came late into it or it moved by more than its length.
    pub(crate) fn look<T>(
        &mut self,
        engine: &Engine,
        series: &[SeriesId],
        plan: &Plan,
        look: impl FnOnce(&Moments, &mut Tally) -> T,
    ) -> T {
        let mut moments = Moments::NONE;
        let mut rest = plan.stretches().iter();
        if let Some(whole) = rest.next() {
            if !self.slide(engine, series, *whole) {
                self.begin(engine, series, *whole);
            }
            moments = self.older.last().map_or(Moments::NONE, |(_, moments)| *moments);
            moments.merge(&self.newer_total);
        } else {
            // A window within one time bucket that is not over: nothing that was counted is in it.
            *self = Self::new(self.spread);
        }
        // What is told by finer tiers changes with every look.
        let rest: Vec<Stretch> = rest.copied().chain(plan.open()).collect();
        let parts = |stretch: &Stretch, each: &mut dyn FnMut(&Part<'_>)| {
            for id in series {
                let parts = engine.of(*id).parts(stretch.tier, stretch.first, stretch.last, &engine.horizon);
                parts.for_each(|part| each(&part));
            }
        };
        let needs_tally = self.spread == Spread::Needed;
        for stretch in &rest {
            parts(stretch, &mut |part| {
                moments.merge(&Moments::of(&part.summary));
                if needs_tally {
                    self.tally.add(&part.values);
                }
            });
        }
        let seen = look(&moments, &mut self.tally);
        for stretch in rest.iter().filter(|_| needs_tally) {
            parts(stretch, &mut |part| self.tally.take(&part.values));
        }
        if self.tally.scale() != Sketch::DEFAULT_SCALE {
            // It would stay coarse after what made it so has left.
            self.counted = None;
        }
        seen
    }

    /// Forgets all and counts the time buckets of `whole`.
    fn begin(&mut self, engine: &Engine, series: &[SeriesId], whole: Stretch) {
        *self = Self::new(self.spread);
        let edge = engine.horizon.grid(whole.tier).end(whole.last);
        if is_counted_behind(engine, edge) {
            self.seen = series.iter().map(|id| engine.of(*id).came_until(edge, &engine.horizon)).collect();
        }
        for id in series {
            self.enter(engine, *id, whole);
        }
        self.put_in();
        self.counted = Some(whole);
    }

    /// Lets what is new in, and what has left out; `false` where what was counted is not what is
    /// there now.
    fn slide(&mut self, engine: &Engine, series: &[SeriesId], whole: Stretch) -> bool {
        let Some(counted) = self.counted else { return false };
        let is_near = counted.tier == whole.tier
            && counted.first <= whole.first
            && whole.first <= counted.last
            && counted.last <= whole.last;
        // Also where the clock was ahead and is set back: what was evicted cannot be taken away.
        let is_there = counted.first > engine.horizon.incomplete(counted.tier);
        let edge = engine.horizon.grid(whole.tier).end(whole.last);
        // What came is counted in the finest tier: it must hold all that came lately.
        let until = engine.horizon.grid(whole.tier).end(counted.last);
        let is_fine = is_counted_behind(engine, edge)
            && series.iter().all(|id| engine.of(*id).tier(0).incomplete_until() <= until);
        if !is_near || !is_there || !is_fine || self.seen.len() != series.len() {
            return false;
        }
        self.counted = None;
        for (place, id) in series.iter().enumerate() {
            let entered = self.enter(engine, *id, Stretch { first: counted.last + 1, ..whole });
            let came = engine.of(*id).came_until(edge, &engine.horizon);
            if self.seen[place].after(entered) != came {
                return false;
            }
            self.seen[place] = came;
            if self.spread == Spread::Needed && counted.first < whole.first {
                let left = engine.of(*id).parts(whole.tier, counted.first, whole.first - 1, &engine.horizon);
                left.for_each(|part| self.tally.take(&part.values));
            }
        }
        self.put_in();
        self.let_go(whole.first);
        self.counted = Some(whole);
        true
    }

    /// Takes in the time buckets of one series; says how many samples they hold.
    fn enter(&mut self, engine: &Engine, id: SeriesId, stretch: Stretch) -> u64 {
        let mut count = 0_u64;
        for part in engine.of(id).parts(stretch.tier, stretch.first, stretch.last, &engine.horizon) {
            count = count.saturating_add(part.summary.count);
            self.entering.push((part.number, Moments::of(&part.summary)));
            if self.spread == Spread::Needed {
                self.tally.add(&part.values);
            }
        }
        count
    }

    /// Puts what entered into the newer half, the same time bucket of several series together.
    fn put_in(&mut self) {
        self.entering.sort_by_key(|(number, _)| *number);
        for (number, moments) in self.entering.drain(..) {
            self.newer_total.merge(&moments);
            match self.newer.last_mut() {
                Some((last, merged)) if *last == number => merged.merge(&moments),
                _ => self.newer.push((number, moments)),
            }
        }
    }

    /// Lets the time buckets before `first` go.
    fn let_go(&mut self, first: i64) {
        loop {
            if self.older.is_empty() {
                if self.newer.first().is_none_or(|(oldest, _)| *oldest >= first) {
                    return;
                }
                self.turn_over();
            }
            if self.older.last().is_none_or(|(oldest, _)| *oldest >= first) {
                return;
            }
            self.older.pop();
        }
    }

    /// Makes the newer half the older one.
    fn turn_over(&mut self) {
        let mut total = Moments::NONE;
        for (number, moments) in self.newer.drain(..).rev() {
            total.merge(&moments);
            self.older.push((number, total));
        }
        self.newer_total = Moments::NONE;
    }
}

/// Whether the finest tier holds all that came behind `edge`, so that what came before can be told
/// from it.
fn is_counted_behind(engine: &Engine, edge: TimestampMs) -> bool {
    edge >= engine.horizon.grid(0).end(engine.horizon.incomplete(0))
}
