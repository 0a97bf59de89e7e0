//! Heat maps: how the values are spread, column by column of a chart, straight from the time buckets.

use crate::engine::Engine;
use crate::labels::Labels;
use crate::layout::Layout;
use crate::query::{Across, Aggregation, Query, QueryError};
use crate::sketch::{MIN_SCALE, Sketch, ValueBucket};
use crate::time::{DurationMs, TimestampMs};
use crate::window::Spread;

/// One column of a heat map: the samples in `(from, to]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeatColumn {
    /// Left edge, not included.
    pub from: TimestampMs,
    /// Right edge, included.
    pub to: TimestampMs,
    /// Number of samples.
    pub count: u64,
    /// Place in [`HeatMap::rows`] and number of samples, ascending; none where no sample is.
    pub cells: Vec<(usize, u64)>,
}

/// How the values of one group of series are spread over time.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// The labels asked for with `by`.
    pub labels: Labels,
    /// The value buckets in which there are samples in any column, ascending; their counts are those
    /// of all columns together.
    pub rows: Vec<ValueBucket>,
    /// The columns from left to right: together the range that is really covered.
    pub columns: Vec<HeatColumn>,
    /// How far a sample may lie from the middle of its value bucket, as a share of its value.
    pub relative_error: f64,
}

impl Engine {
    /// How the values are spread over `(from, to]` in at most `columns` columns: one map for each group
    /// of `by`, sorted by labels.
    ///
    /// Of the query only the metric, the conditions and `by` count. Columns are those of
    /// [`Engine::columns`]; counts are exact. A map has at most `rows` value buckets, or as few as the
    /// coarsest scale gives where that are more; wider ones hold what several narrower ones held, so
    /// that no count is lost.
    ///
    /// Cost: O(time buckets in the range) for each series, with their sketches.
    ///
    /// # Errors
    /// [`QueryError::NoColumns`] where there is no column, no row, or `to` is not after `from`.
    pub fn heat_maps(
        &self,
        query: &Query,
        from: TimestampMs,
        to: TimestampMs,
        columns: usize,
        rows: usize,
    ) -> Result<Vec<HeatMap>, QueryError> {
        let query = Query {
            window: DurationMs::from_millis(1),
            aggregation: Aggregation::Count,
            across: Across::Merge,
            ..query.clone()
        };
        if rows == 0 {
            return Err(QueryError::NoColumns);
        }
        let layout = self.chart_layout(&query, from, to, columns)?;
        let map = |(labels, series): (Labels, Vec<_>)| {
            let mut sketches = vec![Sketch::default(); layout.columns()];
            for id in series {
                for (sketch, pool) in sketches.iter_mut().zip(self.pools_of_columns(id, Spread::Needed, &layout)) {
                    sketch.merge(&pool.sketch());
                }
            }
            self.heat_map(labels, sketches, &layout, rows)
        };
        Ok(self.groups(&query).into_iter().map(map).collect())
    }

    fn heat_map(&self, labels: Labels, mut sketches: Vec<Sketch>, layout: &Layout, most: usize) -> HeatMap {
        let all = level(&mut sketches, most);
        let rows: Vec<ValueBucket> = all.value_buckets().collect();
        let column = |(place, sketch): (usize, &Sketch)| {
            let (from, to) = layout.edges(place, &self.horizon);
            // The bucket of zeros and that of the least float have the same lower bound.
            let bounds = |bucket: &ValueBucket| (bucket.lower, bucket.upper);
            let cell = |bucket: ValueBucket| (rows.partition_point(|row| bounds(row) < bounds(&bucket)), bucket.count);
            HeatColumn { from, to, count: sketch.count(), cells: sketch.value_buckets().map(cell).collect() }
        };
        let columns = sketches.iter().enumerate().map(column).collect();
        HeatMap { labels, rows, columns, relative_error: all.relative_error() }
    }
}

/// Brings sketches to the one scale at which all of them together have at most `most` value buckets;
/// all of them together come back.
fn level(sketches: &mut [Sketch], most: usize) -> Sketch {
    let mut all = Sketch::default();
    for sketch in sketches.iter() {
        all.merge(sketch);
    }
    while all.value_buckets().count() > most && all.scale() > MIN_SCALE {
        all.downscale(all.scale() - 1);
    }
    for sketch in sketches {
        sketch.downscale(all.scale());
    }
    all
}
