//! `POST /api/v1/write`: Prometheus remote write 1.0 and 2.0.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bellwether_wire::protocol::KnownSeries;
use bellwether_wire::protocol::remote_write::{Version, decode_knowing};

use super::Gateway;
use super::body::{self, Packing};
use super::delivered::{Kept, PartlyRefused, keep};
use super::errors::ApiError;
use crate::clock;

const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("x-prometheus-remote-write-version");
const SAMPLES_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-samples-written");
const HISTOGRAMS_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-histograms-written");
const EXEMPLARS_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-exemplars-written");

/// The series that messages named before, one collection for each message that is decoded at once. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(Arc<Mutex<Vec<KnownSeries>>>);

/// Most collections that wait for a message.
const MOST_KNOWN: usize = 4;

impl Known {
    fn idle(&self) -> MutexGuard<'_, Vec<KnownSeries>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> KnownSeries {
        self.idle().pop().unwrap_or_default()
    }

    fn give_back(&self, series: KnownSeries) {
        let mut idle = self.idle();
        if idle.len() < MOST_KNOWN {
            idle.push(series);
        }
    }
}

/// Takes samples: 204 when all are stored, 400 with what was refused when only some are, which is not to
/// be sent again.
pub(super) async fn write(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    match take(&gateway, request).await {
        Ok(kept) => answer(&kept),
        Err(error) => {
            gateway.metrics.refuse(error.code());
            (written(0, 0), error).into_response()
        }
    }
}

async fn take(gateway: &Gateway, request: Request) -> Result<Kept, ApiError> {
    let (parts, body) = request.into_parts();
    gateway.allow.check_origin(&parts.headers)?;
    gateway.ready()?;
    let version = version(&parts.headers)?;
    let packing = Packing::of(&parts.headers, &[Packing::Snappy])?;
    if packing == Packing::Plain {
        let given = body::text(&parts.headers, header::CONTENT_ENCODING).unwrap_or_else(|| "none".to_owned());
        return Err(ApiError::ContentEncoding { given, taken: "snappy" });
    }
    let body = gateway.bodies.read(body, packing, gateway.limits.binary_body.0).await?;
    let received_at = clock::now();
    let described = gateway.described.clone();
    let known = gateway.known.clone();
    let decoding = move |body: &[u8]| {
        let mut series = known.take();
        let decoded = decode_knowing(&mut series, body, version, |metric| described.kind(metric));
        known.give_back(series);
        decoded
    };
    let (delivered, body) = body.decoded(decoding).await?;
    keep(gateway, &parts.headers, &body, delivered, received_at).await
}

/// The version of the message: the content type says it, and the header of the protocol must be of one
/// that is known.
fn version(headers: &HeaderMap) -> Result<Version, ApiError> {
    if let Some(given) = body::text(headers, PROTOCOL_VERSION)
        && !given.starts_with("0.1.")
        && !given.starts_with("2.0.")
    {
        return Err(ApiError::Version { given, taken: "0.1.0 or 2.0.0" });
    }
    let given = body::text(headers, header::CONTENT_TYPE).unwrap_or_default();
    let taken = "application/x-protobuf, with proto=io.prometheus.write.v2.Request for version 2.0";
    Version::of_content_type(&given).ok_or(ApiError::ContentType { given, taken })
}

fn written(samples: usize, histograms: usize) -> [(HeaderName, HeaderValue); 3] {
    [
        (SAMPLES_WRITTEN, HeaderValue::from(samples)),
        (HISTOGRAMS_WRITTEN, HeaderValue::from(histograms)),
        // Said and not only left out: a sender that counts them learns that they are not kept.
        (EXEMPLARS_WRITTEN, HeaderValue::from(0)),
    ]
}

fn answer(kept: &Kept) -> Response {
    if kept.rejected.is_empty() {
        return (StatusCode::NO_CONTENT, written(kept.samples, kept.histograms)).into_response();
    }
    (StatusCode::BAD_REQUEST, written(kept.samples, kept.histograms), Json(PartlyRefused::of(kept))).into_response()
}
