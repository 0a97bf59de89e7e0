//! Sealing: samples move from the tail into chunks, and into the summaries of their hours.
//!
//! A round takes the oldest batches of the tail, up to a bound in samples, and of them the samples
//! up to an instant (the end of the last hour that is over, so that an hour becomes one chunk). It
//! goes on in small steps, each one transaction at most, so that commits of new batches come in
//! between:
//!
//! 1. *load*: the batches are decoded and sorted by series, in memory;
//! 2. *write*: series by series, the chunks and the hours' summaries; the same transaction notes how
//!    far the round has come, and from then on the tail's samples of these series count as sealed;
//! 3. *sweep*: batches of which nothing is left are removed.
//!
//! A crash loses the memory of a round, not its notes: the round starts again from *load* and skips
//! the series that are done.

use super::StoredSample;
use super::batch;
use super::chunk;
use super::codec::CodecError;
use super::enter::write_series;
use super::error::{StoreError, While};
use super::fault::{Fault, Place};
use super::redb_store::begin_write;
use super::series::SeriesIx;
use super::state::State;
use super::tables::{self, meta};
use bellwether_core::time::{DurationMs, TimestampMs};
use redb::{Database, ReadableDatabase};
use std::collections::BTreeMap;

const DOING: &str = "moving samples from the tail into chunks";
/// How long after an hour's end its samples are still waited for.
const GRACE: DurationMs = DurationMs::from_minutes(5);

/// How much sealing takes at a time. The defaults are for a gateway; tests take less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealLimits {
    /// A tail of more samples than this is sealed without waiting for the hour's end.
    pub tail_samples: usize,
    /// Likewise for batches.
    pub tail_batches: usize,
    /// Samples of one round over a tail that is too long, but at least one batch; a round holds them
    /// in memory, as one over a tail that is not too long holds that.
    pub round_samples: usize,
    /// Samples that one step decodes, up to the end of a batch.
    pub load_samples: usize,
    /// Samples that one step writes, up to the end of a series.
    pub write_samples: usize,
    /// Series that one step writes.
    pub write_series: usize,
    /// Batches that one step removes.
    pub sweep_batches: usize,
    /// Samples of one chunk.
    pub chunk_samples: usize,
}

impl Default for SealLimits {
    fn default() -> Self {
        Self {
            tail_samples: 1_000_000,
            tail_batches: 100_000,
            round_samples: 2_000_000,
            load_samples: 100_000,
            write_samples: 16_384,
            write_series: 256,
            sweep_batches: 4_096,
            chunk_samples: 65_536,
        }
    }
}

/// Whether there is more of the same to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing more for now.
    Done,
    /// Call again soon, between commits.
    More,
}

/// Samples of batches up to `seq` with timestamps up to `timestamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) seq: u64,
    pub(super) timestamp: TimestampMs,
}

impl Bounds {
    /// Bounds that hold nothing.
    pub(super) const NOTHING: Self = Self { seq: 0, timestamp: TimestampMs::new(i64::MIN) };

    fn hold(self, seq: u64, timestamp: TimestampMs) -> bool {
        seq <= self.seq && timestamp <= self.timestamp
    }
}

/// What is known of sealing; the persistent half is in the table `meta`.
#[derive(Debug)]
pub(super) struct Sealing {
    /// What earlier rounds sealed.
    pub(super) done: Bounds,
    /// The round that is under way and the first series that it has not written yet.
    pub(super) round: Option<(Bounds, u64)>,
    /// The samples of the round that are left to write.
    pub(super) memory: Option<Memory>,
    /// Whether batches of which nothing is left may still be there.
    pub(super) sweep: Sweep,
    /// The end of the hour up to which there was a round; `None` after a start.
    pub(super) through: Option<TimestampMs>,
    pub(super) limits: SealLimits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sweep {
    Clean,
    Needed,
}

impl Default for Sealing {
    fn default() -> Self {
        Self {
            done: Bounds::NOTHING,
            round: None,
            memory: None,
            sweep: Sweep::Needed,
            through: None,
            limits: SealLimits::default(),
        }
    }
}

/// Samples by series, still being loaded or ready to be written.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The first batch that is not loaded yet; `None` once all are.
    next: Option<u64>,
    series: BTreeMap<SeriesIx, Vec<StoredSample>>,
}

impl Sealing {
    /// How far sealing has come, from the numbers in the table `meta` as `entry` gives them.
    pub(super) fn load(entry: impl Fn(&str) -> Result<Option<u64>, StoreError>) -> Result<Self, StoreError> {
        let number = |name: &str| -> Result<u64, StoreError> { Ok(entry(name)?.unwrap_or(0)) };
        let bounds = |seq: u64, timestamp: u64| Bounds { seq, timestamp: TimestampMs::new(timestamp as i64) };
        let mut sealing = Self::default();
        if let Some(seq) = entry(meta::SEALED_SEQ)? {
            sealing.done = bounds(seq, number(meta::SEALED_TIMESTAMP)?);
        }
        if let Some(seq) = entry(meta::ROUND_SEQ)? {
            sealing.round = Some((bounds(seq, number(meta::ROUND_TIMESTAMP)?), number(meta::ROUND_SERIES)?));
        }
        Ok(sealing)
    }

    /// Whether a sample of the tail is in a chunk already.
    pub(super) fn holds(&self, seq: u64, series: SeriesIx, timestamp: TimestampMs) -> bool {
        self.done.hold(seq, timestamp)
            || self.round.is_some_and(|(bounds, next)| u64::from(series.0) < next && bounds.hold(seq, timestamp))
    }
}

/// Does a bounded piece of work.
pub(super) fn step(database: &Database, state: &mut State, now: TimestampMs) -> Result<Progress, StoreError> {
    if state.sealing.round.is_none() && state.sealing.sweep == Sweep::Needed {
        return sweep(database, state);
    }
    let Some((bounds, next_series)) = state.sealing.round else { return begin(database, state, now) };
    let mut memory = state.sealing.memory.take().unwrap_or_else(|| Memory { next: Some(0), ..Memory::default() });
    if let Some(next) = memory.next {
        let loaded = load(database, state, bounds, next_series, next, &mut memory.series)?;
        memory.next = loaded.next;
        for (seq, reason) in loaded.damaged {
            // Out of the index, it is neither served nor swept, but stays for whoever wants to look.
            if let Some(mark) = state.tail.remove(&seq) {
                state.tail_samples -= mark.samples;
            }
            state.faults.get_mut().add(Fault { place: Place::Batch { seq }, reason });
        }
    } else {
        write(database, state, bounds, &mut memory.series)?;
        if memory.series.is_empty() {
            return Ok(Progress::More);
        }
    }
    state.sealing.memory = Some(memory);
    Ok(Progress::More)
}

/// Starts a round where one is due.
fn begin(database: &Database, state: &mut State, now: TimestampMs) -> Result<Progress, StoreError> {
    let limits = state.sealing.limits;
    let crowded = state.tail_samples > limits.tail_samples || state.tail.len() > limits.tail_batches;
    // The last hour that is over, and has been for the time of grace.
    let over = chunk::end_of(chunk::last_over(now - GRACE));
    let mut timestamp = over;
    if crowded {
        timestamp = TimestampMs::new(i64::MAX);
    } else {
        if state.sealing.through >= Some(over) || !state.tail.values().any(|mark| mark.oldest <= over) {
            state.sealing.through = state.sealing.through.max(Some(over));
            return Ok(Progress::Done);
        }
        // What is sealed stays within the bounds, also when the clock was set back. (After a
        // crowded round nothing that it sealed is left in the tail, so nothing can fall out.)
        if state.sealing.done.timestamp != TimestampMs::new(i64::MAX) {
            timestamp = timestamp.max(state.sealing.done.timestamp);
        }
    }
    let mut samples = 0;
    let mut seq = state.sealing.done.seq;
    for (each, mark) in &state.tail {
        // A crowded round leaves nothing of its batches, so that the next one takes others. Any other
        // leaves what is newer: it takes them all, or those that stay would fill each round anew.
        if crowded && samples > 0 && samples + mark.samples > limits.round_samples {
            break;
        }
        samples += mark.samples;
        seq = seq.max(*each);
    }
    let bounds = Bounds { seq, timestamp };
    let write = begin_write(database, DOING)?;
    {
        let mut table = write.open_table(tables::META).while_doing(DOING)?;
        table.insert(meta::ROUND_SEQ, bounds.seq).while_doing(DOING)?;
        table.insert(meta::ROUND_TIMESTAMP, bounds.timestamp.get() as u64).while_doing(DOING)?;
        table.insert(meta::ROUND_SERIES, 0).while_doing(DOING)?;
    }
    write.commit().while_doing(DOING)?;
    state.sealing.round = Some((bounds, 0));
    if !crowded {
        state.sealing.through = Some(over);
    }
    Ok(Progress::More)
}

struct Loaded {
    /// The batch to go on with; `None` when all are loaded.
    next: Option<u64>,
    damaged: Vec<(u64, CodecError)>,
}

/// Decodes batches from `from` on.
fn load(
    database: &Database,
    state: &State,
    bounds: Bounds,
    next_series: u64,
    from: u64,
    series: &mut BTreeMap<SeriesIx, Vec<StoredSample>>,
) -> Result<Loaded, StoreError> {
    let read = database.begin_read().while_doing(DOING)?;
    let table = read.open_table(tables::TAIL).while_doing(DOING)?;
    let mut samples = 0;
    let mut damaged = Vec::new();
    for (&seq, mark) in state.tail.range(from..=bounds.seq) {
        if samples >= state.sealing.limits.load_samples {
            return Ok(Loaded { next: Some(seq), damaged });
        }
        if mark.oldest > bounds.timestamp {
            continue;
        }
        samples += mark.samples;
        let Some(record) = table.get(seq).while_doing(DOING)? else { continue };
        let batch = match batch::decode(seq, record.value()) {
            Ok(batch) => batch,
            Err(reason) => {
                damaged.push((seq, reason));
                continue;
            }
        };
        for each in batch.samples {
            let timestamp = each.sample.timestamp();
            let wanted = u64::from(each.series.0) >= next_series
                && bounds.hold(seq, timestamp)
                && !state.sealing.done.hold(seq, timestamp);
            if wanted {
                series
                    .entry(each.series)
                    .or_default()
                    .push(StoredSample { sample: each.sample, reference: each.reference });
            }
        }
    }
    Ok(Loaded { next: None, damaged })
}

/// Writes the chunks of the next few series, or ends the round where none is left.
fn write(
    database: &Database,
    state: &mut State,
    bounds: Bounds,
    series: &mut BTreeMap<SeriesIx, Vec<StoredSample>>,
) -> Result<(), StoreError> {
    let limits = state.sealing.limits;
    let write = begin_write(database, DOING)?;
    let mut samples = 0;
    let mut count = 0;
    let mut growth = 0;
    let mut faults = Vec::new();
    let mut next = None;
    while count < limits.write_series && samples < limits.write_samples {
        let Some((ix, mut of_series)) = series.pop_first() else { break };
        samples += of_series.len();
        count += 1;
        chunk::sort(&mut of_series);
        let kind = state.series.get(&ix).map(|(_, kind)| *kind);
        growth += write_series(&write, limits.chunk_samples, ix, kind, &of_series, &mut faults)?;
        next = Some(u64::from(ix.0) + 1);
    }
    let ended = series.is_empty();
    let chunk_bytes = state.chunk_bytes.saturating_add_signed(growth);
    {
        let mut table = write.open_table(tables::META).while_doing(DOING)?;
        table.insert(meta::CHUNK_BYTES, chunk_bytes).while_doing(DOING)?;
        if ended {
            table.insert(meta::SEALED_SEQ, bounds.seq).while_doing(DOING)?;
            table.insert(meta::SEALED_TIMESTAMP, bounds.timestamp.get() as u64).while_doing(DOING)?;
            for name in [meta::ROUND_SEQ, meta::ROUND_TIMESTAMP, meta::ROUND_SERIES] {
                table.remove(name).while_doing(DOING)?;
            }
        } else if let Some(next) = next {
            table.insert(meta::ROUND_SERIES, next).while_doing(DOING)?;
        }
    }
    write.commit().while_doing(DOING)?;
    state.chunk_bytes = chunk_bytes;
    for fault in faults {
        state.faults.get_mut().add(fault);
    }
    if ended {
        state.sealing.done = bounds;
        state.sealing.round = None;
        state.sealing.sweep = Sweep::Needed;
    } else if let Some(next) = next {
        state.sealing.round = Some((bounds, next));
    }
    Ok(())
}

/// Removes batches of which every sample is sealed.
fn sweep(database: &Database, state: &mut State) -> Result<Progress, StoreError> {
    let done = state.sealing.done;
    let swept: Vec<u64> = state
        .tail
        .range(..=done.seq)
        .filter(|(_, mark)| mark.newest <= done.timestamp)
        .map(|(seq, _)| *seq)
        .take(state.sealing.limits.sweep_batches)
        .collect();
    if !swept.is_empty() {
        let write = begin_write(database, DOING)?;
        {
            let mut table = write.open_table(tables::TAIL).while_doing(DOING)?;
            for seq in &swept {
                table.remove(seq).while_doing(DOING)?;
            }
        }
        write.commit().while_doing(DOING)?;
        for seq in &swept {
            if let Some(mark) = state.tail.remove(seq) {
                state.tail_samples -= mark.samples;
            }
        }
    }
    if swept.len() < state.sealing.limits.sweep_batches {
        state.sealing.sweep = Sweep::Clean;
    }
    Ok(Progress::More)
}
