//! The binding to `Plotly`, which may be missing: every call can fail and none panics.

use js_sys::{Array, Object, Promise, Reflect};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::Element;

use super::chosen::Chosen;
use super::figure::Figure;
use crate::texts::Text;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = Plotly, js_name = react)]
    fn plotly_react(
        element: &Element,
        traces: &Array,
        layout: &JsValue,
        configuration: &JsValue,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Plotly, js_name = purge)]
    fn plotly_purge(element: &Element) -> Result<(), JsValue>;
}

/// A value of the `plotly` crate as Plotly takes it.
pub(super) fn to_js(value: &impl Serialize) -> Result<JsValue, String> {
    Chosen(value)
        .serialize(&Serializer::json_compatible())
        .map_err(|error| Text::ChartNotMade.fill(&[&error.to_string()]))
}

/// A plain object with these fields.
pub(super) fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new().into();
    for (name, value) in fields {
        set(&object, name, value);
    }
    object
}

/// Sets a field of a plain object, which the crate has none for.
pub(super) fn set(object: &JsValue, name: &str, value: &JsValue) {
    // Setting a property of a plain object cannot fail.
    let _ = Reflect::set(object, &name.into(), value);
}

/// Draws the figure, or changes what is drawn into it. Plotly finishes later: `failed` hears of it where
/// it does not.
pub(super) fn react(element: &Element, figure: &Figure, failed: impl FnOnce(String) + 'static) -> Result<(), String> {
    set(&figure.layout, "uirevision", &figure.revision.as_str().into());
    let drawn = plotly_react(element, &figure.traces, &figure.layout, &figure.configuration)
        .map_err(|error| sentence(&error))?;
    spawn_local(async move {
        if let Err(error) = JsFuture::from(drawn).await {
            failed(sentence(&error));
        }
    });
    Ok(())
}

/// Frees what Plotly keeps for the element; nothing to do where it never came.
pub(super) fn purge(element: &Element) {
    let _ = plotly_purge(element);
}

fn sentence(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into()).ok().and_then(|message| message.as_string());
    Text::ChartNotDrawn.fill(&[message.as_deref().unwrap_or(Text::ChartNoReason.say())])
}
