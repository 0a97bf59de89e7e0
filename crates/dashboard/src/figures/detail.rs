//! One KPI, with all that stands behind its figure: its course against the time before, how its samples are spread, and
//! which of its labels it comes from.

use bellwether_core::board::Panel;
use bellwether_core::kpi::{Direction, Kpi};
use bellwether_core::labels::LabelName;
use bellwether_core::query::{Aggregation, Expression, Quantile, Query};
use bellwether_core::sample::Kind;
use bellwether_core::selector::{Condition, Matcher};
use bellwether_core::time::{DurationMs, TimestampMs};

use super::distribution::{self, Distribution, Of};
use super::evaluate::{COURSE_COLUMNS, Idle, STRIP_COLUMNS, Source, course_of, leading, over, strip, target_of_points};
use super::sheet::{Bar, Cell, Content, Course, Pick, Sheet};
use super::{KpiCard, Line, Point, Strip, WindowBefore};
use crate::feed::Completeness;
use crate::format::{self, Unit};
use crate::route::{Param, Route};
use crate::texts::Text;
use crate::window::PageWindow;

/// Most groups of a table.
const MOST_GROUPS: usize = 200;
/// Most groups of a table whose course is drawn: each is asked of the engine.
const MOST_COURSES: usize = 24;

/// The course of the KPI over what the page looks back on, or over its own window where that is longer, with its target
/// and, where the page holds it, the time before.
pub(super) fn course(source: Source<'_>, kpi: &Kpi, route: &Route, at: TimestampMs) -> Strip {
    let length = leading(&kpi.figure).window;
    let (mut span, mut figure, mut most) = (route.length(), kpi.figure.clone(), STRIP_COLUMNS);
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
        threshold: target_of_points(&kpi.figure, kpi.target),
        section: String::new(),
    };
    let draw = |to| strip(source, &panel, &route.filter, span, to, most, Idle::Drawn);
    let mut now = draw(at);
    // What the gateway was asked for: see `feed::selections`.
    let held = route.length().max(PageWindow::AT_ONCE.length()).as_millis().saturating_add(length.as_millis() * 2);
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

/// How the samples behind the KPI are spread over what its course goes over; `None` where it is no figure of observations.
pub(super) fn distribution(
    source: Source<'_>,
    kpi: &Kpi,
    card: &KpiCard,
    (from, to): (TimestampMs, TimestampMs),
) -> Option<Distribution> {
    let Expression::Single(query) = &kpi.figure else { return None };
    // A target of a number of cases is none of their values.
    let is_of_values = !matches!(query.aggregation, Aggregation::Count | Aggregation::Rate | Aggregation::Increase);
    let is_sum = matches!(query.aggregation, Aggregation::Sum | Aggregation::Delta | Aggregation::Stddev);
    if card.absence.is_some() || !is_of_values {
        return None;
    }
    let target = kpi.target.filter(|_| !is_sum);
    distribution::distribution(source.engine, Of { id: "distribution", query, unit: &card.unit, target }, from, to)
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
    sheets.extend(by_label(source, &kpi.figure, (&card.unit, card.course_target), route, default, at));
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
    let mut error = 0.0_f64;
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
        error = error.max(answer.relative_error);
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
    sheet.note = Text::SpreadNote.say().to_owned() + &distribution::off_by(error);
    Some(sheet)
}

/// A cell with a bar as long as `value` is a share of `most`.
fn bar(value: f64, most: f64) -> Cell {
    // The cast saturates: what is no share, such as one of nothing, has no length.
    let to = if most > 0.0 { (value / most * 1_000.0) as u16 } else { 0 };
    Cell { bars: vec![Bar { from: 0, to: to.min(1_000), class: "bar-line" }], ..Cell::default() }
}

/// The figure of each value of one label, its course against `target`, and links to the other labels; `None` where the series have none.
pub(super) fn by_label(
    source: Source<'_>,
    figure: &Expression,
    (unit, target): (&Unit, Option<f64>),
    route: &Route,
    default_order: &str,
    at: TimestampMs,
) -> Option<Sheet> {
    let labels = labels(source, leading(figure));
    let asked = route.param(Param::By);
    let chosen = labels.iter().find(|label| label.as_str() == asked).or(labels.first())?.clone();
    let span = route.length().max(leading(figure).window);
    let over = Text::LastLength.fill(&[&format::length(span)]);
    let mut sheet = Sheet::new(
        Text::ByLabel.say(),
        &[
            (chosen.as_str(), Content::Words),
            (Text::Figure.say(), Content::Figures),
            (&over, Content::Bars),
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
    let groups = source.engine.evaluate(&each_query(figure, grouped), at).ok()?;
    let figures = groups.iter().filter_map(|group| group.answer.value);
    let most = figures.map(f64::abs).fold(0.0, f64::max);
    for group in groups.iter().filter(|group| group.answer.count > 0) {
        let value = group.labels.get(chosen.as_str()).unwrap_or_default();
        let name = if value.is_empty() { Text::NoneValue.say() } else { value };
        let answer = &group.answer;
        sheet.push([
            name.into(),
            Cell { order: answer.value, ..format::text(answer.value, unit).into() },
            // What the courses are asked by, once it is known which are drawn.
            value.into(),
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
    courses(source, figure, (&chosen, unit, target), span, at, &mut sheet);
    Some(sheet)
}

/// Puts the course of each of the first groups into the place where the value of its label stands: small charts on one
/// scale, so that they can be compared.
fn courses(
    source: Source<'_>,
    figure: &Expression,
    (label, unit, target): (&LabelName, &Unit, Option<f64>),
    span: DurationMs,
    at: TimestampMs,
    sheet: &mut Sheet,
) {
    let mut drawn = Vec::new();
    for cell in sheet.rows.iter_mut().filter_map(|row| row.get_mut(COURSE_PLACE)) {
        let value = std::mem::take(&mut cell.text);
        if drawn.len() < MOST_COURSES {
            let only = |query: &Query| {
                let mut query = Query { by: Vec::new(), ..query.clone() };
                query.matchers.push(Matcher { label: label.clone(), condition: Condition::Equal(value.clone()) });
                query
            };
            drawn.push(course_of(source.engine, &each_query(figure, only), span, at));
        }
    }
    let values = || drawn.iter().flatten().flatten().copied();
    let (Some(low), Some(high)) = (values().reduce(f64::min), values().reduce(f64::max)) else { return };
    let target = target.filter(|target| (low - (high - low)..=high + (high - low)).contains(target));
    let scale = target.map_or((low, high), |target| (low.min(target), high.max(target)));
    let text = |value| format::figure(value, unit).text();
    for (row, points) in sheet.rows.iter_mut().zip(drawn) {
        let extent = |pick: fn(f64, f64) -> f64| points.iter().flatten().copied().reduce(pick);
        if let (Some(low), Some(high), Some(cell)) = (extent(f64::min), extent(f64::max), row.get_mut(COURSE_PLACE)) {
            let summary = Text::CourseSummary.fill(&[&format::length(span), &text(low), &text(high)]);
            cell.course = Some(Course { points, scale, target, summary });
        }
    }
    let words = Text::CoursesNote.fill(&[&text(scale.0), &text(scale.1)]);
    sheet.note = if sheet.note.is_empty() { words } else { format!("{} {words}", sheet.note) };
}

/// Where the course stands in a row by label.
const COURSE_PLACE: usize = 2;

/// The figure with something done to each of its queries.
fn each_query(figure: &Expression, change: impl Fn(&Query) -> Query) -> Expression {
    match figure {
        Expression::Single(query) => Expression::Single(change(query)),
        Expression::Ratio(dividend, divisor) => Expression::Ratio(change(dividend), change(divisor)),
    }
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
