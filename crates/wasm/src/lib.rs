//! The npm package `bellwether`: the engine for JavaScript.
//!
//! A thin coat over `bellwether-core`: JavaScript values become checked names, labels, samples and
//! queries at this edge, answers become plain objects, and each refusal becomes a
//! `BellwetherError` with a stable `code`. There is no logic of figures here. The files in `js/`
//! load the wasm the same way in Node and in a browser, and carry the types that people read.

mod answer;
mod board;
mod clock;
mod columns;
mod engine;
mod error;
mod frame;
mod options;
mod points;
mod query;
mod room;
mod shapes;
mod sketch;
mod table;
mod units;
mod watch;

pub use engine::Engine;
pub use error::BellwetherError;
pub use points::Points;
pub use sketch::{Sketch, Sketches};
pub use table::Table;
