//! A board as JavaScript writes it: the objects of `board.json`.

use bellwether_core::board::{Board, MetricDeclaration};
use bellwether_core::kpi::{Direction, Kpi};
use bellwether_core::labels::Labels;
use bellwether_core::query::Expression;
use bellwether_core::rule::{Comparison, NoData, Rule, Severity};
use bellwether_core::time::DurationMs;
use wasm_bindgen::JsValue;

use crate::error::Refusal;
use crate::options::{Options, elements, metric_name};
use crate::query;

const CALL: &str = "setBoard";

/// Reads and checks the metrics, KPIs and rules of a board; what the page alone shows is left aside.
///
/// # Errors
/// `bad_board`, and the place in the board, where something is missing, wrong or unknown.
pub(crate) fn board(value: &JsValue) -> Result<Board, Refusal> {
    let fields = Options::new(CALL, value, &["$schema", "title", "metrics", "kpis", "panels", "rules"])?;
    let board = Board {
        metrics: all(&fields, "metrics", metric)?,
        kpis: all(&fields, "kpis", kpi)?,
        rules: all(&fields, "rules", rule)?,
        ..Board::default()
    };
    match board.check() {
        Ok(()) => Ok(board),
        Err(errors) => {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Err(Refusal::new("bad_board", format!("{CALL}: {}", errors.join("; "))))
        }
    }
}

/// Every element of an array; none where it is absent.
fn all<T>(
    fields: &Options<'_>,
    field: &'static str,
    read: impl Fn(&JsValue) -> Result<T, Refusal>,
) -> Result<Vec<T>, Refusal> {
    let Some(list) = fields.value(field) else { return Ok(Vec::new()) };
    let list = elements(&list).ok_or_else(|| fields.bad(field, "an array of at most 1,000 elements"))?;
    let read = |(place, one)| {
        let named =
            |Refusal { message, .. }: Refusal| Refusal::new("bad_board", format!("{field}[{place}]: {message}"));
        read(one).map_err(named)
    };
    list.iter().enumerate().map(read).collect()
}

fn metric(value: &JsValue) -> Result<MetricDeclaration, Refusal> {
    let fields = Options::new(CALL, value, &["name", "kind", "unit", "help"])?;
    let kind = fields.kind()?.ok_or_else(|| query::missing(&fields, "kind", "\"gauge\""))?;
    let name = metric_name(CALL, &fields.value("name").unwrap_or(JsValue::UNDEFINED))?;
    Ok(MetricDeclaration { name, kind, unit: text(&fields, "unit")?, help: text(&fields, "help")? })
}

fn kpi(value: &JsValue) -> Result<Kpi, Refusal> {
    let known = ["id", "title", "unit", "query", "better", "target", "owner", "section"];
    let fields = Options::new(CALL, value, &known)?;
    let direction = match fields.text("better", DIRECTIONS)?.as_deref() {
        Some("lower") => Direction::LowerIsBetter,
        Some("higher") => Direction::HigherIsBetter,
        Some(_) => return Err(fields.bad("better", DIRECTIONS)),
        None => return Err(query::missing(&fields, "better", "\"lower\"")),
    };
    Ok(Kpi {
        id: text(&fields, "id")?,
        title: text(&fields, "title")?,
        unit: text(&fields, "unit")?,
        figure: figure(&fields)?,
        direction,
        target: number(&fields, "target")?,
        owner: text(&fields, "owner")?,
        section: text(&fields, "section")?,
    })
}

const DIRECTIONS: &str = "\"lower\" or \"higher\"";

fn rule(value: &JsValue) -> Result<Rule, Refusal> {
    let known = [
        "name",
        "query",
        "is",
        "threshold",
        "for",
        "keep_firing_for",
        "query_offset",
        "no_data",
        "severity",
        "labels",
        "summary",
        "runbook",
    ];
    let fields = Options::new(CALL, value, &known)?;
    let labels: Labels = fields.labels()?;
    let comparison = choice(&fields, "is", "\">\", \">=\", \"<\" or \"<=\"", |word| match word {
        "above" => Some(Comparison::Above),
        "at_least" => Some(Comparison::AtLeast),
        "below" => Some(Comparison::Below),
        "at_most" => Some(Comparison::AtMost),
        sign => Comparison::from_word(sign),
    })?;
    let severity = choice(&fields, "severity", "\"page\", \"ticket\" or \"info\"", Severity::from_word)?;
    Ok(Rule {
        name: text(&fields, "name")?,
        figure: figure(&fields)?,
        comparison: comparison.ok_or_else(|| query::missing(&fields, "is", "\">\""))?,
        threshold: number(&fields, "threshold")?.ok_or_else(|| query::missing(&fields, "threshold", "300"))?,
        hold: fields.duration("for")?.unwrap_or(DurationMs::ZERO),
        keep_firing_for: fields.duration("keep_firing_for")?.unwrap_or(DurationMs::ZERO),
        query_offset: fields.duration("query_offset")?.unwrap_or(DurationMs::ZERO),
        no_data: choice(&fields, "no_data", "\"keep\", \"resolve\" or \"fire\"", NoData::from_word)?
            .unwrap_or_default(),
        severity: severity.ok_or_else(|| query::missing(&fields, "severity", "\"page\""))?,
        labels,
        summary: text(&fields, "summary")?,
        runbook: text(&fields, "runbook")?,
    })
}

/// `{ metric, window, agg, … }` or `{ ratio: [query, query] }`.
fn figure(fields: &Options<'_>) -> Result<Expression, Refusal> {
    let value = fields.value("query").ok_or_else(|| query::missing(fields, "query", "{ metric, window, agg }"))?;
    let known = ["metric", "window", "agg", "by", "where", "across"];
    if let Some(queries) = Options::new(CALL, &value, &["ratio"]).ok().and_then(|ratio| ratio.value("ratio")) {
        let two = || fields.bad("query", "{ ratio: [query, query] }: what is divided, and what it is divided by");
        let queries = elements(&queries).ok_or_else(two)?;
        let [over, under] = queries.as_slice() else { return Err(two()) };
        let read = |one| query::aggregated(&Options::new(CALL, one, &known)?, "metric").map(|(query, _)| query);
        return Ok(Expression::Ratio(read(over)?, read(under)?));
    }
    let (query, _) = query::aggregated(&Options::new(CALL, &value, &known)?, "metric")?;
    Ok(Expression::Single(query))
}

fn text(fields: &Options<'_>, field: &str) -> Result<String, Refusal> {
    Ok(fields.text(field, "a string")?.unwrap_or_default())
}

fn number(fields: &Options<'_>, field: &str) -> Result<Option<f64>, Refusal> {
    let Some(value) = fields.value(field) else { return Ok(None) };
    value.as_f64().map(Some).ok_or_else(|| fields.bad(field, "a number"))
}

fn choice<T>(
    fields: &Options<'_>,
    field: &str,
    expected: &str,
    choose: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    let Some(word) = fields.text(field, expected)? else { return Ok(None) };
    choose(&word).map(Some).ok_or_else(|| fields.bad(field, expected))
}
