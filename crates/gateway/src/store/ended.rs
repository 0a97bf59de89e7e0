//! Alerts that fired and are over, the newest of them: what became of each is kept when its end is.

use bellwether_core::time::TimestampMs;
use redb::{ReadableTableMetadata, WriteTransaction};

use super::error::{StoreError, While};
use super::outbox::AlertChange;
use super::redb_store::shielded;
use super::snapshot::{DOING, Snapshot};
use super::tables;

/// How many are kept; the oldest go first.
pub const MOST_ENDED: u64 = 10_000;

/// Alerts that are over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The bytes of the alerting's own, those that ended last first.
    pub records: Vec<Vec<u8>>,
    /// Whether there are more in the span that was asked for.
    pub more: bool,
}

/// Keeps those of `changes` that are ends. One that is kept already is kept once. Cost: a look-up each.
pub(super) fn keep(write: &WriteTransaction, changes: &[AlertChange], doing: &'static str) -> Result<(), StoreError> {
    let mut ends = changes.iter().filter_map(|change| match change {
        AlertChange::Ended { key, at, record } => Some((key, at, record)),
        AlertChange::Set { .. } | AlertChange::Remove { .. } => None,
    });
    let Some(first) = ends.next() else { return Ok(()) };
    let mut table = write.open_table(tables::ENDED).while_doing(doing)?;
    for (key, at, record) in std::iter::once(first).chain(ends) {
        table.insert((at.get(), key.as_str()), record.as_slice()).while_doing(doing)?;
    }
    while table.len().while_doing(doing)? > MOST_ENDED {
        table.pop_first().while_doing(doing)?;
    }
    Ok(())
}

impl Snapshot {
    /// The alerts that ended after `from` and up to `to`, at most `most`, those that ended last first. Cost: reads them.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    pub fn ended(&self, from: TimestampMs, to: TimestampMs, most: usize) -> Result<Ended, StoreError> {
        shielded(|| {
            let mut found = Ended::default();
            let after = from.get().saturating_add(1);
            let before = to.get().saturating_add(1);
            if after >= before {
                return Ok(found);
            }
            // A store in which none ever ended has no such table.
            let Some(table) = self.table_if_there(tables::ENDED)? else { return Ok(found) };
            for row in table.range((after, "")..(before, "")).while_doing(DOING)?.rev() {
                if found.records.len() >= most {
                    found.more = true;
                    break;
                }
                found.records.push(row.while_doing(DOING)?.1.value().to_vec());
            }
            Ok(found)
        })
    }
}
