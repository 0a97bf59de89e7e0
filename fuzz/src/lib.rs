//! Fuzz targets: whatever comes in, nothing panics and every law holds.
//!
//! Each target is a function of bytes that panics where a law is broken. `cargo test -p
//! bellwether-fuzz` calls it with the committed corpus, with bytes made of it, and with random ones;
//! `cargo fuzz run` lets libFuzzer look for more (see `fuzz/README.md`).

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a target ends where something is wrong")]

mod edges;
mod engine;
mod engine_model;
mod protocols;
mod sketch;
mod snapshot;
mod source;

pub use edges::{board, client_frame, correction, feed_frame, ingest, query, server_frame};
pub use engine::engine;
pub use engine_model::engine_model;
pub use protocols::{exposition, influx, otlp, remote_write};
pub use sketch::sketch;
pub use snapshot::snapshot;

/// A target and its name, which is that of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 15] = [
    ("board", board),
    ("client_frame", client_frame),
    ("correction", correction),
    ("engine", engine),
    ("engine_model", engine_model),
    ("exposition", exposition),
    ("feed_frame", feed_frame),
    ("influx", influx),
    ("ingest", ingest),
    ("otlp", otlp),
    ("query", query),
    ("remote_write", remote_write),
    ("server_frame", server_frame),
    ("sketch", sketch),
    ("snapshot", snapshot),
];
