//! Why an engine cannot be made, and why it refuses samples.

use crate::time::{DurationMs, TimestampMs};

/// Why an engine cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no tier.
    #[error("there is no tier; name at least one")]
    NoTier,
    /// A width that is zero, or beyond what can be counted.
    #[error("tier {tier} has a width of {width}; it must be at least 1 ms")]
    Width {
        /// Its place among the tiers, from 0.
        tier: usize,
        /// Its width.
        width: DurationMs,
    },
    /// A width that is not a multiple of the finer one.
    #[error("tier {tier} has a width of {width}, which is no greater multiple of the tier's before")]
    NotMultiple {
        /// Its place among the tiers, from 0.
        tier: usize,
        /// Its width.
        width: DurationMs,
    },
    /// A span that is shorter than the tier's width or not longer than the finer tier's span.
    #[error("tier {tier} has a span of {span}; it must be longer than its width and than the tier's before")]
    Span {
        /// Its place among the tiers, from 0.
        tier: usize,
        /// Its span.
        span: DurationMs,
    },
}

/// Why a sample was refused for its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// Too far ahead of now.
    #[error("timestamp {} is ahead of the latest that is accepted, {}", .timestamp.get(), .latest.get())]
    TooNew {
        /// The sample's.
        timestamp: TimestampMs,
        /// The latest that would have been accepted.
        latest: TimestampMs,
    },
    /// Older than everything that is kept.
    #[error("timestamp {} is older than the oldest that is kept, {}", .timestamp.get(), .oldest.get())]
    TooLate {
        /// The sample's.
        timestamp: TimestampMs,
        /// The oldest that would have been accepted.
        oldest: TimestampMs,
    },
}

/// Why a summary was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// A sample of it is too new or too late.
    #[error(transparent)]
    Timestamp(#[from] TimestampError),
    /// No tier is made of spans of that width.
    #[error("no tier has time buckets made of spans of {width}")]
    Width {
        /// The width that was given.
        width: DurationMs,
    },
    /// The end is no edge of time buckets of that width.
    #[error("{} is no edge of time buckets of {width}", .end.get())]
    Edge {
        /// The end that was given.
        end: TimestampMs,
        /// The width that was given.
        width: DurationMs,
    },
    /// Its samples lie outside the span that it is said to cover.
    #[error("the summary has samples outside the {width} before {}", .end.get())]
    Outside {
        /// The end that was given.
        end: TimestampMs,
        /// The width that was given.
        width: DurationMs,
    },
}
