//! Figures in the reader's language: which unit, how many digits; the words and digits themselves come
//! from the browser's `Intl`.

#[cfg(target_arch = "wasm32")]
mod intl;
#[cfg(not(target_arch = "wasm32"))]
mod plain;
mod unit;

use std::rc::Rc;

use bellwether_core::time::{DurationMs, TimestampMs};

#[cfg(target_arch = "wasm32")]
use intl as locale;
#[cfg(not(target_arch = "wasm32"))]
use plain as locale;

pub use unit::{Plan, Style, Unit};

/// What a part of a formatted figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Digits, signs and separators.
    Number,
    /// The unit and the space before or after it.
    Unit,
}

/// A formatted figure in parts, so that a card can set the unit smaller than the number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formatted(pub Rc<[(Part, String)]>);

impl Formatted {
    /// The whole figure as one text.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The figure without its unit.
    #[must_use]
    pub fn number(&self) -> String {
        self.0.iter().filter(|(part, _)| *part == Part::Number).map(|(_, text)| text.as_str()).collect()
    }
}

/// Whether a plus sign is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Only a minus sign.
    Negative,
    /// Plus and minus; zero has none.
    Always,
}

/// What an instant is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// The day alone.
    Days,
    /// Hours and minutes.
    Minutes,
    /// Hours, minutes and seconds.
    Seconds,
}

/// What is written where there is no figure; beside it stand the words "no data" for screen readers.
pub const NO_FIGURE: &str = "—";

/// `value` in its unit, with a scale and digits that suit it.
#[must_use]
pub fn figure(value: f64, unit: &Unit) -> Formatted {
    Plan::for_value(value, unit).format(value)
}

/// `value` in its unit as one text; a dash where there is none.
#[must_use]
pub fn text(value: Option<f64>, unit: &Unit) -> String {
    value.map_or_else(|| NO_FIGURE.to_owned(), |value| figure(value, unit).text())
}

/// A whole number in the reader's digits.
#[must_use]
pub fn count(number: u64) -> String {
    locale::number(number as f64, &Style::Decimal, (0, 0), Sign::Negative).text()
}

/// A change of a share, in percentage points, with its sign.
#[must_use]
pub fn points(points: f64) -> String {
    locale::number(points, &Style::Suffix("\u{a0}pp".into()), (1, 1), Sign::Always).text()
}

/// A change in `unit`, with its sign.
#[must_use]
pub fn change(value: f64, unit: &Unit) -> String {
    Plan { sign: Sign::Always, ..Plan::for_value(value, unit) }.format(value).text()
}

/// A relative change, such as `+12 %`.
#[must_use]
pub fn percent_change(share: f64) -> String {
    let digits = u8::from(share.abs() < 0.1);
    locale::number(share, &Style::Percent, (0, digits), Sign::Always).text()
}

/// The time of day in the reader's zone; the day alone where that is asked for.
#[must_use]
pub fn time_of_day(at: TimestampMs, precision: Precision) -> String {
    locale::time_of_day(at, precision)
}

/// The date in the reader's zone, and the time of day.
#[must_use]
pub fn date_and_time(at: TimestampMs) -> String {
    locale::date_and_time(at)
}

/// An instant before `now`: the time of day, and the date where that was long ago.
#[must_use]
pub fn instant(at: TimestampMs, now: TimestampMs) -> String {
    if now.since(at).as_millis() > 20 * 3_600_000 { date_and_time(at) } else { time_of_day(at, Precision::Seconds) }
}

/// What stands before the fraction and between the thousands of a number, as Plotly takes them.
#[cfg(target_arch = "wasm32")]
#[must_use]
pub fn separators() -> String {
    let number = locale::number(12_345.5, &Style::Decimal, (1, 1), Sign::Negative).text();
    // By their places, for not every language writes its digits in ASCII. Some part no thousands of so small a number.
    let letters: Vec<char> = number.chars().collect();
    let decimal = letters.len().checked_sub(2).and_then(|place| letters.get(place));
    let thousands = letters.get(2).filter(|_| letters.len() == "12,345.5".len());
    decimal.into_iter().chain(thousands).collect()
}

/// Whether the reader's clock counts its hours to twelve.
#[cfg(target_arch = "wasm32")]
#[must_use]
pub fn has_noon() -> bool {
    locale::has_noon()
}

/// Forgets the language that was in force.
#[cfg(target_arch = "wasm32")]
pub fn forget() {
    locale::forget();
}

/// An instant for machines, in UTC, such as `2026-11-22T13:45:00.000Z`.
#[must_use]
pub fn iso(at: TimestampMs) -> String {
    locale::iso(at)
}

/// A number for machines: the fewest digits that read back as the same one.
#[must_use]
pub fn exact(value: f64) -> String {
    locale::exact(value)
}

/// An instant as a field for dates and times holds it, in the reader's zone: `2026-11-22T13:45:00`.
#[must_use]
pub fn field(at: TimestampMs) -> String {
    let ahead_ms = i64::from(zone_offset_minutes(at)) * 60_000;
    let mut text = iso(TimestampMs::new(at.get() + ahead_ms));
    text.truncate("2026-11-22T13:45:00".len());
    text
}

/// The instant that such a field holds; `None` where it holds none.
#[cfg(target_arch = "wasm32")]
#[must_use]
pub fn of_field(text: &str) -> Option<TimestampMs> {
    locale::of_field(text)
}

/// Minutes that the reader's zone is ahead of UTC at `at`.
#[must_use]
pub fn zone_offset_minutes(at: TimestampMs) -> i32 {
    locale::zone_offset_minutes(at)
}

/// A length of time in its greatest unit: `45 s`, `2 min`, `3 h`, `90 days`.
#[must_use]
pub fn length(length: DurationMs) -> String {
    let secs = length.as_millis() / 1_000;
    let (number, unit) = match secs {
        0..60 => (secs, "second"),
        3_600 => (1, "hour"),
        86_400 => (1, "day"),
        60..5_400 => (secs / 60, "minute"),
        5_400..172_800 => (secs / 3_600, "hour"),
        _ => (secs / 86_400, "day"),
    };
    locale::number(number as f64, &Style::Unit(unit), (0, 0), Sign::Negative).text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: f64, unit: &str, expected: &str) {
        assert_eq!(figure(value, &Unit::parse(unit)).text().replace('\u{a0}', " "), expected, "{value} {unit}");
    }

    #[test]
    fn figures_keep_three_digits_or_all_before_the_point() {
        check(120.0, "ms", "120 ms");
        check(120.4, "ms", "120 ms");
        check(12.34, "ms", "12.3 ms");
        check(1234.6, "ms", "1235 ms");
        check(4.266, "score", "4.27");
        check(4.266, "stars", "4.27 stars");
        check(3.0, "", "3");
        check(0.0123, "", "0.012");
        check(0.1609, "", "0.16");
        check(99.96, "", "100");
        check(0.0, "ms", "0 ms");
        check(-5.5, "", "-5.50");
    }

    #[test]
    fn figures_find_their_scale() {
        check(0.0042, "s", "4.20 ms");
        check(2.5, "s", "2.50 s");
        check(0.234, "ratio", "23.4%");
        check(1.0, "ratio", "100%");
        check(42.0, "percent", "42%");
        check(8_234_000_000.0, "bytes", "8.23 GB");
        check(999.0, "bytes", "999 B");
        check(20.4, "bytes/s", "20.4 B/s");
        check(0.0, "bytes/s", "0 B/s");
        check(12_345.0, "bytes/s", "12.3 kB/s");
        check(6.5, "days", "6.50 days");
        check(2.5, "/s", "2.50/s");
        check(0.0, "/s", "0/s");
        check(0.02, "/s", "1.20/min");
        check(0.0005, "/s", "1.80/h");
        check(0.02, "bytes/s", "0.02 B/s");
        check(90.0, "s", "90 s");
        check(150.0, "s", "2.50 min");
        check(11_000.0, "s", "3.06 h");
        check(1_000_000.0, "s", "11.6 days");
    }

    #[test]
    fn nothing_is_a_dash() {
        assert_eq!(text(None, &Unit::parse("ms")), "—");
    }

    #[test]
    fn changes_have_a_sign() {
        assert_eq!(points(2.1), "+2.1\u{a0}pp");
        assert_eq!(change(-12.0, &Unit::parse("ms")), "-12\u{a0}ms");
        assert_eq!(percent_change(0.25), "+25%");
    }

    #[test]
    fn a_field_has_whole_seconds() {
        assert_eq!(field(TimestampMs::new(5_025_678)), "1970-01-01T01:23:45");
    }

    #[test]
    fn lengths_read_as_one_unit() {
        assert_eq!(length(DurationMs::from_secs(45)), "45\u{a0}s");
        assert_eq!(length(DurationMs::from_minutes(5)), "5\u{a0}min");
        assert_eq!(length(DurationMs::from_hours(1)), "1\u{a0}h");
        assert_eq!(length(DurationMs::from_minutes(61)), "61\u{a0}min");
        assert_eq!(length(DurationMs::from_days(90)), "90\u{a0}days");
    }
}
