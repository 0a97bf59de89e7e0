//! The journal: a file beside the database into which each commit writes what it changes, in one piece and with one
//! fsync, where the database takes a dozen pages and two. What is in it goes into the database when anything but
//! another commit is done with that, a few seconds later at the latest, and when the journal is full.
//!
//! ```text
//! journal = block…
//! block   = kind:u8  4,095 bytes           0 never written | 1 a commit begins in it | 2 a commit goes on in it
//! commit  = length:u32-le  record  zeros…  spread over as many blocks as it takes
//! record  = 1:u8  epoch:uint  before:uint  after:uint  rows  crc32:u32-le
//! rows    = n:uint  n × { table:u8  key:bytes  there:u8  value:bytes (where there = 1) }
//! ```
//! `before` and `after` are the store's `seq` before the commit and after it. The first commit after the database has
//! taken up all others begins at the beginning again. So a commit is to be gone on with where its `after` is greater
//! than the database's `seq`, and all such follow each other; what is not whole at their end was never acknowledged.
//! No block is written twice before the database has what was in it, so that a torn write harms no other commit.

use redb::{Database, ReadableDatabase, StorageBackend, WriteTransaction};

use super::FORMAT;
use super::codec::{CodecError, Reader, Writer};
use super::disk::Disk;
use super::error::{StoreError, While};
use super::fault::{Fault, Place};
use super::redb_store::{begin_write, shielded};
use super::rows::Rows;
use super::tables::{self, meta};

const DOING: &str = "storing a batch";
const READING: &str = "reading the store's journal";
const VERSION: u8 = 1;
const BLOCK: usize = 4_096;
/// What a block begins with; a sender's texts are never in this place.
const BEGINS: u8 = 1;
const GOES_ON: u8 = 2;
/// The checksum's key: a record of the journal is no record of anything else.
const KEY: &[u8] = b"journal";
/// How long the journal is: some seconds of a hundred small commits a second.
const LENGTH: usize = 1_024 * 1_024;
/// A longer record goes into the database at once: writing it twice costs more than the pages saved.
const LONGEST: usize = LENGTH / 8;

/// Most batches that are named as lost; a journal can hardly hold more.
const MOST_LOST: usize = 100_000;

/// See the module.
pub(super) struct Journal {
    /// `None` where it could not be made: then each commit goes into the database by itself.
    file: Option<Box<dyn StorageBackend>>,
    epoch: u64,
    length: usize,
    /// Where the next commit goes.
    offset: usize,
    /// What the database has still to take up.
    rows: Rows,
}

/// Adds to a transaction what is for the database alone.
type More<'a> = &'a dyn Fn(&WriteTransaction) -> Result<(), StoreError>;

/// What one commit changes.
pub(super) struct Commit {
    pub(super) before: u64,
    pub(super) after: u64,
    pub(super) rows: Rows,
}

impl Journal {
    /// None: each commit goes into the database by itself.
    pub(super) fn none() -> Self {
        Self { file: None, epoch: 0, length: 0, offset: 0, rows: Rows::default() }
    }

    /// An empty journal on `disk`, for a database that has taken up all of the one before.
    pub(super) fn begin(disk: &dyn Disk, database: &Database, epoch: u64) -> Self {
        Self::begin_of(disk, database, epoch, LENGTH)
    }

    fn begin_of(disk: &dyn Disk, database: &Database, epoch: u64, length: usize) -> Self {
        let made = shielded(|| {
            let file = disk.journal().and_then(|file| {
                // Written now, so that a commit changes neither the file's length nor where it lies; and nothing that
                // was erased stays.
                file.set_len(0)?;
                let zeros = [0; 16 * BLOCK];
                for offset in (0..length).step_by(zeros.len()) {
                    file.write(offset as u64, &zeros[..zeros.len().min(length - offset)])?;
                }
                file.sync_data()?;
                Ok(file)
            });
            let file = file.map_err(|reason| StoreError::of_io("making the store's journal", reason))?;
            // A program that knows of no journal must not take this store for whole.
            note_format(database)?;
            Ok(file)
        });
        let file = made.inspect_err(|error| {
            tracing::warn!(%error, "the store goes on without a journal, which makes each commit slower; the next start tries again");
        });
        Self { file: file.ok(), epoch, length, offset: 0, rows: Rows::default() }
    }

    /// Makes a commit durable; what `more` adds to it is for the database alone, which then takes up all.
    ///
    /// # Errors
    /// [`StoreError`]: nothing of the commit may be acknowledged.
    pub(super) fn commit(
        &mut self,
        database: &Database,
        commit: Commit,
        more: Option<More<'_>>,
    ) -> Result<(), StoreError> {
        if let (Some(file), None) = (&self.file, more) {
            let bytes = encode(self.epoch, &commit);
            if bytes.len() <= LONGEST.min(self.length) {
                if self.offset + bytes.len() > self.length {
                    take_up(database, &mut self.rows, None, None)?;
                    self.offset = 0;
                }
                let written = file.write(self.offset as u64, &bytes).and_then(|()| file.sync_data());
                written.map_err(|reason| StoreError::of_io(DOING, reason))?;
                self.offset += bytes.len();
                self.rows.extend(commit.rows);
                return Ok(());
            }
        }
        take_up(database, &mut self.rows, Some(&commit.rows), more)?;
        self.offset = 0;
        Ok(())
    }

    /// Has the database take up all that is in the journal. Cost: nothing where that is nothing, else a transaction.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed; the journal then still has it.
    pub(super) fn settle(&mut self, database: &Database) -> Result<(), StoreError> {
        if !self.rows.is_empty() {
            take_up(database, &mut self.rows, None, None)?;
            self.offset = 0;
        }
        Ok(())
    }
}

/// Writes `rows`, then those of one more commit and what else belongs to it, in one transaction, and forgets `rows`.
fn take_up(
    database: &Database,
    rows: &mut Rows,
    one_more: Option<&Rows>,
    more: Option<More<'_>>,
) -> Result<(), StoreError> {
    let write = begin_write(database, DOING)?;
    rows.write(&write)?;
    one_more.map_or(Ok(()), |one_more| one_more.write(&write))?;
    more.map_or(Ok(()), |more| more(&write))?;
    write.commit().while_doing(DOING)?;
    *rows = Rows::default();
    Ok(())
}

/// A commit as it stands in the journal, in whole blocks.
fn encode(epoch: u64, commit: &Commit) -> Vec<u8> {
    let mut writer = Writer::new(VERSION);
    writer.unsigned(epoch);
    writer.unsigned(commit.before);
    writer.unsigned(commit.after);
    commit.rows.encode(&mut writer);
    let record = writer.finish(KEY);
    let mut bytes = Vec::with_capacity((record.len() + 4).div_ceil(BLOCK - 1) * BLOCK);
    bytes.push(BEGINS);
    bytes.extend_from_slice(&(record.len() as u32).to_le_bytes());
    let (first, rest) = record.split_at(record.len().min(BLOCK - bytes.len()));
    bytes.extend_from_slice(first);
    for part in rest.chunks(BLOCK - 1) {
        bytes.push(GOES_ON);
        bytes.extend_from_slice(part);
    }
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

/// The commit that begins with the first block of `bytes`, whose store it is of, and how many bytes it takes; `None`
/// where none begins there or it is not whole.
fn decode(bytes: &[u8]) -> Option<(u64, Commit, usize)> {
    let mut blocks = bytes.chunks_exact(BLOCK);
    let (length, first) = blocks.next()?.strip_prefix(&[BEGINS])?.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let mut record = first.get(..length.min(first.len()))?.to_vec();
    let mut taken = BLOCK;
    while record.len() < length {
        let part = blocks.next()?.strip_prefix(&[GOES_ON])?;
        record.extend_from_slice(part.get(..part.len().min(length - record.len()))?);
        taken += BLOCK;
    }
    let read = || -> Result<(u64, Commit), CodecError> {
        let (_, mut reader) = Reader::new(KEY, &record, VERSION)?;
        let epoch = reader.unsigned("the epoch")?;
        let (before, after) = (reader.unsigned("the batch before")?, reader.unsigned("the newest batch")?);
        let rows = Rows::decode(&mut reader)?;
        reader.finish()?;
        Ok((epoch, Commit { before, after, rows }))
    };
    read().ok().map(|(epoch, commit)| (epoch, commit, taken))
}

/// Has a database that was just opened take up what the journal of a process that ended on a sudden still has; what
/// of it is damaged. `journal` is the whole file, which may be empty.
///
/// # Errors
/// [`StoreError`] where the disk failed, or the journal is not this store's.
pub(super) fn recover(database: &Database, journal: &[u8]) -> Result<Vec<Fault>, StoreError> {
    let number = |name: &str| -> Result<u64, StoreError> {
        let read = database.begin_read().while_doing(READING)?;
        let table = read.open_table(tables::META).while_doing(READING)?;
        Ok(table.get(name).while_doing(READING)?.map_or(0, |guard| guard.value()))
    };
    let (epoch, mut seq) = (number(meta::EPOCH)?, number(meta::SEQ)?);
    let (mut rows, mut faults, mut offset) = (Rows::default(), Vec::new(), 0);
    while let Some(rest) = journal.get(offset..).filter(|rest| !rest.is_empty()) {
        let Some((of, commit, length)) = decode(rest) else {
            offset += BLOCK;
            continue;
        };
        if of != epoch {
            return Err(not_of("it is the journal of another store"));
        }
        if commit.after > seq {
            // At the very beginning nothing can be missing before it but from the database.
            if commit.before > seq && offset == 0 {
                return Err(not_of("it goes on from a later state of the store than this file has"));
            }
            // An older one of those that were overwritten was taken up: what is missing in between is damaged.
            for lost in (seq + 1..=commit.before).take(MOST_LOST) {
                faults.push(Fault { place: Place::Batch { seq: lost }, reason: CodecError::Checksum });
            }
            seq = commit.after;
            rows.extend(commit.rows);
        }
        offset += length;
    }
    if !rows.is_empty() {
        take_up(database, &mut rows, None, None)?;
    }
    Ok(faults)
}

fn not_of(why: &str) -> StoreError {
    StoreError::Corrupt {
        what: format!(
            "{NAME} does not belong to {}: {why}; put back the two that belong together, or take {NAME} away",
            super::FILE_NAME
        ),
    }
}

/// The journal's file in the data folder.
pub(super) const NAME: &str = "bellwether.journal";

/// Notes that the store has a journal, where an older program made it.
fn note_format(database: &Database) -> Result<(), StoreError> {
    let doing = "noting the store's format";
    let write = begin_write(database, doing)?;
    let is_noted = {
        let mut table = write.open_table(tables::META).while_doing(doing)?;
        let before = table.insert(meta::FORMAT, FORMAT).while_doing(doing)?.map(|guard| guard.value());
        before == Some(FORMAT)
    };
    if is_noted { write.abort().while_doing(doing) } else { write.commit().while_doing(doing) }
}

#[cfg(test)]
mod tests {
    use super::super::{NewStore, RedbStore};
    use super::*;
    use crate::writer::rig::faulty::{Failure, FaultyDisk, flip_bit};
    use bellwether_testkit::random::Random;

    const EPOCH: u64 = 7;

    /// A database of a new store on `disk`.
    fn database(disk: &FaultyDisk) -> Database {
        RedbStore::open_on(Box::new(disk.clone()), EPOCH).unwrap().close().unwrap();
        Disk::open(disk, &Database::builder()).unwrap()
    }

    /// A commit that writes a row of the tail of so many bytes, and the store's `seq`.
    fn commit(seq: u64, bytes: usize) -> Commit {
        let mut rows = Rows::default();
        rows.put(tables::number::META, tables::META, &meta::SEQ, &seq);
        rows.put(tables::number::TAIL, tables::TAIL, &seq, &vec![seq as u8; bytes].as_slice());
        Commit { before: seq - 1, after: seq, rows }
    }

    /// The rows of the tail, by their lengths.
    fn tail(database: &Database) -> Vec<(u64, usize)> {
        let read = database.begin_read().unwrap();
        let table = read.open_table(tables::TAIL).unwrap();
        let rows = redb::ReadableTable::iter(&table).unwrap().map(Result::unwrap);
        rows.map(|(seq, record)| (seq.value(), record.value().len())).collect()
    }

    /// What a start finds on `disk`: the rows of the tail, and batches that are lost.
    fn found(disk: &FaultyDisk) -> (Vec<(u64, usize)>, Vec<Fault>) {
        let database = Disk::open(disk, &Database::builder()).unwrap();
        let faults = recover(&database, &disk.read_journal().unwrap()).unwrap();
        (tail(&database), faults)
    }

    #[test]
    fn commits_of_every_length_are_found_again_however_often_the_journal_was_full() {
        let lengths = [0, 1, 4_000, 4_060, 4_061, 4_080, 4_095, 4_096, 8_190, 20_000, 5, 60_000];
        let disk = FaultyDisk::default();
        let database = database(&disk);
        let mut journal = Journal::begin_of(&disk, &database, EPOCH, 64 * 1_024);
        let mut expected = Vec::new();
        let mut random = Random::new(3);
        for seq in 1..=60 {
            let bytes = lengths[seq as usize % lengths.len()];
            journal.commit(&database, commit(seq, bytes), None).unwrap();
            expected.push((seq, bytes));
            assert_eq!(found(&disk.after_power_cut(&mut random)), (expected.clone(), Vec::new()));
        }
        assert!(tail(&database).len() < expected.len(), "the database has all: the test tests nothing");
        journal.settle(&database).unwrap();
        assert_eq!(tail(&database), expected);
        assert_eq!(found(&disk.with(|_| ())), (expected, Vec::new()), "nothing twice");
    }

    #[test]
    fn a_flipped_bit_costs_the_commit_that_it_hit_and_is_told() {
        let disk = FaultyDisk::default();
        let database = database(&disk);
        let mut journal = Journal::begin_of(&disk, &database, EPOCH, 64 * 1_024);
        let expected: Vec<_> = (1..=8).map(|seq| (seq, 3_000 * (1 + seq as usize % 2))).collect();
        for (seq, bytes) in &expected {
            journal.commit(&database, commit(*seq, *bytes), None).unwrap();
        }
        let (mut random, mut told) = (Random::new(5), 0);
        for round in 0..300 {
            let (rows, faults) = found(&disk.with_journal(|bytes| flip_bit(&mut bytes[..12 * BLOCK], &mut random)));
            assert!(rows.iter().all(|row| expected.contains(row)), "round {round}: a row that was never written");
            let missing = expected.iter().filter(|row| !rows.contains(row));
            let lost: Vec<_> = missing.map(|(seq, _)| Place::Batch { seq: *seq }).collect();
            assert!(lost.len() <= 1, "round {round}: {lost:?}");
            // Of the newest nobody can tell whether it was ever whole.
            if lost.first().is_some_and(|lost| *lost != Place::Batch { seq: 8 }) {
                told += 1;
                assert_eq!(faults.into_iter().map(|fault| fault.place).collect::<Vec<_>>(), lost, "round {round}");
            }
        }
        assert!(told > 0, "no flip hit a commit: the test tests nothing");
    }

    #[test]
    fn a_journal_of_another_store_or_of_a_later_state_is_refused_and_left_alone() {
        let disk = FaultyDisk::default();
        let first = database(&disk);
        let before = disk.with(|_| ());
        let mut journal = Journal::begin_of(&disk, &first, EPOCH, 64 * 1_024);
        for seq in 1..=3 {
            journal.commit(&first, commit(seq, 10), None).unwrap();
            journal.settle(&first).unwrap();
        }
        journal.commit(&first, commit(4, 10), None).unwrap();
        let bytes = disk.read_journal().unwrap();
        let later = before.with_journal(|journal| journal.clone_from(&bytes));
        let other = FaultyDisk::default();
        RedbStore::open_on(Box::new(other.clone()), EPOCH + 1).unwrap().close().unwrap();
        let other = other.with_journal(|journal| journal.clone_from(&bytes));
        for (disk, why) in [(later, "a later state"), (other, "another store")] {
            let new = NewStore::from(EPOCH);
            let error = RedbStore::open_on(Box::new(disk.clone()), new).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains(NAME), "{error}");
            assert_eq!(disk.read_journal().unwrap(), bytes);
        }
    }

    #[test]
    fn a_text_that_looks_like_a_commit_is_none() {
        let disk = FaultyDisk::default();
        let database = database(&disk);
        // The bytes of a commit, again and again, at every place of a block.
        let forged = encode(EPOCH, &Commit { before: 0, after: 1_000, rows: Rows::default() });
        let forged = &forged[..64];
        for shift in 0..forged.len() {
            let mut rows = Rows::default();
            let text = [vec![0; shift], forged.repeat(400)].concat();
            rows.put(tables::number::TAIL, tables::TAIL, &1, &text.as_slice());
            let mut bytes = encode(EPOCH, &Commit { before: 0, after: 1, rows });
            // Its beginning is overwritten by another one.
            bytes[..BLOCK].fill(0);
            assert_eq!(recover(&database, &bytes).unwrap(), []);
            assert_eq!(tail(&database), []);
        }
    }

    #[test]
    fn without_a_journal_each_commit_goes_into_the_database() {
        let disk = FaultyDisk::default();
        let database = database(&disk);
        disk.fail(Some(Failure::Full));
        let mut journal = Journal::begin(&disk, &database, EPOCH);
        disk.fail(None);
        journal.commit(&database, commit(1, 10), None).unwrap();
        assert_eq!(tail(&database), [(1, 10)]);
    }
}
