//! Bytes of the store: whole numbers of variable length, text, floats and a checksum.
//!
//! Every record of the store starts with its version and ends with a CRC-32 over its key and its
//! bytes. The key is part of the sum so that a record that is found under another key's place does
//! not pass for whole.

use std::sync::Arc;

/// Why bytes are no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The checksum does not fit the bytes.
    #[error("the checksum does not fit")]
    Checksum,
    /// The bytes end inside a field.
    #[error("it ends inside {field}")]
    Short {
        /// The field.
        field: &'static str,
    },
    /// A field holds what it must not hold.
    #[error("{field} is out of its range")]
    Range {
        /// The field.
        field: &'static str,
    },
    /// There is no record where others say that there is one.
    #[error("it is not there")]
    Absent,
    /// The record's version is one that this program does not know.
    #[error("it has version {found}; this program reads up to version {known}")]
    Version {
        /// The record's version.
        found: u8,
        /// The newest version that is known.
        known: u8,
    },
}

/// Bytes of a record in the making.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Begins a record of `version`.
    pub(super) fn new(version: u8) -> Self {
        Self { bytes: vec![version] }
    }

    /// The same, with room for so many bytes.
    pub(super) fn with_room(version: u8, bytes: usize) -> Self {
        let mut room = Vec::with_capacity(bytes);
        room.push(version);
        Self { bytes: room }
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// LEB128: seven bits a byte, least first.
    pub(super) fn unsigned(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Zigzag, so that small negative numbers are short too.
    pub(super) fn signed(&mut self, number: i64) {
        self.unsigned(((number << 1) ^ (number >> 63)) as u64);
    }

    pub(super) fn float(&mut self, float: f64) {
        self.bytes.extend_from_slice(&float.to_bits().to_le_bytes());
    }

    /// A length and that many bytes.
    pub(super) fn slice(&mut self, slice: &[u8]) {
        self.unsigned(slice.len() as u64);
        self.bytes.extend_from_slice(slice);
    }

    /// Bytes whose length is known otherwise.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What was written, without a checksum: a part of another record.
    pub(super) fn bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Ends the record with the checksum over `key` and the bytes.
    pub(super) fn finish(mut self, key: &[u8]) -> Vec<u8> {
        let sum = checksum(&[key, &self.bytes]);
        self.bytes.extend_from_slice(&sum.to_le_bytes());
        self.bytes
    }
}

/// Reads a record from front to back; never past its end.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Checks the sum of a whole record and its version, and stands after the version.
    pub(super) fn new(key: &[u8], record: &'a [u8], known: u8) -> Result<(u8, Self), CodecError> {
        let Some((body, sum)) = record.split_last_chunk::<4>() else {
            return Err(CodecError::Short { field: "the checksum" });
        };
        if checksum(&[key, body]) != u32::from_le_bytes(*sum) {
            return Err(CodecError::Checksum);
        }
        let mut reader = Self { rest: body };
        match reader.byte("the version")? {
            found if found == 0 || found > known => Err(CodecError::Version { found, known }),
            version => Ok((version, reader)),
        }
    }

    pub(super) fn byte(&mut self, field: &'static str) -> Result<u8, CodecError> {
        let (&byte, rest) = self.rest.split_first().ok_or(CodecError::Short { field })?;
        self.rest = rest;
        Ok(byte)
    }

    pub(super) fn unsigned(&mut self, field: &'static str) -> Result<u64, CodecError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(field)?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(CodecError::Range { field })
    }

    pub(super) fn signed(&mut self, field: &'static str) -> Result<i64, CodecError> {
        let zigzag = self.unsigned(field)?;
        Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    pub(super) fn float(&mut self, field: &'static str) -> Result<f64, CodecError> {
        let (bits, rest) = self.rest.split_first_chunk::<8>().ok_or(CodecError::Short { field })?;
        self.rest = rest;
        Ok(f64::from_bits(u64::from_le_bytes(*bits)))
    }

    pub(super) fn slice(&mut self, field: &'static str) -> Result<&'a [u8], CodecError> {
        let length = self.length(field)?;
        let (slice, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(slice)
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<&'a str, CodecError> {
        std::str::from_utf8(self.slice(field)?).map_err(|_| CodecError::Range { field })
    }

    /// A number of things that each take at least one of the bytes that are left, so that no count
    /// in a broken record can ask for more memory than the record has bytes.
    pub(super) fn length(&mut self, field: &'static str) -> Result<usize, CodecError> {
        let length = self.unsigned(field)?;
        usize::try_from(length).ok().filter(|length| *length <= self.rest.len()).ok_or(CodecError::Short { field })
    }

    /// Reads a part of a record whose checksum is known to fit.
    pub(super) fn within(part: &'a [u8]) -> Self {
        Self { rest: part }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Checks that nothing is left.
    pub(super) fn finish(self) -> Result<(), CodecError> {
        if self.rest.is_empty() { Ok(()) } else { Err(CodecError::Range { field: "the record's length" }) }
    }
}

/// Text that may be missing; an empty text is not a missing one.
pub(super) fn write_optional(writer: &mut Writer, text: Option<&str>) {
    match text {
        None => writer.byte(0),
        Some(text) => {
            writer.byte(1);
            writer.slice(text.as_bytes());
        }
    }
}

pub(super) fn read_optional(reader: &mut Reader<'_>, field: &'static str) -> Result<Option<Arc<str>>, CodecError> {
    Ok(match reader.byte(field)? {
        0 => None,
        _ => Some(Arc::from(reader.text(field)?)),
    })
}

/// CRC-32 (IEEE 802.3) over `parts` as if they were one; finds every burst of up to 32 bits.
fn checksum(parts: &[&[u8]]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for part in parts {
        sum.update(part);
    }
    sum.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_checksum_is_the_standard_one() {
        assert_eq!(checksum(&[b"123456789"]), 0xcbf4_3926);
        assert_eq!(checksum(&[b"1234", b"56789"]), 0xcbf4_3926);
        let long: Vec<u8> = (0..=255).collect();
        assert_eq!(checksum(&[&long]), 0x2905_8c73);
    }

    #[test]
    fn the_bytes_of_a_record_never_change() {
        let mut writer = Writer::new(1);
        writer.unsigned(300);
        writer.signed(-2);
        writer.slice(b"hello");
        let record = writer.finish(b"here");
        let written = [1, 0xac, 2, 3, 5, b'h', b'e', b'l', b'l', b'o', 0x8a, 0x63, 0x71, 0xaa];
        assert_eq!(record, written);
        assert!(Reader::new(b"here", &written, 1).is_ok());
    }

    #[test]
    fn a_record_is_bound_to_its_key() {
        let mut writer = Writer::new(1);
        writer.slice(b"hello");
        let record = writer.finish(b"here");
        assert!(Reader::new(b"here", &record, 1).is_ok());
        assert_eq!(Reader::new(b"there", &record, 1).err(), Some(CodecError::Checksum));
        assert_eq!(Reader::new(b"here", &[], 1).err(), Some(CodecError::Short { field: "the checksum" }));
    }

    #[test]
    fn a_newer_record_is_named() {
        let record = Writer::new(9).finish(b"");
        assert_eq!(Reader::new(b"", &record, 1).err(), Some(CodecError::Version { found: 9, known: 1 }));
    }

    #[test]
    fn an_endless_number_is_refused() {
        let mut writer = Writer::new(1);
        for _ in 0..11 {
            writer.byte(0xff);
        }
        let record = writer.finish(b"");
        let (_, mut reader) = Reader::new(b"", &record, 1).unwrap();
        assert_eq!(reader.unsigned("a number"), Err(CodecError::Range { field: "a number" }));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(a in any::<u64>(), b in any::<i64>(), c in any::<u64>(), d in ".{0,40}") {
            let mut writer = Writer::new(1);
            writer.unsigned(a);
            writer.signed(b);
            writer.float(f64::from_bits(c));
            writer.slice(d.as_bytes());
            let record = writer.finish(b"key");
            let (_, mut reader) = Reader::new(b"key", &record, 1).unwrap();
            prop_assert_eq!(reader.unsigned("a"), Ok(a));
            prop_assert_eq!(reader.signed("b"), Ok(b));
            prop_assert_eq!(reader.float("c").unwrap().to_bits(), c);
            prop_assert_eq!(reader.text("d"), Ok(d.as_str()));
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn one_flipped_bit_is_found(bytes in proptest::collection::vec(any::<u8>(), 0..200), place in any::<proptest::sample::Index>()) {
            let mut writer = Writer::new(1);
            writer.slice(&bytes);
            let mut record = writer.finish(b"key");
            let bit = place.index(record.len() * 8);
            record[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(Reader::new(b"key", &record, 1).err(), Some(CodecError::Checksum));
        }
    }
}
