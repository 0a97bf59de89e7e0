//! A sample as it was written: the fields of one JSON object, each read for what it is.
//!
//! Nothing here fails but for the JSON itself: what stands in the wrong place becomes the fault of
//! its sample, and reading goes on.

use std::borrow::Cow;
use std::cell::Cell;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::{MAX_DEPTH, RejectionCode};
use crate::json::{Any, ReadAny, nearest, shortened};

/// The fields of a sample, as the message about an unknown one lists them.
const FIELDS: [&str; 7] = ["name", "value", "timestamp", "labels", "kind", "unit", "ref"];

/// Why the visitors gave up, other than a fault of syntax.
#[derive(Default)]
pub(super) struct Stops {
    pub(super) too_deep: Cell<bool>,
    pub(super) too_many: Cell<bool>,
}

/// Why one sample is refused; its place is added when it is known.
pub(super) struct Fault {
    pub(super) code: RejectionCode,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(code: RejectionCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A sample as it was written, before its fields are checked together.
#[derive(Default)]
pub(super) struct Draft<'de> {
    pub(super) fault: Option<Fault>,
    pub(super) name: Option<Cow<'de, str>>,
    // Kept as text: a number too great for a float must refuse its sample, not the body.
    pub(super) value: Option<&'de RawValue>,
    pub(super) timestamp: Option<&'de RawValue>,
    pub(super) labels: Vec<(Cow<'de, str>, Cow<'de, str>)>,
    pub(super) kind: Option<Cow<'de, str>>,
    pub(super) unit: Option<Cow<'de, str>>,
    pub(super) reference: Option<Cow<'de, str>>,
}

impl Draft<'_> {
    /// Notes a fault; the first one of a sample counts.
    fn fault(&mut self, code: RejectionCode, message: impl Into<String>) {
        self.fault.get_or_insert_with(|| Fault::new(code, message));
    }
}

/// One sample; anything that is no object becomes a faulty draft.
#[derive(Clone, Copy)]
pub(super) struct ReadSample<'s> {
    pub(super) stops: &'s Stops,
    pub(super) depth: usize,
}

fn no_object<'de>(found: &str) -> Draft<'de> {
    let mut draft = Draft::default();
    draft.fault(RejectionCode::NotAnObject, format!("the sample is {found}; it must be an object with name and value"));
    draft
}

impl<'de> ReadAny<'de> for ReadSample<'_> {
    type Value = Draft<'de>;

    fn plain(self, found: &'static str) -> Self::Value {
        no_object(found)
    }

    fn array<A: SeqAccess<'de>>(self, values: A) -> Result<Self::Value, A::Error> {
        Skip { stops: self.stops, depth: self.depth }.array(values)?;
        Ok(no_object("an array"))
    }

    fn object<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let Self { stops, depth } = self;
        let mut draft = Draft::default();
        let mut seen = [false; FIELDS.len()];
        while let Some(field) = fields.next_key_seed(Any(ReadText { stops, depth }))? {
            let field = field.unwrap_or(Cow::Borrowed(""));
            let Some(place) = FIELDS.iter().position(|known| *known == field) else {
                fields.next_value_seed(Any(Skip { stops, depth: depth + 1 }))?;
                draft.fault(RejectionCode::UnknownField, unknown_field(&field));
                continue;
            };
            if std::mem::replace(&mut seen[place], true) {
                fields.next_value_seed(Any(Skip { stops, depth: depth + 1 }))?;
                draft.fault(RejectionCode::RepeatedField, format!("field {field:?} is given twice; give it once"));
                continue;
            }
            match FIELDS[place] {
                "value" => draft.value = Some(raw(&mut fields, stops, depth)?),
                // Null is how many languages write "not given".
                "timestamp" => {
                    draft.timestamp = Some(raw(&mut fields, stops, depth)?).filter(|raw| raw.get() != "null");
                }
                "labels" => match fields.next_value_seed(Any(ReadLabels { stops, depth: depth + 1 }))? {
                    Ok(labels) => draft.labels = labels,
                    Err((code, message)) => draft.fault(code, message),
                },
                text => match fields.next_value_seed(Any(ReadText { stops, depth: depth + 1 }))? {
                    Ok(given) => match text {
                        "name" => draft.name = Some(given),
                        "kind" => draft.kind = Some(given),
                        "unit" => draft.unit = Some(given),
                        _ => draft.reference = Some(given),
                    },
                    Err("null") if text != "name" => {}
                    Err(found) => {
                        draft
                            .fault(RejectionCode::WrongType, format!("{text:?} is {found}; it must be text in quotes"));
                    }
                },
            }
        }
        Ok(draft)
    }
}

fn unknown_field(field: &str) -> String {
    match nearest(field, &FIELDS) {
        Some(known) => format!("field {:?} is not known; did you mean {known:?}?", shortened(field)),
        None => format!(
            "field {:?} is not known; a sample has {}; what else you know of it goes into \"labels\"",
            shortened(field),
            FIELDS.join(", ")
        ),
    }
}

/// The text of any JSON value, checked for its depth.
fn raw<'de, A: MapAccess<'de>>(fields: &mut A, stops: &Stops, depth: usize) -> Result<&'de RawValue, A::Error> {
    let raw: &'de RawValue = fields.next_value()?;
    if matches!(raw.get().as_bytes().first(), Some(b'{' | b'[')) {
        let mut parser = serde_json::Deserializer::from_str(raw.get());
        // Its syntax is known to be good, so only the depth can fail.
        if Any(Skip { stops, depth: depth + 1 }).deserialize(&mut parser).is_err() {
            stops.too_deep.set(true);
            return Err(A::Error::custom("nested too deep"));
        }
    }
    Ok(raw)
}

/// Text, or what stands in its place, in words.
#[derive(Clone, Copy)]
struct ReadText<'s> {
    stops: &'s Stops,
    depth: usize,
}

impl<'de> ReadAny<'de> for ReadText<'_> {
    type Value = Result<Cow<'de, str>, &'static str>;

    fn plain(self, found: &'static str) -> Self::Value {
        Err(found)
    }

    fn text(self, text: Cow<'de, str>) -> Self::Value {
        Ok(text)
    }

    fn array<A: SeqAccess<'de>>(self, values: A) -> Result<Self::Value, A::Error> {
        Skip { stops: self.stops, depth: self.depth }.array(values)?;
        Ok(Err("an array"))
    }

    fn object<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        Skip { stops: self.stops, depth: self.depth }.object(fields)?;
        Ok(Err("an object"))
    }
}

pub(super) type Pairs<'de> = Vec<(Cow<'de, str>, Cow<'de, str>)>;

/// Labels, or why they are none.
#[derive(Clone, Copy)]
struct ReadLabels<'s> {
    stops: &'s Stops,
    depth: usize,
}

fn no_labels<T>(found: &str) -> Result<T, (RejectionCode, String)> {
    let message = format!("\"labels\" is {found}; it must be an object of text such as {{\"route\":\"/book\"}}");
    Err((RejectionCode::WrongType, message))
}

impl<'de> ReadAny<'de> for ReadLabels<'_> {
    type Value = Result<Pairs<'de>, (RejectionCode, String)>;

    fn plain(self, found: &'static str) -> Self::Value {
        // Null is how many languages write "not given".
        if found == "null" { Ok(Vec::new()) } else { no_labels(found) }
    }

    fn array<A: SeqAccess<'de>>(self, values: A) -> Result<Self::Value, A::Error> {
        Skip { stops: self.stops, depth: self.depth }.array(values)?;
        Ok(no_labels("an array"))
    }

    fn object<A: MapAccess<'de>>(self, mut labels: A) -> Result<Self::Value, A::Error> {
        let text = ReadText { stops: self.stops, depth: self.depth + 1 };
        let mut pairs = Vec::new();
        let mut fault = None;
        while let Some(name) = labels.next_key_seed(Any(text))? {
            let name = name.unwrap_or(Cow::Borrowed(""));
            match labels.next_value_seed(Any(text))? {
                Ok(value) => pairs.push((name, value)),
                Err(found) => {
                    fault.get_or_insert_with(|| {
                        let message =
                            format!("label {:?} is {found}; write its value as text in quotes", shortened(&name));
                        (RejectionCode::WrongType, message)
                    });
                }
            }
        }
        Ok(fault.map_or(Ok(pairs), Err))
    }
}

/// Reads a value of no use, to its end, and minds how deep it goes; `depth` counts the value itself
/// where it is an array or an object.
#[derive(Clone, Copy)]
struct Skip<'s> {
    stops: &'s Stops,
    depth: usize,
}

impl Skip<'_> {
    fn inner<E: Error>(self) -> Result<Self, E> {
        if self.depth > MAX_DEPTH {
            self.stops.too_deep.set(true);
            return Err(E::custom("nested too deep"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> ReadAny<'de> for Skip<'_> {
    type Value = ();

    fn plain(self, _: &'static str) {}

    fn array<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while values.next_element_seed(Any(inner))?.is_some() {}
        Ok(())
    }

    fn object<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while fields.next_key::<IgnoredAny>()?.is_some() {
            fields.next_value_seed(Any(inner))?;
        }
        Ok(())
    }
}
