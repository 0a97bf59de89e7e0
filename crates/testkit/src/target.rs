//! What a script runs against.

use bellwether_core::alerts::Alert;
use bellwether_core::kpi::{Kpi, Trend};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Answer, Expression, Group, Query};
use bellwether_core::rule::{ALERT_NAME, AlertState, Rule};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::scorecard::Scorecard;
use bellwether_core::time::TimestampMs;

/// What became of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// It is counted.
    Accepted,
    /// It is older than anything that is kept.
    TooLate,
    /// It is further in the future than the allowed skew.
    TooNew,
}

impl Acceptance {
    /// The word that scripts use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::TooLate => "too_late",
            Self::TooNew => "too_new",
        }
    }
}

/// The figure of one group of series.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The labels asked for with `by`; none where there is no `by`.
    pub labels: Labels,
    /// The figure, if there is one.
    pub value: Option<f64>,
    /// Left edge of the range that is really covered, not included.
    pub from: TimestampMs,
    /// Right edge of the range that is really covered, included.
    pub to: TimestampMs,
}

impl Figure {
    /// The figure of an answer for the group that has `labels`.
    #[must_use]
    pub fn of(labels: Labels, answer: &Answer) -> Self {
        Self { labels, value: answer.value, from: answer.from, to: answer.to }
    }
}

impl From<Group> for Figure {
    fn from(group: Group) -> Self {
        Self::of(group.labels, &group.answer)
    }
}

/// Whether an expression is answered group by group.
#[must_use]
pub fn is_grouped(expression: &Expression) -> bool {
    let (Expression::Single(Query { by, .. }) | Expression::Ratio(Query { by, .. }, _)) = expression;
    !by.is_empty()
}

/// An alert as a reader sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenAlert {
    /// The rule's name.
    pub rule: String,
    /// The alert's labels without `alertname`.
    pub labels: Labels,
    /// `pending`, `firing` or `resolved`.
    pub state: String,
    /// Whether it stands there without a figure of the last evaluation.
    pub stale: bool,
    /// The figure shown with it.
    pub value: Option<f64>,
    /// When its condition began to hold.
    pub active_at: TimestampMs,
}

impl From<&Alert> for SeenAlert {
    fn from(alert: &Alert) -> Self {
        let pairs = alert.labels.iter().filter(|(name, _)| *name != ALERT_NAME);
        let active_at = match alert.state {
            AlertState::Inactive => TimestampMs::default(),
            AlertState::Pending { active_at }
            | AlertState::Firing { active_at, .. }
            | AlertState::Resolved { active_at, .. } => active_at,
        };
        Self {
            rule: alert.rule.clone(),
            // Fewer of what were labels before are labels still.
            labels: Labels::new(pairs).unwrap_or_default(),
            state: alert.state.as_str().to_owned(),
            stale: alert.stale,
            value: alert.value,
            active_at,
        }
    }
}

/// A KPI as a reader sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenKpi {
    /// `met`, `not_met`, `no_target` or `no_figure`.
    pub standing: String,
    /// The figure.
    pub value: Option<f64>,
    /// How it changed against the window before.
    pub trend: Option<Trend>,
}

/// Something that takes samples and answers with figures and alerts.
///
/// The runner calls with instants that never go back. An `Err` is the text of an error as a reader
/// would get it; a script may ask for it.
pub trait Target {
    /// Declares the kind of a metric, as a board does.
    ///
    /// # Errors
    /// The reason of a refusal.
    fn declare(&mut self, metric: &MetricName, kind: Kind) -> Result<(), String>;

    /// Takes samples that arrive at `now` and says what became of each, in order.
    ///
    /// # Errors
    /// Why none of them could be taken.
    fn load(&mut self, samples: &[(SeriesKey, Sample)], now: TimestampMs) -> Result<Vec<Acceptance>, String>;

    /// The figures of `expression` at `now`, sorted by labels; at most one where it has no `by`.
    ///
    /// # Errors
    /// Why the question could not be answered.
    fn query(&mut self, expression: &Expression, now: TimestampMs) -> Result<Vec<Figure>, String>;

    /// Sets the rules that are evaluated from now on.
    ///
    /// # Errors
    /// The reason of a refusal.
    fn set_rules(&mut self, rules: &[Rule]) -> Result<(), String>;

    /// Evaluates the rules at `now`.
    ///
    /// # Errors
    /// Why that could not be done at all; the failure of one rule is no such error.
    fn evaluate(&mut self, now: TimestampMs) -> Result<(), String>;

    /// The alerts after the last evaluation, by the rule's name and then by labels.
    ///
    /// # Errors
    /// Why they could not be had.
    fn alerts(&mut self) -> Result<Vec<SeenAlert>, String>;

    /// What the rules that failed in the last evaluation say.
    ///
    /// # Errors
    /// Why that could not be had.
    fn failures(&mut self) -> Result<Vec<String>, String>;

    /// The scorecard over everything kept at `now`.
    ///
    /// # Errors
    /// Why it could not be had.
    fn scorecard(&mut self, now: TimestampMs) -> Result<Scorecard, String>;

    /// What a KPI shows at `now`.
    ///
    /// # Errors
    /// Why it could not be had.
    fn kpi(&mut self, kpi: &Kpi, now: TimestampMs) -> Result<SeenKpi, String>;
}
