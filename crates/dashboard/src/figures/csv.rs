//! A chart as CSV, for a spreadsheet: all of its points, in UTC and with every digit.

use bellwether_core::time::TimestampMs;

use super::Strip;
use crate::format;

/// The points of `strip` as RFC 4180 lines: the time, then a column for each line; a cell is empty where a line has no
/// point. Names come from labels and are only ever text: what a spreadsheet would take for a formula is quoted.
#[must_use]
pub fn csv(strip: &Strip) -> String {
    let mut times: Vec<TimestampMs> = Vec::new();
    for point in strip.lines.iter().flat_map(|line| line.points()) {
        if let Err(place) = times.binary_search(&point.at) {
            times.insert(place, point.at);
        }
    }
    let unit = strip.unit.name();
    let names = strip.lines.iter().map(|line| {
        let name = strip.name(line);
        if unit.is_empty() { cell(name) } else { cell(&format!("{name} ({unit})")) }
    });
    let mut text = std::iter::once("time".to_owned()).chain(names).collect::<Vec<_>>().join(",");
    text.push_str("\r\n");
    let mut courses: Vec<_> = strip.lines.iter().map(|line| line.points().peekable()).collect();
    for time in times {
        text.push_str(&format::iso(time));
        for course in &mut courses {
            text.push(',');
            if let Some(point) = course.next_if(|point| point.at == time) {
                text.push_str(&format::exact(point.value));
            }
        }
        text.push_str("\r\n");
    }
    text
}

/// A name as a cell.
pub(super) fn cell(name: &str) -> String {
    let formula = name.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{name}") } else { name.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use bellwether_core::time::DurationMs;

    use super::super::{Line, Point};
    use super::*;
    use crate::format::Unit;

    fn line(name: &str, points: &[(i64, f64)]) -> Line {
        let points = points.iter().map(|(ms, value)| Point { at: TimestampMs::new(*ms), value: *value, band: None });
        Line::new(name.into(), points.collect(), DurationMs::from_minutes(5))
    }

    fn strip(unit: Unit, lines: Vec<Line>) -> Strip {
        Strip {
            id: "x".into(),
            title: "Resolution".into(),
            unit,
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

    #[test]
    fn each_time_is_one_row_and_what_is_not_there_is_empty() {
        let lines = vec![line("Housing", &[(1_000, 0.1), (2_000, -5.0)]), line("Culture", &[(2_000, 1e9)])];
        let expected = "time,Housing (days),Culture (days)\r\n1970-01-01T00:00:01.000Z,0.1,\r\n\
                        1970-01-01T00:00:02.000Z,-5,1000000000\r\n";
        assert_eq!(csv(&strip(Unit::Days, lines)), expected);
        assert_eq!(csv(&strip(Unit::None, vec![line("", &[])])), "time,Resolution\r\n");
        assert_eq!(csv(&strip(Unit::None, Vec::new())), "time\r\n");
    }

    #[test]
    fn no_name_is_a_formula_or_breaks_a_row() {
        for (name, expected) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("=HYPERLINK(\"a\",1)", "\"'=HYPERLINK(\"\"a\"\",1)\""),
            ("a\nb", "\"a\nb\""),
            ("a=b", "a=b"),
        ] {
            assert_eq!(cell(name), expected, "{name:?}");
        }
    }
}
