//! What the store keeps in memory: the twin of its small tables, and marks of the tail.
//!
//! It is read when the file is opened and changed only after a transaction has become durable, so
//! that after a failure it is dropped and read again.

use super::batch::{self, Declaration, TailMark};
use super::error::{StoreError, While};
use super::fault::{Fault, Faults, Place};
use super::idempotency::{Ledger, Remembered};
use super::retention::Expiry;
use super::seal::Sealing;
use super::series::{self, SeriesIx};
use super::tables::{self, meta};
use super::{FORMAT, Origin, StoredSeries, metric, outbox};
use bellwether_core::labels::{MetricName, SeriesKey};
use bellwether_core::sample::Kind;
use bellwether_core::time::TimestampMs;
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

const DOING: &str = "reading the store";

/// See the module.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) epoch: u64,
    pub(super) origin: Origin,
    pub(super) seq: u64,
    /// Whether something was erased since the file was made.
    pub(super) erased: bool,
    pub(super) next_series: u32,
    pub(super) next_notice: u64,
    pub(super) by_key: HashMap<SeriesKey, (SeriesIx, Kind)>,
    pub(super) series: BTreeMap<SeriesIx, (SeriesKey, Kind)>,
    pub(super) metrics: BTreeMap<MetricName, Declaration>,
    pub(super) remembered: Remembered,
    pub(super) tail: BTreeMap<u64, TailMark>,
    pub(super) tail_samples: usize,
    /// `(next_attempt_at, notice)`.
    pub(super) due: BTreeSet<(i64, u64)>,
    pub(super) sealing: Sealing,
    pub(super) expiry: Expiry,
    /// The bytes of all records of chunks.
    pub(super) chunk_bytes: u64,
    /// The newest batch with a sample of the series, of the series that had any since the start or
    /// in the tail at the start.
    pub(super) newest_batch: HashMap<SeriesIx, u64>,
    /// The newest timestamp of the same series among those samples.
    pub(super) newest: HashMap<SeriesIx, TimestampMs>,
    /// The newest timestamp, or a later one, of what was sealed of a series when it was first asked for.
    pub(super) newest_sealed: HashMap<SeriesIx, Option<TimestampMs>>,
    /// Also readings find damage, and they leave all else as it is.
    pub(super) faults: RefCell<Faults>,
}

impl State {
    /// Reads the twin from a file whose format is known.
    pub(super) fn load(database: &Database, opened_at: TimestampMs) -> Result<Self, StoreError> {
        let mut state = Self::default();
        let read = database.begin_read().while_doing(DOING)?;

        let table = read.open_table(tables::META).while_doing(DOING)?;
        let entry = |name: &str| -> Result<Option<u64>, StoreError> {
            Ok(table.get(name).while_doing(DOING)?.map(|guard| guard.value()))
        };
        let number = |name: &str| -> Result<u64, StoreError> { Ok(entry(name)?.unwrap_or(0)) };
        check_format(number(meta::FORMAT)?)?;
        state.epoch = number(meta::EPOCH)?;
        state.origin = Origin::of_mark(entry(meta::ORIGIN)?)?;
        state.seq = number(meta::SEQ)?;
        state.erased = entry(meta::ERASED)?.is_some();
        state.next_series = u32::try_from(number(meta::NEXT_SERIES)?)
            .map_err(|_| StoreError::Corrupt { what: "the number of the next series is out of range".to_owned() })?;
        state.next_notice = number(meta::NEXT_NOTICE)?;
        state.sealing = Sealing::load(entry)?;
        state.chunk_bytes = match entry(meta::CHUNK_BYTES)? {
            Some(bytes) => bytes,
            None => chunk_bytes(&read)?,
        };

        for row in read.open_table(tables::SERIES).while_doing(DOING)?.iter().while_doing(DOING)? {
            let (ix, record) = row.while_doing(DOING)?;
            let ix = SeriesIx(ix.value());
            match series::decode(ix, record.value()) {
                Ok((key, kind)) => state.add_series(StoredSeries { ix, key, kind }),
                Err(reason) => state.faults.get_mut().add(Fault { place: Place::Series { series: ix }, reason }),
            }
        }
        for row in read.open_table(tables::METRICS).while_doing(DOING)?.iter().while_doing(DOING)? {
            let (name, record) = row.while_doing(DOING)?;
            match metric::decode(name.value(), record.value()) {
                Ok(declaration) => {
                    state.metrics.insert(declaration.metric.clone(), declaration);
                }
                Err(reason) => {
                    let metric = name.value().to_owned();
                    state.faults.get_mut().add(Fault { place: Place::Metric { metric }, reason });
                }
            }
        }
        for row in read.open_table(tables::SENDERS).while_doing(DOING)?.iter().while_doing(DOING)? {
            let (sender, record) = row.while_doing(DOING)?;
            match Ledger::decode(sender.value(), record.value(), opened_at) {
                Ok(ledger) => {
                    state.remembered.senders.insert(Arc::from(sender.value()), ledger);
                }
                Err(reason) => {
                    let sender = sender.value().to_owned();
                    state.faults.get_mut().add(Fault { place: Place::Sender { sender }, reason });
                }
            }
        }
        for row in read.open_table(tables::BATCHES).while_doing(DOING)?.iter().while_doing(DOING)? {
            let (key, text) = row.while_doing(DOING)?;
            state.remembered.restore(key.value(), Arc::from(text.value()));
        }
        for row in read.open_table(tables::TAIL).while_doing(DOING)?.iter().while_doing(DOING)? {
            let (seq, record) = row.while_doing(DOING)?;
            let seq = seq.value();
            match batch::decode(seq, record.value()) {
                Ok(batch) => {
                    if let Some(mark) = batch.mark() {
                        let samples = batch.samples.iter().map(|each| (each.series, each.sample.timestamp()));
                        state.add_tail(seq, mark, samples);
                    }
                }
                Err(reason) => state.faults.get_mut().add(Fault { place: Place::Batch { seq }, reason }),
            }
        }
        for row in read.open_table(tables::OUTBOX).while_doing(DOING)?.iter().while_doing(DOING)? {
            let (id, record) = row.while_doing(DOING)?;
            let id = id.value();
            match outbox::decode(id, record.value()) {
                Ok(notice) => {
                    state.due.insert((notice.next_attempt_at.get(), id));
                }
                Err(reason) => state.faults.get_mut().add(Fault { place: Place::Notice { id }, reason }),
            }
        }
        Ok(state)
    }

    pub(super) fn add_series(&mut self, series: StoredSeries) {
        self.by_key.insert(series.key.clone(), (series.ix, series.kind));
        self.series.insert(series.ix, (series.key, series.kind));
    }

    /// Notes a batch of the tail; `samples` are its series with timestamps of theirs, the newest among them.
    pub(super) fn add_tail(
        &mut self,
        seq: u64,
        mark: TailMark,
        samples: impl Iterator<Item = (SeriesIx, TimestampMs)>,
    ) {
        self.tail_samples += mark.samples;
        self.tail.insert(seq, mark);
        for (series, timestamp) in samples {
            self.newest_batch.insert(series, seq);
            self.newest.entry(series).and_modify(|newest| *newest = timestamp.max(*newest)).or_insert(timestamp);
        }
    }

    /// Notes what is left of a batch of the tail; `None` where it is nothing.
    pub(super) fn change_tail(&mut self, seq: u64, mark: Option<TailMark>) {
        if let Some(before) = self.tail.remove(&seq) {
            self.tail_samples -= before.samples;
        }
        if let Some(mark) = mark {
            self.tail_samples += mark.samples;
            self.tail.insert(seq, mark);
        }
    }

    /// Whether the tail may hold samples of the series.
    pub(super) fn is_in_tail(&self, series: SeriesIx) -> bool {
        let oldest = self.tail.first_key_value().map(|(seq, _)| *seq);
        self.newest_batch.get(&series).copied() >= oldest && oldest.is_some()
    }
}

/// Reads how much all chunks take: once, for a store of a program that did not note it.
fn chunk_bytes(read: &ReadTransaction) -> Result<u64, StoreError> {
    let mut bytes = 0;
    for row in read.open_table(tables::CHUNKS).while_doing(DOING)?.iter().while_doing(DOING)? {
        bytes += row.while_doing(DOING)?.1.value().len() as u64;
    }
    Ok(bytes)
}

/// Refuses a format that this program does not know.
pub(super) fn check_format(found: u64) -> Result<(), StoreError> {
    match found {
        0 => Err(StoreError::Corrupt { what: "it is a redb file without a format number of a store".to_owned() }),
        found if found > FORMAT => Err(StoreError::Newer { found, known: FORMAT }),
        _ => Ok(()),
    }
}
