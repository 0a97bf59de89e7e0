//! Corrections of stored samples: another value or time, withdrawn, or erased as if they had never come.
//!
//! One transaction takes the samples out of the tail, the chunks and the summaries of their hours, puts what a
//! sample became into the tail as a batch of its own, writes the trail and marks the spans that are restated. So a
//! crash leaves all of it or nothing, and sealing takes what a sample became as it takes any late sample.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::Sample;
use bellwether_core::time::TimestampMs;
use redb::{Database, ReadableTable, WriteTransaction};

use super::StoredSample;
use super::batch::{self, TailBatch, TailMark, TailSample};
use super::chunk::{self, hour_of};
use super::error::{StoreError, While};
use super::find::{Target, Whereabouts};
use super::redb_store::begin_write;
use super::restated::{self, Mark};
use super::rework::Rework;
use super::series::SeriesIx;
use super::state::State;
use super::tables::{self, meta};
use super::trail::{self, About, Action, Changed, Entry, Erasing};

const DOING: &str = "correcting stored samples";
/// Most samples, and most hours of series, that one correction changes.
pub(super) const MOST: usize = 10_000;

/// What is to become of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// One sample gets another value, another time, or both; `None` leaves it as it is.
    Correct {
        /// The value.
        value: Option<f64>,
        /// The time.
        timestamp: Option<TimestampMs>,
    },
    /// They count no more.
    Withdraw,
    /// Nothing of them is left.
    Erase,
}

impl Change {
    /// The word's own.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Self::Correct { .. } => Action::Correct,
            Self::Withdraw => Action::Withdraw,
            Self::Erase => Action::Erase,
        }
    }
}

/// A correction that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    /// Which samples are meant.
    pub target: Target,
    /// What becomes of them.
    pub change: Change,
    /// Why; not kept where they are erased.
    pub reason: Option<Arc<str>>,
    /// Who asks: the name of a token or of a user.
    pub by: Arc<str>,
    /// The gateway's time.
    pub now: TimestampMs,
}

/// What became of a correction.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Corrected {
    /// It is on disk.
    Done {
        /// Its number in the trail.
        id: u64,
        /// Its place in the stream.
        seq: u64,
        /// When it was made.
        at: TimestampMs,
        /// How many samples were changed.
        samples: usize,
        /// The series of which samples were changed, with the spans that are restated.
        restated: Vec<(SeriesKey, Mark)>,
        /// Instants at which nothing is to be told to have changed any more, but for what `restated` says.
        untold: Vec<(SeriesKey, TimestampMs)>,
    },
    /// No stored sample is meant.
    Unknown,
    /// The sample has that value and that time already.
    Same,
    /// One sample is to be corrected, and so many are meant.
    Ambiguous {
        /// How many.
        samples: usize,
    },
    /// More are meant than one correction changes.
    TooMany {
        /// How many it may change.
        most: usize,
    },
    /// More was sealed since the snapshot that was searched: it must be searched anew.
    Overtaken,
}

/// What a correction takes out.
#[derive(Default)]
struct Taken {
    samples: Vec<(SeriesIx, Sample, Arc<str>)>,
    /// Batches of the tail that changed, with what is left of them.
    tail: Vec<(u64, Option<TailMark>)>,
    /// By how many bytes the chunks grew.
    growth: i64,
    /// Whether newer batches of the tail hold samples of the reference that are not meant.
    others: bool,
}

/// What an erase takes out besides the samples.
#[derive(Default)]
struct Traces {
    /// The instants that the trail told.
    told: Vec<(SeriesIx, TimestampMs)>,
    /// Whether batch ids named the reference, and are forgotten.
    names: bool,
}

pub(super) fn correct(
    database: &Database,
    state: &mut State,
    asked: &Correction,
    found: &Whereabouts,
) -> Result<Corrected, StoreError> {
    let round = state.sealing.round.map_or(0, |(bounds, _)| bounds.seq);
    if state.sealing.done.seq.max(round) > found.seq {
        return Ok(Corrected::Overtaken);
    }
    if found.hours.len() > MOST {
        return Ok(Corrected::TooMany { most: MOST });
    }
    let write = begin_write(database, DOING)?;
    let mut taken = Taken::default();
    take_from_tail(&write, state, &asked.target, found, &mut taken)?;
    take_from_chunks(&write, state, &asked.target, found, &mut taken)?;
    // Until the commit nothing has happened: dropped, the transaction is undone.
    if taken.samples.len() > MOST {
        return Ok(Corrected::TooMany { most: MOST });
    }
    let mut traces = Traces::default();
    if asked.change == Change::Erase {
        if found.others && next_correction(&write)? > found.next_correction {
            // The others may be gone meanwhile, and nothing but the batch ids tells of the reference then.
            return Ok(Corrected::Overtaken);
        }
        traces = erase_traces(&write, state, &asked.target, found, &taken)?;
    }
    let Traces { told, names } = traces;
    if taken.samples.is_empty() && told.is_empty() && !names {
        return Ok(Corrected::Unknown);
    }
    let mut after = None;
    if let Change::Correct { value, timestamp } = asked.change {
        let [(series, before, reference)] = &taken.samples[..] else {
            return Ok(Corrected::Ambiguous { samples: taken.samples.len() });
        };
        let sample = Sample::new(timestamp.unwrap_or(before.timestamp()), value.unwrap_or(before.value()));
        let sample = sample.map_err(|error| StoreError::Internal { what: error.to_string() })?;
        if sample.timestamp() == before.timestamp() && sample.value().to_bits() == before.value().to_bits() {
            return Ok(Corrected::Same);
        }
        after = Some(TailSample { series: *series, sample, reference: Some(Arc::clone(reference)) });
    }
    let seq = state.seq + 1;
    let chunk_bytes = state.chunk_bytes.saturating_add_signed(taken.growth);
    let marks = marks(asked, &taken, after.as_ref(), &told);
    restated::remove(&write, &told)?;
    restated::write(&write, &marks)?;
    let id = {
        let id = next_correction(&write)?;
        let mut numbers = write.open_table(tables::META).while_doing(DOING)?;
        numbers.insert(meta::NEXT_CORRECTION, id + 1).while_doing(DOING)?;
        if asked.change == Change::Erase {
            numbers.insert(meta::ERASED, 1).while_doing(DOING)?;
        }
        numbers.insert(meta::SEQ, seq).while_doing(DOING)?;
        numbers.insert(meta::CHUNK_BYTES, chunk_bytes).while_doing(DOING)?;
        id
    };
    {
        let entry = entry(state, asked, &taken, after.as_ref());
        let mut trail = write.open_table(tables::CORRECTIONS).while_doing(DOING)?;
        trail.insert(id, entry.encode(id).as_slice()).while_doing(DOING)?;
    }
    let added = after.map(|sample| TailBatch { received_at: asked.now, samples: vec![sample] });
    if let Some(batch) = &added {
        let mut tail = write.open_table(tables::TAIL).while_doing(DOING)?;
        tail.insert(seq, batch::encode(seq, batch).as_slice()).while_doing(DOING)?;
    }
    write.commit().while_doing(DOING)?;

    state.seq = seq;
    state.chunk_bytes = chunk_bytes;
    // What a round has in memory may be what was taken out: it is loaded anew.
    state.sealing.memory = None;
    for (seq, mark) in &taken.tail {
        state.change_tail(*seq, *mark);
    }
    if let Some(batch) = added
        && let Some(mark) = batch.mark()
    {
        state.add_tail(seq, mark, batch.samples.iter().map(|each| (each.series, each.sample.timestamp())));
    }
    if names {
        state.remembered.forget_naming(&asked.target.reference);
    }
    let name = |series: &SeriesIx| Some(state.series.get(series)?.0.clone());
    let restated = marks.iter().filter_map(|(series, mark)| Some((name(series)?, *mark))).collect();
    let untold = told.iter().filter_map(|(series, at)| Some((name(series)?, *at))).collect();
    Ok(Corrected::Done { id, seq, at: asked.now, samples: taken.samples.len(), restated, untold })
}

fn next_correction(write: &WriteTransaction) -> Result<u64, StoreError> {
    let numbers = write.open_table(tables::META).while_doing(DOING)?;
    Ok(numbers.get(meta::NEXT_CORRECTION).while_doing(DOING)?.map_or(0, |id| id.value()))
}

/// Takes the samples out of the batches of the tail. One that is in a chunk already is counted there.
fn take_from_tail(
    write: &WriteTransaction,
    state: &State,
    target: &Target,
    found: &Whereabouts,
    taken: &mut Taken,
) -> Result<(), StoreError> {
    let mut tail = write.open_table(tables::TAIL).while_doing(DOING)?;
    let newer = state.tail.range(found.seq.saturating_add(1)..).map(|(seq, _)| seq);
    for seq in found.batches.iter().chain(newer).copied() {
        let Some(record) = tail.get(seq).while_doing(DOING)?.map(|record| record.value().to_vec()) else { continue };
        // A damaged one stays where it is; whoever verifies is told.
        let Ok(TailBatch { received_at, samples }) = batch::decode(seq, &record) else { continue };
        let all = samples.len();
        let mut left = Vec::with_capacity(all);
        for each in samples {
            if !state.series.get(&each.series).is_some_and(|(key, _)| target.takes(key)) {
                left.push(each);
                continue;
            }
            let (series, stored) = each.into_stored();
            let StoredSample { sample, reference } = stored.clone();
            match reference.filter(|_| target.means(&stored)) {
                Some(reference) => {
                    if !state.sealing.holds(seq, series, sample.timestamp()) {
                        taken.samples.push((series, sample, reference));
                    }
                }
                None => left.push(TailSample { series, sample, reference: stored.reference }),
            }
        }
        if seq > found.seq {
            taken.others |= left.iter().any(|each| each.reference.as_ref() == Some(&target.reference));
        }
        if left.len() == all {
            continue;
        }
        let batch = TailBatch { received_at, samples: left };
        let mark = batch.mark();
        if mark.is_some() {
            tail.insert(seq, batch::encode(seq, &batch).as_slice()).while_doing(DOING)?;
        } else {
            tail.remove(seq).while_doing(DOING)?;
        }
        taken.tail.push((seq, mark));
    }
    Ok(())
}

/// Takes the samples out of the chunks, and out of the summaries of their hours: as was made ready with the search,
/// and where an hour has changed since, anew.
fn take_from_chunks(
    write: &WriteTransaction,
    state: &State,
    target: &Target,
    found: &Whereabouts,
    taken: &mut Taken,
) -> Result<(), StoreError> {
    let mut chunks = write.open_table(tables::CHUNKS).while_doing(DOING)?;
    let mut hours = write.open_table(tables::HOURS).while_doing(DOING)?;
    for (series, hour) in found.hours.iter().copied() {
        let Some((_, kind)) = state.series.get(&series) else { continue };
        let anew;
        let rework = match found.ready.get(&(series, hour)) {
            Some(ready) if ready.is_of(&chunks, &hours, series, hour)? => ready,
            _ => {
                anew = Rework::of(&chunks, &hours, target, series, hour, *kind)?;
                &anew
            }
        };
        if rework.gone.is_empty() {
            continue;
        }
        taken.growth += rework.growth;
        for (key, record) in &rework.chunks {
            match record {
                Some(record) => drop(chunks.insert(key.row(), record.as_slice()).while_doing(DOING)?),
                None => drop(chunks.remove(key.row()).while_doing(DOING)?),
            }
        }
        match &rework.summary {
            Some(record) => drop(hours.insert((series.0, hour), record.as_slice()).while_doing(DOING)?),
            None => drop(hours.remove((series.0, hour)).while_doing(DOING)?),
        }
        let with_reference = |stored: &StoredSample| Some((series, stored.sample, stored.reference.clone()?));
        taken.samples.extend(rework.gone.iter().filter_map(with_reference));
    }
    Ok(())
}

/// Takes out of the trail what it says of what is erased; where nothing else has the reference, also the batch ids
/// that name it.
fn erase_traces(
    write: &WriteTransaction,
    state: &State,
    target: &Target,
    found: &Whereabouts,
    taken: &Taken,
) -> Result<Traces, StoreError> {
    let mut trail = write.open_table(tables::CORRECTIONS).while_doing(DOING)?;
    let (mut traces, mut others) = (Traces::default(), found.others || taken.others);
    let name = |series: &SeriesIx| state.series.get(series).map(|(key, _)| key);
    let erased = taken.samples.iter().filter_map(|(series, sample, _)| Some(trail::form(name(series)?, *sample)));
    let erased = erased.collect();
    let mut erasing = Erasing::new(target, &erased);
    let newer = trail.range(found.next_correction..).while_doing(DOING)?;
    let newer = newer.map(|row| Ok(row.while_doing(DOING)?.0.value())).collect::<Result<Vec<u64>, StoreError>>()?;
    for id in found.entries.iter().chain(&newer).rev().copied() {
        let entry = trail.get(id).while_doing(DOING)?.and_then(|record| Entry::decode(id, record.value()).ok());
        // A damaged one stays where it is; whoever verifies is told.
        let Some(mut entry) = entry else { continue };
        let gone = erasing.erase(&mut entry);
        for Changed { series, before, after } in &gone {
            // Of a series that is gone, the marks went with it.
            if let Some((ix, _)) = state.by_key.get(series) {
                traces.told.extend([Some(*before), *after].iter().flatten().map(|sample| (*ix, sample.timestamp())));
            }
        }
        others |= entry.about.as_ref().is_some_and(|about| about.reference == target.reference);
        if !gone.is_empty() {
            trail.insert(id, entry.encode(id).as_slice()).while_doing(DOING)?;
        }
    }
    let naming = state.remembered.naming(&target.reference);
    if others || naming.is_empty() {
        return Ok(traces);
    }
    traces.names = true;
    if let Some(sender) = naming.sender {
        write.open_table(tables::SENDERS).while_doing(DOING)?.remove(&*sender).while_doing(DOING)?;
    }
    let mut batches = write.open_table(tables::BATCHES).while_doing(DOING)?;
    for key in naming.opaque {
        batches.remove(key).while_doing(DOING)?;
    }
    Ok(traces)
}

/// The spans that are restated: of erased samples whole hours, which say less of them, also of what the trail
/// `told` of them before.
fn marks(
    asked: &Correction,
    taken: &Taken,
    after: Option<&TailSample>,
    told: &[(SeriesIx, TimestampMs)],
) -> Vec<(SeriesIx, Mark)> {
    let of = |(series, at): (SeriesIx, TimestampMs)| {
        let mark = if asked.change == Change::Erase {
            Mark { from: chunk::end_of(hour_of(at) - 1), to: chunk::end_of(hour_of(at)), changed_at: asked.now }
        } else {
            Mark::of(at, asked.now)
        };
        ((series, mark.to), mark)
    };
    let before = taken.samples.iter().map(|(series, sample, _)| (*series, sample.timestamp()));
    let after = after.map(|after| (after.series, after.sample.timestamp()));
    let marks: BTreeMap<_, _> = before.chain(after).chain(told.iter().copied()).map(of).collect();
    marks.into_iter().map(|((series, _), mark)| (series, mark)).collect()
}

fn entry(state: &State, asked: &Correction, taken: &Taken, after: Option<&TailSample>) -> Entry {
    let about = (asked.change != Change::Erase).then(|| About {
        reference: Arc::clone(&asked.target.reference),
        reason: asked.reason.clone(),
        samples: taken
            .samples
            .iter()
            .filter_map(|(series, before, _)| {
                let series = state.series.get(series)?.0.clone();
                Some(Changed { series, before: *before, after: after.map(|after| after.sample) })
            })
            .collect(),
    });
    Entry { at: asked.now, by: Arc::clone(&asked.by), action: asked.change.action(), about }
}
