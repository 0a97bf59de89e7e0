//! `POST /api/v1/write`: Prometheus remote write 1.0 and 2.0.

use crate::prometheus::{
    BucketSpan, Exemplar, Histogram, Metadata2, MetricMetadata, Request as Request2, STALE, Sample, TimeSeries,
    TimeSeries2, WriteRequest, series, snappy,
};
use crate::running::{Answer, Request, Running, now_ms};

fn post(gateway: &Running, body: Vec<u8>) -> Answer {
    let request = Request::post("/api/v1/write").header("content-type", "application/x-protobuf");
    let request = request.header("content-encoding", "snappy");
    request.header("x-prometheus-remote-write-version", "0.1.0").body(body).send(gateway)
}

fn write(gateway: &Running, timeseries: Vec<TimeSeries>) -> Answer {
    post(gateway, snappy(&WriteRequest { timeseries, metadata: Vec::new() }))
}

fn write2(gateway: &Running, request: &Request2) -> Answer {
    let content_type = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
    let post = Request::post("/api/v1/write").header("content-type", content_type);
    let post = post.header("content-encoding", "snappy").header("x-prometheus-remote-write-version", "2.0.0");
    post.body(snappy(request)).send(gateway)
}

/// The numbers of the three headers.
#[track_caller]
fn written(answer: &Answer) -> [u64; 3] {
    ["samples", "histograms", "exemplars"].map(|what| {
        let header = answer.header(&format!("x-prometheus-remote-write-{what}-written"));
        header.unwrap_or_else(|| panic!("{answer:?}")).parse().unwrap()
    })
}

/// The codes of what was refused.
#[track_caller]
fn codes(answer: &Answer) -> Vec<(u64, String)> {
    assert_eq!(answer.status, 400, "{}", answer.body);
    let answer = answer.json();
    assert_eq!(answer["error"]["code"], "partly_refused", "{answer}");
    let rejected = answer["rejected"].as_array().unwrap().iter();
    rejected.map(|each| (each["index"].as_u64().unwrap(), each["code"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn samples_are_stored_with_the_kinds_that_their_names_imply() {
    let gateway = Running::start(&[]);
    let now = now_ms();
    let answer = write(
        &gateway,
        vec![
            series(&["__name__=up", "job=a", "empty="], &[(now - 2_000, 1.0), (now - 1_000, 0.0)]),
            series(&["job=a", "__name__=requests_total"], &[(now - 2_000, 40.0), (now - 1_000, 100.0)]),
        ],
    );
    assert_eq!((answer.status, answer.body.as_str(), written(&answer)), (204, "", [4, 0, 0]));
    assert_eq!(gateway.result("name=requests_total&window=5m&agg=increase"), Some(60.0));
    assert_eq!(gateway.result("name=up&window=5m&agg=last&where=job:a&across=sum"), Some(0.0));
    let kinds = gateway.get("/api/v1/metrics").json();
    let kind = |name: &str| {
        let metrics = kinds["metrics"].as_array().unwrap();
        metrics.iter().find(|metric| metric["name"] == name).unwrap()["kind"].as_str().unwrap().to_owned()
    };
    assert_eq!((kind("up").as_str(), kind("requests_total").as_str()), ("gauge", "counter"));
}

#[test]
fn what_comes_again_is_stored_once_also_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let now = now_ms();
    let body = |value: f64| vec![series(&["__name__=m"], &[(now - 2_000, 1.0), (now - 1_000, value)])];
    assert_eq!(write(&gateway, body(2.0)).status, 204);
    let again = write(&gateway, body(2.0));
    assert_eq!((again.status, written(&again)), (204, [2, 0, 0]));
    gateway.kill();
    let gateway = Running::start_in(folder.path(), &[]);
    let again = write(&gateway, body(2.0));
    assert_eq!((again.status, written(&again)), (204, [2, 0, 0]));
    // Another value at the same timestamp is another sender's: named, and nothing else is lost.
    let other = write(&gateway, body(3.0));
    assert_eq!(codes(&other), [(1, "repeated_timestamp".to_owned())]);
    assert_eq!(written(&other), [1, 0, 0]);
    assert!(other.body.contains("another value"), "{}", other.body);
    assert_eq!(gateway.result("name=m&window=5m&agg=sum"), Some(3.0));
    // An older one that was not there is taken.
    assert_eq!(write(&gateway, vec![series(&["__name__=m"], &[(now - 1_500, 7.0)])]).status, 204);
    assert_eq!(gateway.result("name=m&window=5m&agg=count"), Some(3.0));
    let metrics = gateway.get("/metrics").body;
    assert!(metrics.contains("gateway_samples_repeated_total 3"), "{metrics}");
    assert!(metrics.contains("gateway_samples_rejected_total{reason=\"repeated_timestamp\"} 1"), "{metrics}");
}

#[test]
fn the_good_samples_of_a_bad_body_are_kept() {
    let gateway = Running::start(&[]);
    let (now, day_ms) = (now_ms(), 86_400_000);
    let many: Vec<String> = (0..31).map(|number| format!("l{number}=v")).collect();
    let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
    many.push("__name__=m");
    let long = format!("l={}", "v".repeat(2_049));
    let body = vec![
        series(&["__name__=m"], &[(now - 3_000, 1.0), (now - 2_000, f64::NAN), (now - 1_000, f64::INFINITY)]),
        series(&["__name__=m", "ended=yes"], &[(now - 2_000, 1.0), (now - 1_000, STALE)]),
        series(&["job=nameless"], &[(now, 1.0)]),
        series(&["__name__=m", "a=1", "a=2"], &[(now, 1.0)]),
        series(&many, &[(now, 1.0)]),
        series(&["__name__=m", &long], &[(now, 1.0)]),
        series(&["__name__=m", "far=future"], &[(now + 10 * day_ms, 1.0), (now, 5.0)]),
        series(&["__name__=m", "far=past"], &[(now - 91 * day_ms, 1.0), (-1, 1.0), (now, 7.0)]),
    ];
    let answer = write(&gateway, body);
    let expected = [
        (1, "bad_value"),
        (2, "bad_value"),
        (5, "bad_name"),
        (6, "bad_labels"),
        (7, "bad_labels"),
        (8, "bad_labels"),
        (9, "too_new"),
        (11, "too_late"),
        (12, "bad_timestamp"),
    ];
    assert_eq!(codes(&answer), expected.map(|(index, code)| (index, code.to_owned())));
    // The stale marker is taken: it is one of the five, and no value.
    assert_eq!(written(&answer), [5, 0, 0]);
    assert_eq!(gateway.result("name=m&window=5m&agg=sum"), Some(1.0 + 1.0 + 5.0 + 7.0));
    // One far in the future blocks nothing that comes after it.
    assert_eq!(write(&gateway, vec![series(&["__name__=m", "far=future"], &[(now + 1, 9.0)])]).status, 204);
    let metrics = gateway.get("/metrics").body;
    for line in ["gateway_series_ended_total 1", "gateway_samples_rejected_total{reason=\"bad_labels\"} 3"] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[test]
fn metadata_gives_kinds_and_gives_way_to_what_is_known() {
    let gateway = Running::start(&[]);
    let now = now_ms();
    let described =
        |name: &str, metric_type: i32| MetricMetadata { r#type: metric_type, metric_family_name: name.to_owned() };
    let metadata = vec![described("restarts", 1), described("known", 1), described("latency", 3)];
    assert_eq!(write(&gateway, vec![series(&["__name__=known"], &[(now - 3_000, 1.0)])]).status, 204);
    let answer = post(&gateway, snappy(&WriteRequest { timeseries: Vec::new(), metadata }));
    assert_eq!((answer.status, written(&answer)), (204, [0, 0, 0]));
    let grown = [(now - 2_000, 10.0), (now - 1_000, 14.0)];
    let body = vec![series(&["__name__=restarts"], &grown), series(&["__name__=known"], &grown)];
    assert_eq!(write(&gateway, body).status, 204);
    assert_eq!(gateway.result("name=restarts&window=5m&agg=increase"), Some(4.0));
    // It began as a gauge, and nothing of it is lost for what was said too late.
    assert_eq!(gateway.result("name=known&window=5m&agg=count"), Some(3.0));
}

#[test]
fn version_2_brings_symbols_kinds_units_and_counts() {
    let gateway = Running::start(&[]);
    let now = now_ms();
    let symbols = ["", "__name__", "uptime", "job", "a", "seconds", "requests"];
    let sample = |timestamp: i64, value: f64| Sample { value, timestamp };
    let mut request = Request2 {
        symbols: symbols.map(str::to_owned).to_vec(),
        timeseries: vec![
            TimeSeries2 {
                labels_refs: vec![1, 2, 3, 4],
                samples: vec![sample(now - 2_000, 10.0), sample(now - 1_000, 11.0)],
                metadata: Some(Metadata2 { r#type: 1, unit_ref: 5 }),
                ..TimeSeries2::default()
            },
            TimeSeries2 { labels_refs: vec![1, 6], samples: vec![sample(now, f64::NAN)], ..TimeSeries2::default() },
        ],
    };
    let answer = write2(&gateway, &request);
    assert_eq!(codes(&answer), [(2, "bad_value".to_owned())]);
    assert_eq!(written(&answer), [2, 0, 0]);
    assert_eq!(gateway.result("name=uptime&window=5m&agg=increase&where=job:a"), Some(1.0));
    request.timeseries[1].labels_refs = vec![1, 60];
    let answer = write2(&gateway, &request);
    answer.is_error(400, "malformed_body");
    assert_eq!(written(&answer), [0, 0, 0]);
}

#[test]
fn exemplars_are_dropped_out_loud() {
    let gateway = Running::start(&[]);
    let exemplars = vec![Exemplar { value: 1.0 }, Exemplar { value: 2.0 }];
    let with = TimeSeries { exemplars, ..series(&["__name__=m"], &[(now_ms(), 1.0)]) };
    let answer = write(&gateway, vec![with]);
    assert_eq!((answer.status, written(&answer)), (204, [1, 0, 0]));
    assert!(gateway.get("/metrics").body.contains("gateway_exemplars_dropped_total 2"));
}

#[test]
fn a_body_that_cannot_be_read_is_refused_whole() {
    let gateway = Running::start(&[]);
    let now = now_ms();
    let good = || snappy(&WriteRequest { timeseries: vec![series(&["__name__=m"], &[(now, 1.0)])], metadata: vec![] });
    let with = |name: &str, value: &str| {
        let defaults = [
            ("content-type", "application/x-protobuf"),
            ("content-encoding", "snappy"),
            ("x-prometheus-remote-write-version", "0.1.0"),
        ];
        let request = defaults.iter().fold(Request::post("/api/v1/write"), |request, (default, usual)| {
            request.header(default, if *default == name { value } else { usual })
        });
        request.body(good()).send(&gateway)
    };
    with("content-type", "application/json").is_error(415, "unsupported_content_type");
    with("content-type", "application/x-protobuf;proto=io.prometheus.write.v9.Request")
        .is_error(415, "unsupported_content_type");
    with("content-encoding", "gzip").is_error(415, "unsupported_content_encoding");
    let plain = with("content-encoding", "identity");
    plain.is_error(415, "unsupported_content_encoding");
    assert!(plain.body.contains(r#"\"identity\" is not taken here; use snappy"#), "{}", plain.body);
    with("x-prometheus-remote-write-version", "7.0.0").is_error(415, "unsupported_version");
    post(&gateway, b"\x05not packed".to_vec()).is_error(400, "bad_compression");
    let unreadable = snap::raw::Encoder::new().compress_vec(b"\xff\xff\xff").unwrap();
    post(&gateway, unreadable).is_error(400, "malformed_body");
    // Four gigabytes, it says.
    post(&gateway, vec![0xff, 0xff, 0xff, 0xff, 0x0f]).is_error(413, "body_too_large");
    let bomb = snap::raw::Encoder::new().compress_vec(&vec![0; (32 << 20) + 1]).unwrap();
    post(&gateway, bomb).is_error(413, "body_too_large");
    let many: Vec<_> = (0..10_001).map(|number| (now - number, 1.0)).collect();
    write(&gateway, vec![series(&["__name__=m"], &many)]).is_error(400, "too_many_samples");
    // No labels, no samples, and as many of them as fit.
    let hollow = snap::raw::Encoder::new().compress_vec(&[0x0a, 0x00].repeat(8 << 20)).unwrap();
    assert_eq!(post(&gateway, hollow).status, 204);
    assert_eq!(gateway.result("name=m&window=5m&agg=count"), None, "nothing of them was taken");
    assert_eq!(post(&gateway, good()).status, 204, "and nothing of them stays");
    let metrics = gateway.get("/metrics").body;
    assert!(metrics.contains("gateway_requests_refused_total{reason=\"body_too_large\"} 2"), "{metrics}");
}

#[test]
fn a_batch_with_a_known_key_counts_once() {
    let gateway = Running::start(&[]);
    let body =
        snappy(&WriteRequest { timeseries: vec![series(&["__name__=m"], &[(now_ms(), 1.0)])], metadata: vec![] });
    for _ in 0..2 {
        let request = Request::post("/api/v1/write").header("content-type", "application/x-protobuf");
        let request = request.header("content-encoding", "snappy").header("idempotency-key", "agent:7");
        assert_eq!(request.body(body.clone()).send(&gateway).status, 204);
    }
    assert!(gateway.get("/metrics").body.contains("gateway_batches_repeated_total 1"));
}

/// A native histogram of schema 3 whose `counts` are those of neighbouring value buckets from `first` on.
fn histogram(at: i64, first: i32, counts: &[i64], sum: f64) -> Histogram {
    let deltas = std::iter::once(counts[0]).chain(counts.windows(2).map(|pair| pair[1] - pair[0]));
    Histogram {
        count_int: Some(counts.iter().sum::<i64>().unsigned_abs()),
        sum,
        schema: 3,
        positive_spans: vec![BucketSpan { offset: first, length: u32::try_from(counts.len()).unwrap() }],
        positive_deltas: deltas.collect(),
        timestamp: at,
        ..Histogram::default()
    }
}

fn with_histograms(labels: &[&str], histograms: Vec<Histogram>) -> TimeSeries {
    TimeSeries { histograms, ..series(labels, &[]) }
}

#[test]
fn native_histograms_answer_percentiles_of_what_came_between_two() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let now = now_ms();
    // Index 24 at schema 3 holds (2^(23/8), 8], index 32 (2^(31/8), 16].
    let points = || {
        let before = histogram(now - 3_000, 24, &[1_000], 7_500.0);
        let after = histogram(now - 2_000, 24, &[1_090, 0, 0, 0, 0, 0, 0, 0, 10], 7_500.0 + 90.0 * 7.5 + 10.0 * 15.5);
        vec![with_histograms(&["__name__=latency", "route=/a"], vec![before, after])]
    };
    let answer = write(&gateway, points());
    assert_eq!((answer.status, written(&answer)), (204, [0, 2, 0]), "{}", answer.body);
    let check = |gateway: &Running| {
        // What was counted before the first point is of no instant; the rest is 100 values.
        assert_eq!(gateway.result("name=latency&window=5m&agg=count"), Some(100.0));
        let near = |agg: &str, expected: f64, error: f64| {
            let found = gateway.result(&format!("name=latency&window=5m&agg={agg}")).unwrap();
            assert!((found - expected).abs() <= error * expected, "{agg} is {found}, not {expected}");
        };
        near("sum", 90.0 * 7.5 + 10.0 * 15.5, 1e-12);
        near("p50", 7.66, 0.0434);
        near("p99", 15.3, 0.0434);
        near("max", 16.0, 1e-9);
    };
    check(&gateway);
    // Sent again, and after a crash.
    assert_eq!(written(&write(&gateway, points())), [0, 2, 0]);
    gateway.kill();
    let gateway = Running::start_in(folder.path(), &[]);
    check(&gateway);
    assert_eq!(written(&write(&gateway, points())), [0, 2, 0]);
    check(&gateway);
    // It goes on where it was, also over a reset, which a count that falls tells.
    let on = histogram(now - 1_000, 24, &[1_091, 0, 0, 0, 0, 0, 0, 0, 10], 8_337.5);
    let reset = histogram(now - 500, 24, &[2], 15.0);
    assert_eq!(write(&gateway, vec![with_histograms(&["__name__=latency", "route=/a"], vec![on, reset])]).status, 204);
    assert_eq!(gateway.result("name=latency&window=5m&agg=count"), Some(103.0));
    // Between two that were counted, nobody can tell what came by then.
    let late = histogram(now - 2_500, 24, &[1_050], 7_900.0);
    let answer = write(&gateway, vec![with_histograms(&["__name__=latency", "route=/a"], vec![late])]);
    assert_eq!(codes(&answer), [(0, "too_late".to_owned())]);
    assert!(answer.body.contains("order of time"), "{}", answer.body);
    assert_eq!(gateway.result("name=latency&window=5m&agg=count"), Some(103.0));
}

#[test]
fn histograms_of_floats_gauges_and_fresh_counts_are_taken() {
    let gateway = Running::start(&[]);
    let now = now_ms();
    let whole = histogram(now - 1_000, 24, &[4], 30.0);
    let floats = Histogram {
        count_int: None,
        count_float: Some(3.6),
        zero_count_float: Some(0.4),
        positive_deltas: Vec::new(),
        positive_counts: vec![3.2],
        reset_hint: 3,
        ..histogram(now - 1_000, 24, &[1], 24.0)
    };
    let gauge = Histogram { reset_hint: 3, ..whole.clone() };
    let restarted = Histogram { reset_hint: 1, ..whole.clone() };
    let body = [("floats", floats), ("gauge", gauge), ("restarted", restarted)];
    let body = body.map(|(name, point)| with_histograms(&[&format!("__name__={name}")], vec![point])).to_vec();
    let answer = write(&gateway, body);
    assert_eq!((answer.status, written(&answer)), (204, [0, 3, 0]), "{}", answer.body);
    for (name, count) in [("floats", 3.0), ("gauge", 4.0), ("restarted", 4.0)] {
        assert_eq!(gateway.result(&format!("name={name}&window=5m&agg=count")), Some(count), "{name}");
    }
    // With version 2.0 a series says when it began to count.
    let began = |created_timestamp: i64, name: u32| TimeSeries2 {
        labels_refs: vec![1, name],
        histograms: vec![whole.clone()],
        created_timestamp,
        ..TimeSeries2::default()
    };
    let symbols = ["", "__name__", "fresh", "old"].map(str::to_owned).to_vec();
    let request = Request2 { symbols, timeseries: vec![began(now - 5_000, 2), began(now - 86_400_000, 3)] };
    assert_eq!(written(&write2(&gateway, &request)), [0, 2, 0]);
    assert_eq!(gateway.result("name=fresh&window=5m&agg=count"), Some(4.0));
    assert_eq!(gateway.result("name=old&window=5m&agg=count"), None);
}

#[test]
fn a_histogram_that_cannot_be_kept_is_named() {
    let gateway = Running::start(&[]);
    let now = now_ms();
    let good = || histogram(now, 0, &[1], 1.0);
    let bad = vec![
        Histogram { custom_values: vec![1.0], schema: -53, ..good() },
        Histogram { sum: f64::NAN, ..good() },
        Histogram { schema: 40, ..good() },
        Histogram { positive_deltas: vec![1, 1], ..good() },
        Histogram { positive_deltas: vec![-1], ..good() },
        Histogram { sum: STALE, ..good() },
        good(),
    ];
    let answer = write(&gateway, vec![with_histograms(&["__name__=h"], bad)]);
    assert_eq!(codes(&answer), [0, 1, 2, 3, 4].map(|index| (index, "bad_histogram".to_owned())));
    assert_eq!(written(&answer), [1, 1, 0], "the stale marker and the good one");
    // A gauge is no histogram.
    assert_eq!(write(&gateway, vec![series(&["__name__=g"], &[(now, 1.0)])]).status, 204);
    let answer = write(&gateway, vec![with_histograms(&["__name__=g"], vec![good()])]);
    assert_eq!(codes(&answer), [(0, "kind_conflict".to_owned())]);
}
