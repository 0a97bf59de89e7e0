//! Layout: how time buckets are dealt out to the columns of a chart.

use crate::horizon::Horizon;
use crate::time::TimestampMs;

/// The columns of a chart, each of the same number of time buckets of one tier.
///
/// Columns lie on whole multiples of their width, so that a chart that moves on does not flicker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) tier: usize,
    /// Time buckets of one column.
    per_column: i64,
    /// Number of the first time bucket that is drawn.
    first: i64,
    /// Number of the time bucket that holds the right edge.
    last: i64,
    /// Number of the first column, counted from the epoch.
    first_column: i64,
    columns: usize,
    to: TimestampMs,
}

impl Layout {
    /// Deals `(from, to]`, which is not empty, out to at most `columns` columns, of which there is
    /// at least one.
    pub(crate) fn new(horizon: &Horizon, tier: usize, from: TimestampMs, to: TimestampMs, columns: usize) -> Self {
        let grid = horizon.grid(tier);
        let (first, last) = (grid.whole_until(from).saturating_add(1), grid.bucket_of(to));
        // From one end of time to the other there are more than an i64 counts.
        let buckets = (i128::from(last) - i128::from(first) + 1).max(1);
        let most = i64::try_from(columns).unwrap_or(i64::MAX);
        // Where several time buckets share a column, the edges may cut two columns.
        let per_column = if buckets <= i128::from(most) { 1 } else { div_ceil(buckets, most - 2) };
        let column_of = |bucket: i64| bucket.saturating_sub(1).div_euclid(per_column);
        let (first_column, count) = match most {
            1 | 2 if buckets > i128::from(most) => (0, 1),
            _ => (column_of(first), column_of(last).saturating_sub(column_of(first)).saturating_add(1)),
        };
        Self { tier, per_column, first, last, first_column, columns: count.max(1) as usize, to }
    }

    pub(crate) const fn columns(&self) -> usize {
        self.columns
    }

    /// Numbers of the first and the last time bucket of a column.
    pub(crate) fn buckets(&self, column: usize) -> (i64, i64) {
        if self.columns == 1 {
            return (self.first, self.last);
        }
        let end = |column: i64| self.first_column.saturating_add(column).saturating_mul(self.per_column);
        let column = column as i64;
        (end(column).saturating_add(1).max(self.first), end(column + 1).min(self.last))
    }

    /// The edges of a column.
    pub(crate) fn edges(&self, column: usize, horizon: &Horizon) -> (TimestampMs, TimestampMs) {
        let grid = horizon.grid(self.tier);
        let (first, last) = self.buckets(column);
        (grid.start(first), grid.end(last).min(self.to))
    }
}

/// `a / b` rounded up, `b` taken as 1 where it is less, and no more than an i64 holds.
fn div_ceil(a: i128, b: i64) -> i64 {
    i64::try_from((a - 1).div_euclid(i128::from(b.max(1))) + 1).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Grid;
    use crate::time::DurationMs;

    fn layout(from: i64, to: i64, columns: usize) -> (Layout, Horizon) {
        let grid = Grid::new(DurationMs::from_secs(1)).unwrap();
        let horizon = Horizon::new([(grid, DurationMs::from_hours(1))]);
        (Layout::new(&horizon, 0, TimestampMs::new(from), TimestampMs::new(to), columns), horizon)
    }

    #[test]
    fn columns_cover_the_range_once_and_are_never_too_many() {
        for from in [0, 1, 999, 1_000, -7_500] {
            for length in [1, 999, 1_000, 1_001, 10_000, 300_000, 599_999] {
                for asked in [1, 2, 3, 4, 7, 100, 300, 301, 5_000] {
                    let (layout, horizon) = layout(from, from + length, asked);
                    assert!((1..=asked).contains(&layout.columns()), "{from} {length} {asked}");
                    let mut edge = layout.edges(0, &horizon).0;
                    assert!(edge.get() <= from && edge.get() > from - 1_000);
                    for column in 0..layout.columns() {
                        let (start, end) = layout.edges(column, &horizon);
                        assert_eq!(start, edge);
                        assert!(end > start);
                        edge = end;
                    }
                    assert_eq!(edge.get(), from + length);
                }
            }
        }
    }

    #[test]
    fn the_ends_of_time_are_dealt_out_too() {
        for asked in [1, 2, 3, 4, 52, 1_000] {
            for (from, to) in [(i64::MIN, i64::MAX), (i64::MIN, 0), (0, i64::MAX), (i64::MAX - 1, i64::MAX)] {
                let grid = Grid::new(DurationMs::from_millis(1)).unwrap();
                let horizon = Horizon::new([(grid, DurationMs::from_hours(1))]);
                let layout = Layout::new(&horizon, 0, TimestampMs::new(from), TimestampMs::new(to), asked);
                assert!((1..=asked).contains(&layout.columns()), "{from} {to} {asked}: {}", layout.columns());
                let (first, last) = (layout.buckets(0), layout.buckets(layout.columns() - 1));
                assert_eq!((first.0, last.1), (from.saturating_add(1), to));
            }
        }
    }

    #[test]
    fn columns_stay_where_they_are_when_the_range_moves_on() {
        let (one, horizon) = layout(0, 300_000, 50);
        let (next, _) = layout(3_000, 303_000, 50);
        let edges = |layout: &Layout| (1..layout.columns() - 1).map(|n| layout.edges(n, &horizon)).collect::<Vec<_>>();
        let shared = edges(&next).iter().filter(|edges_of| edges(&one).contains(edges_of)).count();
        assert!(shared >= edges(&one).len() - 2, "{shared}");
    }
}
