//! Which crate may lean on which.

use super::Complaint;
use crate::metadata::Package;

/// The pure engine's package.
pub(crate) const CORE: &str = "bellwether-core";

/// The prefix of this project's packages.
const OURS: &str = "bellwether-";

/// Each crate and those of ours that it may depend on.
const ARROWS: [(&str, &[&str]); 8] = [
    ("bellwether-loops", &[]),
    ("bellwether-core", &["bellwether-loops"]),
    ("bellwether-wire", &["bellwether-core"]),
    ("bellwether-wasm", &["bellwether-core", "bellwether-wire"]),
    ("bellwether-dashboard", &["bellwether-core", "bellwether-wire"]),
    ("bellwether-gateway", &["bellwether-core", "bellwether-wire"]),
    ("bellwether-testkit", &["bellwether-core", "bellwether-wire"]),
    // Tests only, from end to end; nothing depends on it.
    ("bellwether-fuzz", &["bellwether-core", "bellwether-testkit", "bellwether-wire"]),
];

/// Only tests may use it.
const TESTKIT: &str = "bellwether-testkit";

/// All that a build of core compiles: its own loops, its two dependencies and what they compile with.
const CORE_TREE: [&str; 8] =
    ["bellwether-loops", "proc-macro2", "quote", "regex-lite", "syn", "thiserror", "thiserror-impl", "unicode-ident"];

/// Complains about every dependency between our crates that goes the wrong way.
pub(super) fn direct(packages: &[Package]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for package in packages.iter().filter(|package| package.name.starts_with(OURS)) {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
            complaints
                .push(format!("{}: a new crate; say in xtask/src/tidy/arrows.rs what it may depend on", package.name));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| dependency.name.starts_with(OURS)) {
            let for_tests = dependency.dev && dependency.name == TESTKIT;
            if !for_tests && !allowed.contains(&dependency.name.as_str()) {
                complaints.push(format!(
                    "{}/Cargo.toml: {} must not depend on {}; the arrows stand in ARCHITECTURE.md",
                    package.folder.file_name().unwrap_or_default().to_string_lossy(),
                    package.name,
                    dependency.name
                ));
            }
        }
    }
    complaints
}

/// Complains about everything that core compiles beyond its two dependencies.
pub(super) fn core_tree(names: &[String]) -> Vec<Complaint> {
    let strange = names.iter().filter(|name| !CORE_TREE.contains(&name.as_str()));
    strange
        .map(|name| {
            format!(
                "crates/core/Cargo.toml: {name} is in the dependency tree of {CORE}, which may hold {} only; \
                 `cargo tree -p {CORE} -i {name}` says by what way",
                CORE_TREE.join(", ")
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn package(name: &str, dependencies: &[(&str, bool)]) -> Package {
        let dependency = |(name, dev): &(&str, bool)| Dependency { name: (*name).to_owned(), dev: *dev };
        Package {
            name: name.to_owned(),
            dependencies: dependencies.iter().map(dependency).collect(),
            ..Package::default()
        }
    }

    #[track_caller]
    fn check(name: &str, dependency: &str, dev: bool, complaints: usize) {
        let packages = [package(name, &[(dependency, dev), ("serde", false)])];
        assert_eq!(direct(&packages).len(), complaints, "{:?}", direct(&packages));
    }

    #[test]
    fn arrows_point_one_way() {
        check("bellwether-wire", "bellwether-core", false, 0);
        check("bellwether-core", "bellwether-wire", false, 1);
        check("bellwether-core", "bellwether-wire", true, 1);
        check("bellwether-dashboard", "bellwether-gateway", false, 1);
        check("bellwether-gateway", "bellwether-wasm", true, 1);
    }

    #[test]
    fn only_tests_use_the_testkit() {
        check("bellwether-core", "bellwether-testkit", true, 0);
        check("bellwether-gateway", "bellwether-testkit", false, 1);
    }

    #[test]
    fn a_crate_without_a_place_is_named() {
        assert!(direct(&[package("bellwether-extra", &[])])[0].contains("bellwether-extra"));
    }

    #[test]
    fn core_holds_two_dependencies() {
        let tree = |names: &[&str]| core_tree(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert!(tree(&CORE_TREE).is_empty());
        for bad in ["serde", "web-sys", "tokio", "chrono"] {
            assert!(tree(&["thiserror", bad])[0].contains(bad), "{bad}");
        }
    }
}
