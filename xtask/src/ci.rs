//! `cargo xtask ci`: the one gate. Every check and every test; all of them run, whatever became of those before.

use std::time::Instant;

use anyhow::Result;

use crate::lock::Lock;
use crate::plain::describe;
use crate::test::{self, Failed};
use crate::{page, place, progress, shell, sizes, tidy, tools};

/// The crates that are compiled to WebAssembly.
const WASM_CRATES: [&str; 5] =
    ["bellwether-loops", "bellwether-core", "bellwether-wire", "bellwether-wasm", "bellwether-dashboard"];

/// A check that is not a test.
struct Check {
    name: &'static str,
    run: fn() -> Result<()>,
}

const CHECKS: [Check; 7] = [
    Check { name: "tidy", run: tidy::run },
    Check { name: "fmt", run: format },
    Check { name: "clippy", run: clippy },
    Check { name: "clippy wasm32", run: clippy_wasm },
    Check { name: "docs", run: docs },
    Check { name: "deny", run: deny },
    Check { name: "sizes", run: budget },
];

/// Runs the checks, then all tests.
///
/// # Errors
/// When any of them failed; each has said why.
pub(crate) fn run() -> Result<()> {
    let failed = checks();
    let outcomes = test::outcomes(&[], None)?;
    if !failed.is_empty() {
        println!("\nFailed checks: {}", failed.join(", "));
    }
    let total = test::print(&outcomes);
    if total.failed == 0 && failed.is_empty() { Ok(()) } else { Err(Failed.into()) }
}

/// Runs the checks alone.
///
/// # Errors
/// Names those that failed.
pub(crate) fn lint() -> Result<()> {
    let failed = checks();
    anyhow::ensure!(failed.is_empty(), "failed checks: {}", failed.join(", "));
    Ok(())
}

fn checks() -> Vec<&'static str> {
    CHECKS.iter().filter(|check| !holds(check)).map(|check| check.name).collect()
}

fn holds(check: &Check) -> bool {
    println!("\n── {}", check.name);
    let start = Instant::now();
    let result = (check.run)();
    let time = progress::spoken(start.elapsed());
    match &result {
        Ok(()) => println!("{}: holds ({time})", check.name),
        Err(error) => println!("{}: {} ({time})", check.name, describe(error)),
    }
    result.is_ok()
}

fn format() -> Result<()> {
    tools::component("rustfmt", &Lock::take()?)?;
    shell::stream(shell::cargo()?.args(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    let held = Lock::take()?;
    tools::component("clippy", &held)?;
    tools::crates(&held)?;
    drop(held);
    let arguments = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    shell::stream(shell::cargo()?.args(arguments))
}

fn clippy_wasm() -> Result<()> {
    let held = Lock::take()?;
    tools::component("clippy", &held)?;
    tools::wasm_target(&held)?;
    tools::crates(&held)?;
    drop(held);
    let mut cargo = shell::cargo()?;
    cargo.args(["clippy", "--locked", "--target", tools::WASM_TARGET]);
    for name in WASM_CRATES {
        cargo.args(["--package", name]);
    }
    // As the page is built; its tests below are without.
    cargo.args(["--features", "bellwether-dashboard/split"]);
    shell::stream(cargo.args(["--", "-D", "warnings"]))?;
    // Their test files too, but only those of the crates whose tests are compiled to WebAssembly.
    let mut cargo = shell::cargo()?;
    cargo.args(["clippy", "--locked", "--target", tools::WASM_TARGET, "--tests"]);
    cargo.args(["--package", "bellwether-wasm", "--package", "bellwether-dashboard", "--", "-D", "warnings"]);
    shell::stream(&mut cargo)
}

fn docs() -> Result<()> {
    let mut cargo = shell::cargo()?;
    cargo.args(["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"]);
    // A flag's doc comment is its help text too, where the angle brackets that rustdoc asks for would be in the way.
    shell::stream(cargo.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::bare-urls"))
}

fn deny() -> Result<()> {
    let held = Lock::take()?;
    tools::crates(&held)?;
    tools::cargo_deny(&held)?;
    drop(held);
    let deny = ["--locked", "--offline", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    shell::stream(shell::command("cargo-deny")?.args(deny))
}

fn budget() -> Result<()> {
    page::build(&Lock::take()?)?;
    let sizes = sizes::measure(&place::page())?;
    sizes::print(&sizes);
    sizes::check(&sizes)
}
