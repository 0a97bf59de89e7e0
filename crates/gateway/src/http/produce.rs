//! A producer's batch over the WebSocket: the same checks, store and answers as `POST /ingest`.

use axum::http::StatusCode;
use bellwether_wire::frame::{Ack, Batch, ErrorFrame, RejectedSample, ServerFrame};
use bellwether_wire::ingest::{BodyFormat, Ingested, Rejection, decode};

use super::Gateway;
use super::errors::ApiError;
use crate::clock;
use crate::store::IdempotencyKey;
use crate::writer::{BatchName, Delivery, Written};

/// What a batch came to.
pub(super) struct Produced {
    /// An `ack` once it is on disk, else an `error`, and nothing of it is kept.
    pub(super) answer: ServerFrame,
    pub(super) pace: Pace,
}

/// What holds a producer up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// The disk: something of the batch was stored.
    Disk,
    /// Nothing: the batch was refused, or had nothing to store.
    Nothing,
    /// Nothing: there was no room for the batch, and it may come again.
    NothingAndNoRoom,
}

/// Stores a batch and says what became of it.
pub(super) async fn produce(gateway: &Gateway, batch: Batch) -> Produced {
    let id = batch.id;
    match store(gateway, batch).await {
        Ok(Stored { pace, rejected }) => {
            let rejected = rejected.into_iter().map(|Rejection { index, code, message, .. }| RejectedSample {
                index: index as u64,
                code: code.as_str().to_owned(),
                message,
            });
            Produced { answer: ServerFrame::Ack(Ack { id, rejected: rejected.collect() }), pace }
        }
        Err(error) => {
            gateway.metrics.refuse(error.code());
            let said = ErrorFrame { batch: Some(id), ..ErrorFrame::new(error.code(), &error.to_string()) };
            let retryable = error.status() == StatusCode::SERVICE_UNAVAILABLE;
            let pace = if retryable { Pace::NothingAndNoRoom } else { Pace::Nothing };
            Produced { answer: ServerFrame::Error(said), pace }
        }
    }
}

/// A batch of which the good samples are stored.
struct Stored {
    pace: Pace,
    /// The others.
    rejected: Vec<Rejection>,
}

/// Stores the good samples of a batch.
async fn store(gateway: &Gateway, batch: Batch) -> Result<Stored, ApiError> {
    let Batch { key, samples, .. } = batch;
    gateway.ready()?;
    let limit_bytes = gateway.limits.body.0;
    if samples.len() > limit_bytes {
        return Err(ApiError::BodyTooLong { limit_bytes });
    }
    let key = key.as_deref().map(IdempotencyKey::new).transpose();
    let key = key.map_err(|error| ApiError::BadKey { message: error.to_string() })?;
    let received_at = clock::now();
    let body = gateway.bodies.hold(samples.into())?;
    let (ingested, body) = body.decoded(move |body| decode(body, BodyFormat::Json, received_at)).await?;
    let Ingested { accepted, mut rejected } = ingested;
    gateway.takes(accepted.len() + rejected.len())?;
    for rejection in &rejected {
        gateway.metrics.reject(rejection.code.as_str(), 1);
    }
    let mut pace = Pace::Nothing;
    if !accepted.is_empty() {
        let name = key.map(|key| BatchName::new(key, &body));
        let delivery = Delivery { samples: accepted, histograms: Vec::new(), name, received_at };
        if let Written::Told(receipt) = gateway.writer.write(delivery).await? {
            rejected.extend(receipt.rejected);
        }
        pace = Pace::Disk;
    }
    rejected.sort_by_key(|rejection| rejection.index);
    Ok(Stored { pace, rejected })
}
