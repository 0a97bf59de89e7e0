//! The one grammar of queries: JSON objects.

use bellwether_core::labels::{LabelName, MetricName};
use bellwether_core::query::{Across, Aggregation, AggregationError, Expression, Query};
use bellwether_core::selector::{Condition, MAX_PATTERNS, Matcher, Pattern};
use bellwether_core::time::DurationMs;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

use crate::condition::{self, NoCondition};
use crate::json::{Faults, Object, shortened, type_name};

/// `{"metric": …}` or `{"ratio": [query, query]}`.
pub(super) fn read(value: &Value, path: &str, faults: &Faults) -> Option<Expression> {
    let mut object = Object::new(value, path, faults)?;
    if !object.fields().contains_key("ratio") {
        return query(&mut object).map(Expression::Single);
    }
    let queries = object.array("ratio")?;
    object.refuse_unknown();
    let [(path, over), (other_path, under)] = queries.as_slice() else {
        object.fault("ratio", "a ratio has two queries: what is divided, and what it is divided by");
        return None;
    };
    let over = query(&mut Object::new(over, path, faults)?);
    let under = query(&mut Object::new(under, other_path, faults)?);
    Some(Expression::Ratio(over?, under?))
}

fn query(object: &mut Object<'_>) -> Option<Query> {
    let metric = metric(object, "metric");
    let matchers = match object.optional("where") {
        Some(value) => read_conditions(value, &object.at("where"), object.faults(), &mut PatternRoom::of("where")),
        None => Some(Vec::new()),
    };
    let window = object.duration("window").and_then(|window| {
        if window == DurationMs::ZERO {
            object.fault("window", "a window of no length holds no sample; write it like \"5m\"");
            return None;
        }
        Some(window)
    });
    let aggregation = object.text("agg").and_then(|text| {
        text.parse::<Aggregation>().map_err(|error: AggregationError| object.fault("agg", error.to_string())).ok()
    });
    let by = object.texts("by").and_then(|names| {
        let labels: Result<Vec<_>, _> = names.into_iter().map(LabelName::new).collect();
        labels.map_err(|error| object.fault("by", error.to_string())).ok()
    });
    let ways = Across::ALL.map(|way| (way.as_str(), way));
    let across = object.choice("across", &ways, Some(Across::Merge));
    object.refuse_unknown();
    Some(Query {
        metric: metric?,
        matchers: matchers?,
        window: window?,
        aggregation: aggregation?,
        by: by?,
        across: across?,
    })
}

/// A metric name that must be there.
pub(super) fn metric(object: &mut Object<'_>, field: &'static str) -> Option<MetricName> {
    let text = object.text(field)?;
    MetricName::new(text).map_err(|error| object.fault(field, error.to_string())).ok()
}

/// How many patterns may still come; each is compiled and kept, so their number is bounded.
pub(crate) struct PatternRoom {
    left: usize,
    whole: &'static str,
}

impl PatternRoom {
    /// Room for the patterns of one `whole`.
    pub(crate) fn of(whole: &'static str) -> Self {
        Self { left: MAX_PATTERNS, whole }
    }

    /// Compiles one more pattern.
    fn pattern(&mut self, text: &str) -> Result<Pattern, String> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            format!("this is one pattern too many; at most {MAX_PATTERNS} are taken in one {}", self.whole)
        })?;
        Pattern::new(text).map_err(|error| error.to_string())
    }
}

/// `{"label": "value", "other": {"not": "value"}}`, or a list of such objects and of `"label:value"`.
pub(crate) fn read_conditions(
    value: &Value,
    path: &str,
    faults: &Faults,
    room: &mut PatternRoom,
) -> Option<Vec<Matcher>> {
    let mut matchers = Vec::new();
    let mut whole = true;
    match value {
        Value::Object(_) => whole = conditions_of_object(value, path, faults, room, &mut matchers).is_some(),
        Value::Array(conditions) => {
            for (place, condition) in conditions.iter().enumerate() {
                let path = format!("{path}[{place}]");
                let read = match condition.as_str() {
                    Some(text) => condition::from_text(text)
                        .map_err(|fault| faults.add(&path, in_words(text, fault)))
                        .ok()
                        .map(|matcher| matchers.push(matcher)),
                    None => conditions_of_object(condition, &path, faults, room, &mut matchers),
                };
                whole &= read.is_some();
            }
        }
        other => {
            faults.add(path, format!("this is {}; write {{\"label\": \"value\"}}", type_name(other)));
            whole = false;
        }
    }
    whole.then_some(matchers)
}

fn in_words(text: &str, fault: NoCondition) -> String {
    match fault {
        NoCondition::Colon => {
            format!("{:?} is no condition; write \"label:value\", such as \"route:/book\"", shortened(text))
        }
        NoCondition::Label(reason) => reason.to_string(),
    }
}

/// The words for conditions other than equality.
const CONDITIONS: [&str; 3] = ["not", "matches", "matches_not"];

fn conditions_of_object(
    value: &Value,
    path: &str,
    faults: &Faults,
    room: &mut PatternRoom,
    matchers: &mut Vec<Matcher>,
) -> Option<()> {
    let object = Object::new(value, path, faults)?;
    let mut whole = true;
    for (name, value) in object.fields() {
        let label = match LabelName::new(name) {
            Ok(label) => label,
            Err(error) => {
                object.fault_here(error.to_string());
                whole = false;
                continue;
            }
        };
        match value {
            Value::String(text) => matchers.push(Matcher { label, condition: Condition::Equal(text.clone()) }),
            Value::Object(_) => {
                whole &= other_conditions(value, &object.at(name), faults, &label, room, matchers).is_some()
            }
            other => {
                let message = format!(
                    "this is {}; write the value as text, or an object with one of {}",
                    type_name(other),
                    CONDITIONS.join(", ")
                );
                faults.add(&object.at(name), message);
                whole = false;
            }
        }
    }
    whole.then_some(())
}

fn other_conditions(
    value: &Value,
    path: &str,
    faults: &Faults,
    label: &LabelName,
    room: &mut PatternRoom,
    matchers: &mut Vec<Matcher>,
) -> Option<()> {
    let mut object = Object::new(value, path, faults)?;
    if object.fields().is_empty() {
        object.fault_here(format!("this says nothing; give one of {}", CONDITIONS.join(", ")));
        return None;
    }
    let mut whole = true;
    for word in CONDITIONS {
        let Some(given) = object.optional(word) else { continue };
        let Some(text) = given.as_str() else {
            object.fault(word, format!("this is {}; it must be text in quotes", type_name(given)));
            whole = false;
            continue;
        };
        let mut pattern = || room.pattern(text).map_err(|fault| object.fault(word, fault)).ok();
        let condition = match word {
            "not" => Some(Condition::NotEqual(text.to_owned())),
            "matches" => pattern().map(Condition::Matches),
            _ => pattern().map(Condition::MatchesNot),
        };
        match condition {
            Some(condition) => matchers.push(Matcher { label: label.clone(), condition }),
            None => whole = false,
        }
    }
    object.refuse_unknown();
    whole.then_some(())
}

/// An expression as JSON.
pub(super) struct ExpressionJson<'a>(pub(super) &'a Expression);

impl Serialize for ExpressionJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Expression::Single(query) => QueryJson(query).serialize(serializer),
            Expression::Ratio(over, under) => {
                let mut object = serializer.serialize_map(Some(1))?;
                object.serialize_entry("ratio", &[QueryJson(over), QueryJson(under)])?;
                object.end()
            }
        }
    }
}

struct QueryJson<'a>(&'a Query);

impl Serialize for QueryJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Query { metric, matchers, window, aggregation, by, across } = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("metric", metric.as_str())?;
        if !matchers.is_empty() {
            object.serialize_entry("where", &Conditions(matchers))?;
        }
        object.serialize_entry("window", &window.to_string())?;
        object.serialize_entry("agg", &aggregation.to_string())?;
        if !by.is_empty() {
            object.serialize_entry("by", &by.iter().map(LabelName::as_str).collect::<Vec<_>>())?;
        }
        if *across != Across::Merge {
            object.serialize_entry("across", across.as_str())?;
        }
        object.end()
    }
}

/// Conditions as a list, each an object of its own: so their order and repeated labels survive.
pub(crate) struct Conditions<'a>(pub(crate) &'a [Matcher]);

impl Serialize for Conditions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // What people write is one object; it keeps no order but that of its labels.
        if self.0.is_sorted_by(|one, other| one.label < other.label) {
            return serializer
                .collect_map(self.0.iter().map(|matcher| (matcher.label.as_str(), ConditionJson(matcher))));
        }
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for matcher in self.0 {
            list.serialize_element(&Conditions(std::slice::from_ref(matcher)))?;
        }
        list.end()
    }
}

struct ConditionJson<'a>(&'a Matcher);

impl Serialize for ConditionJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (word, text) = match &self.0.condition {
            Condition::Equal(text) => return serializer.serialize_str(text),
            Condition::NotEqual(text) => ("not", text.as_str()),
            Condition::Matches(pattern) => ("matches", pattern.as_str()),
            Condition::MatchesNot(pattern) => ("matches_not", pattern.as_str()),
        };
        let mut object = serializer.serialize_map(Some(1))?;
        object.serialize_entry(word, text)?;
        object.end()
    }
}
