//! Answers as plain JavaScript objects.

use std::collections::BTreeMap;

use bellwether_core::query::{Answer, Group};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use crate::error::Refusal;

/// `{ result, count, from, to, relativeError }`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figure {
    result: Option<f64>,
    count: u64,
    from: i64,
    to: i64,
    relative_error: f64,
}

impl From<Answer> for Figure {
    fn from(Answer { value, count, from, to, relative_error }: Answer) -> Self {
        Self { result: value, count, from: from.get(), to: to.get(), relative_error }
    }
}

/// `{ groups: [{ labels, result, … }] }`.
#[derive(Serialize)]
pub(crate) struct Groups<'a> {
    groups: Vec<LabelledFigure<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LabelledFigure<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    result: Option<f64>,
    count: u64,
    from: i64,
    to: i64,
    relative_error: f64,
}

impl<'a> Groups<'a> {
    pub(crate) fn of(groups: &'a [Group]) -> Self {
        let groups = groups.iter().map(|group| {
            let Answer { value, count, from, to, relative_error } = group.answer;
            let labels = group.labels.iter().collect();
            LabelledFigure { labels, result: value, count, from: from.get(), to: to.get(), relative_error }
        });
        Self { groups: groups.collect() }
    }
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

/// What became of a column of samples.
#[derive(Serialize)]
pub(crate) struct Receipt {
    pub(crate) accepted: usize,
    pub(crate) rejected: usize,
    pub(crate) rejections: Vec<Rejection>,
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
