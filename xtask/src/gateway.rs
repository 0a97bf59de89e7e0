//! The gateway's binary, and the load that is put on it.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::lock::Lock;
use crate::{place, progress, shell, tools};

/// Builds the gateway with its own profile; cargo does nothing when nothing changed.
///
/// # Errors
/// When it does not compile.
pub(crate) fn build(held: &Lock) -> Result<()> {
    tools::c_compiler()?;
    tools::crates(held)?;
    let mut cargo = shell::cargo()?;
    cargo.args(["build", "--locked", "--profile", "gateway", "--package", "bellwether-gateway"]);
    progress::build("gateway", "release; about 5 minutes the first time", &mut cargo)
        .context("the gateway does not build")
}

/// Builds the load of the bench, a program.
///
/// # Errors
/// When it does not compile.
pub(crate) fn build_load(held: &Lock) -> Result<PathBuf> {
    tools::crates(held)?;
    let mut cargo = shell::cargo()?;
    let example = ["--package", "bellwether-testkit", "--example", "load"];
    cargo.args(["build", "--locked", "--profile", "gateway"]).args(example);
    progress::build("load", "the bench's load; about a minute the first time", &mut cargo)
        .context("the bench's load does not build")?;
    Ok(place::target().join("gateway/examples/load"))
}
