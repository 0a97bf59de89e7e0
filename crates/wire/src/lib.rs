//! Bytes to checked samples and back: JSON and binary frames, boards, ingest bodies.
//!
//! Everything that comes from outside becomes a checked type of the core here, or an error that
//! says what is wrong, where, and how to mend it. The crate knows no socket, no file and no clock.

#![forbid(unsafe_code)]

pub mod binary;
pub mod board;
mod condition;
pub mod correction;
pub mod feed;
pub mod frame;
pub mod ingest;
mod json;
#[cfg(feature = "protocols")]
pub mod protocol;
pub mod query;
mod start;

pub use json::JsonFault;
pub use start::start_of;
