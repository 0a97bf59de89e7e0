//! OpenTelemetry metrics: `opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest`, as
//! protobuf and as JSON.
//!
//! Sources: OTLP 1.x and the metrics data model. What becomes of what:
//!
//! | OpenTelemetry | here |
//! | --- | --- |
//! | gauge; sum that may fall, cumulative | gauge |
//! | sum that only grows, cumulative | counter |
//! | sum, delta | event |
//! | histogram, exponential histogram | observation: what each adds is merged |
//! | summary | refused: quantiles cannot be merged |

mod message;
mod number;
mod read;
mod weight;

use super::{Delivered, ProtocolError};
use crate::binary::protobuf::{put_bytes, put_unsigned};
use crate::start::start_of;
use message::ExportRequest;

/// Most bytes of what is said of a body that is no request.
const REASON_BYTES: usize = 240;

/// How a request is written; its answer is written likewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `application/x-protobuf`
    Protobuf,
    /// `application/json`
    Json,
}

impl Form {
    /// The content type of the form.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }

    /// The form that a `Content-Type` names; `None` for any type that is not taken.
    #[must_use]
    pub fn of_content_type(header: &str) -> Option<Self> {
        let essence = header.split(';').next().unwrap_or_default().trim();
        [Self::Protobuf, Self::Json].into_iter().find(|form| form.content_type().eq_ignore_ascii_case(essence))
    }
}

/// Reads a body.
///
/// # Errors
/// [`ProtocolError`] where the body as a whole cannot be read; a fault of one point is in
/// [`Delivered::rejected`] instead.
pub fn decode(bytes: &[u8], form: Form) -> Result<Delivered, ProtocolError> {
    let request: ExportRequest = match form {
        Form::Protobuf => {
            weight::weigh(bytes)?;
            prost::Message::decode(bytes).map_err(|error| malformed(&error))?
        }
        Form::Json => {
            weight::weigh_json(bytes)?;
            serde_json::from_slice(bytes).map_err(|error| malformed(&error))?
        }
    };
    read::request(&request)
}

/// What was refused of a body whose other points are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// How many points.
    pub rejected: usize,
    /// Why, for people.
    pub message: String,
}

/// The answer to a body that was read: an `ExportMetricsServiceResponse`.
#[must_use]
pub fn encode_success(form: Form, partial: Option<&Partial>) -> Vec<u8> {
    match (form, partial) {
        (Form::Protobuf, None) => Vec::new(),
        (Form::Json, None) => b"{}".to_vec(),
        (Form::Protobuf, Some(Partial { rejected, message })) => {
            let (mut inner, mut outer) = (Vec::new(), Vec::new());
            put_unsigned(&mut inner, 1, *rejected as u64);
            put_bytes(&mut inner, 2, message.as_bytes());
            put_bytes(&mut outer, 1, &inner);
            outer
        }
        (Form::Json, Some(Partial { rejected, message })) => {
            // 64 bits are text in this JSON.
            let partial = serde_json::json!({ "rejectedDataPoints": rejected.to_string(), "errorMessage": message });
            serde_json::json!({ "partialSuccess": partial }).to_string().into_bytes()
        }
    }
}

/// The answer to a body of protobuf that was refused: a `google.rpc.Status` with its message.
#[must_use]
pub fn encode_failure(message: &str) -> Vec<u8> {
    let mut status = Vec::new();
    put_bytes(&mut status, 2, message.as_bytes());
    status
}

fn malformed(error: &dyn std::fmt::Display) -> ProtocolError {
    // The parser may repeat whatever stands where something else should.
    ProtocolError::Malformed { message: "ExportMetricsServiceRequest", reason: start_of(error, REASON_BYTES) }
}
