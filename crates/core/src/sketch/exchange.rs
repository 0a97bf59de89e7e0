//! Sketches in the forms in which others send them: the data point of an OpenTelemetry exponential
//! histogram and the native histogram of Prometheus.
//!
//! Plain parts, of which a protocol makes its own messages. Counts go in and out exactly. What the
//! forms have beside the value buckets (sum, least, greatest, time) is not of a sketch.
//!
//! Both have a *zero threshold*: their zero bucket holds values whose magnitude is at most that. A
//! sketch counts them as zeros, which is wrong by at most the threshold; the histogram keeps it.
//!
//! Sources: OpenTelemetry metrics data model, "ExponentialHistogram"; Prometheus native histogram
//! specification, "Schema", "Zero bucket", "Spans and deltas".

use super::{MAX_SCALE, MIN_SCALE, Sketch, SketchError};

/// Greatest scale of OpenTelemetry's exponential histograms.
const MAX_OTEL_SCALE: i32 = 20;
/// The longest gap between value buckets that one span bridges with zeros, as Prometheus' own
/// client does: a span of its own would take more room.
const MAX_BRIDGED: i32 = 2;

/// Why a histogram cannot become a sketch.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// Its resolution is none that can be kept, such as Prometheus' custom bounds (−53).
    #[error("scale {scale} is not between {MIN_SCALE} and {most}")]
    Scale {
        /// The scale or schema that was given.
        scale: i32,
        /// The greatest that is taken.
        most: i32,
    },
    /// A zero threshold that is negative, infinite or NaN.
    #[error("the zero threshold is {threshold}; it must be a finite number of at least 0")]
    Threshold {
        /// The threshold that was given.
        threshold: f64,
    },
    /// Spans that name other than as many value buckets as there are deltas, or that lie before those
    /// that came before them.
    #[error("the spans do not fit the deltas: as many value buckets as deltas, ascending")]
    Spans,
    /// Deltas that make a count negative or too great.
    #[error("the deltas make a count that is negative or too great")]
    Deltas,
    /// Value buckets or counts out of range.
    #[error(transparent)]
    Sketch(#[from] SketchError),
}

/// Neighbouring value buckets of an OpenTelemetry exponential histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExponentialBuckets {
    /// Index of the first one.
    pub offset: i32,
    /// The count of each, from the first on.
    pub counts: Vec<u64>,
}

/// The value buckets of an OpenTelemetry exponential histogram data point: index `i` at scale `s`
/// holds values in `(base^i, base^(i+1)]` with base `2^(2^−s)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExponentialHistogram {
    /// From −10 to 20; a sketch takes −4 and up.
    pub scale: i32,
    /// The greatest magnitude of what the zero bucket holds.
    pub zero_threshold: f64,
    /// Number of values in the zero bucket.
    pub zero_count: u64,
    /// Positive values.
    pub positive: ExponentialBuckets,
    /// Negative values, by magnitude.
    pub negative: ExponentialBuckets,
}

/// A run of neighbouring value buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Of the first span, the index of its first value bucket; of others, how many are left out
    /// after the span before.
    pub offset: i32,
    /// Number of value buckets.
    pub length: u32,
}

/// Value buckets of a Prometheus native histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NativeBuckets {
    /// Which there are, ascending.
    pub spans: Vec<Span>,
    /// Of each the difference of its count from that of the one before, and of the first its count.
    pub deltas: Vec<i64>,
}

/// The value buckets of a Prometheus native histogram with whole counts: index `i` at schema `s`
/// holds values in `(base^(i−1), base^i]` with base `2^(2^−s)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NativeHistogram {
    /// From −4 to 8.
    pub schema: i32,
    /// The greatest magnitude of what the zero bucket holds.
    pub zero_threshold: f64,
    /// Number of values in the zero bucket.
    pub zero_count: u64,
    /// Positive values.
    pub positive: NativeBuckets,
    /// Negative values, by magnitude.
    pub negative: NativeBuckets,
}

impl ExponentialHistogram {
    /// The value buckets of a sketch. Values whose value bucket reaches below the threshold go into
    /// the zero bucket, and where that takes in more than the threshold says, the threshold is raised
    /// to the value bucket's upper bound. A threshold that is no number of at least 0 counts as 0.
    ///
    /// Cost: O(indexes from the first value bucket to the last); [`Sketch::downscale`] makes those
    /// fewer for a receiver who takes only some.
    #[must_use]
    pub fn of(sketch: &Sketch, zero_threshold: f64) -> Self {
        let Split { zero_threshold, zero_count, positive, negative } = Split::of(sketch, zero_threshold);
        let buckets = |counts: Vec<(i32, u64)>| {
            let offset = counts.first().map_or(0, |(index, _)| *index);
            let mut dense = ExponentialBuckets { offset, counts: Vec::new() };
            for (index, count) in counts {
                dense.counts.resize((index - offset) as usize, 0);
                dense.counts.push(count);
            }
            dense
        };
        let (positive, negative) = (buckets(positive), buckets(negative));
        Self { scale: i32::from(sketch.scale()), zero_threshold, zero_count, positive, negative }
    }

    /// The sketch of these value buckets; a scale finer than [`MAX_SCALE`] becomes that, exactly.
    ///
    /// # Errors
    /// [`ExchangeError`] where the scale, the threshold, an index or the counts are out of range.
    pub fn sketch(&self) -> Result<Sketch, ExchangeError> {
        if !(i32::from(MIN_SCALE)..=MAX_OTEL_SCALE).contains(&self.scale) {
            return Err(ExchangeError::Scale { scale: self.scale, most: MAX_OTEL_SCALE });
        }
        check_threshold(self.zero_threshold)?;
        let scale = self.scale.min(i32::from(MAX_SCALE));
        let steps = self.scale - scale;
        let counts = |buckets: &ExponentialBuckets| {
            let mut coarse: Vec<(i32, u64)> = Vec::new();
            for (place, count) in buckets.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let place = i32::try_from(place).unwrap_or(i32::MAX);
                let index = buckets.offset.saturating_add(place) >> steps;
                match coarse.last_mut() {
                    Some(last) if last.0 == index => last.1 = last.1.checked_add(*count).ok_or(SketchError::Count)?,
                    _ => coarse.push((index, *count)),
                }
            }
            Ok::<_, SketchError>(coarse)
        };
        let (positive, negative) = (counts(&self.positive)?, counts(&self.negative)?);
        Ok(Sketch::from_parts(scale as i8, self.zero_count, positive, negative)?)
    }
}

impl NativeHistogram {
    /// The value buckets of a sketch; the threshold as of [`ExponentialHistogram::of`].
    /// Cost: O(value buckets).
    #[must_use]
    pub fn of(sketch: &Sketch, zero_threshold: f64) -> Self {
        let Split { zero_threshold, zero_count, positive, negative } = Split::of(sketch, zero_threshold);
        let (positive, negative) = (NativeBuckets::of(&positive), NativeBuckets::of(&negative));
        Self { schema: i32::from(sketch.scale()), zero_threshold, zero_count, positive, negative }
    }

    /// The sketch of these value buckets.
    ///
    /// # Errors
    /// [`ExchangeError`] where the schema, the threshold, an index or the counts are out of range, or
    /// spans and deltas do not fit each other.
    pub fn sketch(&self) -> Result<Sketch, ExchangeError> {
        let scale = i8::try_from(self.schema).ok().filter(|scale| (MIN_SCALE..=MAX_SCALE).contains(scale));
        let scale = scale.ok_or(ExchangeError::Scale { scale: self.schema, most: i32::from(MAX_SCALE) })?;
        check_threshold(self.zero_threshold)?;
        let (positive, negative) = (self.positive.counts()?, self.negative.counts()?);
        Ok(Sketch::from_parts(scale, self.zero_count, positive, negative)?)
    }
}

impl NativeBuckets {
    /// The buckets of (OpenTelemetry index, count), ascending.
    fn of(counts: &[(i32, u64)]) -> Self {
        let mut buckets = Self::default();
        let mut last: Option<(i32, i64)> = None;
        for (index, count) in counts {
            // An index of Prometheus names a value bucket by its upper bound.
            let (index, count) = (index + 1, *count as i64);
            let gap = last.map_or(index, |(last, _)| index - last - 1);
            let before = match (last, buckets.spans.last_mut()) {
                (Some((_, before)), Some(span)) if gap <= MAX_BRIDGED => {
                    span.length += 1 + gap as u32;
                    match gap {
                        0 => before,
                        _ => {
                            buckets.deltas.push(-before);
                            buckets.deltas.resize(buckets.deltas.len() + gap as usize - 1, 0);
                            0
                        }
                    }
                }
                (last, _) => {
                    buckets.spans.push(Span { offset: gap, length: 1 });
                    last.map_or(0, |(_, before)| before)
                }
            };
            buckets.deltas.push(count - before);
            last = Some((index, count));
        }
        buckets
    }

    /// The (OpenTelemetry index, count) of those that hold something, ascending.
    fn counts(&self) -> Result<Vec<(i32, u64)>, ExchangeError> {
        let named: u64 = self.spans.iter().map(|span| u64::from(span.length)).sum();
        if named != self.deltas.len() as u64 || self.spans.iter().skip(1).any(|span| span.offset < 0) {
            return Err(ExchangeError::Spans);
        }
        let mut counts = Vec::new();
        let mut deltas = self.deltas.iter();
        // One below Prometheus' index.
        let (mut index, mut count) = (-1_i64, 0_i64);
        for span in &self.spans {
            index += i64::from(span.offset);
            for delta in deltas.by_ref().take(span.length as usize) {
                count = count.checked_add(*delta).filter(|count| *count >= 0).ok_or(ExchangeError::Deltas)?;
                if count > 0 {
                    // What no sketch has an index for is refused as one of those.
                    counts.push((i32::try_from(index).unwrap_or(i32::MAX), count.unsigned_abs()));
                }
                index += 1;
            }
        }
        Ok(counts)
    }
}

/// The counts of a sketch with those near zero taken together.
struct Split {
    zero_threshold: f64,
    zero_count: u64,
    positive: Vec<(i32, u64)>,
    negative: Vec<(i32, u64)>,
}

impl Split {
    fn of(sketch: &Sketch, threshold: f64) -> Self {
        let threshold = if check_threshold(threshold).is_ok() { threshold } else { 0.0 };
        let mut split = Self {
            zero_threshold: threshold,
            zero_count: sketch.zero_count(),
            positive: sketch.positive().collect(),
            negative: sketch.negative().collect(),
        };
        // Value buckets of both signs have the same bounds: what one raises it to cuts none of the other.
        split.take_in(sketch);
        split
    }

    /// Moves the value buckets that reach below the threshold to the zeros.
    fn take_in(&mut self, sketch: &Sketch) {
        let mut threshold = self.zero_threshold;
        let mut taken = 0;
        for counts in [&mut self.positive, &mut self.negative] {
            let is_below = |index: i32| sketch.bounds(index).0 < self.zero_threshold;
            let near = counts.partition_point(|(index, _)| is_below(*index));
            for (index, count) in counts.drain(..near) {
                threshold = threshold.max(sketch.bounds(index).1);
                taken += count;
            }
        }
        (self.zero_threshold, self.zero_count) = (threshold, self.zero_count + taken);
    }
}

fn check_threshold(threshold: f64) -> Result<(), ExchangeError> {
    let is_fine = threshold.is_finite() && threshold >= 0.0;
    if is_fine { Ok(()) } else { Err(ExchangeError::Threshold { threshold }) }
}

#[cfg(test)]
mod tests;
