//! Whether the gateway lives, whether it is ready, and its counters.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Gateway;
use super::errors::ApiError;
use super::security::RESOURCE_POLICY;

/// The process answers. A page elsewhere may fetch this, unread: so it can tell a gateway that does not let it in from
/// none at all.
pub(super) async fn healthy() -> impl IntoResponse {
    ([(RESOURCE_POLICY, "cross-origin")], "healthy\n")
}

/// The store is read and samples are taken.
pub(super) async fn ready(State(gateway): State<Arc<Gateway>>) -> Result<&'static str, ApiError> {
    gateway.ready()?;
    Ok("ready\n")
}

/// The gateway's own counters, as OpenMetrics text.
pub(super) async fn metrics(State(gateway): State<Arc<Gateway>>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store")], gateway.metrics.text())
        .into_response()
}
