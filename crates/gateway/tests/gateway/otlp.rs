//! `POST /v1/metrics`: OpenTelemetry over HTTP. The SDKs themselves are in `tests/peers`.

use serde_json::{Value, json};

use bellwether_core::query::Aggregation;

use crate::live::Live;
use crate::running::{Answer, Request, Running, now_ms};

fn post(gateway: &Running, body: &Value) -> Answer {
    Request::post("/v1/metrics").header("content-type", "application/json").body(body.to_string()).send(gateway)
}

fn nanos(ms: i64) -> String {
    format!("{ms}000000")
}

/// A request of one resource with these metrics.
fn request(metrics: Value) -> Value {
    let resource = json!({"attributes": [
        {"key": "service.name", "value": {"stringValue": "booking"}},
        {"key": "service.namespace", "value": {"stringValue": "shop"}},
        {"key": "service.instance.id", "value": {"stringValue": "a"}},
        {"key": "host.name", "value": {"stringValue": "h"}},
        {"key": "process.pid", "value": {"intValue": "7"}},
        {"key": "telemetry.sdk.name", "value": {"stringValue": "x"}},
    ]});
    json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"scope": {"name": "s"}, "metrics": metrics}]}]})
}

/// The refused points and the sentence about them.
#[track_caller]
fn partial(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let partial = &answer.json()["partialSuccess"];
    let text = |name: &str| partial[name].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned();
    (text("rejectedDataPoints"), text("errorMessage"))
}

/// A cumulative histogram with bounds 10 and 100 that began a minute ago.
fn histogram(at: i64, counts: [u64; 3], sum: f64) -> Value {
    let point = json!({
        "timeUnixNano": nanos(at), "startTimeUnixNano": nanos(at - 60_000), "count": counts.iter().sum::<u64>().to_string(),
        "sum": sum, "bucketCounts": counts.map(|count| count.to_string()), "explicitBounds": [10, 100],
    });
    request(
        json!([{"name": "latency", "unit": "ms", "histogram": {"aggregationTemporality": 2, "dataPoints": [point]}}]),
    )
}

#[test]
fn who_follows_each_sample_and_who_exports_gets_what_histograms_add() {
    let gateway = Running::start(&[]);
    let now = now_ms();
    for (step, format) in [("raw", "json"), ("raw", "binary"), ("1s", "binary")] {
        let mut live = Live::open(&gateway);
        live.subscribe("latency", step, format);
        live.until("it is subscribed", |live| live.subscribed);
        let before = live.figure("latency", Aggregation::Count).count;
        let at = now - 3_000 + before as i64;
        assert_eq!(post(&gateway, &histogram(at, [5 + before, 3, 1], 300.0)).status, 200);
        live.until("it has come", |live| live.figure("latency", Aggregation::Count).count > before);
        let stored = gateway.result("name=latency&window=2h&agg=count").unwrap();
        assert_eq!(live.figure("latency", Aggregation::Count).value, Some(stored), "{step} {format}");
    }
    let stored = gateway.result("name=latency&window=2h&agg=count").unwrap();
    let rows = gateway.get("/api/v1/export?format=ndjson&name=latency").body;
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 3);
    let mut counted = 0;
    for row in &rows {
        let of =
            |side: &str| row[side].as_array().unwrap().iter().map(|bucket| bucket[1].as_u64().unwrap()).sum::<u64>();
        let count = row["count"].as_u64().unwrap();
        assert_eq!(count, of("positive") + of("negative") + row["zero"].as_u64().unwrap(), "{row}");
        counted += count;
    }
    assert_eq!((counted as f64, rows[0]["unit"].as_str()), (stored, Some("ms")));
    let csv = gateway.get("/api/v1/export?name=latency").body;
    let (head, csv) = csv.split_once("\r\n").unwrap();
    assert!(head.ends_with(",value,ref,count,sum,min,max,sketch"), "{head}");
    for (row, of_csv) in rows.iter().zip(csv.lines()) {
        let told = format!(",ms,,,{},{},{},{},\"{{\"\"scale\"\":", row["count"], row["sum"], row["min"], row["max"]);
        assert!(of_csv.contains(&told), "{of_csv} {told}");
    }
    assert_eq!(csv.lines().count(), rows.len());
    let late = format!("/api/v1/export?format=ndjson&name=latency&from={now}");
    assert_eq!(gateway.get(&late).body, "");
}

#[test]
fn numbers_are_gauges_counters_and_events() {
    let gateway = Running::start(&[]);
    let now = now_ms();
    let point = |at: i64, value: Value| {
        let mut point = json!({"timeUnixNano": nanos(at), "startTimeUnixNano": nanos(now - 60_000)});
        point.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        point
    };
    let ints = |values: [(i64, i64); 2]| values.map(|(at, value)| point(at, json!({"asInt": value.to_string()})));
    let sum = |temporality: i32, monotonic: bool, values: [(i64, i64); 2]| json!({"aggregationTemporality": temporality, "isMonotonic": monotonic, "dataPoints": ints(values)});
    let two = [(now - 2_000, 10), (now - 1_000, 14)];
    let attributes =
        json!([{"key": "route", "value": {"stringValue": "/a"}}, {"key": "host.name", "value": {"intValue": 5}}]);
    let gauge = point(now - 1_000, json!({"asDouble": 0.5, "attributes": attributes}));
    let body = request(json!([
        {"name": "temperature", "unit": "Cel", "gauge": {"dataPoints": [gauge]}},
        {"name": "requests", "sum": sum(2, true, two)},
        {"name": "queue", "sum": sum(2, false, two)},
        {"name": "orders", "sum": sum(1, true, two)},
        {"name": "change", "sum": sum(1, false, [(now - 2_000, 5), (now - 1_000, -2)])},
    ]));
    let answer = post(&gateway, &body);
    assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
    let service = "where=job:shop/booking&where=instance:a&where=otel_scope_name:s";
    let own = "where=route:/a&where=host.name:5";
    assert_eq!(gateway.result(&format!("name=temperature&window=5m&agg=last&{service}&{own}")), Some(0.5));
    assert_eq!(gateway.result(&format!("name=requests&window=5m&agg=increase&{service}&where=host.name:h")), Some(4.0));
    assert_eq!(gateway.result("name=queue&window=5m&agg=last"), Some(14.0));
    assert_eq!(gateway.result("name=orders&window=5m&agg=sum"), Some(24.0));
    assert_eq!(gateway.result("name=change&window=5m&agg=sum"), Some(3.0));
    for label in ["process.pid", "telemetry.sdk.name", "service.name"] {
        let by = gateway.get(&format!("/query?name=requests&window=5m&agg=count&by={label}")).json();
        assert_eq!(by["groups"][0]["labels"][label].as_str().unwrap_or_default(), "", "{by}");
    }
    // Sent again: states count once, what adds counts as often as it comes.
    assert_eq!(post(&gateway, &body).status, 200);
    assert_eq!(gateway.result("name=queue&window=5m&agg=count"), Some(2.0));
    assert_eq!(gateway.result("name=orders&window=5m&agg=sum"), Some(48.0));
}

#[test]
fn histograms_answer_percentiles_within_their_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let now = now_ms();
    let began = nanos(now - 30_000);
    let explicit = |at: i64, counts: [u64; 4], sum: f64, temporality: i32, min: f64, max: f64| {
        let point = json!({
            "timeUnixNano": nanos(at), "startTimeUnixNano": began, "count": counts.iter().sum::<u64>().to_string(),
            "sum": sum, "bucketCounts": counts.map(|count| count.to_string()), "explicitBounds": [10, 100, 1000],
            "min": min, "max": max,
        });
        json!({"aggregationTemporality": temporality, "dataPoints": [point]})
    };
    let exponential = |at: i64, counts: &[u64], temporality: i32| {
        let point = json!({
            "timeUnixNano": nanos(at), "startTimeUnixNano": began, "count": counts.iter().sum::<u64>().to_string(),
            "sum": 700.0, "scale": 3, "zeroCount": "0", "positive": {"offset": 23, "bucketCounts": counts},
        });
        json!({"aggregationTemporality": temporality, "dataPoints": [point]})
    };
    let body = request(json!([
        {"name": "duration", "unit": "ms", "histogram": explicit(now - 3_000, [50, 50, 0, 0], 3_000.0, 2, 2.0, 90.0)},
        {"name": "duration", "unit": "ms", "histogram": explicit(now - 2_000, [50, 140, 9, 1], 9_000.0, 2, 2.0, 1_500.0)},
        {"name": "delta", "histogram": explicit(now - 2_000, [0, 100, 0, 0], 5_500.0, 1, 20.0, 90.0)},
        {"name": "exponential", "exponentialHistogram": exponential(now - 2_000, &[90, 0, 0, 0, 0, 0, 0, 0, 10], 2)},
    ]));
    assert_eq!(post(&gateway, &body).body, "{}");
    let check = |gateway: &Running| {
        let near = |name: &str, agg: &str, expected: f64, error: f64| {
            let found = gateway.result(&format!("name={name}&window=5m&agg={agg}")).unwrap();
            assert!((found - expected).abs() <= error * expected, "{name} {agg} is {found}, not {expected}");
        };
        near("duration", "count", 200.0, 0.0);
        near("duration", "sum", 9_000.0, 1e-12);
        // Of 200 values 50 lie in (2, 10], 140 in (10, 100], spread evenly.
        near("duration", "p50", 42.0, 0.03);
        near("duration", "max", 1_500.0, 0.0);
        near("duration", "min", 2.0, 0.0);
        near("delta", "count", 100.0, 0.0);
        near("delta", "p50", 55.0, 0.02);
        near("delta", "max", 90.0, 0.0);
        near("exponential", "count", 100.0, 0.0);
        near("exponential", "p50", 7.66, 0.0434);
        near("exponential", "p99", 15.3, 0.0434);
    };
    check(&gateway);
    assert_eq!(post(&gateway, &body).body, "{}");
    check(&gateway);
    gateway.kill();
    check(&Running::start_in(folder.path(), &[]));
}

#[test]
fn what_is_refused_is_told_and_the_rest_is_stored() {
    let gateway = Running::start(&[]);
    let now = now_ms();
    let point = |value: Value| json!({"timeUnixNano": nanos(now), "asDouble": value});
    let histogram = |bounds: Value| {
        let point = json!({"timeUnixNano": nanos(now), "count": "2", "sum": 1.0, "bucketCounts": ["1", "1"],
            "explicitBounds": bounds});
        json!({"aggregationTemporality": 2, "dataPoints": [point]})
    };
    let body = request(json!([
        {"name": "m", "gauge": {"dataPoints": [point(json!("NaN")), point(json!(5.0))]}},
        {"name": "", "gauge": {"dataPoints": [point(json!(1.0))]}},
        {"name": "s", "summary": {"dataPoints": [{"quantileValues": []}]}},
        {"name": "t", "gauge": {"dataPoints": [{"asDouble": 1.0}]}},
        {"name": "u", "sum": {"dataPoints": [point(json!(1.0))]}},
        {"name": "h", "histogram": histogram(json!([1, 2]))},
        {"name": "h2", "histogram": histogram(json!([1]))},
        {"name": "e", "gauge": {"dataPoints": [{"timeUnixNano": nanos(now), "flags": 1}]}},
    ]));
    let (rejected, message) = partial(&post(&gateway, &body));
    assert_eq!(rejected, "6", "{message}");
    assert!(message.contains("bad_value") && message.contains("NaN"), "{message}");
    assert_eq!(gateway.result("name=m&window=5m&agg=sum"), Some(5.0));
    let metrics = gateway.get("/metrics").body;
    for (reason, count) in
        [("bad_value", 1), ("bad_name", 1), ("bad_histogram", 2), ("bad_timestamp", 1), ("bad_kind", 1)]
    {
        let line = format!("gateway_samples_rejected_total{{reason=\"{reason}\"}} {count}");
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
    assert!(metrics.contains("gateway_series_ended_total 1"), "{metrics}");
    // What adds is no state: a metric that is known as one does not take it.
    let delta = json!([{"name": "m", "sum": {"aggregationTemporality": 1, "dataPoints": [point(json!(1.0))]}}]);
    assert!(partial(&post(&gateway, &request(delta))).1.contains("kind_conflict"));
}

#[test]
fn a_body_that_cannot_be_read_is_refused_whole() {
    let gateway = Running::start(&[]);
    let send = |content_type: &str, encoding: &str, body: Vec<u8>| {
        let request = Request::post("/v1/metrics").header("content-type", content_type);
        request.header("content-encoding", encoding).body(body).send(&gateway)
    };
    send("text/plain", "identity", b"{}".to_vec()).is_error(415, "unsupported_content_type");
    send("application/json", "snappy", b"{}".to_vec()).is_error(415, "unsupported_content_encoding");
    let answer = send("application/json", "identity", b"{\"resourceMetrics\": 7}".to_vec());
    answer.is_error(400, "malformed_body");
    assert!(answer.json()["message"].as_str().unwrap().contains("line 1"), "{}", answer.body);
    send("application/json", "gzip", b"{}".to_vec()).is_error(400, "bad_compression");
    let broken = send("application/x-protobuf", "identity", vec![0xff; 7]);
    assert_eq!((broken.status, broken.header("content-type")), (400, Some("application/x-protobuf")));
    assert!(broken.body.contains("ExportMetricsServiceRequest"), "a google.rpc.Status: {}", broken.body);
    // Sixteen million resources of two bytes each.
    let hollow = send("application/x-protobuf", "identity", [0x0a, 0x00].repeat(16 << 20));
    assert_eq!(hollow.status, 400);
    assert!(hollow.body.contains("too many parts"), "{}", hollow.body);
    assert_eq!(send("application/x-protobuf", "identity", vec![0; (32 << 20) + 1]).status, 413);
    assert_eq!(send("application/x-protobuf", "identity", Vec::new()).status, 200, "nothing is a request of nothing");
}
