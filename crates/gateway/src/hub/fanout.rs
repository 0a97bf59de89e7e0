//! Who gets which live values: increments gathered once for all, a frame encoded once for all that
//! ask for the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_core::engine::{Engine, SeriesId};
use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::TimestampMs;
use bellwether_wire::frame::RestatedSpan;

use super::courier::Courier;
use super::encode;
use super::feed::{Feed, Place, Resolution, step_end};
use super::joining::Joining;
use super::log::Log;
use super::past::{Missed, Past};
use super::queue::{Frame, Outbound, Outlet, Pushed, QueueSender};

/// Names a live connection; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionId(u64);

/// Whether a connection takes what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Abreast,
    /// Its queue was full. Until it has drained nothing is queued; then it gets what it has missed.
    Behind,
}

/// A live connection.
#[derive(Debug)]
struct Connection {
    queue: QueueSender,
    pace: Pace,
    /// Whether something was queued since the last second ended.
    heard: bool,
    /// Seconds that ended since it was told the time.
    untold_secs: u32,
    hears: Hears,
}

impl Connection {
    /// Queues live frames, all or none of them; none where it is behind, and from now on it is where
    /// they find no room. See [`QueueSender::push_live`].
    fn push_live(&mut self, frames: &[Frame], due: Option<&mut Vec<Arc<Outlet>>>) -> Pushed {
        if self.pace == Pace::Behind {
            return Pushed::Full;
        }
        self.heard = true;
        let pushed = self.queue.push_live(frames, due);
        if pushed == Pushed::Full {
            self.pace = Pace::Behind;
        }
        pushed
    }
}

/// The longest that a connection is not told the time, in seconds, however much else it hears: a page
/// carries the gateway's clock on and must learn when one of the two was set or stood still.
const TICK_AT_LEAST_EVERY_SECS: u32 = 5;
/// How long a channel that nobody listens to goes on, for those who come back; longer than anybody waits
/// between two attempts.
const DESERTED_FOR_SECS: u32 = 120;
/// Most channels that nobody listens to.
const MOST_DESERTED: usize = 64;
/// Most bytes of frames that one channel keeps for those who come back or are slow.
const MAX_LOG_BYTES: usize = 8 * 1024 * 1024;
/// Most bytes of frames that all channels keep.
const MAX_LOGS_BYTES: usize = 64 * 1024 * 1024;

/// All connections that get the same live frames.
#[derive(Debug)]
struct Channel {
    feed: Feed,
    /// With the place up to where a connection that is behind has got the frames.
    members: BTreeMap<ConnectionId, Option<u64>>,
    takes: Takes,
    log: Log,
    /// Seconds since the last one left.
    deserted_secs: u32,
}

/// Which series a channel takes, by their number; found out when a series is first met.
#[derive(Debug, Default)]
pub(super) struct Takes(Vec<Option<bool>>);

impl Takes {
    pub(super) fn series(&mut self, id: SeriesId, engine: &Engine, takes: impl FnOnce(&Engine) -> bool) -> bool {
        let place = id.index();
        if self.0.len() <= place {
            self.0.resize(place + 1, None);
        }
        *self.0[place].get_or_insert_with(|| takes(engine))
    }
}

/// Samples gathered by series and step.
pub(super) type Steps = BTreeMap<SeriesId, BTreeMap<TimestampMs, Summary>>;

/// Adds a sample to what is gathered of its series.
pub(super) fn add_step(steps: &mut Steps, id: SeriesId, kind: Kind, sample: Sample) {
    let step = steps.entry(id).or_default().entry(step_end(sample.timestamp()));
    step.and_modify(|summary| summary.record(sample, kind)).or_insert_with(|| Summary::of(sample, kind));
}

/// Adds what a histogram added in the step that ends at `end`.
pub(super) fn merge_step(steps: &mut Steps, id: SeriesId, kind: Kind, end: TimestampMs, summary: &Summary) {
    let step = steps.entry(id).or_default().entry(end);
    step.and_modify(|before| before.merge(summary, kind)).or_insert_with(|| summary.clone());
}

/// What a channel takes of `steps`.
fn taken_steps<'a>(
    steps: &'a Steps,
    feed: &Feed,
    engine: &'a Engine,
    takes: &mut Takes,
) -> Vec<(&'a SeriesKey, Kind, &'a BTreeMap<TimestampMs, Summary>)> {
    let mut series = Vec::new();
    for (id, summaries) in steps {
        if takes.series(*id, engine, |engine| feed.takes(engine.key(*id))) {
            series.push((engine.key(*id), engine.series_kind(*id), summaries));
        }
    }
    series
}

/// What a connection is told without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hears {
    /// What is told to all.
    All,
    /// Nothing but the time: it may send and not read.
    OnlyAnswers,
}

/// What was recorded since the last flush and somebody waits for.
#[derive(Debug, Default)]
struct Increments {
    steps: Steps,
    raw: BTreeMap<SeriesId, Vec<Sample>>,
    /// What histograms added, for those who take each sample: there are none, so they get it at once.
    raw_steps: Steps,
    takes_steps: Takes,
    takes_raw: Takes,
}

/// Connections that did not keep up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stragglers {
    /// How many have still to take what waits.
    pub(crate) behind: usize,
    /// How many now get what they have missed.
    pub(crate) caught_up: usize,
}

/// The places of the last flushes.
#[derive(Debug, Default)]
struct Flushed {
    steps: u64,
    raw: u64,
}

/// The connections, their channels, and what is on the way to them.
#[derive(Debug, Default)]
pub(super) struct Fanout {
    next_id: u64,
    connections: BTreeMap<ConnectionId, Connection>,
    channels: Vec<Channel>,
    increments: Increments,
    flushed: Flushed,
    joining: Joining,
    /// `None` where each connection's task sends its own.
    courier: Option<Courier>,
}

impl Fanout {
    /// Has live frames carried by a courier from now on, or by nobody.
    pub(super) fn employ(&mut self, courier: Option<Courier>) {
        self.courier = courier;
    }

    /// Where the queues go that the courier is to see to.
    fn nobody_due(&self) -> Option<Vec<Arc<Outlet>>> {
        self.courier.is_some().then(Vec::new)
    }

    /// Has the courier see to these queues.
    fn call(&self, due: Option<Vec<Arc<Outlet>>>) {
        if let (Some(courier), Some(due)) = (&self.courier, due) {
            courier.see_to(due);
        }
    }

    /// Adds a connection.
    pub(super) fn connect(&mut self, queue: QueueSender) -> ConnectionId {
        let id = ConnectionId(self.next_id);
        self.next_id += 1;
        let connection = Connection { queue, pace: Pace::Abreast, heard: false, untold_secs: 0, hears: Hears::All };
        self.connections.insert(id, connection);
        id
    }

    /// Keeps from a connection what is told to all.
    pub(super) fn keep_news_from(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.hears = Hears::OnlyAnswers;
        }
    }

    /// Takes a connection out. Its channels go on for a while, for it may come back.
    pub(super) fn disconnect(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
        self.joining.end(id);
        for channel in &mut self.channels {
            channel.members.remove(&id);
        }
    }

    /// The histories that are being gathered.
    pub(super) fn joining(&mut self) -> &mut Joining {
        &mut self.joining
    }

    /// How many subscriptions a connection has, not counting the one numbered `besides`.
    pub(super) fn subscription_count(&self, id: ConnectionId, besides: u32) -> usize {
        let own = |channel: &&Channel| channel.members.contains_key(&id) && channel.feed.id != besides;
        self.channels.iter().filter(own).count()
    }

    /// How many histories wait to be sent on a connection.
    pub(super) fn histories_waiting(&self, id: ConnectionId) -> usize {
        self.connections.get(&id).map_or(0, |connection| connection.queue.histories())
    }

    /// Ends a connection's subscription of the number `subscription`.
    fn unsubscribe(&mut self, id: ConnectionId, subscription: u32) {
        for channel in self.channels.iter_mut().filter(|channel| channel.feed.id == subscription) {
            channel.members.remove(&id);
        }
    }

    /// Lets a connection have the live values of `feed` from now on. A subscription of the same
    /// number is replaced. [`Fanout::flush`] must come first, so that nothing of the past is left.
    pub(super) fn subscribe(&mut self, id: ConnectionId, feed: &Feed, place: Place) {
        self.unsubscribe(id, feed.id);
        match self.channels.iter_mut().find(|channel| channel.feed.same_frames(feed)) {
            Some(channel) => {
                channel.members.insert(id, None);
            }
            None => {
                let (members, takes, log) = (BTreeMap::from([(id, None)]), Takes::default(), Log::new(place.seq));
                self.channels.push(Channel { feed: feed.clone(), members, takes, log, deserted_secs: 0 });
                self.forget_takers();
            }
        }
    }

    /// Lets a connection go on with `feed` where it was cut off, at the place `seq`; `false`, and nothing
    /// changes, where what came since is gone. [`Fanout::flush`] must come first.
    pub(super) fn resume(
        &mut self,
        id: ConnectionId,
        feed: &Feed,
        seq: u64,
        place: Place,
        restated: impl FnOnce() -> Vec<RestatedSpan>,
    ) -> bool {
        let Some(index) = self.channels.iter().position(|channel| channel.feed.same_frames(feed)) else {
            return false;
        };
        let Some(frames) = self.channels[index].log.since(seq).filter(|_| seq <= place.seq) else { return false };
        self.unsubscribe(id, feed.id);
        self.channels[index].members.insert(id, None);
        self.push(id, Outbound::Past(Past::Rest { frames, last: encode::subscribed(feed, place, restated(), None) }));
        true
    }

    /// Who takes a series is found out anew after the channels have changed.
    fn forget_takers(&mut self) {
        self.increments.takes_steps = Takes::default();
        self.increments.takes_raw = Takes::default();
    }

    /// Notes a recorded sample for those who wait for it.
    pub(super) fn record(&mut self, engine: &Engine, id: SeriesId, kind: Kind, sample: Sample) {
        self.joining.record(engine, id, kind, sample);
        if self.channels.is_empty() {
            return;
        }
        let channels = &self.channels;
        let taken = |resolution| {
            move |engine: &Engine| {
                let key = engine.key(id);
                channels.iter().any(|channel| channel.feed.resolution == resolution && channel.feed.takes(key))
            }
        };
        let Increments { steps, raw, takes_steps, takes_raw, .. } = &mut self.increments;
        if takes_steps.series(id, engine, taken(Resolution::Step)) {
            add_step(steps, id, kind, sample);
        }
        if takes_raw.series(id, engine, taken(Resolution::Raw)) {
            raw.entry(id).or_default().push(sample);
        }
    }

    /// Gathers what a histogram added in the step that ends at `end`.
    pub(super) fn merge(&mut self, engine: &Engine, id: SeriesId, kind: Kind, end: TimestampMs, summary: &Summary) {
        self.joining.merge(engine, id, kind, end, summary);
        if self.channels.is_empty() {
            return;
        }
        let channels = &self.channels;
        let taken = |resolution| {
            move |engine: &Engine| {
                let key = engine.key(id);
                channels.iter().any(|channel| channel.feed.resolution == resolution && channel.feed.takes(key))
            }
        };
        let Increments { steps, raw_steps, takes_steps, takes_raw, .. } = &mut self.increments;
        if takes_steps.series(id, engine, taken(Resolution::Step)) {
            merge_step(steps, id, kind, end, summary);
        }
        if takes_raw.series(id, engine, taken(Resolution::Raw)) {
            merge_step(raw_steps, id, kind, end, summary);
        }
    }

    /// Sends the raw samples that were recorded since the last time, and what histograms added.
    pub(super) fn flush_raw(&mut self, engine: &Engine, place: Place, now: TimestampMs) {
        let after = std::mem::replace(&mut self.flushed.raw, place.seq);
        if self.increments.raw.is_empty() && self.increments.raw_steps.is_empty() {
            return;
        }
        let raw = std::mem::take(&mut self.increments.raw);
        let raw_steps = std::mem::take(&mut self.increments.raw_steps);
        self.send(Resolution::Raw, after, place, now, |feed, takes| {
            let mut series = Vec::new();
            for (id, samples) in &raw {
                if takes.series(*id, engine, |engine| feed.takes(engine.key(*id))) {
                    series.push((engine.key(*id), engine.series_kind(*id), samples.as_slice()));
                }
            }
            encode::samples(feed, place, &series, &taken_steps(&raw_steps, feed, engine, takes))
        });
    }

    /// Sends all that was recorded since the last time.
    pub(super) fn flush(&mut self, engine: &Engine, place: Place, now: TimestampMs) {
        self.flush_raw(engine, place, now);
        let after = std::mem::replace(&mut self.flushed.steps, place.seq);
        if self.increments.steps.is_empty() {
            return;
        }
        let steps = std::mem::take(&mut self.increments.steps);
        self.send(Resolution::Step, after, place, now, |feed, takes| {
            encode::steps(feed, place, &taken_steps(&steps, feed, engine, takes))
        });
    }

    /// Encodes for each channel what leads from the place `after` to `place`, keeps it and sends it.
    fn send(
        &mut self,
        resolution: Resolution,
        after: u64,
        place: Place,
        now: TimestampMs,
        encode: impl Fn(&Feed, &mut Takes) -> Vec<Frame>,
    ) {
        let most = (MAX_LOGS_BYTES / self.channels.len().max(1)).min(MAX_LOG_BYTES);
        let (mut gone, mut due) = (Vec::new(), self.nobody_due());
        for channel in self.channels.iter_mut().filter(|channel| channel.feed.resolution == resolution) {
            let frames = encode(&channel.feed, &mut channel.takes);
            if frames.is_empty() {
                continue;
            }
            for (id, has) in &mut channel.members {
                let Some(connection) = self.connections.get_mut(id) else { continue };
                match connection.push_live(&frames, due.as_mut()) {
                    Pushed::Queued => {}
                    Pushed::Full => *has = has.or(Some(after)),
                    Pushed::Gone => gone.push(*id),
                }
            }
            channel.log.push(after, place.seq, frames, now, most);
        }
        self.call(due);
        self.let_go(gone);
    }

    /// Sends a frame to every connection; to those that are behind when they have caught up.
    pub(super) fn broadcast(&mut self, frame: &Frame) {
        let (mut gone, mut due) = (Vec::new(), self.nobody_due());
        for (id, connection) in self.connections.iter_mut().filter(|(_, connection)| connection.hears == Hears::All) {
            if connection.push_live(std::slice::from_ref(frame), due.as_mut()) == Pushed::Gone {
                gone.push(*id);
            }
        }
        self.call(due);
        self.let_go(gone);
    }

    /// Brings those that are behind and have taken all that waited up to `place`: what they have missed
    /// comes as one frame a channel, then `newest`, the frames that hold what was broadcast. Those for whom
    /// it is gone are let go. [`Fanout::flush`] must come first.
    pub(super) fn catch_up(&mut self, place: Place, newest: impl FnOnce() -> Vec<Frame>) -> Stragglers {
        let newest = std::cell::LazyCell::new(newest);
        let behind = self.connections.iter_mut().filter(|(_, connection)| connection.pace == Pace::Behind);
        let (mut gone, mut stragglers) = (Vec::new(), Stragglers::default());
        for (id, connection) in behind {
            let missing = |channel: &&mut Channel| channel.members.get(id).copied().flatten();
            let mut channels: Vec<_> = self.channels.iter_mut().filter(|channel| missing(channel).is_some()).collect();
            if channels.iter().any(|channel| missing(channel).is_some_and(|has| channel.log.is_gone(has))) {
                connection.queue.give_up();
                gone.push(*id);
                continue;
            }
            if !connection.queue.is_drained() {
                stragglers.behind += 1;
                continue;
            }
            let mut queued = true;
            for channel in &mut channels {
                let has = channel.members.insert(*id, None).flatten();
                let frames = has.and_then(|has| channel.log.since(has)).unwrap_or_default();
                let missed = Missed { feed: channel.feed.clone(), place, frames };
                queued &= connection.queue.push(Outbound::Past(Past::Missed(Box::new(missed))));
            }
            let news = if connection.hears == Hears::All { newest.as_slice() } else { &[] };
            for frame in news.iter().cloned() {
                queued &= connection.queue.push(Outbound::Reply(frame));
            }
            if !queued {
                gone.push(*id);
            }
            connection.pace = Pace::Abreast;
            stragglers.caught_up += 1;
        }
        self.let_go(gone);
        stragglers
    }

    /// Lets go of everybody who follows one of these series, of which what was sent is not right any more, and
    /// forgets what was sent: who comes back cannot go on where it was.
    pub(super) fn restate(&mut self, series: &[SeriesKey]) {
        let mut gone = self.joining.taking(series);
        self.channels.retain(|channel| {
            let takes = series.iter().any(|key| channel.feed.takes(key));
            if takes {
                gone.extend(channel.members.keys());
            }
            !takes
        });
        for id in &gone {
            if let Some(connection) = self.connections.get(id) {
                connection.queue.restate();
            }
        }
        self.let_go(gone);
        self.forget_takers();
    }

    /// Ends a second: tells the time to the connections that heard nothing in it, and to all others
    /// every [`TICK_AT_LEAST_EVERY_SECS`]; channels that nobody has come back to end.
    pub(super) fn tick(&mut self, frame: impl FnOnce() -> Frame) {
        let (mut gone, mut due) = (Vec::new(), self.nobody_due());
        let frame = std::cell::LazyCell::new(frame);
        for (id, connection) in &mut self.connections {
            connection.untold_secs += 1;
            if !connection.heard || connection.untold_secs >= TICK_AT_LEAST_EVERY_SECS {
                connection.untold_secs = 0;
                if connection.push_live(std::slice::from_ref(&*frame), due.as_mut()) == Pushed::Gone {
                    gone.push(*id);
                }
            }
            connection.heard = false;
        }
        self.call(due);
        self.let_go(gone);
        self.end_deserted();
    }

    fn end_deserted(&mut self) {
        let before = self.channels.len();
        let mut deserted = 0;
        for channel in &mut self.channels {
            channel.deserted_secs = if channel.members.is_empty() { channel.deserted_secs + 1 } else { 0 };
            deserted += usize::from(channel.members.is_empty());
        }
        // The oldest channels stand first.
        let mut too_many = deserted.saturating_sub(MOST_DESERTED);
        self.channels.retain(|channel| {
            let ends = channel.members.is_empty() && (too_many > 0 || channel.deserted_secs > DESERTED_FOR_SECS);
            too_many = too_many.saturating_sub(usize::from(ends));
            !ends
        });
        if self.channels.len() < before {
            self.forget_takers();
        }
    }

    /// Queues what one connection asked for.
    pub(super) fn push(&mut self, id: ConnectionId, outbound: Outbound) {
        let gone = self.connections.get(&id).is_some_and(|connection| !connection.queue.push(outbound));
        if gone {
            self.disconnect(id);
        }
    }

    /// Drops the hub's end of the queues of those who are gone or do not keep up; their tasks then close.
    fn let_go(&mut self, gone: Vec<ConnectionId>) {
        for id in gone {
            self.disconnect(id);
        }
    }
}

#[cfg(test)]
mod tests;
