//! What a series holds as bytes and back, as it is kept (version 2).

use super::SnapshotError;
use super::bytes::{Reader, Writer};
use crate::chunk::stored::Stored;
use crate::chunk::{Chunk, Terms};
use crate::horizon::Horizon;
use crate::sample::Sample;
use crate::series::Series;
use crate::slim::{Slims, slim};
use crate::tier::Tier;
use crate::time::TimestampMs;

/// In a chunk's head: samples, else packed time buckets.
const OF_SAMPLES: u64 = 1;

/// Writes floats and instants by their distance from the ones before.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: i64,
    value: f64,
}

impl Last {
    const fn new(now: TimestampMs) -> Self {
        Self { at: now.get(), value: 0.0 }
    }

    fn write_at(&mut self, at: TimestampMs, writer: &mut Writer) {
        writer.int(at.get().wrapping_sub(self.at));
        self.at = at.get();
    }

    fn read_at(&mut self, reader: &mut Reader<'_>) -> Result<TimestampMs, SnapshotError> {
        self.at = self.at.wrapping_add(reader.int()?);
        Ok(TimestampMs::new(self.at))
    }

    fn write(&mut self, sample: Sample, writer: &mut Writer) {
        self.write_at(sample.timestamp(), writer);
        writer.float(sample.value(), self.value);
        self.value = sample.value();
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<Sample, SnapshotError> {
        let at = self.read_at(reader)?;
        if !at.is_of_samples() {
            return Err(reader.malformed("an instant of a sample"));
        }
        self.value = reader.float(self.value)?;
        Sample::new(at, self.value).map_err(|_| reader.malformed("a finite number"))
    }
}

pub(super) fn write(series: &Series, evicted: i64, now: TimestampMs, writer: &mut Writer) {
    let mut last = Last::new(now);
    writer.int(evicted);
    writer.uint(series.fresh().len() as u64);
    for sample in series.fresh().iter() {
        last.write(sample, writer);
    }
    for tier in series.tiers() {
        last.write_at(tier.sealed_to(), writer);
        last.write_at(tier.incomplete_until(), writer);
        writer.uint(u64::from(tier.before().is_some()));
        if let Some(before) = tier.before() {
            last.write(before, writer);
        }
        writer.uint(tier.chunks().len() as u64);
        for chunk in tier.chunks() {
            writer.int(chunk.first());
            writer.int(chunk.last());
            match chunk.stored() {
                Stored::Samples(samples) => {
                    writer.uint((samples.len() as u64) << 1 | OF_SAMPLES);
                    last.write_at(samples.base, writer);
                    for sample in samples.iter() {
                        last.write(sample, writer);
                    }
                }
                Stored::Packed(base, bytes) => {
                    writer.uint((bytes.len() as u64) << 1);
                    writer.int(base);
                    writer.raw(bytes);
                }
            }
        }
    }
}

pub(super) fn read(series: &mut Series, horizon: &Horizon, reader: &mut Reader<'_>) -> Result<(), SnapshotError> {
    let mut last = Last::new(horizon.now());
    let mut fresh = Vec::new();
    for _ in 0..reader.uint()? {
        fresh.push(last.read(reader)?);
    }
    let mut tiers = Vec::new();
    for index in 0..horizon.tiers() {
        let (sealed_to, incomplete_until) = (last.read_at(reader)?, last.read_at(reader)?);
        let before = if reader.uint()? == 0 { None } else { Some(last.read(reader)?) };
        let mut chunks = Vec::new();
        for _ in 0..reader.uint()? {
            chunks.push(read_chunk(&mut last, series.terms(index, horizon), reader)?);
        }
        let tier = Tier::restored(chunks, before, incomplete_until, sealed_to, horizon.grid(index));
        tiers.push(tier.ok_or_else(|| reader.malformed("time buckets in order of time"))?);
    }
    let is_sound = series.restore(&fresh, tiers, horizon);
    if is_sound { Ok(()) } else { Err(reader.malformed("samples in order of time")) }
}

fn read_chunk(last: &mut Last, terms: Terms, reader: &mut Reader<'_>) -> Result<Chunk, SnapshotError> {
    let numbers = (reader.int()?, reader.int()?);
    let head = reader.uint()?;
    let chunk = if head & OF_SAMPLES == 0 {
        let base = reader.int()?;
        let length = usize::try_from(head >> 1).map_err(|_| reader.malformed("more bytes"))?;
        Chunk::restored(numbers, Stored::Packed(base, reader.raw(length)?), terms)
    } else {
        let base = last.read_at(reader)?;
        let mut slims = Vec::new();
        for _ in 0..head >> 1 {
            let slim = slim(last.read(reader)?, base);
            slims.push(slim.ok_or_else(|| reader.malformed("a sample after its chunk's base"))?);
        }
        Chunk::restored(numbers, Stored::Samples(Slims { base, slims: &slims }), terms)
    };
    chunk.ok_or_else(|| reader.malformed("time buckets whose figures agree with each other"))
}
