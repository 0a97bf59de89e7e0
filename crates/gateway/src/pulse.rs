//! What happens once a second: this machine and the gateway itself are sampled, the simulation goes
//! on, rules are evaluated and gathered values are sent.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::ingest::IngestedSample;

use crate::alerting::Watch;
use crate::clock::{self, Stopwatch};
use crate::demo::Demo;
use crate::host::Host;
use crate::hub::Hub;
use crate::own::{OwnBatch, OwnTelemetry, OwnWork};
use crate::telemetry::Metrics;
use crate::writer::{Delivery, Writer};

/// Most samples of one batch of the simulation's history.
const MAX_BATCH: usize = 5_000;

/// How far into a second samples are taken.
const SAMPLING_AT_MS: i64 = 0;
/// How far into a second rules are evaluated and values sent: when that second's samples are stored.
const EVALUATION_AT_MS: i64 = 200;

/// Waits until the clock is `at_ms` into a second or until `stop` is closed; whether to go on.
fn next_second(stop: &Receiver<()>, at_ms: i64) -> bool {
    let since = (clock::now().get() - at_ms).rem_euclid(1_000).unsigned_abs();
    let rest = Duration::from_millis(1_000 - since);
    matches!(stop.recv_timeout(rest), Err(RecvTimeoutError::Timeout))
}

/// Evaluates the rules and sends what was gathered, every second until `stop` is closed.
pub(crate) fn evaluate(hub: &Hub, watch: &mut Watch, stop: &Receiver<()>) {
    while next_second(stop, EVALUATION_AT_MS) {
        let now = clock::now();
        let pulse = hub.pulse(now);
        watch.follow(pulse, now);
    }
}

/// Takes the gateway's own samples, every second until `stop` is closed.
pub(crate) struct Sampler {
    pub(crate) host: Option<Host>,
    pub(crate) telemetry: OwnTelemetry,
    pub(crate) work: Arc<OwnWork>,
    pub(crate) metrics: Metrics,
    pub(crate) writer: Writer,
}

impl Sampler {
    pub(crate) fn run(mut self, stop: &Receiver<()>) {
        while next_second(stop, SAMPLING_AT_MS) {
            let watch = Stopwatch::start();
            let now = clock::now();
            let mut batch = OwnBatch::default();
            if let Some(host) = &mut self.host {
                host.sample(now, &mut batch);
            }
            self.telemetry.sample(&self.metrics, &self.work, now, &mut batch);
            let lost = batch.len();
            let delivery =
                Delivery { samples: batch.into_samples(), histograms: Vec::new(), name: None, received_at: now };
            if self.writer.write_unanswered(delivery).is_err() {
                self.metrics.own_samples_lost.inc_by(lost as u64);
            }
            self.metrics.host_sampling_secs.inc_by(watch.elapsed().as_secs_f64());
        }
    }
}

/// Lets the simulation go on, every second until `stop` is closed. What it has missed since
/// `bookings_until` and `cases_until`, the newest samples that are stored, comes first.
pub(crate) fn simulate(
    demo: &Demo,
    writer: &Writer,
    mut bookings_until: TimestampMs,
    mut cases_until: TimestampMs,
    stop: &Receiver<()>,
) {
    loop {
        let now = clock::now();
        bookings_until = send(writer, demo.bookings(bookings_until, now), bookings_until, now);
        cases_until = send(writer, demo.cases(cases_until, now), cases_until, now);
        if !next_second(stop, SAMPLING_AT_MS) {
            return;
        }
    }
}

/// Sends samples, oldest first, in batches; says up to when they are sent.
fn send(writer: &Writer, samples: Vec<IngestedSample>, from: TimestampMs, now: TimestampMs) -> TimestampMs {
    let mut sent = from;
    let mut rest = samples.into_iter().peekable();
    while rest.peek().is_some() {
        let batch: Vec<_> = rest.by_ref().take(MAX_BATCH).collect();
        let newest = batch.iter().map(|sample| sample.sample.timestamp()).max().unwrap_or(sent);
        let delivery = Delivery { samples: batch, histograms: Vec::new(), name: None, received_at: now };
        if writer.write_unanswered(delivery).is_err() {
            // The queue is full: the same stretch of time is asked for again in a second.
            return sent;
        }
        sent = sent.max(newest);
    }
    now
}

/// From when on the simulation still has to tell: after what is stored, else its whole history.
pub(crate) fn resume(stored: Option<TimestampMs>, history: DurationMs, now: TimestampMs) -> TimestampMs {
    stored.unwrap_or(now - history).max(now - history)
}
