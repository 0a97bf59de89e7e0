//! The pinned tools: found at the right version on `PATH`, else installed into `target/tools`, once.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::lock::Lock;
use crate::plain::Plain;
use crate::{node, place, progress, shell, stamp};

/// wasm-bindgen's version; the crates in Cargo.toml, `tools/wasm-bindgen` and Trunk.toml must say the same.
pub(crate) const WASM_BINDGEN: &str = "0.2.130";
/// The splitter's version: that of the library it is made of.
pub(crate) const WASM_SPLIT: &str = "0.2.4";
/// Trunk's version: the newest that the pinned Rust builds.
pub(crate) const TRUNK: &str = "0.21.14";
/// cargo-deny's version.
pub(crate) const CARGO_DENY: &str = "0.20.2";
/// The target that page and npm package are compiled for.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Where a tool's source comes from.
enum Source {
    /// The registry, by arguments of `cargo install`.
    Registry(&'static [&'static str]),
    /// A folder of the checkout with a lock file of its own.
    Folder(&'static str),
}

/// A program that cargo can build and that a command here needs.
struct Tool {
    /// What people call it.
    name: &'static str,
    /// Its programs, all of which must report `version`.
    programs: &'static [&'static str],
    version: &'static str,
    source: Source,
    /// What it is for, as the end of the sentence "Installing … : …".
    purpose: &'static str,
    /// About how long that takes on two cores.
    minutes: &'static str,
    /// The optimisation level: these tools are built once and run for seconds, so a short build comes first.
    opt_level: &'static str,
}

const WASM_BINDGEN_TOOL: Tool = Tool {
    name: "wasm-bindgen",
    programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
    version: WASM_BINDGEN,
    source: Source::Folder("tools/wasm-bindgen"),
    purpose: "joins the compiled engine to JavaScript",
    minutes: "2 to 4 minutes",
    opt_level: "1",
};

const WASM_SPLIT_TOOL: Tool = Tool {
    name: "wasm-split",
    programs: &["bellwether-wasm-split"],
    version: WASM_SPLIT,
    source: Source::Folder("tools/wasm-split"),
    purpose: "splits off code that is fetched when needed",
    minutes: "1 to 3 minutes",
    opt_level: "1",
};

const TRUNK_TOOL: Tool = Tool {
    name: "trunk",
    programs: &["trunk"],
    version: TRUNK,
    source: Source::Registry(&["trunk@0.21.14", "--no-default-features"]),
    purpose: "builds the page",
    minutes: "2 to 6 minutes",
    opt_level: "0",
};

const CARGO_DENY_TOOL: Tool = Tool {
    name: "cargo-deny",
    programs: &["cargo-deny"],
    version: CARGO_DENY,
    source: Source::Registry(&["cargo-deny@0.20.2", "--no-default-features"]),
    purpose: "checks the licences of what the build contains",
    minutes: "1 to 3 minutes",
    opt_level: "1",
};

/// Everything that building the page and the npm package needs.
///
/// # Errors
/// A plain sentence when something is missing that only the reader can install.
pub(crate) fn for_the_page(held: &Lock) -> Result<()> {
    c_compiler()?;
    node::ensure(node::For::Building)?;
    wasm_target(held)?;
    wasm_bindgen(held)?;
    install(&WASM_SPLIT_TOOL, held)?;
    install(&TRUNK_TOOL, held)?;
    npm_parts(held, &place::root())
}

/// `wasm-bindgen` and its test runner.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn wasm_bindgen(held: &Lock) -> Result<()> {
    install(&WASM_BINDGEN_TOOL, held)
}

/// `cargo-deny`.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn cargo_deny(held: &Lock) -> Result<()> {
    install(&CARGO_DENY_TOOL, held)
}

fn install(tool: &Tool, _held: &Lock) -> Result<()> {
    if tool.programs.iter().all(|program| reports(program, tool.version)) {
        return Ok(());
    }
    eprintln!(
        "Installing {} {} into target/tools (once; about {}): it {}.",
        tool.name, tool.version, tool.minutes, tool.purpose
    );
    let start = Instant::now();
    let build = place::tools().join("build").join(tool.name);
    let mut cargo = shell::cargo()?;
    cargo.args(["install", "--locked", "--force", "--root"]).arg(place::tools());
    match tool.source {
        Source::Registry(arguments) => cargo.args(arguments),
        Source::Folder(folder) => {
            // Fetched before: an installation from a folder asks the registry for each crate again, and without a
            // network goes on asking for many minutes.
            let mut fetch = shell::cargo()?;
            fetch.args(["fetch", "--locked", "--manifest-path"]).arg(place::root().join(folder).join("Cargo.toml"));
            progress::run(tool.name, &mut fetch)?;
            cargo.args(["--offline", "--path", folder])
        }
    };
    cargo
        .env("CARGO_TARGET_DIR", &build)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", tool.opt_level)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    progress::run(tool.name, &mut cargo).with_context(|| format!("cannot install {}", tool.name))?;
    // Several hundred megabytes that nothing reads again; a folder that stays behind does no harm.
    let _ = std::fs::remove_dir_all(&build);
    eprintln!("Installed {} in {}.", tool.name, progress::spoken(start.elapsed()));
    Ok(())
}

/// Whether `program` is found and its `--version` names `version`.
fn reports(program: &str, version: &str) -> bool {
    shell::find(program).is_some_and(|path| {
        shell::capture(Command::new(path).arg("--version"))
            .is_ok_and(|text| text.split_whitespace().any(|word| word == version))
    })
}

/// Fetches the crates of Cargo.lock, so that what follows needs no network.
///
/// # Errors
/// A plain sentence when the network cannot be reached.
pub(crate) fn crates(_held: &Lock) -> Result<()> {
    let fingerprint = stamp::Fingerprint::new().path(&place::root().join("Cargo.lock"))?.text();
    if stamp::is_fresh("crates", &fingerprint) {
        return Ok(());
    }
    eprintln!("Fetching the crates that Cargo.lock names (under a minute, where they are not here yet).");
    let mut cargo = shell::cargo()?;
    cargo.args(["fetch", "--locked"]);
    progress::run("cargo", &mut cargo).context("cannot fetch the crates")?;
    stamp::keep("crates", &fingerprint)
}

/// The compiled standard library for wasm32, added by rustup where it is missing.
///
/// # Errors
/// A plain sentence when rustup is missing or cannot add it.
pub(crate) fn wasm_target(_held: &Lock) -> Result<()> {
    let folder = shell::capture(shell::command("rustc")?.args(["--print", "target-libdir", "--target", WASM_TARGET]))?;
    if Path::new(&folder).is_dir() {
        return Ok(());
    }
    rustup(&["target", "add", WASM_TARGET], "Rust's WebAssembly target")
}

/// `clippy` or `rustfmt`, added by rustup where it is missing.
///
/// # Errors
/// A plain sentence when rustup is missing or cannot add it.
pub(crate) fn component(name: &str, _held: &Lock) -> Result<()> {
    let subcommand = if name == "rustfmt" { "fmt" } else { name };
    if shell::capture(shell::cargo()?.args([subcommand, "--version"])).is_ok() {
        return Ok(());
    }
    rustup(&["component", "add", name], &format!("Rust's {name}"))
}

/// Has rustup add `what` to the toolchain of this checkout.
fn rustup(arguments: &[&str], what: &str) -> Result<()> {
    let mend = format!("rustup {}", arguments.join(" "));
    if shell::find("rustup").is_none() {
        return Err(Plain::error(
            format!("{what} is not on this machine, and there is no rustup to add it."),
            format!("install rustup from rustup.rs, then: {mend}"),
        ));
    }
    eprintln!("Adding {what} (once; under a minute).");
    let mut rustup = shell::command("rustup")?;
    progress::run("rustup", rustup.args(arguments)).map_err(|error| match error.is::<Plain>() {
        true => error,
        false => Plain::error(format!("{what} could not be added: {error:#}"), mend),
    })
}

/// A C compiler, which some of the gateway's crates need.
///
/// # Errors
/// A plain sentence when there is none.
pub(crate) fn c_compiler() -> Result<()> {
    let named = std::env::var("CC").ok();
    if cfg!(windows) || named.iter().map(String::as_str).chain(["cc"]).any(|name| shell::find(name).is_some()) {
        return Ok(());
    }
    Err(Plain::error(
        "There is no C compiler (`cc`) on this machine.",
        if cfg!(target_os = "macos") { "xcode-select --install" } else { "apt-get install build-essential" },
    ))
}

/// What the npm parts of `folder` are called: `npm` at the top, else `npm-tests-bench` and the like.
pub(crate) fn npm_parts_name(folder: &Path) -> String {
    let name = folder.strip_prefix(place::root()).unwrap_or(folder).to_string_lossy().replace('/', "-");
    if name.is_empty() { "npm".to_owned() } else { format!("npm-{name}") }
}

/// The npm packages that `folder`'s lock file names, in its `node_modules`.
///
/// # Errors
/// A plain sentence when the network cannot be reached, else npm's own words.
pub(crate) fn npm_parts(held: &Lock, folder: &Path) -> Result<()> {
    let name = npm_parts_name(folder);
    let fingerprint =
        stamp::Fingerprint::new().path(&folder.join("package.json"))?.path(&folder.join("package-lock.json"))?.text();
    if stamp::is_fresh(&name, &fingerprint) && folder.join("node_modules").is_dir() {
        return Ok(());
    }
    let _unused = held.change_npm_parts(&name)?;
    stamp::forget(&name)?;
    eprintln!("Fetching npm parts of {} (once; under a minute).", if name == "npm" { "the page" } else { &name[4..] });
    let mut npm = shell::command("npm")?;
    // No package here needs a script of its own to be installed; none gets to run one.
    npm.current_dir(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    // npm's own patience without a network is over a minute.
    npm.args(["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]);
    progress::run("npm", &mut npm).context("cannot fetch the npm parts")?;
    stamp::keep(&name, &fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_missing_or_of_another_version_does_not_count() {
        assert!(!reports("bellwether-no-such-program", "1.0"));
        assert!(!reports("cargo", "0.0.1"));
    }

    #[test]
    fn the_pins_agree_with_the_install_commands() {
        for tool in [&TRUNK_TOOL, &CARGO_DENY_TOOL] {
            let Source::Registry([what, ..]) = tool.source else { panic!("{} is not the registry's", tool.name) };
            assert_eq!(*what, format!("{}@{}", tool.name, tool.version));
        }
    }
}
