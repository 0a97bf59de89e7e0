//! How much of a body is taken, found out before anything of it is copied.

use super::super::ProtocolError;
use super::malformed;
use crate::binary::protobuf::{Field, Reader};
use crate::ingest::MAX_SAMPLES;

/// Most messages within a body: points, and attributes of each.
const MAX_MESSAGES: usize = 500_000;
/// So many elements of a JSON list take about as much memory as one message.
const ELEMENTS_OF_A_MESSAGE: usize = 16;

/// Which fields of a message are messages.
struct Shape {
    fields: &'static [(u32, &'static Shape)],
    /// Whether it is a point.
    is_point: bool,
    /// The field of packed numbers, each of which takes more memory than its bytes.
    packed: Option<u32>,
}

const LEAF: Shape = Shape { fields: &[], is_point: false, packed: None };
const ATTRIBUTES: Shape = Shape { fields: &[(1, &LEAF)], ..LEAF };
const BUCKETS: Shape = Shape { packed: Some(2), ..LEAF };
const NUMBER: Shape = Shape { fields: &[(5, &LEAF), (7, &LEAF)], is_point: true, ..LEAF };
const EXPLICIT: Shape = Shape { fields: &[(8, &LEAF), (9, &LEAF)], is_point: true, ..LEAF };
const EXPONENTIAL: Shape =
    Shape { fields: &[(1, &LEAF), (8, &BUCKETS), (9, &BUCKETS), (11, &LEAF)], is_point: true, ..LEAF };
const SUMMARY: Shape = Shape { is_point: true, ..LEAF };
const METRIC: Shape = Shape {
    fields: &[
        (5, &Shape { fields: &[(1, &NUMBER)], ..LEAF }),
        (7, &Shape { fields: &[(1, &NUMBER)], ..LEAF }),
        (9, &Shape { fields: &[(1, &EXPLICIT)], ..LEAF }),
        (10, &Shape { fields: &[(1, &EXPONENTIAL)], ..LEAF }),
        (11, &Shape { fields: &[(1, &SUMMARY)], ..LEAF }),
    ],
    ..LEAF
};
const SCOPE: Shape = Shape { fields: &[(1, &LEAF), (2, &METRIC)], ..LEAF };
const RESOURCE: Shape = Shape { fields: &[(1, &ATTRIBUTES), (2, &SCOPE)], ..LEAF };
const REQUEST: Shape = Shape { fields: &[(1, &RESOURCE)], ..LEAF };

#[derive(Default)]
struct Weight {
    messages: usize,
    points: usize,
}

impl Weight {
    fn add(&mut self, bytes: &[u8], shape: &Shape) -> Result<(), ProtocolError> {
        self.messages += 1;
        self.points += usize::from(shape.is_point);
        if self.points > MAX_SAMPLES {
            return Err(ProtocolError::TooManySamples);
        }
        let mut fields = Reader::new(bytes);
        while let Some((number, field)) = fields.field().map_err(|error| malformed(&error))? {
            let Field::Bytes(bytes) = field else { continue };
            if shape.packed == Some(number) {
                self.messages += bytes.len() / 16;
            }
            if let Some((_, shape)) = shape.fields.iter().find(|(known, _)| *known == number) {
                self.add(bytes, shape)?;
            }
            if self.messages > MAX_MESSAGES {
                return Err(malformed(&"it is made of too many parts; send fewer metrics at once"));
            }
        }
        Ok(())
    }
}

/// Refuses a body that would take much more memory than it has bytes, before any is taken.
///
/// # Errors
/// [`ProtocolError`] where there are too many points, or parts of them, or bytes that are no message.
pub(super) fn weigh(bytes: &[u8]) -> Result<(), ProtocolError> {
    Weight::default().add(bytes, &REQUEST)
}

/// The same of JSON, where an object is a message and what stands between commas an element. Texts are skipped:
/// they take what they have bytes.
///
/// # Errors
/// As [`weigh`].
pub(super) fn weigh_json(bytes: &[u8]) -> Result<(), ProtocolError> {
    let (mut weight, mut is_text, mut is_escaped) = (0, false, false);
    for byte in bytes {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            b'{' if !is_text => weight += ELEMENTS_OF_A_MESSAGE,
            b'[' | b',' if !is_text => weight += 1,
            _ => {}
        }
    }
    if weight > MAX_MESSAGES * ELEMENTS_OF_A_MESSAGE {
        return Err(malformed(&"it is made of too many parts; send fewer metrics at once"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request with `inner` in place of the fields of its only point, which is of the exponential form.
    fn around(inner: &str) -> String {
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"exponentialHistogram":{{"dataPoints":[{{{inner}}}]}}}}]}}]}}]}}"#
        )
    }

    #[test]
    fn parts_are_counted_and_texts_are_not() {
        let most = MAX_MESSAGES * ELEMENTS_OF_A_MESSAGE;
        let elements = |inner: &str, count: usize| around(&format!(r#""x":[{}]"#, vec![inner; count].join(",")));
        for (what, text, fits) in [
            ("lists in lists", around(&format!(r#""x":{}"#, "[".repeat(most + 1))), false),
            ("numbers", elements("1", most + 1), false),
            ("lists", elements("[]", most / 2 + 1), false),
            ("objects", elements("{}", MAX_MESSAGES), false),
            ("a text", around(&format!(r#""x":"{}""#, "[{,\\\"".repeat(most / 4))), true),
            ("some of each", elements("[1,{}]", 10_000), true),
        ] {
            assert_eq!(weigh_json(text.as_bytes()).is_ok(), fits, "{what}");
        }
    }
}
