//! What a starting gateway gets from its store.

use super::chunk::{self, ChunkKey};
use super::error::{StoreError, While};
use super::fault::{Fault, Faults, Place};
use super::redb_store::shielded;
use super::seal::Sealing;
use super::series::SeriesIx;
use super::snapshot::Snapshot;
use super::state::State;
use super::{BatchSample, Resurfaced, StoredSeries, batch, histograms, hour, tables};
use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::ingest::Repeats;
use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, RangeInclusive};

const DOING: &str = "reading what is stored";
/// The width of the time buckets that come as summaries.
const HOUR: DurationMs = DurationMs::from_hours(1);
/// At least so much of the past comes sample by sample.
const RAW_SPAN: DurationMs = DurationMs::from_hours(24);
/// So much of the past comes at all: a little more than the engine's coarsest tier holds.
const WHOLE_SPAN: DurationMs = DurationMs::from_days(93);

/// A piece of what is stored, on its way into a starting engine.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Recovered<'a> {
    /// A series; it comes before anything else of it. A series of which nothing is kept any more
    /// does not come at all.
    Series(&'a StoredSeries),
    /// A series in an hour, or in a second of it where a histogram came, as one summary: to be merged.
    Hour {
        /// The series.
        series: SeriesIx,
        /// One hour or one second.
        width: DurationMs,
        /// The last instant of the hour or second.
        bucket_end: TimestampMs,
        /// What its samples say together.
        summary: &'a Summary,
    },
    /// Samples of one series in the order of time; equal timestamps in the order in which they came.
    Samples {
        /// The series.
        series: SeriesIx,
        /// At least one.
        samples: &'a [Sample],
    },
}

type Points = ReadOnlyTable<(u32, i64), &'static [u8]>;
type Chunks = ReadOnlyTable<(u32, i64, u32), &'static [u8]>;

/// What is replayed.
struct Source<'a> {
    read: &'a ReadTransaction,
    series: &'a BTreeMap<SeriesIx, (SeriesKey, Kind)>,
    sealing: &'a Sealing,
    /// Nothing but these series.
    only: Option<&'a BTreeSet<SeriesIx>>,
}

/// Where a replay stands.
struct Replay<'a> {
    source: Source<'a>,
    each: &'a mut dyn FnMut(Recovered<'_>) -> ControlFlow<()>,
    /// Whether `each` wants no more.
    broken: bool,
    announced: BTreeSet<SeriesIx>,
    faults: Faults,
}

/// Everything that a starting engine needs.
pub(super) fn replay(
    database: &Database,
    state: &State,
    now: TimestampMs,
    each: &mut dyn FnMut(Recovered<'_>) -> ControlFlow<()>,
) -> Result<Vec<Fault>, StoreError> {
    let read = database.begin_read().while_doing(DOING)?;
    let source = Source { read: &read, series: &state.series, sealing: &state.sealing, only: None };
    let faults = state.faults.borrow().clone();
    let faults = replay_source(source, faults, now, each)?;
    let named = faults.named.clone();
    state.faults.replace(faults);
    Ok(named)
}

impl Snapshot {
    /// Streams what an engine needs of some series, whose samples were corrected, as
    /// [`Store::replay`](super::Store::replay) does of all.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    pub fn replay(
        &self,
        series: &[SeriesKey],
        now: TimestampMs,
        each: &mut dyn FnMut(Recovered<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Fault>, StoreError> {
        shielded(|| {
            let mut faults = Faults::default();
            let all = self.series(&mut faults)?;
            let wanted: BTreeSet<&SeriesKey> = series.iter().collect();
            let only = all.iter().filter(|(_, (key, _))| wanted.contains(key)).map(|(series, _)| *series).collect();
            let source =
                Source { read: self.transaction(), series: &all, sealing: &self.sealing()?, only: Some(&only) };
            Ok(replay_source(source, faults, now, each)?.named)
        })
    }
}

fn replay_source(
    source: Source<'_>,
    faults: Faults,
    now: TimestampMs,
    each: &mut dyn FnMut(Recovered<'_>) -> ControlFlow<()>,
) -> Result<Faults, StoreError> {
    // Hours up to this one come as summaries: all of it is older than the raw span.
    let old = chunk::last_over(now - RAW_SPAN);
    let oldest = chunk::last_over(now - WHOLE_SPAN);
    let Source { read, series, only, .. } = source;
    let chunks = read.open_table(tables::CHUNKS).while_doing(DOING)?;
    let hours = read.open_table(tables::HOURS).while_doing(DOING)?;
    let mut replay = Replay { source, each, broken: false, announced: BTreeSet::new(), faults };

    let points = histograms::table(read, tables::POINTS)?;
    let point_hours = histograms::table(read, tables::POINT_HOURS)?;
    let mut tail = replay.tail()?;
    let wanted = |series: &SeriesIx| only.is_none_or(|only| only.contains(series));
    for series in series.keys().copied().filter(wanted) {
        let of_tail = tail.remove(&series).unwrap_or_default();
        let mut waiting = of_tail.as_slice();
        for row in hours.range((series.0, oldest)..=(series.0, i64::MAX)).while_doing(DOING)? {
            if replay.broken {
                break;
            }
            let (row, record) = row.while_doing(DOING)?;
            let hour = row.value().1;
            let earlier = take_while(&mut waiting, |sample| chunk::hour_of(sample.timestamp()) < hour);
            replay.samples(series, earlier);
            let late = take_while(&mut waiting, |sample| chunk::hour_of(sample.timestamp()) == hour);
            if hour <= old && late.is_empty() {
                match hour::decode(series, hour, record.value()) {
                    Ok(summary) => replay.summary(series, hour, &summary),
                    Err(reason) => {
                        replay.faults.add(Fault { place: Place::Hour { series, end: chunk::end_of(hour) }, reason });
                        replay.hour_of_chunks(&chunks, series, hour, 0, &[])?;
                    }
                }
            } else {
                let summary = hour::decode(series, hour, record.value());
                let least = summary.as_ref().map_or(0, |summary| summary.count);
                if replay.hour_of_chunks(&chunks, series, hour, least, late)? {
                    continue;
                }
                // An hour with a damaged or dropped chunk comes as the summary that was made while it was
                // whole: its figures over hours and days stay right, and minutes of it show a gap.
                if let Ok(summary) = summary {
                    replay.summary(series, hour, &summary);
                }
                replay.samples(series, late);
            }
        }
        replay.samples(series, waiting);
        if let (Some(points), Some(hours)) = (&points, &point_hours) {
            replay.histograms(points, hours, series, old)?;
        }
        if replay.broken {
            break;
        }
    }
    Ok(replay.faults)
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
            let (sample, reference, repeats) = (each.sample, each.reference, Repeats::Count);
            Some(BatchSample { series: series.clone(), kind: *kind, sample, reference, repeats })
        });
        batches.push(Resurfaced { seq, samples: named.collect(), increments: Vec::new() });
    }
    Ok(batches)
}

impl Replay<'_> {
    fn give(&mut self, piece: Recovered<'_>) {
        if !self.broken {
            self.broken = (self.each)(piece).is_break();
        }
    }

    fn announce(&mut self, series: SeriesIx) {
        if self.announced.insert(series)
            && let Some((key, kind)) = self.source.series.get(&series)
        {
            self.give(Recovered::Series(&StoredSeries { ix: series, key: key.clone(), kind: *kind }));
        }
    }

    fn summary(&mut self, series: SeriesIx, hour: i64, summary: &Summary) {
        self.announce(series);
        self.give(Recovered::Hour { series, width: HOUR, bucket_end: chunk::end_of(hour), summary });
    }

    fn samples(&mut self, series: SeriesIx, samples: &[Sample]) {
        if !samples.is_empty() {
            self.announce(series);
            self.give(Recovered::Samples { series, samples });
        }
    }

    /// Gives what histograms added: of old hours their summary, of others point by point.
    fn histograms(&mut self, points: &Points, hours: &Points, series: SeriesIx, old: i64) -> Result<(), StoreError> {
        for row in hours.range((series.0, i64::MIN)..=(series.0, i64::MAX)).while_doing(DOING)? {
            let (row, record) = row.while_doing(DOING)?;
            let hour = row.value().1;
            let of_hour = hour::decode(series, hour, record.value());
            match of_hour {
                Ok(summary) if hour <= old => self.summary(series, hour, &summary),
                _ => self.points_of_hour(points, series, hour)?,
            }
            if self.broken {
                break;
            }
        }
        Ok(())
    }

    fn points_of_hour(&mut self, points: &Points, series: SeriesIx, hour: i64) -> Result<(), StoreError> {
        let first = chunk::end_of(hour - 1).get() + 1;
        for row in points.range((series.0, first)..=(series.0, chunk::end_of(hour).get())).while_doing(DOING)? {
            let (row, record) = row.while_doing(DOING)?;
            let at = TimestampMs::new(row.value().1);
            match histograms::decode_point(series, at, record.value()) {
                Ok((_, Some(summary))) => {
                    self.announce(series);
                    let (width, bucket_end) = histograms::second_of(at);
                    self.give(Recovered::Hour { series, width, bucket_end, summary: &summary });
                }
                Ok((_, None)) => {}
                Err(reason) => self.faults.add(Fault { place: Place::Point { series, at }, reason }),
            }
        }
        Ok(())
    }

    /// Gives the samples of one hour, those of the tail among them, if all its chunks are whole and hold at
    /// least `least` samples, else none of them.
    fn hour_of_chunks(
        &mut self,
        chunks: &Chunks,
        series: SeriesIx,
        hour: i64,
        least: u64,
        of_tail: &[Sample],
    ) -> Result<bool, StoreError> {
        let mut samples = Vec::new();
        let mut whole = true;
        for row in chunks.range((series.0, hour, 0)..=(series.0, hour, u32::MAX)).while_doing(DOING)? {
            let (row, record) = row.while_doing(DOING)?;
            let key = ChunkKey::of_row(row.value());
            match chunk::decode(key, record.value()) {
                Ok(of_chunk) => samples.extend(of_chunk.iter().map(|each| each.sample)),
                Err(reason) => {
                    whole = false;
                    self.faults.add(Fault { place: key.place(), reason });
                }
            }
        }
        whole &= samples.len() as u64 >= least;
        if whole {
            // Stable, and of equal timestamps the sealed ones came first.
            samples.extend_from_slice(of_tail);
            samples.sort_by_key(|sample| sample.timestamp());
            self.samples(series, &samples);
        }
        Ok(whole)
    }

    /// What is not sealed, by series, ordered by time; equal timestamps keep the order in which they
    /// came. Tail and rounds are bounded, so that all of it is held at once.
    fn tail(&mut self) -> Result<BTreeMap<SeriesIx, Vec<Sample>>, StoreError> {
        let Source { read, sealing, only, .. } = self.source;
        let mut tail: BTreeMap<SeriesIx, Vec<Sample>> = BTreeMap::new();
        for row in read.open_table(tables::TAIL).while_doing(DOING)?.iter().while_doing(DOING)? {
            let (seq, record) = row.while_doing(DOING)?;
            let seq = seq.value();
            let batch = match batch::decode(seq, record.value()) {
                Ok(batch) => batch,
                Err(reason) => {
                    self.faults.add(Fault { place: Place::Batch { seq }, reason });
                    continue;
                }
            };
            for each in batch.samples.iter().filter(|each| only.is_none_or(|only| only.contains(&each.series))) {
                if !sealing.holds(seq, each.series, each.sample.timestamp()) {
                    tail.entry(each.series).or_default().push(each.sample);
                }
            }
        }
        for samples in tail.values_mut() {
            samples.sort_by_key(|sample| sample.timestamp());
        }
        Ok(tail)
    }
}

/// Takes off the front what satisfies `wanted`.
fn take_while<'a>(samples: &mut &'a [Sample], wanted: impl Fn(&Sample) -> bool) -> &'a [Sample] {
    let (taken, rest) = samples.split_at(samples.partition_point(wanted));
    *samples = rest;
    taken
}
