//! How packed time buckets are read: their figures lie before their values, and one time bucket after the other.
//!
//! What the bytes mean, and how they are written, stands in `bellwether-core`'s `pack`.

/// The bits of a tag that say how the values lie.
pub const FORM: u8 = 3;
/// A byte for each sample.
pub const NARROW: u8 = 0;
/// Two bytes for each sample.
pub const WIDE: u8 = 1;
/// Value buckets with their counts.
pub const RUNS: u8 = 2;
/// All values are one.
pub const CONSTANT: u8 = 4;
/// There is an increase.
pub const INCREASE: u8 = 8;
/// There is what rounding took from the sum.
pub const RESIDUE: u8 = 16;

/// Bytes that were written as told here, from the front. Past their end there are zeros.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next byte.
    #[inline]
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// The next number: seven bits a byte, least significant first; the highest bit says that more follow.
    #[inline]
    pub fn varint(&mut self) -> u64 {
        let first = self.byte();
        if first < 0x80 {
            return u64::from(first);
        }
        let mut number = u64::from(first & 0x7f);
        let mut shift = 7;
        loop {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << (shift & 63);
            if byte < 0x80 {
                return number;
            }
            shift += 7;
        }
    }

    /// The next float.
    #[inline]
    pub fn float(&mut self) -> f64 {
        let Some((bits, rest)) = self.0.split_first_chunk() else { return 0.0 };
        self.0 = rest;
        f64::from_bits(u64::from_le_bytes(*bits))
    }

    /// The next key of a value bucket.
    #[inline]
    pub fn key(&mut self) -> i32 {
        let Some((key, rest)) = self.0.split_first_chunk() else { return 0 };
        self.0 = rest;
        i32::from_le_bytes(*key)
    }

    /// The next bytes, so many of them.
    #[inline]
    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// The next time bucket: its number less the base of its chunk, and its bytes. `None` at the end.
    #[inline(never)]
    pub fn time_bucket(&mut self) -> Option<(u64, &'a [u8])> {
        if self.0.is_empty() {
            return None;
        }
        let number = self.varint();
        let length = self.varint() as usize;
        Some((number, self.take(length)))
    }
}

/// The figures of a packed time bucket, and the bytes of its values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head<'a> {
    /// How the values lie ([`FORM`]), and which figures are left out.
    pub tag: u8,
    /// Number of samples.
    pub count: u64,
    /// Milliseconds from the time bucket's left edge to its first sample.
    pub first_ms: u64,
    /// Milliseconds from its first sample to its last.
    pub span_ms: u64,
    /// Sum of the values.
    pub sum: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
    /// Value of the first sample.
    pub first: f64,
    /// Value of the last sample.
    pub last: f64,
    /// Sum of the squared distances from the mean.
    pub m2: f64,
    /// Increase; `None` where the kind says it.
    pub increase: Option<f64>,
    /// What rounding took from the sum.
    pub residue: f64,
    /// The values.
    pub values: Reader<'a>,
}

impl PartialEq for Reader<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<'a> Head<'a> {
    /// Reads the figures of a time bucket.
    #[inline(never)]
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Self {
        let mut reader = Reader(bytes);
        let tag = reader.byte();
        let (count, first_ms, span_ms) = (reader.varint(), reader.varint(), reader.varint());
        let (sum, min) = (reader.float(), reader.float());
        let (mut max, mut first, mut last, mut m2) = (min, min, min, 0.0);
        if tag & CONSTANT == 0 {
            (max, first, last, m2) = (reader.float(), reader.float(), reader.float(), reader.float());
        }
        let increase = (tag & INCREASE != 0).then(|| reader.float());
        let residue = if tag & RESIDUE == 0 { 0.0 } else { reader.float() };
        Self { tag, count, first_ms, span_ms, sum, min, max, first, last, m2, increase, residue, values: reader }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(tag: u8, floats: &[f64], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag, 3, 0x80 | 1, 2, 9];
        floats.iter().for_each(|float| bytes.extend_from_slice(&float.to_bits().to_le_bytes()));
        bytes.extend_from_slice(values);
        bytes
    }

    #[test]
    fn figures_that_are_left_out_are_those_that_are_known() {
        let whole = bytes(INCREASE | RESIDUE, &[6.0, 1.0, 3.0, 2.0, 1.5, 0.5, 7.0, 0.25], &[4, 5]);
        let head = Head::read(&whole);
        assert_eq!((head.count, head.first_ms, head.span_ms, head.sum), (3, 257, 9, 6.0));
        assert_eq!((head.min, head.max, head.first, head.last, head.m2), (1.0, 3.0, 2.0, 1.5, 0.5));
        assert_eq!((head.increase, head.residue, head.values.0), (Some(7.0), 0.25, &[4, 5][..]));
        let constant = bytes(CONSTANT, &[6.0, 2.0], &[]);
        let head = Head::read(&constant);
        assert_eq!((head.min, head.max, head.first, head.last, head.m2), (2.0, 2.0, 2.0, 2.0, 0.0));
        assert_eq!((head.increase, head.residue, head.values.0), (None, 0.0, &[][..]));
    }

    #[test]
    fn behind_the_end_there_are_zeros() {
        let mut reader = Reader(&[0x81]);
        assert_eq!((reader.varint(), reader.byte(), reader.float(), reader.key()), (1, 0, 0.0, 0));
        assert_eq!(reader.time_bucket(), None);
        assert_eq!(Reader(&[2, 5, 9]).time_bucket(), Some((2, &[9][..])));
    }
}
