//! Samples that the gateway takes itself: of its own requests, its own counters, its machine. They
//! go the way of everybody's samples.

use std::collections::BTreeSet;
use std::mem;
use std::sync::{Mutex, PoisonError};

use bellwether_core::labels::{LabelError, Labels, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::ingest::{IngestedSample, RejectionCode, Repeats};

use crate::telemetry::{Metrics, RequestLabels};

/// Most own requests, and most own commits, that become samples in one second; more are only counted
/// in `/metrics`.
const MAX_A_SECOND: usize = 4_000;

/// A batch under construction.
#[derive(Debug, Default)]
pub(crate) struct OwnBatch {
    samples: Vec<IngestedSample>,
}

impl OwnBatch {
    /// Adds a sample. One that cannot be named or is not finite (a sensor that says nothing) is left out.
    pub(crate) fn add(&mut self, name: &str, labels: &[(&str, &str)], kind: Kind, at: TimestampMs, value: f64) {
        let sample = Sample::new(at, value);
        match (series(name, labels), sample) {
            (Ok(key), Ok(sample)) => self.push(key, kind, sample),
            (Err(error), _) => tracing::debug!(%error, name, "an own sample has no usable name"),
            (_, Err(error)) => tracing::debug!(%error, name, "an own sample has no usable value"),
        }
    }

    fn push(&mut self, key: SeriesKey, kind: Kind, sample: Sample) {
        let index = self.samples.len();
        self.samples.push(IngestedSample {
            index,
            key,
            sample,
            kind: Some(kind),
            suggested: None,
            repeats: Repeats::Count,
            unit: None,
            reference: None,
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    pub(crate) fn into_samples(self) -> Vec<IngestedSample> {
        self.samples
    }
}

/// The series `name{labels}`.
///
/// # Errors
/// [`LabelError`] where a name or value is outside its limits.
fn series(name: &str, labels: &[(&str, &str)]) -> Result<SeriesKey, LabelError> {
    Ok(SeriesKey { metric: MetricName::new(name)?, labels: Labels::new(labels.iter().copied())? })
}

/// One answered request.
struct Request {
    labels: RequestLabels,
    at: TimestampMs,
    secs: f64,
}

/// One group commit.
struct Commit {
    at: TimestampMs,
    secs: f64,
}

/// What the gateway did in the last second.
#[derive(Default)]
pub(crate) struct OwnWork {
    requests: Mutex<Vec<Request>>,
    commits: Mutex<Vec<Commit>>,
}

/// Adds to a second's list; `false` where that is full.
fn note<T>(list: &Mutex<Vec<T>>, one: T) -> bool {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    let room = list.len() < MAX_A_SECOND;
    if room {
        list.push(one);
    }
    room
}

fn take<T>(list: &Mutex<Vec<T>>) -> Vec<T> {
    mem::take(&mut list.lock().unwrap_or_else(PoisonError::into_inner))
}

impl OwnWork {
    /// Notes an answered request; `false` where the second is full.
    pub(crate) fn request(&self, labels: RequestLabels, at: TimestampMs, secs: f64) -> bool {
        note(&self.requests, Request { labels, at, secs })
    }

    /// Notes a group commit; `false` where the second is full.
    pub(crate) fn commit(&self, at: TimestampMs, secs: f64) -> bool {
        note(&self.commits, Commit { at, secs })
    }
}

/// Turns the gateway's own requests and counters into samples, once a second.
#[derive(Default)]
pub(crate) struct OwnTelemetry {
    reasons_seen: BTreeSet<&'static str>,
}

impl OwnTelemetry {
    /// Adds what there is to say at `at`.
    pub(crate) fn sample(&mut self, metrics: &Metrics, work: &OwnWork, at: TimestampMs, batch: &mut OwnBatch) {
        for Request { labels, at, secs } in take(&work.requests) {
            let status = labels.status.to_string();
            let labels = [("method", labels.method), ("route", labels.route.as_str()), ("status", status.as_str())];
            batch.add("http_request_duration_seconds", &labels, Kind::Observation, at, secs);
        }
        for Commit { at, secs } in take(&work.commits) {
            batch.add("gateway_commit_duration_seconds", &[], Kind::Observation, at, secs);
        }
        let accepted = metrics.samples_accepted.get();
        batch.add("gateway_samples_accepted_total", &[], Kind::Counter, at, accepted as f64);
        batch.add("gateway_subscribers", &[], Kind::Gauge, at, metrics.subscribers.get() as f64);
        let gauges = [
            ("gateway_batches_waiting", metrics.batches_waiting.get()),
            ("gateway_store_bytes", metrics.store_bytes.get()),
            ("gateway_engine_series", metrics.engine_series.get()),
        ];
        for (name, value) in gauges {
            batch.add(name, &[], Kind::Gauge, at, value as f64);
        }
        let too_slow = metrics.subscribers_too_slow.get();
        batch.add("gateway_subscribers_too_slow_total", &[], Kind::Counter, at, too_slow as f64);
        for reason in RejectionCode::ALL.map(RejectionCode::as_str) {
            let rejected = metrics.rejected(reason);
            if rejected == 0 {
                continue;
            }
            let labels = [("reason", reason)];
            if self.reasons_seen.insert(reason) {
                // A counter's first sample increases nothing: say that it was zero before.
                let before = at - DurationMs::from_secs(1);
                batch.add("gateway_samples_rejected_total", &labels, Kind::Counter, before, 0.0);
            }
            batch.add("gateway_samples_rejected_total", &labels, Kind::Counter, at, rejected as f64);
        }
    }
}
