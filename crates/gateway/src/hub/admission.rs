//! Which samples may be stored: judged against what is recorded and what waits to be, changing
//! neither, for what is not stored must leave no trace.

use std::sync::Arc;

use bellwether_core::engine::{Engine, KindConflict, Plan, SeriesError, TimestampError};
use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::Kind;
use bellwether_core::time::TimestampMs;
use bellwether_wire::ingest::{IngestedSample, Rejection};
use bellwether_wire::protocol::{HistogramPoint, IngestedHistogram};

use super::{Hub, Units};
use crate::store::{BatchHistogram, BatchSample, Counted, Declaration, Found, Increment, LeftOut};
use crate::writer::Receipt;

/// A histogram that may be stored.
#[derive(Clone, Debug)]
pub(crate) struct AdmittedHistogram {
    /// Its place in the body.
    index: usize,
    key: SeriesKey,
    kind: Kind,
    point: HistogramPoint,
}

impl AdmittedHistogram {
    /// The histogram on its way into the store.
    pub(crate) fn to_stored(&self) -> BatchHistogram {
        let Self { index: _, key, kind, point } = self;
        BatchHistogram { series: key.clone(), kind: *kind, point: point.clone() }
    }
}

/// What a batch came to before it is stored.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    pub(crate) samples: Vec<BatchSample>,
    /// The place of each of them in the body.
    places: Vec<usize>,
    pub(crate) histograms: Vec<AdmittedHistogram>,
    pub(crate) rejected: Vec<Rejection>,
}

impl Admission {
    /// Notes what became of its histograms; how many of them had come before. What was added goes to
    /// `increments`; those that are too late are refused.
    pub(crate) fn count(&mut self, counted: Vec<Counted>, increments: &mut Vec<Increment>) -> usize {
        let mut same = 0;
        let mut counted = counted.into_iter();
        let rejected = &mut self.rejected;
        self.histograms.retain(|histogram| {
            match counted.next() {
                Some(Counted::Increment(summary)) => {
                    let (series, kind) = (histogram.key.clone(), histogram.kind);
                    increments.push(Increment { series, kind, summary: *summary });
                }
                Some(Counted::Same) => same += 1,
                Some(Counted::TooLate { newest }) => {
                    let at = histogram.point.at;
                    rejected.push(Rejection::out_of_order(histogram.index, &histogram.key, at, newest));
                    return false;
                }
                Some(Counted::Nothing) | None => {}
            }
            true
        });
        same
    }

    /// Takes out what the store left out; how many of those were the same sample again. The others are
    /// refused.
    pub(crate) fn leave_out(&mut self, left_out: &[LeftOut]) -> usize {
        if left_out.is_empty() {
            return 0;
        }
        let mut same = 0;
        let mut left_out = left_out.iter().peekable();
        let mut places = std::mem::take(&mut self.places).into_iter().enumerate();
        let rejected = &mut self.rejected;
        self.samples.retain(|sample| {
            let Some((place, index)) = places.next() else { return true };
            match left_out.next_if(|each| each.place == place).map(|each| each.found) {
                None => return true,
                Some(Found::Same) => same += 1,
                Some(Found::Another) => {
                    let at = sample.sample.timestamp();
                    rejected.push(Rejection::repeated_timestamp(index, &sample.series, at));
                }
            }
            false
        });
        same
    }

    /// What is told about it once it is stored.
    pub(crate) fn into_receipt(self) -> Receipt {
        Receipt { accepted: self.samples.len(), histograms: self.histograms.len(), rejected: self.rejected }
    }
}

impl Hub {
    /// Whether a stored sample may be given this time; `oldest` is the start of what the store keeps.
    ///
    /// # Errors
    /// Why not, in words.
    pub(crate) fn accepts(&self, timestamp: TimestampMs, oldest: TimestampMs, now: TimestampMs) -> Result<(), String> {
        if timestamp < oldest {
            return Err(format!(
                "timestamp {} is older than the oldest that is kept, {}",
                timestamp.get(),
                oldest.get()
            ));
        }
        self.state().engine.check(timestamp, now).map_err(|error| error.to_string())
    }

    /// Says which samples and histograms may be stored, and adds their new series to `plan` and the units of their
    /// metrics to `units`. `oldest` is the start of what the store keeps.
    pub(crate) fn admit(
        &self,
        plan: &mut Plan,
        units: &mut Units,
        samples: Vec<IngestedSample>,
        histograms: Vec<IngestedHistogram>,
        (oldest, now): (TimestampMs, TimestampMs),
    ) -> (Admission, Vec<Declaration>) {
        let state = self.state();
        let (room, places) = (Vec::with_capacity(samples.len()), Vec::with_capacity(samples.len()));
        let mut admission = Admission { samples: room, places, ..Admission::default() };
        let mut desk = Desk { engine: &state.engine, plan, units, declarations: Vec::new(), oldest, now };
        for IngestedSample { index, key, sample, kind: declared, suggested, repeats, unit, reference } in samples {
            // Samples of one series mostly stand together: what holds of one of them holds of the next.
            let before = admission.samples.last().filter(|before| before.series.is_clone_of(&key));
            let kinds = Kinds { declared, suggested, known: before.map(|before| before.kind) };
            match desk.admit(index, &key, sample.timestamp(), kinds, unit.as_deref()) {
                Ok(kind) => {
                    if declared.is_some() || unit.is_some() {
                        desk.declare(&key, kind, unit);
                    }
                    let reference = reference.map(Arc::from);
                    admission.samples.push(BatchSample { series: key, kind, sample, reference, repeats });
                    admission.places.push(index);
                }
                Err(rejection) => admission.rejected.push(rejection),
            }
        }
        let kinds = Kinds { declared: Some(Kind::Observation), suggested: None, known: None };
        for IngestedHistogram { index, key, point, unit } in histograms {
            match desk.admit(index, &key, point.at, kinds, unit.as_deref()) {
                Ok(kind) => {
                    if unit.is_some() {
                        desk.declare(&key, kind, unit);
                    }
                    admission.histograms.push(AdmittedHistogram { index, key, kind, point });
                }
                Err(rejection) => admission.rejected.push(rejection),
            }
        }
        (admission, desk.declarations)
    }
}

/// Where each sample and each histogram of a batch is judged.
struct Desk<'a> {
    engine: &'a Engine,
    plan: &'a mut Plan,
    units: &'a mut Units,
    /// What the batch says of its metrics.
    declarations: Vec<Declaration>,
    oldest: TimestampMs,
    now: TimestampMs,
}

impl Desk<'_> {
    /// The kind of a series whose sample may be stored.
    fn admit(
        &mut self,
        index: usize,
        key: &SeriesKey,
        timestamp: TimestampMs,
        kinds: Kinds,
        unit: Option<&str>,
    ) -> Result<Kind, Rejection> {
        let Self { engine, plan, oldest, now, .. } = self;
        if timestamp < *oldest {
            return Err(Rejection::too_late(index, timestamp, *oldest, *now));
        }
        engine.check(timestamp, *now).map_err(|error| match error {
            TimestampError::TooLate { oldest, .. } => Rejection::too_late(index, timestamp, oldest, *now),
            _ => Rejection::too_new(index, timestamp, engine.config().future_skew, *now),
        })?;
        if let Some((known, unit)) = self.units.conflict(&key.metric, unit) {
            return Err(Rejection::unit_conflict(index, key.metric.as_str(), known, unit));
        }
        kinds.plan(engine, plan, key).map_err(|error| match error {
            SeriesError::KindConflict(KindConflict { metric, kept, declared }) => {
                Rejection::kind_conflict(index, metric.as_str(), kept, declared)
            }
            SeriesError::TooManySeriesOfMetric { most, .. } => {
                Rejection::too_many_series(index, key, most, "for one metric")
            }
            _ => Rejection::too_many_series(index, key, engine.config().max_series, "in all"),
        })
    }

    /// Notes what a sender says of the metric of `key`.
    fn declare(&mut self, key: &SeriesKey, kind: Kind, unit: Option<String>) {
        let unit: Option<Arc<str>> = unit.map(Arc::from);
        if let Some(unit) = &unit {
            self.units.note(&key.metric, unit);
        }
        if let Some(known) = self.declarations.iter_mut().find(|known| known.metric == key.metric) {
            known.unit = unit.or_else(|| known.unit.take());
        } else {
            self.declarations.push(Declaration { metric: key.metric.clone(), kind, unit });
        }
    }
}

/// What is said of a sample's kind.
#[derive(Clone, Copy)]
struct Kinds {
    /// By the sender: it must be the metric's.
    declared: Option<Kind>,
    /// By the protocol: it gives way.
    suggested: Option<Kind>,
    /// The kind that the series is known to have, where it was just found out.
    known: Option<Kind>,
}

impl Kinds {
    /// The kind that a series is to have.
    fn plan(self, engine: &Engine, plan: &mut Plan, key: &SeriesKey) -> Result<Kind, SeriesError> {
        if let Some(known) = self.known.filter(|known| self.declared.is_none_or(|declared| declared == *known)) {
            return Ok(known);
        }
        let Some(suggested) = self.suggested.filter(|_| self.declared.is_none()) else {
            return engine.plan(plan, key, self.declared);
        };
        match engine.plan(plan, key, Some(suggested)) {
            Err(SeriesError::KindConflict(_)) => engine.plan(plan, key, None),
            planned => planned,
        }
    }
}
