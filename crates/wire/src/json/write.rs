//! Pieces that all writers of JSON share.

use bellwether_core::labels::Labels;
use serde::ser::{Serialize, Serializer};

/// A figure: whole numbers are written without a fraction, what is not finite as null.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure(pub(crate) f64);

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value) = *self;
        let whole = value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0;
        // A negative zero keeps its sign only as a float.
        if whole && (value != 0.0 || value.is_sign_positive()) {
            serializer.serialize_i64(value as i64)
        } else {
            serializer.serialize_f64(value)
        }
    }
}

/// Labels as an object of text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LabelMap<'a>(pub(crate) &'a Labels);

impl Serialize for LabelMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

/// A value as JSON text.
pub(crate) fn text(value: &impl Serialize) -> String {
    // Writing to memory cannot fail, and all keys of this crate's objects are text.
    serde_json::to_string(value).unwrap_or_default()
}
