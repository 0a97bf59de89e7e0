//! A producer's batch over the WebSocket: the same checks, store and answers as `POST /ingest`.

use bellwether_wire::frame::{Ack, Batch, ErrorFrame, RejectedSample, ServerFrame};
use bellwether_wire::ingest::{BodyFormat, Ingested, Rejection, decode};

use super::Gateway;
use super::errors::ApiError;
use crate::clock;
use crate::store::IdempotencyKey;
use crate::writer::{BatchName, Delivery, Written};

/// Stores a batch and says what became of it: an `ack` once it is on disk, else an `error`, and nothing of
/// it is kept.
pub(super) async fn produce(gateway: &Gateway, batch: Batch) -> ServerFrame {
    let id = batch.id;
    match store(gateway, batch).await {
        Ok(rejected) => {
            let rejected = rejected.into_iter().map(|Rejection { index, code, message, .. }| RejectedSample {
                index: index as u64,
                code: code.as_str().to_owned(),
                message,
            });
            ServerFrame::Ack(Ack { id, rejected: rejected.collect() })
        }
        Err(error) => {
            gateway.metrics.refuse(error.code());
            let said = ErrorFrame::new(error.code(), &error.to_string());
            ServerFrame::Error(ErrorFrame { batch: Some(id), ..said })
        }
    }
}

/// Stores the good samples of a batch, and gives back the refused ones.
async fn store(gateway: &Gateway, batch: Batch) -> Result<Vec<Rejection>, ApiError> {
    let Batch { key, samples, .. } = batch;
    gateway.ready()?;
    let limit_bytes = gateway.limits.body.0;
    if samples.len() > limit_bytes {
        return Err(ApiError::BodyTooLong { limit_bytes });
    }
    let key = key.as_deref().map(IdempotencyKey::new).transpose();
    let key = key.map_err(|error| ApiError::BadKey { message: error.to_string() })?;
    let received_at = clock::now();
    let Ingested { accepted, mut rejected } = decode(samples.as_bytes(), BodyFormat::Json, received_at)?;
    for rejection in &rejected {
        gateway.metrics.reject(rejection.code.as_str(), 1);
    }
    if !accepted.is_empty() {
        let name = key.map(|key| BatchName::new(key, samples.as_bytes()));
        let delivery = Delivery { samples: accepted, histograms: Vec::new(), name, received_at };
        if let Written::Told(receipt) = gateway.writer.write(delivery).await? {
            rejected.extend(receipt.rejected);
        }
    }
    rejected.sort_by_key(|rejection| rejection.index);
    Ok(rejected)
}
