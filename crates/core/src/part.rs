//! Part: a time bucket as it is read, or what a finer tier holds of it.

use std::borrow::Cow;

use crate::lanes::Pair;
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

    /// How many of these, which are in order of time, are up to `end`: looked for from a guess on, in
    /// steps that double.
    pub(crate) fn count_near(slims: &[Self], guess: usize, base: TimestampMs, end: TimestampMs) -> usize {
        let most = end.get().saturating_sub(base.get());
        let is_in = |place: usize| slims.get(place).is_some_and(|slim| i64::from(slim.0[0]) <= most);
        let guess = guess.min(slims.len());
        let (mut low, mut high, mut step) = (guess, guess, 1);
        if is_in(guess) {
            while is_in(high) {
                (low, high) = (high, high + step);
                step *= 2;
            }
        } else {
            while low > 0 && !is_in(low - 1) {
                (high, low) = (low - 1, (low - 1).saturating_sub(step));
                step *= 2;
            }
        }
        let (low, high) = (low.min(slims.len()), high.min(slims.len()));
        low + slims[low..high].partition_point(|slim| i64::from(slim.0[0]) <= most)
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

/// What samples in order of time come to, without a sketch; `None` where there are none. `of` makes
/// a sample of one of them.
pub(crate) fn summary_of<T: Copy>(samples: &[T], of: impl Fn(T) -> Sample + Copy, kind: Kind) -> Option<Summary> {
    let mut some = samples.chunks(MOST_AT_ONCE).map(|some| summary_at_once(some, of, kind));
    let mut summary = some.next()??;
    for later in some.flatten() {
        summary.merge_without_sketch(&later, kind);
    }
    Some(summary)
}

/// [`summary_of`] no more samples than [`MOST_AT_ONCE`].
fn summary_at_once<T: Copy>(samples: &[T], of: impl Fn(T) -> Sample + Copy, kind: Kind) -> Option<Summary> {
    let (first, last) = (of(*samples.first()?), of(*samples.last()?));
    let count = samples.len();
    if count == 1 {
        return Some(Summary::without_sketch(first, kind));
    }
    let (pairs, rest) = samples.as_chunks::<2>();
    let pair = |[one, other]: [T; 2]| Pair::new(of(one).value(), of(other).value());
    let start = Pair::new(first.value(), first.value());
    let (mut sum, mut min, mut max) = (Pair::new(0.0, 0.0), start, start);
    for samples in pairs {
        let values = pair(*samples);
        sum = sum.plus(values);
        min = min.least(values);
        max = max.greatest(values);
    }
    for sample in rest {
        let value = of(*sample).value();
        sum = sum.plus(Pair::new(value, 0.0));
        min = min.least(Pair::new(value, value));
        max = max.greatest(Pair::new(value, value));
    }
    let ([one, other], [low, lower], [high, higher]) = (sum.both(), min.both(), max.both());
    let (sum, min, max) = (one + other, low.min(lower), high.max(higher));
    if !sum.is_finite() {
        let mut summary = Summary::without_sketch(first, kind);
        samples.iter().skip(1).for_each(|sample| summary.record_without_sketch(of(*sample), kind));
        return Some(summary);
    }
    let mean = within(sum / count as f64, min, max);
    let (mut m2, center) = (Pair::new(0.0, 0.0), Pair::new(mean, mean));
    for samples in pairs {
        let distance = pair(*samples).minus(center);
        m2 = m2.plus(distance.times(distance));
    }
    for sample in rest {
        let distance = Pair::new(of(*sample).value(), mean).minus(center);
        m2 = m2.plus(distance.times(distance));
    }
    let [one, other] = m2.both();
    let mut summary = Summary::unpacked(count as u64, sum, (one + other).min(f64::MAX), (min, max), first, last);
    if kind == Kind::Counter {
        summary.increase = increase(samples.iter().map(|sample| of(*sample)));
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
