//! The past of a subscription as of an instant of the past: from the store, in an engine whose clock stands at that
//! instant, so that its last minutes are told as finely as those of now.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use bellwether_core::engine::{Engine, EngineConfig};
use bellwether_core::labels::MetricName;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::frame::{ServerFrame, Subscribe};

use super::fanout::{ConnectionId, Steps};
use super::feed::Feed;
use super::gather::{self, Gathering, NoRoom, Progress};
use super::joining::Joining;
use super::{
    Hub, MAX_HISTORIES_WAITING, Outbound, Past, PastError, Refill, State, SubscribeError, encode, refusal_frames,
};
use crate::store::{Recovered, Selection, SeriesIx, Snapshot};

/// So much before the instant is read sample by sample: as far back as an engine tells minutes apart.
const RAW_SPAN: DurationMs = DurationMs::from_hours(24);
const HOUR: DurationMs = DurationMs::from_hours(1);
/// What is asked for no farther back is read together.
const NEAR: DurationMs = DurationMs::from_hours(25);
/// Most samples and summaries that are read for one subscription: some seconds of one core.
const MOST_PIECES: usize = 10_000_000;

/// A subscription to the past, checked.
#[derive(Debug)]
pub(crate) struct AskedPast {
    connection: ConnectionId,
    feed: Feed,
    until: TimestampMs,
    config: EngineConfig,
}

impl Hub {
    /// Checks a subscription that ends at `until`, which may not be after `now`.
    ///
    /// # Errors
    /// [`SubscribeError`] where none of it can be had.
    pub(crate) fn ask_past(
        &self,
        connection: ConnectionId,
        subscribe: Subscribe,
        until: TimestampMs,
        now: TimestampMs,
    ) -> Result<AskedPast, SubscribeError> {
        let feed = Feed::try_from(subscribe)?;
        let state = self.state();
        if state.fanout.histories_waiting(connection) >= MAX_HISTORIES_WAITING {
            return Err(SubscribeError::TooManyHistories);
        }
        Ok(AskedPast { connection, feed, until: until.min(now), config: state.engine.config().clone() })
    }

    /// Reads what was asked for from `snapshot` and sends it; nothing live follows. The hub is not locked meanwhile. It
    /// takes as long as the disk and so many samples take.
    ///
    /// # Errors
    /// [`PastError`] where not all of it can be read; within, [`SubscribeError`] where too much waits to be sent.
    pub(crate) fn send_past(
        &self,
        snapshot: &Snapshot,
        asked: AskedPast,
    ) -> Result<Result<(), SubscribeError>, PastError> {
        let AskedPast { connection, feed, until, config } = asked;
        let Bygone { engine, until } = bygone(snapshot, &feed, until, &config)?;
        let histories = self.state().histories.clone();
        let (mut gathering, _) = Gathering::begin(connection, &feed, &engine, until, &histories, gather::BOUNDS);
        let mut joining = Joining::default();
        loop {
            match gathering.slice(&engine, &mut joining) {
                Ok(Progress::More) => {}
                Ok(Progress::Done) => break,
                Err(NoRoom) => return Ok(Err(SubscribeError::Busy)),
            }
        }
        let mut state = self.state();
        let State { fanout, place, restated, .. } = &mut *state;
        let (mut history, refused) = gathering.finish(&engine, &Steps::new(), *place);
        history.restated = restated.spans(&history.feed, until);
        history.until = Some(until);
        for frame in refusal_frames(history.feed.id, refused) {
            fanout.push(connection, Outbound::Reply(encode::text(&ServerFrame::Error(frame))));
        }
        fanout.push(connection, Outbound::Past(Past::History(Box::new(history))));
        Ok(Ok(()))
    }
}

/// What was known at an instant.
struct Bygone {
    engine: Engine,
    /// The instant: the one that was asked for, or the whole hour before it where samples of its day are gone or too
    /// many.
    until: TimestampMs,
}

/// Reads what `feed` asks for up to `until`.
///
/// # Errors
/// [`PastError`] where not all of it can be read.
fn bygone(snapshot: &Snapshot, feed: &Feed, until: TimestampMs, config: &EngineConfig) -> Result<Bygone, PastError> {
    let hour = hour_before(until);
    let fine = read(snapshot, feed, until, hour_before(until - RAW_SPAN), config);
    match fine {
        // Summaries of hours outlive their samples.
        Ok(fine) if fine.raw_in_hours >= count_in_hours(snapshot, feed, until)? => {
            return Ok(Bygone { engine: fine.engine, until });
        }
        Ok(_) | Err(PastError::TooMuch { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(Bygone { engine: read(snapshot, feed, hour, hour, config)?.engine, until: hour })
}

fn hour_before(at: TimestampMs) -> TimestampMs {
    let hour = HOUR.as_millis() as i64;
    TimestampMs::new(at.get().div_euclid(hour).saturating_mul(hour))
}

/// Where the first hour of the last day before `until` begins that has a part of `range`. It is read whole, so that it can
/// be told from its summary whether its samples are all there.
fn first_hour(until: TimestampMs, range: DurationMs) -> TimestampMs {
    hour_before(until - range).max(hour_before(until - RAW_SPAN))
}

/// The metrics of `feed` in two readings, with how far back the farthest of each goes: a figure over a quarter is no
/// reason to read a quarter of all others.
fn readings(feed: &Feed) -> impl Iterator<Item = (BTreeSet<MetricName>, DurationMs)> {
    let (near, far): (Vec<_>, Vec<_>) = feed.selections.iter().partition(|selection| selection.range <= NEAR);
    let far_names: BTreeSet<_> = far.iter().map(|selection| selection.name.clone()).collect();
    let near = near.into_iter().filter(|selection| !far_names.contains(&selection.name)).collect();
    [near, far].into_iter().filter(|part: &Vec<_>| !part.is_empty()).map(|part| {
        let range = part.iter().map(|selection| selection.range).max().unwrap_or_default();
        (part.iter().map(|selection| selection.name.clone()).collect(), range)
    })
}

struct ReadPast {
    engine: Engine,
    /// Samples that were read one by one, of the whole hours of the last day.
    raw_in_hours: u64,
}

fn read(
    snapshot: &Snapshot,
    feed: &Feed,
    until: TimestampMs,
    raw_from: TimestampMs,
    config: &EngineConfig,
) -> Result<ReadPast, PastError> {
    let mut engine = Engine::new(config.clone())?;
    let hour = hour_before(until);
    let (mut pieces, mut raw_in_hours) = (0, 0);
    for (metrics, range) in readings(feed) {
        let first = first_hour(until, range);
        let selection = Selection { metrics, from: hour_before(until - range), to: until, ..Selection::default() };
        let mut refill = Refill::new(&mut engine, until);
        let mut wanted: BTreeSet<SeriesIx> = BTreeSet::new();
        let faults = snapshot.past(&selection, raw_from, &mut |piece| {
            let is_in = |at: TimestampMs| at > first && at <= hour;
            match &piece {
                Recovered::Series(series) if feed.takes(&series.key) => {
                    wanted.insert(series.ix);
                }
                Recovered::Samples { series, samples } if wanted.contains(series) => {
                    raw_in_hours += samples.iter().filter(|sample| is_in(sample.timestamp())).count() as u64;
                }
                Recovered::Hour { series, width, bucket_end, summary } if wanted.contains(series) => {
                    let is_fine = *width < HOUR && is_in(*bucket_end);
                    raw_in_hours += if is_fine { summary.count } else { 0 };
                }
                _ => return ControlFlow::Continue(()),
            }
            pieces += 1;
            refill.take(piece);
            if pieces > MOST_PIECES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if pieces > MOST_PIECES {
            return Err(PastError::TooMuch { most: MOST_PIECES });
        }
        if let Some(fault) = faults.into_iter().next() {
            return Err(PastError::Damaged(fault));
        }
    }
    engine.advance(until);
    Ok(ReadPast { engine, raw_in_hours })
}

/// How many samples the summaries of the whole hours of the last day before `until` tell of.
fn count_in_hours(snapshot: &Snapshot, feed: &Feed, until: TimestampMs) -> Result<u64, PastError> {
    let (hour, mut count) = (hour_before(until), 0);
    for (metrics, range) in readings(feed) {
        let from = first_hour(until, range);
        if from >= hour {
            continue;
        }
        let selection = Selection { metrics, from, to: hour, ..Selection::default() };
        let mut wanted: BTreeSet<SeriesIx> = BTreeSet::new();
        snapshot.past(&selection, hour, &mut |piece| {
            match piece {
                Recovered::Series(series) if feed.takes(&series.key) => {
                    wanted.insert(series.ix);
                }
                Recovered::Hour { series, summary, .. } if wanted.contains(&series) => count += summary.count,
                _ => {}
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_names_the_bounds() {
        const DOCUMENT: &str = include_str!("../../../../docs/formats/live-feed.md");
        let section = DOCUMENT.split("### As of then").nth(1).and_then(|text| text.split("\n### ").next()).unwrap();
        assert_eq!((MOST_PIECES, RAW_SPAN), (10_000_000, DurationMs::from_hours(24)));
        assert!(section.contains("more than ten million") && section.contains("in minutes for 24 hours"), "{section}");
    }
}
