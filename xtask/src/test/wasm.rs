//! Tests compiled to WebAssembly: each test file that uses `wasm_bindgen_test`, in Node, or in headless Chromium when
//! it says `run_in_browser` (or one of the workers).

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{Count, counted};
use crate::lock::Lock;
use crate::metadata::{self, Package};
use crate::{chromium, shell, stamp, tools};

/// Where a test file runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Host {
    Node,
    Browser,
}

pub(super) fn in_node() -> Result<Count> {
    run(Host::Node, |_| Ok(()))
}

pub(super) fn in_browser() -> Result<Count> {
    let held = Lock::take()?;
    let chromium = chromium::ensure(&held)?;
    let settings = chromium::webdriver_settings(&chromium.browser, &held)?;
    drop(held);
    println!("{}", chromium::version(&chromium.browser)?);
    run(Host::Browser, |cargo| {
        cargo.env("CHROMEDRIVER", &chromium.driver).env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &settings);
        Ok(())
    })
}

fn run(host: Host, prepare: impl Fn(&mut Command) -> Result<()>) -> Result<Count> {
    let held = Lock::take()?;
    tools::wasm_target(&held)?;
    tools::wasm_bindgen(&held)?;
    tools::crates(&held)?;
    drop(held);
    let mut count = Count::default();
    for package in metadata::members()? {
        let targets = targets(&package, host)?;
        if targets.is_empty() {
            continue;
        }
        let mut cargo = shell::cargo()?;
        cargo.args(["test", "--locked", "--no-fail-fast", "--target", tools::WASM_TARGET, "--package", &package.name]);
        cargo.args(targets);
        cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", "wasm-bindgen-test-runner");
        cargo.env("WASM_BINDGEN_TEST_TIMEOUT", "120");
        prepare(&mut cargo)?;
        count += counted(&mut cargo, Count::read_rust)?;
    }
    Ok(count)
}

/// The package's test targets for `host`, as cargo's arguments.
fn targets(package: &Package, host: Host) -> Result<Vec<String>> {
    let mut arguments = Vec::new();
    for target in &package.targets {
        let is_test = target.kinds.iter().any(|kind| kind == "test");
        let is_library = target.kinds.iter().any(|kind| kind.ends_with("lib"));
        let mut text = fs::read_to_string(&target.source)?;
        if is_test {
            text = with_modules(&target.source, text);
        }
        if is_library {
            for file in stamp::files_below(&package.folder.join("src"))? {
                text.push_str(&fs::read_to_string(&file).unwrap_or_default());
            }
        }
        if host_of(&text) != Some(host) {
            continue;
        }
        if is_test {
            arguments.extend(["--test".to_owned(), target.name.clone()]);
        } else if is_library {
            arguments.push("--lib".to_owned());
        }
    }
    Ok(arguments)
}

/// The text of a test file and of the modules that it shares with others.
fn with_modules(file: &Path, mut text: String) -> String {
    let modules: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')).collect();
    let shared: Vec<_> = modules.iter().map(|name| file.with_file_name(name).join("mod.rs")).collect();
    for module in shared {
        text.push_str(&fs::read_to_string(&module).unwrap_or_default());
    }
    text
}

/// Where the tests in `text` run; `None` where there are none.
fn host_of(text: &str) -> Option<Host> {
    if !text.contains("#[wasm_bindgen_test") {
        return None;
    }
    let wants_browser = ["run_in_browser", "run_in_dedicated_worker", "run_in_shared_worker", "run_in_service_worker"];
    Some(if wants_browser.iter().any(|word| text.contains(word)) { Host::Browser } else { Host::Node })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_file_says_where_it_runs() {
        assert_eq!(host_of("#[test]\nfn a() {}"), None);
        assert_eq!(host_of("#[wasm_bindgen_test]\nfn a() {}"), Some(Host::Node));
        assert_eq!(
            host_of("wasm_bindgen_test_configure!(run_in_browser);\n#[wasm_bindgen_test]\nfn a() {}"),
            Some(Host::Browser)
        );
    }

    #[test]
    fn the_tests_may_stand_in_a_shared_module() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("shared")).unwrap();
        fs::write(folder.path().join("shared/mod.rs"), "#[wasm_bindgen_test]\nfn a() {}").unwrap();
        let host = |text: &str| host_of(&with_modules(&folder.path().join("web.rs"), text.to_owned()));
        assert_eq!(host("mod shared;\n"), Some(Host::Node));
        assert_eq!(host("mod shared;\nwasm_bindgen_test_configure!(run_in_browser);\n"), Some(Host::Browser));
        assert_eq!(host("mod elsewhere;\n"), None);
    }
}
