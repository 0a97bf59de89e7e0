//! The body of `POST /ingest`: one sample, an array of samples, or one sample a line.
//!
//! A body is read in one pass. What is wrong with one sample refuses that sample and keeps the
//! others; what is wrong with the JSON itself refuses the body.

mod draft;
mod reader;
mod rejection;

use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::TimestampMs;

pub(crate) use reader::NAME_LABEL;
#[cfg(feature = "protocols")]
pub(crate) use rejection::NAMED_BYTES;
pub use rejection::{BodyError, Rejection, RejectionCode};

/// Most samples of one body.
pub const MAX_SAMPLES: usize = 10_000;
/// Most levels of nesting of one body; a sample with labels in an array has three.
pub const MAX_DEPTH: usize = 16;
/// Most bytes of a `ref`.
pub const MAX_REF_BYTES: usize = 256;
/// Most bytes of a `unit`.
pub const MAX_UNIT_BYTES: usize = 64;

/// How a body separates its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// One JSON object, or one array of them.
    Json,
    /// One JSON object a line.
    Ndjson,
}

impl BodyFormat {
    /// The format that a `Content-Type` names; JSON where the header is not there, `None` for any
    /// type that is not taken.
    ///
    /// ```
    /// use bellwether_wire::ingest::BodyFormat;
    /// assert_eq!(BodyFormat::of_content_type(Some("application/json; charset=utf-8")), Some(BodyFormat::Json));
    /// assert_eq!(BodyFormat::of_content_type(Some("application/x-ndjson")), Some(BodyFormat::Ndjson));
    /// assert_eq!(BodyFormat::of_content_type(Some("text/csv")), None);
    /// ```
    #[must_use]
    pub fn of_content_type(header: Option<&str>) -> Option<Self> {
        let Some(header) = header else { return Some(Self::Json) };
        let essence = header.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        match essence.as_str() {
            "" | "application/json" => Some(Self::Json),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Self::Ndjson),
            _ => None,
        }
    }
}

/// Whether several samples of one series may have one timestamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeats {
    /// Each counts: two bookings can take place in one millisecond.
    #[default]
    Count,
    /// There is one value a timestamp: an equal one that comes again is the same one, sent again.
    Once,
}

/// One sample of a body, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct IngestedSample {
    /// Its place in the body, counted from 0; in NDJSON blank lines are not counted.
    pub index: usize,
    /// The series that it belongs to.
    pub key: SeriesKey,
    /// The sample; where the sender gave no timestamp, the time of receipt.
    pub sample: Sample,
    /// The kind that the sender declares; it must be the metric's.
    pub kind: Option<Kind>,
    /// The kind that the protocol suggests; it gives way to what is known of the metric.
    pub suggested: Option<Kind>,
    /// Whether it may be one of several at its timestamp.
    pub repeats: Repeats,
    /// The unit that the sender declares.
    pub unit: Option<String>,
    /// The case or request that it belongs to (`ref`); never a label.
    pub reference: Option<String>,
}

/// What a body came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ingested {
    /// The good samples, in the order of the body.
    pub accepted: Vec<IngestedSample>,
    /// The refused ones, in the order of the body.
    pub rejected: Vec<Rejection>,
}

/// Reads a body; `received_at` is the timestamp of samples that bring none.
///
/// An empty array is a good body of no samples. Cost: one pass, O(bytes).
///
/// # Errors
/// [`BodyError`] where the body as a whole cannot be read; a fault of one sample is in
/// [`Ingested::rejected`] instead.
///
/// ```
/// use bellwether_core::time::TimestampMs;
/// use bellwether_wire::ingest::{BodyFormat, decode};
///
/// let body = br#"[{"name":"booking_response_time","value":120},{"name":"booking_response_time"}]"#;
/// let ingested = decode(body, BodyFormat::Json, TimestampMs::new(1_000))?;
/// assert_eq!(ingested.accepted[0].sample.value(), 120.0);
/// assert_eq!(ingested.rejected[0].index, 1);
/// # Ok::<(), bellwether_wire::ingest::BodyError>(())
/// ```
pub fn decode(body: &[u8], format: BodyFormat, received_at: TimestampMs) -> Result<Ingested, BodyError> {
    let text = std::str::from_utf8(body).map_err(|error| BodyError::NotUtf8 { offset: error.valid_up_to() })?;
    if text.bytes().all(|byte| byte.is_ascii_whitespace()) {
        return Err(BodyError::Empty);
    }
    match format {
        BodyFormat::Json => reader::json(text, received_at),
        BodyFormat::Ndjson => reader::ndjson(text, received_at),
    }
}
