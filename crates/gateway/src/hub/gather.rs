//! Copies the past for a subscription, a slice at a time: the hub is locked for a slice only, so that
//! samples are recorded and others are served in between. The copy stays until it is sent, so it is
//! bounded: for one subscription, and for all together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwether_core::engine::{Engine, SeriesId};
use bellwether_core::labels::MetricName;
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::frame::Selection;

use super::fanout::{ConnectionId, Steps};
use super::feed::{Feed, Place, STEP};
use super::history::{History, Stretch};
use super::joining::Joining;

/// How much of the past is copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Most series that a subscription takes when it begins.
    pub(super) series: usize,
    /// Most time buckets of a subscription's history.
    pub(super) buckets: usize,
    /// Most time buckets of all histories that are not sent yet, of all connections.
    pub(super) buckets_waiting: usize,
    /// After so many time buckets a slice ends; the series at hand is copied to its end.
    pub(super) slice: usize,
}

/// A time bucket takes some 250 bytes, more where its values are spread wide.
pub(super) const BOUNDS: Bounds = Bounds { series: 2_000, buckets: 500_000, buckets_waiting: 1_000_000, slice: 4_000 };

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

impl Room {
    /// Takes room for so many time buckets more, where all together stay within `most`.
    fn take(&mut self, buckets: usize, most: usize) -> Result<(), NoRoom> {
        let before = self.waiting.0.fetch_add(buckets, Ordering::AcqRel);
        self.buckets += buckets;
        if before + buckets > most { Err(NoRoom) } else { Ok(()) }
    }

    /// Gives back the room of so many.
    fn give_back(&mut self, buckets: usize) {
        self.buckets -= buckets;
        self.waiting.0.fetch_sub(buckets, Ordering::AcqRel);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.waiting.0.fetch_sub(self.buckets, Ordering::AcqRel);
    }
}

/// Whether there is more to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Done,
}

/// A copy under way.
#[derive(Debug)]
pub(super) struct Gathering {
    pub(super) connection: ConnectionId,
    asked: Feed,
    now: TimestampMs,
    bounds: Bounds,
    room: Room,
    /// Selections with their series, in the order in which they were asked for.
    left: VecDeque<(Selection, Vec<SeriesId>)>,
    /// Of the first of `left`: how many of its series are seen to.
    seen: usize,
    /// Of the first of `left`: what is copied, and of which series.
    current: Vec<(DurationMs, Stretch)>,
    current_series: Vec<SeriesId>,
    current_buckets: usize,
    /// Of all selections before.
    copied: BTreeSet<SeriesId>,
    buckets: usize,
    tiers: BTreeMap<DurationMs, Vec<Stretch>>,
    taken: Vec<Selection>,
    refused: Vec<Refused>,
}

impl Gathering {
    /// Finds the series of `feed` as of now, and leaves out selections that have by far too many. All series
    /// of all selections come with it: what comes of any other is live from now on. Cost: O(series found).
    pub(super) fn begin(
        connection: ConnectionId,
        feed: &Feed,
        engine: &Engine,
        now: TimestampMs,
        waiting: &Waiting,
        bounds: Bounds,
    ) -> (Self, BTreeSet<SeriesId>) {
        let mut refused = Vec::new();
        let mut all: BTreeSet<SeriesId> = BTreeSet::new();
        let mut left = VecDeque::new();
        for selection in feed.selections.iter().cloned() {
            let ids: Vec<_> = engine.matching(&selection.name, &selection.matchers).collect();
            // Too many, however many of them others take as well.
            if ids.len() > 2 * bounds.series {
                let (metric, found, most) = (selection.name.clone(), ids.len(), bounds.series);
                refused.push(Refused { selection, reason: Refusal::TooManySeries { metric, found, taken: 0, most } });
                continue;
            }
            all.extend(&ids);
            left.push_back((selection, ids));
        }
        let gathering = Self {
            connection,
            asked: feed.clone(),
            now,
            bounds,
            room: Room { waiting: waiting.clone(), buckets: 0 },
            left,
            seen: 0,
            current: Vec::new(),
            current_series: Vec::new(),
            current_buckets: 0,
            copied: BTreeSet::new(),
            buckets: 0,
            tiers: BTreeMap::new(),
            taken: Vec::new(),
            refused,
        };
        (gathering, all)
    }

    /// Copies the next slice of what `engine` holds, and notes in `joining` which series are copied.
    ///
    /// # Errors
    /// [`NoRoom`] where too much waits already in all.
    pub(super) fn slice(&mut self, engine: &Engine, joining: &mut Joining) -> Result<Progress, NoRoom> {
        let mut copied = 0;
        while let Some((selection, ids)) = self.left.front() {
            let Some(id) = ids.get(self.seen).copied() else {
                self.end_selection();
                continue;
            };
            if copied >= self.bounds.slice {
                return Ok(Progress::More);
            }
            let (taken, most) = (self.copied.len(), self.bounds.series);
            let found = if self.seen == 0 { ids.iter().filter(|id| !self.copied.contains(id)).count() } else { 0 };
            if taken + found > most {
                let metric = selection.name.clone();
                self.refuse_selection(Refusal::TooManySeries { metric, found, taken, most }, joining);
                continue;
            }
            self.seen += 1;
            if self.copied.contains(&id) {
                continue;
            }
            let most = self.bounds.buckets - self.buckets - self.current_buckets;
            let Some((count, stretches)) = copy(id, &self.asked, engine, self.now, most) else {
                let (metric, range, most) = (selection.name.clone(), selection.range, self.bounds.buckets);
                self.refuse_selection(Refusal::HistoryTooLong { metric, range, most }, joining);
                continue;
            };
            copied += count.max(1);
            self.room.take(count, self.bounds.buckets_waiting)?;
            self.current_buckets += count;
            self.current.extend(stretches);
            self.current_series.push(id);
            joining.copied(self.connection, id);
        }
        Ok(Progress::Done)
    }

    /// All series of the selection at hand are copied.
    fn end_selection(&mut self) {
        for (width, stretch) in self.current.drain(..) {
            self.tiers.entry(width).or_default().push(stretch);
        }
        self.copied.extend(self.current_series.drain(..));
        self.buckets += std::mem::take(&mut self.current_buckets);
        self.seen = 0;
        self.taken.extend(self.left.pop_front().map(|(selection, _)| selection));
    }

    /// The selection at hand is left out.
    fn refuse_selection(&mut self, reason: Refusal, joining: &mut Joining) {
        joining.given_up(self.connection, &self.current_series);
        self.current.clear();
        self.current_series.clear();
        self.room.give_back(std::mem::take(&mut self.current_buckets));
        self.seen = 0;
        self.refused.extend(self.left.pop_front().map(|(selection, _)| Refused { selection, reason }));
    }

    /// The history up to `place`, with what came `beside` the copies. Its feed is what was asked for less what
    /// is refused.
    pub(super) fn finish(self, engine: &Engine, beside: &Steps, place: Place) -> (History, Vec<Refused>) {
        let feed = Feed { selections: self.taken, ..self.asked };
        let mut tiers: Vec<(DurationMs, Vec<Stretch>)> = self.tiers.into_iter().rev().collect();
        let beside = beside.iter().filter(|(id, _)| feed.takes(engine.key(**id)));
        let beside: Vec<_> = beside
            .map(|(id, steps)| Stretch {
                key: engine.key(*id).clone(),
                kind: engine.series_kind(*id),
                buckets: steps.iter().map(|(end, summary)| (*end, summary.clone())).collect(),
            })
            .collect();
        if !beside.is_empty() {
            tiers.push((STEP, beside));
        }
        (History { feed, place, tiers, restated: Vec::new(), until: None, _room: self.room }, self.refused)
    }
}

/// Copies the past of a series, by the width of its time buckets, with how many they are; `None` as soon as they
/// are more than `most`.
fn copy(
    id: SeriesId,
    feed: &Feed,
    engine: &Engine,
    now: TimestampMs,
    most: usize,
) -> Option<(usize, Vec<(DurationMs, Stretch)>)> {
    let (key, kind) = (engine.key(id), engine.series_kind(id));
    let mut count = 0;
    let mut widths: BTreeMap<DurationMs, Vec<(TimestampMs, Summary)>> = BTreeMap::new();
    for bucket in engine.history(id, now - feed.range_of(key)) {
        count += 1;
        if count > most {
            return None;
        }
        widths.entry(bucket.width).or_default().push((bucket.end, bucket.summary.into_owned()));
    }
    let stretches = widths.into_iter().map(|(width, mut buckets)| {
        buckets.sort_by_key(|(end, _)| *end);
        (width, Stretch { key: key.clone(), kind, buckets })
    });
    Some((count, stretches.collect()))
}

#[cfg(test)]
mod tests {
    use super::super::fanout::Fanout;
    use super::super::feed::{Encoding, Resolution};
    use super::super::queue;
    use super::*;
    use bellwether_core::engine::EngineConfig;
    use bellwether_core::labels::{Labels, SeriesKey};
    use bellwether_core::sample::Kind;
    use bellwether_core::sample::Sample;

    const NOW: TimestampMs = TimestampMs::new(1_795_000_000_000);
    const PLACE: Place = Place { epoch: 1, seq: 2 };
    const SMALL: Bounds = Bounds { series: 5, buckets: 100, buckets_waiting: 150, slice: 30 };

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

    /// A whole history, and the number of slices that it took.
    fn gather(feed: &Feed, engine: &Engine, waiting: &Waiting) -> Result<(History, Vec<Refused>, usize), NoRoom> {
        let id = Fanout::default().connect(queue::queue(queue::LiveRoom::USUAL).0);
        let (mut gathering, series) = Gathering::begin(id, feed, engine, NOW, waiting, SMALL);
        let mut joining = Joining::default();
        joining.begin(id, feed.clone(), series);
        let mut slices = 1;
        while gathering.slice(engine, &mut joining)? == Progress::More {
            slices += 1;
        }
        let (history, refused) = gathering.finish(engine, &joining.end(id).unwrap(), PLACE);
        Ok((history, refused, slices))
    }

    fn buckets(history: &History) -> usize {
        history.tiers.iter().flat_map(|(_, stretches)| stretches).map(|stretch| stretch.buckets.len()).sum()
    }

    #[test]
    fn what_is_too_large_is_named_and_the_rest_goes_on() {
        let engine = engine(&[("few", 2, 3), ("many", 6, 1), ("long", 1, 101), ("last", 3, 1)]);
        let feed = feed(&["many", "few", "long", "few", "last"]);
        let (history, refusals, _) = gather(&feed, &engine, &Waiting::default()).unwrap();
        assert_eq!(names(&history.feed), ["few", "few", "last"], "live values are of the same");
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
        let of = |waiting: &Waiting| gather(&feed(&["m"]), &engine, waiting);
        let (first, ..) = of(&waiting).unwrap();
        assert_eq!(of(&waiting).err(), Some(NoRoom));
        drop(first);
        let (again, refusals, _) = of(&waiting).unwrap();
        assert_eq!((buckets(&again), refusals), (80, Vec::new()));
        // What is left out gives its room back.
        let long = self::engine(&[("long", 2, 60)]);
        drop(again);
        let (kept, refusals, _) = gather(&feed(&["long"]), &long, &waiting).unwrap();
        assert_eq!((buckets(&kept), refusals.len(), waiting.0.load(Ordering::Acquire)), (0, 1, 0));
    }

    #[test]
    fn a_slice_ends_with_the_series_that_is_one_too_many() {
        let engine = engine(&[("m", 4, 20)]);
        let (history, _, slices) = gather(&feed(&["m"]), &engine, &Waiting::default()).unwrap();
        assert_eq!((buckets(&history), slices), (80, 2));
    }
}
