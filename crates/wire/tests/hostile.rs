//! Bodies of the standard protocols that are made to cost more than they are long.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where something is wrong")]

use bellwether_core::time::TimestampMs;
use bellwether_wire::ingest::{BodyFormat, MAX_SAMPLES, Rejection, RejectionCode};
use bellwether_wire::protocol::otlp::{self, Form};
use bellwether_wire::protocol::{Delivered, ProtocolError, exposition, line};
use serde_json::{Value, json};

const NOW: TimestampMs = TimestampMs::new(1_700_000_000_000);

/// An OTLP body of so many points of the gauge `m`, each with these attributes, of a resource with those.
fn gauge(points: usize, attributes: &Value, of_resource: &Value) -> String {
    let point = json!({"timeUnixNano": "1700000000000000000", "asDouble": 1.0, "attributes": attributes});
    let points = vec![point; points];
    let metrics = json!([{"name": "m", "gauge": {"dataPoints": points}}]);
    let resource = json!({"attributes": of_resource});
    json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}).to_string()
}

fn attributes(count: usize, value: &str) -> Value {
    (0..count).map(|number| json!({"key": format!("l{number}"), "value": {"stringValue": value}})).collect()
}

fn otlp(body: &str) -> Result<Delivered, ProtocolError> {
    otlp::decode(body.as_bytes(), Form::Json)
}

/// All samples are refused for the reason `code`, and each message says `words` and is short.
#[track_caller]
fn all_refused(delivered: &Delivered, samples: usize, code: RejectionCode, words: &str) {
    assert_eq!((delivered.samples.len(), delivered.rejected.len()), (0, samples));
    for Rejection { code: found, message, .. } in &delivered.rejected {
        assert!(*found == code && message.contains(words) && message.len() < 256, "{message}");
    }
}

#[test]
fn attributes_are_counted_before_they_are_compared_and_copied() {
    let of_point = otlp(&gauge(2, &attributes(50_000, "v"), &attributes(20, "v"))).unwrap();
    all_refused(&of_point, 2, RejectionCode::BadLabels, "50000 labels are given; at most 30");
    let of_resource = otlp(&gauge(MAX_SAMPLES, &json!([]), &attributes(50_000, "v"))).unwrap();
    all_refused(&of_resource, MAX_SAMPLES, RejectionCode::BadLabels, "labels are given; at most 30");
    let long = attributes(1, &"v".repeat(1 << 20));
    let of_resource = otlp(&gauge(MAX_SAMPLES, &json!([]), &long)).unwrap();
    all_refused(&of_resource, MAX_SAMPLES, RejectionCode::BadLabels, "1048576 bytes long");
    // As many as there may be, of point and resource together, are taken.
    let taken = otlp(&gauge(10, &attributes(20, "own"), &attributes(30, "v"))).unwrap();
    assert_eq!((taken.samples.len(), taken.samples[0].key.labels.len()), (10, 30));
    assert_eq!(taken.samples[0].key.labels.get("l7"), Some("own"));
    assert_eq!(taken.samples[0].key.labels.get("l27"), Some("v"));
}

#[test]
fn labels_that_samples_share_are_counted_for_each_of_them() {
    let value = "v".repeat(2_000);
    let body = |points: usize| gauge(points, &json!([]), &attributes(20, &value));
    assert_eq!(otlp(&body(MAX_SAMPLES)), Err(ProtocolError::LabelsTooLong));
    assert_eq!(otlp(&body(800)).unwrap().samples.len(), 800);

    let more: Vec<_> = (0..20).map(|number| (format!("l{number}"), value.clone())).collect();
    let page =
        |lines: usize| exposition::decode("m 1\n".repeat(lines).as_bytes(), exposition::Format::Prometheus, NOW, &more);
    assert_eq!(page(MAX_SAMPLES), Err(ProtocolError::LabelsTooLong));
    assert_eq!(page(800).unwrap().samples.len(), 800);
    let error = ProtocolError::LabelsTooLong;
    assert_eq!(error.code(), "labels_too_long");
    assert!(error.to_string().contains("33554432 bytes"), "{error}");
}

#[test]
fn more_labels_than_a_series_may_have_are_not_added_to_each_line() {
    let more: Vec<_> = (0..4_000).map(|number| (format!("l{number}"), "v".to_owned())).collect();
    let delivered =
        exposition::decode("m 1\n".repeat(MAX_SAMPLES).as_bytes(), exposition::Format::Prometheus, NOW, &more).unwrap();
    all_refused(&delivered, MAX_SAMPLES, RejectionCode::BadLabels, "labels are given; at most 30");
}

#[test]
fn a_long_measurement_is_not_copied_for_each_field() {
    let fields = vec!["f=1"; MAX_SAMPLES].join(",");
    let body = format!("{} {fields}", "m".repeat(900_000));
    let delivered = line::decode(body.as_bytes(), line::Precision::Nanoseconds, NOW).unwrap();
    all_refused(&delivered, MAX_SAMPLES, RejectionCode::BadName, "is 900000 bytes long");
}

#[test]
fn messages_do_not_grow_with_what_is_refused() {
    // Each letter takes eight bytes where it is shown.
    let wide = "\u{1f}".repeat(500);
    let labels = attributes(30, &wide);
    let body = gauge(50, &labels, &json!([])).replace("\"asDouble\":1.0", "\"asDouble\":\"NaN\"");
    all_refused(&otlp(&body).unwrap(), 50, RejectionCode::BadValue, "NaN and infinities cannot be kept");

    let text = format!("m{{a=\"{}\"}} 1 -5\n", "x".repeat(2_000));
    let delivered = exposition::decode(text.as_bytes(), exposition::Format::Prometheus, NOW, &[]).unwrap();
    all_refused(&delivered, 1, RejectionCode::BadTimestamp, "give milliseconds since 1970");
    let text = format!("m {}\n", "x".repeat(100_000));
    let delivered = exposition::decode(text.as_bytes(), exposition::Format::Prometheus, NOW, &[]).unwrap();
    all_refused(&delivered, 1, RejectionCode::BadLine, "line 1: \"xxx");
    let text = format!("m f={}", "x".repeat(100_000));
    let delivered = line::decode(text.as_bytes(), line::Precision::Nanoseconds, NOW).unwrap();
    all_refused(&delivered, 1, RejectionCode::BadValue, "line 1: m_f is \"xxx");

    // The same of a body as a whole.
    let text = "x".repeat(100_000);
    let body = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":"{text}"}}]}}"#);
    assert!(otlp(&body).unwrap_err().to_string().len() < 350);
    let body = format!(r#"[{{"name":"m","value":1,"{text}":1}},{{"name":"m","value":1,"kind":"{text}"}}]"#);
    let ingested = bellwether_wire::ingest::decode(body.as_bytes(), BodyFormat::Json, NOW).unwrap();
    assert_eq!(ingested.rejected.len(), 2);
    assert!(ingested.rejected.iter().all(|rejection| rejection.message.len() < 256), "{ingested:?}");
}
