//! The command line: what can be asked of the binary.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use crate::archive::{BackupArgs, ExportArgs, VerifyArgs};
pub use crate::settings::ServeArgs;

/// Live KPI and metrics monitor: takes samples in, keeps them, shows and watches them.
#[derive(Debug, Parser)]
#[command(
    name = "bellwether",
    version,
    after_help = "Start it with `bellwether serve`, then open http://127.0.0.1:4000.\n\
                  Send a first sample:\n  \
                  curl -H 'Content-Type: application/json' \\\n       \
                  -d '{\"name\":\"booking_response_time\",\"value\":120}' http://127.0.0.1:4000/ingest"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take samples in, keep them, watch the rules and serve the page
    #[command(
        after_help = "A setting counts in this order: a flag, a variable of the environment, the settings file, its \
                      default. `-h` lists the flags that people use, `--help` all of them; `bellwether config` \
                      shows them as a file.\n\
                      On SIGTERM or Ctrl-C it stops taking samples, writes what it has, closes and exits with 0."
    )]
    Serve {
        /// The settings.
        #[command(flatten)]
        arguments: Box<ServeArgs>,
        /// Say whether the settings, the board and the files that they name are right, and start nothing
        #[arg(long)]
        check: bool,
    },
    /// Say whether a settings file or a board is right, and if not, where and why
    Check {
        /// The file: settings end in .toml, anything else is a board
        #[arg(default_value = "bellwether.toml")]
        file: PathBuf,
    },
    /// Make a token: a secret for its holder, and a line for the gateway's file of tokens
    Token(TokenArgs),
    /// Show every setting with its default, as a settings file to begin with
    Config(ConfigArgs),
    /// Read all that a store holds and say what is damaged, where, and what can be done
    Verify(VerifyArgs),
    /// Write every stored sample as CSV or NDJSON
    Export(ExportArgs),
    /// Write a copy of a store, also of one whose gateway runs
    Backup(BackupArgs),
}

/// The arguments of `token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// Whom it is for, one word, such as booking
    pub name: String,
    /// What its holder may do: ingest, read, admin; may be repeated
    #[arg(long, required = true, value_delimiter = ',')]
    pub scope: Vec<String>,
}

/// The flags of `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// As the tables of the documents instead
    #[arg(long)]
    pub markdown: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_flags_are_refused() {
        for flags in [
            ["--retention", "1h"],
            ["--alert-webhook", "hook"],
            ["--allow-host", "a:80"],
            ["--port", "70000"],
            ["--host", "localhost.example"],
            ["--demo=perhaps", "--port=1"],
            ["--limits-body", "1MB"],
        ] {
            assert!(Cli::try_parse_from(["bellwether", "serve"].iter().chain(&flags)).is_err(), "{flags:?}");
        }
    }
}
