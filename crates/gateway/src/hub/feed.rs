//! What a subscription asks for, checked.

use bellwether_core::labels::SeriesKey;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::frame::{FeedFormat, Selection, Step, Subscribe};

/// The width of the summaries of a stepped feed.
pub(crate) const STEP: DurationMs = DurationMs::from_secs(1);

/// A place in the gateway's stream: all batches up to `seq` of the store's `epoch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
}

/// What resolution live values have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// Each sample as it is, at once.
    Raw,
    /// One summary a series a [`STEP`].
    Step,
}

/// How frames are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Binary,
}

/// A step that the gateway does not gather.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a step of {0} is not sent; ask for \"{STEP}\", or for \"raw\" to get each sample as it is")]
pub(crate) struct BadStep(DurationMs);

/// A subscription. Two that differ only in their ranges get the same live frames.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    /// The number that the client gave it; it stands in each frame.
    pub(crate) id: u32,
    pub(crate) selections: Vec<Selection>,
    pub(crate) resolution: Resolution,
    pub(crate) encoding: Encoding,
}

impl TryFrom<Subscribe> for Feed {
    type Error = BadStep;

    /// # Errors
    /// [`BadStep`] for any step but [`STEP`].
    fn try_from(subscribe: Subscribe) -> Result<Self, BadStep> {
        let Subscribe { id, metrics, step, format, resume: _, until: _ } = subscribe;
        let resolution = match step {
            Step::Raw => Resolution::Raw,
            Step::Every(STEP) => Resolution::Step,
            Step::Every(other) => return Err(BadStep(other)),
        };
        let encoding = match format {
            FeedFormat::Json => Encoding::Json,
            FeedFormat::Binary => Encoding::Binary,
        };
        Ok(Self { id, selections: metrics, resolution, encoding })
    }
}

fn takes(selection: &Selection, key: &SeriesKey) -> bool {
    selection.name == key.metric && selection.matchers.iter().all(|matcher| matcher.matches(&key.labels))
}

impl Feed {
    /// Whether the series is asked for.
    pub(crate) fn takes(&self, key: &SeriesKey) -> bool {
        self.selections.iter().any(|selection| takes(selection, key))
    }

    /// How far back the series is asked for: the longest range of all selections that take it.
    pub(crate) fn range_of(&self, key: &SeriesKey) -> DurationMs {
        let ranges = self.selections.iter().filter(|selection| takes(selection, key)).map(|selection| selection.range);
        ranges.max().unwrap_or_default()
    }

    /// Whether both get the very same live frames.
    pub(crate) fn same_frames(&self, other: &Self) -> bool {
        self.id == other.id
            && self.resolution == other.resolution
            && self.encoding == other.encoding
            && self.selections.len() == other.selections.len()
            && self
                .selections
                .iter()
                .zip(&other.selections)
                .all(|(one, other)| one.name == other.name && one.matchers == other.matchers)
    }
}

/// The end of the [`STEP`] that holds `at`: k·w for the k with (k − 1)w < at ≤ kw.
pub(crate) fn step_end(at: TimestampMs) -> TimestampMs {
    let width = STEP.as_millis() as i64;
    let k = at.get().div_euclid(width) + i64::from(at.get().rem_euclid(width) > 0);
    TimestampMs::new(k.saturating_mul(width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(at: i64, expected: i64) {
        assert_eq!(step_end(TimestampMs::new(at)), TimestampMs::new(expected), "{at}");
    }

    #[test]
    fn a_step_is_open_on_the_left_and_closed_on_the_right() {
        check(0, 0);
        check(1, 1_000);
        check(999, 1_000);
        check(1_000, 1_000);
        check(1_001, 2_000);
        check(-1, 0);
        check(-1_000, -1_000);
    }
}
