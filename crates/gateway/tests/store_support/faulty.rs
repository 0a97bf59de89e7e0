//! A disk that fails on purpose: it fills up, gives errors, and loses on a crash what was not synced.

use bellwether_gateway::store::{Disk, DiskUsage};
use bellwether_testkit::random::Random;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

/// A piece that a real disk writes at once.
const SECTOR: usize = 512;

/// How the disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No room: writes fail, syncs and reads do not.
    Full,
    /// Syncs fail, and what was to be synced may be on disk or not.
    Sync,
    /// Everything but reading fails.
    Broken,
}

/// A file of the disk.
#[derive(Debug, Default)]
struct Content {
    /// What the program sees.
    seen: Vec<u8>,
    /// What is on the platter for certain.
    synced: Vec<u8>,
    /// Changes since, in their order; a length is a change too.
    since: Vec<Change>,
}

impl Content {
    fn of(bytes: Vec<u8>) -> Self {
        Self { seen: bytes.clone(), synced: bytes, since: Vec::new() }
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.since.push(change);
    }

    /// What a power cut leaves of it.
    fn after_power_cut(&self, random: &mut Random) -> Self {
        let mut left = self.synced.clone();
        for change in &self.since {
            match change {
                Change::Length(length) if *length >= left.len() => change.apply(&mut left),
                Change::Length(_) => {
                    if random.below(2) == 0 {
                        change.apply(&mut left);
                    }
                }
                Change::Write(offset, written) => {
                    for (place, sector) in written.chunks(SECTOR).enumerate() {
                        if random.below(2) == 0 {
                            Change::Write(offset + place * SECTOR, sector.to_vec()).apply(&mut left);
                        }
                    }
                }
            }
        }
        Self::of(left)
    }
}

#[derive(Debug, Default)]
struct Bytes {
    database: Content,
    journal: Content,
    failure: Option<Failure>,
    /// The room that is left, where that is told.
    free: Option<u64>,
    /// Changes until the failure begins.
    fuse: Option<(usize, Failure)>,
}

#[derive(Clone, Debug)]
enum Change {
    Length(usize),
    Write(usize, Vec<u8>),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Write(offset, written) => {
                let end = offset + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(written);
            }
        }
    }
}

/// The disk; clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultyDisk(Arc<Mutex<Bytes>>);

impl FaultyDisk {
    fn bytes(&self) -> MutexGuard<'_, Bytes> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Fails from now on, or no more.
    pub(crate) fn fail(&self, failure: Option<Failure>) {
        let mut bytes = self.bytes();
        bytes.failure = failure;
        bytes.fuse = None;
    }

    /// Tells from now on that so much room is left.
    pub(crate) fn leave(&self, free_bytes: u64) {
        self.bytes().free = Some(free_bytes);
    }

    /// Begins to fail at the change after the next `changes`.
    pub(crate) fn fail_after(&self, changes: usize, failure: Failure) {
        self.bytes().fuse = Some((changes, failure));
    }

    /// A disk as a power cut leaves it: of what was not synced, any part may be there, in sectors.
    pub(crate) fn after_power_cut(&self, random: &mut Random) -> Self {
        let bytes = self.bytes();
        Self::of(bytes.database.after_power_cut(random), bytes.journal.after_power_cut(random))
    }

    /// A disk with one bit of the database turned over.
    pub(crate) fn with_flipped_bit(&self, random: &mut Random) -> Self {
        self.with(|bytes| flip_bit(bytes, random))
    }

    /// A disk with another database.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let (mut database, journal) = self.synced();
        change(&mut database);
        Self::of(Content::of(database), Content::of(journal))
    }

    /// A disk with another journal.
    pub(crate) fn with_journal(&self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let (database, mut journal) = self.synced();
        change(&mut journal);
        Self::of(Content::of(database), Content::of(journal))
    }

    fn synced(&self) -> (Vec<u8>, Vec<u8>) {
        let bytes = self.bytes();
        (bytes.database.synced.clone(), bytes.journal.synced.clone())
    }

    fn of(database: Content, journal: Content) -> Self {
        Self(Arc::new(Mutex::new(Bytes { database, journal, ..Bytes::default() })))
    }
}

/// Turns over one bit, whichever.
pub(crate) fn flip_bit(bytes: &mut [u8], random: &mut Random) {
    let bit = random.below(bytes.len() as u64 * 8) as usize;
    bytes[bit / 8] ^= 1 << (bit % 8);
}

impl Bytes {
    /// Whether a change of this sort fails now.
    fn check(&mut self, what: What) -> io::Result<()> {
        if let Some((left, failure)) = self.fuse {
            if left == 0 {
                self.failure = Some(failure);
                self.fuse = None;
            } else {
                self.fuse = Some((left - 1, failure));
            }
        }
        match (self.failure, what) {
            (Some(Failure::Full), What::Write) => Err(io::Error::from(io::ErrorKind::StorageFull)),
            (Some(Failure::Sync | Failure::Broken), What::Sync) | (Some(Failure::Broken), What::Write) => {
                Err(io::Error::other("the test's disk fails"))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Write,
    Sync,
}

/// One of the two files.
#[derive(Debug)]
struct Backend {
    disk: FaultyDisk,
    file: fn(&mut Bytes) -> &mut Content,
}

impl redb::StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        Ok((self.file)(&mut self.disk.bytes()).seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut bytes = self.disk.bytes();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let read = (self.file)(&mut bytes).seen.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(read);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut bytes = self.disk.bytes();
        bytes.check(What::Write)?;
        (self.file)(&mut bytes).change(Change::Length(usize::try_from(len).map_err(io::Error::other)?));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut bytes = self.disk.bytes();
        bytes.check(What::Sync)?;
        let content = (self.file)(&mut bytes);
        for change in std::mem::take(&mut content.since) {
            change.apply(&mut content.synced);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut bytes = self.disk.bytes();
        bytes.check(What::Write)?;
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        (self.file)(&mut bytes).change(Change::Write(offset, data.to_vec()));
        Ok(())
    }
}

impl Disk for FaultyDisk {
    fn open(&self, builder: &redb::Builder) -> Result<redb::Database, redb::DatabaseError> {
        builder.create_with_backend(Backend { disk: self.clone(), file: |bytes| &mut bytes.database })
    }

    fn read_journal(&self) -> io::Result<Vec<u8>> {
        Ok(self.bytes().journal.seen.clone())
    }

    fn journal(&self) -> io::Result<Box<dyn redb::StorageBackend>> {
        Ok(Box::new(Backend { disk: self.clone(), file: |bytes| &mut bytes.journal }))
    }

    fn remove_journal(&self) -> io::Result<()> {
        let mut bytes = self.bytes();
        bytes.check(What::Write)?;
        bytes.journal.change(Change::Length(0));
        Ok(())
    }

    fn usage(&self) -> io::Result<DiskUsage> {
        // Blocks that were never written are holes, as in a sparse file.
        let bytes = self.bytes();
        let blocks = bytes.database.seen.chunks(4_096).filter(|block| block.iter().any(|byte| *byte != 0));
        let allocated_bytes = blocks.map(|block| block.len() as u64).sum();
        Ok(DiskUsage { file_bytes: bytes.database.seen.len() as u64, allocated_bytes })
    }

    fn free_bytes(&self) -> Option<u64> {
        self.bytes().free
    }

    fn path(&self) -> &Path {
        Path::new("the test's disk")
    }
}
