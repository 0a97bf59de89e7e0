//! Copies of what was built, for one run of tests: another command may build anew meanwhile.

use std::env::consts::EXE_SUFFIX;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

use crate::lock::{self, Lock};
use crate::{gateway, npm, page, place, stamp};

/// The gateway, the page and the npm package under test, in a folder of their own that is removed with this.
pub(super) struct Copies {
    folder: PathBuf,
    /// The packed package.
    pub(super) packed: PathBuf,
    _locked: File,
}

impl Copies {
    /// Builds what changed and copies it.
    ///
    /// # Errors
    /// When something does not build or cannot be copied.
    pub(super) fn make(held: &Lock) -> Result<Self> {
        page::build(held)?;
        gateway::build(held)?;
        let packed = npm::build(held)?;
        let (folder, locked) = own_folder(&place::root().join("target/under-test"), held)?;
        let mut copies = Self { folder, packed: PathBuf::new(), _locked: locked };
        copy(&place::gateway_binary(), &copies.gateway())?;
        copy(&place::page(), &copies.page())?;
        copy(&place::npm_package(), &copies.package())?;
        copies.packed = copies.folder.join(packed.file_name().context("npm pack left no .tgz")?);
        copy(&packed, &copies.packed)?;
        Ok(copies)
    }

    /// The gateway's binary.
    pub(super) fn gateway(&self) -> PathBuf {
        self.folder.join(format!("bellwether{EXE_SUFFIX}"))
    }

    /// The page's folder.
    pub(super) fn page(&self) -> PathBuf {
        self.folder.join("site")
    }

    /// The unpacked package.
    pub(super) fn package(&self) -> PathBuf {
        self.folder.join("package")
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        // What stays behind is removed by the next run.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A new folder below `all`, somebody's as long as the file that comes with it is open; those that are nobody's any
/// more, because their run was killed, are removed.
fn own_folder(all: &Path, _held: &Lock) -> Result<(PathBuf, File)> {
    fs::create_dir_all(all).with_context(|| format!("cannot make the folder {}", all.display()))?;
    for entry in fs::read_dir(all)?.flatten() {
        if lock::open(&entry.path(), LOCK).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    // Groups of one process may run beside each other.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let folder = all.join(format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    let file = lock::open(&folder, LOCK)?;
    file.lock()?;
    Ok((folder, file))
}

const LOCK: &str = "lock";

/// Copies a file, or a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for file in stamp::files_below(from)? {
        let below = file.strip_prefix(from)?;
        let to = if below.as_os_str().is_empty() { to.to_owned() } else { to.join(below) };
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&file, &to).with_context(|| format!("cannot copy {} to {}", file.display(), to.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_kept_while_its_run_lasts_and_removed_by_the_next_when_it_was_killed() {
        let checkout = tempfile::tempdir().unwrap();
        let held = Lock::take_in(checkout.path()).unwrap();
        let all = checkout.path().join("under-test");
        let (used, killed) = (all.join("used"), all.join("killed"));
        let used_by_a_run = lock::open(&used, LOCK).unwrap();
        used_by_a_run.lock().unwrap();
        drop(lock::open(&killed, LOCK).unwrap());

        let (own, locked) = own_folder(&all, &held).unwrap();
        assert!(used.is_dir() && own.is_dir() && !killed.exists());

        let (beside, _locked_too) = own_folder(&all, &held).unwrap();
        assert!(own.is_dir() && beside.is_dir() && beside != own, "each group of a process has one of its own");

        drop((used_by_a_run, locked));
        let (again, _locked) = own_folder(&all, &held).unwrap();
        assert!(!used.exists() && !own.exists() && beside.is_dir() && again.is_dir());
    }

    #[test]
    fn a_copy_holds_what_the_folder_holds() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("deep")).unwrap();
        fs::write(from.join("deep/file"), "text").unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("deep/file")).unwrap(), "text");
        copy(&from.join("deep/file"), &to.join("single")).unwrap();
        assert_eq!(fs::read_to_string(to.join("single")).unwrap(), "text");
    }
}
