//! Code splitting: what of the page's wasm only some views reach goes into files of their own, fetched when needed.
//!
//! Trunk has no step between the linker, whose output can be split, and wasm-bindgen, whose output cannot. So it finds
//! `tools/wasm-split` under the name of wasm-bindgen, which splits the module, keeps the pieces for [`finish`] and calls the
//! true wasm-bindgen with the rest. Where the code is split is said in `crates/dashboard/src/code.rs`.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::stamp::Fingerprint;
use crate::{order, place, shell};

/// What the linker is asked for: without its relocations nothing can be moved into another module.
pub(crate) const LINKER_FLAG: &str = "-Clink-arg=--emit-relocs";
/// The feature of the page's crate that marks where to split.
const FEATURE: &str = "split";
/// The import that wasm-bindgen writes for what fetches a piece, but for the name in it.
const IMPORT: [&str; 2] = ["import * as ", " from \"./__wasm_split.js\""];
/// What takes the imports' place.
const LOADER: &str = include_str!("chunks.js");
/// The folder of the pieces in the page.
pub(crate) const FOLDER: &str = "chunks";

/// Where the pieces lie as they come from the splitter.
fn pieces() -> PathBuf {
    place::state().join("split/pieces")
}

/// Has Trunk split the page.
///
/// # Errors
/// When a tool is missing or a folder cannot be written.
pub(crate) fn prepare(trunk: &mut Command) -> Result<()> {
    let bindgen = shell::find("wasm-bindgen").context("wasm-bindgen is not there")?;
    let splitter = shell::find("bellwether-wasm-split").context("bellwether-wasm-split is not there")?;
    let (pieces, programs) = (pieces(), place::state().join("split/bin"));
    for folder in [&pieces, &programs] {
        if folder.is_dir() {
            fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let named = programs.join(format!("wasm-bindgen{EXE_SUFFIX}"));
    fs::copy(&splitter, &named).with_context(|| format!("cannot write {}", named.display()))?;
    let path = place::search_path()?;
    let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path)))?;
    trunk.env("PATH", path).env("BELLWETHER_WASM_BINDGEN", bindgen).env("BELLWETHER_CHUNKS", pieces);
    trunk.args(["--features", FEATURE]);
    Ok(())
}

/// Puts the pieces into the page that Trunk has built, has its script fetch them, and names all by what they have become:
/// a piece fits the one module that it was split off, and browsers keep each name for a year.
///
/// # Errors
/// When the page is not what it was, or a file cannot be read or written.
pub(crate) fn finish(page: &Path) -> Result<()> {
    let script = script(page)?;
    let built = script.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = built.rsplit_once('-').map(|(name, _)| name).with_context(|| format!("{built} has no hash"))?;
    let list = read(&pieces().join("chunks.txt"))?;
    let ready = pieces().join("ready");
    fs::create_dir_all(&ready).with_context(|| format!("cannot make the folder {}", ready.display()))?;
    for module in list.lines().flat_map(|line| line.split_whitespace().skip(1)) {
        let to = ready.join(module);
        if !to.is_file() {
            optimise(&pieces().join(format!("{module}.wasm")), &to)?;
        }
    }
    let wasm = page.join(format!("{built}_bg.wasm"));
    let hash = Fingerprint::new().path(&script)?.path(&wasm)?.path(&ready)?.word(LOADER).text();
    let splits = splits(&list, &hash);
    let folder = page.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for (from, to) in splits.iter().flat_map(|split| &split.modules) {
        fs::copy(ready.join(from), page.join(to)).with_context(|| format!("cannot write {to}"))?;
    }
    let named = format!("{name}-{hash}");
    let whole = with_loader(&read(&script)?, &splits)?;
    write(&page.join(format!("{named}.js")), &whole)?;
    let to = page.join(format!("{named}_bg.wasm"));
    fs::rename(&wasm, &to).with_context(|| format!("cannot write {}", to.display()))?;
    fs::remove_file(&script).with_context(|| format!("cannot remove {}", script.display()))?;
    let index = page.join("index.html");
    let text = read(&index)?;
    ensure!(text.contains(&built), "index.html does not name {built}");
    write(&index, &text.replace(&built, &named))
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// The script that wasm-bindgen made.
fn script(page: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(page).with_context(|| format!("cannot read {}", page.display()))?;
    let mut scripts = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        path.extension().is_some_and(|kind| kind == "js") && path.with_file_name(format!("{stem}_bg.wasm")).is_file()
    });
    scripts.next().context("the page has no script beside a wasm")
}

/// Code that is fetched for one split point.
struct Split {
    name: String,
    /// The modules in the order in which they are instantiated: what the splitter calls them, and where in the page they lie.
    modules: Vec<(String, String)>,
}

/// What the splitter has listed.
fn splits(list: &str, hash: &str) -> Vec<Split> {
    let module = |from: &str| {
        let plain = from.strip_prefix("split_").map_or_else(|| from.replace("chunk_", "shared"), str::to_owned);
        (from.to_owned(), format!("{FOLDER}/{plain}-{hash}.wasm"))
    };
    let split = |line: &str| {
        let mut words = line.split_whitespace();
        Some(Split { name: words.next()?.to_owned(), modules: words.map(module).collect() })
    };
    list.lines().filter_map(split).collect()
}

fn optimise(from: &Path, to: &Path) -> Result<()> {
    let mut optimise = shell::command("wasm-opt")?;
    optimise.args(["-Oz", "--converge", "--one-caller-inline-max-function-size=0"]).arg(from).arg("-o").arg(to);
    // It warns of the names that the splitter leaves, which go anyway.
    shell::capture(&mut optimise).context("wasm-opt failed")?;
    order::by_likeness(to)
}

/// The script with what fetches the splits in the place of its imports.
fn with_loader(script: &str, splits: &[Split]) -> Result<String> {
    let [before, after] = IMPORT;
    let imported = |line: &str| {
        let name = line.trim_end_matches(';').strip_prefix(before)?.strip_suffix(after)?;
        Some(name.to_owned())
    };
    let names: Vec<String> = script.lines().filter_map(imported).collect();
    ensure!(!names.is_empty(), "the page's script imports no `./__wasm_split.js`: see how wasm-bindgen writes it now");
    ensure!(script.contains("wasm = instance.exports"), "the page's script keeps the wasm's exports elsewhere now");
    let loaders = splits.iter().map(|Split { name, modules }| {
        let files: Vec<_> = modules.iter().map(|(_, file)| format!("\"./{file}\"")).collect();
        format!("    __wasm_split_load_{name}: loader([{}]),\n", files.join(", "))
    });
    let names = names.iter().map(|name| format!("const {name} = chunks;\n")).collect::<String>();
    let rest: Vec<_> = script.lines().filter(|line| imported(line).is_none()).collect();
    Ok(format!("{LOADER}const chunks = {{\n{}}};\n{names}{}\n", loaders.collect::<String>(), rest.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "panel chunk_3 split_panel\nviews chunk_3 split_views\n";

    #[test]
    fn each_split_names_its_modules_in_their_order() {
        let splits = splits(LIST, "0123abcd");
        let shown: Vec<_> = splits.iter().map(|split| (split.name.as_str(), split.modules.len())).collect();
        assert_eq!(shown, [("panel", 2), ("views", 2)]);
        let module = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let shared = module("chunk_3", "chunks/shared3-0123abcd.wasm");
        assert_eq!(splits[1].modules, [shared, module("split_views", "chunks/views-0123abcd.wasm")]);
    }

    #[test]
    fn the_loader_takes_the_place_of_the_imports() {
        let script = "import * as import1 from \"./__wasm_split.js\"\nimport * as import2 from \"./__wasm_split.js\"\n\
                      let wasm;\nwasm = instance.exports;\nexport { initSync };";
        let whole = with_loader(script, &splits(LIST, "0123abcd")).unwrap();
        assert!(!whole.contains("import * as"), "{whole}");
        let views =
            "__wasm_split_load_views: loader([\"./chunks/shared3-0123abcd.wasm\", \"./chunks/views-0123abcd.wasm\"])";
        for part in [views, "const import1 = chunks;\nconst import2 = chunks;\n", "let wasm;", "export { initSync };"] {
            assert!(whole.contains(part), "{part} in {whole}");
        }
    }

    #[test]
    fn a_script_that_is_not_what_it_was_is_refused() {
        for script in ["let wasm;\nwasm = instance.exports;", "import * as import1 from \"./__wasm_split.js\""] {
            assert!(with_loader(script, &[]).is_err(), "{script}");
        }
    }
}
