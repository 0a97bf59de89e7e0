//! What an export is asked for, by a command line or by the parameters of a request: the same words.

use bellwether_core::labels::{LabelError, LabelName, MetricName};
use bellwether_core::selector::{Condition, Matcher};
use bellwether_core::time::TimestampMs;

use super::rows::Format;
use crate::instant;
use crate::store::Selection;

/// Why parameters are none of an export.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParamError {
    #[error("there is no parameter {name:?}; there are name, where, from, to and format")]
    Unknown { name: String },
    #[error("{name} is given twice; give it once")]
    Twice { name: &'static str },
    #[error("name: {reason}")]
    Metric { reason: LabelError },
    #[error("where: {text:?} is no condition; write label:value")]
    Condition { text: String },
    #[error(
        "{name}: {text:?} is no instant; write 2026-11-22, 2026-11-22T06:34:43Z (in UTC) or milliseconds since 1970"
    )]
    Instant { name: &'static str, text: String },
    #[error("from is not before to; nothing lies between them")]
    Empty,
    #[error("format: {text:?} is neither csv nor ndjson")]
    Format { text: String },
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ExportRequest {
    pub(crate) selection: Selection,
    pub(crate) format: Format,
}

impl ExportRequest {
    /// # Errors
    /// [`ParamError`] for the first parameter that is wrong.
    pub(crate) fn from_pairs<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ParamError> {
        let mut selection = Selection::default();
        let (mut metric, mut from, mut to, mut format) = (None, None, None, None);
        for (name, value) in pairs {
            let value = value.as_ref();
            match name.as_ref() {
                "name" => {
                    let name = MetricName::new(value).map_err(|reason| ParamError::Metric { reason })?;
                    once("name", &mut metric, name)?;
                }
                "where" => selection.matchers.push(condition(value)?),
                "from" => once("from", &mut from, instant("from", value)?)?,
                "to" => once("to", &mut to, instant("to", value)?)?,
                "format" => {
                    let known = Format::ALL.into_iter().find(|format| format.word() == value);
                    let known = known.ok_or_else(|| ParamError::Format { text: value.to_owned() })?;
                    once("format", &mut format, known)?;
                }
                name => return Err(ParamError::Unknown { name: name.to_owned() }),
            }
        }
        selection.metrics.extend(metric);
        selection.from = from.unwrap_or(selection.from);
        selection.to = to.unwrap_or(selection.to);
        if selection.from >= selection.to {
            return Err(ParamError::Empty);
        }
        Ok(Self { selection, format: format.unwrap_or_default() })
    }
}

fn once<T>(name: &'static str, place: &mut Option<T>, value: T) -> Result<(), ParamError> {
    if place.replace(value).is_some() { Err(ParamError::Twice { name }) } else { Ok(()) }
}

fn instant(name: &'static str, text: &str) -> Result<TimestampMs, ParamError> {
    instant::parse(text).ok_or_else(|| ParamError::Instant { name, text: text.to_owned() })
}

/// As in `/query`: split at the first colon, and the value may be empty.
fn condition(text: &str) -> Result<Matcher, ParamError> {
    let none = || ParamError::Condition { text: text.to_owned() };
    let (label, value) = text.split_once(':').ok_or_else(none)?;
    let label = LabelName::new(label).map_err(|_| none())?;
    Ok(Matcher { label, condition: Condition::Equal(value.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_can_be_asked() {
        let pairs = [
            ("name", "latency"),
            ("where", "route:/a:b"),
            ("where", "host:"),
            ("from", "2026-11-22"),
            ("to", "1795329283120"),
            ("format", "ndjson"),
        ];
        let ExportRequest { selection, format } = ExportRequest::from_pairs(pairs).unwrap();
        assert_eq!(selection.metrics, [MetricName::new("latency").unwrap()].into());
        assert_eq!(selection.matchers.len(), 2);
        assert_eq!(selection.matchers[0].condition, Condition::Equal("/a:b".to_owned()));
        assert_eq!((selection.from.get(), selection.to.get()), (1_795_305_600_000, 1_795_329_283_120));
        assert_eq!(format, Format::Ndjson);
        let nothing: [(&str, &str); 0] = [];
        assert_eq!(ExportRequest::from_pairs(nothing), Ok(ExportRequest::default()));
    }

    #[track_caller]
    fn check(pairs: &[(&str, &str)], word: &str) {
        let error = ExportRequest::from_pairs(pairs.iter().copied()).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }

    #[test]
    fn what_is_wrong_is_said() {
        check(&[("nmae", "x")], "nmae");
        check(&[("name", "a"), ("name", "b")], "twice");
        check(&[("name", "")], "name");
        check(&[("where", "route")], "label:value");
        check(&[("from", "yesterday")], "2026-11-22");
        check(&[("from", "7"), ("to", "7")], "before");
        check(&[("format", "xml")], "ndjson");
    }
}
