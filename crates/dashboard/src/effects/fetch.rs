//! What is asked for over HTTP: the two files that lie beside the page, and whether the gateway answers.

use bellwether_core::board::Board;
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestInit, Response};

use super::{address, tab};
use crate::cause::Probe;
use crate::ended::{self as answer_of, EndedAlert};
use crate::others::Listing;
use crate::settings::{Settings, TAB};
use crate::texts::{Language, Text};

async fn get(url: &str, mode: &str) -> Result<Response, JsValue> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let options = Object::new();
    Reflect::set(&options, &"mode".into(), &mode.into())?;
    Reflect::set(&options, &"cache".into(), &"no-cache".into())?;
    let answer = JsFuture::from(window.fetch_with_str_and_init(url, options.unchecked_ref::<RequestInit>())).await?;
    answer.dyn_into()
}

async fn text(path: &str) -> Result<String, String> {
    let url = address::beside_page(path).ok_or_else(|| Text::FileNoAddress.fill(&[path]))?;
    let gone = |reason: &str| Text::FileUnread.fill(&[path, reason]);
    let failed = |_| gone(Text::FileNoAnswer.say());
    let answer = get(&url.href(), "cors").await.map_err(failed)?;
    if !answer.ok() {
        return Err(gone(&Text::FileStatus.fill(&[&answer.status().to_string()])));
    }
    let text = JsFuture::from(answer.text().map_err(failed)?).await.map_err(failed)?;
    text.as_string().ok_or_else(|| gone(Text::FileNoText.say()))
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

/// Reads the help.
pub(super) async fn help(language: Language) -> Result<String, String> {
    let code = language.code();
    text(&format!("help/{code}.html")).await
}

/// Asks the gateway at `gateway` which metrics it has.
pub(super) async fn metrics(gateway: &str) -> Result<Listing, String> {
    let sentence = || Text::MetricsNotListed.say().to_owned();
    if gateway == TAB {
        return Listing::parse(&tab::metrics()).ok_or_else(sentence);
    }
    below(gateway, "api/v1/metrics").await.and_then(|text| Listing::parse(&text)).ok_or_else(sentence)
}

/// Asks the gateway at `gateway` which alerts have ended; `None` where its answer is no list of them.
pub(super) async fn ended(gateway: &str) -> Option<Vec<EndedAlert>> {
    answer_of::parse(&below(gateway, "api/v1/alerts/ended").await?)
}

/// What the gateway at `gateway` answers, whatever that is.
async fn below(gateway: &str, path: &str) -> Option<String> {
    let url = address::below_gateway(gateway, path)?;
    let answer = get(&url.href(), "cors").await.ok()?;
    JsFuture::from(answer.text().ok()?).await.ok()?.as_string()
}

/// Asks the gateway at `gateway` for something that any allowed page may read; where it cannot be read,
/// whether there is an answer at all.
pub(super) async fn probe(gateway: &str) -> Probe {
    let address = |path| address::below_gateway(gateway, path).map(|url| url.href()).unwrap_or_default();
    match get(&address("api/v1/dashboard"), "cors").await {
        Ok(answer) if answer.ok() => Probe::Ready,
        // No route of a gateway that is up and no limit of one: 503 is its word for starting and stopping.
        Ok(answer) if answer.status() == 503 => Probe::NotReady,
        Ok(answer) if answer.status() == 404 => Probe::NoGateway,
        Ok(_) => Probe::Ready,
        // To what a page may not read it may still send: the browser says whether anything came back.
        Err(_) if get(&address("-/healthy"), "no-cors").await.is_ok() => Probe::Unreadable,
        Err(_) => Probe::Silent,
    }
}
