//! Some samples straight into the bytes of a time bucket, as [`super::pack`] would write it: most time buckets are made
//! so, and each step of this is taken for each sample.

use bellwether_loops::extent::Extent;
use bellwether_loops::listing::{put_narrow, put_wide};
use bellwether_loops::mapping::key_of_normal;
use bellwether_loops::packed::{CONSTANT, INCREASE, NARROW, WIDE};

use super::{MOST_LISTED, milliseconds, put_varint};
use crate::chunk::Terms;
use crate::part::increase;
use crate::sample::Kind;
use crate::sketch::Sketch;
use crate::slim::Slims;
use crate::summary::within;

/// Room for the figures and for two bytes for each sample.
const ROOM: usize = 108 + 2 * MOST_LISTED;

/// Memory for one time bucket, used again and again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listed {
    bytes: Vec<u8>,
    end: usize,
}

impl Listed {
    /// Becomes the time bucket of all these samples; `false` where they are too many, not all positive, or too far apart
    /// to be listed.
    pub(crate) fn pack(&mut self, number: i64, samples: Slims<'_>, terms: Terms) -> bool {
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return false };
        let count = samples.len();
        if count > MOST_LISTED {
            return false;
        }
        let Extent { sum, min, max } = Extent::of(samples.slims, first.value());
        if min < f64::MIN_POSITIVE || !sum.is_finite() {
            return false;
        }
        let least = key(min);
        let form = match key(max).wrapping_sub(least) {
            // Of many equal ones a count takes less than a list.
            0 if count >= 8 => return false,
            0..=0xfe => NARROW,
            0xff..=0xfffe => WIDE,
            _ => return false,
        };
        let is_constant = min.to_bits() == max.to_bits();
        // Only a counter's is not implied.
        let grown = if terms.kind == Kind::Counter { increase(samples.iter()) } else { 0.0 };
        let is_implied = grown.to_bits() == 0;
        if self.bytes.len() != ROOM {
            self.bytes.resize(ROOM, 0);
        }
        let mut cursor = Cursor { bytes: &mut self.bytes, at: 0 };
        cursor.put([form | if is_constant { CONSTANT } else { 0 } | if is_implied { 0 } else { INCREASE }]);
        cursor.put_varint(count as u64);
        cursor.put_varint(milliseconds(terms.grid.start(number), first.timestamp()));
        cursor.put_varint(milliseconds(first.timestamp(), last.timestamp()));
        cursor.put_float(sum);
        cursor.put_float(min);
        let mut place_of_m2 = None;
        if !is_constant {
            cursor.put_float(max);
            cursor.put_float(first.value());
            cursor.put_float(last.value());
            place_of_m2 = Some(cursor.at);
            cursor.put_float(0.0);
        }
        if !is_implied {
            cursor.put_float(grown);
        }
        cursor.put(least.to_le_bytes());
        let Cursor { bytes, at } = cursor;
        let (width, mean) = (if form == NARROW { 1 } else { 2 }, within(sum / count as f64, min, max));
        self.end = at + width * count;
        let Some(list) = bytes.get_mut(at..self.end) else { return false };
        let m2 = if form == NARROW {
            put_narrow(list, samples.slims, (least, Sketch::DEFAULT_SCALE), mean)
        } else {
            put_wide(list, samples.slims, (least, Sketch::DEFAULT_SCALE), mean)
        };
        if let Some(at) = place_of_m2 {
            Cursor { bytes, at }.put_float(m2);
        }
        true
    }

    /// How many bytes [`Listed::put`] appends.
    pub(crate) fn length(&self, number: u64) -> usize {
        varint_length(number) + varint_length(self.end as u64) + self.end
    }

    /// Appends the time bucket after its number, less the base of its chunk, and its length.
    pub(crate) fn put(&self, number: u64, bytes: &mut Vec<u8>) {
        put_varint(bytes, number);
        put_varint(bytes, self.end as u64);
        bytes.extend_from_slice(self.bytes.get(..self.end).unwrap_or_default());
    }
}

/// How many bytes a varint takes.
const fn varint_length(number: u64) -> usize {
    (u64::BITS - (number | 1).leading_zeros()).div_ceil(7) as usize
}

#[inline(always)]
fn key(value: f64) -> i32 {
    key_of_normal(value, Sketch::DEFAULT_SCALE)
}

/// Bytes that are written one after the other.
struct Cursor<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Cursor<'_> {
    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        if let Some(place) = self.bytes.get_mut(self.at..self.at + N).and_then(|place| place.first_chunk_mut()) {
            *place = bytes;
        }
        self.at += N;
    }

    #[inline(always)]
    fn put_varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.put([number as u8 | 0x80]);
            number >>= 7;
        }
        self.put([number as u8]);
    }

    #[inline(always)]
    fn put_float(&mut self, value: f64) {
        self.put(value.to_bits().to_le_bytes());
    }
}
