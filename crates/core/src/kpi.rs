//! Key performance indicators: a figure, its target and whether the target is met.

use crate::query::Expression;

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The lower the figure, the better.
    LowerIsBetter,
    /// The higher the figure, the better.
    HigherIsBetter,
}

/// A key performance indicator of a board.
#[derive(Clone, Debug, PartialEq)]
pub struct Kpi {
    /// Unique in its board; used in addresses.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Unit of the figure, such as `ms`, `days`, `ratio`, `bytes`; empty where there is none.
    pub unit: String,
    /// How the figure is made.
    pub figure: Expression,
    /// Which way is better.
    pub direction: Direction,
    /// The target, in the unit of the figure.
    pub target: Option<f64>,
    /// Who answers for it; empty where nobody is named.
    pub owner: String,
    /// The section of the page that it stands in; empty for the first.
    pub section: String,
}

/// Where a KPI stands against its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The target is met; equality meets it.
    Met,
    /// The target is not met.
    NotMet,
    /// There is a figure and no target.
    NoTarget,
    /// There is no figure.
    NoFigure,
}

impl Kpi {
    /// Where `value` stands against the target, compared at full precision.
    #[must_use]
    pub fn standing(&self, value: Option<f64>) -> Standing {
        match (value, self.target, self.direction) {
            (None, _, _) => Standing::NoFigure,
            (Some(_), None, _) => Standing::NoTarget,
            (Some(value), Some(target), Direction::LowerIsBetter) if value <= target => Standing::Met,
            (Some(value), Some(target), Direction::HigherIsBetter) if value >= target => Standing::Met,
            (Some(_), Some(_), _) => Standing::NotMet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::MetricName;
    use crate::query::{Aggregation, Query};
    use crate::time::DurationMs;

    #[track_caller]
    fn check(direction: Direction, target: Option<f64>, value: Option<f64>, expected: Standing) {
        let query = Query::new(MetricName::new("m").unwrap(), DurationMs::from_minutes(5), Aggregation::Avg);
        let kpi = Kpi {
            id: "k".into(),
            title: "K".into(),
            unit: String::new(),
            figure: Expression::Single(query),
            direction,
            target,
            owner: String::new(),
            section: String::new(),
        };
        assert_eq!(kpi.standing(value), expected);
    }

    #[test]
    fn equality_meets_the_target() {
        check(Direction::LowerIsBetter, Some(7.0), Some(7.0), Standing::Met);
        check(Direction::LowerIsBetter, Some(7.0), Some(7.000_000_1), Standing::NotMet);
        check(Direction::HigherIsBetter, Some(4.0), Some(4.0), Standing::Met);
        check(Direction::HigherIsBetter, Some(4.0), Some(3.9), Standing::NotMet);
        check(Direction::HigherIsBetter, None, Some(3.9), Standing::NoTarget);
        check(Direction::HigherIsBetter, Some(4.0), None, Standing::NoFigure);
    }
}
