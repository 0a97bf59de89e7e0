//! A chunk as a snapshot keeps it, and back; what comes back is checked.

use super::{Body, Chunk, Terms};
use crate::part::{Part, Values};
use crate::sample::Sample;
use crate::sketch::{MAX_COUNT, MAX_SCALE, MIN_SCALE, keys};
use crate::slim::Slims;
use crate::trail::Trail;

/// A chunk's time buckets in the form in which they are kept.
#[derive(Clone, Debug)]
pub(crate) enum Stored<'a> {
    /// Samples.
    Samples(Slims<'a>),
    /// Packed time buckets, with what their numbers are counted from.
    Packed(i64, &'a [u8]),
}

impl Chunk {
    pub(crate) fn stored(&self) -> Stored<'_> {
        match &self.body {
            Body::Samples(trail) => Stored::Samples(trail.slims()),
            Body::Packed { base, head, bytes } => Stored::Packed(*base, bytes.get(*head..).unwrap_or_default()),
        }
    }

    /// The chunk that [`Chunk::stored`] tells of; `None` where it cannot be one.
    pub(crate) fn restored((first, last): (i64, i64), stored: Stored<'_>, terms: Terms) -> Option<Self> {
        let body = match stored {
            Stored::Samples(samples) => Body::Samples(Trail::of(samples)),
            Stored::Packed(base, bytes) => Body::Packed { base, head: 0, bytes: bytes.to_vec() },
        };
        let chunk = Self { first, last, body };
        chunk.is_sound(terms).then_some(chunk)
    }

    fn is_sound(&self, terms: Terms) -> bool {
        let mut before: Option<Sample> = None;
        let mut last = None;
        let in_order = |before: &mut Option<Sample>, sample: Sample| {
            let is_later = before.is_none_or(|before| before.timestamp() <= sample.timestamp());
            *before = Some(sample);
            is_later
        };
        if let Body::Samples(trail) = &self.body {
            let sound = |sample: Sample| sample.value().is_finite() && in_order(&mut before, sample);
            if !trail.slims().iter().all(sound) {
                return false;
            }
            before = None;
        }
        let mut are_sound = true;
        self.parts(i64::MIN, i64::MAX, terms).each(&mut |part| {
            let is_next = part.number >= self.first && last.is_none_or(|last| part.number > last);
            let outermost = in_order(&mut before, part.summary.first) && in_order(&mut before, part.summary.last);
            let lies_in = [part.summary.first, part.summary.last].iter().all(|sample| {
                let at = sample.timestamp();
                at.is_of_samples() && terms.grid.bucket_of(at) == part.number
            });
            are_sound &= is_next && outermost && lies_in && is_sound(&part);
            last = Some(part.number);
        });
        are_sound && last == Some(self.last)
    }
}

/// Whether a time bucket's figures are finite and agree with each other.
fn is_sound(part: &Part<'_>) -> bool {
    let summary = &part.summary;
    let floats = [
        summary.sum,
        summary.m2,
        summary.min,
        summary.max,
        summary.increase,
        summary.residue(),
        summary.first.value(),
        summary.last.value(),
    ];
    let is_within = |sample: Sample| (summary.min..=summary.max).contains(&sample.value());
    let scale = part.values.scale();
    if !(MIN_SCALE..=MAX_SCALE).contains(&scale) || floats.iter().any(|float| !float.is_finite()) {
        return false;
    }
    let greatest = keys::greatest(scale);
    let (mut count, mut are_keys) = (0_u64, true);
    if let Values::Narrow { base, .. } | Values::Wide { base, .. } = part.values {
        are_keys = base.checked_add(0xffff).is_some();
    }
    if are_keys {
        part.values.for_each(&mut |key, times| {
            are_keys &= key.unsigned_abs() <= greatest.unsigned_abs();
            count = count.saturating_add(times);
        });
    }
    are_keys
        && count > 0
        // A sketch that was merged counts no further than it can, and the summary goes on.
        && (count == summary.count || summary.count > MAX_COUNT)
        && summary.m2 >= 0.0
        && is_within(summary.first)
        && is_within(summary.last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::Scratch;
    use crate::grid::Grid;
    use crate::sample::Kind;
    use crate::summary::Summary;
    use crate::tier::Tier;
    use crate::time::{DurationMs, TimestampMs};

    fn terms() -> Terms {
        Terms { grid: Grid::new(DurationMs::from_secs(1)).unwrap(), kind: Kind::Observation }
    }

    #[track_caller]
    fn check(at: TimestampMs, is_restored: bool) {
        let sample = Sample::new(at, 2.0).unwrap();
        let (terms, mut scratch) = (terms(), Scratch::default());
        let summary = Summary::of(sample, terms.kind);
        scratch.spread.add_sketch(&summary.sketch);
        let number = terms.grid.bucket_of(at);
        let chunks = [
            Chunk::of_trail(Trail::one(sample, terms.grid), terms).unwrap(),
            Chunk::of_packed(number, &summary, terms, &mut scratch, 0),
        ];
        for chunk in chunks {
            let restored = Chunk::restored((number, number), chunk.stored(), terms);
            assert_eq!(restored.is_some(), is_restored, "{chunk:?}");
        }
    }

    #[test]
    fn only_samples_that_could_be_recorded_come_back() {
        check(TimestampMs::LATEST, true);
        check(TimestampMs::EARLIEST, true);
        check(TimestampMs::LATEST + DurationMs::from_millis(1), false);
        check(TimestampMs::EARLIEST - DurationMs::from_millis(1), false);
        check(TimestampMs::new(i64::MAX), false);
        check(TimestampMs::new(i64::MIN), false);
    }

    #[test]
    fn nothing_comes_back_behind_where_a_tier_is_sealed() {
        let terms = terms();
        let never = TimestampMs::new(i64::MIN);
        let restored = |sealed_to: i64| {
            let sample = Sample::new(TimestampMs::new(1_500), 2.0).unwrap();
            let chunk = Chunk::of_trail(Trail::one(sample, terms.grid), terms).unwrap();
            Tier::restored(vec![chunk], None, never, TimestampMs::new(sealed_to), terms.grid).is_some()
        };
        assert!(restored(2_000));
        assert!(!restored(1_000));
    }
}
