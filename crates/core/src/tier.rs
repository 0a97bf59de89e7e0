//! Tier: the time buckets of one series at one width.

use std::collections::VecDeque;

use crate::chunk::{Change, Chunk, MOST_BYTES, Scratch, Terms};
use crate::grid::Grid;
use crate::pack::milliseconds;
use crate::part::{Part, Run, Values, increase, summary_of};
use crate::sample::{Kind, Sample};
use crate::sketch::Sketch;
use crate::slim::Slims;
use crate::summary::Summary;
use crate::time::TimestampMs;
use crate::trail::Trail;

/// Time buckets that hold more samples than this on the average are packed.
const MOST_KEPT_AS_SAMPLES: usize = 6;

/// Whether a counter's increase is known exactly after something was merged into a time bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// What was merged lies outside of what was there, or the samples themselves are kept.
    Known,
    /// It may lie among samples of which only the outermost are known.
    Lost,
}

/// The time buckets of one series at one width, ascending; there is none where no sample is.
#[derive(Clone, Debug)]
pub(crate) struct Tier {
    chunks: VecDeque<Chunk>,
    /// The latest sample that is in none of them: it has left the tier, came too late for it or in
    /// a wider time bucket. A counter's first step is taken from it.
    before: Option<Sample>,
    /// Samples up to here came in wider time buckets and are only in wider tiers.
    incomplete_until: TimestampMs,
    /// Samples up to here are in this tier, later ones only in finer ones: an edge of its time
    /// buckets, but in the finest tier where one of them holds very many samples.
    sealed_to: TimestampMs,
}

impl Default for Tier {
    fn default() -> Self {
        let never = TimestampMs::new(i64::MIN);
        Self { chunks: VecDeque::new(), before: None, incomplete_until: never, sealed_to: never }
    }
}

impl Tier {
    /// A tier as it was; `None` where its chunks do not follow each other or go on behind `sealed_to`.
    pub(crate) fn restored(
        chunks: Vec<Chunk>,
        before: Option<Sample>,
        incomplete_until: TimestampMs,
        sealed_to: TimestampMs,
        grid: Grid,
    ) -> Option<Self> {
        let is_sorted = chunks.windows(2).all(|pair| pair[0].last() < pair[1].first());
        let is_sealed = chunks.last().is_none_or(|chunk| chunk.last() <= grid.bucket_of(sealed_to));
        (is_sorted && is_sealed).then(|| Self { chunks: chunks.into(), before, incomplete_until, sealed_to })
    }

    pub(crate) fn chunks(&self) -> &VecDeque<Chunk> {
        &self.chunks
    }

    pub(crate) fn incomplete_until(&self) -> TimestampMs {
        self.incomplete_until
    }

    pub(crate) fn sealed_to(&self) -> TimestampMs {
        self.sealed_to
    }

    /// Notes that samples up to `edge` are in this tier.
    pub(crate) fn seal_to(&mut self, edge: TimestampMs) {
        self.sealed_to = self.sealed_to.max(edge);
    }

    /// Notes that samples up to `end` are not in this tier.
    pub(crate) fn lacks_until(&mut self, end: TimestampMs) {
        self.incomplete_until = self.incomplete_until.max(end);
    }

    /// Notes a sample that is not in the time buckets.
    pub(crate) fn pass_by(&mut self, sample: Sample) {
        if self.before.is_none_or(|before| before.timestamp() <= sample.timestamp()) {
            self.before = Some(sample);
        }
    }

    /// The latest sample that is in none of the time buckets.
    pub(crate) fn before(&self) -> Option<Sample> {
        self.before
    }

    /// Appends samples in order of time that are no earlier than all others: of the last time bucket
    /// that is there, where that is not whole, and then whole ones.
    pub(crate) fn append_samples(&mut self, samples: Slims<'_>, terms: Terms, scratch: &mut Scratch) {
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return };
        let (mut first, last) = (terms.grid.bucket_of(first.timestamp()), terms.grid.bucket_of(last.timestamp()));
        let mut rest = samples;
        if self.chunks.back().is_some_and(|chunk| chunk.last() == first) {
            let bucket;
            (bucket, rest) = split_bucket(rest, terms.grid.end(first));
            self.change(first, Change::Samples(bucket), terms, scratch);
            first += 1;
        }
        if are_few(rest.len(), (first, last)) {
            if self.chunks.back_mut().is_some_and(|chunk| chunk.append_samples(rest, terms)) {
                return;
            }
            if let Some(chunk) = Chunk::of_samples(rest, terms) {
                self.chunks.push_back(chunk);
                return;
            }
        }
        while let Some(first) = rest.first() {
            let number = terms.grid.bucket_of(first.timestamp());
            let bucket;
            (bucket, rest) = split_bucket(rest, terms.grid.end(number));
            self.append_whole(number, bucket, terms, scratch);
        }
    }

    /// Appends a time bucket that is later than all others, packed, out of all its samples.
    pub(crate) fn append_whole(&mut self, number: i64, bucket: Slims<'_>, terms: Terms, scratch: &mut Scratch) {
        let Some(first) = bucket.first() else { return };
        let first_ms = milliseconds(terms.grid.start(number), first.timestamp());
        // Only a counter's is not implied.
        let grown = if terms.kind == Kind::Counter { increase(bucket.iter()) } else { 0.0 };
        let grown = (grown.to_bits() != 0).then_some(grown);
        if !scratch.listing.pack(bucket.slims, first_ms, grown, Sketch::DEFAULT_SCALE) {
            if let Some(summary) = summary_of(bucket, terms.kind) {
                scratch.spread.clear();
                scratch.spread.add(&Values::Samples(bucket));
                self.append_packed(number, &summary, terms, scratch);
            }
            return;
        }
        let is_in = self.chunks.back_mut().is_some_and(|chunk| chunk.append_listed(number, &scratch.listing));
        if !is_in {
            let room = if self.chunks.is_empty() { 0 } else { MOST_BYTES };
            self.chunks.push_back(Chunk::of_listed(number, &scratch.listing, room));
        }
    }

    /// Whether samples in order of time that are no earlier than all others would be a chunk of their own.
    pub(crate) fn begins_chunk_with(&self, samples: Slims<'_>, terms: Terms) -> bool {
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return false };
        let numbers = (terms.grid.bucket_of(first.timestamp()), terms.grid.bucket_of(last.timestamp()));
        let is_later = |chunk: &Chunk| chunk.last() < numbers.0 && !chunk.has_room(samples.len());
        self.chunks.back().is_none_or(is_later) && are_few(samples.len(), numbers)
    }

    /// Takes in samples that [`Tier::begins_chunk_with`], in the memory that they lie in.
    pub(crate) fn append_trail(&mut self, trail: Trail, terms: Terms) {
        self.chunks.extend(Chunk::of_trail(trail, terms));
    }

    /// Whether a time bucket alone is kept as its samples.
    pub(crate) const fn keeps_samples(samples: usize) -> bool {
        samples <= MOST_KEPT_AS_SAMPLES
    }

    /// Appends a time bucket that is later than all others; its values are in the scratch.
    pub(crate) fn append_packed(&mut self, number: i64, summary: &Summary, terms: Terms, scratch: &mut Scratch) {
        let is_in = self.chunks.back_mut().is_some_and(|chunk| chunk.append_packed(number, summary, terms, scratch));
        if !is_in {
            // The next of several is as full as the ones before.
            let room = if self.chunks.is_empty() { 0 } else { MOST_BYTES };
            self.chunks.push_back(Chunk::of_packed(number, summary, terms, scratch, room));
        }
    }

    /// Changes the time bucket `number` or makes it. Cost: O(1) for a new time bucket behind all
    /// others and for a sample among samples, else that of packing a chunk anew.
    pub(crate) fn change(&mut self, number: i64, change: Change<'_>, terms: Terms, scratch: &mut Scratch) -> Order {
        let change = match change {
            Change::Summary(summary) if summary.count == 1 => Change::Sample(summary.first),
            other => other,
        };
        let place = self.chunks.partition_point(|chunk| chunk.last() < number);
        if self.chunks.get(place).is_none_or(|chunk| chunk.first() > number) {
            // Between two chunks, or outside of them all.
            let is_in = match (place.checked_sub(1).and_then(|before| self.chunks.get_mut(before)), change) {
                (Some(before), Change::Sample(sample)) => {
                    before.append_samples(Trail::one(sample, terms.grid).slims(), terms)
                }
                (Some(before), Change::Samples(samples)) => before.append_samples(samples, terms),
                (Some(before), Change::Summary(summary)) => {
                    scratch.spread.clear();
                    scratch.spread.add_sketch(&summary.sketch);
                    before.append_packed(number, summary, terms, scratch)
                }
                _ => false,
            };
            if !is_in && let Some(chunk) = alone(number, change, terms, scratch) {
                self.chunks.insert(place, chunk);
            }
            return Order::Known;
        }
        let chunk = &mut self.chunks[place];
        match change {
            Change::Sample(sample) if chunk.insert(number, sample) => return Order::Known,
            Change::Samples(samples) if chunk.append_samples(samples, terms) => return Order::Known,
            Change::Increase(_) if chunk.keeps_samples() => return Order::Known,
            _ => {}
        }
        let changed = chunk.changed(number, change, terms, scratch);
        self.chunks.remove(place);
        for chunk in changed.into_iter().rev() {
            self.chunks.insert(place, chunk);
        }
        Order::Lost
    }

    /// Drops the time buckets up to `number`, all but the last sample; some may stay for a while.
    pub(crate) fn evict(&mut self, number: i64, terms: Terms) {
        while let Some(gone) = self.chunks.pop_front_if(|chunk| chunk.last() <= number) {
            if let Some(last) = gone.latest(terms) {
                self.pass_by(last);
            }
        }
        if let Some(last) = self.chunks.front_mut().and_then(|chunk| chunk.evict(number, terms)) {
            self.pass_by(last);
        }
        // A series that has gone quiet gives its room back.
        if self.chunks.is_empty() {
            self.chunks = VecDeque::new();
        } else if self.chunks.capacity() > 8 && self.chunks.len() < self.chunks.capacity() / 4 {
            self.chunks.shrink_to(self.chunks.len() * 2);
        }
    }

    /// Calls `each` with the time buckets numbered `from..=to`, ascending, for those who ask for the ones
    /// of a wider grid: each part has the number of the wide time bucket that it lies in, and there are
    /// as few of them as can be. Cost: O(log chunks) and the half of a chunk to find them.
    pub(crate) fn each_part<'a>(
        &'a self,
        (from, to): (i64, i64),
        terms: Terms,
        wide: Grid,
        each: &mut dyn FnMut(Part<'a>),
    ) {
        let start = self.chunks.partition_point(|chunk| chunk.last() < from);
        for chunk in self.chunks.range(start..).take_while(|chunk| chunk.first() <= to) {
            chunk.parts_within(from, to, terms, wide).each(each);
        }
    }

    /// A number that no time bucket lies below.
    pub(crate) fn first(&self) -> Option<i64> {
        self.chunks.front().map(Chunk::first)
    }

    /// Calls `each` with the samples in the time buckets numbered `from..=to`, in as large runs as they
    /// lie there.
    pub(crate) fn each_run(&self, from: i64, to: i64, terms: Terms, each: &mut dyn FnMut(Run<'_>)) {
        let start = self.chunks.partition_point(|chunk| chunk.last() < from);
        for chunk in self.chunks.range(start..).take_while(|chunk| chunk.first() <= to) {
            chunk.each_run(from, to, terms, each);
        }
    }

    /// The latest sample up to `edge` that the time buckets tell apart.
    pub(crate) fn latest_until(&self, edge: TimestampMs, terms: Terms) -> Option<Sample> {
        let number = terms.grid.bucket_of(edge);
        let end = self.chunks.partition_point(|chunk| chunk.first() <= number);
        self.chunks.range(..end).rev().find_map(|chunk| chunk.latest_until(edge, terms))
    }

    /// Number of time buckets above `gone`.
    pub(crate) fn time_buckets(&self, gone: i64, terms: Terms) -> usize {
        self.chunks.iter().map(|chunk| chunk.time_buckets(gone, terms)).sum()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.chunks.capacity() * size_of::<Chunk>() + self.chunks.iter().map(Chunk::heap_bytes).sum::<usize>()
    }
}

/// Splits samples in order of time after those up to `end`, of which there is at least one.
fn split_bucket(samples: Slims<'_>, end: TimestampMs) -> (Slims<'_>, Slims<'_>) {
    samples.split_at(samples.count_until(end).max(1))
}

/// Whether so many samples over the time buckets `first..=last` are kept as they are.
fn are_few(samples: usize, (first, last): (i64, i64)) -> bool {
    samples.div_ceil(MOST_KEPT_AS_SAMPLES) as i64 <= last.saturating_sub(first).saturating_add(1)
}

/// A chunk of one time bucket that is not there yet.
fn alone(number: i64, change: Change<'_>, terms: Terms, scratch: &mut Scratch) -> Option<Chunk> {
    match change {
        Change::Sample(sample) => Chunk::of_trail(Trail::one(sample, terms.grid), terms),
        Change::Samples(samples) => Chunk::of_samples(samples, terms),
        Change::Summary(summary) => {
            scratch.spread.clear();
            scratch.spread.add_sketch(&summary.sketch);
            Some(Chunk::of_packed(number, summary, terms, scratch, 0))
        }
        Change::Increase(_) => None,
    }
}
