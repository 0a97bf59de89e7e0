//! The store as it is at one instant, readable by any thread while the one that owns it writes on.

use std::collections::BTreeMap;

use bellwether_core::labels::{MetricName, SeriesKey};
use bellwether_core::sample::Kind;
use redb::{Database, Key, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, Value};

use super::batch::Declaration;
use super::error::{StoreError, While};
use super::fault::{Fault, Faults, Place};
use super::histograms;
use super::redb_store::shielded;
use super::seal::Sealing;
use super::series::{self, SeriesIx};
use super::{StoredSeries, metric, tables};

pub(super) const DOING: &str = "reading a snapshot of the store";

/// A store at one instant; what is stored afterwards is not in it.
///
/// Where the store closes its file meanwhile, after a failure of the disk, readings of the snapshot fail
/// with [`StoreError::Closed`].
pub struct Snapshot {
    read: ReadTransaction,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl Snapshot {
    pub(super) fn of(database: &Database) -> Result<Self, StoreError> {
        Ok(Self { read: database.begin_read().while_doing(DOING)? })
    }

    pub(super) const fn transaction(&self) -> &ReadTransaction {
        &self.read
    }

    pub(super) fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<ReadOnlyTable<K, V>, StoreError> {
        self.read.open_table(definition).while_doing(DOING)
    }

    /// A table that an older file may not have.
    pub(super) fn table_if_there<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<Option<ReadOnlyTable<K, V>>, StoreError> {
        histograms::table(&self.read, definition)
    }

    /// A number about the whole store.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.table(tables::META)?.get(name).while_doing(DOING)?.map(|guard| guard.value()))
    }

    pub(super) fn sealing(&self) -> Result<Sealing, StoreError> {
        Sealing::load(|name| self.number(name))
    }

    /// The series whose names are whole, in the order in which they first came.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    pub fn stored_series(&self) -> Result<Vec<StoredSeries>, StoreError> {
        let all = shielded(|| self.series(&mut Faults::default()))?;
        Ok(all.into_iter().map(|(ix, (key, kind))| StoredSeries { ix, key, kind }).collect())
    }

    pub(super) fn series(&self, faults: &mut Faults) -> Result<BTreeMap<SeriesIx, (SeriesKey, Kind)>, StoreError> {
        let mut all = BTreeMap::new();
        for row in self.table(tables::SERIES)?.iter().while_doing(DOING)? {
            let (ix, record) = row.while_doing(DOING)?;
            let ix = SeriesIx(ix.value());
            match series::decode(ix, record.value()) {
                Ok(series) => {
                    all.insert(ix, series);
                }
                Err(reason) => faults.add(Fault { place: Place::Series { series: ix }, reason }),
            }
        }
        Ok(all)
    }

    /// What was declared of metrics, where that is whole.
    pub(super) fn declarations(&self, faults: &mut Faults) -> Result<BTreeMap<MetricName, Declaration>, StoreError> {
        let mut all = BTreeMap::new();
        for row in self.table(tables::METRICS)?.iter().while_doing(DOING)? {
            let (name, record) = row.while_doing(DOING)?;
            match metric::decode(name.value(), record.value()) {
                Ok(declaration) => {
                    all.insert(declaration.metric.clone(), declaration);
                }
                Err(reason) => faults.add(Fault { place: Place::Metric { metric: name.value().to_owned() }, reason }),
            }
        }
        Ok(all)
    }
}
