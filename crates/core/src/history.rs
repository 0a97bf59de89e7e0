//! History: what the engine holds of a series, in pieces that another engine can merge.

use std::borrow::Cow;

use crate::engine::{Engine, SeriesId};
use crate::sample::Kind;
use crate::summary::Summary;
use crate::time::{DurationMs, TimestampMs};

/// A time bucket of a series: [`Engine::merge`] takes it as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece<'a> {
    /// Width of the time bucket.
    pub width: DurationMs,
    /// Its right edge, which belongs to it.
    pub end: TimestampMs,
    /// What is in it.
    pub summary: Cow<'a, Summary>,
}

impl Engine {
    /// The time buckets of a series that hold all its samples after `from`, each sample once, the
    /// finest tier first and newest first: recent time in fine time buckets, older time in wide
    /// ones. The left edge moves outward to a time bucket's edge; of a counter, the last sample
    /// before it comes along as a time bucket of its own, so that the first step can be taken.
    ///
    /// Merged into an engine without samples, whatever its tiers, they make the same figures.
    /// Cost: O(time buckets).
    pub fn history(&self, id: SeriesId, from: TimestampMs) -> impl Iterator<Item = Piece<'_>> {
        let series = self.of(id);
        let mut ranges = Vec::new();
        let mut before = None;
        // Where the finer tiers begin, on an edge of the tier at hand, so that no sample is told twice.
        let mut until = TimestampMs::new(i64::MAX);
        for index in 0..self.horizon.tiers() {
            let grid = self.horizon.grid(index);
            let tier = series.tier(index);
            let mut start = self.horizon.complete_from(index, tier);
            if index + 1 < self.horizon.tiers() {
                start = self.horizon.grid(index + 1).edge_after(start);
            }
            let last = if until == TimestampMs::new(i64::MAX) { i64::MAX } else { grid.whole_until(until) };
            let mut first = grid.whole_until(start).saturating_add(1);
            let enough = start <= from;
            if enough {
                first = first.max(grid.whole_until(from).saturating_add(1));
                if series.kind() == Kind::Counter {
                    before = series.last_until(grid.end(first - 1), &self.horizon).map(|sample| Piece {
                        width: grid.width(),
                        end: grid.edge_after(sample.timestamp()),
                        summary: Cow::Owned(Summary::of(sample, Kind::Counter)),
                    });
                }
            }
            if first <= last {
                ranges.push((index, first, last));
            }
            until = until.min(start);
            if enough {
                break;
            }
        }
        let pieces = ranges.into_iter().flat_map(move |(index, first, last)| {
            let grid = self.horizon.grid(index);
            let mut pieces: Vec<Piece<'_>> = Vec::new();
            for part in series.parts(index, (first, last), &self.horizon) {
                let (end, summary) = (grid.end(part.number), part.full());
                match pieces.last_mut() {
                    // A time bucket that is told in parts.
                    Some(piece) if piece.end == end => piece.summary.to_mut().merge(&summary, series.kind()),
                    _ => pieces.push(Piece { width: grid.width(), end, summary }),
                }
            }
            pieces.into_iter().rev()
        });
        pieces.chain(before)
    }
}
