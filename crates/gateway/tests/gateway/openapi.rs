//! The description of the API beside what the gateway really answers.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::running::{Request, Running};

/// The schema that `schema` refers to, or itself.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(name) => document.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} is not there")),
        None => schema,
    }
}

/// Whether `value` has just the fields of `schema`, with their types.
fn fits(document: &Value, schema: &Value, value: &Value) -> bool {
    let schema = resolved(document, schema);
    if let Some(choices) = schema["oneOf"].as_array() {
        return choices.iter().any(|choice| fits(document, choice, value));
    }
    let types: Vec<_> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let is = |name: &&str| match *name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    };
    if !types.iter().any(is) {
        return false;
    }
    if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
        return list.iter().all(|one| fits(document, items, one));
    }
    let (Some(properties), Some(fields)) = (schema["properties"].as_object(), value.as_object()) else { return true };
    let names = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<BTreeSet<_>>();
    // What is never null is either required or left out.
    let required: BTreeSet<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let is_nullable = |schema: &Value| schema["type"].as_array().is_some_and(|types| types.contains(&"null".into()));
    let may_miss = |name: &String| !required.contains(name.as_str()) && !is_nullable(&properties[name]);
    let missing = names(properties).difference(&names(fields)).all(may_miss);
    missing
        && names(fields).is_subset(&names(properties))
        && fields.iter().all(|(name, value)| fits(document, &properties[name], value))
}

#[test]
fn what_is_answered_is_what_is_described() {
    let gateway = Running::start(&[]);
    let answer = gateway.get("/api/openapi.json");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let document = answer.json();
    assert_eq!(answer.body, include_str!("../../../../tests/golden/api/openapi.json"));
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));

    let check = |request: Request, method: &str, route: &str| {
        let answer = request.send(&gateway);
        let described = &document["paths"][route][method]["responses"][answer.status.to_string()];
        let schema = &described["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {route} answers {}, which is not described", answer.status);
        let body = answer.json();
        assert!(fits(&document, schema, &body), "{method} {route} answers {body}, described is {schema}");
    };
    let ingest = |body: &str| Request::post("/ingest").header("content-type", "application/json").body(body);
    assert_eq!(ingest(r#"{"name":"m","value":1,"labels":{"a":"b"}}"#).send(&gateway).status, 204);
    check(ingest(r#"[{"name":"m","value":1},{"name":"m"}]"#), "post", "/ingest");
    check(ingest("{"), "post", "/ingest");
    check(ingest("").header("content-type", "text/csv"), "post", "/ingest");
    check(Request::get("/query?name=m&window=5m&agg=avg"), "get", "/query");
    check(Request::get("/query?name=none&window=5m&agg=avg"), "get", "/query");
    check(Request::get("/query?name=m&window=5m&agg=avg&by=a"), "get", "/query");
    check(Request::get("/query?name=m"), "get", "/query");
    check(Request::get("/api/v1/dashboard"), "get", "/api/v1/dashboard");
    check(Request::get("/api/v1/metrics"), "get", "/api/v1/metrics");
    check(Request::get("/api/v1/alerts/ended"), "get", "/api/v1/alerts/ended");
    check(Request::get("/api/v1/alerts/ended?from=x"), "get", "/api/v1/alerts/ended");
    check(Request::post("/api/v1/ticket"), "post", "/api/v1/ticket");
    check(Request::get("/ws"), "get", "/ws");
    assert_eq!(ingest(r#"{"name":"m","value":1,"ref":"r"}"#).send(&gateway).status, 204);
    let correct = |body: &str| Request::post("/api/v1/corrections").body(body);
    check(correct(r#"{"ref":"r","action":"correct","value":2,"reason":"why"}"#), "post", "/api/v1/corrections");
    check(correct(r#"{"ref":"r","action":"erase"}"#), "post", "/api/v1/corrections");
    check(correct(r#"{"ref":"r","action":"erase"}"#), "post", "/api/v1/corrections");
    check(correct("{}"), "post", "/api/v1/corrections");
    assert_eq!(ingest(r#"{"name":"m","value":1,"ref":"s"}"#).send(&gateway).status, 204);
    check(correct(r#"{"ref":"s","action":"withdraw","reason":"why"}"#), "post", "/api/v1/corrections");
    check(Request::get("/api/v1/corrections"), "get", "/api/v1/corrections");
    check(Request::get("/query?name=m&window=5m&agg=avg"), "get", "/query");
}

#[test]
fn a_value_that_does_not_fit_is_noticed() {
    let document = serde_json::json!({});
    let properties = serde_json::json!({"a": {"type": ["number", "null"]}, "c": {"type": "number"}});
    let schema = serde_json::json!({"type": "object", "properties": properties});
    let check = |value: Value| fits(&document, &schema, &value);
    assert!(check(serde_json::json!({"a": 1.5})) && check(serde_json::json!({"a": null})));
    assert!(check(serde_json::json!({"a": 1, "c": 2})) && !check(serde_json::json!({"a": 1, "c": null})));
    assert!(!check(serde_json::json!({"a": "1"})) && !check(serde_json::json!({})));
    assert!(!check(serde_json::json!({"a": 1, "b": 2})) && !check(serde_json::json!([])));
}
