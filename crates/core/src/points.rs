//! Points: the points of a line, and the few of them that draw it.
//!
//! Two ways to choose. **M4** (Jugel and others, "M4: A Visualization-Oriented Time Series Data
//! Aggregation", 2014): of each pixel column the first, the least, the greatest and the last point,
//! which draw the same line as all points. **MinMaxLTTB** (Van Der Donckt and others, "MinMaxLTTB:
//! Leveraging MinMax-Preselection to Scale LTTB", 2023): a fixed number of points that look most
//! like all of them.

mod lttb;

use bellwether_loops::extremes::extremes;

/// How many points MinMaxLTTB looks at for each that it keeps, as its authors found to suffice.
const PRESELECTED: usize = 4;

/// Why points were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PointsError {
    /// A point lacks its timestamp or its value.
    #[error("{timestamps} timestamps and {values} values are given; give as many of each")]
    Lengths {
        /// How many timestamps were given.
        timestamps: usize,
        /// How many values were given.
        values: usize,
    },
    /// A timestamp or a value is NaN or infinite.
    #[error("point {place} of those given (from 0) is not a finite number; leave it out")]
    NotFinite {
        /// Its place among those that were given, from 0.
        place: usize,
    },
    /// A timestamp is less than the one before it.
    #[error("point {place} of those given (from 0) lies before the one before it; sort them by time")]
    Order {
        /// Its place among those that were given, from 0.
        place: usize,
    },
    /// More points than an index can tell apart.
    #[error("there would be more than {} points", u32::MAX)]
    TooMany,
}

/// The points of a line in the order of time: a column of timestamps and a column of values.
///
/// Timestamps are milliseconds, of any spacing, also fractions, and may repeat.
///
/// ```
/// use bellwether_core::points::Points;
///
/// let mut points = Points::default();
/// points.extend(&[0.0, 1.0, 2.0, 3.0, 4.0, 10.0], &[5.0, 1.0, 9.0, 6.0, 6.0, 7.0])?;
/// let mut indexes = Vec::new();
/// points.m4(0.0..=10.0, 2, &mut indexes);
/// // First, least, greatest and last of the first half, and the only one of the second.
/// assert_eq!(indexes, [0, 1, 2, 4, 5]);
/// # Ok::<(), bellwether_core::points::PointsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    timestamps: Vec<f64>,
    values: Vec<f64>,
}

impl Points {
    /// Adds points behind those that are there. Cost: O(points given).
    ///
    /// # Errors
    /// [`PointsError`], and none is added.
    pub fn extend(&mut self, timestamps: &[f64], values: &[f64]) -> Result<(), PointsError> {
        if timestamps.len() != values.len() {
            return Err(PointsError::Lengths { timestamps: timestamps.len(), values: values.len() });
        }
        if self.len() + values.len() > u32::MAX as usize {
            return Err(PointsError::TooMany);
        }
        let mut before = self.timestamps.last().copied().unwrap_or(f64::MIN);
        for (place, (timestamp, value)) in timestamps.iter().zip(values).enumerate() {
            if !timestamp.is_finite() || !value.is_finite() {
                return Err(PointsError::NotFinite { place });
            }
            if *timestamp < before {
                return Err(PointsError::Order { place });
            }
            before = *timestamp;
        }
        self.timestamps.extend_from_slice(timestamps);
        self.values.extend_from_slice(values);
        Ok(())
    }

    /// Drops the points whose timestamp is at most `until`. Cost: O(points left).
    pub fn drop_until(&mut self, until: f64) {
        let gone = self.timestamps.partition_point(|timestamp| *timestamp <= until);
        self.timestamps.drain(..gone);
        self.values.drain(..gone);
    }

    /// Number of points.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The timestamps in milliseconds, ascending.
    #[must_use]
    pub fn timestamps(&self) -> &[f64] {
        &self.timestamps
    }

    /// The values, in the order of the timestamps.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// From the first timestamp to the last; `None` where there is no point.
    #[must_use]
    pub fn extent(&self) -> Option<std::ops::RangeInclusive<f64>> {
        Some(*self.timestamps.first()?..=*self.timestamps.last()?)
    }

    /// Writes the indexes of the points that draw the line over `range` in `columns` pixel columns
    /// into `indexes`, ascending and each once: of each column the first point, the least, the
    /// greatest and the last, of equal ones the earliest; none of a column without points.
    ///
    /// Columns are of equal width in time. Each holds its left edge, the last one also its right.
    /// Cost: O(points in the range), at the speed of memory, plus O(columns · log points).
    pub fn m4(&self, range: std::ops::RangeInclusive<f64>, columns: usize, indexes: &mut Vec<u32>) {
        indexes.clear();
        self.columns(range, columns, |start, column| {
            let (least, greatest) = extremes(column);
            // They ascend.
            let chosen = [0, least.min(greatest), least.max(greatest), column.len() - 1].map(|place| start + place);
            let mut before = None;
            for place in chosen {
                if before != Some(place) {
                    indexes.push(place as u32);
                }
                before = Some(place);
            }
        });
    }

    /// Writes the indexes of at most `count` points that look most like the line over `range` into
    /// `indexes`, ascending and each once, the first and the last point among them.
    ///
    /// Of four times as many columns as points the least and the greatest are looked at, and of
    /// those the ones kept that span the largest triangles with their neighbours.
    /// Cost: as [`Points::m4`].
    pub fn min_max_lttb(&self, range: std::ops::RangeInclusive<f64>, count: usize, indexes: &mut Vec<u32>) {
        indexes.clear();
        let (start, end) = self.places(&range);
        let all = start as u32..end as u32;
        if all.len() <= count {
            indexes.extend(all);
            return;
        }
        if count < 3 {
            indexes.extend([all.start, all.end - 1].into_iter().take(count));
            return;
        }
        if all.len() <= count * PRESELECTED {
            lttb::choose(self, &all.collect::<Vec<_>>(), count, indexes);
            return;
        }
        let mut looked_at = vec![all.start];
        self.columns(range, count * PRESELECTED / 2, |start, column| {
            let (least, greatest) = extremes(column);
            for place in [start + least.min(greatest), start + least.max(greatest)] {
                if looked_at.last().is_none_or(|before| *before < place as u32) {
                    looked_at.push(place as u32);
                }
            }
        });
        if looked_at.last().is_some_and(|last| last + 1 < all.end) {
            looked_at.push(all.end - 1);
        }
        lttb::choose(self, &looked_at, count, indexes);
    }

    /// The places of the points in `range`.
    fn places(&self, range: &std::ops::RangeInclusive<f64>) -> (usize, usize) {
        let start = self.timestamps.partition_point(|timestamp| *timestamp < *range.start());
        let end = self.timestamps.partition_point(|timestamp| *timestamp <= *range.end());
        (start, end.max(start))
    }

    /// Calls `draw` with each column that has points: the place of its first, and its values.
    fn columns(&self, range: std::ops::RangeInclusive<f64>, columns: usize, mut draw: impl FnMut(usize, &[f64])) {
        let (mut start, last) = self.places(&range);
        let (from, length) = (*range.start(), *range.end() - *range.start());
        let mut guess = (last - start) / columns.max(1);
        for column in 1..=columns {
            // Multiplied first: whole numbers of milliseconds keep exact edges.
            let edge = from + length * column as f64 / columns as f64;
            let end = if column == columns { last } else { gallop(&self.timestamps[..last], start, guess, edge) };
            if start < end {
                draw(start, &self.values[start..end]);
            }
            guess = end - start;
            start = end;
        }
    }
}

/// The first place from `start` on whose timestamp is at least `edge`, looked for around
/// `start + guess` in steps that double: near by it costs a look or two.
fn gallop(timestamps: &[f64], start: usize, guess: usize, edge: f64) -> usize {
    let is_before = |place: usize| timestamps.get(place).is_some_and(|timestamp| *timestamp < edge);
    let middle = (start + guess).min(timestamps.len());
    // All places before `low` are before the edge, the place `high` is not.
    let (mut low, mut high);
    let mut step = 1;
    if is_before(middle) {
        low = middle + 1;
        while is_before(low + step - 1) {
            low += step;
            step *= 2;
        }
        high = (low + step - 1).min(timestamps.len());
    } else {
        high = middle;
        while high >= start + step && !is_before(high - step) {
            high -= step;
            step *= 2;
        }
        low = if high >= start + step { high - step + 1 } else { start };
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests;
