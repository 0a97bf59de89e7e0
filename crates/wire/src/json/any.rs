//! Reading a JSON value of which the type is not known beforehand.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// What becomes of one JSON value, whichever it is; [`Any`] puts it to work.
pub(crate) trait ReadAny<'de>: Sized {
    type Value;

    /// Null, a truth value, a number or a text, of which only what it is counts, in words for a message.
    fn plain(self, found: &'static str) -> Self::Value;

    /// A text.
    fn text(self, _: Cow<'de, str>) -> Self::Value {
        self.plain("text")
    }

    /// An array; all of it must be read.
    fn array<A: SeqAccess<'de>>(self, values: A) -> Result<Self::Value, A::Error>;

    /// An object; all of it must be read.
    fn object<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error>;
}

/// A reader in the form that the parser takes.
#[derive(Clone, Copy)]
pub(crate) struct Any<R>(pub(crate) R);

impl<'de, R: ReadAny<'de>> DeserializeSeed<'de> for Any<R> {
    type Value = R::Value;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<R::Value, D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de, R: ReadAny<'de>> Visitor<'de> for Any<R> {
    type Value = R::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<R::Value, E> {
        Ok(self.0.plain("null"))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<R::Value, E> {
        Ok(self.0.plain("true or false"))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<R::Value, E> {
        Ok(self.0.plain("a number"))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<R::Value, E> {
        Ok(self.0.plain("a number"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<R::Value, E> {
        Ok(self.0.plain("a number"))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<R::Value, E> {
        Ok(self.0.text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<R::Value, E> {
        Ok(self.0.text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<R::Value, A::Error> {
        self.0.array(values)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<R::Value, A::Error> {
        self.0.object(fields)
    }
}
