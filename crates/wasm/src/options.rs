//! JavaScript options, read one field at a time so that a refusal names the field.
//!
//! Whatever runs the caller's code (a getter, a proxy, `toString`) is called caught: an exception that passes through an
//! engine's method would leave the engine borrowed for ever. So nothing here is deserialized by `serde-wasm-bindgen`,
//! whose errors print the value that they refuse.

use bellwether_core::labels::{Labels, MetricName};
use bellwether_core::sample::Kind;
use bellwether_core::time::{DurationMs, TimestampMs};
use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;

use crate::error::Refusal;

/// The greatest whole number that a JavaScript number holds exactly.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

#[wasm_bindgen]
extern "C" {
    // Caught, unlike the one of js-sys.
    #[wasm_bindgen(js_namespace = Object, js_name = keys, catch)]
    fn keys_of(object: &JsValue) -> Result<Array, JsValue>;
}

/// The fields of a plain object as `(name, value)`; `None` where `value` is something else, or cannot be read.
pub(crate) fn fields(value: &JsValue) -> Option<Vec<(String, JsValue)>> {
    if !value.is_object() || Array::is_array(value) {
        return None;
    }
    keys_of(value)
        .ok()?
        .iter()
        .map(|name| {
            let field = Reflect::get(value, &name).ok()?;
            Some((name.as_string()?, field))
        })
        .collect()
}

/// The most elements that an array among the options may have.
const MAX_ELEMENTS: f64 = 1_000.0;

/// The elements of an array; `None` where `value` is something else, longer than [`MAX_ELEMENTS`], or cannot be read.
pub(crate) fn elements(value: &JsValue) -> Option<Vec<JsValue>> {
    if !Array::is_array(value) {
        return None;
    }
    let length = Reflect::get(value, &JsValue::from_str("length")).ok()?.as_f64()?;
    if length > MAX_ELEMENTS {
        return None;
    }
    (0..length as u32).map(|index| Reflect::get_u32(value, index).ok()).collect()
}

/// An object of named options; `undefined` and `null` are an object without any.
pub(crate) struct Options<'a> {
    object: &'a JsValue,
    call: &'static str,
}

impl<'a> Options<'a> {
    /// # Errors
    /// `bad_option` where `object` is not an object; `unknown_option` where it has a field that is
    /// not in `known`, most likely a slip of the pen.
    pub(crate) fn new(call: &'static str, object: &'a JsValue, known: &[&str]) -> Result<Self, Refusal> {
        if object.is_undefined() || object.is_null() {
            return Ok(Self { object, call });
        }
        let Some(fields) = fields(object) else {
            return Err(Refusal::new("bad_option", format!("{call}: give the options as an object, such as {{ … }}")));
        };
        for (field, _) in fields {
            if !known.contains(&field.as_str()) {
                return Err(Refusal::new(
                    "unknown_option",
                    format!("{call}: there is no option `{field}`; there are {}", known.join(", ")),
                ));
            }
        }
        Ok(Self { object, call })
    }

    /// The call whose options they are.
    pub(crate) const fn call(&self) -> &'static str {
        self.call
    }

    /// The raw value of a field; `None` where it is absent, `undefined` or `null`.
    pub(crate) fn value(&self, field: &str) -> Option<JsValue> {
        if self.object.is_undefined() || self.object.is_null() {
            return None;
        }
        // A getter that throws counts as absent: plain objects have none.
        let value = Reflect::get(self.object, &JsValue::from_str(field)).ok()?;
        (!value.is_undefined() && !value.is_null()).then_some(value)
    }

    /// The field as text; `None` where it is absent.
    ///
    /// # Errors
    /// `bad_option` where it is something else; `expected` says what it should be.
    pub(crate) fn text(&self, field: &str, expected: &str) -> Result<Option<String>, Refusal> {
        let Some(value) = self.value(field) else { return Ok(None) };
        value.as_string().map(Some).ok_or_else(|| self.bad(field, expected))
    }

    /// The field as a number of things; `None` where it is absent.
    ///
    /// # Errors
    /// `bad_option` where it is no whole number, or negative.
    pub(crate) fn count(&self, field: &str) -> Result<Option<usize>, Refusal> {
        let Some(value) = self.value(field) else { return Ok(None) };
        let whole =
            value.as_f64().filter(|number| (0.0..=f64::from(u32::MAX)).contains(number) && number.fract() == 0.0);
        whole.map(|number| Some(number as usize)).ok_or_else(|| self.bad(field, "a whole number"))
    }

    /// The field as a length of time: text such as `5m`, or a whole number of milliseconds.
    ///
    /// # Errors
    /// `bad_option` where it is something else.
    pub(crate) fn duration(&self, field: &str) -> Result<Option<DurationMs>, Refusal> {
        let Some(value) = self.value(field) else { return Ok(None) };
        let length = match (value.as_string(), value.as_f64()) {
            (Some(text), _) => text.parse().ok(),
            (None, Some(ms)) if (0.0..=MAX_SAFE_INTEGER).contains(&ms) && ms.fract() == 0.0 => {
                Some(DurationMs::from_millis(ms as u64))
            }
            _ => None,
        };
        length.map(Some).ok_or_else(|| {
            self.bad(field, "a duration such as \"30s\", \"5m\", \"1h30m\", or a whole number of milliseconds")
        })
    }

    /// The field as an instant in milliseconds since the epoch.
    ///
    /// # Errors
    /// `bad_timestamp` where it is no whole, non-negative number.
    pub(crate) fn instant(&self, field: &str) -> Result<Option<TimestampMs>, Refusal> {
        self.value(field).map(|value| instant(&format!("{}: `{field}`", self.call), &value)).transpose()
    }

    /// The field `labels`, an object of strings; none where it is absent.
    ///
    /// # Errors
    /// `bad_labels` where it is no object of strings, or breaks a rule of labels.
    pub(crate) fn labels(&self) -> Result<Labels, Refusal> {
        let Some(value) = self.value("labels") else { return Ok(Labels::empty()) };
        labels_of(self.call, &value)
    }

    /// The field `kind`; `None` where it is absent.
    ///
    /// # Errors
    /// `bad_kind` where it is none of the four words.
    pub(crate) fn kind(&self) -> Result<Option<Kind>, Refusal> {
        let Some(word) = self.value("kind") else { return Ok(None) };
        word.as_string()
            .and_then(|word| Kind::from_word(&word))
            .map(Some)
            .ok_or_else(|| self.bad("kind", KINDS).coded("bad_kind"))
    }

    /// The refusal of a field.
    pub(crate) fn bad(&self, field: &str, expected: &str) -> Refusal {
        Refusal::new("bad_option", format!("{}: `{field}` must be {expected}", self.call))
    }
}

const KINDS: &str = "\"observation\", \"counter\", \"gauge\" or \"event\"";

/// A metric's name out of a JavaScript value.
///
/// # Errors
/// `bad_name` where it is no text or breaks a rule of names.
pub(crate) fn metric_name(call: &str, value: &JsValue) -> Result<MetricName, Refusal> {
    let Some(name) = value.as_string() else {
        return Err(Refusal::new("bad_name", format!("{call}: the name of the metric must be a string")));
    };
    MetricName::new(&name).map_err(|error| Refusal::new("bad_name", format!("{call}: {error}")))
}

/// Labels out of an object of strings.
///
/// # Errors
/// `bad_labels` where it is no object of strings, or breaks a rule of labels.
pub(crate) fn labels_of(call: &str, value: &JsValue) -> Result<Labels, Refusal> {
    let refuse = |why: &str| Refusal::new("bad_labels", format!("{call}: {why}"));
    let fields = fields(value).ok_or_else(|| refuse("`labels` must be an object, such as { route: \"/book\" }"))?;
    let mut pairs = Vec::new();
    for (name, value) in fields {
        let Some(text) = value.as_string() else {
            return Err(refuse(&format!("the value of label {name:?} must be a string; write it as String(value)")));
        };
        pairs.push((name, text));
    }
    Labels::new(pairs).map_err(|error| refuse(&error.to_string()))
}

/// An instant out of a JavaScript number of milliseconds.
///
/// # Errors
/// `bad_timestamp` where it is no whole, non-negative number.
pub(crate) fn instant(what: &str, value: &JsValue) -> Result<TimestampMs, Refusal> {
    value.as_f64().and_then(instant_of).ok_or_else(|| {
        Refusal::new(
            "bad_timestamp",
            format!("{what} must be a whole number of milliseconds since 1970, such as Date.now()"),
        )
    })
}

/// The instant that a call was given as its parameter `now`; `None` where it was left out.
///
/// # Errors
/// `bad_timestamp` where it is no whole, non-negative number.
pub(crate) fn optional_instant(call: &str, now: &JsValue) -> Result<Option<TimestampMs>, Refusal> {
    if now.is_undefined() || now.is_null() {
        return Ok(None);
    }
    instant(&format!("{call}: `now`"), now).map(Some)
}

/// The instant `ms` milliseconds after the epoch; `None` where it is negative, not whole or too great.
pub(crate) fn instant_of(ms: f64) -> Option<TimestampMs> {
    ((0.0..=MAX_SAFE_INTEGER).contains(&ms) && ms.fract() == 0.0).then_some(TimestampMs::new(ms as i64))
}
