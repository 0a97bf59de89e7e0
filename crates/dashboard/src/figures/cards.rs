//! A KPI as a card shows it.

use bellwether_core::kpi::{Direction, Standing, Trend};
use bellwether_core::time::{DurationMs, TimestampMs};

use super::Strip;
use crate::feed::Shortage;
use crate::format::{self, Unit};
use crate::texts::Text;

/// Whether the window before a figure's own lies within what the page keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowBefore {
    /// It does: the two can be compared.
    Kept,
    /// It does not, and never will.
    Beyond,
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
    /// The target again, where a point of the course can be held against it.
    pub course_target: Option<f64>,
    /// Which way is better.
    pub direction: Direction,
    /// Where the figure stands against the target.
    pub standing: Standing,
    /// How the figure is made, such as `average, 5 min`.
    pub made_of: String,
    /// When a sample that it is made of was changed last after it was stored.
    pub restated: Option<TimestampMs>,
    /// How far the figure looks back.
    pub window: DurationMs,
    /// Whether the page can know the figure of the window before.
    pub before: WindowBefore,
    /// The move against the window before, where both have a figure.
    pub trend: Option<Trend>,
    /// The figure's course in equal columns; `None` where nothing came.
    pub course: Vec<Option<f64>>,
    /// How far the course looks back.
    pub course_over: DurationMs,
    /// Why there is no figure, where that is not for want of samples.
    pub absence: Option<Absence>,
}

impl KpiCard {
    /// At how many points of its course the figure is on target, as a sentence; `None` without a target of its points, or
    /// without a point.
    #[must_use]
    pub fn on_target(&self, course: &Strip) -> Option<String> {
        let target = self.course_target?;
        let is_met = |value: f64| match self.direction {
            Direction::LowerIsBetter => value <= target,
            Direction::HigherIsBetter => value >= target,
        };
        let points = || course.lines.first().into_iter().flat_map(|line| line.points());
        let (all, met) = (points().count(), points().filter(|point| is_met(point.value)).count());
        let share = format::text((all > 0).then(|| met as f64 / all as f64), &Unit::Ratio);
        let over = format::length(course.to.since(course.from));
        (all > 0).then(|| Text::OnTarget.count(all as u64, &[&format::count(met as u64), &over, &share]))
    }
}

/// Why there is no figure although there may be samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Absence {
    /// The page lacks series: a figure of the others would be taken for one of all, and judged.
    Lacking {
        /// Why it lacks them.
        shortage: Shortage,
        /// What the gateway is asked for the same figure: path and query, where it can be asked.
        ask: Option<String>,
    },
    /// None of its series passes the reader's filter.
    Filtered,
    /// The engine does not answer; the sentence says why.
    Refused(String),
}

impl Absence {
    /// Why, in a few words that several cards may share.
    #[must_use]
    pub fn common_words(&self) -> Option<&'static str> {
        match self {
            Self::Lacking { shortage, .. } => Some(shortage.words()),
            Self::Filtered => Some(Text::Filtered.say()),
            Self::Refused(_) => None,
        }
    }

    /// Why, in a few words.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Refused(sentence) => sentence,
            other => other.common_words().unwrap_or_default(),
        }
    }
}
