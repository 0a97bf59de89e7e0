//! Retention: hours that are over for longer than the retention are dropped, a few at a time.

use super::chunk::last_over;
use super::error::{StoreError, While};
use super::redb_store::begin_write;
use super::seal::Progress;
use super::series::SeriesIx;
use super::state::State;
use super::tables;
use bellwether_core::time::{DurationMs, TimestampMs};
use redb::{Database, ReadableDatabase};
use std::ops::Bound;

const DOING: &str = "dropping what is older than the retention";
/// Rows that one step drops.
const STEP_ROWS: usize = 2_000;
/// Series that one step looks at.
const STEP_SERIES: usize = 5_000;

/// How far dropping has come.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    /// All hours up to this one are dropped; `None` after a start.
    through: Option<i64>,
    /// The hour of the pass that is under way and the first series that it has not looked at.
    pass: Option<(i64, SeriesIx)>,
}

/// What a step found to drop.
#[derive(Default)]
struct Found {
    chunks: Vec<(u32, i64, u32)>,
    hours: Vec<(u32, i64)>,
    /// Series of which nothing is left.
    series: Vec<SeriesIx>,
    /// The series to go on with; `None` at the end of the pass.
    next: Option<SeriesIx>,
}

pub(super) fn step(
    database: &Database,
    state: &mut State,
    now: TimestampMs,
    retention: DurationMs,
) -> Result<Progress, StoreError> {
    let (hour, from) = match state.expiry.pass {
        Some(pass) => pass,
        None => {
            let hour = last_over(now - retention);
            if state.expiry.through >= Some(hour) {
                return Ok(Progress::Done);
            }
            (hour, SeriesIx(0))
        }
    };
    let found = look(database, state, hour, from)?;
    drop_rows(database, &found)?;
    for ix in &found.series {
        if let Some((key, _)) = state.series.remove(ix) {
            state.by_key.remove(&key);
            state.newest.remove(ix);
            state.newest_sealed.remove(ix);
        }
    }
    match found.next {
        Some(next) => {
            state.expiry.pass = Some((hour, next));
            Ok(Progress::More)
        }
        None => {
            state.expiry.pass = None;
            state.expiry.through = Some(hour);
            Ok(Progress::Done)
        }
    }
}

fn look(database: &Database, state: &State, hour: i64, from: SeriesIx) -> Result<Found, StoreError> {
    let read = database.begin_read().while_doing(DOING)?;
    let chunks = read.open_table(tables::CHUNKS).while_doing(DOING)?;
    let hours = read.open_table(tables::HOURS).while_doing(DOING)?;
    let mut found = Found::default();
    for (looked, (&series, _)) in state.series.range((Bound::Included(from), Bound::Unbounded)).enumerate() {
        let left = STEP_ROWS.saturating_sub(found.chunks.len() + found.hours.len());
        if left == 0 || looked >= STEP_SERIES {
            found.next = Some(series);
            return Ok(found);
        }
        let before = found.chunks.len() + found.hours.len();
        for row in chunks.range((series.0, i64::MIN, 0)..=(series.0, hour, u32::MAX)).while_doing(DOING)?.take(left) {
            found.chunks.push(row.while_doing(DOING)?.0.value());
        }
        for row in hours.range((series.0, i64::MIN)..=(series.0, hour)).while_doing(DOING)?.take(left) {
            found.hours.push(row.while_doing(DOING)?.0.value());
        }
        let dropped = found.chunks.len() + found.hours.len() - before;
        if dropped >= left {
            // There may be more of it; it is looked at once more.
            found.next = Some(series);
            return Ok(found);
        }
        let kept = chunks
            .range((series.0, hour.saturating_add(1), 0)..=(series.0, i64::MAX, u32::MAX))
            .while_doing(DOING)?
            .next()
            .is_some();
        if !kept && !state.is_in_tail(series) {
            found.series.push(series);
        }
    }
    Ok(found)
}

fn drop_rows(database: &Database, found: &Found) -> Result<(), StoreError> {
    if found.chunks.is_empty() && found.hours.is_empty() && found.series.is_empty() {
        return Ok(());
    }
    let write = begin_write(database, DOING)?;
    {
        let mut table = write.open_table(tables::CHUNKS).while_doing(DOING)?;
        for row in &found.chunks {
            table.remove(row).while_doing(DOING)?;
        }
        let mut table = write.open_table(tables::HOURS).while_doing(DOING)?;
        for row in &found.hours {
            table.remove(row).while_doing(DOING)?;
        }
        let mut table = write.open_table(tables::SERIES).while_doing(DOING)?;
        for series in &found.series {
            table.remove(series.0).while_doing(DOING)?;
        }
    }
    write.commit().while_doing(DOING)
}
