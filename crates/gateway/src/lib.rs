//! The Bellwether gateway: ingest, store, live feed, rules, notifications.
//!
//! The binary `bellwether` is a thin shell around [`run`].

#![forbid(unsafe_code)]

// The store's faulty disk is shared with the tests from outside, which name this crate.
#[cfg(test)]
extern crate self as bellwether_gateway;

mod alerting;
mod archive;
mod auth;
mod board;
pub mod cli;
pub mod clock;
mod demo;
mod host;
mod http;
mod hub;
mod instant;
mod own;
mod pulse;
mod serve;
mod settings;
pub mod store;
mod telemetry;
mod threads;
pub mod websocket;
mod writer;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::{Cli, Command, ConfigArgs, TokenArgs};

/// Does what the command line asks and says how it ended: 0, or 1 with one plain sentence on stderr.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Serve { arguments, check: false } => serve::serve(&arguments),
        Command::Serve { arguments, check: true } => serve::check(&arguments).map(|()| say("ok")),
        Command::Check { file } => check(&file),
        Command::Token(TokenArgs { name, scope }) => token(&name, &scope.join(",")),
        Command::Config(ConfigArgs { markdown }) => {
            say(settings::shown(markdown).trim_end());
            Ok(())
        }
        Command::Verify(arguments) => archive::verify(&arguments),
        Command::Export(arguments) => archive::export(&arguments),
        Command::Backup(arguments) => archive::backup(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where stderr is closed there is nobody to tell; the exit code says it all the same.
            let _told = writeln!(std::io::stderr(), "bellwether: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `bellwether check`: says `ok`, or what is wrong and where.
///
/// # Errors
/// One text with everything that is wrong, a line for each fault.
fn check(file: &Path) -> anyhow::Result<()> {
    if file.extension().is_some_and(|extension| extension == "toml") {
        let settings = settings::check_file(file)?;
        board::load(settings.page.board.as_deref())?;
    } else {
        board::load(Some(file))?;
    }
    say("ok");
    Ok(())
}

/// `bellwether token`: a new secret on stdout, and on stderr what becomes of it.
///
/// # Errors
/// As [`auth::make`].
fn token(name: &str, scopes: &str) -> anyhow::Result<()> {
    let (line, secret) = auth::make(name, scopes)?;
    let about =
        format!("Add this line to the gateway's file of tokens:\n\n{line}\n\nThe token itself, shown only now:\n");
    // Where stderr is closed there is nobody to tell.
    let _told = writeln!(std::io::stderr(), "{about}");
    say(secret.reveal());
    Ok(())
}

/// Writes a line to stdout, at once. A closed stdout is no reason to stop.
fn say(line: &str) {
    let mut stdout = std::io::stdout();
    let _told = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
