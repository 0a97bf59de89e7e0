//! Fields that are given twice in one object: JSON lets the last one count, and the other is lost.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::json::{JsonFault, shortened, syntax_reason};

/// The first field of `text` that its object has twice, with its line and column.
///
/// A fault of syntax ends the search and is none of its business. Cost: one pass over the text.
pub(super) fn first(text: &str) -> Option<JsonFault> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let error = Once.deserialize(&mut parser).err().filter(serde_json::Error::is_data)?;
    let position = Some((error.line(), error.column()));
    Some(JsonFault { path: String::new(), position, message: syntax_reason(&error) })
}

/// Any value, taken for nothing but the names of its fields.
#[derive(Clone, Copy)]
struct Once;

impl<'de> DeserializeSeed<'de> for Once {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while values.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(field) = fields.next_key::<String>()? {
            if seen.contains(&field) {
                let field = shortened(&field);
                return Err(A::Error::custom(format_args!("field {field:?} is given twice; give it once")));
            }
            seen.insert(field);
            fields.next_value_seed(self)?;
        }
        Ok(())
    }
}
