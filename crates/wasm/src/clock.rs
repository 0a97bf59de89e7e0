//! The one place that reads a clock.

use bellwether_core::time::TimestampMs;
use js_sys::Function;
use wasm_bindgen::JsValue;

use crate::error::Refusal;
use crate::options::instant;

/// The platform's clock, or the caller's own: a function that gives milliseconds since the epoch.
#[derive(Debug)]
pub(crate) enum Clock {
    Platform,
    Callers(Function),
}

impl Clock {
    /// # Errors
    /// `bad_clock` where the caller's function throws or gives no whole, non-negative number.
    #[expect(clippy::disallowed_methods, reason = "this is the module that reads the clock")]
    pub(crate) fn now(&self) -> Result<TimestampMs, Refusal> {
        match self {
            // Whole by definition of Date.now(), and far below 2^53.
            Self::Platform => Ok(TimestampMs::new(js_sys::Date::now() as i64)),
            Self::Callers(function) => {
                let value = function
                    .call0(&JsValue::UNDEFINED)
                    .map_err(|_| Refusal::new("bad_clock", "the function given as `clock` threw an error"))?;
                instant("the value of `clock`", &value).map_err(|refusal| refusal.coded("bad_clock"))
            }
        }
    }
}
