//! The page in `target/page`: Trunk's build and a compressed twin beside each larger file.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::lock::Lock;
use crate::stamp::{self, Fingerprint};
use crate::{compress, order, panics, place, progress, shell, sizes, split, tools};

/// What the page is built from.
const INPUTS: [&str; 24] = [
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
    "index.html",
    "rust-toolchain.toml",
    "package-lock.json",
    ".cargo/config.toml",
    "www",
    "crates/loops/Cargo.toml",
    "crates/loops/src",
    "crates/core/Cargo.toml",
    "crates/core/src",
    "crates/wire/Cargo.toml",
    "crates/wire/src",
    "crates/dashboard",
    "tools/brotli.mjs",
    "tools/wasm-split/Cargo.lock",
    "tools/wasm-split/src",
    "xtask/src/chunks.js",
    "xtask/src/compress.rs",
    "xtask/src/order.rs",
    "xtask/src/page.rs",
    "xtask/src/panics.rs",
    "xtask/src/split.rs",
];

/// Builds the page; does nothing when nothing changed. Returns a fingerprint of all that it is built from.
///
/// # Errors
/// When a tool is missing or the page does not build.
pub(crate) fn build(held: &Lock) -> Result<String> {
    let mut fingerprint = Fingerprint::new();
    fingerprint.word(tools::TRUNK).word(tools::WASM_BINDGEN);
    for input in INPUTS {
        fingerprint.path(&place::root().join(input))?;
    }
    let fingerprint = fingerprint.text();
    let page = place::page();
    if stamp::is_fresh("page", &fingerprint) && page.join("index.html").is_file() {
        return Ok(fingerprint);
    }
    tools::for_the_page(held)?;
    tools::crates(held)?;
    stamp::forget("page")?;
    trunk(&page)?;
    lighten(&page)?;
    split::finish(&page)?;
    compress::twins(&page, &page)?;
    stamp::keep("page", &fingerprint)?;
    sizes::print(&sizes::measure(&page)?);
    Ok(fingerprint)
}

fn trunk(page: &Path) -> Result<()> {
    let mut trunk = shell::command("trunk")?;
    trunk.args(["build", "--release", "--dist"]).arg(page);
    // The compiler's message is what helps; a backtrace through Trunk would push it off the screen.
    trunk.env("RUST_BACKTRACE", "0");
    shell::without_machine_paths(&mut trunk, &[split::LINKER_FLAG])?;
    split::prepare(&mut trunk)?;
    progress::build("page", "release; about 2 minutes the first time", &mut trunk).context("the page does not build")
}

/// Takes out of the page's wasm where in the source its panics are, and orders its functions.
fn lighten(page: &Path) -> Result<()> {
    for file in stamp::files_below(page)?.iter().filter(|file| file.extension().is_some_and(|kind| kind == "wasm")) {
        let mut wasm = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        panics::without_places(&mut wasm)?;
        fs::write(file, wasm).with_context(|| format!("cannot write {}", file.display()))?;
        order::by_likeness(file)?;
    }
    Ok(())
}
