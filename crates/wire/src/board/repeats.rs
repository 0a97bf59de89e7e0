//! Fields that are given twice in one object: JSON lets the last one count, and the other is lost.

use std::collections::HashSet;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess};

use crate::json::{Any, JsonFault, ReadAny, shortened, syntax_reason};

/// The first field of `text` that its object has twice, with its line and column.
///
/// A fault of syntax ends the search and is none of its business. Cost: one pass over the text.
pub(super) fn first(text: &str) -> Option<JsonFault> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let error = Any(Once).deserialize(&mut parser).err().filter(serde_json::Error::is_data)?;
    let position = Some((error.line(), error.column()));
    Some(JsonFault { path: String::new(), position, message: syntax_reason(&error) })
}

/// Any value, taken for nothing but the names of its fields.
#[derive(Clone, Copy)]
struct Once;

impl<'de> ReadAny<'de> for Once {
    type Value = ();

    fn plain(self, _: &'static str) {}

    fn array<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while values.next_element_seed(Any(self))?.is_some() {}
        Ok(())
    }

    fn object<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(field) = fields.next_key::<String>()? {
            if seen.contains(&field) {
                let field = shortened(&field);
                return Err(A::Error::custom(format_args!("field {field:?} is given twice; give it once")));
            }
            seen.insert(field);
            fields.next_value_seed(Any(self))?;
        }
        Ok(())
    }
}
