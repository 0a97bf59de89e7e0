//! A sample: one finite value at one instant.

use crate::scorecard::{BOOKING_RESPONSE_TIME, CONFLICT, RESOLUTION_TIME, SATISFACTION};
use crate::time::TimestampMs;
use crate::words::words;

/// What the samples of a metric mean; it belongs to the metric name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Each sample is one event's measured value: a response time, a score, a case's days.
    Observation,
    /// Cumulative and monotone; may reset to zero.
    Counter,
    /// A state that is sampled.
    Gauge,
    /// Each sample adds its value: a conflict, an error.
    Event,
}

words! {
    Kind: "The kind in the words of boards and `/ingest`.",
    Observation = "observation",
    Counter = "counter",
    Gauge = "gauge",
    Event = "event",
}

impl Kind {
    /// The number that stands for the kind in binary frames and on disk. It never changes.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Observation => 0,
            Self::Counter => 1,
            Self::Gauge => 2,
            Self::Event => 3,
        }
    }

    /// The kind that [`Kind::number`] writes as `number`; `None` for any other.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The kind that a metric name implies where nobody declares one: `_total`, `_count`, `_sum` and
    /// `_bucket` are counters, and the metrics of the built-in scorecards have kinds of their own, so
    /// that a conflict of value 2 counts as two with or without a board.
    #[must_use]
    pub fn implied_by(metric: &str) -> Option<Self> {
        match metric {
            CONFLICT => Some(Self::Event),
            BOOKING_RESPONSE_TIME | RESOLUTION_TIME | SATISFACTION => Some(Self::Observation),
            _ => {
                let is_counter = ["_total", "_count", "_sum", "_bucket"].iter().any(|end| metric.ends_with(end));
                is_counter.then_some(Self::Counter)
            }
        }
    }
}

/// One finite value at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    timestamp: TimestampMs,
    value: f64,
}

/// A value that is not a number or not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is not a finite number; NaN and infinities cannot be kept")]
pub struct NotFinite;

impl Sample {
    /// Checks and keeps a value.
    ///
    /// # Errors
    /// [`NotFinite`] for NaN and ±∞.
    pub fn new(timestamp: TimestampMs, value: f64) -> Result<Self, NotFinite> {
        if value.is_finite() { Ok(Self { timestamp, value }) } else { Err(NotFinite) }
    }

    /// A sample that was checked when it came.
    pub(crate) const fn kept(timestamp: TimestampMs, value: f64) -> Self {
        Self { timestamp, value }
    }

    /// When it was taken.
    #[must_use]
    pub const fn timestamp(self) -> TimestampMs {
        self.timestamp
    }

    /// Its value, always finite.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.value
    }
}
