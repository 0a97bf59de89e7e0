//! What samples come to where their order does not matter.

use crate::extent::finite;
use crate::packed::{CONSTANT, INCREASE, RESIDUE, Reader};

/// Whether a figure needs the squared distances from the mean, which cost divisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deviation {
    /// It does.
    Needed,
    /// It does not, and they are left as they are.
    NotNeeded,
}

/// What rounding took from a sum of many terms (Neumaier 1974), so that the error does not grow with the number of terms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Residue(pub f64);

impl Residue {
    /// Nothing was rounded yet.
    pub const NONE: Self = Self(0.0);

    /// Adds a term to the sum.
    #[inline]
    pub fn add(&mut self, sum: &mut f64, term: f64) {
        let total = *sum + term;
        if !total.is_finite() {
            *sum = finite(total);
            self.0 = 0.0;
            return;
        }
        let lost = if sum.abs() >= term.abs() { (*sum - total) + term } else { (term - total) + *sum };
        let rest = self.0 + lost;
        *sum = finite(total + rest);
        self.0 = (total - *sum) + rest;
    }
}

/// What does not depend on the order of samples.
#[derive(Clone, Copy, Debug)]
pub struct Moments {
    /// Number of samples.
    pub count: u64,
    /// Sum of the values.
    pub sum: f64,
    /// What rounding took from the sum, so that it is the same whatever was added first.
    pub residue: Residue,
    /// Sum of the squared distances from the mean.
    pub m2: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
}

impl Moments {
    /// Those of no sample.
    pub const NONE: Self = Self { count: 0, sum: 0.0, residue: Residue::NONE, m2: 0.0, min: f64::MAX, max: f64::MIN };

    /// What is told of a time bucket.
    #[inline]
    #[must_use]
    pub fn told(count: u64, (sum, residue): (f64, f64), m2: f64, (min, max): (f64, f64)) -> Self {
        let mut moments = Self { count, sum, residue: Residue::NONE, m2, min, max };
        if residue != 0.0 {
            moments.residue.add(&mut moments.sum, residue);
        }
        moments
    }

    /// Adds those of other samples.
    #[inline(never)]
    pub fn merge(&mut self, other: &Self, deviation: Deviation) {
        self.join(other, deviation);
    }

    #[inline(always)]
    fn join(&mut self, other: &Self, deviation: Deviation) {
        let Self { count, sum, residue, m2, min, max } = *other;
        if count == 0 {
            return;
        }
        if deviation == Deviation::Needed && self.count > 0 {
            let (own, others) = (self.count as f64, count as f64);
            let distance = sum / others - self.sum / own;
            // Chan, Golub, LeVeque 1979.
            self.m2 = (self.m2 + m2 + distance * distance * (own * others / (own + others))).min(f64::MAX);
        } else if deviation == Deviation::Needed {
            self.m2 = m2;
        }
        self.count = self.count.saturating_add(count);
        self.residue.add(&mut self.sum, sum);
        if residue.0 != 0.0 {
            self.residue.add(&mut self.sum, residue.0);
        }
        self.min = if min < self.min { min } else { self.min };
        self.max = if max > self.max { max } else { self.max };
    }

    /// Adds those of a packed time bucket; gives its tag and the bytes of its values.
    #[inline(never)]
    pub fn merge_packed<'a>(&mut self, bytes: &'a [u8], deviation: Deviation) -> (u8, Reader<'a>) {
        let mut reader = Reader(bytes);
        let tag = reader.byte();
        let count = reader.varint();
        reader.varint();
        reader.varint();
        let (sum, min) = (reader.float(), reader.float());
        let (mut max, mut m2) = (min, 0.0);
        if tag & CONSTANT == 0 {
            max = reader.float();
            reader.take(16);
            m2 = reader.float();
        }
        if tag & INCREASE != 0 {
            reader.take(8);
        }
        let residue = if tag & RESIDUE == 0 { 0.0 } else { reader.float() };
        self.join(&Self::told(count, (sum, residue), m2, (min, max)), deviation);
        (tag, reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_keeps_what_rounding_takes() {
        let (mut sum, mut residue) = (0.0, Residue::NONE);
        for term in [1e16, 1.0, 1.0, -1e16] {
            residue.add(&mut sum, term);
        }
        assert_eq!(sum + residue.0, 2.0);
        residue.add(&mut sum, f64::MAX);
        residue.add(&mut sum, f64::MAX);
        assert_eq!(sum, f64::MAX);
    }

    #[test]
    fn moments_are_those_of_all_samples_together() {
        let mut moments = Moments::NONE;
        moments.merge(&Moments::told(2, (4.0, 0.0), 2.0, (1.0, 3.0)), Deviation::Needed);
        moments.merge(&Moments::NONE, Deviation::Needed);
        moments.merge(&Moments::told(1, (8.0, 0.0), 0.0, (8.0, 8.0)), Deviation::Needed);
        assert_eq!((moments.count, moments.sum, moments.min, moments.max), (3, 12.0, 1.0, 8.0));
        // 1, 3 and 8 about their mean of 4.
        assert!((moments.m2 - 26.0).abs() < 1e-12);
    }
}
