//! Tally: how many values lie in each value bucket, counted without a search.
//!
//! A [`Sketch`] is small and sorted, for what is kept long; a tally is a stretch of neighbouring
//! value buckets, zeros included, for what many samples are added to and taken from.

mod side;

use crate::part::Values;
use crate::query::Quantile;
use crate::sketch::{MAX_COUNT, MAX_VALUE_BUCKETS, MIN_SCALE, Sketch, keys, rank};
use crate::slim::Slim;
use side::{Place, Side};

/// Counts of values by value bucket.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    scale: i8,
    zeros: u64,
    positive: Side,
    /// By the keys of the magnitudes.
    negative: Side,
}

/// The key of an offset as a packed time bucket has it; `zero` of a zero.
#[inline(always)]
fn key_of(base: i32, offset: i32, zero: i32) -> i32 {
    if offset == 0 { zero } else { base.wrapping_add(offset - 1) }
}

/// Takes the step at the place of each key, up to the first that has none or cannot take it; says how many it were.
/// There is no call in it, so that all it works with stays in registers.
#[inline(never)]
fn step_through<T>(
    places: &mut [Place],
    first: i32,
    rows: &[T],
    key: impl Fn(&T) -> i32,
    step: impl Fn(&mut Place) -> bool,
) -> usize {
    for (done, row) in rows.iter().enumerate() {
        // What lies before the first place becomes a number beyond the last.
        let place = places.get_mut(key(row).wrapping_sub(first) as u32 as usize);
        if !place.is_some_and(&step) {
            return done;
        }
    }
    rows.len()
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
        self.each_one(values, Place::up, Self::put);
        self.bound_outside();
    }

    /// Takes away values that were added before; `false` where they were made coarser since and can
    /// no longer be told apart, as when a full time bucket was packed.
    pub(crate) fn take(&mut self, values: &Values<'_>) -> bool {
        let is_told = values.scale() >= self.scale;
        if is_told {
            self.each_one(values, Place::down, Self::take_key);
        }
        is_told
    }

    /// Counts values one by one: `step` for one that has a place among the positive ones, and `other`
    /// for what is left.
    #[inline]
    fn each_one(
        &mut self,
        values: &Values<'_>,
        step: impl Fn(&mut Place) -> bool + Copy,
        other: impl Fn(&mut Self, i32, u64),
    ) {
        let steps = (values.scale() - self.scale).unsigned_abs();
        if steps == 0 {
            let scale = self.scale;
            match values {
                Values::Samples(samples) => {
                    // Below the normal floats a value's bits stand for another key.
                    let least = keys::least_normal(scale);
                    let place = |slim: &Slim| keys::key_of_normal(slim.value(), scale);
                    return self.each_row(samples.slims, least, place, step, |tally, slim| {
                        other(tally, keys::key(slim.value(), scale), 1);
                    });
                }
                // Of a zero a key is made that no place has: a tally's own keys are far from the ends.
                Values::Narrow { base, offsets } if *base > 0 => {
                    let key = |offset: &u8| key_of(*base, i32::from(*offset), i32::MIN);
                    return self.each_row(offsets, i32::MIN, key, step, |tally, offset| {
                        other(tally, key_of(*base, i32::from(*offset), 0), 1);
                    });
                }
                Values::Wide { base, offsets } if *base > 0 => {
                    let (pairs, _) = offsets.as_chunks::<2>();
                    let key = |offset: &[u8; 2]| key_of(*base, i32::from(u16::from_le_bytes(*offset)), i32::MIN);
                    return self.each_row(pairs, i32::MIN, key, step, |tally, offset| {
                        other(tally, key_of(*base, i32::from(u16::from_le_bytes(*offset)), 0), 1);
                    });
                }
                _ => {}
            }
        }
        values.for_each(&mut |key, count| other(self, if steps == 0 { key } else { keys::coarser(key, steps) }, count));
    }

    /// Takes the step at the place of each key, where the places begin at `least` or behind, and does `other` for
    /// what has none or cannot take it.
    #[inline]
    fn each_row<T>(
        &mut self,
        rows: &[T],
        least: i32,
        key: impl Fn(&T) -> i32 + Copy,
        step: impl Fn(&mut Place) -> bool + Copy,
        other: impl Fn(&mut Self, &T),
    ) {
        let mut rest = rows;
        loop {
            let first = self.positive.first();
            if first >= least {
                let done = step_through(self.positive.places(), first, rest, key, step);
                rest = rest.get(done..).unwrap_or_default();
            }
            let Some((row, later)) = rest.split_first() else { return };
            other(self, row);
            rest = later;
        }
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

    /// [`Walk::quantile`] of one quantile.
    pub(crate) fn quantile(&self, q: Quantile, n: u64) -> Option<f64> {
        self.walk(n).quantile(q)
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
    reached: (usize, u64),
}

impl Walk<'_> {
    /// Estimate of the value of rank `floor(q·(n − 1))` among the n values, as
    /// [`Sketch::quantile`]. Cost: O(value buckets).
    pub(crate) fn quantile(&mut self, q: Quantile) -> Option<f64> {
        let tally = self.tally;
        let left = rank(q, self.n.checked_sub(1)?);
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
