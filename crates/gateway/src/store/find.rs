//! Looks for the samples of a reference, without holding the writer up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::time::TimestampMs;
use redb::ReadableTable;

use super::chunk::{self, ChunkKey, hour_of};
use super::error::{StoreError, While};
use super::fault::Faults;
use super::redb_store::shielded;
use super::series::SeriesIx;
use super::snapshot::{DOING, Snapshot};
use super::tables::{self, meta};
use super::{StoredSample, batch};

/// Which stored samples are meant: those that were sent with a reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The reference, as it was sent.
    pub reference: Arc<str>,
    /// Only samples of this metric.
    pub metric: Option<MetricName>,
    /// Only samples of series that have all of these labels.
    pub labels: Labels,
    /// Only samples of this instant.
    pub at: Option<TimestampMs>,
}

impl Target {
    /// All samples of a reference.
    #[must_use]
    pub fn new(reference: &str) -> Self {
        Self { reference: Arc::from(reference), metric: None, labels: Labels::empty(), at: None }
    }

    /// Whether samples of the series may be meant.
    pub(super) fn takes(&self, series: &SeriesKey) -> bool {
        self.metric.as_ref().is_none_or(|metric| *metric == series.metric)
            && self.labels.iter().all(|(name, value)| series.labels.get(name) == Some(value))
    }

    /// Whether a sample of a series that may be is meant.
    pub(super) fn means(&self, stored: &StoredSample) -> bool {
        stored.reference.as_ref() == Some(&self.reference) && self.is_at(stored.sample.timestamp())
    }

    /// Whether the instant may be meant.
    pub(super) fn is_at(&self, timestamp: TimestampMs) -> bool {
        self.at.is_none_or(|at| at == timestamp)
    }
}

/// Where the samples of a target were in a snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Whereabouts {
    /// The newest batch of the snapshot.
    pub(super) seq: u64,
    /// The series and hours in whose chunks they are, or may be once the tail is sealed.
    pub(super) hours: BTreeSet<(SeriesIx, i64)>,
    /// The batches of the tail in which they are.
    pub(super) batches: BTreeSet<u64>,
    /// How many records could not be read, and may hold some.
    pub(super) unreadable: u64,
}

impl Whereabouts {
    /// The series that they are of.
    pub(super) fn series(&self) -> impl Iterator<Item = SeriesIx> {
        let series: BTreeSet<_> = self.hours.iter().map(|(series, _)| *series).collect();
        series.into_iter()
    }

    /// How many damaged records could not be searched.
    #[must_use]
    pub const fn unreadable(&self) -> u64 {
        self.unreadable
    }
}

impl Snapshot {
    /// Finds where the samples of `target` are. Cost: reads the chunks of the series that may have some without
    /// unpacking them, and the tail.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    pub fn find(&self, target: &Target) -> Result<Whereabouts, StoreError> {
        shielded(|| self.find_samples(target))
    }

    fn find_samples(&self, target: &Target) -> Result<Whereabouts, StoreError> {
        let mut found = Whereabouts { seq: self.number(meta::SEQ)?.unwrap_or(0), ..Whereabouts::default() };
        let all: BTreeMap<SeriesIx, _> = self.series(&mut Faults::default())?;
        let wanted: BTreeSet<SeriesIx> =
            all.iter().filter(|(_, (key, _))| target.takes(key)).map(|(series, _)| *series).collect();
        let hours = target.at.map_or(i64::MIN..=i64::MAX, |at| hour_of(at)..=hour_of(at));
        let chunks = self.table(tables::CHUNKS)?;
        for series in &wanted {
            let rows = (series.0, *hours.start(), 0)..=(series.0, *hours.end(), u32::MAX);
            for row in chunks.range(rows).while_doing(DOING)? {
                let (row, record) = row.while_doing(DOING)?;
                let key = ChunkKey::of_row(row.value());
                if !found.hours.contains(&(key.series, key.hour)) {
                    match chunk::mentions(key, record.value(), &target.reference) {
                        Ok(true) => {
                            found.hours.insert((key.series, key.hour));
                        }
                        Ok(false) => {}
                        Err(_) => found.unreadable += 1,
                    }
                }
            }
        }
        for row in self.table(tables::TAIL)?.iter().while_doing(DOING)? {
            let (seq, record) = row.while_doing(DOING)?;
            let Ok(batch) = batch::decode(seq.value(), record.value()) else {
                found.unreadable += 1;
                continue;
            };
            for each in batch.samples.into_iter().filter(|each| wanted.contains(&each.series)) {
                let (series, stored) = each.into_stored();
                if target.means(&stored) {
                    found.batches.insert(seq.value());
                    found.hours.insert((series, hour_of(stored.sample.timestamp())));
                }
            }
        }
        Ok(found)
    }
}
