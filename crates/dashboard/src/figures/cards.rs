//! A KPI as a card shows it.

use bellwether_core::kpi::{Direction, Standing, Trend};
use bellwether_core::time::DurationMs;

use crate::format::Unit;

/// Whether a figure can be compared with that of the window before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Both windows fit into what is kept.
    Possible,
    /// The window before reaches beyond what is kept.
    Never,
}

/// A KPI with its figure.
#[derive(Clone, Debug, PartialEq)]
pub struct KpiCard {
    /// The KPI's id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Who answers for it; empty where nobody is named.
    pub owner: String,
    /// Unit of the figure and the target.
    pub unit: Unit,
    /// The figure.
    pub value: Option<f64>,
    /// The target.
    pub target: Option<f64>,
    /// Which way is better.
    pub direction: Direction,
    /// Where the figure stands against the target.
    pub standing: Standing,
    /// How the figure is made, such as `average, 5 min`.
    pub made_of: String,
    /// How far the figure looks back.
    pub window: DurationMs,
    /// Whether the page could ever know the figure of the window before.
    pub comparison: Comparison,
    /// The move against the window before, where both have a figure.
    pub trend: Option<Trend>,
    /// The figure's course in equal columns; `None` where nothing came.
    pub course: Vec<Option<f64>>,
    /// How far the course looks back.
    pub course_over: DurationMs,
    /// Why there is no figure, where the engine says so.
    pub failure: Option<String>,
}
