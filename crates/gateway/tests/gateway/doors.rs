//! Who may ask: hosts, origins, CORS, methods.

use crate::running::{Request, Running};

const ELSEWHERE: &str = "https://status.example.org";

#[test]
fn other_hosts_are_refused() {
    let gateway = Running::start(&["--allow-host", "metrics-store"]);
    let ask = |host: &str, path: &str| Request::get(path).header("host", host).send(&gateway);
    for host in ["evil.example", "127.0.0.1.evil.example:4000", "localhost.evil.example", ""] {
        ask(host, "/query?name=m&window=5m&agg=avg").is_error(421, "host_not_allowed");
        ask(host, "/").is_error(421, "host_not_allowed");
        assert_eq!(ask(host, "/-/healthy").status, 200);
    }
    for host in ["localhost:4000", "metrics-store:4000", "metrics-store", "127.0.0.1", "[::1]:4000"] {
        assert_eq!(ask(host, "/query?name=m&window=5m&agg=avg").status, 200, "{host}");
    }
}

#[test]
fn pages_elsewhere_need_to_be_allowed() {
    let gateway = Running::start(&["--allow-origin", ELSEWHERE]);
    let preflight = |origin: &str, method: &str| {
        let request = Request::new("OPTIONS", "/ingest").header("origin", origin);
        let request = request.header("access-control-request-method", method);
        request.header("access-control-request-headers", "authorization,content-type,idempotency-key").send(&gateway)
    };
    let answer = preflight(ELSEWHERE, "POST");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(ELSEWHERE));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"));
    let headers = answer.header("access-control-allow-headers").unwrap();
    for name in ["authorization", "content-type", "idempotency-key"] {
        assert!(headers.contains(name), "{headers}");
    }
    assert_eq!(preflight("https://evil.example", "POST").header("access-control-allow-origin"), None);

    let post = |origin: &str| {
        let request = Request::post("/ingest").header("content-type", "application/json").header("origin", origin);
        request.body(r#"{"name":"m","value":1}"#).send(&gateway)
    };
    let answer = post(ELSEWHERE);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, Some(ELSEWHERE)));
    assert_eq!(post(&gateway.url).status, 204);
    // A browser would send this one without asking first; it must not be taken.
    post("https://evil.example").is_error(403, "origin_not_allowed");
    assert_eq!(gateway.result("name=m&window=5m&agg=count"), Some(2.0));

    let query = Request::get("/query?name=m&window=5m&agg=count").header("origin", ELSEWHERE).send(&gateway);
    assert_eq!(query.header("access-control-allow-origin"), Some(ELSEWHERE));
    let query = Request::get("/api/v1/dashboard").header("origin", "https://evil.example").send(&gateway);
    assert_eq!(query.header("access-control-allow-origin"), None);
}

#[test]
fn the_log_names_a_refused_page_or_host_once() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, log) = Running::start_heard(folder.path(), &[]);
    let ask = |path: &str, origin: &str| Request::get(path).header("origin", origin).send(&gateway);
    for _ in 0..3 {
        // A handshake is refused; of a figure the browser keeps the answer to itself.
        ask("/ws", ELSEWHERE).is_error(403, "origin_not_allowed");
        assert_eq!(ask("/query?name=m&window=5m&agg=count", "https://other.example").status, 200);
        ask("/ws", &gateway.url);
        Request::get("/").header("host", "Metrics.example:4000").send(&gateway).is_error(421, "host_not_allowed");
        // Who names two hosts may mean the other one.
        let both = Request::get("/").header("host", gateway.address()).header("host", "metrics.example");
        both.send(&gateway).is_error(421, "host_not_allowed");
    }
    gateway.terminate();
    let told: Vec<_> = log.filter(|line| line.contains("WARN")).collect();
    let expected = [
        "start it with --allow-origin https://status.example.org to",
        "start it with --allow-origin https://other.example to",
        "start it with --allow-host Metrics.example to",
        "send one Host header",
    ];
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for (line, words) in told.iter().zip(expected) {
        assert!(line.contains(words), "{line}");
    }
}

#[test]
fn without_allowed_origins_nothing_is_said_of_them() {
    let gateway = Running::start(&[]);
    let request = Request::new("OPTIONS", "/ingest").header("origin", ELSEWHERE);
    let answer = request.header("access-control-request-method", "POST").send(&gateway);
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn other_methods_and_paths_are_named() {
    let gateway = Running::start(&[]);
    let answer = Request::get("/ingest").send(&gateway);
    answer.is_error(405, "method_not_allowed");
    assert!(answer.header("allow").unwrap().contains("POST"));
    Request::post("/query").send(&gateway).is_error(405, "method_not_allowed");
    gateway.get("/api/v1/nothing").is_error(404, "not_found");
    gateway.get("/-/nothing").is_error(404, "not_found");
}

#[test]
fn health_and_counters_answer() {
    let gateway = Running::start(&[]);
    assert_eq!(gateway.get("/-/healthy").status, 200);
    assert_eq!(gateway.get("/-/ready").status, 200);
    for _ in 0..3 {
        gateway.get("/query?name=m&window=5m&agg=avg");
        gateway.get("/some/path/that/varies");
    }
    let metrics = gateway.get("/metrics");
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(metrics.body.ends_with("# EOF\n"));
    let count = |labels: &str| {
        let line = format!("http_request_duration_seconds_count{{{labels}}} ");
        let found = metrics.body.lines().find_map(|found| found.strip_prefix(&line));
        found.unwrap_or_else(|| panic!("{line} is not in\n{}", metrics.body)).parse::<u64>().unwrap()
    };
    assert_eq!(count(r#"route="/query",method="GET",status="200""#), 3);
    assert_eq!(count(r#"route="page",method="GET",status="404""#), 3);
    // The same requests are samples like any others, by route.
    crate::running::until("its own requests are samples", || {
        let query = "name=http_request_duration_seconds&window=5m&agg=count&where=route:/query";
        gateway.result(query).is_some_and(|count| count >= 3.0)
    });
}

#[test]
fn every_counter_is_in_the_guide() {
    let guide = include_str!("../../../../docs/guides/gateway.md");
    let metrics = Running::start(&[]).get("/metrics").body;
    let names: Vec<_> = metrics.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(guide.contains(&format!("`{name}`")), "{name} is not in the guide");
    }
}
