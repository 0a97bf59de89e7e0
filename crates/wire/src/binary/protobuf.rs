//! The wire format of Protocol Buffers: fields in and out, nothing else.
//!
//! Source: protobuf.dev, "Encoding". A field is a tag (number and wire type) and a varint, eight
//! bytes, four bytes, or a length and so many bytes. Groups, which proto3 does not have, are refused.

use super::DecodeError;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    /// A whole number.
    Varint(u64),
    /// Eight bytes, little-endian.
    Fixed64(u64),
    /// Four bytes; nothing here uses them.
    Fixed32,
    /// Text, a message or packed numbers.
    Bytes(&'a [u8]),
}

/// Reads the fields of one message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes that are not read yet.
    #[cfg(feature = "protocols")]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The next number of a packed field; `None` at its end.
    pub(crate) fn packed_varint(&mut self) -> Result<Option<u64>, DecodeError> {
        if self.rest.is_empty() { Ok(None) } else { self.varint().map(Some) }
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit only.
            if shift == 63 && bits > 1 {
                return Err(DecodeError::Varint);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Varint)
    }

    /// The next field with its number; `None` at the end of the message.
    pub(crate) fn field(&mut self) -> Result<Option<(u32, Field<'a>)>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let number = number.ok_or(DecodeError::Tag { tag })?;
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| DecodeError::Truncated)?;
                Field::Bytes(self.take(length)?)
            }
            5 => {
                self.array::<4>()?;
                Field::Fixed32
            }
            _ => return Err(DecodeError::Tag { tag }),
        };
        Ok(Some((number, field)))
    }
}

impl<'a> Field<'a> {
    /// The bytes of text, of a message or of packed numbers.
    pub(crate) fn bytes(self, number: u32) -> Result<&'a [u8], DecodeError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(DecodeError::WireType { field: number }),
        }
    }

    /// An unsigned number.
    pub(crate) fn unsigned(self, number: u32) -> Result<u64, DecodeError> {
        match self {
            Self::Varint(value) => Ok(value),
            _ => Err(DecodeError::WireType { field: number }),
        }
    }

    /// An `int64`: two's complement.
    pub(crate) fn signed(self, number: u32) -> Result<i64, DecodeError> {
        self.unsigned(number).map(u64::cast_signed)
    }

    /// An `sint32` or `sint64`: zigzag.
    pub(crate) fn zigzag(self, number: u32) -> Result<i64, DecodeError> {
        self.unsigned(number).map(from_zigzag)
    }

    /// A `double`.
    pub(crate) fn double(self, number: u32) -> Result<f64, DecodeError> {
        match self {
            Self::Fixed64(bits) => Ok(f64::from_bits(bits)),
            _ => Err(DecodeError::WireType { field: number }),
        }
    }

    /// Hands on each number of a repeated field, packed or not.
    pub(crate) fn each_varint(
        self,
        number: u32,
        mut take: impl FnMut(u64) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        match self {
            Self::Varint(value) => take(value),
            Self::Bytes(bytes) => {
                let mut packed = Reader::new(bytes);
                while let Some(value) = packed.packed_varint()? {
                    take(value)?;
                }
                Ok(())
            }
            _ => Err(DecodeError::WireType { field: number }),
        }
    }
}

/// The number that a zigzag code stands for.
pub(crate) fn from_zigzag(code: u64) -> i64 {
    (code >> 1).cast_signed() ^ -(code & 1).cast_signed()
}

/// The zigzag code of a number: small codes for small numbers of either sign.
pub(crate) fn to_zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// Writes a bare varint.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: u64) {
    put_varint(out, u64::from(number) << 3 | wire_type);
}

/// Writes a whole number, also where it is zero.
pub(crate) fn put_unsigned(out: &mut Vec<u8>, number: u32, value: u64) {
    put_tag(out, number, 0);
    put_varint(out, value);
}

/// Writes an `int64`, also where it is zero.
pub(crate) fn put_signed(out: &mut Vec<u8>, number: u32, value: i64) {
    put_unsigned(out, number, value.cast_unsigned());
}

/// Writes a `double`, also where it is zero.
pub(crate) fn put_double(out: &mut Vec<u8>, number: u32, value: f64) {
    put_tag(out, number, 1);
    out.extend_from_slice(&value.to_bits().to_le_bytes());
}

/// Writes text, a message or packed numbers.
pub(crate) fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_tag(out, number, 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_read_back() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX >> 1, u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            assert_eq!(Reader::new(&bytes).packed_varint(), Ok(Some(value)));
        }
        assert_eq!(Reader::new(&[0xac, 0x02]).packed_varint(), Ok(Some(300)));
        assert_eq!(Reader::new(&[0xff; 10]).packed_varint(), Err(DecodeError::Varint));
        assert_eq!(Reader::new(&[0xff; 3]).packed_varint(), Err(DecodeError::Truncated));
    }

    #[test]
    fn zigzag_reads_back() {
        for (value, code) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (i64::MAX, u64::MAX - 1), (i64::MIN, u64::MAX)] {
            assert_eq!(to_zigzag(value), code);
            assert_eq!(from_zigzag(code), value);
        }
    }

    #[test]
    fn tags_that_are_none_are_refused() {
        assert_eq!(Reader::new(&[0x00, 0x00]).field(), Err(DecodeError::Tag { tag: 0 }));
        assert_eq!(Reader::new(&[0x0b]).field(), Err(DecodeError::Tag { tag: 0x0b }));
        assert_eq!(Reader::new(&[0x0a, 0x05, 0x00]).field(), Err(DecodeError::Truncated));
    }
}
