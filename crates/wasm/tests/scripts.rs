//! The scripts of `tests/scripts` against the engine as WebAssembly, in Node.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::panic, reason = "a test ends where something is wrong")]

use bellwether_core::engine::EngineConfig;
use bellwether_core::time::TimestampMs;
use bellwether_testkit::engine_target::EngineTarget;
use bellwether_testkit::script::Script;
use bellwether_testkit::target::Target;
use js_sys::Array;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_test::wasm_bindgen_test;

/// Midnight, an edge of time buckets of every width.
const START: TimestampMs = TimestampMs::new(1_700_006_400_000);

#[wasm_bindgen(module = "node:fs")]
extern "C" {
    #[wasm_bindgen(js_name = readdirSync)]
    fn names_in(folder: &str) -> Array;
    #[wasm_bindgen(js_name = readFileSync)]
    fn text_of(file: &str, encoding: &str) -> String;
}

/// The scripts of the folder, read by Node: WebAssembly has no files.
fn scripts() -> Vec<Script> {
    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/scripts");
    let names = names_in(FOLDER).into_iter().filter_map(|name| name.as_string());
    let scripts = names.filter(|name| name.ends_with(".test")).map(|name| {
        let text = text_of(&format!("{FOLDER}/{name}"), "utf8");
        Script::parse(&name, &text).unwrap_or_else(|error| panic!("{error}"))
    });
    scripts.collect()
}

#[track_caller]
fn run<T: Target>(make: impl Fn() -> T) {
    let scripts = scripts();
    assert!(scripts.len() >= 10, "only {} scripts", scripts.len());
    let mut checks = 0;
    let mut errors = Vec::new();
    for script in &scripts {
        match script.run(START, &make) {
            Ok(report) => checks += report.checks,
            Err(error) => errors.push(error.to_string()),
        }
    }
    assert!(errors.is_empty(), "\n{}", errors.join("\n"));
    assert!(checks >= 100, "only {checks} checks");
}

#[wasm_bindgen_test]
fn the_engine_with_the_gateways_tiers() {
    run(|| EngineTarget::new(EngineConfig::default()));
}

#[wasm_bindgen_test]
fn the_engine_with_the_pages_tiers() {
    run(|| EngineTarget::new(EngineConfig::page()));
}
