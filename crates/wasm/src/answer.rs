//! Answers as plain JavaScript objects.

use bellwether_core::labels::Labels;
use bellwether_core::query::{Answer, Group};
use js_sys::Array;
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use crate::error::Refusal;
use crate::shapes;

/// `{ result, count, from, to, relativeError }`.
pub(crate) fn figure(answer: &Answer) -> JsValue {
    let Answer { value, count, from, to, relative_error } = *answer;
    shapes::figure(value, count as f64, from.get() as f64, to.get() as f64, relative_error)
}

/// `{ groups: [{ labels, result, … }] }`.
pub(crate) fn groups(groups: &[Group]) -> JsValue {
    let list = Array::new();
    for group in groups {
        list.push(&shapes::group(&labels(&group.labels), &figure(&group.answer)));
    }
    shapes::groups(&list)
}

/// A plain object of strings, whatever the labels are called.
pub(crate) fn labels(labels: &Labels) -> JsValue {
    let pairs = Array::new();
    for (name, value) in labels.iter() {
        pairs.push(&Array::of2(&name.into(), &value.into()));
    }
    shapes::labels(&pairs)
}

/// What an engine holds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Holdings {
    pub(crate) series: usize,
    pub(crate) time_buckets: usize,
    pub(crate) bytes: usize,
    pub(crate) wasm_bytes: f64,
}

/// One metric that an engine knows.
#[derive(Serialize)]
pub(crate) struct Metric<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) unit: Option<&'a str>,
    pub(crate) series: usize,
}

/// One refused sample of a column.
#[derive(Serialize)]
pub(crate) struct Rejection {
    pub(crate) index: usize,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// The plain object of an answer: no `Map`, no `BigInt`, `null` where there is no value.
///
/// # Errors
/// `bad_answer` where a number cannot be a JavaScript number; none of the answers here has one.
pub(crate) fn object<T: Serialize>(answer: &T) -> Result<JsValue, Refusal> {
    answer.serialize(&Serializer::json_compatible()).map_err(|error| Refusal::new("bad_answer", error.to_string()))
}
