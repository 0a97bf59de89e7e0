//! One KPI, with all that stands behind its figure: its course against the time before, how its samples are spread, and
//! which of its labels it comes from.

use bellwether_core::board::Panel;
use bellwether_core::kpi::{Direction, Kpi};
use bellwether_core::labels::LabelName;
use bellwether_core::query::{Aggregation, Expression, Quantile, Query};
use bellwether_core::sample::Kind;
use bellwether_core::time::{DurationMs, TimestampMs};

use super::evaluate::{COURSE_COLUMNS, Idle, STRIP_COLUMNS, Source, leading, over, strip};
use super::sheet::{Bar, Cell, Content, Pick, Sheet};
use super::{KpiCard, Line, Point, Strip, WindowBefore};
use crate::feed::Completeness;
use crate::format::{self, Unit};
use crate::route::{Param, Route};
use crate::texts::Text;
use crate::window::PageWindow;

/// Most groups of a table.
const MOST_GROUPS: usize = 200;

/// The course of the KPI over what the page looks back on, or over its own window where that is longer, with its target
/// and, where the page holds it, the time before.
pub(super) fn course(source: Source<'_>, kpi: &Kpi, route: &Route, at: TimestampMs) -> Strip {
    let length = leading(&kpi.figure).window;
    let (mut span, mut figure, mut most) = (route.window.length(), kpi.figure.clone(), STRIP_COLUMNS);
    if length > span {
        // One figure of all 90 days is a point; its course is that of its parts.
        (span, most) = (length, COURSE_COLUMNS);
        let share = DurationMs::from_millis(length.as_millis() / most as u64).max(PageWindow::point(length, most));
        figure = over(&figure, |_| share);
    }
    let panel = Panel {
        id: kpi.id.clone(),
        title: Text::Course.say().to_owned(),
        unit: kpi.unit.clone(),
        figure,
        threshold: kpi.target,
        section: String::new(),
    };
    let draw = |to| strip(source, &panel, &route.filter, span, to, most, Idle::Drawn);
    let mut now = draw(at);
    // What the gateway was asked for: see `feed::selections`.
    let held =
        route.window.length().max(PageWindow::AT_ONCE.length()).as_millis().saturating_add(length.as_millis() * 2);
    let held = held.min(source.engine.longest_window().as_millis());
    let needed = (span.as_millis() * 2).saturating_add(leading(&panel.figure).window.as_millis());
    for line in &mut now.lines {
        Text::Value.say().clone_into(&mut line.name);
        // It is the target that matters here, not the farthest sample, which stands below.
        for point in line.runs.iter_mut().flatten() {
            point.band = None;
        }
    }
    if source.completeness == Completeness::Complete && needed <= held && now.lines.len() == 1 {
        for before in draw(at - span).lines {
            let shift = |point: &Point| Point { at: point.at + span, band: None, ..*point };
            let runs = before.runs.iter().map(|run| run.iter().map(shift).collect()).collect();
            now.lines.push(Line { name: Text::LengthBefore.fill(&[&format::length(span)]), runs, ..before });
        }
    }
    now
}

/// The tables of a KPI.
pub(super) fn sheets(source: Source<'_>, kpi: &Kpi, card: &KpiCard, route: &Route, at: TimestampMs) -> Vec<Sheet> {
    let mut sheets = Vec::new();
    if card.absence.is_some() {
        return sheets;
    }
    if let Expression::Single(query) = &kpi.figure
        && source.engine.kind(&query.metric) == Some(Kind::Observation)
    {
        sheets.extend(spread(source, query, card, at));
    }
    let default = if card.direction == Direction::LowerIsBetter { "-1" } else { "1" };
    sheets.extend(by_label(source, &kpi.figure, &card.unit, route, default, at));
    sheets
}

/// Percentiles and extremes of the samples in the KPI's window, and in the one before.
fn spread(source: Source<'_>, query: &Query, card: &KpiCard, at: TimestampMs) -> Option<Sheet> {
    let length = format::length(query.window);
    let (last, before) = (Text::LastLength.fill(&[&length]), Text::LengthBefore.fill(&[&length]));
    let figures = Content::Figures;
    let mut columns = vec![
        (Text::Samples.say(), Content::Words),
        (Text::OfTheHighest.say(), Content::Bars),
        (last.as_str(), figures),
    ];
    let compared = card.before == WindowBefore::Kept && source.completeness == Completeness::Complete;
    if compared {
        columns.push((&before, figures));
    }
    let mut sheet = Sheet::new(Text::Spread.say(), &columns);
    let ask = |aggregation, at| source.engine.query(&Query { aggregation, ..query.clone() }, at).ok();
    let most = ask(Aggregation::Max, at)?;
    let quantile = |q| Quantile::new(q).map(Aggregation::Quantile);
    let rows = [
        (Text::Lowest.say(), Some(Aggregation::Min)),
        ("p50", quantile(0.5)),
        ("p95", quantile(0.95)),
        ("p99", quantile(0.99)),
        (Text::Highest.say(), Some(Aggregation::Max)),
        (Text::Number.say(), Some(Aggregation::Count)),
    ];
    for (name, aggregation) in rows {
        let aggregation = aggregation?;
        let answer = ask(aggregation, at)?;
        let is_count = aggregation == Aggregation::Count;
        let unit = if is_count { &Unit::None } else { &card.unit };
        let bar = if is_count { Cell::default() } else { bar(answer.value?, most.value?) };
        let mut row = vec![name.into(), bar, format::text(answer.value, unit).into()];
        if compared {
            let before = ask(aggregation, most.from).and_then(|answer| answer.value);
            row.push(format::text(before, unit).into());
        }
        sheet.push(row);
    }
    sheet.note = Text::SpreadNote.say().to_owned();
    Some(sheet)
}

/// A cell with a bar as long as `value` is a share of `most`.
fn bar(value: f64, most: f64) -> Cell {
    // The cast saturates: what is no share, such as one of nothing, has no length.
    let to = if most > 0.0 { (value / most * 1_000.0) as u16 } else { 0 };
    Cell { bars: vec![Bar { from: 0, to: to.min(1_000), class: "bar-line" }], ..Cell::default() }
}

/// The figure of each value of one label, and links to the other labels; `None` where the series have none.
pub(super) fn by_label(
    source: Source<'_>,
    figure: &Expression,
    unit: &Unit,
    route: &Route,
    default_order: &str,
    at: TimestampMs,
) -> Option<Sheet> {
    let labels = labels(source, leading(figure));
    let asked = route.param(Param::By);
    let chosen = labels.iter().find(|label| label.as_str() == asked).or(labels.first())?.clone();
    let mut sheet = Sheet::new(
        Text::ByLabel.say(),
        &[
            (chosen.as_str(), Content::Words),
            (Text::Figure.say(), Content::Figures),
            (Text::OfTheHighest.say(), Content::Bars),
            (Text::Samples.say(), Content::Figures),
        ],
    );
    sheet.picks = labels
        .iter()
        .map(|label| Pick {
            text: label.to_string(),
            href: route.with_param(Param::By, label.as_str()).hash(),
            chosen: *label == chosen,
        })
        .collect();
    let grouped = |query: &Query| Query { by: vec![chosen.clone()], ..query.clone() };
    let figure = match figure {
        Expression::Single(query) => Expression::Single(grouped(query)),
        Expression::Ratio(dividend, divisor) => Expression::Ratio(grouped(dividend), grouped(divisor)),
    };
    let groups = source.engine.evaluate(&figure, at).ok()?;
    let figures = groups.iter().filter_map(|group| group.answer.value);
    let most = figures.map(f64::abs).fold(0.0, f64::max);
    for group in groups.iter().filter(|group| group.answer.count > 0) {
        let value = group.labels.get(chosen.as_str()).unwrap_or_default();
        let name = if value.is_empty() { Text::NoneValue.say() } else { value };
        let answer = &group.answer;
        sheet.push([
            name.into(),
            Cell { order: answer.value, ..format::text(answer.value, unit).into() },
            bar(answer.value.unwrap_or_default().abs(), most),
            Cell { order: Some(answer.count as f64), ..format::count(answer.count).into() },
        ]);
    }
    sheet.sort(route, default_order);
    let all = sheet.rows.len();
    if all > MOST_GROUPS {
        sheet.rows.truncate(MOST_GROUPS);
        sheet.note = Text::FirstOf.fill(&[&format::count(MOST_GROUPS as u64), &format::count(all as u64)]);
    }
    Some(sheet)
}

/// The labels of the series that a query is of, in the order in which they are met.
pub(super) fn labels(source: Source<'_>, query: &Query) -> Vec<LabelName> {
    let mut labels: Vec<LabelName> = Vec::new();
    for id in source.engine.matching(&query.metric, &query.matchers) {
        for (label, _) in source.engine.key(id).labels.iter() {
            if labels.iter().all(|known| known.as_str() != label) {
                labels.extend(LabelName::new(label));
            }
        }
    }
    labels
}
