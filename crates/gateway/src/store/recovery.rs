//! What a starting gateway gets from its store, and what it has to do without.

use super::StoredSeries;
use super::batch;
use super::codec::CodecError;
use super::error::{StoreError, While};
use super::series::SeriesIx;
use super::state::State;
use super::tables;
use bellwether_core::sample::Sample;
use redb::{Database, ReadableDatabase, ReadableTable};
use std::fmt;

const DOING: &str = "reading what is stored";

/// A piece of what is stored, on its way into a starting engine.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Recovered<'a> {
    /// A series; it comes before anything else of it.
    Series(&'a StoredSeries),
    /// Samples of one series. Those from chunks are in the order of time; those from the tail in the
    /// order in which they came.
    Samples {
        /// The series.
        series: SeriesIx,
        /// At least one.
        samples: &'a [Sample],
    },
}

/// Where a damaged record is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The name and labels of a series; its samples cannot be told to be its.
    Series {
        /// The series.
        series: SeriesIx,
    },
    /// What was declared of a metric.
    Metric {
        /// The metric.
        metric: String,
    },
    /// The batch ids of a sender.
    Sender {
        /// The sender.
        sender: String,
    },
    /// A batch of the tail.
    Batch {
        /// Its place in the stream.
        seq: u64,
    },
    /// A notice.
    Notice {
        /// Its number.
        id: u64,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series { series } => write!(f, "the name of series {}", series.0),
            Self::Metric { metric } => write!(f, "the declaration of metric {metric:?}"),
            Self::Sender { sender } => write!(f, "the batch ids of sender {sender:?}"),
            Self::Batch { seq } => write!(f, "batch {seq} of the tail"),
            Self::Notice { id } => write!(f, "notice {id}"),
        }
    }
}

/// A damaged record: it is kept where it is, and kept out of every answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place} is damaged and left out: {reason}")]
pub struct Fault {
    /// Where it is.
    pub place: Place,
    /// What is wrong with it.
    pub reason: CodecError,
}

/// Most faults that are named; more are only counted.
const MOST_NAMED: usize = 1_000;

/// The faults that were met.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    pub(super) count: u64,
    pub(super) named: Vec<Fault>,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.count += 1;
        if self.named.len() < MOST_NAMED {
            self.named.push(fault);
        }
    }
}

pub(super) fn replay(
    database: &Database,
    state: &State,
    each: &mut dyn FnMut(Recovered<'_>),
) -> Result<Vec<Fault>, StoreError> {
    for (ix, (key, kind)) in &state.series {
        each(Recovered::Series(&StoredSeries { ix: *ix, key: key.clone(), kind: *kind }));
    }
    let read = database.begin_read().while_doing(DOING)?;
    let table = read.open_table(tables::TAIL).while_doing(DOING)?;
    let mut run = Vec::new();
    for row in table.iter().while_doing(DOING)? {
        let (seq, record) = row.while_doing(DOING)?;
        // A damaged batch was named when the store was opened.
        let Ok(batch) = batch::decode(seq.value(), record.value()) else { continue };
        for same in batch.samples.chunk_by(|one, next| one.series == next.series) {
            let series = same[0].series;
            if state.series.contains_key(&series) {
                run.clear();
                run.extend(same.iter().map(|each| each.sample));
                each(Recovered::Samples { series, samples: &run });
            }
        }
    }
    Ok(state.faults.named.clone())
}
