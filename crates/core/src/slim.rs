//! Slim samples: twelve bytes each, counted from a base that neighbours share.

use crate::grid::Grid;
use crate::sample::Sample;
use crate::time::TimestampMs;

/// A sample in twelve bytes: milliseconds since a base, then the halves of the value's bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slim([u32; 3]);

impl Slim {
    /// `None` where the base is later or 49 days earlier.
    #[inline(always)]
    pub(crate) fn new(sample: Sample, base: TimestampMs) -> Option<Self> {
        let since = sample.timestamp().get().wrapping_sub(base.get());
        u32::try_from(since).ok().map(|since| Self::since(since, sample.value()))
    }

    #[inline(always)]
    fn since(since: u32, value: f64) -> Self {
        let bits = value.to_bits();
        Self([since, bits as u32, (bits >> 32) as u32])
    }

    #[inline(always)]
    pub(crate) fn timestamp(self, base: TimestampMs) -> TimestampMs {
        TimestampMs::new(base.get().wrapping_add(i64::from(self.0[0])))
    }

    #[inline(always)]
    pub(crate) fn value(self) -> f64 {
        f64::from_bits(u64::from(self.0[1]) | u64::from(self.0[2]) << 32)
    }

    #[inline(always)]
    pub(crate) fn sample(self, base: TimestampMs) -> Sample {
        Sample::kept(self.timestamp(base), self.value())
    }

    /// The same sample counted from a base so much earlier.
    fn moved(self, by: i64) -> Self {
        Self([i64::from(self.0[0]).wrapping_add(by) as u32, self.0[1], self.0[2]])
    }
}

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
        self.slims.first().map(|slim| slim.sample(self.base))
    }

    pub(crate) fn last(&self) -> Option<Sample> {
        self.slims.last().map(|slim| slim.sample(self.base))
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Sample> + ExactSizeIterator + 'a {
        let base = self.base;
        self.slims.iter().map(move |slim| slim.sample(base))
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
    #[inline(never)]
    pub(crate) fn count_until(&self, end: TimestampMs) -> usize {
        let most = end.get().saturating_sub(self.base.get());
        if most < 0 {
            return 0;
        }
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        self.slims.iter().position(|slim| slim.0[0] > most).unwrap_or(self.slims.len())
    }

    /// How many are up to `end`: looked for from a guess on, in steps that double. A search by halves would guess wrong
    /// at each of its steps, which takes longer than the steps.
    pub(crate) fn count_near(&self, guess: usize, end: TimestampMs) -> usize {
        let most = end.get().saturating_sub(self.base.get());
        let slims = self.slims;
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
}

/// What a sample at `at` is counted from where it is the first: the left edge of its time bucket, or itself where that
/// is too far away.
fn base_of(at: TimestampMs, grid: Grid) -> TimestampMs {
    let start = grid.start(grid.bucket_of(at));
    if is_told(start, at) { start } else { at }
}

/// Whether an instant can be told from a base.
fn is_told(base: TimestampMs, at: TimestampMs) -> bool {
    u32::try_from(at.get().wrapping_sub(base.get())).is_ok()
}

/// Samples in order of time that more come to.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    base: TimestampMs,
    /// The base as a float, from which a later instant's distance is exact; NaN where it is before the epoch.
    base_ms: f64,
    slims: Vec<Slim>,
}

impl Trail {
    /// A trail without samples.
    pub(crate) const fn new() -> Self {
        Self { base: TimestampMs::new(0), base_ms: 0.0, slims: Vec::new() }
    }

    /// A trail of one sample.
    pub(crate) fn one(sample: Sample, grid: Grid) -> Self {
        let mut trail = Self::new();
        trail.fit(sample.timestamp(), grid);
        trail.insert(sample);
        trail
    }

    /// A trail that is told by its samples' twelve bytes each.
    pub(crate) fn of(slims: Slims<'_>) -> Self {
        let mut trail = Self { slims: slims.slims.to_vec(), ..Self::new() };
        trail.set_base(slims.base);
        trail
    }

    #[inline]
    pub(crate) fn slims(&self) -> Slims<'_> {
        Slims { base: self.base, slims: &self.slims }
    }

    #[inline(always)]
    pub(crate) const fn len(&self) -> usize {
        self.slims.len()
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.slims.is_empty()
    }

    /// For how many samples there is memory.
    #[inline(always)]
    pub(crate) const fn capacity(&self) -> usize {
        self.slims.capacity()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.slims.capacity() * size_of::<Slim>()
    }

    fn set_base(&mut self, base: TimestampMs) {
        self.base = base;
        self.base_ms = if base.get() < 0 { f64::NAN } else { base.get() as f64 };
    }

    /// Appends a sample at an instant or, between two, at the later of them, where that is no earlier than `newest`; gives
    /// the instant. `None`, and nothing changed, where it is earlier, or takes more memory or another base.
    ///
    /// Floats are worked on until a number of 32 bits is left: that is a third of the steps.
    #[inline(always)]
    pub(crate) fn push_within(&mut self, at_ms: f64, value: f64, newest: TimestampMs) -> Option<TimestampMs> {
        const TWO_52: f64 = 4_503_599_627_370_496.0;
        let since = at_ms - self.base_ms;
        if !(since >= 0.0 && since <= u32::MAX as f64) || self.slims.len() == self.slims.capacity() {
            return None;
        }
        // So high up, floats are whole numbers, and the bits of this one end with it.
        let near = since + TWO_52;
        let since = (near.to_bits() as u32).wrapping_add(u32::from(near - TWO_52 < since));
        let at = TimestampMs::new(self.base.get().wrapping_add(i64::from(since)));
        if at < newest {
            return None;
        }
        self.slims.push(Slim::since(since, value));
        Some(at)
    }

    /// Appends a sample that can be told from the base and is no earlier than the last.
    pub(crate) fn push(&mut self, sample: Sample) {
        self.slims.extend(Slim::new(sample, self.base));
    }

    /// Sees to it that a sample at `at` can be told; `false` where it is too far from the others. The base is always that
    /// of the first sample, so that it is the same however they came.
    pub(crate) fn fit(&mut self, at: TimestampMs, grid: Grid) -> bool {
        let (Some(_), Some(last)) = (self.slims.first(), self.slims().last()) else {
            self.set_base(base_of(at, grid));
            return true;
        };
        if at > self.base {
            return is_told(self.base, at);
        }
        let base = base_of(at, grid);
        let fits = is_told(base, last.timestamp());
        if fits {
            self.move_to(base);
        }
        fits
    }

    /// Counts from the base of the first sample, where all can be told from it.
    pub(crate) fn count_from_first(&mut self, grid: Grid) {
        if let (Some(first), Some(last)) = (self.slims().first(), self.slims().last()) {
            let base = base_of(first.timestamp(), grid);
            if is_told(base, last.timestamp()) {
                self.move_to(base);
            }
        }
    }

    fn move_to(&mut self, base: TimestampMs) {
        let by = self.base.get().wrapping_sub(base.get());
        if by != 0 {
            self.slims.iter_mut().for_each(|slim| *slim = slim.moved(by));
            self.set_base(base);
        }
    }

    /// Puts a sample among the others, behind those of its instant; `false` where it cannot be told from the base.
    pub(crate) fn insert(&mut self, sample: Sample) -> bool {
        let Some(slim) = Slim::new(sample, self.base) else { return false };
        let place = self.slims.partition_point(|other| other.0[0] <= slim.0[0]);
        if self.slims.is_empty() {
            self.slims.reserve_exact(1);
        }
        self.slims.insert(place, slim);
        true
    }

    /// Appends samples that are no earlier than the last; `false`, and nothing changed, where they cannot be told
    /// from the base.
    pub(crate) fn append(&mut self, others: Slims<'_>) -> bool {
        if self.slims.is_empty() {
            self.set_base(others.base);
        }
        let by = others.base.get().wrapping_sub(self.base.get());
        let tells = |slim: Option<&Slim>| {
            slim.is_none_or(|slim| {
                by.checked_add(i64::from(slim.0[0])).is_some_and(|since| u32::try_from(since).is_ok())
            })
        };
        if by != 0 && !(tells(others.slims.first()) && tells(others.slims.last())) {
            return false;
        }
        if by == 0 {
            self.slims.extend_from_slice(others.slims);
        } else {
            self.slims.extend(others.slims.iter().map(|slim| slim.moved(by)));
        }
        true
    }

    /// Forgets the samples and begins at another base.
    pub(crate) fn clear(&mut self, base: TimestampMs) {
        self.slims.clear();
        self.set_base(base);
    }

    /// Forgets the first samples.
    pub(crate) fn drain(&mut self, count: usize) {
        self.slims.drain(..count);
    }

    /// Takes out the first samples with the memory that they lie in; the others get memory for `room`.
    pub(crate) fn take(&mut self, count: usize, room: usize) -> Self {
        let mut rest = Vec::with_capacity(room.max(self.slims.len() - count));
        rest.extend_from_slice(&self.slims[count..]);
        self.slims.truncate(count);
        Self { slims: std::mem::replace(&mut self.slims, rest), ..*self }
    }

    pub(crate) fn reserve_exact(&mut self, more: usize) {
        self.slims.reserve_exact(more);
    }

    pub(crate) fn shrink_to(&mut self, room: usize) {
        self.slims.shrink_to(room);
    }
}

impl Default for Trail {
    fn default() -> Self {
        Self::new()
    }
}
