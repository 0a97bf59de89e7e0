//! What a subscription in JSON brings: the objects of `/ingest`, and time buckets beside them.

use std::collections::BTreeMap;

use bellwether_core::labels::{MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::sketch::Sketch;
use bellwether_core::summary::{Summary, SummaryParts};
use bellwether_core::time::{DurationMs, TimestampMs};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::server::narrow;
use crate::feed::{BucketSummary, FeedFrame, FeedHeader, FeedSeries, Follow, Phase};
use crate::json::{Figure, LabelMap, Object};

/// The words for a phase.
const PHASES: [(&str, Phase); 2] = [("live", Phase::Live), ("history", Phase::History)];

/// Writes the fields of a `samples` frame.
pub(super) fn write_samples<M: SerializeMap>(object: &mut M, frame: &FeedFrame) -> Result<(), M::Error> {
    let FeedFrame { header: FeedHeader { epoch, seq, subscription, phase, step, follow }, series } = frame;
    object.serialize_entry("subscription", subscription)?;
    object.serialize_entry("epoch", epoch)?;
    object.serialize_entry("seq", seq)?;
    if *phase == Phase::History {
        object.serialize_entry("phase", PHASES[1].0)?;
    }
    if *step != DurationMs::ZERO {
        object.serialize_entry("step", &step.to_string())?;
    }
    if *follow == Follow::More {
        object.serialize_entry("more", &true)?;
    }
    let samples = series.iter().flat_map(|series| series.samples.iter().map(move |sample| SampleJson(series, sample)));
    object.serialize_entry("samples", &samples.collect::<Vec<_>>())?;
    let summaries =
        series.iter().flat_map(|series| series.summaries.iter().map(move |bucket| SummaryJson(series, bucket)));
    let summaries: Vec<_> = summaries.collect();
    if summaries.is_empty() { Ok(()) } else { object.serialize_entry("summaries", &summaries) }
}

fn write_key<M: SerializeMap>(object: &mut M, series: &FeedSeries) -> Result<(), M::Error> {
    object.serialize_entry("name", series.key.metric.as_str())?;
    if !series.key.labels.is_empty() {
        object.serialize_entry("labels", &LabelMap(&series.key.labels))?;
    }
    object.serialize_entry("kind", series.kind.as_str())
}

struct SampleJson<'a>(&'a FeedSeries, &'a Sample);

impl Serialize for SampleJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(series, sample) = self;
        let mut object = serializer.serialize_map(None)?;
        write_key(&mut object, series)?;
        object.serialize_entry("value", &Figure(sample.value()))?;
        object.serialize_entry("timestamp", &sample.timestamp().get())?;
        object.end()
    }
}

struct SummaryJson<'a>(&'a FeedSeries, &'a BucketSummary);

impl Serialize for SummaryJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(series, BucketSummary { end, summary }) = self;
        let SummaryParts { count, sum, m2, min, max, first, last, increase, sketch } = summary.parts();
        let mut object = serializer.serialize_map(None)?;
        write_key(&mut object, series)?;
        object.serialize_entry("end", &end.get())?;
        object.serialize_entry("count", &count)?;
        for (field, value) in [("sum", sum), ("m2", m2), ("min", min), ("max", max), ("increase", increase)] {
            object.serialize_entry(field, &Figure(value))?;
        }
        for (field, (timestamp, value)) in [("first", first), ("last", last)] {
            object.serialize_entry(field, &(timestamp.get(), Figure(value)))?;
        }
        object.serialize_entry("scale", &sketch.scale())?;
        if sketch.zero_count() > 0 {
            object.serialize_entry("zero", &sketch.zero_count())?;
        }
        object.serialize_entry("positive", &sketch.positive().collect::<Vec<_>>())?;
        let negative: Vec<_> = sketch.negative().collect();
        if !negative.is_empty() {
            object.serialize_entry("negative", &negative)?;
        }
        object.end()
    }
}

/// Reads the fields of a `samples` frame; the objects are gathered by series.
pub(super) fn read_samples(object: &mut Object<'_>) -> Option<FeedFrame> {
    let subscription = object.whole_or_none("subscription")?.unwrap_or(0);
    let header = FeedHeader {
        epoch: object.whole_or_none("epoch")?.unwrap_or(0),
        seq: object.whole_or_none("seq")?.unwrap_or(0),
        subscription: narrow(object, "subscription", subscription)?,
        phase: object.choice("phase", &PHASES, Some(Phase::Live))?,
        step: object.duration_or_zero("step")?,
        follow: if object.flag("more")? { Follow::More } else { Follow::End },
    };
    let mut gathered = Gathered::default();
    for (path, value) in object.array("samples")? {
        let mut object = Object::new(value, &path, object.faults())?;
        let sample = Sample::new(object.timestamp("timestamp")?, object.number("value")?).ok()?;
        gathered.series(&mut object)?.samples.push(sample);
    }
    for (path, value) in object.array("summaries")? {
        let mut object = Object::new(value, &path, object.faults())?;
        let bucket = bucket(&mut object)?;
        gathered.series(&mut object)?.summaries.push(bucket);
    }
    Some(FeedFrame { header, series: gathered.series })
}

/// Series in the order in which they first appear.
#[derive(Default)]
struct Gathered {
    places: BTreeMap<SeriesKey, usize>,
    series: Vec<FeedSeries>,
}

impl Gathered {
    /// The series that the object names.
    fn series(&mut self, object: &mut Object<'_>) -> Option<&mut FeedSeries> {
        let name = object.text("name")?;
        let metric = MetricName::new(name).map_err(|error| object.fault("name", error.to_string())).ok()?;
        let labels = object.labels("labels")?;
        let kinds = Kind::ALL.map(|kind| (kind.as_str(), kind));
        let kind = object.choice("kind", &kinds, Some(Kind::Observation))?;
        let key = SeriesKey { metric, labels };
        let place = *self.places.entry(key.clone()).or_insert_with(|| {
            self.series.push(FeedSeries { key, kind, samples: Vec::new(), summaries: Vec::new() });
            self.series.len() - 1
        });
        self.series.get_mut(place)
    }
}

fn bucket(object: &mut Object<'_>) -> Option<BucketSummary> {
    let end = object.timestamp("end")?;
    let scale = object.required("scale")?.as_i64().and_then(|scale| i8::try_from(scale).ok());
    if scale.is_none() {
        object.fault("scale", "this must be a whole number from -4 to 8");
    }
    let zero = object.whole_or_none("zero")?.unwrap_or(0);
    let (positive, negative) = (buckets(object, "positive")?, buckets(object, "negative")?);
    let sketch = Sketch::from_parts(scale?, zero, positive, negative)
        .map_err(|error| object.fault_here(format!("this is no sketch: {error}")))
        .ok()?;
    let parts = SummaryParts {
        count: object.whole("count")?,
        sum: object.number("sum")?,
        m2: object.number("m2")?,
        min: object.number("min")?,
        max: object.number("max")?,
        first: instant(object, "first")?,
        last: instant(object, "last")?,
        increase: object.number("increase")?,
        sketch,
    };
    let summary =
        Summary::from_parts(parts).map_err(|error| object.fault_here(format!("this is no summary: {error}"))).ok()?;
    Some(BucketSummary { end, summary })
}

/// `[timestamp, value]`
fn instant(object: &mut Object<'_>, field: &'static str) -> Option<(TimestampMs, f64)> {
    let read = object.required(field)?.as_array().and_then(|pair| match pair.as_slice() {
        [timestamp, value] => Some((TimestampMs::new(timestamp.as_i64()?), value.as_f64()?)),
        _ => None,
    });
    if read.is_none() {
        object.fault(field, "this must be a pair [timestamp, value]");
    }
    read
}

/// `[[index, count], …]`
fn buckets(object: &mut Object<'_>, field: &'static str) -> Option<Vec<(i32, u64)>> {
    let Some(value) = object.optional(field) else { return Some(Vec::new()) };
    let pair = |value: &Value| match value.as_array()?.as_slice() {
        [index, count] => Some((i32::try_from(index.as_i64()?).ok()?, count.as_u64()?)),
        _ => None,
    };
    let read = value.as_array().and_then(|pairs| pairs.iter().map(pair).collect());
    if read.is_none() {
        object.fault(field, "this must be a list of pairs [index, count]");
    }
    read
}
