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
    if crate::place::gateway_binary().is_file() {
        // A build that has nothing to do should have nothing to say.
        cargo.arg("--quiet");
    }
    shell::stream(&mut cargo).context("the gateway does not build")
}
