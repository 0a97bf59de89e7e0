//! A tier's time buckets as bytes and back.

use super::SnapshotError;
use super::bytes::{Reader, Writer};
use crate::grid::Grid;
use crate::sample::{Kind, NotFinite, Sample};
use crate::sketch::{MAX_COUNT, Sketch};
use crate::summary::{Summary, SummaryParts};
use crate::tier::{Content, Tier};
use crate::time::TimestampMs;

/// In a tier's head: a sample from before the time buckets follows.
const HAS_BEFORE: u64 = 1;
/// In a tier's head: the instant up to which samples are only in wider tiers follows.
const HAS_INCOMPLETE: u64 = 2;

/// What the time buckets of a tier have in common, and the floats of the one before, which the next
/// one's are likely to resemble.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    grid: Grid,
    kind: Kind,
    now: TimestampMs,
    value: f64,
    sum: f64,
    m2: f64,
    increase: f64,
}

impl Frame {
    pub(super) const fn new(grid: Grid, kind: Kind, now: TimestampMs) -> Self {
        Self { grid, kind, now, value: 0.0, sum: 0.0, m2: 0.0, increase: 0.0 }
    }

    /// The increase that a summary of the kind is likely to have.
    fn expected_increase(&self, count: u64, sum: f64) -> f64 {
        match self.kind {
            Kind::Counter => self.increase,
            Kind::Event => sum,
            Kind::Observation => count as f64,
            Kind::Gauge => 0.0,
        }
    }

    pub(super) fn write(mut self, tier: &Tier, writer: &mut Writer) {
        let incomplete_until = Some(tier.incomplete_until()).filter(|until| *until > TimestampMs::new(i64::MIN));
        let before_flag = tier.before().map_or(0, |_| HAS_BEFORE);
        let incomplete_flag = incomplete_until.map_or(0, |_| HAS_INCOMPLETE);
        writer.uint((tier.len() as u64) << 2 | incomplete_flag | before_flag);
        if let Some(before) = tier.before() {
            writer.int(before.timestamp().get().wrapping_sub(self.now.get()));
            writer.float(before.value(), 0.0);
            self.value = before.value();
        }
        if let Some(until) = incomplete_until {
            writer.int(until.get().wrapping_sub(self.now.get()));
        }
        let mut next = None;
        for bucket in tier.range(i64::MIN, i64::MAX) {
            match next {
                None => writer.int(bucket.number.wrapping_sub(self.grid.bucket_of(self.now))),
                Some(next) => writer.uint(bucket.number.abs_diff(next)),
            }
            next = bucket.number.checked_add(1);
            let end = self.grid.end(bucket.number);
            match &bucket.content {
                Content::One(sample) => {
                    writer.uint(1);
                    self.write_sample(*sample, end, writer);
                }
                Content::Many(summary) => self.write_summary(summary, end, writer),
            }
        }
    }

    pub(super) fn read(mut self, reader: &mut Reader<'_>) -> Result<Tier, SnapshotError> {
        let head = reader.uint()?;
        let mut tier = Tier::default();
        if head & HAS_BEFORE != 0 {
            let timestamp = TimestampMs::new(reader.int()?.wrapping_add(self.now.get()));
            self.value = reader.float(0.0)?;
            tier.pass_by(finite(timestamp, self.value, reader)?);
        }
        if head & HAS_INCOMPLETE != 0 {
            tier.set_incomplete_until(TimestampMs::new(reader.int()?.wrapping_add(self.now.get())));
        }
        let mut next = None;
        for place in 0..head >> 2 {
            let number = match next {
                _ if place == 0 => reader.int()?.wrapping_add(self.grid.bucket_of(self.now)),
                Some(next) => i64::checked_add_unsigned(next, reader.uint()?)
                    .ok_or_else(|| reader.malformed("a time bucket within time"))?,
                None => return Err(reader.malformed("a time bucket within time")),
            };
            next = number.checked_add(1);
            let content = self.read_content(number, reader)?;
            tier.push(number, content);
        }
        Ok(tier)
    }

    fn write_sample(&mut self, sample: Sample, end: TimestampMs, writer: &mut Writer) {
        writer.uint(end.get().wrapping_sub(sample.timestamp().get()) as u64);
        writer.float(sample.value(), self.value);
        self.value = sample.value();
    }

    fn read_content(&mut self, number: i64, reader: &mut Reader<'_>) -> Result<Content, SnapshotError> {
        match reader.uint()? {
            0 => Err(reader.malformed("at least one sample in a time bucket")),
            1 => {
                let timestamp = self.read_timestamp(number, reader)?;
                self.value = reader.float(self.value)?;
                Ok(Content::One(finite(timestamp, self.value, reader)?))
            }
            count => Ok(Content::Many(Box::new(self.read_summary(count, number, reader)?))),
        }
    }

    /// An instant in the time bucket `number`, by its distance from the bucket's end.
    fn read_timestamp(&self, number: i64, reader: &mut Reader<'_>) -> Result<TimestampMs, SnapshotError> {
        let distance = reader.uint()?;
        let timestamp = TimestampMs::new(self.grid.end(number).get().wrapping_sub(distance as i64));
        let is_inside = self.grid.bucket_of(timestamp) == number && distance < self.grid.width().as_millis();
        if is_inside && is_of_samples(timestamp) {
            Ok(timestamp)
        } else {
            Err(reader.malformed("an instant in its time bucket"))
        }
    }

    fn write_summary(&mut self, summary: &Summary, end: TimestampMs, writer: &mut Writer) {
        let Summary { count, sum, m2, min, max, first, last, increase, .. } = *summary;
        writer.uint(count);
        for sample in [first, last] {
            writer.uint(end.get().wrapping_sub(sample.timestamp().get()) as u64);
        }
        let floats = [
            (min, self.value),
            (max, min),
            (first.value(), min),
            (last.value(), first.value()),
            (sum, self.sum),
            (summary.residue(), 0.0),
            (m2, self.m2),
            (increase, self.expected_increase(count, sum)),
        ];
        for (value, expected) in floats {
            writer.float(value, expected);
        }
        (self.value, self.sum, self.m2, self.increase) = (last.value(), sum, m2, increase);
        write_sketch(&summary.sketch, writer);
    }

    fn read_summary(&mut self, count: u64, number: i64, reader: &mut Reader<'_>) -> Result<Summary, SnapshotError> {
        let first = self.read_timestamp(number, reader)?;
        let last = self.read_timestamp(number, reader)?;
        let min = reader.float(self.value)?;
        let max = reader.float(min)?;
        let first = (first, reader.float(min)?);
        let last = (last, reader.float(first.1)?);
        let sum = reader.float(self.sum)?;
        let residue = reader.float(0.0)?;
        let m2 = reader.float(self.m2)?;
        let increase = reader.float(self.expected_increase(count, sum))?;
        (self.value, self.sum, self.m2, self.increase) = (last.1, sum, m2, increase);
        let sketch = read_sketch(reader)?;
        let parts = SummaryParts { count, sum, m2, min, max, first, last, increase, sketch };
        Summary::restored(parts, residue).map_err(|_| reader.malformed("figures that agree with each other"))
    }
}

/// Whether a sample can be of that instant.
fn is_of_samples(timestamp: TimestampMs) -> bool {
    (TimestampMs::EARLIEST..=TimestampMs::LATEST).contains(&timestamp)
}

fn finite(timestamp: TimestampMs, value: f64, reader: &Reader<'_>) -> Result<Sample, SnapshotError> {
    if !is_of_samples(timestamp) {
        return Err(reader.malformed("an instant of a sample"));
    }
    Sample::new(timestamp, value).map_err(|NotFinite| reader.malformed("a finite number"))
}

fn write_sketch(sketch: &Sketch, writer: &mut Writer) {
    writer.int(sketch.scale().into());
    writer.uint(sketch.zero_count());
    let mut side = |buckets: &mut dyn Iterator<Item = (i32, u64)>| {
        let buckets: Vec<(i32, u64)> = buckets.collect();
        writer.uint(buckets.len() as u64);
        let mut next = 0;
        for (index, count) in buckets {
            writer.int(i64::from(index) - next);
            writer.uint(count);
            next = i64::from(index) + 1;
        }
    };
    side(&mut sketch.positive());
    side(&mut sketch.negative());
}

fn read_sketch(reader: &mut Reader<'_>) -> Result<Sketch, SnapshotError> {
    let scale = i8::try_from(reader.int()?).map_err(|_| reader.malformed("a sketch's scale"))?;
    let zero_count = reader.uint()?;
    let mut side = || {
        let mut buckets = Vec::new();
        let mut next = 0_i64;
        for _ in 0..reader.uint()? {
            let index = next.checked_add(reader.int()?).and_then(|index| i32::try_from(index).ok());
            let index = index.ok_or_else(|| reader.malformed("the index of a value bucket"))?;
            buckets.push((index, reader.uint()?));
            next = i64::from(index) + 1;
        }
        Ok::<_, SnapshotError>(buckets)
    };
    let (positive, negative) = (side()?, side()?);
    let counts = positive.iter().chain(&negative).map(|(_, count)| *count);
    let total = counts.fold(zero_count, u64::saturating_add);
    let sketch = if total <= MAX_COUNT {
        Sketch::from_parts(scale, zero_count, positive, negative)
    } else {
        // Sketches that were merged may hold more together than is taken from outside at once.
        let mut whole = Sketch::from_parts(scale, zero_count, [], []);
        let parts = positive.into_iter().map(|bucket| (Some(bucket), None));
        for (positive, negative) in parts.chain(negative.into_iter().map(|bucket| (None, Some(bucket)))) {
            if let Ok(whole) = &mut whole {
                match Sketch::from_parts(scale, 0, positive, negative) {
                    Ok(part) => whole.merge(&part),
                    Err(_) => return Err(reader.malformed("a sketch")),
                }
            }
        }
        whole
    };
    sketch.map_err(|_| reader.malformed("a sketch"))
}
