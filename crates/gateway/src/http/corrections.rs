//! `POST /api/v1/corrections`: stored samples are corrected, withdrawn or erased. `GET` reads the trail of it.

use std::sync::Arc;

use axum::extract::RawQuery;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bellwether_core::sample::Sample;
use bellwether_core::time::TimestampMs;
use bellwether_wire::correction::{CorrectionAction, CorrectionRequest, decode};
use serde::Serialize;

use super::body::Packing;
use super::errors::ApiError;
use super::{Gateway, archive};
use crate::archive::{Figure, LabelMap};
use crate::auth::Principal;
use crate::clock;
use crate::instant;
use crate::store::{About, Change, Changed, Corrected, Correction, Entry, Target, Trail};

/// Longest body of a correction.
const MAX_BODY_BYTES: usize = 64 * 1_024;
/// How often a search is begun anew where samples were sealed meanwhile.
const MOST_SEARCHES: usize = 5;
/// Most corrections of one answer.
const MOST_LISTED: usize = 1_000;

/// What became of a correction.
#[derive(Serialize)]
struct Done {
    id: u64,
    action: &'static str,
    at: i64,
    samples: usize,
    #[serde(skip_serializing_if = "is_zero")]
    unreadable: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Changes stored samples. 200 once the change is on disk and to be seen.
pub(super) async fn correct(
    State(gateway): State<Arc<Gateway>>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    gateway.allow.check_origin(&parts.headers)?;
    gateway.ready()?;
    let packing = Packing::of(&parts.headers, &[])?;
    let body = gateway.bodies.read(body, packing, MAX_BODY_BYTES).await?;
    let text = std::str::from_utf8(&body)
        .map_err(|_| ApiError::BadBody { code: "not_utf8", message: "the body is not UTF-8".to_owned() })?;
    let asked =
        decode(text).map_err(|error| ApiError::BadBody { code: "bad_correction", message: error.to_string() })?;
    let CorrectionRequest { reference, metric, labels, at, action, reason } = asked;
    let change = match action {
        CorrectionAction::Correct { value, timestamp } => Change::Correct { value, timestamp },
        CorrectionAction::Withdraw => Change::Withdraw,
        CorrectionAction::Erase => Change::Erase,
    };
    let target = Target { reference: Arc::from(reference), metric, labels, at };
    let reason = reason.map(Arc::from);
    // The writer says when it is made.
    let asked = Arc::new(Correction { target, change, reason, by: principal.name, now: clock::now() });
    for _ in 0..MOST_SEARCHES {
        let (permit, snapshot) = archive::correct(&gateway).await?;
        let searched = Arc::clone(&asked);
        let finding = tokio::task::spawn_blocking(move || {
            let found = snapshot.find(&searched.target, searched.change.action());
            drop(permit);
            found
        });
        // It panics for nobody, and is given up only when the gateway ends.
        let Ok(found) = finding.await else { return Err(ApiError::Stopping) };
        let found = found.map_err(|error| ApiError::Unreadable { reason: error.to_string() })?;
        let unreadable = found.unreadable();
        let done = match gateway.writer.correct(Arc::clone(&asked), found).await? {
            Corrected::Done { id, at, samples, .. } => Some((id, at, samples)),
            Corrected::Overtaken => None,
            other => return Err(refusal(&other, unreadable)),
        };
        if let Some((id, at, samples)) = done {
            let action = asked.change.action().as_str();
            tracing::info!(id, action, samples, by = %asked.by, "stored samples were changed");
            return Ok(fresh(Done { id, action, at: at.get(), samples, unreadable }));
        }
    }
    Err(ApiError::Overloaded)
}

/// Why nothing was changed.
fn refusal(corrected: &Corrected, unreadable: u64) -> ApiError {
    let damaged = match unreadable {
        0 => String::new(),
        some => format!("; {some} damaged records could not be searched"),
    };
    match corrected {
        Corrected::Ambiguous { samples } => ApiError::Correction {
            status: StatusCode::CONFLICT,
            code: "ambiguous_ref",
            message: format!(
                "{samples} samples have this ref, and one is corrected at a time; narrow it with \"name\", \"labels\" or \"at\""
            ),
        },
        Corrected::TooMany { most } => ApiError::Correction {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: "too_many_samples",
            message: format!("more than {most} samples have this ref; narrow it with \"name\", \"labels\" or \"at\""),
        },
        Corrected::Same => ApiError::Correction {
            status: StatusCode::CONFLICT,
            code: "not_changed",
            message: "the sample has this value and this time already".to_owned(),
        },
        _ => ApiError::Correction {
            status: StatusCode::NOT_FOUND,
            code: "unknown_ref",
            message: format!(
                "no stored sample is meant: none has this ref, or it was withdrawn or erased before{damaged}"
            ),
        },
    }
}

/// One correction of the trail.
#[derive(Serialize)]
struct Listed<'a> {
    id: u64,
    at: i64,
    by: &'a str,
    action: &'static str,
    /// Whether what it was about is erased.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    erased: bool,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    samples: Vec<ListedSample<'a>>,
}

#[derive(Serialize)]
struct ListedSample<'a> {
    name: &'a str,
    labels: LabelMap<'a>,
    before: Point,
    after: Option<Point>,
}

#[derive(Serialize)]
struct Point {
    timestamp: i64,
    value: Figure,
}

impl From<Sample> for Point {
    fn from(sample: Sample) -> Self {
        Self { timestamp: sample.timestamp().get(), value: Figure(sample.value()) }
    }
}

impl<'a> Listed<'a> {
    fn of((id, entry): &'a (u64, Entry)) -> Self {
        let Entry { at, by, action, about } = entry;
        let (mut reference, mut reason, mut samples) = (None, None, Vec::new());
        if let Some(About { reference: of, reason: why, samples: changed }) = about {
            (reference, reason) = (Some(&**of), why.as_deref());
            samples = changed.iter().map(ListedSample::of).collect();
        }
        let (at, action) = (at.get(), action.as_str());
        Self { id: *id, at, by, action, erased: about.is_none(), reference, reason, samples }
    }
}

impl<'a> ListedSample<'a> {
    fn of(changed: &'a Changed) -> Self {
        let Changed { series, before, after } = changed;
        Self {
            name: series.metric.as_str(),
            labels: LabelMap(&series.labels),
            before: (*before).into(),
            after: after.map(Point::from),
        }
    }
}

#[derive(Serialize)]
struct TrailBody<'a> {
    corrections: Vec<Listed<'a>>,
    /// The number to go on with, where there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// The trail: the corrections that were made after `from` and up to `to`, oldest first.
pub(super) async fn trail(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    gateway.allow.check_origin(&headers)?;
    gateway.ready()?;
    let asked = TrailRequest::read(query.as_deref().unwrap_or_default())?;
    let (permit, snapshot) = archive::correct(&gateway).await?;
    let reading = tokio::task::spawn_blocking(move || {
        let read = snapshot.trail(asked.id, (asked.from, asked.to), MOST_LISTED);
        drop(permit);
        read
    });
    let Ok(read) = reading.await else { return Err(ApiError::Stopping) };
    let Trail { entries, next, faults } = read.map_err(|error| ApiError::Unreadable { reason: error.to_string() })?;
    for fault in &faults {
        tracing::error!(%fault, "the trail of corrections is not whole");
    }
    Ok(fresh(TrailBody { corrections: entries.iter().map(Listed::of).collect(), next }))
}

/// What of the trail is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct TrailRequest {
    from: TimestampMs,
    to: TimestampMs,
    id: u64,
}

impl TrailRequest {
    fn read(query: &str) -> Result<Self, ApiError> {
        let mut request = Self { from: TimestampMs::new(i64::MIN), to: TimestampMs::new(i64::MAX), id: 0 };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let bad = |wanted: &str| ApiError::BadQuery {
                code: "bad_query",
                message: format!("{name}: {value:?} is no {wanted}"),
            };
            let instant = || {
                instant::parse(&value).ok_or_else(|| {
                    bad("instant; write 2026-11-22, 2026-11-22T06:34:43Z (in UTC) or milliseconds since 1970")
                })
            };
            match &*name {
                "from" => request.from = instant()?,
                "to" => request.to = instant()?,
                "id" => request.id = value.parse().map_err(|_| bad("number of a correction"))?,
                _ => {
                    let message = format!("there is no parameter {name:?}; there are from, to and id");
                    return Err(ApiError::BadQuery { code: "bad_query", message });
                }
            }
        }
        Ok(request)
    }
}

fn fresh(body: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_of_the_trail_is_asked_for() {
        let at = TimestampMs::new;
        let all = TrailRequest { from: at(i64::MIN), to: at(i64::MAX), id: 0 };
        assert_eq!(TrailRequest::read(""), Ok(all));
        let some = TrailRequest { from: at(1_795_305_600_000), to: at(7), id: 12 };
        assert_eq!(TrailRequest::read("from=2026-11-22&to=7&id=12"), Ok(some));
        for wrong in ["from=yesterday", "id=-1", "form=7"] {
            let error = TrailRequest::read(wrong).unwrap_err();
            assert_eq!((error.status().as_u16(), error.code()), (400, "bad_query"), "{wrong}");
        }
    }
}
