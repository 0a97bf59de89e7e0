//! Test files that Node's own runner runs, against everything that this checkout builds: page, gateway, npm package.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::copies::Copies;
use super::{Count, counted};
use crate::lock::Lock;
use crate::{place, shell, stamp, tools};

/// Runs the `*.test.mjs` (or `.js`) files of `folder`, one after the other; `prepare` installs what else they need and
/// adds to their environment.
///
/// # Errors
/// When something that they need is missing or does not build.
pub(super) fn run(folder: &str, prepare: impl Fn(&Lock, &mut Command) -> Result<()>) -> Result<Count> {
    let folder = place::root().join(folder);
    let files = test_files(&folder)?;
    if files.is_empty() {
        return Ok(Count::default());
    }
    let mut node = shell::command("node")?;
    let held = Lock::take()?;
    prepare(&held, &mut node)?;
    tools::npm_parts(&held, &place::root())?;
    if folder.join("package-lock.json").is_file() {
        tools::npm_parts(&held, &folder)?;
    }
    let copies = Copies::make(&held)?;
    let _in_use = [&place::root(), &folder]
        .into_iter()
        .map(|folder| held.use_npm_parts(&tools::npm_parts_name(folder)))
        .collect::<Result<Vec<_>>>()?;
    // From here on nothing is changed that another command uses.
    drop(held);
    node.env("BELLWETHER_BIN", copies.gateway())
        .env("BELLWETHER_DIST", copies.page())
        .env("BELLWETHER_NPM", copies.package())
        .env("BELLWETHER_NPM_TGZ", &copies.packed);
    // One at a time: each starts a browser, a bundler or a gateway, and they would only make each other late.
    node.current_dir(&folder).args(["--test", "--test-reporter=spec", "--test-concurrency=1"]);
    // A file that hangs ends; the longest of a soak takes a quarter of an hour.
    node.arg("--test-timeout=1800000").args(files);
    counted(&mut node, Count::read_node)
}

fn test_files(folder: &Path) -> Result<Vec<String>> {
    let names = stamp::files_below(folder)?;
    let names = names.iter().filter_map(|file| file.strip_prefix(folder).ok());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    Ok(names.filter(|name| name.ends_with(".test.mjs") || name.ends_with(".test.js")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_files_are_those_named_so() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("node_modules")).unwrap();
        for name in ["b.test.mjs", "a.test.js", "support.mjs", "node_modules/c.test.js"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(test_files(folder.path()).unwrap(), ["a.test.js", "b.test.mjs"]);
    }
}
