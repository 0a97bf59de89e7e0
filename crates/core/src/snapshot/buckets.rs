//! A tier's time buckets as version 1 wrote them: every tier with all its samples.

use super::SnapshotError;
use super::bytes::Reader;
use crate::chunk::Change;
use crate::grid::Grid;
use crate::horizon::Horizon;
use crate::sample::{Kind, NotFinite, Sample};
use crate::series::Series;
use crate::sketch::{MAX_COUNT, Sketch};
use crate::summary::{Summary, SummaryParts};
use crate::time::TimestampMs;

/// In a tier's head: a sample from before the time buckets follows.
const HAS_BEFORE: u64 = 1;
/// In a tier's head: the instant up to which samples are only in wider tiers follows.
const HAS_INCOMPLETE: u64 = 2;

enum Content {
    One(Sample),
    Many(Box<Summary>),
}

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

    /// Reads a tier into the series.
    pub(super) fn read(
        mut self,
        index: usize,
        series: &mut Series,
        horizon: &Horizon,
        reader: &mut Reader<'_>,
    ) -> Result<(), SnapshotError> {
        let head = reader.uint()?;
        if head & HAS_BEFORE != 0 {
            let timestamp = TimestampMs::new(reader.int()?.wrapping_add(self.now.get()));
            self.value = reader.float(0.0)?;
            series.tier_mut(index).pass_by(finite(timestamp, self.value, reader)?);
        }
        if head & HAS_INCOMPLETE != 0 {
            let until = TimestampMs::new(reader.int()?.wrapping_add(self.now.get()));
            series.tier_mut(index).lacks_until(until);
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
            match self.read_content(number, reader)? {
                Content::One(sample) => series.restore_bucket(index, number, Change::Sample(sample), horizon),
                Content::Many(summary) => series.restore_bucket(index, number, Change::Summary(&summary), horizon),
            }
        }
        Ok(())
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
        if is_inside && timestamp.is_of_samples() {
            Ok(timestamp)
        } else {
            Err(reader.malformed("an instant in its time bucket"))
        }
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

fn finite(timestamp: TimestampMs, value: f64, reader: &Reader<'_>) -> Result<Sample, SnapshotError> {
    if !timestamp.is_of_samples() {
        return Err(reader.malformed("an instant of a sample"));
    }
    Sample::new(timestamp, value).map_err(|NotFinite| reader.malformed("a finite number"))
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
