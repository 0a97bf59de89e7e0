//! Where the store's bytes are: a file, or in tests a disk that fails on purpose.

use std::io;
use std::path::{Path, PathBuf};

use super::journal;

/// What a store takes on its disk, its journal included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskUsage {
    /// The length of its files in bytes; parts of them may be holes.
    pub file_bytes: u64,
    /// The bytes that they really take.
    pub allocated_bytes: u64,
}

/// Opens the bytes of a store, at the start and again after each failure.
pub trait Disk: Send {
    /// Opens or makes the database.
    ///
    /// # Errors
    /// What redb says.
    fn open(&self, builder: &redb::Builder) -> Result<redb::Database, redb::DatabaseError>;

    /// All that is in the journal's file; nothing where there is none.
    ///
    /// # Errors
    /// What the system says.
    fn read_journal(&self) -> io::Result<Vec<u8>>;

    /// Opens the journal's file to be written, or makes it, so that its name is there after a power cut.
    ///
    /// # Errors
    /// What the system says.
    fn journal(&self) -> io::Result<Box<dyn redb::StorageBackend>>;

    /// Removes the journal's file, which may not be there.
    ///
    /// # Errors
    /// What the system says.
    fn remove_journal(&self) -> io::Result<()>;

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

    fn journal_path(&self) -> PathBuf {
        self.path.with_file_name(journal::NAME)
    }
}

/// What was done to a file that may not be there.
fn or_none<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        done => done.map(Some),
    }
}

/// The folder that a file's name is in; that of a bare name is the one that the process is in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl Disk for FileDisk {
    fn open(&self, builder: &redb::Builder) -> Result<redb::Database, redb::DatabaseError> {
        builder.create(&self.path)
    }

    fn read_journal(&self) -> io::Result<Vec<u8>> {
        or_none(std::fs::read(self.journal_path())).map(Option::unwrap_or_default)
    }

    fn journal(&self) -> io::Result<Box<dyn redb::StorageBackend>> {
        let path = self.journal_path();
        let is_new = !path.exists();
        let file = std::fs::File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        if is_new {
            sync_folder(folder_of(&path))?;
        }
        Ok(Box::new(redb::backends::FileBackend::new(file).map_err(io::Error::other)?))
    }

    fn remove_journal(&self) -> io::Result<()> {
        or_none(std::fs::remove_file(self.journal_path())).map(drop)
    }

    fn usage(&self) -> io::Result<DiskUsage> {
        let mut usage = DiskUsage::default();
        let journal = or_none(std::fs::metadata(self.journal_path()))?;
        for metadata in std::iter::once(std::fs::metadata(&self.path)?).chain(journal) {
            usage.file_bytes += metadata.len();
            #[cfg(unix)]
            let allocated_bytes = std::os::unix::fs::MetadataExt::blocks(&metadata) * 512;
            #[cfg(not(unix))]
            let allocated_bytes = metadata.len();
            usage.allocated_bytes += allocated_bytes;
        }
        Ok(usage)
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
