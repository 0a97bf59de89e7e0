//! Objects that JavaScript makes in one call, where one call for each field would cost more than the figure.

use js_sys::{Array, Float64Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/shapes.js")]
extern "C" {
    /// `{ result, count, from, to, relativeError }`.
    pub(crate) fn figure(result: Option<f64>, count: f64, from: f64, to: f64, relative_error: f64) -> JsValue;

    /// `{ labels, result, … }`.
    pub(crate) fn group(labels: &JsValue, figure: &JsValue) -> JsValue;

    /// `{ groups }`.
    pub(crate) fn groups(groups: &Array) -> JsValue;

    /// An object of `[name, value]` pairs; a label may be called `__proto__`.
    pub(crate) fn labels(pairs: &Array) -> JsValue;

    /// `{ accepted, rejected, rejections }`.
    pub(crate) fn receipt(accepted: u32, rejected: u32, rejections: Array) -> JsValue;

    /// `{ rows, columns, relativeError }`, where `columns` has a field for each of `words`.
    pub(crate) fn columns(rows: &Array, words: &Array, values: Float64Array, relative_error: f64) -> JsValue;
}
