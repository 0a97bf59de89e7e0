//! The standard protocols in: what services send already, as checked samples.
//!
//! Every decoder is pure and its memory is bounded before it is taken: by the number of samples of a
//! body ([`MAX_SAMPLES`]) and by the bytes of their labels ([`MAX_LABEL_BYTES`]). What is wrong with one sample refuses that
//! sample; what is wrong with the message refuses the body.
//!
//! Only with the feature `protocols`, which the gateway asks for: the page carries none of this.

pub mod explicit;
pub mod exposition;
mod histogram;
mod known;
pub mod line;
pub mod otlp;
pub mod remote_write;

pub use known::KnownSeries;

use bellwether_core::labels::{LabelError, SeriesKey};
use bellwether_core::sample::Kind;
use bellwether_core::sketch::Sketch;
use bellwether_core::time::TimestampMs;

use crate::binary::{DecodeError, MAX_LABEL_BYTES};
use crate::ingest::{IngestedSample, MAX_SAMPLES, NAMED_BYTES, Rejection, RejectionCode};
use crate::start::start_of;

/// What a body came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delivered {
    /// The good samples, in the order of the body.
    pub samples: Vec<IngestedSample>,
    /// The good histograms, in the order of the body.
    pub histograms: Vec<IngestedHistogram>,
    /// Series that the sender has ended by a stale marker.
    pub ended: Vec<(SeriesKey, TimestampMs)>,
    /// What was refused.
    pub rejected: Vec<Rejection>,
    /// What was said of metrics beside their samples.
    pub metrics: Vec<DescribedMetric>,
    /// Exemplars, which are not kept.
    pub exemplars: usize,
}

/// What a sender said of a metric beside its samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedMetric {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
}

/// A histogram of a body, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct IngestedHistogram {
    /// Its place in the body, counted from 0 over samples and histograms.
    pub index: usize,
    /// The series that it belongs to.
    pub key: SeriesKey,
    /// What was counted.
    pub point: HistogramPoint,
    /// The unit that the sender declares.
    pub unit: Option<String>,
}

/// What a histogram says at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramPoint {
    /// When it was taken.
    pub at: TimestampMs,
    /// Its counts; with `bounds`, the [`explicit::carrier`] of them.
    pub sketch: Sketch,
    /// The bounds of its value buckets, where they are its own.
    pub bounds: Option<Vec<f64>>,
    /// The sum of its values, finite.
    pub sum: f64,
    /// The least and the greatest value, where the sender knows them; finite and in that order.
    pub extremes: Option<(f64, f64)>,
    /// What its counts count.
    pub course: Course,
}

/// What the counts of a histogram count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Everything since the sender began to count.
    Cumulative {
        /// When it began, where it says so.
        since: Option<TimestampMs>,
        /// Whether it says that it began anew before this point.
        restarted: bool,
    },
    /// What came since the point before.
    Increment,
}

/// Why a whole body was refused; none of it was taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The body is not the message that it is said to be.
    #[error("the body is no {message}: {reason}")]
    Malformed {
        /// The message that was expected.
        message: &'static str,
        /// What was found.
        reason: String,
    },
    /// The body holds more samples than [`MAX_SAMPLES`].
    #[error("the body holds more than {MAX_SAMPLES} samples; send them in several requests")]
    TooManySamples,
    /// The names and labels of its samples together are longer than [`MAX_LABEL_BYTES`], each counted as often as a
    /// sample has it.
    #[error("the labels of all samples together are longer than {MAX_LABEL_BYTES} bytes; send fewer samples at once")]
    LabelsTooLong,
}

impl ProtocolError {
    /// A word that programs can rely on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed_body",
            Self::TooManySamples => "too_many_samples",
            Self::LabelsTooLong => "labels_too_long",
        }
    }

    pub(crate) fn malformed(message: &'static str) -> impl Fn(DecodeError) -> Self {
        move |error| Self::Malformed { message, reason: error.to_string() }
    }
}

/// Counts the samples of a body.
#[derive(Debug, Default)]
struct Places(usize);

impl Places {
    /// The place of the next sample.
    ///
    /// # Errors
    /// [`ProtocolError::TooManySamples`] where there are more than a body may hold.
    fn next(&mut self) -> Result<usize, ProtocolError> {
        if self.0 >= MAX_SAMPLES {
            return Err(ProtocolError::TooManySamples);
        }
        self.0 += 1;
        Ok(self.0 - 1)
    }
}

/// Counts the bytes of names and labels. Each sample keeps a copy: a few long texts that many samples share must not
/// fill the memory.
#[derive(Debug, Default)]
struct LabelBytes(usize);

impl LabelBytes {
    /// Counts those of one more sample or series.
    ///
    /// # Errors
    /// [`ProtocolError::LabelsTooLong`] where there are more than a body may have.
    fn add<N: AsRef<str>, V: AsRef<str>>(&mut self, metric: &str, labels: &[(N, V)]) -> Result<(), ProtocolError> {
        let bytes = labels.iter().map(|(name, value)| name.as_ref().len() + value.as_ref().len());
        self.add_bytes(metric.len() + bytes.sum::<usize>())
    }

    /// The same, where it is known how many they are.
    fn add_bytes(&mut self, bytes: usize) -> Result<(), ProtocolError> {
        self.0 += bytes;
        if self.0 > MAX_LABEL_BYTES { Err(ProtocolError::LabelsTooLong) } else { Ok(()) }
    }
}

/// The refusal of a sample whose series cannot be named.
fn unnamed(index: usize, error: &LabelError) -> Rejection {
    let code = match error {
        LabelError::EmptyName { what }
        | LabelError::NameTooLong { what, .. }
        | LabelError::ControlCharacter { what, .. }
            if *what == "metric name" =>
        {
            RejectionCode::BadName
        }
        _ => RejectionCode::BadLabels,
    };
    Rejection::new(index, code, error)
}

/// The refusal of a value that cannot be kept.
fn not_finite(index: usize, series: &SeriesKey, value: f64) -> Rejection {
    let series = start_of(series, NAMED_BYTES);
    let message = format_args!("{series} is {value}; NaN and infinities cannot be kept");
    Rejection::new(index, RejectionCode::BadValue, message)
}

/// The refusal of a timestamp before 1970.
fn negative_timestamp(index: usize, series: &SeriesKey, timestamp_ms: i64) -> Rejection {
    let series = start_of(series, NAMED_BYTES);
    let message = format_args!("{series} has the timestamp {timestamp_ms}; give milliseconds since 1970");
    Rejection::new(index, RejectionCode::BadTimestamp, message)
}
