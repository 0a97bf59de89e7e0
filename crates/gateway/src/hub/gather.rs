//! Copies the past for a subscription, as of the place where its live values begin. The hub is locked
//! meanwhile and the copy stays until it is sent, so both are bounded: for one subscription, and for
//! all together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwether_core::engine::{Engine, SeriesId};
use bellwether_core::labels::MetricName;
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::frame::Selection;

use super::feed::{Feed, Place};
use super::history::{History, Stretch};

/// How much of the past is copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Most series that a subscription takes when it begins.
    pub(super) series: usize,
    /// Most time buckets of a subscription's history.
    pub(super) buckets: usize,
    /// Most time buckets of all histories that are not sent yet, of all connections.
    pub(super) buckets_waiting: usize,
}

/// A time bucket takes some 250 bytes, more where its values are spread wide; the hub is locked while
/// they are copied.
pub(super) const BOUNDS: Bounds = Bounds { series: 2_000, buckets: 500_000, buckets_waiting: 1_000_000 };

/// A selection of a subscription that is left out, and why; the others go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) selection: Selection,
    pub(crate) reason: Refusal,
}

/// Why a selection is left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "{metric} has {found} series and is left out: a subscription takes at most {most}, and its other metrics \
         take {taken}; narrow it with \"where\""
    )]
    TooManySeries { metric: MetricName, found: usize, taken: usize, most: usize },
    #[error(
        "{metric} is left out: with its last {range} the history would have more than {most} time buckets; ask for a \
         shorter range or narrow it with \"where\""
    )]
    HistoryTooLong { metric: MetricName, range: DurationMs, most: usize },
}

impl Refusal {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::TooManySeries { .. } => "too_many_series",
            Self::HistoryTooLong { .. } => "history_too_long",
        }
    }
}

/// Too much history waits to be sent to others; it is soon less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

/// Counts the time buckets of the histories that are not sent yet. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(Arc<AtomicUsize>);

/// What one history takes of a [`Waiting`]; given back when it is dropped, sent or not.
#[derive(Debug, Default)]
pub(super) struct Room {
    waiting: Waiting,
    buckets: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.waiting.0.fetch_sub(self.buckets, Ordering::AcqRel);
    }
}

/// Copies what `engine` holds of the feed's series. Selections that are too large are taken out
/// of `feed` and named. Cost: O(time buckets copied).
///
/// # Errors
/// [`NoRoom`] where too much waits already; nothing is copied then.
pub(super) fn gather(
    feed: &mut Feed,
    engine: &Engine,
    now: TimestampMs,
    place: Place,
    waiting: &Waiting,
    bounds: Bounds,
) -> Result<(History, Vec<Refused>), NoRoom> {
    let room = bounds.buckets_waiting.saturating_sub(waiting.0.load(Ordering::Acquire));
    let asked = feed.clone();
    let mut refusals = Vec::new();
    let mut taken: BTreeSet<SeriesId> = BTreeSet::new();
    let mut buckets = 0;
    let mut tiers: BTreeMap<DurationMs, Vec<Stretch>> = BTreeMap::new();
    for selection in std::mem::take(&mut feed.selections) {
        let Selection { name, matchers, range } = &selection;
        let further: Vec<_> = engine.matching(name, matchers).filter(|id| !taken.contains(id)).collect();
        if taken.len() + further.len() > bounds.series {
            let (found, taken, most) = (further.len(), taken.len(), bounds.series);
            let reason = Refusal::TooManySeries { metric: name.clone(), found, taken, most };
            refusals.push(Refused { selection, reason });
            continue;
        }
        match copy(&further, &asked, engine, now, bounds.buckets - buckets, room.saturating_sub(buckets)) {
            Ok((count, copied)) => {
                buckets += count;
                taken.extend(further);
                for (width, stretch) in copied {
                    tiers.entry(width).or_default().push(stretch);
                }
                feed.selections.push(selection);
            }
            Err(Uncopied::TooLong) => {
                let reason = Refusal::HistoryTooLong { metric: name.clone(), range: *range, most: bounds.buckets };
                refusals.push(Refused { selection, reason });
            }
            Err(Uncopied::NoRoom) => return Err(NoRoom),
        }
    }
    waiting.0.fetch_add(buckets, Ordering::AcqRel);
    let _room = Room { waiting: waiting.clone(), buckets };
    let tiers = tiers.into_iter().rev().collect();
    Ok((History { feed: feed.clone(), place, tiers, _room }, refusals))
}

/// Why a selection was not copied.
enum Uncopied {
    /// It is over what is left of the subscription's bound.
    TooLong,
    /// It is over what is left of all histories' bound.
    NoRoom,
}

/// Copies the past of some series, of each by the width of its time buckets; how many they are comes
/// first. Stops as soon as they are more than `most` or than there is `room` for.
fn copy(
    series: &[SeriesId],
    feed: &Feed,
    engine: &Engine,
    now: TimestampMs,
    most: usize,
    room: usize,
) -> Result<(usize, Vec<(DurationMs, Stretch)>), Uncopied> {
    let mut count = 0;
    let mut copied = Vec::new();
    for id in series {
        let (key, kind) = (engine.key(*id), engine.series_kind(*id));
        let from = now - feed.range_of(key);
        let mut widths: BTreeMap<DurationMs, Vec<(TimestampMs, Summary)>> = BTreeMap::new();
        for bucket in engine.history(*id, from) {
            count += 1;
            if count > most {
                return Err(Uncopied::TooLong);
            }
            if count > room {
                return Err(Uncopied::NoRoom);
            }
            widths.entry(bucket.width).or_default().push((bucket.end, bucket.summary.into_owned()));
        }
        for (width, mut buckets) in widths {
            buckets.sort_by_key(|(end, _)| *end);
            copied.push((width, Stretch { key: key.clone(), kind, buckets }));
        }
    }
    Ok((count, copied))
}

#[cfg(test)]
mod tests {
    use super::super::feed::{Encoding, Resolution};
    use super::*;
    use bellwether_core::engine::EngineConfig;
    use bellwether_core::labels::{Labels, SeriesKey};
    use bellwether_core::sample::Kind;
    use bellwether_core::sample::Sample;

    const NOW: TimestampMs = TimestampMs::new(1_795_000_000_000);
    const PLACE: Place = Place { epoch: 1, seq: 2 };
    const SMALL: Bounds = Bounds { series: 5, buckets: 100, buckets_waiting: 150 };

    /// An engine with so many series a metric, each with so many time buckets of a second.
    fn engine(metrics: &[(&str, usize, i64)]) -> Engine {
        let mut engine = Engine::new(EngineConfig::default()).unwrap();
        for (metric, series, seconds) in metrics {
            for number in 0..*series {
                let labels = Labels::new([("l", number.to_string())]).unwrap();
                let key = SeriesKey { metric: MetricName::new(metric).unwrap(), labels };
                let id = engine.series(&key, Some(Kind::Gauge)).unwrap();
                for second in 0..*seconds {
                    let at = TimestampMs::new(NOW.get() - second * 1_000);
                    engine.record(id, Sample::new(at, 1.0).unwrap(), NOW).unwrap();
                }
            }
        }
        engine
    }

    fn feed(metrics: &[&str]) -> Feed {
        let selection = |name: &&str| Selection {
            name: MetricName::new(name).unwrap(),
            matchers: Vec::new(),
            range: DurationMs::from_minutes(5),
        };
        let selections = metrics.iter().map(selection).collect();
        Feed { id: 1, selections, resolution: Resolution::Step, encoding: Encoding::Binary }
    }

    fn names(feed: &Feed) -> Vec<&str> {
        feed.selections.iter().map(|selection| selection.name.as_str()).collect()
    }

    fn buckets(history: &History) -> usize {
        history.tiers.iter().flat_map(|(_, stretches)| stretches).map(|stretch| stretch.buckets.len()).sum()
    }

    #[test]
    fn what_is_too_large_is_named_and_the_rest_goes_on() {
        let engine = engine(&[("few", 2, 3), ("many", 6, 1), ("long", 1, 101), ("last", 3, 1)]);
        let mut feed = feed(&["many", "few", "long", "few", "last"]);
        let (history, refusals) = gather(&mut feed, &engine, NOW, PLACE, &Waiting::default(), SMALL).unwrap();
        assert_eq!(names(&feed), ["few", "few", "last"], "live values are of the same");
        assert_eq!(buckets(&history), 2 * 3 + 3, "what is selected twice is sent once");
        assert_eq!(
            refusals.iter().map(|refused| refused.selection.name.as_str()).collect::<Vec<_>>(),
            ["many", "long"]
        );
        let refusals: Vec<_> =
            refusals.iter().map(|refused| (refused.reason.code(), refused.reason.to_string())).collect();
        assert_eq!(refusals.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["too_many_series", "history_too_long"]);
        assert!(refusals[0].1.contains("many has 6 series") && refusals[0].1.contains("at most 5"), "{refusals:?}");
        assert!(refusals[1].1.contains("long") && refusals[1].1.contains("5m"), "{refusals:?}");
    }

    #[test]
    fn only_so_much_history_waits_in_all() {
        let engine = engine(&[("m", 1, 80)]);
        let waiting = Waiting::default();
        let of = |waiting: &Waiting| gather(&mut feed(&["m"]), &engine, NOW, PLACE, waiting, SMALL);
        let (first, _) = of(&waiting).unwrap();
        assert_eq!(of(&waiting).err(), Some(NoRoom));
        drop(first);
        let (again, refusals) = of(&waiting).unwrap();
        assert_eq!((buckets(&again), refusals), (80, Vec::new()));
    }
}
