//! What a gateway sends as text, to text and back.

use bellwether_core::labels::{MetricName, SeriesKey};
use bellwether_core::rule::{AlertState, Comparison, Severity};
use bellwether_core::time::TimestampMs;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::client::{SelectionJson, Unknown, selections};
use super::samples::{read_samples, write_samples};
use super::{
    Ack, AlertList, AlertNotice, ErrorFrame, FrameError, Gap, Hello, PROTOCOL, RejectedSample, RestatedSpan,
    ServerFrame, Subscribed, Tick, unknown_type,
};
use crate::board::BoardJson;
use crate::json::{Faults, Figure, LabelMap, Object, parse, text};

/// The types of frames, as the message about an unknown one lists them.
const TYPES: &str = "hello, subscribed, samples, alert, tick, gap, ack, error";

impl ServerFrame {
    /// Reads a frame; fields that are not known are skipped.
    ///
    /// # Errors
    /// [`FrameError`] with everything that is wrong and where.
    pub fn decode(text: &str) -> Result<Self, FrameError> {
        let value = parse(text).map_err(|fault| FrameError::Faults(vec![fault]))?;
        let faults = Faults::default();
        let mut unknown = None;
        let frame = Object::new(&value, "", &faults).and_then(|mut object| match object.text("type")? {
            "hello" => hello(&mut object).map(Self::Hello),
            "subscribed" => subscribed(&mut object).map(Self::Subscribed),
            "samples" => read_samples(&mut object).map(Self::Samples),
            "alert" => alerts(&mut object).map(Self::Alerts),
            "tick" => Some(Self::Tick(Tick { now: object.timestamp("now")?, seq: object.whole("seq")? })),
            "gap" => gap(&mut object).map(Self::Gap),
            "ack" => ack(&mut object).map(Self::Ack),
            "error" => error(&mut object).map(Self::Error),
            other => {
                unknown = Some(unknown_type(other, TYPES));
                None
            }
        });
        match unknown {
            Some(error) => Err(error),
            None => faults.check(frame).map_err(FrameError::Faults),
        }
    }

    /// The frame as text.
    #[must_use]
    pub fn encode(&self) -> String {
        text(&ServerJson(self))
    }
}

/// A whole number that fits a subscription's id.
pub(super) fn narrow(object: &Object<'_>, field: &str, whole: u64) -> Option<u32> {
    let narrow = u32::try_from(whole).ok();
    if narrow.is_none() {
        object.fault(field, "this must be a whole number below 2^32");
    }
    narrow
}

fn hello(object: &mut Object<'_>) -> Option<Hello> {
    let protocol = object.text("protocol")?;
    if protocol != PROTOCOL {
        object.fault("protocol", format!("the gateway speaks {protocol:?} and not {PROTOCOL:?}; load the page anew"));
        return None;
    }
    let board = object.required("board")?;
    Some(Hello {
        version: object.text_or_empty("version")?.to_owned(),
        epoch: object.whole("epoch")?,
        seq: object.whole("seq")?,
        now: object.timestamp("now")?,
        title: object.text_or_empty("title")?.to_owned(),
        demo: object.flag("demo")?,
        board: crate::board::read_inside(board, "board", object.faults())?,
        staleness: bellwether_core::time::DurationMs::from_millis(object.whole("staleness_ms")?),
    })
}

fn subscribed(object: &mut Object<'_>) -> Option<Subscribed> {
    let id = object.whole("id")?;
    let (id, epoch, seq) = (narrow(object, "id", id)?, object.whole("epoch")?, object.whole("seq")?);
    let restated = object.array("restated")?.into_iter();
    let restated = restated.map(|(path, value)| restated_span(&mut Object::new(value, &path, object.faults())?));
    let restated = restated.collect::<Option<_>>()?;
    let until = object.timestamp_or_none("until")?;
    Some(Subscribed { id, epoch, seq, restated, until })
}

fn restated_span(object: &mut Object<'_>) -> Option<RestatedSpan> {
    let name = object.text("name")?;
    let metric = MetricName::new(name).map_err(|error| object.fault("name", error.to_string())).ok()?;
    let series = SeriesKey { metric, labels: object.labels("labels")? };
    let (from, to, at) = (object.timestamp("from")?, object.timestamp("to")?, object.timestamp("at")?);
    Some(RestatedSpan { series, from, to, at })
}

fn ack(object: &mut Object<'_>) -> Option<Ack> {
    let id = object.whole("id")?;
    let rejected = object.array("rejected")?.into_iter().map(|(path, value)| {
        let mut object = Object::new(value, &path, object.faults())?;
        let (code, message) = (object.text("code")?.to_owned(), object.text_or_empty("message")?.to_owned());
        Some(RejectedSample { index: object.whole("index")?, code, message })
    });
    Some(Ack { id, rejected: rejected.collect::<Option<_>>()? })
}

fn gap(object: &mut Object<'_>) -> Option<Gap> {
    let subscription = object.whole("subscription")?;
    Some(Gap {
        subscription: narrow(object, "subscription", subscription)?,
        from_seq: object.whole("from_seq")?,
        to_seq: object.whole("to_seq")?,
    })
}

fn error(object: &mut Object<'_>) -> Option<ErrorFrame> {
    let subscription = match object.whole_or_none("subscription")? {
        Some(whole) => Some(narrow(object, "subscription", whole)?),
        None => None,
    };
    Some(ErrorFrame {
        batch: object.whole_or_none("batch")?,
        code: object.text("code")?.to_owned(),
        message: object.text_or_empty("message")?.to_owned(),
        subscription,
        metrics: selections(object, Unknown::Skipped)?,
    })
}

fn alerts(object: &mut Object<'_>) -> Option<AlertList> {
    let seq = object.whole("seq")?;
    let alerts = object.array("alerts")?;
    let alerts: Option<Vec<_>> =
        alerts.into_iter().map(|(path, value)| alert(&mut Object::new(value, &path, object.faults())?)).collect();
    Some(AlertList { seq, alerts: alerts?, left_out: object.whole_or_none("left_out")?.unwrap_or(0) })
}

fn alert(object: &mut Object<'_>) -> Option<AlertNotice> {
    let severities = Severity::ALL.map(|severity| (severity.as_str(), severity));
    let comparisons = Comparison::ALL.map(|comparison| (comparison.as_str(), comparison));
    let (summary, runbook) = match object.optional("annotations") {
        Some(annotations) => {
            let mut annotations = Object::new(annotations, &object.at("annotations"), object.faults())?;
            (annotations.text_or_empty("summary")?, annotations.text_or_empty("runbook")?)
        }
        None => ("", ""),
    };
    Some(AlertNotice {
        rule: object.text("rule")?.to_owned(),
        labels: object.labels("labels")?,
        severity: object.choice("severity", &severities, None)?,
        state: state(object)?,
        value: object.number_or_none("value")?,
        stale: object.flag("stale")?,
        comparison: object.choice("is", &comparisons, None)?,
        threshold: object.number("threshold")?,
        summary: summary.to_owned(),
        runbook: runbook.to_owned(),
    })
}

fn state(object: &mut Object<'_>) -> Option<AlertState> {
    let word = object.text("state")?;
    Some(match word {
        "inactive" => AlertState::Inactive,
        "pending" => AlertState::Pending { active_at: object.timestamp("active_at")? },
        "firing" => AlertState::Firing {
            active_at: object.timestamp("active_at")?,
            fired_at: object.timestamp("fired_at")?,
            keep_firing_since: object.timestamp_or_none("keep_firing_since")?,
        },
        "resolved" => AlertState::Resolved {
            active_at: object.timestamp("active_at")?,
            fired_at: object.timestamp("fired_at")?,
            at: object.timestamp("resolved_at")?,
        },
        other => {
            object.fault("state", format!("{other:?} is none of inactive, pending, firing, resolved"));
            return None;
        }
    })
}

struct ServerJson<'a>(&'a ServerFrame);

impl Serialize for ServerJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        match self.0 {
            ServerFrame::Hello(hello) => {
                let Hello { version, epoch, seq, now, title, demo, board, staleness } = hello;
                object.serialize_entry("type", "hello")?;
                object.serialize_entry("protocol", PROTOCOL)?;
                object.serialize_entry("version", version)?;
                object.serialize_entry("epoch", epoch)?;
                object.serialize_entry("seq", seq)?;
                object.serialize_entry("now", &now.get())?;
                object.serialize_entry("title", title)?;
                object.serialize_entry("demo", demo)?;
                object.serialize_entry("board", &BoardJson(board))?;
                object.serialize_entry("staleness_ms", &staleness.as_millis())?;
            }
            ServerFrame::Subscribed(Subscribed { id, epoch, seq, restated, until }) => {
                object.serialize_entry("type", "subscribed")?;
                object.serialize_entry("id", id)?;
                object.serialize_entry("epoch", epoch)?;
                object.serialize_entry("seq", seq)?;
                if !restated.is_empty() {
                    object.serialize_entry("restated", &restated.iter().map(RestatedJson).collect::<Vec<_>>())?;
                }
                if let Some(until) = until {
                    object.serialize_entry("until", &until.get())?;
                }
            }
            ServerFrame::Samples(frame) => {
                object.serialize_entry("type", "samples")?;
                write_samples(&mut object, frame)?;
            }
            ServerFrame::Alerts(AlertList { seq, alerts, left_out }) => {
                object.serialize_entry("type", "alert")?;
                object.serialize_entry("seq", seq)?;
                object.serialize_entry("alerts", &alerts.iter().map(AlertJson).collect::<Vec<_>>())?;
                if *left_out > 0 {
                    object.serialize_entry("left_out", left_out)?;
                }
            }
            ServerFrame::Tick(Tick { now, seq }) => {
                object.serialize_entry("type", "tick")?;
                object.serialize_entry("now", &now.get())?;
                object.serialize_entry("seq", seq)?;
            }
            ServerFrame::Gap(Gap { subscription, from_seq, to_seq }) => {
                object.serialize_entry("type", "gap")?;
                object.serialize_entry("subscription", subscription)?;
                object.serialize_entry("from_seq", from_seq)?;
                object.serialize_entry("to_seq", to_seq)?;
            }
            ServerFrame::Ack(Ack { id, rejected }) => {
                object.serialize_entry("type", "ack")?;
                object.serialize_entry("id", id)?;
                if !rejected.is_empty() {
                    object.serialize_entry("rejected", &rejected.iter().map(RejectedJson).collect::<Vec<_>>())?;
                }
            }
            ServerFrame::Error(ErrorFrame { batch, code, message, subscription, metrics }) => {
                object.serialize_entry("type", "error")?;
                if let Some(batch) = batch {
                    object.serialize_entry("batch", batch)?;
                }
                object.serialize_entry("code", code)?;
                object.serialize_entry("message", message)?;
                if let Some(id) = subscription {
                    object.serialize_entry("subscription", id)?;
                }
                if !metrics.is_empty() {
                    object.serialize_entry("metrics", &metrics.iter().map(SelectionJson).collect::<Vec<_>>())?;
                }
            }
        }
        object.end()
    }
}

struct RejectedJson<'a>(&'a RejectedSample);

impl Serialize for RejectedJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let RejectedSample { index, code, message } = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("index", index)?;
        object.serialize_entry("code", code)?;
        object.serialize_entry("message", message)?;
        object.end()
    }
}

struct RestatedJson<'a>(&'a RestatedSpan);

impl Serialize for RestatedJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let RestatedSpan { series, from, to, at } = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("name", series.metric.as_str())?;
        if !series.labels.is_empty() {
            object.serialize_entry("labels", &LabelMap(&series.labels))?;
        }
        // No stored sample is older than 1970.
        for (field, instant) in [("from", from), ("to", to), ("at", at)] {
            object.serialize_entry(field, &instant.get().max(0))?;
        }
        object.end()
    }
}

struct AlertJson<'a>(&'a AlertNotice);

impl Serialize for AlertJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let AlertNotice { rule, labels, severity, state, value, stale, comparison, threshold, summary, runbook } =
            self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("rule", rule)?;
        object.serialize_entry("labels", &LabelMap(labels))?;
        let mut at = |word: &str, instants: [(&str, Option<TimestampMs>); 4]| {
            object.serialize_entry("state", word)?;
            for (field, instant) in instants {
                if let Some(instant) = instant {
                    object.serialize_entry(field, &instant.get())?;
                }
            }
            Ok(())
        };
        let fields = |active_at, fired_at, kept, resolved_at| {
            [
                ("active_at", active_at),
                ("fired_at", fired_at),
                ("keep_firing_since", kept),
                ("resolved_at", resolved_at),
            ]
        };
        match *state {
            AlertState::Inactive => at("inactive", fields(None, None, None, None))?,
            AlertState::Pending { active_at } => at("pending", fields(Some(active_at), None, None, None))?,
            AlertState::Firing { active_at, fired_at, keep_firing_since } => {
                at("firing", fields(Some(active_at), Some(fired_at), keep_firing_since, None))?;
            }
            AlertState::Resolved { active_at, fired_at, at: resolved_at } => {
                at("resolved", fields(Some(active_at), Some(fired_at), None, Some(resolved_at)))?;
            }
        }
        object.serialize_entry("severity", severity.as_str())?;
        object.serialize_entry("value", &value.map(Figure))?;
        object.serialize_entry("is", comparison.as_str())?;
        object.serialize_entry("threshold", &Figure(*threshold))?;
        object.serialize_entry("stale", stale)?;
        object.serialize_entry("annotations", &AnnotationsJson { summary, runbook })?;
        object.end()
    }
}

struct AnnotationsJson<'a> {
    summary: &'a str,
    runbook: &'a str,
}

impl Serialize for AnnotationsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (field, text) in [("summary", self.summary), ("runbook", self.runbook)] {
            if !text.is_empty() {
                object.serialize_entry(field, text)?;
            }
        }
        object.end()
    }
}
