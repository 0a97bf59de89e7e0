//! The gateway's binary.

use anyhow::{Context, Result};

use crate::{shell, tools};

/// Builds the gateway with its own profile; cargo does nothing when nothing changed.
///
/// # Errors
/// When it does not compile.
pub(crate) fn build() -> Result<()> {
    tools::c_compiler()?;
    let mut cargo = shell::cargo()?;
    cargo.args(["build", "--locked", "--profile", "gateway", "--package", "bellwether-gateway"]);
    shell::stream(&mut cargo).context("the gateway does not build")
}
