//! Where things lie: the checkout, its tools, what is built.
//!
//! What other parts rely on by name (`dist/`, `target/page`, `target/npm`, `target/tools`) lies there always. Cargo's own output
//! follows `CARGO_TARGET_DIR`.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// The checkout's top folder.
pub(crate) fn root() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map(PathBuf::from).unwrap_or(manifest)
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The folder of the tools that these commands install: `bin/` in it holds the programs.
pub(crate) fn tools() -> PathBuf {
    root().join("target/tools")
}

/// The folder of fingerprints, logs and the lock of these commands.
pub(crate) fn state() -> PathBuf {
    root().join("target/xtask")
}

/// The built page, as `cargo xtask run` serves it and the tests copy it.
pub(crate) fn page() -> PathBuf {
    root().join("target/page")
}

/// The static site of whoever hosts it, which only `cargo xtask dist` writes.
pub(crate) fn dist() -> PathBuf {
    root().join("dist")
}

/// The unpacked npm package.
pub(crate) fn npm_package() -> PathBuf {
    root().join("target/npm/bellwether")
}

/// The gateway's binary, as [`crate::gateway::build`] leaves it.
pub(crate) fn gateway_binary() -> PathBuf {
    target().join("gateway").join(format!("bellwether{EXE_SUFFIX}"))
}

/// `PATH` with the installed tools and the npm parts' programs in front.
///
/// # Errors
/// When a folder on the way has a character that `PATH` cannot hold.
pub(crate) fn search_path() -> Result<OsString> {
    let mut folders = vec![tools().join("bin"), root().join("node_modules/.bin")];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    std::env::join_paths(folders).context("the checkout's path holds a character that PATH cannot carry")
}
