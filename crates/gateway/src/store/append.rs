//! One group commit: the batches that wait, in one transaction.

use super::batch::{self, Batch, Declaration, Outcome, TailBatch, TailMark, TailSample};
use super::error::{StoreError, While};
use super::idempotency::{Staged, Verdict};
use super::redb_store::begin_write;
use super::series::{self, SeriesIx};
use super::state::State;
use super::tables::{self, meta};
use super::{StoredSeries, metric};
use bellwether_core::labels::{MetricName, SeriesKey};
use bellwether_core::sample::Kind;
use bellwether_core::time::TimestampMs;
use redb::Database;
use std::collections::{BTreeMap, BTreeSet, HashMap};

const DOING: &str = "storing a batch";
/// Opaque ids forgotten with one commit: more than one commit brings in the long run.
const FORGET_AT_ONCE: usize = 1_000;

/// A batch on its way into the tail.
struct Appended {
    seq: u64,
    mark: TailMark,
    record: Vec<u8>,
    series: BTreeSet<SeriesIx>,
}

/// Everything that one commit adds, kept apart from the state until it is durable.
#[derive(Default)]
struct Addition {
    seq: u64,
    next_series: u32,
    /// New series, and known ones whose kind changed.
    series: HashMap<SeriesKey, (SeriesIx, Kind)>,
    metrics: BTreeMap<MetricName, Declaration>,
    tail: Vec<Appended>,
    staged: Staged,
}

pub(super) fn append(database: &Database, state: &mut State, batches: &[Batch]) -> Result<Vec<Outcome>, StoreError> {
    let Some(now) = batches.iter().map(|batch| batch.received_at).max() else { return Ok(Vec::new()) };
    let mut addition = Addition { seq: state.seq, next_series: state.next_series, ..Addition::default() };
    let mut outcomes = Vec::with_capacity(batches.len());
    for batch in batches {
        outcomes.push(addition.add(state, batch)?);
    }
    if addition.seq == state.seq {
        return Ok(outcomes);
    }
    let expired = state.remembered.expired(now, FORGET_AT_ONCE);
    addition.write(database, &expired)?;
    state.remembered.forget(expired.len());
    addition.enter(state);
    Ok(outcomes)
}

impl Addition {
    fn add(&mut self, state: &State, batch: &Batch) -> Result<Outcome, StoreError> {
        let seq = self.seq + 1;
        if let Some(key) = &batch.idempotency {
            match state.remembered.stage(&mut self.staged, key, batch.received_at, seq) {
                Verdict::New => {}
                Verdict::Duplicate => return Ok(Outcome::Duplicate),
            }
        }
        self.seq = seq;
        let mut samples = Vec::with_capacity(batch.samples.len());
        for each in &batch.samples {
            let series = self.series_of(state, &each.series, each.kind)?;
            samples.push(TailSample { series, sample: each.sample, reference: each.reference.clone() });
        }
        for declaration in &batch.declarations {
            let known = self.metrics.get(&declaration.metric).or_else(|| state.metrics.get(&declaration.metric));
            if known != Some(declaration) {
                self.metrics.insert(declaration.metric.clone(), declaration.clone());
            }
        }
        let tail = TailBatch { received_at: batch.received_at, samples };
        if let Some(mark) = tail.mark() {
            let record = batch::encode(seq, &tail);
            let series = tail.samples.iter().map(|each| each.series).collect();
            self.tail.push(Appended { seq, mark, record, series });
        }
        Ok(Outcome::Stored { seq })
    }

    fn series_of(&mut self, state: &State, key: &SeriesKey, kind: Kind) -> Result<SeriesIx, StoreError> {
        let ix = match self.series.get(key).or_else(|| state.by_key.get(key)) {
            Some((ix, known)) if *known == kind => return Ok(*ix),
            Some((ix, _)) => *ix,
            None => {
                let ix = SeriesIx(self.next_series);
                self.next_series = self
                    .next_series
                    .checked_add(1)
                    .ok_or_else(|| StoreError::Internal { what: "hold more than 2³² series".to_owned() })?;
                ix
            }
        };
        self.series.insert(key.clone(), (ix, kind));
        Ok(ix)
    }

    fn write(&self, database: &Database, expired: &[(i64, u64)]) -> Result<(), StoreError> {
        let write = begin_write(database, DOING)?;
        {
            let mut table = write.open_table(tables::META).while_doing(DOING)?;
            table.insert(meta::SEQ, self.seq).while_doing(DOING)?;
            table.insert(meta::NEXT_SERIES, u64::from(self.next_series)).while_doing(DOING)?;
        }
        if !self.series.is_empty() {
            let mut table = write.open_table(tables::SERIES).while_doing(DOING)?;
            for (key, (ix, kind)) in &self.series {
                table.insert(ix.0, series::encode(*ix, key, *kind).as_slice()).while_doing(DOING)?;
            }
        }
        if !self.metrics.is_empty() {
            let mut table = write.open_table(tables::METRICS).while_doing(DOING)?;
            for (name, declaration) in &self.metrics {
                table.insert(name.as_str(), metric::encode(declaration).as_slice()).while_doing(DOING)?;
            }
        }
        if !self.tail.is_empty() {
            let mut table = write.open_table(tables::TAIL).while_doing(DOING)?;
            for each in &self.tail {
                table.insert(each.seq, each.record.as_slice()).while_doing(DOING)?;
            }
        }
        if !self.staged.senders.is_empty() {
            let mut table = write.open_table(tables::SENDERS).while_doing(DOING)?;
            for (sender, ledger) in &self.staged.senders {
                table.insert(&**sender, ledger.encode(sender).as_slice()).while_doing(DOING)?;
            }
        }
        if !self.staged.opaque.is_empty() || !expired.is_empty() {
            let mut table = write.open_table(tables::BATCHES).while_doing(DOING)?;
            for (text, key) in &self.staged.opaque {
                table.insert(key, &**text).while_doing(DOING)?;
            }
            for key in expired {
                table.remove(key).while_doing(DOING)?;
            }
        }
        write.commit().while_doing(DOING)
    }

    fn enter(self, state: &mut State) {
        state.seq = self.seq;
        state.next_series = self.next_series;
        for (key, (ix, kind)) in self.series {
            state.add_series(StoredSeries { ix, key, kind });
        }
        state.metrics.extend(self.metrics);
        for each in self.tail {
            state.add_tail(each.seq, each.mark, each.series.into_iter());
        }
        state.remembered.commit(self.staged);
    }
}

/// The newest time of arrival, which is the time of the call.
pub(super) fn time_of(batches: &[Batch]) -> TimestampMs {
    batches.iter().map(|batch| batch.received_at).max().unwrap_or_default()
}
