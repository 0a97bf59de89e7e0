//! As much of JSON Schema 2020-12 as the published schema uses; any other keyword is an error.

use serde_json::{Map, Value};

/// A schema with its `$defs`.
pub(super) struct Schema(Value);

/// Keywords that say nothing about validity.
const REMARKS: [&str; 4] = ["$schema", "title", "description", "$defs"];

impl Schema {
    pub(super) fn new(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap())
    }

    /// The sorted property names of a definition.
    pub(super) fn properties(&self, name: &str) -> Vec<String> {
        let properties = self.0["$defs"][name]["properties"].as_object().unwrap();
        properties.keys().cloned().collect()
    }

    /// Why `value` is not valid; empty where it is.
    pub(super) fn faults(&self, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(&self.0, value, "", &mut faults);
        faults
    }

    fn check(&self, schema: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
        let mut fail = |why: String| faults.push(format!("{path}: {why}"));
        let mut inner: Vec<(&Value, &Value, String)> = Vec::new();
        let none = Map::new();
        let declared = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        for (keyword, rule) in schema.as_object().unwrap() {
            match (keyword.as_str(), value) {
                ("$ref", _) => {
                    let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    inner.push((&self.0["$defs"][name], value, path.to_owned()));
                }
                ("type", _) => {
                    let names = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                    if !names.iter().any(|name| name == type_of(value)) {
                        fail(format!("{value} is no {rule}"));
                    }
                }
                ("enum", _) if !rule.as_array().unwrap().contains(value) => fail(format!("{value} is none of {rule}")),
                ("oneOf", _) => {
                    let fitting = rule.as_array().unwrap().iter().filter(|option| {
                        let mut faults = Vec::new();
                        self.check(option, value, path, &mut faults);
                        faults.is_empty()
                    });
                    if fitting.count() != 1 {
                        fail(format!("{value} does not fit one of {rule}"));
                    }
                }
                ("required", Value::Object(fields)) => {
                    for name in rule.as_array().unwrap().iter().map(|name| name.as_str().unwrap()) {
                        if !fields.contains_key(name) {
                            fail(format!("{name} is missing"));
                        }
                    }
                }
                ("properties", Value::Object(fields)) => {
                    for (name, value) in fields {
                        if let Some(schema) = declared.get(name) {
                            inner.push((schema, value, format!("{path}/{name}")));
                        }
                    }
                }
                ("additionalProperties", Value::Object(fields)) => {
                    for (name, value) in fields.iter().filter(|(name, _)| !declared.contains_key(*name)) {
                        match rule {
                            Value::Bool(false) => fail(format!("{name} is not known")),
                            schema => inner.push((schema, value, format!("{path}/{name}"))),
                        }
                    }
                }
                ("items", Value::Array(elements)) => {
                    for (place, value) in elements.iter().enumerate() {
                        inner.push((rule, value, format!("{path}/{place}")));
                    }
                }
                ("minItems", Value::Array(elements)) if elements.len() < size(rule) => fail("too few".into()),
                ("maxItems", Value::Array(elements)) if elements.len() > size(rule) => fail("too many".into()),
                ("minProperties", Value::Object(fields)) if fields.len() < size(rule) => fail("too few".into()),
                ("minLength", Value::String(text)) if text.chars().count() < size(rule) => fail("too short".into()),
                ("maxLength", Value::String(text)) if text.chars().count() > size(rule) => fail("too long".into()),
                ("pattern", Value::String(text)) => {
                    if !regex_lite::Regex::new(rule.as_str().unwrap()).unwrap().is_match(text) {
                        fail(format!("{text:?} does not match {rule}"));
                    }
                }
                (
                    "enum"
                    | "required"
                    | "properties"
                    | "additionalProperties"
                    | "items"
                    | "minItems"
                    | "maxItems"
                    | "minProperties"
                    | "minLength"
                    | "maxLength"
                    | "pattern",
                    _,
                ) => {}
                (remark, _) => assert!(REMARKS.contains(&remark), "keyword {remark} is not known here"),
            }
        }
        for (schema, value, path) in inner {
            self.check(schema, value, &path, faults);
        }
    }
}

fn size(rule: &Value) -> usize {
    usize::try_from(rule.as_u64().unwrap()).unwrap()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
