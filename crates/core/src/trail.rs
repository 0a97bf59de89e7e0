//! Trail: samples in order of time that more come to.

use bellwether_loops::slim::{copied, move_by};

use crate::grid::Grid;
use crate::sample::Sample;
use crate::slim::{Slim, Slims, base_of, is_told, slim};
use crate::time::TimestampMs;

/// Samples in order of time that more come to.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    base: TimestampMs,
    /// The base as a float, from which a later instant's distance is exact; NaN where it is before the epoch or to be
    /// found anew.
    base_ms: f64,
    /// Room for samples. What is not used yet holds samples too, so that to append one is only to write it: to push one
    /// may be to grow, and a call in the loop that every sample goes through costs more than the loop.
    room: Vec<Slim>,
    /// How many samples there are.
    used: usize,
}

impl Trail {
    /// A trail without samples.
    pub(crate) fn new() -> Self {
        Self { base: TimestampMs::new(0), base_ms: 0.0, room: Vec::new(), used: 0 }
    }

    /// A trail of one sample.
    pub(crate) fn one(sample: Sample, grid: Grid) -> Self {
        let mut trail = Self::new();
        trail.fit(sample.timestamp(), grid);
        trail.insert(sample);
        trail
    }

    /// A trail that is told by its samples' twelve bytes each.
    pub(crate) fn of(slims: Slims<'_>) -> Self {
        let mut trail = Self { room: copied(slims.slims, 0), used: slims.len(), ..Self::new() };
        trail.set_base(slims.base);
        trail
    }

    #[inline]
    pub(crate) fn slims(&self) -> Slims<'_> {
        Slims { base: self.base, slims: self.room.get(..self.used).unwrap_or_default() }
    }

    #[inline(always)]
    pub(crate) const fn len(&self) -> usize {
        self.used
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// For how many samples there is room.
    #[inline(always)]
    pub(crate) const fn capacity(&self) -> usize {
        self.room.len()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.room.capacity() * size_of::<Slim>()
    }

    fn set_base(&mut self, base: TimestampMs) {
        self.base = base;
        self.base_ms = if base.get() < 0 { f64::NAN } else { base.get() as f64 };
    }

    /// Gives the trail room for so many samples, no fewer than it has.
    fn set_room(&mut self, room: usize) {
        self.room = copied(self.slims().slims, room);
    }

    /// Makes memory for at least so many more samples, and for half as many again as there are.
    fn make_room(&mut self, more: usize) {
        let least = self.used + more;
        if least > self.room.len() {
            self.set_room(least.max(self.used + self.used / 2));
        }
    }

    /// Appends a sample at an instant or, between two, at the later of them, where that is no earlier than `newest`; gives
    /// the instant. `None`, and nothing changed, where it is earlier, or takes more memory or another base.
    ///
    /// Floats are worked on until a number of 32 bits is left: that is a third of the steps.
    #[inline(always)]
    pub(crate) fn push_within(&mut self, at_ms: f64, value: f64, newest: TimestampMs) -> Option<TimestampMs> {
        const TWO_52: f64 = 4_503_599_627_370_496.0;
        let since = at_ms - self.base_ms;
        if !(since >= 0.0 && since <= u32::MAX as f64) {
            return None;
        }
        let place = self.room.get_mut(self.used)?;
        // So high up, floats are whole numbers, and the bits of this one end with it.
        let near = since + TWO_52;
        let since = (near.to_bits() as u32).wrapping_add(u32::from(near - TWO_52 < since));
        let at = TimestampMs::new(self.base.get().wrapping_add(i64::from(since)));
        if at < newest {
            return None;
        }
        *place = Slim::new(since, value);
        self.used += 1;
        Some(at)
    }

    /// Appends a sample that is no earlier than the last, where it can be told from the base.
    pub(crate) fn push(&mut self, sample: Sample) {
        let Some(slim) = slim(sample, self.base) else { return };
        self.make_room(1);
        if let Some(place) = self.room.get_mut(self.used) {
            *place = slim;
            self.used += 1;
        }
    }

    /// Sees to it that a sample at `at` can be told; `false` where it is too far from the others. The base is always that
    /// of the first sample, so that it is the same however they came.
    pub(crate) fn fit(&mut self, at: TimestampMs, grid: Grid) -> bool {
        let (Some(_), Some(last)) = (self.slims().first(), self.slims().last()) else {
            self.set_base(base_of(at, grid));
            return true;
        };
        if at > self.base {
            return is_told(self.base, at);
        }
        let base = base_of(at, grid);
        let fits = is_told(base, last.timestamp());
        if fits {
            self.move_to(base);
        }
        fits
    }

    /// Counts from the base of the first sample, where all can be told from it.
    pub(crate) fn count_from_first(&mut self, grid: Grid) {
        if let (Some(first), Some(last)) = (self.slims().first(), self.slims().last()) {
            let base = base_of(first.timestamp(), grid);
            if is_told(base, last.timestamp()) {
                self.move_to(base);
            }
        }
    }

    fn move_to(&mut self, base: TimestampMs) {
        let by = self.base.get().wrapping_sub(base.get());
        if by != 0 {
            move_by(self.room.get_mut(..self.used).unwrap_or_default(), by as u32);
            self.set_base(base);
        }
    }

    /// Puts a sample among the others, behind those of its instant; `false` where it cannot be told from the base.
    pub(crate) fn insert(&mut self, sample: Sample) -> bool {
        let Some(slim) = slim(sample, self.base) else { return false };
        let place = self.slims().slims.partition_point(|other| other.since_ms() <= slim.since_ms());
        self.make_room(1);
        self.used += 1;
        if let Some(behind) = self.room.get_mut(place..self.used) {
            behind.rotate_right(1);
            behind[0] = slim;
        }
        true
    }

    /// Appends samples that are no earlier than the last; `false`, and nothing changed, where they cannot be told
    /// from the base.
    pub(crate) fn append(&mut self, others: Slims<'_>) -> bool {
        if self.is_empty() {
            self.set_base(others.base);
        }
        let by = others.base.get().wrapping_sub(self.base.get());
        let tells = |slim: Option<&Slim>| {
            slim.is_none_or(|slim| {
                by.checked_add(i64::from(slim.since_ms())).is_some_and(|since| u32::try_from(since).is_ok())
            })
        };
        if by != 0 && !(tells(others.slims.first()) && tells(others.slims.last())) {
            return false;
        }
        self.make_room(others.len());
        if let Some(place) = self.room.get_mut(self.used..self.used + others.len()) {
            place.copy_from_slice(others.slims);
            if by != 0 {
                move_by(place, by as u32);
            }
            self.used += others.len();
        }
        true
    }

    /// Forgets the samples and begins at another base.
    pub(crate) fn clear(&mut self, base: TimestampMs) {
        self.used = 0;
        self.set_base(base);
    }

    /// Forgets the first samples.
    pub(crate) fn drain(&mut self, count: usize) {
        self.room.copy_within(count.min(self.used)..self.used, 0);
        self.used -= count.min(self.used);
        self.forget_base_if_empty();
    }

    /// The base is that of the first sample: the next one that comes is to find one of its own.
    fn forget_base_if_empty(&mut self) {
        if self.is_empty() {
            self.base_ms = f64::NAN;
        }
    }

    /// Takes out the first samples with the memory that they lie in; the others get memory for `room`.
    pub(crate) fn take(&mut self, count: usize, room: usize) -> Self {
        let (_, rest) = self.slims().split_at(count);
        let left = Self { room: copied(rest.slims, room), used: rest.len(), base: self.base, base_ms: self.base_ms };
        self.used = count.min(self.used);
        let taken = std::mem::replace(self, left);
        self.forget_base_if_empty();
        taken
    }

    /// Makes memory for so many more samples than there are, and no more.
    pub(crate) fn reserve_exact(&mut self, more: usize) {
        if self.used + more > self.room.len() {
            self.set_room(self.used + more);
        }
    }

    /// Gives memory for more than so many samples back.
    pub(crate) fn shrink_to(&mut self, room: usize) {
        if room < self.room.len() {
            self.set_room(room);
        }
    }
}

impl Default for Trail {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::DurationMs;
    use proptest::prelude::*;

    const START: i64 = 1_700_000_000_000;
    const NEVER: TimestampMs = TimestampMs::new(i64::MIN);

    fn grid() -> Grid {
        Grid::new(DurationMs::from_secs(1)).unwrap()
    }

    fn sample(at: i64, value: f64) -> Sample {
        Sample::new(TimestampMs::new(at), value).unwrap()
    }

    /// A trail whose first sample lies on its base, with room for more.
    fn trail() -> Trail {
        let mut trail = Trail::one(sample(START + 1, 1.0), grid());
        trail.reserve_exact(4);
        assert_eq!(trail.slims().base, TimestampMs::new(START));
        trail
    }

    proptest! {
        #[test]
        fn a_fraction_counts_as_the_next_whole_millisecond(since in 0.0..4e9_f64) {
            let at_ms = START as f64 + since;
            let at = trail().push_within(at_ms, 2.0, NEVER);
            prop_assert_eq!(at, Some(TimestampMs::new(at_ms.ceil() as i64)));
        }

        #[test]
        fn a_trail_is_the_samples_that_came_in_order(
            steps in proptest::collection::vec((0..3, -200..4_000_i64), 1..60),
        ) {
            let (mut trail, mut model): (Trail, Vec<i64>) = (trail(), vec![START + 1]);
            for (what, by) in steps {
                let at = model.last().copied().unwrap_or(START) + by;
                match what {
                    0 => {
                        let fits = trail.fit(TimestampMs::new(at), grid());
                        prop_assert!(fits && trail.insert(sample(at, by as f64)));
                        model.push(at);
                        model.sort_unstable();
                    }
                    1 if trail.push_within(at as f64, 0.5, TimestampMs::new(model.last().copied().unwrap_or(i64::MAX))).is_some() => {
                        model.push(at);
                    }
                    2 => {
                        let count = model.len().min(by.unsigned_abs() as usize % 4);
                        trail.drain(count);
                        model.drain(..count);
                    }
                    _ => trail.reserve_exact(3),
                }
                let found: Vec<i64> = trail.slims().iter().map(|sample| sample.timestamp().get()).collect();
                prop_assert_eq!(&found, &model);
            }
        }
    }

    #[test]
    fn what_lies_49_days_away_is_not_told() {
        let last = START + i64::from(u32::MAX);
        for (at, is_told) in
            [(last as f64 - 0.5, true), (last as f64, true), (last as f64 + 0.5, false), (START as f64 - 0.5, false)]
        {
            assert_eq!(trail().push_within(at, 2.0, NEVER).is_some(), is_told, "{at}");
        }
        let mut trail = trail();
        assert!(trail.fit(TimestampMs::new(last), grid()) && trail.insert(sample(last, 2.0)));
        assert!(!trail.fit(TimestampMs::new(last + 1), grid()) && !trail.insert(sample(last + 1, 2.0)));
        // An earlier one would move the base away from the last.
        assert!(!trail.fit(TimestampMs::new(START - 1_000), grid()));
        assert_eq!(trail.slims().base, TimestampMs::new(START));
        assert!(!trail.append(Trail::one(sample(last + 2_000, 3.0), grid()).slims()));
        assert_eq!(trail.len(), 2);
    }

    #[test]
    fn a_trail_that_was_emptied_has_the_base_of_its_next_first_sample() {
        let late = START + 90_500;
        let empty_it: [fn(&mut Trail); 2] = [|trail| trail.drain(1), |trail| drop(trail.take(1, 8))];
        for empty in empty_it {
            let mut trail = trail();
            empty(&mut trail);
            assert_eq!(trail.push_within(late as f64, 2.0, NEVER), None);
            assert!(trail.fit(TimestampMs::new(late), grid()));
            trail.push(sample(late, 2.0));
            assert_eq!(trail.slims().base, TimestampMs::new(START + 90_000));
        }
    }
}
