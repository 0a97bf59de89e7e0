//! Calls the reader by what `boot.js` has for it.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::calls::{Permission, Switch};

/// Where it is kept that notifications are wanted.
const KEY: &str = "bellwether.notify";
const WANTED: &str = "on";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = bellwether, js_name = permit)]
    async fn ask() -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_namespace = bellwether, js_name = permission)]
    fn known() -> Result<String, JsValue>;
    #[wasm_bindgen(catch, js_namespace = bellwether, js_name = notify)]
    fn show(title: &str, body: &str) -> Result<bool, JsValue>;
    #[wasm_bindgen(catch, js_namespace = bellwether, js_name = tone)]
    fn play() -> Result<(), JsValue>;
}

/// Asks the browser, which asks the reader where it has not yet.
pub(super) async fn permission() -> Permission {
    ask().await.ok().and_then(|word| word.as_string()).map_or(Permission::Missing, |word| Permission::named(&word))
}

/// What the browser says unasked.
pub(super) fn known_permission() -> Permission {
    known().map_or(Permission::Missing, |word| Permission::named(&word))
}

/// Shows a notification; `false` where the browser shows none.
pub(super) fn notify(title: &str, body: &str) -> bool {
    show(title, body).unwrap_or(false)
}

/// Plays the sound, where the browser has any.
pub(super) fn tone() {
    let _ = play();
}

/// Whether notifications were wanted when the page was last here.
pub(super) fn kept() -> Switch {
    let kept = super::storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
    if kept.as_deref() == Some(WANTED) { Switch::On } else { Switch::Off }
}

/// Keeps that for the next visit. A full or forbidden storage only means that it is not kept.
pub(super) fn keep(switch: Switch) {
    if let Some(storage) = super::storage() {
        let _ = match switch {
            Switch::On => storage.set_item(KEY, WANTED),
            Switch::Off => storage.remove_item(KEY),
        };
    }
}
