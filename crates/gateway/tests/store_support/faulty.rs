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

#[derive(Debug, Default)]
struct Bytes {
    /// What the program sees.
    seen: Vec<u8>,
    /// What is on the platter for certain.
    synced: Vec<u8>,
    /// Changes since, in their order; a length is a change too.
    since: Vec<Change>,
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
        let mut left = bytes.synced.clone();
        for change in &bytes.since {
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
        let bytes = Bytes { seen: left.clone(), synced: left, ..Bytes::default() };
        Self(Arc::new(Mutex::new(bytes)))
    }

    /// A disk with one bit turned over.
    pub(crate) fn with_flipped_bit(&self, random: &mut Random) -> Self {
        let mut bytes = self.bytes().synced.clone();
        let bit = random.below(bytes.len() as u64 * 8) as usize;
        bytes[bit / 8] ^= 1 << (bit % 8);
        Self(Arc::new(Mutex::new(Bytes { seen: bytes.clone(), synced: bytes, ..Bytes::default() })))
    }

    /// A disk with other contents.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = self.bytes().synced.clone();
        change(&mut bytes);
        Self(Arc::new(Mutex::new(Bytes { seen: bytes.clone(), synced: bytes, ..Bytes::default() })))
    }
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

#[derive(Debug)]
struct Backend(FaultyDisk);

impl redb::StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.bytes().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.0.bytes();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let read = bytes.seen.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(read);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut bytes = self.0.bytes();
        bytes.check(What::Write)?;
        let change = Change::Length(usize::try_from(len).map_err(io::Error::other)?);
        change.apply(&mut bytes.seen);
        bytes.since.push(change);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut bytes = self.0.bytes();
        bytes.check(What::Sync)?;
        bytes.synced = bytes.seen.clone();
        bytes.since.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut bytes = self.0.bytes();
        bytes.check(What::Write)?;
        let change = Change::Write(usize::try_from(offset).map_err(io::Error::other)?, data.to_vec());
        change.apply(&mut bytes.seen);
        bytes.since.push(change);
        Ok(())
    }
}

impl Disk for FaultyDisk {
    fn open(&self, builder: &redb::Builder) -> Result<redb::Database, redb::DatabaseError> {
        builder.create_with_backend(Backend(self.clone()))
    }

    fn usage(&self) -> io::Result<DiskUsage> {
        // Blocks that were never written are holes, as in a sparse file.
        let bytes = self.bytes();
        let blocks = bytes.seen.chunks(4_096).filter(|block| block.iter().any(|byte| *byte != 0));
        let allocated_bytes = blocks.map(|block| block.len() as u64).sum();
        Ok(DiskUsage { file_bytes: bytes.seen.len() as u64, allocated_bytes })
    }

    fn free_bytes(&self) -> Option<u64> {
        self.bytes().free
    }

    fn path(&self) -> &Path {
        Path::new("the test's disk")
    }
}
