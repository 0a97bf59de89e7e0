//! From the engine to a snapshot: every figure of a view at one instant.

#[cfg(test)]
mod tests;

use std::rc::Rc;

use bellwether_core::board::{Board, Panel};
use bellwether_core::columns::Column;
use bellwether_core::engine::Engine;
use bellwether_core::kpi::{Kpi, Trend};
use bellwether_core::labels::Labels;
use bellwether_core::query::{Aggregation, Expression, Quantile, Query, QueryError};
use bellwether_core::sample::Kind;
use bellwether_core::selector::Matcher;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::frame::RestatedSpan;

use super::alerts::{AlertCard, MOST_LIVE};
use super::views::{self, Fill, Scene};
use super::{
    Absence, Ask, Focus, Instant, KpiCard, Line, Point, Quantiles, Section, Snapshot, Strip, Tally, WindowBefore, ask,
    filtered, labels, notices, others,
};
use crate::chart::palette::LINES;
use crate::feed::{AlertNotice, Completeness, Lack, Shortage};
use crate::filter::Filter;
use crate::format::{self, Unit};
use crate::route::{Route, View};
use crate::texts::{self, Text};
use crate::window::PageWindow;

/// Columns of a KPI's course.
pub(super) const COURSE_COLUMNS: usize = 48;
/// Most columns of a strip; the engine's own time buckets may be wider.
pub(super) const STRIP_COLUMNS: usize = 300;
/// Most columns of a focus chart.
pub(super) const FOCUS_COLUMNS: usize = 720;

/// The engine and what must be known of it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// Whether all history has come.
    pub completeness: Completeness,
    /// How long a series may be silent before a line is broken.
    pub staleness: DurationMs,
    /// Series that the engine lacks, so that it has no figure of them all.
    pub lacks: &'a [Lack],
    /// Where samples were changed after they were stored.
    pub restated: &'a [RestatedSpan],
}

impl Source<'_> {
    /// Why the engine lacks series of the figure, where it does.
    pub(super) fn shortage(&self, figure: &Expression) -> Option<Shortage> {
        let is_in = |query: &Query| self.lacks.iter().find(|lack| lack.concerns(query)).map(|lack| lack.shortage);
        match figure {
            Expression::Single(query) => is_in(query),
            Expression::Ratio(dividend, divisor) => is_in(dividend).or_else(|| is_in(divisor)),
        }
    }

    /// When a sample of the figure in `(from, to]` was changed last after it was stored.
    fn restated(&self, figure: &Expression, from: TimestampMs, to: TimestampMs) -> Option<TimestampMs> {
        let is_of = |span: &RestatedSpan, query: &Query| {
            // It is against the window before, as the gateway has it too.
            let is_delta = query.aggregation == Aggregation::Delta;
            let from = if is_delta { from - to.since(from) } else { from };
            span.to > from
                && span.series.metric == query.metric
                && query.matchers.iter().all(|matcher| matcher.matches(&span.series.labels))
        };
        let concerns = |span: &&RestatedSpan| {
            span.from < to
                && match figure {
                    Expression::Single(query) => is_of(span, query),
                    Expression::Ratio(dividend, divisor) => is_of(span, dividend) || is_of(span, divisor),
                }
        };
        self.restated.iter().filter(concerns).map(|span| span.at).max()
    }
}

/// Evaluates what `ask` names at `at`; `others` has the metrics that the board does not name.
#[must_use]
pub fn evaluate(source: Source<'_>, others: Option<Source<'_>>, ask: &Ask, at: TimestampMs) -> Snapshot {
    evaluate_with(source, others, ask, at, views::of(&ask.route.view))
}

/// Does the same by what fills the view: without it, the snapshot has what all views share and the overview its own.
#[must_use]
pub fn evaluate_with(
    source: Source<'_>,
    others: Option<Source<'_>>,
    ask: &Ask,
    at: TimestampMs,
    fill: Option<Fill>,
) -> Snapshot {
    let Route { view, filter, .. } = &ask.route;
    let window = ask.route.length();
    let board = &*filter.narrow(&ask.board);
    let bygone = (ask.at == Instant::Bygone).then_some(at);
    let cards: Vec<_> = board
        .kpis
        .iter()
        .map(|kpi| {
            let mut card = card(source, kpi, window, at, bygone);
            let none = card.value.is_none() && card.absence.is_none();
            if none && is_filtered_out(source.engine, filter, leading(&kpi.figure)) {
                card.absence = Some(Absence::Filtered);
            }
            Rc::new(card)
        })
        .collect();
    let engines: Vec<_> = std::iter::once(source).chain(others).map(|found| found.engine).collect();
    let mut snapshot = Snapshot {
        at,
        now: at,
        sections: Vec::new(),
        others: Vec::new(),
        filter: filter.clone(),
        choices: filtered::choices(&engines, board).into(),
        preview: filtered::preview(source, ask, at),
        tally: Rc::new(Tally::of(cards.iter().map(|card| &**card))),
        alerts: alerts(source, &ask.board, &ask.alerts, at),
        unjudged_rules: 0,
        series: source.engine.series_count(),
        kpi: None,
        chart: None,
        distribution: None,
        picks: Vec::new(),
        sheets: Vec::new(),
        focus: None,
    };
    if *view == View::Overview {
        snapshot.sections = sections(source, board, filter, &cards, window, at);
        if let Some(others) = others {
            let strip = |name| Rc::new(others::strip(others, board, name, filter, window, at));
            snapshot.others = ask.others.iter().map(strip).collect();
        }
    }
    if let Some(fill) = fill {
        fill(&Scene { source, others, board, ask, cards: &cards }, &mut snapshot);
    }
    snapshot
}

/// Whether the filter leaves nothing of what the board asks for; `query` ends with the filter's conditions.
fn is_filtered_out(engine: &Engine, filter: &Filter, query: &Query) -> bool {
    let has = |matchers: &[Matcher]| engine.matching(&query.metric, matchers).next().is_some();
    let of_board = query.matchers.len().saturating_sub(filter.matchers().len());
    has(&query.matchers[..of_board]) && !has(&query.matchers)
}

/// The alerts, most urgent first. The first ones show their figure of now, once there is all history.
fn alerts(source: Source<'_>, board: &Board, notices: &[AlertNotice], at: TimestampMs) -> Rc<[AlertCard]> {
    let cards = AlertCard::sorted(notices.iter().map(|notice| (notices::card(board, notice, at), notice)));
    let live = |(place, (mut card, notice)): (usize, (AlertCard, &AlertNotice))| {
        if place < MOST_LIVE && source.completeness == Completeness::Complete {
            card.value = notices::live(source, board, &card, notice, at).or(card.value);
        }
        card
    };
    cards.into_iter().enumerate().map(live).collect()
}

/// The sections in the order of the board, after them those for which nothing has ever come.
fn sections(
    source: Source<'_>,
    board: &Board,
    filter: &Filter,
    cards: &[Rc<KpiCard>],
    window: DurationMs,
    at: TimestampMs,
) -> Vec<Rc<Section>> {
    let mut sections: Vec<Section> = Vec::new();
    let mut place_of = |title: &str| {
        let known = sections.iter().position(|section| section.title == title);
        known.unwrap_or_else(|| {
            sections.push(Section { title: title.to_owned(), ..Section::default() });
            sections.len() - 1
        })
    };
    let kpi_places: Vec<_> = board.kpis.iter().map(|kpi| place_of(&kpi.section)).collect();
    let panel_places: Vec<_> = board.panels.iter().map(|panel| place_of(&panel.section)).collect();
    let known: Vec<_> = source.engine.metrics().filter(|(.., series)| *series > 0).map(|(name, ..)| name).collect();
    let is_known = |figure| known.binary_search(&&leading(figure).metric).is_ok() || source.shortage(figure).is_some();
    let mut has_come = vec![false; sections.len()];
    for ((place, kpi), card) in kpi_places.into_iter().zip(&board.kpis).zip(cards) {
        has_come[place] |= is_known(&kpi.figure);
        sections[place].kpis.push(Rc::clone(card));
    }
    for (place, panel) in panel_places.into_iter().zip(&board.panels) {
        has_come[place] |= is_known(&panel.figure);
        sections[place].strips.push(Rc::new(strip(source, panel, filter, window, at, STRIP_COLUMNS, Idle::LeftOut)));
    }
    let (come, waiting): (Vec<_>, Vec<_>) = sections.into_iter().zip(has_come).partition(|(_, has_come)| *has_come);
    come.into_iter().chain(waiting).map(|(section, _)| Rc::new(section)).collect()
}

/// The figure with other windows.
pub(super) fn over(figure: &Expression, window: impl Fn(&Query) -> DurationMs) -> Expression {
    let with = |query: &Query| Query { window: window(query), ..query.clone() };
    match figure {
        Expression::Single(query) => Expression::Single(with(query)),
        Expression::Ratio(dividend, divisor) => Expression::Ratio(with(dividend), with(divisor)),
    }
}

/// The query that a figure is read by: its only one, or the upper one of a ratio.
pub(crate) const fn leading(figure: &Expression) -> &Query {
    match figure {
        Expression::Single(query) | Expression::Ratio(query, _) => query,
    }
}

/// A KPI's figure is that of its own window: a target is a target of that. The page's window is how far its course
/// looks back, unless the KPI looks back farther. Of an instant that is `bygone` the gateway is
/// asked as of then.
fn card(source: Source<'_>, kpi: &Kpi, window: DurationMs, at: TimestampMs, bygone: Option<TimestampMs>) -> KpiCard {
    let figure = &kpi.figure;
    let length = leading(figure).window;
    let (value, from, absence) = match (source.shortage(figure), source.engine.evaluate_one(figure, at)) {
        (Some(shortage), _) => (None, at, Some(Absence::Lacking { shortage, ask: ask::address(figure, bygone) })),
        (None, Ok(answer)) => (answer.value, answer.from, None),
        (None, Err(error)) => (None, at - length, Some(Absence::Refused(sentence(&error)))),
    };
    let twice = DurationMs::from_millis(length.as_millis().saturating_mul(2));
    let window_before = if twice <= source.engine.longest_window() { WindowBefore::Kept } else { WindowBefore::Beyond };
    // The window before ends where this one really begins; it reaches back where history may not
    // have come yet.
    let before = match source.completeness {
        Completeness::Complete => source.engine.evaluate_one(figure, from).ok().and_then(|a| a.value),
        Completeness::Filling => None,
    };
    let unit = Unit::parse(&kpi.unit);
    // The course shows what the page looks back on; each of its points is the figure of its own share.
    let course_over = length.max(window);
    let course = if absence.is_some() { Vec::new() } else { course_of(source.engine, figure, course_over, at) };
    KpiCard {
        id: kpi.id.clone(),
        title: kpi.title.clone(),
        owner: kpi.owner.clone(),
        unit,
        value,
        target: kpi.target,
        course_target: target_of_points(figure, kpi.target),
        direction: kpi.direction,
        standing: kpi.standing(value),
        made_of: made_of(source.engine, figure),
        restated: source.restated(figure, from, at),
        window: length,
        before: window_before,
        trend: value.zip(before).map(|(value, before)| Trend::between(before, value, &kpi.unit)),
        course,
        course_over,
        absence,
    }
}

/// `target`, where a point of the figure's course can be held against it. A point of what adds up is the part that came
/// in its own share of the window, and a target is one of the whole.
pub(super) fn target_of_points(figure: &Expression, target: Option<f64>) -> Option<f64> {
    let adds_up = |query: &Query| {
        matches!(query.aggregation, Aggregation::Sum | Aggregation::Count | Aggregation::Increase | Aggregation::Delta)
    };
    target.filter(|_| !matches!(figure, Expression::Single(query) if adds_up(query)))
}

/// The figure in equal columns over the `span` before `at`, each of its own share of it; empty where there is none.
pub(super) fn course_of(engine: &Engine, figure: &Expression, span: DurationMs, at: TimestampMs) -> Vec<Option<f64>> {
    let share = DurationMs::from_millis(span.as_millis() / COURSE_COLUMNS as u64);
    let share = share.max(PageWindow::point(span, COURSE_COLUMNS));
    let parts = over(figure, |_| share);
    let lines = columns(engine, &parts, at - span, at, COURSE_COLUMNS).unwrap_or_default();
    let first = lines.into_iter().next().map(|(_, columns)| columns).unwrap_or_default();
    first.into_iter().map(|column| column.map(|point| point.value)).collect()
}

/// How a figure is made, in words: `average, last 5 min`.
pub(super) fn made_of(engine: &Engine, figure: &Expression) -> String {
    let query = leading(figure);
    let word = match (figure, query.aggregation) {
        (Expression::Ratio(..), _) => Text::MadeShare.say(),
        (_, Aggregation::Avg) => Text::MadeAverage.say(),
        (_, Aggregation::Sum) => Text::MadeTotal.say(),
        (_, Aggregation::Increase) if engine.kind(&query.metric) == Some(Kind::Event) => Text::MadeTotal.say(),
        (_, Aggregation::Min) => Text::MadeLowest.say(),
        (_, Aggregation::Max) => Text::MadeHighest.say(),
        (_, Aggregation::Last) => Text::MadeLatest.say(),
        (_, Aggregation::Delta) => Text::MadeChange.say(),
        (_, other) => &others::short(other),
    };
    Text::MadeOf.fill(&[word, &format::length(query.window)])
}

/// How far each drawn point looks back; `None` where it is of the samples since the point before it.
fn looks_back(engine: &Engine, figure: &Expression) -> Option<DurationMs> {
    let query = leading(figure);
    let of_events = matches!(engine.kind(&query.metric), Some(Kind::Observation | Kind::Event));
    let over_window = match (figure, query.aggregation) {
        (Expression::Ratio(..), _) => true,
        (_, Aggregation::Rate | Aggregation::Quantile(_) | Aggregation::Stddev) => true,
        (_, aggregation) => aggregation == Aggregation::Avg && of_events,
    };
    over_window.then_some(query.window)
}

/// What becomes of lines that are zero throughout.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Idle {
    /// They are counted, unless there are no others.
    LeftOut,
    /// They are drawn as all others.
    Drawn,
}

pub(super) fn strip(
    source: Source<'_>,
    panel: &Panel,
    filter: &Filter,
    window: DurationMs,
    at: TimestampMs,
    most: usize,
    idle: Idle,
) -> Strip {
    let from = at - window;
    let mut strip = Strip {
        id: panel.id.clone(),
        title: panel.title.clone(),
        unit: Unit::parse(&panel.unit),
        from,
        to: at,
        looks_back: None,
        restated: source.restated(&panel.figure, from - leading(&panel.figure).window, at),
        threshold: panel.threshold,
        lines: Vec::new(),
        hidden_lines: 0,
        idle_lines: 0,
        failure: None,
    };
    let point = PageWindow::point(window, most);
    let figure = &over(&panel.figure, |query| query.window.max(point));
    strip.looks_back = looks_back(source.engine, figure);
    if let Some(shortage) = source.shortage(&panel.figure) {
        strip.failure = Some(shortage.words().to_owned());
        return strip;
    }
    match columns(source.engine, figure, from, at, most) {
        Ok(found) => {
            let mut lines: Vec<_> = found
                .into_iter()
                .map(|(labels, columns)| {
                    Line::new(labels::text(labels.iter()), columns.into_iter().flatten().collect(), source.staleness)
                })
                .filter(|line| !line.runs.is_empty())
                .collect();
            let all = lines.len();
            // Devices that nobody uses and routes that nobody asks for would hide those that matter.
            if idle == Idle::LeftOut && !lines.iter().all(Line::is_idle) {
                lines.retain(|line| !line.is_idle());
            }
            strip.idle_lines = all - lines.len();
            strip.hidden_lines = lines.len().saturating_sub(LINES);
            strip.lines = highest(lines, LINES, at);
            if strip.lines.is_empty() && is_filtered_out(source.engine, filter, leading(&panel.figure)) {
                strip.failure = Some(Absence::Filtered.words().to_owned());
            }
        }
        Err(error) => strip.failure = Some(sentence(&error)),
    }
    strip
}

/// The `most` lines whose latest figure is highest, in the order that they had, so that each keeps its colour while
/// they stay the same. Those that have ended before `at` come after all that go on. Cost: O(lines).
fn highest(lines: Vec<Line>, most: usize, at: TimestampMs) -> Vec<Line> {
    if lines.len() <= most {
        return lines;
    }
    let rank = |place: usize| (lines[place].is_current(at), lines[place].latest().map(|point| point.value));
    let mut chosen = Vec::with_capacity(most);
    for _ in 0..most {
        let others = (0..lines.len()).filter(|place| !chosen.contains(place));
        chosen.extend(others.reduce(|one, other| if rank(other) > rank(one) { other } else { one }));
    }
    lines.into_iter().enumerate().filter(|(place, _)| chosen.contains(place)).map(|(_, line)| line).collect()
}

/// The panel, finer than on the overview and with quantiles where its metric has them.
pub(super) fn focus(source: Source<'_>, panel: &Panel, filter: &Filter, window: DurationMs, at: TimestampMs) -> Focus {
    let mut strip = strip(source, panel, filter, window, at, FOCUS_COLUMNS, Idle::Drawn);
    let mut quantiles = Quantiles::Absent;
    if let Expression::Single(query) = &panel.figure
        && query.by.is_empty()
        && source.engine.kind(&query.metric) == Some(Kind::Observation)
    {
        quantiles = Quantiles::Drawn;
        for line in &mut strip.lines {
            line.name = others::short(query.aggregation);
        }
        for q in [0.5, 0.95, 0.99].into_iter().filter_map(Quantile::new).map(Aggregation::Quantile) {
            if q == query.aggregation {
                continue;
            }
            let window = query.window.max(PageWindow::point(window, FOCUS_COLUMNS));
            let figure = Expression::Single(Query { aggregation: q, window, ..query.clone() });
            let found = columns(source.engine, &figure, strip.from, strip.to, FOCUS_COLUMNS).unwrap_or_default();
            strip.lines.extend(found.into_iter().map(|(_, columns)| {
                let points = columns.into_iter().flatten().map(|point| Point { band: None, ..point }).collect();
                Line::new(q.to_string(), points, source.staleness)
            }));
        }
    }
    Focus { strip: Rc::new(strip), quantiles }
}

/// The columns of each group of a figure.
type Columns = Vec<(Labels, Vec<Option<Point>>)>;

fn columns(
    engine: &Engine,
    figure: &Expression,
    from: TimestampMs,
    to: TimestampMs,
    most: usize,
) -> Result<Columns, QueryError> {
    let lines = engine.lines(figure, from, to, most)?;
    let behind = behind_averages(engine, figure, from, to, most)?;
    Ok(lines
        .into_iter()
        .map(|line| {
            let samples = behind.iter().find(|(labels, _)| *labels == line.labels).map(|(_, samples)| samples);
            let points = line.columns.into_iter().map(|column| {
                let column = column?;
                let (least, greatest) = samples
                    .and_then(|samples| samples.extent(column.to))
                    .map_or((column.min, column.max), |(least, greatest)| {
                        (least.min(column.min), greatest.max(column.max))
                    });
                let band = (least < greatest).then_some((least, greatest));
                Some(Point { at: column.to.min(to), value: column.value, band })
            });
            (line.labels, points.collect())
        })
        .collect())
}

/// Least and greatest sample of columns, and how many of them stand behind one drawn figure.
struct Samples {
    window: DurationMs,
    columns: Vec<Column>,
}

impl Samples {
    /// Least and greatest sample in the window that ends at `at`; `None` where there is none.
    fn extent(&self, at: TimestampMs) -> Option<(f64, f64)> {
        let end = self.columns.partition_point(|column| column.to <= at);
        let within = self.columns[..end].iter().rev().take_while(|column| column.to > at - self.window);
        within.map(|column| (column.min, column.max)).reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }
}

/// The samples behind a line whose points are averages over a longer window than a column: without them
/// the band would not be the band of what is drawn.
fn behind_averages(
    engine: &Engine,
    figure: &Expression,
    from: TimestampMs,
    to: TimestampMs,
    most: usize,
) -> Result<Vec<(Labels, Samples)>, QueryError> {
    let Expression::Single(query) = figure else { return Ok(Vec::new()) };
    if query.aggregation != Aggregation::Avg || engine.kind(&query.metric) != Some(Kind::Observation) {
        return Ok(Vec::new());
    }
    let samples = Query { aggregation: Aggregation::Max, ..query.clone() };
    let lines = engine.columns(&samples, from - query.window, to, most.saturating_mul(2))?;
    Ok(lines
        .into_iter()
        .map(|line| {
            let columns = line.columns.into_iter().flatten().collect();
            (line.labels, Samples { window: query.window, columns })
        })
        .collect())
}

fn sentence(error: &QueryError) -> String {
    match error {
        QueryError::WindowTooLong { window, longest } => {
            Text::WindowTooLong.fill(&[&format::length(*window), &format::length(*longest)])
        }
        QueryError::NotForKind { metric, aggregation, kind } => {
            Text::NotForKind.fill(&[&others::short(*aggregation), metric.as_str(), texts::kind(*kind)])
        }
        QueryError::AcrossNeeded { metric, aggregation, series } => {
            let series = format::count(*series as u64);
            Text::AcrossNeeded.fill(&[&aggregation.to_string(), &series, metric.as_str()])
        }
        QueryError::RightEdgeGone { width, .. } => Text::EdgeGone.fill(&[&format::length(*width)]),
        // Of no window and of no columns the page does not ask.
        _ => Text::NoAnswer.say().to_owned(),
    }
}
