//! Corrections of stored samples: the body of `POST /api/v1/corrections`.

use bellwether_core::labels::{Labels, MetricName};
use bellwether_core::time::TimestampMs;

use crate::ingest::MAX_REF_BYTES;
use crate::json::{Faults, JsonFault, Object, parse};

/// Most bytes of a reason.
pub const MAX_REASON_BYTES: usize = 1_024;

/// What is to become of which samples.
#[derive(Clone, Debug, PartialEq)]
pub struct CorrectionRequest {
    /// The reference that they were sent with; 1 to 256 bytes.
    pub reference: String,
    /// Only samples of this metric.
    pub metric: Option<MetricName>,
    /// Only samples of series that have all of these labels.
    pub labels: Labels,
    /// Only samples of this instant.
    pub at: Option<TimestampMs>,
    /// What becomes of them.
    pub action: CorrectionAction,
    /// Why: 1 to 1,024 bytes; always there unless they are erased.
    pub reason: Option<String>,
}

/// What becomes of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CorrectionAction {
    /// One sample gets another value, another time, or both; at least one of them is given.
    Correct {
        /// The value: finite.
        value: Option<f64>,
        /// The time.
        timestamp: Option<TimestampMs>,
    },
    /// They count no more, and the trail says what they were.
    Withdraw,
    /// Nothing of them is left.
    Erase,
}

/// A body that is no correction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(.0))]
pub struct CorrectionError(Vec<JsonFault>);

fn list(faults: &[JsonFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Reads a correction; a field that is not known is a fault.
///
/// # Errors
/// [`CorrectionError`] with everything that is wrong and where.
///
/// ```
/// use bellwether_wire::correction::{CorrectionAction, decode};
/// let asked = decode(r#"{"ref":"case 7","action":"withdraw","reason":"entered twice"}"#)?;
/// assert_eq!((asked.reference.as_str(), asked.action), ("case 7", CorrectionAction::Withdraw));
/// # Ok::<(), bellwether_wire::correction::CorrectionError>(())
/// ```
pub fn decode(text: &str) -> Result<CorrectionRequest, CorrectionError> {
    let value = parse(text).map_err(|fault| CorrectionError(vec![fault]))?;
    let faults = Faults::default();
    let request = Object::new(&value, "", &faults).and_then(|mut object| {
        let request = read(&mut object);
        object.refuse_unknown();
        request
    });
    faults.check(request).map_err(CorrectionError)
}

/// The words for what becomes of samples.
#[derive(Clone, Copy, PartialEq)]
enum Word {
    Correct,
    Withdraw,
    Erase,
}

const WORDS: [(&str, Word); 3] = [("correct", Word::Correct), ("withdraw", Word::Withdraw), ("erase", Word::Erase)];

fn read(object: &mut Object<'_>) -> Option<CorrectionRequest> {
    let reference = bounded(object, "ref", MAX_REF_BYTES);
    let metric = match object.optional("name") {
        None => Some(None),
        Some(_) => object.text("name").and_then(|name| {
            MetricName::new(name).map(Some).map_err(|error| object.fault("name", error.to_string())).ok()
        }),
    };
    let labels = object.labels("labels");
    let at = object.timestamp_or_none("at");
    let word = object.choice("action", &WORDS, None);
    let value = object.number_or_none("value");
    let timestamp = object.timestamp_or_none("timestamp");
    let reason = match object.optional("reason") {
        None => Some(None),
        Some(_) => bounded(object, "reason", MAX_REASON_BYTES).map(Some),
    };
    let (word, value, timestamp, reason) = (word?, value?, timestamp?, reason?);
    if reason.is_none() && word != Word::Erase {
        object.fault("reason", "this is missing; say why in a few words, for the trail");
    }
    let is_changed = value.is_some() || timestamp.is_some();
    let action = match word {
        Word::Correct => {
            if !is_changed {
                object.fault_here("a correction needs \"value\", \"timestamp\" or both");
            }
            CorrectionAction::Correct { value, timestamp }
        }
        Word::Withdraw | Word::Erase if is_changed => {
            object
                .fault_here("\"value\" and \"timestamp\" are for \"correct\" only; \"at\" says which sample is meant");
            return None;
        }
        Word::Withdraw => CorrectionAction::Withdraw,
        Word::Erase => CorrectionAction::Erase,
    };
    Some(CorrectionRequest { reference: reference?, metric: metric?, labels: labels?, at: at?, action, reason })
}

/// Text of 1 to `most` bytes that must be there.
fn bounded(object: &mut Object<'_>, field: &'static str, most: usize) -> Option<String> {
    let text = object.text(field)?;
    if text.is_empty() || text.len() > most {
        object.fault(field, format!("this has {} bytes; it must have 1 to {most}", text.len()));
        return None;
    }
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_can_be_said() {
        let text = r#"{"ref":"case 7","name":"resolution_time","labels":{"team":"a"},"at":5,"action":"correct",
            "value":-1.5,"timestamp":9,"reason":"typo"}"#;
        let expected = CorrectionRequest {
            reference: "case 7".to_owned(),
            metric: Some(MetricName::new("resolution_time").unwrap()),
            labels: Labels::new([("team", "a")]).unwrap(),
            at: Some(TimestampMs::new(5)),
            action: CorrectionAction::Correct { value: Some(-1.5), timestamp: Some(TimestampMs::new(9)) },
            reason: Some("typo".to_owned()),
        };
        assert_eq!(decode(text), Ok(expected));
        let erase = decode(r#"{"ref":"x","action":"erase"}"#).unwrap();
        assert_eq!((erase.action, erase.reason, erase.metric), (CorrectionAction::Erase, None, None));
    }

    #[track_caller]
    fn check(text: &str, word: &str) {
        let error = decode(text).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }

    #[test]
    fn what_is_wrong_is_said() {
        check("{", "not JSON");
        check("[]", "must be an object");
        check(r#"{"action":"erase"}"#, "ref");
        check(r#"{"ref":"","action":"erase"}"#, "1 to 256");
        check(&format!(r#"{{"ref":"{}","action":"erase"}}"#, "x".repeat(257)), "1 to 256");
        check(r#"{"ref":"x","action":"delete","reason":"r"}"#, "withdraw");
        check(r#"{"ref":"x","action":"withdraw"}"#, "reason");
        check(r#"{"ref":"x","action":"correct","reason":"r"}"#, "value");
        check(r#"{"ref":"x","action":"erase","value":1}"#, "correct");
        check(r#"{"ref":"x","action":"correct","value":"1","reason":"r"}"#, "number");
        check(r#"{"ref":"x","action":"correct","timestamp":-1,"reason":"r"}"#, "whole");
        check(r#"{"ref":"x","action":"erase","nmae":"m"}"#, "name");
        check(r#"{"ref":"x","action":"erase","name":""}"#, "name");
    }
}
