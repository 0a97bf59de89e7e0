//! The classes `Sketch` and `Sketches`.

use bellwether_core::query::Quantile;
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
    core: Core,
    sum: f64,
    min: f64,
    max: f64,
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
        Ok(Self::empty(scale("new Sketch", options)?))
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
                self.add(value);
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
        self.core.record_all(&column).map_err(|error| Refusal::new("bad_value", format!("recordAll: {error}")))?;
        for value in column {
            self.note(value);
        }
        Ok(())
    }

    /// Adds what another sketch holds.
    pub fn merge(&mut self, other: &Sketch) {
        self.core.merge(&other.core);
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
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
        let value = self.value_at(quantile_of("quantile", q)?);
        Ok(value.map_or(JsValue::NULL, JsValue::from_f64))
    }

    /// Number of values.
    #[wasm_bindgen(getter)]
    pub fn count(&self) -> f64 {
        self.core.count() as f64
    }

    /// Sum of the values.
    #[wasm_bindgen(getter)]
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Least value; `Infinity` where there is none.
    #[wasm_bindgen(getter)]
    pub fn min(&self) -> f64 {
        self.min
    }

    /// Greatest value; `-Infinity` where there is none.
    #[wasm_bindgen(getter)]
    pub fn max(&self) -> f64 {
        self.max
    }

    /// Bound of the relative error of a quantile.
    #[wasm_bindgen(getter, js_name = relativeError)]
    pub fn relative_error(&self) -> f64 {
        self.core.relative_error()
    }
}

impl Sketch {
    fn empty(scale: i8) -> Self {
        Self { core: Core::new(scale), sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }

    #[inline]
    fn add(&mut self, value: f64) {
        self.core.record(value);
        self.note(value);
    }

    #[inline]
    fn note(&mut self, value: f64) {
        self.sum += value;
        // A branch that is hardly ever taken, where `min` would be computed each time.
        if value < self.min {
            self.min = value;
        }
        if value > self.max {
            self.max = value;
        }
    }

    fn value_at(&self, q: Quantile) -> Option<f64> {
        self.core.quantile(q).map(|value| value.clamp(self.min, self.max))
    }
}

/// Many sketches that are filled in one call.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Sketches {
    sketches: Vec<Sketch>,
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
            Refusal::new("bad_option", format!("{CALL}: their number must be a whole one from 1 to {MOST_SKETCHES}"))
        })?;
        let sketch = Sketch::empty(scale(CALL, options)?);
        Ok(Self { sketches: vec![sketch; length as usize], places: Vec::new(), values: Vec::new() })
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
        Ok(self.column(|sketch| sketch.value_at(q).unwrap_or(f64::NAN)))
    }

    /// Numbers of values, by place.
    pub fn counts(&self) -> Float64Array {
        self.column(Sketch::count)
    }

    /// Sums of values, by place.
    pub fn sums(&self) -> Float64Array {
        self.column(Sketch::sum)
    }

    /// A copy of the sketch at a place.
    ///
    /// # Errors
    /// `BellwetherError` where there is none.
    pub fn at(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] place: &JsValue,
    ) -> Result<Sketch, BellwetherError> {
        let sketch = place.as_f64().filter(|place| *place >= 0.0 && place.fract() == 0.0);
        let sketch = sketch.and_then(|place| self.sketches.get(place as usize)).cloned();
        Ok(sketch.ok_or_else(|| Refusal::new("bad_option", "at: there is no sketch at that place"))?)
    }
}

impl Sketches {
    fn add(&mut self, places: &JsValue, values: &JsValue) -> Result<(), Refusal> {
        const CALL: &str = "recordColumns";
        let bad = |why: &str| Refusal::new("bad_columns", format!("{CALL}: {why}"));
        let column = places.dyn_ref::<Uint32Array>().ok_or_else(|| bad("the places must be a Uint32Array"))?;
        self.places.resize(column.length() as usize, 0);
        column.copy_to(&mut self.places);
        float_column(CALL, "values", values, &mut self.values)?;
        if self.places.len() != self.values.len() {
            return Err(bad("give one place for each value"));
        }
        let greatest = self.places.iter().fold(0, |greatest: u32, place| greatest.max(*place));
        if greatest as usize >= self.sketches.len() {
            return Err(bad("one of the places has no sketch"));
        }
        // A sum is not finite where one of the numbers is not; and where it is not, look closer.
        if !self.values.iter().sum::<f64>().is_finite() && !self.values.iter().all(|value| value.is_finite()) {
            return Err(bad("one of the values is not a finite number").coded("bad_value"));
        }
        for (place, value) in self.places.iter().zip(&self.values) {
            self.sketches[*place as usize].add(*value);
        }
        Ok(())
    }

    fn column(&self, of: impl Fn(&Sketch) -> f64) -> Float64Array {
        Float64Array::from(&self.sketches.iter().map(of).collect::<Vec<_>>()[..])
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
