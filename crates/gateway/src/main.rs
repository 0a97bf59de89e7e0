//! The binary `bellwether`.

use std::process::ExitCode;

use bellwether_gateway::cli::Cli;
use clap::Parser;

fn main() -> ExitCode {
    bellwether_gateway::run(Cli::parse())
}
