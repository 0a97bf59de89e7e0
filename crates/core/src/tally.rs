//! Tally: how many values lie in each value bucket, counted without a search.
//!
//! A [`Sketch`] is small and sorted, for what is kept long; a tally is a stretch of neighbouring
//! value buckets, zeros included, for what many samples are added to and taken from.

use std::collections::BTreeMap;

use crate::part::Values;
use crate::query::Quantile;
use crate::sketch::{MAX_COUNT, MIN_SCALE, Sketch, keys, rank};

/// Neighbouring value buckets are added in steps of so many, so that a stretch seldom grows.
const STEP: i32 = 32;
/// A stretch is no longer than this; values outside are counted one key by one.
const LONGEST: i32 = 8_192;

/// The value buckets of values of one sign.
#[derive(Clone, Debug, Default)]
struct Side {
    /// Key of the first place.
    first: i32,
    counts: Vec<u64>,
    /// Counts of the keys that lie too far away.
    outside: BTreeMap<i32, u64>,
}

impl Side {
    /// The count of a key, which is positive.
    #[inline]
    fn count(&mut self, key: i32) -> &mut u64 {
        // What lies before the first place becomes a number beyond the last.
        let place = key.wrapping_sub(self.first) as u32 as usize;
        if place >= self.counts.len() {
            return self.grown(key);
        }
        &mut self.counts[place]
    }

    #[cold]
    fn grown(&mut self, key: i32) -> &mut u64 {
        let floor = key - key.rem_euclid(STEP);
        let (first, end) = match self.counts.len() {
            0 => (floor, floor + STEP),
            len => (self.first.min(floor), (self.first + len as i32).max(floor + STEP)),
        };
        if end - first > LONGEST {
            return self.outside.entry(key).or_default();
        }
        let mut counts = vec![0; (end - first) as usize];
        let start = (self.first - first).max(0) as usize;
        for (place, count) in self.counts.iter().enumerate() {
            counts[start + place] = *count;
        }
        let within: Vec<i32> = self.outside.range(first..end).map(|(key, _)| *key).collect();
        for key in within {
            counts[(key - first) as usize] = self.outside.remove(&key).unwrap_or_default();
        }
        (self.first, self.counts) = (first, counts);
        &mut self.counts[(key - first) as usize]
    }

    fn total(&self) -> u64 {
        self.counts.iter().chain(self.outside.values()).sum()
    }

    fn below(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> + '_ {
        self.outside.range(..self.first).map(|(key, count)| (*key, *count))
    }

    fn above(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> + '_ {
        self.outside.range(self.first..).map(|(key, count)| (*key, *count))
    }

    /// Keys and counts of the value buckets that hold something, ascending.
    fn iter(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> + '_ {
        let counts = self.counts.iter().enumerate().map(|(place, count)| (self.first + place as i32, *count));
        self.below().chain(counts).chain(self.above()).filter(|(_, count)| *count > 0)
    }

    /// The key of the value of this rank.
    fn find(&self, mut rank: u64) -> Option<i32> {
        let found = |rank: &mut u64, (key, count): (i32, u64)| {
            if *rank < count {
                return Some(key);
            }
            *rank -= count;
            None
        };
        if let Some(key) = self.below().find_map(|counted| found(&mut rank, counted)) {
            return Some(key);
        }
        for (chunk, counts) in self.counts.chunks(STEP as usize).enumerate() {
            let total: u64 = counts.iter().sum();
            if rank >= total {
                rank -= total;
                continue;
            }
            let first = self.first + chunk as i32 * STEP;
            let mut counts = counts.iter().enumerate().map(|(place, count)| (first + place as i32, *count));
            return counts.find_map(|counted| found(&mut rank, counted));
        }
        self.above().find_map(|counted| found(&mut rank, counted))
    }

    /// The key of the value of this rank, counted from the greatest key.
    fn find_from_above(&self, mut rank: u64) -> Option<i32> {
        for (key, count) in self.iter().rev() {
            if rank < count {
                return Some(key);
            }
            rank -= count;
        }
        None
    }

    fn coarsen(&mut self, steps: u8) {
        let mut coarser = Self::default();
        for (key, count) in self.iter() {
            *coarser.count(keys::coarser(key, steps)) += count;
        }
        *self = coarser;
    }
}

/// Counts of values by value bucket.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    scale: i8,
    zeros: u64,
    positive: Side,
    /// By the keys of the magnitudes.
    negative: Side,
}

impl Default for Tally {
    fn default() -> Self {
        Self { scale: Sketch::DEFAULT_SCALE, zeros: 0, positive: Side::default(), negative: Side::default() }
    }
}

impl Tally {
    /// The count of a key of this scale.
    #[inline]
    fn count(&mut self, key: i32) -> &mut u64 {
        match key {
            1.. => self.positive.count(key),
            0 => &mut self.zeros,
            _ => self.negative.count(-key),
        }
    }

    /// Adds a value bucket of `scale`.
    pub(crate) fn add_key(&mut self, key: i32, scale: i8, count: u64) {
        self.coarsen_to(scale);
        let own = self.count(keys::coarser(key, (scale - self.scale).unsigned_abs()));
        *own = own.saturating_add(count);
    }

    /// Adds values.
    pub(crate) fn add(&mut self, values: &Values<'_>) {
        self.coarsen_to(values.scale());
        let steps = (values.scale() - self.scale).unsigned_abs();
        if steps == 0 {
            values.for_each(|key, count| {
                let own = self.count(key);
                *own = own.saturating_add(count);
            });
        } else {
            values.for_each(|key, count| {
                let own = self.count(keys::coarser(key, steps));
                *own = own.saturating_add(count);
            });
        }
    }

    /// Takes away values that were added before.
    pub(crate) fn take(&mut self, values: &Values<'_>) {
        let steps = (values.scale() - self.scale).unsigned_abs();
        values.for_each(|key, count| {
            let own = self.count(if steps == 0 { key } else { keys::coarser(key, steps) });
            *own = own.saturating_sub(count);
        });
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
        for (key, count) in self.negative.iter().rev() {
            each(-key, count);
        }
        if self.zeros > 0 {
            each(0, self.zeros);
        }
        for (key, count) in self.positive.iter() {
            each(key, count);
        }
    }

    /// Forgets all counts and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.scale = Sketch::DEFAULT_SCALE;
        self.zeros = 0;
        for side in [&mut self.positive, &mut self.negative] {
            side.counts.clear();
            side.outside.clear();
        }
    }

    /// Estimate of the value of rank `floor(q·(n − 1))` among the n values, as
    /// [`Sketch::quantile`]. Cost: O(value buckets).
    pub(crate) fn quantile(&self, q: Quantile, n: u64) -> Option<f64> {
        let mut left = rank(q, n.checked_sub(1)?);
        let below = self.negative.total();
        let key = if left < below {
            -self.negative.find_from_above(left)?
        } else {
            left -= below;
            match left.checked_sub(self.zeros) {
                None => 0,
                Some(left) => self.positive.find(left)?,
            }
        };
        Some(keys::midpoint(key, self.scale))
    }

    /// The same counts as a sketch, which stops at the greatest count that it can hold.
    pub(crate) fn to_sketch(&self) -> Sketch {
        let mut room = MAX_COUNT - self.zeros.min(MAX_COUNT);
        let mut of = |(key, count): (i32, u64)| {
            let count = count.min(room);
            room -= count;
            (keys::index(key), count)
        };
        let positive: Vec<_> = self.positive.iter().map(&mut of).collect();
        let negative: Vec<_> = self.negative.iter().map(&mut of).collect();
        // The indexes of a tally ascend and are those of floats, so that nothing is refused.
        Sketch::from_parts(self.scale, self.zeros.min(MAX_COUNT), positive, negative).unwrap_or_default()
    }

    fn coarsen_to(&mut self, scale: i8) {
        let scale = scale.max(MIN_SCALE);
        if scale < self.scale {
            let steps = (self.scale - scale).unsigned_abs();
            self.positive.coarsen(steps);
            self.negative.coarsen(steps);
            self.scale = scale;
        }
    }
}
