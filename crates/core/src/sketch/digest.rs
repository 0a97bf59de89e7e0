//! Digest: a sketch with what its values come to, and many of them filled at once.

use super::{NotFiniteAt, Sketch, check_finite, rank};
use crate::query::Quantile;
use crate::summary::{finite, greater, lesser, within};

/// Why columns were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnsError {
    /// A value lacks its place or a place its value.
    #[error("{places} places and {values} values are given; give one place for each value")]
    Lengths {
        /// How many places were given.
        places: usize,
        /// How many values were given.
        values: usize,
    },
    /// A place that has no digest.
    #[error("place {place} has no sketch; there are {count}, numbered from 0")]
    Place {
        /// The greatest place that was given.
        place: u32,
        /// Number of digests.
        count: usize,
    },
    /// A value that is NaN or infinite.
    #[error(transparent)]
    NotFinite(#[from] NotFiniteAt),
}

/// A sketch with the exact count, sum, least and greatest of its values.
///
/// ```
/// use bellwether_core::query::Quantile;
/// use bellwether_core::sketch::digest::Digest;
///
/// let mut digest = Digest::default();
/// digest.record_all(&[3.0, 5.0, 100.0])?;
/// assert_eq!((digest.sum(), digest.max()), (108.0, Some(100.0)));
/// assert_eq!(Quantile::new(1.0).and_then(|q| digest.quantile(q)), Some(100.0));
/// # Ok::<(), bellwether_core::sketch::NotFiniteAt>(())
/// ```
#[derive(Clone, Debug)]
pub struct Digest {
    sketch: Sketch,
    sum: f64,
    /// What rounding took from `sum`.
    lost: f64,
    /// Least value; infinite where there is none.
    min: f64,
    /// Greatest value; negatively infinite where there is none.
    max: f64,
}

impl Default for Digest {
    fn default() -> Self {
        Self::new(Sketch::DEFAULT_SCALE)
    }
}

impl Digest {
    /// A digest without values; a scale out of range becomes the nearest one in range.
    #[must_use]
    pub fn new(scale: i8) -> Self {
        Self { sketch: Sketch::new(scale), sum: 0.0, lost: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }

    /// Adds one finite value. Cost: as [`Sketch::record`].
    #[inline(always)]
    pub fn record(&mut self, value: f64) {
        self.sketch.record(value);
        self.note(value);
    }

    /// Adds a column of values. Cost: as [`Sketch::record_all`].
    ///
    /// # Errors
    /// [`NotFiniteAt`], and nothing is added, where one of them is NaN or infinite.
    pub fn record_all(&mut self, values: &[f64]) -> Result<(), NotFiniteAt> {
        self.sketch.record_all(values)?;
        for value in values {
            self.note(*value);
        }
        Ok(())
    }

    /// Adds each value to the digest at its place: for columns in which many series are mixed.
    ///
    /// # Errors
    /// [`ColumnsError`], and nothing is added, where the columns do not go together, a place has no
    /// digest or a value is NaN or infinite.
    pub fn record_columns(digests: &mut [Self], places: &[u32], values: &[f64]) -> Result<(), ColumnsError> {
        if places.len() != values.len() {
            return Err(ColumnsError::Lengths { places: places.len(), values: values.len() });
        }
        let greatest = places.iter().fold(0, |greatest: u32, place| greatest.max(*place));
        if greatest as usize >= digests.len() && !places.is_empty() {
            return Err(ColumnsError::Place { place: greatest, count: digests.len() });
        }
        check_finite(values)?;
        for (place, value) in places.iter().zip(values) {
            digests[*place as usize].record(*value);
        }
        Ok(())
    }

    /// Adds what another digest holds.
    pub fn merge(&mut self, other: &Self) {
        self.sketch.merge(&other.sketch);
        self.add(other.sum);
        self.lost += other.lost;
        self.min = lesser(self.min, other.min);
        self.max = greater(self.max, other.max);
    }

    /// The sketch.
    #[must_use]
    pub const fn sketch(&self) -> &Sketch {
        &self.sketch
    }

    /// Number of values. Cost: as [`Sketch::count`].
    #[must_use]
    pub fn count(&self) -> u64 {
        self.sketch.count()
    }

    /// Sum of the values, within 1e−12 of the sum of their magnitudes; it stops at the greatest float.
    #[must_use]
    pub fn sum(&self) -> f64 {
        let total = self.sum + self.lost;
        // Beyond the greatest float nothing is known of what was lost.
        if total.is_finite() { total } else { finite(self.sum) }
    }

    /// Mean of the values, never outside of them; `None` where there is none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| within(self.sum() / count as f64, self.min, self.max))
    }

    /// Least value; `None` where there is none.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        Some(self.min).filter(|min| min.is_finite())
    }

    /// Greatest value; `None` where there is none.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        Some(self.max).filter(|max| max.is_finite())
    }

    /// [`Sketch::quantile`], never outside of the values, and exact where it is the least or the
    /// greatest of them.
    #[must_use]
    pub fn quantile(&self, q: Quantile) -> Option<f64> {
        let last = self.count().checked_sub(1)?;
        match rank(q, last) {
            0 => Some(self.min),
            found if found == last => Some(self.max),
            _ => self.sketch.quantile(q).map(|estimate| within(estimate, self.min, self.max)),
        }
    }

    #[inline(always)]
    fn note(&mut self, value: f64) {
        self.add(value);
        // Branches that are hardly ever taken, where `min` would be computed each time.
        if value < self.min {
            self.min = value;
        }
        if value > self.max {
            self.max = value;
        }
    }

    /// Adds to the sum and keeps what rounding takes (Knuth's two-sum).
    #[inline(always)]
    fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        let part = sum - self.sum;
        self.lost += (self.sum - (sum - part)) + (term - part);
        self.sum = sum;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64]) -> Digest {
        let mut digest = Digest::default();
        digest.record_all(values).unwrap();
        digest
    }

    fn q(q: f64) -> Quantile {
        Quantile::new(q).unwrap()
    }

    #[test]
    fn nothing_is_no_figure() {
        let none = Digest::default();
        assert_eq!((none.count(), none.sum(), none.mean(), none.min(), none.max()), (0, 0.0, None, None, None));
        assert_eq!(none.quantile(q(0.5)), None);
    }

    #[test]
    fn columns_that_do_not_fit_are_refused_whole() {
        let mut digests = vec![Digest::default(); 2];
        let refused = |digests: &mut [Digest], places: &[u32], values: &[f64]| {
            Digest::record_columns(digests, places, values).unwrap_err()
        };
        assert_eq!(refused(&mut digests, &[0], &[]), ColumnsError::Lengths { places: 1, values: 0 });
        assert_eq!(refused(&mut digests, &[0, 2], &[1.0, 1.0]), ColumnsError::Place { place: 2, count: 2 });
        let not_finite = refused(&mut digests, &[0, 1], &[1.0, f64::NAN]);
        assert_eq!(not_finite, ColumnsError::NotFinite(NotFiniteAt { place: 1 }));
        assert!(digests.iter().all(|digest| digest.count() == 0));
        assert_eq!(Digest::record_columns(&mut [], &[], &[]), Ok(()));
        Digest::record_columns(&mut digests, &[1, 0, 1], &[1.0, 2.0, 4.0]).unwrap();
        let found: Vec<_> = digests.iter().map(|digest| (digest.count(), digest.sum(), digest.mean())).collect();
        assert_eq!(found, [(1, 2.0, Some(2.0)), (2, 5.0, Some(2.5))]);
    }

    #[test]
    fn sums_keep_what_rounding_takes_and_stop_at_the_greatest_float() {
        let mut digest = of(&[1e16]);
        for _ in 0..1_000 {
            digest.record(1.0);
        }
        digest.record(-1e16);
        assert_eq!(digest.sum(), 1_000.0);
        let full = of(&[f64::MAX, f64::MAX, -1.0]);
        assert_eq!((full.sum(), full.mean()), (f64::MAX, Some(f64::MAX / 3.0)));
        assert_eq!(of(&[f64::MIN, f64::MIN]).sum(), f64::MIN);
    }

    proptest! {
        #[test]
        fn one_by_one_at_once_and_merged_are_the_same(a in proptest::collection::vec(-1e6..1e6_f64, 1..80), b in proptest::collection::vec(-1e6..1e6_f64, 1..80)) {
            let all: Vec<f64> = a.iter().chain(&b).copied().collect();
            let mut merged = of(&a);
            merged.merge(&of(&b));
            let mut one_by_one = Digest::default();
            all.iter().for_each(|value| one_by_one.record(*value));
            let mut sorted = all.clone();
            sorted.sort_by(f64::total_cmp);
            let exact: f64 = sorted.iter().sum();
            let at_once = of(&all);
            for digest in [&merged, &one_by_one, &at_once] {
                prop_assert_eq!(digest.sketch(), at_once.sketch());
                prop_assert_eq!((digest.min(), digest.max()), (sorted.first().copied(), sorted.last().copied()));
                prop_assert!((digest.sum() - exact).abs() <= 1e-12 * sorted.iter().map(|value| value.abs()).sum::<f64>());
                for percent in [0_usize, 1, 50, 99, 100] {
                    let expected = sorted[(sorted.len() - 1) * percent / 100];
                    let found = digest.quantile(q(percent as f64 / 100.0)).unwrap();
                    prop_assert!((found - expected).abs() <= expected.abs() * digest.sketch().relative_error() * (1.0 + 1e-12));
                    prop_assert!(percent % 100 != 0 || found == expected);
                }
            }
        }
    }
}
