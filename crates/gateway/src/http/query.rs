//! `GET /query` and the reports: the scorecard, the board and the list of metrics.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bellwether_core::labels::MetricName;
use bellwether_core::query::{Answer, Expression, Group, QueryError};
use bellwether_core::sample::Kind;
use bellwether_core::time::TimestampMs;
use bellwether_wire::query::{GroupsBody, QueryRequest, ResultBody, ScorecardBody, Shape, from_query_string};
use serde::Serialize;

use super::errors::ApiError;
use super::{Gateway, archive};
use crate::clock;
use crate::hub::{Hub, engine_of_past};

/// Answers one figure or one for each group.
pub(super) async fn query(State(gateway): State<Arc<Gateway>>, RawQuery(text): RawQuery) -> Result<Response, ApiError> {
    gateway.ready()?;
    let request = from_query_string(text.as_deref().unwrap_or_default())?;
    let at = request.at.unwrap_or_else(clock::now);
    let QueryRequest { expression, shape, .. } = &request;
    let answered = match shape {
        Shape::One => gateway.hub.evaluate_one(expression, at).map(|answer| one(&gateway.hub, expression, at, &answer)),
        Shape::Groups => gateway.hub.evaluate(expression, at).map(|found| groups(&gateway.hub, expression, at, &found)),
    };
    match answered {
        Err(QueryError::WindowTooLong { .. }) => long_past(&gateway, request, at).await,
        answered => Ok(answered?),
    }
}

/// Answers from the store what is longer than the engine in memory holds.
async fn long_past(gateway: &Gateway, request: QueryRequest, at: TimestampMs) -> Result<Response, ApiError> {
    let (permit, snapshot) = archive::ask(gateway).await?;
    let (hub, config) = (Arc::clone(&gateway.hub), gateway.hub.config());
    let answering = tokio::task::spawn_blocking(move || {
        let QueryRequest { expression, shape, .. } = &request;
        let engine = engine_of_past(&snapshot, expression, at, clock::now(), config)?;
        drop(permit);
        Ok(match shape {
            Shape::One => one(&hub, expression, at, &engine.evaluate_one(expression, at)?),
            Shape::Groups => groups(&hub, expression, at, &engine.evaluate(expression, at)?),
        })
    });
    // It panics for nobody, and is given up only when the gateway ends.
    answering.await.unwrap_or(Err(ApiError::Stopping))
}

fn one(hub: &Hub, expression: &Expression, at: TimestampMs, answer: &Answer) -> Response {
    fresh(ResultBody { answer, restated: hub.restated(expression, at, answer) })
}

fn groups(hub: &Hub, expression: &Expression, at: TimestampMs, groups: &[Group]) -> Response {
    fresh(GroupsBody { groups, restated: &hub.restated_groups(expression, at, groups) })
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
