//! Everything that runs natively: unit, property and script tests, store tests, doc tests, these commands' own tests.

use anyhow::Result;

use super::{Count, counted};
use crate::lock::Lock;
use crate::{shell, tools};

pub(super) fn run() -> Result<Count> {
    tools::crates(&Lock::take()?)?;
    let mut cargo = shell::cargo()?;
    cargo.args(["test", "--locked", "--workspace", "--no-fail-fast"]);
    // Line numbers in a backtrace are all that a test needs; the rest doubles the link time.
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    counted(&mut cargo, Count::read_rust)
}
