//! The command line: what can be asked of the binary, and the defaults.

use std::net::IpAddr;
use std::path::PathBuf;

use bellwether_core::time::DurationMs;
use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};

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
    Serve(Box<ServeArgs>),
    /// Say whether a board file is right, and if not, where and why
    Check {
        /// The board file
        board: PathBuf,
    },
}

/// The flags of `serve`. Each can be given by an environment variable instead; a flag counts more.
#[derive(Debug, Args)]
#[command(
    args_override_self = true,
    after_help = "On SIGTERM or Ctrl-C it stops taking samples, writes what it has, closes and exits with 0."
)]
pub struct ServeArgs {
    /// Port to listen on; 0 takes a free one
    #[arg(long, env = "BELLWETHER_PORT", default_value_t = 4000)]
    pub port: u16,

    /// Address to listen on; 0.0.0.0 for all. There is no sign-in yet: keep to 127.0.0.1, or
    /// stand it behind a proxy that asks who is there
    #[arg(long, env = "BELLWETHER_HOST", default_value = "127.0.0.1", value_parser = listen_address)]
    pub host: IpAddr,

    /// Folder of the store [default: ./data, with --demo ./data-demo]
    #[arg(long, env = "BELLWETHER_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Board file: KPIs, panels and alert rules [default: the built-in board]
    #[arg(long, env = "BELLWETHER_BOARD", value_name = "FILE")]
    pub board: Option<PathBuf>,

    /// Add two simulated stories, a booking service and a grants office, labelled as a simulation
    #[arg(long, env = "BELLWETHER_DEMO", value_parser = FalseyValueParser::new())]
    pub demo: bool,

    /// Do not sample this machine's processor, memory, disks and network
    #[arg(long, env = "BELLWETHER_NO_HOST_METRICS", value_parser = FalseyValueParser::new())]
    pub no_host_metrics: bool,

    /// Folder of the built page [default: `page` beside the binary, else ./dist]
    #[arg(long, env = "BELLWETHER_PAGE", value_name = "DIR")]
    pub page: Option<PathBuf>,

    /// Where to tell of firing and resolved alerts: Alertmanager's webhook JSON is POSTed there
    #[arg(long, env = "BELLWETHER_ALERT_WEBHOOK", value_name = "URL", value_parser = http_url, hide_env_values = true)]
    pub alert_webhook: Option<String>,

    /// How long raw samples are kept
    #[arg(long, env = "BELLWETHER_RETENTION", value_name = "DURATION", default_value = "90d", value_parser = retention)]
    pub retention: DurationMs,

    /// Origin of pages elsewhere that may read and send, such as https://status.example.org; may be repeated
    #[arg(long, env = "BELLWETHER_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub allow_origin: Vec<String>,

    /// Further host name that the gateway is asked by, such as metrics-store; may be repeated
    #[arg(long, env = "BELLWETHER_ALLOW_HOST", value_name = "NAME", value_delimiter = ',', value_parser = host_name)]
    pub allow_host: Vec<String>,
}

impl ServeArgs {
    /// The folder of the store.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        let default = if self.demo { "./data-demo" } else { "./data" };
        self.data_dir.clone().unwrap_or_else(|| PathBuf::from(default))
    }
}

fn listen_address(text: &str) -> Result<IpAddr, String> {
    if text == "localhost" {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    text.parse().map_err(|_| "give an IP address of this machine such as 127.0.0.1 or 0.0.0.0".to_owned())
}

/// The shortest retention: what the engine holds raw after a restart.
const SHORTEST_RETENTION: DurationMs = DurationMs::from_days(1);
/// The longest retention of raw samples: what the engine's coarsest tier covers.
const LONGEST_RETENTION: DurationMs = DurationMs::from_days(92);

fn retention(text: &str) -> Result<DurationMs, String> {
    let length: DurationMs = text.parse().map_err(|error| format!("{error}"))?;
    if length < SHORTEST_RETENTION || length > LONGEST_RETENTION {
        return Err(format!("{length} is out of range; give {SHORTEST_RETENTION} to {LONGEST_RETENTION}"));
    }
    Ok(length)
}

fn http_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace) => {
            Ok(text.to_owned())
        }
        _ => Err("give a whole address such as http://127.0.0.1:9093/hook".to_owned()),
    }
}

/// An origin is a scheme, a host and perhaps a port: what a browser sends in `Origin`.
fn origin(text: &str) -> Result<String, String> {
    let hint = || "give scheme and host such as https://status.example.org, without a path".to_owned();
    let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(hint)?;
    let plain = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte));
    if plain { Ok(text) } else { Err(hint()) }
}

fn host_name(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_lowercase();
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte));
    let port = !text.starts_with('[') && text.contains(':');
    if plain && !port {
        Ok(text)
    } else {
        Err("give a bare host name such as metrics-store, without a port".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn serve(arguments: &[&str]) -> Result<ServeArgs, clap::Error> {
        let line = ["bellwether", "serve"].iter().chain(arguments);
        match Cli::try_parse_from(line)?.command {
            Command::Serve(arguments) => Ok(*arguments),
            Command::Check { .. } => unreachable!("serve was asked"),
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_simulation_has_a_folder_of_its_own() {
        assert_eq!(serve(&[]).unwrap().data_dir(), PathBuf::from("./data"));
        assert_eq!(serve(&["--demo"]).unwrap().data_dir(), PathBuf::from("./data-demo"));
        assert_eq!(serve(&["--demo", "--data-dir", "x"]).unwrap().data_dir(), PathBuf::from("x"));
    }

    #[test]
    fn origins_are_exact() {
        let allowed = |text| serve(&["--allow-origin", text]).map(|args| args.allow_origin);
        assert_eq!(allowed("https://Status.example.org/").unwrap(), ["https://status.example.org"]);
        assert_eq!(allowed("http://localhost:8080").unwrap(), ["http://localhost:8080"]);
        for text in ["*", "status.example.org", "https://", "https://a/b", "ftp://a", "null", "https://a b"] {
            assert!(allowed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn other_flags_are_checked() {
        for flags in [
            ["--retention", "1h"],
            ["--retention", "10y"],
            ["--alert-webhook", "hook"],
            ["--alert-webhook", "http:///hook"],
            ["--allow-host", "a:80"],
            ["--port", "70000"],
            ["--host", "localhost.example"],
        ] {
            assert!(serve(&flags).is_err(), "{flags:?}");
        }
        assert_eq!(serve(&["--allow-host", "a,b"]).unwrap().allow_host, ["a", "b"]);
    }
}
