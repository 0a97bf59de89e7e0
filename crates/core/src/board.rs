//! A board: what a page shows and what is watched, checked as a whole.

mod check;

pub use self::check::{BoardError, BoardProblem};

use crate::kpi::Kpi;
use crate::labels::MetricName;
use crate::query::Expression;
use crate::rule::Rule;
use crate::sample::Kind;

/// What a board says of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricDeclaration {
    /// The metric.
    pub name: MetricName,
    /// What its samples mean.
    pub kind: Kind,
    /// Unit of its values; empty where there is none.
    pub unit: String,
    /// What it measures, for people.
    pub help: String,
}

/// A live chart of a board.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Unique in its board; used in addresses.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Unit of the values; empty where there is none.
    pub unit: String,
    /// What is drawn: one line for each group of its `by`. The query's window is the window of each
    /// drawn point where it is a rate or a ratio; the time axis is the page's own.
    pub figure: Expression,
    /// A line drawn across the chart, in the unit of the values.
    pub threshold: Option<f64>,
    /// The section of the page that it stands in; empty for the first.
    pub section: String,
}

/// What a page shows and what is watched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// The page's title.
    pub title: String,
    /// What is known of the metrics.
    pub metrics: Vec<MetricDeclaration>,
    /// Key performance indicators, in the order of the page.
    pub kpis: Vec<Kpi>,
    /// Live charts, in the order of the page.
    pub panels: Vec<Panel>,
    /// Alert rules.
    pub rules: Vec<Rule>,
}
