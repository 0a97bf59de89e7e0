//! What a chart says at one instant: the reader points at it, or goes from point to point with the keyboard.

use bellwether_core::time::{DurationMs, TimestampMs};

use super::{Line, Point, Strip};
use crate::format::{self, Precision};
use crate::texts::Text;

/// Where a key moves the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// To earlier points, so many.
    Back(u32),
    /// To later points, so many.
    On(u32),
    /// To the first point.
    First,
    /// To the last point.
    Last,
}

impl Move {
    /// The move of a key, by its name in `KeyboardEvent.key`; `None` for a key that moves nothing.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Some(match key {
            "ArrowLeft" => Self::Back(1),
            "ArrowRight" => Self::On(1),
            "PageDown" => Self::Back(10),
            "PageUp" => Self::On(10),
            "Home" => Self::First,
            "End" => Self::Last,
            _ => return None,
        })
    }
}

impl Line {
    /// The point that says how the line stands at `at`: the last one until then. `None` in a gap, before the first point,
    /// and where the line has ended.
    #[must_use]
    pub fn at(&self, at: TimestampMs) -> Option<&Point> {
        let run = self.runs.iter().rfind(|run| run.first().is_some_and(|first| first.at <= at))?;
        let point = run.iter().rfind(|point| point.at <= at)?;
        let within = run.last().is_some_and(|last| last.at >= at);
        (within || (self.latest() == Some(point) && self.is_current(at))).then_some(point)
    }
}

impl Strip {
    /// The instant of a point that lies nearest to `at`; `None` where the chart has none.
    #[must_use]
    pub fn nearest(&self, at: TimestampMs) -> Option<TimestampMs> {
        self.least(&|instant| Some(instant.get().abs_diff(at.get())))
    }

    /// The instant that `by` leads to from `at`; from nowhere every key but the one to the first point leads to the last. At
    /// an end it stays there. `None` where the chart has no point.
    #[must_use]
    pub fn moved(&self, at: Option<TimestampMs>, by: Move) -> Option<TimestampMs> {
        let (first, last) = (self.nearest(TimestampMs::EARLIEST)?, self.nearest(TimestampMs::LATEST)?);
        let (times, later) = match (by, at) {
            (Move::First, _) => return Some(first),
            (Move::Last, _) | (_, None) => return Some(last),
            (Move::Back(times), Some(_)) => (times, false),
            (Move::On(times), Some(_)) => (times, true),
        };
        // What has left the chart on its left meanwhile begins with the first point.
        let mut here = at?.max(first);
        for _ in 0..times {
            let next = self.least(&|instant| {
                let ahead = if later { instant.since(here) } else { here.since(instant) };
                Some(ahead.as_millis()).filter(|ahead| *ahead > 0)
            });
            let Some(next) = next else { break };
            here = next;
        }
        Some(here)
    }

    /// The figure of `line` at `at` as text; a dash where there is none.
    #[must_use]
    pub fn figure_at(&self, line: &Line, at: TimestampMs) -> String {
        format::text(line.at(at).map(|point| point.value), &self.unit)
    }

    /// The instant as its time of day; with the date on a chart that goes over more than most of a day.
    #[must_use]
    pub fn time_at(&self, at: TimestampMs) -> String {
        if self.to.since(self.from) > DurationMs::from_hours(20) {
            format::date_and_time(at)
        } else {
            format::time_of_day(at, Precision::Seconds)
        }
    }

    /// Time and figures of all lines at `at`, in one sentence.
    #[must_use]
    pub fn spoken_at(&self, at: TimestampMs) -> String {
        let figures: Vec<_> = self
            .lines
            .iter()
            .map(|line| {
                let name = if line.name.is_empty() { String::new() } else { format!("{} ", line.name) };
                name + &self.figure_at(line, at)
            })
            .collect();
        Text::CursorSpoken.fill(&[&self.time_at(at), &figures.join("; ")])
    }

    /// The instant of the point with the least `rank` of all lines; what has none does not count. One loop for all who ask.
    fn least(&self, rank: &dyn Fn(TimestampMs) -> Option<u64>) -> Option<TimestampMs> {
        let mut least = None;
        for point in self.lines.iter().flat_map(Line::points) {
            if let Some(rank) = rank(point.at)
                && least.is_none_or(|(found, _)| rank < found)
            {
                least = Some((rank, point.at));
            }
        }
        least.map(|(_, at)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Unit;

    fn line(name: &str, seconds: &[i64]) -> Line {
        let point = |secs: &i64| Point { at: TimestampMs::new(secs * 1_000), value: *secs as f64, band: None };
        Line::new(name.into(), seconds.iter().map(point).collect(), DurationMs::from_minutes(5))
    }

    fn strip(lines: Vec<Line>) -> Strip {
        Strip {
            id: "x".into(),
            title: "Response time".into(),
            unit: Unit::Millis,
            from: TimestampMs::new(0),
            to: TimestampMs::new(60_000),
            looks_back: None,
            restated: None,
            threshold: None,
            lines,
            hidden_lines: 0,
            idle_lines: 0,
            failure: None,
        }
    }

    #[track_caller]
    fn check(line: &Line, at_ms: i64, expected: Option<f64>) {
        assert_eq!(line.at(TimestampMs::new(at_ms)).map(|point| point.value), expected, "{at_ms}");
    }

    #[test]
    fn a_line_is_asked_at_an_instant() {
        let line = line("", &[10, 11, 12, 40, 41]);
        assert_eq!(line.runs.len(), 2, "there is a gap");
        check(&line, 9_999, None);
        check(&line, 10_000, Some(10.0));
        check(&line, 11_900, Some(11.0));
        check(&line, 12_000, Some(12.0));
        check(&line, 12_001, None);
        check(&line, 39_999, None);
        check(&line, 41_000, Some(41.0));
        check(&line, 46_000, Some(41.0));
        check(&line, 46_001, None);
        check(&Line::new(String::new(), Vec::new(), DurationMs::ZERO), 0, None);
    }

    #[track_caller]
    fn check_move(from: Option<i64>, key: &str, expected: i64) {
        let strip = strip(vec![line("a", &[10, 12, 14]), line("b", &[11, 12, 13])]);
        let by = Move::of_key(key).unwrap();
        let at = strip.moved(from.map(|secs| TimestampMs::new(secs * 1_000)), by);
        assert_eq!(at, Some(TimestampMs::new(expected * 1_000)), "{from:?} {key}");
    }

    #[test]
    fn keys_go_from_point_to_point_of_all_lines() {
        check_move(None, "ArrowLeft", 14);
        check_move(None, "Home", 10);
        check_move(Some(14), "ArrowLeft", 13);
        check_move(Some(13), "ArrowLeft", 12);
        check_move(Some(12), "ArrowLeft", 11);
        check_move(Some(10), "ArrowLeft", 10);
        check_move(Some(10), "ArrowRight", 11);
        check_move(Some(14), "ArrowRight", 14);
        check_move(Some(11), "PageUp", 14);
        check_move(Some(14), "PageDown", 10);
        check_move(Some(12), "End", 14);
        // It stood where the chart does not reach any more.
        check_move(Some(3), "ArrowLeft", 10);
        check_move(Some(3), "ArrowRight", 11);
        assert_eq!(Move::of_key("a"), None);
        assert_eq!(strip(vec![]).moved(None, Move::Last), None);
    }

    #[test]
    fn the_pointer_takes_the_nearest_point() {
        let strip = strip(vec![line("a", &[10, 20]), line("b", &[13])]);
        let nearest = |ms| strip.nearest(TimestampMs::new(ms)).map(TimestampMs::get);
        assert_eq!(
            [nearest(0), nearest(11_400), nearest(11_600), nearest(60_000)].map(Option::unwrap),
            [10_000, 10_000, 13_000, 20_000]
        );
    }

    #[test]
    fn what_is_pointed_at_is_said() {
        let strip = strip(vec![line("a", &[10, 11, 12]), line("b", &[40, 41])]);
        let said = |secs: i64| strip.spoken_at(TimestampMs::new(secs * 1_000)).replace('\u{a0}', " ");
        assert_eq!(said(11), "00:00:11: a 11 ms; b —");
        assert_eq!(said(41), "00:00:41: a —; b 41 ms");
    }
}
