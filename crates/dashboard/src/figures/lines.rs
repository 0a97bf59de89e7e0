//! The lines of a chart as the engine's columns give them, cut into runs where samples are missing.

use bellwether_core::time::{DurationMs, TimestampMs};

use super::sheet::{Content, Sheet};
use crate::format::{self, Precision, Unit};
use crate::texts::Text;

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
    /// The longest that two points of a run lie apart.
    pub longest_gap: DurationMs,
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
        Self { name, runs, longest_gap: DurationMs::from_millis(longest) }
    }

    /// Whether the latest point still counts at `at`: the line would go on from it without a gap.
    #[must_use]
    pub fn is_current(&self, at: TimestampMs) -> bool {
        self.latest().is_some_and(|latest| at.since(latest.at) <= self.longest_gap)
    }

    /// Whether every point is zero.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.extent() == Some((0.0, 0.0))
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

    /// The outline of the least and greatest samples of a run: its upper edge from left to right, and back along
    /// the lower one. Where one sample is all there is it is as thin as the line, so that nothing is drawn across.
    /// Empty where no point has a band.
    pub fn outline(run: &[Point]) -> impl Iterator<Item = (TimestampMs, f64)> {
        let run = if run.iter().any(|point| point.band.is_some()) { run } else { &[] };
        let edges = |point: &Point| point.band.unwrap_or((point.value, point.value));
        let upper = run.iter().map(move |point| (point.at, edges(point).1));
        upper.chain(run.iter().rev().map(move |point| (point.at, edges(point).0)))
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
    /// How far each point looks back, where that is farther than the point before it.
    pub looks_back: Option<DurationMs>,
    /// When a sample that it is made of was changed last after it was stored.
    pub restated: Option<TimestampMs>,
    /// The line drawn across.
    pub threshold: Option<f64>,
    /// The lines, sorted by labels; where there are more than can be told apart, those with the highest latest figures.
    pub lines: Vec<Line>,
    /// How many lines there are beyond those, all of them lower.
    pub hidden_lines: usize,
    /// How many lines are left out because they are zero throughout, beside others that are not.
    pub idle_lines: usize,
    /// Why there is no line, where the engine says so.
    pub failure: Option<String>,
}

/// The least number of seconds between two rows of a table.
const TABLE_STEPS_SECS: [u64; 9] = [5, 10, 15, 30, 60, 120, 300, 600, 3_600];

impl Strip {
    /// The latest figure of a line as text, with its time where it is not of now; a dash where there is none.
    #[must_use]
    pub fn latest(&self, line: &Line) -> String {
        let text = format::text(line.latest().map(|point| point.value), &self.unit);
        match line.latest() {
            Some(latest) if !line.is_current(self.to) => {
                let time = format::instant(latest.at, self.to);
                // The samples of a rolling window may be older than its end.
                match self.looks_back {
                    Some(length) => Text::LatestIn.fill(&[&text, &format::length(length), &time]),
                    None => Text::LatestAt.fill(&[&text, &time]),
                }
            }
            _ => text,
        }
    }

    /// What the chart shows, in a few sentences.
    #[must_use]
    pub fn summary(&self) -> String {
        let over = format::length(self.to.since(self.from));
        if let Some(failure) = &self.failure {
            return failure.clone();
        }
        let spoken: Vec<_> = self
            .lines
            .iter()
            .filter_map(|line| {
                let (low, high) = line.extent()?;
                let text = |value| format::figure(value, &self.unit).text();
                let name = if line.name.is_empty() { String::new() } else { format!("{}: ", line.name) };
                Some(Text::SummaryLine.fill(&[&name, &self.latest(line), &text(low), &text(high)]))
            })
            .collect();
        if spoken.is_empty() {
            return Text::SummaryNone.fill(&[&self.title, &over]);
        }
        let mut summary = Text::Summary.fill(&[&self.title, &over, &spoken.join("; ")]);
        if let Some(length) = self.looks_back {
            summary.push_str(&Text::SummaryEach.fill(&[&format::length(length)]));
        }
        for (count, text) in [(self.idle_lines, Text::SummaryIdle), (self.hidden_lines, Text::SummaryHidden)] {
            if count > 0 {
                summary.push_str(&text.count(count as u64, &[]));
            }
        }
        summary
    }

    /// What a line is called where it stands alone.
    #[must_use]
    pub fn name<'a>(&'a self, line: &'a Line) -> &'a str {
        if line.name.is_empty() { &self.title } else { &line.name }
    }

    /// The table behind the chart: [`Self::table`] with a column for each line.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let names = self.lines.iter().map(|line| (self.name(line), Content::Figures));
        let columns: Vec<_> = std::iter::once((Text::Time.say(), Content::Words)).chain(names).collect();
        let mut sheet = Sheet::new(&self.title, &columns);
        for (time, figures) in self.table() {
            sheet.push(std::iter::once(time).chain(figures).map(Into::into));
        }
        sheet
    }

    /// Latest, lowest and highest of each line.
    #[must_use]
    pub fn extremes(&self) -> Sheet {
        let figures = Content::Figures;
        let title = Text::ChartFigures.fill(&[&self.title]);
        let columns = [
            (Text::Line.say(), Content::Words),
            (Text::Latest.say(), figures),
            (Text::Lowest.say(), figures),
            (Text::Highest.say(), figures),
        ];
        let mut sheet = Sheet::new(&title, &columns);
        for line in &self.lines {
            let Some((low, high)) = line.extent() else { continue };
            let text = |value| format::figure(value, &self.unit).text();
            sheet.push([self.name(line).into(), self.latest(line).into(), text(low).into(), text(high).into()]);
        }
        sheet
    }

    /// Rows of the table behind the chart, newest first: the figures of now, then about a dozen round times
    /// and the figure of each line there.
    #[must_use]
    pub fn table(&self) -> Vec<(String, Vec<String>)> {
        let span = self.to.since(self.from).as_millis() / 1_000;
        let step = TABLE_STEPS_SECS.into_iter().find(|step| span / step <= 12).unwrap_or(span.div_ceil(12).max(1));
        let round = if step < 60 { Precision::Seconds } else { Precision::Minutes };
        let step_ms = i64::try_from(step * 1_000).unwrap_or(i64::MAX);
        let mut rows = Vec::new();
        // A picture of less than a second past a round time would say that time twice.
        let past = self.to.get().rem_euclid(step_ms);
        let mut end = if past < 1_000 { self.to - DurationMs::from_millis(past.unsigned_abs()) } else { self.to };
        let mut precision = if end == self.to && past > 0 { Precision::Seconds } else { round };
        while end > self.from && rows.len() < 16 {
            let start = TimestampMs::new((end.get() - 1).div_euclid(step_ms) * step_ms).max(self.from);
            // The first row is that of the right edge, whatever time stands there.
            let until = if rows.is_empty() { self.to } else { end };
            let figures: Vec<_> = self
                .lines
                .iter()
                .map(|line| {
                    let last = line.points().rev().find(|point| point.at <= until).filter(|point| point.at > start);
                    format::text(last.map(|point| point.value), &self.unit)
                })
                .collect();
            // Of a table over days a time of day says nothing.
            let time = if span > 72_000 { format::date_and_time(end) } else { format::time_of_day(end, precision) };
            rows.push((time, figures));
            (end, precision) = (start, round);
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
            looks_back: Some(DurationMs::from_minutes(1)),
            restated: None,
            threshold: None,
            lines,
            hidden_lines: 0,
            idle_lines: 0,
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
        let said = |strip: &Strip| strip.summary().replace('\u{a0}', " ");
        let one = strip(vec![line(&[(40, 100.0), (50, 300.0), (60, 200.0)])]);
        assert_eq!(
            said(&one),
            "Response time, the last 1 min: latest 200 ms, between 100 ms and 300 ms. Each point is made of the 1 min \
             before it."
        );
        assert_eq!(said(&strip(vec![])), "Response time: no data in the last 1 min.");
        let partly = Strip { idle_lines: 2, hidden_lines: 1, ..one };
        assert!(
            said(&partly).ends_with("2 more lines stayed at zero. One more line is lower and not drawn."),
            "{}",
            said(&partly)
        );
    }

    #[test]
    fn a_figure_that_is_not_of_now_has_its_time() {
        let points = [(1, 100.0), (2, 120.0), (3, 140.0)];
        let old = line(&points);
        assert!(!old.is_current(TimestampMs::new(60_000)) && old.is_current(TimestampMs::new(8_000)));
        let strip = strip(vec![old.clone()]);
        let said = |strip: &Strip| strip.latest(&old).replace('\u{a0}', " ");
        assert_eq!(said(&strip), "140 ms in the 1 min to 00:00:03");
        assert!(strip.summary().contains("to 00:00:03,"), "{}", strip.summary());
        let state = Strip { looks_back: None, ..strip };
        assert_eq!(said(&state), "140 ms at 00:00:03");
        let now = Strip { to: TimestampMs::new(8_000), ..state };
        assert_eq!(now.latest(&old).replace('\u{a0}', " "), "140 ms");
        assert_eq!(now.latest(&line(&[])), "—");
    }

    #[test]
    fn a_line_of_zeros_is_idle() {
        assert!(line(&[(1, 0.0), (2, 0.0)]).is_idle());
        assert!(!line(&[(1, 0.0), (2, 0.1)]).is_idle());
        assert!(!line(&[]).is_idle(), "nothing is not zero");
    }

    #[test]
    fn the_table_never_says_a_time_twice() {
        let times = |to: i64, minutes: i64| {
            let from = TimestampMs::new(to - minutes * 60_000);
            let rows = Strip { from, to: TimestampMs::new(to), ..strip(vec![line(&[(1, 1.0)])]) }.table();
            rows.into_iter().map(|(time, _)| time).collect::<Vec<_>>()
        };
        for minutes in [1, 5, 15, 60] {
            for past in [0, 1, 400, 999, 1_000, 1_001, 29_900, 59_999] {
                let times = times(7_200_000 + past, minutes);
                let mut once = times.clone();
                once.dedup();
                assert_eq!(times, once, "{minutes} min, {past} ms past");
            }
        }
        assert_eq!(times(7_242_300, 60)[..3], ["02:00:42", "02:00", "01:55"]);
        assert_eq!(times(7_200_400, 60)[..2], ["02:00", "01:55"]);
        assert_eq!(times(7_200_400, 1)[..2], ["02:00:00", "01:59:55"]);
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
