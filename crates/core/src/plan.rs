//! Plan: series that are to begin once their samples are stored, judged without beginning them.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, KindConflict, SeriesError};
use crate::labels::{MetricName, SeriesKey};
use crate::sample::Kind;

/// Series that an engine has agreed to and that have not begun, as [`Engine::plan`] gathers them.
///
/// [`Engine::plan`]: crate::engine::Engine::plan
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The kind that each metric of a planned series is to have, and how many series are planned.
    metrics: BTreeMap<MetricName, (Kind, usize)>,
    series: BTreeSet<SeriesKey>,
}

impl Plan {
    /// Judges `key` as [`Catalog`] would if the series planned so far had begun, and plans it.
    pub(crate) fn add(
        &mut self,
        catalog: &Catalog,
        key: &SeriesKey,
        declared: Option<Kind>,
    ) -> Result<Kind, SeriesError> {
        let kind = match (self.metrics.get(&key.metric), declared) {
            (Some((kept, _)), Some(declared)) if *kept != declared => {
                return Err(KindConflict { metric: key.metric.clone(), kept: *kept, declared }.into());
            }
            (Some((kept, _)), _) => *kept,
            (None, declared) => catalog.checked_kind(&key.metric, declared)?,
        };
        if catalog.find(key).is_some() || self.series.contains(key) {
            return Ok(kind);
        }
        let of_metric = self.metrics.get(&key.metric).map_or(0, |(_, planned)| *planned);
        catalog.check_room(&key.metric, self.series.len(), of_metric)?;
        self.metrics.insert(key.metric.clone(), (kind, of_metric + 1));
        self.series.insert(key.clone());
        Ok(kind)
    }
}
