//! `cargo xtask bench`: the npm engine beside what a JavaScript developer could pick instead, the page beside charts of
//! another maker, and the gateway beside other servers, in one run; what was measured goes into target/bench/bench.json and docs/bench.md.

use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;

use crate::lock::Lock;
use crate::test::Failed;
use crate::{chromium, gateway, node, npm, packages, page, place, shell, tools};

/// The options of `cargo xtask bench`.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// A short run, which is not recorded in docs/bench.md
    #[arg(long)]
    quick: bool,
    /// Only these workloads, separated by commas; w5 are all of the page, w6 all of the gateway. Not recorded in docs/bench.md
    #[arg(long, value_name = "NAMES")]
    only: Option<String>,
    /// Record also what `--only` names; the other sections of docs/bench.md stay as they are
    #[arg(long, requires = "only", conflicts_with = "quick")]
    record: bool,
}

/// Servers beside which the gateway is measured, as Debian has them: a program and the package that brings it have
/// one name.
const SERVERS: [&str; 2] = ["prometheus", "victoria-metrics"];

impl Bench {
    /// Builds the package, installs the others and measures them all.
    ///
    /// # Errors
    /// When something is missing, or a contender failed.
    pub(crate) fn run(self) -> Result<()> {
        let folder = place::root().join("tests/bench");
        let results = place::target().join("bench");
        node::ensure(node::For::Testing)?;
        // Until the end: a build beside the measurements would change them.
        let held = Lock::take()?;
        let named = |names: &dyn Fn(&str) -> bool| self.only.as_deref().is_none_or(|only| only.split(',').any(names));
        let mut node = shell::command("node")?;
        let is_of = |group: &str| named(&|name| name.starts_with(group));
        if named(&|name| !name.starts_with("w5") && !name.starts_with("w6")) {
            npm::build(&held)?;
        }
        tools::npm_parts(&held, &folder)?;
        if is_of("w5") {
            tools::npm_parts(&held, &place::root())?;
            page::build(&held)?;
            node.env("BELLWETHER_DIST", place::page()).env("CHROMIUM", chromium::ensure(&held)?.browser);
        }
        if is_of("w5") || is_of("w6") {
            gateway::build(&held)?;
            node.env("BELLWETHER_BIN", place::gateway_binary());
        }
        if is_of("w6") {
            for server in SERVERS {
                packages::program(server, &held)?;
            }
            node.env("BELLWETHER_LOAD", gateway::build_load(&held)?);
        }
        node.current_dir(&folder).arg("bench.mjs").env("BELLWETHER_NPM", place::npm_package());
        if let Some(python) = python_peers(&folder, &results.join("python"))? {
            node.env("BELLWETHER_BENCH_PYTHON", python);
        }
        match &self.only {
            Some(only) => {
                node.arg(format!("--only={only}"));
                node.arg("--json").arg(results.join(format!("bench-{}.json", only.replace(',', "-"))));
            }
            None => {
                node.arg("--json").arg(results.join("bench.json"));
            }
        }
        if self.quick {
            node.arg("--quick");
        } else if self.only.is_none() || self.record {
            node.arg("--record").arg(place::root().join("docs/bench.md"));
        }
        if node.status().context("node does not start")?.success() { Ok(()) } else { Err(Failed.into()) }
    }
}

/// The Python that has the peers written for it, installed once; `None`, and a sentence that says so, where they cannot
/// be had.
fn python_peers(folder: &Path, venv: &Path) -> Result<Option<std::path::PathBuf>> {
    let wanted = folder.join("requirements.txt");
    let python = venv.join("bin/python");
    let stamp = venv.join("requirements.txt");
    let text = std::fs::read(&wanted).with_context(|| format!("cannot read {}", wanted.display()))?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == text) {
        return Ok(Some(python));
    }
    let Some(system) = shell::find("python3") else {
        eprintln!("There is no python3, so tsdownsample is left out.");
        return Ok(None);
    };
    eprintln!("Fetching tsdownsample for Python (once; under a minute).");
    let install = || -> Result<()> {
        shell::capture(std::process::Command::new(&system).args(["-m", "venv"]).arg(venv))?;
        let mut pip = std::process::Command::new(&python);
        shell::capture(pip.args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&wanted))?;
        std::fs::write(&stamp, &text)?;
        Ok(())
    };
    match install() {
        Ok(()) => Ok(Some(python)),
        Err(error) => {
            eprintln!("tsdownsample cannot be installed, so it is left out: {error:#}");
            Ok(None)
        }
    }
}
