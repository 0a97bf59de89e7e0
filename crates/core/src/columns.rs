//! Columns: figures over time, one for each column of a chart, straight from the time buckets.

mod brush;

use brush::Brush;

use crate::engine::{Engine, SeriesId};
use crate::labels::Labels;
use crate::layout::Layout;
use crate::part::Part;
use crate::query::{Aggregation, Expression, Query, QueryError};
use crate::sample::{Kind, Sample};
use crate::slide::Slide;
use crate::time::{DurationMs, TimestampMs};
use crate::window::{Pool, Spread};

/// How a column hangs together with the one before it that has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The line goes on.
    Joined,
    /// The series was silent for longer than the staleness limit, or nothing comes before: the line
    /// starts anew.
    Broken,
}

/// One column of a line: `(from, to]`.
///
/// Where the value is over the query's window, or has another meaning than the samples (increase,
/// count, sum, delta), `min`, `max`, `first` and `last` are the same as `value`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Left edge, not included.
    pub from: TimestampMs,
    /// Right edge, included.
    pub to: TimestampMs,
    /// The aggregation over the column; of a rate, a ratio, a percentile, a deviation or an average
    /// of observations or events over the query's window before `to`, as a query asked then; of a
    /// delta against the column before.
    pub value: f64,
    /// Least value of the samples.
    pub min: f64,
    /// Greatest value of the samples.
    pub max: f64,
    /// Value of the earliest sample.
    pub first: f64,
    /// Value of the latest sample.
    pub last: f64,
    /// Timestamp of the earliest sample; of a value over the query's window, `to`.
    pub first_at: TimestampMs,
    /// Timestamp of the latest sample; of a value over the query's window, `to`.
    pub last_at: TimestampMs,
    /// Number of samples that the value is made of.
    pub count: u64,
    /// Whether the line goes on from the column before it that has a value.
    pub link: Link,
}

/// The line of one group of series.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The labels asked for with `by`.
    pub labels: Labels,
    /// The columns from left to right, the same in every line of a chart; `None` where there is no
    /// value. Whether the line bridges that is said by the next column's [`Column::link`].
    pub columns: Vec<Option<Column>>,
}

/// Which samples a column's value is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Those of the column.
    Column,
    /// Those of the query's window before the column's right edge.
    Window,
}

impl Reach {
    /// A rate, a percentile or a deviation of the few samples of one column would be noise, and so
    /// would be the average of a few events: they are those of the query's window, as a query asked
    /// at the column's right edge. All else is drawn sample by sample.
    const fn of(query: &Query, kind: Kind) -> Self {
        match (query.aggregation, kind) {
            (Aggregation::Rate | Aggregation::Quantile(_) | Aggregation::Stddev, _)
            | (Aggregation::Avg, Kind::Observation | Kind::Event) => Self::Window,
            _ => Self::Column,
        }
    }
}

impl Engine {
    /// The lines of a chart of one query over `(from, to]`, at most `columns` wide: one for each
    /// group of `by`, sorted by labels.
    ///
    /// The finest tier that reaches back to `from` gives the time buckets; a column holds one or
    /// more of them, so that there are fewer columns than asked for where time buckets are wide.
    /// First, least, greatest and last sample of each column (M4, Jugel and others 2014) draw the
    /// same line as all samples. Of several gauges that are joined with `across`, one without a
    /// sample in a column counts with its last one until it is stale.
    ///
    /// Cost: O(time buckets in the range) for each series.
    ///
    /// # Errors
    /// [`QueryError`], as [`Engine::query`], and [`QueryError::NoColumns`].
    pub fn columns(
        &self,
        query: &Query,
        from: TimestampMs,
        to: TimestampMs,
        columns: usize,
    ) -> Result<Vec<Line>, QueryError> {
        let reach = Reach::of(query, self.checked(query)?);
        let layout = self.layout(&[(query, reach)], from, to, columns)?;
        self.draw(query, reach, &layout)
    }

    /// [`Engine::columns`] of an expression: each value of a ratio is that of the queries' windows
    /// before the column's right edge.
    ///
    /// # Errors
    /// [`QueryError`], as [`Engine::columns`].
    pub fn lines(
        &self,
        expression: &Expression,
        from: TimestampMs,
        to: TimestampMs,
        columns: usize,
    ) -> Result<Vec<Line>, QueryError> {
        let (dividend, divisor) = match expression {
            Expression::Single(query) => return self.columns(query, from, to, columns),
            Expression::Ratio(dividend, divisor) => (dividend, divisor),
        };
        let layout = self.layout(&[(dividend, Reach::Window), (divisor, Reach::Window)], from, to, columns)?;
        let dividends = self.draw(dividend, Reach::Window, &layout)?;
        let mut lines = self.draw(divisor, Reach::Window, &layout)?;
        lines.retain_mut(|line| {
            let dividend = dividends.binary_search_by(|dividend| dividend.labels.cmp(&line.labels));
            if let Ok(place) = dividend {
                divide(&dividends[place].columns, &mut line.columns);
            }
            dividend.is_ok()
        });
        Ok(lines)
    }

    /// The columns of a chart of the samples in each.
    pub(crate) fn chart_layout(
        &self,
        query: &Query,
        from: TimestampMs,
        to: TimestampMs,
        columns: usize,
    ) -> Result<Layout, QueryError> {
        self.layout(&[(query, Reach::Column)], from, to, columns)
    }

    /// The columns of a chart that several queries share.
    fn layout(
        &self,
        queries: &[(&Query, Reach)],
        from: TimestampMs,
        to: TimestampMs,
        columns: usize,
    ) -> Result<Layout, QueryError> {
        let mut tier = 0;
        let mut start = from;
        for (query, reach) in queries {
            self.checked(query)?;
            let series: Vec<SeriesId> = self.matching(&query.metric, &query.matchers).collect();
            let complete = self.complete_from(&series);
            let oldest = if *reach == Reach::Window { from - query.window } else { from };
            tier = tier.max(complete.iter().position(|edge| *edge <= oldest).unwrap_or(complete.len() - 1));
            start = start.max(complete[complete.len() - 1]);
        }
        if columns == 0 || from >= to {
            return Err(QueryError::NoColumns);
        }
        let start = start.min(to - DurationMs::from_millis(1));
        Ok(Layout::new(&self.horizon, tier, start, to, columns))
    }

    fn draw(&self, query: &Query, reach: Reach, layout: &Layout) -> Result<Vec<Line>, QueryError> {
        let kind = self.checked(query)?;
        let line = |(labels, series): (Labels, Vec<SeriesId>)| {
            let pools = series.iter().map(|id| match reach {
                Reach::Column => self.pools_of_columns(*id, query.aggregation.spread(), layout),
                Reach::Window => self.pools_of_windows(*id, query, layout),
            });
            let brush = Brush { engine: self, query, kind, reach, layout };
            let held = series.iter().map(|id| self.held(*id, layout)).collect();
            Ok(Line { labels, columns: brush.columns(pools.collect(), held)? })
        };
        self.groups(query).into_iter().map(line).collect()
    }

    /// The samples of one series in each column.
    pub(crate) fn pools_of_columns(&self, id: SeriesId, spread: Spread, layout: &Layout) -> Vec<Pool> {
        let series = self.of(id);
        let mut before = self.held(id, layout);
        let mut parts = self.drawn_parts(id, layout, layout.buckets(0).0).into_iter().peekable();
        let pool = |column: usize| {
            let mut pool = Pool::after(before, series.kind(), spread);
            let last = layout.buckets(column).1;
            while let Some(part) = parts.next_if(|part| part.number <= last) {
                pool.add(&part);
                before = Some(part.summary.last);
            }
            pool
        };
        (0..layout.columns()).map(pool).collect()
    }

    /// The samples of one series in the query's window before the right edge of each column.
    fn pools_of_windows(&self, id: SeriesId, query: &Query, layout: &Layout) -> Vec<Pool> {
        let series = self.of(id);
        let grid = self.horizon.grid(layout.tier);
        // Number of the last time bucket before the window that ends with a column.
        let left = |column: usize| {
            let to = layout.edges(column, &self.horizon).1;
            grid.whole_until(to - query.window).max(self.horizon.gone(layout.tier))
        };
        let start = left(0);
        let before = series.last_until(grid.end(start), &self.horizon);
        let mut slide = Slide::new(before, series.kind(), query.aggregation.spread());
        let first = layout.buckets(0).0.min(start.saturating_add(1));
        let mut parts = self.drawn_parts(id, layout, first).into_iter().peekable();
        let pool = |column: usize| {
            let last = layout.buckets(column).1;
            while let Some(part) = parts.next_if(|part| part.number <= last) {
                slide.enter(part);
            }
            slide.leave_until(left(column));
            slide.pool()
        };
        (0..layout.columns()).map(pool).collect()
    }

    /// The last sample of a series before the chart.
    fn held(&self, id: SeriesId, layout: &Layout) -> Option<Sample> {
        self.of(id).last_until(layout.edges(0, &self.horizon).0, &self.horizon)
    }

    /// The time buckets of one series that are drawn, from the one numbered `first` on. The one that
    /// holds the right edge counts where its samples do not lie behind the edge.
    fn drawn_parts(&self, id: SeriesId, layout: &Layout, first: i64) -> Vec<Part<'_>> {
        let last = layout.buckets(layout.columns() - 1).1;
        let to = layout.edges(layout.columns() - 1, &self.horizon).1;
        let series = self.of(id);
        let last = if series.goes_beyond(layout.tier, last, to, &self.horizon) { last - 1 } else { last };
        series.parts(layout.tier, (first, last), &self.horizon)
    }
}

/// Divides the columns of one line by those of another.
fn divide(dividends: &[Option<Column>], divisors: &mut [Option<Column>]) {
    let mut link = Link::Broken;
    for (dividend, divisor) in dividends.iter().zip(divisors) {
        *divisor = match (dividend, *divisor) {
            (Some(dividend), Some(divisor)) => divisor.flattened(dividend.value / divisor.value),
            _ => None,
        };
        if let Some(column) = divisor {
            column.link = link;
        }
        link = if divisor.is_some() { Link::Joined } else { Link::Broken };
    }
}
