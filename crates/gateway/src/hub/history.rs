//! What a new subscription is sent first: the engine's past, copied under the hub's lock, encoded
//! and sent afterwards.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::engine::{Engine, SeriesId};
use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::Kind;
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};

use super::encode;
use super::feed::{Feed, Place};
use super::queue::Frame;

/// Most time buckets of one frame, so that a socket gets the past in pieces.
const MAX_BUCKETS_A_FRAME: usize = 2_000;

/// The time buckets of one series in one tier, oldest first.
#[derive(Debug)]
pub(crate) struct Stretch {
    pub(crate) key: SeriesKey,
    pub(crate) kind: Kind,
    /// End and content of each.
    pub(crate) buckets: Vec<(TimestampMs, Summary)>,
}

/// The past of a subscription, up to the place where its live values begin.
#[derive(Debug)]
pub(crate) struct History {
    feed: Feed,
    place: Place,
    /// By the width of the time buckets, coarsest (and so oldest) first.
    tiers: Vec<(DurationMs, Vec<Stretch>)>,
}

impl History {
    /// Copies what `engine` holds of the feed's series. Cost: O(time buckets copied).
    pub(super) fn of(
        feed: &Feed,
        series: &BTreeSet<SeriesId>,
        engine: &Engine,
        now: TimestampMs,
        place: Place,
    ) -> Self {
        let mut tiers: BTreeMap<DurationMs, Vec<Stretch>> = BTreeMap::new();
        for id in series {
            let (key, kind) = (engine.key(*id), engine.series_kind(*id));
            let from = now - feed.range_of(key);
            let mut widths: BTreeMap<DurationMs, Vec<(TimestampMs, Summary)>> = BTreeMap::new();
            for bucket in engine.history(*id, from) {
                widths.entry(bucket.width).or_default().push((bucket.end, bucket.summary.into_owned()));
            }
            for (width, mut buckets) in widths {
                buckets.sort_by_key(|(end, _)| *end);
                tiers.entry(width).or_default().push(Stretch { key: key.clone(), kind, buckets });
            }
        }
        Self { feed: feed.clone(), place, tiers: tiers.into_iter().rev().collect() }
    }

    /// The frames of this past, made one at a time, and last the one that says that it is complete.
    pub(crate) fn frames(&self) -> impl Iterator<Item = Frame> + '_ {
        let pieces =
            self.tiers.iter().flat_map(|(width, stretches)| pieces(stretches).map(move |piece| (*width, piece)));
        let frames = pieces.flat_map(|(width, piece)| encode::history(&self.feed, self.place, width, &piece));
        frames.chain(std::iter::once_with(|| encode::subscribed(&self.feed, self.place)))
    }
}

/// A part of a stretch.
pub(crate) type Piece<'a> = (&'a Stretch, &'a [(TimestampMs, Summary)]);

/// Cuts stretches into pieces of a frame's size; a frame holds pieces of several series.
fn pieces(stretches: &[Stretch]) -> impl Iterator<Item = Vec<Piece<'_>>> {
    let mut parts = stretches
        .iter()
        .flat_map(|stretch| stretch.buckets.chunks(MAX_BUCKETS_A_FRAME).map(move |buckets| (stretch, buckets)))
        .peekable();
    std::iter::from_fn(move || {
        let first = parts.next()?;
        let mut count = first.1.len();
        let mut frame = vec![first];
        while let Some(part) = parts.next_if(|(_, buckets)| count + buckets.len() <= MAX_BUCKETS_A_FRAME) {
            count += part.1.len();
            frame.push(part);
        }
        Some(frame)
    })
}
