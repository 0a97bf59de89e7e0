//! The classes `Sketch` and `Sketches`.

use bellwether_core::query::Quantile;
use bellwether_core::sketch::digest::{ColumnsError, Digest};
use bellwether_core::sketch::{MAX_SCALE, MIN_SCALE, Sketch as Core};
use js_sys::{Float64Array, Uint32Array};
use wasm_bindgen::prelude::*;

use crate::columns::float_column;
use crate::error::{BellwetherError, Refusal};
use crate::options::Options;

/// How the values of many samples are spread, and what they come to.
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Sketch {
    digest: Digest,
}

#[wasm_bindgen]
impl Sketch {
    /// A sketch without values.
    ///
    /// # Errors
    /// `BellwetherError` where an option is unknown or wrong.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_optional_param_type = "object")] options: &JsValue,
    ) -> Result<Sketch, BellwetherError> {
        Ok(Self { digest: Digest::new(scale("new Sketch", options)?) })
    }

    /// Adds one value.
    ///
    /// # Errors
    /// `BellwetherError` where it is no finite number.
    pub fn record(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "number")] value: &JsValue,
    ) -> Result<(), BellwetherError> {
        match value.as_f64().filter(|value| value.is_finite()) {
            Some(value) => {
                self.digest.record(value);
                Ok(())
            }
            None => Err(Refusal::new("bad_value", "record: the value must be a finite number").into()),
        }
    }

    /// Adds a column of values.
    ///
    /// # Errors
    /// `BellwetherError` where one of them is no finite number; none is added then.
    #[wasm_bindgen(js_name = recordAll)]
    pub fn record_all(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Float64Array")] values: &JsValue,
    ) -> Result<(), BellwetherError> {
        let mut column = Vec::new();
        float_column("recordAll", "values", values, &mut column)?;
        self.digest.record_all(&column).map_err(|error| Refusal::new("bad_value", format!("recordAll: {error}")))?;
        Ok(())
    }

    /// Adds what another sketch holds.
    pub fn merge(&mut self, other: &Sketch) {
        self.digest.merge(&other.digest);
    }

    /// The value at a quantile; `null` where there is none.
    ///
    /// # Errors
    /// `BellwetherError` where `q` is not between 0 and 1.
    #[wasm_bindgen(unchecked_return_type = "number | null")]
    pub fn quantile(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] q: &JsValue,
    ) -> Result<JsValue, BellwetherError> {
        let value = self.digest.quantile(quantile_of("quantile", q)?);
        Ok(or_null(value))
    }

    /// Number of values.
    #[wasm_bindgen(getter)]
    pub fn count(&self) -> f64 {
        self.digest.count() as f64
    }

    /// Sum of the values.
    #[wasm_bindgen(getter)]
    pub fn sum(&self) -> f64 {
        self.digest.sum()
    }

    /// Least value; `null` where there is none.
    #[wasm_bindgen(getter, unchecked_return_type = "number | null")]
    pub fn min(&self) -> JsValue {
        or_null(self.digest.min())
    }

    /// Greatest value; `null` where there is none.
    #[wasm_bindgen(getter, unchecked_return_type = "number | null")]
    pub fn max(&self) -> JsValue {
        or_null(self.digest.max())
    }

    /// Mean of the values; `null` where there is none.
    #[wasm_bindgen(getter, unchecked_return_type = "number | null")]
    pub fn mean(&self) -> JsValue {
        or_null(self.digest.mean())
    }

    /// Bound of the relative error of a quantile.
    #[wasm_bindgen(getter, js_name = relativeError)]
    pub fn relative_error(&self) -> f64 {
        self.digest.sketch().relative_error()
    }
}

fn or_null(value: Option<f64>) -> JsValue {
    value.map_or(JsValue::NULL, JsValue::from_f64)
}

/// Many sketches that are filled in one call.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Sketches {
    digests: Vec<Digest>,
    places: Vec<u32>,
    values: Vec<f64>,
}

/// The most sketches of one set.
const MOST_SKETCHES: f64 = 1_000_000.0;

#[wasm_bindgen]
impl Sketches {
    /// So many sketches without values.
    ///
    /// # Errors
    /// `BellwetherError` where the number or an option is wrong.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "number")] length: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "object")] options: &JsValue,
    ) -> Result<Sketches, BellwetherError> {
        const CALL: &str = "new Sketches";
        let length = length.as_f64().filter(|length| (1.0..=MOST_SKETCHES).contains(length) && length.fract() == 0.0);
        let length = length.ok_or_else(|| {
            Refusal::new("bad_option", format!("{CALL}: their number must be a whole one from 1 to 1,000,000"))
        })?;
        let digest = Digest::new(scale(CALL, options)?);
        Ok(Self { digests: vec![digest; length as usize], places: Vec::new(), values: Vec::new() })
    }

    /// Adds each value to the sketch at its place.
    ///
    /// # Errors
    /// `BellwetherError` where a place has no sketch or a value is not finite; none is added then.
    #[wasm_bindgen(js_name = recordColumns)]
    pub fn record_columns(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Uint32Array")] places: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Float64Array")] values: &JsValue,
    ) -> Result<(), BellwetherError> {
        Ok(self.add(places, values)?)
    }

    /// The values at a quantile, by place; NaN where there is none.
    ///
    /// # Errors
    /// `BellwetherError` where `q` is not between 0 and 1.
    pub fn quantiles(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] q: &JsValue,
    ) -> Result<Float64Array, BellwetherError> {
        let q = quantile_of("quantiles", q)?;
        Ok(self.column(|digest| digest.quantile(q).unwrap_or(f64::NAN)))
    }

    /// Numbers of values, by place.
    pub fn counts(&self) -> Float64Array {
        self.column(|digest| digest.count() as f64)
    }

    /// Sums of values, by place.
    pub fn sums(&self) -> Float64Array {
        self.column(Digest::sum)
    }

    /// A copy of the sketch at a place.
    ///
    /// # Errors
    /// `BellwetherError` where there is none.
    pub fn at(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] place: &JsValue,
    ) -> Result<Sketch, BellwetherError> {
        let place = place.as_f64().filter(|place| *place >= 0.0 && place.fract() == 0.0);
        let digest = place.and_then(|place| self.digests.get(place as usize)).cloned();
        let digest = digest.ok_or_else(|| Refusal::new("bad_option", "at: there is no sketch at that place"))?;
        Ok(Sketch { digest })
    }
}

impl Sketches {
    fn add(&mut self, places: &JsValue, values: &JsValue) -> Result<(), Refusal> {
        const CALL: &str = "recordColumns";
        let column = places
            .dyn_ref::<Uint32Array>()
            .ok_or_else(|| Refusal::new("bad_columns", format!("{CALL}: the places must be a Uint32Array")))?;
        self.places.resize(column.length() as usize, 0);
        column.copy_to(&mut self.places);
        float_column(CALL, "values", values, &mut self.values)?;
        Digest::record_columns(&mut self.digests, &self.places, &self.values).map_err(|error| {
            let code = if matches!(error, ColumnsError::NotFinite(_)) { "bad_value" } else { "bad_columns" };
            Refusal::new(code, format!("{CALL}: {error}"))
        })
    }

    fn column(&self, of: impl Fn(&Digest) -> f64) -> Float64Array {
        Float64Array::from(&self.digests.iter().map(of).collect::<Vec<_>>()[..])
    }
}

fn scale(call: &'static str, options: &JsValue) -> Result<i8, Refusal> {
    let options = Options::new(call, options, &["scale"])?;
    let Some(value) = options.value("scale") else { return Ok(Core::DEFAULT_SCALE) };
    let range = f64::from(MIN_SCALE)..=f64::from(MAX_SCALE);
    let scale = value.as_f64().filter(|scale| range.contains(scale) && scale.fract() == 0.0);
    scale.map(|scale| scale as i8).ok_or_else(|| options.bad("scale", "a whole number from -4 to 8"))
}

fn quantile_of(call: &str, q: &JsValue) -> Result<Quantile, Refusal> {
    q.as_f64().and_then(Quantile::new).ok_or_else(|| {
        Refusal::new("bad_quantile", format!("{call}: a quantile is a number from 0 to 1, such as 0.99"))
    })
}
