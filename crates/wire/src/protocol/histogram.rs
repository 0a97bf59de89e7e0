//! A native histogram of Prometheus remote write, 1.0 and 2.0 alike.

use bellwether_core::sketch::MAX_VALUE_BUCKETS;
use bellwether_core::sketch::exchange::{NativeBuckets, NativeHistogram, Span};
use bellwether_core::time::TimestampMs;

use super::{Course, HistogramPoint};
use crate::binary::DecodeError;
use crate::binary::fields::{histogram as number, span};
use crate::binary::protobuf::{Field, Reader, from_zigzag};

/// Most value buckets of each sign, empty ones included.
const MAX_LISTED: usize = 2 * MAX_VALUE_BUCKETS;
/// The counts were set back by the sender.
const HINT_YES: u64 = 1;
/// The bits of the value that ends a series.
pub(super) const STALE: u64 = 0x7ff0_0000_0000_0002;

/// What one histogram of a body is.
#[derive(Debug)]
pub(super) enum Read {
    Point(HistogramPoint),
    /// A stale marker.
    Ended(TimestampMs),
    /// Why it is refused.
    Refused(String),
}

/// The value buckets of one sign.
#[derive(Default)]
struct Side {
    native: NativeBuckets,
    /// The counts themselves, where they are floats.
    counts: Vec<f64>,
    too_many: bool,
}

impl Side {
    fn take_span(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let (mut offset, mut length) = (0, 0);
        let mut fields = Reader::new(bytes);
        while let Some((number, field)) = fields.field()? {
            match number {
                span::OFFSET => offset = i32::try_from(field.zigzag(number)?).map_err(|_| DecodeError::Spans)?,
                span::LENGTH => length = u32::try_from(field.unsigned(number)?).map_err(|_| DecodeError::Spans)?,
                _ => {}
            }
        }
        if self.native.spans.len() >= MAX_LISTED {
            self.too_many = true;
        } else {
            self.native.spans.push(Span { offset, length });
        }
        Ok(())
    }

    fn take_deltas(&mut self, number: u32, field: Field<'_>) -> Result<(), DecodeError> {
        field.each_varint(number, |code| {
            if self.native.deltas.len() >= MAX_LISTED {
                self.too_many = true;
            } else {
                self.native.deltas.push(from_zigzag(code));
            }
            Ok(())
        })
    }

    fn take_counts(&mut self, number: u32, field: Field<'_>) -> Result<(), DecodeError> {
        let mut put = |bits: u64| {
            if self.counts.len() >= MAX_LISTED {
                self.too_many = true;
            } else {
                self.counts.push(f64::from_bits(bits));
            }
        };
        match field {
            Field::Fixed64(bits) => put(bits),
            Field::Bytes(bytes) => {
                let (doubles, []) = bytes.as_chunks::<8>() else { return Err(DecodeError::Truncated) };
                doubles.iter().for_each(|double| put(u64::from_le_bytes(*double)));
            }
            _ => return Err(DecodeError::WireType { field: number }),
        }
        Ok(())
    }

    /// Float counts as whole ones, so that no more than half a value is lost in a value bucket.
    fn round(&mut self) -> Result<(), String> {
        let mut before = 0;
        for count in std::mem::take(&mut self.counts) {
            let count = whole(count)? as i64;
            self.native.deltas.push(count - before);
            before = count;
        }
        Ok(())
    }
}

/// A float count as a whole one.
fn whole(count: f64) -> Result<u64, String> {
    // Up to here a float tells neighbouring whole numbers apart.
    let is_count = (0.0..=9_007_199_254_740_992.0).contains(&count);
    if is_count { Ok(count.round() as u64) } else { Err(format!("{count} is no count")) }
}

/// Reads the fields of a `Histogram`.
///
/// # Errors
/// [`DecodeError`] for bytes that are no such message.
pub(super) fn read(bytes: &[u8], since: Option<TimestampMs>) -> Result<Read, DecodeError> {
    let (mut sum, mut threshold, mut schema, mut hint, mut at) = (0.0, 0.0, 0, 0, 0);
    let mut zero_count = 0;
    let mut float_zero_count = None;
    let mut has_custom_bounds = false;
    let (mut positive, mut negative) = (Side::default(), Side::default());
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.field()? {
        match number {
            number::SUM => sum = field.double(number)?,
            number::SCHEMA => schema = field.zigzag(number)?,
            number::ZERO_THRESHOLD => threshold = field.double(number)?,
            number::ZERO_COUNT_INT => zero_count = field.unsigned(number)?,
            number::ZERO_COUNT_FLOAT => float_zero_count = Some(field.double(number)?),
            number::NEGATIVE_SPANS => negative.take_span(field.bytes(number)?)?,
            number::POSITIVE_SPANS => positive.take_span(field.bytes(number)?)?,
            number::NEGATIVE_DELTAS => negative.take_deltas(number, field)?,
            number::POSITIVE_DELTAS => positive.take_deltas(number, field)?,
            number::NEGATIVE_COUNTS => negative.take_counts(number, field)?,
            number::POSITIVE_COUNTS => positive.take_counts(number, field)?,
            number::RESET_HINT => hint = field.unsigned(number)?,
            number::TIMESTAMP => at = field.signed(number)?,
            number::CUSTOM_VALUES => has_custom_bounds = true,
            _ => {}
        }
    }
    let at = TimestampMs::new(at);
    if sum.to_bits() == STALE {
        return Ok(Read::Ended(at));
    }
    let refused = |reason: String| Ok(Read::Refused(reason));
    if has_custom_bounds {
        return refused("it has custom bounds, which are not taken; let the sender use exponential ones".to_owned());
    }
    if positive.too_many || negative.too_many {
        return refused(format!("it has more than {MAX_LISTED} value buckets of one sign"));
    }
    if !sum.is_finite() {
        return refused(format!("its sum is {sum}: it was given NaN or an infinity"));
    }
    let rounded = float_zero_count.map_or(Ok(zero_count), whole);
    let rounded = rounded.and_then(|zeros| positive.round().and(negative.round()).map(|()| zeros));
    let zero_count = match rounded {
        Ok(zero_count) => zero_count,
        Err(reason) => return refused(reason),
    };
    let schema = i32::try_from(schema).map_err(|_| DecodeError::Schema { schema })?;
    let (positive, negative) = (positive.native, negative.native);
    let native = NativeHistogram { schema, zero_threshold: threshold, zero_count, positive, negative };
    let course = match hint {
        number::RESET_HINT_GAUGE => Course::Increment,
        hint => Course::Cumulative { since, restarted: hint == HINT_YES },
    };
    Ok(match native.sketch() {
        Ok(sketch) => Read::Point(HistogramPoint { at, sketch, bounds: None, sum, extremes: None, course }),
        Err(error) => Read::Refused(error.to_string()),
    })
}
