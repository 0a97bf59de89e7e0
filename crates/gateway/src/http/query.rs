//! `GET /query` and the reports: the scorecard, the board and the list of metrics.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bellwether_core::labels::MetricName;
use bellwether_core::sample::Kind;
use bellwether_wire::query::{GroupsBody, ResultBody, ScorecardBody, Shape, from_query_string};
use serde::Serialize;

use super::Gateway;
use super::errors::ApiError;
use crate::clock;

/// Answers one figure or one for each group.
pub(super) async fn query(State(gateway): State<Arc<Gateway>>, RawQuery(text): RawQuery) -> Result<Response, ApiError> {
    gateway.ready()?;
    let request = from_query_string(text.as_deref().unwrap_or_default())?;
    let at = request.at.unwrap_or_else(clock::now);
    Ok(match request.shape {
        Shape::One => {
            let answer = gateway.hub.evaluate_one(&request.expression, at)?;
            fresh(ResultBody(&answer))
        }
        Shape::Groups => {
            let groups = gateway.hub.evaluate(&request.expression, at)?;
            fresh(GroupsBody(&groups))
        }
    })
}

/// The grants office's three figures over everything that is kept.
pub(super) async fn dashboard(State(gateway): State<Arc<Gateway>>) -> Result<Response, ApiError> {
    gateway.ready()?;
    let scorecard = gateway.hub.scorecard(clock::now())?;
    Ok(fresh(ScorecardBody(&scorecard)))
}

/// The board that is watched.
pub(super) async fn board(State(gateway): State<Arc<Gateway>>) -> Response {
    let text = bellwether_wire::board::encode(gateway.hub.board());
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}

/// Most metrics that are listed.
const MOST_METRICS: usize = 1_000;

/// One metric of the list.
#[derive(Serialize)]
struct ListedMetric {
    name: String,
    kind: &'static str,
    series: usize,
}

/// The metrics there are, sorted by name.
#[derive(Serialize)]
struct MetricList {
    metrics: Vec<ListedMetric>,
    /// How many there are beyond those listed.
    left_out: usize,
}

/// The metrics that have samples, whether a board names them or not.
pub(super) async fn metrics(State(gateway): State<Arc<Gateway>>) -> Result<Response, ApiError> {
    gateway.ready()?;
    let (metrics, left_out) = gateway.hub.metrics(MOST_METRICS);
    let listed = |(name, kind, series): (MetricName, Kind, usize)| ListedMetric {
        name: name.as_str().to_owned(),
        kind: kind.as_str(),
        series,
    };
    Ok(fresh(MetricList { metrics: metrics.into_iter().map(listed).collect(), left_out }))
}

/// A figure is true for an instant: nobody may keep it.
fn fresh(body: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
