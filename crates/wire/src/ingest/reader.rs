//! Samples from JSON text, in one pass and without a tree of values in between.

use std::borrow::Cow;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::TimestampMs;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use super::draft::{Draft, Fault, Pairs, ReadSample, Stops};
use super::rejection::scale_hint;
use super::{
    BodyError, Ingested, IngestedSample, MAX_REF_BYTES, MAX_SAMPLES, MAX_UNIT_BYTES, Rejection, RejectionCode, Repeats,
};
use crate::json::{Any, shortened, syntax_reason};

/// The label that protocols keep the metric name in.
pub(crate) const NAME_LABEL: &str = "__name__";

/// Reads a body that is one object or one array of them.
pub(super) fn json(text: &str, received_at: TimestampMs) -> Result<Ingested, BodyError> {
    let found = match text.trim_start().as_bytes().first() {
        Some(b'{') => return one(text, received_at),
        Some(b'[') => return many(text, received_at),
        Some(b'"') => "a JSON string",
        Some(b'-' | b'0'..=b'9') => "a JSON number",
        Some(b't' | b'f' | b'n') => "a JSON word",
        _ => "no JSON value",
    };
    // Only what is JSON at all can be the wrong JSON.
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Err(BodyError::NotSamples { found }),
        Err(error) => Err(body_error(text, &error, &Stops::default())),
    }
}

fn one(text: &str, received_at: TimestampMs) -> Result<Ingested, BodyError> {
    let stops = Stops::default();
    let mut sink = Sink::new(received_at);
    let mut parser = serde_json::Deserializer::from_str(text);
    let draft = Any(ReadSample { stops: &stops, depth: 1 }).deserialize(&mut parser).and_then(|draft| {
        parser.end()?;
        Ok(draft)
    });
    sink.take(draft.map_err(|error| body_error(text, &error, &stops))?);
    Ok(sink.ingested)
}

fn many(text: &str, received_at: TimestampMs) -> Result<Ingested, BodyError> {
    let stops = Stops::default();
    let mut sink = Sink::new(received_at);
    let mut parser = serde_json::Deserializer::from_str(text);
    let read = parser.deserialize_seq(SamplesVisitor { stops: &stops, sink: &mut sink }).and_then(|()| parser.end());
    read.map_err(|error| body_error(text, &error, &stops))?;
    Ok(sink.ingested)
}

/// Reads a body of one object a line; a line that is not JSON refuses only itself.
pub(super) fn ndjson(text: &str, received_at: TimestampMs) -> Result<Ingested, BodyError> {
    let mut sink = Sink::new(received_at);
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        if sink.index >= MAX_SAMPLES {
            return Err(BodyError::TooManySamples);
        }
        let stops = Stops::default();
        let mut parser = serde_json::Deserializer::from_str(line);
        let draft = Any(ReadSample { stops: &stops, depth: 1 }).deserialize(&mut parser).and_then(|draft| {
            parser.end()?;
            Ok(draft)
        });
        match draft {
            Ok(draft) => sink.take(draft),
            Err(error) if stops.too_deep.get() => {
                return Err(BodyError::TooDeep { line: place + 1, column: error.column() });
            }
            Err(error) => sink.reject(Fault {
                code: RejectionCode::NotJson,
                message: format!(
                    "line {} is not JSON: {} at column {}{}",
                    place + 1,
                    syntax_reason(&error),
                    error.column(),
                    syntax_hint(line, &error)
                ),
            }),
        }
    }
    Ok(sink.ingested)
}

fn body_error(text: &str, error: &serde_json::Error, stops: &Stops) -> BodyError {
    let (line, column) = (error.line(), error.column());
    if stops.too_many.get() {
        BodyError::TooManySamples
    } else if stops.too_deep.get() {
        BodyError::TooDeep { line, column }
    } else {
        BodyError::NotJson { reason: syntax_reason(error), line, column, hint: syntax_hint(text, error) }
    }
}

/// What senders most often get wrong, guessed from what stands where the parser stopped.
fn syntax_hint(text: &str, error: &serde_json::Error) -> &'static str {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or("");
    let at = error.column().saturating_sub(1);
    let Some(rest) = line.as_bytes().get(at..) else { return "" };
    let before = &line.as_bytes()[..at];
    if [&b"NaN"[..], b"Infinity"].iter().any(|word| rest.starts_with(word)) || before.ends_with(b"-") {
        "; NaN and Infinity are not JSON and cannot be kept: leave such samples out"
    } else if rest.starts_with(b"'") {
        "; JSON text stands in double quotes"
    } else if rest.starts_with(b"{") && error.line() > 1 {
        "; for one object a line, send it as application/x-ndjson"
    } else {
        ""
    }
}

/// How many series of a body are kept at hand; a power of two.
const RECENT: usize = 256;

/// Turns drafts into samples and rejections.
struct Sink {
    received_at: TimestampMs,
    index: usize,
    /// Series of the samples before, each in the place that its hash gives it: the samples of a
    /// batch mostly belong to few series, and finding one costs less than checking it anew.
    recent: Vec<Option<SeriesKey>>,
    ingested: Ingested,
}

impl Sink {
    fn new(received_at: TimestampMs) -> Self {
        Self { received_at, index: 0, recent: Vec::new(), ingested: Ingested::default() }
    }

    fn take(&mut self, draft: Draft<'_>) {
        match self.check(draft) {
            Ok(sample) => {
                self.ingested.accepted.push(sample);
                self.index += 1;
            }
            Err(fault) => self.reject(fault),
        }
    }

    fn reject(&mut self, Fault { code, message }: Fault) {
        self.ingested.rejected.push(Rejection::new(self.index, code, message));
        self.index += 1;
    }

    fn check(&mut self, draft: Draft<'_>) -> Result<IngestedSample, Fault> {
        let Draft { fault, name, value, timestamp, labels, kind, unit, reference } = draft;
        if let Some(fault) = fault {
            return Err(fault);
        }
        let missing = |field: &str| {
            Fault::new(RejectionCode::MissingField, format!("there is no {field:?}; each sample needs name and value"))
        };
        let name = name.ok_or_else(|| missing("name"))?;
        let value = finite_value(value.ok_or_else(|| missing("value"))?.get())?;
        let timestamp = match timestamp {
            Some(raw) => whole_timestamp(raw.get(), self.received_at)?,
            None => self.received_at,
        };
        let kind = kind.map(|text| kind_of(&text)).transpose()?;
        let unit = unit.map(|text| checked_unit(&text)).transpose()?;
        let reference = reference.map(checked_reference).transpose()?;
        let key = self.key(&name, labels)?;
        let sample =
            Sample::new(timestamp, value).map_err(|error| Fault::new(RejectionCode::BadValue, error.to_string()))?;
        let (suggested, repeats) = (None, Repeats::Count);
        Ok(IngestedSample { index: self.index, key, sample, kind, suggested, repeats, unit, reference })
    }

    fn key(&mut self, name: &str, mut labels: Pairs<'_>) -> Result<SeriesKey, Fault> {
        // Two orders are one series; a label that is given twice stays twice and fits no series.
        labels.sort_unstable();
        let mut hasher = DefaultHasher::new();
        (name, &labels).hash(&mut hasher);
        let place = hasher.finish() as usize % RECENT;
        if let Some(Some(recent)) = self.recent.get(place)
            && recent.metric.as_str() == name
            && recent.labels.len() == labels.len()
            && recent.labels.iter().zip(&labels).all(|(known, given)| known.0 == given.0 && known.1 == given.1)
        {
            return Ok(recent.clone());
        }
        let metric = MetricName::new(name).map_err(|error| Fault::new(RejectionCode::BadName, error.to_string()))?;
        let key = SeriesKey { metric, labels: checked_labels(&labels)? };
        // A body of one sample needs no memory for it.
        if self.index > 0 {
            self.recent.resize(RECENT, None);
            self.recent[place] = Some(key.clone());
        }
        Ok(key)
    }
}

fn checked_labels(labels: &[(Cow<'_, str>, Cow<'_, str>)]) -> Result<Labels, Fault> {
    if labels.iter().any(|(name, _)| name == NAME_LABEL) {
        let message = format!("label {NAME_LABEL:?} is reserved; the metric's name goes into \"name\"");
        return Err(Fault::new(RejectionCode::BadLabels, message));
    }
    Labels::new(labels.iter().map(|(name, value)| (name.as_ref(), value.as_ref())))
        .map_err(|error| Fault::new(RejectionCode::BadLabels, error.to_string()))
}

/// What a piece of JSON text is, in words.
fn type_of(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "text",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'n') => "null",
        Some(b't' | b'f') => "true or false",
        _ => "a number",
    }
}

fn finite_value(raw: &str) -> Result<f64, Fault> {
    match type_of(raw) {
        "a number" => {}
        "null" => {
            let message = "\"value\" is null, which JavaScript writes for NaN and Infinity; send a finite number";
            return Err(Fault::new(RejectionCode::BadValue, message));
        }
        "text" => {
            let message = "\"value\" is text; write the number without quotes";
            return Err(Fault::new(RejectionCode::WrongType, message));
        }
        found => {
            let message = format!("\"value\" is {found}; it must be a number");
            return Err(Fault::new(RejectionCode::WrongType, message));
        }
    }
    // JSON's numbers are numbers of Rust's grammar too, and `parse` rounds rightly.
    raw.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(|| {
        let message = format!("\"value\" {} is too great for a 64-bit float", shortened(raw));
        Fault::new(RejectionCode::BadValue, message)
    })
}

fn whole_timestamp(raw: &str, now: TimestampMs) -> Result<TimestampMs, Fault> {
    let found = type_of(raw);
    if found != "a number" {
        let message = format!("\"timestamp\" is {found}; it must be a whole number of milliseconds since 1970, UTC");
        return Err(Fault::new(RejectionCode::WrongType, message));
    }
    let bad = |reason: &str, hint: &str| {
        let message = format!("\"timestamp\" {} {reason}{hint}", shortened(raw));
        Err(Fault::new(RejectionCode::BadTimestamp, message))
    };
    if let Ok(whole) = raw.parse::<i64>() {
        return if whole < 0 {
            bad("is negative; it counts milliseconds since 1970, UTC", "")
        } else {
            Ok(TimestampMs::new(whole))
        };
    }
    let Ok(number) = raw.parse::<f64>() else { return bad("is no number", "") };
    let hint = scale_hint(number, now);
    if number < 0.0 {
        bad("is negative; it counts milliseconds since 1970, UTC", "")
    } else if number >= 9_007_199_254_740_992.0 {
        bad("is too great for milliseconds since 1970, UTC", hint)
    } else if number.fract() != 0.0 {
        bad("is no whole number of milliseconds", if hint.is_empty() { "; round it" } else { hint })
    } else {
        // Exact: whole and below 2^53.
        Ok(TimestampMs::new(number as i64))
    }
}

fn kind_of(text: &str) -> Result<Kind, Fault> {
    Kind::from_word(text).ok_or_else(|| {
        let message = format!("\"kind\" {:?} is none of observation, counter, gauge, event", shortened(text));
        Fault::new(RejectionCode::BadKind, message)
    })
}

fn checked_unit(text: &str) -> Result<String, Fault> {
    if text.len() > MAX_UNIT_BYTES {
        let message = format!("\"unit\" is {} bytes long; at most {MAX_UNIT_BYTES} are allowed", text.len());
        Err(Fault::new(RejectionCode::BadUnit, message))
    } else if text.chars().any(char::is_control) {
        Err(Fault::new(RejectionCode::BadUnit, "\"unit\" holds a control character; leave it out"))
    } else {
        Ok(text.to_owned())
    }
}

fn checked_reference(text: Cow<'_, str>) -> Result<String, Fault> {
    if text.len() > MAX_REF_BYTES {
        let message = format!("\"ref\" is {} bytes long; at most {MAX_REF_BYTES} are allowed", text.len());
        Err(Fault::new(RejectionCode::BadRef, message))
    } else {
        Ok(text.into_owned())
    }
}

struct SamplesVisitor<'s> {
    stops: &'s Stops,
    sink: &'s mut Sink,
}

impl<'de> Visitor<'de> for SamplesVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of samples")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut samples: A) -> Result<(), A::Error> {
        while let Some(draft) = samples.next_element_seed(Any(ReadSample { stops: self.stops, depth: 2 }))? {
            if self.sink.index >= MAX_SAMPLES {
                self.stops.too_many.set(true);
                return Err(A::Error::custom("too many samples"));
            }
            self.sink.take(draft);
        }
        Ok(())
    }
}
