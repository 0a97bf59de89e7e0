//! The alerts of all rules: which there are, and how each evaluation changes them.

use std::mem::discriminant;

use crate::engine::Engine;
use crate::labels::{self, LabelError, Labels, MAX_VALUE_BYTES};
use crate::postings::Map;
use crate::query::{Expression, Group, QueryError};
use crate::rule::{ALERT_NAME, AlertState, NoData, Observed, Rule, Severity, Step, advance};
use crate::time::{DurationMs, TimestampMs};
use crate::watch::{Figure, Round, Watches};

/// The longest outage after which a pending alert goes on where it was.
pub const RESTORE_TOLERANCE: DurationMs = DurationMs::from_hours(1);
/// The least time between a restart and the firing of an alert that was pending before it.
pub const RESTORE_GRACE: DurationMs = DurationMs::from_minutes(10);

/// One alert: a rule and one group of its figure.
///
/// All fields are public so that whoever keeps alerts can write them down and make them again.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The rule's name.
    pub rule: String,
    /// The group's labels, the rule's and [`ALERT_NAME`]: no two alerts have the same.
    pub labels: Labels,
    /// Who must act.
    pub severity: Severity,
    /// Where it stands.
    pub state: AlertState,
    /// The last figure seen while it is active, `None` where missing data made it fire; once it is
    /// resolved the figure that ended it, `None` where none did: there is no data or no rule any more.
    ///
    /// DIFFERENCE: in Prometheus a resolved alert keeps the last figure of while it fired.
    pub value: Option<f64>,
    /// Whether the last evaluation had no figure for it.
    pub stale: bool,
}

/// An alert that changed its state.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The alert after the change; its state is `to`.
    pub alert: Alert,
    /// The state before.
    pub from: AlertState,
    /// The state after; inactive where the alert is gone from the set.
    pub to: AlertState,
}

/// Why a rule could not be evaluated; its alerts keep their states.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// Its figure could not be made.
    #[error("the query of rule {rule:?} failed: {source}")]
    Query {
        /// The rule's name.
        rule: String,
        /// Why.
        source: QueryError,
    },
    /// Two groups make the same alert.
    #[error(
        "rule {rule:?} makes two alerts with the labels {labels}; its own labels must not repeat one that it groups by"
    )]
    DuplicateKey {
        /// The rule's name.
        rule: String,
        /// The labels that came twice.
        labels: Labels,
    },
    /// Another rule of the set has the same name.
    #[error("two rules are named {rule:?}; the second is not evaluated: give it a name of its own")]
    DuplicateName {
        /// The name.
        rule: String,
    },
    /// Its name cannot be the value of a label.
    #[error("rule {rule:?} cannot be told from others by its name: {source}")]
    Name {
        /// The rule's name.
        rule: String,
        /// Why.
        source: LabelError,
    },
}

impl RuleError {
    /// The name of the rule.
    #[must_use]
    pub fn rule(&self) -> &str {
        match self {
            Self::Query { rule, .. }
            | Self::DuplicateKey { rule, .. }
            | Self::DuplicateName { rule }
            | Self::Name { rule, .. } => rule,
        }
    }
}

/// The alerts of all rules.
///
/// It holds what is pending, what is firing, and what was resolved in the last 15 minutes. Its size
/// is bounded by the number of groups of all rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alerts {
    /// Sorted by the rule's name; none is without alerts. The alerts are sorted by their labels; none is inactive.
    by_rule: Vec<(String, Vec<Alert>)>,
    failures: Vec<RuleError>,
}

impl Alerts {
    /// No alerts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The alerts, by the rule's name and then by labels.
    pub fn iter(&self) -> impl Iterator<Item = &Alert> {
        self.by_rule.iter().flat_map(|(_, alerts)| alerts)
    }

    /// The rules that could not be evaluated in the last evaluation, and why.
    #[must_use]
    pub fn failures(&self) -> &[RuleError] {
        &self.failures
    }

    /// Evaluates all rules at `now` and says what changed, in the order of the rules.
    ///
    /// A rule looks at the figures of `now` less its `query_offset`. An alert whose rule is no
    /// longer among `rules`, or could no longer come from it, ends. A rule that fails changes no
    /// state; see [`Alerts::failures`]. Cost: that of the queries, plus O(groups · log groups).
    pub fn evaluate(&mut self, rules: &[Rule], engine: &Engine, now: TimestampMs) -> Vec<Transition> {
        self.evaluate_with(rules, now, |figure, at| engine.evaluate(figure, at))
    }

    /// [`Alerts::evaluate`] for evaluations that follow each other over the same engine: each rule
    /// keeps its figures in `watches`, so that only what changed since is looked at.
    pub fn evaluate_watched(
        &mut self,
        rules: &[Rule],
        watches: &mut Watches,
        engine: &Engine,
        now: TimestampMs,
    ) -> Vec<Transition> {
        watches.truncate(rules.len());
        let mut round = Round::default();
        self.evaluate_each(rules, now, |place, figure, at| watches.figures(place, figure, engine, at, &mut round))
    }

    /// [`Alerts::evaluate`] over figures from anywhere.
    ///
    /// `figures` gets the expression and the instant to look at and answers one group for each set
    /// of labels.
    pub fn evaluate_with(
        &mut self,
        rules: &[Rule],
        now: TimestampMs,
        mut figures: impl FnMut(&Expression, TimestampMs) -> Result<Vec<Group>, QueryError>,
    ) -> Vec<Transition> {
        let of_group = |group: Group| (group.labels, group.answer.value);
        self.evaluate_each(rules, now, |_, figure, at| Ok(figures(figure, at)?.into_iter().map(of_group).collect()))
    }

    /// Evaluates rules over the figures that are given for the place of each.
    fn evaluate_each(
        &mut self,
        rules: &[Rule],
        now: TimestampMs,
        mut figures: impl FnMut(usize, &Expression, TimestampMs) -> Result<Vec<Figure>, QueryError>,
    ) -> Vec<Transition> {
        let mut transitions = Vec::new();
        self.failures.clear();
        let mut names: Map<&str, ()> = Map::default();
        names.reserve(rules.len());
        for (place, rule) in rules.iter().enumerate() {
            if names.insert(&rule.name, ()).is_some() {
                self.failures.push(RuleError::DuplicateName { rule: rule.name.clone() });
                continue;
            }
            let figures = figures(place, &rule.figure, now - rule.query_offset);
            let known = self.search(&rule.name);
            if known.is_err() && figures.as_ref().is_ok_and(|figures| is_quiet(rule, figures)) {
                continue;
            }
            let known = self.of_rule(&rule.name);
            let alerts = std::mem::take(&mut self.by_rule[known].1);
            let found = figures.map_err(|source| RuleError::Query { rule: rule.name.clone(), source });
            self.by_rule[known].1 = match found.and_then(|figures| findings(rule, figures, &alerts)) {
                Ok(findings) => changed(alerts, rule, findings, now, &mut transitions),
                Err(error) => {
                    self.failures.push(error);
                    let failed = |mut alert: Alert| {
                        alert.stale = advance(rule, alert.state, Observed::Failed, now).stale;
                        alert
                    };
                    alerts.into_iter().map(failed).collect()
                }
            };
        }
        for (name, alerts) in &mut self.by_rule {
            if !names.contains_key(name.as_str()) {
                end_all(alerts, now, &mut transitions);
            }
        }
        self.by_rule.retain(|(_, alerts)| !alerts.is_empty());
        transitions
    }

    /// The place of a rule's alerts, or where they belong.
    fn search(&self, rule: &str) -> Result<usize, usize> {
        self.by_rule.binary_search_by(|(name, _)| name.as_str().cmp(rule))
    }

    /// The place of a rule's alerts, of which there may be none yet.
    fn of_rule(&mut self, rule: &str) -> usize {
        self.search(rule).unwrap_or_else(|place| {
            self.by_rule.insert(place, (rule.to_owned(), Vec::new()));
            place
        })
    }

    /// Takes up the alerts of before a restart; call it once, before the first evaluation.
    ///
    /// `saved_at` is the last instant known to have been evaluated. What fires goes on firing and
    /// what is resolved is kept, so that whoever was told of an alert is told once, and also of its
    /// end. A pending alert is forgotten where the outage was longer than [`RESTORE_TOLERANCE`] or
    /// its `for` is shorter than [`RESTORE_GRACE`]; else the time of the outage does not count
    /// towards `for`, and it fires no sooner than [`RESTORE_GRACE`] after `now`. Alerts of unknown
    /// rules end with the next evaluation.
    ///
    /// DIFFERENCE: Prometheus restores only `active_at` and fires anew; here the state itself is
    /// kept, whatever the length of the outage.
    pub fn restore(
        &mut self,
        rules: &[Rule],
        saved: impl IntoIterator<Item = Alert>,
        saved_at: TimestampMs,
        now: TimestampMs,
    ) {
        for mut alert in saved {
            let hold = rules.iter().find(|rule| rule.name == alert.rule).map(|rule| rule.hold);
            let state = match (alert.state, hold) {
                (AlertState::Inactive, _) | (AlertState::Pending { .. }, None) => continue,
                (AlertState::Pending { active_at }, Some(hold)) => match restored(active_at, hold, saved_at, now) {
                    Some(active_at) => AlertState::Pending { active_at },
                    None => continue,
                },
                (state, _) => state,
            };
            alert.state = state;
            alert.stale = state.is_active();
            let place = self.of_rule(&alert.rule);
            let alerts = &mut self.by_rule[place].1;
            match search(alerts, &alert.labels) {
                Ok(place) => alerts[place] = alert,
                Err(place) => alerts.insert(place, alert),
            }
        }
    }
}

/// The place of an alert, or where it belongs.
fn search(alerts: &[Alert], labels: &Labels) -> Result<usize, usize> {
    alerts.binary_search_by(|alert| alert.labels.cmp(labels))
}

/// When an alert that was pending before an outage counts as having begun, as in
/// `RestoreForState` of Prometheus' `rules/group.go`; `None` where it begins anew.
fn restored(active_at: TimestampMs, hold: DurationMs, saved_at: TimestampMs, now: TimestampMs) -> Option<TimestampMs> {
    let outage = now.since(saved_at);
    if outage > RESTORE_TOLERANCE || hold < RESTORE_GRACE {
        return None;
    }
    let spent = saved_at.since(active_at).as_millis();
    let remaining = hold.as_millis().saturating_sub(spent);
    if remaining < RESTORE_GRACE.as_millis() { Some(now + RESTORE_GRACE - hold) } else { Some(active_at + outage) }
}

/// What an evaluation says of one alert.
#[derive(Clone, Copy)]
enum Finding {
    /// The state machine takes a step.
    Observed(Observed),
    /// It can no longer come from its rule.
    Ended,
}

/// Whether a rule without alerts has nothing to say, as most have at most times: what that takes no
/// labels to find out.
fn is_quiet(rule: &Rule, figures: &[Figure]) -> bool {
    let is_calm = |value: Option<f64>| match value {
        Some(value) => !rule.comparison.holds(value, rule.threshold),
        None => rule.no_data != NoData::Fire,
    };
    let is_calm = match figures {
        [] => is_calm(None),
        [(_, value)] => is_calm(*value),
        // Two of them may make the same alert, which is an error.
        _ => false,
    };
    is_calm && rule.name.len() <= MAX_VALUE_BYTES
}

/// Whether an alert's labels are those of its rule and no group's.
fn is_of_rule(labels: &Labels, rule: &Rule) -> bool {
    let is_its =
        |(name, value)| if name == ALERT_NAME { value == rule.name } else { rule.labels.get(name) == Some(value) };
    let of_rule = rule.labels.iter().filter(|(name, _)| *name != ALERT_NAME).count();
    labels.len() == of_rule + 1 && labels.iter().all(is_its)
}

/// What the figures of a rule say of each of its alerts, old and new, in the order of their labels.
fn findings(rule: &Rule, figures: Vec<Figure>, alerts: &[Alert]) -> Result<Vec<(Labels, Finding)>, RuleError> {
    if let ([(group, value)], [alert]) = (&*figures, alerts)
        && group.is_empty()
        && is_of_rule(&alert.labels, rule)
    {
        let finding = value.map_or(Observed::NoData, Observed::Value);
        return Ok(vec![(alert.labels.clone(), Finding::Observed(finding))]);
    }
    let name = Labels::new([(ALERT_NAME, &rule.name)])
        .map_err(|source| RuleError::Name { rule: rule.name.clone(), source })?;
    let fixed = rule.labels.overlaid(&name);
    let mut keys: Vec<(Labels, u32)> = Vec::with_capacity(figures.len());
    keys.extend((0..).zip(&figures).map(|(place, (labels, _))| (labels.overlaid(&fixed), place)));
    labels::sort(&mut keys);
    if let Some(pair) = keys.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(RuleError::DuplicateKey { rule: rule.name.clone(), labels: pair[0].0.clone() });
    }
    let by = match &rule.figure {
        Expression::Single(query) | Expression::Ratio(query, _) => &query.by,
    };
    // The alert with no group's labels stands for "no group at all"; others speak for themselves.
    let others_speak =
        !figures.is_empty() || alerts.iter().any(|alert| alert.labels != fixed && alert.state.is_active());
    let mut findings = Vec::with_capacity(keys.len());
    let mut old = alerts.iter().peekable();
    // An alert without a figure, which comes before those with greater labels.
    let silent = |labels: &Labels| {
        // The rule's labels or its `by` were changed.
        let foreign = labels.only(by).overlaid(&fixed) != *labels;
        let spoken_for = rule.no_data == NoData::Fire && !by.is_empty() && *labels == fixed && others_speak;
        let finding = if foreign || spoken_for { Finding::Ended } else { Finding::Observed(Observed::NoData) };
        (labels.clone(), finding)
    };
    for (labels, place) in keys {
        while let Some(alert) = old.next_if(|alert| alert.labels < labels) {
            findings.push(silent(&alert.labels));
        }
        old.next_if(|alert| alert.labels == labels);
        let value = figures[place as usize].1;
        findings.push((labels, Finding::Observed(value.map_or(Observed::NoData, Observed::Value))));
    }
    findings.extend(old.map(|alert| silent(&alert.labels)));
    if rule.no_data == NoData::Fire
        && !others_speak
        && let Err(place) = findings.binary_search_by(|(labels, _)| labels.cmp(&fixed))
    {
        findings.insert(place, (fixed, Finding::Observed(Observed::NoData)));
    }
    Ok(findings)
}

/// Takes the alerts of a rule a step further, and adds the new ones; there is a finding for each of `alerts`.
fn changed(
    alerts: Vec<Alert>,
    rule: &Rule,
    findings: Vec<(Labels, Finding)>,
    now: TimestampMs,
    transitions: &mut Vec<Transition>,
) -> Vec<Alert> {
    let mut old = alerts.into_iter().peekable();
    let mut kept = Vec::with_capacity(old.len());
    for (labels, finding) in findings {
        let old = old.next_if(|alert| alert.labels == labels);
        let from = old.as_ref().map_or(AlertState::Inactive, |alert| alert.state);
        let step = match finding {
            Finding::Observed(observed) => advance(rule, from, observed, now),
            Finding::Ended => Step { state: from.ended(now), stale: false },
        };
        if from == AlertState::Inactive && step.state == AlertState::Inactive {
            continue;
        }
        let value = old.as_ref().and_then(|alert| alert.value);
        let alert = Alert {
            rule: rule.name.clone(),
            labels,
            severity: rule.severity,
            state: step.state,
            value: if from.is_active() || step.state.is_active() {
                match finding {
                    Finding::Observed(Observed::Value(value)) => Some(value),
                    Finding::Observed(Observed::NoData) if rule.no_data == NoData::Fire => None,
                    // What it was while it fired says nothing of its end.
                    Finding::Observed(_) | Finding::Ended => value.filter(|_| step.state.is_active()),
                }
            } else {
                // A resolved alert keeps the figure that ended it.
                value
            },
            stale: step.stale,
        };
        note(&alert, from, transitions);
        kept.extend(Some(alert).filter(|alert| alert.state != AlertState::Inactive));
    }
    kept
}

/// Ends the alerts of a rule that is gone.
fn end_all(alerts: &mut Vec<Alert>, now: TimestampMs, transitions: &mut Vec<Transition>) {
    for alert in alerts.iter_mut() {
        let from = alert.state;
        alert.state = from.ended(now);
        alert.stale = false;
        if from.is_active() {
            alert.value = None;
        }
        note(alert, from, transitions);
    }
    alerts.retain(|alert| alert.state != AlertState::Inactive);
}

fn note(alert: &Alert, from: AlertState, transitions: &mut Vec<Transition>) {
    if discriminant(&alert.state) != discriminant(&from) {
        transitions.push(Transition { alert: alert.clone(), from, to: alert.state });
    }
}

#[cfg(test)]
mod tests;
