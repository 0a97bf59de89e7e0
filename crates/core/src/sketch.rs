//! Sketch: how the values of many samples are spread, in little memory and with a published error.
//!
//! A base-2 exponential histogram, with the mapping of OpenTelemetry's exponential histograms and
//! Prometheus' native histograms: at scale `s` the base is `2^(2^−s)`, and value bucket `i` holds
//! the values in `(base^i, base^(i+1)]`. Negative values are mirrored; zeros have a bucket of their
//! own. An estimate is the point of a value bucket whose relative distance to both of its bounds is
//! the same, `(base − 1)/(base + 1)`:
//!
//! | scale | relative error |
//! | --- | --- |
//! | 3 | 4.33 % |
//! | 4 | 2.17 % |
//! | 5 | 1.08 % |
//! | 6 (default) | 0.54 % |
//! | 7 | 0.27 % |
//! | 8 | 0.14 % |
//!
//! Below the least normal float (2.2e−308) the spacing of floats, 4.9e−324, comes on top.
//!
//! Sources: OpenTelemetry metrics data model, "ExponentialHistogram"; Prometheus native histogram
//! specification, "Schema".

pub mod digest;
mod entry;
pub mod exchange;
pub(crate) mod keys;
mod store;
mod window;

use bellwether_loops::mapping;
use entry::{Entries, Entry};
use store::Store;

use crate::query::Quantile;

/// Coarsest scale: base 65,536.
pub const MIN_SCALE: i8 = mapping::MIN_SCALE;
/// Finest scale: base 2^(1/256).
pub const MAX_SCALE: i8 = mapping::MAX_SCALE;
/// Most value buckets of one sketch; beyond it the sketch moves to the next coarser scale.
pub const MAX_VALUE_BUCKETS: usize = 2_048;
/// Greatest count of one value bucket, 2^43 − 1; counts stop there.
pub const MAX_COUNT: u64 = (1 << 43) - 1;

/// Why the parts of a sketch were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SketchError {
    /// A scale outside [`MIN_SCALE`]`..=`[`MAX_SCALE`].
    #[error("scale {scale} is not between {MIN_SCALE} and {MAX_SCALE}")]
    Scale {
        /// The scale that was given.
        scale: i8,
    },
    /// Indexes that do not ascend.
    #[error("value bucket {index} does not come after the one before it; give each index once, ascending")]
    Order {
        /// The index that broke the order.
        index: i32,
    },
    /// An index beyond the greatest or below the least float.
    #[error("value bucket {index} lies outside the finite floats at scale {scale}")]
    Index {
        /// The index that was given.
        index: i32,
        /// The scale that was given.
        scale: i8,
    },
    /// Counts whose sum is greater than [`MAX_COUNT`].
    #[error("the counts add up to more than {MAX_COUNT}")]
    Count,
}

/// A sketch was to be taken away from one that does not hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sketch to subtract holds samples that the other does not hold")]
pub struct SubtractError;

/// A value bucket and how many values fell into it.
///
/// Of its two bounds the one that is farther from zero belongs to it and the nearer one does not; the
/// one of zeros has zero for both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueBucket {
    /// The lesser bound.
    pub lower: f64,
    /// The greater bound.
    pub upper: f64,
    /// Number of values.
    pub count: u64,
}

/// A column of values holds one that is NaN or infinite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("value {place} of the column (from 0) is not a finite number; leave it out")]
pub struct NotFiniteAt {
    /// Its place in the column, from 0.
    pub place: usize,
}

/// How many values fell into each value bucket.
///
/// One value needs no memory outside the struct. Few value buckets, or such that lie far apart, are a
/// sorted list of 8 bytes each; many close together are a window of 4 bytes for each place, in which a
/// value is counted without a search. Counts are exact, whatever the order of recording and merging,
/// up to [`MAX_COUNT`].
///
/// ```
/// use bellwether_core::query::Quantile;
/// use bellwether_core::sketch::Sketch;
///
/// let mut sketch = Sketch::default();
/// for value in 1..=1_000 {
///     sketch.record(f64::from(value));
/// }
/// let p99 = Quantile::new(0.99).and_then(|q| sketch.quantile(q)).unwrap();
/// assert!((p99 - 990.0).abs() <= 990.0 * sketch.relative_error());
/// ```
#[derive(Clone, Debug)]
pub struct Sketch {
    scale: i8,
    store: Store,
}

impl Default for Sketch {
    fn default() -> Self {
        Self::new(Self::DEFAULT_SCALE)
    }
}

impl PartialEq for Sketch {
    fn eq(&self, other: &Self) -> bool {
        self.scale == other.scale && self.store.iter().eq(other.store.iter())
    }
}

impl Eq for Sketch {}

impl Sketch {
    /// The scale of [`Sketch::default`]: relative error at most 0.55 %.
    pub const DEFAULT_SCALE: i8 = 6;

    /// A sketch without samples; a scale out of range becomes the nearest one in range.
    #[must_use]
    pub fn new(scale: i8) -> Self {
        Self { scale: scale.clamp(MIN_SCALE, MAX_SCALE), store: Store::default() }
    }

    /// A sketch from its value buckets, as they come from a frame or from disk.
    ///
    /// `positive` and `negative` are (OpenTelemetry index, count), ascending by index; counts of
    /// zero are left out. More than [`MAX_VALUE_BUCKETS`] are merged into a coarser scale.
    ///
    /// # Errors
    /// [`SketchError`] where the scale, an index or the counts are out of range or out of order.
    pub fn from_parts(
        scale: i8,
        zero_count: u64,
        positive: impl IntoIterator<Item = (i32, u64)>,
        negative: impl IntoIterator<Item = (i32, u64)>,
    ) -> Result<Self, SketchError> {
        if !(MIN_SCALE..=MAX_SCALE).contains(&scale) {
            return Err(SketchError::Scale { scale });
        }
        let mut total = 0_u64;
        let mut list = Vec::new();
        checked_entries(scale, &mut total, negative, &mut list)?;
        for entry in &mut list {
            *entry = Entry::new(-entry.key(), entry.count());
        }
        list.reverse();
        add_checked(&mut total, zero_count)?;
        if zero_count > 0 {
            list.push(Entry::new(0, zero_count));
        }
        checked_entries(scale, &mut total, positive, &mut list)?;
        let mut sketch = Self { scale, store: Store::List(Entries::from(list)) };
        sketch.bound();
        Ok(sketch)
    }

    /// The scale; the lower, the coarser.
    #[must_use]
    pub const fn scale(&self) -> i8 {
        self.scale
    }

    /// Number of recorded values. Cost: O(1) for many, O(value buckets) for few.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.store.total()
    }

    /// Whether nothing is recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.store.is_empty()
    }

    /// Number of recorded zeros.
    #[must_use]
    pub fn zero_count(&self) -> u64 {
        self.store.zeros()
    }

    /// The value buckets of positive values: (OpenTelemetry index, count), ascending by index.
    pub fn positive(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        self.store.positive()
    }

    /// The value buckets of negative values by their magnitude: (OpenTelemetry index, count),
    /// ascending by index.
    pub fn negative(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        self.store.negative()
    }

    /// The value buckets that hold something, of all signs, ascending by their values.
    pub fn value_buckets(&self) -> impl Iterator<Item = ValueBucket> + '_ {
        self.store.iter().map(|(key, count)| {
            let index = mapping::index(key.abs());
            let (near, far) = if key == 0 { (0.0, 0.0) } else { self.bounds(index) };
            let (lower, upper) = if key < 0 { (-far, -near) } else { (near, far) };
            ValueBucket { lower, upper, count }
        })
    }

    /// The bounds of the value bucket `index` of positive values.
    fn bounds(&self, index: i32) -> (f64, f64) {
        (mapping::lower_bound(index, self.scale), mapping::lower_bound(index + 1, self.scale))
    }

    /// Bytes of the heap that the sketch holds.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.store.heap_bytes()
    }

    /// Adds one finite value. Cost: O(1) where many are close together, else O(log value buckets)
    /// where its value bucket exists.
    // A loop over values calls nothing, also where code is compiled to be small.
    #[inline(always)]
    pub fn record(&mut self, value: f64) {
        debug_assert!(value.is_finite(), "a sketch takes finite values only");
        let is_counted = match &mut self.store {
            Store::Windows(windows) => windows.record(value, self.scale),
            Store::List(_) => false,
        };
        if !is_counted {
            self.record_anew(value);
        }
    }

    /// [`Sketch::record`] for each of a column of values, which is several times as fast.
    ///
    /// # Errors
    /// [`NotFiniteAt`], and nothing is recorded, where one of them is NaN or infinite.
    pub fn record_all(&mut self, values: &[f64]) -> Result<(), NotFiniteAt> {
        check_finite(values)?;
        let mut rest = values;
        loop {
            if let Store::Windows(windows) = &mut self.store {
                rest = &rest[windows.record_all(rest, self.scale)..];
            }
            let Some((value, later)) = rest.split_first() else { return Ok(()) };
            self.record_anew(*value);
            rest = later;
        }
    }

    /// Records a value that may need a new value bucket.
    fn record_anew(&mut self, value: f64) {
        self.store.add(mapping::key(value, self.scale), 1, self.scale);
        self.bound();
    }

    /// Adds what `other` holds; the result has the coarser of the two scales. Commutative and
    /// associative, bit for bit. Cost: O(value buckets of both).
    pub fn merge(&mut self, other: &Self) {
        if other.scale < self.scale {
            self.downscale(other.scale);
        }
        if other.scale > self.scale {
            let mut coarser = other.clone();
            coarser.downscale(self.scale);
            self.store.merge(&coarser.store, self.scale);
        } else {
            self.store.merge(&other.store, self.scale);
        }
        self.bound();
    }

    /// Takes away what was merged before; the scale stays the coarser of the two.
    ///
    /// # Errors
    /// [`SubtractError`] where `other` holds more than this sketch in any value bucket; nothing but
    /// the scale changes then.
    pub fn subtract(&mut self, other: &Self) -> Result<(), SubtractError> {
        if other.scale < self.scale {
            self.downscale(other.scale);
        }
        let is_held = if other.scale > self.scale {
            let mut coarser = other.clone();
            coarser.downscale(self.scale);
            self.store.subtract(&coarser.store)
        } else {
            self.store.subtract(&other.store)
        };
        if is_held { Ok(()) } else { Err(SubtractError) }
    }

    /// Merges value buckets until the scale is `scale`; exact, as if every value had been recorded
    /// at that scale. Does nothing where the sketch is as coarse already.
    pub fn downscale(&mut self, scale: i8) {
        let scale = scale.max(MIN_SCALE);
        if scale < self.scale {
            let steps = (self.scale - scale).unsigned_abs();
            self.store.downscale(steps, scale);
            self.scale = scale;
        }
    }

    /// Estimate of the value of rank `floor(q·(n − 1))` among the n recorded values in ascending
    /// order, within [`Sketch::relative_error`]; `None` where nothing is recorded.
    /// Cost: O(value buckets).
    #[must_use]
    pub fn quantile(&self, q: Quantile) -> Option<f64> {
        let last = self.count().checked_sub(1)?;
        self.store.find(rank(q, last)).map(|key| mapping::midpoint(key, self.scale))
    }

    /// Bound of the relative error of [`Sketch::quantile`]: `(base − 1)/(base + 1)`.
    #[must_use]
    pub fn relative_error(&self) -> f64 {
        keys::relative_error(self.scale)
    }

    /// Keeps the number of value buckets within its bound.
    fn bound(&mut self) {
        while self.store.is_too_long() && self.scale > MIN_SCALE {
            self.downscale(self.scale - 1);
        }
    }
}

/// The rank `floor(q·last)` that a quantile asks for, where `last` is the greatest rank.
///
/// Decimals such as 0.29 are no floats: a product within a few roundings of a whole number is it.
pub(crate) fn rank(q: Quantile, last: u64) -> u64 {
    let product = q.get() * last as f64;
    let nearest = product.round_ties_even();
    let is_whole = (product - nearest).abs() <= 4.0 * f64::EPSILON * nearest;
    (if is_whole { nearest as u64 } else { product as u64 }).min(last)
}

fn check_finite(values: &[f64]) -> Result<(), NotFiniteAt> {
    // Zero times a finite number is zero, and times any other NaN: several sums side by side find out
    // faster than a test of each value.
    let mut sums = [0.0; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value * 0.0;
        }
    }
    if sums.iter().chain(rest).all(|value| value.is_finite()) {
        return Ok(());
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(place) => Err(NotFiniteAt { place }),
        None => Ok(()),
    }
}

fn add_checked(total: &mut u64, count: u64) -> Result<(), SketchError> {
    *total = total.checked_add(count).filter(|sum| *sum <= MAX_COUNT).ok_or(SketchError::Count)?;
    Ok(())
}

/// Appends the entries of positive values, checked.
fn checked_entries(
    scale: i8,
    total: &mut u64,
    parts: impl IntoIterator<Item = (i32, u64)>,
    list: &mut Vec<Entry>,
) -> Result<(), SketchError> {
    let indexes = mapping::indexes(scale);
    let mut least = i64::MIN;
    for (index, count) in parts {
        if !indexes.contains(&index) {
            return Err(SketchError::Index { index, scale });
        }
        if i64::from(index) < least {
            return Err(SketchError::Order { index });
        }
        least = i64::from(index) + 1;
        add_checked(total, count)?;
        if count > 0 {
            list.push(Entry::new(mapping::key_of_index(index), count));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
