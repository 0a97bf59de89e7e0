//! Units of a board, and the scale and digits that a value in them is written with.

use std::rc::Rc;

use super::{Formatted, Part, Sign, locale};

/// What the values of a figure are measured in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A bare number.
    None,
    /// Milliseconds.
    Millis,
    /// Seconds; written in what suits the size, from nanoseconds to days.
    Secs,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// A share of 1, written in percent.
    Ratio,
    /// Already in percent.
    Percent,
    /// Bytes, written in kB, MB, GB (powers of 1,000).
    Bytes,
    /// Bytes a second.
    BytesPerSec,
    /// So many a second; few are written as so many a minute or an hour.
    PerSec,
    /// Any other unit, written as it is.
    Other(Rc<str>),
}

impl Unit {
    /// The unit that a board's text names.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            // A score is a bare number: nobody says "4 score".
            "" | "1" | "count" | "score" => Self::None,
            "ms" | "milliseconds" => Self::Millis,
            "s" | "seconds" => Self::Secs,
            "min" | "minutes" => Self::Minutes,
            "h" | "hours" => Self::Hours,
            "d" | "day" | "days" => Self::Days,
            "ratio" => Self::Ratio,
            "%" | "percent" => Self::Percent,
            "B" | "By" | "byte" | "bytes" => Self::Bytes,
            "B/s" | "By/s" | "bytes/s" | "bytes/second" => Self::BytesPerSec,
            "/s" | "1/s" | "per second" => Self::PerSec,
            other => Self::Other(other.into()),
        }
    }

    /// The unit that values are in before a scale is chosen, in a word; empty for a bare number.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::None => "",
            Self::Millis => "ms",
            Self::Secs => "s",
            Self::Minutes => "min",
            Self::Hours => "h",
            Self::Days => "days",
            Self::Ratio => "ratio",
            Self::Percent => "%",
            Self::Bytes => "bytes",
            Self::BytesPerSec => "bytes/s",
            Self::PerSec => "/s",
            Self::Other(name) => name,
        }
    }
}

/// How a number and its unit are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Style {
    /// A bare number.
    Decimal,
    /// A share of 1 as a percentage.
    Percent,
    /// A unit that `Intl` knows, by its name there.
    Unit(&'static str),
    /// A number and this text.
    Suffix(Rc<str>),
}

/// The scale, digits and unit that a value, or all values of an axis, are written with.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What a value is multiplied with.
    pub factor: f64,
    /// Least and most digits after the point.
    pub digits: (u8, u8),
    /// The unit.
    pub style: Style,
    /// Whether a plus sign is written.
    pub sign: Sign,
}

/// Factor, unit, and the least of that unit that is written in it: 90 s is read more easily than 1.5 min.
const SECONDS: [(f64, &str, f64); 7] = [
    (1.0 / 86_400.0, "day", 2.0),
    (1.0 / 3_600.0, "hour", 2.0),
    (1.0 / 60.0, "minute", 2.0),
    (1.0, "second", 1.0),
    (1e3, "millisecond", 1.0),
    (1e6, "microsecond", 1.0),
    (1e9, "nanosecond", 0.0),
];
/// A rate that is too small for a second is one of a minute or an hour.
const RATES: [(f64, &str); 3] = [(1.0, "/s"), (60.0, "/min"), (3_600.0, "/h")];
const BYTES: [(f64, &str, &str); 5] = [
    (1e-12, "terabyte", "terabyte-per-second"),
    (1e-9, "gigabyte", "gigabyte-per-second"),
    (1e-6, "megabyte", "megabyte-per-second"),
    (1e-3, "kilobyte", "kilobyte-per-second"),
    (1.0, "byte", "byte-per-second"),
];

impl Plan {
    /// The plan that suits one value.
    #[must_use]
    pub fn for_value(value: f64, unit: &Unit) -> Self {
        let (factor, style) = Self::scale(value, unit);
        let shown = if style == Style::Percent { value * 100.0 } else { value * factor };
        // A whole number of a hundred cases is no "100.0 cases".
        let digits = if shown.fract() == 0.0 { (0, 0) } else { Self::digits(shown) };
        Self { factor, digits, style, sign: Sign::Negative }
    }

    /// The plan of an axis that goes up to `greatest` in steps of `step`: one scale for all its labels.
    #[must_use]
    pub fn for_axis(greatest: f64, step: f64, unit: &Unit) -> Self {
        let (factor, style) = Self::scale(greatest, unit);
        let shown = if style == Style::Percent { step * 100.0 } else { step * factor };
        let digits = if shown > 0.0 { (-shown.log10().floor()).clamp(0.0, 9.0) as u8 } else { 0 };
        // A step such as 2.5 needs one digit more than its size says.
        let place = 10_f64.powi(i32::from(digits));
        let digits = digits + u8::from(((shown * place).round() - shown * place).abs() > 1e-6);
        Self { factor, digits: (digits, digits), style, sign: Sign::Negative }
    }

    /// Writes a value.
    #[must_use]
    pub fn format(&self, value: f64) -> Formatted {
        locale::number(value * self.factor, &self.style, self.digits, self.sign)
    }

    /// The unit alone, with the space before it.
    #[must_use]
    pub fn unit_text(&self) -> String {
        let parts = self.format(0.0).0;
        parts.iter().filter(|(part, _)| *part == Part::Unit).map(|(_, text)| text.as_str()).collect()
    }

    fn scale(value: f64, unit: &Unit) -> (f64, Style) {
        let size = value.abs();
        match unit {
            Unit::None => (1.0, Style::Decimal),
            Unit::Millis => (1.0, Style::Unit("millisecond")),
            Unit::Secs => {
                let fits = |(factor, _, least): &&(f64, &str, f64)| size * factor >= *least;
                // Zero is no nanoseconds.
                let known = if size == 0.0 { SECONDS.get(3) } else { SECONDS.iter().find(fits) };
                let (factor, name, _) = known.unwrap_or(&SECONDS[6]);
                (*factor, Style::Unit(name))
            }
            Unit::Minutes => (1.0, Style::Unit("minute")),
            Unit::Hours => (1.0, Style::Unit("hour")),
            Unit::Days => (1.0, Style::Unit("day")),
            Unit::Ratio => (1.0, Style::Percent),
            Unit::Percent => (0.01, Style::Percent),
            Unit::Bytes | Unit::BytesPerSec => {
                let fits = |(factor, ..): &&(f64, &str, &str)| size * factor >= 1.0;
                let (factor, total, rate) = BYTES.iter().find(fits).unwrap_or(&BYTES[4]);
                (*factor, Style::Unit(if *unit == Unit::Bytes { total } else { rate }))
            }
            Unit::PerSec => {
                let fits = |(factor, _): &&(f64, &str)| size == 0.0 || size * factor >= 0.1;
                let (factor, suffix) = RATES.iter().find(fits).unwrap_or(&RATES[2]);
                (*factor, Style::Suffix((*suffix).into()))
            }
            Unit::Other(text) => (1.0, Style::Suffix(format!("\u{a0}{text}").into())),
        }
    }

    /// Three digits in all, and never fewer than stand before the point.
    fn digits(shown: f64) -> (u8, u8) {
        // The edges are where rounding leads to the next power of ten.
        match shown.abs() {
            99.95.. => (0, 0),
            9.995.. => (1, 1),
            0.9995.. => (2, 2),
            0.1.. => (0, 2),
            0.01.. => (0, 3),
            // One ten-thousandth shows as 0.0001, what is smaller still as 0.
            _ => (0, 4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(greatest: f64, step: f64, unit: &str, value: f64, expected: &str) {
        let plan = Plan::for_axis(greatest, step, &Unit::parse(unit));
        assert_eq!(plan.format(value).text().replace('\u{a0}', " "), expected);
    }

    #[test]
    fn an_axis_has_one_scale() {
        check(400.0, 100.0, "ms", 300.0, "300 ms");
        check(5.0, 0.5, "", 2.0, "2.0");
        check(5.0, 2.5, "", 2.5, "2.5");
        check(0.01, 0.0025, "s", 0.0025, "2.5 ms");
        check(1.0, 0.25, "ratio", 0.25, "25%");
        check(0.01, 0.0025, "ratio", 0.0025, "0.25%");
        check(3e9, 1e9, "bytes", 0.0, "0 GB");
        check(3e9, 5e8, "bytes", 5e8, "0.5 GB");
        check(0.5, 0.1, "bytes/s", 0.3, "0.3 B/s");
        check(0.01, 0.0025, "/s", 0.005, "0.30/min");
        check(7_200.0, 1_800.0, "s", 5_400.0, "1.5 h");
    }

    #[test]
    fn an_axis_names_its_unit_once() {
        let unit = |greatest, unit| {
            Plan::for_axis(greatest, greatest / 4.0, &Unit::parse(unit)).unit_text().replace('\u{a0}', " ")
        };
        assert_eq!(unit(0.4, "bytes/s"), " B/s");
        assert_eq!(unit(4e6, "bytes/s"), " MB/s");
        assert_eq!(unit(0.02, "s"), " ms");
        assert_eq!(unit(0.5, "ratio"), "%");
        assert_eq!(unit(5.0, ""), "");
    }
}
