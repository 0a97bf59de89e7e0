//! A store that no gateway has open, looked at without a change to its file.
//!
//! redb writes when it opens a file, if only to note that it is open, and it repairs what a crash left.
//! Here what it writes goes to memory and is forgotten, so that a look needs no right to write and leaves the
//! file as it was, also where it is damaged.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::Database;

use super::disk::{Disk, FileDisk};
use super::error::{StoreError, While};
use super::fault::Fault;
use super::journal;
use super::redb_store::{FILE_NAME, of_opening, shielded};
use super::snapshot::Snapshot;
use super::state::check_format;
use super::tables;

const DOING: &str = "opening the store";
/// What is written is kept in blocks of so many bytes.
const BLOCK: u64 = 4_096;

/// See the module.
#[derive(Debug)]
pub struct StoppedStore {
    database: Database,
    path: PathBuf,
    lost: Vec<Fault>,
}

impl StoppedStore {
    /// Opens the store in the data folder, or in the file, `place`. Cost: as a start of the gateway, without
    /// the reading of samples.
    ///
    /// # Errors
    /// [`StoreError`] with a sentence that says how to mend it: there is none, a gateway has it open, it was
    /// written by a newer program, or it is damaged beyond reading.
    pub fn open(place: &Path) -> Result<Self, StoreError> {
        let path = if place.is_dir() { place.join(FILE_NAME) } else { place.to_owned() };
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (length, file) = match opened {
            Ok(opened) => opened,
            Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Err(StoreError::Missing { path }),
            Err(reason) => return Err(of_opening(&path, reason)),
        };
        if length == 0 {
            return Err(StoreError::Missing { path });
        }
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { path }),
            Err(TryLockError::Error(reason)) => return Err(StoreError::of_io(DOING, reason)),
        }
        let layer = Layer { file, kept: length, length, written: BTreeMap::new() };
        let database = shielded(|| {
            let opened = Database::builder().create_with_backend(Unwritten(Mutex::new(layer)));
            let database = opened.map_err(|error| match error {
                redb::DatabaseError::Storage(redb::StorageError::Io(reason)) => of_opening(&path, reason),
                error => StoreError::of(DOING, error.into()),
            })?;
            let format = match Snapshot::of(&database)?.number(tables::meta::FORMAT) {
                Ok(format) => format.unwrap_or(0),
                Err(StoreError::Corrupt { .. }) => 0,
                Err(error) => return Err(error),
            };
            check_format(format)?;
            let journal = FileDisk::new(path.clone()).read_journal().map_err(|reason| of_opening(&path, reason))?;
            // Of a gateway that ended on a sudden; a backup's file has none of its own.
            let is_own = path.file_name().is_some_and(|name| name == FILE_NAME);
            let lost = if is_own { journal::recover(&database, &journal)? } else { Vec::new() };
            Ok((database, lost))
        })?;
        let (database, lost) = database;
        Ok(Self { database, path, lost })
    }

    /// The store's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Batches of its journal that are damaged: of these there is no other record.
    #[must_use]
    pub fn lost(&self) -> &[Fault] {
        &self.lost
    }

    /// Whether the file's pages are whole by their own checksums, those of inner pages among them. Cost: reads
    /// the whole file.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where they are not, and other errors where the disk failed.
    pub fn check_pages(&mut self) -> Result<(), StoreError> {
        let database = &mut self.database;
        let whole = shielded(|| database.check_integrity().while_doing("checking the pages of the store"))?;
        if whole {
            Ok(())
        } else {
            Err(StoreError::Corrupt { what: "some of its pages fail their checksums".to_owned() })
        }
    }

    /// What it holds.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        shielded(|| Snapshot::of(&self.database))
    }
}

/// A file and, over it, what was written since.
#[derive(Debug)]
struct Layer {
    file: File,
    /// So many bytes of the file still count.
    kept: u64,
    length: u64,
    /// Whole blocks by their offsets.
    written: BTreeMap<u64, Vec<u8>>,
}

impl Layer {
    /// Reads from the file; zeros where it has ended.
    fn below(&mut self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = self.kept.saturating_sub(offset).min(out.len() as u64);
        let (there, beyond) = out.split_at_mut(usize::try_from(there).map_err(io::Error::other)?);
        beyond.fill(0);
        if !there.is_empty() {
            self.file.seek(SeekFrom::Start(offset))?;
            self.file.read_exact(there)?;
        }
        Ok(())
    }

    fn read(&mut self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= self.length);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.below(offset, out)?;
        for (&start, block) in self.written.range(offset / BLOCK * BLOCK..end) {
            let (from, to) = (start.max(offset), (start + BLOCK).min(end));
            if from < to {
                let part = &block[(from - start) as usize..(to - start) as usize];
                out[(from - offset) as usize..(to - offset) as usize].copy_from_slice(part);
            }
        }
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = offset + bytes.len() as u64;
        let mut start = offset / BLOCK * BLOCK;
        while start < end {
            if !self.written.contains_key(&start) {
                let mut block = vec![0; BLOCK as usize];
                self.below(start, &mut block)?;
                self.written.insert(start, block);
            }
            if let Some(block) = self.written.get_mut(&start) {
                let (from, to) = (start.max(offset), (start + BLOCK).min(end));
                let part = &bytes[(from - offset) as usize..(to - offset) as usize];
                block[(from - start) as usize..(to - start) as usize].copy_from_slice(part);
            }
            start += BLOCK;
        }
        self.length = self.length.max(end);
        Ok(())
    }

    fn set_length(&mut self, length: u64) {
        self.kept = self.kept.min(length);
        self.length = length;
        self.written.split_off(&length.div_ceil(BLOCK).saturating_mul(BLOCK));
        // What comes to lie beyond the end and within it again is to be zeros.
        if let Some(block) = self.written.get_mut(&(length / BLOCK * BLOCK)) {
            block[(length % BLOCK) as usize..].fill(0);
        }
    }
}

/// A file that is not written.
#[derive(Debug)]
struct Unwritten(Mutex<Layer>);

impl Unwritten {
    fn layer(&self) -> MutexGuard<'_, Layer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl redb::StorageBackend for Unwritten {
    fn len(&self) -> io::Result<u64> {
        Ok(self.layer().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.layer().read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.layer().set_length(length);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.layer().write(offset, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    #[derive(Clone, Debug)]
    enum Step {
        Write(u64, Vec<u8>),
        Length(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let bytes = proptest::collection::vec(any::<u8>(), 1..6_000);
        prop_oneof![
            (0_u64..20_000, bytes).prop_map(|(offset, bytes)| Step::Write(offset, bytes)),
            (0_u64..30_000).prop_map(Step::Length),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn it_reads_as_a_file_that_was_written(first in proptest::collection::vec(any::<u8>(), 0..20_000), steps in proptest::collection::vec(step(), 0..12)) {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&first).unwrap();
            let length = first.len() as u64;
            let mut layer = Layer { file, kept: length, length, written: BTreeMap::new() };
            let mut model = first;
            for step in steps {
                match step {
                    Step::Write(offset, bytes) => {
                        let (start, end) = (offset as usize, offset as usize + bytes.len());
                        if model.len() < end {
                            model.resize(end, 0);
                        }
                        model[start..end].copy_from_slice(&bytes);
                        layer.write(offset, &bytes).unwrap();
                    }
                    Step::Length(length) => {
                        model.resize(length as usize, 0);
                        layer.set_length(length);
                    }
                }
                let mut read = vec![1; model.len()];
                layer.read(0, &mut read).unwrap();
                prop_assert!(read == model);
                prop_assert!(layer.read(model.len() as u64, &mut [0]).is_err());
                let middle = model.len() / 2;
                let mut read = vec![1; model.len() - middle];
                layer.read(middle as u64, &mut read).unwrap();
                prop_assert!(read == model[middle..]);
            }
        }
    }
}
