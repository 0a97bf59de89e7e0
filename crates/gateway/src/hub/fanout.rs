//! Who gets which live values: increments gathered once for all, a frame encoded once for all that
//! ask for the same.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::engine::{Engine, SeriesId};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::TimestampMs;

use super::encode;
use super::feed::{Feed, Place, Resolution, step_end};
use super::queue::{Frame, Outbound, Pushed, QueueSender};

/// Names a live connection; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionId(u64);

/// A live connection.
#[derive(Debug)]
struct Connection {
    queue: QueueSender,
    /// Whether something was queued since the last second ended.
    heard: bool,
    /// Seconds that ended since it was told the time.
    untold_secs: u32,
}

/// The longest that a connection is not told the time, in seconds, however much else it hears: a page
/// carries the gateway's clock on and must learn when one of the two was set or stood still.
const TICK_AT_LEAST_EVERY_SECS: u32 = 5;

/// All connections that get the same live frames.
#[derive(Debug)]
struct Channel {
    feed: Feed,
    members: BTreeSet<ConnectionId>,
    takes: Takes,
}

/// Which series a channel takes, by their number; found out when a series is first met.
#[derive(Debug, Default)]
struct Takes(Vec<Option<bool>>);

impl Takes {
    fn series(&mut self, id: SeriesId, engine: &Engine, takes: impl FnOnce(&Engine) -> bool) -> bool {
        let place = id.index();
        if self.0.len() <= place {
            self.0.resize(place + 1, None);
        }
        *self.0[place].get_or_insert_with(|| takes(engine))
    }
}

/// What was recorded since the last flush and somebody waits for.
#[derive(Debug, Default)]
struct Increments {
    steps: BTreeMap<SeriesId, BTreeMap<TimestampMs, Summary>>,
    raw: BTreeMap<SeriesId, Vec<Sample>>,
    takes_steps: Takes,
    takes_raw: Takes,
}

/// The connections, their channels, and what is on the way to them.
#[derive(Debug, Default)]
pub(super) struct Fanout {
    next_id: u64,
    connections: BTreeMap<ConnectionId, Connection>,
    channels: Vec<Channel>,
    increments: Increments,
}

impl Fanout {
    /// Adds a connection.
    pub(super) fn connect(&mut self, queue: QueueSender) -> ConnectionId {
        let id = ConnectionId(self.next_id);
        self.next_id += 1;
        self.connections.insert(id, Connection { queue, heard: false, untold_secs: 0 });
        id
    }

    /// Takes a connection out.
    pub(super) fn disconnect(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
        for channel in &mut self.channels {
            channel.members.remove(&id);
        }
        self.channels.retain(|channel| !channel.members.is_empty());
        self.forget_takers();
    }

    /// How many subscriptions a connection has, not counting the one numbered `besides`.
    pub(super) fn subscription_count(&self, id: ConnectionId, besides: u32) -> usize {
        let own = |channel: &&Channel| channel.members.contains(&id) && channel.feed.id != besides;
        self.channels.iter().filter(own).count()
    }

    /// How many histories wait to be sent on a connection.
    pub(super) fn histories_waiting(&self, id: ConnectionId) -> usize {
        self.connections.get(&id).map_or(0, |connection| connection.queue.histories())
    }

    /// Lets a connection have the live values of `feed` from now on. A subscription of the same
    /// number is replaced. [`Fanout::flush`] must come first, so that nothing of the past is left.
    pub(super) fn subscribe(&mut self, id: ConnectionId, feed: &Feed) {
        for channel in self.channels.iter_mut().filter(|channel| channel.feed.id == feed.id) {
            channel.members.remove(&id);
        }
        self.channels.retain(|channel| !channel.members.is_empty());
        match self.channels.iter_mut().find(|channel| channel.feed.same_frames(feed)) {
            Some(channel) => {
                channel.members.insert(id);
            }
            None => self.channels.push(Channel {
                feed: feed.clone(),
                members: BTreeSet::from([id]),
                takes: Takes::default(),
            }),
        }
        self.forget_takers();
    }

    /// Who takes a series is found out anew after the channels have changed.
    fn forget_takers(&mut self) {
        self.increments.takes_steps = Takes::default();
        self.increments.takes_raw = Takes::default();
    }

    /// Notes a recorded sample for those who wait for it.
    pub(super) fn record(&mut self, engine: &Engine, id: SeriesId, kind: Kind, sample: Sample) {
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
        let Increments { steps, raw, takes_steps, takes_raw } = &mut self.increments;
        if takes_steps.series(id, engine, taken(Resolution::Step)) {
            let step = steps.entry(id).or_default().entry(step_end(sample.timestamp()));
            step.and_modify(|summary| summary.record(sample, kind)).or_insert_with(|| Summary::of(sample, kind));
        }
        if takes_raw.series(id, engine, taken(Resolution::Raw)) {
            raw.entry(id).or_default().push(sample);
        }
    }

    /// Sends the raw samples that were recorded since the last time.
    pub(super) fn flush_raw(&mut self, engine: &Engine, place: Place) {
        if self.increments.raw.is_empty() {
            return;
        }
        let raw = std::mem::take(&mut self.increments.raw);
        self.send(Resolution::Raw, |feed, takes| {
            let mut series = Vec::new();
            for (id, samples) in &raw {
                if takes.series(*id, engine, |engine| feed.takes(engine.key(*id))) {
                    series.push((engine.key(*id), engine.series_kind(*id), samples.as_slice()));
                }
            }
            encode::samples(feed, place, &series)
        });
    }

    /// Sends all that was recorded since the last time.
    pub(super) fn flush(&mut self, engine: &Engine, place: Place) {
        self.flush_raw(engine, place);
        if self.increments.steps.is_empty() {
            return;
        }
        let steps = std::mem::take(&mut self.increments.steps);
        self.send(Resolution::Step, |feed, takes| {
            let mut series = Vec::new();
            for (id, summaries) in &steps {
                if takes.series(*id, engine, |engine| feed.takes(engine.key(*id))) {
                    series.push((engine.key(*id), engine.series_kind(*id), summaries));
                }
            }
            encode::steps(feed, place, &series)
        });
    }

    fn send(&mut self, resolution: Resolution, encode: impl Fn(&Feed, &mut Takes) -> Vec<Frame>) {
        let mut lost = Vec::new();
        for channel in self.channels.iter_mut().filter(|channel| channel.feed.resolution == resolution) {
            let frames = encode(&channel.feed, &mut channel.takes);
            if frames.is_empty() {
                continue;
            }
            for id in &channel.members {
                if let Some(connection) = self.connections.get_mut(id) {
                    connection.heard = true;
                    if connection.queue.push_live(&frames) != Pushed::Queued {
                        lost.push(*id);
                    }
                }
            }
        }
        self.let_go(lost);
    }

    /// Sends a frame to every connection.
    pub(super) fn broadcast(&mut self, frame: &Frame) {
        let mut lost = Vec::new();
        for (id, connection) in &mut self.connections {
            connection.heard = true;
            if connection.queue.push_live(std::slice::from_ref(frame)) != Pushed::Queued {
                lost.push(*id);
            }
        }
        self.let_go(lost);
    }

    /// Ends a second: tells the time to the connections that heard nothing in it, and to all others
    /// every [`TICK_AT_LEAST_EVERY_SECS`].
    pub(super) fn tick(&mut self, frame: impl FnOnce() -> Frame) {
        let mut lost = Vec::new();
        let frame = std::cell::LazyCell::new(frame);
        for (id, connection) in &mut self.connections {
            connection.untold_secs += 1;
            if !connection.heard || connection.untold_secs >= TICK_AT_LEAST_EVERY_SECS {
                connection.untold_secs = 0;
                if connection.queue.push_live(std::slice::from_ref(&*frame)) != Pushed::Queued {
                    lost.push(*id);
                }
            }
            connection.heard = false;
        }
        self.let_go(lost);
    }

    /// Queues what one connection asked for.
    pub(super) fn push(&mut self, id: ConnectionId, outbound: Outbound) {
        let gone = self.connections.get(&id).is_some_and(|connection| !connection.queue.push(outbound));
        if gone {
            self.disconnect(id);
        }
    }

    /// Drops the hub's end of the queues of those who do not keep up; their tasks then close.
    fn let_go(&mut self, lost: Vec<ConnectionId>) {
        for id in lost {
            self.disconnect(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::feed::{Encoding, STEP};
    use super::super::queue::{QueueReceiver, queue};
    use super::*;
    use bellwether_core::engine::EngineConfig;
    use bellwether_core::labels::{Labels, MetricName, SeriesKey};
    use bellwether_core::time::DurationMs;
    use bellwether_wire::frame::Selection;

    const NOW: TimestampMs = TimestampMs::new(1_795_000_000_000);
    const PLACE: Place = Place { epoch: 1, seq: 2 };

    fn feed(id: u32, range: DurationMs) -> Feed {
        let name = MetricName::new("m").unwrap();
        let selections = vec![Selection { name, matchers: Vec::new(), range }];
        Feed { id, selections, resolution: Resolution::Step, encoding: Encoding::Binary }
    }

    /// An engine with the series `m`, and a sample of it.
    fn engine() -> (Engine, SeriesId, Sample) {
        let mut engine = Engine::new(EngineConfig::default()).unwrap();
        let key = SeriesKey { metric: MetricName::new("m").unwrap(), labels: Labels::empty() };
        let id = engine.series(&key, Some(Kind::Gauge)).unwrap();
        (engine, id, Sample::new(NOW, 1.0).unwrap())
    }

    async fn live_bytes(queue: &mut QueueReceiver) -> *const u8 {
        match queue.next().await {
            Some(Outbound::Live(Frame::Binary(bytes))) => bytes.as_ptr(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_frame_is_encoded_once_for_all_who_ask_for_the_same() {
        let (engine, id, sample) = engine();
        let mut fanout = Fanout::default();
        let mut queues = Vec::new();
        // The range is of the history only; the id stands in every frame.
        for feed in [feed(1, STEP), feed(1, DurationMs::ZERO), feed(2, STEP)] {
            let (sender, receiver) = queue();
            let connection = fanout.connect(sender);
            fanout.subscribe(connection, &feed);
            queues.push(receiver);
        }
        fanout.record(&engine, id, Kind::Gauge, sample);
        fanout.flush(&engine, PLACE);
        let mut frames = Vec::new();
        for queue in &mut queues {
            frames.push(live_bytes(queue).await);
        }
        assert_eq!(frames[0], frames[1]);
        assert_ne!(frames[0], frames[2]);
    }

    #[test]
    fn nobody_waits_and_nothing_is_gathered() {
        let (engine, id, sample) = engine();
        let mut fanout = Fanout::default();
        fanout.record(&engine, id, Kind::Gauge, sample);
        assert!(fanout.increments.steps.is_empty() && fanout.increments.raw.is_empty());
        let (sender, _receiver) = queue();
        let connection = fanout.connect(sender);
        fanout.subscribe(connection, &feed(1, STEP));
        fanout.record(&engine, id, Kind::Gauge, sample);
        assert_eq!(fanout.increments.steps.len(), 1);
        fanout.flush(&engine, PLACE);
        fanout.disconnect(connection);
        fanout.record(&engine, id, Kind::Gauge, sample);
        assert!(fanout.increments.steps.is_empty() && fanout.channels.is_empty());
    }

    #[test]
    fn a_subscription_of_the_same_number_takes_the_place_of_the_other() {
        let mut fanout = Fanout::default();
        let (sender, _receiver) = queue();
        let connection = fanout.connect(sender);
        fanout.subscribe(connection, &feed(1, STEP));
        let mut other = feed(1, STEP);
        other.resolution = Resolution::Raw;
        fanout.subscribe(connection, &other);
        assert_eq!((fanout.channels.len(), fanout.channels[0].feed.resolution), (1, Resolution::Raw));
        assert_eq!(fanout.subscription_count(connection, 1), 0);
        assert_eq!(fanout.subscription_count(connection, 2), 1);
    }

    #[tokio::test]
    async fn a_tick_comes_each_second_to_the_silent_and_every_fifth_to_all() {
        let (engine, id, sample) = engine();
        let mut fanout = Fanout::default();
        let (sender, mut busy) = queue();
        let connection = fanout.connect(sender);
        fanout.subscribe(connection, &feed(1, STEP));
        let (sender, mut quiet) = queue();
        fanout.connect(sender);
        let mut ticks_of_busy = Vec::new();
        for second in 1..=10 {
            fanout.record(&engine, id, Kind::Gauge, sample);
            fanout.flush(&engine, PLACE);
            fanout.tick(|| Frame::Text("tick".into()));
            live_bytes(&mut busy).await;
            if let Some(tick) = busy.next_at_once() {
                assert!(matches!(tick, Outbound::Live(Frame::Text(_))), "{tick:?}");
                ticks_of_busy.push(second);
            }
            assert!(matches!(quiet.next().await, Some(Outbound::Live(Frame::Text(_)))));
        }
        assert_eq!(ticks_of_busy, [5, 10]);
        // A second without anything else brings one at once.
        fanout.tick(|| Frame::Text("tick".into()));
        assert!(matches!(busy.next().await, Some(Outbound::Live(Frame::Text(_)))));
    }
}
