//! What cargo knows of the workspace.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell;

/// A member of the workspace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The folder of its Cargo.toml.
    pub(crate) folder: PathBuf,
    pub(crate) targets: Vec<Target>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// Something that cargo builds of a package.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) name: String,
    /// `lib`, `cdylib`, `bin`, `test`…
    pub(crate) kinds: Vec<String>,
    /// The file that it starts with.
    pub(crate) source: PathBuf,
}

/// One line of a package's dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Whether only its tests use it.
    pub(crate) dev: bool,
}

/// The workspace's members with their direct dependencies.
///
/// # Errors
/// When cargo cannot read the workspace.
pub(crate) fn members() -> Result<Vec<Package>> {
    let text = shell::capture(shell::cargo()?.args(["metadata", "--locked", "--format-version", "1", "--no-deps"]))?;
    let value: Value = serde_json::from_str(&text).context("cargo metadata gave no JSON")?;
    Ok(list(&value["packages"]).map(package).collect())
}

fn package(value: &Value) -> Package {
    let manifest = PathBuf::from(word(&value["manifest_path"]));
    Package {
        name: word(&value["name"]),
        folder: manifest.parent().map(PathBuf::from).unwrap_or_default(),
        targets: list(&value["targets"])
            .map(|target| Target {
                name: word(&target["name"]),
                kinds: list(&target["kind"]).map(word).collect(),
                source: PathBuf::from(word(&target["src_path"])),
            })
            .collect(),
        dependencies: list(&value["dependencies"])
            .map(|dependency| Dependency { name: word(&dependency["name"]), dev: dependency["kind"] == "dev" })
            .collect(),
    }
}

/// Every package that a build (not a test) of `name` compiles, itself left out, sorted, each once.
///
/// # Errors
/// When cargo cannot read the workspace.
pub(crate) fn tree(name: &str) -> Result<Vec<String>> {
    let mut cargo = shell::cargo()?;
    cargo.args(["tree", "--locked", "--package", name, "--edges", "normal,build", "--target", "all"]);
    cargo.args(["--prefix", "none", "--format", "|{p}"]);
    Ok(names(&shell::capture(&mut cargo)?, name))
}

fn names(tree: &str, own: &str) -> Vec<String> {
    let mut names: Vec<String> = tree
        .lines()
        .filter_map(|line| line.split_once('|')?.1.split_whitespace().next())
        .filter(|name| *name != own)
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_tree_are_read_once_each() {
        let tree = "core|core v0.1.0 (/x)\nthiserror|thiserror v2.0.1\nsyn|syn v2.0.1 (*)\nsyn|syn v2.0.1\n";
        assert_eq!(names(tree, "core"), ["syn", "thiserror"]);
    }

    #[test]
    fn this_workspace_has_core_and_these_commands() {
        let members = members().unwrap();
        for name in ["bellwether-core", "xtask"] {
            assert!(members.iter().any(|package| package.name == name && !package.targets.is_empty()), "{name}");
        }
    }
}
