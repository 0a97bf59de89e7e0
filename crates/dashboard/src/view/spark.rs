//! The small course of a KPI, without axes.

use std::fmt::Write as _;

use yew::prelude::{Html, html};

use crate::figures::sheet::Course;
use crate::format::{self, Unit};

/// Width of the drawing's own units; it is stretched to the card.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 320.0;

/// A line over a faint area, and what its upper and lower edge stand for; gaps in the course are gaps in the line.
/// `target` is a line across, where it is near the course; `summary` says the course in words.
pub(crate) fn spark(course: &[Option<f64>], target: Option<f64>, unit: &Unit, summary: String) -> Html {
    let values = || course.iter().flatten().copied();
    let (Some(low), Some(high), Some(_)) = (values().reduce(f64::min), values().reduce(f64::max), values().nth(1))
    else {
        // One figure alone is no course: it stands beside this.
        return html! { <svg class="spark" aria-hidden="true"></svg> };
    };
    let spread = high - low;
    let target = target.filter(|target| {
        let reach = spread.max(high.abs() * 0.1);
        (low - reach..=high + reach).contains(target)
    });
    // A course that hardly moves must not look like a cliff: the drawing spans a tenth of the figure at least. The figure
    // beside it says then where it is.
    let widening = (high.abs().max(low.abs()) * 0.1 - spread).max(0.0) / 2.0;
    let (low, high) = (low - widening, high + widening);
    let low = target.map_or(low, |target| low.min(target));
    let high = target.map_or(high, |target| high.max(target));
    let spread = if high > low { high - low } else { 1.0 };
    let height = |value: f64| {
        let share = if high > low { (value - low) / spread } else { 0.5 };
        (HEIGHT - 20.0 - share * (HEIGHT - 40.0)) as i32
    };
    let (line, area) = paths(course, height);
    let across = target.map(|target| {
        let y = height(target).to_string();
        html! { <line class="spark-target" x1="0" x2="1000" y1={y.clone()} y2={y} /> }
    });
    let text = |value| format::figure(value, unit).text();
    html! {
        <>
            <svg class="spark" viewBox="0 0 1000 320" preserveAspectRatio="none" role="img" aria-label={summary}>
                <path class="spark-area" d={area} />
                { across }
                <path class="spark-line" d={line} />
            </svg>
            if widening == 0.0 && high > low {
                <p class="spark-scale" aria-hidden="true"><span>{ text(high) }</span><span>{ text(low) }</span></p>
            }
        </>
    }
}

/// A small course within a table, on the scale of all courses of its column.
pub(super) fn small(course: &Course) -> Html {
    let (low, high) = course.scale;
    let height = |value: f64| {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        (HEIGHT - 20.0 - share * (HEIGHT - 40.0)) as i32
    };
    let (line, area) = paths(&course.points, height);
    let across = course.target.map(|target| {
        let y = height(target).to_string();
        html! { <line class="spark-target" x1="0" x2="1000" y1={y.clone()} y2={y} /> }
    });
    html! {
        <svg class="spark-small" viewBox="0 0 1000 320" preserveAspectRatio="none" role="img" aria-label={course.summary.clone()}>
            <path class="spark-area" d={area} />
            { across }
            <path class="spark-line" d={line} />
        </svg>
    }
}

/// The line of a course, and the area below it.
fn paths(course: &[Option<f64>], height: impl Fn(f64) -> i32) -> (String, String) {
    let step = WIDTH / (course.len().max(2) - 1) as f64;
    let (mut line, mut area) = (String::new(), String::new());
    for run in runs(course) {
        for (place, (column, value)) in run.iter().enumerate() {
            let x = (*column as f64 * step) as i32;
            let letter = if place == 0 { 'M' } else { 'L' };
            // Writing to a string cannot fail.
            let _ = write!(line, "{letter}{x} {}", height(*value));
            if run.len() == 1 {
                let _ = write!(line, "h1");
            }
            if place == 0 {
                let _ = write!(area, "M{x} 320");
            }
            let _ = write!(area, "L{x} {}", height(*value));
            if place + 1 == run.len() {
                let _ = write!(area, "L{x} 320Z");
            }
        }
    }
    (line, area)
}

/// Neighbouring columns with a figure; up to two empty columns between them are no gap.
fn runs(course: &[Option<f64>]) -> Vec<Vec<(usize, f64)>> {
    let mut runs: Vec<Vec<(usize, f64)>> = Vec::new();
    for (column, value) in course.iter().enumerate().filter_map(|(column, value)| Some((column, (*value)?))) {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|(last, _)| column - last <= 3) => run.push((column, value)),
            _ => runs.push(vec![(column, value)]),
        }
    }
    runs
}
