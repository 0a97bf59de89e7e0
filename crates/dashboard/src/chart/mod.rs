//! Charts that are live and many: geometry computed here, drawn on canvas by `canvas`.

#[cfg(target_arch = "wasm32")]
pub mod canvas;
pub mod palette;
pub mod scale;
pub mod strip;
