//! Refusals, and the JavaScript error that carries them.

use bellwether_core::engine::{SeriesError, TimestampError};
use bellwether_core::intake;
use bellwether_core::query::QueryError;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/error.js")]
extern "C" {
    /// `class BellwetherError extends Error { code: string }`.
    #[wasm_bindgen(reexport, extends = js_sys::Error)]
    #[derive(Clone, Debug)]
    pub type BellwetherError;

    #[wasm_bindgen(constructor)]
    fn new(code: &str, message: &str) -> BellwetherError;

    /// The stable code of the refusal.
    #[wasm_bindgen(method, getter)]
    pub fn code(this: &BellwetherError) -> String;
}

/// Why something was refused: a stable code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The same sentence under a more telling code.
    pub(crate) fn coded(self, code: &'static str) -> Self {
        Self { code, ..self }
    }
}

impl From<Refusal> for BellwetherError {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code, &refusal.message)
    }
}

impl From<TimestampError> for Refusal {
    fn from(error: TimestampError) -> Self {
        let code = match error {
            TimestampError::TooNew { .. } => "too_new",
            TimestampError::TooLate { .. } => "too_late",
            _ => "bad_timestamp",
        };
        Self::new(code, error.to_string())
    }
}

impl From<intake::Refusal> for Refusal {
    fn from(refusal: intake::Refusal) -> Self {
        let code = match refusal {
            intake::Refusal::Timestamp(error) => return error.into(),
            intake::Refusal::Series { .. } => "bad_series",
            intake::Refusal::Value(_) => "bad_value",
            _ => "bad_timestamp",
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<SeriesError> for Refusal {
    fn from(error: SeriesError) -> Self {
        let code = match error {
            SeriesError::KindConflict(_) => "kind_conflict",
            SeriesError::TooManySeries { .. } | SeriesError::TooManySeriesOfMetric { .. } => "too_many_series",
            _ => "bad_series",
        };
        Self::new(code, error.to_string())
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        let code = match error {
            QueryError::NotForKind { .. } => "bad_aggregation",
            QueryError::ZeroWindow | QueryError::WindowTooLong { .. } => "bad_window",
            QueryError::AcrossNeeded { .. } => "bad_across",
            QueryError::RightEdgeGone { .. } => "bad_at",
            QueryError::NoColumns => return Refusal::new("bad_range", error.to_string()),
            _ => "bad_query",
        };
        Self::new(code, error.to_string())
    }
}
