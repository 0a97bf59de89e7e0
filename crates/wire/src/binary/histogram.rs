//! A summary as a native histogram and back.
//!
//! Prometheus numbers value buckets one higher than OpenTelemetry and the sketch do: its bucket `i`
//! ends at `base^i`, theirs begins there.

use bellwether_core::sketch::Sketch;
use bellwether_core::summary::{Summary, SummaryParts};
use bellwether_core::time::TimestampMs;

use super::DecodeError;
use super::fields::{histogram as number, span};
use super::protobuf::{Reader, from_zigzag, put_bytes, put_double, put_signed, put_unsigned, put_varint, to_zigzag};
use crate::feed::BucketSummary;

/// Writes the fields of a `Histogram`; `scratch` is overwritten.
pub(super) fn write(out: &mut Vec<u8>, scratch: &mut Vec<u8>, end: TimestampMs, summary: &Summary) {
    // Field by field and not through `parts`, which would copy the sketch.
    let sketch = &summary.sketch;
    put_unsigned(out, number::COUNT_INT, summary.count);
    put_double(out, number::SUM, summary.sum);
    put_unsigned(out, number::SCHEMA, to_zigzag(i64::from(sketch.scale())));
    put_unsigned(out, number::ZERO_COUNT_INT, sketch.zero_count());
    write_buckets(out, scratch, number::NEGATIVE_SPANS, number::NEGATIVE_DELTAS, || sketch.negative());
    write_buckets(out, scratch, number::POSITIVE_SPANS, number::POSITIVE_DELTAS, || sketch.positive());
    put_unsigned(out, number::RESET_HINT, number::RESET_HINT_GAUGE);
    put_signed(out, number::TIMESTAMP, end.get());
    put_double(out, number::MIN, summary.min);
    put_double(out, number::MAX, summary.max);
    put_double(out, number::FIRST, summary.first.value());
    put_double(out, number::LAST, summary.last.value());
    put_double(out, number::INCREASE, summary.increase);
    put_double(out, number::M2, summary.m2);
    put_signed(out, number::FIRST_TIMESTAMP, summary.first.timestamp().get());
    put_signed(out, number::LAST_TIMESTAMP, summary.last.timestamp().get());
}

/// Writes value buckets as spans of neighbours and differences of counts.
fn write_buckets<I: Iterator<Item = (i32, u64)>>(
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    spans: u32,
    deltas: u32,
    buckets: impl Fn() -> I,
) {
    let mut buckets_left = buckets().map(|(index, _)| i64::from(index) + 1).peekable();
    let mut end = 0_i64;
    while let Some(start) = buckets_left.next() {
        let mut after = start + 1;
        while buckets_left.next_if_eq(&after).is_some() {
            after += 1;
        }
        scratch.clear();
        put_unsigned(scratch, span::OFFSET, to_zigzag(start - end));
        put_unsigned(scratch, span::LENGTH, (after - start).cast_unsigned());
        put_bytes(out, spans, scratch);
        end = after;
    }
    scratch.clear();
    let mut before = 0_u64;
    for (_, count) in buckets() {
        // Wrapping is exact both ways for every pair of counts.
        put_varint(scratch, to_zigzag(count.wrapping_sub(before).cast_signed()));
        before = count;
    }
    if !scratch.is_empty() {
        put_bytes(out, deltas, scratch);
    }
}

/// Value buckets as they arrive: spans and deltas apart.
#[derive(Default)]
struct Buckets {
    /// `(offset, length)`
    spans: Vec<(i32, u32)>,
    deltas: Vec<i64>,
}

impl Buckets {
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
        self.spans.push((offset, length));
        Ok(())
    }

    /// `(index, count)` as the sketch numbers them, empty value buckets left out.
    fn counts(&self) -> Result<Vec<(i32, u64)>, DecodeError> {
        let total: u64 = self.spans.iter().map(|(_, length)| u64::from(*length)).sum();
        // Before any memory is taken for them: a span of any length has a few bytes only.
        if total != self.deltas.len() as u64 {
            return Err(DecodeError::Spans);
        }
        let mut counts = Vec::with_capacity(self.deltas.len());
        let mut deltas = self.deltas.iter();
        let mut index = 0_i32;
        let mut count = 0_u64;
        for (offset, length) in &self.spans {
            index = index.checked_add(*offset).ok_or(DecodeError::Spans)?;
            for delta in deltas.by_ref().take(*length as usize) {
                count = count.wrapping_add(delta.cast_unsigned());
                if count > 0 {
                    counts.push((index.checked_sub(1).ok_or(DecodeError::Spans)?, count));
                }
                index = index.checked_add(1).ok_or(DecodeError::Spans)?;
            }
        }
        Ok(counts)
    }
}

/// A summary from the fields of a `Histogram`.
pub(super) fn read(bytes: &[u8]) -> Result<BucketSummary, DecodeError> {
    let mut count = 0;
    let mut sum = 0.0;
    let mut schema = 0;
    let mut zero_count = 0;
    let mut end = 0;
    let (mut positive, mut negative) = (Buckets::default(), Buckets::default());
    // min, max, first, last, increase, m2
    let mut doubles = [None; 6];
    let mut timestamps = [None; 2];
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.field()? {
        match number {
            number::COUNT_INT => count = field.unsigned(number)?,
            number::SUM => sum = field.double(number)?,
            number::SCHEMA => schema = field.zigzag(number)?,
            number::ZERO_COUNT_INT => zero_count = field.unsigned(number)?,
            number::NEGATIVE_SPANS => negative.take_span(field.bytes(number)?)?,
            number::POSITIVE_SPANS => positive.take_span(field.bytes(number)?)?,
            number::NEGATIVE_DELTAS => field.each_varint(number, |code| {
                negative.deltas.push(from_zigzag(code));
                Ok(())
            })?,
            number::POSITIVE_DELTAS => field.each_varint(number, |code| {
                positive.deltas.push(from_zigzag(code));
                Ok(())
            })?,
            number::TIMESTAMP => end = field.signed(number)?,
            number::MIN..=number::M2 => doubles[(number - number::MIN) as usize] = Some(field.double(number)?),
            number::FIRST_TIMESTAMP => timestamps[0] = Some(field.signed(number)?),
            number::LAST_TIMESTAMP => timestamps[1] = Some(field.signed(number)?),
            number::COUNT_FLOAT
            | number::ZERO_COUNT_FLOAT
            | number::NEGATIVE_COUNTS
            | number::POSITIVE_COUNTS
            | number::CUSTOM_VALUES => return Err(DecodeError::FloatHistogram),
            _ => {}
        }
    }
    let [Some(min), Some(max), Some(first), Some(last), Some(increase), Some(m2)] = doubles else {
        return Err(DecodeError::PlainHistogram);
    };
    let [Some(first_timestamp), Some(last_timestamp)] = timestamps else {
        return Err(DecodeError::PlainHistogram);
    };
    let scale = i8::try_from(schema).map_err(|_| DecodeError::Schema { schema })?;
    let sketch = Sketch::from_parts(scale, zero_count, positive.counts()?, negative.counts()?)?;
    let summary = Summary::from_parts(SummaryParts {
        count,
        sum,
        m2,
        min,
        max,
        first: (TimestampMs::new(first_timestamp), first),
        last: (TimestampMs::new(last_timestamp), last),
        increase,
        sketch,
    })?;
    Ok(BucketSummary { end: TimestampMs::new(end), summary })
}
