//! `POST /ingest`: a body of samples, checked, stored, and only then acknowledged.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bellwether_wire::ingest::{BodyFormat, Ingested, decode};
use bellwether_wire::query::RejectionsBody;
use futures_util::StreamExt;
use serde::Serialize;

use super::Gateway;
use super::errors::ApiError;
use crate::clock;
use crate::store::{IdempotencyKey, KeyError};
use crate::writer::{BatchName, Delivery, Receipt, Written};

/// How many times its limit a body that is too long is still read, so that its sender gets to read the answer.
const DRAINED_BODIES: usize = 16;
/// The header that names a batch.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The answer to a batch that was stored before, when what was told about it is forgotten.
#[derive(Serialize)]
struct RepeatedBody {
    repeated: bool,
}

/// Takes samples: 204 when all are stored, 422 with what was refused when only some are.
pub(super) async fn ingest(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    match take(&gateway, request).await {
        Ok(response) => response,
        Err(error) => {
            gateway.metrics.refuse(error.code());
            error.into_response()
        }
    }
}

async fn take(gateway: &Gateway, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    gateway.allow.check_origin(&parts.headers)?;
    gateway.ready()?;
    let format = format(&parts.headers)?;
    let key = key(&parts.headers)?;
    let limits = &gateway.limits;
    let body = read(body, limits.body.0, limits.body_time.get()).await?;
    let received_at = clock::now();
    let Ingested { accepted, mut rejected } = decode(&body, format, received_at)?;
    for rejection in &rejected {
        gateway.metrics.reject(rejection.code.as_str(), 1);
    }
    let Receipt { accepted, rejected: refused } = if accepted.is_empty() {
        Receipt::default()
    } else {
        let name = key.map(|key| BatchName::new(key, &body));
        match gateway.writer.write(Delivery { samples: accepted, name, received_at }).await? {
            Written::Told(receipt) => receipt,
            Written::Before => return Ok(Json(RepeatedBody { repeated: true }).into_response()),
        }
    };
    rejected.extend(refused);
    if rejected.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    rejected.sort_by_key(|rejection| rejection.index);
    let body = Json(RejectionsBody { accepted, rejected: &rejected });
    Ok((StatusCode::UNPROCESSABLE_ENTITY, body).into_response())
}

fn format(headers: &HeaderMap) -> Result<BodyFormat, ApiError> {
    let text = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    if let Some(given) = text(header::CONTENT_ENCODING).filter(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(ApiError::ContentEncoding { given });
    }
    let given = text(header::CONTENT_TYPE);
    BodyFormat::of_content_type(given.as_deref())
        .ok_or_else(|| ApiError::ContentType { given: given.unwrap_or_default() })
}

fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, ApiError> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    // Made readable, two keys could become the same.
    let key = std::str::from_utf8(key.as_bytes()).map_err(|_| KeyError);
    key.and_then(IdempotencyKey::new).map(Some).map_err(|error| ApiError::BadKey { message: error.to_string() })
}

/// Reads a body of at most `most_bytes` to its end, within `limit`.
async fn read(body: Body, most_bytes: usize, limit: Duration) -> Result<Bytes, ApiError> {
    let reading = async {
        let mut stream = body.into_data_stream();
        let mut whole = Vec::new();
        let mut length = 0;
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|_| ApiError::BodyBroken)?;
            length += piece.len();
            if length <= most_bytes {
                whole.extend_from_slice(&piece);
            } else if length > most_bytes.saturating_mul(DRAINED_BODIES) {
                break;
            }
        }
        if length > most_bytes {
            return Err(ApiError::BodyTooLong { limit_bytes: most_bytes });
        }
        Ok(Bytes::from(whole))
    };
    let slow = ApiError::BodyTooSlow { limit_secs: limit.as_secs() };
    tokio::time::timeout(limit, reading).await.unwrap_or(Err(slow))
}
