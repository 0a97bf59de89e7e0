//! Which time bucket an instant falls into.

use crate::time::{DurationMs, TimestampMs};

/// Time buckets of one width, laid out from the Unix epoch: bucket `k` holds the instants in
/// `((k − 1)·width, k·width]`. Edges beyond the instants that can be told stop at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    width: i64,
    /// Number of the last bucket whose right edge can be told; of the first one, less its sign.
    most: i64,
}

impl Grid {
    /// `None` for a width of zero or beyond `i64` milliseconds.
    pub(crate) fn new(width: DurationMs) -> Option<Self> {
        i64::try_from(width.as_millis())
            .ok()
            .filter(|width| *width > 0)
            .map(|width| Self { width, most: i64::MAX / width })
    }

    pub(crate) const fn width(self) -> DurationMs {
        DurationMs::from_millis(self.width.unsigned_abs())
    }

    /// The bucket that holds `at`.
    pub(crate) const fn bucket_of(self, at: TimestampMs) -> i64 {
        // One division and no second one for the rest: it is what takes the time.
        let floor = self.whole_until(at);
        if floor.wrapping_mul(self.width) == at.get() { floor } else { floor + 1 }
    }

    /// Number and right edge of the bucket that holds `at`, which mostly is the next one after
    /// `before`: then without a division.
    pub(crate) fn bucket_after(self, before: Option<(i64, TimestampMs)>, at: TimestampMs) -> (i64, TimestampMs) {
        if let Some((number, end)) = before
            && end < at
            && at <= end + self.width()
            && end.get().checked_add(self.width).is_some()
        {
            return (number + 1, end + self.width());
        }
        let number = self.bucket_of(at);
        (number, self.end(number))
    }

    /// The last bucket that lies wholly at or before `at`.
    pub(crate) const fn whole_until(self, at: TimestampMs) -> i64 {
        at.get().div_euclid(self.width)
    }

    /// The right edge of a bucket, which belongs to it.
    pub(crate) const fn end(self, bucket: i64) -> TimestampMs {
        // Not by `saturating_mul`, which takes a call and numbers of 128 bits where there is no
        // instruction for it.
        TimestampMs::new(match bucket {
            _ if bucket > self.most => i64::MAX,
            _ if bucket < -self.most => i64::MIN,
            _ => bucket.wrapping_mul(self.width),
        })
    }

    /// The left edge of a bucket, which does not belong to it.
    pub(crate) const fn start(self, bucket: i64) -> TimestampMs {
        self.end(bucket.saturating_sub(1))
    }

    /// `at` moved back to an edge.
    pub(crate) const fn edge_before(self, at: TimestampMs) -> TimestampMs {
        self.end(self.whole_until(at))
    }

    /// `at` moved on to an edge.
    pub(crate) const fn edge_after(self, at: TimestampMs) -> TimestampMs {
        self.end(self.bucket_of(at))
    }

    /// Whether a time bucket is made of whole spans of `width`.
    pub(crate) const fn is_multiple_of(self, width: DurationMs) -> bool {
        width.as_millis() > 0 && self.width.unsigned_abs().is_multiple_of(width.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(at: i64, expected: i64) {
        let grid = Grid::new(DurationMs::from_secs(1)).unwrap();
        assert_eq!(grid.bucket_of(TimestampMs::new(at)), expected, "{at}");
        let at = TimestampMs::new(at);
        assert!(grid.start(expected) < at && at <= grid.end(expected));
    }

    #[test]
    fn buckets_are_left_open_and_right_closed() {
        check(0, 0);
        check(1, 1);
        check(999, 1);
        check(1_000, 1);
        check(1_001, 2);
        check(-1, 0);
        check(-999, 0);
        check(-1_000, -1);
        check(-1_001, -1);
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        for width in [1, 7, 1_000, i64::MAX as u64] {
            let grid = Grid::new(DurationMs::from_millis(width)).unwrap();
            for at in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX] {
                let at = TimestampMs::new(at);
                let bucket = grid.bucket_of(at);
                assert!(grid.start(bucket) <= at && at <= grid.end(bucket));
                assert!(grid.edge_before(at) <= at && at <= grid.edge_after(at));
            }
        }
        assert_eq!(Grid::new(DurationMs::ZERO), None);
        assert_eq!(Grid::new(DurationMs::from_millis(u64::MAX)), None);
    }
}
