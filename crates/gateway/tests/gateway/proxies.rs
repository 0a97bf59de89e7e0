//! Behind a proxy: a base path, the caller's own address, scheme and host, and users whom it names.

use crate::live::connect_with;
use crate::running::{Request, Running, command};

const QUERY: &str = "/query?name=m&window=5m&agg=count";
const TRUST: [&str; 2] = ["--trust-proxy", "127.0.0.1"];
const SUBPROTOCOL: (&str, &str) = ("sec-websocket-protocol", "bellwether.v1");

fn started(flags: &[&str]) -> Running {
    Running::start(flags)
}

#[test]
fn a_base_path_is_taken_off() {
    let gateway = started(&["--server-base-path", "/kpi/"]);
    assert_eq!(gateway.get(&format!("/kpi{QUERY}")).status, 200);
    gateway.get(QUERY).is_error(404, "not_found");
    gateway.get("/kpindle/query").is_error(404, "not_found");
    let bare = gateway.get("/kpi");
    assert_eq!((bare.status, bare.header("location")), (308, Some("/kpi/")));
    let page = Request::get("/kpi/").header("accept", "text/html").send(&gateway);
    assert!(page.status == 200 && page.body.contains("Bellwether"), "{page:?}");
    assert!(connect_with(&gateway, "/kpi/ws", &[SUBPROTOCOL]).is_ok());
    // Whoever watches the process asks without the proxy.
    assert_eq!(gateway.get("/-/healthy").status, 200);
}

#[test]
fn a_base_path_is_in_the_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "wall read secret-of-the-wall").unwrap();
    let gateway = started(&["--server-base-path", "/kpi", "--tokens", tokens.to_str().unwrap()]);
    let opened = Request::get("/kpi/").header("accept", "text/html").send(&gateway);
    assert_eq!(opened.header("location"), Some("/kpi/signin?next=%2F"));
    let form = gateway.get("/kpi/signin?next=%2F");
    assert!(
        form.body.contains("action=\"/kpi/signin\"") && form.body.contains("href=\"/kpi/signin.css\""),
        "{}",
        form.body
    );
    let signed_in = Request::post("/kpi/signin").body("token=secret-of-the-wall&next=%2F").send(&gateway);
    assert_eq!((signed_in.status, signed_in.header("location")), (303, Some("/kpi/")));
    assert!(signed_in.header("set-cookie").unwrap().contains("Path=/kpi;"));
}

#[test]
fn the_host_and_scheme_of_a_trusted_proxy_count() {
    let forwarded = |gateway: &Running, path: &str| {
        let request = Request::get(path).header("x-forwarded-host", "kpi.example.org");
        request.header("x-forwarded-proto", "https").header("origin", "https://kpi.example.org").send(gateway)
    };
    let trusting = started(&[TRUST[0], TRUST[1], "--allow-host", "kpi.example.org"]);
    assert_eq!(forwarded(&trusting, QUERY).status, 200);
    // It is the page's own origin there.
    let own = [SUBPROTOCOL, ("origin", "https://kpi.example.org"), ("x-forwarded-host", "kpi.example.org")];
    assert!(connect_with(&trusting, "/ws", &own).is_ok());
    let elsewhere = started(&TRUST);
    forwarded(&elsewhere, QUERY).is_error(421, "host_not_allowed");
    // Without trust the headers are nobody's word.
    let plain = started(&["--allow-host", "kpi.example.org"]);
    assert_eq!(forwarded(&plain, QUERY).status, 200);
    assert_eq!(connect_with(&plain, "/ws", &own).err(), Some(403));
}

#[test]
fn callers_behind_a_proxy_are_counted_by_their_own_address() {
    let limited = |flags: &[&str]| {
        let mut all = vec!["--limits-connections-of-address", "2"];
        all.extend(flags);
        started(&all)
    };
    let from = |gateway: &Running, hops: &str| connect_with(gateway, "/ws", &[SUBPROTOCOL, ("x-forwarded-for", hops)]);
    let trusting = limited(&TRUST);
    let _held: Vec<_> = (0..2).map(|_| from(&trusting, "192.0.2.1").unwrap()).collect();
    assert_eq!(from(&trusting, "192.0.2.1").err(), Some(503));
    // What a caller says of itself stands further left and does not help it.
    assert_eq!(from(&trusting, "198.51.100.7, 192.0.2.1").err(), Some(503));
    assert!(from(&trusting, "192.0.2.2").is_ok());
    // Nor does a header that the proxy is not said to set.
    let lies = [SUBPROTOCOL, ("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=198.51.100.7")];
    assert_eq!(connect_with(&trusting, "/ws", &lies).err(), Some(503));
    let standard = limited(&[TRUST[0], TRUST[1], "--proxy-header", "Forwarded"]);
    let by = |hops: &str| {
        let headers = [SUBPROTOCOL, ("forwarded", hops), ("x-forwarded-for", "198.51.100.7")];
        connect_with(&standard, "/ws", &headers)
    };
    let _held: Vec<_> = (0..2).map(|_| by("for=192.0.2.1").unwrap()).collect();
    assert_eq!(by("for=192.0.2.1").err(), Some(503));
    assert!(by("for=192.0.2.2").is_ok());
    // Without trust it is this machine that asks, which is exempt.
    let plain = limited(&[]);
    let held: Vec<_> = (0..3).map(|_| from(&plain, "192.0.2.1").unwrap()).collect();
    assert_eq!(held.len(), 3);
}

#[test]
fn a_trusted_proxy_names_users() {
    let flags = ["--auth-user-header", "X-Forwarded-User"];
    let gateway = started(&[TRUST[0], TRUST[1], flags[0], flags[1], "--limits-connections-of-user", "1"]);
    let ask = |path: &str, user: &str| Request::get(path).header("x-forwarded-user", user).send(&gateway);
    gateway.get(QUERY).is_error(401, "token_needed");
    ask(QUERY, "").is_error(401, "token_needed");
    assert_eq!(ask(QUERY, "ann").status, 200);
    let send = Request::post("/ingest").header("x-forwarded-user", "ann").body(r#"{"name":"m","value":1}"#);
    send.send(&gateway).is_error(403, "scope_missing");
    let open = |user: &str| connect_with(&gateway, "/ws", &[SUBPROTOCOL, ("x-forwarded-user", user)]);
    let _held = open("ann").unwrap();
    assert_eq!(open("ann").err(), Some(503));
    assert!(open("bob").is_ok());

    // What the proxy sends of its own is no guess of anybody's.
    for _ in 0..40 {
        let with = Request::get(QUERY).header("x-forwarded-user", "ann").header("authorization", "Bearer of-the-proxy");
        assert_eq!(with.send(&gateway).status, 200);
    }
    let guess = Request::get(QUERY).header("authorization", "Bearer of-the-proxy");
    guess.send(&gateway).is_error(401, "bad_token");

    // A peer that is no proxy names nobody.
    let other = started(&["--trust-proxy", "10.0.0.0/8", flags[0], flags[1]]);
    Request::get(QUERY).header("x-forwarded-user", "ann").send(&other).is_error(401, "token_needed");
    // And without any proxy the header is a mistake.
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path()).args(flags).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("server.trusted_proxies"), "{output:?}");
}

#[test]
fn every_answer_is_strict_with_browsers() {
    let gateway = started(&[]);
    for path in ["/", QUERY, "/nowhere", "/-/healthy", "/signin.css"] {
        let answer = gateway.get(path);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        // That it lives may be known to pages elsewhere.
        let policy = if path == "/-/healthy" { "cross-origin" } else { "same-origin" };
        assert_eq!(answer.header("cross-origin-resource-policy"), Some(policy), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.header("strict-transport-security"), None, "it is not encrypted");
    }
}
