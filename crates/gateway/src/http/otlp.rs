//! `POST /v1/metrics`: OpenTelemetry metrics over HTTP, as protobuf or JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bellwether_wire::protocol::otlp::{Form, Partial, decode, encode_failure, encode_success};

use super::Gateway;
use super::body::{self, Packing};
use super::delivered::{Kept, keep, sentence};
use super::errors::ApiError;
use crate::clock;

/// Takes points: 200 when they were read, with how many were refused and why; nothing of that is to be sent
/// again. Only 503 is.
pub(super) async fn write(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let form = form(request.headers());
    let taken = match form {
        Some(form) => take(&gateway, form, request).await,
        None => {
            let given = body::text(request.headers(), header::CONTENT_TYPE).unwrap_or_default();
            Err(ApiError::ContentType { given, taken: "application/x-protobuf or application/json" })
        }
    };
    let form = form.unwrap_or(Form::Json);
    match taken {
        Ok(kept) => answer(form, StatusCode::OK, encode_success(form, partial(&kept).as_ref())),
        Err(error) => {
            gateway.metrics.refuse(error.code());
            refusal(form, error)
        }
    }
}

fn form(headers: &HeaderMap) -> Option<Form> {
    Form::of_content_type(&body::text(headers, header::CONTENT_TYPE)?)
}

async fn take(gateway: &Gateway, form: Form, request: Request) -> Result<Kept, ApiError> {
    let (parts, body) = request.into_parts();
    gateway.allow.check_origin(&parts.headers)?;
    gateway.ready()?;
    let packing = Packing::of(&parts.headers, &[Packing::Gzip])?;
    let body = gateway.bodies.read(body, packing, gateway.limits.binary_body.0).await?;
    let received_at = clock::now();
    let (delivered, body) = body.decoded(move |body| decode(body, form)).await?;
    keep(gateway, &parts.headers, &body, delivered, received_at).await
}

fn partial(kept: &Kept) -> Option<Partial> {
    let rejected = kept.rejected.len();
    (rejected > 0).then(|| Partial { rejected, message: sentence(kept) })
}

fn answer(form: Form, status: StatusCode, body: Vec<u8>) -> Response {
    let content_type = HeaderValue::from_static(form.content_type());
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

/// The status and the headers of the error with a body that the protocol's clients read.
fn refusal(form: Form, error: ApiError) -> Response {
    if form == Form::Json {
        let message = error.to_string();
        let code = error.code();
        let mut response = error.into_response();
        let body = serde_json::json!({ "message": message, "error": { "code": code, "message": message } });
        *response.body_mut() = Json(body).into_response().into_body();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        return response;
    }
    let body = encode_failure(&error.to_string());
    let mut response = error.into_response();
    *response.body_mut() = body.into();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    response
}
