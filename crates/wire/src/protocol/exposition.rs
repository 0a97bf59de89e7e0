//! The text that a `/metrics` page holds, pushed: the format of Prometheus and OpenMetrics.
//!
//! Sources: Prometheus' exposition formats; OpenMetrics 1.0. A timestamp is in milliseconds in the one and in
//! seconds in the other. Exemplars are dropped and counted.

use std::collections::HashMap;

use bellwether_core::labels::{Labels, MAX_LABELS, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::TimestampMs;

use super::{Delivered, LabelBytes, Places, ProtocolError, negative_timestamp, not_finite, unnamed};
use crate::ingest::{IngestedSample, NAME_LABEL, Rejection, RejectionCode, Repeats};

/// The two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `text/plain`
    Prometheus,
    /// `application/openmetrics-text`
    OpenMetrics,
}

impl Format {
    /// The format that a `Content-Type` names, Prometheus' where the header is not there; `None` for any type
    /// that is not taken.
    #[must_use]
    pub fn of_content_type(header: Option<&str>) -> Option<Self> {
        let Some(header) = header else { return Some(Self::Prometheus) };
        match header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "" | "text/plain" => Some(Self::Prometheus),
            "application/openmetrics-text" => Some(Self::OpenMetrics),
            _ => None,
        }
    }
}

/// Reads a body; `received_at` is the timestamp of samples that bring none, and `more` are labels of all of
/// them, where they have none of that name.
///
/// # Errors
/// [`ProtocolError`] where the body as a whole cannot be read; a fault of one line is in
/// [`Delivered::rejected`] instead, with its number.
pub fn decode(
    body: &[u8],
    format: Format,
    received_at: TimestampMs,
    more: &[(String, String)],
) -> Result<Delivered, ProtocolError> {
    let text = std::str::from_utf8(body).map_err(|error| ProtocolError::Malformed {
        message: "exposition text",
        reason: format!("byte {} is not UTF-8", error.valid_up_to()),
    })?;
    let mut reader = Reader {
        format,
        received_at,
        more,
        kinds: HashMap::new(),
        places: Places::default(),
        label_bytes: LabelBytes::default(),
        delivered: Delivered::default(),
    };
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            let mut words = comment.split_whitespace();
            if let (Some("TYPE"), Some(name), Some(word)) = (words.next(), words.next(), words.next()) {
                reader.kinds.extend(kind_of(word).map(|kind| (name, kind)));
            }
        } else if !line.is_empty() {
            let index = reader.places.next()?;
            match reader.line(line) {
                Ok(line) => reader.take(index, line)?,
                Err(reason) => {
                    let message = format_args!("line {}: {reason}", number + 1);
                    reader.delivered.rejected.push(Rejection::new(index, RejectionCode::BadLine, message));
                }
            }
        }
    }
    Ok(reader.delivered)
}

fn kind_of(word: &str) -> Option<Kind> {
    match word {
        "counter" => Some(Kind::Counter),
        "gauge" | "info" | "stateset" | "gaugehistogram" => Some(Kind::Gauge),
        _ => None,
    }
}

struct Reader<'a> {
    format: Format,
    received_at: TimestampMs,
    more: &'a [(String, String)],
    kinds: HashMap<&'a str, Kind>,
    places: Places,
    label_bytes: LabelBytes,
    delivered: Delivered,
}

/// A line as it was read.
struct Line {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
    at: TimestampMs,
    repeats: Repeats,
}

impl Reader<'_> {
    /// Reads a line.
    ///
    /// # Errors
    /// In words, of the line as a whole.
    fn line(&mut self, line: &str) -> Result<Line, String> {
        let name_end = line.find(['{', ' ', '\t']).ok_or("there is no value")?;
        let (mut name, mut rest) = (line[..name_end].to_owned(), line[name_end..].trim_start());
        let mut labels = Vec::new();
        if let Some(after) = rest.strip_prefix('{') {
            rest = read_labels(after, &mut name, &mut labels)?.trim_start();
        }
        if let Some((sample, _exemplar)) = rest.split_once(" # ") {
            self.delivered.exemplars += 1;
            rest = sample;
        }
        let mut words = rest.split_whitespace();
        let value = words.next().ok_or("there is no value")?;
        let value: f64 = value.parse().map_err(|_| format!("{value:?} is no value"))?;
        let (at, repeats) = match words.next() {
            None => (self.received_at, Repeats::Count),
            Some(text) => (self.timestamp(text).ok_or_else(|| format!("{text:?} is no timestamp"))?, Repeats::Once),
        };
        if let Some(word) = words.next() {
            return Err(format!("{word:?} is one word too many"));
        }
        Ok(Line { name, labels, value, at, repeats })
    }

    /// Takes a line that was read.
    fn take(&mut self, index: usize, line: Line) -> Result<(), ProtocolError> {
        let Line { name, mut labels, value, at, repeats } = line;
        for (label, value) in self.more {
            // One too many is enough to be refused.
            if labels.len() <= MAX_LABELS && !labels.iter().any(|(known, _)| known == label) {
                labels.push((label.clone(), value.clone()));
            }
        }
        self.label_bytes.add(&name, &labels)?;
        let key = MetricName::new(&name).and_then(|metric| Ok(SeriesKey { metric, labels: Labels::new(labels)? }));
        match key {
            Err(error) => self.delivered.rejected.push(unnamed(index, &error)),
            Ok(key) if at.get() < 0 => {
                self.delivered.rejected.push(negative_timestamp(index, &key, at.get()));
            }
            Ok(key) => self.sample(index, key, at, value, repeats),
        }
        Ok(())
    }

    fn sample(&mut self, index: usize, key: SeriesKey, at: TimestampMs, value: f64, repeats: Repeats) {
        let Ok(sample) = Sample::new(at, value) else {
            self.delivered.rejected.push(not_finite(index, &key, value));
            return;
        };
        let name = key.metric.as_str();
        // OpenMetrics names the family without the suffix of its samples.
        let described = self.kinds.get(name).or_else(|| self.kinds.get(name.strip_suffix("_total")?));
        let kind = described.copied().or_else(|| Kind::implied_by(name)).unwrap_or(Kind::Gauge);
        let (suggested, kind, unit, reference) = (Some(kind), None, None, None);
        self.delivered.samples.push(IngestedSample { index, key, sample, kind, suggested, repeats, unit, reference });
    }

    fn timestamp(&self, text: &str) -> Option<TimestampMs> {
        match self.format {
            Format::Prometheus => text.parse().ok().map(TimestampMs::new),
            Format::OpenMetrics => {
                let ms = (text.parse::<f64>().ok()? * 1_000.0).round();
                // Up to here a float tells neighbouring whole numbers apart.
                (ms.abs() <= 9_007_199_254_740_992.0).then_some(TimestampMs::new(ms as i64))
            }
        }
    }
}

/// Reads labels up to the closing brace; what comes after it. A text without a name is the metric's.
fn read_labels<'a>(text: &'a str, metric: &mut String, labels: &mut Vec<(String, String)>) -> Result<&'a str, String> {
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok(after);
        }
        let (name, after) = if rest.starts_with('"') {
            let (name, after) = quoted(rest)?;
            (name, after.trim_start())
        } else {
            let end = rest.find(['=', ',', '}']).ok_or("the labels do not end")?;
            (rest[..end].trim().to_owned(), &rest[end..])
        };
        rest = match after.strip_prefix('=') {
            Some(value) => {
                let (value, after) = quoted(value.trim_start())?;
                if name.is_empty() || name == NAME_LABEL {
                    return Err(format!("{name:?} is no name of a label"));
                }
                labels.push((name, value));
                after.trim_start()
            }
            None if metric.is_empty() && rest.starts_with('"') => {
                *metric = name;
                after
            }
            None => return Err(format!("label {name:?} has no value")),
        };
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.starts_with('}') => {}
            None => return Err("there is no comma between two labels".to_owned()),
        }
    }
}

/// A text in quotes, and what comes after it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let inner = text.strip_prefix('"').ok_or("a label's value is not in quotes")?;
    let mut plain = String::new();
    let mut letters = inner.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return Ok((plain, &inner[place + 1..])),
            '\\' => match letters.next() {
                Some((_, 'n')) => plain.push('\n'),
                Some((_, letter)) => plain.push(letter),
                None => break,
            },
            letter => plain.push(letter),
        }
    }
    Err("a text in quotes does not end".to_owned())
}
