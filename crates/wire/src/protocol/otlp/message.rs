//! The messages, as far as they are read, for protobuf and JSON alike, and how much of them is taken.
//!
//! A `oneof` is written here as several optional fields, which is the same on the wire and lets one type
//! serve both forms.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserialize as Derive;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::super::ProtocolError;
use super::malformed;
use crate::binary::protobuf::{Field, Reader};
use crate::ingest::MAX_SAMPLES;
use crate::json::shortened;

/// Most messages within a body: points, and attributes of each.
const MAX_MESSAGES: usize = 500_000;
/// So many elements of a JSON list take about as much memory as one message.
const ELEMENTS_OF_A_MESSAGE: usize = 16;

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
    #[serde(deserialize_with = "number")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "number")]
    pub(super) time_unix_nano: u64,
    #[prost(double, optional, tag = "4")]
    #[serde(deserialize_with = "maybe")]
    pub(super) as_double: Option<f64>,
    #[prost(sfixed64, optional, tag = "6")]
    #[serde(deserialize_with = "maybe")]
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
    #[serde(deserialize_with = "number")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "number")]
    pub(super) time_unix_nano: u64,
    #[prost(double, optional, tag = "5")]
    #[serde(deserialize_with = "maybe")]
    pub(super) sum: Option<f64>,
    #[prost(fixed64, repeated, tag = "6")]
    #[serde(deserialize_with = "numbers")]
    pub(super) bucket_counts: Vec<u64>,
    #[prost(double, repeated, tag = "7")]
    #[serde(deserialize_with = "numbers")]
    pub(super) explicit_bounds: Vec<f64>,
    #[prost(message, repeated, tag = "8")]
    pub(super) exemplars: Vec<Exemplar>,
    #[prost(message, repeated, tag = "9")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(uint32, tag = "10")]
    pub(super) flags: u32,
    #[prost(double, optional, tag = "11")]
    #[serde(deserialize_with = "maybe")]
    pub(super) min: Option<f64>,
    #[prost(double, optional, tag = "12")]
    #[serde(deserialize_with = "maybe")]
    pub(super) max: Option<f64>,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ExponentialPoint {
    #[prost(message, repeated, tag = "1")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(fixed64, tag = "2")]
    #[serde(deserialize_with = "number")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "3")]
    #[serde(deserialize_with = "number")]
    pub(super) time_unix_nano: u64,
    #[prost(double, optional, tag = "5")]
    #[serde(deserialize_with = "maybe")]
    pub(super) sum: Option<f64>,
    #[prost(sint32, tag = "6")]
    pub(super) scale: i32,
    #[prost(fixed64, tag = "7")]
    #[serde(deserialize_with = "number")]
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
    #[serde(deserialize_with = "maybe")]
    pub(super) min: Option<f64>,
    #[prost(double, optional, tag = "13")]
    #[serde(deserialize_with = "maybe")]
    pub(super) max: Option<f64>,
    #[prost(double, tag = "14")]
    #[serde(deserialize_with = "number")]
    pub(super) zero_threshold: f64,
}

#[derive(Clone, PartialEq, prost::Message, Derive)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Buckets {
    #[prost(sint32, tag = "1")]
    pub(super) offset: i32,
    #[prost(uint64, repeated, tag = "2")]
    #[serde(deserialize_with = "numbers")]
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
    #[serde(deserialize_with = "maybe")]
    pub(super) int_value: Option<i64>,
    #[prost(double, optional, tag = "4")]
    #[serde(deserialize_with = "maybe")]
    pub(super) double_value: Option<f64>,
}

/// A number of JSON, or the text of one: 64 bits are written as text, and so are NaN and infinities. Read without
/// a copy, and anything else is refused where it begins, so that what is nested in its place takes no memory.
trait Number: Sized {
    fn unsigned(number: u64) -> Result<Self, String>;
    fn signed(number: i64) -> Result<Self, String>;
    fn float(number: f64) -> Result<Self, String>;
    fn text(text: &str) -> Result<Self, String>;
}

fn parsed<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{:?} is not such a number", shortened(text)))
}

fn no_whole<T>(number: f64) -> Result<T, String> {
    Err(format!("{number} is no whole number"))
}

impl Number for u64 {
    fn unsigned(number: u64) -> Result<Self, String> {
        Ok(number)
    }

    fn signed(number: i64) -> Result<Self, String> {
        number.try_into().map_err(|_| format!("{number} is negative"))
    }

    fn float(number: f64) -> Result<Self, String> {
        no_whole(number)
    }

    fn text(text: &str) -> Result<Self, String> {
        parsed(text)
    }
}

impl Number for i64 {
    fn unsigned(number: u64) -> Result<Self, String> {
        number.try_into().map_err(|_| format!("{number} is too great"))
    }

    fn signed(number: i64) -> Result<Self, String> {
        Ok(number)
    }

    fn float(number: f64) -> Result<Self, String> {
        no_whole(number)
    }

    fn text(text: &str) -> Result<Self, String> {
        parsed(text)
    }
}

impl Number for f64 {
    fn unsigned(number: u64) -> Result<Self, String> {
        Ok(number as Self)
    }

    fn signed(number: i64) -> Result<Self, String> {
        Ok(number as Self)
    }

    fn float(number: f64) -> Result<Self, String> {
        Ok(number)
    }

    fn text(text: &str) -> Result<Self, String> {
        // `NaN`, `Infinity` and `-Infinity` are among what it reads.
        parsed(text)
    }
}

/// A number, or a name as some libraries write it.
struct Temporality(i32);

impl Number for Temporality {
    fn unsigned(number: u64) -> Result<Self, String> {
        i32::try_from(number).map(Self).map_err(|_| format!("{number} is too great"))
    }

    fn signed(number: i64) -> Result<Self, String> {
        i32::try_from(number).map(Self).map_err(|_| format!("{number} is out of range"))
    }

    fn float(number: f64) -> Result<Self, String> {
        no_whole(number)
    }

    fn text(text: &str) -> Result<Self, String> {
        match text {
            "AGGREGATION_TEMPORALITY_DELTA" => Ok(Self(1)),
            "AGGREGATION_TEMPORALITY_CUMULATIVE" => Ok(Self(2)),
            text => parsed(text).map(Self),
        }
    }
}

/// A [`Number`] as the parser gives it.
struct Given<T>(T);

impl<'de, T: Number> Derive<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor(PhantomData)).map(Self)
    }
}

struct NumberVisitor<T>(PhantomData<T>);

impl<T: Number> Visitor<'_> for NumberVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or the text of one")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::unsigned(number).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::signed(number).map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::float(number).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::text(text).map_err(E::custom)
    }
}

fn number<'de, T: Number, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Given::deserialize(deserializer).map(|Given(number)| number)
}

fn maybe<'de, T: Number, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<Given<T>>::deserialize(deserializer)?.map(|Given(number)| number))
}

fn numbers<'de, T: Number, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct All<T>(PhantomData<T>);

    impl<'de, T: Number> Visitor<'de> for All<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of numbers")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut given: A) -> Result<Vec<T>, A::Error> {
            let mut numbers = Vec::new();
            while let Some(Given(number)) = given.next_element()? {
                numbers.push(number);
            }
            Ok(numbers)
        }
    }
    deserializer.deserialize_seq(All(PhantomData))
}

fn temporality<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    number(deserializer).map(|Temporality(temporality)| temporality)
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

/// The same of JSON, where an object is a message and what stands between commas an element. Texts are skipped:
/// they take what they have bytes.
///
/// # Errors
/// As [`weigh`].
pub(super) fn weigh_json(bytes: &[u8]) -> Result<(), ProtocolError> {
    let (mut weight, mut is_text, mut is_escaped) = (0, false, false);
    for byte in bytes {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            b'{' if !is_text => weight += ELEMENTS_OF_A_MESSAGE,
            b'[' | b',' if !is_text => weight += 1,
            _ => {}
        }
    }
    if weight > MAX_MESSAGES * ELEMENTS_OF_A_MESSAGE {
        return Err(malformed(&"it is made of too many parts; send fewer metrics at once"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request with `inner` in place of the fields of its only point, which is of the exponential form.
    fn around(inner: &str) -> String {
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"exponentialHistogram":{{"dataPoints":[{{{inner}}}]}}}}]}}]}}]}}"#
        )
    }

    #[test]
    fn parts_are_counted_and_texts_are_not() {
        let most = MAX_MESSAGES * ELEMENTS_OF_A_MESSAGE;
        let elements = |inner: &str, count: usize| around(&format!(r#""x":[{}]"#, vec![inner; count].join(",")));
        for (what, text, fits) in [
            ("lists in lists", around(&format!(r#""x":{}"#, "[".repeat(most + 1))), false),
            ("numbers", elements("1", most + 1), false),
            ("lists", elements("[]", most / 2 + 1), false),
            ("objects", elements("{}", MAX_MESSAGES), false),
            ("a text", around(&format!(r#""x":"{}""#, "[{,\\\"".repeat(most / 4))), true),
            ("some of each", elements("[1,{}]", 10_000), true),
        ] {
            assert_eq!(weigh_json(text.as_bytes()).is_ok(), fits, "{what}");
        }
    }

    #[test]
    fn what_is_nested_where_a_number_stands_is_refused_where_it_begins() {
        for field in ["timeUnixNano", "sum", "scale", "flags"] {
            let text = around(&format!(r#""{field}":[[1,2],[3]]"#));
            let error = serde_json::from_str::<ExportRequest>(&text).unwrap_err();
            let begins = text.find("[[").unwrap();
            assert!((begins..begins + 4).contains(&error.column()), "{field}: {error}");
        }
        let text = around(r#""positive":{"bucketCounts":[1,"2",[3]]}"#);
        assert!(
            serde_json::from_str::<ExportRequest>(&text).unwrap_err().to_string().contains("invalid type: sequence")
        );
    }

    #[test]
    fn numbers_are_read_as_numbers_and_as_texts() {
        let text = around(
            r#""timeUnixNano":"18446744073709551615","sum":"-Infinity","scale":-3,"zeroThreshold":1,
               "positive":{"bucketCounts":[1,"2"]}"#,
        );
        let request: ExportRequest = serde_json::from_str(&text).unwrap();
        let metric = &request.resource_metrics[0].scope_metrics[0].metrics[0];
        let point = &metric.exponential_histogram.as_ref().unwrap().data_points[0];
        assert_eq!((point.time_unix_nano, point.sum, point.scale), (u64::MAX, Some(f64::NEG_INFINITY), -3));
        assert_eq!((point.zero_threshold, point.min), (1.0, None));
        assert_eq!(point.positive.as_ref().unwrap().bucket_counts, [1, 2]);
        for wrong in [r#""timeUnixNano":-1"#, r#""timeUnixNano":1.5"#, r#""sum":"much""#, r#""sum":true"#] {
            assert!(serde_json::from_str::<ExportRequest>(&around(wrong)).is_err(), "{wrong}");
        }
    }
}
