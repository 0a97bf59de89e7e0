//! A query as JavaScript writes it.

use bellwether_core::labels::LabelName;
use bellwether_core::query::{Across, Aggregation, Query};
use bellwether_core::selector::{Condition, MAX_PATTERNS, Matcher, Pattern};
use bellwether_core::table::Rows;
use bellwether_core::time::{DurationMs, TimestampMs};
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
    let (query, grouped) = aggregated(&options, "name")?;
    Ok(Question { query, grouped, now: options.instant("now")? })
}

/// A query whose metric stands in the field `name`.
///
/// # Errors
/// A [`Refusal`] that names the field which is missing or wrong.
pub(crate) fn aggregated(options: &Options<'_>, name: &str) -> Result<(Query, Grouping), Refusal> {
    let (mut query, grouped) = over(options, name)?;
    let word = options.text("agg", "a string such as \"avg\" or \"p95\"")?;
    query.aggregation = aggregation(options, &word.ok_or_else(|| missing(options, "agg", "\"avg\""))?)?;
    Ok((query, grouped))
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
    let (query, grouped) = over(&options, "name")?;
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
fn over(options: &Options<'_>, name: &str) -> Result<(Query, Grouping), Refusal> {
    let call = options.call();
    let metric = options.value(name).ok_or_else(|| missing(options, name, "\"booking_response_time\""))?;
    let window = options
        .duration("window")
        .map_err(|refusal| refusal.coded("bad_window"))?
        .ok_or_else(|| missing(options, "window", "\"5m\""))?;
    let mut query = Query::new(metric_name(call, &metric)?, window, Aggregation::Count);
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

/// The refusal of a field that is not there.
pub(crate) fn missing(options: &Options<'_>, field: &str, example: &str) -> Refusal {
    let call = options.call();
    Refusal::new("missing_option", format!("{call}: give `{field}`, such as {field}: {example}"))
}

fn aggregation(options: &Options<'_>, word: &str) -> Result<Aggregation, Refusal> {
    let call = options.call();
    word.parse().map_err(|error| Refusal::new("bad_aggregation", format!("{call}: {error}")))
}

/// A chart of one query.
pub(crate) struct RangeQuestion {
    pub(crate) query: Query,
    pub(crate) from: TimestampMs,
    /// `None` for the engine's clock.
    pub(crate) to: Option<TimestampMs>,
    pub(crate) width: Width,
}

/// How wide a chart is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Width {
    Columns(usize),
    Step(DurationMs),
}

impl Width {
    /// The number of columns of a chart over `(from, to]`.
    pub(crate) fn columns(self, from: TimestampMs, to: TimestampMs) -> usize {
        match self {
            Self::Columns(columns) => columns,
            Self::Step(step) => {
                // Columns lie on multiples of their width, so that the edges may cut two of them.
                let columns = to.since(from).as_millis().div_ceil(step.as_millis().max(1)).saturating_add(2);
                (columns as usize).min(MOST_COLUMNS_OF_A_CHART)
            }
        }
    }
}

/// The most columns of a chart.
const MOST_COLUMNS_OF_A_CHART: usize = 100_000;

/// Reads the question of a chart.
///
/// # Errors
/// A [`Refusal`] that names the field which is missing or wrong.
pub(crate) fn range_question(value: &JsValue) -> Result<RangeQuestion, Refusal> {
    let known = ["name", "window", "agg", "by", "where", "across", "from", "to", "columns", "step"];
    let options = Options::new("queryRange", value, &known)?;
    let (query, _) = aggregated(&options, "name")?;
    let from = options.instant("from")?.ok_or_else(|| missing(&options, "from", "Date.now() - 3_600_000"))?;
    let width = match (width_of(&options, "columns", MOST_COLUMNS_OF_A_CHART)?, options.duration("step")?) {
        (Some(_), Some(_)) => return Err(options.bad("step", "left out where `columns` is given")),
        (Some(columns), None) => Width::Columns(columns),
        (None, Some(step)) => Width::Step(step),
        (None, None) => return Err(missing(&options, "columns", "600")),
    };
    Ok(RangeQuestion { query, from, to: options.instant("to")?, width })
}

/// Value buckets over the columns of a window.
pub(crate) struct HistogramQuestion {
    pub(crate) query: Query,
    /// `None` for the engine's clock.
    pub(crate) now: Option<TimestampMs>,
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// Reads the question of a histogram.
///
/// # Errors
/// A [`Refusal`] that names the field which is missing or wrong.
pub(crate) fn histogram_question(value: &JsValue) -> Result<HistogramQuestion, Refusal> {
    let options = Options::new("histogram", value, &["name", "window", "by", "where", "now", "columns", "rows"])?;
    let (query, _) = over(&options, "name")?;
    let columns = width_of(&options, "columns", 10_000)?.unwrap_or(1);
    let rows = width_of(&options, "rows", 10_000)?.unwrap_or(100);
    Ok(HistogramQuestion { query, now: options.instant("now")?, columns, rows })
}

/// A number of columns or rows, from 1 to `most`.
fn width_of(options: &Options<'_>, field: &str, most: usize) -> Result<Option<usize>, Refusal> {
    match options.count(field)? {
        Some(number) if (1..=most).contains(&number) => Ok(Some(number)),
        None => Ok(None),
        Some(_) => Err(options.bad(field, &format!("from 1 to {most}"))),
    }
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
