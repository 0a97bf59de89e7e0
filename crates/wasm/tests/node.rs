//! The engine for JavaScript, in Node.
#![cfg(target_arch = "wasm32")]

mod shared;
