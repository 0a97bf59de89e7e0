//! Slim samples with the base that they are counted from.

pub(crate) use bellwether_loops::slim::Slim;
use bellwether_loops::slim::{count_near, count_until};

use crate::grid::Grid;
use crate::sample::Sample;
use crate::time::TimestampMs;

/// Samples in order of time, as they lie somewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slims<'a> {
    pub(crate) base: TimestampMs,
    pub(crate) slims: &'a [Slim],
}

impl<'a> Slims<'a> {
    pub(crate) const fn len(&self) -> usize {
        self.slims.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.slims.is_empty()
    }

    pub(crate) fn first(&self) -> Option<Sample> {
        self.slims.first().map(|slim| sample(*slim, self.base))
    }

    pub(crate) fn last(&self) -> Option<Sample> {
        self.slims.last().map(|slim| sample(*slim, self.base))
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Sample> + ExactSizeIterator + 'a {
        let base = self.base;
        self.slims.iter().map(move |slim| sample(*slim, base))
    }

    /// Those up to a place, and the others.
    pub(crate) fn split_at(self, place: usize) -> (Self, Self) {
        let (one, other) = self.slims.split_at(place.min(self.slims.len()));
        (Self { slims: one, ..self }, Self { slims: other, ..self })
    }

    /// Calls `each` with the number of each time bucket that they lie in and its samples.
    pub(crate) fn each_bucket(self, grid: Grid, each: &mut dyn FnMut(i64, Self)) {
        let (mut rest, mut before) = (self, None);
        while let Some(first) = rest.first() {
            let (number, end) = grid.bucket_after(before, first.timestamp());
            before = Some((number, end));
            let bucket;
            (bucket, rest) = rest.split_at(rest.count_until(end));
            each(number, bucket);
        }
    }

    /// How many are up to `end`: looked at from the first on.
    pub(crate) fn count_until(&self, end: TimestampMs) -> usize {
        self.most_ms(end).map_or(0, |most| count_until(self.slims, most))
    }

    /// How many are up to `end`: looked for from a guess on.
    pub(crate) fn count_near(&self, guess: usize, end: TimestampMs) -> usize {
        self.most_ms(end).map_or(0, |most| count_near(self.slims, guess, most))
    }

    /// How far behind the base a sample up to `end` may lie; `None` where it is before it.
    fn most_ms(&self, end: TimestampMs) -> Option<u32> {
        let most = end.get().saturating_sub(self.base.get());
        (most >= 0).then(|| u32::try_from(most).unwrap_or(u32::MAX))
    }
}

/// The sample that is told from `base`.
#[inline]
fn sample(slim: Slim, base: TimestampMs) -> Sample {
    Sample::kept(TimestampMs::new(base.get().wrapping_add(i64::from(slim.since_ms()))), slim.value())
}

/// `None` where the base is later or 49 days earlier.
pub(crate) fn slim(sample: Sample, base: TimestampMs) -> Option<Slim> {
    let since = sample.timestamp().get().wrapping_sub(base.get());
    u32::try_from(since).ok().map(|since| Slim::new(since, sample.value()))
}

/// What a sample at `at` is counted from where it is the first: the left edge of its time bucket, or itself where that
/// is too far away.
pub(crate) fn base_of(at: TimestampMs, grid: Grid) -> TimestampMs {
    let start = grid.start(grid.bucket_of(at));
    if is_told(start, at) { start } else { at }
}

/// Whether an instant can be told from a base.
pub(crate) fn is_told(base: TimestampMs, at: TimestampMs) -> bool {
    u32::try_from(at.get().wrapping_sub(base.get())).is_ok()
}
