//! Retention: hours that are over for long enough are dropped, a few at a time; raw samples also where they
//! take too much room. Summaries of hours stay longer than the samples that they were made of.

use super::chunk::{end_of, last_over};
use super::error::{StoreError, While};
use super::histograms;
use super::redb_store::begin_write;
use super::seal::Progress;
use super::series::SeriesIx;
use super::state::State;
use super::tables::{self, meta};
use bellwether_core::time::{DurationMs, TimestampMs};
use redb::{Database, ReadableDatabase};
use std::ops::Bound;

const DOING: &str = "dropping what is older than the retention";
/// Rows that one step drops.
const STEP_ROWS: usize = 2_000;
/// Series that one step looks at.
const STEP_SERIES: usize = 5_000;

/// How old and how much may get what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Raw samples that are older than this are dropped.
    pub raw: DurationMs,
    /// Where the chunks take more than this, the oldest are dropped, but for those of the last two days.
    pub raw_bytes: Option<u64>,
    /// Summaries of hours that are older than this are dropped.
    pub rollups: DurationMs,
}

impl Retention {
    /// Drops everything at the same age, and nothing for its size.
    #[must_use]
    pub const fn all(age: DurationMs) -> Self {
        Self { raw: age, raw_bytes: None, rollups: age }
    }
}

/// What is kept whatever its size: a start takes it sample by sample.
const LEAST_RAW: DurationMs = DurationMs::from_days(2);
/// For their size, so many parts of the time that is kept are dropped at once, at least an hour.
const PARTS: i64 = 64;

/// How far dropping has come.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    /// All chunks up to this hour are dropped; `None` after a start.
    through: Option<i64>,
    work: Option<Work>,
}

/// What is under way.
#[derive(Clone, Copy, Debug)]
enum Work {
    /// Looking for the oldest chunk, from this series on.
    Search { from: SeriesIx, oldest: Option<i64> },
    /// Dropping up to these hours, from this series on.
    Drop { edges: Edges, from: SeriesIx },
}

/// The last hours that are dropped.
#[derive(Clone, Copy, Debug)]
struct Edges {
    raw: i64,
    rollups: i64,
}

/// What a step found to drop.
#[derive(Default)]
struct Found {
    chunks: Vec<(u32, i64, u32)>,
    hours: Vec<(u32, i64)>,
    points: Vec<(u32, i64)>,
    point_hours: Vec<(u32, i64)>,
    /// Marks of spans of which no summary is left.
    marks: Vec<(u32, i64)>,
    /// Series of which nothing is left.
    series: Vec<SeriesIx>,
    /// The series to go on with; `None` at the end of the pass.
    next: Option<SeriesIx>,
}

impl Found {
    fn rows(&self) -> usize {
        self.chunks.len() + self.hours.len() + self.points.len() + self.point_hours.len() + self.marks.len()
    }
}

pub(super) fn step(
    database: &Database,
    state: &mut State,
    now: TimestampMs,
    retention: Retention,
) -> Result<Progress, StoreError> {
    let by_age = Edges { raw: last_over(now - retention.raw), rollups: last_over(now - retention.rollups) };
    let first = SeriesIx(0);
    let too_large = retention.raw_bytes.is_some_and(|most| state.chunk_bytes > most);
    let work = match state.expiry.work {
        Some(work) => work,
        None if state.expiry.through < Some(by_age.raw) => Work::Drop { edges: by_age, from: first },
        None if too_large => Work::Search { from: first, oldest: None },
        None => return forget_senders(database, state, now),
    };
    match work {
        Work::Search { from, oldest } => {
            let (oldest, next) = search(database, state, from, oldest)?;
            let newest = last_over(now - LEAST_RAW);
            state.expiry.work = match (next, oldest) {
                (Some(from), oldest) => Some(Work::Search { from, oldest }),
                (None, Some(oldest)) if oldest <= newest => {
                    let raw = oldest + (newest - oldest) / PARTS;
                    Some(Work::Drop { edges: Edges { raw, ..by_age }, from: first })
                }
                (None, _) => None,
            };
            Ok(if state.expiry.work.is_some() { Progress::More } else { Progress::Done })
        }
        Work::Drop { edges, from } => {
            let found = look(database, state, edges, from)?;
            state.chunk_bytes = drop_rows(database, &found, state.chunk_bytes)?;
            for ix in &found.series {
                if let Some((key, _)) = state.series.remove(ix) {
                    state.by_key.remove(&key);
                }
            }
            state.expiry.work = found.next.map(|from| Work::Drop { edges, from });
            if found.next.is_none() {
                state.expiry.through = state.expiry.through.max(Some(edges.raw));
            }
            let too_large = retention.raw_bytes.is_some_and(|most| state.chunk_bytes > most);
            if found.next.is_some() || too_large { Ok(Progress::More) } else { forget_senders(database, state, now) }
        }
    }
}

/// Forgets senders that make room for others.
fn forget_senders(database: &Database, state: &mut State, now: TimestampMs) -> Result<Progress, StoreError> {
    let forgotten = state.remembered.crowded_out(now, STEP_ROWS);
    if forgotten.is_empty() {
        return Ok(Progress::Done);
    }
    let write = begin_write(database, DOING)?;
    {
        let mut table = write.open_table(tables::SENDERS).while_doing(DOING)?;
        for sender in &forgotten {
            table.remove(&**sender).while_doing(DOING)?;
        }
    }
    write.commit().while_doing(DOING)?;
    for sender in &forgotten {
        state.remembered.senders.remove(sender);
    }
    Ok(Progress::More)
}

/// Looks at some series for a chunk of an hour before `oldest`; the series to go on with.
fn search(
    database: &Database,
    state: &State,
    from: SeriesIx,
    mut oldest: Option<i64>,
) -> Result<(Option<i64>, Option<SeriesIx>), StoreError> {
    let read = database.begin_read().while_doing(DOING)?;
    let chunks = read.open_table(tables::CHUNKS).while_doing(DOING)?;
    for (looked, &series) in state.series.range(from..).map(|(series, _)| series).enumerate() {
        if looked >= STEP_SERIES {
            return Ok((oldest, Some(series)));
        }
        let mut of_series =
            chunks.range((series.0, i64::MIN, 0)..=(series.0, i64::MAX, u32::MAX)).while_doing(DOING)?;
        if let Some(row) = of_series.next() {
            let (_, hour, _) = row.while_doing(DOING)?.0.value();
            oldest = Some(oldest.map_or(hour, |oldest| oldest.min(hour)));
        }
    }
    Ok((oldest, None))
}

fn look(database: &Database, state: &State, edges: Edges, from: SeriesIx) -> Result<Found, StoreError> {
    let read = database.begin_read().while_doing(DOING)?;
    let chunks = read.open_table(tables::CHUNKS).while_doing(DOING)?;
    let hours = read.open_table(tables::HOURS).while_doing(DOING)?;
    let points = histograms::table(&read, tables::POINTS)?;
    let point_hours = histograms::table(&read, tables::POINT_HOURS)?;
    let restated = histograms::table(&read, tables::RESTATED)?;
    let mut found = Found::default();
    for (looked, (&series, _)) in state.series.range((Bound::Included(from), Bound::Unbounded)).enumerate() {
        let left = STEP_ROWS.saturating_sub(found.rows());
        if left == 0 || looked >= STEP_SERIES {
            found.next = Some(series);
            return Ok(found);
        }
        let before = found.rows();
        for row in
            chunks.range((series.0, i64::MIN, 0)..=(series.0, edges.raw, u32::MAX)).while_doing(DOING)?.take(left)
        {
            found.chunks.push(row.while_doing(DOING)?.0.value());
        }
        for row in hours.range((series.0, i64::MIN)..=(series.0, edges.rollups)).while_doing(DOING)?.take(left) {
            found.hours.push(row.while_doing(DOING)?.0.value());
        }
        if let Some(points) = &points {
            let rows = (series.0, i64::MIN)..=(series.0, end_of(edges.raw).get());
            for row in points.range(rows).while_doing(DOING)?.take(left) {
                found.points.push(row.while_doing(DOING)?.0.value());
            }
        }
        if let Some(hours) = &point_hours {
            for row in hours.range((series.0, i64::MIN)..=(series.0, edges.rollups)).while_doing(DOING)?.take(left) {
                found.point_hours.push(row.while_doing(DOING)?.0.value());
            }
        }
        if let Some(restated) = &restated {
            let rows = (series.0, i64::MIN)..=(series.0, end_of(edges.rollups).get());
            for row in restated.range(rows).while_doing(DOING)?.take(left) {
                found.marks.push(row.while_doing(DOING)?.0.value());
            }
        }
        let dropped = found.rows() - before;
        if dropped >= left {
            // There may be more of it; it is looked at once more.
            found.next = Some(series);
            return Ok(found);
        }
        let mut chunks_left = chunks
            .range((series.0, edges.raw.saturating_add(1), 0)..=(series.0, i64::MAX, u32::MAX))
            .while_doing(DOING)?;
        let mut hours_left =
            hours.range((series.0, edges.rollups.saturating_add(1))..=(series.0, i64::MAX)).while_doing(DOING)?;
        let mut points_left = false;
        if let Some(hours) = &point_hours {
            let later = (series.0, edges.rollups.saturating_add(1))..=(series.0, i64::MAX);
            points_left = hours.range(later).while_doing(DOING)?.next().is_some();
        }
        let kept = chunks_left.next().is_some() || hours_left.next().is_some() || points_left;
        if !kept && !state.is_in_tail(series) {
            found.series.push(series);
        }
    }
    Ok(found)
}

/// Drops what was found; the bytes of the chunks that are left of `chunk_bytes`.
fn drop_rows(database: &Database, found: &Found, mut chunk_bytes: u64) -> Result<u64, StoreError> {
    if found.rows() == 0 && found.series.is_empty() {
        return Ok(chunk_bytes);
    }
    let write = begin_write(database, DOING)?;
    {
        let mut table = write.open_table(tables::CHUNKS).while_doing(DOING)?;
        for row in &found.chunks {
            if let Some(record) = table.remove(row).while_doing(DOING)? {
                chunk_bytes = chunk_bytes.saturating_sub(record.value().len() as u64);
            }
        }
        let mut table = write.open_table(tables::HOURS).while_doing(DOING)?;
        for row in &found.hours {
            table.remove(row).while_doing(DOING)?;
        }
        let mut table = write.open_table(tables::SERIES).while_doing(DOING)?;
        for series in &found.series {
            table.remove(series.0).while_doing(DOING)?;
        }
        let of_instants = [
            (tables::POINTS, &found.points),
            (tables::POINT_HOURS, &found.point_hours),
            (tables::RESTATED, &found.marks),
        ];
        for (definition, rows) in of_instants {
            if rows.is_empty() {
                continue;
            }
            let mut table = write.open_table(definition).while_doing(DOING)?;
            for row in rows {
                table.remove(row).while_doing(DOING)?;
            }
        }
        if !found.series.is_empty() {
            let mut counts = write.open_table(tables::COUNTS).while_doing(DOING)?;
            for series in &found.series {
                counts.remove(series.0).while_doing(DOING)?;
            }
        }
        if !found.series.is_empty() {
            let mut restated = write.open_table(tables::RESTATED).while_doing(DOING)?;
            for series in &found.series {
                let marks = (series.0, i64::MIN)..=(series.0, i64::MAX);
                restated.retain_in(marks, |_, _| false).while_doing(DOING)?;
            }
        }
        let mut table = write.open_table(tables::META).while_doing(DOING)?;
        table.insert(meta::CHUNK_BYTES, chunk_bytes).while_doing(DOING)?;
    }
    write.commit().while_doing(DOING)?;
    Ok(chunk_bytes)
}
