//! Marks of the spans of time in which samples of a series were changed: figures over them are restated.

use bellwether_core::labels::SeriesKey;
use bellwether_core::time::TimestampMs;
use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};

use super::codec::{CodecError, Reader, Writer};
use super::error::{StoreError, While};
use super::fault::{Fault, Place};
use super::histograms::table;
use super::series::SeriesIx;
use super::state::State;
use super::tables;

const VERSION: u8 = 1;
const DOING: &str = "marking what is restated";

/// A span of time, `(from, to]`, in which samples of a series were changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The span's left edge, which is not in it.
    pub from: TimestampMs,
    /// The span's right edge, which is.
    pub to: TimestampMs,
    /// When they were changed last.
    pub changed_at: TimestampMs,
}

impl Mark {
    /// Of one instant.
    pub(super) fn of(timestamp: TimestampMs, changed_at: TimestampMs) -> Self {
        let from = TimestampMs::new(timestamp.get().saturating_sub(1));
        Self { from, to: timestamp, changed_at }
    }

    fn encode(self, series: SeriesIx) -> Vec<u8> {
        let mut writer = Writer::new(VERSION);
        writer.signed(self.from.get());
        writer.signed(self.changed_at.get());
        writer.finish(&key(series, self.to))
    }

    pub(super) fn decode(series: SeriesIx, to: TimestampMs, record: &[u8]) -> Result<Self, CodecError> {
        let (_, mut reader) = Reader::new(&key(series, to), record, VERSION)?;
        let from = TimestampMs::new(reader.signed("the left edge")?);
        let changed_at = TimestampMs::new(reader.signed("the time")?);
        reader.finish()?;
        Ok(Self { from, to, changed_at })
    }
}

fn key(series: SeriesIx, to: TimestampMs) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&series.0.to_le_bytes());
    bytes[4..].copy_from_slice(&to.get().to_le_bytes());
    bytes
}

/// Takes out the marks of these instants.
pub(super) fn remove(write: &WriteTransaction, instants: &[(SeriesIx, TimestampMs)]) -> Result<(), StoreError> {
    let mut table = write.open_table(tables::RESTATED).while_doing(DOING)?;
    for (series, at) in instants {
        table.remove((series.0, at.get())).while_doing(DOING)?;
    }
    Ok(())
}

/// Adds marks; one with the end of another is joined with it.
pub(super) fn write(write: &WriteTransaction, marks: &[(SeriesIx, Mark)]) -> Result<(), StoreError> {
    let mut table = write.open_table(tables::RESTATED).while_doing(DOING)?;
    for (series, mark) in marks {
        let row = (series.0, mark.to.get());
        let before = table.get(row).while_doing(DOING)?;
        let before = before.and_then(|record| Mark::decode(*series, mark.to, record.value()).ok());
        let from = before.map_or(mark.from, |before| before.from.min(mark.from));
        table.insert(row, Mark { from, ..*mark }.encode(*series).as_slice()).while_doing(DOING)?;
    }
    Ok(())
}

/// All marks of the series that there are.
pub(super) fn all(database: &Database, state: &State) -> Result<Vec<(SeriesKey, Mark)>, StoreError> {
    let read = database.begin_read().while_doing(DOING)?;
    let mut marks = Vec::new();
    let Some(table) = table(&read, tables::RESTATED)? else { return Ok(marks) };
    for row in table.iter().while_doing(DOING)? {
        let (row, record) = row.while_doing(DOING)?;
        let (series, to) = (SeriesIx(row.value().0), TimestampMs::new(row.value().1));
        match (Mark::decode(series, to, record.value()), state.series.get(&series)) {
            (Ok(mark), Some((key, _))) => marks.push((key.clone(), mark)),
            (Err(reason), _) => {
                state.faults.borrow_mut().add(Fault { place: Place::Restated { series, end: to }, reason });
            }
            (Ok(_), None) => {}
        }
    }
    Ok(marks)
}
