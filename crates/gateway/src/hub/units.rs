//! Units: what the values of each metric are in, as its senders said first. Values in different units have no
//! average.

use std::collections::HashMap;
use std::sync::Arc;

use bellwether_core::labels::MetricName;

use crate::store::Declaration;

/// The unit of each metric of which one is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Units(HashMap<MetricName, Arc<str>>);

impl Units {
    /// The units among what is stored of the metrics.
    pub(crate) fn of(declarations: Vec<Declaration>) -> Self {
        Self(declarations.into_iter().filter_map(|Declaration { metric, unit, .. }| Some((metric, unit?))).collect())
    }

    /// The unit of `metric`, and `declared` where that is another one.
    pub(super) fn conflict<'a>(&'a self, metric: &MetricName, declared: Option<&'a str>) -> Option<(&'a str, &'a str)> {
        let declared = declared?;
        let known = self.0.get(metric)?;
        (declared != &**known).then_some((known, declared))
    }

    /// Notes the unit of a metric that may have had none.
    pub(super) fn note(&mut self, metric: &MetricName, unit: &Arc<str>) {
        if !self.0.contains_key(metric) {
            self.0.insert(metric.clone(), Arc::clone(unit));
        }
    }
}
