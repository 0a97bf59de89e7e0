//! The one file that maps errors to HTTP: status, code and the sentence for people.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bellwether_core::query::QueryError;
use bellwether_core::scorecard::ScorecardError;
use bellwether_wire::ingest::BodyError;
use bellwether_wire::protocol::ProtocolError;
use bellwether_wire::query::{ErrorBody, QueryParamError};
use bellwether_wire::start_of;

use super::seats::NoSeat;
use crate::archive::ParamError;
use crate::auth::{Scope, Scopes};
use crate::hub::PastError;
use crate::writer::WriteError;

/// Most bytes of a message.
const MAX_MESSAGE_BYTES: usize = 2_048;
/// Seconds after which a sender may try again.
const RETRY_AFTER_SECS: u64 = 1;

/// Seconds after which wrong tokens are forgotten.
const WRONG_TOKENS_SECS: u64 = 60;

/// Why a request was not answered as asked. Its text is for the sender; nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    /// The body as a whole cannot be read.
    #[error("{message}")]
    BadBody { code: &'static str, message: String },
    /// A parameter is missing, unknown or wrong.
    #[error("{message}")]
    BadQuery { code: &'static str, message: String },
    /// The body holds more samples than are taken at once.
    #[error("the body holds more than {most} samples; send them in several requests")]
    TooManySamples { most: usize },
    /// The `Idempotency-Key` cannot be used.
    #[error("{message}")]
    BadKey { message: String },
    /// The body is longer than allowed.
    #[error("the body is longer than {limit_bytes} bytes; send fewer samples at once")]
    BodyTooLong { limit_bytes: usize },
    /// The body did not arrive in time.
    #[error("the body did not arrive within {limit:?}; send it again")]
    BodyTooSlow { limit: Duration },
    /// The connection broke while the body was read.
    #[error("the body could not be read to its end; send it again")]
    BodyBroken,
    /// The content type is not one of ours.
    #[error("the content type {given:?} is not taken here; use {taken}")]
    ContentType { given: String, taken: &'static str },
    /// The body is compressed in a way that is not ours.
    #[error("the content encoding {given:?} is not taken here; use {taken}")]
    ContentEncoding { given: String, taken: &'static str },
    /// The body is not compressed as it is said to be.
    #[error("the body is not {packing}: {reason}")]
    BadPacking { packing: &'static str, reason: String },
    /// The protocol's version is not one of ours.
    #[error("version {given:?} of the protocol is not taken here; use {taken}")]
    Version { given: String, taken: &'static str },
    /// The bodies that are being read take all the room there is.
    #[error("too many bodies are being read; send this one again in a second")]
    NoRoom,
    /// The `Host` header names another host.
    #[error("{}", foreign_host(.host))]
    Host { host: String },
    /// A page of another origin asks.
    #[error("{}", foreign(.origin))]
    Origin { origin: String },
    /// Nobody says who asks.
    #[error("this gateway asks who is there: send a token as `Authorization: Bearer …`, or open the page and sign in")]
    TokenNeeded,
    /// Somebody says so wrongly.
    #[error("this token is not known here, or has ended; ask whoever runs the gateway for another")]
    BadToken,
    /// Too many wrong tokens.
    #[error("too many wrong tokens came from this address; try again in a minute")]
    TooManyWrong,
    /// The token is for something else.
    #[error("this needs a token with the scope {needed}; the one that came has {has}", needed = .needed.as_str(), has = .has.text())]
    ScopeMissing { needed: Scope, has: Scopes },
    /// The system has no random numbers.
    #[error("the system gives no random number; try again")]
    NoRandomness,
    /// The WebSocket handshake is not ours.
    #[error("{message}")]
    Handshake { message: String },
    /// There is nothing at the path.
    #[error("there is nothing at {path}")]
    NotFound { path: String },
    /// The path is there, the method is not.
    #[error("{path} does not take {method}")]
    Method { path: String, method: String },
    /// More is waiting to be written than fits.
    #[error("more samples are waiting than can be written; send this batch again in a second")]
    Overloaded,
    /// Others read the whole store.
    #[error("{at_once} exports or backups are being taken already; ask again when one of them has ended")]
    Archiving { at_once: usize },
    /// Others ask about the long past.
    #[error("{at_once} questions about the long past are being answered already; ask again in a second")]
    Questions { at_once: usize },
    /// Others correct stored samples, or read the trail.
    #[error("{at_once} corrections are being searched for, or their trail is read, already; ask again in a second")]
    Corrections { at_once: usize },
    /// Stored samples are not changed as asked.
    #[error("{message}")]
    Correction { status: StatusCode, code: &'static str, message: String },
    /// The store cannot be read.
    #[error("the store cannot be read at the moment ({reason}); ask again in a second")]
    Unreadable { reason: String },
    /// Too many live connections.
    #[error(transparent)]
    TooManyConnections(#[from] NoSeat),
    /// The store cannot write.
    #[error("the store cannot write at the moment ({reason}); nothing of this batch was kept, send it again")]
    Store { reason: String },
    /// The gateway has not read its store yet.
    #[error("the gateway is starting and reads its store; try again in a second")]
    Starting,
    /// The gateway is about to end.
    #[error("the gateway is stopping; try again in a moment")]
    Stopping,
}

fn foreign_host(host: &str) -> String {
    if host.is_empty() {
        return "the request names no host, or several; send one Host header".to_owned();
    }
    format!("this gateway does not answer for the host {host}; start it with --allow-host {host} to add the name")
}

fn foreign(origin: &str) -> String {
    if origin == "null" {
        // What a browser says of a file, or of a frame in a sandbox: it names nobody who could be allowed.
        "a page without an origin may not ask this gateway; open the page from a web server, not as a file".to_owned()
    } else {
        format!("pages of {origin} may not ask this gateway; start it with --allow-origin {origin} to allow them")
    }
}

impl ApiError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::BadBody { .. } | Self::TooManySamples { .. } | Self::BadQuery { .. } | Self::BadKey { .. } => {
                StatusCode::BAD_REQUEST
            }
            Self::BadPacking { .. } | Self::Handshake { .. } => StatusCode::BAD_REQUEST,
            Self::BodyTooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ContentType { .. } | Self::ContentEncoding { .. } | Self::Version { .. } => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::Host { .. } => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin { .. } | Self::ScopeMissing { .. } => StatusCode::FORBIDDEN,
            Self::TokenNeeded | Self::BadToken => StatusCode::UNAUTHORIZED,
            Self::TooManyWrong => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::Correction { status, .. } => *status,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            // Not the sender's fault for good: Prometheus and the OpenTelemetry SDKs drop what is answered with 400
            // or 408, and send again what is answered with this.
            Self::BodyTooSlow { .. }
            | Self::BodyBroken
            | Self::Overloaded
            | Self::Archiving { .. }
            | Self::Questions { .. }
            | Self::Corrections { .. }
            | Self::Unreadable { .. }
            | Self::NoRoom
            | Self::NoRandomness
            | Self::TooManyConnections(_)
            | Self::Store { .. }
            | Self::Starting
            | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The stable word for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::BadBody { code, .. } | Self::BadQuery { code, .. } | Self::Correction { code, .. } => code,
            Self::TooManySamples { .. } => "too_many_samples",
            Self::BadKey { .. } => "bad_idempotency_key",
            Self::BodyTooLong { .. } => "body_too_large",
            Self::BodyTooSlow { .. } => "body_too_slow",
            Self::BodyBroken => "body_broken",
            Self::ContentType { .. } => "unsupported_content_type",
            Self::ContentEncoding { .. } => "unsupported_content_encoding",
            Self::BadPacking { .. } => "bad_compression",
            Self::Version { .. } => "unsupported_version",
            Self::Host { .. } => "host_not_allowed",
            Self::Origin { .. } => "origin_not_allowed",
            Self::TokenNeeded => "token_needed",
            Self::BadToken => "bad_token",
            Self::TooManyWrong => "too_many_wrong_tokens",
            Self::ScopeMissing { .. } => "scope_missing",
            Self::NoRandomness => "no_randomness",
            Self::Handshake { .. } => "bad_handshake",
            Self::NotFound { .. } => "not_found",
            Self::Method { .. } => "method_not_allowed",
            Self::Archiving { .. } => "archiving",
            Self::Unreadable { .. } => "store_unavailable",
            Self::Overloaded | Self::NoRoom | Self::Questions { .. } | Self::Corrections { .. } => "overloaded",
            Self::TooManyConnections(_) => "too_many_connections",
            Self::Store { .. } => "store_unavailable",
            Self::Starting => "starting",
            Self::Stopping => "stopping",
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        Self::BadBody { code: error.code(), message: error.to_string() }
    }
}

impl From<ProtocolError> for ApiError {
    fn from(error: ProtocolError) -> Self {
        Self::BadBody { code: error.code(), message: error.to_string() }
    }
}

impl From<QueryParamError> for ApiError {
    fn from(error: QueryParamError) -> Self {
        Self::BadQuery { code: error.code(), message: error.to_string() }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let code = match error {
            QueryError::ZeroWindow | QueryError::WindowTooLong { .. } => "bad_window",
            QueryError::NotForKind { .. } => "bad_aggregation",
            QueryError::AcrossNeeded { .. } => "bad_across",
            QueryError::RightEdgeGone { .. } => "bad_at",
            _ => "bad_query",
        };
        Self::BadQuery { code, message: error.to_string() }
    }
}

impl From<ParamError> for ApiError {
    fn from(error: ParamError) -> Self {
        Self::BadQuery { code: "bad_query", message: error.to_string() }
    }
}

impl From<PastError> for ApiError {
    fn from(error: PastError) -> Self {
        match error {
            PastError::TooMuch { .. } => Self::BadQuery { code: "bad_query", message: error.to_string() },
            PastError::Damaged(_) | PastError::Config(_) | PastError::Store(_) => {
                Self::Unreadable { reason: error.to_string() }
            }
        }
    }
}

impl From<ScorecardError> for ApiError {
    fn from(error: ScorecardError) -> Self {
        Self::BadQuery { code: "bad_query", message: error.to_string() }
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Overloaded => Self::Overloaded,
            WriteError::Stopping => Self::Stopping,
            WriteError::Store { reason } => Self::Store { reason },
            WriteError::OutOfTime { reason } => {
                Self::Correction { status: StatusCode::UNPROCESSABLE_ENTITY, code: "bad_timestamp", message: reason }
            }
            WriteError::KeyReused => Self::BadKey { message: error.to_string() },
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECS));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(WRONG_TOKENS_SECS));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bellwether\""));
        }
        // A body may have a fault in every field, and each is named.
        let message = start_of(&self, MAX_MESSAGE_BYTES);
        (status, headers, Json(ErrorBody { code: self.code(), message: &message })).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: impl Into<ApiError>, status: u16, code: &str) {
        let error = error.into();
        assert_eq!(error.code(), code);
        let response = error.into_response();
        assert_eq!(response.status(), status);
        let retry_after = response.headers().get(header::RETRY_AFTER);
        assert_eq!(retry_after.is_some(), matches!(status, 429 | 503));
        assert_eq!(response.headers().contains_key(header::WWW_AUTHENTICATE), status == 401);
        assert_eq!(response.headers().get(header::CACHE_CONTROL).unwrap(), "no-store");
    }

    #[test]
    fn what_may_be_sent_again_says_when() {
        check(WriteError::Overloaded, 503, "overloaded");
        check(WriteError::Store { reason: "full".to_owned() }, 503, "store_unavailable");
        check(WriteError::Stopping, 503, "stopping");
        check(ApiError::Starting, 503, "starting");
        check(ApiError::BodyTooSlow { limit: Duration::from_secs(10) }, 503, "body_too_slow");
        check(ApiError::BodyBroken, 503, "body_broken");
        check(NoSeat::OfAddress { most: 10 }, 503, "too_many_connections");
    }

    #[tokio::test]
    async fn a_message_is_bounded() {
        let error = ApiError::BadBody { code: "bad_correction", message: "x".repeat(1 << 20) };
        let body = axum::body::to_bytes(error.into_response().into_body(), 1 << 20).await.unwrap();
        assert!((2_048..2_200).contains(&body.len()), "{}", body.len());
    }

    #[test]
    fn what_is_the_senders_fault_says_what() {
        check(WriteError::KeyReused, 400, "bad_idempotency_key");
        check(BodyError::Empty, 400, "empty_body");
        check(ApiError::TokenNeeded, 401, "token_needed");
        check(ApiError::BadToken, 401, "bad_token");
        check(ApiError::TooManyWrong, 429, "too_many_wrong_tokens");
        check(ApiError::ScopeMissing { needed: Scope::Read, has: Scopes::default() }, 403, "scope_missing");
        check(QueryError::ZeroWindow, 400, "bad_window");
    }
}
