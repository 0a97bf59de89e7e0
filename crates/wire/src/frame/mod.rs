//! Text frames of the live protocol `bellwether.v1`: JSON objects that say what they are in `type`.
//!
//! Readers skip fields that they do not know in what a gateway sends, so that an older page can read
//! a newer gateway; what a client sends is read strictly, so that a slip of the pen is answered.

mod client;
mod samples;
mod server;

use bellwether_core::board::Board;
use bellwether_core::labels::{Labels, MetricName};
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
    /// Batches that were lost to a subscription. Reserved: the gateway does not send it, but
    /// closes the connection of a client that does not keep up.
    Gap(Gap),
    /// A batch of a producer is stored. Reserved, like [`ClientFrame::Samples`]: the gateway does not
    /// send it.
    Ack {
        /// The batch's id.
        id: u64,
    },
    /// Why a frame of the client was refused.
    Error(ErrorFrame),
}

/// The first frame of a connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// The gateway's version.
    pub version: String,
    /// The gateway's store, a random number that survives restarts; at most 2^53.
    pub epoch: u64,
    /// The newest batch of the store; at most 2^53.
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

/// The history of a subscription is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// The subscription.
    pub id: u32,
    /// The gateway's store.
    pub epoch: u64,
    /// The newest batch that the history holds.
    pub seq: u64,
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
    /// The newest batch of the store.
    pub seq: u64,
}

/// Batches that were lost to a subscription; reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The subscription.
    pub subscription: u32,
    /// The first batch that is missing.
    pub from_seq: u64,
    /// The last batch that is missing.
    pub to_seq: u64,
}

/// Why a frame of the client, or a part of a subscription, was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorFrame {
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
        Self { code: code.to_owned(), message: message.to_owned(), subscription: None, metrics: Vec::new() }
    }
}

/// What a client sends as text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientFrame {
    /// Asks for metrics.
    Subscribe(Subscribe),
    /// Pushes samples, as `/ingest` takes them. Reserved: the gateway answers it with the error
    /// `not_supported`.
    Samples {
        /// The batch's id, which the answer carries.
        id: u64,
        /// A JSON array, to be read by [`crate::ingest::decode`].
        samples: String,
    },
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
