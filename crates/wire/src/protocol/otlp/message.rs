//! The messages, as far as they are read, for protobuf and JSON alike, and how much of them is taken.
//!
//! A `oneof` is written here as several optional fields, which is the same on the wire and lets one type
//! serve both forms.

use serde::Deserialize as Derive;
use serde::de::{Deserializer, Error};

use super::super::ProtocolError;
use super::malformed;
use crate::binary::protobuf::{Field, Reader};
use crate::ingest::MAX_SAMPLES;

/// Most messages within a body: points, and attributes of each.
const MAX_MESSAGES: usize = 500_000;

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ExportRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ResourceMetrics {
    #[prost(message, optional, tag = "1")]
    pub(super) resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    pub(super) scope_metrics: Vec<ScopeMetrics>,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(default)]
pub(super) struct Resource {
    #[prost(message, repeated, tag = "1")]
    pub(super) attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(default)]
pub(super) struct ScopeMetrics {
    #[prost(message, optional, tag = "1")]
    pub(super) scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    pub(super) metrics: Vec<Metric>,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(default)]
pub(super) struct Scope {
    #[prost(string, tag = "1")]
    pub(super) name: String,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metric {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) unit: String,
    #[prost(message, optional, tag = "5")]
    pub(super) gauge: Option<Gauge>,
    #[prost(message, optional, tag = "7")]
    pub(super) sum: Option<Sum>,
    #[prost(message, optional, tag = "9")]
    pub(super) histogram: Option<Histogram>,
    #[prost(message, optional, tag = "10")]
    pub(super) exponential_histogram: Option<ExponentialHistogram>,
    #[prost(message, optional, tag = "11")]
    pub(super) summary: Option<Summary>,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Gauge {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<NumberPoint>,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Sum {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<NumberPoint>,
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "temporality")]
    pub(super) aggregation_temporality: i32,
    #[prost(bool, tag = "3")]
    pub(super) is_monotonic: bool,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Histogram {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<HistogramPoint>,
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "temporality")]
    pub(super) aggregation_temporality: i32,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ExponentialHistogram {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<ExponentialPoint>,
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "temporality")]
    pub(super) aggregation_temporality: i32,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<SummaryPoint>,
}

/// Only counted: a summary is refused.
#[derive(Clone, PartialEq, prost::Message, Derive)]
pub(super) struct SummaryPoint {}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct NumberPoint {
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "unsigned")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "unsigned")]
    pub(super) time_unix_nano: u64,
    #[prost(double, optional, tag = "4")]
    #[serde(deserialize_with = "maybe_double")]
    pub(super) as_double: Option<f64>,
    #[prost(sfixed64, optional, tag = "6")]
    #[serde(deserialize_with = "maybe_signed")]
    pub(super) as_int: Option<i64>,
    #[prost(message, repeated, tag = "7")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(uint32, tag = "8")]
    pub(super) flags: u32,
    #[prost(message, repeated, tag = "5")]
    pub(super) exemplars: Vec<Exemplar>,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct HistogramPoint {
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "unsigned")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "unsigned")]
    pub(super) time_unix_nano: u64,
    #[prost(double, optional, tag = "5")]
    #[serde(deserialize_with = "maybe_double")]
    pub(super) sum: Option<f64>,
    #[prost(fixed64, repeated, tag = "6")]
    #[serde(deserialize_with = "all_unsigned")]
    pub(super) bucket_counts: Vec<u64>,
    #[prost(double, repeated, tag = "7")]
    #[serde(deserialize_with = "all_doubles")]
    pub(super) explicit_bounds: Vec<f64>,
    #[prost(message, repeated, tag = "8")]
    pub(super) exemplars: Vec<Exemplar>,
    #[prost(message, repeated, tag = "9")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(uint32, tag = "10")]
    pub(super) flags: u32,
    #[prost(double, optional, tag = "11")]
    #[serde(deserialize_with = "maybe_double")]
    pub(super) min: Option<f64>,
    #[prost(double, optional, tag = "12")]
    #[serde(deserialize_with = "maybe_double")]
    pub(super) max: Option<f64>,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ExponentialPoint {
    #[prost(message, repeated, tag = "1")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "unsigned")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "unsigned")]
    pub(super) time_unix_nano: u64,
    #[prost(double, optional, tag = "5")]
    #[serde(deserialize_with = "maybe_double")]
    pub(super) sum: Option<f64>,
    #[prost(sint32, tag = "6")]
    pub(super) scale: i32,
    #[prost(fixed64, tag = "7")]
    #[serde(deserialize_with = "unsigned")]
    pub(super) zero_count: u64,
    #[prost(message, optional, tag = "8")]
    pub(super) positive: Option<Buckets>,
    #[prost(message, optional, tag = "9")]
    pub(super) negative: Option<Buckets>,
    #[prost(uint32, tag = "10")]
    pub(super) flags: u32,
    #[prost(message, repeated, tag = "11")]
    pub(super) exemplars: Vec<Exemplar>,
    #[prost(double, optional, tag = "12")]
    #[serde(deserialize_with = "maybe_double")]
    pub(super) min: Option<f64>,
    #[prost(double, optional, tag = "13")]
    #[serde(deserialize_with = "maybe_double")]
    pub(super) max: Option<f64>,
    #[prost(double, tag = "14")]
    #[serde(deserialize_with = "double")]
    pub(super) zero_threshold: f64,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Buckets {
    #[prost(sint32, tag = "1")]
    pub(super) offset: i32,
    #[prost(uint64, repeated, tag = "2")]
    #[serde(deserialize_with = "all_unsigned")]
    pub(super) bucket_counts: Vec<u64>,
}

/// Only counted: exemplars are not kept.
#[derive(Clone, PartialEq, prost::Message, Derive)]
pub(super) struct Exemplar {}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(default)]
pub(super) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AnyValue {
    #[prost(string, optional, tag = "1")]
    pub(super) string_value: Option<String>,
    #[prost(bool, optional, tag = "2")]
    pub(super) bool_value: Option<bool>,
    #[prost(int64, optional, tag = "3")]
    #[serde(deserialize_with = "maybe_signed")]
    pub(super) int_value: Option<i64>,
    #[prost(double, optional, tag = "4")]
    #[serde(deserialize_with = "maybe_double")]
    pub(super) double_value: Option<f64>,
}

/// A number of JSON, or the text of one: 64 bits are written as text, and so are NaN and infinities.
#[derive(Derive)]
#[serde(untagged)]
enum Number<'a> {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Borrowed(&'a str),
    Text(String),
}

impl Number<'_> {
    fn parse<T: std::str::FromStr>(text: &str) -> Result<T, String> {
        text.parse().map_err(|_| format!("{text:?} is not such a number"))
    }

    fn unsigned(&self) -> Result<u64, String> {
        match self {
            Self::Unsigned(number) => Ok(*number),
            Self::Signed(number) => Err(format!("{number} is negative")),
            Self::Float(number) => Err(format!("{number} is no whole number")),
            Self::Borrowed(text) => Self::parse(text),
            Self::Text(text) => Self::parse(text),
        }
    }

    fn signed(&self) -> Result<i64, String> {
        match self {
            Self::Unsigned(number) => i64::try_from(*number).map_err(|_| format!("{number} is too great")),
            Self::Signed(number) => Ok(*number),
            Self::Float(number) => Err(format!("{number} is no whole number")),
            Self::Borrowed(text) => Self::parse(text),
            Self::Text(text) => Self::parse(text),
        }
    }

    fn double(&self) -> Result<f64, String> {
        match self {
            Self::Unsigned(number) => Ok(*number as f64),
            Self::Signed(number) => Ok(*number as f64),
            Self::Float(number) => Ok(*number),
            // `NaN`, `Infinity` and `-Infinity` are among what `f64` reads.
            Self::Borrowed(text) => Self::parse(text),
            Self::Text(text) => Self::parse(text),
        }
    }
}

fn unsigned<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Number::deserialize(deserializer)?.unsigned().map_err(D::Error::custom)
}

fn double<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::deserialize(deserializer)?.double().map_err(D::Error::custom)
}

fn maybe_signed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let number = Option::<Number<'_>>::deserialize(deserializer)?;
    number.map(|number| number.signed()).transpose().map_err(D::Error::custom)
}

fn maybe_double<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let number = Option::<Number<'_>>::deserialize(deserializer)?;
    number.map(|number| number.double()).transpose().map_err(D::Error::custom)
}

fn all_unsigned<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    let numbers = Vec::<Number<'_>>::deserialize(deserializer)?;
    numbers.iter().map(Number::unsigned).collect::<Result<_, _>>().map_err(D::Error::custom)
}

fn all_doubles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let numbers = Vec::<Number<'_>>::deserialize(deserializer)?;
    numbers.iter().map(Number::double).collect::<Result<_, _>>().map_err(D::Error::custom)
}

/// A number, or a name as some libraries write it.
fn temporality<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    match Number::deserialize(deserializer)? {
        Number::Borrowed("AGGREGATION_TEMPORALITY_DELTA") => Ok(1),
        Number::Borrowed("AGGREGATION_TEMPORALITY_CUMULATIVE") => Ok(2),
        number => number.signed().map(|number| number as i32).map_err(D::Error::custom),
    }
}

/// Which fields of a message are messages.
struct Shape {
    fields: &'static [(u32, &'static Shape)],
    /// Whether it is a point.
    is_point: bool,
    /// The field of packed numbers, each of which takes more memory than its bytes.
    packed: Option<u32>,
}

const LEAF: Shape = Shape { fields: &[], is_point: false, packed: None };
const ATTRIBUTES: Shape = Shape { fields: &[(1, &LEAF)], ..LEAF };
const BUCKETS: Shape = Shape { packed: Some(2), ..LEAF };
const NUMBER: Shape = Shape { fields: &[(5, &LEAF), (7, &LEAF)], is_point: true, ..LEAF };
const EXPLICIT: Shape = Shape { fields: &[(8, &LEAF), (9, &LEAF)], is_point: true, ..LEAF };
const EXPONENTIAL: Shape =
    Shape { fields: &[(1, &LEAF), (8, &BUCKETS), (9, &BUCKETS), (11, &LEAF)], is_point: true, ..LEAF };
const SUMMARY: Shape = Shape { is_point: true, ..LEAF };
const METRIC: Shape = Shape {
    fields: &[
        (5, &Shape { fields: &[(1, &NUMBER)], ..LEAF }),
        (7, &Shape { fields: &[(1, &NUMBER)], ..LEAF }),
        (9, &Shape { fields: &[(1, &EXPLICIT)], ..LEAF }),
        (10, &Shape { fields: &[(1, &EXPONENTIAL)], ..LEAF }),
        (11, &Shape { fields: &[(1, &SUMMARY)], ..LEAF }),
    ],
    ..LEAF
};
const SCOPE: Shape = Shape { fields: &[(1, &LEAF), (2, &METRIC)], ..LEAF };
const RESOURCE: Shape = Shape { fields: &[(1, &ATTRIBUTES), (2, &SCOPE)], ..LEAF };
const REQUEST: Shape = Shape { fields: &[(1, &RESOURCE)], ..LEAF };

#[derive(Default)]
struct Weight {
    messages: usize,
    points: usize,
}

impl Weight {
    fn add(&mut self, bytes: &[u8], shape: &Shape) -> Result<(), ProtocolError> {
        self.messages += 1;
        self.points += usize::from(shape.is_point);
        if self.points > MAX_SAMPLES {
            return Err(ProtocolError::TooManySamples);
        }
        let mut fields = Reader::new(bytes);
        while let Some((number, field)) = fields.field().map_err(|error| malformed(&error))? {
            let Field::Bytes(bytes) = field else { continue };
            if shape.packed == Some(number) {
                self.messages += bytes.len() / 16;
            }
            if let Some((_, shape)) = shape.fields.iter().find(|(known, _)| *known == number) {
                self.add(bytes, shape)?;
            }
            if self.messages > MAX_MESSAGES {
                return Err(malformed(&"it is made of too many parts; send fewer metrics at once"));
            }
        }
        Ok(())
    }
}

/// Refuses a body that would take much more memory than it has bytes, before any is taken.
///
/// # Errors
/// [`ProtocolError`] where there are too many points, or parts of them, or bytes that are no message.
pub(super) fn weigh(bytes: &[u8]) -> Result<(), ProtocolError> {
    Weight::default().add(bytes, &REQUEST)
}

/// The same of JSON, where an object is a part.
///
/// # Errors
/// As [`weigh`].
pub(super) fn weigh_json(bytes: &[u8]) -> Result<(), ProtocolError> {
    let parts = bytes.iter().filter(|byte| **byte == b'{').count();
    if parts > MAX_MESSAGES {
        return Err(malformed(&"it is made of too many objects; send fewer metrics at once"));
    }
    Ok(())
}
