//! The tables of the store's file; `docs/formats/store.md` describes them.

use redb::{Key, TableDefinition, Value};

use super::error::StoreError;

/// Numbers about the whole store, by name: see [`meta`].
pub(super) const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
/// `series → record`.
pub(super) const SERIES: TableDefinition<u32, &[u8]> = TableDefinition::new("series");
/// `metric → record`.
pub(super) const METRICS: TableDefinition<&str, &[u8]> = TableDefinition::new("metrics");
/// `seq → record`: whole acknowledged batches that are not sealed yet.
pub(super) const TAIL: TableDefinition<u64, &[u8]> = TableDefinition::new("tail");
/// `(series, hour, ordinal) → record`: sealed samples in columns.
pub(super) const CHUNKS: TableDefinition<(u32, i64, u32), &[u8]> = TableDefinition::new("chunks");
/// `(series, hour) → record`: the summary of all chunks of the hour.
pub(super) const HOURS: TableDefinition<(u32, i64), &[u8]> = TableDefinition::new("hours");
/// `sender → record`: batch ids with a counter.
pub(super) const SENDERS: TableDefinition<&str, &[u8]> = TableDefinition::new("senders");
/// `(received_at, seq) → id`: opaque batch ids.
pub(super) const BATCHES: TableDefinition<(i64, u64), &str> = TableDefinition::new("batches");
/// `notice → record`.
pub(super) const OUTBOX: TableDefinition<u64, &[u8]> = TableDefinition::new("outbox");
/// `alert → bytes`, whose meaning is the alerting's.
pub(super) const ALERTS: TableDefinition<&str, &[u8]> = TableDefinition::new("alerts");

/// `(series, timestamp) → record`: what a histogram added to its series.
pub(super) const POINTS: TableDefinition<(u32, i64), &[u8]> = TableDefinition::new("points");
/// `(series, hour) → record`: the summary of all points of the hour.
pub(super) const POINT_HOURS: TableDefinition<(u32, i64), &[u8]> = TableDefinition::new("point_hours");
/// `series → record`: how far a cumulative histogram has counted.
pub(super) const COUNTS: TableDefinition<u32, &[u8]> = TableDefinition::new("counts");
/// `correction → record`: what became of samples after they were stored.
pub(super) const CORRECTIONS: TableDefinition<u64, &[u8]> = TableDefinition::new("corrections");
/// `(series, end) → record`: spans of time in which samples were changed.
pub(super) const RESTATED: TableDefinition<(u32, i64), &[u8]> = TableDefinition::new("restated");

/// `(end, alert) → bytes`: alerts that fired and are over; the bytes are the alerting's.
pub(super) const ENDED: TableDefinition<(i64, &str), &[u8]> = TableDefinition::new("ended");

/// Does the same to tables of whatever types.
pub(super) trait EachTable {
    /// Does it to one; `number` names the table in the journal and in a backup on its way, and is never given to another.
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        number: u8,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<(), StoreError>;
}

/// Does something to every table of a store.
///
/// # Errors
/// The first of `work`'s.
pub(super) fn each(work: &mut impl EachTable) -> Result<(), StoreError> {
    work.table(number::META, META)?;
    work.table(number::SERIES, SERIES)?;
    work.table(number::METRICS, METRICS)?;
    work.table(number::TAIL, TAIL)?;
    work.table(5, CHUNKS)?;
    work.table(6, HOURS)?;
    work.table(number::SENDERS, SENDERS)?;
    work.table(number::BATCHES, BATCHES)?;
    work.table(9, OUTBOX)?;
    work.table(10, ALERTS)?;
    // A file has these once it was given a histogram.
    work.table(11, POINTS)?;
    work.table(12, POINT_HOURS)?;
    work.table(13, COUNTS)?;
    // And these once something was corrected.
    work.table(14, CORRECTIONS)?;
    work.table(15, RESTATED)?;
    // And this once an alert ended.
    work.table(16, ENDED)
}

/// Numbers of tables, as [`EachTable`] gives them, of those that a commit changes.
pub(super) mod number {
    pub(in super::super) const META: u8 = 1;
    pub(in super::super) const SERIES: u8 = 2;
    pub(in super::super) const METRICS: u8 = 3;
    pub(in super::super) const TAIL: u8 = 4;
    pub(in super::super) const SENDERS: u8 = 7;
    pub(in super::super) const BATCHES: u8 = 8;
}

/// The names in [`META`].
pub(super) mod meta {
    /// The format of the file.
    pub(in super::super) const FORMAT: &str = "format";
    /// The random number of the store.
    pub(in super::super) const EPOCH: &str = "epoch";
    /// Where the samples come from, see [`super::super::Origin`]; missing: measured.
    pub(in super::super) const ORIGIN: &str = "origin";
    /// The `seq` of the newest batch.
    pub(in super::super) const SEQ: &str = "seq";
    /// The number that the next new series gets.
    pub(in super::super) const NEXT_SERIES: &str = "next_series";
    /// The number that the next notice gets.
    pub(in super::super) const NEXT_NOTICE: &str = "next_notice";
    /// The number that the next correction gets; missing: 0.
    pub(in super::super) const NEXT_CORRECTION: &str = "next_correction";
    /// There where something was erased since the file was made.
    pub(in super::super) const ERASED: &str = "erased";
    /// The bytes of all records of chunks; missing in a store that an older program wrote.
    pub(in super::super) const CHUNK_BYTES: &str = "chunk_bytes";
    /// The newest batch of which earlier rounds of sealing took samples.
    pub(in super::super) const SEALED_SEQ: &str = "sealed_seq";
    /// Up to which timestamp they took them (an `i64` in 64 bits).
    pub(in super::super) const SEALED_TIMESTAMP: &str = "sealed_timestamp";
    /// The same of the round that is under way; missing where none is.
    pub(in super::super) const ROUND_SEQ: &str = "round_seq";
    /// See [`ROUND_SEQ`].
    pub(in super::super) const ROUND_TIMESTAMP: &str = "round_timestamp";
    /// The first series that the round has not written yet.
    pub(in super::super) const ROUND_SERIES: &str = "round_series";
}
