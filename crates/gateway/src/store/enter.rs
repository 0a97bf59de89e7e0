//! Samples into the chunks and the summary of their hour.

use super::StoredSample;
use super::chunk::{self, ChunkKey, hour_of};
use super::codec::CodecError;
use super::error::{StoreError, While};
use super::fault::{Fault, Place};
use super::hour;
use super::series::SeriesIx;
use super::tables;
use bellwether_core::sample::Kind;
use bellwether_core::summary::Summary;
use redb::{ReadableTable, Table, WriteTransaction};

const DOING: &str = "moving samples from the tail into chunks";

type Chunks<'txn> = Table<'txn, (u32, i64, u32), &'static [u8]>;

/// Adds samples of one series, ordered by time, to what is sealed of their hours; by how many bytes the chunks
/// grow. Without a known kind no summary can be made.
pub(super) fn write_series(
    write: &WriteTransaction,
    chunk_samples: usize,
    series: SeriesIx,
    kind: Option<Kind>,
    samples: &[StoredSample],
    faults: &mut Vec<Fault>,
) -> Result<i64, StoreError> {
    let mut growth = 0;
    let mut chunks = write.open_table(tables::CHUNKS).while_doing(DOING)?;
    let mut hours = write.open_table(tables::HOURS).while_doing(DOING)?;
    let hour_of_sample = |each: &StoredSample| hour_of(each.sample.timestamp());
    for of_hour in samples.chunk_by(|one, next| hour_of_sample(one) == hour_of_sample(next)) {
        let hour = hour_of_sample(&of_hour[0]);
        if let Some(kind) = kind {
            let before = hours
                .get((series.0, hour))
                .while_doing(DOING)?
                .map(|record| hour::decode(series, hour, record.value()));
            let summary = match before {
                None => summary_of(of_hour, kind),
                Some(Ok(mut before)) => {
                    if let Some(added) = summary_of(of_hour, kind) {
                        if kind == Kind::Counter && overlap(&before, &added) {
                            // Where chunks were dropped, there are fewer samples than the summary tells of.
                            let whole = before.count;
                            let anew = from_chunks(&chunks, series, hour, kind, of_hour)?;
                            let anew = anew.filter(|anew| anew.count == whole + added.count);
                            before = anew.unwrap_or_else(|| {
                                before.merge(&added, kind);
                                before
                            });
                        } else {
                            before.merge(&added, kind);
                        }
                    }
                    Some(before)
                }
                Some(Err(reason)) => {
                    let healed = from_chunks(&chunks, series, hour, kind, of_hour)?;
                    if healed.is_none() {
                        faults.push(Fault { place: Place::Hour { series, end: chunk::end_of(hour) }, reason });
                    }
                    healed
                }
            };
            if let Some(summary) = summary {
                hours.insert((series.0, hour), hour::encode(series, hour, &summary).as_slice()).while_doing(DOING)?;
            }
        }
        growth += write_hour(&mut chunks, chunk_samples, series, hour, of_hour.to_vec())?;
    }
    Ok(growth)
}

/// Adds samples to an hour's chunks. A chunk that is not larger than what is added is taken up into
/// it, so that late samples in drops leave few chunks behind and each sample is rewritten only a
/// few times.
fn write_hour(
    chunks: &mut Chunks<'_>,
    chunk_samples: usize,
    series: SeriesIx,
    hour: i64,
    mut samples: Vec<StoredSample>,
) -> Result<i64, StoreError> {
    let mut growth = 0;
    let mut ordinal = 0;
    loop {
        let last = chunks
            .range((series.0, hour, 0)..=(series.0, hour, u32::MAX))
            .while_doing(DOING)?
            .next_back()
            .transpose()
            .while_doing(DOING)?
            .map(|(row, record)| {
                let key = ChunkKey::of_row(row.value());
                (key, chunk::decode(key, record.value()))
            });
        match last {
            None => break,
            Some((key, Ok(mut before)))
                if before.len() <= samples.len() && before.len() + samples.len() <= chunk_samples =>
            {
                // Stable: of equal timestamps, those that came earlier stay first.
                before.append(&mut samples);
                samples = before;
                chunk::sort(&mut samples);
                if let Some(record) = chunks.remove(key.row()).while_doing(DOING)? {
                    growth -= record.value().len() as i64;
                }
            }
            // A damaged one stays where it is, for whoever wants to look.
            Some((key, _)) => {
                ordinal = key.ordinal.saturating_add(1);
                break;
            }
        }
    }
    for piece in samples.chunks(chunk_samples.max(1)) {
        let key = ChunkKey { series, hour, ordinal };
        let record = chunk::encode(key, piece);
        growth += record.len() as i64;
        chunks.insert(key.row(), record.as_slice()).while_doing(DOING)?;
        ordinal = ordinal.saturating_add(1);
    }
    Ok(growth)
}

/// The summary of samples that are ordered by time; `None` where there are none.
pub(super) fn summary_of(samples: &[StoredSample], kind: Kind) -> Option<Summary> {
    let (first, rest) = samples.split_first()?;
    let mut summary = Summary::of(first.sample, kind);
    for each in rest {
        summary.record(each.sample, kind);
    }
    Some(summary)
}

fn overlap(one: &Summary, other: &Summary) -> bool {
    one.first.timestamp() <= other.last.timestamp() && other.first.timestamp() <= one.last.timestamp()
}

/// The summary of all of an hour's chunks and of `added`, in the order of time: for a counter whose
/// late samples lie between others, where summaries alone cannot say what it grew by. `None` where a
/// chunk is damaged.
fn from_chunks(
    chunks: &Chunks<'_>,
    series: SeriesIx,
    hour: i64,
    kind: Kind,
    added: &[StoredSample],
) -> Result<Option<Summary>, StoreError> {
    let mut samples = Vec::new();
    for row in chunks.range((series.0, hour, 0)..=(series.0, hour, u32::MAX)).while_doing(DOING)? {
        let (row, record) = row.while_doing(DOING)?;
        let of_chunk: Result<_, CodecError> = chunk::decode(ChunkKey::of_row(row.value()), record.value());
        let Ok(mut of_chunk) = of_chunk else { return Ok(None) };
        samples.append(&mut of_chunk);
    }
    samples.extend_from_slice(added);
    chunk::sort(&mut samples);
    Ok(summary_of(&samples, kind))
}
