//! Summary: what a time bucket keeps of its samples.

use std::cmp::Ordering;

pub(crate) use bellwether_loops::extent::{finite, greater, lesser, within};
use bellwether_loops::moments::Residue;

use crate::query::Quantile;
use crate::sample::{Kind, NotFinite, Sample};
use crate::sketch::{MAX_COUNT, Sketch, keys, rank};
use crate::time::TimestampMs;

/// What a counter has grown by between two samples: after a reset, all that it counts now.
pub(crate) fn step(before: f64, after: f64) -> f64 {
    finite(if after < before { after } else { after - before })
}

/// The samples of one series in one span of time: at least one of them.
///
/// Every float in it is finite: a sum beyond the greatest finite float stays there.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Number of samples, at least 1.
    pub count: u64,
    /// Sum of the values.
    pub sum: f64,
    /// Sum of the squared distances from the mean.
    pub m2: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
    /// The earliest sample; of several at one instant, the one that came first.
    pub first: Sample,
    /// The latest sample; of several at one instant, the one that came last.
    pub last: Sample,
    /// What was added within the span: for a counter the steps between its samples, each as after a
    /// reset where the value fell; for events the sum; for observations the count; for a gauge 0.
    pub increase: f64,
    /// How the values are spread.
    pub sketch: Sketch,
    /// What rounding took from `sum`.
    residue: Residue,
}

impl PartialEq for Summary {
    /// Equality of what is said, not of how exactly the sum is carried on.
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

/// The parts of a [`Summary`], as they come from a frame or from disk.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryParts {
    /// See [`Summary::count`].
    pub count: u64,
    /// See [`Summary::sum`].
    pub sum: f64,
    /// See [`Summary::m2`].
    pub m2: f64,
    /// See [`Summary::min`].
    pub min: f64,
    /// See [`Summary::max`].
    pub max: f64,
    /// Timestamp and value of [`Summary::first`].
    pub first: (TimestampMs, f64),
    /// Timestamp and value of [`Summary::last`].
    pub last: (TimestampMs, f64),
    /// See [`Summary::increase`].
    pub increase: f64,
    /// See [`Summary::sketch`].
    pub sketch: Sketch,
}

/// Why the parts of a summary were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SummaryError {
    /// A float that is NaN or infinite.
    #[error("{field} is not a finite number")]
    NotFinite {
        /// The field's name.
        field: &'static str,
    },
    /// A summary without samples.
    #[error("the summary holds no sample")]
    Empty,
    /// The sketch does not hold as many values as the summary has samples.
    #[error("the summary counts {count} samples and its sketch {sketch}")]
    Count {
        /// The summary's count.
        count: u64,
        /// The sketch's count.
        sketch: u64,
    },
    /// Two fields that contradict each other.
    #[error("{field} contradicts the other fields")]
    Contradiction {
        /// The field's name.
        field: &'static str,
    },
}

impl Summary {
    /// The summary of one sample.
    #[must_use]
    pub fn of(sample: Sample, kind: Kind) -> Self {
        let mut sketch = Sketch::default();
        sketch.record(sample.value());
        Self { sketch, ..Self::without_sketch(sample, kind) }
    }

    /// The summary of one sample, its sketch left empty: for figures that need none.
    pub(crate) fn without_sketch(sample: Sample, kind: Kind) -> Self {
        let value = sample.value();
        let mut summary = Self {
            count: 1,
            sum: value,
            m2: 0.0,
            min: value,
            max: value,
            first: sample,
            last: sample,
            increase: 0.0,
            sketch: Sketch::default(),
            residue: Residue::default(),
        };
        summary.settle_increase(kind);
        summary
    }

    /// A copy whose sketch is left empty: for figures that need none.
    pub(crate) fn clone_without_sketch(&self) -> Self {
        Self { sketch: Sketch::default(), ..*self }
    }

    /// A copy with another sketch.
    pub(crate) fn with_sketch(&self, sketch: Sketch) -> Self {
        Self { sketch, ..*self }
    }

    /// A summary of what the engine keeps, its sketch left empty and its increase 0.
    pub(crate) fn unpacked(count: u64, sum: f64, m2: f64, (min, max): (f64, f64), first: Sample, last: Sample) -> Self {
        let (sketch, residue) = (Sketch::default(), Residue::default());
        Self { count, sum, m2, min, max, first, last, increase: 0.0, sketch, residue }
    }

    pub(crate) const fn set_residue(&mut self, residue: f64) {
        self.residue = Residue(residue);
    }

    /// A summary from parts that come from outside.
    ///
    /// # Errors
    /// [`SummaryError`] where a float is not finite, there is no sample, the sketch has another
    /// count, or the fields contradict each other.
    pub fn from_parts(parts: SummaryParts) -> Result<Self, SummaryError> {
        let (count, sketch) = (parts.count, parts.sketch.count());
        let summary = Self::restored(parts, 0.0)?;
        if sketch == count { Ok(summary) } else { Err(SummaryError::Count { count, sketch }) }
    }

    /// [`Summary::from_parts`] with [`Summary::residue`], of more samples than a sketch can count as
    /// well.
    pub(crate) fn restored(parts: SummaryParts, residue: f64) -> Result<Self, SummaryError> {
        let SummaryParts { count, sum, m2, min, max, first, last, increase, sketch } = parts;
        let floats =
            [("sum", sum), ("m2", m2), ("min", min), ("max", max), ("increase", increase), ("residue", residue)];
        for (field, value) in floats {
            if !value.is_finite() {
                return Err(SummaryError::NotFinite { field });
            }
        }
        let sample = |field, (timestamp, value)| {
            Sample::new(timestamp, value).map_err(|NotFinite| SummaryError::NotFinite { field })
        };
        let (first, last) = (sample("first", first)?, sample("last", last)?);
        if count == 0 {
            return Err(SummaryError::Empty);
        }
        // The counts of a sketch stop at the greatest; the summary's goes on.
        if sketch.count() != count && count <= MAX_COUNT {
            return Err(SummaryError::Count { count, sketch: sketch.count() });
        }
        let contradictions = [
            ("min", min > max),
            ("m2", m2 < 0.0),
            ("first", first.timestamp() > last.timestamp() || !(min..=max).contains(&first.value())),
            ("last", !(min..=max).contains(&last.value())),
        ];
        if let Some((field, _)) = contradictions.into_iter().find(|(_, found)| *found) {
            return Err(SummaryError::Contradiction { field });
        }
        Ok(Self { count, sum, m2, min, max, first, last, increase, sketch, residue: Residue(residue) })
    }

    /// The parts, for a frame or for disk; [`Summary::from_parts`] makes an equal summary of them.
    #[must_use]
    pub fn parts(&self) -> SummaryParts {
        SummaryParts {
            count: self.count,
            sum: self.sum,
            m2: self.m2,
            min: self.min,
            max: self.max,
            first: (self.first.timestamp(), self.first.value()),
            last: (self.last.timestamp(), self.last.value()),
            increase: self.increase,
            sketch: self.sketch.clone(),
        }
    }

    /// What rounding took from the sum and later terms will give back.
    pub(crate) fn residue(&self) -> f64 {
        self.residue.0
    }

    /// Adds one sample, in any order.
    ///
    /// A counter's sample that lies between the first and the last leaves the increase as it is:
    /// its neighbours are not known. That is exact unless the counter was reset next to it.
    pub fn record(&mut self, sample: Sample, kind: Kind) {
        self.sketch.record(sample.value());
        self.record_without_sketch(sample, kind);
    }

    /// [`Summary::record`] that leaves the sketch alone.
    pub(crate) fn record_without_sketch(&mut self, sample: Sample, kind: Kind) {
        let value = sample.value();
        let distance = value - self.mean();
        self.count = self.count.saturating_add(1);
        self.residue.add(&mut self.sum, value);
        self.min = lesser(self.min, value);
        self.max = greater(self.max, value);
        // Welford 1962; NaN, which only distances beyond the floats can make, becomes the greatest.
        self.m2 = greater(self.m2, lesser(f64::MAX, self.m2 + distance * (value - self.mean())));
        if sample.timestamp() >= self.last.timestamp() {
            self.increase = finite(self.increase + step(self.last.value(), value));
            self.last = sample;
        } else if sample.timestamp() < self.first.timestamp() {
            self.increase = finite(self.increase + step(value, self.first.value()));
            self.first = sample;
        }
        self.settle_increase(kind);
    }

    /// Merges another summary of the same series, whichever of the two is the earlier one.
    ///
    /// Where a counter's summaries overlap in time, the increase is that between the outermost
    /// samples if neither saw a reset, else the greater of the two: exact unless a reset is hidden
    /// between them.
    pub fn merge(&mut self, other: &Self, kind: Kind) {
        self.sketch.merge(&other.sketch);
        self.merge_without_sketch(other, kind);
    }

    /// [`Summary::merge`] that leaves the sketch alone.
    pub(crate) fn merge_without_sketch(&mut self, other: &Self, kind: Kind) {
        self.increase = finite(self.joined_increase(other));
        self.merge_spread(other);
        self.settle_increase(kind);
    }

    /// Merges a summary of another series: increases add up, nothing happens between the series.
    ///
    /// First and last become those of all samples together, which answers no question about either
    /// series; the engine refuses `first` and `last` over several series for that reason.
    pub fn merge_across(&mut self, other: &Self) {
        self.sketch.merge(&other.sketch);
        self.merge_across_without_sketch(other);
    }

    /// [`Summary::merge_across`] that leaves the sketch alone.
    pub(crate) fn merge_across_without_sketch(&mut self, other: &Self) {
        self.increase = finite(self.increase + other.increase);
        self.merge_spread(other);
    }

    /// Adds a counter's step from the last sample before the span.
    pub(crate) fn step_from(&mut self, before: Sample, kind: Kind) {
        if kind == Kind::Counter {
            self.increase = finite(self.increase + step(before.value(), self.first.value()));
        }
    }

    /// Mean of the values, never outside `min..=max`.
    #[must_use]
    pub fn mean(&self) -> f64 {
        within(self.sum / self.count as f64, self.min, self.max)
    }

    /// Population standard deviation; too small where squares of the distances add up to more than
    /// the greatest float.
    #[must_use]
    pub fn stddev(&self) -> f64 {
        (self.m2 / self.count as f64).sqrt()
    }

    /// The value of rank `floor(q·(count − 1))` and the bound of its relative error: 0 where the
    /// value is the least or the greatest one and so known exactly.
    #[must_use]
    pub fn quantile(&self, q: Quantile) -> (f64, f64) {
        self.quantile_of(q, |_| self.sketch.quantile(q), self.sketch.scale())
    }

    /// [`Summary::quantile`] where the sketch is elsewhere.
    pub(crate) fn quantile_of(&self, q: Quantile, estimate: impl FnOnce(u64) -> Option<f64>, scale: i8) -> (f64, f64) {
        let last = self.count.saturating_sub(1);
        match rank(q, last) {
            _ if self.min == self.max => (self.min, 0.0),
            0 => (self.min, 0.0),
            found if found == last => (self.max, 0.0),
            rank => match estimate(rank) {
                Some(estimate) => (within(estimate, self.min, self.max), keys::relative_error(scale)),
                None => (self.max, 1.0),
            },
        }
    }

    /// The increase of a counter over both spans.
    fn joined_increase(&self, other: &Self) -> f64 {
        if other.first.timestamp() >= self.last.timestamp() {
            return self.increase + step(self.last.value(), other.first.value()) + other.increase;
        }
        if other.last.timestamp() < self.first.timestamp() {
            return other.increase + step(other.last.value(), self.first.value()) + self.increase;
        }
        let grown = |summary: &Self| summary.last.value() - summary.first.value();
        let first = if other.first.timestamp() < self.first.timestamp() { other.first } else { self.first };
        let last = if other.last.timestamp() >= self.last.timestamp() { other.last } else { self.last };
        let outermost = last.value() - first.value();
        let no_reset = self.increase <= grown(self) && other.increase <= grown(other);
        if no_reset && outermost >= 0.0 { outermost } else { greater(self.increase, other.increase) }
    }

    /// Merges all but the sketch and the increase.
    fn merge_spread(&mut self, other: &Self) {
        let distance = other.mean() - self.mean();
        let (own, others) = (self.count as f64, other.count as f64);
        // Chan, Golub, LeVeque 1979.
        self.m2 = lesser(f64::MAX, self.m2 + other.m2 + distance * distance * (own * others / (own + others)));
        self.count = self.count.saturating_add(other.count);
        self.residue.add(&mut self.sum, other.sum);
        self.residue.add(&mut self.sum, other.residue.0);
        self.min = lesser(self.min, other.min);
        self.max = greater(self.max, other.max);
        if other.first.timestamp() < self.first.timestamp() {
            self.first = other.first;
        }
        if other.last.timestamp().cmp(&self.last.timestamp()) != Ordering::Less {
            self.last = other.last;
        }
    }

    /// The increase of the kinds that need no order of time.
    pub(crate) fn settle_increase(&mut self, kind: Kind) {
        self.increase = match kind {
            Kind::Counter => self.increase,
            Kind::Event => self.sum,
            Kind::Observation => self.count as f64,
            Kind::Gauge => 0.0,
        };
    }
}

#[cfg(test)]
mod tests;
