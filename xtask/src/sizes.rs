//! How much a reader's browser fetches, against the budget; printed by each build, recorded by `cargo xtask sizes`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::{place, stamp};

/// Budget of the page's wasm, gzip, in bytes (1 KB = 1,000 bytes); what only some views need belongs into a
/// chunk.
const WASM_BUDGET: u64 = 300_000;
/// Budget of all that is needed before the first figures, gzip, in bytes.
const FIRST_FIGURES_BUDGET: u64 = 350_000;

/// Where in the page the code lies that is split off its wasm.
const CHUNKS: &str = "chunks/";

/// Bytes of something: as it is, and as a server sends it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Size {
    raw: u64,
    gzip: u64,
    brotli: u64,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.raw += other.raw;
        self.gzip += other.gzip;
        self.brotli += other.brotli;
    }
}

/// The site's weights.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    wasm: Size,
    first_figures: Size,
    later: Size,
    /// Of `later`, the code that is split off the page's wasm: the name of each file and its weight.
    chunks: Vec<(String, Size)>,
}

/// Weighs the site in `dist`.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn measure(dist: &Path) -> Result<Sizes> {
    let mut sizes = Sizes::default();
    for file in stamp::files_below(dist)? {
        let name = file.strip_prefix(dist)?.to_string_lossy().replace('\\', "/");
        if name.ends_with(".gz") || name.ends_with(".br") {
            continue;
        }
        let size = weigh(&file)?;
        if is_later(&name) {
            sizes.later.add(size);
            if let Some(chunk) = name.strip_prefix(CHUNKS).filter(|chunk| chunk.ends_with(".wasm")) {
                let plain = chunk.rsplit_once('-').map_or(chunk, |(plain, _)| plain);
                sizes.chunks.push((format!("of that, code: {plain}"), size));
            }
            continue;
        }
        sizes.first_figures.add(size);
        if name.ends_with(".wasm") {
            sizes.wasm.add(size);
        }
    }
    sizes.chunks.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(sizes)
}

fn weigh(file: &Path) -> Result<Size> {
    let length = |path: &Path| fs::metadata(path).map(|found| found.len());
    let raw = length(file).with_context(|| format!("cannot read {}", file.display()))?;
    let twin = |ending: &str| length(Path::new(&format!("{}.{ending}", file.display()))).unwrap_or(raw);
    Ok(Size { raw, gzip: twin("gz"), brotli: twin("br") })
}

/// What the page fetches only after its first figures: the chart bundle, code of other views, the help, what reads a file, icons
/// of an installed page, the board's schema.
/// Everything else counts as needed at once, so that nothing is forgotten. Of the texts one language is fetched: the
/// heaviest, which is Spanish, counts.
fn is_later(name: &str) -> bool {
    name == "texts/en.json"
        || name == "plotly-es.js"
        || name.starts_with("file/")
        || name.starts_with("help/")
        || name.starts_with(CHUNKS)
        || name.starts_with("vendor/")
        || name.starts_with("icons/")
        || name.ends_with(".schema.json")
}

fn rows(sizes: &Sizes) -> Vec<(&str, Size, Option<u64>)> {
    let mut rows = vec![
        ("the page's wasm", sizes.wasm, Some(WASM_BUDGET)),
        ("all before first figures", sizes.first_figures, Some(FIRST_FIGURES_BUDGET)),
        ("loaded later, when needed", sizes.later, None),
    ];
    rows.extend(sizes.chunks.iter().map(|(name, size)| (name.as_str(), *size, None)));
    rows
}

fn kilobytes(bytes: u64) -> String {
    format!("{}.{} KB", bytes / 1000, bytes % 1000 / 100)
}

/// Prints the weights.
pub(crate) fn print(sizes: &Sizes) {
    println!("{:<27}{:>12}{:>12}{:>12}", "What a browser fetches", "raw", "gzip", "brotli");
    for (name, size, budget) in rows(sizes) {
        let budget = budget.map(|bytes| format!("   (budget: {} gzip)", kilobytes(bytes))).unwrap_or_default();
        let [raw, gzip, brotli] = [size.raw, size.gzip, size.brotli].map(kilobytes);
        println!("{name:<27}{raw:>12}{gzip:>12}{brotli:>12}{budget}");
    }
}

/// Fails when the page has outgrown a budget.
///
/// # Errors
/// Names the budget and the weight.
pub(crate) fn check(sizes: &Sizes) -> Result<()> {
    for (name, size, budget) in rows(sizes) {
        if let Some(budget) = budget.filter(|budget| size.gzip > *budget) {
            anyhow::bail!("{name}: {} gzip, over the budget of {}", kilobytes(size.gzip), kilobytes(budget));
        }
    }
    Ok(())
}

/// Weighs the site, prints the weights and records them in docs/sizes.md.
///
/// # Errors
/// When the site is missing, over budget, or the page cannot be written.
pub(crate) fn record() -> Result<()> {
    let sizes = measure(&place::page())?;
    print(&sizes);
    fs::write(place::root().join("docs/sizes.md"), table(&sizes)).context("cannot write docs/sizes.md")?;
    check(&sizes)
}

fn table(sizes: &Sizes) -> String {
    let mut text = "# What a browser fetches\n\nWritten by `cargo xtask sizes`; 1 KB is 1,000 bytes.\n\n\
                    | part | raw | gzip | brotli | budget (gzip) |\n| --- | --- | --- | --- | --- |\n"
        .to_owned();
    for (name, size, budget) in rows(sizes) {
        let [raw, gzip, brotli] = [size.raw, size.gzip, size.brotli].map(kilobytes);
        let budget = budget.map_or_else(|| "none".to_owned(), kilobytes);
        text.push_str(&format!("| {name} | {raw} | {gzip} | {brotli} | {budget} |\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_bundle_counts_as_later_and_twins_count_once() {
        let dist = tempfile::tempdir().unwrap();
        let write = |name: &str, length: usize| {
            let path = dist.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, vec![b'x'; length]).unwrap();
        };
        write("index.html", 100);
        write("page.wasm", 1000);
        write("page.wasm.gz", 400);
        write("page.wasm.br", 300);
        write("vendor/plotly-1/plotly.js", 5000);
        write("chunks/views-0123abcd.wasm", 70);
        let sizes = measure(dist.path()).unwrap();
        assert_eq!(sizes.wasm, Size { raw: 1000, gzip: 400, brotli: 300 });
        assert_eq!(sizes.first_figures, Size { raw: 1100, gzip: 500, brotli: 400 });
        assert_eq!(sizes.later, Size { raw: 5070, gzip: 5070, brotli: 5070 });
        assert_eq!(sizes.chunks, [("of that, code: views".to_owned(), Size { raw: 70, gzip: 70, brotli: 70 })]);
    }

    #[test]
    fn a_page_over_budget_fails() {
        let fine = Size { raw: 0, gzip: WASM_BUDGET, brotli: 0 };
        let sizes = Sizes { wasm: fine, first_figures: fine, ..Sizes::default() };
        assert!(check(&sizes).is_ok());
        let over = Size { gzip: WASM_BUDGET + 1, ..fine };
        assert!(check(&Sizes { wasm: over, ..sizes }).unwrap_err().to_string().contains("over the budget"));
    }
}
