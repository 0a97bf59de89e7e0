//! The page's files: policy, caching, compression, plain sentences.

use std::fs;

use crate::running::{Request, Running};

const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

#[test]
fn files_come_with_policy_caching_and_compression() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    file("index.html", "<!doctype html><title>page</title>");
    file("config.json", "{}");
    file("app-0123456789abcdef.js", "plain");
    file("app-0123456789abcdef.js.gz", "zipped");
    file("app-0123456789abcdef.js.br", "brotli");
    file("app-0123456789abcdef_bg.wasm", "\0asm");
    let gateway = Running::start(&["--page", folder.path().to_str().unwrap()]);

    let index = gateway.get("/");
    assert_eq!((index.status, index.body.as_str()), (200, "<!doctype html><title>page</title>"));
    assert_eq!(index.header("content-security-policy"), Some(POLICY));
    assert_eq!(index.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(index.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(index.header("cache-control"), Some("no-cache"));
    assert_eq!(gateway.get("/config.json").header("cache-control"), Some("no-cache"));

    let script =
        |encodings: &str| Request::get("/app-0123456789abcdef.js").header("accept-encoding", encodings).send(&gateway);
    assert_eq!(script("identity").body, "plain");
    assert_eq!((script("gzip").body.as_str(), script("gzip").header("content-encoding")), ("zipped", Some("gzip")));
    let best = script("gzip, deflate, br");
    assert_eq!((best.body.as_str(), best.header("content-encoding")), ("brotli", Some("br")));
    assert_eq!(best.header("content-type"), Some("text/javascript"));
    assert_eq!(best.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert!(best.header("vary").unwrap().to_ascii_lowercase().contains("accept-encoding"));
    let wasm = gateway.get("/app-0123456789abcdef_bg.wasm");
    assert_eq!(wasm.header("content-type"), Some("application/wasm"));

    let unchanged =
        Request::get("/").header("if-modified-since", index.header("last-modified").unwrap()).send(&gateway);
    assert_eq!(unchanged.status, 304);
    let head = Request::new("HEAD", "/").send(&gateway);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn nothing_outside_the_folder_is_served() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret"), "secret").unwrap();
    let page = folder.path().join("page");
    fs::create_dir(&page).unwrap();
    fs::write(page.join("index.html"), "page").unwrap();
    let gateway = Running::start(&["--page", page.to_str().unwrap()]);
    for path in ["/../secret", "/%2e%2e/secret", "/..%2fsecret", "/x/../../secret", "//secret", "/%2e%2e%5csecret"] {
        let answer = gateway.get(path);
        assert!(answer.status >= 400 && !answer.body.contains("secret\n") && answer.body != "secret", "{path}");
    }
}

#[test]
fn what_is_missing_is_said_in_plain_words() {
    let gateway = Running::start(&[]);
    let answer = gateway.get("/");
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("cargo xtask"), "{}", answer.body);
    assert_eq!(answer.header("content-security-policy"), Some(POLICY));
    let answer = Request::get("/nothing").header("accept", "text/html").send(&gateway);
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("nothing at this address"), "{}", answer.body);
    gateway.get("/nothing.js").is_error(404, "not_found");
    assert_eq!(Request::post("/nothing").send(&gateway).status, 405);
}

#[test]
fn what_is_answered_below_a_base_path_leads_below_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("vendor")).unwrap();
    fs::write(folder.path().join("vendor/a.js"), "a").unwrap();
    fs::write(folder.path().join("index.html"), "page").unwrap();
    let page = ["--page", folder.path().to_str().unwrap()];
    let below = Running::start(&[page[0], page[1], "--server-base-path", "/kpi"]);
    let missing = Request::get("/kpi/nothing").header("accept", "text/html").send(&below);
    assert!(missing.status == 404 && missing.body.contains("href=\"/kpi/\""), "{}", missing.body);
    for (path, code) in
        [("/kpi/nothing.js", 404), ("/kpi/api/v1/nothing", 404), ("/kpi/gateway/nothing.js", 404), ("/kpi/ingest", 405)]
    {
        let answer = below.get(path);
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(answer.status == code && message.contains(path), "{path}: {} {message}", answer.status);
    }
    let root = Running::start(&page);
    for (gateway, path) in
        [(&below, "/kpi/vendor"), (&below, "/kpi/gateway/vendor"), (&root, "/vendor"), (&root, "/gateway/vendor")]
    {
        let folder = gateway.get(path);
        assert_eq!((folder.status, folder.header("location")), (307, Some(format!("{path}/").as_str())), "{path}");
    }
}

#[test]
fn the_gateway_shows_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    file("index.html", "<!doctype html><title>page</title>");
    file("config.json", "{}");
    file("app-0123456789abcdef.js", "plain");
    let flags = ["--page", folder.path().to_str().unwrap(), "--server-base-path", "/kpi", "--trust-proxy", "127.0.0.1"];
    let gateway = Running::start(&flags);
    let bare = gateway.get("/kpi/gateway");
    assert_eq!((bare.status, bare.header("location")), (308, Some("/kpi/gateway/")));
    assert!(gateway.get("/kpi/gateway/").body.contains("<title>page</title>"));
    let script = gateway.get("/kpi/gateway/app-0123456789abcdef.js");
    assert_eq!((script.body.as_str(), script.header("content-security-policy")), ("plain", Some(POLICY)));
    gateway.get("/kpi/gateway/../../etc/passwd").is_error(404, "not_found");
    assert_eq!(gateway.get("/kpi/gateways").status, 404);

    // The page asks for nothing relative there, so its settings name the gateway in full.
    let settings = |request: Request| request.send(&gateway).json();
    let plain = settings(Request::get("/kpi/gateway/config.json"));
    assert_eq!(plain["gateway"], format!("{}/kpi", gateway.url));
    let secure = Request::get("/kpi/gateway/config.json").header("x-forwarded-proto", "https");
    let secure = settings(secure.header("x-forwarded-host", "localhost"));
    assert_eq!((&secure["gateway"], &secure["board"]), (&"https://localhost/kpi".into(), &"board.json".into()));
    assert_eq!(gateway.get("/kpi/config.json").body, "{}", "the page itself keeps its own");

    // What its board names is what the gateway says of itself; refused samples once there are some.
    let board = gateway.get("/kpi/gateway/board.json").json();
    let sample = Request::post("/kpi/ingest").body(r#"{"name":"m"}"#);
    assert_eq!(sample.send(&gateway).status, 422);
    let named: Vec<_> = board["metrics"].as_array().unwrap().iter().map(|metric| metric["name"].clone()).collect();
    crate::running::until("all that the board names is there", || {
        let listed = gateway.get("/kpi/api/v1/metrics").json();
        let listed: Vec<_> =
            listed["metrics"].as_array().unwrap().iter().map(|metric| metric["name"].clone()).collect();
        // Tests do not sample this machine.
        named.iter().filter(|name| !name.as_str().unwrap().starts_with("host_")).all(|name| listed.contains(name))
    });
}
