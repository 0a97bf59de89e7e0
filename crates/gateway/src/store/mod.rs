//! The embedded store: what the gateway has acknowledged, on disk.
//!
//! One writer thread owns a [`Store`]; everything is plain synchronous Rust, and time comes in as an
//! argument. The one implementation is [`RedbStore`]: the tables of `docs/formats/store.md` in a
//! redb file, `bellwether.redb` in the data folder, and beside it while it is open a journal of the newest commits.
//!
//! ```text
//! open ─► replay ─► append · append · … ─► seal (a bounded step at a time) ─► expire (likewise)
//! ```
//!
//! - [`Store::append`] is one transaction with fsync for all the batches that wait: when it returns
//!   `Ok`, every batch with [`Outcome::Stored`] is on disk, whole. A batch whose [`IdempotencyKey`]
//!   is known is a [`Outcome::Duplicate`] and leaves no trace, and so does a sample that came before
//!   where there is to be one a timestamp ([`Outcome::StoredInPart`]).
//! - [`Store::replay`] gives a starting gateway what its engine needs.
//! - An `Err` means that nothing of the call is acknowledged; the sender is to be told to come
//!   again (503). After a failure of the disk the store opens its file anew by itself at a later
//!   call, at most once a second, so that the caller only has to go on calling.
//!
//! Invariants: no sample is in two places at once or in none (each move is one transaction); a
//! record that fails its checksum is named and counted and never served; numbers of series and
//! `seq` are never given twice.

mod append;
mod batch;
mod chunk;
mod codec;
mod correction;
mod disk;
mod ended;
mod enter;
mod error;
mod export;
mod fault;
mod find;
mod histograms;
mod hour;
mod idempotency;
mod journal;
mod metric;
mod origin;
mod outbox;
mod read;
mod recovery;
mod redb_store;
mod renew;
mod repeats;
mod restated;
mod retention;
mod rework;
mod rollups;
mod rows;
mod seal;
mod series;
mod snapshot;
mod state;
mod stopped;
mod tables;
mod trail;
mod transfer;
mod verify;

use std::ops::ControlFlow;

use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::TimestampMs;

pub use batch::{Batch, BatchSample, Declaration, Found, LeftOut, Outcome};
pub use codec::CodecError;
pub use correction::{Change, Corrected, Correction};
pub(crate) use disk::sync_folder;
pub use disk::{Disk, DiskUsage, FileDisk};
pub use ended::{Ended, MOST_ENDED};
pub use error::StoreError;
pub use export::{Exported, ExportedHistogram, Selection};
pub use fault::{Fault, Place};
pub use find::{Target, Whereabouts};
pub use histograms::{BatchHistogram, Counted};
pub use idempotency::{IdempotencyKey, KeyError};
pub use origin::{NewStore, Origin};
pub use outbox::{AlertChange, Notice};
pub use read::Reading;
pub use recovery::Recovered;
pub use redb_store::{FILE_NAME, RedbStore};
pub use restated::Mark;
pub use retention::Retention;
pub use seal::{Progress, SealLimits};
pub use series::SeriesIx;
pub use snapshot::Snapshot;
pub use stopped::StoppedStore;
pub use trail::{About, Action, Changed, Entry, Trail};
pub use transfer::{Receiving, TransferError};
pub use verify::Verification;

/// The format that this program writes, and the newest that it reads.
pub const FORMAT: u64 = 2;

/// Epochs are of these bits: JSON keeps whole numbers up to here.
pub const EPOCH_MASK: u64 = (1 << 53) - 1;

/// What the gateway keeps across restarts. Owned by one thread.
pub trait Store: Send {
    /// The random number that the store got when it was made; with `seq` it names a place in the
    /// stream.
    fn epoch(&self) -> u64;

    /// The `seq` of the newest batch that was stored; 0 in a new store. Never goes back.
    fn seq(&self) -> u64;

    /// Stores batches, durably, in one transaction; one [`Outcome`] for each, in their order. A sample of
    /// which there is to be one a timestamp is left out where its series has a value at its timestamp.
    /// Cost: one group commit (one fsync, two where there is a histogram) for all of them, and a look at what is stored
    /// around those samples that are no newer than their series.
    ///
    /// # Errors
    /// [`StoreError`] where the disk is full, failed or is still out of use after a failure: then
    /// nothing of `batches` may be acknowledged.
    fn append(&mut self, batches: &[Batch]) -> Result<Vec<Outcome>, StoreError>;

    /// Whether a batch with this id is known to be on disk, at `now`. What came to be there by a commit
    /// that failed is known only once the file is open again. Cost: none.
    fn remembers(&self, key: &IdempotencyKey, now: TimestampMs) -> bool;

    /// Batches that came to light when the file was opened anew after a failure: their commit failed
    /// towards the caller and nobody was told that they are stored, but they had reached the disk.
    /// The engine is to see them as if they had been appended; each is given once.
    fn take_resurfaced(&mut self) -> Vec<Resurfaced>;

    /// Streams what a starting engine needs to `each`, series by series and oldest first within a
    /// series: summaries of the hours that are older than 24 h, then raw samples from the edge of an
    /// hour on. What is not sealed comes raw in its place, and so does an old hour that it belongs to:
    /// a counter's late samples say what it grew by only in the order of time. Each sample comes once,
    /// in one form or the other. Where `each` breaks, nothing more is read. Returns what had to be left
    /// out because it is damaged. Cost: reads it, and holds the tail in memory.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    fn replay(
        &self,
        now: TimestampMs,
        each: &mut dyn FnMut(Recovered<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Fault>, StoreError>;

    /// Changes stored samples, which are where `found` says, durably, in one transaction, and notes it in the
    /// trail. Cost: rewrites the chunks that they are in, and those batches of the tail.
    ///
    /// # Errors
    /// [`StoreError`] where the disk is full or failed: then nothing may be acknowledged.
    fn correct(&mut self, asked: &Correction, found: &Whereabouts) -> Result<Corrected, StoreError>;

    /// The series of which `found` says something.
    fn series_of(&self, found: &Whereabouts) -> Vec<SeriesKey>;

    /// The spans in which samples of a series were changed. Cost: reads their marks.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    fn restated(&self) -> Result<Vec<(SeriesKey, Mark)>, StoreError>;

    /// Moves a bounded number of samples from the tail into chunks; to be called between commits
    /// until it says [`Progress::Done`], and again every few seconds. Hours that are over become one
    /// chunk a series. Cost of a call: some milliseconds and one commit.
    ///
    /// # Errors
    /// [`StoreError`] where the disk is full or failed: then nothing has moved. After damage that it
    /// cannot get past, it does nothing for ten minutes, so that commits go on.
    fn seal(&mut self, now: TimestampMs) -> Result<Progress, StoreError>;

    /// Drops a bounded number of hours that are over for longer than `retention` says, and series of
    /// which nothing is left; to be called like [`Store::seal`].
    ///
    /// # Errors
    /// [`StoreError`] where the disk is full or failed.
    fn expire(&mut self, now: TimestampMs, retention: Retention) -> Result<Progress, StoreError>;

    /// The raw samples of a series in `(from, to]`, from chunks and tail. A series that is not known
    /// has none.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    fn read(&self, series: &SeriesKey, from: TimestampMs, to: TimestampMs) -> Result<Reading, StoreError>;

    /// All series, in the order in which they first came.
    fn series(&self) -> Vec<StoredSeries>;

    /// The store as it is now, to be read by another thread while this one goes on writing. As long as it
    /// lives, what is dropped from the store keeps its place in the file. Cost: a commit where there were others since the
    /// last one.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    fn snapshot(&self) -> Result<Snapshot, StoreError>;

    /// Reads every record and checks it. Cost: reads the whole file.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    fn verify(&self) -> Result<Verification, StoreError>;

    /// What senders declared of metrics, in the order of the names.
    fn declarations(&self) -> Vec<Declaration>;

    /// Keeps changes of alerts and what is to be told about them, in one transaction; the numbers of
    /// the notices. A notice whose bytes wait already is not kept again. Cost: reads the notices that
    /// wait.
    ///
    /// # Errors
    /// [`StoreError`] where the disk is full or failed: then none of it is kept.
    fn save_alerts(
        &mut self,
        alerts: &[AlertChange],
        notices: &[Vec<u8>],
        now: TimestampMs,
    ) -> Result<Vec<u64>, StoreError>;

    /// All alerts that are kept, as `(key, bytes)` in the order of the keys.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    fn alerts(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError>;

    /// Up to `most` notices whose time has come, the longest due first.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    fn due_notices(&self, now: TimestampMs, most: usize) -> Result<Vec<Notice>, StoreError>;

    /// When the next notice is due; `None` where none waits. Cost: none.
    fn next_notice_at(&self) -> Option<TimestampMs>;

    /// Notes that a notice was delivered; it is forgotten. One that is not there is no error.
    ///
    /// # Errors
    /// [`StoreError`] where the disk is full or failed.
    fn notice_delivered(&mut self, id: u64, now: TimestampMs) -> Result<(), StoreError>;

    /// Notes that a notice could not be delivered and is to be tried again at `next_attempt_at`.
    ///
    /// # Errors
    /// [`StoreError`] where the disk is full or failed.
    fn notice_failed(&mut self, id: u64, next_attempt_at: TimestampMs, now: TimestampMs) -> Result<(), StoreError>;

    /// Figures for the gateway's own `/metrics`. Cost: one look at the file's metadata.
    fn statistics(&self) -> Statistics;
}

/// A sample as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSample {
    /// Value and timestamp.
    pub sample: Sample,
    /// The case or request that it is about.
    pub reference: Option<std::sync::Arc<str>>,
}

/// A batch that was stored although its commit failed towards the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Resurfaced {
    /// Its place in the stream.
    pub seq: u64,
    /// Its samples, in the order in which they were given.
    pub samples: Vec<BatchSample>,
    /// What its histograms added.
    pub increments: Vec<Increment>,
}

/// What a histogram added to its series, at the instant of its last sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Increment {
    /// The series.
    pub series: SeriesKey,
    /// Its kind.
    pub kind: Kind,
    /// What was added: to be merged.
    pub summary: bellwether_core::summary::Summary,
}

/// A series of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSeries {
    /// Its number.
    pub ix: SeriesIx,
    /// Its name and labels.
    pub key: SeriesKey,
    /// Its kind.
    pub kind: Kind,
}

/// Figures about a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// What the file takes on disk; zeroes where it cannot be found out.
    pub disk: DiskUsage,
    /// Series that are known.
    pub series: usize,
    /// What the chunks take in it.
    pub chunk_bytes: u64,
    /// Batches that are not sealed yet.
    pub tail_batches: usize,
    /// Samples in them.
    pub tail_samples: usize,
    /// Notices that wait to be delivered.
    pub notices: usize,
    /// Records that failed their checksum and are kept out.
    pub faults: u64,
    /// Times that the file was opened anew after a failure of the disk.
    pub reopened: u64,
}

impl Store for RedbStore {
    fn epoch(&self) -> u64 {
        self.state.epoch
    }

    fn seq(&self) -> u64 {
        self.state.seq
    }

    fn append(&mut self, batches: &[Batch]) -> Result<Vec<Outcome>, StoreError> {
        self.check_room()?;
        self.commit(append::time_of(batches), |database, state, journal| {
            append::append(database, state, journal, batches)
        })
    }

    fn remembers(&self, key: &IdempotencyKey, now: TimestampMs) -> bool {
        self.state.remembered.knows(key, now)
    }

    fn take_resurfaced(&mut self) -> Vec<Resurfaced> {
        self.resurfaced()
    }

    fn replay(
        &self,
        now: TimestampMs,
        each: &mut dyn FnMut(Recovered<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Fault>, StoreError> {
        self.look(|database, state| recovery::replay(database, state, now, each))
    }

    fn correct(&mut self, asked: &Correction, found: &Whereabouts) -> Result<Corrected, StoreError> {
        self.change(asked.now, |database, state| correction::correct(database, state, asked, found))
    }

    fn series_of(&self, found: &Whereabouts) -> Vec<SeriesKey> {
        found.series().filter_map(|ix| self.state.series.get(&ix)).map(|(key, _)| key.clone()).collect()
    }

    fn restated(&self) -> Result<Vec<(SeriesKey, Mark)>, StoreError> {
        self.look(restated::all)
    }

    fn seal(&mut self, now: TimestampMs) -> Result<Progress, StoreError> {
        self.upkeep(now, |database, state| seal::step(database, state, now))
    }

    fn expire(&mut self, now: TimestampMs, retention: Retention) -> Result<Progress, StoreError> {
        self.upkeep(now, |database, state| retention::step(database, state, now, retention))
    }

    fn read(&self, series: &SeriesKey, from: TimestampMs, to: TimestampMs) -> Result<Reading, StoreError> {
        self.look(|database, state| read::read(database, state, series, from, to))
    }

    fn series(&self) -> Vec<StoredSeries> {
        let series = |(ix, (key, kind)): (&SeriesIx, &(SeriesKey, Kind))| StoredSeries {
            ix: *ix,
            key: key.clone(),
            kind: *kind,
        };
        self.state.series.iter().map(series).collect()
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.look(|database, _| Snapshot::of(database))
    }

    fn verify(&self) -> Result<Verification, StoreError> {
        self.look(|database, state| {
            let found = Snapshot::of(database)?.verify()?;
            for fault in &found.faults {
                state.faults.borrow_mut().add(fault.clone());
            }
            Ok(found)
        })
    }

    fn declarations(&self) -> Vec<Declaration> {
        self.state.metrics.values().cloned().collect()
    }

    fn save_alerts(
        &mut self,
        alerts: &[AlertChange],
        notices: &[Vec<u8>],
        now: TimestampMs,
    ) -> Result<Vec<u64>, StoreError> {
        self.change(now, |database, state| outbox::save_alerts(database, state, alerts, notices, now))
    }

    fn alerts(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.look(|database, _| outbox::alerts(database))
    }

    fn due_notices(&self, now: TimestampMs, most: usize) -> Result<Vec<Notice>, StoreError> {
        self.look(|database, state| outbox::due(database, state, now, most))
    }

    fn next_notice_at(&self) -> Option<TimestampMs> {
        self.state.due.first().map(|(at, _)| TimestampMs::new(*at))
    }

    fn notice_delivered(&mut self, id: u64, now: TimestampMs) -> Result<(), StoreError> {
        self.change(now, |database, state| outbox::delivered(database, state, id))
    }

    fn notice_failed(&mut self, id: u64, next_attempt_at: TimestampMs, now: TimestampMs) -> Result<(), StoreError> {
        self.change(now, |database, state| outbox::failed(database, state, id, next_attempt_at))
    }

    fn statistics(&self) -> Statistics {
        self.figures()
    }
}
