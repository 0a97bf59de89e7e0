//! `GET /query` and the reports.

use crate::running::{Running, now_ms};

/// A gateway with ten samples of two routes, the last ten seconds before `at`.
fn loaded() -> (Running, i64) {
    let gateway = Running::start(&[]);
    // On a full second, so that time buckets do not move the edges.
    let at = now_ms() / 1_000 * 1_000;
    let mut samples = Vec::new();
    for step in 0..10 {
        let route = if step < 4 { "/a" } else { "/b" };
        samples.push(format!(
            r#"{{"name":"latency","value":{},"timestamp":{},"labels":{{"route":"{route}","host":"h:1"}}}}"#,
            (step + 1) * 10,
            at - 9_000 + step * 1_000
        ));
        samples.push(format!(
            r#"{{"name":"hits_total","value":{},"timestamp":{}}}"#,
            step * 5,
            at - 9_000 + step * 1_000
        ));
        samples.push(format!(
            r#"{{"name":"conflict","value":2,"kind":"event","timestamp":{}}}"#,
            at - 9_000 + step * 1_000
        ));
    }
    let answer = gateway.ingest(&format!("[{}]", samples.join(",")));
    assert_eq!(answer.status, 204, "{}", answer.body);
    (gateway, at)
}

#[test]
fn every_aggregation_answers() {
    let (gateway, at) = loaded();
    let check = |query: &str, expected: f64, tolerance: f64| {
        let found = gateway.result(&format!("{query}&at={at}")).unwrap();
        assert!((found - expected).abs() <= tolerance * expected.abs() + 1e-9, "{query}: {found}, expected {expected}");
    };
    for (agg, expected, tolerance) in [
        ("avg", 55.0, 0.0),
        ("sum", 550.0, 0.0),
        ("count", 10.0, 0.0),
        ("min", 10.0, 0.0),
        ("max", 100.0, 0.0),
        ("stddev", 825_f64.sqrt(), 1e-9),
        ("increase", 10.0, 0.0),
        ("rate", 1.0, 0.0),
        ("p50", 50.0, 0.006),
        ("p95", 90.0, 0.006),
        ("p99.9", 90.0, 0.006),
        ("p100", 100.0, 0.0),
    ] {
        check(&format!("name=latency&window=10s&agg={agg}"), expected, tolerance);
    }
    check("name=hits_total&window=10s&agg=increase", 45.0, 0.0);
    check("name=hits_total&window=5s&agg=rate", 5.0, 0.0);
    check("name=hits_total&window=10s&agg=first", 0.0, 0.0);
    check("name=hits_total&window=10s&agg=last", 45.0, 0.0);
    check("name=conflict&window=5s&agg=increase", 10.0, 0.0);
    check("name=latency&window=5s&agg=delta", 50.0, 0.0);
    check("name=latency&window=10s&agg=sum&where=route:/a", 100.0, 0.0);
    // The value of a label may hold colons: the first one parts it from the name.
    check("name=latency&window=10s&agg=count&where=host:h:1&where=route:%2Fb", 6.0, 0.0);
    check("name=latency&window=10s&agg=max&across=sum", 140.0, 0.0);
    check("name=conflict&window=10s&agg=sum&over=latency&over_agg=count", 2.0, 0.0);
    // A window is open on the left and closed on the right.
    check("name=latency&window=9s&agg=count", 9.0, 0.0);
    assert_eq!(gateway.result(&format!("name=latency&window=10s&agg=avg&at={}", at - 60_000)), None);
}

#[test]
fn groups_are_sorted_and_named() {
    let (gateway, at) = loaded();
    let answer = gateway.get(&format!("/query?name=latency&window=10s&agg=sum&by=route&at={at}")).json();
    let groups = answer["groups"].as_array().unwrap();
    let seen: Vec<_> =
        groups.iter().map(|group| (group["labels"]["route"].as_str(), group["result"].as_f64())).collect();
    assert_eq!(seen, [(Some("/a"), Some(100.0)), (Some("/b"), Some(450.0))]);
    let answer = gateway.get("/query?name=nobody&window=5m&agg=avg&by=route").json();
    assert_eq!(answer["groups"], serde_json::json!([]));
}

#[test]
fn what_cannot_be_answered_is_said() {
    let (gateway, _) = loaded();
    let check = |query: &str, code: &str| {
        gateway.get(&format!("/query?{query}")).is_error(400, code);
    };
    check("", "missing_parameter");
    check("name=latency", "missing_parameter");
    check("name=latency&window=5&agg=avg", "bad_window");
    check("name=latency&window=0s&agg=avg", "bad_window");
    check("name=latency&window=11y&agg=avg", "bad_window");
    check("name=latency&window=5m&agg=mean", "bad_aggregation");
    check("name=latency&window=5m&agg=p101", "bad_aggregation");
    check("name=latency&window=5m&agg=avg&wher=a:b", "unknown_parameter");
    check("name=latency&window=5m&agg=avg&where=route", "bad_where");
    check("name=latency&window=5m&agg=avg&at=now", "bad_at");
    check("name=latency&window=5m&agg=avg&across=median", "bad_across");
    gateway.ingest(r#"{"name":"heat","value":1,"kind":"gauge"}"#);
    check("name=heat&window=5m&agg=rate", "bad_aggregation");
    // Of last month only whole hours are kept.
    let hour = (now_ms() - 30 * 86_400_000) / 3_600_000 * 3_600_000;
    gateway.ingest(&format!(r#"{{"name":"past","value":1,"timestamp":{}}}"#, hour + 1_800_000));
    check(&format!("name=past&window=5m&agg=avg&at={}", hour + 1_200_000), "bad_at");
    assert_eq!(gateway.result(&format!("name=past&window=5m&agg=avg&at={}", hour + 3_600_000)), Some(1.0));
    assert_eq!(gateway.result(&format!("name=past&window=5m&agg=avg&at={hour}")), None);
}

#[test]
fn the_scorecard_is_the_seeds() {
    let gateway = Running::start(&[]);
    let empty = gateway.get("/api/v1/dashboard").json();
    let zeroes = serde_json::json!({"avg_resolution_time": 0, "avg_satisfaction": 0, "total_conflicts": 0});
    assert_eq!(empty, zeroes);
    let month_ago = now_ms() - 30 * 86_400_000;
    let body = format!(
        r#"[{{"name":"resolution_time","value":5,"ref":"HA-001","timestamp":{month_ago}}},
            {{"name":"resolution_time","value":4,"ref":"HA-002"}},
            {{"name":"satisfaction","value":4.2,"ref":"HA-001"}},
            {{"name":"conflict","value":1,"kind":"event","ref":"HA-002"}}]"#
    );
    assert_eq!(gateway.ingest(&body).status, 204);
    let full = gateway.get("/api/v1/dashboard").json();
    assert_eq!(full["avg_resolution_time"], 4.5);
    assert_eq!(full["avg_satisfaction"], 4.2);
    assert_eq!(full["total_conflicts"], 1.0);
}

#[test]
fn the_board_is_served() {
    let gateway = Running::start(&[]);
    let board = gateway.get("/api/v1/board").json();
    assert_eq!(board["title"], "Bellwether");
    assert!(board["kpis"].as_array().unwrap().iter().any(|kpi| kpi["id"] == "booking-response-time"));
}

#[test]
fn the_metrics_that_have_samples_are_listed_by_name_whether_a_board_names_them_or_not() {
    let gateway = Running::start(&["--no-host-metrics"]);
    let listed = || gateway.get("/api/v1/metrics").json();
    let named = |list: &serde_json::Value, name: &str| {
        list["metrics"].as_array().unwrap().iter().find(|metric| metric["name"] == name).cloned()
    };
    assert_eq!(named(&listed(), "booking_response_time"), None, "a declaration is no sample");
    let body = r#"[{"name":"queue_depth","value":3,"kind":"gauge","labels":{"queue":"a"}},
        {"name":"queue_depth","value":4,"kind":"gauge","labels":{"queue":"b"}},
        {"name":"booking_response_time","value":120}]"#;
    assert_eq!(gateway.ingest(body).status, 204);
    let list = listed();
    let queue = serde_json::json!({"name": "queue_depth", "kind": "gauge", "series": 2});
    assert_eq!(named(&list, "queue_depth"), Some(queue));
    assert!(named(&list, "booking_response_time").is_some());
    assert_eq!(list["left_out"], 0);
    let names: Vec<_> = list["metrics"].as_array().unwrap().iter().map(|metric| metric["name"].to_string()).collect();
    assert!(names.is_sorted(), "{names:?}");
}
