//! `POST /ingest`: a body of samples, checked, stored, and only then acknowledged.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bellwether_wire::ingest::{BodyFormat, Ingested, decode};
use bellwether_wire::query::RejectionsBody;
use serde::Serialize;

use super::Gateway;
use super::body::{self, Packing};
use super::errors::ApiError;
use crate::clock;
use crate::store::{IdempotencyKey, KeyError};
use crate::writer::{BatchName, Delivery, Receipt, Written};

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
    let packing = Packing::of(&parts.headers, &[Packing::Gzip])?;
    let body = gateway.bodies.read(body, packing, gateway.limits.body.0).await?;
    let received_at = clock::now();
    let (ingested, body) = body.decoded(move |body| decode(body, format, received_at)).await?;
    let Ingested { accepted, mut rejected } = ingested;
    gateway.takes(accepted.len() + rejected.len())?;
    for rejection in &rejected {
        gateway.metrics.reject(rejection.code.as_str(), 1);
    }
    let Receipt { accepted, histograms: _, rejected: refused } = if accepted.is_empty() {
        Receipt::default()
    } else {
        let name = key.map(|key| BatchName::new(key, &body));
        match gateway.writer.write(Delivery { samples: accepted, histograms: Vec::new(), name, received_at }).await? {
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
    let given = body::text(headers, header::CONTENT_TYPE);
    let taken = "application/json or application/x-ndjson";
    BodyFormat::of_content_type(given.as_deref())
        .ok_or_else(|| ApiError::ContentType { given: given.unwrap_or_default(), taken })
}

pub(super) fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, ApiError> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    // Made readable, two keys could become the same.
    let key = std::str::from_utf8(key.as_bytes()).map_err(|_| KeyError);
    key.and_then(IdempotencyKey::new).map(Some).map_err(|error| ApiError::BadKey { message: error.to_string() })
}
