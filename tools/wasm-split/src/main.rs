//! Stands in wasm-bindgen's place while Trunk builds the page.
//!
//! `cargo xtask` puts it on `PATH` under that name, with the true command in `BELLWETHER_WASM_BINDGEN` and a folder in
//! `BELLWETHER_CHUNKS`. It splits the module, lays what is fetched later into the folder and hands the rest on. In the
//! folder `chunks.txt` says what each split needs, one on a line: its name, then the modules in the order in which they
//! are instantiated.

use std::env::{args_os, var_os};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use wasm_split_cli_support::{Options, transform};

fn main() -> ExitCode {
    let Some(bindgen) = var_os("BELLWETHER_WASM_BINDGEN") else {
        println!("bellwether-wasm-split {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    };
    match run(bindgen) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(bindgen: OsString) -> Result<ExitCode> {
    let mut arguments: Vec<OsString> = args_os().skip(1).collect();
    // Trunk asks for the version first, and names no module then.
    let module = arguments.iter_mut().find(|argument| Path::new(argument).extension().is_some_and(|end| end == "wasm"));
    if let Some(module) = module {
        let folder = PathBuf::from(var_os("BELLWETHER_CHUNKS").context("BELLWETHER_CHUNKS is not set")?);
        *module = split(Path::new(module), &folder)?.into_os_string();
        // The pieces import the table of functions, which is else not exported.
        arguments.push("--keep-lld-exports".into());
    }
    let status = Command::new(&bindgen).args(arguments).status();
    let status = status.with_context(|| format!("cannot start {}", bindgen.display()))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Splits the module into `folder`; the path of what is not fetched later.
fn split(module: &Path, folder: &Path) -> Result<PathBuf> {
    let wasm = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let main = folder.join(module.file_name().context("the module has no name")?);
    let mut options = Options::new(&wasm);
    (options.output_dir, options.main_out_path) = (folder, &main);
    let split = transform(options).map_err(|error| anyhow::anyhow!("cannot split {}: {error:?}", module.display()))?;
    let mut lines: Vec<String> =
        split.prefetch_map.iter().map(|(name, modules)| format!("{name} {}\n", modules.join(" "))).collect();
    lines.sort();
    let list = folder.join("chunks.txt");
    fs::write(&list, lines.concat()).with_context(|| format!("cannot write {}", list.display()))?;
    Ok(main)
}
