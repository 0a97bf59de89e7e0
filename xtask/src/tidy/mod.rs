//! `cargo xtask tidy`: what the compiler does not check. Each check is a function over names and texts, so that its
//! tests can show it a bad one.

mod arrows;
mod pins;
mod source;
mod text;

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::{metadata, place, shell, stamp};

/// A file of the checkout.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Its path from the top, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Something that must not be, said with its place.
pub(crate) type Complaint = String;

/// Runs every check.
///
/// # Errors
/// Prints each complaint and says how many there are.
pub(crate) fn run() -> Result<()> {
    let files = files()?;
    let members = metadata::members()?;
    let mut complaints = arrows::direct(&members);
    complaints.extend(arrows::core_tree(&metadata::tree(arrows::CORE)?));
    complaints.extend(source::core_is_pure(&files));
    complaints.extend(source::one_clock(&files));
    complaints.extend(text::machine_paths(&files));
    complaints.extend(text::registry_hosts(&files));
    complaints.extend(text::lengths(&files));
    complaints.extend(text::links(&files, |path| place::root().join(path).exists()));
    complaints.extend(pins::agree(&files));
    complaints.extend(pins::sheets_are_linked(&files));
    for complaint in &complaints {
        println!("{complaint}");
    }
    if !complaints.is_empty() {
        bail!("{} things are not as they should be", complaints.len());
    }
    println!("{} files are tidy", files.len());
    Ok(())
}

/// Every text file that git has or would take.
fn files() -> Result<Vec<File>> {
    let mut git = shell::command("git")?;
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let paths: Vec<PathBuf> = match shell::capture(&mut git) {
        Ok(list) => list.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from).collect(),
        // A source archive has no git: everything below the top then, as `files_below` sees it.
        Err(_) => stamp::files_below(&place::root())?
            .into_iter()
            .filter_map(|path| path.strip_prefix(place::root()).map(PathBuf::from).ok())
            .collect(),
    };
    let read = |path: PathBuf| {
        // What is not text (a picture) or was removed without telling git has nothing to check.
        let text = fs::read_to_string(place::root().join(&path)).ok()?;
        Some(File { path: path.to_string_lossy().replace('\\', "/"), text })
    };
    Ok(paths.into_iter().filter_map(read).collect())
}

#[cfg(test)]
pub(crate) fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_this_checkout_are_found() {
        let files = files().unwrap();
        for path in ["Cargo.toml", "index.html", "xtask/src/main.rs"] {
            assert!(files.iter().any(|file| file.path == path && !file.text.is_empty()), "{path}");
        }
        assert!(!files.iter().any(|file| file.path.starts_with("target/")));
    }
}
