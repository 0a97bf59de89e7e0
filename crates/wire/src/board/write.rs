//! A board as JSON: what stands for nothing is left out.

use bellwether_core::board::{Board, MetricDeclaration, Panel};
use bellwether_core::kpi::{Direction, Kpi};
use bellwether_core::rule::{NoData, Rule};
use bellwether_core::time::DurationMs;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::expression::ExpressionJson;
use super::read::DIRECTIONS;
use crate::json::{Figure, LabelMap};

/// A board that serializes as `board.json`.
#[derive(Clone, Copy, Debug)]
pub struct BoardJson<'a>(pub &'a Board);

impl Serialize for BoardJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Board { title, metrics, kpis, panels, rules } = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("title", title)?;
        list(&mut object, "metrics", metrics.iter().map(MetricJson))?;
        list(&mut object, "kpis", kpis.iter().map(KpiJson))?;
        list(&mut object, "panels", panels.iter().map(PanelJson))?;
        list(&mut object, "rules", rules.iter().map(RuleJson))?;
        object.end()
    }
}

fn list<M: SerializeMap, T: Serialize>(
    object: &mut M,
    field: &str,
    elements: impl ExactSizeIterator<Item = T>,
) -> Result<(), M::Error> {
    if elements.len() == 0 { Ok(()) } else { object.serialize_entry(field, &elements.collect::<Vec<_>>()) }
}

fn text<M: SerializeMap>(object: &mut M, field: &str, text: &str) -> Result<(), M::Error> {
    if text.is_empty() { Ok(()) } else { object.serialize_entry(field, text) }
}

fn number<M: SerializeMap>(object: &mut M, field: &str, number: Option<f64>) -> Result<(), M::Error> {
    match number {
        Some(number) => object.serialize_entry(field, &Figure(number)),
        None => Ok(()),
    }
}

fn length<M: SerializeMap>(object: &mut M, field: &str, length: DurationMs) -> Result<(), M::Error> {
    if length == DurationMs::ZERO { Ok(()) } else { object.serialize_entry(field, &length.to_string()) }
}

struct MetricJson<'a>(&'a MetricDeclaration);

impl Serialize for MetricJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let MetricDeclaration { name, kind, unit, help } = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("name", name.as_str())?;
        object.serialize_entry("kind", kind.as_str())?;
        text(&mut object, "unit", unit)?;
        text(&mut object, "help", help)?;
        object.end()
    }
}

struct KpiJson<'a>(&'a Kpi);

impl Serialize for KpiJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Kpi { id, title, unit, figure, direction, target, owner, section } = self.0;
        let better = match direction {
            Direction::LowerIsBetter => DIRECTIONS[0].0,
            Direction::HigherIsBetter => DIRECTIONS[1].0,
        };
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("id", id)?;
        object.serialize_entry("title", title)?;
        text(&mut object, "unit", unit)?;
        object.serialize_entry("query", &ExpressionJson(figure))?;
        object.serialize_entry("better", better)?;
        number(&mut object, "target", *target)?;
        text(&mut object, "owner", owner)?;
        text(&mut object, "section", section)?;
        object.end()
    }
}

struct PanelJson<'a>(&'a Panel);

impl Serialize for PanelJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Panel { id, title, unit, figure, threshold, section } = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("id", id)?;
        object.serialize_entry("title", title)?;
        text(&mut object, "unit", unit)?;
        object.serialize_entry("query", &ExpressionJson(figure))?;
        number(&mut object, "threshold", *threshold)?;
        text(&mut object, "section", section)?;
        object.end()
    }
}

struct RuleJson<'a>(&'a Rule);

impl Serialize for RuleJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Rule {
            name,
            figure,
            comparison,
            threshold,
            hold,
            keep_firing_for,
            query_offset,
            no_data,
            severity,
            labels,
            summary,
            runbook,
        } = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("name", name)?;
        object.serialize_entry("query", &ExpressionJson(figure))?;
        object.serialize_entry("is", comparison.as_str())?;
        object.serialize_entry("threshold", &Figure(*threshold))?;
        length(&mut object, "for", *hold)?;
        length(&mut object, "keep_firing_for", *keep_firing_for)?;
        length(&mut object, "query_offset", *query_offset)?;
        let when_missing = if *no_data == NoData::Keep { "" } else { no_data.as_str() };
        text(&mut object, "no_data", when_missing)?;
        object.serialize_entry("severity", severity.as_str())?;
        if !labels.is_empty() {
            object.serialize_entry("labels", &LabelMap(labels))?;
        }
        text(&mut object, "summary", summary)?;
        text(&mut object, "runbook", runbook)?;
        object.end()
    }
}
