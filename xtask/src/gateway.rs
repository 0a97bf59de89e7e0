//! The gateway's binary.

use anyhow::{Context, Result};

use crate::lock::Lock;
use crate::{progress, shell, tools};

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
