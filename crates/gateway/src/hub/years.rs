//! Figures over a longer past than the engine in memory holds: from the store's summaries of hours, in an engine
//! made for the one question.

use std::ops::ControlFlow;

use bellwether_core::engine::{ConfigError, Engine, EngineConfig, TierConfig};
use bellwether_core::query::{Expression, Query};
use bellwether_core::time::{DurationMs, TimestampMs};

use super::Refill;
use crate::store::{Selection, Snapshot, StoreError};

/// How far back summaries of hours are kept.
const SPAN: DurationMs = DurationMs::from_days(3_653);
/// So much of the past is read sample by sample, as at a start.
const RAW_SPAN: DurationMs = DurationMs::from_hours(24);
/// Most summaries and samples that one question may need.
const MOST_PIECES: usize = 500_000;

/// Why a long past cannot be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PastError {
    #[error("the question needs more than {most} summaries and samples; ask for fewer series or a shorter window")]
    TooMuch {
        /// How many it may need.
        most: usize,
    },
    #[error("a record that the question needs is damaged ({0}); bellwether verify names them all")]
    Damaged(crate::store::Fault),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An engine with all that `expression` needs to be answered for the windows that end at `at`.
///
/// # Errors
/// [`PastError`] where it asks for too much, or not all of it can be read.
pub(crate) fn engine_of_past(
    snapshot: &Snapshot,
    expression: &Expression,
    at: TimestampMs,
    now: TimestampMs,
    config: EngineConfig,
) -> Result<Engine, PastError> {
    let mut tiers = config.tiers.clone();
    if let Some(widest) = tiers.pop() {
        tiers.push(TierConfig { span: SPAN, ..widest });
    }
    let mut engine = Engine::new(EngineConfig { tiers, ..config })?;
    let queries: Vec<&Query> = match expression {
        Expression::Single(query) => vec![query],
        Expression::Ratio(query, over) => vec![query, over],
    };
    let mut metrics: Vec<_> = queries.iter().map(|query| &query.metric).collect();
    metrics.dedup();
    let longest = queries.iter().map(|query| query.window).max().unwrap_or(DurationMs::ZERO);
    let mut pieces = 0;
    for metric in metrics {
        // Twice as long: a change is against the window before.
        let from = at - longest - longest;
        let selection = Selection { metrics: [metric.clone()].into(), from, to: at, ..Selection::default() };
        let mut refill = Refill::new(&mut engine, now);
        let faults = snapshot.past(&selection, now - RAW_SPAN, &mut |piece| {
            pieces += 1;
            refill.take(piece);
            if pieces > MOST_PIECES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if pieces > MOST_PIECES {
            return Err(PastError::TooMuch { most: MOST_PIECES });
        }
        if let Some(fault) = faults.into_iter().next() {
            return Err(PastError::Damaged(fault));
        }
    }
    engine.advance(now);
    Ok(engine)
}
