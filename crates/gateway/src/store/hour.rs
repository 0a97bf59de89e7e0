//! The summary of one series in one hour: what its chunks say together, with its sketch.
//!
//! A starting engine takes what is older than its finer tiers from here, and a scorecard over years
//! needs no raw sample.

use super::codec::{CodecError, Reader, Writer};
use super::series::SeriesIx;
use bellwether_core::sketch::Sketch;
use bellwether_core::summary::{Summary, SummaryParts};
use bellwether_core::time::TimestampMs;

const VERSION: u8 = 1;

fn key(series: SeriesIx, hour: i64) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&series.0.to_le_bytes());
    bytes[4..].copy_from_slice(&hour.to_le_bytes());
    bytes
}

pub(super) fn encode(series: SeriesIx, hour: i64, summary: &Summary) -> Vec<u8> {
    let mut writer = Writer::new(VERSION);
    write(&mut writer, summary);
    writer.finish(&key(series, hour))
}

pub(super) fn decode(series: SeriesIx, hour: i64, record: &[u8]) -> Result<Summary, CodecError> {
    let (_, mut reader) = Reader::new(&key(series, hour), record, VERSION)?;
    let summary = read(&mut reader)?;
    reader.finish()?;
    Ok(summary)
}

/// The fields of a summary.
pub(super) fn write(writer: &mut Writer, summary: &Summary) {
    let SummaryParts { count, sum, m2, min, max, first, last, increase, sketch } = summary.parts();
    writer.unsigned(count);
    for float in [sum, m2, min, max, increase] {
        writer.float(float);
    }
    for (timestamp, value) in [first, last] {
        writer.signed(timestamp.get());
        writer.float(value);
    }
    write_sketch(writer, &sketch);
}

/// The fields of a sketch.
pub(super) fn write_sketch(writer: &mut Writer, sketch: &Sketch) {
    writer.signed(i64::from(sketch.scale()));
    writer.unsigned(sketch.zero_count());
    write_side(writer, sketch.positive());
    write_side(writer, sketch.negative());
}

/// Reads what [`write()`] wrote.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Summary, CodecError> {
    let count = reader.unsigned("the count")?;
    let sum = reader.float("the sum")?;
    let m2 = reader.float("m2")?;
    let min = reader.float("the least value")?;
    let max = reader.float("the greatest value")?;
    let increase = reader.float("the increase")?;
    let first = (TimestampMs::new(reader.signed("the first timestamp")?), reader.float("the first value")?);
    let last = (TimestampMs::new(reader.signed("the last timestamp")?), reader.float("the last value")?);
    let sketch = read_sketch(reader)?;
    Summary::from_parts(SummaryParts { count, sum, m2, min, max, first, last, increase, sketch })
        .map_err(|_| CodecError::Range { field: "the summary" })
}

/// Reads what [`write_sketch`] wrote.
pub(super) fn read_sketch(reader: &mut Reader<'_>) -> Result<Sketch, CodecError> {
    let scale = i8::try_from(reader.signed("the scale")?).map_err(|_| CodecError::Range { field: "the scale" })?;
    let zero_count = reader.unsigned("the zero count")?;
    let positive = read_side(reader)?;
    let negative = read_side(reader)?;
    Sketch::from_parts(scale, zero_count, positive, negative).map_err(|_| CodecError::Range { field: "the sketch" })
}

/// The number of value buckets, then each one's distance from the one before and its count.
fn write_side(writer: &mut Writer, side: impl Iterator<Item = (i32, u64)>) {
    let buckets: Vec<_> = side.collect();
    writer.unsigned(buckets.len() as u64);
    let mut before = 0;
    for (index, count) in buckets {
        writer.signed(i64::from(index) - before);
        writer.unsigned(count);
        before = i64::from(index);
    }
}

fn read_side(reader: &mut Reader<'_>) -> Result<Vec<(i32, u64)>, CodecError> {
    let buckets = reader.length("the value buckets")?;
    let mut side = Vec::with_capacity(buckets);
    let mut before = 0_i64;
    for _ in 0..buckets {
        before = before.wrapping_add(reader.signed("a value bucket")?);
        let index = i32::try_from(before).map_err(|_| CodecError::Range { field: "a value bucket" })?;
        side.push((index, reader.unsigned("a value bucket's count")?));
    }
    Ok(side)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::sample::{Kind, Sample};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_summary_reads_back(rows in proptest::collection::vec((any::<i64>(), any::<f64>()), 1..60), hour in any::<i64>()) {
            let mut samples = rows.into_iter().filter_map(|(ms, value)| Sample::new(TimestampMs::new(ms), value).ok());
            prop_assume!(samples.clone().next().is_some());
            let mut summary = Summary::of(samples.next().unwrap(), Kind::Counter);
            for sample in samples {
                summary.record(sample, Kind::Counter);
            }
            let record = encode(SeriesIx(4), hour, &summary);
            prop_assert_eq!(decode(SeriesIx(4), hour, &record), Ok(summary));
            prop_assert_eq!(decode(SeriesIx(5), hour, &record), Err(CodecError::Checksum));
        }
    }
}
