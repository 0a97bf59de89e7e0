//! A board from JSON.

use bellwether_core::board::{Board, MetricDeclaration, Panel};
use bellwether_core::kpi::{Direction, Kpi};
use bellwether_core::query::Expression;
use bellwether_core::rule::{Comparison, NoData, Rule, Severity};
use bellwether_core::sample::Kind;
use serde_json::Value;

use super::expression;
use crate::json::{Faults, Object};

/// The words for a direction.
pub(super) const DIRECTIONS: [(&str, Direction); 2] =
    [("lower", Direction::LowerIsBetter), ("higher", Direction::HigherIsBetter)];

/// The words and signs for a comparison.
const COMPARISONS: [(&str, Comparison); 8] = [
    (Comparison::Above.as_str(), Comparison::Above),
    (Comparison::AtLeast.as_str(), Comparison::AtLeast),
    (Comparison::Below.as_str(), Comparison::Below),
    (Comparison::AtMost.as_str(), Comparison::AtMost),
    ("above", Comparison::Above),
    ("at_least", Comparison::AtLeast),
    ("below", Comparison::Below),
    ("at_most", Comparison::AtMost),
];

pub(super) fn board(value: &Value, path: &str, faults: &Faults) -> Option<Board> {
    let mut object = Object::new(value, path, faults)?;
    // Editors put it there to find the schema.
    object.text_or_empty("$schema");
    let title = object.text_or_empty("title");
    let metrics = all(&mut object, "metrics", metric);
    let kpis = all(&mut object, "kpis", kpi);
    let panels = all(&mut object, "panels", panel);
    let rules = all(&mut object, "rules", rule);
    object.refuse_unknown();
    Some(Board { title: title?.to_owned(), metrics: metrics?, kpis: kpis?, panels: panels?, rules: rules? })
}

/// Every element of an array; `None` where one of them cannot be read.
fn all<T>(object: &mut Object<'_>, field: &'static str, read: impl Fn(&mut Object<'_>) -> Option<T>) -> Option<Vec<T>> {
    let elements = object.array(field)?;
    let count = elements.len();
    let read: Vec<T> = elements
        .into_iter()
        .filter_map(|(path, value)| {
            let mut element = Object::new(value, &path, object.faults())?;
            let read = read(&mut element);
            element.refuse_unknown();
            read
        })
        .collect();
    (read.len() == count).then_some(read)
}

fn metric(object: &mut Object<'_>) -> Option<MetricDeclaration> {
    let name = expression::metric(object, "name");
    let kinds = Kind::ALL.map(|kind| (kind.as_str(), kind));
    let kind = object.choice("kind", &kinds, None);
    let unit = object.text_or_empty("unit");
    let help = object.text_or_empty("help");
    Some(MetricDeclaration { name: name?, kind: kind?, unit: unit?.to_owned(), help: help?.to_owned() })
}

fn figure(object: &mut Object<'_>) -> Option<Expression> {
    let value = object.required("query")?;
    expression::read(value, &object.at("query"), object.faults())
}

fn kpi(object: &mut Object<'_>) -> Option<Kpi> {
    let id = object.name("id");
    let title = object.name("title");
    let unit = object.text_or_empty("unit");
    let figure = figure(object);
    let direction = object.choice("better", &DIRECTIONS, None);
    let target = object.number_or_none("target");
    let owner = object.text_or_empty("owner");
    let section = object.text_or_empty("section");
    Some(Kpi {
        id: id?,
        title: title?,
        unit: unit?.to_owned(),
        figure: figure?,
        direction: direction?,
        target: target?,
        owner: owner?.to_owned(),
        section: section?.to_owned(),
    })
}

fn panel(object: &mut Object<'_>) -> Option<Panel> {
    let id = object.name("id");
    let title = object.name("title");
    let unit = object.text_or_empty("unit");
    let figure = figure(object);
    let threshold = object.number_or_none("threshold");
    let section = object.text_or_empty("section");
    Some(Panel {
        id: id?,
        title: title?,
        unit: unit?.to_owned(),
        figure: figure?,
        threshold: threshold?,
        section: section?.to_owned(),
    })
}

fn rule(object: &mut Object<'_>) -> Option<Rule> {
    let name = object.name("name");
    let figure = figure(object);
    let comparison = object.choice("is", &COMPARISONS, None);
    let threshold = object.number("threshold");
    let hold = object.duration_or_zero("for");
    let keep_firing_for = object.duration_or_zero("keep_firing_for");
    let query_offset = object.duration_or_zero("query_offset");
    let meanings = NoData::ALL.map(|meaning| (meaning.as_str(), meaning));
    let no_data = object.choice("no_data", &meanings, Some(NoData::Keep));
    let severities = Severity::ALL.map(|severity| (severity.as_str(), severity));
    let severity = object.choice("severity", &severities, None);
    let labels = object.labels("labels");
    let summary = object.text_or_empty("summary");
    let runbook = object.text_or_empty("runbook");
    Some(Rule {
        name: name?,
        figure: figure?,
        comparison: comparison?,
        threshold: threshold?,
        hold: hold?,
        keep_firing_for: keep_firing_for?,
        query_offset: query_offset?,
        no_data: no_data?,
        severity: severity?,
        labels: labels?,
        summary: summary?.to_owned(),
        runbook: runbook?.to_owned(),
    })
}
