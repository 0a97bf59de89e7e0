//! The page's one door to randomness.

/// A random share between 0 and 1.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the page draws: what uses it takes it as an argument"
)]
pub(super) fn random() -> f64 {
    js_sys::Math::random()
}
