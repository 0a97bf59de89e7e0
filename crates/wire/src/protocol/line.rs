//! Influx line protocol: `measurement,tag=value field=1,other=2i 1700000000000000000`.
//!
//! Each field becomes a sample of the metric `measurement_field`, the tags are its labels. Numbers and
//! booleans (1 and 0) are values; texts are none and are refused. A small parser of our own: the one crate
//! there is brings a parser generator and keeps its fields as texts.
//!
//! Source: InfluxDB's line protocol reference. DIFFERENCE: there, a later value at the same timestamp
//! replaces the earlier one; here it is refused, for what was acknowledged stays.

use bellwether_core::labels::{Labels, MAX_NAME_BYTES, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::TimestampMs;

use super::{Delivered, Places, ProtocolError, not_finite, unnamed};
use crate::ingest::{IngestedSample, NAME_LABEL, NAMED_BYTES, Rejection, RejectionCode, Repeats};
use crate::start::start_of;

/// In what a timestamp is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// `ns`, as where nothing is said.
    Nanoseconds,
    /// `us` or `u`
    Microseconds,
    /// `ms`
    Milliseconds,
    /// `s`
    Seconds,
    /// `m`
    Minutes,
    /// `h`
    Hours,
}

impl Precision {
    /// The precision that a parameter names; `None` where it is none.
    ///
    /// ```
    /// use bellwether_wire::protocol::line::Precision;
    /// assert_eq!(Precision::of("ms"), Some(Precision::Milliseconds));
    /// assert_eq!(Precision::of("days"), None);
    /// ```
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        match text {
            "ns" | "n" => Some(Self::Nanoseconds),
            "us" | "u" | "µ" => Some(Self::Microseconds),
            "ms" => Some(Self::Milliseconds),
            "s" => Some(Self::Seconds),
            "m" => Some(Self::Minutes),
            "h" => Some(Self::Hours),
            _ => None,
        }
    }

    /// In milliseconds, rounded down.
    fn milliseconds(self, timestamp: i64) -> Option<i64> {
        match self {
            Self::Nanoseconds => Some(timestamp.div_euclid(1_000_000)),
            Self::Microseconds => Some(timestamp.div_euclid(1_000)),
            Self::Milliseconds => Some(timestamp),
            Self::Seconds => timestamp.checked_mul(1_000),
            Self::Minutes => timestamp.checked_mul(60_000),
            Self::Hours => timestamp.checked_mul(3_600_000),
        }
    }
}

/// Reads a body; `received_at` is the timestamp of lines that bring none.
///
/// # Errors
/// [`ProtocolError`] where the body as a whole cannot be read; a fault of one line or field is in
/// [`Delivered::rejected`] instead, with the number of its line.
pub fn decode(body: &[u8], precision: Precision, received_at: TimestampMs) -> Result<Delivered, ProtocolError> {
    let text = std::str::from_utf8(body).map_err(|error| ProtocolError::Malformed {
        message: "line protocol",
        reason: format!("byte {} is not UTF-8", error.valid_up_to()),
    })?;
    let mut reader = Reader { precision, received_at, places: Places::default(), delivered: Delivered::default() };
    let mut rest = text;
    let mut number = 1;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(end_of_line(rest));
        let lines = line.matches('\n').count();
        let line = line.trim_matches(['\r', '\n', ' ', '\t']);
        if !line.is_empty() && !line.starts_with('#') {
            reader.line(number, line)?;
        }
        number += lines;
        rest = after;
    }
    Ok(reader.delivered)
}

/// Where a line ends, its newline included: one within a text in quotes is part of it.
fn end_of_line(text: &str) -> usize {
    if text.trim_start_matches([' ', '\t']).starts_with('#') {
        // In a comment quotes and backslashes mean nothing.
        return text.find('\n').map_or(text.len(), |place| place + 1);
    }
    let (mut is_quoted, mut is_escaped, mut is_in_fields) = (false, false, false);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' if is_in_fields => is_quoted = !is_quoted,
            b' ' if !is_quoted => is_in_fields = true,
            b'\n' if !is_quoted => return place + 1,
            _ => {}
        }
    }
    text.len()
}

/// The text up to the first of `ends` that no backslash escapes and no quotes hold, and what comes from there.
fn until<'a>(text: &'a str, ends: &[u8]) -> (&'a str, &'a str) {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' if ends.contains(&b'"') => is_quoted = !is_quoted,
            byte if !is_quoted && byte != b'"' && ends.contains(&byte) => return text.split_at(place),
            _ => {}
        }
    }
    text.split_at(text.len())
}

/// A name or a tag without its backslashes.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let escapes = letter == '\\' && matches!(letters.peek(), Some(',' | '=' | ' '));
        if !escapes {
            plain.push(letter);
        }
    }
    plain
}

struct Reader {
    precision: Precision,
    received_at: TimestampMs,
    places: Places,
    delivered: Delivered,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), ProtocolError> {
        if let Err(reason) = self.fields(number, line)? {
            let message = format_args!("line {number}: {reason}");
            let index = self.places.next()?;
            self.delivered.rejected.push(Rejection::new(index, RejectionCode::BadLine, message));
        }
        Ok(())
    }

    /// Takes the fields of a line; an error in words is of the line as a whole.
    fn fields(&mut self, number: usize, line: &str) -> Result<Result<(), String>, ProtocolError> {
        let (measurement, mut rest) = until(line, b", ");
        if measurement.is_empty() {
            return Ok(Err("there is no measurement".to_owned()));
        }
        let measurement = unescaped(measurement);
        let mut labels: Vec<(String, String)> = Vec::new();
        while let Some(tag) = rest.strip_prefix(',') {
            let (name, after) = until(tag, b"=, ");
            let Some(value) = after.strip_prefix('=') else {
                return Ok(Err(format!("tag {name:?} has no value")));
            };
            let (value, after) = until(value, b", ");
            if name.is_empty() || name == NAME_LABEL {
                return Ok(Err(format!("{name:?} is no name of a tag")));
            }
            labels.push((unescaped(name), unescaped(value)));
            rest = after;
        }
        let (fields, timestamp) = until(rest.trim_start_matches(' '), b"\" ");
        let timestamp = timestamp.trim_matches(' ');
        let (at, repeats) = match timestamp {
            // The gateway's own time: two lines of one millisecond are two.
            "" => (self.received_at, Repeats::Count),
            text => {
                let given = text.parse().ok().and_then(|given| self.precision.milliseconds(given));
                let Some(at) = given.filter(|at| *at >= 0) else {
                    return Ok(Err(format!("{text:?} is no timestamp")));
                };
                (TimestampMs::new(at), Repeats::Once)
            }
        };
        if fields.is_empty() {
            return Ok(Err("there is no field".to_owned()));
        }
        let labels = Labels::new(labels);
        let mut rest = fields;
        loop {
            let (name, after) = until(rest, b"=, ");
            let Some(value) = after.strip_prefix('=').filter(|_| !name.is_empty()) else {
                return Ok(Err(format!("field {name:?} has no value")));
            };
            let (value, after) = until(value, b"\",");
            let index = self.places.next()?;
            // A measurement that is too long already is not copied for each of its fields.
            let metric = if measurement.len() > MAX_NAME_BYTES {
                MetricName::new(&measurement)
            } else {
                MetricName::new(&format!("{measurement}_{}", unescaped(name)))
            };
            match metric.and_then(|metric| Ok(SeriesKey { metric, labels: labels.clone()? })) {
                Ok(key) => self.field(number, index, key, value, at, repeats),
                Err(error) => self.delivered.rejected.push(unnamed(index, &error)),
            }
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None => return Ok(Ok(())),
            }
        }
    }

    fn field(&mut self, number: usize, index: usize, key: SeriesKey, text: &str, at: TimestampMs, repeats: Repeats) {
        let value = match value(text) {
            Ok(value) => value,
            Err(reason) => {
                let metric = start_of(&key.metric, NAMED_BYTES);
                let message = format_args!("line {number}: {metric} is {reason}");
                self.delivered.rejected.push(Rejection::new(index, RejectionCode::BadValue, message));
                return;
            }
        };
        let Ok(sample) = Sample::new(at, value) else {
            self.delivered.rejected.push(not_finite(index, &key, value));
            return;
        };
        let suggested = Some(Kind::implied_by(key.metric.as_str()).unwrap_or(Kind::Gauge));
        let (kind, unit, reference) = (None, None, None);
        self.delivered.samples.push(IngestedSample { index, key, sample, kind, suggested, repeats, unit, reference });
    }
}

/// The value of a field.
fn value(text: &str) -> Result<f64, String> {
    match text {
        "t" | "T" | "true" | "True" | "TRUE" => return Ok(1.0),
        "f" | "F" | "false" | "False" | "FALSE" => return Ok(0.0),
        _ if text.starts_with('"') => return Err("a text, which is no value; leave the field out".to_owned()),
        _ => {}
    }
    let whole = text.strip_suffix('i').map(|digits| digits.parse::<i64>().ok().map(|whole| whole as f64));
    let whole =
        whole.or_else(|| text.strip_suffix('u').map(|digits| digits.parse::<u64>().ok().map(|whole| whole as f64)));
    let is_number = text.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    let float = || text.parse().ok().filter(|_| is_number);
    whole.unwrap_or_else(float).ok_or_else(|| format!("{text:?}, which is no number"))
}
