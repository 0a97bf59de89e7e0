//! A chunk: the samples of one series in one hour, in columns.
//!
//! Hour `k` holds the instants ((k − 1)·1 h, k·1 h], as a time bucket of that width does. A column is
//! written by pco, or plainly where that is shorter, as it is for a few samples.

use super::StoredSample;
use super::codec::{CodecError, Reader, Writer, read_optional, write_optional};
use super::fault::Place;
use super::series::SeriesIx;
use bellwether_core::sample::Sample;
use bellwether_core::time::TimestampMs;
use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};
use std::cmp::Ordering;

const VERSION: u8 = 1;
/// An hour in milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// Fewer numbers than this are written plainly without trying.
const LEAST_FOR_PCO: usize = 4;
const PLAIN: u8 = 0;
const PCO: u8 = 1;

/// The hour that holds `timestamp`.
pub(super) const fn hour_of(timestamp: TimestampMs) -> i64 {
    let rest = timestamp.get().rem_euclid(HOUR_MS);
    timestamp.get().div_euclid(HOUR_MS) + (rest != 0) as i64
}

/// The last hour that is over at `timestamp`.
pub(super) const fn last_over(timestamp: TimestampMs) -> i64 {
    timestamp.get().div_euclid(HOUR_MS)
}

/// The last instant of an hour; saturates.
pub(super) const fn end_of(hour: i64) -> TimestampMs {
    TimestampMs::new(hour.saturating_mul(HOUR_MS))
}

/// Where a chunk is: series, hour, and a number that tells the chunks of one hour apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkKey {
    pub(super) series: SeriesIx,
    pub(super) hour: i64,
    pub(super) ordinal: u32,
}

impl ChunkKey {
    pub(super) const fn row(self) -> (u32, i64, u32) {
        (self.series.0, self.hour, self.ordinal)
    }

    pub(super) const fn of_row((series, hour, ordinal): (u32, i64, u32)) -> Self {
        Self { series: SeriesIx(series), hour, ordinal }
    }

    /// The name for a fault.
    pub(super) const fn place(self) -> Place {
        Place::Chunk { series: self.series, end: end_of(self.hour), ordinal: self.ordinal }
    }

    fn bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&self.series.0.to_le_bytes());
        bytes[4..12].copy_from_slice(&self.hour.to_le_bytes());
        bytes[12..].copy_from_slice(&self.ordinal.to_le_bytes());
        bytes
    }
}

/// Orders samples by time; equal timestamps keep the order in which they came.
pub(super) fn sort(samples: &mut [StoredSample]) {
    let by_time = |one: &StoredSample, other: &StoredSample| -> Ordering {
        one.sample.timestamp().cmp(&other.sample.timestamp())
    };
    if !samples.is_sorted_by(|one, other| by_time(one, other) != Ordering::Greater) {
        samples.sort_by(by_time);
    }
}

/// Encodes samples of the key's hour, ordered by time; at least one.
pub(super) fn encode(key: ChunkKey, samples: &[StoredSample]) -> Vec<u8> {
    let mut writer = Writer::new(VERSION);
    writer.unsigned(samples.len() as u64);

    // Within the hour every instant is 1 to 3,600,000 ms after its beginning, so that the low 32 bits
    // of the difference are the difference, whatever the high ones do at the ends of time.
    let start = key.hour.wrapping_sub(1).wrapping_mul(HOUR_MS);
    let offsets: Vec<u32> =
        samples.iter().map(|each| each.sample.timestamp().get().wrapping_sub(start) as u32).collect();
    let mut plain = Writer::default();
    let mut before = 0;
    for offset in &offsets {
        plain.unsigned(u64::from(offset - before));
        before = *offset;
    }
    write_column(&mut writer, plain, &offsets);

    let values: Vec<f64> = samples.iter().map(|each| each.sample.value()).collect();
    let mut plain = Writer::default();
    for value in &values {
        plain.float(*value);
    }
    write_column(&mut writer, plain, &values);

    let any = samples.iter().any(|each| each.reference.is_some());
    writer.byte(u8::from(any));
    if any {
        for each in samples {
            write_optional(&mut writer, each.reference.as_deref());
        }
    }
    writer.finish(&key.bytes())
}

fn write_column<T: pco::data_types::Number>(writer: &mut Writer, plain: Writer, numbers: &[T]) {
    let plain = plain.bytes();
    // pco fails only for a configuration that it does not like; then the plain column serves.
    let packed =
        if numbers.len() < LEAST_FOR_PCO { None } else { simple_compress(numbers, &ChunkConfig::default()).ok() };
    match packed {
        Some(packed) if packed.len() < plain.len() => {
            writer.byte(PCO);
            writer.slice(&packed);
        }
        _ => {
            writer.byte(PLAIN);
            writer.slice(&plain);
        }
    }
}

/// Decodes a chunk; its samples are ordered by time and lie within the key's hour.
pub(super) fn decode(key: ChunkKey, record: &[u8]) -> Result<Vec<StoredSample>, CodecError> {
    let (_, mut reader) = Reader::new(&key.bytes(), record, VERSION)?;
    let count = reader.unsigned("the number of samples")?;
    let offsets = match read_column(&mut reader, "the timestamps")? {
        Column::Pco(packed) => unpack::<u32>(packed, "the timestamps")?,
        Column::Plain(mut plain) => {
            let mut offsets = Vec::new();
            let mut before = 0_u32;
            while !plain.is_at_end() {
                let step = u32::try_from(plain.unsigned("a timestamp")?).ok();
                before =
                    step.and_then(|step| before.checked_add(step)).ok_or(CodecError::Range { field: "a timestamp" })?;
                offsets.push(before);
            }
            offsets
        }
    };
    let values = match read_column(&mut reader, "the values")? {
        Column::Pco(packed) => unpack::<f64>(packed, "the values")?,
        Column::Plain(mut plain) => {
            let mut values = Vec::new();
            while !plain.is_at_end() {
                values.push(plain.float("a value")?);
            }
            values
        }
    };
    if offsets.len() as u64 != count || values.len() as u64 != count {
        return Err(CodecError::Range { field: "the number of samples" });
    }
    let start = key.hour.wrapping_sub(1).wrapping_mul(HOUR_MS);
    let mut samples = Vec::with_capacity(offsets.len());
    for (offset, value) in offsets.into_iter().zip(values) {
        let timestamp = TimestampMs::new(start.wrapping_add(i64::from(offset)));
        if hour_of(timestamp) != key.hour {
            return Err(CodecError::Range { field: "a timestamp" });
        }
        let sample = Sample::new(timestamp, value).map_err(|_| CodecError::Range { field: "a value" })?;
        samples.push(StoredSample { sample, reference: None });
    }
    if reader.byte("the references' mark")? != 0 {
        for each in &mut samples {
            each.reference = read_optional(&mut reader, "a reference")?;
        }
    }
    reader.finish()?;
    Ok(samples)
}

/// Whether a chunk holds a sample with this reference. Cost: its checksum, and no column is unpacked.
pub(super) fn mentions(key: ChunkKey, record: &[u8], reference: &str) -> Result<bool, CodecError> {
    let (_, mut reader) = Reader::new(&key.bytes(), record, VERSION)?;
    let count = reader.unsigned("the number of samples")?;
    read_column(&mut reader, "the timestamps")?;
    read_column(&mut reader, "the values")?;
    if reader.byte("the references' mark")? == 0 {
        return Ok(false);
    }
    for _ in 0..count {
        if read_optional(&mut reader, "a reference")?.as_deref() == Some(reference) {
            return Ok(true);
        }
    }
    Ok(false)
}

enum Column<'a> {
    Plain(Reader<'a>),
    Pco(&'a [u8]),
}

fn read_column<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<Column<'a>, CodecError> {
    let form = reader.byte(field)?;
    let bytes = reader.slice(field)?;
    match form {
        PLAIN => Ok(Column::Plain(Reader::within(bytes))),
        PCO => Ok(Column::Pco(bytes)),
        _ => Err(CodecError::Range { field }),
    }
}

fn unpack<T: pco::data_types::Number>(packed: &[u8], field: &'static str) -> Result<Vec<T>, CodecError> {
    simple_decompress(packed).map_err(|_| CodecError::Range { field })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn stored(timestamp: i64, value: f64, reference: Option<&str>) -> StoredSample {
        StoredSample {
            sample: Sample::new(TimestampMs::new(timestamp), value).unwrap(),
            reference: reference.map(Arc::from),
        }
    }

    #[track_caller]
    fn hour(timestamp: i64, expected: i64) {
        assert_eq!(hour_of(TimestampMs::new(timestamp)), expected, "{timestamp}");
    }

    #[test]
    fn an_hour_is_open_on_the_left_and_closed_on_the_right() {
        hour(0, 0);
        hour(1, 1);
        hour(HOUR_MS, 1);
        hour(HOUR_MS + 1, 2);
        hour(-1, 0);
        hour(-HOUR_MS, -1);
        assert_eq!(end_of(1), TimestampMs::new(HOUR_MS));
    }

    #[test]
    fn the_ends_of_time_have_hours_too() {
        for timestamp in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
            let key = ChunkKey { series: SeriesIx(0), hour: hour_of(TimestampMs::new(timestamp)), ordinal: 0 };
            let samples = [stored(timestamp, 1.0, None)];
            assert_eq!(decode(key, &encode(key, &samples)), Ok(samples.to_vec()), "{timestamp}");
        }
    }

    #[test]
    fn an_hour_of_steady_samples_is_small() {
        let key = ChunkKey { series: SeriesIx(1), hour: 1, ordinal: 0 };
        let samples: Vec<_> = (1..=3_600).map(|n| stored(n * 1_000, f64::from(n as i32 % 100) / 100.0, None)).collect();
        let record = encode(key, &samples);
        assert!(record.len() < 3_600 * 2, "{} bytes", record.len());
        assert_eq!(decode(key, &record), Ok(samples));
    }

    #[test]
    fn a_chunk_under_another_key_is_not_whole() {
        let key = ChunkKey { series: SeriesIx(1), hour: 1, ordinal: 0 };
        let record = encode(key, &[stored(1, 1.0, Some("case 7"))]);
        for other in [ChunkKey { ordinal: 1, ..key }, ChunkKey { hour: 2, ..key }] {
            assert_eq!(decode(other, &record), Err(CodecError::Checksum));
        }
    }

    proptest! {
        #[test]
        fn a_chunk_reads_back(
            hour in -500_000..500_000_i64,
            rows in proptest::collection::vec(
                (1..=HOUR_MS, prop_oneof![any::<f64>(), Just(-0.0), Just(120.0), 0.0..1.0],
                 proptest::option::weighted(0.2, ".{0,8}")),
                1..300,
            ),
        ) {
            let key = ChunkKey { series: SeriesIx(3), hour, ordinal: 2 };
            let mut samples: Vec<_> = rows
                .iter()
                .filter(|row| row.1.is_finite())
                .map(|(offset, value, reference)| stored((hour - 1) * HOUR_MS + offset, *value, reference.as_deref()))
                .collect();
            sort(&mut samples);
            let read = decode(key, &encode(key, &samples)).unwrap();
            prop_assert_eq!(&read, &samples);
            // -0.0 == 0.0, so the bits are compared too.
            let bits = |samples: &[StoredSample]| samples.iter().map(|each| each.sample.value().to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&read), bits(&samples));
        }
    }
}
