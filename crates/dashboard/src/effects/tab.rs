//! The feed that the tab makes out of a file, as `www/file/open.js` leaves it for the page.

use gloo_net::websocket::futures::WebSocket;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = bellwether, js_name = fileFeed)]
    fn file_feed() -> Result<web_sys::WebSocket, JsValue>;

    #[wasm_bindgen(catch, js_namespace = bellwether, js_name = fileMetrics)]
    fn file_metrics() -> Result<String, JsValue>;
}

/// What looks like an open socket and says what a gateway would; `None` where no file is open.
pub(super) fn feed() -> Option<WebSocket> {
    WebSocket::try_from(file_feed().ok()?).ok()
}

/// The metrics of the file, as a gateway lists its own; empty where no file is open.
pub(super) fn metrics() -> String {
    file_metrics().unwrap_or_default()
}
