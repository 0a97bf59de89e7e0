//! Samples that came before: where there is to be one value a timestamp, a sample whose series has one
//! is left out. Prometheus sends a batch again, without an id, when its answer got lost.
//!
//! A sample that is newer than its series is new, and that is nearly every one; only the others are
//! looked up in what is stored.

use super::append::Draft;
use super::batch::{self, Found, LeftOut};
use super::chunk::{self, ChunkKey, hour_of};
use super::error::{StoreError, While};
use super::hour;
use super::journal::Journal;
use super::series::SeriesIx;
use super::state::State;
use super::tables;
use bellwether_core::time::TimestampMs;
use bellwether_wire::ingest::Repeats;
use redb::{Database, ReadTransaction, ReadableDatabase};
use std::collections::{BTreeMap, HashMap};

const DOING: &str = "looking for samples that came before";

/// What is stored at instants of series: `None` where nothing is known to be.
type Wanted = BTreeMap<(SeriesIx, TimestampMs), Option<f64>>;

/// What is left out of each draft, in their order, as if they were stored one after the other.
pub(super) fn left_out(
    database: &Database,
    state: &mut State,
    journal: &mut Journal,
    drafts: &[Draft<'_>],
) -> Result<Vec<Vec<LeftOut>>, StoreError> {
    let mut wanted = wanted(database, state, drafts)?;
    if wanted.is_empty() {
        return Ok(vec![Vec::new(); drafts.len()]);
    }
    // What is looked for may be in the journal still.
    journal.settle(database)?;
    let read = database.begin_read().while_doing(DOING)?;
    look_in_chunks(&read, state, &mut wanted)?;
    look_in_tail(&read, state, &mut wanted)?;
    let mut all = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let mut left_out = Vec::new();
        for (place, (each, series)) in draft.batch.samples.iter().zip(&draft.series).enumerate() {
            let Some(found) = wanted.get_mut(&(*series, each.sample.timestamp())) else { continue };
            let value = each.sample.value();
            match *found {
                Some(found) if each.repeats == Repeats::Once => {
                    let found = if found.to_bits() == value.to_bits() { Found::Same } else { Found::Another };
                    left_out.push(LeftOut { place, found });
                }
                _ => *found = Some(value),
            }
        }
        all.push(left_out);
    }
    Ok(all)
}

/// The instants at which something may be stored, or may be once the batches before are.
fn wanted(database: &Database, state: &mut State, drafts: &[Draft<'_>]) -> Result<Wanted, StoreError> {
    let mut wanted = Wanted::new();
    if !drafts.iter().any(|draft| draft.batch.samples.iter().any(|each| each.repeats == Repeats::Once)) {
        return Ok(wanted);
    }
    let mut newest: HashMap<SeriesIx, Option<TimestampMs>> = HashMap::new();
    let mut read = None;
    for draft in drafts {
        let mut samples = draft.batch.samples.as_slice();
        // Samples of one series mostly stand together: it is looked up once a run.
        for run in draft.series.chunk_by(|one, next| one == next) {
            let series = run[0];
            let newest = match newest.get_mut(&series) {
                Some(newest) => newest,
                None => {
                    let known = newest_of(database, &mut read, state, series)?;
                    newest.entry(series).or_insert(known)
                }
            };
            let (of_run, rest) = samples.split_at(run.len());
            samples = rest;
            for each in of_run {
                let at = each.sample.timestamp();
                if *newest < Some(at) {
                    *newest = Some(at);
                } else if each.repeats == Repeats::Once {
                    wanted.insert((series, at), None);
                }
            }
        }
    }
    Ok(wanted)
}

/// The newest timestamp of a series, or a later one; `None` where it has no sample.
fn newest_of(
    database: &Database,
    read: &mut Option<ReadTransaction>,
    state: &mut State,
    series: SeriesIx,
) -> Result<Option<TimestampMs>, StoreError> {
    let newest = state.newest.get(&series).copied();
    if let Some(sealed) = state.newest_sealed.get(&series) {
        return Ok(newest.max(*sealed));
    }
    if !state.series.contains_key(&series) {
        return Ok(newest);
    }
    let read = match read {
        Some(read) => read,
        None => read.insert(database.begin_read().while_doing(DOING)?),
    };
    let chunks = read.open_table(tables::CHUNKS).while_doing(DOING)?;
    let all = (series.0, i64::MIN, 0)..=(series.0, i64::MAX, u32::MAX);
    let last = chunks.range(all).while_doing(DOING)?.next_back().transpose().while_doing(DOING)?;
    let sealed = match last.map(|(row, _)| row.value().1) {
        None => None,
        Some(of_chunk) => {
            let hours = read.open_table(tables::HOURS).while_doing(DOING)?;
            let record = hours.get((series.0, of_chunk)).while_doing(DOING)?;
            let summary = record.and_then(|record| hour::decode(series, of_chunk, record.value()).ok());
            // Without a summary, the hour's end is as late as any sample of it.
            Some(summary.map_or(chunk::end_of(of_chunk), |summary| summary.last.timestamp()))
        }
    };
    state.newest_sealed.insert(series, sealed);
    Ok(newest.max(sealed))
}

fn look_in_chunks(read: &ReadTransaction, state: &State, wanted: &mut Wanted) -> Result<(), StoreError> {
    let chunks = read.open_table(tables::CHUNKS).while_doing(DOING)?;
    // Series by series and hour by hour, so that each chunk is read once.
    let mut hour = None;
    let mut values: HashMap<TimestampMs, f64> = HashMap::new();
    for ((series, at), found) in wanted.iter_mut() {
        if !state.series.contains_key(series) {
            continue;
        }
        if hour != Some((*series, hour_of(*at))) {
            hour = Some((*series, hour_of(*at)));
            values.clear();
            let rows = (series.0, hour_of(*at), 0)..=(series.0, hour_of(*at), u32::MAX);
            for row in chunks.range(rows).while_doing(DOING)? {
                let (row, record) = row.while_doing(DOING)?;
                // What is damaged is named by whoever reads it for its samples.
                let samples = chunk::decode(ChunkKey::of_row(row.value()), record.value()).unwrap_or_default();
                values.extend(samples.iter().map(|each| (each.sample.timestamp(), each.sample.value())));
            }
        }
        *found = values.get(at).copied();
    }
    Ok(())
}

fn look_in_tail(read: &ReadTransaction, state: &State, wanted: &mut Wanted) -> Result<(), StoreError> {
    let stamps = || wanted.keys().map(|(_, at)| *at);
    let (Some(oldest), Some(newest)) = (stamps().min(), stamps().max()) else { return Ok(()) };
    let tail = read.open_table(tables::TAIL).while_doing(DOING)?;
    for (&seq, mark) in &state.tail {
        if mark.newest < oldest || mark.oldest > newest {
            continue;
        }
        let Some(record) = tail.get(seq).while_doing(DOING)? else { continue };
        let Ok(batch) = batch::decode(seq, record.value()) else { continue };
        for each in batch.samples {
            let at = each.sample.timestamp();
            if let Some(found) = wanted.get_mut(&(each.series, at))
                && !state.sealing.holds(seq, each.series, at)
            {
                *found = Some(each.sample.value());
            }
        }
    }
    Ok(())
}
