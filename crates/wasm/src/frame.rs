//! Binary frames of a gateway's live feed.

use bellwether_core::engine::MergeError;
use bellwether_wire::binary;
use bellwether_wire::feed::Point;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::engine::Engine;
use crate::error::{BellwetherError, Refusal};
use crate::shapes;

/// Most refused points that are named.
const MAX_NAMED: u32 = 100;

#[wasm_bindgen]
impl Engine {
    /// Merges what a binary frame brings.
    ///
    /// # Errors
    /// `BellwetherError` where the bytes are no frame; nothing of it is taken then.
    #[wasm_bindgen(js_name = mergeFrame, unchecked_return_type = "object")]
    pub fn merge_frame(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] bytes: &JsValue,
    ) -> Result<JsValue, BellwetherError> {
        Ok(self.merge_all(bytes)?)
    }
}

impl Engine {
    fn merge_all(&mut self, bytes: &JsValue) -> Result<JsValue, Refusal> {
        let bad = |why: &str| Refusal::new("bad_frame", format!("mergeFrame: {why}"));
        let bytes = bytes.dyn_ref::<Uint8Array>().ok_or_else(|| bad("give the frame's bytes as a Uint8Array"))?;
        let frame = binary::decode(&bytes.to_vec()).map_err(|error| bad(&error.to_string()))?;
        let now = self.shared().now()?;
        let mut core = self.shared().core.borrow_mut();
        let (mut taken, mut refused) = (0_u32, 0_u32);
        let named = Array::new();
        for series in &frame.series {
            let id = core.series(&series.key, Some(series.kind));
            for point in series.points() {
                let merged = match (&id, point) {
                    (Err(error), _) => Err(error.clone().into()),
                    (Ok(id), Point::Sample(sample)) => core.record(*id, sample, now).map_err(Refusal::from),
                    (Ok(id), Point::Summary(bucket)) => {
                        core.merge(*id, frame.header.step, bucket.end, &bucket.summary, now).map_err(Refusal::from)
                    }
                };
                match merged {
                    Ok(()) => taken += 1,
                    Err(Refusal { code, message }) => {
                        if named.length() < MAX_NAMED {
                            named.push(&shapes::rejection(taken + refused, code, &message));
                        }
                        refused += 1;
                    }
                }
            }
        }
        core.advance(now);
        Ok(shapes::receipt(taken, refused, Some(named)))
    }
}

impl From<MergeError> for Refusal {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::Timestamp(error) => error.into(),
            error => Self::new("bad_frame", error.to_string()),
        }
    }
}
