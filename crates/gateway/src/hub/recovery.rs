//! Builds the engine anew from what the store holds.

use std::collections::HashMap;
use std::ops::ControlFlow;

use bellwether_core::board::Board;
use bellwether_core::engine::{ConfigError, Engine, EngineConfig, SeriesId};
use bellwether_core::time::TimestampMs;

use super::new_engine;
use crate::store::{Recovered, SeriesIx, Store, StoreError};

/// Why the engine could not be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecoveryError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a recovery came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recovery {
    /// Series that are back.
    pub(crate) series: usize,
    /// Samples and summaries that are back.
    pub(crate) points: usize,
    /// Series left out because the board now says another kind, or because there are too many.
    pub(crate) series_left_out: usize,
    /// Points left out because they are older than what the engine holds.
    pub(crate) points_left_out: usize,
    /// Damaged records left out.
    pub(crate) damaged: usize,
}

/// The engine as it was, from `store`; `None` as soon as `stop` says so, which is asked again and again.
///
/// # Errors
/// [`RecoveryError`] where the disk failed.
pub(crate) fn recover(
    board: &Board,
    config: EngineConfig,
    store: &dyn Store,
    now: TimestampMs,
    stop: &dyn Fn() -> bool,
) -> Result<Option<(Engine, Recovery)>, RecoveryError> {
    let mut engine = new_engine(board, config)?;
    let mut recovery = Recovery::default();
    for declaration in store.declarations() {
        if let Err(error) = engine.declare(&declaration.metric, declaration.kind) {
            tracing::warn!(%error, "a metric is stored with another kind than the board says; the board counts");
        }
    }
    let mut ids: HashMap<SeriesIx, SeriesId> = HashMap::new();
    let mut stopped = false;
    let faults = store.replay(now, &mut |piece| {
        stopped = stop();
        if stopped {
            return ControlFlow::Break(());
        }
        match piece {
            Recovered::Series(series) => match engine.series(&series.key, Some(series.kind)) {
                Ok(id) => {
                    recovery.series += 1;
                    ids.insert(series.ix, id);
                }
                Err(error) => {
                    recovery.series_left_out += 1;
                    tracing::warn!(%error, series = %series.key, "a stored series is left out of figures; its samples stay stored");
                }
            },
            Recovered::Hour { series, width, bucket_end, summary } => {
                let Some(id) = ids.get(&series) else { return ControlFlow::Continue(()) };
                match engine.merge(*id, width, bucket_end, summary, now) {
                    Ok(()) => recovery.points += 1,
                    Err(_) => recovery.points_left_out += 1,
                }
            }
            Recovered::Samples { series, samples } => {
                let Some(id) = ids.get(&series) else { return ControlFlow::Continue(()) };
                for sample in samples {
                    match engine.record(*id, *sample, now) {
                        Ok(()) => recovery.points += 1,
                        Err(_) => recovery.points_left_out += 1,
                    }
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    if stopped {
        return Ok(None);
    }
    for fault in &faults {
        tracing::error!(%fault, "the store holds a damaged record");
    }
    recovery.damaged = faults.len();
    engine.advance(now);
    Ok(Some((engine, recovery)))
}

#[cfg(test)]
mod tests;
