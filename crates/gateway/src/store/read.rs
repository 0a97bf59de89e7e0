//! Reading samples of one series back.

use super::chunk::{self, ChunkKey, hour_of};
use super::error::{StoreError, While};
use super::fault::{Fault, Place};
use super::state::State;
use super::{StoredSample, batch, tables};
use bellwether_core::labels::SeriesKey;
use bellwether_core::time::TimestampMs;
use redb::{Database, ReadableDatabase};

const DOING: &str = "reading what is stored";

/// The samples of a series in a span of time, and what is missing from them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The samples, ordered by time; of equal timestamps, in the order in which they came.
    pub samples: Vec<StoredSample>,
    /// Damage within the span: where it is not empty, samples are missing.
    pub faults: Vec<Fault>,
}

pub(super) fn read(
    database: &Database,
    state: &State,
    key: &SeriesKey,
    from: TimestampMs,
    to: TimestampMs,
) -> Result<Reading, StoreError> {
    let mut reading = Reading::default();
    let Some((series, _)) = state.by_key.get(key).copied() else { return Ok(reading) };
    if from >= to {
        return Ok(reading);
    }
    let within = |timestamp: TimestampMs| from < timestamp && timestamp <= to;
    // The snapshot of the file is of now, as the state is: both belong to the one writer.
    let snapshot = database.begin_read().while_doing(DOING)?;
    let chunks = snapshot.open_table(tables::CHUNKS).while_doing(DOING)?;
    let first = hour_of(TimestampMs::new(from.get().saturating_add(1)));
    for row in chunks.range((series.0, first, 0)..=(series.0, hour_of(to), u32::MAX)).while_doing(DOING)? {
        let (row, record) = row.while_doing(DOING)?;
        let key = ChunkKey::of_row(row.value());
        match chunk::decode(key, record.value()) {
            Ok(samples) => {
                reading.samples.extend(samples.into_iter().filter(|each| within(each.sample.timestamp())));
            }
            Err(reason) => reading.faults.push(Fault { place: key.place(), reason }),
        }
    }
    let tail = snapshot.open_table(tables::TAIL).while_doing(DOING)?;
    for (&seq, mark) in &state.tail {
        if mark.newest <= from || mark.oldest > to {
            continue;
        }
        let Some(record) = tail.get(seq).while_doing(DOING)? else { continue };
        match batch::decode(seq, record.value()) {
            Ok(batch) => reading.samples.extend(
                batch
                    .samples
                    .into_iter()
                    .filter(|each| {
                        let timestamp = each.sample.timestamp();
                        each.series == series && within(timestamp) && !state.sealing.holds(seq, series, timestamp)
                    })
                    .map(|each| StoredSample { sample: each.sample, reference: each.reference }),
            ),
            Err(reason) => reading.faults.push(Fault { place: Place::Batch { seq }, reason }),
        }
    }
    for fault in &reading.faults {
        state.faults.borrow_mut().add(fault.clone());
    }
    chunk::sort(&mut reading.samples);
    Ok(reading)
}
