//! Two commands at once in one checkout: while one installs and builds, the other waits. Tests run without this lock,
//! on copies of what was built (`test/copies.rs`); only the npm parts they use where they lie.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use anyhow::{Context, Result};

use crate::place;

/// The right to install and to build in this checkout, which one command has at a time. Whatever does so asks to be
/// shown it.
pub(crate) struct Lock {
    _locked: File,
}

impl Lock {
    /// Waits until no other command of this checkout installs or builds, and keeps others out until it is dropped.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub(crate) fn take() -> Result<Self> {
        Self::take_in(&place::state())
    }

    /// The same by the lock file in `folder`.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub(crate) fn take_in(folder: &Path) -> Result<Self> {
        let file = open(folder, "lock")?;
        wait(&file, "Waiting for another `cargo xtask` in this checkout to finish its build…")?;
        Ok(Self { _locked: file })
    }

    /// Waits until no test uses the npm parts called `name`, and keeps others out until the returned file is dropped.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub(crate) fn change_npm_parts(&self, name: &str) -> Result<File> {
        let file = open(&place::state(), &of_parts(name))?;
        wait(&file, "Waiting for the tests of another `cargo xtask`, which use the npm parts that are to change…")?;
        Ok(file)
    }

    /// Keeps the npm parts called `name` as they are until the returned file is dropped; any number of commands may.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub(crate) fn use_npm_parts(&self, name: &str) -> Result<File> {
        let file = open(&place::state(), &of_parts(name))?;
        file.lock_shared()?;
        Ok(file)
    }
}

fn of_parts(name: &str) -> String {
    format!("{name}.lock")
}

/// The lock file `name` of `folder`, which is made where it is missing.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn open(folder: &Path, name: &str) -> Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join(name);
    File::create(&path).with_context(|| format!("cannot write {}", path.display()))
}

/// Locks `file`, and says `sentence` where that takes waiting.
fn wait(file: &File, sentence: &str) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            eprintln!("{sentence}");
            Ok(file.lock()?)
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn one_at_a_time_and_the_next_when_it_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path(), "lock").unwrap();
        wait(&first, "").unwrap();
        let second = open(folder.path(), "lock").unwrap();
        assert!(matches!(second.try_lock(), Err(TryLockError::WouldBlock)));

        let (ended, end) = channel();
        let waiting = thread::spawn(move || {
            wait(&second, "").unwrap();
            end.try_recv().expect("the second has the lock before the first gave it up");
        });
        ended.send(()).unwrap();
        drop(first);
        waiting.join().unwrap();
    }

    #[test]
    fn many_use_what_none_may_change_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two, changing] = [(); 3].map(|()| open(folder.path(), &of_parts("npm")).unwrap());
        one.lock_shared().unwrap();
        two.try_lock_shared().unwrap();
        assert!(matches!(changing.try_lock(), Err(TryLockError::WouldBlock)));
        drop(one);
        drop(two);
        wait(&changing, "").unwrap();
    }
}
