//! The default board, the published schema and the reader, held against each other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where something is wrong")]

mod schema;

use bellwether_core::board::Board;
use bellwether_wire::board::{decode, decode_strictly, encode};
use schema::Schema;
use serde_json::{Value, json};

const DEFAULT: &str = include_str!("../../../www/board.json");
const SCHEMA: &str = include_str!("../../../www/board.schema.json");

/// A board that uses every field and every form.
const EVERYTHING: &str = r#"{
  "$schema": "./board.schema.json",
  "title": "Everything",
  "metrics": [{"name": "errors_total", "kind": "counter", "unit": "errors", "help": "Errors."}],
  "kpis": [{
    "id": "error-ratio", "title": "Errors", "unit": "ratio", "better": "lower", "target": 0.01, "owner": "On-call",
    "section": "Service",
    "query": {"ratio": [
      {"metric": "errors_total", "where": {"route": "/a", "status": {"matches": "5.."}}, "window": "1h30m",
       "agg": "increase", "across": "sum"},
      {"metric": "requests_total", "where": ["route:/a", {"route": {"not": "/b", "matches_not": "x|y"}}],
       "window": "1h", "agg": "increase", "by": []}
    ]}
  }],
  "panels": [{
    "id": "latency", "title": "Latency", "unit": "s", "threshold": 1.5, "section": "Service",
    "query": {"metric": "latency", "window": "500ms", "agg": "p99.9", "by": ["route", "method"], "across": "max"}
  }],
  "rules": [{
    "name": "Slow", "query": {"metric": "latency", "window": "5m", "agg": "p95", "by": ["route"]},
    "is": "at_least", "threshold": -1.5e300, "for": "1m", "keep_firing_for": "2m", "query_offset": "15s",
    "no_data": "resolve", "severity": "info", "labels": {"team": "booking"}, "summary": "Slow.", "runbook": "/slow"
  }]
}"#;

fn board(text: &str) -> Board {
    decode(text).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// The first fault of a board, as a person reads it.
fn fault(text: &str) -> String {
    decode(text).expect_err(text)[0].to_string()
}

#[test]
fn the_default_board_is_good() {
    let board = board(DEFAULT);
    assert!(board.rules.iter().any(|rule| rule.name == "BookingSlow" && rule.threshold == 300.0));
    assert_eq!(Schema::new(SCHEMA).faults(&serde_json::from_str(DEFAULT).unwrap()), Vec::<String>::new());
    board.check_within(bellwether_core::time::DurationMs::from_days(92)).unwrap();
}

#[test]
fn boards_read_back() {
    for text in [DEFAULT, EVERYTHING, r#"{"title":"Empty"}"#] {
        let first = board(text);
        let written = encode(&first);
        assert_eq!(board(&written), first, "{written}");
        assert_eq!(Schema::new(SCHEMA).faults(&serde_json::from_str(&written).unwrap()), Vec::<String>::new());
    }
}

/// The faults of a board that people write, each as a person reads it.
fn strict_faults(text: &str) -> Vec<String> {
    decode_strictly(text).expect_err(text).iter().map(ToString::to_string).collect()
}

#[test]
fn a_field_that_is_given_twice_is_named() {
    for text in [DEFAULT, EVERYTHING] {
        assert_eq!(decode_strictly(text), decode(text), "a name may stand in many objects");
    }
    let panel = |field: &str| {
        format!(
            "{{\"title\":\"t\",\"panels\":[\n{{\"id\":\"p\",{field}\"title\":\"t\",\n\"query\":{{\"metric\":\"m\",\"window\":\"1m\",\"agg\":\"avg\"}}}}]}}"
        )
    };
    assert!(decode_strictly(&panel("")).is_ok());
    assert!(decode(&panel("\"id\":\"q\",")).is_ok());
    let twice = "line 2, column 14: field \"id\" is given twice; give it once";
    assert_eq!(strict_faults(&panel("\"id\":\"q\",")), [twice]);
    // Written another way it is the same name.
    assert_eq!(strict_faults(&panel("\"\\u0069d\":1,"))[0], twice.replace("14", "19"));
    // What else is wrong is said too, and a fault of syntax alone.
    let both = strict_faults(&panel("\"id\":\"q\",\"units\":\"s\","));
    assert_eq!(both, [twice, "panels[0].units: this field is not known; did you mean \"unit\"?"]);
    let syntax = strict_faults("{\"title\":\"t\",");
    assert_eq!(syntax.len(), 1);
    assert!(syntax[0].contains("this is not JSON"), "{syntax:?}");
}

#[test]
fn everything_arrives() {
    let board = board(EVERYTHING);
    let rule = &board.rules[0];
    assert_eq!(rule.comparison.as_str(), ">=");
    assert_eq!(rule.keep_firing_for.to_string(), "2m");
    assert_eq!(rule.query_offset.to_string(), "15s");
    assert_eq!(rule.no_data, bellwether_core::rule::NoData::Resolve);
    assert_eq!(rule.labels.get("team"), Some("booking"));
    let bellwether_core::query::Expression::Ratio(over, under) = &board.kpis[0].figure else { panic!("no ratio") };
    assert_eq!((over.matchers.len(), under.matchers.len()), (2, 3));
    assert_eq!(over.window.to_string(), "1h30m");
}

/// The names that the reader knows at a place, from the fault about one that it does not know.
fn known_fields(text: &str) -> Vec<String> {
    let faults = decode(text).expect_err(text);
    let message = faults
        .iter()
        .find_map(|fault| fault.message.strip_prefix("this field is not known; known here: "))
        .unwrap_or_else(|| panic!("{faults:?}"));
    let mut fields: Vec<_> = message.split(", ").map(str::to_owned).collect();
    fields.sort();
    fields
}

#[test]
fn the_schema_knows_the_fields_of_the_reader_and_no_others() {
    let schema = Schema::new(SCHEMA);
    let stray = "\"zzzzzzzzzzzzzzzzzzzzzzzz\":1";
    let query = |inner: &str| format!(r#"{{"title":"t","panels":[{{"id":"p","title":"t","query":{inner}}}]}}"#);
    for (name, text) in [
        ("board", format!("{{{stray}}}")),
        ("metric", format!(r#"{{"title":"t","metrics":[{{{stray}}}]}}"#)),
        ("kpi", format!(r#"{{"title":"t","kpis":[{{{stray}}}]}}"#)),
        ("panel", format!(r#"{{"title":"t","panels":[{{{stray}}}]}}"#)),
        ("rule", format!(r#"{{"title":"t","rules":[{{{stray}}}]}}"#)),
        ("query", query(&format!("{{{stray}}}"))),
        ("ratio", query(&format!(r#"{{"ratio":[],{stray}}}"#))),
        ("condition", query(&format!(r#"{{"metric":"m","window":"1m","agg":"avg","where":{{"a":{{{stray}}}}}}}"#))),
    ] {
        assert_eq!(schema.properties(name), known_fields(&text), "{name}");
    }
}

/// Every way to change one thing of a document: a member or element removed, a stray member added,
/// a value replaced by one of another type.
fn changes(value: &Value) -> Vec<Value> {
    let mut changed = Vec::new();
    match value {
        Value::Object(fields) => {
            let mut with_stray = fields.clone();
            with_stray.insert("zzz".into(), json!(1));
            changed.push(Value::Object(with_stray));
            for (name, inner) in fields {
                let mut without = fields.clone();
                without.remove(name);
                changed.push(Value::Object(without));
                for inner in changes(inner) {
                    let mut with = fields.clone();
                    with.insert(name.clone(), inner);
                    changed.push(Value::Object(with));
                }
            }
        }
        Value::Array(elements) => {
            for (place, inner) in elements.iter().enumerate() {
                let mut without = elements.clone();
                without.remove(place);
                changed.push(Value::Array(without));
                for inner in changes(inner) {
                    let mut with = elements.clone();
                    with[place] = inner;
                    changed.push(Value::Array(with));
                }
            }
        }
        _ => {}
    }
    for other in [json!(true), json!(5), json!(-0.5), json!("5m"), json!(""), json!("p95"), json!([1]), json!({"a": 1})]
    {
        changed.push(other);
    }
    changed
}

#[test]
fn the_schema_and_the_reader_agree_on_every_small_change() {
    let schema = Schema::new(SCHEMA);
    let whole: Value = serde_json::from_str(EVERYTHING).unwrap();
    let changed = changes(&whole);
    let mut good = 0;
    for change in &changed {
        let by_schema = schema.faults(change);
        match decode(&change.to_string()) {
            Ok(_) => {
                good += 1;
                assert_eq!(by_schema, Vec::<String>::new(), "the reader takes {change}");
            }
            // What only the whole board can tell is not the schema's business.
            Err(faults) if by_schema.is_empty() => {
                let telling =
                    ["aggregation", "groups by", "group by", "leave \"by\" out", "makes no sense", "not a pattern"];
                assert!(
                    faults.iter().all(|fault| telling.iter().any(|part| fault.message.contains(part))),
                    "the schema takes {change}, and the reader says {faults:?}"
                );
            }
            Err(_) => {}
        }
    }
    // Neither agrees by refusing everything or nothing.
    assert!(good > 50 && good < changed.len() - 50, "{good} of {}", changed.len());
}

#[test]
fn faults_name_the_place_and_the_mending() {
    let kpi = |field: &str| {
        format!(
            r#"{{"title":"t","kpis":[{{"id":"a","title":"A","better":"lower",
                "query":{{"metric":"m","window":"5m","agg":"avg"}}{field}}}]}}"#
        )
    };
    assert!(decode(&kpi("")).is_ok());
    assert_eq!(fault("{"), "line 1, column 1: this is not JSON: EOF while parsing an object");
    assert_eq!(fault("{\"title\": \"a\",\n  \"kpis\" []}"), "line 2, column 10: this is not JSON: expected `:`");
    assert_eq!(fault("[]"), "this is an array; it must be an object");
    assert_eq!(fault("{}"), "title: this is missing; say what the page is called");
    assert_eq!(fault(&kpi(r#","targt":3"#)), r#"kpis[0].targt: this field is not known; did you mean "target"?"#);
    assert_eq!(fault(&kpi(r#","target":"3""#)), "kpis[0].target: this is text; it must be a number");
    let window = kpi("").replace("5m", "5 minutes");
    assert_eq!(
        fault(&window),
        "kpis[0].query.window: \"5 minutes\" is not a duration; write it like 30s, 5m, 1h30m or 90d"
    );
    let agg = kpi("").replace("avg", "mean");
    assert!(
        fault(&agg).starts_with("kpis[0].query.agg: \"mean\" is not an aggregation; use avg, sum"),
        "{}",
        fault(&agg)
    );
    let better = kpi("").replace("lower", "less");
    assert_eq!(fault(&better), r#"kpis[0].better: "less" is none of lower, higher"#);
    assert_eq!(fault(r#"{"title":"t","rules":[{}]}"#), "rules[0].name: this is missing");
    // What only the whole board can tell comes with its path too.
    let twice = r#"{"title":"t","metrics":[{"name":"m","kind":"gauge"},{"name":"m","kind":"gauge"}]}"#;
    assert!(fault(twice).starts_with("metrics[1].name: "), "{}", fault(twice));
}

#[test]
fn all_faults_come_at_once() {
    let text = r#"{"title":"t","rules":[{"name":"A"},{"nme":"B","severity":"loud"}]}"#;
    let paths: Vec<_> = decode(text).unwrap_err().into_iter().map(|fault| fault.path).collect();
    for path in ["rules[0].query", "rules[0].is", "rules[0].threshold", "rules[1].nme", "rules[1].severity"] {
        assert!(paths.iter().any(|found| found == path), "{path} in {paths:?}");
    }
}

/// The JSON blocks of a page of the documentation.
fn examples(page: &str) -> Vec<&str> {
    page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_examples_of_the_documentation_are_read() {
    let [first, queries @ ..] = &examples(include_str!("../../../docs/formats/board.md"))[..] else { panic!("none") };
    board(first);
    assert_eq!(queries.len(), 2);
    for query in queries {
        board(&format!(r#"{{"title":"t","panels":[{{"id":"p","title":"t","query":{query}}}]}}"#));
    }
    let live = examples(include_str!("../../../docs/formats/live-feed.md"));
    let [subscribe, error, then, resume, subscribed, batch, summary] = live[..] else { panic!("{live:?}") };
    for said in [subscribe, then, resume, batch] {
        bellwether_wire::frame::ClientFrame::decode(said).unwrap();
    }
    for said in [error, subscribed] {
        bellwether_wire::frame::ServerFrame::decode(said).unwrap();
    }
    let samples = format!(r#"{{"type":"samples","samples":[],"summaries":[{summary}]}}"#);
    bellwether_wire::frame::ServerFrame::decode(&samples).unwrap();
}

#[test]
fn a_query_takes_only_so_many_patterns() {
    let board = |patterns: usize| {
        let conditions: Vec<_> = (0..patterns).map(|n| format!(r#""l{n}":{{"matches":"5.."}}"#)).collect();
        let query = format!(r#"{{"metric":"m","window":"5m","agg":"avg","where":{{{}}}}}"#, conditions.join(","));
        let panel = |id| format!(r#"{{"id":"{id}","title":"P","query":{query}}}"#);
        decode_strictly(&format!(r#"{{"title":"T","panels":[{},{}]}}"#, panel("a"), panel("b")))
    };
    assert!(board(8).is_ok(), "each query has its own");
    let faults = board(9).unwrap_err();
    let told = "panels[0].query.where.l8.matches: this is one pattern too many; at most 8 are taken in one where";
    assert_eq!(faults[0].to_string(), told);
}
