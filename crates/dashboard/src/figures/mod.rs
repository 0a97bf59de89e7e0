//! What the page shows, evaluated from the engine at one instant: plain values that views only draw.

pub mod alerts;
pub mod ask;
pub mod cards;
pub mod csv;
pub mod cursor;
mod detail;
pub mod distribution;
pub mod evaluate;
mod explore;
pub mod filtered;
pub mod labels;
pub mod lines;
pub mod notices;
pub mod others;
pub mod replay;
pub mod sheet;
pub mod snapshot;
pub mod sources;
pub mod status;
pub mod units;
pub mod views;
pub mod watch;

pub use alerts::{AlertCard, Phase};
pub use cards::{Absence, KpiCard, WindowBefore};
pub use distribution::Distribution;
pub use lines::{Line, Point, Strip};

pub use snapshot::{Ask, Focus, Instant, Quantiles, Section, Snapshot};
pub use status::Tally;
