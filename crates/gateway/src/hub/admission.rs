//! Which samples may be stored: judged against what is recorded and what waits to be, changing
//! neither, for what is not stored must leave no trace.

use std::sync::Arc;

use bellwether_core::engine::{Engine, KindConflict, Plan, SeriesError, TimestampError};
use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::TimestampMs;
use bellwether_wire::ingest::{IngestedSample, Rejection};

use super::Hub;
use crate::store::{BatchSample, Declaration, Resurfaced};
use crate::writer::Receipt;

/// A sample that may be stored.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    pub(crate) key: SeriesKey,
    pub(crate) kind: Kind,
    pub(crate) sample: Sample,
    pub(crate) reference: Option<Arc<str>>,
}

/// What a batch came to before it is stored.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    pub(crate) samples: Vec<Admitted>,
    pub(crate) rejected: Vec<Rejection>,
}

impl Admission {
    /// What is told about it once it is stored.
    pub(crate) fn into_receipt(self) -> Receipt {
        Receipt { accepted: self.samples.len(), rejected: self.rejected }
    }
}

impl Admitted {
    /// The sample on its way into the store.
    pub(crate) fn to_stored(&self) -> BatchSample {
        let Self { key, kind, sample, reference } = self;
        BatchSample { series: key.clone(), kind: *kind, sample: *sample, reference: reference.clone() }
    }

    /// The samples of a batch that is stored although nobody was told so.
    pub(crate) fn of_resurfaced(batch: Resurfaced) -> (u64, Vec<Self>) {
        let admitted = |BatchSample { series, kind, sample, reference }| Self { key: series, kind, sample, reference };
        (batch.seq, batch.samples.into_iter().map(admitted).collect())
    }
}

impl Hub {
    /// Says which samples may be stored and adds their new series to `plan`. `oldest` is the start
    /// of what the store keeps.
    pub(crate) fn admit(
        &self,
        plan: &mut Plan,
        samples: Vec<IngestedSample>,
        oldest: TimestampMs,
        now: TimestampMs,
    ) -> (Admission, Vec<Declaration>) {
        let state = self.state();
        let mut admission = Admission { samples: Vec::with_capacity(samples.len()), rejected: Vec::new() };
        let mut declarations: Vec<Declaration> = Vec::new();
        for IngestedSample { index, key, sample, kind, unit, reference } in samples {
            match admit_one(&state.engine, plan, index, &key, sample, kind, oldest, now) {
                Ok(known) => {
                    if kind.is_some() || unit.is_some() {
                        declare(&mut declarations, &key, known, unit);
                    }
                    let reference = reference.map(Arc::from);
                    admission.samples.push(Admitted { key, kind: known, sample, reference });
                }
                Err(rejection) => admission.rejected.push(rejection),
            }
        }
        (admission, declarations)
    }
}

#[expect(clippy::too_many_arguments, reason = "each is a thing of its own, and there is one caller")]
fn admit_one(
    engine: &Engine,
    plan: &mut Plan,
    index: usize,
    key: &SeriesKey,
    sample: Sample,
    kind: Option<Kind>,
    oldest: TimestampMs,
    now: TimestampMs,
) -> Result<Kind, Rejection> {
    let timestamp = sample.timestamp();
    if timestamp < oldest {
        return Err(Rejection::too_late(index, timestamp, oldest, now));
    }
    engine.check(timestamp, now).map_err(|error| match error {
        TimestampError::TooLate { oldest, .. } => Rejection::too_late(index, timestamp, oldest, now),
        _ => Rejection::too_new(index, timestamp, engine.config().future_skew, now),
    })?;
    engine.plan(plan, key, kind).map_err(|error| match error {
        SeriesError::KindConflict(KindConflict { metric, kept, declared }) => {
            Rejection::kind_conflict(index, metric.as_str(), kept, declared)
        }
        SeriesError::TooManySeriesOfMetric { most, .. } => {
            Rejection::too_many_series(index, &key.to_string(), most, "for one metric")
        }
        _ => Rejection::too_many_series(index, &key.to_string(), engine.config().max_series, "in all"),
    })
}

fn declare(declarations: &mut Vec<Declaration>, key: &SeriesKey, kind: Kind, unit: Option<String>) {
    if let Some(known) = declarations.iter_mut().find(|known| known.metric == key.metric) {
        known.unit = unit.map(Arc::from).or_else(|| known.unit.take());
    } else {
        declarations.push(Declaration { metric: key.metric.clone(), kind, unit: unit.map(Arc::from) });
    }
}
