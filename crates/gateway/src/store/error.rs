//! What can go wrong with the store, in words that say how to mend it.

use std::io;
use std::path::{Path, PathBuf};

use super::Origin;

/// Why the store could not do what was asked.
///
/// Whatever the reason, nothing of what was asked is acknowledged. After [`StoreError::Full`] and
/// [`StoreError::Io`] the store closes itself and opens anew at the next call (at most once a
/// second), so that it mends itself when the disk has room again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk, or the quota on it, is full.
    #[error("the disk that holds the store is full; make room and the store goes on by itself ({reason})")]
    Full {
        /// What the system said.
        reason: io::Error,
    },
    /// The disk is nearly full.
    #[error(
        "the disk that holds the store has {free_bytes} bytes left and is to keep {reserve_bytes} free; make room and \
         the store goes on by itself"
    )]
    Scarce {
        /// What is left.
        free_bytes: u64,
        /// What is kept free.
        reserve_bytes: u64,
    },
    /// The disk failed in another way.
    #[error("the disk that holds the store failed while {doing}: {reason}; the store tries again by itself")]
    Io {
        /// What the store did.
        doing: &'static str,
        /// What the system said.
        reason: io::Error,
    },
    /// An earlier failure closed the store and it has not been opened since.
    #[error("the store is closed after a failure of the disk; it tries to open again by itself")]
    Closed,
    /// The folder or the file cannot be used.
    #[error("{}", not_writable(.folder, .reason))]
    NotWritable {
        /// The data folder.
        folder: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// There is no store to look at.
    #[error("there is no store at {path:?}; name its data folder with --data-dir")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Another process has the store open.
    #[error("another process has the store {path:?} open; stop that process, or name another folder with --data-dir")]
    Locked {
        /// The store's file.
        path: PathBuf,
    },
    /// The store holds samples of the other origin.
    #[error("{}", other_origin(.path, *.found))]
    OtherOrigin {
        /// The store's file.
        path: PathBuf,
        /// What it holds.
        found: Origin,
    },
    /// The store was written by a newer program.
    #[error(
        "the store has format {found} and this program reads up to format {known}; \
         start the newer program that wrote it, or name another folder with --data-dir"
    )]
    Newer {
        /// The store's format.
        found: u64,
        /// The newest format that is known.
        known: u64,
    },
    /// The file is no store, or its structure is broken beyond isolation.
    #[error("the store is damaged: {what}; keep the file aside, and start with a copy of it or with an empty folder")]
    Corrupt {
        /// What is broken.
        what: String,
    },
    /// A rule of the store's own was broken: a mistake of the program.
    #[error("the store was asked for what it cannot do: {what}; please report this")]
    Internal {
        /// What was asked.
        what: String,
    },
}

/// The command makes the folder this user's, in the shell of whoever reads it.
fn not_writable(folder: &Path, reason: &io::Error) -> String {
    use io::ErrorKind;
    let (trouble, mend) = match reason.kind() {
        ErrorKind::PermissionDenied if folder.is_dir() => {
            ("is not this user's to write", format!("run `sudo chown -R \"$(id -un)\" {folder:?}`, or "))
        }
        ErrorKind::PermissionDenied => {
            ("cannot be made by this user", format!("run `sudo install -d -o \"$(id -un)\" {folder:?}`, or "))
        }
        ErrorKind::ReadOnlyFilesystem => ("is on a disk that is mounted read-only", String::new()),
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => ("is a file, or is below one", String::new()),
        _ => return format!("the data folder {folder:?} cannot be used ({reason}); name another one with --data-dir"),
    };
    format!("the data folder {folder:?} {trouble}; {mend}name another one with --data-dir")
}

fn other_origin(path: &Path, found: Origin) -> String {
    match found {
        Origin::Measured => format!(
            "the store {path:?} holds measured samples, and a simulation must not mix with them; \
             start without --demo, or name another folder with --data-dir"
        ),
        Origin::Simulated => format!(
            "the store {path:?} holds a simulation, and measured samples must not mix with it; \
             start with --demo, or name another folder with --data-dir"
        ),
    }
}

impl StoreError {
    /// Whether the store's handle is of no use any more and must be opened anew.
    pub(super) fn latches(&self) -> bool {
        !matches!(self, Self::Internal { .. } | Self::Scarce { .. })
    }

    /// The error of `redb`, met while `doing`.
    pub(super) fn of(doing: &'static str, error: redb::Error) -> Self {
        match error {
            redb::Error::Io(reason) => Self::of_io(doing, reason),
            redb::Error::PreviousIo | redb::Error::DatabaseClosed => Self::Closed,
            redb::Error::Corrupted(what) => Self::Corrupt { what },
            // redb panicked under the lock: what it has in memory is not to be trusted.
            redb::Error::LockPoisoned(_) | redb::Error::TransactionPoisoned => Self::Closed,
            error @ (redb::Error::UpgradeRequired(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TableDoesNotExist(_)
            | redb::Error::TypeDefinitionChanged { .. }) => Self::Corrupt { what: error.to_string() },
            error => Self::Internal { what: error.to_string() },
        }
    }

    pub(super) fn of_io(doing: &'static str, reason: io::Error) -> Self {
        match reason.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full { reason }
            }
            _ => Self::Io { doing, reason },
        }
    }
}

/// Adds to a result of `redb` what the store was doing.
pub(super) trait While<T> {
    fn while_doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T, E: Into<redb::Error>> While<T> for Result<T, E> {
    fn while_doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::of(doing, error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(folder: &Path, kind: io::ErrorKind, expected: &str) {
        let error = StoreError::NotWritable { folder: folder.to_owned(), reason: kind.into() };
        assert_eq!(error.to_string(), expected.replace("FOLDER", &format!("{folder:?}")));
        assert!(std::error::Error::source(&error).is_none(), "its reason is in the sentence already");
    }

    #[test]
    fn who_may_not_write_is_told_the_command_that_mends_it() {
        let there = tempfile::tempdir().unwrap();
        let of_another = r#"the data folder FOLDER is not this user's to write; run `sudo chown -R "$(id -un)" FOLDER`, or name another one with --data-dir"#;
        check(there.path(), io::ErrorKind::PermissionDenied, of_another);
        let to_be_made = r#"the data folder FOLDER cannot be made by this user; run `sudo install -d -o "$(id -un)" FOLDER`, or name another one with --data-dir"#;
        check(&there.path().join("none"), io::ErrorKind::PermissionDenied, to_be_made);
        let read_only =
            "the data folder FOLDER is on a disk that is mounted read-only; name another one with --data-dir";
        check(there.path(), io::ErrorKind::ReadOnlyFilesystem, read_only);
    }
}
