//! Where the store's bytes are: a file, or in tests a disk that fails on purpose.

use std::io;
use std::path::{Path, PathBuf};

/// What a store takes on its disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskUsage {
    /// The file's length in bytes; parts of it may be holes.
    pub file_bytes: u64,
    /// The bytes that the file really takes.
    pub allocated_bytes: u64,
}

/// Opens the bytes of a store, at the start and again after each failure.
pub trait Disk: Send {
    /// Opens or makes the database.
    ///
    /// # Errors
    /// What redb says.
    fn open(&self, builder: &redb::Builder) -> Result<redb::Database, redb::DatabaseError>;

    /// What the store takes.
    ///
    /// # Errors
    /// What the system says.
    fn usage(&self) -> io::Result<DiskUsage>;

    /// The name for messages.
    fn path(&self) -> &Path;
}

/// A file.
#[derive(Clone, Debug)]
pub struct FileDisk {
    path: PathBuf,
}

impl FileDisk {
    /// The file at `path`; it is made when the store is opened.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl Disk for FileDisk {
    fn open(&self, builder: &redb::Builder) -> Result<redb::Database, redb::DatabaseError> {
        builder.create(&self.path)
    }

    fn usage(&self) -> io::Result<DiskUsage> {
        let metadata = std::fs::metadata(&self.path)?;
        #[cfg(unix)]
        let allocated_bytes = std::os::unix::fs::MetadataExt::blocks(&metadata) * 512;
        #[cfg(not(unix))]
        let allocated_bytes = metadata.len();
        Ok(DiskUsage { file_bytes: metadata.len(), allocated_bytes })
    }

    fn path(&self) -> &Path {
        &self.path
    }
}
