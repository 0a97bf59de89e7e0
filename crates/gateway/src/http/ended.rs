//! `GET /api/v1/alerts/ended`: alerts that fired and are over.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bellwether_core::alerts::Alert;
use bellwether_core::rule::{AlertState, Severity};
use bellwether_core::time::TimestampMs;
use serde::Serialize;

use super::errors::ApiError;
use super::{Gateway, archive};
use crate::alerting;
use crate::archive::{Figure, LabelMap};
use crate::instant;

/// Most alerts of one answer.
const MOST_LISTED: usize = 1_000;

#[derive(Serialize)]
struct Body<'a> {
    alerts: Vec<Listed<'a>>,
    more: bool,
}

#[derive(Serialize)]
struct Listed<'a> {
    rule: &'a str,
    labels: LabelMap<'a>,
    severity: &'static str,
    active_at: i64,
    fired_at: i64,
    resolved_at: i64,
    value: Option<Figure>,
}

impl<'a> Listed<'a> {
    /// `None` where it is not over, which no record says.
    fn of(alert: &'a Alert) -> Option<Self> {
        let AlertState::Resolved { active_at, fired_at, at } = alert.state else { return None };
        let severity = match alert.severity {
            Severity::Page => "page",
            Severity::Ticket => "ticket",
            Severity::Info => "info",
        };
        Some(Self {
            rule: &alert.rule,
            labels: LabelMap(&alert.labels),
            severity,
            active_at: active_at.get(),
            fired_at: fired_at.get(),
            resolved_at: at.get(),
            value: alert.value.map(Figure),
        })
    }
}

/// The alerts that ended after `from` and up to `to`, the one that ended last first.
pub(super) async fn ended(
    State(gateway): State<Arc<Gateway>>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    gateway.ready()?;
    let (from, to) = span(query.as_deref().unwrap_or_default())?;
    let (permit, snapshot) = archive::ask(&gateway).await?;
    let reading = tokio::task::spawn_blocking(move || {
        let read = snapshot.ended(from, to, MOST_LISTED);
        drop(permit);
        read
    });
    // It panics for nobody, and is given up only when the gateway ends.
    let Ok(read) = reading.await else { return Err(ApiError::Stopping) };
    let found = read.map_err(|error| ApiError::Unreadable { reason: error.to_string() })?;
    let alerts: Vec<_> = found.records.iter().filter_map(|record| alerting::read_ended(record)).collect();
    let body = Body { alerts: alerts.iter().filter_map(Listed::of).collect(), more: found.more };
    // The next one may end at any time.
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// The span that is asked for; all time where nothing is said.
fn span(query: &str) -> Result<(TimestampMs, TimestampMs), ApiError> {
    let (mut from, mut to) = (TimestampMs::new(i64::MIN), TimestampMs::new(i64::MAX));
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let place = match &*name {
            "from" => &mut from,
            "to" => &mut to,
            _ => {
                let message = format!("there is no parameter {name:?}; there are from and to");
                return Err(ApiError::BadQuery { code: "bad_query", message });
            }
        };
        *place = instant::parse(&value).ok_or_else(|| ApiError::BadQuery {
            code: "bad_query",
            message: format!(
                "{name}: {value:?} is no instant; write 2026-11-22, 2026-11-22T06:34:43Z (in UTC) or milliseconds since 1970"
            ),
        })?;
    }
    Ok((from, to))
}
