//! Test files that Node's own runner runs.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{Count, counted};
use crate::{place, shell, stamp, tools};

/// Runs the `*.test.mjs` (or `.js`) files of `folder`, one after the other, with `prepare` setting their environment.
///
/// # Errors
/// When Node or the folder's npm parts are missing.
pub(super) fn run(folder: &str, prepare: impl Fn(&mut Command)) -> Result<Count> {
    let folder = place::root().join(folder);
    let files = test_files(&folder)?;
    if files.is_empty() {
        return Ok(Count::default());
    }
    tools::node()?;
    tools::npm_parts(&place::root())?;
    if folder.join("package-lock.json").is_file() {
        tools::npm_parts(&folder)?;
    }
    let mut node = shell::command("node")?;
    // One at a time: each starts a browser, a bundler or a gateway, and they would only make each other late.
    node.current_dir(&folder).args(["--test", "--test-reporter=spec", "--test-concurrency=1", "--test-timeout=600000"]);
    node.args(files);
    prepare(&mut node);
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
