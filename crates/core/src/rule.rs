//! Alert rules: the Prometheus state machine, pure and step by step.

use crate::labels::Labels;
use crate::query::Expression;
use crate::time::{DurationMs, TimestampMs};
use crate::words::words;

/// How a figure is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

words! {
    Comparison: "The sign that boards use.",
    Above = ">",
    AtLeast = ">=",
    Below = "<",
    AtMost = "<=",
}

impl Comparison {
    /// Whether `value` is on the alerting side of `threshold`.
    #[must_use]
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Above => value > threshold,
            Self::AtLeast => value >= threshold,
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
        }
    }
}

/// Who must act, and how soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nobody; it is good to know.
    Info,
    /// Somebody, in working hours.
    Ticket,
    /// Somebody, now.
    Page,
}

words! {
    Severity: "The word that boards and notifications use.",
    Page = "page",
    Ticket = "ticket",
    Info = "info",
}

/// What happens to an alert whose query gives no figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoData {
    /// The state stays and is marked stale.
    #[default]
    Keep,
    /// As if the condition were false: Prometheus' way.
    Resolve,
    /// As if the condition were true.
    Fire,
}

words! {
    NoData: "The word that boards use.",
    Keep = "keep",
    Resolve = "resolve",
    Fire = "fire",
}

/// An alert rule of a board.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Unique in its board; becomes the label `alertname`.
    pub name: String,
    /// The figure that is watched; one alert for each group of its `by`.
    pub figure: Expression,
    /// How the figure is compared.
    pub comparison: Comparison,
    /// What it is compared with, in the unit of the figure.
    pub threshold: f64,
    /// How long the condition must hold before the alert fires (`for`).
    pub hold: DurationMs,
    /// How long the alert goes on firing after the condition has ended.
    pub keep_firing_for: DurationMs,
    /// How far back from now the rule looks, for metrics that arrive late.
    pub query_offset: DurationMs,
    /// What a missing figure means.
    pub no_data: NoData,
    /// Who must act.
    pub severity: Severity,
    /// Labels added to each alert.
    pub labels: Labels,
    /// One sentence for people; empty where there is none.
    pub summary: String,
    /// Where to read what to do; empty where there is nothing.
    pub runbook: String,
}

/// Where one alert stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlertState {
    /// The condition does not hold.
    #[default]
    Inactive,
    /// The condition holds, not yet for long enough.
    Pending {
        /// When it began to hold.
        active_at: TimestampMs,
    },
    /// The alert is on.
    Firing {
        /// When the condition began to hold.
        active_at: TimestampMs,
        /// When the alert began to fire.
        fired_at: TimestampMs,
        /// When the condition was first missed since; cleared by a return.
        keep_firing_since: Option<TimestampMs>,
    },
    /// The alert was on and is over.
    Resolved {
        /// When the condition began to hold.
        active_at: TimestampMs,
        /// When the alert began to fire.
        fired_at: TimestampMs,
        /// When it ended.
        at: TimestampMs,
    },
}

/// The label of an alert that carries its rule's name.
pub const ALERT_NAME: &str = "alertname";
/// How long a resolved alert is kept for display and re-sending, as in Prometheus.
pub const RESOLVED_RETENTION: DurationMs = DurationMs::from_minutes(15);

impl AlertState {
    /// The state in one word: `inactive`, `pending`, `firing` or `resolved`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending { .. } => "pending",
            Self::Firing { .. } => "firing",
            Self::Resolved { .. } => "resolved",
        }
    }

    /// Whether the alert is pending or firing.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Pending { .. } | Self::Firing { .. })
    }

    /// The state once its rule or its group is gone for good: what fires is resolved at `ts`
    /// without regard to `keep_firing_for`, what is pending is forgotten, and what was resolved is
    /// kept for [`RESOLVED_RETENTION`].
    #[must_use]
    pub fn ended(self, ts: TimestampMs) -> Self {
        match self {
            Self::Inactive | Self::Pending { .. } => Self::Inactive,
            Self::Firing { active_at, fired_at, .. } => Self::Resolved { active_at, fired_at, at: ts },
            Self::Resolved { at, .. } if ts.since(at) > RESOLVED_RETENTION => Self::Inactive,
            Self::Resolved { .. } => self,
        }
    }
}

/// What one evaluation of a rule found for one alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Observed {
    /// The figure.
    Value(f64),
    /// The query was answered and holds no figure.
    NoData,
    /// The query could not be answered.
    Failed,
}

/// Where one evaluation leaves an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The new state.
    pub state: AlertState,
    /// Whether the alert is pending or firing without a figure of this evaluation behind it.
    pub stale: bool,
}

/// Takes one alert one evaluation further: the alerting state machine of Prometheus.
///
/// `ts` is the instant of the evaluation, not the instant that the query looked at. An instant
/// before the state's own counts as no time passed, so a clock that was set back never fires early.
/// Cost: O(1). Source: `rules/alerting.go` of Prometheus.
///
/// DIFFERENCE: in Prometheus an absent figure is a false condition; here that is
/// [`NoData::Resolve`], and the default is to keep the state and say that it is stale.
///
/// ```
/// use bellwether_core::labels::{Labels, MetricName};
/// use bellwether_core::query::{Aggregation, Expression, Query};
/// use bellwether_core::rule::{AlertState, Comparison, NoData, Observed, Rule, Severity, advance};
/// use bellwether_core::time::{DurationMs, TimestampMs};
///
/// let metric = MetricName::new("booking_response_time")?;
/// let rule = Rule {
///     name: "BookingSlow".into(),
///     figure: Expression::Single(Query::new(metric, DurationMs::from_minutes(5), Aggregation::Avg)),
///     comparison: Comparison::Above,
///     threshold: 300.0,
///     hold: DurationMs::ZERO,
///     keep_firing_for: DurationMs::ZERO,
///     query_offset: DurationMs::ZERO,
///     no_data: NoData::Keep,
///     severity: Severity::Page,
///     labels: Labels::empty(),
///     summary: String::new(),
///     runbook: String::new(),
/// };
/// let slow = advance(&rule, AlertState::Inactive, Observed::Value(301.0), TimestampMs::new(1_000));
/// assert_eq!(slow.state.as_str(), "firing");
/// let over = advance(&rule, slow.state, Observed::Value(300.0), TimestampMs::new(2_000));
/// assert_eq!(over.state.as_str(), "resolved");
/// # Ok::<(), bellwether_core::labels::LabelError>(())
/// ```
#[must_use]
pub fn advance(rule: &Rule, state: AlertState, observed: Observed, ts: TimestampMs) -> Step {
    let holds = match (observed, rule.no_data) {
        (Observed::Value(value), _) => rule.comparison.holds(value, rule.threshold),
        (Observed::NoData, NoData::Fire) => true,
        (Observed::NoData, NoData::Resolve) => false,
        (Observed::NoData, NoData::Keep) if state.is_active() => return Step { state, stale: true },
        // Nothing is on, so there is nothing to keep; what was resolved still grows old.
        (Observed::NoData, NoData::Keep) => false,
        (Observed::Failed, _) => return Step { state, stale: state.is_active() },
    };
    let state = if holds { held(rule, state, ts) } else { missed(rule, state, ts) };
    Step { state, stale: false }
}

/// The state after an evaluation whose condition was true.
fn held(rule: &Rule, state: AlertState, ts: TimestampMs) -> AlertState {
    match state {
        AlertState::Firing { active_at, fired_at, .. } => {
            AlertState::Firing { active_at, fired_at, keep_firing_since: None }
        }
        AlertState::Pending { active_at } => pending_or_firing(rule, active_at, ts),
        AlertState::Inactive | AlertState::Resolved { .. } => pending_or_firing(rule, ts, ts),
    }
}

fn pending_or_firing(rule: &Rule, active_at: TimestampMs, ts: TimestampMs) -> AlertState {
    if ts.since(active_at) >= rule.hold {
        AlertState::Firing { active_at, fired_at: ts, keep_firing_since: None }
    } else {
        AlertState::Pending { active_at }
    }
}

/// The state after an evaluation whose condition was false.
fn missed(rule: &Rule, state: AlertState, ts: TimestampMs) -> AlertState {
    if let AlertState::Firing { active_at, fired_at, keep_firing_since } = state {
        let since = keep_firing_since.unwrap_or(ts);
        if ts.since(since) < rule.keep_firing_for {
            return AlertState::Firing { active_at, fired_at, keep_firing_since: Some(since) };
        }
    }
    state.ended(ts)
}

#[cfg(test)]
mod tests;
