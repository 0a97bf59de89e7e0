//! An engine filled, piece by piece, with what a store holds of series that an engine had before.

use std::collections::HashMap;

use bellwether_core::engine::{Engine, SeriesId};
use bellwether_core::time::TimestampMs;

use crate::store::{Recovered, SeriesIx};

/// Fills an engine, as of an instant.
pub(crate) struct Refill<'a> {
    engine: &'a mut Engine,
    now: TimestampMs,
    ids: HashMap<SeriesIx, SeriesId>,
}

impl<'a> Refill<'a> {
    pub(crate) fn new(engine: &'a mut Engine, now: TimestampMs) -> Self {
        Self { engine, now, ids: HashMap::new() }
    }

    /// Adds a piece. What is too old for the engine is in nobody's window, and a series of another kind than the
    /// first of its metric is in no figure of the live engine either: both are left out.
    pub(crate) fn take(&mut self, piece: Recovered<'_>) {
        match piece {
            Recovered::Series(series) => {
                if let Ok(id) = self.engine.series(&series.key, Some(series.kind)) {
                    self.ids.insert(series.ix, id);
                }
            }
            Recovered::Hour { series, width, bucket_end, summary } => {
                if let Some(id) = self.ids.get(&series) {
                    let _older = self.engine.merge(*id, width, bucket_end, summary, self.now);
                }
            }
            Recovered::Samples { series, samples } => {
                let Some(id) = self.ids.get(&series) else { return };
                for sample in samples {
                    let _older = self.engine.record(*id, *sample, self.now);
                }
            }
        }
    }
}
