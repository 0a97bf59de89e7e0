//! The class `Points`.

use bellwether_core::points::{Points as Core, PointsError};
use js_sys::{Float64Array, Uint32Array};
use wasm_bindgen::prelude::*;

use crate::columns::float_column;
use crate::error::{BellwetherError, Refusal};

/// The points of a line, and the few of them that draw it.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Points {
    core: Core,
    timestamps: Vec<f64>,
    values: Vec<f64>,
    indexes: Vec<u32>,
}

/// The most columns or points that can be asked for.
const MOST: f64 = 1_000_000.0;

#[wasm_bindgen]
impl Points {
    /// A line without points.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Points {
        Self::default()
    }

    /// Number of points.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> f64 {
        self.core.len() as f64
    }

    /// Adds points behind those that are there.
    ///
    /// # Errors
    /// `BellwetherError` where the columns do not go together; none is added then.
    pub fn extend(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Float64Array")] timestamps: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Float64Array")] values: &JsValue,
    ) -> Result<(), BellwetherError> {
        const CALL: &str = "extend";
        float_column(CALL, "timestamps", timestamps, &mut self.timestamps)?;
        float_column(CALL, "values", values, &mut self.values)?;
        let added = self.core.extend(&self.timestamps, &self.values);
        // A line is filled in large steps: what was copied is not kept beside it.
        (self.timestamps, self.values) = (Vec::new(), Vec::new());
        Ok(added.map_err(refusal)?)
    }

    /// Drops the points up to an instant.
    ///
    /// # Errors
    /// `BellwetherError` where it is no number.
    #[wasm_bindgen(js_name = dropUntil)]
    pub fn drop_until(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "number")] timestamp: &JsValue,
    ) -> Result<(), BellwetherError> {
        self.core.drop_until(edge("dropUntil", timestamp, None)?);
        Ok(())
    }

    /// The indexes of the first, least, greatest and last point of each column.
    ///
    /// # Errors
    /// `BellwetherError` where the number of columns or an edge is wrong.
    pub fn m4(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "number")] columns: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] from: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] to: &JsValue,
    ) -> Result<Uint32Array, BellwetherError> {
        let (columns, range) = self.asked("m4", columns, from, to)?;
        self.core.m4(range, columns, &mut self.indexes);
        Ok(Uint32Array::from(&self.indexes[..]))
    }

    /// The indexes of a fixed number of points that look most like the line.
    ///
    /// # Errors
    /// `BellwetherError` where the number of points or an edge is wrong.
    #[wasm_bindgen(js_name = minMaxLttb)]
    pub fn min_max_lttb(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "number")] count: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] from: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] to: &JsValue,
    ) -> Result<Uint32Array, BellwetherError> {
        let (count, range) = self.asked("minMaxLttb", count, from, to)?;
        self.core.min_max_lttb(range, count, &mut self.indexes);
        Ok(Uint32Array::from(&self.indexes[..]))
    }

    /// The timestamps of all points.
    pub fn timestamps(&self) -> Float64Array {
        Float64Array::from(self.core.timestamps())
    }

    /// The values of all points.
    pub fn values(&self) -> Float64Array {
        Float64Array::from(self.core.values())
    }
}

impl Points {
    fn asked(
        &self,
        call: &str,
        count: &JsValue,
        from: &JsValue,
        to: &JsValue,
    ) -> Result<(usize, std::ops::RangeInclusive<f64>), Refusal> {
        let count = count.as_f64().filter(|count| (1.0..=MOST).contains(count) && count.fract() == 0.0);
        let count = count
            .ok_or_else(|| Refusal::new("bad_option", format!("{call}: ask for a whole number from 1 to 1,000,000")))?;
        let (first, last) = self.core.extent().map_or((0.0, 0.0), std::ops::RangeInclusive::into_inner);
        Ok((count as usize, edge(call, from, Some(first))?..=edge(call, to, Some(last))?))
    }
}

/// An edge of a range; `otherwise` where it is left out.
fn edge(call: &str, value: &JsValue, otherwise: Option<f64>) -> Result<f64, Refusal> {
    let edge = if value.is_undefined() { otherwise } else { value.as_f64().filter(|edge| edge.is_finite()) };
    edge.ok_or_else(|| Refusal::new("bad_timestamp", format!("{call}: an edge must be a number of milliseconds")))
}

fn refusal(error: PointsError) -> Refusal {
    let code = match error {
        PointsError::NotFinite { .. } => "bad_value",
        PointsError::Order { .. } => "bad_timestamp",
        _ => "bad_columns",
    };
    Refusal::new(code, format!("extend: {error}"))
}
