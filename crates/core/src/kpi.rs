//! Key performance indicators: a figure, its target and whether the target is met.

mod figure;

pub use self::figure::KpiFigure;
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

/// How a figure has changed against the window before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trend {
    /// The change of a share, in percentage points: a percentage of a percentage misleads.
    Points(f64),
    /// The change of any other figure.
    Change {
        /// In the unit of the figure.
        by: f64,
        /// In percent of the earlier figure's size; `None` where that was zero.
        percent: Option<f64>,
    },
}

impl Trend {
    /// The change from `previous` to `value`, in the way that suits the unit: points for `ratio`
    /// (a share of 1), `%` and `percent`; the unit and percent for all others.
    #[must_use]
    pub fn between(previous: f64, value: f64, unit: &str) -> Self {
        let by = value - previous;
        match unit {
            "ratio" => Self::Points(by * 100.0),
            "%" | "percent" => Self::Points(by),
            _ => Self::Change { by, percent: (previous != 0.0).then(|| by / previous.abs() * 100.0) },
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

    #[test]
    fn shares_change_in_points_and_the_rest_in_percent() {
        let between = |previous, value, unit| Trend::between(previous, value, unit);
        assert_eq!(between(0.5, 0.75, "ratio"), Trend::Points(25.0));
        assert_eq!(between(50.0, 75.0, "%"), Trend::Points(25.0));
        assert_eq!(between(50.0, 75.0, "percent"), Trend::Points(25.0));
        assert_eq!(between(200.0, 150.0, "ms"), Trend::Change { by: -50.0, percent: Some(-25.0) });
        assert_eq!(between(-4.0, -2.0, ""), Trend::Change { by: 2.0, percent: Some(50.0) });
        assert_eq!(between(0.0, 3.0, "days"), Trend::Change { by: 3.0, percent: None });
    }
}
