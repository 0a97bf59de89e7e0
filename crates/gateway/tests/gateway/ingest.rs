//! `POST /ingest`: what is taken, what is refused and how that is said.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::running::{Request, Running, now_ms, read_answer};

#[test]
fn the_seeds_snippet_works() {
    let gateway = Running::start(&[]);
    let body = format!(r#"{{"name":"booking_response_time","value":120,"timestamp":{}}}"#, now_ms());
    let answer = gateway.ingest(&body);
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(gateway.ingest(r#"{"name":"booking_response_time","value":140}"#).status, 204);
    assert_eq!(gateway.result("name=booking_response_time&window=5m&agg=avg"), Some(130.0));
    assert_eq!(gateway.result("name=nobody_sent_this&window=5m&agg=avg"), None);
}

#[test]
fn three_forms_of_body_are_taken() {
    let gateway = Running::start(&[]);
    assert_eq!(gateway.ingest(r#"[{"name":"m","value":1},{"name":"m","value":2}]"#).status, 204);
    let lines = "{\"name\":\"m\",\"value\":3}\n\n{\"name\":\"m\",\"value\":4}\n";
    let answer = Request::post("/ingest").header("content-type", "application/x-ndjson").body(lines).send(&gateway);
    assert_eq!(answer.status, 204, "{}", answer.body);
    // Without a content type it is JSON.
    assert_eq!(Request::post("/ingest").body(r#"{"name":"m","value":5}"#).send(&gateway).status, 204);
    assert_eq!(gateway.ingest("[]").status, 204);
    assert_eq!(gateway.result("name=m&window=5m&agg=sum"), Some(15.0));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_body_may_be_packed() {
    let gateway = Running::start(&[]);
    let body = gzip(br#"{"name":"m","value":5}"#);
    let answer = Request::post("/ingest").header("content-encoding", "gzip").body(body).send(&gateway);
    assert_eq!(answer.status, 204, "{}", answer.body);
    assert_eq!(gateway.result("name=m&window=5m&agg=sum"), Some(5.0));
}

#[test]
fn the_good_samples_of_a_bad_body_are_kept() {
    let gateway = Running::start(&[]);
    assert_eq!(gateway.ingest(r#"{"name":"g","value":1,"kind":"gauge"}"#).status, 204);
    let (now, day_ms) = (now_ms(), 86_400_000);
    let body = format!(
        r#"[{{"name":"m","value":1}},
            {{"name":"m"}},
            {{"name":"m","value":"2"}},
            {{"name":"m","value":1e999}},
            {{"name":"m","value":3,"timestamp":{}}},
            {{"name":"m","value":4,"timestamp":{}}},
            {{"name":"m","value":5,"timestamp":{}}},
            {{"name":"g","value":6,"kind":"counter"}},
            {{"name":"m","value":7,"lables":{{}}}},
            {{"name":"","value":8}},
            7,
            {{"name":"m","value":9,"timestamp":{}}}]"#,
        now + day_ms,
        now - 91 * day_ms,
        now / 1_000,
        now - 89 * day_ms,
    );
    let answer = gateway.ingest(&body);
    assert_eq!(answer.status, 422, "{}", answer.body);
    let answer = answer.json();
    assert_eq!(answer["accepted"], 2, "{answer}");
    let refused: Vec<_> = answer["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| (each["index"].as_u64().unwrap(), each["code"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        (1, "missing_field"),
        (2, "wrong_type"),
        (3, "bad_value"),
        (4, "too_new"),
        (5, "too_late"),
        (6, "too_late"),
        (7, "kind_conflict"),
        (8, "unknown_field"),
        (9, "bad_name"),
        (10, "not_an_object"),
    ];
    assert_eq!(refused, expected.map(|(index, code)| (index, code.to_owned())));
    // What was refused is counted by its reason.
    let metrics = gateway.get("/metrics").body;
    assert!(metrics.contains("gateway_samples_rejected_total{reason=\"too_late\"} 2"), "{metrics}");
    assert_eq!(gateway.result("name=m&window=90d&agg=sum"), Some(10.0));
}

#[test]
fn retention_is_where_the_past_begins() {
    let gateway = Running::start(&["--retention", "2d"]);
    let days_ago = |days: i64| format!(r#"{{"name":"m","value":1,"timestamp":{}}}"#, now_ms() - days * 86_400_000);
    assert_eq!(gateway.ingest(&days_ago(1)).status, 204);
    let answer = gateway.ingest(&days_ago(3)).json();
    assert_eq!(answer["rejected"][0]["code"], "too_late", "{answer}");
    assert_eq!(gateway.result("name=m&window=7d&agg=count"), Some(1.0));
}

#[test]
fn a_metric_has_one_unit_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |gateway: &Running, body: &str| {
        let answer = gateway.ingest(body);
        assert_eq!(answer.status, 422, "{}", answer.body);
        let answer = answer.json();
        assert_eq!(answer["rejected"][0]["code"], "unit_conflict", "{answer}");
        let message = answer["rejected"][0]["message"].as_str().unwrap();
        assert!(message.contains(r#""m" is in "ms", not "s""#), "{message}");
        (answer["accepted"].as_u64().unwrap(), answer["rejected"][0]["index"].as_u64().unwrap())
    };
    let gateway = Running::start_in(folder.path(), &[]);
    // It has none at first, and whoever says none goes with what there is.
    assert_eq!(gateway.ingest(r#"{"name":"m","value":1}"#).status, 204);
    let both = r#"[{"name":"m","value":200,"unit":"ms"},{"name":"m","value":0.2,"unit":"s"},{"name":"m","value":3}]"#;
    assert_eq!(refused(&gateway, both), (2, 1));
    // Who says its kind alone does not take the unit away.
    assert_eq!(gateway.ingest(r#"{"name":"m","value":0,"kind":"observation"}"#).status, 204);
    gateway.terminate();
    let gateway = Running::start_in(folder.path(), &[]);
    assert_eq!(refused(&gateway, r#"{"name":"m","value":0.2,"unit":"s"}"#), (0, 0));
    assert_eq!(gateway.result("name=m&window=5m&agg=sum"), Some(204.0));
}

#[test]
fn a_body_that_cannot_be_read_is_refused_whole() {
    let gateway = Running::start(&[]);
    gateway.ingest("").is_error(400, "empty_body");
    let answer = gateway.ingest("{\"name\":\"m\",\n \"value\":}");
    answer.is_error(400, "not_json");
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains("line 2"), "{}", answer.body);
    gateway.ingest("\"text\"").is_error(400, "not_samples");
    gateway.ingest(&("[".repeat(40) + &"]".repeat(40))).is_error(400, "too_deep");
    let many = format!("[{}]", vec![r#"{"name":"m","value":1}"#; 10_001].join(","));
    gateway.ingest(&many).is_error(400, "too_many_samples");
    Request::post("/ingest").body(b"\"\xff\"".to_vec()).send(&gateway).is_error(400, "not_utf8");
    let typed = |value: &str| Request::post("/ingest").header("content-type", value).body("{}").send(&gateway);
    typed("text/csv").is_error(415, "unsupported_content_type");
    typed("text/plain").is_error(415, "unsupported_content_type");
    let packed = |encoding: &str, body: Vec<u8>| {
        Request::post("/ingest").header("content-encoding", encoding).body(body).send(&gateway)
    };
    packed("br", b"{}".to_vec()).is_error(415, "unsupported_content_encoding");
    packed("snappy", b"{}".to_vec()).is_error(415, "unsupported_content_encoding");
    packed("gzip", b"{}".to_vec()).is_error(400, "bad_compression");
    // A mebibyte of blanks and one more byte, in a kibibyte.
    packed("gzip", gzip(&vec![b' '; (1 << 20) + 1])).is_error(413, "body_too_large");
    assert_eq!(gateway.result("name=m&window=5m&agg=count"), None);
}

#[test]
fn a_body_of_more_than_a_mebibyte_is_refused() {
    let gateway = Running::start(&[]);
    let padding = |bytes: usize| format!("{{\"name\":\"m\",\"value\":1}}{}", " ".repeat(bytes - 22));
    assert_eq!(gateway.ingest(&padding(1 << 20)).status, 204);
    gateway.ingest(&padding((1 << 20) + 1)).is_error(413, "body_too_large");
    // Large bodies still get their answer rather than a broken connection.
    gateway.ingest(&padding(5 << 20)).is_error(413, "body_too_large");
    assert_eq!(gateway.result("name=m&window=5m&agg=count"), Some(1.0));
    let metrics = gateway.get("/metrics").body;
    assert!(metrics.contains("gateway_requests_refused_total{reason=\"body_too_large\"} 2"), "{metrics}");
}

#[test]
fn a_batch_with_a_known_key_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let send_to = |gateway: &Running, key: &str, body: &str| {
        let request = Request::post("/ingest").header("content-type", "application/json");
        request.header("idempotency-key", key).body(body).send(gateway)
    };
    let send = |key: &str| send_to(&gateway, key, r#"{"name":"m","value":1}"#);
    for key in ["a:1", "a:2", "a:1", "opaque", "opaque"] {
        assert_eq!(send(key).status, 204, "{key}");
    }
    assert_eq!(gateway.result("name=m&window=5m&agg=count"), Some(3.0));
    send(&"x".repeat(300)).is_error(400, "bad_idempotency_key");
    assert!(gateway.get("/metrics").body.contains("gateway_batches_repeated_total 2"));
    let other = r#"{"name":"m","value":2}"#;
    send_to(&gateway, "a:1", other).is_error(400, "bad_idempotency_key");
    gateway.kill();
    // The answers are forgotten, the keys are not, and nobody is told that another body is stored.
    let gateway = Running::start_in(folder.path(), &[]);
    let answer = send_to(&gateway, "a:1", other);
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"repeated":true}"#));
    assert_eq!(gateway.result("name=m&window=5m&agg=sum"), Some(3.0));
}

#[test]
fn many_senders_at_once_are_all_stored() {
    let gateway = Running::start(&[]);
    std::thread::scope(|scope| {
        for sender in 0..8 {
            let gateway = &gateway;
            scope.spawn(move || {
                for value in 0..25 {
                    let body = format!(r#"{{"name":"m","value":{value},"labels":{{"sender":"{sender}"}}}}"#);
                    assert_eq!(gateway.ingest(&body).status, 204);
                }
            });
        }
    });
    assert_eq!(gateway.result("name=m&window=5m&agg=count"), Some(200.0));
    assert_eq!(gateway.result("name=m&window=5m&agg=sum"), Some(8.0 * 300.0));
}

#[test]
fn a_body_that_does_not_come_or_breaks_off_may_be_sent_again() {
    use std::io::{Read, Write};

    let gateway = Running::start(&["--limits-body-time", "200ms"]);
    // Prometheus and the OpenTelemetry SDKs would drop a batch that is answered with 400 or 408.
    for (path, content_type) in [
        ("/ingest", "application/json"),
        ("/api/v1/write", "application/x-protobuf\r\ncontent-encoding: snappy"),
        ("/v1/metrics", "application/json"),
        ("/write", "text/plain"),
        ("/api/v1/import/prometheus", "text/plain"),
    ] {
        for (end, code) in [
            ("content-length: 100\r\n\r\n{", "body_too_slow"),
            ("transfer-encoding: chunked\r\n\r\nno length", "body_broken"),
        ] {
            let mut stream = std::net::TcpStream::connect(gateway.address()).unwrap();
            stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
            let host = gateway.address();
            let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: {content_type}\r\n{end}");
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            let answer = read_answer(&answer);
            assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{path} {code} {answer:?}");
            assert!(answer.body.contains("send it again"), "{path} {}", answer.body);
        }
    }
    let metrics = gateway.get("/metrics").body;
    for code in ["body_too_slow", "body_broken"] {
        assert!(metrics.contains(&format!("gateway_requests_refused_total{{reason=\"{code}\"}} 5")), "{metrics}");
    }
}
