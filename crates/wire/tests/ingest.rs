//! Bodies of `POST /ingest`: what is taken, what is refused, and what the refusal says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where something is wrong")]

use bellwether_core::sample::Kind;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::ingest::{
    BodyError, BodyFormat, Ingested, IngestedSample, MAX_SAMPLES, Rejection, RejectionCode, decode,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: TimestampMs = TimestampMs::new(1_700_000_000_000);

fn json_body(body: &str) -> Ingested {
    decode(body.as_bytes(), BodyFormat::Json, NOW).unwrap_or_else(|error| panic!("{body}: {error}"))
}

fn taken(body: &str) -> IngestedSample {
    let mut ingested = json_body(body);
    assert_eq!(ingested.rejected, [], "{body}");
    assert_eq!(ingested.accepted.len(), 1, "{body}");
    ingested.accepted.remove(0)
}

#[track_caller]
fn refused(body: &str, code: RejectionCode, message: &str) {
    let ingested = json_body(body);
    assert_eq!(ingested.accepted, [], "{body}");
    let expected = Rejection { index: 0, code, message: message.to_owned() };
    assert_eq!(ingested.rejected, [expected], "{body}");
}

#[track_caller]
fn whole_body(body: &[u8], format: BodyFormat, code: &str, message: &str) {
    let error = decode(body, format, NOW).expect_err("the body is taken");
    assert_eq!((error.code(), error.to_string().as_str()), (code, message));
}

#[test]
fn the_body_of_the_seeds() {
    let sample = taken(r#"{"name":"booking_response_time","value":120,"timestamp":1699999999999}"#);
    assert_eq!(sample.key.to_string(), "booking_response_time");
    assert_eq!(sample.sample.value(), 120.0);
    assert_eq!(sample.sample.timestamp().get(), 1_699_999_999_999);
    assert_eq!((sample.kind, sample.unit, sample.reference), (None, None, None));
}

#[test]
fn every_field() {
    let sample = taken(
        r#"{"name":"résolution","value":-5.25e1,"timestamp":1.7e12,"labels":{"team":"a\"b","agency":"\u00e9"},
            "kind":"event","unit":"days","ref":"HA-001"}"#,
    );
    assert_eq!(sample.key.to_string(), r#"résolution{agency="é", team="a\"b"}"#);
    assert_eq!((sample.sample.value(), sample.sample.timestamp()), (-52.5, NOW));
    assert_eq!(sample.kind, Some(Kind::Event));
    assert_eq!(sample.unit.as_deref(), Some("days"));
    assert_eq!(sample.reference.as_deref(), Some("HA-001"));
}

#[test]
fn what_is_not_given() {
    assert_eq!(taken(r#"{"name":"a","value":1}"#).sample.timestamp(), NOW);
    let nulls = r#"{"name":"a","value":0,"timestamp":null,"labels":null,"kind":null,"unit":null,"ref":null}"#;
    let sample = taken(nulls);
    assert_eq!((sample.sample.timestamp(), sample.key.labels.len(), sample.kind), (NOW, 0, None));
    assert_eq!(json_body("[]"), Ingested::default());
    assert_eq!(json_body(" [\n] \n"), Ingested::default());
}

#[test]
fn good_samples_of_a_bad_batch_are_kept() {
    let ingested = json_body(
        r#"[{"name":"a","value":1},{"name":"a"},7,{"name":"b","value":2},{"nme":"c","value":3},[{"name":"d"}]]"#,
    );
    let accepted: Vec<_> = ingested.accepted.iter().map(|sample| (sample.index, sample.key.to_string())).collect();
    assert_eq!(accepted, [(0, "a".to_owned()), (3, "b".to_owned())]);
    let rejected: Vec<_> = ingested.rejected.iter().map(|rejection| (rejection.index, rejection.code)).collect();
    assert_eq!(
        rejected,
        [
            (1, RejectionCode::MissingField),
            (2, RejectionCode::NotAnObject),
            (4, RejectionCode::UnknownField),
            (5, RejectionCode::NotAnObject),
        ]
    );
}

#[test]
fn one_series_is_one_whatever_the_order_of_labels() {
    let ingested = json_body(
        r#"[{"name":"a","value":1,"labels":{"x":"1","y":"2"}},{"name":"a","value":1,"labels":{"y":"2","x":"1"}},
            {"name":"a","value":1,"labels":{"x":"1","y":"2"}},{"name":"b","value":1,"labels":{"x":"1","y":"2"}},
            {"name":"b","value":1},{"name":"b","value":1,"labels":{"x":"1","z":""}},{"name":"b","value":1,"labels":{"x":"1"}}]"#,
    );
    let keys: Vec<_> = ingested.accepted.iter().map(|sample| sample.key.to_string()).collect();
    assert_eq!(
        keys,
        [
            r#"a{x="1", y="2"}"#,
            r#"a{x="1", y="2"}"#,
            r#"a{x="1", y="2"}"#,
            r#"b{x="1", y="2"}"#,
            "b",
            r#"b{x="1"}"#,
            r#"b{x="1"}"#,
        ]
    );
}

#[test]
fn what_is_wrong_with_a_sample_is_said() {
    use RejectionCode::{
        BadKind, BadLabels, BadName, BadRef, BadTimestamp, BadUnit, BadValue, MissingField, NotAnObject, RepeatedField,
        UnknownField, WrongType,
    };
    let with = |field: &str| format!(r#"{{"name":"a","value":1,{field}}}"#);
    refused(r#"{"value":1}"#, MissingField, "there is no \"name\"; each sample needs name and value");
    refused(r#"{"name":"a"}"#, MissingField, "there is no \"value\"; each sample needs name and value");
    refused("[null]", NotAnObject, "the sample is null; it must be an object with name and value");
    refused(&with(r#""valeu":3"#), UnknownField, "field \"valeu\" is not known; did you mean \"value\"?");
    refused(&with(r#""time":3"#), UnknownField, "field \"time\" is not known; did you mean \"timestamp\"?");
    refused(
        &with(r#""host":{"a":[1,{"b":2}]}"#),
        UnknownField,
        "field \"host\" is not known; a sample has name, value, timestamp, labels, kind, unit, ref; \
         what else you know of it goes into \"labels\"",
    );
    refused(&with(r#""value":2"#), RepeatedField, "field \"value\" is given twice; give it once");
    refused(r#"{"name":"","value":1}"#, BadName, "the metric name is empty; give it a name");
    refused(r#"{"name":5,"value":1}"#, WrongType, "\"name\" is a number; it must be text in quotes");
    refused(r#"{"name":null,"value":1}"#, WrongType, "\"name\" is null; it must be text in quotes");
    refused(r#"{"name":"a","value":"1"}"#, WrongType, "\"value\" is text; write the number without quotes");
    refused(r#"{"name":"a","value":[1]}"#, WrongType, "\"value\" is an array; it must be a number");
    refused(
        r#"{"name":"a","value":null}"#,
        BadValue,
        "\"value\" is null, which JavaScript writes for NaN and Infinity; send a finite number",
    );
    refused(r#"{"name":"a","value":-1e999}"#, BadValue, "\"value\" -1e999 is too great for a 64-bit float");
    refused(
        &with(r#""timestamp":"2024-01-01""#),
        WrongType,
        "\"timestamp\" is text; it must be a whole number of milliseconds since 1970, UTC",
    );
    refused(
        &with(r#""timestamp":-1"#),
        BadTimestamp,
        "\"timestamp\" -1 is negative; it counts milliseconds since 1970, UTC",
    );
    refused(
        &with(r#""timestamp":1700000000000.5"#),
        BadTimestamp,
        "\"timestamp\" 1700000000000.5 is no whole number of milliseconds; round it",
    );
    refused(
        &with(r#""timestamp":1700000000.123"#),
        BadTimestamp,
        "\"timestamp\" 1700000000.123 is no whole number of milliseconds; it looks like seconds: multiply by 1000",
    );
    refused(
        &with(r#""timestamp":17000000000000000000"#),
        BadTimestamp,
        "\"timestamp\" 17000000000000000000 is too great for milliseconds since 1970, UTC",
    );
    refused(
        &with(r#""labels":["a"]"#),
        WrongType,
        "\"labels\" is an array; it must be an object of text such as {\"route\":\"/book\"}",
    );
    refused(
        &with(r#""labels":{"status":200}"#),
        WrongType,
        "label \"status\" is a number; write its value as text in quotes",
    );
    refused(
        &with(r#""labels":{"ok":true}"#),
        WrongType,
        "label \"ok\" is true or false; write its value as text in quotes",
    );
    refused(&with(r#""labels":{"a":"1","a":"2"}"#), BadLabels, "label \"a\" is given twice; give each label once");
    refused(
        &with(r#""labels":{"__name__":"b"}"#),
        BadLabels,
        "label \"__name__\" is reserved; the metric's name goes into \"name\"",
    );
    refused(&with(r#""kind":"gauges""#), BadKind, "\"kind\" \"gauges\" is none of observation, counter, gauge, event");
    refused(&with(r#""unit":"a\nb""#), BadUnit, "\"unit\" holds a control character; leave it out");
    let long = "x".repeat(257);
    refused(&with(&format!(r#""ref":"{long}""#)), BadRef, "\"ref\" is 257 bytes long; at most 256 are allowed");
    refused(&with(r#""ref":12"#), WrongType, "\"ref\" is a number; it must be text in quotes");
    // The first fault counts, and the rest of the sample is read over.
    refused(
        &with(r#""a":{"b":[{}]},"kind":7,"labels":[]"#),
        UnknownField,
        &json_body(&with(r#""a":1"#)).rejected[0].message,
    );
}

#[test]
fn hints_about_the_clock() {
    let late = |ms| Rejection::too_late(0, TimestampMs::new(ms), TimestampMs::new(1_690_000_000_000), NOW).message;
    assert!(late(1_700_000_000).ends_with("; it looks like seconds: multiply by 1000"));
    assert_eq!(late(1_600_000_000_000), "timestamp 1600000000000 is before 1690000000000, the start of what is kept");
    let new = |ms| Rejection::too_new(0, TimestampMs::new(ms), DurationMs::from_minutes(10), NOW).message;
    assert!(new(1_700_000_000_000_000).ends_with("; it looks like microseconds: divide by 1000"));
    assert!(new(1_700_000_000_000_000_000).ends_with("; it looks like nanoseconds: divide by 1000000"));
    assert_eq!(
        new(1_800_000_000_000),
        "timestamp 1800000000000 is more than 10m after the gateway's clock, 1700000000000"
    );
}

#[test]
fn what_is_wrong_with_a_body_is_said() {
    use BodyFormat::{Json, Ndjson};
    let empty = "the body is empty; send one sample such as {\"name\":\"booking_response_time\",\"value\":120}";
    whole_body(b"", Json, "empty_body", empty);
    whole_body(b" \r\n", Ndjson, "empty_body", empty);
    whole_body(b"{\"name\":\"\xff\"}", Json, "not_utf8", "the body is not UTF-8: byte 9 begins no character");
    whole_body(b"name=a", Json, "not_json", "the body is not JSON: expected ident at line 1, column 2");
    whole_body(
        b"{\"name\":\"a\",\n\"value\":}",
        Json,
        "not_json",
        "the body is not JSON: expected value at line 2, column 9",
    );
    whole_body(
        b"[{\"name\":\"a\",\"value\":1},\n {\"name\":\"a\",\"value\":NaN}]",
        Json,
        "not_json",
        "the body is not JSON: expected value at line 2, column 22; \
         NaN and Infinity are not JSON and cannot be kept: leave such samples out",
    );
    whole_body(
        b"{\"name\":\"a\",\"value\":1}\n{\"name\":\"a\",\"value\":1}",
        Json,
        "not_json",
        "the body is not JSON: trailing characters at line 2, column 1; for one object a line, send it as application/x-ndjson",
    );
    whole_body(
        b"{'name':'a'}",
        Json,
        "not_json",
        "the body is not JSON: key must be a string at line 1, column 2; JSON text stands in double quotes",
    );
    whole_body(
        b"[{\"name\":\"a\",\"value\":1}",
        Json,
        "not_json",
        "the body is not JSON: EOF while parsing a list at line 1, column 23",
    );
    whole_body(
        b"12",
        Json,
        "not_samples",
        "the body is a JSON number; send an object {\"name\", \"value\"} or an array of them",
    );
    whole_body(
        b"\"a\"",
        Json,
        "not_samples",
        "the body is a JSON string; send an object {\"name\", \"value\"} or an array of them",
    );
}

#[test]
fn depth_is_bounded() {
    let nested = |levels: usize| format!("{{\"name\":\"a\",\"value\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    // The object itself is the first of 16 levels.
    refused(&nested(15), RejectionCode::WrongType, "\"value\" is an array; it must be a number");
    for levels in [16, 100, 100_000] {
        let error = decode(nested(levels).as_bytes(), BodyFormat::Json, NOW).unwrap_err();
        assert_eq!(error.code(), "too_deep", "{levels}");
    }
    for field in ["x", "labels", "name", "timestamp"] {
        let body = format!("[{{\"{field}\":{}1{}}}]", "{\"a\":[".repeat(9), "]}".repeat(9));
        assert_eq!(decode(body.as_bytes(), BodyFormat::Json, NOW).unwrap_err().code(), "too_deep", "{field}");
        assert_eq!(decode(body.as_bytes(), BodyFormat::Ndjson, NOW).unwrap_err().code(), "too_deep", "{field}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(decode(deep.as_bytes(), BodyFormat::Json, NOW).unwrap_err().code(), "too_deep");
}

#[test]
fn the_number_of_samples_is_bounded() {
    let one = r#"{"name":"a","value":1}"#;
    let array = |count: usize| format!("[{}]", vec![one; count].join(","));
    assert_eq!(json_body(&array(MAX_SAMPLES)).accepted.len(), MAX_SAMPLES);
    assert_eq!(decode(array(MAX_SAMPLES + 1).as_bytes(), BodyFormat::Json, NOW), Err(BodyError::TooManySamples));
    let lines = |count: usize| vec![one; count].join("\n");
    let ingested = decode(lines(MAX_SAMPLES).as_bytes(), BodyFormat::Ndjson, NOW).unwrap();
    assert_eq!(ingested.accepted.len(), MAX_SAMPLES);
    assert_eq!(decode(lines(MAX_SAMPLES + 1).as_bytes(), BodyFormat::Ndjson, NOW), Err(BodyError::TooManySamples));
}

#[test]
fn a_line_stands_for_itself() {
    let body = "{\"name\":\"a\",\"value\":1}\r\n\n{\"name\":\"a\",\"value\":}\n[]\n{\"name\":\"b\",\"value\":2} x\n{\"name\":\"c\",\"value\":3}";
    let ingested = decode(body.as_bytes(), BodyFormat::Ndjson, NOW).unwrap();
    let accepted: Vec<_> = ingested.accepted.iter().map(|sample| (sample.index, sample.key.to_string())).collect();
    assert_eq!(accepted, [(0, "a".to_owned()), (4, "c".to_owned())]);
    let rejected: Vec<_> = ingested
        .rejected
        .iter()
        .map(|rejection| (rejection.index, rejection.code, rejection.message.as_str()))
        .collect();
    assert_eq!(
        rejected,
        [
            (1, RejectionCode::NotJson, "line 3 is not JSON: expected value at column 21"),
            (2, RejectionCode::NotAnObject, "the sample is an array; it must be an object with name and value"),
            (3, RejectionCode::NotJson, "line 5 is not JSON: trailing characters at column 24"),
        ]
    );
}

#[test]
fn codes_are_written_as_they_are_named() {
    for code in RejectionCode::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
}

#[test]
fn the_documentation_lists_every_code() {
    let page = include_str!("../../../docs/formats/ingest.md");
    let body =
        ["empty_body", "not_utf8", "not_json", "not_samples", "too_deep", "too_many_samples", "bad_idempotency_key"];
    for code in RejectionCode::ALL.map(RejectionCode::as_str).into_iter().chain(body) {
        assert!(page.contains(&format!("| `{code}` |")), "{code}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let key =
            prop_oneof![Just("name".to_owned()), Just("value".to_owned()), Just("labels".to_owned()), "[a-z]{1,3}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn good_samples_arrive_as_they_were_sent(
        name in "[a-z_\u{e9}\"\\\\]{1,10}",
        value in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        timestamp in 0..4_000_000_000_000_i64,
        labels in prop::collection::btree_map("[a-zA-Z]{1,6}", "\\PC{1,10}", 0..6),
    ) {
        let body = json!({"name": name, "value": value, "timestamp": timestamp, "labels": labels}).to_string();
        let sample = taken(&body);
        prop_assert_eq!(sample.key.metric.as_str(), name);
        prop_assert_eq!(sample.sample.value().to_bits(), value.to_bits());
        prop_assert_eq!(sample.sample.timestamp().get(), timestamp);
        let found: Vec<_> = sample.key.labels.iter().collect();
        let sent: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        prop_assert_eq!(found, sent);
    }

    #[test]
    fn each_element_is_taken_or_refused_once(elements in prop::collection::vec(any_json(), 0..6)) {
        let body = Value::from(elements.clone()).to_string();
        let ingested = json_body(&body);
        let mut places: Vec<_> = ingested.accepted.iter().map(|sample| sample.index).collect();
        places.extend(ingested.rejected.iter().map(|rejection| rejection.index));
        places.sort_unstable();
        prop_assert_eq!(places, (0..elements.len()).collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = decode(&bytes, BodyFormat::Json, NOW);
        let _ = decode(&bytes, BodyFormat::Ndjson, NOW);
    }
}
