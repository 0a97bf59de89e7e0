//! A span of the past that the page stands at, and how a reader moves it.

use bellwether_core::time::{DurationMs, TimestampMs};

/// The shortest span: time buckets are a second wide.
pub const SHORTEST: DurationMs = DurationMs::from_secs(10);
/// The longest span: what an engine of the page holds, less a little that figures look back.
pub const LONGEST: DurationMs = DurationMs::from_days(90);

/// From one instant to a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    from: TimestampMs,
    to: TimestampMs,
}

/// Why two instants are no span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanFault {
    /// The end is not after the beginning by [`SHORTEST`].
    Short,
    /// It is longer than [`LONGEST`].
    Long,
    /// It ends after now.
    Future,
}

/// A step from one span to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// Back by half its length.
    Earlier,
    /// On by half its length, no later than now.
    Later,
    /// To half its length.
    In,
    /// To twice its length.
    Out,
}

/// Where a reader turns to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// This very span.
    To(Span),
    /// A step from the one on screen.
    By(Shift),
    /// Back to now.
    Live,
}

/// How finely the past of a span is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// As finely as it was told then.
    Fine,
    /// In whole hours: the samples are gone.
    Hours,
}

impl Shift {
    /// The step of a key, by its name in `KeyboardEvent.key` and whether the shift key is held; `None` for any other.
    #[must_use]
    pub fn of_key(key: &str, shift: bool) -> Option<Self> {
        Some(match (key, shift) {
            ("ArrowLeft", true) => Self::Earlier,
            ("ArrowRight", true) => Self::Later,
            ("+" | "=", _) => Self::In,
            ("-" | "_", _) => Self::Out,
            _ => return None,
        })
    }
}

impl Span {
    /// From `from` to `to`.
    ///
    /// # Errors
    /// [`SpanFault`] where it would be too short or too long.
    pub fn new(from: TimestampMs, to: TimestampMs) -> Result<Self, SpanFault> {
        match to.since(from) {
            length if length < SHORTEST => Err(SpanFault::Short),
            length if length > LONGEST => Err(SpanFault::Long),
            _ => Ok(Self { from, to }),
        }
    }

    /// The `length` up to `to`, no shorter than [`SHORTEST`] and no longer than [`LONGEST`].
    #[must_use]
    pub fn ending(to: TimestampMs, length: DurationMs) -> Self {
        Self { from: to - length.max(SHORTEST).min(LONGEST), to }
    }

    /// Its first instant, which is not in it.
    #[must_use]
    pub const fn from(self) -> TimestampMs {
        self.from
    }

    /// Its last instant.
    #[must_use]
    pub const fn to(self) -> TimestampMs {
        self.to
    }

    /// Its length.
    #[must_use]
    pub fn length(self) -> DurationMs {
        self.to.since(self.from)
    }

    /// How finely its past is told where that ends at `end`. A gateway that has hours alone ends it with the last whole one;
    /// one that has not come so far ends it now.
    #[must_use]
    pub fn grain(self, end: TimestampMs) -> Grain {
        let is_whole = end.get().rem_euclid(DurationMs::from_hours(1).as_millis() as i64) == 0;
        if end < self.to && is_whole { Grain::Hours } else { Grain::Fine }
    }

    /// The span that a step leads to, around `cursor` where that is within this one; it ends no later than `now`.
    #[must_use]
    pub fn shifted(self, by: Shift, cursor: Option<TimestampMs>, now: TimestampMs) -> Self {
        let (length, half) = (self.length(), DurationMs::from_millis(self.length().as_millis() / 2));
        let middle = cursor.filter(|at| (self.from..=self.to).contains(at)).unwrap_or(self.from + half);
        let (to, length) = match by {
            Shift::Earlier => (self.to - half, length),
            Shift::Later => (self.to + half, length),
            Shift::In => (middle + DurationMs::from_millis(half.as_millis() / 2), half),
            Shift::Out => (middle + length, DurationMs::from_millis(length.as_millis() * 2)),
        };
        let most = if by == Shift::In { self.to } else { now };
        Self::ending(to.min(most), length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: i64) -> TimestampMs {
        TimestampMs::new(secs * 1_000)
    }

    #[track_caller]
    fn check(by: Shift, cursor: Option<i64>, expected: (i64, i64)) {
        let span = Span::new(at(1_000), at(1_600)).unwrap();
        let shifted = span.shifted(by, cursor.map(at), at(1_700));
        assert_eq!((shifted.from, shifted.to), (at(expected.0), at(expected.1)), "{by:?} {cursor:?}");
    }

    #[test]
    fn steps_go_by_halves_and_never_beyond_now() {
        check(Shift::Earlier, None, (700, 1_300));
        check(Shift::Later, None, (1_100, 1_700));
        check(Shift::In, None, (1_150, 1_450));
        check(Shift::In, Some(1_300), (1_150, 1_450));
        check(Shift::In, Some(1_590), (1_300, 1_600));
        check(Shift::In, Some(9), (1_150, 1_450));
        check(Shift::Out, None, (500, 1_700));
    }

    #[test]
    fn hours_are_told_where_the_gateway_ends_with_one() {
        let span = Span::new(at(3_000), at(8_000)).unwrap();
        assert_eq!([7_200, 7_999, 8_000].map(|end| span.grain(at(end))), [Grain::Hours, Grain::Fine, Grain::Fine]);
    }

    #[test]
    fn keys_step() {
        let step = |key, shift| Shift::of_key(key, shift);
        assert_eq!(
            [step("+", true), step("=", false), step("-", false)],
            [Some(Shift::In), Some(Shift::In), Some(Shift::Out)]
        );
        assert_eq!([step("ArrowLeft", true), step("ArrowRight", true)], [Some(Shift::Earlier), Some(Shift::Later)]);
        assert_eq!([step("ArrowLeft", false), step("Home", true)], [None, None], "those go from point to point");
    }

    #[test]
    fn a_span_has_bounds() {
        assert_eq!(Span::new(at(5), at(5)), Err(SpanFault::Short));
        assert_eq!(Span::new(at(9), at(5)), Err(SpanFault::Short));
        assert_eq!(Span::new(at(0), at(91 * 86_400)), Err(SpanFault::Long));
        let mut span = Span::new(at(0), at(100)).unwrap();
        for _ in 0..9 {
            span = span.shifted(Shift::In, None, at(200));
        }
        assert_eq!(span.length(), SHORTEST);
        for _ in 0..40 {
            span = span.shifted(Shift::Out, None, at(1_700_000_000));
        }
        assert_eq!(span.length(), LONGEST);
    }
}
