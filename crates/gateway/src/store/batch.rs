//! A batch as senders give it, and as the tail keeps it.
//!
//! The tail's record holds the samples in columns, in the order in which they came: the numbers of
//! the series and the timestamps as differences from the sample before, the values as they are, and
//! the references where there is one. It is written once and read once or twice, so it is small and
//! quick rather than as small as can be.

use super::StoredSample;
use super::codec::{CodecError, Reader, Writer, read_optional, write_optional};
use super::histograms::{BatchHistogram, Counted};
use super::idempotency::IdempotencyKey;
use super::series::SeriesIx;
use bellwether_core::labels::{MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::TimestampMs;
use bellwether_wire::ingest::Repeats;
use std::sync::Arc;

const VERSION: u8 = 1;
/// What a sample without a reference mostly takes.
const LIKELY_ROW_BYTES: usize = 11;

/// A sample on its way into the store.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchSample {
    /// The series that it belongs to; a series that the store does not know is added.
    pub series: SeriesKey,
    /// The kind of the series, already checked against the other samples of the metric.
    pub kind: Kind,
    /// Value and timestamp.
    pub sample: Sample,
    /// The case or request that it is about (`ref` of `/ingest`), at most 256 bytes.
    pub reference: Option<Arc<str>>,
    /// Whether its series may have more than this one at its timestamp.
    pub repeats: Repeats,
}

/// What a sender said of a metric; kept so that a restart knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// The metric.
    pub metric: MetricName,
    /// Its kind.
    pub kind: Kind,
    /// Its unit, as text for people.
    pub unit: Option<Arc<str>>,
}

/// Samples that a sender gave at once: all of them are stored, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The samples, in the order in which they were given; may be empty.
    pub samples: Vec<BatchSample>,
    /// The histograms, in the order in which they were given; may be empty.
    pub histograms: Vec<BatchHistogram>,
    /// What came along about metrics; only what differs from what is stored is written.
    pub declarations: Vec<Declaration>,
    /// The sender's batch id.
    pub idempotency: Option<IdempotencyKey>,
    /// The gateway's time at which the batch came.
    pub received_at: TimestampMs,
}

/// What became of one batch of an [`append`](super::Store::append).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is on disk.
    Stored {
        /// Its place in the stream; greater than that of every batch before it.
        seq: u64,
    },
    /// It is on disk but for samples whose series has a value at their timestamp already; or it holds
    /// histograms, of which it is said what each added.
    StoredInPart {
        /// Its place in the stream; greater than that of every batch before it.
        seq: u64,
        /// What was left out, in the order of the batch.
        left_out: Vec<LeftOut>,
        /// What became of each of its histograms, in the order of the batch.
        counted: Vec<Counted>,
    },
    /// A batch with this id is on disk already; nothing of this one was stored.
    Duplicate,
}

/// A sample of a batch that was not stored, for its series has a value at its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its place among the samples of the batch.
    pub place: usize,
    /// What is there.
    pub found: Found,
}

/// What a series has at a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The very value: the sample was sent again.
    Same,
    /// Another value.
    Another,
}

/// A sample of the tail with the number of its series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TailSample {
    pub(super) series: SeriesIx,
    pub(super) sample: Sample,
    pub(super) reference: Option<Arc<str>>,
}

impl TailSample {
    /// The series, and the sample as it is kept everywhere else.
    pub(super) fn into_stored(self) -> (SeriesIx, StoredSample) {
        (self.series, StoredSample { sample: self.sample, reference: self.reference })
    }
}

/// What the store keeps in memory of a batch of the tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TailMark {
    pub(super) samples: usize,
    pub(super) oldest: TimestampMs,
    pub(super) newest: TimestampMs,
}

/// A decoded batch of the tail.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TailBatch {
    pub(super) received_at: TimestampMs,
    pub(super) samples: Vec<TailSample>,
}

impl TailBatch {
    /// `None` for a batch without samples.
    pub(super) fn mark(&self) -> Option<TailMark> {
        let stamps = || self.samples.iter().map(|each| each.sample.timestamp());
        Some(TailMark { samples: self.samples.len(), oldest: stamps().min()?, newest: stamps().max()? })
    }
}

/// A sample as the tail keeps it: its series, itself, and its reference.
pub(super) type Row<'a> = (SeriesIx, Sample, Option<&'a str>);

/// The record of rows; looks at them four times.
pub(super) fn encode_rows<'a>(
    seq: u64,
    received_at: TimestampMs,
    count: usize,
    rows: impl Iterator<Item = Row<'a>> + Clone,
) -> Vec<u8> {
    let mut writer = Writer::with_room(VERSION, 32 + count * LIKELY_ROW_BYTES);
    writer.signed(received_at.get());
    writer.unsigned(count as u64);
    let mut before = 0_i64;
    for (series, ..) in rows.clone() {
        writer.signed(i64::from(series.0) - before);
        before = i64::from(series.0);
    }
    let mut before = received_at.get();
    for (_, sample, _) in rows.clone() {
        // Wrapping, so that no pair of timestamps is too far apart.
        writer.signed(sample.timestamp().get().wrapping_sub(before));
        before = sample.timestamp().get();
    }
    for (_, sample, _) in rows.clone() {
        writer.float(sample.value());
    }
    let any = rows.clone().any(|(.., reference)| reference.is_some());
    writer.byte(u8::from(any));
    if any {
        for (.., reference) in rows {
            write_optional(&mut writer, reference);
        }
    }
    writer.finish(&seq.to_le_bytes())
}

pub(super) fn encode(seq: u64, batch: &TailBatch) -> Vec<u8> {
    let rows = batch.samples.iter().map(|each| (each.series, each.sample, each.reference.as_deref()));
    encode_rows(seq, batch.received_at, batch.samples.len(), rows)
}

pub(super) fn decode(seq: u64, record: &[u8]) -> Result<TailBatch, CodecError> {
    let (_, mut reader) = Reader::new(&seq.to_le_bytes(), record, VERSION)?;
    let received_at = TimestampMs::new(reader.signed("the time of arrival")?);
    let count = reader.length("the number of samples")?;
    let mut series = Vec::with_capacity(count);
    let mut before = 0_i64;
    for _ in 0..count {
        before = before.wrapping_add(reader.signed("a series")?);
        series.push(SeriesIx(u32::try_from(before).map_err(|_| CodecError::Range { field: "a series" })?));
    }
    let mut timestamps = Vec::with_capacity(count);
    let mut before = received_at.get();
    for _ in 0..count {
        before = before.wrapping_add(reader.signed("a timestamp")?);
        timestamps.push(TimestampMs::new(before));
    }
    let mut samples = Vec::with_capacity(count);
    for (series, timestamp) in series.into_iter().zip(timestamps) {
        let sample =
            Sample::new(timestamp, reader.float("a value")?).map_err(|_| CodecError::Range { field: "a value" })?;
        samples.push(TailSample { series, sample, reference: None });
    }
    if reader.byte("the references' mark")? != 0 {
        for each in &mut samples {
            each.reference = read_optional(&mut reader, "a reference")?;
        }
    }
    reader.finish()?;
    Ok(TailBatch { received_at, samples })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn samples() -> impl Strategy<Value = Vec<TailSample>> {
        let sample = (any::<u32>(), any::<i64>(), proptest::num::f64::NORMAL, proptest::option::of(".{0,8}"));
        proptest::collection::vec(sample, 0..50).prop_map(|samples| {
            samples
                .into_iter()
                .map(|(series, timestamp, value, reference)| TailSample {
                    series: SeriesIx(series),
                    sample: Sample::new(TimestampMs::new(timestamp), value).unwrap(),
                    reference: reference.map(Arc::from),
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn a_batch_reads_back(samples in samples(), received_at in any::<i64>(), seq in any::<u64>()) {
            let batch = TailBatch { received_at: TimestampMs::new(received_at), samples };
            prop_assert_eq!(decode(seq, &encode(seq, &batch)), Ok(batch));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            // With a fitting checksum, so that the fields are reached.
            let mut writer = Writer::new(VERSION);
            for byte in bytes {
                writer.byte(byte);
            }
            let _ = decode(0, &writer.finish(&0_u64.to_le_bytes()));
        }
    }
}
