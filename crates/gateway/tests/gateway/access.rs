//! Who may do what: tokens, scopes, sign-in, tickets, and the live feed's ways to say who it is.

use std::net::TcpStream;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use crate::live::connect_with;
use crate::running::{Answer, Request, Running, bare_command, command, until};

const SENDS: &str = "secret-of-the-booking-service";
const READS: &str = "secret-of-the-wall-in-the-hall";
const DOES_ALL: &str = "secret-of-whoever-runs-this";
const QUERY: &str = "/query?name=m&window=5m&agg=count";
const SUBPROTOCOL: (&str, &str) = ("sec-websocket-protocol", "bellwether.v1");

fn token_file(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("tokens");
    let text = format!("# who may what\nbooking ingest {SENDS}\nwall read {READS}\nops ingest,read,admin {DOES_ALL}\n");
    std::fs::write(&path, text).unwrap();
    path
}

/// A gateway that asks who is there.
fn asking(folder: &TempDir, flags: &[&str]) -> Running {
    let path = token_file(folder);
    let mut flags = flags.to_vec();
    flags.extend(["--tokens", path.to_str().unwrap()]);
    Running::start(&flags)
}

fn bearing(request: Request, secret: &str) -> Request {
    request.header("authorization", &format!("Bearer {secret}"))
}

fn sample() -> Request {
    Request::post("/ingest").header("content-type", "application/json").body(r#"{"name":"m","value":1}"#)
}

fn sign_in(gateway: &Running, secret: &str) -> Answer {
    let origin = gateway.url.clone();
    let form = Request::post("/signin").header("content-type", "application/x-www-form-urlencoded");
    form.header("origin", &origin).body(format!("token={secret}&next=%2F")).send(gateway)
}

/// The cookie of a sign-in, as a browser sends it back.
#[track_caller]
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").expect("a cookie is set").split(';').next().unwrap().to_owned()
}

#[test]
fn a_token_opens_what_its_scopes_name_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = asking(&folder, &[]);
    let answer = sample().send(&gateway);
    answer.is_error(401, "token_needed");
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    bearing(sample(), READS).send(&gateway).is_error(403, "scope_missing");
    bearing(sample(), "some-other-secret-of-nobody").send(&gateway).is_error(401, "bad_token");
    assert_eq!(bearing(sample(), SENDS).send(&gateway).status, 204);
    assert_eq!(bearing(sample(), DOES_ALL).send(&gateway).status, 204);
    // As Influx's clients send it.
    assert_eq!(sample().header("authorization", &format!("Token {SENDS}")).send(&gateway).status, 204);

    for path in [QUERY, "/api/v1/dashboard", "/api/v1/board", "/api/v1/metrics", "/metrics"] {
        gateway.get(path).is_error(401, "token_needed");
        bearing(Request::get(path), SENDS).send(&gateway).is_error(403, "scope_missing");
        assert_eq!(bearing(Request::get(path), READS).send(&gateway).status, 200, "{path}");
    }
    // All that is kept, at once, is for whoever runs the gateway.
    let erase = || Request::post("/api/v1/corrections").body(r#"{"ref":"r","action":"erase"}"#);
    for secret in [READS, SENDS] {
        bearing(erase(), secret).send(&gateway).is_error(403, "scope_missing");
    }
    bearing(erase(), DOES_ALL).send(&gateway).is_error(404, "unknown_ref");
    for path in ["/api/v1/export", "/api/v1/backup", "/api/v1/corrections"] {
        bearing(Request::get(path), READS).send(&gateway).is_error(403, "scope_missing");
        assert_eq!(bearing(Request::get(path), DOES_ALL).send(&gateway).status, 200, "{path}");
    }
    let count = bearing(Request::get(QUERY), READS).send(&gateway);
    assert_eq!(count.json()["result"], 3, "what was refused is not stored, all else is");
    // A token in an address would stand in logs: it is no token there.
    gateway.get(&format!("{QUERY}&token={READS}")).is_error(401, "token_needed");
    assert_eq!((gateway.get("/-/healthy").status, gateway.get("/-/ready").status), (200, 200));
    let counters = bearing(Request::get("/metrics"), READS).send(&gateway).body;
    assert!(counters.contains(r#"gateway_requests_refused_total{reason="scope_missing"}"#), "{counters}");
}

#[test]
fn a_method_that_is_not_taken_is_said_to_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = asking(&folder, &[]);
    for (method, path, allowed) in
        [("DELETE", "/query", "GET, HEAD"), ("GET", "/ingest", "POST"), ("PUT", "/signin", "GET, HEAD, POST")]
    {
        for request in [Request::new(method, path), bearing(Request::new(method, path), READS)] {
            let answer = request.send(&gateway);
            answer.is_error(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
        }
    }
    // A path that is not there tells nothing either way.
    bearing(Request::get("/api/v1/nothing"), READS).send(&gateway).is_error(404, "not_found");
}

#[test]
fn a_refusal_can_be_read_by_an_allowed_page() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = asking(&folder, &["--allow-origin", "https://status.example.org"]);
    let answer = sample().header("origin", "https://status.example.org").send(&gateway);
    answer.is_error(401, "token_needed");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://status.example.org"));
}

#[test]
fn tokens_come_from_the_environment_too_and_from_their_digests() {
    let data = tempfile::tempdir().unwrap();
    let made = bare_command().args(["token", "wall", "--scope", "read"]).output().unwrap();
    let secret = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let told = String::from_utf8(made.stderr).unwrap();
    let line = told.lines().find(|line| line.starts_with("wall read sha256:")).unwrap();
    assert!(!told.contains(&secret), "the secret is on stdout alone");
    let mut command = command(data.path());
    command.env("BELLWETHER_TOKEN_LIST", format!("{line}; booking ingest {SENDS}"));
    let gateway = Running::start_command(command);
    assert_eq!(bearing(Request::get(QUERY), &secret).send(&gateway).status, 200);
    assert_eq!(bearing(sample(), SENDS).send(&gateway).status, 204);
}

#[test]
fn wrong_tokens_files_are_said_and_no_secret_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    let data = folder.path().join("data");
    for (text, words) in [
        (format!("booking ingest {SENDS}\nwall write {READS}\n"), "line 2: \"write\" is no scope"),
        (format!("booking {SENDS}\n"), "line 1 is no token"),
        ("wall read short\n".to_owned(), "at least 16 characters"),
        ("# nobody\n".to_owned(), "are none"),
    ] {
        std::fs::write(&path, text).unwrap();
        let output = command(&data).arg("--tokens").arg(&path).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words) && !said.contains("secret-of"), "{said}");
    }
    assert!(!data.exists());
}

#[test]
fn no_secret_is_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = token_file(&folder);
    let data = tempfile::tempdir().unwrap();
    let (gateway, log) = Running::start_heard(data.path(), &["--tokens", path.to_str().unwrap()]);
    bearing(sample(), SENDS).send(&gateway);
    bearing(sample(), "wrong-secret-of-nobody-at-all").send(&gateway);
    let session = cookie(&sign_in(&gateway, READS));
    gateway.terminate();
    let log: Vec<_> = log.collect();
    assert!(log.iter().any(|line| line.contains("a reader signed in") && line.contains("wall")), "{log:?}");
    let key = session.split('=').nth(1).unwrap();
    assert!(!log.iter().any(|line| line.contains("secret-of") || line.contains(key)), "{log:?}");
}

#[test]
fn a_reader_signs_in_reads_and_signs_out() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = asking(&folder, &[]);
    // A browser that opens the page is led to the form; the page's files are nobody's secret.
    let opened = Request::get("/").header("accept", "text/html").send(&gateway);
    assert_eq!((opened.status, opened.header("location")), (303, Some("/signin?next=%2F")));
    let form = Request::get("/signin?next=%2F").header("accept", "text/html").send(&gateway);
    assert_eq!(form.status, 200);
    assert!(form.body.contains("type=\"password\"") && form.body.contains("<label for=\"token\">"), "{}", form.body);
    let policy = form.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    // Otherwise a browser would send the form without its origin.
    assert_eq!(form.header("referrer-policy"), Some("same-origin"));
    assert_eq!(gateway.get("/signin.css").header("content-type"), Some("text/css"));

    let wrong = sign_in(&gateway, "not-a-secret-of-anybody");
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
    assert!(wrong.body.contains("role=\"alert\"") && wrong.body.contains("not known"), "{}", wrong.body);
    let sender = sign_in(&gateway, SENDS);
    assert_eq!((sender.status, sender.header("set-cookie")), (403, None));
    assert!(sender.body.contains("scope read"), "{}", sender.body);

    let signed_in = sign_in(&gateway, READS);
    assert_eq!((signed_in.status, signed_in.header("location")), (303, Some("/")));
    let set = signed_in.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(part), "{part} is not in {set}");
    }
    assert!(!set.contains(READS));
    let session = cookie(&signed_in);
    let ask = |path: &str| Request::get(path).header("cookie", &session).send(&gateway);
    assert_eq!(ask(QUERY).status, 200);
    // Signed in, the page is served; none is built here, which a sentence says.
    let page = Request::get("/").header("accept", "text/html").header("cookie", &session).send(&gateway);
    assert_eq!(page.status, 200);
    assert!(ask("/signin").body.contains("You are signed in as <strong>wall</strong>"));
    // Of a cookie alone nothing is taken that a foreign page could have sent.
    sample().header("cookie", &session).send(&gateway).is_error(401, "token_needed");

    let live = connect_with(&gateway, "/ws", &[SUBPROTOCOL, ("cookie", &session), ("origin", &gateway.url)]);
    assert!(live.unwrap().read().unwrap().to_text().unwrap().contains("hello"));

    let foreign = Request::post("/signout").header("origin", "https://evil.example").header("cookie", &session);
    foreign.send(&gateway).is_error(403, "origin_not_allowed");
    let signed_out = Request::post("/signout").header("origin", &gateway.url).header("cookie", &session).send(&gateway);
    assert_eq!(signed_out.status, 303);
    assert!(signed_out.header("set-cookie").unwrap().contains("Max-Age=0"));
    ask(QUERY).is_error(401, "token_needed");
}

#[test]
fn a_sign_in_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = asking(&folder, &[]);
    let form = |origin: &str, body: String| {
        let form = Request::post("/signin").header("content-type", "application/x-www-form-urlencoded");
        form.header("origin", origin).body(body).send(&gateway)
    };
    for next in ["%2F%2Fevil.example", "https%3A%2F%2Fevil.example", "%2F%5Cevil.example"] {
        let answer = form(&gateway.url, format!("token={READS}&next={next}"));
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{next}");
    }
    form("https://evil.example", format!("token={READS}")).is_error(403, "origin_not_allowed");
    form("null", format!("token={READS}")).is_error(403, "origin_not_allowed");
    // What is given is never markup.
    let page = Request::get("/signin?next=%2F%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E").send(&gateway);
    assert!(!page.body.contains("<script"), "{}", page.body);
    let long = form(&gateway.url, format!("token={}", "x".repeat(10_000)));
    long.is_error(413, "body_too_large");
}

#[test]
fn a_form_that_does_not_come_is_given_up() {
    use std::io::{Read, Write};

    let folder = tempfile::tempdir().unwrap();
    let gateway = asking(&folder, &["--limits-body-time", "100ms"]);
    let mut stream = TcpStream::connect(gateway.address()).unwrap();
    let head = format!("POST /signin HTTP/1.1\r\nhost: {}\r\ncontent-length: 100\r\n\r\nt", gateway.address());
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
    let full = asking(&folder, &["--limits-bodies", "10B"]);
    sign_in(&full, READS).is_error(503, "overloaded");
}

#[test]
fn a_sign_in_has_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = asking(&folder, &["--auth-session-time", "1s"]);
    let session = cookie(&sign_in(&gateway, READS));
    let mut live = connect_with(&gateway, "/ws", &[SUBPROTOCOL, ("cookie", &session)]).unwrap();
    // The live connection ends with it, and says why.
    let closed = loop {
        if let Message::Close(frame) = live.read().unwrap() {
            break frame.unwrap();
        }
    };
    assert_eq!(u16::from(closed.code), 1008);
    assert!(closed.reason.contains("sign in again"), "{closed:?}");
    Request::get(QUERY).header("cookie", &session).send(&gateway).is_error(401, "token_needed");
}

#[test]
fn the_live_feed_is_told_who_asks() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = asking(&folder, &[]);
    let bearer = format!("Bearer {READS}");
    let greeted = |socket: &mut WebSocket<TcpStream>| socket.read().unwrap().to_text().unwrap().contains("\"hello\"");
    // At the handshake, by a header.
    let mut socket = connect_with(&gateway, "/ws", &[SUBPROTOCOL, ("authorization", &bearer)]).unwrap();
    assert!(greeted(&mut socket));
    assert_eq!(
        connect_with(&gateway, "/ws", &[SUBPROTOCOL, ("authorization", "Bearer nobodys-secret-at-all")]).err(),
        Some(401)
    );
    // In the first message.
    let introduce = |text: String| {
        let mut socket = connect_with(&gateway, "/ws", &[SUBPROTOCOL]).unwrap();
        socket.send(Message::Text(text.into())).unwrap();
        socket
    };
    assert!(greeted(&mut introduce(json!({"type": "auth", "token": READS}).to_string())));
    for wrong in [
        json!({"type": "auth", "token": "nobodys-secret-at-all"}).to_string(),
        json!({"type": "subscribe", "id": 1}).to_string(),
        json!({"type": "auth", "token": READS, "more": 1}).to_string(),
        "no json".to_owned(),
    ] {
        let Message::Close(Some(close)) = introduce(wrong).read().unwrap() else { panic!("it is closed at once") };
        assert_eq!(u16::from(close.code), 1008);
        assert!(close.reason.starts_with("token:"), "{close:?}");
    }
    // Or within five seconds.
    let mut silent = connect_with(&gateway, "/ws", &[SUBPROTOCOL]).unwrap();
    let began = std::time::Instant::now();
    let Message::Close(Some(close)) = silent.read().unwrap() else { panic!("it is closed") };
    assert!(close.reason.contains("within 5s") && began.elapsed().as_secs() < 20, "{close:?}");
    // A page of the gateway's own cannot introduce itself: it is told at once.
    assert_eq!(connect_with(&gateway, "/ws", &[SUBPROTOCOL, ("origin", &gateway.url)]).err(), Some(401));
    // Who may only send is told no board and no alerts, and does not get to read.
    let board = |socket: &mut WebSocket<TcpStream>| {
        let hello: serde_json::Value = serde_json::from_str(socket.read().unwrap().to_text().unwrap()).unwrap();
        assert_eq!(hello["type"], "hello", "{hello}");
        hello["board"]["kpis"].as_array().map_or(0, Vec::len)
    };
    assert!(board(&mut introduce(json!({"type": "auth", "token": READS}).to_string())) > 0);
    let mut sender = introduce(json!({"type": "auth", "token": SENDS}).to_string());
    assert_eq!(board(&mut sender), 0);
    let subscribe =
        json!({"type": "subscribe", "id": 1, "metrics": [{"name": "m", "range": "1m"}], "step": "1s"}).to_string();
    sender.send(Message::Text(subscribe.into())).unwrap();
    let refused = loop {
        let message = sender.read().unwrap();
        let text = message.to_text().unwrap();
        assert!(!text.contains("\"type\":\"alert\""), "{text}");
        if text.contains("\"type\":\"error\"") {
            break text.to_owned();
        }
    };
    assert!(refused.contains("scope_missing"), "{refused}");
}

#[test]
fn a_ticket_opens_one_connection() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = asking(&folder, &["--auth-ticket-time", "30s"]);
    Request::post("/api/v1/ticket").send(&gateway).is_error(401, "token_needed");
    bearing(Request::post("/api/v1/ticket"), SENDS).send(&gateway).is_error(403, "scope_missing");
    let answer = bearing(Request::post("/api/v1/ticket"), READS).send(&gateway);
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let body = answer.json();
    assert_eq!(body["expires_in_secs"], 30);
    let path = format!("/ws?ticket={}", body["ticket"].as_str().unwrap());
    let mut socket = connect_with(&gateway, &path, &[SUBPROTOCOL]).unwrap();
    assert!(socket.read().unwrap().to_text().unwrap().contains("\"hello\""));
    assert_eq!(connect_with(&gateway, &path, &[SUBPROTOCOL]).err(), Some(401), "it is used up");

    let brief = asking(&folder, &["--auth-ticket-time", "1ms"]);
    let body = bearing(Request::post("/api/v1/ticket"), READS).send(&brief).json();
    let path = format!("/ws?ticket={}", body["ticket"].as_str().unwrap());
    until("the ticket has ended", || connect_with(&brief, &path, &[SUBPROTOCOL]).err() == Some(401));
    let output = command(folder.path()).args(["--auth-ticket-time", "1m"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("30s at most"), "{output:?}");
}

#[test]
fn a_person_has_so_many_live_connections() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = asking(&folder, &["--limits-connections-of-user", "2"]);
    let (ann, bob) = (cookie(&sign_in(&gateway, READS)), cookie(&sign_in(&gateway, READS)));
    let open = |cookie: &str| connect_with(&gateway, "/ws", &[SUBPROTOCOL, ("cookie", cookie)]);
    let held: Vec<_> = (0..2).map(|_| open(&ann).unwrap()).collect();
    assert_eq!(open(&ann).err(), Some(503));
    assert!(open(&bob).is_ok(), "somebody else has their own");
    drop(held);
    until("a connection that ended makes room", || open(&ann).is_ok());
}

#[test]
fn who_guesses_is_held_up_and_who_is_right_gets_in() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = asking(&folder, &["--limits-wrong-tokens", "3"]);
    let session = cookie(&sign_in(&gateway, READS));
    for _ in 0..3 {
        bearing(sample(), "guessed-secret-of-somebody").send(&gateway).is_error(401, "bad_token");
    }
    let held_up = bearing(sample(), "guessed-secret-of-somebody").send(&gateway);
    held_up.is_error(429, "too_many_wrong_tokens");
    assert_eq!(held_up.header("retry-after"), Some("60"));
    // Services of that address go on, those that were not heard of before too, and so do readers.
    assert_eq!(bearing(sample(), SENDS).send(&gateway).status, 204);
    assert_eq!(sign_in(&gateway, READS).status, 303);
    assert_eq!(sign_in(&gateway, "guessed-secret-of-somebody").status, 429);
    assert_eq!(Request::get(QUERY).header("cookie", &session).send(&gateway).status, 200);
    let bearer = format!("Bearer {DOES_ALL}");
    assert!(connect_with(&gateway, "/ws", &[SUBPROTOCOL, ("authorization", &bearer)]).is_ok());
}

/// The close of a live connection, whatever comes before it.
fn close_of(socket: &mut WebSocket<TcpStream>) -> (u16, String) {
    loop {
        if let Message::Close(frame) = socket.read().unwrap() {
            let frame = frame.unwrap();
            return (frame.code.into(), frame.reason.as_str().to_owned());
        }
    }
}

#[test]
fn a_live_connection_ends_with_what_it_stands_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = token_file(&folder);
    let data = tempfile::tempdir().unwrap();
    let (gateway, mut log) = Running::start_heard(data.path(), &["--tokens", path.to_str().unwrap()]);
    let session = cookie(&sign_in(&gateway, READS));
    let other = cookie(&sign_in(&gateway, READS));
    let by_cookie = |cookie: &str| connect_with(&gateway, "/ws", &[SUBPROTOCOL, ("cookie", cookie)]).unwrap();
    let by_token = |secret: &str| {
        let bearer = format!("Bearer {secret}");
        connect_with(&gateway, "/ws", &[SUBPROTOCOL, ("authorization", &bearer)]).unwrap()
    };
    let (mut signed_in, mut goes_on) = (by_cookie(&session), by_cookie(&other));
    let ticket = bearing(Request::post("/api/v1/ticket"), READS).send(&gateway).json();
    let path_of_ticket = format!("/ws?ticket={}", ticket["ticket"].as_str().unwrap());
    let mut by_ticket = connect_with(&gateway, &path_of_ticket, &[SUBPROTOCOL]).unwrap();
    let (mut reads, mut does_all) = (by_token(READS), by_token(DOES_ALL));
    let mut introduced = connect_with(&gateway, "/ws", &[SUBPROTOCOL]).unwrap();
    introduced.send(Message::Text(json!({"type": "auth", "token": READS}).to_string().into())).unwrap();
    assert!(introduced.read().unwrap().to_text().unwrap().contains("hello"));

    Request::post("/signout").header("origin", &gateway.url).header("cookie", &session).send(&gateway);
    let (code, reason) = close_of(&mut signed_in);
    assert!(code == 1008 && reason.starts_with("token: the sign-in has ended"), "{code} {reason}");

    std::fs::write(&path, format!("ops ingest,read,admin {DOES_ALL}")).unwrap();
    gateway.signal("HUP");
    assert!(log.any(|line| line.contains("tokens are read anew")));
    for socket in [&mut reads, &mut introduced, &mut by_ticket] {
        let (code, reason) = close_of(socket);
        assert!(code == 1008 && reason.starts_with("token: this token is no longer taken"), "{code} {reason}");
    }
    let (code, reason) = close_of(&mut goes_on);
    assert!(code == 1008 && reason.starts_with("token: the sign-in has ended"), "{code} {reason}");
    // Whoever still may goes on: its batch is stored.
    does_all.send(Message::Text(r#"{"type":"samples","id":1,"samples":[{"name":"m","value":1}]}"#.into())).unwrap();
    while !does_all.read().unwrap().to_text().unwrap().contains(r#""type":"ack""#) {}
}

#[test]
fn an_introduction_is_short() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = asking(&folder, &[]);
    let introduce = |padding: usize| {
        let mut socket = connect_with(&gateway, "/ws", &[SUBPROTOCOL]).unwrap();
        let text = json!({"type": "auth", "token": DOES_ALL}).to_string() + &" ".repeat(padding);
        // The other side may hang up while it is being written.
        let sent = socket.send(Message::Text(text.into()));
        sent.and_then(|()| socket.read()).is_ok_and(|said| said.to_text().is_ok_and(|text| text.contains("hello")))
    };
    assert!(introduce(0) && introduce(1_000));
    assert!(!introduce(900_000), "nobody's word is waited for at any length");
}

#[cfg(unix)]
#[test]
fn tokens_are_read_anew_on_sighup() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = token_file(&folder);
    let (gateway, mut log) = Running::start_heard(data.path(), &["--tokens", path.to_str().unwrap()]);
    let session = cookie(&sign_in(&gateway, READS));
    std::fs::write(&path, "not a list of tokens").unwrap();
    gateway.signal("HUP");
    assert!(log.any(|line| line.contains("the tokens stay as they were") && line.contains("ERROR")));
    assert_eq!(bearing(sample(), SENDS).send(&gateway).status, 204);
    std::fs::write(&path, "booking ingest a-new-secret-of-booking").unwrap();
    gateway.signal("HUP");
    assert!(log.any(|line| line.contains("tokens are read anew")));
    assert_eq!(bearing(sample(), "a-new-secret-of-booking").send(&gateway).status, 204);
    bearing(sample(), SENDS).send(&gateway).is_error(401, "bad_token");
    // Who signed in with a token that is gone is signed out.
    Request::get(QUERY).header("cookie", &session).send(&gateway).is_error(401, "token_needed");
}
