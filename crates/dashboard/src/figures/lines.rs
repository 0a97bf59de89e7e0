//! The lines of a chart as the engine's columns give them, cut into runs where samples are missing.

use bellwether_core::time::{DurationMs, TimestampMs};

use crate::format::{self, Precision, Unit};

/// One column of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The column's last instant.
    pub at: TimestampMs,
    /// The figure over the column.
    pub value: f64,
    /// Least and greatest sample of the column, where they are in the unit of the figure.
    pub band: Option<(f64, f64)>,
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What tells it from the others: the values of its labels.
    pub name: String,
    /// Points without a gap between them, earliest first; a gap parts two runs. No run is empty.
    pub runs: Vec<Vec<Point>>,
}

/// A gap is never shorter than this: a column may be empty because a sender is a little late.
const SHORTEST_GAP: DurationMs = DurationMs::from_secs(5);

impl Line {
    /// Cuts `points`, earliest first, into runs.
    ///
    /// A line is broken where nothing came for five times what is usual on it, and at least 5 s; at the
    /// latest after `staleness`.
    #[must_use]
    pub fn new(name: String, points: Vec<Point>, staleness: DurationMs) -> Self {
        let usual = usual_distance(&points);
        let longest = usual.saturating_mul(5).max(SHORTEST_GAP.as_millis()).min(staleness.as_millis().max(usual));
        let mut runs: Vec<Vec<Point>> = Vec::new();
        for point in points {
            match runs.last_mut() {
                Some(run) if run.last().is_some_and(|last| point.at.since(last.at).as_millis() <= longest) => {
                    run.push(point);
                }
                _ => runs.push(vec![point]),
            }
        }
        Self { name, runs }
    }

    /// All points, earliest first.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = &Point> {
        self.runs.iter().flatten()
    }

    /// The latest point.
    #[must_use]
    pub fn latest(&self) -> Option<&Point> {
        self.runs.last().and_then(|run| run.last())
    }

    /// Least and greatest figure drawn, without bands.
    #[must_use]
    pub fn extent(&self) -> Option<(f64, f64)> {
        self.points()
            .map(|point| (point.value, point.value))
            .reduce(|(low, high), (value, _)| (low.min(value), high.max(value)))
    }
}

/// The median distance of two neighbours in milliseconds; 0 where there are no two.
///
/// Halves the range instead of sorting: the library's sort is 5 KB of the page.
fn usual_distance(points: &[Point]) -> u64 {
    let distances = || points.windows(2).map(|pair| pair[1].at.since(pair[0].at).as_millis());
    let half = points.len().saturating_sub(1) / 2;
    let (mut low, mut high) = (0, distances().max().unwrap_or(0));
    while low < high {
        let middle = low + (high - low) / 2;
        if distances().filter(|distance| *distance <= middle).count() > half {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// A live chart: what a strip draws and what its table says.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip {
    /// The panel's id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Unit of the values.
    pub unit: Unit,
    /// Left edge of the time axis.
    pub from: TimestampMs,
    /// Right edge of the time axis.
    pub to: TimestampMs,
    /// The line drawn across.
    pub threshold: Option<f64>,
    /// The lines, sorted by labels; at most as many as can be told apart.
    pub lines: Vec<Line>,
    /// How many lines there are beyond those.
    pub hidden_lines: usize,
    /// Why there is no line, where the engine says so.
    pub failure: Option<String>,
}

/// The least number of seconds between two rows of a table.
const TABLE_STEPS_SECS: [u64; 9] = [5, 10, 15, 30, 60, 120, 300, 600, 3_600];

impl Strip {
    /// What the chart shows, in a sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        let over = format!("over the last {}", format::length(self.to.since(self.from)));
        if let Some(failure) = &self.failure {
            return failure.clone();
        }
        let spoken: Vec<_> = self
            .lines
            .iter()
            .filter_map(|line| {
                let (latest, (low, high)) = (line.latest()?, line.extent()?);
                let text = |value| format::figure(value, &self.unit).text();
                let name = if line.name.is_empty() { String::new() } else { format!("{}: ", line.name) };
                Some(format!("{name}{}, between {} and {}", text(latest.value), text(low), text(high)))
            })
            .collect();
        if spoken.is_empty() {
            return format!("{}: no data {over}.", self.title);
        }
        let hidden = match self.hidden_lines {
            0 => String::new(),
            1 => " One more line is not drawn.".to_owned(),
            more => format!(" {more} more lines are not drawn."),
        };
        format!("{} {over}: {}.{hidden}", self.title, spoken.join("; "))
    }

    /// Rows of the table behind the chart, newest first: about a dozen round times and the figure of each
    /// line there.
    #[must_use]
    pub fn table(&self) -> Vec<(String, Vec<String>)> {
        let span = self.to.since(self.from).as_millis() / 1_000;
        let step = TABLE_STEPS_SECS.into_iter().find(|step| span / step <= 12).unwrap_or(span.div_ceil(12).max(1));
        let precision = if step < 60 { Precision::Seconds } else { Precision::Minutes };
        let step_ms = i64::try_from(step * 1_000).unwrap_or(i64::MAX);
        let mut rows = Vec::new();
        let mut end = self.to;
        while end > self.from && rows.len() < 16 {
            let start = TimestampMs::new((end.get() - 1).div_euclid(step_ms) * step_ms).max(self.from);
            let figures: Vec<_> = self
                .lines
                .iter()
                .map(|line| {
                    let last = line.points().rev().find(|point| point.at <= end).filter(|point| point.at > start);
                    format::text(last.map(|point| point.value), &self.unit)
                })
                .collect();
            rows.push((format::time_of_day(end, precision), figures));
            end = start;
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn line(seconds: &[(i64, f64)]) -> Line {
        let points = seconds
            .iter()
            .map(|(secs, value)| Point { at: TimestampMs::new(secs * 1_000), value: *value, band: None })
            .collect();
        Line::new(String::new(), points, DurationMs::from_minutes(5))
    }

    fn strip(lines: Vec<Line>) -> Strip {
        Strip {
            id: "x".into(),
            title: "Response time".into(),
            unit: Unit::Millis,
            from: TimestampMs::new(0),
            to: TimestampMs::new(60_000),
            threshold: None,
            lines,
            hidden_lines: 0,
            failure: None,
        }
    }

    #[track_caller]
    fn check(seconds: &[i64], expected: &[usize]) {
        let points: Vec<_> = seconds.iter().map(|secs| (*secs, 1.0)).collect();
        let lengths: Vec<_> = line(&points).runs.iter().map(Vec::len).collect();
        assert_eq!(lengths, expected, "{seconds:?}");
    }

    #[test]
    fn a_gap_parts_two_runs() {
        check(&[], &[]);
        check(&[7], &[1]);
        check(&[1, 2, 3, 4, 20, 21], &[4, 2]);
        check(&[1, 2, 4, 5, 10, 11], &[6]);
        check(&[0, 60, 120, 180, 400], &[5]);
        check(&[0, 60, 120, 180, 481], &[4, 1]);
        check(&[0, 600, 1_200], &[3]);
    }

    #[test]
    fn the_summary_says_the_figures() {
        let one = strip(vec![line(&[(10, 100.0), (20, 300.0), (30, 200.0)])]);
        assert_eq!(
            one.summary().replace('\u{a0}', " "),
            "Response time over the last 1 min: 200 ms, between 100 ms and 300 ms."
        );
        assert_eq!(strip(vec![]).summary().replace('\u{a0}', " "), "Response time: no data over the last 1 min.");
    }

    #[test]
    fn the_table_has_round_times_and_dashes_for_gaps() {
        let rows = strip(vec![line(&[(9, 100.0), (10, 120.0), (58, 200.0)])]).table();
        let plain: Vec<_> = rows.iter().map(|(at, figures)| format!("{at} {}", figures[0])).collect();
        assert_eq!(plain[0].replace('\u{a0}', " "), "00:01:00 200 ms");
        assert_eq!(plain[1], "00:00:55 —");
        assert_eq!(plain[10].replace('\u{a0}', " "), "00:00:10 120 ms");
        assert_eq!(rows.len(), 12);
    }
}
