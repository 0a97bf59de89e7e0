//! Whole columns of one series at once.

use bellwether_core::engine::{Engine, SeriesId};
use bellwether_core::sample::Sample;
use bellwether_core::time::TimestampMs;
use js_sys::Float64Array;
use wasm_bindgen::{JsCast, JsValue};

use crate::answer::{Receipt, Rejection};
use crate::error::Refusal;
use crate::options::instant_of;

/// The most refused samples that a receipt names one by one; all are counted.
const NAMED_REJECTIONS: usize = 100;

/// Two columns of the same length.
pub(crate) struct Columns {
    timestamps_ms: Vec<f64>,
    values: Vec<f64>,
}

impl Columns {
    /// Copies the columns into wasm memory: the only copy that is made of them.
    ///
    /// # Errors
    /// `bad_columns` where one is no `Float64Array`, or their lengths differ.
    pub(crate) fn copied(timestamps_ms: &JsValue, values: &JsValue) -> Result<Self, Refusal> {
        let column = |name: &str, value: &JsValue| {
            value
                .dyn_ref::<Float64Array>()
                .map(Float64Array::to_vec)
                .ok_or_else(|| Refusal::new("bad_columns", format!("recordColumns: the {name} must be a Float64Array")))
        };
        let timestamps_ms = column("timestamps", timestamps_ms)?;
        let values = column("values", values)?;
        if timestamps_ms.len() != values.len() {
            let (times, values) = (timestamps_ms.len(), values.len());
            return Err(Refusal::new(
                "bad_columns",
                format!(
                    "recordColumns: {times} timestamps and {values} values were given; give one of each for a sample"
                ),
            ));
        }
        Ok(Self { timestamps_ms, values })
    }

    /// Records each good sample and says what became of the others.
    pub(crate) fn record(&self, engine: &mut Engine, series: SeriesId, now: TimestampMs) -> Receipt {
        let mut receipt = Receipt { accepted: 0, rejected: 0, rejections: Vec::new() };
        for (index, (&ms, &value)) in self.timestamps_ms.iter().zip(&self.values).enumerate() {
            match sample(ms, value).and_then(|sample| Ok(engine.record(series, sample, now)?)) {
                Ok(()) => receipt.accepted += 1,
                Err(refusal) => {
                    receipt.rejected += 1;
                    if receipt.rejections.len() < NAMED_REJECTIONS {
                        let Refusal { code, message } = refusal;
                        receipt.rejections.push(Rejection { index, code, message });
                    }
                }
            }
        }
        receipt
    }
}

/// A checked sample.
///
/// # Errors
/// `bad_timestamp` or `bad_value`.
fn sample(ms: f64, value: f64) -> Result<Sample, Refusal> {
    let timestamp = instant_of(ms).ok_or_else(|| {
        Refusal::new("bad_timestamp", "the timestamp must be a whole number of milliseconds since 1970")
    })?;
    Sample::new(timestamp, value).map_err(|error| Refusal::new("bad_value", error.to_string()))
}
