//! Looks for the samples of a reference, without holding the writer up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::Kind;
use bellwether_core::time::TimestampMs;
use redb::ReadableTable;

use super::chunk::{self, ChunkKey, hour_of};
use super::correction::MOST;
use super::error::{StoreError, While};
use super::fault::Faults;
use super::redb_store::shielded;
use super::rework::Rework;
use super::series::SeriesIx;
use super::snapshot::{DOING, Snapshot};
use super::tables::{self, meta};
use super::trail::{Action, Entry};
use super::{StoredSample, batch};

/// Most bytes of records that are made ready; what is beyond, the thread that writes makes.
const MOST_READY_BYTES: usize = 64 * 1024 * 1024;

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

    /// Whether only some samples of the reference are meant.
    fn is_narrowed(&self) -> bool {
        self.metric.is_some() || self.labels.iter().next().is_some() || self.at.is_some()
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
    /// What becomes of those hours, made ready.
    pub(super) ready: BTreeMap<(SeriesIx, i64), Rework>,
    /// The batches of the tail in which they are.
    pub(super) batches: BTreeSet<u64>,
    /// Of an erase: the entries of the trail that tell of the reference.
    pub(super) entries: BTreeSet<u64>,
    /// The number of the first correction that the snapshot does not know.
    pub(super) next_correction: u64,
    /// Of an erase: whether there are samples of the reference that are not meant.
    pub(super) others: bool,
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
    /// Finds where the samples of `target` are, and makes ready what becomes of their hours; for an erase also finds
    /// what else tells of their reference. Cost: reads the chunks of the series that may have some, unpacks and packs
    /// those of the hours that do, and reads the tail; for an erase the trail, and where it is of some samples of the
    /// reference only, the chunks of all series.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    pub fn find(&self, target: &Target, action: Action) -> Result<Whereabouts, StoreError> {
        shielded(|| {
            let mut search = Search { target, found: Whereabouts::default() };
            search.found.seq = self.number(meta::SEQ)?.unwrap_or(0);
            search.found.next_correction = self.number(meta::NEXT_CORRECTION)?.unwrap_or(0);
            let all: BTreeMap<SeriesIx, _> = self.series(&mut Faults::default())?;
            let wanted: BTreeSet<SeriesIx> =
                all.iter().filter(|(_, (key, _))| target.takes(key)).map(|(series, _)| *series).collect();
            search.chunks(self, &wanted)?;
            search.tail(self, &wanted)?;
            search.make_ready(self, &all)?;
            if action == Action::Erase {
                search.trail(self)?;
                if target.is_narrowed() {
                    search.others(self, &wanted)?;
                }
            }
            Ok(search.found)
        })
    }
}

/// A search under way.
struct Search<'a> {
    target: &'a Target,
    found: Whereabouts,
}

impl Search<'_> {
    fn chunks(&mut self, snapshot: &Snapshot, wanted: &BTreeSet<SeriesIx>) -> Result<(), StoreError> {
        let hours = self.target.at.map_or(i64::MIN..=i64::MAX, |at| hour_of(at)..=hour_of(at));
        let chunks = snapshot.table(tables::CHUNKS)?;
        for series in wanted {
            let rows = (series.0, *hours.start(), 0)..=(series.0, *hours.end(), u32::MAX);
            for row in chunks.range(rows).while_doing(DOING)? {
                let (row, record) = row.while_doing(DOING)?;
                let key = ChunkKey::of_row(row.value());
                if !self.found.hours.contains(&(key.series, key.hour)) {
                    match chunk::mentions(key, record.value(), &self.target.reference) {
                        Ok(true) => {
                            self.found.hours.insert((key.series, key.hour));
                        }
                        Ok(false) => {}
                        Err(_) => self.found.unreadable += 1,
                    }
                }
            }
        }
        Ok(())
    }

    fn make_ready(
        &mut self,
        snapshot: &Snapshot,
        series: &BTreeMap<SeriesIx, (SeriesKey, Kind)>,
    ) -> Result<(), StoreError> {
        if self.found.hours.len() > MOST {
            // It will be refused.
            return Ok(());
        }
        let (chunks, hours) = (snapshot.table(tables::CHUNKS)?, snapshot.table(tables::HOURS)?);
        let mut bytes = 0;
        for (ix, hour) in self.found.hours.iter().copied() {
            let Some((_, kind)) = series.get(&ix) else { continue };
            let rework = Rework::of(&chunks, &hours, self.target, ix, hour, *kind)?;
            bytes += rework.bytes();
            if bytes > MOST_READY_BYTES {
                break;
            }
            self.found.ready.insert((ix, hour), rework);
        }
        Ok(())
    }

    /// Looks for samples of the reference that are not meant, until there is one.
    fn others(&mut self, snapshot: &Snapshot, wanted: &BTreeSet<SeriesIx>) -> Result<(), StoreError> {
        for row in snapshot.table(tables::CHUNKS)?.iter().while_doing(DOING)? {
            if self.found.others {
                break;
            }
            let (row, record) = row.while_doing(DOING)?;
            let key = ChunkKey::of_row(row.value());
            let wanted = wanted.contains(&key.series);
            if wanted && self.target.at.is_none() {
                continue;
            }
            if chunk::mentions(key, record.value(), &self.target.reference) == Ok(true) {
                let samples = chunk::decode(key, record.value()).unwrap_or_default();
                self.found.others = !wanted || samples.iter().any(|stored| self.is_other(stored));
            }
        }
        Ok(())
    }

    /// Whether a sample has the reference and is of another instant than is meant.
    fn is_other(&self, stored: &StoredSample) -> bool {
        stored.reference.as_ref() == Some(&self.target.reference) && !self.target.means(stored)
    }

    fn tail(&mut self, snapshot: &Snapshot, wanted: &BTreeSet<SeriesIx>) -> Result<(), StoreError> {
        for row in snapshot.table(tables::TAIL)?.iter().while_doing(DOING)? {
            let (seq, record) = row.while_doing(DOING)?;
            let Ok(batch) = batch::decode(seq.value(), record.value()) else {
                self.found.unreadable += 1;
                continue;
            };
            for each in batch.samples {
                let (series, stored) = each.into_stored();
                if stored.reference.as_ref() != Some(&self.target.reference) {
                    continue;
                }
                if wanted.contains(&series) && self.target.means(&stored) {
                    self.found.batches.insert(seq.value());
                    self.found.hours.insert((series, hour_of(stored.sample.timestamp())));
                } else {
                    self.found.others = true;
                }
            }
        }
        Ok(())
    }

    fn trail(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let Some(trail) = snapshot.table_if_there(tables::CORRECTIONS)? else { return Ok(()) };
        for row in trail.iter().while_doing(DOING)? {
            let (id, record) = row.while_doing(DOING)?;
            let entry = Entry::decode(id.value(), record.value()).ok();
            if entry.and_then(|entry| entry.about).is_some_and(|about| about.reference == self.target.reference) {
                self.found.entries.insert(id.value());
            }
        }
        Ok(())
    }
}
