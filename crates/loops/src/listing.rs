//! Samples straight into the bytes of a time bucket: most time buckets are made so, and each step of it is taken for each
//! sample.

use crate::extent::{Extent, lesser, m2_about, within};
use crate::lanes::Pair;
use crate::mapping::key_of_normal;
use crate::packed::{CONSTANT, INCREASE, NARROW, WIDE};
use crate::slim::Slim;

/// Most samples that are listed one by one.
pub const MOST_LISTED: usize = 128;

/// Room for the figures and for two bytes for each sample.
const ROOM: usize = 108 + 2 * MOST_LISTED;

/// Memory for one time bucket, used again and again.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    bytes: Vec<u8>,
    end: usize,
}

impl Listing {
    /// Becomes the time bucket of all these samples, the first of which lies `first_ms` behind its left edge; `false` where
    /// they are none or too many, not all positive and normal, or too far apart to be listed. An increase is told where the
    /// kind does not say it. Cost: O(samples).
    #[inline(never)]
    pub fn pack(&mut self, slims: &[Slim], first_ms: u64, increase: Option<f64>, scale: i8) -> bool {
        let ([first, ..], [.., last], count) = (slims, slims, slims.len()) else { return false };
        if count > MOST_LISTED {
            return false;
        }
        let Extent { sum, min, max } = Extent::of(slims, first.value());
        if min < f64::MIN_POSITIVE || !sum.is_finite() {
            return false;
        }
        let least = key_of_normal(min, scale);
        let form = match key_of_normal(max, scale).wrapping_sub(least) {
            // Of many equal ones a count takes less than a list.
            0 if count >= 8 => return false,
            0..=0xfe => NARROW,
            0xff..=0xfffe => WIDE,
            _ => return false,
        };
        let is_constant = min.to_bits() == max.to_bits();
        if self.bytes.len() != ROOM {
            self.bytes.resize(ROOM, 0);
        }
        let mut cursor = Cursor { bytes: &mut self.bytes, at: 0 };
        cursor.put([form | if is_constant { CONSTANT } else { 0 } | if increase.is_some() { INCREASE } else { 0 }]);
        cursor.put_varint(count as u64);
        cursor.put_varint(first_ms);
        cursor.put_varint(u64::from(last.since_ms().wrapping_sub(first.since_ms())));
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
        if let Some(increase) = increase {
            cursor.put_float(increase);
        }
        cursor.put(least.to_le_bytes());
        let Cursor { bytes, at } = cursor;
        let (width, mean) = (if form == NARROW { 1 } else { 2 }, within(sum / count as f64, min, max));
        self.end = at + width * count;
        let Some(list) = bytes.get_mut(at..self.end) else { return false };
        let m2 = if form == NARROW {
            put_narrow(list, slims, (least, scale), mean)
        } else {
            put_wide(list, slims, (least, scale), mean)
        };
        if let Some(at) = place_of_m2 {
            Cursor { bytes, at }.put_float(m2);
        }
        true
    }

    /// How many bytes [`Listing::put`] appends.
    #[must_use]
    pub const fn length(&self, number: u64) -> usize {
        varint_length(number) + varint_length(self.end as u64) + self.end
    }

    /// Appends the time bucket after its number, less the base of its chunk, and its length, where that makes `bytes` no
    /// longer than `most`; else `false`.
    #[inline(never)]
    pub fn put(&self, number: u64, bytes: &mut Vec<u8>, most: usize) -> bool {
        let length = self.length(number);
        if bytes.len() + length > most {
            return false;
        }
        bytes.reserve(length);
        put_varint(bytes, number);
        put_varint(bytes, self.end as u64);
        bytes.extend_from_slice(self.bytes.get(..self.end).unwrap_or_default());
        true
    }
}

/// Seven bits a byte, least significant first; the highest bit says that more follow.
fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// How many bytes a varint takes.
const fn varint_length(number: u64) -> usize {
    (u64::BITS - (number | 1).leading_zeros()).div_ceil(7) as usize
}

/// Lists the value buckets at `scale` of positive normal samples in a byte each, 1 + key − `least`; gives [`m2_about`].
/// There is no call in it, so that all it works with stays in registers.
#[inline(never)]
fn put_narrow(list: &mut [u8], slims: &[Slim], (least, scale): (i32, i8), mean: f64) -> f64 {
    let offset = |slim: &Slim| key_of_normal(slim.value(), scale).wrapping_sub(least).wrapping_add(1) as u8;
    let (pairs, rest) = slims.as_chunks::<2>();
    let (place_pairs, place_rest) = list.as_chunks_mut::<2>();
    let (mut m2, center) = (Pair::new(0.0, 0.0), Pair::new(mean, mean));
    for ([one, other], places) in pairs.iter().zip(place_pairs) {
        let distance = Pair::new(one.value(), other.value()).minus(center);
        m2 = m2.plus(distance.times(distance));
        *places = [offset(one), offset(other)];
    }
    for (slim, place) in rest.iter().zip(place_rest) {
        let distance = Pair::new(slim.value(), mean).minus(center);
        m2 = m2.plus(distance.times(distance));
        *place = offset(slim);
    }
    let [one, other] = m2.both();
    lesser(f64::MAX, one + other)
}

/// [`put_narrow`] in two bytes each, the lower one first.
#[inline(never)]
fn put_wide(list: &mut [u8], slims: &[Slim], (least, scale): (i32, i8), mean: f64) -> f64 {
    for (slim, place) in slims.iter().zip(list.as_chunks_mut::<2>().0) {
        *place = (key_of_normal(slim.value(), scale).wrapping_sub(least).wrapping_add(1) as u16).to_le_bytes();
    }
    m2_about(slims, mean)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{MAX_SCALE, key};
    use crate::packed::{FORM, Head, Reader};

    const SCALE: i8 = MAX_SCALE - 2;

    fn slims(values: &[f64]) -> Vec<Slim> {
        (5_u32..).zip(values).map(|(since, value)| Slim::new(since * 10, *value)).collect()
    }

    #[track_caller]
    fn check(values: &[f64], form: u8) {
        let samples = slims(values);
        let mut listing = Listing::default();
        assert!(listing.pack(&samples, 300, Some(7.0), SCALE));
        let mut bytes = vec![9];
        assert!(!listing.put(1_000, &mut bytes, listing.length(1_000)));
        assert!(listing.put(1_000, &mut bytes, listing.length(1_000) + 1));
        assert_eq!(bytes.len(), listing.length(1_000) + 1);
        let (number, content) = Reader(&bytes[1..]).time_bucket().unwrap();
        let mut head = Head::read(content);
        let sum: f64 = values.iter().sum();
        assert_eq!((number, head.count, head.first_ms), (1_000, values.len() as u64, 300));
        assert_eq!((head.span_ms, head.increase), (10 * (values.len() as u64 - 1), Some(7.0)));
        assert_eq!((head.first, head.last), (values[0], values[values.len() - 1]));
        assert!((head.sum - sum).abs() <= 1e-12 * sum);
        let m2 = m2_about(&samples, sum / values.len() as f64);
        assert!((head.m2 - m2).abs() <= 1e-9 * m2.max(1.0));
        assert_eq!(head.tag & FORM, form);
        let least = head.values.key();
        let list: Vec<i32> = match form {
            NARROW => head.values.0.iter().map(|offset| i32::from(*offset)).collect(),
            _ => head.values.0.as_chunks::<2>().0.iter().map(|pair| i32::from(u16::from_le_bytes(*pair))).collect(),
        };
        assert_eq!(list, values.iter().map(|value| 1 + key(*value, SCALE) - least).collect::<Vec<_>>());
    }

    #[test]
    fn a_time_bucket_is_read_as_it_was_packed() {
        check(&[1.5, 1.0, 2.0, 1.25, 1.0], NARROW);
        check(&[1.0, 1e4, 3.0], WIDE);
        check(&[2.5, 2.5], NARROW);
    }

    #[test]
    fn what_cannot_be_listed_is_left_to_others() {
        let mut listing = Listing::default();
        for values in
            [&[][..], &[1.0, -1.0], &[0.0], &[f64::MIN_POSITIVE / 2.0], &[1e-300, 1e300], &[3.0; 8], &[1e308; 2]]
        {
            assert!(!listing.pack(&slims(values), 0, None, SCALE), "{values:?}");
        }
        let many: Vec<f64> = (0..129).map(|n| 1.0 + f64::from(n) / 200.0).collect();
        assert!(!listing.pack(&slims(&many), 0, None, SCALE));
        assert!(listing.pack(&slims(&many[..128]), 0, None, SCALE));
    }
}
