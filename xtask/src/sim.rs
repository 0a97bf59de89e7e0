//! `cargo xtask sim`: the simulation of senders, store, hub and viewers on a disk and a network that fail, from a seed.

use anyhow::Result;
use clap::Args;

use crate::test::Failed;
use crate::{shell, tools};

/// The options of `cargo xtask sim`.
#[derive(Debug, Args)]
pub(crate) struct Sim {
    /// The seed, as a run that failed names it; else the seeds that the tests run
    #[arg(long)]
    seed: Option<u64>,
}

impl Sim {
    /// Runs the simulation.
    ///
    /// # Errors
    /// When it does not build, or something went missing in it.
    pub(crate) fn run(self) -> Result<()> {
        tools::c_compiler()?;
        let mut cargo = shell::cargo()?;
        cargo.args(["test", "--locked", "--package", "bellwether-gateway", "--lib", "hub::sim::", "--", "--nocapture"]);
        if let Some(seed) = self.seed {
            cargo.env("BELLWETHER_SIM_SEED", seed.to_string());
        }
        let mut ran = false;
        let status = shell::listen(&mut cargo, |line| ran |= line.starts_with("test hub::sim::"))?;
        if status.success() && ran { Ok(()) } else { Err(Failed.into()) }
    }
}
