//! `cargo xtask run`: everything that can stop a start is looked at first, then page and gateway are built, then served.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;
use clap::builder::FalseyValueParser;

use crate::lock::Lock;
use crate::plain::Plain;
use crate::{gateway, node, page, place, shell, tools};

/// What the gateway is started with; the same flags and environment variables as `bellwether serve`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Port that page and API are served at; 0 takes a free one
    #[arg(long, env = "BELLWETHER_PORT", default_value_t = 4000)]
    port: u16,
    /// Address to listen on; 0.0.0.0 for all of this machine's
    #[arg(long, env = "BELLWETHER_HOST", default_value = "127.0.0.1")]
    host: String,
    /// Folder of the store [default: data in the checkout, with --demo data-demo]
    #[arg(long, env = "BELLWETHER_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Board file [default: the built-in board]
    #[arg(long, env = "BELLWETHER_BOARD", value_name = "FILE")]
    board: Option<PathBuf>,
    /// Add two simulated stories, labelled as a simulation, in a data folder of their own
    #[arg(long, env = "BELLWETHER_DEMO", value_parser = FalseyValueParser::new())]
    demo: bool,
    /// Do not sample this machine's processor, memory, disks and network
    #[arg(long, env = "BELLWETHER_NO_HOST_METRICS", value_parser = FalseyValueParser::new())]
    no_host_metrics: bool,
    /// Where alerts are POSTed to, as Alertmanager's webhook JSON
    #[arg(long, value_name = "URL")]
    alert_webhook: Option<String>,
    /// How long raw samples are kept, such as 90d
    #[arg(long, value_name = "DURATION")]
    retention: Option<String>,
    /// Origin of pages elsewhere that may read and send; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// File of tokens, which callers must then have
    #[arg(long, env = "BELLWETHER_TOKENS", value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Listen on more than this machine although nobody is asked who they are
    #[arg(long, env = "BELLWETHER_ALLOW_ANYONE", value_parser = FalseyValueParser::new())]
    allow_anyone: bool,
    /// Further host name that the gateway is asked by; may be repeated
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Further flags of `bellwether serve`, after `--`; `target/gateway/bellwether serve --help` lists them
    #[arg(last = true, value_name = "FLAG")]
    further: Vec<OsString>,
}

impl Run {
    /// Builds what is missing and serves until it is stopped.
    ///
    /// # Errors
    /// A plain sentence for whatever is in the way.
    pub(crate) fn run(self) -> Result<()> {
        self.check_first()?;
        let held = Lock::take()?;
        // The gateway first: it knows whether flags and board are right.
        gateway::build(&held)?;
        self.check_with_gateway()?;
        page::build(&held)?;
        drop(held);
        start(self.serve())
    }

    /// Finds what would stop the start now, not after a build of many minutes.
    fn check_first(&self) -> Result<()> {
        port_is_free(&self.host, self.port)?;
        folder_is_writable(&self.data_folder(), &shell::own_command_with("--data-dir", "~/bellwether-data"))?;
        folder_is_writable(&place::state(), "chown -R \"$(id -un)\" .   (in the checkout, as administrator)")?;
        if let Some(board) = &self.board {
            board_is_json(board)?;
        }
        tools::c_compiler()?;
        node::ensure(node::For::Building)
    }

    /// Has the gateway look at its flags, its settings and the board, and name every fault.
    fn check_with_gateway(&self) -> Result<()> {
        let output = self.serve().arg("--check").output().context("the gateway cannot be started")?;
        if output.status.success() {
            return Ok(());
        }
        let faults = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Plain::error(faults, "change what is named in the command or the file, and give the command again"))
    }

    fn serve(&self) -> Command {
        let mut serve = Command::new(place::gateway_binary());
        serve.args(self.arguments());
        serve
    }

    fn data_folder(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| place::root().join(if self.demo { "data-demo" } else { "data" }))
    }

    fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["serve".into()];
        arguments.extend(["--host".into(), self.host.clone().into(), "--port".into(), self.port.to_string().into()]);
        arguments.extend(["--data-dir".into(), self.data_folder().into()]);
        arguments.extend(["--page".into(), place::page().into()]);
        if let Some(board) = &self.board {
            arguments.extend(["--board".into(), board.into()]);
        }
        if self.demo {
            arguments.push("--demo".into());
        }
        if self.no_host_metrics {
            arguments.push("--no-host-metrics".into());
        }
        if let Some(tokens) = &self.tokens {
            arguments.extend(["--tokens".into(), tokens.into()]);
        }
        if self.allow_anyone {
            arguments.push("--allow-anyone".into());
        }
        let named = [
            ("--alert-webhook", self.alert_webhook.as_slice()),
            ("--retention", self.retention.as_slice()),
            ("--allow-origin", &self.allow_origin),
            ("--allow-host", &self.allow_host),
        ];
        for (flag, values) in named {
            for value in values {
                arguments.extend([flag.into(), value.into()]);
            }
        }
        arguments.extend(self.further.iter().cloned());
        arguments
    }
}

/// Whether the board is there and is JSON; what it says is the gateway's to judge.
fn board_is_json(board: &Path) -> Result<()> {
    let text = fs::read_to_string(board).map_err(|error| {
        Plain::error(
            format!("The board {} cannot be read: {error}.", board.display()),
            "give --board the path of an existing board.json, or leave it out for the built-in board",
        )
    })?;
    serde_json::from_str::<serde_json::Value>(&text).map(drop).map_err(|error| {
        Plain::error(
            format!("The board {} is not JSON: {error}.", board.display()),
            "edit the board, and give the command again",
        )
    })
}

/// Whether the gateway will be able to listen there.
fn port_is_free(host: &str, port: u16) -> Result<()> {
    let this_machine = || shell::own_command_with("--host", "127.0.0.1");
    // As the gateway reads it.
    let host = if host == "localhost" { "127.0.0.1" } else { host };
    let Ok(ip) = host.parse::<IpAddr>() else {
        return Err(Plain::error(format!("`{host}` is not an IP address."), this_machine()));
    };
    let other_port = |port: u16| shell::own_command_with("--port", &port.to_string());
    let Err(error) = TcpListener::bind((ip, port)) else { return Ok(()) };
    Err(match error.kind() {
        ErrorKind::AddrInUse => Plain::error(
            format!("Port {port} is taken: another program listens there."),
            format!("{}   (or stop the other program)", other_port(port.saturating_add(1))),
        ),
        ErrorKind::PermissionDenied => Plain::error(
            format!("This user may not listen on port {port}."),
            format!("{}   (ports below 1024 belong to the administrator)", other_port(4000)),
        ),
        ErrorKind::AddrNotAvailable => {
            Plain::error(format!("`{host}` is not an address of this machine."), this_machine())
        }
        _ => Plain::error(format!("{host} cannot be listened on at port {port}: {error}."), this_machine()),
    })
}

/// Makes the folder where it is missing, and writes and removes a file in it.
fn folder_is_writable(folder: &Path, mend: &str) -> Result<()> {
    let probe = folder.join(format!(".writable-{}", std::process::id()));
    let tried = fs::create_dir_all(folder).and_then(|()| fs::write(&probe, b"")).and_then(|()| fs::remove_file(&probe));
    tried.map_err(|error| Plain::error(format!("The folder {} cannot be written: {error}.", folder.display()), mend))
}

/// Becomes the gateway, so that signals and the exit code are its own.
#[cfg(unix)]
fn start(mut serve: Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    // `exec` returns only when it failed.
    let error = serve.exec();
    Err(error).with_context(|| format!("cannot start `{}`", shell::show(&serve)))
}

#[cfg(not(unix))]
fn start(mut serve: Command) -> Result<()> {
    let status = serve.status().with_context(|| format!("cannot start `{}`", shell::show(&serve)))?;
    anyhow::ensure!(status.success(), "the gateway stopped ({status})");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain::describe;

    fn run(demo: &[&str]) -> Run {
        #[derive(clap::Parser)]
        struct Only {
            #[command(flatten)]
            run: Run,
        }
        <Only as clap::Parser>::parse_from(std::iter::once("run").chain(demo.iter().copied())).run
    }

    #[test]
    fn a_taken_port_is_said_with_another_to_try() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let said = describe(&port_is_free("127.0.0.1", port).unwrap_err());
        assert!(said.contains(&format!("Port {port} is taken")), "{said}");
        assert!(said.contains(&format!("--port {}", port + 1)), "{said}");
        drop(taken);
        assert!(port_is_free("127.0.0.1", 0).is_ok());
    }

    #[test]
    fn a_foreign_address_is_said() {
        assert!(describe(&port_is_free("192.0.2.1", 0).unwrap_err()).contains("--host 127.0.0.1"));
        // The gateway takes no other name, and would say so only after the build.
        assert!(describe(&port_is_free("metrics.example", 0).unwrap_err()).contains("not an IP address"));
        assert!(port_is_free("localhost", 0).is_ok());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert!(folder_is_writable(&folder.path().join("new/one"), "x").is_ok());
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let said = describe(&folder_is_writable(&file.join("below"), "mend so").unwrap_err());
        assert!(said.contains("cannot be written") && said.ends_with("mend so"), "{said}");
    }

    #[test]
    fn a_board_that_is_missing_or_broken_is_said_with_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let board = folder.path().join("board.json");
        assert!(describe(&board_is_json(&board).unwrap_err()).contains("cannot be read"));
        fs::write(&board, "{\n  \"title\": \"Checkout\",\n}").unwrap();
        let said = describe(&board_is_json(&board).unwrap_err());
        assert!(said.contains("is not JSON") && said.contains("line 3"), "{said}");
        fs::write(&board, "{}").unwrap();
        assert!(board_is_json(&board).is_ok());
    }

    #[test]
    fn the_demo_has_a_data_folder_of_its_own() {
        assert_eq!(run(&[]).data_folder(), place::root().join("data"), "wherever the command is given");
        assert_eq!(run(&["--demo"]).data_folder(), place::root().join("data-demo"));
        assert_eq!(run(&["--demo", "--data-dir", "x"]).data_folder(), Path::new("x"));
    }

    #[test]
    fn what_only_the_gateway_understands_goes_to_it_as_it_is() {
        let given = ["--allow-host", "a", "--allow-host", "b", "--retention", "30d", "--", "--limits-body", "1MiB"];
        let arguments = run(&given).arguments().join(std::ffi::OsStr::new(" ")).into_string().unwrap();
        let expected = "--retention 30d --allow-host a --allow-host b --limits-body 1MiB";
        assert!(arguments.ends_with(expected), "{arguments}");
    }
}
