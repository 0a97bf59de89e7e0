//! Whole columns of samples at once.

use bellwether_core::engine::{Engine, SeriesId};
use bellwether_core::intake::{LengthError, Refused};
use bellwether_core::time::TimestampMs;
use js_sys::{Array, Float64Array, Number, Uint32Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::error::Refusal;
use crate::shapes;

const CALL: &str = "recordColumns";

/// Copies a column into wasm memory.
///
/// # Errors
/// `bad_columns` where it is no `Float64Array`.
pub(crate) fn float_column(call: &str, name: &str, value: &JsValue, into: &mut Vec<f64>) -> Result<(), Refusal> {
    let column = value.dyn_ref::<Float64Array>();
    let column =
        column.ok_or_else(|| Refusal::new("bad_columns", format!("{call}: the {name} must be a Float64Array")))?;
    into.resize(column.length() as usize, 0.0);
    column.copy_to(into);
    Ok(())
}

/// Columns in wasm memory: the only copy that is made of them. It is kept from call to call, so that
/// small batches cost no allocation.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// The handle of each sample's series.
    series: Vec<u32>,
    timestamps_ms: Vec<f64>,
    values: Vec<f64>,
}

impl Columns {
    /// Takes in the columns of timestamps and values.
    ///
    /// # Errors
    /// `bad_columns` where one is no `Float64Array`, or their lengths differ.
    pub(crate) fn take(&mut self, timestamps_ms: &JsValue, values: &JsValue) -> Result<(), Refusal> {
        float_column(CALL, "timestamps", timestamps_ms, &mut self.timestamps_ms)?;
        float_column(CALL, "values", values, &mut self.values)?;
        let (timestamps, values) = (self.timestamps_ms.len(), self.values.len());
        if timestamps == values { Ok(()) } else { Err(differ(LengthError { series: values, timestamps, values })) }
    }

    /// Takes in the column of handles.
    pub(crate) fn take_series(&mut self, series: &Uint32Array) {
        self.series.resize(series.length() as usize, 0);
        series.copy_to(&mut self.series);
    }

    /// Gives all samples the same series.
    pub(crate) fn are_all_of(&mut self, series: SeriesId) {
        self.series.clear();
        self.series.resize(self.values.len(), series.index() as u32);
    }

    /// Records each good sample and says what became of the others.
    ///
    /// # Errors
    /// `bad_columns` where the columns differ in length.
    pub(crate) fn record(&self, engine: &mut Engine, now: TimestampMs) -> Result<JsValue, Refusal> {
        let receipt = engine.record_columns(&self.series, &self.timestamps_ms, &self.values, now).map_err(differ)?;
        let named = (receipt.refused > 0).then(Array::new);
        if let Some(named) = &named {
            for Refused { index, why } in receipt.refusals {
                let Refusal { code, message } = why.into();
                named.push(&shapes::rejection(index as u32, code, &message));
            }
        }
        Ok(shapes::receipt(receipt.accepted as u32, receipt.refused as u32, named))
    }
}

fn differ(error: LengthError) -> Refusal {
    Refusal::new("bad_columns", format!("{CALL}: {error}"))
}

/// The series of a handle.
///
/// # Errors
/// `bad_series` where the engine never gave it.
pub(crate) fn known(engine: &Engine, handle: f64) -> Result<SeriesId, Refusal> {
    let number = handle as u32;
    let series = engine.numbered(number).filter(|_| f64::from(number) == handle);
    series.ok_or_else(|| {
        Refusal::new(
            "bad_series",
            format!(
                "{CALL}: {} is no series of this engine; take the numbers that its series() gives",
                // The platform prints it: printing of floats would take 9 KB of the package.
                Number::from(handle).to_string_with_radix(10).map(String::from).unwrap_or_default()
            ),
        )
    })
}
