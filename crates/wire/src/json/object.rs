//! A JSON object read field by field: every field has a type, unknown ones are named, and all
//! faults of a document are found in one go.

use std::cell::RefCell;

use bellwether_core::labels::Labels;
use bellwether_core::time::{DurationMs, TimestampMs};
use serde_json::{Map, Value};

use super::{JsonFault, nearest, syntax_reason};

/// The faults found so far.
#[derive(Debug, Default)]
pub(crate) struct Faults(RefCell<Vec<JsonFault>>);

impl Faults {
    /// Notes a fault at `path`.
    pub(crate) fn add(&self, path: &str, message: impl Into<String>) {
        self.0.borrow_mut().push(JsonFault { path: path.to_owned(), position: None, message: message.into() });
    }

    /// `value` where it is there and no fault was found.
    pub(crate) fn check<T>(self, value: Option<T>) -> Result<T, Vec<JsonFault>> {
        let mut faults = self.0.into_inner();
        match value {
            Some(value) if faults.is_empty() => Ok(value),
            _ => {
                if faults.is_empty() {
                    let message = "this cannot be read".to_owned();
                    faults.push(JsonFault { path: String::new(), position: None, message });
                }
                Err(faults)
            }
        }
    }
}

/// JSON text as a value.
pub(crate) fn parse(text: &str) -> Result<Value, JsonFault> {
    serde_json::from_str(text).map_err(|error| JsonFault {
        path: String::new(),
        position: Some((error.line(), error.column())),
        message: format!("this is not JSON: {}", syntax_reason(&error)),
    })
}

/// What a value is, in words.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The greatest whole number that every JSON library keeps exact.
const MAX_WHOLE: u64 = 1 << 53;

/// One object, and which of its fields were asked for.
pub(crate) struct Object<'v> {
    path: String,
    fields: &'v Map<String, Value>,
    asked: Vec<&'static str>,
    faults: &'v Faults,
}

impl<'v> Object<'v> {
    /// The object at `path`; a fault where `value` is something else.
    pub(crate) fn new(value: &'v Value, path: &str, faults: &'v Faults) -> Option<Self> {
        match value {
            Value::Object(fields) => Some(Self { path: path.to_owned(), fields, asked: Vec::new(), faults }),
            other => {
                faults.add(path, format!("this is {}; it must be an object", type_name(other)));
                None
            }
        }
    }

    /// Where faults are noted.
    pub(crate) fn faults(&self) -> &'v Faults {
        self.faults
    }

    /// The path of a field.
    pub(crate) fn at(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    /// Notes a fault of a field.
    pub(crate) fn fault(&self, field: &str, message: impl Into<String>) {
        self.faults.add(&self.at(field), message);
    }

    /// Notes a fault of the object itself.
    pub(crate) fn fault_here(&self, message: impl Into<String>) {
        self.faults.add(&self.path, message);
    }

    /// The value of a field that may be left out; null is the same as left out.
    pub(crate) fn optional(&mut self, field: &'static str) -> Option<&'v Value> {
        self.asked.push(field);
        self.fields.get(field).filter(|value| !value.is_null())
    }

    /// The value of a field that must be there.
    pub(crate) fn required(&mut self, field: &'static str) -> Option<&'v Value> {
        let value = self.optional(field);
        if value.is_none() {
            self.fault(field, "this is missing");
        }
        value
    }

    fn text_of(&self, field: &str, value: &'v Value) -> Option<&'v str> {
        let text = value.as_str();
        if text.is_none() {
            self.fault(field, format!("this is {}; it must be text in quotes", type_name(value)));
        }
        text
    }

    /// Text that must be there.
    pub(crate) fn text(&mut self, field: &'static str) -> Option<&'v str> {
        let value = self.required(field)?;
        self.text_of(field, value)
    }

    /// Text that may be left out; `Some("")` then.
    pub(crate) fn text_or_empty(&mut self, field: &'static str) -> Option<&'v str> {
        match self.optional(field) {
            Some(value) => self.text_of(field, value),
            None => Some(""),
        }
    }

    /// Text that must be there and not be empty.
    pub(crate) fn name(&mut self, field: &'static str) -> Option<String> {
        let text = self.text(field)?;
        if text.trim().is_empty() {
            self.fault(field, "this is empty; give it a name");
            return None;
        }
        Some(text.to_owned())
    }

    /// One of `choices`, or `default` where the field is left out.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        field: &'static str,
        choices: &[(&'static str, T)],
        default: Option<T>,
    ) -> Option<T> {
        let value = match default {
            Some(default) => match self.optional(field) {
                Some(value) => value,
                None => return Some(default),
            },
            None => self.required(field)?,
        };
        let text = self.text_of(field, value)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if found.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            self.fault(field, format!("{text:?} is none of {}", words.join(", ")));
        }
        found
    }

    fn number_of(&self, field: &str, value: &Value) -> Option<f64> {
        // The parser refuses numbers beyond a float, so that what is there is finite.
        let number = value.as_f64();
        if number.is_none() {
            self.fault(field, format!("this is {}; it must be a number", type_name(value)));
        }
        number
    }

    /// A finite number that must be there.
    pub(crate) fn number(&mut self, field: &'static str) -> Option<f64> {
        let value = self.required(field)?;
        self.number_of(field, value)
    }

    /// A finite number that may be left out: `Some(None)` then.
    #[expect(clippy::option_option, reason = "outer: could it be read; inner: was it given")]
    pub(crate) fn number_or_none(&mut self, field: &'static str) -> Option<Option<f64>> {
        match self.optional(field) {
            Some(value) => self.number_of(field, value).map(Some),
            None => Some(None),
        }
    }

    fn whole_of(&self, field: &str, value: &Value) -> Option<u64> {
        let whole = value.as_u64().filter(|whole| *whole <= MAX_WHOLE);
        if whole.is_none() {
            self.fault(field, "this must be a whole number from 0 to 2^53");
        }
        whole
    }

    /// A whole number that must be there.
    pub(crate) fn whole(&mut self, field: &'static str) -> Option<u64> {
        let value = self.required(field)?;
        self.whole_of(field, value)
    }

    /// A whole number that may be left out: `Some(None)` then.
    #[expect(clippy::option_option, reason = "outer: could it be read; inner: was it given")]
    pub(crate) fn whole_or_none(&mut self, field: &'static str) -> Option<Option<u64>> {
        match self.optional(field) {
            Some(value) => self.whole_of(field, value).map(Some),
            None => Some(None),
        }
    }

    /// An instant in milliseconds that must be there.
    pub(crate) fn timestamp(&mut self, field: &'static str) -> Option<TimestampMs> {
        self.whole(field).map(timestamp)
    }

    /// An instant that may be left out: `Some(None)` then.
    #[expect(clippy::option_option, reason = "outer: could it be read; inner: was it given")]
    pub(crate) fn timestamp_or_none(&mut self, field: &'static str) -> Option<Option<TimestampMs>> {
        self.whole_or_none(field).map(|whole| whole.map(timestamp))
    }

    fn duration_of(&self, field: &str, value: &'v Value) -> Option<DurationMs> {
        let Some(text) = value.as_str() else {
            self.fault(field, format!("this is {}; write a duration as text, like \"5m\"", type_name(value)));
            return None;
        };
        text.parse().map_err(|error: bellwether_core::time::DurationError| self.fault(field, error.to_string())).ok()
    }

    /// A length of time such as `"5m"` that must be there.
    pub(crate) fn duration(&mut self, field: &'static str) -> Option<DurationMs> {
        let value = self.required(field)?;
        self.duration_of(field, value)
    }

    /// A length of time that may be left out; zero then.
    pub(crate) fn duration_or_zero(&mut self, field: &'static str) -> Option<DurationMs> {
        match self.optional(field) {
            Some(value) => self.duration_of(field, value),
            None => Some(DurationMs::ZERO),
        }
    }

    /// True or false; false where the field is left out.
    pub(crate) fn flag(&mut self, field: &'static str) -> Option<bool> {
        match self.optional(field) {
            None => Some(false),
            Some(value) => {
                let flag = value.as_bool();
                if flag.is_none() {
                    self.fault(field, format!("this is {}; it must be true or false", type_name(value)));
                }
                flag
            }
        }
    }

    /// The elements of an array with their paths; none where the field is left out.
    pub(crate) fn array(&mut self, field: &'static str) -> Option<Vec<(String, &'v Value)>> {
        match self.optional(field) {
            None => Some(Vec::new()),
            Some(Value::Array(values)) => {
                let path = self.at(field);
                Some(values.iter().enumerate().map(|(place, value)| (format!("{path}[{place}]"), value)).collect())
            }
            Some(other) => {
                self.fault(field, format!("this is {}; it must be an array", type_name(other)));
                None
            }
        }
    }

    /// An array of text; none where the field is left out.
    pub(crate) fn texts(&mut self, field: &'static str) -> Option<Vec<&'v str>> {
        let values = self.array(field)?;
        let texts: Vec<_> = values
            .iter()
            .filter_map(|(path, value)| {
                let text = value.as_str();
                if text.is_none() {
                    self.faults.add(path, format!("this is {}; it must be text in quotes", type_name(value)));
                }
                text
            })
            .collect();
        (texts.len() == values.len()).then_some(texts)
    }

    /// Labels as an object of text; none where the field is left out.
    pub(crate) fn labels(&mut self, field: &'static str) -> Option<Labels> {
        let Some(value) = self.optional(field) else { return Some(Labels::empty()) };
        let Value::Object(pairs) = value else {
            self.fault(field, format!("this is {}; it must be an object of text", type_name(value)));
            return None;
        };
        let mut texts = Vec::new();
        for (name, value) in pairs {
            match value.as_str() {
                Some(text) => texts.push((name, text)),
                None => self.fault(field, format!("label {name:?} is {}; it must be text", type_name(value))),
            }
        }
        if texts.len() < pairs.len() {
            return None;
        }
        Labels::new(texts).map_err(|error| self.fault(field, error.to_string())).ok()
    }

    /// All fields by name, for objects whose names are the sender's own.
    pub(crate) fn fields(&self) -> &'v Map<String, Value> {
        self.fields
    }

    /// Names every field that was never asked for; call it last.
    pub(crate) fn refuse_unknown(&self) {
        for field in self.fields.keys().filter(|field| !self.asked.contains(&field.as_str())) {
            let message = match nearest(field, &self.asked) {
                Some(known) => format!("this field is not known; did you mean {known:?}?"),
                None => format!("this field is not known; known here: {}", self.asked.join(", ")),
            };
            self.fault(field, message);
        }
    }
}

fn timestamp(whole: u64) -> TimestampMs {
    // At most 2^53, so that nothing is lost.
    TimestampMs::new(i64::try_from(whole).unwrap_or(i64::MAX))
}
