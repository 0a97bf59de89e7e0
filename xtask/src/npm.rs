//! `cargo xtask npm`: the package `bellwether` in `target/npm/bellwether` and, packed, beside it.
//!
//! `crates/wasm/package.json` is its manifest, `crates/wasm/js` its hand-written part (copied to the package's top,
//! TypeScript compiled), and what wasm-bindgen makes of the crate goes to its `dist/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::lock::Lock;
use crate::stamp::{self, Fingerprint};
use crate::{node, order, panics, place, progress, shell, tools};

/// What the package is made from.
const INPUTS: [&str; 14] = [
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "crates/loops/Cargo.toml",
    "crates/loops/src",
    "crates/core/Cargo.toml",
    "crates/core/src",
    "crates/wire/Cargo.toml",
    "crates/wire/src",
    "crates/wasm",
    "xtask/src/order.rs",
    "xtask/src/panics.rs",
];

/// What wasm-opt does first: all that makes the wasm smaller as it is sent. A function that has one caller stays on its
/// own, and functions stand in the order of their names, where most that are like each other meet.
const SMALL: [&str; 4] =
    ["-Oz", "--converge", "--one-caller-inline-max-function-size=0", "--reorder-functions-by-name"];

/// Builds the package; does nothing when nothing changed. Returns the path of the packed one.
///
/// # Errors
/// When a tool is missing or the package does not build.
pub(crate) fn build(held: &Lock) -> Result<PathBuf> {
    let mut fingerprint = Fingerprint::new();
    fingerprint.word(tools::WASM_BINDGEN);
    for input in INPUTS {
        fingerprint.path(&place::root().join(input))?;
    }
    let fingerprint = fingerprint.text();
    let package = place::npm_package();
    if stamp::is_fresh("package", &fingerprint)
        && let Some(packed) = packed(&package)
    {
        return Ok(packed);
    }
    node::ensure(node::For::Building)?;
    tools::wasm_target(held)?;
    tools::wasm_bindgen(held)?;
    tools::npm_parts(held, &place::root())?;
    tools::crates(held)?;
    stamp::forget("package")?;
    if let Some(parent) = package.parent().filter(|parent| parent.exists()) {
        fs::remove_dir_all(parent).with_context(|| format!("cannot empty {}", parent.display()))?;
    }
    fs::create_dir_all(&package)?;
    compile(&package.join("dist"))?;
    copy_hand_written(&package)?;
    compile_typescript(&package)?;
    name_the_error(&package)?;

    let mut npm = shell::command("npm")?;
    npm.current_dir(&package).args(["pack", "--silent", "--pack-destination", ".."]);
    shell::capture(&mut npm).context("the package cannot be packed")?;
    stamp::keep("package", &fingerprint)?;
    packed(&package).context("npm pack left no .tgz")
}

fn compile(out: &Path) -> Result<()> {
    let mut cargo = shell::cargo()?;
    cargo.args(["build", "--locked", "--release", "--target", tools::WASM_TARGET, "--package", "bellwether-wasm"]);
    shell::without_machine_paths(&mut cargo, &[])?;
    progress::build("npm package", "release; about a minute the first time", &mut cargo)
        .context("the npm package's engine does not build")?;
    let wasm = place::target().join(tools::WASM_TARGET).join("release/bellwether_wasm.wasm");
    let mut bindgen = shell::command("wasm-bindgen")?;
    bindgen.args(["--target", "web", "--out-name", "bellwether", "--out-dir"]).arg(out).arg(wasm);
    shell::stream(&mut bindgen).context("wasm-bindgen failed")?;
    let wasm = out.join("bellwether_bg.wasm");
    let mut bytes = fs::read(&wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    panics::silence(&mut bytes)?;
    fs::write(&wasm, bytes).with_context(|| format!("cannot write {}", wasm.display()))?;
    let mut optimise = shell::command("wasm-opt")?;
    optimise.args(SMALL).arg(&wasm).arg("-o").arg(&wasm);
    shell::stream(&mut optimise).context("wasm-opt failed")?;
    order::by_likeness(&wasm)
}

/// The manifest, the read-me, the licences and the hand-written JavaScript with its types.
fn copy_hand_written(package: &Path) -> Result<()> {
    let krate = place::root().join("crates/wasm");
    let mut files: Vec<(PathBuf, PathBuf)> = Vec::new();
    for name in ["package.json", "README.md"] {
        files.push((krate.join(name), package.join(name)));
    }
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        files.push((place::root().join(name), package.join(name)));
    }
    let js = krate.join("js");
    for file in stamp::files_below(&js)? {
        if is_source(&file) {
            continue;
        }
        let to = package.join(file.strip_prefix(&js)?);
        files.push((file, to));
    }
    for (from, to) in files {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&from, &to).with_context(|| format!("the package needs {}", from.display()))?;
    }
    Ok(())
}

/// Whether the file is TypeScript to be compiled, and no declarations that are there to be read.
fn is_source(file: &Path) -> bool {
    let name = file.to_string_lossy();
    name.ends_with(".ts") && !name.ends_with(".d.ts")
}

/// What is written in TypeScript: JavaScript, types and source maps.
fn compile_typescript(package: &Path) -> Result<()> {
    let mut tsc = shell::command("tsc")?;
    tsc.arg("--project").arg(place::root().join("crates/wasm")).arg("--outDir").arg(package);
    shell::stream(&mut tsc).context("the package's TypeScript does not compile")
}

/// `error.js`: the one class of errors, wherever wasm-bindgen has put it, for those who do without the wasm.
fn name_the_error(package: &Path) -> Result<()> {
    let snippets = stamp::files_below(&package.join("dist/snippets"))?;
    let snippet =
        snippets.iter().find(|file| file.ends_with("src/error.js")).context("wasm-bindgen left no error.js")?;
    let path = snippet.strip_prefix(package)?.to_string_lossy().replace('\\', "/");
    fs::write(package.join("error.js"), format!("export {{ BellwetherError }} from './{path}';\n"))?;
    Ok(())
}

fn packed(package: &Path) -> Option<PathBuf> {
    let beside = fs::read_dir(package.parent()?).ok()?;
    beside.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|ending| ending == "tgz"))
}
