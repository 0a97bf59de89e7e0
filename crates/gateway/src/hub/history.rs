//! What a new subscription is sent first: the engine's past, copied under the hub's lock, encoded
//! and sent afterwards.

use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::Kind;
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::frame::RestatedSpan;

use super::encode;
use super::feed::{Feed, Place};
use super::gather::Room;
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
    pub(super) feed: Feed,
    pub(super) place: Place,
    /// By the width of the time buckets, coarsest (and so oldest) first.
    pub(super) tiers: Vec<(DurationMs, Vec<Stretch>)>,
    /// Where stored samples of its series were changed.
    pub(super) restated: Vec<RestatedSpan>,
    /// Where it ends before now, and nothing follows: the instant.
    pub(super) until: Option<TimestampMs>,
    /// What it takes of the bound of all histories, until it is dropped.
    pub(super) _room: Room,
}

impl History {
    /// The frames of this past, made one at a time, and last the one that says that it is complete.
    pub(crate) fn frames(&self) -> impl Iterator<Item = Frame> + '_ {
        let pieces =
            self.tiers.iter().flat_map(|(width, stretches)| pieces(stretches).map(move |piece| (*width, piece)));
        let frames = pieces.flat_map(|(width, piece)| encode::history(&self.feed, self.place, width, &piece));
        let last = || encode::subscribed(&self.feed, self.place, self.restated.clone(), self.until);
        frames.chain(std::iter::once_with(last))
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
