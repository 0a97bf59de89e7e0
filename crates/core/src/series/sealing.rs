//! How fresh samples become time buckets, and time buckets wider ones.

use bellwether_loops::slim::CHUNK;

use super::Series;
use super::widening::Widening;
use crate::chunk::{Change, Scratch};
use crate::horizon::Horizon;
use crate::sample::{Kind, Sample};
use crate::summary::{finite, step};
use crate::time::{DurationMs, TimestampMs};
use crate::trail::Trail;

/// So many fresh samples are sealed where a time bucket of them is over, …
const MANY: usize = CHUNK - PATIENCE;
/// … or up to so many more, …
pub(super) const PATIENCE: usize = 32;
/// … and so many of one time bucket before it is over.
const MOST: usize = 8_192;
/// Room for fresh samples that a series keeps after it had more.
const ROOM: usize = 1_024;
/// Time buckets leave a tier so many at a time: each of their steps has a price of its own.
pub(crate) const LOT: i64 = 60;

impl Series {
    /// Seals fresh samples where they are many.
    pub(super) fn make_room(&mut self, horizon: &Horizon, scratch: &mut Scratch) {
        let (Some(first), true) = (self.fresh.slims().first(), self.fresh.len() >= self.full()) else { return };
        let whole = horizon.grid(0).edge_before(self.newest - DurationMs::from_millis(1));
        if first.timestamp() <= whole {
            self.seal(whole, horizon, scratch);
        } else if self.fresh.len() >= MOST {
            self.seal(self.newest, horizon, scratch);
        }
    }

    /// Makes room for more fresh samples: a little at a time up to where they are sealed.
    pub(super) fn grow(&mut self) {
        let length = self.fresh.len();
        let grown = 4 + length + length / 2;
        let room = if length < self.full() { grown.min(self.full()) } else { grown };
        self.fresh.reserve_exact(room - length);
    }

    /// So many fresh samples are sealed.
    const fn full(&self) -> usize {
        MANY + self.patience as usize
    }

    /// Seals the fresh samples up to `edge` into the finest tier.
    pub(super) fn seal(&mut self, edge: TimestampMs, horizon: &Horizon, scratch: &mut Scratch) {
        let terms = self.terms(0, horizon);
        let fresh = self.fresh.slims();
        let count = fresh.count_near(fresh.len(), edge);
        let (sealed, _) = fresh.split_at(count);
        if count >= MANY && self.tiers[0].begins_chunk_with(sealed, terms) {
            let sealed = self.fresh.take(count, self.full());
            self.tiers[0].append_trail(sealed, terms);
        } else {
            self.tiers[0].append_samples(sealed, terms, scratch);
            self.fresh.drain(count);
        }
        self.fresh.count_from_first(terms.grid);
        self.tiers[0].seal_to(edge);
        self.came = self.came.wrapping_add(count as u64);
        self.newest = self.newest_kept();
        if self.fresh.capacity() > 4 * ROOM && self.fresh.len() < ROOM {
            self.fresh.shrink_to(ROOM);
        }
    }

    /// Seals all tiers up to the one numbered `finest` through `edge`, an edge of that one.
    pub(super) fn seal_through(&mut self, finest: usize, edge: TimestampMs, horizon: &Horizon, scratch: &mut Scratch) {
        if self.tiers[0].sealed_to() < edge || self.has_fresh(edge) {
            self.seal(edge, horizon, scratch);
        }
        for index in 1..=finest {
            self.widen(index, edge, horizon, scratch);
        }
    }

    /// Whether there are fresh samples up to `edge`, as there may be at the very instant up to which all
    /// is sealed.
    fn has_fresh(&self, edge: TimestampMs) -> bool {
        self.fresh.slims().first().is_some_and(|first| first.timestamp() <= edge)
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
        let numbers = (finer.grid.whole_until(tier.sealed_to()).saturating_add(1), finer.grid.whole_until(edge));
        let mut widening = Widening::new(tier, terms, scratch);
        source.each_run(numbers.0, numbers.1, finer, &mut |run| widening.take(run));
        let work = widening.end();
        tier.seal_to(edge);
        // What comes at the edge itself is late now, where it was fresh before.
        self.newest = self.newest_kept();
        work
    }

    /// Drops what has left the tiers, into the next wider one each. Says how much work that was,
    /// counted in samples, parts and values.
    pub(crate) fn tidy(&mut self, horizon: &Horizon, scratch: &mut Scratch) -> usize {
        let is_over = self.newest <= horizon.kept_from();
        let mut work = self.tiers.len();
        for index in 0..self.tiers.len() {
            let terms = self.terms(index, horizon);
            let mut gone = horizon.gone(index);
            // What no tier keeps any more need not wait for the end of a wide time bucket, which
            // comes with later samples only.
            if index + 1 < self.tiers.len() && !is_over {
                let is_due = self.tiers[index].first().is_some_and(|first| first.saturating_add(LOT) <= gone);
                if is_due {
                    let left = terms.grid.end(gone).min(self.tiers[index].sealed_to());
                    let edge = horizon.grid(index + 1).edge_before(left);
                    if self.has_fresh(edge) {
                        self.seal(edge, horizon, scratch);
                    }
                    work += self.widen(index + 1, edge, horizon, scratch);
                }
                gone = gone.min(terms.grid.whole_until(self.tiers[index + 1].sealed_to()));
            }
            self.tiers[index].evict(gone, terms);
        }
        if is_over && let Some(last) = self.fresh.slims().last() {
            self.tiers[0].pass_by(last);
            self.tiers[0].seal_to(horizon.grid(0).edge_after(last.timestamp()));
            self.came = self.came.wrapping_add(self.fresh.len() as u64);
            self.fresh = Trail::new();
            self.newest = self.newest_kept();
        }
        work
    }

    /// Counts the increase of a counter's time bucket anew from the next finer tier, where that has
    /// all of it: what came late lies between samples whose order only the finer tier knows.
    pub(super) fn settle(&mut self, index: usize, number: i64, horizon: &Horizon, scratch: &mut Scratch) {
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
        self.each_part(finer, (first, last), horizon, &mut |part| {
            if let Some(before) = before {
                increase += step(before.value(), part.summary.first.value());
            }
            increase += part.summary.increase;
            before = Some(part.summary.last);
        });
        let change = Change::Increase(finite(increase));
        self.tiers[index].change(number, change, terms, scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, EngineConfig};
    use crate::labels::{Labels, MetricName, SeriesKey};

    #[test]
    fn series_that_begin_together_are_sealed_one_after_another() -> Result<(), Box<dyn std::error::Error>> {
        let mut engine = Engine::new(EngineConfig::default())?;
        let ids = (0..PATIENCE).map(|number| {
            let labels = Labels::new([("host", number.to_string())])?;
            Ok(engine.series(&SeriesKey { metric: MetricName::new("load")?, labels }, None)?)
        });
        let ids: Vec<_> = ids.collect::<Result<_, Box<dyn std::error::Error>>>()?;
        for second in 0..1_000 {
            let now = TimestampMs::new(1_700_000_000_000 + 1_000 * second);
            let mut sealed = 0;
            for id in &ids {
                let before = engine.of(*id).fresh().len();
                engine.record(*id, Sample::new(now, 1.0)?, now)?;
                sealed += usize::from(engine.of(*id).fresh().len() < before);
            }
            assert!(sealed <= PATIENCE / 4, "{sealed} of {PATIENCE} series in second {second}");
        }
        Ok(())
    }
}
