//! The gateway beside the programs that it is to get on with, the real ones: `tests/peers`.

use anyhow::Result;

use super::{Count, node};
use crate::{packages, shell};

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
    node::run("tests/peers", |held, _| if are_there() { Ok(()) } else { packages::install(MISSING, &PROGRAMS, held) })
}
