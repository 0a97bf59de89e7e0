//! The smallest parts of a snapshot: numbers, floats and texts as bytes and back.

use std::collections::HashMap;
use std::sync::Arc;

use super::SnapshotError;

/// CRC-32 (IEEE 802.3), as in gzip and PNG.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    // Made anew each time: as a constant it is a kilobyte of every page that cannot be compressed.
    let table: [u32; 256] = std::array::from_fn(|byte| {
        (0..8).fold(byte as u32, |rest, _| if rest & 1 == 1 { (rest >> 1) ^ 0xedb8_8320 } else { rest >> 1 })
    });
    !bytes.iter().fold(u32::MAX, |rest, byte| table[((rest ^ u32::from(*byte)) & 0xff) as usize] ^ (rest >> 8))
}

/// Appends to a snapshot.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    /// The texts written so far, by their place among them.
    texts: HashMap<String, u64, std::hash::BuildHasherDefault<std::hash::DefaultHasher>>,
}

impl Writer {
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// LEB128: seven bits a byte, least first.
    pub(super) fn uint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Zigzag: numbers near zero are short, whatever their sign.
    pub(super) fn int(&mut self, number: i64) {
        self.uint(((number << 1) ^ (number >> 63)) as u64);
    }

    /// A float by what of its bits differs from those of `expected`.
    pub(super) fn float(&mut self, value: f64, expected: f64) {
        let differing = value.to_bits() ^ expected.to_bits();
        if differing == 0 {
            self.bytes.push(0);
            return;
        }
        let (before, after) = (differing.leading_zeros() / 8, differing.trailing_zeros() / 8);
        let length = 8 - before - after;
        self.bytes.push((before << 4 | length) as u8);
        let (start, end) = (before as usize, (before + length) as usize);
        self.bytes.extend_from_slice(&differing.to_be_bytes()[start..end]);
    }

    /// A text, whole where it comes for the first time and else by its place among the others.
    pub(super) fn text(&mut self, text: &str) {
        if let Some(place) = self.texts.get(text) {
            return self.uint(place + 1);
        }
        let place = self.texts.len() as u64;
        self.texts.insert(text.to_owned(), place);
        self.uint(0);
        self.uint(text.len() as u64);
        self.raw(text.as_bytes());
    }
}

/// Reads a snapshot from its start to its end. Nothing that it reads makes it take memory that the
/// bytes do not account for.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The texts so far; each is held once, however often the bytes name it.
    texts: Vec<Arc<str>>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, texts: Vec::new() }
    }

    /// The error that says that what was read last is not what it should be.
    pub(super) const fn malformed(&self, expected: &'static str) -> SnapshotError {
        SnapshotError::Malformed { at: self.at, expected }
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(super) fn raw(&mut self, length: usize) -> Result<&'a [u8], SnapshotError> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| self.malformed("more bytes"))?;
        let bytes = &self.bytes[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, SnapshotError> {
        Ok(self.raw(1)?[0])
    }

    pub(super) fn uint(&mut self) -> Result<u64, SnapshotError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.malformed("a number of at most 64 bits"))
    }

    pub(super) fn int(&mut self) -> Result<i64, SnapshotError> {
        let number = self.uint()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(super) fn float(&mut self, expected: f64) -> Result<f64, SnapshotError> {
        let head = usize::from(self.byte()?);
        let (before, length) = (head >> 4, head & 0xf);
        let mut differing = [0; 8];
        let place = differing.get_mut(before..before + length);
        let place = place.ok_or_else(|| self.malformed("at most eight bytes of a float"))?;
        place.copy_from_slice(self.raw(length)?);
        let value = f64::from_bits(expected.to_bits() ^ u64::from_be_bytes(differing));
        if value.is_finite() { Ok(value) } else { Err(self.malformed("a finite number")) }
    }

    pub(super) fn text(&mut self) -> Result<Arc<str>, SnapshotError> {
        let place = self.uint()?;
        if let Some(place) = place.checked_sub(1) {
            let text = usize::try_from(place).ok().and_then(|place| self.texts.get(place));
            return text.cloned().ok_or_else(|| self.malformed("the place of a text that came before"));
        }
        let length = self.uint()?;
        let length = usize::try_from(length).map_err(|_| self.malformed("more bytes"))?;
        let text = std::str::from_utf8(self.raw(length)?).map_err(|_| self.malformed("UTF-8"))?;
        let text = Arc::from(text);
        self.texts.push(Arc::clone(&text));
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn numbers_read_back() {
        let uints = [0, 1, 127, 128, 16_383, 16_384, u64::MAX - 1, u64::MAX];
        let ints = [0, -1, 1, -64, 64, i64::MIN, i64::MIN + 1, i64::MAX];
        let mut writer = Writer::default();
        uints.into_iter().for_each(|number| writer.uint(number));
        ints.into_iter().for_each(|number| writer.int(number));
        let bytes = writer.into_bytes();
        let mut reader = Reader::new(&bytes, 0);
        assert_eq!(uints.map(|_| reader.uint().unwrap()), uints);
        assert_eq!(ints.map(|_| reader.int().unwrap()), ints);
        assert!(reader.is_at_end());
    }

    #[test]
    fn floats_read_back_bit_for_bit() {
        let floats = [0.0, -0.0, 1.0, 120.0, 0.1, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, -1e300];
        for expected in floats {
            let mut writer = Writer::default();
            floats.into_iter().for_each(|value| writer.float(value, expected));
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes, 0);
            let found = floats.map(|_| reader.float(expected).unwrap().to_bits());
            assert_eq!(found, floats.map(f64::to_bits), "{expected}");
            assert!(reader.is_at_end());
        }
    }

    #[test]
    fn what_is_expected_takes_a_byte_and_a_short_float_few() {
        let length = |value: f64, expected: f64| {
            let mut writer = Writer::default();
            writer.float(value, expected);
            writer.as_bytes().len()
        };
        assert_eq!((length(0.1, 0.1), length(120.0, 0.0), length(121.0, 120.0)), (1, 3, 2));
    }

    #[test]
    fn a_text_is_written_once() {
        let mut writer = Writer::default();
        ["route", "", "route", "größe", ""].into_iter().for_each(|text| writer.text(text));
        let bytes = writer.into_bytes();
        assert_eq!(bytes.len(), 2 + 5 + 2 + 1 + 2 + 7 + 1);
        let mut reader = Reader::new(&bytes, 0);
        let texts = [(); 5].map(|()| reader.text().unwrap());
        assert_eq!(texts.each_ref().map(|text| &**text), ["route", "", "route", "größe", ""]);
        assert!(Arc::ptr_eq(&texts[0], &texts[2]));
    }

    #[track_caller]
    fn refused<T: std::fmt::Debug>(bytes: &[u8], read: impl Fn(&mut Reader<'_>) -> Result<T, SnapshotError>) {
        let outcome = read(&mut Reader::new(bytes, 0));
        assert!(matches!(outcome, Err(SnapshotError::Malformed { .. })), "{outcome:?}");
    }

    #[test]
    fn what_is_no_number_or_text_is_refused() {
        refused(&[], |reader| reader.uint());
        refused(&[0x80], |reader| reader.uint());
        refused(&[0xff; 10], |reader| reader.uint());
        refused(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02], |reader| reader.uint());
        refused(&[0x08, 0, 0], |reader| reader.float(0.0));
        refused(&[0x27, 0, 0, 0, 0, 0, 0, 0], |reader| reader.float(0.0));
        refused(&[0xff; 20], |reader| reader.float(0.0));
        refused(&[0x02, 0x7f, 0xf0], |reader| reader.float(0.0));
        refused(&[0x02, 0x7f, 0xf8], |reader| reader.float(0.0));
        refused(&[1], |reader| reader.text());
        refused(&[0, 3, b'a', b'b'], |reader| reader.text());
        refused(&[0, 2, 0xff, 0xff], |reader| reader.text());
        refused(&[&[0][..], &[0xff; 9][..], &[1][..]].concat(), |reader| reader.text());
    }
}
