//! What a client sends, to text and back.

use bellwether_core::labels::MetricName;
use bellwether_core::time::DurationMs;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{
    Batch, ClientFrame, FeedFormat, FrameError, MAX_SELECTIONS, Resume, Selection, Step, Subscribe, unknown_type,
};
use crate::board::{Conditions, PatternRoom, read_conditions};
use crate::json::{Faults, Object, parse, text};

/// The words for a format.
const FORMATS: [(&str, FeedFormat); 2] = [("json", FeedFormat::Json), ("binary", FeedFormat::Binary)];

impl ClientFrame {
    /// Reads a frame strictly: a field that is not known is a fault.
    ///
    /// # Errors
    /// [`FrameError`] with everything that is wrong and where.
    ///
    /// ```
    /// use bellwether_wire::frame::ClientFrame;
    /// let text = r#"{"type":"subscribe","id":1,"metrics":[{"name":"host_load1","range":"1h"}],"step":"1s"}"#;
    /// assert!(matches!(ClientFrame::decode(text)?, ClientFrame::Subscribe(_)));
    /// # Ok::<(), bellwether_wire::frame::FrameError>(())
    /// ```
    pub fn decode(text: &str) -> Result<Self, FrameError> {
        let value = parse(text).map_err(|fault| FrameError::Faults(vec![fault]))?;
        let faults = Faults::default();
        let mut unknown = None;
        let frame = Object::new(&value, "", &faults).and_then(|mut object| {
            let frame = match object.text("type")? {
                "subscribe" => subscribe(&mut object).map(Self::Subscribe),
                "samples" => samples(&mut object).map(Self::Samples),
                other => {
                    unknown = Some(unknown_type(other, "subscribe, samples"));
                    return None;
                }
            };
            object.refuse_unknown();
            frame
        });
        match unknown {
            Some(error) => Err(error),
            None => faults.check(frame).map_err(FrameError::Faults),
        }
    }

    /// The frame as text.
    #[must_use]
    pub fn encode(&self) -> String {
        match self {
            Self::Subscribe(subscribe) => subscribe.encode(),
            Self::Samples(batch) => text(&BatchJson(batch)),
        }
    }
}

impl Subscribe {
    /// The frame as text, for clients that say nothing else.
    #[must_use]
    pub fn encode(&self) -> String {
        text(&SubscribeJson(self))
    }
}

fn samples(object: &mut Object<'_>) -> Option<Batch> {
    let id = object.whole("id");
    let key = match object.optional("key") {
        Some(_) => Some(object.text("key")?.to_owned()),
        None => None,
    };
    let samples = object.required("samples");
    if let Some(other) = samples.filter(|samples| !samples.is_array()) {
        object.fault("samples", format!("this is {}; it must be an array", crate::json::type_name(other)));
        return None;
    }
    Some(Batch { id: id?, key, samples: text(samples?) })
}

fn subscribe(object: &mut Object<'_>) -> Option<Subscribe> {
    let id = object.whole("id").and_then(|id| {
        let narrow = u32::try_from(id).ok();
        if narrow.is_none() {
            object.fault("id", "this must be a whole number below 2^32");
        }
        narrow
    });
    let metrics = object.required("metrics").and_then(|_| selections(object, Unknown::Refused));
    let step = step(object);
    let format = object.choice("format", &FORMATS, Some(FeedFormat::Json));
    let resume = match object.optional("resume") {
        Some(value) => Some(resume(value, object)?),
        None => None,
    };
    let until = object.timestamp_or_none("until");
    Some(Subscribe { id: id?, metrics: metrics?, step: step?, format: format?, resume, until: until? })
}

fn resume(value: &Value, subscribe: &Object<'_>) -> Option<Resume> {
    let mut object = Object::new(value, &subscribe.at("resume"), subscribe.faults())?;
    let (epoch, seq) = (object.whole("epoch"), object.whole("seq"));
    object.refuse_unknown();
    Some(Resume { epoch: epoch?, seq: seq? })
}

/// What becomes of fields that are not known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// They are faults: a client's slip of the pen is answered.
    Refused,
    /// A later gateway may send more.
    Skipped,
}

/// The selections in the field `metrics`; none where it is left out.
pub(super) fn selections(object: &mut Object<'_>, unknown: Unknown) -> Option<Vec<Selection>> {
    let elements = object.array("metrics")?;
    if elements.len() > MAX_SELECTIONS {
        object.fault("metrics", format!("these are {}; at most {MAX_SELECTIONS} are allowed", elements.len()));
        return None;
    }
    let count = elements.len();
    let mut room = PatternRoom::of("subscribe");
    let read: Vec<_> = elements
        .into_iter()
        .filter_map(|(path, value)| {
            let mut selection = Object::new(value, &path, object.faults())?;
            let read = self::selection(&mut selection, &mut room);
            if unknown == Unknown::Refused {
                selection.refuse_unknown();
            }
            read
        })
        .collect();
    (read.len() == count).then_some(read)
}

fn selection(object: &mut Object<'_>, room: &mut PatternRoom) -> Option<Selection> {
    let name = object
        .text("name")
        .and_then(|text| MetricName::new(text).map_err(|error| object.fault("name", error.to_string())).ok());
    let matchers = match object.optional("where") {
        Some(value) => read_conditions(value, &object.at("where"), object.faults(), room),
        None => Some(Vec::new()),
    };
    let range = object.duration_or_zero("range");
    Some(Selection { name: name?, matchers: matchers?, range: range? })
}

fn step(object: &mut Object<'_>) -> Option<Step> {
    if object.optional("step").and_then(Value::as_str) == Some("raw") {
        return Some(Step::Raw);
    }
    let width = object.duration("step")?;
    if width == DurationMs::ZERO {
        object.fault("step", "a step of no length; write \"1s\", or \"raw\" for each sample as it is");
        return None;
    }
    Some(Step::Every(width))
}

struct SubscribeJson<'a>(&'a Subscribe);

impl Serialize for SubscribeJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Subscribe { id, metrics, step, format, resume, until } = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("type", "subscribe")?;
        object.serialize_entry("id", id)?;
        object.serialize_entry("metrics", &metrics.iter().map(SelectionJson).collect::<Vec<_>>())?;
        match step {
            Step::Raw => object.serialize_entry("step", "raw")?,
            Step::Every(width) => object.serialize_entry("step", &width.to_string())?,
        }
        let format = match format {
            FeedFormat::Json => FORMATS[0].0,
            FeedFormat::Binary => FORMATS[1].0,
        };
        object.serialize_entry("format", format)?;
        if let Some(resume) = resume {
            object.serialize_entry("resume", &ResumeJson(*resume))?;
        }
        if let Some(until) = until {
            object.serialize_entry("until", &until.get())?;
        }
        object.end()
    }
}

struct BatchJson<'a>(&'a Batch);

impl Serialize for BatchJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Batch { id, key, samples } = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("type", "samples")?;
        object.serialize_entry("id", id)?;
        if let Some(key) = key {
            object.serialize_entry("key", key)?;
        }
        let raw: &RawValue = serde_json::from_str(samples).map_err(serde::ser::Error::custom)?;
        object.serialize_entry("samples", raw)?;
        object.end()
    }
}

struct ResumeJson(Resume);

impl Serialize for ResumeJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Resume { epoch, seq } = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("epoch", &epoch)?;
        object.serialize_entry("seq", &seq)?;
        object.end()
    }
}

/// A selection as it is asked for.
pub(super) struct SelectionJson<'a>(pub(super) &'a Selection);

impl Serialize for SelectionJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Selection { name, matchers, range } = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("name", name.as_str())?;
        if !matchers.is_empty() {
            object.serialize_entry("where", &Conditions(matchers))?;
        }
        if *range != DurationMs::ZERO {
            object.serialize_entry("range", &range.to_string())?;
        }
        object.end()
    }
}
