//! The compressed twins that a server hands out as they are: `.gz` by Zopfli, which takes seconds once and is 5 % less
//! than zlib at its best on the page's wasm, and `.br` by Node's own brotli.

use std::fs;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use zopfli::{Format, Options};

use crate::{shell, stamp};

/// What is worth compressing.
const ENDINGS: [&str; 8] = [".html", ".css", ".js", ".mjs", ".json", ".wasm", ".svg", ".txt"];
/// What whoever hosts the site edits in it; a compressed twin would go on being served as it was.
pub(crate) const SETTINGS: [&str; 2] = ["config.json", "board.json"];
/// Rounds of Zopfli; of the page's wasm 15 rounds take 8 more bytes away and half as long again.
const ROUNDS: NonZeroU64 = NonZeroU64::MIN.saturating_add(4);

/// Lays a `.gz` and a `.br` beside each file at or below `path` that is worth it; `folder` is the site.
///
/// # Errors
/// When a file cannot be read or written there, or Node fails.
pub(crate) fn twins(path: &Path, folder: &Path) -> Result<()> {
    let files = worth_it(path, folder)?;
    for file in &files {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let to = format!("{}.gz", file.display());
        fs::write(&to, gzip(&bytes)?).with_context(|| format!("cannot write {to}"))?;
    }
    // Node is needed anyway, and its brotli is the reference's.
    shell::stream(shell::command("node")?.arg("tools/brotli.mjs").args(files)).context("cannot compress the page")
}

fn worth_it(path: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = stamp::files_below(path)?;
    files.retain(|file| {
        let name = file.strip_prefix(folder).unwrap_or(file).to_string_lossy().into_owned();
        ENDINGS.iter().any(|ending| name.ends_with(ending)) && !SETTINGS.contains(&name.as_str())
    });
    Ok(files)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let options = Options { iteration_count: ROUNDS, ..Options::default() };
    zopfli::compress(options, Format::Gzip, bytes, &mut compressed).context("cannot compress the page")?;
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_twins_get_no_twin() {
        let site = tempfile::tempdir().unwrap();
        for name in ["index.html", "page.wasm", "page.wasm.gz", "config.json", "board.json", "a.png", "in/board.json"] {
            let path = site.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let names = |path: &Path| -> Vec<String> {
            let files = worth_it(path, site.path()).unwrap();
            files
                .iter()
                .map(|file| file.strip_prefix(site.path()).unwrap().to_string_lossy().replace('\\', "/"))
                .collect()
        };
        assert_eq!(names(site.path()), ["in/board.json", "index.html", "page.wasm"]);
        assert_eq!(names(&site.path().join("index.html")), ["index.html"]);
    }

    #[test]
    fn gzip_reads_back() {
        let bytes = b"a line that comes again, a line that comes again";
        let compressed = gzip(bytes).unwrap();
        assert!(compressed.starts_with(&[0x1f, 0x8b, 8]) && compressed.len() < bytes.len() + 18);
        let unzip = "process.stdout.write(require('node:zlib').gunzipSync(Buffer.from(process.argv[1], 'hex')))";
        let hex: String = compressed.iter().map(|byte| format!("{byte:02x}")).collect();
        let output = std::process::Command::new("node").args(["-e", unzip, &hex]).output().unwrap();
        assert_eq!(output.stdout, bytes);
    }
}
