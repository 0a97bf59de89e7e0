//! The pure engine of Bellwether: samples in, figures and alerts out.
//!
//! The crate does no input or output, reads no clock, draws no random number, starts no thread and
//! knows no DOM; nothing in it is serializable. Time comes in as an argument. The same code runs in
//! the reader's browser, in Node and in the gateway, so that a figure is the same figure everywhere.

#![forbid(unsafe_code)]

pub mod alerts;
pub mod board;
mod catalog;
pub mod columns;
pub mod engine;
mod figure;
mod grid;
pub mod history;
mod horizon;
pub mod kpi;
pub mod labels;
mod layout;
pub mod query;
pub mod rule;
pub mod sample;
pub mod scorecard;
pub mod selector;
mod series;
pub mod sketch;
mod slide;
pub mod summary;
mod tier;
pub mod time;
mod window;
