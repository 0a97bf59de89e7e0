//! Chunk: neighbouring time buckets of one tier, in one piece of memory.
//!
//! Where time buckets hold few samples, a chunk is the samples themselves, twelve bytes each; where
//! they hold many, it is packed time buckets ([`crate::pack`]), each after a varint of its number
//! less the chunk's base and a varint of its length.

mod change;
mod parts;
pub(crate) mod stored;

pub(crate) use change::Change;
pub(crate) use parts::Parts;
use parts::Rest;

use bellwether_loops::listing::Listing;
use bellwether_loops::packed::Reader;
use bellwether_loops::slim::{CHUNK, Slim};

use crate::grid::Grid;
use crate::pack::{Spread, pack, put_varint, unpack};
use crate::part::Run;
use crate::sample::{Kind, Sample};
use crate::slim::Slims;
use crate::summary::Summary;
use crate::time::TimestampMs;
use crate::trail::Trail;

/// A chunk of samples that came to hold so many is packed.
const MOST_WITH_LATE: usize = 512;
/// A chunk of several packed time buckets has no more bytes than this: as many as one of samples, so that each finds
/// room where the other was, and nothing is left over.
pub(crate) const MOST_BYTES: usize = CHUNK * size_of::<Slim>();

/// How the time buckets of a tier lie, and what its samples mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) grid: Grid,
    pub(crate) kind: Kind,
}

/// Memory that is used again for each time bucket that is packed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    /// Samples on their way from a tier to the next wider one.
    pub(crate) samples: Trail,
    /// The values of the time bucket at hand.
    pub(crate) spread: Spread,
    made: Vec<u8>,
    record: Vec<u8>,
    /// The time bucket at hand, where it is made straight from samples.
    pub(crate) listing: Listing,
}

impl Scratch {
    /// Makes `record` the bytes of a time bucket whose values are in `spread`.
    fn pack(&mut self, number: i64, base: i64, summary: &Summary, terms: Terms) {
        self.record.clear();
        put_varint(&mut self.record, number.wrapping_sub(base) as u64);
        let start = terms.grid.start(number);
        pack(summary, &mut self.spread, start, terms.kind, &mut self.made, &mut self.record);
    }
}

#[derive(Clone, Debug)]
enum Body {
    Samples(Trail),
    Packed {
        /// What the numbers of the time buckets are counted from.
        base: i64,
        /// Where the first time bucket begins that is not evicted.
        head: usize,
        bytes: Vec<u8>,
    },
}

/// Neighbouring time buckets, at least one. A time bucket is never in two chunks.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    /// No time bucket of the chunk has a lower number.
    first: i64,
    /// Number of the last one.
    last: i64,
    body: Body,
}

impl Chunk {
    /// A chunk of samples in order of time; `None` where there are none or they are too far apart.
    pub(crate) fn of_samples(samples: Slims<'_>, terms: Terms) -> Option<Self> {
        let mut trail = Trail::of(samples);
        trail.count_from_first(terms.grid);
        Self::of_trail(trail, terms)
    }

    /// A chunk of samples in order of time, in the memory that they lie in.
    pub(crate) fn of_trail(trail: Trail, terms: Terms) -> Option<Self> {
        let (first, last) = (trail.slims().first()?, trail.slims().last()?);
        let number = |sample: Sample| terms.grid.bucket_of(sample.timestamp());
        Some(Self { first: number(first), last: number(last), body: Body::Samples(trail) })
    }

    /// Whether samples that are later than its time buckets find room in it.
    pub(crate) fn has_room(&self, samples: usize) -> bool {
        matches!(&self.body, Body::Samples(trail) if trail.len() + samples <= CHUNK)
    }

    /// Takes in samples that are later than its time buckets; `false`, and nothing is taken in, where
    /// it is full.
    pub(crate) fn append_samples(&mut self, samples: Slims<'_>, terms: Terms) -> bool {
        let has_room = self.has_room(samples.len());
        let (Body::Samples(trail), Some(last), true) = (&mut self.body, samples.last(), has_room) else { return false };
        if samples.len() > 1 {
            trail.reserve_exact(samples.len());
        }
        let is_in = trail.append(samples);
        if is_in {
            self.last = terms.grid.bucket_of(last.timestamp());
        }
        is_in
    }

    /// A chunk of one packed time bucket, whose values are in the scratch, with room for so many bytes.
    pub(crate) fn of_packed(number: i64, summary: &Summary, terms: Terms, scratch: &mut Scratch, room: usize) -> Self {
        scratch.pack(number, number, summary, terms);
        let mut bytes = Vec::with_capacity(room.max(scratch.record.len()));
        bytes.extend_from_slice(&scratch.record);
        Self { first: number, last: number, body: Body::Packed { base: number, head: 0, bytes } }
    }

    /// Takes in a later time bucket, whose values are in the scratch; `false`, and nothing is taken
    /// in, where it is full.
    pub(crate) fn append_packed(
        &mut self,
        number: i64,
        summary: &Summary,
        terms: Terms,
        scratch: &mut Scratch,
    ) -> bool {
        let Body::Packed { base, bytes, .. } = &mut self.body else { return false };
        if bytes.len() >= MOST_BYTES {
            return false;
        }
        scratch.pack(number, *base, summary, terms);
        if bytes.len() + scratch.record.len() > MOST_BYTES {
            return false;
        }
        bytes.extend_from_slice(&scratch.record);
        self.last = number;
        true
    }

    /// A chunk of one time bucket that is listed, with room for so many bytes.
    pub(crate) fn of_listed(number: i64, listing: &Listing, room: usize) -> Self {
        let mut bytes = Vec::with_capacity(room.max(listing.length(0)));
        listing.put(0, &mut bytes, usize::MAX);
        Self { first: number, last: number, body: Body::Packed { base: number, head: 0, bytes } }
    }

    /// Takes in a later time bucket that is listed; `false`, and nothing is taken in, where it is full.
    pub(crate) fn append_listed(&mut self, number: i64, listing: &Listing) -> bool {
        let Body::Packed { base, bytes, .. } = &mut self.body else { return false };
        let since = number.wrapping_sub(*base) as u64;
        let has_room = listing.put(since, bytes, MOST_BYTES);
        if has_room {
            self.last = number;
        }
        has_room
    }

    /// Puts a late sample among the samples of a chunk of samples; `false` where it is none, or would
    /// hold too many.
    pub(crate) fn insert(&mut self, number: i64, sample: Sample) -> bool {
        let Body::Samples(trail) = &mut self.body else { return false };
        let is_in = trail.len() < MOST_WITH_LATE && trail.insert(sample);
        if is_in {
            self.last = self.last.max(number);
        }
        is_in
    }

    /// The same time buckets packed, after a change to the one numbered `number`.
    pub(crate) fn changed(&self, number: i64, change: Change<'_>, terms: Terms, scratch: &mut Scratch) -> Vec<Self> {
        let mut chunks: Vec<Self> = Vec::new();
        let mut put = |number: i64, summary: &Summary, scratch: &mut Scratch| {
            let is_in = chunks.last_mut().is_some_and(|chunk| chunk.append_packed(number, summary, terms, scratch));
            if !is_in {
                chunks.push(Self::of_packed(number, summary, terms, scratch, 0));
            }
        };
        let mut change = Some(change);
        self.parts(i64::MIN, i64::MAX, terms).each(&mut |part| {
            if part.number > number
                && let Some(change) = change.take()
            {
                scratch.spread.clear();
                if let Some(summary) = change.apply(None, terms.kind, &mut scratch.spread) {
                    put(number, &summary, scratch);
                }
            }
            scratch.spread.clear();
            scratch.spread.add(&part.values);
            let mut summary = part.summary;
            if part.number == number
                && let Some(change) = change.take()
            {
                summary = change.apply(Some(summary.clone()), terms.kind, &mut scratch.spread).unwrap_or(summary);
            }
            put(part.number, &summary, scratch);
        });
        if let Some(change) = change {
            scratch.spread.clear();
            if let Some(summary) = change.apply(None, terms.kind, &mut scratch.spread) {
                put(number, &summary, scratch);
            }
        }
        chunks
    }

    /// Whether the samples themselves are there, so that their order is known.
    pub(crate) const fn keeps_samples(&self) -> bool {
        matches!(self.body, Body::Samples(_))
    }

    pub(crate) const fn first(&self) -> i64 {
        self.first
    }

    pub(crate) const fn last(&self) -> i64 {
        self.last
    }

    /// The time buckets numbered `from..=to`, ascending.
    pub(crate) fn parts(&self, from: i64, to: i64, terms: Terms) -> Parts<'_> {
        self.parts_within(from, to, terms, terms.grid)
    }

    /// [`Chunk::parts`], each with the number of the time bucket of `wide` that it lies in; of samples
    /// there is one for each of those.
    pub(crate) fn parts_within(&self, from: i64, to: i64, terms: Terms, wide: Grid) -> Parts<'_> {
        let rest = match &self.body {
            Body::Samples(trail) => Rest::Samples(self.cut(trail.slims(), (from, to), terms)),
            Body::Packed { base, head, bytes } => {
                Rest::Packed { base: *base, reader: Reader(bytes.get(*head..).unwrap_or_default()) }
            }
        };
        Parts { rest, from, to, terms, wide }
    }

    /// Those of a chunk's samples that lie in the time buckets numbered `from..=to`.
    fn cut<'a>(&self, samples: Slims<'a>, (from, to): (i64, i64), terms: Terms) -> Slims<'a> {
        let mut start = 0;
        if from > self.first {
            // Samples mostly come evenly, so that they lie near to where they would then.
            let (first, last) = (self.first as f64, self.last as f64);
            let share = (from as f64 - first) / (last - first + 1.0);
            let guess = (share * samples.len() as f64) as usize;
            start = samples.count_near(guess, terms.grid.start(from));
        }
        let mut end = samples.len();
        if to < self.last {
            end = samples.count_near(start, terms.grid.end(to));
        }
        samples.split_at(end).0.split_at(start).1
    }

    /// Calls `each` with the samples in the time buckets numbered `from..=to`: all at once where they
    /// are kept as such, else those of each time bucket.
    pub(crate) fn each_run(&self, from: i64, to: i64, terms: Terms, each: &mut dyn FnMut(Run<'_>)) {
        match &self.body {
            Body::Samples(trail) => {
                let samples = self.cut(trail.slims(), (from, to), terms);
                if !samples.is_empty() {
                    each(Run::Samples(samples));
                }
            }
            Body::Packed { .. } => {
                let mut parts = self.parts(from, to, terms);
                while let Some((number, content)) = parts.next_content() {
                    each(Run::Packed { start: terms.grid.start(number), content });
                }
            }
        }
    }

    /// The latest sample up to `edge` that the chunk tells apart.
    pub(crate) fn latest_until(&self, edge: TimestampMs, terms: Terms) -> Option<Sample> {
        match &self.body {
            Body::Samples(trail) => {
                let samples = trail.slims();
                samples.split_at(samples.count_near(samples.len(), edge)).0.last()
            }
            Body::Packed { .. } => {
                let mut latest = None;
                self.parts(i64::MIN, terms.grid.bucket_of(edge), terms).each(&mut |part| {
                    let outermost = [part.summary.first, part.summary.last];
                    latest = outermost.into_iter().rfind(|sample| sample.timestamp() <= edge).or(latest);
                });
                latest
            }
        }
    }

    /// The latest sample.
    pub(crate) fn latest(&self, terms: Terms) -> Option<Sample> {
        let Body::Packed { base, head, bytes } = &self.body else {
            return self.latest_until(TimestampMs::new(i64::MAX), terms);
        };
        let mut reader = Reader(bytes.get(*head..).unwrap_or_default());
        let mut last = None;
        while let Some((number, content)) = reader.time_bucket() {
            last = Some((base.wrapping_add(number as i64), content));
        }
        last.map(|(number, content)| unpack(number, content, terms.grid.start(number), terms.kind).summary.last)
    }

    /// Drops the time buckets up to `number`, but not the last one of the chunk; the latest sample
    /// that was dropped comes back. Of samples only many at once are dropped.
    pub(crate) fn evict(&mut self, number: i64, terms: Terms) -> Option<Sample> {
        if self.first > number {
            return None;
        }
        match &mut self.body {
            Body::Samples(trail) => {
                let (samples, edge) = (trail.slims(), terms.grid.end(number));
                let (_, later) = samples.split_at(samples.len().div_ceil(2).saturating_sub(1));
                later.first().filter(|middle| middle.timestamp() <= edge)?;
                let gone = samples.count_near(samples.len() / 2, edge);
                let last = samples.split_at(gone).0.last()?;
                trail.drain(gone);
                self.first = number.saturating_add(1);
                Some(last)
            }
            Body::Packed { base, head, bytes } => {
                let mut reader = Reader(bytes.get(*head..).unwrap_or_default());
                let mut last = None;
                loop {
                    let rest = reader;
                    let found = reader.time_bucket().map(|(found, content)| (base.wrapping_add(found as i64), content));
                    let Some(found) = found.filter(|(found, _)| *found <= number) else {
                        *head = bytes.len() - rest.0.len();
                        break;
                    };
                    last = Some(found);
                }
                let latest = last
                    .map(|(found, content)| unpack(found, content, terms.grid.start(found), terms.kind).summary.last);
                if *head * 2 > bytes.len() {
                    bytes.drain(..*head);
                    *head = 0;
                }
                self.first = number.saturating_add(1);
                latest
            }
        }
    }

    /// Number of time buckets above `gone`.
    pub(crate) fn time_buckets(&self, gone: i64, terms: Terms) -> usize {
        match &self.body {
            Body::Samples(trail) => {
                let samples = trail.slims();
                let (_, left) = samples.split_at(samples.count_near(0, terms.grid.end(gone)));
                occupied(left.iter().map(Sample::timestamp), terms.grid)
            }
            Body::Packed { base, head, bytes } => {
                let mut reader = Reader(bytes.get(*head..).unwrap_or_default());
                let mut count = 0;
                while let Some((number, _)) = reader.time_bucket() {
                    count += usize::from(base.wrapping_add(number as i64) > gone);
                }
                count
            }
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        match &self.body {
            Body::Samples(trail) => trail.heap_bytes(),
            Body::Packed { bytes, .. } => bytes.capacity(),
        }
    }
}

/// Number of time buckets that hold the instants, which ascend.
pub(crate) fn occupied(instants: impl Iterator<Item = TimestampMs>, grid: Grid) -> usize {
    let mut end = None;
    let mut count = 0;
    for at in instants {
        if end.is_none_or(|end| at > end) {
            end = Some(grid.edge_after(at));
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests;
