//! The two files that lie beside the page.

use bellwether_core::board::Board;
use gloo_net::http::Request;

use super::address;
use crate::settings::Settings;

async fn text(path: &str) -> Result<String, String> {
    let url = address::beside_page(path).ok_or_else(|| format!("\"{path}\" is no address."))?;
    let gone = |reason: String| format!("{path} could not be read: {reason}.");
    let response = Request::get(&url.href()).send().await.map_err(|error| gone(error.to_string()))?;
    if !response.ok() {
        return Err(gone(format!("the server answered {}", response.status())));
    }
    response.text().await.map_err(|error| gone(error.to_string()))
}

/// Reads `config.json`.
pub(super) async fn settings() -> Result<Settings, String> {
    Settings::parse(&text("config.json").await?)
}

/// Reads the board at `path`.
pub(super) async fn board(path: &str) -> Result<Board, String> {
    bellwether_wire::board::decode(&text(path).await?).map_err(|faults| {
        let list: Vec<_> = faults.iter().map(ToString::to_string).collect();
        format!("{path}: {}.", list.join("; "))
    })
}
