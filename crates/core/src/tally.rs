//! Tally: how many values lie in each value bucket, counted without a search.
//!
//! A [`Sketch`] is small and sorted, for what is kept long; a tally is a stretch of neighbouring
//! value buckets, zeros included, for what many samples are added to and taken from.

mod side;

use bellwether_loops::places::{Step, step_narrow, step_samples, step_wide};

use crate::part::Values;
use crate::sketch::{MAX_COUNT, MAX_VALUE_BUCKETS, MIN_SCALE, Sketch, keys};
use side::Side;

/// Counts of values by value bucket.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    scale: i8,
    zeros: u64,
    positive: Side,
    /// By the keys of the magnitudes.
    negative: Side,
}

/// The key of an offset as a packed time bucket has it.
fn key_of(base: i32, offset: i32) -> i32 {
    if offset == 0 { 0 } else { base.wrapping_add(offset - 1) }
}

impl Default for Tally {
    fn default() -> Self {
        Self { scale: Sketch::DEFAULT_SCALE, zeros: 0, positive: Side::default(), negative: Side::default() }
    }
}

impl Tally {
    /// Adds a value bucket of `scale`.
    pub(crate) fn add_key(&mut self, key: i32, scale: i8, count: u64) {
        self.coarsen_to(scale);
        self.put(keys::coarser(key, (scale - self.scale).unsigned_abs()), count);
        self.bound_outside();
    }

    /// Adds to a key of the tally's own scale.
    fn put(&mut self, key: i32, count: u64) {
        match key {
            1.. => self.positive.add(key, count),
            0 => self.zeros = self.zeros.saturating_add(count),
            _ => self.negative.add(-key, count),
        }
    }

    /// Takes away from a key of the tally's own scale.
    fn take_key(&mut self, key: i32, count: u64) {
        match key {
            1.. => self.positive.take(key, count),
            0 => self.zeros = self.zeros.saturating_sub(count),
            _ => self.negative.take(-key, count),
        }
    }

    /// Adds values.
    pub(crate) fn add(&mut self, values: &Values<'_>) {
        self.coarsen_to(values.scale());
        self.each_one(values, Step::Up, Self::put);
        self.bound_outside();
    }

    /// Takes away values that were added before; `false` where they were made coarser since and can
    /// no longer be told apart, as when a full time bucket was packed.
    pub(crate) fn take(&mut self, values: &Values<'_>) -> bool {
        let is_told = values.scale() >= self.scale;
        if is_told {
            self.each_one(values, Step::Down, Self::take_key);
        }
        is_told
    }

    /// Takes a step for each value: at the places of the positive ones where it is in one of them, and by `other` where not.
    fn each_one(&mut self, values: &Values<'_>, step: Step, other: fn(&mut Self, i32, u64)) {
        let steps = (values.scale() - self.scale).unsigned_abs();
        if steps == 0 {
            let scale = self.scale;
            match *values {
                Values::Samples(samples) => {
                    let mut rest = samples.slims;
                    loop {
                        let first = self.positive.first();
                        // Below the normal floats a value's bits stand for another key.
                        if first >= keys::least_normal(scale) {
                            let done = step_samples(self.positive.places(), first, rest, scale, step);
                            rest = rest.get(done..).unwrap_or_default();
                        }
                        let Some((slim, later)) = rest.split_first() else { return };
                        other(self, keys::key(slim.value(), scale), 1);
                        rest = later;
                    }
                }
                Values::Narrow { base, offsets } if base > 0 => {
                    let mut rest = offsets;
                    loop {
                        let first = self.positive.first();
                        let done = step_narrow(self.positive.places(), first, base, rest, step);
                        let Some((offset, later)) = rest.get(done..).and_then(<[_]>::split_first) else { return };
                        other(self, key_of(base, i32::from(*offset)), 1);
                        rest = later;
                    }
                }
                Values::Wide { base, offsets } if base > 0 => {
                    let (mut rest, _) = offsets.as_chunks::<2>();
                    loop {
                        let first = self.positive.first();
                        let done = step_wide(self.positive.places(), first, base, rest, step);
                        let Some((offset, later)) = rest.get(done..).and_then(<[_]>::split_first) else { return };
                        other(self, key_of(base, i32::from(u16::from_le_bytes(*offset))), 1);
                        rest = later;
                    }
                }
                _ => {}
            }
        }
        values.for_each(&mut |key, count| other(self, if steps == 0 { key } else { keys::coarser(key, steps) }, count));
    }

    /// Adds another tally.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.coarsen_to(other.scale);
        other.for_each(|key, count| self.add_key(key, other.scale, count));
    }

    /// Adds a sketch.
    pub(crate) fn merge_sketch(&mut self, sketch: &Sketch) {
        let scale = sketch.scale();
        if sketch.zero_count() > 0 {
            self.add_key(0, scale, sketch.zero_count());
        }
        for (index, count) in sketch.positive() {
            self.add_key(keys::of_index(index), scale, count);
        }
        for (index, count) in sketch.negative() {
            self.add_key(-keys::of_index(index), scale, count);
        }
    }

    pub(crate) const fn scale(&self) -> i8 {
        self.scale
    }

    /// Keys and counts of the value buckets that hold something, ascending.
    pub(crate) fn for_each(&self, mut each: impl FnMut(i32, u64)) {
        for (key, count) in self.negative.list().into_iter().rev() {
            each(-key, count);
        }
        if self.zeros > 0 {
            each(0, self.zeros);
        }
        self.positive.for_each(each);
    }

    /// Merges value buckets until there are no more of them than a sketch has.
    pub(crate) fn bound(&mut self) {
        let is_over = |tally: &Self| {
            let sides = tally.negative.filled() + tally.positive.filled();
            sides + usize::from(tally.zeros > 0) > MAX_VALUE_BUCKETS
        };
        while self.scale > MIN_SCALE && is_over(self) {
            self.coarsen_to(self.scale - 1);
        }
    }

    /// Merges value buckets where very many lie outside of what is counted without a search.
    fn bound_outside(&mut self) {
        while self.scale > MIN_SCALE && self.negative.outside() + self.positive.outside() > MAX_VALUE_BUCKETS {
            self.coarsen_to(self.scale - 1);
        }
    }

    /// Forgets all counts and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.scale = Sketch::DEFAULT_SCALE;
        self.zeros = 0;
        self.positive.clear();
        self.negative.clear();
    }

    /// Looks for the values of several ranks among the `n` values that are counted.
    pub(crate) fn walk(&self, n: u64) -> Walk<'_> {
        Walk { tally: self, n, below: self.negative.total(), reached: (0, 0) }
    }

    /// The same counts as a sketch, which stops at the greatest count that it can hold.
    pub(crate) fn to_sketch(&self) -> Sketch {
        let mut room = MAX_COUNT - self.zeros.min(MAX_COUNT);
        let mut of = |(key, count): (i32, u64)| {
            let count = count.min(room);
            room -= count;
            (keys::index(key), count)
        };
        let positive: Vec<_> = self.positive.list().into_iter().map(&mut of).collect();
        let negative: Vec<_> = self.negative.list().into_iter().map(&mut of).collect();
        // The indexes of a tally ascend and are those of floats, so that nothing is refused.
        Sketch::from_parts(self.scale, self.zeros.min(MAX_COUNT), positive, negative).unwrap_or_default()
    }

    /// Merges value buckets until the scale is `scale`, or the coarsest.
    pub(crate) fn coarsen_to(&mut self, scale: i8) {
        let scale = scale.max(MIN_SCALE);
        if scale < self.scale {
            let steps = (self.scale - scale).unsigned_abs();
            self.positive.coarsen(steps);
            self.negative.coarsen(steps);
            self.scale = scale;
        }
    }
}

/// A search that goes on where the last one ended, so that ascending ranks cost one look at the value
/// buckets together.
#[derive(Clone, Debug)]
pub(crate) struct Walk<'a> {
    tally: &'a Tally,
    /// Number of values.
    n: u64,
    /// Number of negative ones.
    below: u64,
    /// Where the last search among the positive ones ended: a place, and the values before it.
    reached: (usize, u32),
}

impl Walk<'_> {
    /// Estimate of the value of a rank, counted from 0, among the n values. Cost: O(value buckets).
    pub(crate) fn value_at(&mut self, left: u64) -> Option<f64> {
        let tally = self.tally;
        let key = if left < self.below {
            // Counted from the greatest magnitude.
            -tally.negative.find(self.below - 1 - left, self.n, &mut (0, 0))?
        } else {
            match (left - self.below).checked_sub(tally.zeros) {
                None => 0,
                Some(left) => tally.positive.find(left, self.n, &mut self.reached)?,
            }
        };
        Some(keys::midpoint(key, tally.scale))
    }
}
