//! What came by a standard protocol, on the one checked path: the same limits, the same writer and the
//! same fsync before the answer as at `/ingest`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use bellwether_core::sample::Kind;
use bellwether_core::time::TimestampMs;
use bellwether_wire::ingest::Rejection;
use bellwether_wire::protocol::{Delivered, DescribedMetric};
use serde::Serialize;

use super::Gateway;
use super::errors::ApiError;
use super::ingest::key;
use crate::writer::{BatchName, Delivery, Receipt, Written};

/// Most metrics of which it is remembered what was said.
const MAX_DESCRIBED: usize = 50_000;
/// Most refused samples that an answer names; all are counted.
const MAX_NAMED: usize = 100;

/// What senders said of metrics in messages of their own, since the start. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Described(Arc<Mutex<HashMap<String, Kind>>>);

impl Described {
    /// The kind of a metric, where it was said.
    pub(super) fn kind(&self, metric: &str) -> Option<Kind> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(metric).copied()
    }

    fn note(&self, metrics: Vec<DescribedMetric>) {
        if metrics.is_empty() {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for DescribedMetric { name, kind } in metrics {
            if known.len() < MAX_DESCRIBED || known.contains_key(&name) {
                known.insert(name, kind);
            }
        }
    }
}

/// What became of a body.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// How many samples are stored, those that were before among them.
    pub(super) samples: usize,
    /// How many histograms are, likewise.
    pub(super) histograms: usize,
    /// What was refused, in the order of the body.
    pub(super) rejected: Vec<Rejection>,
}

/// Stores what was decoded of `body` and says what became of it.
///
/// # Errors
/// [`ApiError`] where nothing of it was stored.
pub(super) async fn keep(
    gateway: &Gateway,
    headers: &HeaderMap,
    body: &[u8],
    delivered: Delivered,
    received_at: TimestampMs,
) -> Result<Kept, ApiError> {
    let Delivered { samples, histograms, ended, mut rejected, metrics, exemplars } = delivered;
    gateway.takes(samples.len() + histograms.len() + ended.len() + rejected.len())?;
    gateway.described.note(metrics);
    gateway.metrics.exemplars_dropped.inc_by(exemplars as u64);
    for rejection in &rejected {
        gateway.metrics.reject(rejection.code.as_str(), 1);
    }
    let mut kept = Kept { samples: ended.len(), ..Kept::default() };
    if !samples.is_empty() || !histograms.is_empty() {
        let (all, all_histograms) = (samples.len(), histograms.len());
        let name = key(headers)?.map(|key| BatchName::new(key, body));
        match gateway.writer.write(Delivery { samples, histograms, name, received_at }).await? {
            Written::Told(Receipt { accepted, histograms, rejected: refused }) => {
                kept.samples += accepted;
                kept.histograms = histograms;
                rejected.extend(refused);
            }
            // What was refused of it was told then.
            Written::Before => {
                kept.samples += all;
                kept.histograms = all_histograms;
            }
        }
    }
    gateway.metrics.series_ended.inc_by(ended.len() as u64);
    rejected.sort_by_key(|rejection| rejection.index);
    kept.rejected = rejected;
    Ok(kept)
}

/// The answer where some of a body was refused.
#[derive(Serialize)]
pub(super) struct PartlyRefused<'a> {
    error: Sentence,
    accepted: usize,
    /// How many were refused; the first hundred are named.
    refused: usize,
    rejected: &'a [Rejection],
}

#[derive(Serialize)]
struct Sentence {
    code: &'static str,
    message: String,
}

impl<'a> PartlyRefused<'a> {
    /// Of a body of which something was refused.
    pub(super) fn of(kept: &'a Kept) -> Self {
        let refused = kept.rejected.len();
        Self {
            error: Sentence { code: "partly_refused", message: sentence(kept) },
            accepted: kept.samples + kept.histograms,
            refused,
            rejected: kept.rejected.get(..refused.min(MAX_NAMED)).unwrap_or_default(),
        }
    }
}

/// What was refused, in one sentence; the first reason stands for all.
pub(super) fn sentence(kept: &Kept) -> String {
    let (refused, all) = (kept.rejected.len(), kept.samples + kept.histograms + kept.rejected.len());
    let first = kept.rejected.first();
    let why = first.map(|first| format!("; sample {}: {}: {}", first.index, first.code.as_str(), first.message));
    format!("{refused} of {all} samples were refused and the others are stored{}", why.unwrap_or_default())
}
