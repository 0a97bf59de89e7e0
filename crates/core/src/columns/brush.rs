//! How the figures of a chart's columns are made, from the samples of each.

use super::{Column, Link, Reach};
use crate::engine::Engine;
use crate::figure::merged;
use crate::layout::Layout;
use crate::query::{Across, Aggregation, Query, QueryError};
use crate::sample::{Kind, Sample};
use crate::time::{DurationMs, TimestampMs};
use crate::window::Pool;

/// Makes the columns of one line.
pub(super) struct Brush<'a> {
    pub(super) engine: &'a Engine,
    pub(super) query: &'a Query,
    pub(super) kind: Kind,
    pub(super) reach: Reach,
    pub(super) layout: &'a Layout,
}

impl Brush<'_> {
    /// The columns of a group, from the pools of each of its series.
    ///
    /// `held` are the series' last samples before the chart.
    pub(super) fn columns(
        &self,
        series: Vec<Vec<Pool>>,
        mut held: Vec<Option<Sample>>,
    ) -> Result<Vec<Option<Column>>, QueryError> {
        let mut series: Vec<_> = series.into_iter().map(Vec::into_iter).collect();
        let mut columns = Vec::with_capacity(self.layout.columns());
        let mut last_at: Option<TimestampMs> = None;
        for place in 0..self.layout.columns() {
            let pools: Vec<Option<Pool>> = series.iter_mut().map(Iterator::next).collect();
            let pools: Vec<Pool> = pools.into_iter().flatten().collect();
            let mut column = self.column(place, pools, &mut held)?;
            if let Some(column) = &mut column {
                if let Some(last_at) = last_at
                    && column.first_at.since(last_at) <= self.silence(column)
                {
                    column.link = Link::Joined;
                }
                last_at = Some(column.last_at);
            }
            columns.push(column);
        }
        if self.query.aggregation == Aggregation::Delta {
            differences(&mut columns);
        }
        Ok(columns)
    }

    /// How long a line may have no sample and still go on. A window's value is there for every
    /// column or not at all.
    fn silence(&self, column: &Column) -> DurationMs {
        match self.reach {
            Reach::Column => self.engine.config().staleness,
            Reach::Window => column.to.since(column.from),
        }
    }

    fn column(
        &self,
        place: usize,
        pools: Vec<Pool>,
        held: &mut [Option<Sample>],
    ) -> Result<Option<Column>, QueryError> {
        let Query { metric, window, aggregation, across, .. } = self.query;
        let (from, to) = self.layout.edges(place, &self.engine.horizon);
        let samples = || pools.iter().filter_map(Pool::summary);
        let times = samples().map(|summary| (summary.first.timestamp(), summary.last.timestamp()));
        let Some((mut first_at, mut last_at)) = times.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            return Ok(None);
        };
        let count = samples().fold(0_u64, |count, summary| count.saturating_add(summary.count));
        let mut covered = to.since(from);
        if self.reach == Reach::Window {
            let grid = self.engine.horizon.grid(self.layout.tier);
            covered = to.since(grid.edge_before(to - *window));
            (first_at, last_at) = (to, to);
        }
        let aggregation = match aggregation {
            Aggregation::Delta => Aggregation::of_which_delta(self.kind),
            other => *other,
        };
        let figures: Vec<Figures> = if *across == Across::Merge {
            if aggregation.is_of_one_series() && samples().count() > 1 {
                let (metric, series) = (metric.clone(), samples().count());
                return Err(QueryError::AcrossNeeded { metric, aggregation, series });
            }
            let pools = pools.into_iter().filter(|pool| pool.count() > 0).collect();
            merged(pools).and_then(|pool| self.figures(aggregation, &pool, covered)).into_iter().collect()
        } else {
            let figures = pools.iter().zip(held).filter_map(|(pool, held)| match pool.summary() {
                Some(summary) => {
                    *held = Some(summary.last);
                    self.figures(aggregation, pool, covered)
                }
                None => held.filter(|held| self.holds(aggregation, *held, to)).map(|held| Figures::flat(held.value())),
            });
            figures.collect()
        };
        let join = |pick: fn(&Figures) -> f64| across.join(figures.iter().map(pick));
        let column = || {
            Some(Column {
                from,
                to,
                value: join(|figures| figures.value)?,
                min: join(|figures| figures.min)?,
                max: join(|figures| figures.max)?,
                first: join(|figures| figures.first)?,
                last: join(|figures| figures.last)?,
                first_at,
                last_at,
                count,
                link: Link::Broken,
            })
        };
        Ok(column())
    }

    /// Whether a gauge's last sample still stands for it at `to`.
    fn holds(&self, aggregation: Aggregation, last: Sample, to: TimestampMs) -> bool {
        self.kind == Kind::Gauge
            && self.reach == Reach::Column
            && has_the_samples_meaning(aggregation)
            && to.since(last.timestamp()) <= self.engine.config().staleness
    }

    fn figures(&self, aggregation: Aggregation, pool: &Pool, covered: DurationMs) -> Option<Figures> {
        let (value, _) = aggregation.of(pool, covered)?;
        let summary = pool.summary()?;
        if self.reach == Reach::Window || !has_the_samples_meaning(aggregation) {
            return Some(Figures::flat(value));
        }
        let (first, last) = (summary.first.value(), summary.last.value());
        Some(Figures { value, min: summary.min, max: summary.max, first, last })
    }
}

/// The values of one column.
#[derive(Clone, Copy, Debug)]
struct Figures {
    value: f64,
    min: f64,
    max: f64,
    first: f64,
    last: f64,
}

impl Figures {
    const fn flat(value: f64) -> Self {
        Self { value, min: value, max: value, first: value, last: value }
    }
}

/// Whether a figure is of the samples' own unit and size, so that it can be drawn among them.
const fn has_the_samples_meaning(aggregation: Aggregation) -> bool {
    match aggregation {
        Aggregation::Avg
        | Aggregation::Min
        | Aggregation::Max
        | Aggregation::First
        | Aggregation::Last
        | Aggregation::Quantile(_) => true,
        Aggregation::Sum
        | Aggregation::Count
        | Aggregation::Stddev
        | Aggregation::Rate
        | Aggregation::Increase
        | Aggregation::Delta => false,
    }
}

impl Column {
    /// Makes `value` the only figure; a value that is not finite is none.
    pub(super) fn flattened(self, value: f64) -> Option<Self> {
        value.is_finite().then_some(Self { value, min: value, max: value, first: value, last: value, ..self })
    }
}

/// Makes each column the change against the column before it; what follows a gap has none.
fn differences(columns: &mut [Option<Column>]) {
    let mut before: Option<f64> = None;
    let mut link = Link::Broken;
    for column in columns {
        let value = column.map(|column| column.value);
        *column = match (*column, before) {
            (Some(column), Some(before)) => column.flattened(column.value - before),
            _ => None,
        };
        if let Some(column) = column {
            column.link = link;
        }
        link = if column.is_some() { Link::Joined } else { Link::Broken };
        before = value;
    }
}
