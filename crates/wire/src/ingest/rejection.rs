//! Why a single sample of a body, or the whole body, was refused.

use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::Kind;
use bellwether_core::time::{DurationMs, TimestampMs};
use serde::Serialize;

use super::{MAX_DEPTH, MAX_SAMPLES};
use crate::start::start_of;

/// Most bytes of a message about one sample: a body of refused samples is answered with so much for each.
const MAX_MESSAGE_BYTES: usize = 240;
/// Most bytes of a series or a metric in such a message.
pub(crate) const NAMED_BYTES: usize = 80;

/// Why one sample was refused, as a word that programs can rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RejectionCode {
    /// A line of an NDJSON body is not JSON.
    NotJson,
    /// An element of the body is not a JSON object.
    NotAnObject,
    /// `name` or `value` is not there.
    MissingField,
    /// A field has a name that nothing is known of.
    UnknownField,
    /// A field is given twice.
    RepeatedField,
    /// A field holds another type of JSON value than it should.
    WrongType,
    /// The metric name is outside its limits.
    BadName,
    /// The value is no finite number.
    BadValue,
    /// The timestamp is no whole number of milliseconds, or negative.
    BadTimestamp,
    /// The labels are outside their limits.
    BadLabels,
    /// The kind is none of the four.
    BadKind,
    /// The unit is too long or holds a control character.
    BadUnit,
    /// The reference is too long.
    BadRef,
    /// The timestamp is before the start of what is kept.
    TooLate,
    /// The timestamp is further in the future than the allowed skew.
    TooNew,
    /// The metric has another kind already.
    KindConflict,
    /// The metric has another unit already.
    UnitConflict,
    /// The sample would begin one series too many.
    TooManySeries,
    /// The series has another value at this timestamp.
    RepeatedTimestamp,
    /// A histogram whose value buckets cannot be kept.
    BadHistogram,
    /// A line of a text protocol cannot be read.
    BadLine,
}

impl RejectionCode {
    /// The code as it stands in answers and in counters' labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::MissingField => "missing_field",
            Self::UnknownField => "unknown_field",
            Self::RepeatedField => "repeated_field",
            Self::WrongType => "wrong_type",
            Self::BadName => "bad_name",
            Self::BadValue => "bad_value",
            Self::BadTimestamp => "bad_timestamp",
            Self::BadLabels => "bad_labels",
            Self::BadKind => "bad_kind",
            Self::BadUnit => "bad_unit",
            Self::BadRef => "bad_ref",
            Self::TooLate => "too_late",
            Self::TooNew => "too_new",
            Self::KindConflict => "kind_conflict",
            Self::UnitConflict => "unit_conflict",
            Self::TooManySeries => "too_many_series",
            Self::RepeatedTimestamp => "repeated_timestamp",
            Self::BadHistogram => "bad_histogram",
            Self::BadLine => "bad_line",
        }
    }

    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 21] = [
        Self::NotJson,
        Self::NotAnObject,
        Self::MissingField,
        Self::UnknownField,
        Self::RepeatedField,
        Self::WrongType,
        Self::BadName,
        Self::BadValue,
        Self::BadTimestamp,
        Self::BadLabels,
        Self::BadKind,
        Self::BadUnit,
        Self::BadRef,
        Self::TooLate,
        Self::TooNew,
        Self::KindConflict,
        Self::UnitConflict,
        Self::TooManySeries,
        Self::RepeatedTimestamp,
        Self::BadHistogram,
        Self::BadLine,
    ];
}

/// One refused sample: where it stood, why, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Its place in the body, counted from 0; in NDJSON blank lines are not counted.
    pub index: usize,
    /// Why it was refused.
    pub code: RejectionCode,
    /// One sentence for people, of at most some 240 bytes.
    pub message: String,
}

impl Rejection {
    /// The refusal of a sample; of a message that is too long only the start is kept.
    #[must_use]
    pub fn new(index: usize, code: RejectionCode, message: impl std::fmt::Display) -> Self {
        Self { index, code, message: start_of(message, MAX_MESSAGE_BYTES) }
    }

    /// A sample older than `oldest`, the start of what is kept.
    #[must_use]
    pub fn too_late(index: usize, timestamp: TimestampMs, oldest: TimestampMs, now: TimestampMs) -> Self {
        let message = format_args!(
            "timestamp {} is before {}, the start of what is kept{}",
            timestamp.get(),
            oldest.get(),
            scale_hint(timestamp.get() as f64, now)
        );
        Self::new(index, RejectionCode::TooLate, message)
    }

    /// A sample further in the future than `skew` allows.
    #[must_use]
    pub fn too_new(index: usize, timestamp: TimestampMs, skew: DurationMs, now: TimestampMs) -> Self {
        let message = format_args!(
            "timestamp {} is more than {skew} after the gateway's clock, {}{}",
            timestamp.get(),
            now.get(),
            scale_hint(timestamp.get() as f64, now)
        );
        Self::new(index, RejectionCode::TooNew, message)
    }

    /// A sample that declares another kind than its metric has.
    #[must_use]
    pub fn kind_conflict(index: usize, metric: &str, existing: Kind, declared: Kind) -> Self {
        let metric = start_of(metric, NAMED_BYTES);
        let message = format_args!(
            "{metric:?} is of kind {:?}, not {:?}; leave out \"kind\" or use another name",
            existing.as_str(),
            declared.as_str()
        );
        Self::new(index, RejectionCode::KindConflict, message)
    }

    /// A sample whose unit is not its metric's.
    #[must_use]
    pub fn unit_conflict(index: usize, metric: &str, existing: &str, declared: &str) -> Self {
        let message = format!(
            "{metric:?} is in {existing:?}, not {declared:?}; send its values in that unit, or use another name"
        );
        Self { index, code: RejectionCode::UnitConflict, message }
    }

    /// A cumulative histogram older than `newest`, the newest of its series.
    #[must_use]
    pub fn out_of_order(index: usize, series: &SeriesKey, timestamp: TimestampMs, newest: TimestampMs) -> Self {
        let series = start_of(series, NAMED_BYTES);
        let message = format_args!(
            "{series} was counted up to {} already, and what came by {} cannot be told any more; send the histograms \
             of a series in the order of time",
            newest.get(),
            timestamp.get()
        );
        Self::new(index, RejectionCode::TooLate, message)
    }

    /// A sample at a timestamp where its series has another value.
    #[must_use]
    pub fn repeated_timestamp(index: usize, series: &SeriesKey, timestamp: TimestampMs) -> Self {
        let series = start_of(series, NAMED_BYTES);
        let message = format_args!(
            "{series} has another value at timestamp {}, which was kept; each sender needs a label of its own",
            timestamp.get()
        );
        Self::new(index, RejectionCode::RepeatedTimestamp, message)
    }

    /// A sample of a new series where there is no room for one; `limit` series are allowed `within`
    /// ("in all" or "for one metric").
    #[must_use]
    pub fn too_many_series(index: usize, series: &SeriesKey, limit: usize, within: &str) -> Self {
        let series = start_of(series, NAMED_BYTES);
        let message = format_args!(
            "{series} would be one series too many: at most {limit} are allowed {within}; \
             send what differs for each case as \"ref\", not as a label"
        );
        Self::new(index, RejectionCode::TooManySeries, message)
    }
}

/// What a timestamp looks like when it is far from `now` but near it in another unit; empty where
/// it looks like milliseconds or like nothing.
pub(super) fn scale_hint(timestamp: f64, now: TimestampMs) -> &'static str {
    let now = now.get() as f64;
    let near = |ms: f64| ms > now * 0.8 && ms < now * 1.2;
    if now <= 0.0 || near(timestamp) {
        ""
    } else if near(timestamp * 1e3) {
        "; it looks like seconds: multiply by 1000"
    } else if near(timestamp / 1e3) {
        "; it looks like microseconds: divide by 1000"
    } else if near(timestamp / 1e6) {
        "; it looks like nanoseconds: divide by 1000000"
    } else {
        ""
    }
}

/// Why a whole body was refused; none of its samples were taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// There is nothing in the body.
    #[error("the body is empty; send one sample such as {{\"name\":\"booking_response_time\",\"value\":120}}")]
    Empty,
    /// The body is not UTF-8.
    #[error("the body is not UTF-8: byte {offset} begins no character")]
    NotUtf8 {
        /// Place of the first bad byte, from 0.
        offset: usize,
    },
    /// The body is not JSON.
    #[error("the body is not JSON: {reason} at line {line}, column {column}{hint}")]
    NotJson {
        /// What the parser found.
        reason: String,
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1; 0 for the end of the line before.
        column: usize,
        /// How to mend it, with its own separator; may be empty.
        hint: &'static str,
    },
    /// The body is JSON, but neither an object nor an array.
    #[error("the body is {found}; send an object {{\"name\", \"value\"}} or an array of them")]
    NotSamples {
        /// What it is.
        found: &'static str,
    },
    /// The JSON is nested deeper than [`MAX_DEPTH`].
    #[error("the JSON is nested deeper than {MAX_DEPTH} at line {line}, column {column}")]
    TooDeep {
        /// Line of the first value too deep, from 1.
        line: usize,
        /// Its column, from 1.
        column: usize,
    },
    /// The body holds more samples than [`MAX_SAMPLES`].
    #[error("the body holds more than {MAX_SAMPLES} samples; send them in several requests")]
    TooManySamples,
}

impl BodyError {
    /// A word that programs can rely on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty_body",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::NotJson { .. } => "not_json",
            Self::NotSamples { .. } => "not_samples",
            Self::TooDeep { .. } => "too_deep",
            Self::TooManySamples => "too_many_samples",
        }
    }
}
