//! The gateway beside the programs that it is to get on with, the real ones: `tests/peers`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Count, node};
use crate::lock::Lock;
use crate::{packages, place, progress, shell, stamp};

/// Prometheus and what it scrapes, as Debian has them: a program and the package that brings it have one name.
const PROGRAMS: [&str; 2] = ["prometheus", "prometheus-node-exporter"];
const MISSING: &str = "There is no Prometheus with its node exporter";

/// Whether what the tests start is there, or could be installed.
///
/// # Errors
/// A plain sentence when it is missing and cannot be installed from here.
pub(super) fn can_be_had() -> Result<()> {
    if are_there() { Ok(()) } else { packages::may_install(MISSING, &PROGRAMS) }
}

fn are_there() -> bool {
    PROGRAMS.iter().all(|program| shell::find(program).is_some())
}

pub(super) fn run() -> Result<Count> {
    node::run("tests/peers", |held, node| {
        if !are_there() {
            packages::install(MISSING, &PROGRAMS, held)?;
        }
        node.env("BELLWETHER_PYTHON", python(held)?);
        Ok(())
    })
}

/// A Python with the packages of `tests/peers/requirements.txt`, in a folder of its own.
///
/// # Errors
/// When they cannot be installed.
fn python(held: &Lock) -> Result<PathBuf> {
    let folder = place::root().join("target/peers-python");
    let python = folder.join("bin/python");
    let wanted = place::root().join("tests/peers/requirements.txt");
    let fingerprint = stamp::Fingerprint::new().path(&wanted)?.text();
    if stamp::is_fresh("peers-python", &fingerprint) && python.is_file() {
        return Ok(python);
    }
    stamp::forget("peers-python")?;
    packages::program("python3", held)?;
    let has_pip = shell::capture(shell::command("python3")?.args(["-c", "import ensurepip"])).is_ok();
    if !has_pip {
        packages::install("Python has no venv", &["python3-venv"], held)?;
    }
    eprintln!("Fetching OpenTelemetry's SDK for Python (once; under a minute).");
    progress::run("python3", shell::command("python3")?.args(["-m", "venv", "--clear"]).arg(&folder))
        .context("cannot make a folder for Python's packages")?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&wanted);
    progress::run("pip", &mut pip).context("cannot fetch Python's packages")?;
    stamp::keep("peers-python", &fingerprint)?;
    Ok(python)
}
