//! What each view but the overview adds to a snapshot: called by a pointer, so that the code may come later than the page.

use std::rc::Rc;

use bellwether_core::board::Board;
use bellwether_core::labels::MetricName;
use bellwether_core::time::TimestampMs;

use super::evaluate::{Source, focus, leading};
use super::sheet::Sheet;
use super::watch::Known;
use super::{AlertCard, Ask, KpiCard, Snapshot, detail, explore as explored, notices, sources as listed, watch};
use crate::feed::holds_whole;
use crate::lazy::Chunk;
use crate::route::{Param, View};

/// What a view is evaluated from.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The engine of the board.
    pub source: Source<'a>,
    /// The engine of the metrics that the board does not name, where there is one.
    pub others: Option<Source<'a>>,
    /// The board with the page's filter in each of its figures.
    pub board: &'a Board,
    /// What was asked for.
    pub ask: &'a Ask,
    /// A card for each KPI of the board, in its order.
    pub cards: &'a [Rc<KpiCard>],
}

/// Puts the figures of one view into a snapshot that has those of the whole page.
pub type Fill = fn(&Scene<'_>, &mut Snapshot);

/// What fills the view; `None` for the overview, which the page begins with, and for the help, which has no figures.
#[must_use]
pub const fn of(view: &View) -> Option<Fill> {
    match Chunk::of(view) {
        None => None,
        Some(Chunk::Views) => Some(views),
        Some(Chunk::Panel) => Some(panel),
    }
}

/// Fills the views of [`Chunk::Views`]; any other is left as it is.
pub fn views(scene: &Scene<'_>, snapshot: &mut Snapshot) {
    match scene.ask.route.view {
        View::Alerts => alerts(scene, snapshot),
        View::Explore => explore(scene, snapshot),
        View::Sources => sources(scene, snapshot),
        View::Kpi(_) => kpi(scene, snapshot),
        View::Overview | View::Help | View::Panel(_) => {}
    }
}

/// When each alert began and ended, and what is watched.
fn alerts(scene: &Scene<'_>, snapshot: &mut Snapshot) {
    let Scene { source, ask, .. } = scene;
    let (alerts, at) = (&snapshot.alerts, snapshot.at);
    let rules = watch::rules(source.engine, &ask.board, None, alerts, ask.alerts_left_out, &ask.unjudged);
    snapshot.sheets = vec![changes(ask, alerts, |_| true, at), rules];
}

/// What became of the alerts of those rules that `is_of` names.
fn changes(ask: &Ask, alerts: &[AlertCard], is_of: impl Fn(&str) -> bool, at: TimestampMs) -> Sheet {
    let told: Vec<_> = alerts.iter().filter(|alert| is_of(&alert.rule)).cloned().collect();
    let kept = ask.ended.as_ref().map(|ended| {
        let cards = ended.iter().filter(|alert| is_of(&alert.rule)).map(|alert| notices::ended(&ask.board, alert));
        // Of a span of the past nothing is told that came after it.
        cards.filter(|card| card.resolved_at.is_none_or(|ended| ended <= at)).collect::<Vec<_>>()
    });
    watch::changes(Known { told: &told, kept: kept.as_deref() }, ask.route.length(), at)
}

/// The metric that the reader asks for.
fn explore(scene: &Scene<'_>, snapshot: &mut Snapshot) {
    let Scene { source, others, board, ask, .. } = scene;
    let Ok(name) = MetricName::new(ask.route.param(Param::Metric)) else { return };
    // What the board's engine holds only a part of is followed beside it.
    let held = if holds_whole(&ask.board, &name) { Some(*source) } else { *others };
    if let Some(held) = held {
        let (strip, picks, sheets) = explored::explore(held, board, &name, &ask.route, snapshot.at);
        (snapshot.chart, snapshot.picks, snapshot.sheets) = (Some(Rc::new(strip)), picks, sheets);
    }
}

/// How each metric comes.
fn sources(scene: &Scene<'_>, snapshot: &mut Snapshot) {
    let Scene { source, ask, .. } = scene;
    let metrics = listed::metrics(*source, &ask.board, ask.listing.as_deref(), &ask.route, snapshot.at);
    snapshot.sheets = vec![metrics];
}

/// The panel that is on screen.
pub fn panel(scene: &Scene<'_>, snapshot: &mut Snapshot) {
    let Scene { source, board, ask, .. } = scene;
    let route = &ask.route;
    let panel = board.panels.iter().find(|panel| panel.id == route.view.id());
    snapshot.focus = panel.map(|panel| Rc::new(focus(*source, panel, &route.filter, route.length(), snapshot.at)));
}

/// The KPI that is on screen.
fn kpi(scene: &Scene<'_>, snapshot: &mut Snapshot) {
    let Scene { source, board, ask, cards, .. } = scene;
    let at = snapshot.at;
    let found = board.kpis.iter().zip(*cards).find(|(kpi, _)| kpi.id == ask.route.view.id());
    let Some((kpi, card)) = found else { return };
    let mut sheets = detail::sheets(*source, kpi, card, &ask.route, at);
    let metric = &leading(&kpi.figure).metric;
    let of_metric = |name: &str| {
        let rule = ask.board.rules.iter().find(|rule| rule.name == name);
        rule.is_some_and(|rule| leading(&rule.figure).metric == *metric)
    };
    if ask.board.rules.iter().any(|rule| of_metric(&rule.name)) {
        sheets.push(changes(ask, &snapshot.alerts, of_metric, at));
    }
    sheets.push(watch::rules(
        source.engine,
        &ask.board,
        Some(metric),
        &snapshot.alerts,
        ask.alerts_left_out,
        &ask.unjudged,
    ));
    let course = detail::course(*source, kpi, &ask.route, at);
    snapshot.distribution = detail::distribution(*source, kpi, card, (course.from, course.to)).map(Rc::new);
    snapshot.chart = Some(Rc::new(course));
    snapshot.sheets = sheets;
    snapshot.kpi = Some(Rc::clone(card));
}
