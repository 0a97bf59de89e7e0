//! The project's commands: `cargo xtask run`, `dist`, `npm`, `test`, `ci`, `tidy`, `sizes`, `sim`, `soak`, `bench`.
//!
//! Each installs what it needs, once, and says so; what it cannot install it asks for in one sentence.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "talking to the person at the terminal is its job")]

mod bench;
mod chromium;
mod ci;
mod compress;
mod dist;
mod gateway;
mod lock;
mod metadata;
mod network;
mod node;
mod npm;
mod order;
mod packages;
mod page;
mod panics;
mod place;
mod plain;
mod progress;
mod run;
mod shell;
mod sim;
mod sizes;
mod soak;
mod split;
mod stamp;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::lock::Lock;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Bellwether's commands", long_about = None)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Builds what is missing and serves page and API at http://127.0.0.1:4000
    Run(run::Run),
    /// Builds the static site into dist/, for any web server and any base path
    Dist {
        /// An origin that the page may reach besides its own; may be given more than once [default: any with TLS]
        #[arg(long, value_name = "ORIGIN")]
        connect: Vec<String>,
    },
    /// Builds the npm package into target/npm/
    Npm,
    /// Installs what is missing and runs the tests
    Test {
        /// Only these groups: native, wasm-node, wasm-browser, npm, browser
        groups: Vec<String>,
    },
    /// The gate: checks (formatting, lints, layers, licences, docs, sizes) and all tests
    Ci {
        /// The checks without the tests
        #[arg(long)]
        checks_only: bool,
    },
    /// Checks what the compiler does not: layers, clocks, file lengths, links, pins
    Tidy,
    /// Weighs the page and records it in docs/sizes.md
    Sizes,
    /// Measures the npm engine and the gateway beside others and records the ratios in docs/bench.md
    Bench(bench::Bench),
    /// Simulates senders, store, hub and viewers on a disk and a network that fail
    Sim(sim::Sim),
    /// Runs the long forms of the tests and records them in docs/soak.md
    Soak {
        /// Only these groups
        groups: Vec<String>,
    },
}

fn main() -> ExitCode {
    match perform(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Failed tests have been counted, and their count is to be the last line.
            if !error.is::<test::Failed>() {
                eprintln!("\n{}", plain::describe(&error));
            }
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    match task {
        Task::Run(run) => run.run(),
        Task::Dist { connect } => {
            dist::build(&connect)?;
            println!("The site is in {}; its config.json says where the gateway is.", place::dist().display());
            Ok(())
        }
        Task::Npm => {
            let packed = npm::build(&Lock::take()?)?;
            println!("The package is in {} and {}", place::npm_package().display(), packed.display());
            Ok(())
        }
        Task::Test { groups } => test::run(&groups),
        Task::Ci { checks_only: true } => ci::lint(),
        Task::Ci { checks_only: false } => ci::run(),
        Task::Tidy => tidy::run(),
        Task::Sizes => {
            page::build(&Lock::take()?)?;
            sizes::record()
        }
        Task::Bench(bench) => bench.run(),
        Task::Sim(sim) => sim.run(),
        Task::Soak { groups } => soak::run(&groups),
    }
}
