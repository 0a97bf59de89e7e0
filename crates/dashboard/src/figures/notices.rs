//! Alerts: the gateway says where they stand, the page's own engine says what the figure is now.

use bellwether_core::board::Board;
use bellwether_core::engine::Engine;
use bellwether_core::labels::Labels;
use bellwether_core::query::{Expression, Query};
use bellwether_core::rule::{ALERT_NAME, AlertState, Rule};
use bellwether_core::time::TimestampMs;

use super::alerts::{AlertCard, Phase, safe_link};
use super::evaluate::Source;
use super::{labels, units};
use crate::ended::EndedAlert;
use crate::feed::AlertNotice;
use crate::format::Unit;
use crate::texts;

/// The card of one alert at `at`, with the figure that the gateway told.
#[must_use]
pub fn card(board: &Board, notice: &AlertNotice, at: TimestampMs) -> AlertCard {
    let rule = rule(board, notice);
    let (phase, since, fired_at, resolved_at) = match notice.state {
        AlertState::Pending { active_at } => (Phase::Pending, active_at, None, None),
        AlertState::Firing { active_at, fired_at, .. } => (Phase::Firing, active_at, Some(fired_at), None),
        AlertState::Resolved { active_at, fired_at, at } => (Phase::Resolved, active_at, Some(fired_at), Some(at)),
        AlertState::Inactive => (Phase::Resolved, at, None, None),
    };
    AlertCard {
        rule: notice.rule.clone(),
        labels: own_labels(rule, &notice.labels),
        phase,
        severity: notice.severity,
        value: notice.value,
        unit: rule.map_or(Unit::None, |rule| units::of_figure(board, &rule.figure)),
        comparison: texts::comparison(notice.comparison),
        threshold: Some(notice.threshold),
        since,
        fired_at,
        resolved_at,
        stale: notice.stale,
        summary: notice.summary.clone(),
        runbook: safe_link(&notice.runbook),
    }
}

/// The card of an alert that is over, for a table: what its rule asked then is not known.
#[must_use]
pub fn ended(board: &Board, ended: &EndedAlert) -> AlertCard {
    let rule = board.rules.iter().find(|rule| rule.name == ended.rule);
    AlertCard {
        rule: ended.rule.clone(),
        labels: own_labels(rule, &ended.labels),
        phase: Phase::Resolved,
        severity: ended.severity,
        value: None,
        unit: Unit::None,
        comparison: "",
        threshold: None,
        since: ended.active_at,
        fired_at: Some(ended.fired_at),
        resolved_at: Some(ended.resolved_at),
        stale: false,
        summary: String::new(),
        runbook: None,
    }
}

/// The labels that tell an alert from others of its rule, as text.
fn own_labels(rule: Option<&Rule>, labels: &Labels) -> String {
    let is_own = |(name, value): &(&str, &str)| {
        *name != ALERT_NAME && rule.is_none_or(|rule| rule.labels.get(name) != Some(*value))
    };
    labels::text(labels.iter().filter(is_own))
}

/// The figure of an alert at `at`, from the page's own engine; `None` where that has none or lacks series of it,
/// and where the alert is over or, on a picture that stands still, not yet on.
#[must_use]
pub fn live(source: Source<'_>, board: &Board, card: &AlertCard, notice: &AlertNotice, at: TimestampMs) -> Option<f64> {
    let is_on = card.phase != Phase::Resolved && card.since <= at;
    let rule = rule(board, notice).filter(|rule| is_on && source.shortage(&rule.figure).is_none())?;
    figure(source.engine, rule, &notice.labels, at)
}

fn rule<'a>(board: &'a Board, notice: &AlertNotice) -> Option<&'a Rule> {
    board.rules.iter().find(|rule| rule.name == notice.rule)
}

/// The figure that a rule watches, of the one group that an alert's labels name.
fn figure(engine: &Engine, rule: &Rule, labels: &Labels, at: TimestampMs) -> Option<f64> {
    let at = at - rule.query_offset;
    let by = match &rule.figure {
        Expression::Single(Query { by, .. }) | Expression::Ratio(Query { by, .. }, _) => by,
    };
    let group = labels.only(by);
    let groups = engine.evaluate(&rule.figure, at).ok()?;
    groups.into_iter().find(|found| found.labels == group).and_then(|found| found.answer.value)
}
