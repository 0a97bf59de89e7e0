//! The scripts of `tests/scripts`, run against the engine and against the naive model.

#![expect(clippy::panic, reason = "a test ends where something is wrong")]

use std::path::Path;

use bellwether_core::engine::EngineConfig;
use bellwether_core::time::TimestampMs;
use bellwether_testkit::engine_target::EngineTarget;
use bellwether_testkit::naive_target::NaiveTarget;
use bellwether_testkit::script::Script;
use bellwether_testkit::target::Target;

/// Midnight, an edge of time buckets of every width.
const START: TimestampMs = TimestampMs::new(1_700_006_400_000);

#[track_caller]
fn run<T: Target>(make: impl Fn() -> T) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scripts");
    let scripts = Script::read_folder(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(scripts.len() >= 10, "only {} scripts in {}", scripts.len(), folder.display());
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

#[test]
fn the_engine_with_the_gateways_tiers() {
    run(|| EngineTarget::new(EngineConfig::default()));
}

#[test]
fn the_engine_with_the_pages_tiers() {
    run(|| EngineTarget::new(EngineConfig::page()));
}

#[test]
fn the_naive_model() {
    run(|| NaiveTarget::new(EngineConfig::default()));
}
