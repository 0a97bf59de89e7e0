//! A KPI as a card shows it.

use bellwether_core::kpi::{Direction, Standing};
use bellwether_core::time::DurationMs;

use crate::format::Unit;

/// How a figure has moved against the window before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// The figure less the one before.
    pub change: f64,
    /// The change as a share of the figure before; `None` for percentages, whose change is in percentage
    /// points, and where the figure before was zero.
    pub share: Option<f64>,
}

impl Trend {
    /// Whether the move is for the better; `None` where the figure stands still.
    #[must_use]
    pub fn is_better(&self, direction: Direction) -> Option<bool> {
        let lower = direction == Direction::LowerIsBetter;
        (self.change != 0.0).then_some((self.change < 0.0) == lower)
    }
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
    /// How the figure is made, such as `average` or `p95`.
    pub aggregation: String,
    /// How far the figure looks back.
    pub window: DurationMs,
    /// Samples behind the figure.
    pub count: u64,
    /// The move against the window before, where both have a figure.
    pub trend: Option<Trend>,
    /// The figure's course over the window, in equal columns; `None` where nothing came.
    pub course: Vec<Option<f64>>,
    /// Why there is no figure, where the engine says so.
    pub failure: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(change: f64, direction: Direction, expected: Option<bool>) {
        assert_eq!(Trend { change, share: None }.is_better(direction), expected);
    }

    #[test]
    fn better_follows_the_direction() {
        check(-1.0, Direction::LowerIsBetter, Some(true));
        check(1.0, Direction::LowerIsBetter, Some(false));
        check(1.0, Direction::HigherIsBetter, Some(true));
        check(0.0, Direction::HigherIsBetter, None);
    }
}
