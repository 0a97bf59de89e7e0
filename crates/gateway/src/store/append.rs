//! One group commit: the batches that wait, in one transaction.

use super::batch::{self, Batch, BatchSample, Declaration, LeftOut, Outcome, TailMark};
use super::error::StoreError;
use super::histograms;
use super::idempotency::{Staged, Verdict};
use super::journal::{Commit, Journal};
use super::repeats;
use super::rows::Rows;
use super::series::{self, SeriesIx};
use super::state::State;
use super::tables::{self, meta, number};
use super::{StoredSeries, metric};
use bellwether_core::labels::{MetricName, SeriesKey};
use bellwether_core::sample::Kind;
use bellwether_core::time::TimestampMs;
use redb::{Database, WriteTransaction};
use std::collections::{BTreeMap, HashMap};

/// Opaque ids forgotten with one commit: more than one commit brings in the long run.
const FORGET_AT_ONCE: usize = 1_000;

/// A batch on its way into the tail.
struct Appended {
    seq: u64,
    mark: TailMark,
    record: Vec<u8>,
    /// Its series, each with its newest timestamp in the batch.
    series: BTreeMap<SeriesIx, TimestampMs>,
}

/// A batch's place, and the series of each of its samples and histograms.
type Place = (u64, Vec<SeriesIx>, Vec<SeriesIx>);

/// A batch whose samples are looked at before they go into the tail.
pub(super) struct Draft<'a> {
    pub(super) seq: u64,
    /// Its place among the outcomes.
    outcome: usize,
    pub(super) batch: &'a Batch,
    /// The series of each of its samples.
    pub(super) series: Vec<SeriesIx>,
    /// The series of each of its histograms.
    pub(super) histograms: Vec<SeriesIx>,
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
    histograms: histograms::Staged,
}

pub(super) fn append(
    database: &Database,
    state: &mut State,
    journal: &mut Journal,
    batches: &[Batch],
) -> Result<Vec<Outcome>, StoreError> {
    let Some(now) = batches.iter().map(|batch| batch.received_at).max() else { return Ok(Vec::new()) };
    let mut addition = Addition { seq: state.seq, next_series: state.next_series, ..Addition::default() };
    let mut outcomes = Vec::with_capacity(batches.len());
    let mut drafts = Vec::with_capacity(batches.len());
    for batch in batches {
        let Some((seq, series, histograms)) = addition.add(state, batch)? else {
            outcomes.push(Outcome::Duplicate);
            continue;
        };
        drafts.push(Draft { seq, outcome: outcomes.len(), batch, series, histograms });
        outcomes.push(Outcome::Stored { seq });
    }
    if addition.seq == state.seq {
        return Ok(outcomes);
    }
    let left_out = repeats::left_out(database, state, journal, &drafts)?;
    let (counted, histograms) = histograms::count(database, &drafts)?;
    addition.histograms = histograms;
    for ((draft, left_out), counted) in drafts.iter().zip(left_out).zip(counted) {
        addition.tail.extend(draft.appended(&left_out));
        if !left_out.is_empty() || !counted.is_empty() {
            outcomes[draft.outcome] = Outcome::StoredInPart { seq: draft.seq, left_out, counted };
        }
    }
    let expired = state.remembered.expired(now, FORGET_AT_ONCE);
    let commit = Commit { before: state.seq, after: addition.seq, rows: addition.rows(state, &expired) };
    let counting = |write: &WriteTransaction| addition.histograms.write(write);
    journal.commit(database, commit, if addition.histograms.is_empty() { None } else { Some(&counting) })?;
    state.remembered.forget(expired.len());
    addition.enter(state);
    Ok(outcomes)
}

impl Draft<'_> {
    /// The batch without what is left out; `None` where nothing stays.
    fn appended(&self, left_out: &[LeftOut]) -> Option<Appended> {
        let stays =
            |place: &usize| left_out.is_empty() || left_out.binary_search_by_key(place, |each| each.place).is_err();
        let given = self.series.iter().zip(&self.batch.samples).enumerate();
        let rows = given
            .filter(|(place, _)| stays(place))
            .map(|(_, (series, each))| (*series, each.sample, each.reference.as_deref()));
        let stamps = || rows.clone().map(|(_, sample, _)| sample.timestamp());
        let count = self.series.len() - left_out.len();
        let mark = TailMark { samples: count, oldest: stamps().min()?, newest: stamps().max()? };
        let record = batch::encode_rows(self.seq, self.batch.received_at, count, rows.clone());
        Some(Appended { seq: self.seq, mark, record, series: newest_of_each(rows) })
    }
}

/// The newest timestamp of each series.
fn newest_of_each<'a>(rows: impl Iterator<Item = batch::Row<'a>>) -> BTreeMap<SeriesIx, TimestampMs> {
    let mut all: BTreeMap<SeriesIx, TimestampMs> = BTreeMap::new();
    let mut note = |(series, at): (SeriesIx, TimestampMs)| {
        all.entry(series).and_modify(|newest| *newest = at.max(*newest)).or_insert(at);
    };
    // Samples of one series mostly stand together: of each run only the newest is noted.
    let mut run: Option<(SeriesIx, TimestampMs)> = None;
    for (series, sample, _) in rows {
        let at = sample.timestamp();
        match &mut run {
            Some((of, newest)) if *of == series => *newest = at.max(*newest),
            run => {
                if let Some(before) = run.replace((series, at)) {
                    note(before);
                }
            }
        }
    }
    if let Some(last) = run {
        note(last);
    }
    all
}

impl Addition {
    /// Takes up a batch's id, its series and what it declares; its place and the series of each of its
    /// samples and histograms, or `None` where it is known.
    fn add(&mut self, state: &State, batch: &Batch) -> Result<Option<Place>, StoreError> {
        let seq = self.seq + 1;
        if let Some(key) = &batch.idempotency {
            match state.remembered.stage(&mut self.staged, key, batch.received_at, seq) {
                Verdict::New => {}
                Verdict::Duplicate => return Ok(None),
            }
        }
        self.seq = seq;
        let mut series = Vec::with_capacity(batch.samples.len());
        // Samples of one series mostly stand together: it is looked for once.
        let mut before: Option<(&BatchSample, SeriesIx)> = None;
        for each in &batch.samples {
            let ix = match before {
                Some((before, ix)) if before.kind == each.kind && before.series.is_clone_of(&each.series) => ix,
                _ => self.series_of(state, &each.series, each.kind)?,
            };
            before = Some((each, ix));
            series.push(ix);
        }
        let mut histograms = Vec::with_capacity(batch.histograms.len());
        for each in &batch.histograms {
            histograms.push(self.series_of(state, &each.series, each.kind)?);
        }
        for declaration in &batch.declarations {
            let known = self.metrics.get(&declaration.metric).or_else(|| state.metrics.get(&declaration.metric));
            // Who says nothing of the unit does not take it away.
            let unit = declaration.unit.clone().or_else(|| known?.unit.clone());
            let declaration = Declaration { unit, ..declaration.clone() };
            if known != Some(&declaration) {
                self.metrics.insert(declaration.metric.clone(), declaration);
            }
        }
        Ok(Some((seq, series, histograms)))
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

    /// All that it changes but for histograms.
    fn rows(&self, state: &State, expired: &[(i64, u64)]) -> Rows {
        let mut rows = Rows::default();
        rows.put(number::META, tables::META, &meta::SEQ, &self.seq);
        if self.next_series != state.next_series {
            rows.put(number::META, tables::META, &meta::NEXT_SERIES, &u64::from(self.next_series));
        }
        for (key, (ix, kind)) in &self.series {
            rows.put(number::SERIES, tables::SERIES, &ix.0, &series::encode(*ix, key, *kind).as_slice());
        }
        for (name, declaration) in &self.metrics {
            rows.put(number::METRICS, tables::METRICS, &name.as_str(), &metric::encode(declaration).as_slice());
        }
        for each in &self.tail {
            rows.put(number::TAIL, tables::TAIL, &each.seq, &each.record.as_slice());
        }
        for (sender, ledger) in &self.staged.senders {
            rows.put(number::SENDERS, tables::SENDERS, &&**sender, &ledger.encode(sender).as_slice());
        }
        for (text, key) in &self.staged.opaque {
            rows.put(number::BATCHES, tables::BATCHES, key, &&**text);
        }
        for key in expired {
            rows.remove(number::BATCHES, tables::BATCHES, key);
        }
        rows
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
