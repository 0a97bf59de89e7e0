//! Fingerprints of what a build reads, so that nothing is built twice.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::place;

/// A running hash over file names, contents and words. Not for secrets: it only tells same from changed.
pub(crate) struct Fingerprint(DefaultHasher);

impl Fingerprint {
    /// One that has read nothing.
    pub(crate) fn new() -> Self {
        Self(DefaultHasher::new())
    }

    /// Reads a word.
    pub(crate) fn word(&mut self, word: &str) -> &mut Self {
        self.0.write_usize(word.len());
        self.0.write(word.as_bytes());
        self
    }

    /// Reads a file, or every file below a folder except `target/`, `node_modules/` and hidden ones. What is not there
    /// counts as empty, so that its coming is a change.
    ///
    /// # Errors
    /// When something that is there cannot be read.
    pub(crate) fn path(&mut self, path: &Path) -> Result<&mut Self> {
        for file in files_below(path)? {
            let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            self.word(&file.strip_prefix(place::root()).unwrap_or(&file).to_string_lossy());
            self.0.write_usize(bytes.len());
            self.0.write(&bytes);
        }
        Ok(self)
    }

    /// The fingerprint as text.
    pub(crate) fn text(&self) -> String {
        format!("{:016x}", self.0.finish())
    }
}

/// Every file at or below `path`, sorted; nothing where there is none.
///
/// # Errors
/// When a folder cannot be read.
pub(crate) fn files_below(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with('.') && name != "target" && name != "node_modules" {
            files.extend(files_below(&entry.path())?);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether the last finished run of `name` read the same as `fingerprint`.
pub(crate) fn is_fresh(name: &str, fingerprint: &str) -> bool {
    fs::read_to_string(path_of(name)).is_ok_and(|kept| kept == fingerprint)
}

/// Keeps `fingerprint` as what the finished run of `name` read.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn keep(name: &str, fingerprint: &str) -> Result<()> {
    fs::create_dir_all(place::state())?;
    let path = path_of(name);
    fs::write(&path, fingerprint).with_context(|| format!("cannot write {}", path.display()))
}

/// Forgets the finished run of `name`; call it before its output is touched, so that a broken-off run is run again.
///
/// # Errors
/// When the file is there and cannot be removed.
pub(crate) fn forget(name: &str) -> Result<()> {
    match fs::remove_file(path_of(name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn path_of(name: &str) -> PathBuf {
    place::state().join(format!("{name}.stamp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &Path) -> String {
        Fingerprint::new().path(path).unwrap().text()
    }

    #[test]
    fn a_fingerprint_follows_names_and_contents_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.rs"), "one").unwrap();
        let first = of(folder.path());
        fs::write(folder.path().join("a.rs"), "one").unwrap();
        assert_eq!(of(folder.path()), first);

        fs::create_dir(folder.path().join("target")).unwrap();
        fs::write(folder.path().join("target/x"), "built").unwrap();
        assert_eq!(of(folder.path()), first);

        fs::write(folder.path().join("a.rs"), "two").unwrap();
        let second = of(folder.path());
        assert_ne!(second, first);

        fs::rename(folder.path().join("a.rs"), folder.path().join("b.rs")).unwrap();
        assert_ne!(of(folder.path()), second);
    }

    #[test]
    fn what_is_not_there_is_empty_and_its_coming_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("later");
        let before = of(&file);
        fs::write(&file, "").unwrap();
        assert_ne!(of(&file), before);
    }
}
