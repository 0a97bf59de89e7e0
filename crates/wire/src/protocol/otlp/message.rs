//! The messages, as far as they are read, for protobuf and JSON alike.
//!
//! A `oneof` is written here as several optional fields, which is the same on the wire and lets one type
//! serve both forms.

use serde::Deserialize as Derive;

use super::number::{maybe, number, numbers, temporality};

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
