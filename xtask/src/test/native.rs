//! Everything that runs natively: unit, property and script tests, store tests, doc tests, these commands' own tests.

use anyhow::Result;

use super::{Count, counted};
use crate::lock::Lock;
use crate::{shell, soak, tools};

/// The crates that the tests spend their time in.
const SOAKED: [&str; 10] = [
    "bellwether-core",
    "bellwether-dashboard",
    "bellwether-fuzz",
    "bellwether-gateway",
    "bellwether-loops",
    "bellwether-testkit",
    "bellwether-wire",
    "pco",
    "proptest",
    "redb",
];

pub(super) fn run() -> Result<Count> {
    tools::crates(&Lock::take()?)?;
    let mut cargo = shell::cargo()?;
    cargo.args(["test", "--locked", "--workspace", "--no-fail-fast"]);
    if soak::is_asked_for() {
        // What a long form tries ten times as often is optimized a little, and still checks for overflow.
        for name in SOAKED {
            cargo.arg("--config").arg(format!("profile.dev.package.{name}.opt-level=1"));
        }
    }
    // Line numbers in a backtrace are all that a test needs; the rest doubles the link time.
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    counted(&mut cargo, Count::read_rust)
}
