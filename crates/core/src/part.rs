//! Part: a time bucket as it is read, or what a finer tier holds of it.

use std::borrow::Cow;

use bellwether_loops::extent::{Extent, m2_about};

use crate::moments::{self, Deviation, Moments};
use crate::pack;
use crate::sample::{Kind, Sample};
use crate::sketch::{Sketch, keys};
use crate::slim::Slims;
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

/// The values of samples by value bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Values<'a> {
    /// Of samples that are kept as they are.
    Samples(Slims<'a>),
    /// A byte for each sample: 0 for a zero, else 1 + key − base.
    Narrow { base: i32, offsets: &'a [u8] },
    /// Two bytes for each sample.
    Wide { base: i32, offsets: &'a [u8] },
    /// Keys of a scale with their counts.
    Runs { scale: i8, bytes: &'a [u8] },
}

impl Values<'_> {
    pub(crate) const fn scale(&self) -> i8 {
        match self {
            Self::Runs { scale, .. } => *scale,
            _ => Sketch::DEFAULT_SCALE,
        }
    }

    /// Calls `each` with keys and counts, in no order; a key may come several times.
    pub(crate) fn for_each(&self, each: &mut dyn FnMut(i32, u64)) {
        let key = |base: i32, offset: i32| if offset == 0 { 0 } else { base.wrapping_add(offset - 1) };
        match self {
            Self::Samples(samples) => {
                for slim in samples.slims {
                    each(keys::key(slim.value(), Sketch::DEFAULT_SCALE), 1);
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
    Samples(Slims<'a>),
    /// A packed time bucket that begins at `start`.
    Packed { start: TimestampMs, content: &'a [u8] },
}

impl<'a> Run<'a> {
    /// Number of samples.
    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::Samples(samples) => samples.len() as u64,
            Self::Packed { content, .. } => pack::count(content),
        }
    }

    /// The values.
    pub(crate) fn values(&self) -> Values<'a> {
        match *self {
            Self::Samples(samples) => Values::Samples(samples),
            Self::Packed { content, .. } => pack::values(content),
        }
    }
}

/// What samples in order of time come to, without a sketch; `None` where there are none.
pub(crate) fn summary_of(samples: Slims<'_>, kind: Kind) -> Option<Summary> {
    let (some, mut rest) = samples.split_at(MOST_AT_ONCE);
    let mut summary = summary_at_once(some, kind)?;
    while !rest.is_empty() {
        let some;
        (some, rest) = rest.split_at(MOST_AT_ONCE);
        if let Some(later) = summary_at_once(some, kind) {
            summary.merge_without_sketch(&later, kind);
        }
    }
    Some(summary)
}

/// [`summary_of`] no more samples than [`MOST_AT_ONCE`].
fn summary_at_once(samples: Slims<'_>, kind: Kind) -> Option<Summary> {
    let (first, last) = (samples.first()?, samples.last()?);
    let count = samples.len();
    if count == 1 {
        return Some(Summary::without_sketch(first, kind));
    }
    let Extent { sum, min, max } = Extent::of(samples.slims, first.value());
    if !sum.is_finite() {
        let mut summary = Summary::without_sketch(first, kind);
        samples.iter().skip(1).for_each(|sample| summary.record_without_sketch(sample, kind));
        return Some(summary);
    }
    let m2 = m2_about(samples.slims, within(sum / count as f64, min, max));
    let mut summary = Summary::unpacked(count as u64, sum, m2, (min, max), first, last);
    if kind == Kind::Counter {
        summary.increase = increase(samples.iter());
    }
    summary.settle_increase(kind);
    Some(summary)
}

/// What samples in order of time come to where their order does not matter, and with [`Deviation::NotNeeded`] without
/// their distances from the mean.
pub(crate) fn moments_of(samples: Slims<'_>, deviation: Deviation) -> Moments {
    let Some(first) = samples.slims.first() else { return Moments::NONE };
    let (count, first) = (samples.len(), first.value());
    let Extent { sum, min, max } = Extent::of(samples.slims, first);
    if count > MOST_AT_ONCE || !sum.is_finite() {
        return summary_of(samples, Kind::Gauge).map_or(Moments::NONE, |summary| moments::of_summary(&summary));
    }
    let m2 = match deviation {
        Deviation::Needed => m2_about(samples.slims, within(sum / count as f64, min, max)),
        Deviation::NotNeeded => 0.0,
    };
    Moments::told(count as u64, (sum, 0.0), m2, (min, max))
}

/// So many values may be added without a care for rounding: the error stays below 1e−13 of the sum
/// of their magnitudes.
const MOST_AT_ONCE: usize = 512;

/// What a counter has grown by between samples in order of time.
pub(crate) fn increase(samples: impl Iterator<Item = Sample>) -> f64 {
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
