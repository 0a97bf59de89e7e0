//! Moments: what samples come to where their order does not matter.

use crate::sample::Sample;
use crate::summary::{Residue, Summary};
use crate::time::TimestampMs;

/// Whether a figure needs the squared distances from the mean, which cost divisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deviation {
    Needed,
    NotNeeded,
}

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
    pub(crate) const NONE: Self =
        Self { count: 0, sum: 0.0, residue: Residue::NONE, m2: 0.0, min: f64::MAX, max: f64::MIN };

    pub(crate) fn of(summary: &Summary) -> Self {
        let Summary { count, sum, m2, min, max, .. } = *summary;
        let mut moments = Self { count, sum, residue: Residue::NONE, m2, min, max };
        moments.residue.add(&mut moments.sum, summary.residue());
        moments
    }

    /// What is told of a time bucket.
    #[inline]
    pub(crate) fn told(count: u64, (sum, residue): (f64, f64), m2: f64, (min, max): (f64, f64)) -> Self {
        let mut moments = Self { count, sum, residue: Residue::NONE, m2, min, max };
        if residue != 0.0 {
            moments.residue.add(&mut moments.sum, residue);
        }
        moments
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn merge(&mut self, other: &Self, deviation: Deviation) {
        if other.count > 0 {
            self.join(other.count, other.sum, other.residue.get(), other.m2, (other.min, other.max), deviation);
        }
    }

    #[inline]
    fn join(&mut self, count: u64, sum: f64, residue: f64, m2: f64, (min, max): (f64, f64), deviation: Deviation) {
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
        if residue != 0.0 {
            self.residue.add(&mut self.sum, residue);
        }
        self.min = if min < self.min { min } else { self.min };
        self.max = if max > self.max { max } else { self.max };
    }

    /// As a summary without a sketch, whose first and last samples mean nothing.
    pub(crate) fn summary(&self) -> Option<Summary> {
        let (Self { count, sum, m2, min, max, .. }, at) = (*self, TimestampMs::new(0));
        (count > 0).then(|| Summary::unpacked(count, sum, m2, (min, max), Sample::kept(at, min), Sample::kept(at, max)))
    }
}
