//! A file written anew after something was erased: pages that are free again keep what was in them until they
//! are used again, and what is to be gone must not wait for that.

use std::path::Path;

use redb::Database;

use super::disk::{self, Disk};
use super::error::StoreError;
use super::snapshot::Snapshot;
use super::transfer::{Receiving, TransferError};

/// Writes what the store holds into a new file, which takes the place of the old one. Where that fails, the old
/// one stays. The database is closed either way. Cost: reads and writes the whole store.
pub(super) fn renew(disk: &dyn Disk, database: Database, epoch: u64) -> Result<(), StoreError> {
    let doing = "writing the store's file anew";
    let failed = |reason| StoreError::of_io(doing, reason);
    // A link stays one.
    let path = std::fs::canonicalize(disk.path()).map_err(failed)?;
    let taken = disk.usage().map_err(failed)?.allocated_bytes;
    if let Some(free_bytes) = disk.free_bytes().filter(|free| *free < taken) {
        return Err(StoreError::Scarce { free_bytes, reserve_bytes: taken });
    }
    let mut unfinished = path.clone().into_os_string();
    unfinished.push(".new");
    let unfinished = Path::new(&unfinished);
    // What a crash left: nobody else writes under this name.
    let _none = std::fs::remove_file(unfinished);
    let copied = copy(&database, unfinished, epoch).and_then(|()| {
        let permissions = std::fs::metadata(&path).map_err(failed)?.permissions();
        std::fs::set_permissions(unfinished, permissions).map_err(failed)
    });
    drop(database);
    copied.and_then(|()| std::fs::rename(unfinished, &path).map_err(failed)).inspect_err(|_| {
        let _none = std::fs::remove_file(unfinished);
    })?;
    let folder = path.parent().unwrap_or(Path::new("."));
    disk::sync_folder(folder).map_err(failed)
}

fn copy(database: &Database, to: &Path, epoch: u64) -> Result<(), StoreError> {
    let told = |error| match error {
        TransferError::Store(error) => error,
        other => StoreError::Internal { what: other.to_string() },
    };
    let mut receiving = Receiving::new(to)?;
    Snapshot::of(database)?.send(&mut |piece| receiving.take(piece))?.map_err(told)?;
    receiving.finish(epoch).map_err(told)
}
