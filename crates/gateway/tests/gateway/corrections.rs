//! Stored samples are corrected, withdrawn and erased while the gateway runs: figures, viewers, export and trail follow.

use bellwether_core::query::Aggregation;
use bellwether_wire::frame::ServerFrame;
use serde_json::{Value, json};

use crate::live::Live;
use crate::running::{Answer, Request, Running, now_ms, until};

const DAY: i64 = 86_400_000;

fn correct(gateway: &Running, body: &Value) -> Answer {
    Request::post("/api/v1/corrections").header("content-type", "application/json").body(body.to_string()).send(gateway)
}

#[track_caller]
fn corrected(gateway: &Running, body: &Value) -> Value {
    let answer = correct(gateway, body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn query(gateway: &Running, text: &str) -> Value {
    let answer = gateway.get(&format!("/query?{text}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn trail(gateway: &Running, query: &str) -> Vec<Value> {
    let answer = gateway.get(&format!("/api/v1/corrections{query}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["corrections"].as_array().unwrap().clone()
}

/// Days of three cases of two teams; the first a month ago, so that it is sealed.
fn cases(gateway: &Running) {
    let now = now_ms();
    let case = |team: &str, value: i64, case: &str, timestamp: i64| json!({"name": "resolution_time", "value": value, "labels": {"team": team}, "ref": case, "timestamp": timestamp});
    let body =
        json!([case("a", 10, "case 1", now - 30 * DAY), case("a", 20, "case 2", now), case("b", 90, "case 3", now)]);
    assert_eq!(gateway.ingest(&body.to_string()).status, 204);
}

#[test]
fn figures_trail_and_export_follow_a_correction_and_so_they_do_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    cases(&gateway);
    let started = now_ms();
    let (week, quarter, long) = ("window=7d", "window=90d", "window=100d");
    let figures = |gateway: &Running, agg: &str, by: &str| {
        [week, quarter, long].map(|window| query(gateway, &format!("name=resolution_time&{window}&agg={agg}{by}")))
    };
    let results = |gateway: &Running, agg: &str| figures(gateway, agg, "").map(|figure| figure["result"].clone());
    assert_eq!(results(&gateway, "sum"), [json!(110), json!(120), json!(120)]);
    assert!(figures(&gateway, "sum", "").iter().all(|figure| figure.get("restated").is_none()));

    let done =
        corrected(&gateway, &json!({"ref": "case 3", "action": "correct", "value": 30, "reason": "a zero too many"}));
    assert_eq!((done["samples"].as_i64(), done["action"].as_str()), (Some(1), Some("correct")));
    assert_eq!(results(&gateway, "sum"), [json!(50), json!(60), json!(60)]);
    assert_eq!(results(&gateway, "max"), [json!(30), json!(30), json!(30)]);
    for figure in figures(&gateway, "sum", "") {
        assert!(figure["restated"].as_i64().is_some_and(|at| started <= at && at <= now_ms()), "{figure}");
    }
    for figure in figures(&gateway, "sum", "&by=team") {
        let marked: Vec<_> =
            figure["groups"].as_array().unwrap().iter().map(|group| group.get("restated").is_some()).collect();
        assert_eq!(marked, [false, true], "{figure}");
    }

    // A month ago: only the figures that reach as far are restated.
    corrected(&gateway, &json!({"ref": "case 1", "action": "withdraw", "reason": "entered twice"}));
    assert_eq!(results(&gateway, "count"), [json!(2), json!(2), json!(2)]);
    let by_team = figures(&gateway, "count", "&by=team");
    assert!(by_team[0]["groups"][0].get("restated").is_none() && by_team[1]["groups"][0].get("restated").is_some());
    corrected(&gateway, &json!({"ref": "case 2", "action": "erase", "reason": "of a person"}));
    assert_eq!(results(&gateway, "sum"), [json!(30), json!(30), json!(30)]);

    let check = |gateway: &Running| {
        assert_eq!(results(gateway, "sum"), [json!(30), json!(30), json!(30)]);
        assert!(figures(gateway, "sum", "").iter().all(|figure| figure.get("restated").is_some()));
        let rows = gateway.get("/api/v1/export?format=ndjson&name=resolution_time").body;
        assert_eq!(rows.lines().count(), 1);
        assert!(rows.contains("case 3") && rows.contains(r#""value":30"#), "{rows}");
        let trail = trail(gateway, "");
        let actions: Vec<_> = trail.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["correct", "withdraw", "erase"]);
        let first = &trail[0]["samples"][0];
        assert_eq!((&first["before"]["value"], &first["after"]["value"]), (&json!(90), &json!(30)));
        assert_eq!((&trail[0]["by"], &trail[0]["ref"]), (&json!("anyone"), &json!("case 3")));
        assert_eq!((&trail[1]["samples"][0]["after"], &trail[1]["reason"]), (&Value::Null, &json!("entered twice")));
        let erased = trail[2].as_object().unwrap();
        assert_eq!(erased.keys().collect::<Vec<_>>(), ["action", "at", "by", "erased", "id"], "no more is said");
    };
    check(&gateway);
    gateway.kill();
    let gateway = Running::start_in(folder.path(), &[]);
    check(&gateway);
    assert_eq!(trail(&gateway, "?id=1").len(), 2);
    assert_eq!(trail(&gateway, &format!("?from={}", now_ms() + DAY)).len(), 0);

    correct(&gateway, &json!({"ref": "case 2", "action": "erase"})).is_error(404, "unknown_ref");
    correct(&gateway, &json!({"ref": "case 3", "action": "correct", "value": 30, "reason": "again"}))
        .is_error(409, "not_changed");
    let ahead = json!({"ref": "case 3", "action": "correct", "timestamp": now_ms() + DAY, "reason": "tomorrow"});
    correct(&gateway, &ahead).is_error(422, "bad_timestamp");
    correct(&gateway, &json!({"ref": "case 3", "action": "withdraw"})).is_error(400, "bad_correction");
    gateway.get("/api/v1/corrections?form=1").is_error(400, "bad_query");
    let foreign = Request::get("/api/v1/corrections").header("origin", "https://elsewhere.example").send(&gateway);
    foreign.is_error(403, "origin_not_allowed");
    check(&gateway);
}

#[test]
fn one_of_several_samples_is_told_by_its_metric_its_labels_or_its_time() {
    let gateway = Running::start(&[]);
    let now = now_ms();
    let sample = |name: &str, team: &str, at: i64| json!({"name": name, "value": 1, "labels": {"team": team, "l": "x"}, "ref": "r", "timestamp": at});
    let all = [sample("m", "a", now - 2), sample("m", "a", now - 1), sample("m", "b", now), sample("n", "a", now)];
    assert_eq!(gateway.ingest(&json!(all).to_string()).status, 204);
    let asked = |more: Value| {
        let mut body = json!({"ref": "r", "action": "correct", "value": 5, "reason": "why"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    correct(&gateway, &asked(json!({}))).is_error(409, "ambiguous_ref");
    correct(&gateway, &asked(json!({"name": "m"}))).is_error(409, "ambiguous_ref");
    correct(&gateway, &asked(json!({"name": "m", "labels": {"team": "c"}}))).is_error(404, "unknown_ref");
    corrected(&gateway, &asked(json!({"name": "n"})));
    corrected(&gateway, &asked(json!({"labels": {"team": "b"}, "timestamp": now - 5_000})));
    corrected(&gateway, &asked(json!({"name": "m", "at": now - 2})));
    assert_eq!(gateway.result("name=m&window=5m&agg=sum"), Some(11.0));
    assert_eq!(gateway.result("name=n&window=5m&agg=sum"), Some(5.0));
    assert_eq!(corrected(&gateway, &json!({"ref": "r", "action": "withdraw", "reason": "all"}))["samples"], 4);
    assert_eq!(gateway.result("name=m&window=5m&agg=sum"), None);
}

#[test]
fn who_follows_a_corrected_series_gets_its_history_anew_and_others_go_on() {
    let gateway = Running::start(&[]);
    let now = now_ms();
    for value in [5, 7, 900] {
        let sample = json!({"name": "m", "value": value, "ref": format!("r{value}"), "timestamp": now - 1_000});
        assert_eq!(gateway.ingest(&json!([sample, {"name": "other", "value": 1}]).to_string()).status, 204);
    }
    for (step, format) in [("1s", "binary"), ("raw", "json")] {
        let mut live = Live::open(&gateway);
        live.subscribe("m", step, format);
        let mut other = Live::open(&gateway);
        other.subscribe("other", step, format);
        for live in [&mut live, &mut other] {
            live.until("the history is there", |live| live.subscribed);
        }
        let value = live.figure("m", Aggregation::Sum).value.unwrap();
        let asked = if step == "1s" {
            json!({"ref": "r900", "action": "correct", "value": 9, "reason": "typo"})
        } else {
            json!({"ref": "r7", "action": "erase"})
        };
        corrected(&gateway, &asked);
        let end = loop {
            if let Err(end) = live.step() {
                break end;
            }
        };
        assert!(end.starts_with("1013: restated:"), "{end}");
        let mut live = live.reopen(&gateway);
        live.resume("m", step, format);
        let told = loop {
            if let ServerFrame::Subscribed(subscribed) = live.step().unwrap() {
                break subscribed.restated;
            }
        };
        let (series, span) = (told[0].series.metric.as_str(), (told[0].from.get(), told[0].to.get()));
        assert_eq!((series, told.len()), ("m", if step == "1s" { 1 } else { 2 }));
        assert!(step != "1s" || span == (now - 1_001, now - 1_000), "{told:?}");
        assert_eq!(live.gaps.len(), 1);
        let expected = if step == "1s" { 21.0 } else { 14.0 };
        assert_ne!(value, expected);
        assert_eq!(live.figure("m", Aggregation::Sum).value, Some(expected));
        assert_eq!(gateway.ingest(r#"{"name":"m","value":0}"#).status, 204);
        let count = gateway.result("name=m&window=2h&agg=count").unwrap();
        live.until("it goes on", |live| live.figure("m", Aggregation::Count).value == Some(count));
        let mut ticks = 0;
        while ticks < 2 {
            ticks += u32::from(matches!(other.step().unwrap(), ServerFrame::Tick(_)));
        }
    }
}

#[test]
fn of_what_was_erased_no_instant_is_told_neither_before_nor_after_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let at = now_ms() - 3 * 3_600_000;
    let sample = json!({"name": "m", "value": 7, "ref": "r", "timestamp": at});
    assert_eq!(gateway.ingest(&json!([sample, {"name": "m", "value": 1}]).to_string()).status, 204);
    corrected(&gateway, &json!({"ref": "r", "action": "correct", "value": 8, "reason": "typo"}));
    corrected(&gateway, &json!({"ref": "r", "action": "correct", "timestamp": at + 7_200_000, "reason": "typo"}));
    corrected(&gateway, &json!({"ref": "r", "at": at + 7_200_000, "action": "erase"}));
    assert!(trail(&gateway, "").iter().all(|entry| entry["erased"] == json!(true)));
    let check = |gateway: &Running| {
        let mut live = Live::open(gateway);
        live.say(r#"{"type":"subscribe","id":1,"metrics":[{"name":"m","range":"6h"}],"step":"1s"}"#);
        let told = loop {
            if let ServerFrame::Subscribed(subscribed) = live.step().unwrap() {
                break subscribed.restated;
            }
        };
        let widths: Vec<_> = told.iter().map(|span| span.to.get() - span.from.get()).collect();
        assert_eq!(widths, [3_600_000, 3_600_000], "{told:?}");
    };
    check(&gateway);
    gateway.kill();
    check(&Running::start_in(folder.path(), &[]));
}

#[test]
fn an_alert_over_a_corrected_sample_ends() {
    let folder = tempfile::tempdir().unwrap();
    let rule = r#"{"name":"Slow","query":{"metric":"m","window":"10m","agg":"max"},"is":"above","threshold":100,"severity":"page"}"#;
    let board = crate::running::board(folder.path(), &format!(r#"{{"title":"T","rules":[{rule}]}}"#));
    let gateway = Running::start(&["--board", board.to_str().unwrap()]);
    assert_eq!(gateway.ingest(r#"[{"name":"m","value":5},{"name":"m","value":5000,"ref":"r"}]"#).status, 204);
    let state = || Live::open(&gateway).alerts.alerts.first().map(|alert| alert.state.as_str());
    until("it fires", || state() == Some("firing"));
    corrected(&gateway, &json!({"ref": "r", "action": "correct", "value": 5, "reason": "a thousand too many"}));
    until("it is over", || state() == Some("resolved"));
}
