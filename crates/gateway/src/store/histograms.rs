//! Histograms: what each added to its series, as a summary, and how far the cumulative ones have counted.
//!
//! A cumulative histogram says what was counted since its sender began; stored is what came since the
//! point before, so that windows, roll-ups and live frames merge it like the summary of a time bucket.
//! Both are written in the batch's own transaction, so that each point counts once, whatever is sent
//! again and wherever a crash comes.

use super::append::Draft;
use super::chunk::{self, hour_of};
use super::codec::{CodecError, Reader, Writer};
use super::error::{StoreError, While};
use super::hour;
use super::series::SeriesIx;
use super::state::State;
use super::tables;
use super::{Increment, Resurfaced};
use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::Kind;
use bellwether_core::sketch::Sketch;
use bellwether_core::summary::{Summary, SummaryParts};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::protocol::{Course, HistogramPoint, explicit};
use redb::{Database, Key, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, Value};
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

const DOING: &str = "counting histograms";
const VERSION: u8 = 1;
/// A sender that began no longer ago than this is counted from its beginning; of an older one, what it
/// counted before it was first heard is not of this instant.
const FRESH: DurationMs = DurationMs::from_minutes(10);

/// A histogram on its way into the store.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchHistogram {
    /// The series that it belongs to; a series that the store does not know is added.
    pub series: SeriesKey,
    /// The kind of the series, already checked against the other samples of the metric.
    pub kind: Kind,
    /// What was counted.
    pub point: HistogramPoint,
}

/// What became of a histogram.
#[derive(Clone, Debug, PartialEq)]
pub enum Counted {
    /// It added this to its series.
    Increment(Box<Summary>),
    /// It is noted and added nothing: its sender counted nothing, or was heard for the first time.
    Nothing,
    /// The series has a point at its timestamp: it was sent again.
    Same,
    /// It is older than the newest of its series and was not there: what it added cannot be told any more.
    TooLate {
        /// The newest.
        newest: TimestampMs,
    },
}

/// How far a cumulative series has counted.
#[derive(Clone, Debug, PartialEq)]
struct Counts {
    at: TimestampMs,
    since: Option<TimestampMs>,
    sum: f64,
    sketch: Sketch,
    /// As of [`HistogramPoint::bounds`].
    bounds: Option<Vec<f64>>,
}

/// What a commit writes.
#[derive(Debug, Default)]
pub(super) struct Staged {
    /// The places of the batches that points came with, and what each added.
    points: BTreeMap<(SeriesIx, TimestampMs), (u64, Option<Summary>)>,
    /// What all of them add to their hours.
    hours: BTreeMap<(SeriesIx, i64), Summary>,
    counts: HashMap<SeriesIx, Counts>,
}

impl Staged {
    /// Whether no histogram came.
    pub(super) fn is_empty(&self) -> bool {
        self.points.is_empty() && self.hours.is_empty() && self.counts.is_empty()
    }
}

/// What becomes of the histograms of each draft, in their order.
pub(super) fn count(database: &Database, drafts: &[Draft<'_>]) -> Result<(Vec<Vec<Counted>>, Staged), StoreError> {
    let mut staged = Staged::default();
    if drafts.iter().all(|draft| draft.batch.histograms.is_empty()) {
        return Ok((vec![Vec::new(); drafts.len()], staged));
    }
    let read = database.begin_read().while_doing(DOING)?;
    let known = Known { points: table(&read, tables::POINTS)?, counts: table(&read, tables::COUNTS)? };
    let mut all = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let mut counted = Vec::with_capacity(draft.batch.histograms.len());
        for (each, series) in draft.batch.histograms.iter().zip(&draft.histograms) {
            counted.push(staged.take(&known, draft.seq, *series, each)?);
        }
        all.push(counted);
    }
    Ok((all, staged))
}

/// A table, where the file has it: one that was made before there were histograms does not.
pub(super) fn table<K: Key + 'static, V: Value + 'static>(
    read: &ReadTransaction,
    definition: TableDefinition<'static, K, V>,
) -> Result<Option<ReadOnlyTable<K, V>>, StoreError> {
    match read.open_table(definition) {
        Ok(table) => Ok(Some(table)),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(StoreError::of(DOING, error.into())),
    }
}

/// What was stored before.
struct Known {
    points: Option<ReadOnlyTable<(u32, i64), &'static [u8]>>,
    counts: Option<ReadOnlyTable<u32, &'static [u8]>>,
}

impl Known {
    /// What a series added at an instant, where it is known to have a point there.
    fn point(&self, series: SeriesIx, at: TimestampMs) -> Result<Option<(u64, Option<Summary>)>, StoreError> {
        let Some(points) = &self.points else { return Ok(None) };
        let record = points.get((series.0, at.get())).while_doing(DOING)?;
        // One that is damaged stands there all the same.
        Ok(record.map(|record| decode_point(series, at, record.value()).unwrap_or((0, None))))
    }

    fn counts(&self, series: SeriesIx) -> Result<Option<Counts>, StoreError> {
        let Some(counts) = &self.counts else { return Ok(None) };
        let record = counts.get(series.0).while_doing(DOING)?;
        Ok(record.and_then(|record| decode_counts(series, record.value()).ok()))
    }
}

impl Staged {
    fn take(
        &mut self,
        known: &Known,
        seq: u64,
        series: SeriesIx,
        each: &BatchHistogram,
    ) -> Result<Counted, StoreError> {
        let point = &each.point;
        let there = match self.points.get(&(series, point.at)) {
            Some(there) => Some(there.clone()),
            None => known.point(series, point.at)?,
        };
        let summary = match point.course {
            Course::Increment => {
                let own = summary(point, &point.sketch, point.sum, each.kind);
                match (there, own) {
                    (Some((_, before)), own) if before == own => return Ok(Counted::Same),
                    // Two senders of one series: each counts.
                    (Some((_, Some(mut before))), Some(own)) => {
                        before.merge(&own, each.kind);
                        self.points.insert((series, point.at), (seq, Some(before)));
                        self.add_to_hour(series, &own);
                        return Ok(Counted::Increment(Box::new(own)));
                    }
                    (_, own) => own,
                }
            }
            Course::Cumulative { since, restarted } => {
                if there.is_some() {
                    return Ok(Counted::Same);
                }
                let before = match self.counts.get(&series) {
                    Some(before) => Some(before.clone()),
                    None => known.counts(series)?,
                };
                if let Some(before) = &before
                    && point.at < before.at
                {
                    return Ok(Counted::TooLate { newest: before.at });
                }
                let added = added(before.as_ref(), point, since, restarted);
                let (sketch, bounds) = (point.sketch.clone(), point.bounds.clone());
                let counts = Counts { at: point.at, since, sum: point.sum, sketch, bounds };
                self.counts.insert(series, counts);
                added.and_then(|(sketch, sum)| summary(point, &sketch, sum, each.kind))
            }
        };
        self.points.insert((series, point.at), (seq, summary.clone()));
        if let Some(summary) = &summary {
            self.add_to_hour(series, summary);
        }
        Ok(summary.map_or(Counted::Nothing, |summary| Counted::Increment(Box::new(summary))))
    }

    fn add_to_hour(&mut self, series: SeriesIx, added: &Summary) {
        let hour = self.hours.entry((series, hour_of(added.last.timestamp())));
        hour.and_modify(|hour| hour.merge(added, Kind::Observation)).or_insert_with(|| added.clone());
    }

    /// Writes points, how far they count, and the summaries of their hours. Cost: a row a point, and one
    /// summary read and written for each hour that any of them lies in.
    pub(super) fn write(&self, write: &redb::WriteTransaction) -> Result<(), StoreError> {
        if self.points.is_empty() {
            return Ok(());
        }
        let mut points = write.open_table(tables::POINTS).while_doing(DOING)?;
        for ((series, at), (seq, summary)) in &self.points {
            let record = encode_point(*series, *at, *seq, summary.as_ref());
            points.insert((series.0, at.get()), record.as_slice()).while_doing(DOING)?;
        }
        let mut hours = write.open_table(tables::POINT_HOURS).while_doing(DOING)?;
        for ((series, hour), added) in &self.hours {
            // What is there is added to, never made anew: its points may be dropped already.
            let before = hours
                .get((series.0, *hour))
                .while_doing(DOING)?
                .map(|record| hour::decode(*series, *hour, record.value()));
            let whole = match before {
                None => Some(added.clone()),
                Some(Ok(mut whole)) => {
                    whole.merge(added, Kind::Observation);
                    Some(whole)
                }
                Some(Err(_)) => hour_of_points(&points, *series, *hour)?,
            };
            if let Some(whole) = whole {
                let record = hour::encode(*series, *hour, &whole);
                hours.insert((series.0, *hour), record.as_slice()).while_doing(DOING)?;
            }
        }
        let mut counts = write.open_table(tables::COUNTS).while_doing(DOING)?;
        for (series, each) in &self.counts {
            counts.insert(series.0, encode_counts(*series, each).as_slice()).while_doing(DOING)?;
        }
        Ok(())
    }
}

/// The summary of the points of an hour that are left, in place of one that is damaged; `None` where there are
/// none.
fn hour_of_points(
    points: &impl ReadableTable<(u32, i64), &'static [u8]>,
    series: SeriesIx,
    hour: i64,
) -> Result<Option<Summary>, StoreError> {
    let mut whole: Option<Summary> = None;
    let first = chunk::end_of(hour - 1).get() + 1;
    for row in points.range((series.0, first)..=(series.0, chunk::end_of(hour).get())).while_doing(DOING)? {
        let (row, record) = row.while_doing(DOING)?;
        let at = TimestampMs::new(row.value().1);
        let Ok((_, Some(summary))) = decode_point(series, at, record.value()) else { continue };
        match &mut whole {
            None => whole = Some(summary),
            Some(whole) => whole.merge(&summary, Kind::Observation),
        }
    }
    Ok(whole)
}

/// The time bucket in which what a histogram added comes: the second of its timestamp, and its end.
pub(super) fn second_of(at: TimestampMs) -> (DurationMs, TimestampMs) {
    let second = at.get().saturating_add(999).div_euclid(1_000);
    (DurationMs::from_secs(1), TimestampMs::new(second.saturating_mul(1_000)))
}

/// What a point counted since the one before; `None` where that cannot be told or is nothing.
fn added(
    before: Option<&Counts>,
    point: &HistogramPoint,
    since: Option<TimestampMs>,
    restarted: bool,
) -> Option<(Sketch, f64)> {
    let whole = || Some((point.sketch.clone(), point.sum));
    let Some(before) = before else {
        let is_fresh = restarted || since.is_some_and(|since| point.at.since(since) <= FRESH);
        return if is_fresh { whole() } else { None };
    };
    // A later beginning, other bounds, or a count that fell, is a restart: all of it is new.
    if restarted || before.bounds != point.bounds || since.is_some_and(|since| since > before.at) {
        return whole();
    }
    let mut sketch = point.sketch.clone();
    match sketch.subtract(&before.sketch) {
        Ok(()) => Some((sketch, point.sum - before.sum)),
        Err(_) => whole(),
    }
}

/// The summary of what was counted at an instant; `None` where it is nothing. What a histogram does not
/// say is put as near as its value buckets tell: the least and the greatest value at their outer bounds,
/// the first and the last at the mean, the spread at the middle of each.
fn summary(point: &HistogramPoint, counted: &Sketch, sum: f64, kind: Kind) -> Option<Summary> {
    let HistogramPoint { at, bounds, extremes, .. } = point;
    let spread = bounds.as_ref().map(|bounds| explicit::spread(bounds, counted, *extremes));
    let spread = spread.transpose().ok()?;
    let sketch = spread.as_ref().unwrap_or(counted);
    let count = sketch.count();
    let finite = |value: f64| value.clamp(f64::MIN, f64::MAX);
    let (min, max) = match bounds {
        Some(bounds) => explicit::reach(bounds, counted, *extremes)?,
        None => {
            let (lower, upper) = (sketch.value_buckets().next()?.lower, sketch.value_buckets().last()?.upper);
            let (least, greatest) = extremes.unwrap_or((lower, upper));
            let (min, max) = (lower.max(least), upper.min(greatest));
            if min <= max { (min, max) } else { (lower, upper) }
        }
    };
    let (min, max) = (finite(min), finite(max));
    let sum = finite(sum);
    let mean = (sum / count as f64).clamp(min, max);
    let distances = sketch.value_buckets().map(|bucket| {
        let middle = finite(bucket.lower / 2.0 + bucket.upper / 2.0).clamp(min, max);
        bucket.count as f64 * (middle - mean).powi(2)
    });
    let m2 = finite(distances.sum());
    let increase = match kind {
        Kind::Event => sum,
        Kind::Observation => count as f64,
        Kind::Counter | Kind::Gauge => 0.0,
    };
    let (first, last, sketch) = ((*at, mean), (*at, mean), sketch.clone());
    Summary::from_parts(SummaryParts { count, sum, m2, min, max, first, last, increase, sketch }).ok()
}

fn point_key(series: SeriesIx, at: TimestampMs) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&series.0.to_le_bytes());
    bytes[4..].copy_from_slice(&at.get().to_le_bytes());
    bytes
}

fn encode_point(series: SeriesIx, at: TimestampMs, seq: u64, summary: Option<&Summary>) -> Vec<u8> {
    let mut writer = Writer::new(VERSION);
    writer.unsigned(seq);
    writer.byte(u8::from(summary.is_some()));
    if let Some(summary) = summary {
        hour::write(&mut writer, summary);
    }
    writer.finish(&point_key(series, at))
}

/// The place of the batch that a point came with, and what it added.
pub(super) fn decode_point(
    series: SeriesIx,
    at: TimestampMs,
    record: &[u8],
) -> Result<(u64, Option<Summary>), CodecError> {
    let (_, mut reader) = Reader::new(&point_key(series, at), record, VERSION)?;
    let seq = reader.unsigned("the place of the batch")?;
    let summary = match reader.byte("the summary's mark")? {
        0 => None,
        _ => Some(hour::read(&mut reader)?),
    };
    reader.finish()?;
    Ok((seq, summary))
}

fn encode_counts(series: SeriesIx, counts: &Counts) -> Vec<u8> {
    let mut writer = Writer::new(VERSION);
    writer.signed(counts.at.get());
    writer.byte(u8::from(counts.since.is_some()));
    writer.signed(counts.since.map_or(0, TimestampMs::get));
    writer.float(counts.sum);
    hour::write_sketch(&mut writer, &counts.sketch);
    writer.byte(u8::from(counts.bounds.is_some()));
    let bounds = counts.bounds.as_deref().unwrap_or_default();
    writer.unsigned(bounds.len() as u64);
    bounds.iter().for_each(|bound| writer.float(*bound));
    writer.finish(&series.0.to_le_bytes())
}

fn decode_counts(series: SeriesIx, record: &[u8]) -> Result<Counts, CodecError> {
    let (_, mut reader) = Reader::new(&series.0.to_le_bytes(), record, VERSION)?;
    let at = TimestampMs::new(reader.signed("the timestamp")?);
    let has_since = reader.byte("the beginning's mark")? != 0;
    let since = TimestampMs::new(reader.signed("the beginning")?);
    let sum = reader.float("the sum")?;
    let sketch = hour::read_sketch(&mut reader)?;
    let has_bounds = reader.byte("the bounds' mark")? != 0;
    let count = reader.length("the bounds")?;
    let bounds = (0..count).map(|_| reader.float("a bound")).collect::<Result<Vec<_>, _>>()?;
    reader.finish()?;
    Ok(Counts { at, since: has_since.then_some(since), sum, sketch, bounds: has_bounds.then_some(bounds) })
}

/// What points of batches at these places added: for a start after a commit that failed and yet reached
/// the disk. Cost: reads every point, which happens after such a failure only.
pub(super) fn resurfaced(
    database: &Database,
    state: &State,
    seqs: RangeInclusive<u64>,
) -> Result<Vec<Resurfaced>, StoreError> {
    if seqs.is_empty() {
        return Ok(Vec::new());
    }
    let read = database.begin_read().while_doing(DOING)?;
    let Some(points) = table(&read, tables::POINTS)? else { return Ok(Vec::new()) };
    let mut batches: BTreeMap<u64, Vec<Increment>> = BTreeMap::new();
    for row in points.iter().while_doing(DOING)? {
        let (row, record) = row.while_doing(DOING)?;
        let (series, at) = (SeriesIx(row.value().0), TimestampMs::new(row.value().1));
        let Ok((seq, Some(summary))) = decode_point(series, at, record.value()) else { continue };
        if let Some((key, kind)) = state.series.get(&series).filter(|_| seqs.contains(&seq)) {
            batches.entry(seq).or_default().push(Increment { series: key.clone(), kind: *kind, summary });
        }
    }
    let batch = |(seq, increments)| Resurfaced { seq, samples: Vec::new(), increments };
    Ok(batches.into_iter().map(batch).collect())
}
