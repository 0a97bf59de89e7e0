//! Instants and lengths of time, in whole milliseconds.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimestampMs(i64);

impl TimestampMs {
    /// The earliest instant of a sample, and with [`TimestampMs::LATEST`] the bounds within which every
    /// millisecond is told apart by JSON and JavaScript too: 285,000 years either side of the epoch.
    pub const EARLIEST: Self = Self(-((1 << 53) - 1));
    /// The latest instant of a sample.
    pub const LATEST: Self = Self((1 << 53) - 1);

    /// The instant `ms` milliseconds after (or, negative, before) the Unix epoch.
    #[must_use]
    pub const fn new(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether a sample can be of that instant.
    pub(crate) fn is_of_samples(self) -> bool {
        (Self::EARLIEST..=Self::LATEST).contains(&self)
    }

    /// The length of time from `earlier` to `self`; zero where `earlier` is the later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> DurationMs {
        let length = self.0.saturating_sub(earlier.0);
        DurationMs(if length < 0 { 0 } else { length.unsigned_abs() })
    }
}

impl Add<DurationMs> for TimestampMs {
    type Output = Self;

    /// Saturates at the greatest instant.
    fn add(self, length: DurationMs) -> Self {
        Self(self.0.saturating_add_unsigned(length.0))
    }
}

impl Sub<DurationMs> for TimestampMs {
    type Output = Self;

    /// Saturates at the least instant.
    fn sub(self, length: DurationMs) -> Self {
        Self(self.0.saturating_sub_unsigned(length.0))
    }
}

/// A length of time in milliseconds, never negative.
///
/// Its text form is the one of Prometheus: `5m`, `1h30m`, `90d`, `500ms`; units from the greatest
/// to the least, each at most once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DurationMs(u64);

impl DurationMs {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `ms` milliseconds.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// `secs` seconds; saturates.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// `minutes` minutes; saturates.
    #[must_use]
    pub const fn from_minutes(minutes: u64) -> Self {
        Self(minutes.saturating_mul(60_000))
    }

    /// `hours` hours; saturates.
    #[must_use]
    pub const fn from_hours(hours: u64) -> Self {
        Self(hours.saturating_mul(3_600_000))
    }

    /// `days` days of 24 hours; saturates.
    #[must_use]
    pub const fn from_days(days: u64) -> Self {
        Self(days.saturating_mul(86_400_000))
    }

    /// The length in milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The length in seconds, with its fraction.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1_000.0
    }
}

/// Text that is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a duration; write it like 30s, 5m, 1h30m or 90d")]
pub struct DurationError {
    /// The text that was given.
    pub text: String,
}

/// The units of the text form, greatest first.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl FromStr for DurationMs {
    type Err = DurationError;

    /// # Errors
    /// [`DurationError`] where the text is empty, has an unknown, repeated or misplaced unit, or is
    /// longer than `u64` milliseconds. A bare `0` is zero.
    fn from_str(text: &str) -> Result<Self, DurationError> {
        let error = || DurationError { text: text.to_owned() };
        if text == "0" {
            return Ok(Self::ZERO);
        }
        if text.is_empty() {
            return Err(error());
        }
        let mut rest = text;
        let mut units = &UNITS[..];
        let mut total = 0_u64;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: u64 = rest[..digits].parse().map_err(|_| error())?;
            let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
            let unit = &rest[digits..digits + letters];
            let place = units.iter().position(|(name, _)| *name == unit).ok_or_else(error)?;
            total = number.checked_mul(units[place].1).and_then(|ms| total.checked_add(ms)).ok_or_else(error)?;
            units = &units[place + 1..];
            rest = &rest[digits + letters..];
        }
        Ok(Self(total))
    }
}

impl fmt::Display for DurationMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        // Years and weeks are read but not written: "90d" says more than "12w6d".
        for (name, ms) in &UNITS[2..] {
            let number = rest / ms;
            if number > 0 {
                write!(f, "{number}{name}")?;
                rest %= ms;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(text.parse::<DurationMs>().ok().map(DurationMs::as_millis), expected, "{text}");
    }

    #[test]
    fn text_becomes_a_length() {
        check("5m", Some(300_000));
        check("1h30m", Some(5_400_000));
        check("90d", Some(7_776_000_000));
        check("1s500ms", Some(1_500));
        check("1y", Some(31_536_000_000));
        check("0", Some(0));
        check("0s", Some(0));
    }

    #[test]
    fn other_text_is_refused() {
        for text in
            ["", "5", "m", "5 m", "-5m", "5m1h", "5m5m", "1.5h", "5M", "99999999999999999999s", "5µs", "9999999999999y"]
        {
            check(text, None);
        }
    }

    #[test]
    fn a_length_reads_back() {
        for ms in [1, 999, 1_000, 61_000, 5_400_000, 86_400_000, 7_776_000_000, 7_776_000_001] {
            let length = DurationMs::from_millis(ms);
            assert_eq!(length.to_string().parse(), Ok(length));
        }
        assert_eq!(DurationMs::from_days(90).to_string(), "90d");
        assert_eq!(DurationMs::ZERO.to_string(), "0s");
    }
}
