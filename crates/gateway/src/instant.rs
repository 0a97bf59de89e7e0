//! Instants as people write them.

use bellwether_core::time::TimestampMs;

/// `2026-11-22T06:34:43.120Z`, by Howard Hinnant's `civil_from_days`.
pub(crate) fn rfc3339(at: TimestampMs) -> String {
    let ms = at.get();
    let (days, ms_of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (seconds, ms) = (ms_of_day / 1_000, ms_of_day % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// The instant that a text names: milliseconds since 1970, or RFC 3339 in UTC, of which the end may be left
/// out: `2026-11-22`, `2026-11-22T06:34Z`, `2026-11-22T06:34:43.120Z`.
pub(crate) fn parse(text: &str) -> Option<TimestampMs> {
    if let Ok(ms) = text.parse() {
        return Some(TimestampMs::new(ms));
    }
    let (day, time) = match text.split_once(['T', 't', ' ']) {
        Some((day, time)) => (day, time.strip_suffix(['Z', 'z'])?),
        None => (text, "00:00"),
    };
    let days = days_since_1970(day)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = time.split(':');
    let hour = number(parts.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = number(parts.next()?, 2).filter(|minute| *minute < 60)?;
    let second = parts.next().map_or(Some(0), |second| number(second, 2)).filter(|second| *second < 60)?;
    let digits = fraction.len();
    let ms = number(fraction, digits).filter(|_| (1..=3).contains(&digits))? * 10_i64.pow(3 - digits as u32);
    if parts.next().is_some() {
        return None;
    }
    Some(TimestampMs::new(days * 86_400_000 + ((hour * 60 + minute) * 60 + second) * 1_000 + ms))
}

/// `2026-11-22`, by Howard Hinnant's `days_from_civil`.
fn days_since_1970(day: &str) -> Option<i64> {
    let mut parts = day.split('-');
    let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if parts.next().is_some() || !(1..=last).contains(&day) {
        return None;
    }
    let shifted = year - i64::from(month <= 2);
    let (era, year_of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// A whole number of so many digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    if text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(ms: i64, expected: &str) {
        assert_eq!(rfc3339(TimestampMs::new(ms)), expected);
    }

    #[test]
    fn instants_are_written_as_utc() {
        check(0, "1970-01-01T00:00:00.000Z");
        check(951_826_923_456, "2000-02-29T12:22:03.456Z");
        check(1_795_329_283_120, "2026-11-22T06:34:43.120Z");
        check(4_107_542_400_000, "2100-03-01T00:00:00.000Z");
        check(-1, "1969-12-31T23:59:59.999Z");
    }

    #[track_caller]
    fn reads(text: &str, expected: Option<i64>) {
        assert_eq!(parse(text), expected.map(TimestampMs::new), "{text}");
    }

    #[test]
    fn instants_are_read_in_parts_and_whole() {
        reads("0", Some(0));
        reads("-7", Some(-7));
        reads("1795329283120", Some(1_795_329_283_120));
        reads("1970-01-02", Some(86_400_000));
        reads("2026-11-22T06:34Z", Some(1_795_329_240_000));
        reads("2026-11-22 06:34:43Z", Some(1_795_329_283_000));
        reads("2026-11-22T06:34:43.12Z", Some(1_795_329_283_120));
        reads("2000-02-29", Some(951_782_400_000));
        for text in [
            "",
            "now",
            "2026-11",
            "2026-11-31",
            "1900-02-29",
            "2026-13-01",
            "2026-1-1",
            "2026-11-22T06:34",
            "2026-11-22T24:00Z",
            "2026-11-22T06:60Z",
            "2026-11-22T06:34:43.1234Z",
            "2026-11-22T06Z",
            "2026-11-22T06:34:43+01:00",
            "2026-11-22-01",
        ] {
            reads(text, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(ms in -60_000_000_000_000_i64..200_000_000_000_000) {
            prop_assert_eq!(parse(&rfc3339(TimestampMs::new(ms))), Some(TimestampMs::new(ms)));
        }
    }
}
