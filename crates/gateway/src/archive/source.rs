//! Where an archive is taken from: a folder, a file, or a gateway that runs.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::store::{StoppedStore, StoreError};

/// Longest answer of a gateway that is shown as a reason.
const MAX_REASON_BYTES: u64 = 64 * 1_024;

/// The flags that name a store.
#[derive(Clone, Debug, Args)]
pub(super) struct Source {
    /// Folder of the store, whose gateway must be stopped, or a backup's file [default: ./data]
    #[arg(long, env = "BELLWETHER_DATA_DIR", value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,

    /// Ask the gateway that runs at this address instead, such as http://127.0.0.1:4000
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) gateway: Option<String>,

    /// File with the token that the gateway wants
    #[arg(long, env = "BELLWETHER_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Source {
    /// What the gateway at `url` answers to a GET of `path`, to be read to its end.
    ///
    /// # Errors
    /// One plain sentence.
    pub(super) fn ask(&self, url: &str, path: &str) -> anyhow::Result<impl Read + use<>> {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = agent.get(format!("{}{path}", url.trim_end_matches('/')));
        if let Some(file) = &self.token_file {
            let token = std::fs::read_to_string(file)
                .with_context(|| format!("the token file {} cannot be read", file.display()))?;
            request = request.header("authorization", format!("Bearer {}", token.trim()));
        }
        let answer = request.call().with_context(|| {
            format!("the gateway at {url} does not answer; give the address that it said at its start")
        })?;
        let status = answer.status();
        let body = answer.into_body().into_reader();
        if status.is_success() {
            return Ok(body);
        }
        let mut text = String::new();
        // Where the reason cannot be read, the status has to do.
        let _read = body.take(MAX_REASON_BYTES).read_to_string(&mut text);
        let told: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let told = told.as_ref().and_then(|body| body["error"]["message"].as_str());
        anyhow::bail!("the gateway at {url} refuses with {}: {}", status.as_u16(), told.unwrap_or("it gives no reason"))
    }
}

fn http_url(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ => Err("give a whole address such as http://127.0.0.1:4000".to_owned()),
    }
}

/// The store in a folder or file that nobody has open.
///
/// # Errors
/// One plain sentence; `instead` says what else can be done where a gateway has the store open.
pub(super) fn open(data_dir: Option<&Path>, instead: &str) -> anyhow::Result<StoppedStore> {
    let place = data_dir.unwrap_or(Path::new("./data"));
    StoppedStore::open(place).map_err(|error| match error {
        StoreError::Locked { path } => anyhow::anyhow!("a gateway has the store {path:?} open; {instead}"),
        error => error.into(),
    })
}
