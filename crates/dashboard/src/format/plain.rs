//! Figures without a browser, in plain English and UTC: what the native tests read.

use bellwether_core::time::TimestampMs;

use super::{Formatted, Part, Precision, Sign, Style};

/// Short words for the units that `Intl` knows by these names.
const SHORT: [(&str, &str); 12] = [
    ("nanosecond", "ns"),
    ("microsecond", "μs"),
    ("millisecond", "ms"),
    ("second", "s"),
    ("minute", "min"),
    ("hour", "h"),
    ("day", "days"),
    ("byte", "B"),
    ("kilobyte", "kB"),
    ("megabyte", "MB"),
    ("gigabyte", "GB"),
    ("terabyte", "TB"),
];

pub(super) fn number(value: f64, style: &Style, digits: (u8, u8), sign: Sign) -> Formatted {
    let value = if *style == Style::Percent { value * 100.0 } else { value };
    let mut text = format!("{value:.*}", usize::from(digits.1));
    while digits.1 > digits.0 && text.contains('.') && text.ends_with(['0', '.']) {
        text.pop();
    }
    if sign == Sign::Always && value > 0.0 {
        text.insert(0, '+');
    }
    let unit = match style {
        Style::Decimal => String::new(),
        Style::Percent => "%".to_owned(),
        Style::Unit(name) => {
            let (base, per) = name.strip_suffix("-per-second").map_or((*name, ""), |base| (base, "/s"));
            let short = SHORT.iter().find(|(known, _)| *known == base).map_or(base, |(_, short)| short);
            format!("\u{a0}{short}{per}")
        }
        Style::Suffix(suffix) => suffix.to_string(),
    };
    Formatted([(Part::Number, text), (Part::Unit, unit)].into())
}

pub(super) fn time_of_day(at: TimestampMs, precision: Precision) -> String {
    let secs = at.get().div_euclid(1_000).rem_euclid(86_400);
    let (hours, minutes, secs) = (secs / 3_600, secs / 60 % 60, secs % 60);
    match precision {
        Precision::Days => format!("day {}", at.get().div_euclid(86_400_000)),
        Precision::Minutes => format!("{hours:02}:{minutes:02}"),
        Precision::Seconds => format!("{hours:02}:{minutes:02}:{secs:02}"),
    }
}

pub(super) fn date_and_time(at: TimestampMs) -> String {
    format!("day {} {}", at.get().div_euclid(86_400_000), time_of_day(at, Precision::Minutes))
}

/// Good for the first day of 1970: what tests ask for.
pub(super) fn iso(at: TimestampMs) -> String {
    format!("1970-01-01T{}.{:03}Z", time_of_day(at, Precision::Seconds), at.get().rem_euclid(1_000))
}

pub(super) fn exact(value: f64) -> String {
    value.to_string()
}

pub(super) const fn zone_offset_minutes(_: TimestampMs) -> i32 {
    0
}
