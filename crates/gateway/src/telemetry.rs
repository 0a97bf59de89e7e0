//! What the gateway says of itself: counters for `/metrics` and the log.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tracing_subscriber::EnvFilter;

use crate::settings::LogForm;

/// Upper edges of the buckets of a commit's duration, in seconds.
const COMMIT_BUCKETS: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0];
/// Upper edges of the buckets of a request's duration, in seconds.
const REQUEST_BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Why samples were refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// A route as it is declared, never the path that was asked, so that their number is bounded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) route: String,
    pub(crate) method: &'static str,
    pub(crate) status: u16,
}

/// How a webhook call ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone)]
struct RequestHistogram;

impl MetricConstructor<Histogram> for RequestHistogram {
    fn new_metric(&self) -> Histogram {
        Histogram::new(REQUEST_BUCKETS)
    }
}

/// The gateway's counters. Cheap to clone; all clones count together.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: std::sync::Arc<Registry>,
    pub(crate) samples_accepted: Counter,
    pub(crate) histograms_accepted: Counter,
    /// Samples that came again where there is one value a timestamp.
    pub(crate) samples_repeated: Counter,
    /// Stale markers, each of which ends a series.
    pub(crate) series_ended: Counter,
    /// Exemplars, which are not kept.
    pub(crate) exemplars_dropped: Counter,
    samples_rejected: Family<ReasonLabel, Counter>,
    bodies_refused: Family<ReasonLabel, Counter>,
    requests: Family<RequestLabels, Histogram, RequestHistogram>,
    pub(crate) commit_duration: Histogram,
    pub(crate) batches_repeated: Counter,
    pub(crate) batches_waiting: Gauge,
    pub(crate) subscribers: Gauge,
    pub(crate) subscribers_too_slow: Counter,
    pub(crate) subscribers_caught_up: Counter,
    pub(crate) subscribers_behind: Gauge,
    pub(crate) frames_sent: Counter,
    pub(crate) own_samples_lost: Counter,
    pub(crate) rule_failures: Counter,
    pub(crate) alerts_firing: Gauge,
    webhook_calls: Family<OutcomeLabel, Counter>,
    pub(crate) notifications_waiting: Gauge,
    pub(crate) store_bytes: Gauge,
    pub(crate) store_failures: Counter,
    pub(crate) store_corrupt: Gauge,
    pub(crate) engine_series: Gauge,
    pub(crate) engine_bytes: Gauge,
    pub(crate) host_sampling_secs: Counter<f64, AtomicU64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let metrics = Self {
            samples_accepted: Counter::default(),
            histograms_accepted: Counter::default(),
            samples_repeated: Counter::default(),
            series_ended: Counter::default(),
            exemplars_dropped: Counter::default(),
            samples_rejected: Family::default(),
            bodies_refused: Family::default(),
            requests: Family::new_with_constructor(RequestHistogram),
            commit_duration: Histogram::new(COMMIT_BUCKETS),
            batches_repeated: Counter::default(),
            batches_waiting: Gauge::default(),
            subscribers: Gauge::default(),
            subscribers_too_slow: Counter::default(),
            subscribers_caught_up: Counter::default(),
            subscribers_behind: Gauge::default(),
            frames_sent: Counter::default(),
            own_samples_lost: Counter::default(),
            rule_failures: Counter::default(),
            alerts_firing: Gauge::default(),
            webhook_calls: Family::default(),
            notifications_waiting: Gauge::default(),
            store_bytes: Gauge::default(),
            store_failures: Counter::default(),
            store_corrupt: Gauge::default(),
            engine_series: Gauge::default(),
            engine_bytes: Gauge::default(),
            host_sampling_secs: Counter::default(),
            registry: std::sync::Arc::default(),
        };
        metrics.register(&mut registry);
        Self { registry: std::sync::Arc::new(registry), ..metrics }
    }

    fn register(&self, to: &mut Registry) {
        to.register("gateway_samples_accepted", "Samples stored", self.samples_accepted.clone());
        to.register("gateway_histograms_accepted", "Histograms stored", self.histograms_accepted.clone());
        let help = "Samples that came again and are stored once";
        to.register("gateway_samples_repeated", help, self.samples_repeated.clone());
        let help = "Stale markers of remote write, each of which ends a series";
        to.register("gateway_series_ended", help, self.series_ended.clone());
        let help = "Exemplars that came with samples, which are not kept";
        to.register("gateway_exemplars_dropped", help, self.exemplars_dropped.clone());
        to.register("gateway_samples_rejected", "Samples refused, by reason", self.samples_rejected.clone());
        to.register("gateway_requests_refused", "Requests refused whole, by reason", self.bodies_refused.clone());
        let help = "Time from a request's head to its answer";
        to.register_with_unit("http_request_duration", help, Unit::Seconds, self.requests.clone());
        let help = "Time of one group commit, fsync included";
        to.register_with_unit("gateway_commit_duration", help, Unit::Seconds, self.commit_duration.clone());
        let help = "Batches that came again with a known Idempotency-Key";
        to.register("gateway_batches_repeated", help, self.batches_repeated.clone());
        to.register("gateway_batches_waiting", "Batches that wait to be written", self.batches_waiting.clone());
        to.register("gateway_subscribers", "Open live connections", self.subscribers.clone());
        let help = "Live connections closed because they did not keep up";
        to.register("gateway_subscribers_too_slow", help, self.subscribers_too_slow.clone());
        let help = "Times that a live connection was behind and got what it had missed as one frame";
        to.register("gateway_subscribers_caught_up", help, self.subscribers_caught_up.clone());
        let help = "Live connections that have still to take what waits for them";
        to.register("gateway_subscribers_behind", help, self.subscribers_behind.clone());
        to.register("gateway_frames_sent", "Live frames handed to connections", self.frames_sent.clone());
        let help = "Samples of the gateway itself that could not be stored";
        to.register("gateway_own_samples_lost", help, self.own_samples_lost.clone());
        to.register("gateway_rule_failures", "Rule evaluations that failed", self.rule_failures.clone());
        to.register("gateway_alerts_firing", "Alerts that fire now", self.alerts_firing.clone());
        to.register("gateway_webhook_calls", "Calls of the alert webhook", self.webhook_calls.clone());
        let help = "Notifications that wait to be delivered";
        to.register("gateway_notifications_waiting", help, self.notifications_waiting.clone());
        to.register_with_unit("gateway_store", "Size of the store's file", Unit::Bytes, self.store_bytes.clone());
        to.register("gateway_store_failures", "Commits that failed", self.store_failures.clone());
        to.register("gateway_store_corrupt_chunks", "Chunks found damaged and left out", self.store_corrupt.clone());
        to.register("gateway_engine_series", "Series in memory", self.engine_series.clone());
        to.register_with_unit("gateway_engine", "Memory of the engine", Unit::Bytes, self.engine_bytes.clone());
        let help = "Time spent on sampling this machine";
        to.register_with_unit("gateway_host_sampling", help, Unit::Seconds, self.host_sampling_secs.clone());
    }

    /// Counts samples that were refused for `reason`.
    pub(crate) fn reject(&self, reason: &'static str, count: usize) {
        self.samples_rejected.get_or_create(&ReasonLabel { reason }).inc_by(count as u64);
    }

    /// How many samples were refused, by reason.
    pub(crate) fn rejected(&self, reason: &'static str) -> u64 {
        self.samples_rejected.get(&ReasonLabel { reason }).map_or(0, |counter| counter.get())
    }

    /// Counts a request that was refused whole.
    pub(crate) fn refuse(&self, reason: &'static str) {
        self.bodies_refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Counts an answered request.
    pub(crate) fn request(&self, labels: &RequestLabels, secs: f64) {
        self.requests.get_or_create(labels).observe(secs);
    }

    /// Counts a webhook call.
    pub(crate) fn webhook_call(&self, outcome: &'static str) {
        self.webhook_calls.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// All counters as OpenMetrics text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::with_capacity(8 * 1024);
        // Writing to a string cannot fail; what was written until then is still of use.
        if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            tracing::error!(%error, "the counters could not be written");
        }
        text
    }
}

/// Sends the log to stderr; `RUST_LOG` says how much, `info` without it.
pub(crate) fn start_log(form: LogForm) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A log that nobody reads is no reason to stop: without this, its first line would be a panic.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    let started = match form {
        LogForm::Text => log.try_init(),
        LogForm::Json => log.json().flatten_event(true).try_init(),
    };
    // A second start in one process (tests) keeps the first log.
    drop(started);
}
