//! The npm package bellwether: the engine for JavaScript.
