//! The page's one door to a clock.

use crate::clock::Monotonic;

/// Now, on the browser's monotonic clock.
pub(super) fn now() -> Monotonic {
    let performance = web_sys::window().and_then(|window| window.performance());
    Monotonic::from_millis(performance.map_or(0.0, |performance| performance.now()))
}
