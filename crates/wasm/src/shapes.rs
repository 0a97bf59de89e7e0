//! Objects that JavaScript makes in one call, where one call for each field would cost more than the figure.

use js_sys::{Array, Float64Array, Uint8Array};
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

    /// `{ accepted, rejected, rejections }`; no array is made where there is none.
    pub(crate) fn receipt(accepted: u32, rejected: u32, rejections: Option<Array>) -> JsValue;

    /// `{ index, code, message }`.
    pub(crate) fn rejection(index: u32, code: &str, message: &str) -> JsValue;

    /// `{ rows, columns, relativeError }`, where `columns` has a field for each of `words`.
    pub(crate) fn columns(rows: &Array, words: &Array, values: Float64Array, relative_error: f64) -> JsValue;

    /// `{ labels, to, value, min, max, first, last, count, joined }`: seven fields out of one array.
    pub(crate) fn line(labels: &JsValue, fields: Float64Array, joined: Uint8Array) -> JsValue;

    /// `{ lines }`.
    pub(crate) fn lines(lines: &Array) -> JsValue;

    /// `{ labels, lower, upper, to, counts, relativeError }`.
    pub(crate) fn histogram(
        labels: &JsValue,
        lower: Float64Array,
        upper: Float64Array,
        to: Float64Array,
        counts: Float64Array,
        relative_error: f64,
    ) -> JsValue;

    /// `{ name, kind, unit, series }`.
    pub(crate) fn metric(name: &str, kind: &str, unit: Option<&str>, series: u32) -> JsValue;

    /// `{ series, timeBuckets, bytes, wasmBytes }`.
    pub(crate) fn memory(series: u32, time_buckets: f64, bytes: f64, wasm_bytes: f64) -> JsValue;

    /// `{ rule, labels, severity, state, value, stale }`.
    pub(crate) fn alert(rule: &str, labels: &JsValue, severity: &str, value: Option<f64>, stale: bool) -> JsValue;

    /// The alert with its state and when it came to it.
    pub(crate) fn state(
        alert: &JsValue,
        state: &str,
        active_at: Option<f64>,
        fired_at: Option<f64>,
        resolved_at: Option<f64>,
    ) -> JsValue;

    /// `{ alert, from, to }`.
    pub(crate) fn transition(alert: &JsValue, from: &str, to: &str) -> JsValue;

    /// `{ transitions, failures }`.
    pub(crate) fn evaluation(transitions: &Array, failures: &Array) -> JsValue;

    /// `{ id, title, unit, standing, target }`.
    pub(crate) fn kpi(id: &str, title: &str, unit: &str, standing: &str, target: Option<f64>) -> JsValue;

    /// `{ previous, change, percent, points }`.
    pub(crate) fn trend(
        previous: Option<f64>,
        change: Option<f64>,
        percent: Option<f64>,
        points: Option<f64>,
    ) -> JsValue;

    /// One object with the fields of three.
    pub(crate) fn joined(one: &JsValue, other: &JsValue, third: &JsValue) -> JsValue;

    /// `{ avg_resolution_time, avg_satisfaction, total_conflicts }`.
    pub(crate) fn scorecard(resolution: f64, satisfaction: f64, conflicts: f64) -> JsValue;
}
