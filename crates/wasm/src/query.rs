//! A query as JavaScript writes it.

use bellwether_core::labels::LabelName;
use bellwether_core::query::{Across, Aggregation, Query};
use bellwether_core::selector::{Condition, MAX_PATTERNS, Matcher, Pattern};
use bellwether_core::table::Rows;
use bellwether_core::time::TimestampMs;
use js_sys::Array;
use wasm_bindgen::JsValue;

use crate::error::Refusal;
use crate::options::{Options, elements, fields, metric_name};

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
    let options = Options::new("query", value, &["name", "window", "agg", "by", "where", "across", "now"])?;
    let (mut query, grouped) = over(&options)?;
    let word = options.text("agg", "a string such as \"avg\" or \"p95\"")?;
    query.aggregation = aggregation(&options, &word.ok_or_else(|| missing(&options, "agg", "\"avg\""))?)?;
    Ok(Question { query, grouped, now: options.instant("now")? })
}

/// Several figures of each series or group of series.
pub(crate) struct TableQuestion {
    /// Its own aggregation means nothing.
    pub(crate) query: Query,
    pub(crate) aggregations: Vec<Aggregation>,
    /// The aggregations as they were written.
    pub(crate) words: Array,
    pub(crate) rows: Rows,
}

/// The most figures of one table.
const MOST_COLUMNS: usize = 100;

/// Reads a table's question.
///
/// # Errors
/// A [`Refusal`] that names the field which is missing or wrong.
pub(crate) fn table_question(value: &JsValue) -> Result<TableQuestion, Refusal> {
    let options = Options::new("table", value, &["name", "window", "aggs", "by", "where", "across"])?;
    let (query, grouped) = over(&options)?;
    let bad = || options.bad("aggs", "an array of aggregations, such as [\"count\", \"p95\"]");
    let aggs = options.value("aggs").ok_or_else(|| missing(&options, "aggs", "[\"count\", \"p95\"]"))?;
    let mut aggregations = Vec::new();
    let words = Array::new();
    for word in elements(&aggs).filter(|aggs| aggs.len() <= MOST_COLUMNS).ok_or_else(bad)? {
        aggregations.push(aggregation(&options, &word.as_string().ok_or_else(bad)?)?);
        words.push(&word);
    }
    let rows = match grouped {
        Grouping::One => Rows::BySeries,
        Grouping::Groups => Rows::ByLabels,
    };
    Ok(TableQuestion { query, aggregations, words, rows })
}

/// What a query and a table have in common: over which samples a figure is made. Which figure is
/// for the caller to say.
fn over(options: &Options<'_>) -> Result<(Query, Grouping), Refusal> {
    let call = options.call();
    let name = options.value("name").ok_or_else(|| missing(options, "name", "\"booking_response_time\""))?;
    let window = options
        .duration("window")
        .map_err(|refusal| refusal.coded("bad_window"))?
        .ok_or_else(|| missing(options, "window", "\"5m\""))?;
    let mut query = Query::new(metric_name(call, &name)?, window, Aggregation::Count);
    let by = options.value("by");
    let grouped = if by.is_some() { Grouping::Groups } else { Grouping::One };
    if let Some(by) = by {
        let bad = || options.bad("by", "an array of label names, such as [\"route\"]");
        for label in elements(&by).ok_or_else(bad)? {
            query.by.push(label_name(call, &label.as_string().ok_or_else(bad)?)?);
        }
    }
    if let Some(condition) = options.value("where") {
        query.matchers = matchers(call, &condition)?;
    }
    if let Some(word) = options.value("across") {
        query.across = word
            .as_string()
            .and_then(|word| Across::from_word(&word))
            .ok_or_else(|| options.bad("across", ACROSS).coded("bad_across"))?;
    }
    Ok((query, grouped))
}

fn missing(options: &Options<'_>, field: &str, example: &str) -> Refusal {
    let call = options.call();
    Refusal::new("missing_option", format!("{call}: give `{field}`, such as {field}: {example}"))
}

fn aggregation(options: &Options<'_>, word: &str) -> Result<Aggregation, Refusal> {
    let call = options.call();
    word.parse().map_err(|error| Refusal::new("bad_aggregation", format!("{call}: {error}")))
}

const ACROSS: &str = "\"merge\", \"sum\", \"avg\", \"min\" or \"max\"";

fn label_name(call: &str, name: &str) -> Result<LabelName, Refusal> {
    LabelName::new(name).map_err(|error| Refusal::new("bad_labels", format!("{call}: {error}")))
}

/// `{ route: "/book", method: { not: "GET" } }`, or `["route:/book"]` as in the query of an address.
fn matchers(call: &str, value: &JsValue) -> Result<Vec<Matcher>, Refusal> {
    let refuse = || {
        Refusal::new(
            "bad_where",
            format!(
                "{call}: `where` must be an object such as {{ route: \"/book\" }} or {{ route: {{ matches: \"/b.*\" }} }}, or an array such as [\"route:/book\"]"
            ),
        )
    };
    if let Some(list) = elements(value) {
        return list
            .iter()
            .map(|text| {
                let text = text.as_string().ok_or_else(refuse)?;
                let (label, expected) = text.split_once(':').ok_or_else(refuse)?;
                Ok(Matcher { label: label_name(call, label)?, condition: Condition::Equal(expected.to_owned()) })
            })
            .collect();
    }
    let mut matchers: Vec<Matcher> = Vec::new();
    for (label, expected) in fields(value).ok_or_else(refuse)? {
        let label = label_name(call, &label)?;
        if let Some(text) = expected.as_string() {
            matchers.push(Matcher { label, condition: Condition::Equal(text) });
            continue;
        }
        for (word, text) in fields(&expected).ok_or_else(refuse)? {
            let text = text.as_string().ok_or_else(refuse)?;
            let patterns = matchers.iter().filter(|matcher| matcher.condition.is_pattern()).count();
            if patterns == MAX_PATTERNS && word.starts_with("matches") {
                let message = format!("{call}: `where` has too many patterns; at most {MAX_PATTERNS} are taken");
                return Err(Refusal::new("bad_where", message));
            }
            let condition = match word.as_str() {
                "not" => Condition::NotEqual(text),
                "matches" => Condition::Matches(pattern(call, &text)?),
                "matches_not" => Condition::MatchesNot(pattern(call, &text)?),
                _ => return Err(refuse()),
            };
            matchers.push(Matcher { label: label.clone(), condition });
        }
    }
    Ok(matchers)
}

fn pattern(call: &str, text: &str) -> Result<Pattern, Refusal> {
    Pattern::new(text).map_err(|error| Refusal::new("bad_pattern", format!("{call}: {error}")))
}
