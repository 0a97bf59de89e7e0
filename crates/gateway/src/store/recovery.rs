//! What a starting gateway gets from its store.

use super::chunk::{self, ChunkKey};
use super::error::{StoreError, While};
use super::fault::{Fault, Faults, Place};
use super::series::SeriesIx;
use super::state::State;
use super::{BatchSample, Resurfaced, StoredSeries, batch, hour, tables};
use bellwether_core::sample::Sample;
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use redb::{Database, ReadOnlyTable, ReadableDatabase};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

const DOING: &str = "reading what is stored";
/// The width of the time buckets that come as summaries.
const HOUR: DurationMs = DurationMs::from_hours(1);
/// At least so much of the past comes sample by sample.
const RAW_SPAN: DurationMs = DurationMs::from_hours(24);

/// A piece of what is stored, on its way into a starting engine.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Recovered<'a> {
    /// A series; it comes before anything else of it. A series of which nothing is kept any more
    /// does not come at all.
    Series(&'a StoredSeries),
    /// A series in an hour, as one summary: to be merged.
    Hour {
        /// The series.
        series: SeriesIx,
        /// One hour.
        width: DurationMs,
        /// The last instant of the hour.
        bucket_end: TimestampMs,
        /// What its samples say together.
        summary: &'a Summary,
    },
    /// Samples of one series. Those from chunks are in the order of time; those from the tail in the
    /// order in which they came.
    Samples {
        /// The series.
        series: SeriesIx,
        /// At least one.
        samples: &'a [Sample],
    },
}

type Chunks = ReadOnlyTable<(u32, i64, u32), &'static [u8]>;

/// Where a replay stands.
struct Replay<'a> {
    state: &'a State,
    each: &'a mut dyn FnMut(Recovered<'_>),
    announced: BTreeSet<SeriesIx>,
    faults: Faults,
    buffer: Vec<Sample>,
}

pub(super) fn replay(
    database: &Database,
    state: &State,
    now: TimestampMs,
    each: &mut dyn FnMut(Recovered<'_>),
) -> Result<Vec<Fault>, StoreError> {
    // Hours up to this one come as summaries: all of it is older than the raw span.
    let old = chunk::last_over(now - RAW_SPAN);
    let read = database.begin_read().while_doing(DOING)?;
    let chunks = read.open_table(tables::CHUNKS).while_doing(DOING)?;
    let hours = read.open_table(tables::HOURS).while_doing(DOING)?;
    let faults = state.faults.borrow().clone();
    let mut replay = Replay { state, each, announced: BTreeSet::new(), faults, buffer: Vec::new() };

    for series in state.series.keys().copied() {
        for row in hours.range((series.0, i64::MIN)..=(series.0, old)).while_doing(DOING)? {
            let (row, record) = row.while_doing(DOING)?;
            let hour = row.value().1;
            match hour::decode(series, hour, record.value()) {
                Ok(summary) => replay.summary(series, hour, &summary),
                Err(reason) => {
                    replay.faults.add(Fault { place: Place::Hour { series, end: chunk::end_of(hour) }, reason });
                    replay.hour_of_chunks(&chunks, series, hour)?;
                }
            }
        }
        for row in hours.range((series.0, old.saturating_add(1))..=(series.0, i64::MAX)).while_doing(DOING)? {
            let (row, record) = row.while_doing(DOING)?;
            let hour = row.value().1;
            // An hour with a damaged chunk comes as the summary that was made while it was whole:
            // its figures over hours and days stay right, and minutes of it show a gap.
            if !replay.hour_of_chunks(&chunks, series, hour)?
                && let Ok(summary) = hour::decode(series, hour, record.value())
            {
                replay.summary(series, hour, &summary);
            }
        }
    }
    let tail = read.open_table(tables::TAIL).while_doing(DOING)?;
    for &seq in state.tail.keys() {
        let Some(record) = tail.get(seq).while_doing(DOING)? else { continue };
        match batch::decode(seq, record.value()) {
            Ok(batch) => replay.tail(seq, &batch),
            Err(reason) => replay.faults.add(Fault { place: Place::Batch { seq }, reason }),
        }
    }
    let named = replay.faults.named.clone();
    state.faults.replace(replay.faults);
    Ok(named)
}

/// The batches of the tail whose places are in `seqs`, with their names.
pub(super) fn batches(
    database: &Database,
    state: &State,
    seqs: RangeInclusive<u64>,
) -> Result<Vec<Resurfaced>, StoreError> {
    if seqs.is_empty() {
        return Ok(Vec::new());
    }
    let read = database.begin_read().while_doing(DOING)?;
    let tail = read.open_table(tables::TAIL).while_doing(DOING)?;
    let mut batches = Vec::new();
    for &seq in state.tail.range(seqs).map(|(seq, _)| seq) {
        let Some(record) = tail.get(seq).while_doing(DOING)? else { continue };
        // A damaged one was named when the file was opened.
        let Ok(batch) = batch::decode(seq, record.value()) else { continue };
        let named = batch.samples.into_iter().filter_map(|each| {
            let (series, kind) = state.series.get(&each.series)?;
            Some(BatchSample { series: series.clone(), kind: *kind, sample: each.sample, reference: each.reference })
        });
        batches.push(Resurfaced { seq, samples: named.collect() });
    }
    Ok(batches)
}

impl Replay<'_> {
    fn announce(&mut self, series: SeriesIx) {
        if self.announced.insert(series)
            && let Some((key, kind)) = self.state.series.get(&series)
        {
            (self.each)(Recovered::Series(&StoredSeries { ix: series, key: key.clone(), kind: *kind }));
        }
    }

    fn summary(&mut self, series: SeriesIx, hour: i64, summary: &Summary) {
        self.announce(series);
        (self.each)(Recovered::Hour { series, width: HOUR, bucket_end: chunk::end_of(hour), summary });
    }

    fn samples(&mut self, series: SeriesIx) {
        if !self.buffer.is_empty() {
            self.announce(series);
            (self.each)(Recovered::Samples { series, samples: &self.buffer });
            self.buffer.clear();
        }
    }

    /// Gives the samples of one hour if all its chunks are whole, else none of them.
    fn hour_of_chunks(&mut self, chunks: &Chunks, series: SeriesIx, hour: i64) -> Result<bool, StoreError> {
        let mut whole = true;
        self.buffer.clear();
        for row in chunks.range((series.0, hour, 0)..=(series.0, hour, u32::MAX)).while_doing(DOING)? {
            let (row, record) = row.while_doing(DOING)?;
            let key = ChunkKey::of_row(row.value());
            match chunk::decode(key, record.value()) {
                Ok(samples) => self.buffer.extend(samples.iter().map(|each| each.sample)),
                Err(reason) => {
                    whole = false;
                    self.faults.add(Fault { place: key.place(), reason });
                }
            }
        }
        if !whole {
            self.buffer.clear();
            return Ok(false);
        }
        self.buffer.sort_by_key(|sample| sample.timestamp());
        self.samples(series);
        Ok(true)
    }

    fn tail(&mut self, seq: u64, batch: &batch::TailBatch) {
        for run in batch.samples.chunk_by(|one, next| one.series == next.series) {
            let series = run[0].series;
            if !self.state.series.contains_key(&series) {
                continue;
            }
            self.buffer.clear();
            self.buffer.extend(
                run.iter()
                    .map(|each| each.sample)
                    .filter(|sample| !self.state.sealing.holds(seq, series, sample.timestamp())),
            );
            self.samples(series);
        }
    }
}
