//! Table: many figures of many series, asked again and again.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::engine::{Engine, SeriesId};
use crate::kept::Kept;
use crate::labels::Labels;
use crate::moments::Deviation;
use crate::postings::Map;
use crate::query::{Aggregation, Query, QueryError};
use crate::summary::greater;
use crate::time::{DurationMs, TimestampMs};
use crate::window::{Plan, Spread};

/// Which series share a row of a [`Table`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Those that agree in the labels of the query's `by`; with an empty `by` all of them.
    ByLabels,
    /// Each series has a row of its own.
    BySeries,
}

/// Several figures of each group of series over one window: a row for each group, a column for each
/// aggregation.
///
/// It is made once and answered at every refresh. The series are looked up when new ones came, and
/// each window is put together once for all its figures. Rows stand in the order in which their
/// groups appeared and keep their place, so that whoever shows them can go by the number.
///
/// ```
/// use bellwether_core::engine::{Engine, EngineConfig};
/// use bellwether_core::labels::{Labels, MetricName, SeriesKey};
/// use bellwether_core::query::{Aggregation, Query};
/// use bellwether_core::sample::Sample;
/// use bellwether_core::table::{Rows, Table};
/// use bellwether_core::time::{DurationMs, TimestampMs};
///
/// let mut engine = Engine::new(EngineConfig::default())?;
/// let metric = MetricName::new("latency")?;
/// let now = TimestampMs::new(1_700_000_000_000);
/// for (host, value) in [("a", 3.0), ("b", 5.0), ("a", 9.0)] {
///     let key = SeriesKey { metric: metric.clone(), labels: Labels::new([("host", host)])? };
///     let series = engine.series(&key, None)?;
///     engine.record(series, Sample::new(now, value)?, now)?;
/// }
///
/// let query = Query::new(metric, DurationMs::from_minutes(5), Aggregation::Count);
/// let mut table = Table::new(query, vec![Aggregation::Count, Aggregation::Avg], Rows::BySeries);
/// let figures = table.answer(&engine, now)?;
/// assert_eq!(figures.values, [2.0, 1.0, 6.0, 5.0]);
/// assert_eq!(table.rows()[1].get("host"), Some("b"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    query: Query,
    aggregations: Vec<Aggregation>,
    shape: Rows,
    /// Labels of each row.
    rows: Vec<Labels>,
    /// The series of each row, oldest first.
    series: Vec<Vec<SeriesId>>,
    /// The window of each row, as it was last asked for.
    kept: Vec<Kept>,
    places: Map<Labels, usize>,
    /// The number of series of the engine when its series were last looked up.
    looked_up: usize,
}

/// The figures of a [`Table`] at one instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Column by column, each with one figure for each row; NaN where the window holds none.
    pub values: Vec<f64>,
    /// Bound of the relative error of any of them: 0 where all are exact.
    pub relative_error: f64,
}

impl Table {
    /// A table of `aggregations` over the window, conditions and groups of `query`, whose own
    /// aggregation is left aside.
    #[must_use]
    pub const fn new(query: Query, aggregations: Vec<Aggregation>, rows: Rows) -> Self {
        Self {
            query,
            aggregations,
            shape: rows,
            rows: Vec::new(),
            series: Vec::new(),
            kept: Vec::new(),
            places: HashMap::with_hasher(BuildHasherDefault::new()),
            looked_up: 0,
        }
    }

    /// The labels of the rows, as of the last answer: those of `by`, or all of the series'.
    #[must_use]
    pub fn rows(&self) -> &[Labels] {
        &self.rows
    }

    /// The aggregations, one for each column.
    #[must_use]
    pub fn aggregations(&self) -> &[Aggregation] {
        &self.aggregations
    }

    /// The figures over the window that ends at `now`. The engine must be the same at each call.
    ///
    /// Each row keeps its window: where it is asked for again a little later, the cost is that of the
    /// time buckets that entered and left since, plus O(value buckets) for each quantile. It is that of
    /// a query for each row at first, after late samples, and for counters, `first`, `last` and
    /// `delta`; and O(series of the metric) where the engine has new series.
    ///
    /// # Errors
    /// [`QueryError`], as [`Engine::query`] of each of the aggregations.
    pub fn answer(&mut self, engine: &Engine, now: TimestampMs) -> Result<Figures, QueryError> {
        let whole = engine.plan_of_whole(self.query.window, now);
        let mut figures = Figures::default();
        figures.relative_error = self.answer_into(&mut figures.values, engine, (now, &whole))?;
        Ok(figures)
    }

    /// Makes `values` those of the figures, and gives their bound. `whole` is what [`Engine::plan_of_whole`] says of the
    /// table's window.
    ///
    /// # Errors
    /// As [`Table::answer`].
    pub(crate) fn answer_into(
        &mut self,
        values: &mut Vec<f64>,
        engine: &Engine,
        whole: (TimestampMs, &Plan),
    ) -> Result<f64, QueryError> {
        for aggregation in &self.aggregations {
            self.query.aggregation = *aggregation;
            engine.checked(&self.query)?;
        }
        self.look_up(engine);
        let rows = self.rows.len();
        values.clear();
        values.resize(rows * self.aggregations.len(), f64::NAN);
        let mut bound = 0.0;
        for (row, (series, kept)) in self.series.iter().zip(&mut self.kept).enumerate() {
            engine.answers(&self.query, &self.aggregations, series, whole, kept, |column, answer| {
                values[column * rows + row] = answer.value.unwrap_or(f64::NAN);
                bound = greater(bound, answer.relative_error);
            })?;
        }
        Ok(bound)
    }

    /// The window that it is over.
    pub(crate) const fn window(&self) -> DurationMs {
        self.query.window
    }

    /// Finds the place of each series that came since.
    fn look_up(&mut self, engine: &Engine) {
        let known = self.looked_up;
        if known == engine.series_count() {
            return;
        }
        self.looked_up = engine.series_count();
        let needs_sketches = self.aggregations.iter().any(|aggregation| aggregation.spread() == Spread::Needed);
        let spread = if needs_sketches { Spread::Needed } else { Spread::NotNeeded };
        let has_stddev = self.aggregations.contains(&Aggregation::Stddev);
        let deviation = if has_stddev { Deviation::Needed } else { Deviation::NotNeeded };
        for id in engine.matching(&self.query.metric, &self.query.matchers).filter(|id| id.index() >= known) {
            let labels = &engine.key(id).labels;
            let labels = match self.shape {
                Rows::ByLabels => labels.only(&self.query.by),
                Rows::BySeries => labels.clone(),
            };
            let place = *self.places.entry(labels).or_insert_with_key(|labels| {
                self.rows.push(labels.clone());
                self.series.push(Vec::new());
                self.kept.push(Kept::new(spread, deviation));
                self.rows.len() - 1
            });
            self.series[place].push(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineConfig;
    use crate::labels::{LabelName, MetricName, SeriesKey};
    use crate::query::Across;
    use crate::sample::{Kind, Sample};

    const NOW: TimestampMs = TimestampMs::new(1_700_000_000_000);

    fn metric() -> MetricName {
        MetricName::new("latency").unwrap()
    }

    fn record(engine: &mut Engine, labels: &[(&str, &str)], ago_secs: u64, value: f64) {
        let key = SeriesKey { metric: metric(), labels: Labels::new(labels.iter().copied()).unwrap() };
        let series = engine.series(&key, None).unwrap();
        engine.record(series, Sample::new(NOW - DurationMs::from_secs(ago_secs), value).unwrap(), NOW).unwrap();
    }

    fn aggregations(words: &[&str]) -> Vec<Aggregation> {
        words.iter().map(|word| word.parse().unwrap()).collect()
    }

    fn query(by: &[&str]) -> Query {
        let mut query = Query::new(metric(), DurationMs::from_minutes(1), Aggregation::Count);
        query.by = by.iter().map(|label| LabelName::new(label).unwrap()).collect();
        query
    }

    /// Every figure of the table is the one that a query of its own gives.
    #[track_caller]
    fn check(engine: &Engine, query: &Query, words: &[&str]) {
        let aggregations = aggregations(words);
        let mut table = Table::new(query.clone(), aggregations.clone(), Rows::ByLabels);
        let figures = table.answer(engine, NOW).unwrap();
        let rows = table.rows().len();
        assert_eq!(figures.values.len(), rows * words.len());
        let mut bound = 0.0_f64;
        for (column, aggregation) in aggregations.into_iter().enumerate() {
            let groups = engine.query_groups(&Query { aggregation, ..query.clone() }, NOW).unwrap();
            assert_eq!(groups.len(), rows);
            for group in groups {
                let row = table.rows().iter().position(|labels| *labels == group.labels).unwrap();
                let found = figures.values[column * rows + row];
                assert_eq!(Some(found).filter(|found| !found.is_nan()), group.answer.value, "{aggregation}");
                bound = bound.max(group.answer.relative_error);
            }
        }
        assert_eq!(figures.relative_error, bound);
    }

    #[test]
    fn a_tables_figures_are_those_of_its_queries() {
        let mut engine = Engine::new(EngineConfig::default()).unwrap();
        for place in 0..200_u32 {
            let host = if place % 3 == 0 { "a" } else { "b" };
            let route = if place % 2 == 0 { "/" } else { "/book" };
            record(&mut engine, &[("host", host), ("route", route)], u64::from(place), f64::from(place * place % 91));
        }
        record(&mut engine, &[("host", "silent")], 600, 1.0);
        let words = ["count", "avg", "sum", "min", "max", "stddev", "p50", "p95", "p99", "rate", "increase", "delta"];
        check(&engine, &query(&["host"]), &words);
        check(&engine, &query(&["host", "route"]), &words);
        check(&engine, &query(&[]), &words);
        check(&engine, &Query { across: Across::Sum, ..query(&["host"]) }, &["avg", "p95", "last", "delta", "first"]);
    }

    #[test]
    fn rows_keep_their_place_when_others_come() {
        let mut engine = Engine::new(EngineConfig::default()).unwrap();
        let mut table = Table::new(query(&[]), aggregations(&["max"]), Rows::BySeries);
        assert_eq!(table.answer(&engine, NOW).unwrap(), Figures::default());
        record(&mut engine, &[("host", "b")], 0, 2.0);
        assert_eq!(table.answer(&engine, NOW).unwrap().values, [2.0]);
        record(&mut engine, &[("host", "a")], 0, 1.0);
        record(&mut engine, &[("host", "b"), ("route", "/")], 120, 9.0);
        let values = table.answer(&engine, NOW).unwrap().values;
        assert_eq!(values[..2], [2.0, 1.0]);
        assert!(values[2].is_nan());
        let hosts: Vec<_> = table.rows().iter().map(|labels| labels.get("host")).collect();
        assert_eq!(hosts, [Some("b"), Some("a"), Some("b")]);
    }

    #[test]
    fn what_one_of_its_queries_refuses_is_refused() {
        let mut engine = Engine::new(EngineConfig::default()).unwrap();
        engine.declare(&metric(), Kind::Gauge).unwrap();
        let mut table = Table::new(query(&[]), aggregations(&["avg", "rate", "max"]), Rows::ByLabels);
        assert!(matches!(table.answer(&engine, NOW), Err(QueryError::NotForKind { .. })));
        record(&mut engine, &[("host", "a")], 0, 2.0);
        record(&mut engine, &[("host", "b")], 0, 2.0);
        let mut table = Table::new(query(&[]), aggregations(&["avg", "last"]), Rows::ByLabels);
        assert!(matches!(table.answer(&engine, NOW), Err(QueryError::AcrossNeeded { .. })));
    }
}
