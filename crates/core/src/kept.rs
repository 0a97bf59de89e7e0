//! Kept: a window that is asked for again and again. What enters is added and what leaves is taken
//! away, so that the cost does not grow with what is in it.
//!
//! Counts of value buckets are whole numbers and are subtracted; sums, least and greatest are merged
//! with two stacks (as in [`crate::slide`]), because floats that were added cannot be taken away
//! again without an error that grows. Of the newer half only the total is kept: its time buckets are
//! in the engine, and are read again when it becomes the older half.

use crate::engine::{Engine, SeriesId};
use crate::moments::{self, Deviation, Moments};
use crate::pack;
use crate::part::{Part, Run, Values, moments_of};
use crate::series::Came;
use crate::sketch::Sketch;
use crate::tally::Tally;
use crate::time::TimestampMs;
use crate::window::{Plan, Spread, Stretch};

/// The samples of some series in the whole time buckets of a window.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    spread: Spread,
    deviation: Deviation,
    /// The time buckets that are counted, of one tier.
    counted: Option<Stretch>,
    /// Of each series, the number of samples up to the right edge of the last of them that ever came;
    /// none where that is not known.
    seen: Vec<Came>,
    /// What each time bucket of the older half and the later ones of that half come to, the newest
    /// first, so that the oldest is on top.
    older: Vec<(i64, Moments)>,
    /// Number of the first time bucket of the newer half.
    newer_from: i64,
    /// What its time buckets come to.
    newer: Moments,
    tally: Tally,
}

impl Kept {
    pub(crate) fn new(spread: Spread, deviation: Deviation) -> Self {
        Self {
            spread,
            deviation,
            counted: None,
            seen: Vec::new(),
            older: Vec::new(),
            newer_from: 0,
            newer: Moments::NONE,
            tally: Tally::default(),
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
        look: impl FnOnce(&Moments, &Tally) -> T,
    ) -> T {
        let mut moments = Moments::NONE;
        let mut stretches = plan.stretches().iter().copied();
        if let Some(whole) = stretches.next() {
            if !self.slide(engine, series, whole) {
                self.begin(engine, series, whole);
            }
            if let Some((_, older)) = self.older.last() {
                moments.merge(older, self.deviation);
            }
            moments.merge(&self.newer, self.deviation);
        } else {
            // A window within one time bucket that is not over: nothing that was counted is in it.
            *self = Self::new(self.spread, self.deviation);
        }
        // What is told by finer tiers changes with every look.
        let rest = || plan.stretches().iter().copied().skip(1).chain(plan.open());
        for stretch in rest() {
            for id in series {
                self.tally_in(engine, *id, stretch, &mut moments);
            }
        }
        let seen = look(&moments, &self.tally);
        for stretch in rest().filter(|_| self.spread.is_needed()) {
            for id in series {
                each_run(engine, *id, stretch, &mut |run| {
                    self.tally.take(&run.values());
                });
            }
        }
        if self.tally.scale() != Sketch::DEFAULT_SCALE {
            // It would stay coarse after what made it so has left.
            self.counted = None;
        }
        seen
    }

    /// Forgets all and counts the time buckets of `whole`.
    fn begin(&mut self, engine: &Engine, series: &[SeriesId], whole: Stretch) {
        *self = Self { newer_from: whole.first, ..Self::new(self.spread, self.deviation) };
        let edge = engine.horizon.grid(whole.tier).end(whole.last);
        if is_counted_behind(engine, edge) {
            self.seen = series.iter().map(|id| engine.of(*id).came_until(edge, &engine.horizon)).collect();
        }
        for id in series {
            self.enter(engine, *id, whole);
        }
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
            if self.spread.is_needed() && counted.first < whole.first {
                let left = Stretch { last: whole.first - 1, ..counted };
                let mut is_taken = true;
                each_run(engine, *id, left, &mut |run| is_taken &= self.tally.take(&run.values()));
                if !is_taken {
                    return false;
                }
            }
        }
        let left = self.older.iter().rposition(|(oldest, _)| *oldest >= whole.first);
        self.older.truncate(left.map_or(0, |place| place + 1));
        if self.older.is_empty() && self.newer_from < whole.first {
            self.turn_over(engine, series, whole);
        }
        self.counted = Some(whole);
        true
    }

    /// Takes in the time buckets of one series; says how many samples they hold.
    fn enter(&mut self, engine: &Engine, id: SeriesId, stretch: Stretch) -> u64 {
        let mut newer = self.newer;
        let before = newer.count;
        if stretch.first <= stretch.last {
            self.tally_in(engine, id, stretch, &mut newer);
        }
        self.newer = newer;
        newer.count - before
    }

    /// Adds time buckets of one series to the moments, and to the tally where that is needed.
    fn tally_in(&mut self, engine: &Engine, id: SeriesId, stretch: Stretch, moments: &mut Moments) {
        let Self { tally, spread, deviation, .. } = self;
        let grid = engine.horizon.grid(stretch.tier);
        each_run(engine, id, stretch, &mut |run| {
            let values = match run {
                Run::Samples(samples) => {
                    // By time buckets, so that the sum is the same however many were sealed together.
                    samples.each_bucket(grid, &mut |_, bucket| {
                        moments.merge(&moments_of(bucket, *deviation), *deviation);
                    });
                    Values::Samples(samples)
                }
                Run::Packed { content, .. } => pack::merge(content, moments, *deviation),
            };
            if spread.is_needed() {
                tally.add(&values);
            }
        });
    }

    /// Makes all that is in the window the older half.
    fn turn_over(&mut self, engine: &Engine, series: &[SeriesId], whole: Stretch) {
        for id in series {
            each_part(engine, *id, whole, &mut |part| {
                let moments = moments::of_summary(&part.summary);
                match self.older.last_mut() {
                    Some((last, merged)) if *last == part.number => merged.merge(&moments, self.deviation),
                    _ => self.older.push((part.number, moments)),
                }
            });
        }
        if series.len() > 1 {
            self.older.sort_by_key(|(number, _)| *number);
        }
        self.older.reverse();
        let mut total = Moments::NONE;
        for (_, moments) in &mut self.older {
            total.merge(moments, self.deviation);
            *moments = total;
        }
        (self.newer, self.newer_from) = (Moments::NONE, whole.last + 1);
    }
}

fn each_part(engine: &Engine, id: SeriesId, stretch: Stretch, each: &mut dyn FnMut(Part<'_>)) {
    engine.of(id).each_part(stretch.tier, (stretch.first, stretch.last), &engine.horizon, each);
}

fn each_run(engine: &Engine, id: SeriesId, stretch: Stretch, each: &mut dyn FnMut(Run<'_>)) {
    engine.of(id).each_run(stretch.tier, (stretch.first, stretch.last), &engine.horizon, each);
}

/// Whether the finest tier holds all that came behind `edge`, so that what came before can be told
/// from it.
fn is_counted_behind(engine: &Engine, edge: TimestampMs) -> bool {
    edge >= engine.horizon.grid(0).end(engine.horizon.incomplete(0))
}
