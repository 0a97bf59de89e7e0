//! A query as JavaScript writes it.

use bellwether_core::labels::LabelName;
use bellwether_core::query::{Across, Aggregation, Query};
use bellwether_core::selector::{Condition, Matcher, Pattern};
use bellwether_core::time::TimestampMs;
use wasm_bindgen::JsValue;

use crate::error::Refusal;
use crate::options::{Options, elements, fields, metric_name};

const CALL: &str = "query";
const FIELDS: [&str; 7] = ["name", "window", "agg", "by", "where", "across", "now"];

/// What was asked, and how it is to be answered.
pub(crate) struct Question {
    pub(crate) query: Query,
    /// Whether `by` was given: then the answer is a list of groups.
    pub(crate) grouped: Grouping,
    /// The instant that was asked for; `None` for the engine's clock.
    pub(crate) now: Option<TimestampMs>,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grouping {
    One,
    Groups,
}

/// Reads a query.
///
/// # Errors
/// A [`Refusal`] that names the field which is missing or wrong.
pub(crate) fn question(value: &JsValue) -> Result<Question, Refusal> {
    let options = Options::new(CALL, value, &FIELDS)?;
    let missing = |field: &str, example: &str| {
        Refusal::new("missing_option", format!("{CALL}: give `{field}`, such as {field}: {example}"))
    };
    let name = options.value("name").ok_or_else(|| missing("name", "\"booking_response_time\""))?;
    let window = options
        .duration("window")
        .map_err(|refusal| refusal.coded("bad_window"))?
        .ok_or_else(|| missing("window", "\"5m\""))?;
    let word = options.text("agg", "a string such as \"avg\" or \"p95\"")?.ok_or_else(|| missing("agg", "\"avg\""))?;
    let aggregation: Aggregation =
        word.parse().map_err(|error| Refusal::new("bad_aggregation", format!("{CALL}: {error}")))?;
    let mut query = Query::new(metric_name(CALL, &name)?, window, aggregation);
    let by = options.value("by");
    let grouped = if by.is_some() { Grouping::Groups } else { Grouping::One };
    if let Some(by) = by {
        let bad = || options.bad("by", "an array of label names, such as [\"route\"]");
        for label in elements(&by).ok_or_else(bad)? {
            query.by.push(label_name(&label.as_string().ok_or_else(bad)?)?);
        }
    }
    if let Some(condition) = options.value("where") {
        query.matchers = matchers(&condition)?;
    }
    if let Some(word) = options.value("across") {
        query.across = word
            .as_string()
            .and_then(|word| Across::from_word(&word))
            .ok_or_else(|| options.bad("across", ACROSS).coded("bad_across"))?;
    }
    Ok(Question { query, grouped, now: options.instant("now")? })
}

const ACROSS: &str = "\"merge\", \"sum\", \"avg\", \"min\" or \"max\"";

fn label_name(name: &str) -> Result<LabelName, Refusal> {
    LabelName::new(name).map_err(|error| Refusal::new("bad_labels", format!("{CALL}: {error}")))
}

/// `{ route: "/book", method: { not: "GET" } }`, or `["route:/book"]` as in the query of an address.
fn matchers(value: &JsValue) -> Result<Vec<Matcher>, Refusal> {
    let refuse = || {
        Refusal::new(
            "bad_where",
            format!(
                "{CALL}: `where` must be an object such as {{ route: \"/book\" }} or {{ route: {{ matches: \"/b.*\" }} }}, or an array such as [\"route:/book\"]"
            ),
        )
    };
    if let Some(list) = elements(value) {
        return list
            .iter()
            .map(|text| {
                let text = text.as_string().ok_or_else(refuse)?;
                let (label, expected) = text.split_once(':').ok_or_else(refuse)?;
                Ok(Matcher { label: label_name(label)?, condition: Condition::Equal(expected.to_owned()) })
            })
            .collect();
    }
    let mut matchers = Vec::new();
    for (label, expected) in fields(value).ok_or_else(refuse)? {
        let label = label_name(&label)?;
        if let Some(text) = expected.as_string() {
            matchers.push(Matcher { label, condition: Condition::Equal(text) });
            continue;
        }
        for (word, text) in fields(&expected).ok_or_else(refuse)? {
            let text = text.as_string().ok_or_else(refuse)?;
            let condition = match word.as_str() {
                "not" => Condition::NotEqual(text),
                "matches" => Condition::Matches(pattern(&text)?),
                "matches_not" => Condition::MatchesNot(pattern(&text)?),
                _ => return Err(refuse()),
            };
            matchers.push(Matcher { label: label.clone(), condition });
        }
    }
    Ok(matchers)
}

fn pattern(text: &str) -> Result<Pattern, Refusal> {
    Pattern::new(text).map_err(|error| Refusal::new("bad_pattern", format!("{CALL}: {error}")))
}
