//! The protocols of text by lines: `POST /write` and `/api/v2/write` of InfluxDB, and the text of a `/metrics`
//! page, pushed to `POST /api/v1/import/prometheus`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bellwether_core::time::TimestampMs;
use bellwether_wire::protocol::exposition::{self, Format};
use bellwether_wire::protocol::line::{self, Precision};
use bellwether_wire::protocol::{Delivered, ProtocolError};
use serde_json::json;

use super::Gateway;
use super::body::{self, Packing};
use super::delivered::{Kept, PartlyRefused, keep, sentence};
use super::errors::ApiError;
use crate::clock;

/// `POST /write`, as InfluxDB 1 has it: errors are one text.
pub(super) async fn influx_v1(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let taken = influx(&gateway, request).await;
    answer(&gateway, taken, |code, message| json!({ "code": code, "error": message }))
}

/// `POST /api/v2/write`, as InfluxDB 2 has it: errors are a code and a message.
pub(super) async fn influx_v2(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let taken = influx(&gateway, request).await;
    answer(&gateway, taken, |code, message| json!({ "code": code, "message": message }))
}

/// `POST /api/v1/import/prometheus`.
pub(super) async fn exposition(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    match pushed(&gateway, request).await {
        Ok(kept) if kept.rejected.is_empty() => StatusCode::NO_CONTENT.into_response(),
        Ok(kept) => (StatusCode::BAD_REQUEST, Json(PartlyRefused::of(&kept))).into_response(),
        Err(error) => {
            gateway.metrics.refuse(error.code());
            error.into_response()
        }
    }
}

async fn influx(gateway: &Gateway, request: Request) -> Result<Kept, ApiError> {
    let precision = match parameter(&request, "precision").next() {
        None => Precision::Nanoseconds,
        Some(text) => Precision::of(&text).ok_or_else(|| ApiError::BadQuery {
            code: "bad_precision",
            message: format!("{text:?} is no precision; use ns, us, ms, s, m or h"),
        })?,
    };
    take(gateway, request, move |body, received_at| line::decode(body, precision, received_at)).await
}

async fn pushed(gateway: &Gateway, request: Request) -> Result<Kept, ApiError> {
    let given = body::text(request.headers(), header::CONTENT_TYPE);
    let taken = "text/plain or application/openmetrics-text";
    let format = Format::of_content_type(given.as_deref())
        .ok_or_else(|| ApiError::ContentType { given: given.unwrap_or_default(), taken })?;
    let mut more = Vec::new();
    for label in parameter(&request, "extra_label") {
        let (name, value) = label.split_once('=').ok_or_else(|| ApiError::BadQuery {
            code: "bad_label",
            message: format!("extra_label={label:?} is no label; write name=value"),
        })?;
        more.push((name.to_owned(), value.to_owned()));
    }
    take(gateway, request, move |body, received_at| exposition::decode(body, format, received_at, &more)).await
}

/// All values of a parameter of the query.
fn parameter(request: &Request, name: &str) -> impl Iterator<Item = String> {
    let query = request.uri().query().unwrap_or_default();
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(move |(known, _)| known == name);
    pairs.map(|(_, value)| value.into_owned()).collect::<Vec<_>>().into_iter()
}

async fn take(
    gateway: &Gateway,
    request: Request,
    decode: impl FnOnce(&[u8], TimestampMs) -> Result<Delivered, ProtocolError> + Send + 'static,
) -> Result<Kept, ApiError> {
    let (parts, body) = request.into_parts();
    gateway.allow.check_origin(&parts.headers)?;
    gateway.ready()?;
    let packing = Packing::of(&parts.headers, &[Packing::Gzip])?;
    let body = gateway.bodies.read(body, packing, gateway.limits.body.0).await?;
    let received_at = clock::now();
    let (delivered, body) = body.decoded(move |body| decode(body, received_at)).await?;
    keep(gateway, &parts.headers, &body, delivered, received_at).await
}

/// 204 where all is stored; 400 with what was refused where only some is, which is not to be sent again.
fn answer(
    gateway: &Gateway,
    taken: Result<Kept, ApiError>,
    body: impl Fn(&str, &str) -> serde_json::Value,
) -> Response {
    match taken {
        Ok(kept) if kept.rejected.is_empty() => StatusCode::NO_CONTENT.into_response(),
        Ok(kept) => {
            let message = format!("partial write: {}", sentence(&kept));
            (StatusCode::BAD_REQUEST, Json(body("invalid", &message))).into_response()
        }
        Err(error) => {
            let code = error.code();
            gateway.metrics.refuse(code);
            let text = body(code, &error.to_string());
            let mut response = error.into_response();
            *response.body_mut() = Json(text).into_response().into_body();
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response
        }
    }
}
