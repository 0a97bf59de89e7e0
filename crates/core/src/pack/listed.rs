//! Some samples straight into the bytes of a time bucket, as [`super::pack`] would write it: most time buckets are made
//! so, and each step of this is taken for each sample.

use super::{CONSTANT, INCREASE, MOST_LISTED, NARROW, WIDE, milliseconds};
use crate::part::{Extent, increase, m2_about};
use crate::sample::Kind;
use crate::sketch::{Sketch, keys};
use crate::slim::Slims;
use crate::summary::within;
use crate::time::TimestampMs;

/// Room for the figures and for two bytes for each sample.
const ROOM: usize = 128 + 2 * MOST_LISTED;

/// Bytes that are written from the front.
struct Bytes<'a> {
    all: &'a mut [u8],
    length: usize,
}

impl Bytes<'_> {
    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        if let Some(place) = self.all.get_mut(self.length..).and_then(|rest| rest.first_chunk_mut()) {
            *place = bytes;
            self.length += N;
        }
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

/// Makes `bytes` a time bucket that begins at `start` out of all its samples; `false` where they are too many, not all
/// positive, or too far apart to be listed.
pub(crate) fn pack_listed(samples: Slims<'_>, start: TimestampMs, kind: Kind, bytes: &mut Vec<u8>) -> bool {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return false };
    let count = samples.len();
    if count > MOST_LISTED {
        return false;
    }
    let Extent { sum, min, max } = Extent::of(samples.slims, first.value());
    if min < f64::MIN_POSITIVE || !sum.is_finite() {
        return false;
    }
    let key = |value: f64| keys::key_of_normal(value, Sketch::DEFAULT_SCALE);
    let least = key(min);
    let form = match key(max).wrapping_sub(least) {
        // Of many equal ones a count takes less than a list.
        0 if count >= 8 => return false,
        0..=0xfe => NARROW,
        0xff..=0xfffe => WIDE,
        _ => return false,
    };
    let m2 = m2_about(samples.slims, within(sum / count as f64, min, max));
    let is_constant = min.to_bits() == max.to_bits() && m2 == 0.0;
    let grown = if kind == Kind::Counter { increase(samples.iter()) } else { 0.0 };
    bytes.resize(ROOM, 0);
    let mut bytes_put = Bytes { all: bytes, length: 0 };
    // Only a counter's is not implied.
    let is_said = grown.to_bits() == 0;
    bytes_put.put([form | if is_constant { CONSTANT } else { 0 } | if is_said { 0 } else { INCREASE }]);
    bytes_put.put_varint(count as u64);
    bytes_put.put_varint(milliseconds(start, first.timestamp()));
    bytes_put.put_varint(milliseconds(first.timestamp(), last.timestamp()));
    bytes_put.put_float(sum);
    bytes_put.put_float(min);
    if !is_constant {
        for value in [max, first.value(), last.value(), m2] {
            bytes_put.put_float(value);
        }
    }
    if !is_said {
        bytes_put.put_float(grown);
    }
    bytes_put.put(least.to_le_bytes());
    let Bytes { all, length } = bytes_put;
    let offset = |value: f64| key(value).wrapping_sub(least).wrapping_add(1);
    let rest = all.get_mut(length..).unwrap_or_default();
    let width = if form == NARROW {
        for (place, slim) in rest.iter_mut().zip(samples.slims) {
            *place = offset(slim.value()) as u8;
        }
        1
    } else {
        for (place, slim) in rest.as_chunks_mut::<2>().0.iter_mut().zip(samples.slims) {
            *place = (offset(slim.value()) as u16).to_le_bytes();
        }
        2
    };
    bytes.truncate(length + width * count);
    true
}
