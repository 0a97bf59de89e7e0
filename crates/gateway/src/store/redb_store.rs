//! The store over redb: opening, the latch, and opening anew.

use super::disk::{self, Disk, FileDisk};
use super::error::{StoreError, While};
use super::journal::{self, Journal};
use super::seal::{Progress, SealLimits};
use super::state::{State, check_format};
use super::tables::{self, meta};
use super::{FORMAT, NewStore, Origin, Resurfaced, Statistics, recovery};
use super::{histograms, renew};
use bellwether_core::time::{DurationMs, TimestampMs};
use redb::{Database, ReadableDatabase, WriteTransaction};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// The store's file in the data folder.
pub const FILE_NAME: &str = "bellwether.redb";
/// How much of the file is kept in memory.
const CACHE_BYTES: usize = 64 * 1024 * 1024;
/// How long the store waits before it opens its file anew after a failure.
const REOPEN_AFTER: DurationMs = DurationMs::from_secs(1);
/// How long sealing and dropping pause after they met damage, so that commits go on in between.
const PAUSE: DurationMs = DurationMs::from_minutes(10);

/// A [`Store`](super::Store) in a redb file and a journal beside it.
pub struct RedbStore {
    disk: Box<dyn Disk>,
    /// `None` after a failure, until it is opened anew.
    database: Option<Database>,
    opened_at: TimestampMs,
    /// The newest commits, which `database` has still to take up; readings have it do so too.
    journal: RefCell<Journal>,
    /// The twin of what is in `database` and `journal`.
    pub(super) state: State,
    /// Not before then is the file opened anew; set by a failure.
    retry_at: Option<TimestampMs>,
    /// A reading has failed, so that `database` may answer no more: the next change opens it anew. A commit into the
    /// journal alone would not meet with it.
    is_doubtful: Cell<bool>,
    reopened: u64,
    limits: SealLimits,
    /// Free space of the disk below which no samples are taken.
    reserve_bytes: u64,
    resurfaced: Vec<Resurfaced>,
    /// Since when sealing and dropping pause: they met damage that they cannot get past.
    paused_at: Option<TimestampMs>,
}

impl std::fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedbStore")
            .field("path", &self.disk.path())
            .field("seq", &self.state.seq)
            .finish_non_exhaustive()
    }
}

impl RedbStore {
    /// Opens the store in the data folder `folder`; makes folder and store where there are none.
    /// A new store keeps what `new` says; an old one keeps its own epoch. After something was erased, its file is
    /// written anew, so that nothing of it is left in free pages.
    /// Cost: reads the small tables and the tail, not the chunks.
    ///
    /// # Errors
    /// [`StoreError`] with a sentence that says how to mend it: no right to write, open in another
    /// process, written by a newer program, of another origin, damaged, disk full.
    pub fn open(folder: &Path, new: impl Into<NewStore>) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        let changed = disk::folders_to_sync(&path);
        std::fs::create_dir_all(folder)
            .map_err(|reason| StoreError::NotWritable { folder: folder.to_owned(), reason })?;
        let mut store = Self::open_on(Box::new(FileDisk::new(path)), new)?;
        if store.state.erased {
            store.renew()?;
        }
        // What is acknowledged from here on must not vanish with the name of its file.
        for folder in changed {
            disk::sync_folder(&folder).map_err(|reason| StoreError::of_io("keeping the store's folder", reason))?;
        }
        Ok(store)
    }

    /// Writes the file anew; where that fails, the old one is gone on with.
    fn renew(&mut self) -> Result<(), StoreError> {
        let Some(database) = self.database.take() else { return Ok(()) };
        let (disk, epoch) = (self.disk.as_ref(), self.state.epoch);
        self.journal.replace(Journal::none());
        if let Err(error) = shielded(move || renew::renew(disk, database, epoch)) {
            tracing::warn!(%error, "free pages of the store's file may still hold what was erased; the next start tries again");
        }
        let (database, state) = open_database(disk, None, self.opened_at)?;
        self.journal.replace(Journal::begin(disk, &database, epoch));
        (self.database, self.state) = (Some(database), state);
        Ok(())
    }

    /// Opens the store on a disk of any make; see [`RedbStore::open`].
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn open_on(disk: Box<dyn Disk>, new: impl Into<NewStore>) -> Result<Self, StoreError> {
        let new = new.into();
        let (database, state) = open_database(disk.as_ref(), Some(new), new.now)?;
        if state.origin != new.origin {
            return Err(StoreError::OtherOrigin { path: disk.path().to_owned(), found: state.origin });
        }
        let journal = RefCell::new(Journal::begin(disk.as_ref(), &database, state.epoch));
        Ok(Self {
            disk,
            database: Some(database),
            journal,
            opened_at: new.now,
            state,
            retry_at: None,
            is_doubtful: Cell::new(false),
            reopened: 0,
            limits: SealLimits::default(),
            reserve_bytes: 0,
            resurfaced: Vec::new(),
            paused_at: None,
        })
    }

    /// The same store, sealing as much at a time as `limits` say.
    #[must_use]
    pub fn with_seal_limits(mut self, limits: SealLimits) -> Self {
        self.limits = limits;
        self.state.sealing.limits = limits;
        self
    }

    /// The same store, which takes no samples while its disk has less than `bytes` left. What it needs for
    /// itself (sealing, dropping, alerts) goes on, out of what is kept free.
    #[must_use]
    pub fn with_reserve(mut self, bytes: u64) -> Self {
        self.reserve_bytes = bytes;
        self
    }

    /// # Errors
    /// [`StoreError::Scarce`] where the disk is nearly full.
    pub(super) fn check_room(&self) -> Result<(), StoreError> {
        match self.disk.free_bytes() {
            Some(free_bytes) if free_bytes < self.reserve_bytes => {
                Err(StoreError::Scarce { free_bytes, reserve_bytes: self.reserve_bytes })
            }
            _ => Ok(()),
        }
    }

    /// Closes the store. Dropping it does the same but cannot say what went wrong.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed; what was acknowledged is on disk all the same.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.finish()
    }

    /// Leaves one file: the database has taken up what is in the journal, which is removed.
    fn finish(&mut self) -> Result<(), StoreError> {
        let Some(database) = self.database.take() else { return Ok(()) };
        let mut journal = self.journal.replace(Journal::none());
        let disk = &self.disk;
        shielded(move || {
            let doing = "closing the store";
            journal.settle(&database)?;
            drop(journal);
            // While the database is locked: nobody else has begun a journal of their own.
            disk.remove_journal().map_err(|reason| StoreError::of_io(doing, reason))?;
            database.close().while_doing(doing)
        })
    }

    /// Where its samples come from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.state.origin
    }

    /// The file of the store.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.disk.path()
    }

    /// Runs a change of the database, once it has taken up what is in the journal. See [`RedbStore::commit`].
    pub(super) fn change<T>(
        &mut self,
        now: TimestampMs,
        change: impl FnOnce(&Database, &mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.commit(now, |database, state, journal| {
            journal.settle(database)?;
            change(database, state)
        })
    }

    /// Runs a change of the files. After a failure they are closed, and opened anew at the first
    /// call a second later.
    pub(super) fn commit<T>(
        &mut self,
        now: TimestampMs,
        change: impl FnOnce(&Database, &mut State, &mut Journal) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.is_doubtful.take() {
            self.shut();
        }
        if self.database.is_none() {
            self.reopen(now)?;
        }
        let Some(database) = self.database.take() else { return Err(StoreError::Closed) };
        let (state, journal) = (&mut self.state, self.journal.get_mut());
        // In a panic the database goes down with the stack: closed after it, redb would make one more
        // commit without quick repair, and the next start would have to find the whole file intact.
        let result = shielded(move || {
            let result = change(&database, state, journal);
            Ok((database, result))
        });
        let result = match result {
            Ok((database, result)) => {
                self.database = Some(database);
                result
            }
            Err(panic) => Err(panic),
        };
        if let Err(error) = &result
            && error.latches()
        {
            self.shut();
            // Damage is not mended by waiting, and other parts of the file may be whole.
            let wait = !matches!(error, StoreError::Corrupt { .. });
            self.retry_at = wait.then_some(now + REOPEN_AFTER);
        }
        result
    }

    /// Runs a step of what may as well be done later. Where it meets damage, it pauses, lest it close
    /// the file again and again under the commits.
    pub(super) fn upkeep(
        &mut self,
        now: TimestampMs,
        step: impl FnOnce(&Database, &mut State) -> Result<Progress, StoreError>,
    ) -> Result<Progress, StoreError> {
        if self.paused_at.is_some_and(|since| now.since(since) < PAUSE) {
            return Ok(Progress::Done);
        }
        let result = self.change(now, step);
        self.paused_at = matches!(result, Err(StoreError::Corrupt { .. })).then_some(now);
        result
    }

    /// Runs a reading of the file. A failure is told, and the next change opens the file anew.
    pub(super) fn look<T>(
        &self,
        look: impl FnOnce(&Database, &State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Some(database) = &self.database else { return Err(StoreError::Closed) };
        let result = shielded(|| {
            self.journal.borrow_mut().settle(database)?;
            look(database, &self.state)
        });
        if let Err(error) = &result
            && error.latches()
            && !matches!(error, StoreError::Corrupt { .. })
        {
            self.is_doubtful.set(true);
        }
        result
    }

    fn reopen(&mut self, now: TimestampMs) -> Result<(), StoreError> {
        // A clock that was set back must not keep the store closed, so only a short wait counts.
        let wait = self.retry_at.map_or(DurationMs::ZERO, |at| at.since(now));
        if wait > DurationMs::ZERO && wait <= REOPEN_AFTER {
            return Err(StoreError::Closed);
        }
        match open_database(self.disk.as_ref(), None, self.opened_at) {
            Ok((database, state)) => {
                // A failed commit may have reached the disk all the same.
                let unseen = self.state.seq + 1..=state.seq;
                self.resurfaced.extend(shielded(|| recovery::batches(&database, &state, unseen.clone()))?);
                self.resurfaced.extend(shielded(|| histograms::resurfaced(&database, &state, unseen))?);
                self.journal.replace(Journal::begin(self.disk.as_ref(), &database, state.epoch));
                self.database = Some(database);
                let before = std::mem::replace(&mut self.state, state);
                self.state.faults.get_mut().join(before.faults.into_inner());
                self.state.sealing.limits = self.limits;
                self.retry_at = None;
                self.reopened += 1;
                Ok(())
            }
            Err(error) => {
                self.retry_at = Some(now + REOPEN_AFTER);
                Err(error)
            }
        }
    }

    pub(super) fn resurfaced(&mut self) -> Vec<Resurfaced> {
        std::mem::take(&mut self.resurfaced)
    }

    /// Closes the files after a failure; what is in the journal is read from there when they are opened anew.
    fn shut(&mut self) {
        self.journal.replace(Journal::none());
        if let Some(database) = self.database.take() {
            // The failure that led here is the one that is told.
            let _ = shielded(|| {
                drop(database);
                Ok(())
            });
        }
    }

    pub(super) fn figures(&self) -> Statistics {
        Statistics {
            disk: self.disk.usage().unwrap_or_default(),
            series: self.state.series.len(),
            chunk_bytes: self.state.chunk_bytes,
            tail_batches: self.state.tail.len(),
            tail_samples: self.state.tail_samples,
            notices: self.state.due.len(),
            faults: self.state.faults.borrow().count(),
            reopened: self.reopened,
        }
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        // It cannot be told; what is in the journal stays there.
        let _ = self.finish();
    }
}

/// Begins a transaction whose commit is durable and leaves a file that opens at once after a crash.
///
/// Quick repair costs a second fsync a commit. Without it, the first start after a crash would walk
/// the whole file, and a single flipped bit in an old chunk would keep the store from opening at
/// all, instead of costing that one chunk.
pub(super) fn begin_write(database: &Database, doing: &'static str) -> Result<WriteTransaction, StoreError> {
    let mut write = database.begin_write().while_doing(doing)?;
    write
        .set_durability(redb::Durability::Immediate)
        .map_err(|error| StoreError::Internal { what: error.to_string() })?;
    write.set_quick_repair(true);
    Ok(write)
}

/// Opens the database and reads its twin, for a store that was opened at `opened_at`. Only with `new` may a new
/// store be made.
fn open_database(
    disk: &dyn Disk,
    new: Option<NewStore>,
    opened_at: TimestampMs,
) -> Result<(Database, State), StoreError> {
    let path = disk.path();
    shielded(|| {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let database = disk.open(&builder).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen | redb::DatabaseError::LockProtocolMismatch => {
                StoreError::Locked { path: path.to_owned() }
            }
            redb::DatabaseError::Storage(redb::StorageError::Io(reason)) => of_opening(path, reason),
            error => StoreError::of("opening the store", error.into()),
        })?;
        prepare(&database, new)?;
        let journal = disk.read_journal().map_err(|reason| of_opening(path, reason))?;
        let faults = journal::recover(&database, &journal)?;
        let state = State::load(&database, opened_at)?;
        for fault in faults {
            state.faults.borrow_mut().add(fault);
        }
        Ok((database, state))
    })
}

/// What the system said of the file, told apart by who can mend it.
pub(super) fn of_opening(path: &Path, reason: std::io::Error) -> StoreError {
    use std::io::ErrorKind;
    match reason.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotFound | ErrorKind::IsADirectory => {
            StoreError::NotWritable { folder: path.parent().unwrap_or(path).to_owned(), reason }
        }
        ErrorKind::InvalidData => {
            StoreError::Corrupt { what: format!("{} is no redb file ({reason})", path.display()) }
        }
        ErrorKind::UnexpectedEof => StoreError::Corrupt { what: format!("{} is cut short ({reason})", path.display()) },
        _ => StoreError::of_io("opening the store", reason),
    }
}

/// Makes the tables of a new store; checks the format of an old one before anything is written.
fn prepare(database: &Database, new: Option<NewStore>) -> Result<(), StoreError> {
    let doing = "making the tables of the store";
    let read = database.begin_read().while_doing(doing)?;
    if read.list_tables().while_doing(doing)?.next().is_some() {
        return match read.open_table(tables::META) {
            Ok(table) => check_format(table.get(meta::FORMAT).while_doing(doing)?.map_or(0, |guard| guard.value())),
            Err(redb::TableError::TableDoesNotExist(_)) => check_format(0),
            Err(error) => Err(StoreError::of(doing, error.into())),
        };
    }
    drop(read);
    let Some(NewStore { epoch, origin, .. }) = new else {
        return Err(StoreError::Corrupt { what: "its file has lost its tables".to_owned() });
    };
    let write = begin_write(database, doing)?;
    {
        let mut table = write.open_table(tables::META).while_doing(doing)?;
        table.insert(meta::FORMAT, FORMAT).while_doing(doing)?;
        table.insert(meta::EPOCH, epoch).while_doing(doing)?;
        table.insert(meta::ORIGIN, origin.mark()).while_doing(doing)?;
        write.open_table(tables::SERIES).while_doing(doing)?;
        write.open_table(tables::METRICS).while_doing(doing)?;
        write.open_table(tables::TAIL).while_doing(doing)?;
        write.open_table(tables::CHUNKS).while_doing(doing)?;
        write.open_table(tables::HOURS).while_doing(doing)?;
        write.open_table(tables::SENDERS).while_doing(doing)?;
        write.open_table(tables::BATCHES).while_doing(doing)?;
        write.open_table(tables::OUTBOX).while_doing(doing)?;
        write.open_table(tables::ALERTS).while_doing(doing)?;
    }
    write.commit().while_doing(doing)
}

/// Turns a panic of redb, as it has them for files that were altered from outside, into an error, so
/// that a damaged file costs an answer and not the gateway.
pub(super) fn shielded<T>(run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(StoreError::Corrupt { what: said.unwrap_or("its structure cannot be read").to_owned() })
    })
}
