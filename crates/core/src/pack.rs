//! Pack: a time bucket of several samples as bytes.
//!
//! ```text
//! tag      1 byte   form of the values (bits 0–1), CONSTANT, INCREASE, RESIDUE
//! count    varint
//! first    varint   milliseconds from the time bucket's left edge to the earliest sample
//! span     varint   milliseconds from there to the latest sample
//! sum      f64
//! least    f64      CONSTANT: the one value, and the next four are left out
//! greatest f64
//! first    f64
//! last     f64
//! m2       f64
//! increase f64      only with INCREASE: where the kind does not say it
//! residue  f64      only with RESIDUE: what rounding took from the sum
//! values   NARROW   key of 4 bytes, then a byte for each sample: 0 for a zero, else 1 + its key − the key
//!          WIDE     the same with two bytes for each sample
//!          RUNS     scale of 1 byte, then for each value bucket, ascending, a varint of
//!                   2·(key − the one before − 1) + (count > 1), and there a varint of count − 2;
//!                   the first key comes before as a varint, zigzag
//! ```
//! Floats and keys are little-endian. Few samples are listed as they came, unsorted, which is the
//! least work to write and to read; many are counted by value bucket.

use bellwether_loops::listing::MOST_LISTED;
use bellwether_loops::packed::{CONSTANT, FORM, Head, INCREASE, NARROW, RESIDUE, RUNS, Reader, WIDE};

use crate::moments::{Deviation, Moments};
use crate::part::{Part, Values};
use crate::sample::{Kind, Sample};
use crate::sketch::Sketch;
use crate::summary::Summary;
use crate::tally::Tally;
use crate::time::TimestampMs;

/// The value buckets of samples on their way into bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread {
    /// Their keys at the default scale, as long as they are few …
    keys: Vec<i32>,
    /// … else their counts.
    tally: Tally,
    is_tallied: bool,
}

impl Spread {
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        if self.is_tallied {
            self.tally.clear();
            self.is_tallied = false;
        }
    }

    /// How many steps it takes to pack the values.
    pub(crate) const fn work(&self) -> usize {
        if self.is_tallied { 8 * MOST_LISTED } else { self.keys.len() }
    }

    pub(crate) fn record(&mut self, key: i32) {
        self.add_key(key, Sketch::DEFAULT_SCALE, 1);
    }

    pub(crate) fn add(&mut self, values: &Values<'_>) {
        let scale = values.scale();
        values.for_each(&mut |key, count| self.add_key(key, scale, count));
    }

    pub(crate) fn add_sketch(&mut self, sketch: &Sketch) {
        self.tallied().merge_sketch(sketch);
    }

    fn add_key(&mut self, key: i32, scale: i8, count: u64) {
        let is_listed = scale == Sketch::DEFAULT_SCALE && count < 8 && self.keys.len() < MOST_LISTED;
        if is_listed && !self.is_tallied {
            self.keys.extend((0..count).map(|_| key));
        } else {
            self.tallied().add_key(key, scale, count);
        }
    }

    fn tallied(&mut self) -> &mut Tally {
        if !self.is_tallied {
            self.is_tallied = true;
            for key in self.keys.drain(..) {
                self.tally.add_key(key, Sketch::DEFAULT_SCALE, 1);
            }
        }
        &mut self.tally
    }

    /// The key that a list of offsets begins with, and whether a byte holds each offset.
    fn listed(&self) -> Option<(i32, u8)> {
        if self.is_tallied {
            return None;
        }
        let (mut least, mut greatest) = (i32::MAX, i32::MIN);
        for key in self.keys.iter().filter(|key| **key != 0) {
            least = least.min(*key);
            greatest = greatest.max(*key);
        }
        if least > greatest {
            (least, greatest) = (1, 1);
        }
        let span = greatest.abs_diff(least);
        // A list takes a byte for each sample; of equal ones a count takes less.
        let is_worth_it = self.keys.len() < 8 || span > 0;
        let form = match span {
            0..=0xfe => NARROW,
            0xff..=0xfffe => WIDE,
            _ => return None,
        };
        (least.signum() == greatest.signum() && is_worth_it).then_some((least, form))
    }
}

/// Appends the length of a time bucket that begins at `start`, and the time bucket, which is made in `made`.
pub(crate) fn pack(
    summary: &Summary,
    spread: &mut Spread,
    start: TimestampMs,
    kind: Kind,
    made: &mut Vec<u8>,
    bytes: &mut Vec<u8>,
) {
    let listed = spread.listed();
    let form = listed.map_or(RUNS, |(_, form)| form);
    let is_constant = summary.min.to_bits() == summary.max.to_bits() && summary.m2 == 0.0;
    let is_increase_said = summary.increase.to_bits() == implied_increase(summary, kind).to_bits();
    let tag = form
        | if is_constant { CONSTANT } else { 0 }
        | if is_increase_said { 0 } else { INCREASE }
        | if summary.residue() == 0.0 { 0 } else { RESIDUE };
    // The time bucket is made first: its length comes before it.
    made.clear();
    made.push(tag);
    put_varint(made, summary.count);
    put_varint(made, milliseconds(start, summary.first.timestamp()));
    put_varint(made, milliseconds(summary.first.timestamp(), summary.last.timestamp()));
    put_float(made, summary.sum);
    put_float(made, summary.min);
    if !is_constant {
        for value in [summary.max, summary.first.value(), summary.last.value(), summary.m2] {
            put_float(made, value);
        }
    }
    if tag & INCREASE != 0 {
        put_float(made, summary.increase);
    }
    if tag & RESIDUE != 0 {
        put_float(made, summary.residue());
    }
    if let Some((base, _)) = listed {
        made.extend_from_slice(&base.to_le_bytes());
        for key in &spread.keys {
            let offset = if *key == 0 { 0 } else { key.wrapping_sub(base) as u32 + 1 };
            made.push(offset as u8);
            if form == WIDE {
                made.push((offset >> 8) as u8);
            }
        }
    } else {
        let tally = spread.tallied();
        tally.bound();
        put_runs(made, tally);
    }
    put_varint(bytes, made.len() as u64);
    bytes.extend_from_slice(made);
}

#[inline(never)]
fn put_float(bytes: &mut Vec<u8>, value: f64) {
    bytes.extend_from_slice(&value.to_bits().to_le_bytes());
}

fn put_runs(bytes: &mut Vec<u8>, tally: &Tally) {
    bytes.push(tally.scale() as u8);
    let mut before: Option<i32> = None;
    tally.for_each(|key, count| {
        let delta = match before {
            Some(before) => key.wrapping_sub(before) as u32 - 1,
            None => {
                put_varint(bytes, u64::from(zigzag(key)));
                0
            }
        };
        before = Some(key);
        put_varint(bytes, u64::from(delta) << 1 | u64::from(count > 1));
        if count > 1 {
            put_varint(bytes, count - 2);
        }
    });
}

/// The time bucket that [`pack`] wrote; it begins at `start`.
pub(crate) fn unpack(number: i64, bytes: &[u8], start: TimestampMs, kind: Kind) -> Part<'_> {
    let Head { tag, count, first_ms, span_ms, sum, min, max, first, last, m2, increase, residue, values } =
        Head::read(bytes);
    let first_at = later(start, first_ms);
    let last_at = later(first_at, span_ms);
    let mut summary =
        Summary::unpacked(count, sum, m2, (min, max), Sample::kept(first_at, first), Sample::kept(last_at, last));
    summary.increase = increase.unwrap_or_else(|| implied_increase(&summary, kind));
    summary.set_residue(residue);
    Part { number, summary, values: values_of(tag, values) }
}

/// Adds what the samples of a time bucket that [`pack`] wrote come to; gives their values.
pub(crate) fn merge<'a>(bytes: &'a [u8], moments: &mut Moments, deviation: Deviation) -> Values<'a> {
    let (tag, reader) = moments.merge_packed(bytes, deviation);
    values_of(tag, reader)
}

/// The values of a time bucket that [`pack`] wrote.
pub(crate) fn values(bytes: &[u8]) -> Values<'_> {
    let Head { tag, values, .. } = Head::read(bytes);
    values_of(tag, values)
}

fn values_of(tag: u8, mut reader: Reader<'_>) -> Values<'_> {
    match tag & FORM {
        NARROW => Values::Narrow { base: reader.key(), offsets: reader.0 },
        WIDE => Values::Wide { base: reader.key(), offsets: reader.0 },
        _ => Values::Runs { scale: reader.byte() as i8, bytes: reader.0 },
    }
}

/// The number of samples of a time bucket that [`pack`] wrote.
pub(crate) fn count(bytes: &[u8]) -> u64 {
    Reader(bytes.get(1..).unwrap_or_default()).varint()
}

/// Calls `each` with the key and the count of each run.
pub(crate) fn for_each_run(bytes: &[u8], each: &mut dyn FnMut(i32, u64)) {
    let mut reader = Reader(bytes);
    if bytes.is_empty() {
        return;
    }
    let mut key = unzigzag(reader.varint() as u32).wrapping_sub(1);
    while !reader.0.is_empty() {
        let code = reader.varint();
        key = key.wrapping_add((code >> 1) as i32).wrapping_add(1);
        let count = if code & 1 == 0 { 1 } else { reader.varint().saturating_add(2) };
        each(key, count);
    }
}

/// The increase of the kinds that say it themselves; a counter's that did not grow.
fn implied_increase(summary: &Summary, kind: Kind) -> f64 {
    match kind {
        Kind::Counter | Kind::Gauge => 0.0,
        Kind::Event => summary.sum,
        Kind::Observation => summary.count as f64,
    }
}

pub(crate) fn milliseconds(from: TimestampMs, to: TimestampMs) -> u64 {
    to.get().wrapping_sub(from.get()) as u64
}

fn later(from: TimestampMs, milliseconds: u64) -> TimestampMs {
    TimestampMs::new(from.get().wrapping_add(milliseconds as i64))
}

const fn zigzag(key: i32) -> u32 {
    ((key << 1) ^ (key >> 31)) as u32
}

const fn unzigzag(code: u32) -> i32 {
    (code >> 1) as i32 ^ -((code & 1) as i32)
}

/// Seven bits a byte, least significant first; the highest bit says that more follow.
pub(crate) fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
