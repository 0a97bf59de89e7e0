//! Alert rules: the Prometheus state machine, pure and step by step.

use crate::labels::Labels;
use crate::query::Expression;
use crate::time::{DurationMs, TimestampMs};

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

impl Comparison {
    /// The sign that boards use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }

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

impl Severity {
    /// The word that boards and notifications use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Ticket => "ticket",
            Self::Page => "page",
        }
    }
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
