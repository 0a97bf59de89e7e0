//! What the page shows, evaluated from the engine at one instant: plain values that views only draw.

pub mod alerts;
pub mod cards;
pub mod lines;

pub mod status;
pub mod units;

pub use alerts::{AlertCard, Phase};
pub use cards::{KpiCard, Trend};
pub use lines::{Line, Point, Strip};

pub use status::Tally;
