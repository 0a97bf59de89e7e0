//! The units of metrics, as they were declared.

use bellwether_core::labels::MetricName;

/// The unit of each metric that has one, sorted by name. There are few: a hash map would be a kilobyte of the package.
#[derive(Debug, Default)]
pub(crate) struct Units(Vec<(MetricName, String)>);

impl Units {
    pub(crate) fn get(&self, metric: &MetricName) -> Option<&str> {
        self.search(metric).ok().map(|place| self.0[place].1.as_str())
    }

    pub(crate) fn insert(&mut self, metric: MetricName, unit: String) {
        match self.search(&metric) {
            Ok(place) => self.0[place].1 = unit,
            Err(place) => self.0.insert(place, (metric, unit)),
        }
    }

    fn search(&self, metric: &MetricName) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(metric))
    }
}
