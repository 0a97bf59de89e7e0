//! Part: a time bucket as it is read, or what a finer tier holds of it.

use std::borrow::Cow;

use crate::pack::{self, unpack};
use crate::sample::{Kind, Sample};
use crate::sketch::{Sketch, keys};
use crate::summary::{Summary, within};
use crate::tally::Tally;
use crate::time::TimestampMs;

/// Samples of one time bucket: all of them, or those of a finer time bucket in it. Parts of one time
/// bucket follow each other in order of time and do not overlap.
#[derive(Clone, Debug)]
pub(crate) struct Part<'a> {
    /// Number of the time bucket.
    pub(crate) number: i64,
    /// What the samples come to; its sketch is left empty.
    pub(crate) summary: Summary,
    /// The values, for a sketch.
    pub(crate) values: Values<'a>,
}

impl Part<'_> {
    /// The samples with their sketch.
    pub(crate) fn full(&self) -> Cow<'static, Summary> {
        let mut tally = Tally::default();
        tally.add(&self.values);
        Cow::Owned(self.summary.with_sketch(tally.to_sketch()))
    }
}

/// A sample in twelve bytes: milliseconds since a base, then the halves of the value's bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slim([u32; 3]);

impl Slim {
    /// `None` where the base is later or 49 days earlier.
    pub(crate) fn new(sample: Sample, base: TimestampMs) -> Option<Self> {
        let since = sample.timestamp().get().checked_sub(base.get())?;
        u32::try_from(since).ok().map(|since| Self::since(since, sample.value()))
    }

    fn since(since: u32, value: f64) -> Self {
        let bits = value.to_bits();
        Self([since, bits as u32, (bits >> 32) as u32])
    }

    /// [`Slim::new`] of each of the samples, which are in order of time: `None` where the first or the
    /// last has none.
    pub(crate) fn all(samples: &[Sample], base: TimestampMs) -> Option<impl ExactSizeIterator<Item = Self> + '_> {
        Self::new(*samples.first()?, base)?;
        Self::new(*samples.last()?, base)?;
        let since = move |at: TimestampMs| at.get().wrapping_sub(base.get()) as u32;
        Some(samples.iter().map(move |sample| Self::since(since(sample.timestamp()), sample.value())))
    }

    /// How many of these, which are in order of time, are up to `end`: looked at from the first on.
    pub(crate) fn count_until(slims: &[Self], base: TimestampMs, end: TimestampMs) -> usize {
        let most = end.get().saturating_sub(base.get());
        slims.iter().position(|slim| i64::from(slim.0[0]) > most).unwrap_or(slims.len())
    }

    #[inline]
    pub(crate) fn timestamp(self, base: TimestampMs) -> TimestampMs {
        TimestampMs::new(base.get().wrapping_add(i64::from(self.0[0])))
    }

    #[inline]
    pub(crate) fn value(self) -> f64 {
        f64::from_bits(u64::from(self.0[1]) | u64::from(self.0[2]) << 32)
    }

    #[inline]
    pub(crate) fn sample(self, base: TimestampMs) -> Sample {
        Sample::kept(self.timestamp(base), self.value())
    }
}

/// The values of samples by value bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Values<'a> {
    /// Of samples that are kept as they are.
    Slim { base: TimestampMs, slims: &'a [Slim] },
    /// Of samples that are not sealed yet.
    Samples(&'a [Sample]),
    /// A byte for each sample: 0 for a zero, else 1 + key − base.
    Narrow { base: i32, offsets: &'a [u8] },
    /// Two bytes for each sample.
    Wide { base: i32, offsets: &'a [u8] },
    /// Keys of a scale with their counts.
    Runs { scale: i8, bytes: &'a [u8] },
}

impl Values<'_> {
    /// Appends the samples themselves, where they are kept.
    pub(crate) fn samples(&self, samples: &mut Vec<Sample>) {
        match self {
            Self::Slim { base, slims } => samples.extend(slims.iter().map(|slim| slim.sample(*base))),
            Self::Samples(kept) => samples.extend_from_slice(kept),
            _ => {}
        }
    }

    /// Whether the samples themselves are kept.
    pub(crate) const fn are_samples(&self) -> bool {
        matches!(self, Self::Slim { .. } | Self::Samples(_))
    }

    /// Number of samples, where each is told of its own; else more than that.
    pub(crate) const fn samples_at_most(&self) -> usize {
        match self {
            Self::Slim { slims, .. } => slims.len(),
            Self::Samples(samples) => samples.len(),
            Self::Narrow { offsets, .. } | Self::Wide { offsets, .. } => offsets.len(),
            Self::Runs { .. } => usize::MAX / 2,
        }
    }

    pub(crate) const fn scale(&self) -> i8 {
        match self {
            Self::Runs { scale, .. } => *scale,
            _ => Sketch::DEFAULT_SCALE,
        }
    }

    /// Calls `each` with keys and counts, in no order; a key may come several times.
    #[inline]
    pub(crate) fn for_each(&self, mut each: impl FnMut(i32, u64)) {
        let key = |base: i32, offset: i32| if offset == 0 { 0 } else { base.wrapping_add(offset - 1) };
        match self {
            Self::Slim { slims, .. } => {
                for slim in *slims {
                    each(keys::key(slim.value(), Sketch::DEFAULT_SCALE), 1);
                }
            }
            Self::Samples(samples) => {
                for sample in *samples {
                    each(keys::key(sample.value(), Sketch::DEFAULT_SCALE), 1);
                }
            }
            Self::Narrow { base, offsets } => {
                for offset in *offsets {
                    each(key(*base, i32::from(*offset)), 1);
                }
            }
            Self::Wide { base, offsets } => {
                let (pairs, _) = offsets.as_chunks::<2>();
                for offset in pairs {
                    each(key(*base, i32::from(u16::from_le_bytes(*offset))), 1);
                }
            }
            Self::Runs { bytes, .. } => pack::for_each_run(bytes, each),
        }
    }
}

/// Neighbouring samples of a series, as they lie there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run<'a> {
    /// Samples that are kept as they are.
    Slim { base: TimestampMs, slims: &'a [Slim] },
    /// Samples that are not sealed yet.
    Samples(&'a [Sample]),
    /// A packed time bucket that begins at `start`.
    Packed { start: TimestampMs, content: &'a [u8] },
}

impl<'a> Run<'a> {
    /// Number of samples.
    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::Slim { slims, .. } => slims.len() as u64,
            Self::Samples(samples) => samples.len() as u64,
            Self::Packed { content, .. } => pack::count(content),
        }
    }

    /// The values.
    pub(crate) fn values(&self) -> Values<'a> {
        match *self {
            Self::Slim { base, slims } => Values::Slim { base, slims },
            Self::Samples(samples) => Values::Samples(samples),
            Self::Packed { start, content } => unpack(0, content, start, Kind::Gauge).values,
        }
    }
}

/// What samples in order of time come to, without a sketch; `None` where there are none.
pub(crate) fn summary_of(samples: impl ExactSizeIterator<Item = Sample> + Clone, kind: Kind) -> Option<Summary> {
    if samples.len() <= MOST_AT_ONCE {
        return summary_at_once(samples, kind);
    }
    let mut rest = samples;
    let mut summary: Option<Summary> = None;
    while rest.len() > 0 {
        let some = summary_at_once(rest.clone().take(MOST_AT_ONCE), kind)?;
        rest.nth(some.count as usize - 1);
        match &mut summary {
            Some(summary) => summary.merge_without_sketch(&some, kind),
            None => summary = Some(some),
        }
    }
    summary
}

/// [`summary_of`] no more samples than [`MOST_AT_ONCE`].
fn summary_at_once(samples: impl ExactSizeIterator<Item = Sample> + Clone, kind: Kind) -> Option<Summary> {
    let mut rest = samples.clone();
    let first = rest.next()?;
    let count = samples.len();
    if count == 1 {
        return Some(Summary::without_sketch(first, kind));
    }
    // Two strands, so that an addition need not wait for the one before, and in such a form that
    // vectors can be used. Not `f64::min`, which looks for NaN.
    let (mut sum, mut min, mut max) = ([0.0; 2], [first.value(); 2], [first.value(); 2]);
    let mut take = |values: [f64; 2]| {
        for (strand, value) in values.into_iter().enumerate() {
            sum[strand] += value;
            min[strand] = if value < min[strand] { value } else { min[strand] };
            max[strand] = if value > max[strand] { value } else { max[strand] };
        }
    };
    let mut last = first;
    let mut pairs = samples.clone();
    while pairs.len() > 1 {
        let (Some(one), Some(other)) = (pairs.next(), pairs.next()) else { break };
        last = other;
        take([one.value(), other.value()]);
    }
    if let Some(one) = pairs.next() {
        last = one;
        sum[0] += one.value();
        min[0] = min[0].min(one.value());
        max[0] = max[0].max(one.value());
    }
    let (sum, min, max) = (sum[0] + sum[1], min[0].min(min[1]), max[0].max(max[1]));
    if !sum.is_finite() {
        let mut summary = Summary::without_sketch(first, kind);
        rest.for_each(|sample| summary.record_without_sketch(sample, kind));
        return Some(summary);
    }
    let mean = within(sum / count as f64, min, max);
    let mut m2 = [0.0; 2];
    let mut pairs = samples.clone();
    while pairs.len() > 1 {
        let (Some(one), Some(other)) = (pairs.next(), pairs.next()) else { break };
        for (strand, value) in [one.value(), other.value()].into_iter().enumerate() {
            m2[strand] += (value - mean) * (value - mean);
        }
    }
    if let Some(one) = pairs.next() {
        m2[0] += (one.value() - mean) * (one.value() - mean);
    }
    let m2 = (m2[0] + m2[1]).min(f64::MAX);
    let mut summary = Summary::unpacked(count as u64, sum, m2, (min, max), first, last);
    if kind == Kind::Counter {
        summary.increase = increase(samples);
    }
    summary.settle_increase(kind);
    Some(summary)
}

/// So many values may be added without a care for rounding: the error stays below 1e−13 of the sum
/// of their magnitudes.
const MOST_AT_ONCE: usize = 512;

/// What a counter has grown by between samples in order of time.
fn increase(samples: impl Iterator<Item = Sample>) -> f64 {
    let mut increase = 0.0;
    let mut before: Option<f64> = None;
    for sample in samples {
        if let Some(before) = before {
            increase = crate::summary::finite(increase + crate::summary::step(before, sample.value()));
        }
        before = Some(sample.value());
    }
    increase
}
