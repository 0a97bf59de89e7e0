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

    /// The bytes that can still be written; `None` where that cannot be found out. Cost: one call of the system.
    fn free_bytes(&self) -> Option<u64>;

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

    #[cfg(unix)]
    fn free_bytes(&self) -> Option<u64> {
        let found = rustix::fs::statvfs(self.path.parent()?).ok()?;
        found.f_bavail.checked_mul(found.f_frsize)
    }

    #[cfg(not(unix))]
    fn free_bytes(&self) -> Option<u64> {
        None
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// The folders that get a new entry when the file at `path` is made with all folders it needs.
pub(super) fn folders_to_sync(path: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let mut made = path;
    while !made.exists() {
        let Some(folder) = made.parent() else { break };
        // The parent of a relative name is the folder that the process is in.
        folders.push(if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() });
        if folder.as_os_str().is_empty() {
            break;
        }
        made = folder;
    }
    folders
}

/// Makes the entries of a folder durable, where the system can.
///
/// # Errors
/// What the system says.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match std::fs::File::open(folder)?.sync_all() {
        // Some file systems know no such thing and need none.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

/// Elsewhere folders cannot be opened; the system keeps their entries by itself.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_that_gets_an_entry_is_synced() {
        let there = tempfile::tempdir().unwrap();
        let (one, two) = (there.path().join("one"), there.path().join("one/two"));
        let file = two.join("bellwether.redb");
        assert_eq!(folders_to_sync(&file), [two.clone(), one.clone(), there.path().to_owned()]);
        assert_eq!(folders_to_sync(Path::new("no-such-folder/file")), [Path::new("no-such-folder"), Path::new(".")]);
        crate::store::RedbStore::open(&two, 1).unwrap();
        assert!(folders_to_sync(&file).is_empty());
        #[cfg(unix)]
        {
            sync_folder(&two).unwrap();
            assert!(sync_folder(&two.join("none")).is_err(), "it looks at the folder");
        }
    }
}
