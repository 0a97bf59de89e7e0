//! The pure engine of Bellwether: samples in, figures and alerts out.
//!
//! The crate does no input or output, reads no clock, draws no random number, starts no thread and
//! knows no DOM and no serde; what it writes itself is a [`snapshot`]. Time comes in as an argument.
//! The same code runs in the reader's browser, in Node and in the gateway, so that a figure is the
//! same figure everywhere.
//!
//! # How a figure is made
//! - Each series keeps **time buckets** in **tiers**: 1 s for 10 minutes, 10 s for 2 hours, 1 min for
//!   a day, 1 h for 92 days ([`engine::EngineConfig`]). Few samples are kept as they
//!   are, many as a packed [`summary::Summary`] with the counts of its value buckets; there is nothing
//!   where there are no samples. Samples in order are only appended; time buckets are made of them
//!   later, a few series at a time, and wider ones of narrower ones when they are over.
//! - A **window** is `(now − range, now]`. The finest tier that reaches back to its left edge gives
//!   whole time buckets, finer tiers the rest up to `now`; so only the left edge moves, outward to an
//!   edge of time buckets, and [`query::Answer`] says the range that is really covered. The cost is that
//!   of the time buckets, however many samples they hold.
//! - Averages and percentiles of several series or time buckets come from **merged** summaries and
//!   sketches, never from averages and percentiles.
//!
//! # What is exact
//! | figure | error |
//! | --- | --- |
//! | count, min, max, first, last, `p0`, `p100` | none |
//! | sum, average, increase, rate, delta | rounding: 1e−12 of the sum of magnitudes |
//! | quantiles | [`query::Answer::relative_error`]: at most 0.55 % at the sketch's default scale, more where those of both signs are added up |
//!
//! A counter's reset is seen between any two samples that came in order, and between late ones where
//! the finest tier tells them apart. Sums stop at the greatest float instead of becoming infinite.

#![forbid(unsafe_code)]

pub mod alerts;
pub mod board;
mod catalog;
mod chunk;
pub mod columns;
pub mod engine;
mod figure;
mod grid;
pub mod heat;
pub mod history;
mod horizon;
pub mod intake;
mod kept;
pub mod kpi;
pub mod labels;
mod layout;
mod moments;
mod pack;
mod part;
mod plan;
pub mod points;
mod postings;
pub mod query;
pub mod rule;
pub mod sample;
pub mod scorecard;
pub mod selector;
mod series;
pub mod sketch;
mod slide;
mod slim;
pub mod snapshot;
pub mod summary;
pub mod table;
mod tally;
mod tidy;
mod tier;
pub mod time;
mod trail;
pub mod watch;
mod window;
mod words;
