//! Text frames of the live protocol `bellwether.v1`: JSON objects that say what they are in `type`.
//!
//! Readers skip fields that they do not know in what a gateway sends, so that an older page can read
//! a newer gateway; what a client sends is read strictly, so that a slip of the pen is answered.

mod client;
mod samples;
mod server;

use bellwether_core::board::Board;
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::rule::{AlertState, Comparison, Severity};
use bellwether_core::selector::Matcher;
use bellwether_core::time::{DurationMs, TimestampMs};

use crate::feed::FeedFrame;
use crate::json::{JsonFault, shortened};

/// The name of the protocol, as the WebSocket handshake carries it.
pub const PROTOCOL: &str = "bellwether.v1";
/// Most metrics of one subscription.
pub const MAX_SELECTIONS: usize = 1_000;

/// What a gateway sends as text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ServerFrame {
    /// The first frame of a connection.
    Hello(Hello),
    /// The history of a subscription is complete; from here on it is live.
    Subscribed(Subscribed),
    /// What a subscription in JSON brings.
    Samples(FeedFrame),
    /// The current alerts.
    Alerts(AlertList),
    /// Nothing else was sent for a second: the gateway's clock.
    Tick(Tick),
    /// A subscription cannot be resumed: what it held is to be given up, for its history comes anew.
    Gap(Gap),
    /// A producer's batch is on disk, but for the samples that it names.
    Ack(Ack),
    /// Why a frame of the client was refused.
    Error(ErrorFrame),
}

/// The first frame of a connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// The gateway's version.
    pub version: String,
    /// The gateway's stream, a random number of its own after each start; at most 2^53.
    pub epoch: u64,
    /// The newest batch; at most 2^53.
    pub seq: u64,
    /// The gateway's clock.
    pub now: TimestampMs,
    /// What the gateway's host calls it.
    pub title: String,
    /// Whether what it shows is a simulation.
    pub demo: bool,
    /// What to show and what is watched.
    pub board: Board,
    /// How long a series may be silent before its last sample counts no more.
    pub staleness: DurationMs,
}

/// The history of a subscription is complete, or all that came since it was cut off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscribed {
    /// The subscription.
    pub id: u32,
    /// The gateway's stream.
    pub epoch: u64,
    /// The newest batch that the client has now.
    pub seq: u64,
    /// Where stored samples of its series were changed: those that were changed last, at most 1,000.
    pub restated: Vec<RestatedSpan>,
    /// The instant that the history ends at, where it was asked for as of the past.
    pub until: Option<TimestampMs>,
}

/// A span of time in which stored samples of a series were corrected, withdrawn or erased: figures over it are
/// restated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestatedSpan {
    /// The series.
    pub series: SeriesKey,
    /// The span's left edge, which is not in it.
    pub from: TimestampMs,
    /// The span's right edge, which is.
    pub to: TimestampMs,
    /// When the samples were changed last.
    pub at: TimestampMs,
}

/// The current alerts: pending, firing, and resolved of late.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertList {
    /// The newest batch that the alerts take into account.
    pub seq: u64,
    /// The alerts: those that fire first, then the pending ones, then the resolved ones.
    pub alerts: Vec<AlertNotice>,
    /// How many there are beyond those.
    pub left_out: u64,
}

/// One alert, with what a reader needs of its rule.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertNotice {
    /// The rule's name.
    pub rule: String,
    /// The labels that tell it from others.
    pub labels: Labels,
    /// Who must act.
    pub severity: Severity,
    /// Where it stands.
    pub state: AlertState,
    /// The figure; `None` where missing data made it fire.
    pub value: Option<f64>,
    /// Whether the last evaluation had no figure.
    pub stale: bool,
    /// How the figure is compared.
    pub comparison: Comparison,
    /// What it is compared with.
    pub threshold: f64,
    /// One sentence for people; may be empty.
    pub summary: String,
    /// Where to read what to do; may be empty.
    pub runbook: String,
}

/// The gateway's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The gateway's clock.
    pub now: TimestampMs,
    /// The newest batch. Of every subscription that is complete, all up to it has been sent.
    pub seq: u64,
}

/// A subscription cannot be resumed where it was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The subscription.
    pub subscription: u32,
    /// The first batch that is missing; 0 where the client's place is of another stream.
    pub from_seq: u64,
    /// The newest batch; the history that follows takes the place of all before it.
    pub to_seq: u64,
}

/// A producer's batch is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// The batch's id.
    pub id: u64,
    /// The samples that were refused, for good; all others are stored.
    pub rejected: Vec<RejectedSample>,
}

/// A sample that was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedSample {
    /// Its place in the batch, from 0.
    pub index: u64,
    /// A word that programs can rely on.
    pub code: String,
    /// One sentence for people.
    pub message: String,
}

/// Why a frame of the client, or a part of a subscription, was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorFrame {
    /// The id of the producer's batch that was refused; nothing of it is stored.
    pub batch: Option<u64>,
    /// A word that programs can rely on.
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// The subscription of which a part was refused; `None` where the error is of no subscription, and from
    /// gateways that do not say.
    pub subscription: Option<u32>,
    /// What of the subscription was refused, as it was asked for; its other metrics go on. Empty where all
    /// was refused or nothing was asked for.
    pub metrics: Vec<Selection>,
}

impl ErrorFrame {
    /// An error that is of no part of a subscription.
    #[must_use]
    pub fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned(), ..Self::default() }
    }
}

/// What a client sends as text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientFrame {
    /// Asks for metrics.
    Subscribe(Subscribe),
    /// Pushes samples, as `/ingest` takes them.
    Samples(Batch),
}

/// A producer's batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The batch's id on this connection, which the answer carries.
    pub id: u64,
    /// Under which it is stored once only, as `Idempotency-Key` of `/ingest`.
    pub key: Option<String>,
    /// A JSON array, to be read by [`crate::ingest::decode`].
    pub samples: String,
}

/// Asks for metrics: their history and then what comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscribe {
    /// The client's own number for the subscription; a second one with the same id takes its place.
    pub id: u32,
    /// What is asked for; at most [`MAX_SELECTIONS`].
    pub metrics: Vec<Selection>,
    /// How fine it is asked for.
    pub step: Step,
    /// How it is sent.
    pub format: FeedFormat,
    /// Up to where the client has it already; `None` for the whole history.
    pub resume: Option<Resume>,
    /// The instant of the past that the history ends at, and nothing comes after it; `None` for now, and what follows.
    pub until: Option<TimestampMs>,
}

/// Up to where a client has a subscription: the place that it heard of last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The gateway's stream.
    pub epoch: u64,
    /// The newest batch that the client has.
    pub seq: u64,
}

/// One metric of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The metric.
    pub name: MetricName,
    /// Conditions that a series must all satisfy.
    pub matchers: Vec<Matcher>,
    /// How far back the history goes; zero for none.
    pub range: DurationMs,
}

/// How fine a subscription is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Each sample as it is.
    Raw,
    /// One summary for each series and time bucket of this width.
    Every(DurationMs),
}

/// How the frames of a subscription are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FeedFormat {
    /// Text frames of type `samples`.
    #[default]
    Json,
    /// Binary frames.
    Binary,
}

/// Why text is no frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The text is not JSON, or holds fields that are missing, unknown or of another type.
    #[error("{}", list(.0))]
    Faults(Vec<JsonFault>),
    /// A `type` that is not known.
    #[error("a frame of type {name:?} is not known; known here: {known}")]
    Type {
        /// The type, or the start of it.
        name: String,
        /// The types that are known.
        known: &'static str,
    },
}

impl FrameError {
    /// A word that programs can rely on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Faults(_) => "bad_frame",
            Self::Type { .. } => "unknown_type",
        }
    }
}

/// Most faults that a message lists.
const LISTED: usize = 5;

fn list(faults: &[JsonFault]) -> String {
    let mut texts: Vec<_> = faults.iter().take(LISTED).map(JsonFault::to_string).collect();
    if faults.len() > LISTED {
        texts.push(format!("and {} more", faults.len() - LISTED));
    }
    texts.join("; ")
}

/// A `type` that is not known, short enough for a message.
fn unknown_type(name: &str, known: &'static str) -> FrameError {
    FrameError::Type { name: shortened(name).into_owned(), known }
}
