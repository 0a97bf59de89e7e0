//! A simulation of the whole way of a sample: senders over a network that loses, repeats and reorders, the writer and
//! the store on a disk that fails and loses power, the hub, and viewers that are slow and cut off. The parts are the
//! real ones; time, randomness and disk are given to them, so that a seed repeats everything.
//! `cargo xtask sim --seed N` runs one.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::alerts::Alerts;
use bellwether_core::engine::EngineConfig;
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::Sample;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_testkit::random::Random;
use bellwether_wire::feed::{Follow, Phase};
use bellwether_wire::frame::{FeedFormat, Resume, Selection, ServerFrame, Step, Subscribe};
use bellwether_wire::ingest::{IngestedSample, Repeats};

use super::gather::{Bounds, Gathering, Progress};
use super::{ConnectionId, Frame, Outbound, QueueReceiver, recover};
use crate::store::{IdempotencyKey, Store};
use crate::writer::rig::Rig;
use crate::writer::rig::faulty::{Failure, FaultyDisk};
use crate::writer::{BatchName, Delivery, Written};

/// 2026-11-22T10:00:00Z.
const START: TimestampMs = TimestampMs::new(1_795_341_600_000);
const SENDERS: u64 = 3;
const VIEWERS: u64 = 3;
const STEPS: u64 = 400;
/// Batches that a sender has on the way at most.
const MOST_UNANSWERED: usize = 4;
/// A history comes a series at a time, so that much happens in between.
const SLICES: Bounds = super::tests::SLICES;

/// A sender's batch: who sent it, and its number.
type Name = (u64, u64);

/// Of each series how many values there are, and their sum.
type Held = BTreeMap<SeriesKey, (u64, f64)>;

fn metric() -> MetricName {
    MetricName::new("m").unwrap()
}

fn key(sender: u64) -> SeriesKey {
    SeriesKey { metric: metric(), labels: Labels::new([("sender", sender.to_string())]).unwrap() }
}

/// The value that tells one sample of a sender from all others.
fn value((_, number): Name, place: u64) -> f64 {
    (number * 4 + place) as f64
}

/// How often what the simulation is about came to pass.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    failed_batches: usize,
    repeated_batches: usize,
    power_cuts: usize,
    gaps: usize,
    /// Connections that went on where they were cut off.
    resumed: usize,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.failed_batches += other.failed_batches;
        self.repeated_batches += other.repeated_batches;
        self.power_cuts += other.power_cuts;
        self.gaps += other.gaps;
        self.resumed += other.resumed;
    }
}

/// A viewer, and what it has got.
#[derive(Default)]
struct Viewer {
    seen: Seen,
    connection: Option<Connection>,
    held: Held,
    /// A history that is not complete; it takes the place of what is held.
    filling: Option<Held>,
    /// Up to where it has all.
    place: Option<Resume>,
}

struct Connection {
    id: ConnectionId,
    queue: QueueReceiver,
    gathering: Option<Gathering>,
}

impl Viewer {
    /// Takes what waits, at most so much.
    fn take(&mut self, most: u64) {
        for _ in 0..most {
            let Some(connection) = &mut self.connection else { return };
            let Some(outbound) = connection.queue.next_at_once() else { return };
            let mut frames = Vec::new();
            match &outbound {
                Outbound::Reply(frame) => {
                    connection.queue.replied(frame.bytes());
                    frames.push(frame.clone());
                }
                Outbound::Live(frame) => {
                    connection.queue.sent(frame.bytes());
                    frames.push(frame.clone());
                }
                Outbound::Past(past) => {
                    frames.extend(past.frames());
                    connection.queue.sent_past(past);
                }
            }
            for frame in frames {
                self.hear(&frame);
            }
        }
    }

    fn hear(&mut self, frame: &Frame) {
        match frame {
            Frame::Text(text) => match ServerFrame::decode(text.as_str()).unwrap() {
                ServerFrame::Gap(_) => {
                    self.seen.gaps += 1;
                    self.filling = Some(Held::new());
                }
                ServerFrame::Subscribed(subscribed) => {
                    match self.filling.take() {
                        Some(filled) => self.held = filled,
                        None => self.seen.resumed += 1,
                    }
                    self.place = Some(Resume { epoch: subscribed.epoch, seq: subscribed.seq });
                }
                ServerFrame::Error(error) => panic!("{error:?}"),
                _ => {}
            },
            Frame::Binary(bytes) => {
                let frame = bellwether_wire::binary::decode(bytes).unwrap();
                assert!(frame.header.phase == Phase::Live || self.filling.is_some(), "a history that nobody asked for");
                let held = self.filling.as_mut().unwrap_or(&mut self.held);
                for series in frame.series {
                    let (count, sum) = held.entry(series.key).or_default();
                    for sample in &series.samples {
                        (*count, *sum) = (*count + 1, *sum + sample.value());
                    }
                    for bucket in &series.summaries {
                        (*count, *sum) = (*count + bucket.summary.count, *sum + bucket.summary.sum);
                    }
                }
                if self.filling.is_none() && frame.header.follow == Follow::End {
                    self.place = Some(Resume { epoch: frame.header.epoch, seq: frame.header.seq });
                }
            }
        }
    }
}

struct World {
    random: Random,
    now: TimestampMs,
    rig: Rig,
    /// When each batch was made; its samples carry that time, however late they come.
    made: BTreeMap<Name, TimestampMs>,
    acknowledged: BTreeSet<Name>,
    network: Vec<Name>,
    viewers: Vec<Viewer>,
    seen: Seen,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            now: START,
            rig: Rig::new(),
            made: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            network: Vec::new(),
            viewers: (0..VIEWERS).map(|_| Viewer::default()).collect(),
            seen: Seen::default(),
        }
    }

    fn chance(&mut self, of: u64) -> bool {
        self.random.below(of) == 0
    }

    fn unanswered(&self, sender: u64) -> Vec<Name> {
        let mine = self.made.keys().filter(|name| name.0 == sender && !self.acknowledged.contains(name));
        mine.copied().collect()
    }

    fn step(&mut self) {
        self.now = self.now + DurationMs::from_millis(self.random.below(2_500));
        let sender = self.random.below(SENDERS);
        let viewer = self.random.below(VIEWERS) as usize;
        match self.random.below(24) {
            0..4 => self.send(sender),
            4..9 => self.deliver(),
            9 => self.network.extend(self.unanswered(sender)),
            10..16 => {
                let most = self.random.below(8);
                self.go_on(viewer, most);
            }
            16..19 if self.viewers[viewer].connection.is_some() => self.cut(viewer),
            16..19 => self.connect(viewer),
            19 => {
                // It may fail: then nothing has moved.
                let later = self.now + DurationMs::from_hours(2 * self.random.below(2));
                let _failed = self.rig.writer.store_for_tests().seal(later);
                self.rig.writer.show_resurfaced(self.now);
            }
            20 | 21 => self.rig.disk.fail(None),
            22 => {
                let failure = [Failure::Full, Failure::Sync, Failure::Broken][self.random.below(3) as usize];
                self.rig.disk.fail_after(self.random.below(30) as usize, failure);
            }
            _ if self.chance(4) => self.lose_power(),
            _ => {}
        }
        let pulse = self.rig.hub.pulse(self.now);
        assert!(pulse.failures.is_empty(), "{:?}", pulse.failures);
    }

    fn send(&mut self, sender: u64) {
        if self.unanswered(sender).len() >= MOST_UNANSWERED {
            return;
        }
        let name = (sender, self.made.keys().filter(|name| name.0 == sender).count() as u64);
        self.made.insert(name, self.now);
        self.network.push(name);
    }

    /// Some messages arrive, in any order; some of them come again later, some never came. So it is with the answers.
    fn deliver(&mut self) {
        let mut arrived = Vec::new();
        for _ in 0..=self.random.below(4) {
            if self.network.is_empty() {
                break;
            }
            let place = self.random.below(self.network.len() as u64) as usize;
            let name = self.network.swap_remove(place);
            match self.random.below(8) {
                0 => continue,
                1 => self.network.push(name),
                _ => {}
            }
            arrived.push(name);
        }
        for (name, is_stored) in self.write(&arrived) {
            if is_stored && !self.chance(8) {
                self.acknowledged.insert(name);
            }
        }
    }

    /// Has batches written as one group; which of them are stored.
    fn write(&mut self, names: &[Name]) -> Vec<(Name, bool)> {
        let delivery = |name: &Name| {
            let sample = |place: u64| IngestedSample {
                index: place as usize,
                key: key(name.0),
                sample: Sample::new(self.made[name], value(*name, place)).unwrap(),
                kind: None,
                suggested: None,
                repeats: Repeats::Count,
                unit: None,
                reference: None,
            };
            let id = format!("{}:{}", name.0, name.1);
            let batch = BatchName::new(IdempotencyKey::new(&id).unwrap(), id.as_bytes());
            let samples = (0..1 + name.1 % 3).map(sample).collect();
            Delivery { samples, histograms: Vec::new(), name: Some(batch), received_at: self.now }
        };
        let deliveries = names.iter().map(delivery).collect();
        let told = self.rig.write_at(self.now, deliveries);
        let is_stored = |told: Result<Written, _>| match told {
            Ok(Written::Told(receipt)) => {
                assert_eq!(receipt.rejected, []);
                true
            }
            Ok(Written::Before) => true,
            Err(_) => false,
        };
        let told: Vec<_> = names.iter().copied().zip(told.into_iter().map(is_stored)).collect();
        self.seen.failed_batches += told.iter().filter(|(_, is_stored)| !is_stored).count();
        self.seen.repeated_batches += names.iter().filter(|name| self.acknowledged.contains(name)).count();
        told
    }

    fn connect(&mut self, number: usize) {
        let viewer = &mut self.viewers[number];
        let (id, queue) = self.rig.hub.connect(self.now);
        // A history that was not complete is asked for anew.
        viewer.filling = viewer.place.is_none().then(Held::new);
        let selection = Selection { name: metric(), matchers: Vec::new(), range: DurationMs::from_hours(1) };
        let subscribe = Subscribe {
            id: 1,
            metrics: vec![selection],
            step: if number.is_multiple_of(2) { Step::Raw } else { Step::Every(DurationMs::from_secs(1)) },
            format: FeedFormat::Binary,
            resume: viewer.place,
        };
        let gathering = self.rig.hub.resume_or_gather(id, subscribe, self.now, SLICES).unwrap();
        viewer.connection = Some(Connection { id, queue, gathering });
    }

    /// A viewer gets a part of its history, and takes some of what waits.
    fn go_on(&mut self, viewer: usize, most: u64) {
        let viewer = &mut self.viewers[viewer];
        for _ in 0..=self.random.below(3) {
            let Some(connection) = &mut viewer.connection else { return };
            let Some(mut gathering) = connection.gathering.take() else { break };
            match self.rig.hub.gather_on(&mut gathering).unwrap() {
                Progress::More => connection.gathering = Some(gathering),
                Progress::Done => self.rig.hub.join(gathering, self.now),
            }
        }
        viewer.take(most);
    }

    fn cut(&mut self, viewer: usize) {
        let viewer = &mut self.viewers[viewer];
        if let Some(connection) = viewer.connection.take() {
            self.rig.hub.disconnect(connection.id);
        }
        if viewer.filling.take().is_some() {
            viewer.place = None;
        }
    }

    /// The machine goes down: what was not synced may be on the disk or not. It starts again.
    fn lose_power(&mut self) {
        self.seen.power_cuts += 1;
        let disk: FaultyDisk = self.rig.disk.after_power_cut(&mut self.random);
        for viewer in 0..self.viewers.len() {
            self.cut(viewer);
        }
        self.rig = Rig::on(disk);
        let board = std::sync::Arc::clone(self.rig.hub.board());
        let store = self.rig.writer.store_for_tests();
        let (engine, recovery) = recover(&board, EngineConfig::default(), store, self.now, &|| false).unwrap().unwrap();
        assert_eq!((recovery.series_left_out, recovery.points_left_out, recovery.damaged), (0, 0, 0));
        let (epoch, seq) = (store.epoch(), store.seq());
        self.rig.hub.install(engine, Alerts::new(), epoch, seq);
        self.check_store();
    }

    /// Every value of every sender, as the store has them.
    fn stored(&mut self) -> BTreeMap<SeriesKey, Vec<f64>> {
        let store = self.rig.writer.store_for_tests();
        let (from, to) = (START - DurationMs::from_hours(1), self.now + DurationMs::from_hours(1));
        let values = |key: SeriesKey| {
            let reading = store.read(&key, from, to).unwrap();
            assert_eq!(reading.faults, []);
            (key, reading.samples.iter().map(|each| each.sample.value()).collect())
        };
        (0..SENDERS).map(key).map(values).collect()
    }

    /// Nothing that was acknowledged is missing, and nothing is there twice, or in part.
    fn check_store(&mut self) {
        for (key, values) in self.stored() {
            let found: BTreeSet<u64> = values.iter().map(|value| *value as u64).collect();
            assert_eq!(found.len(), values.len(), "{key}: a value is there twice: {values:?}");
            for name in self.made.keys().filter(|name| self::key(name.0) == key) {
                let all = 1 + name.1 % 3;
                let there = (0..all).filter(|place| found.contains(&(value(*name, *place) as u64))).count() as u64;
                assert!(there == 0 || there == all, "{name:?} is there in part");
                assert!(there == all || !self.acknowledged.contains(name), "{name:?} was acknowledged and is lost");
            }
        }
    }

    /// The disk is mended, everybody gets an answer, and every viewer takes all that waits.
    fn settle(&mut self) {
        self.rig.disk.fail(None);
        for _ in 0..20 {
            // The store tries anew a second after a failure.
            self.now = self.now + DurationMs::from_secs(2);
            let left: Vec<_> = (0..SENDERS).flat_map(|sender| self.unanswered(sender)).collect();
            for (name, is_stored) in self.write(&left) {
                if is_stored {
                    self.acknowledged.insert(name);
                }
            }
        }
        assert_eq!(self.acknowledged.len(), self.made.len(), "everybody is answered");
        self.check_store();
        for viewer in 0..self.viewers.len() {
            if self.viewers[viewer].connection.is_none() {
                self.connect(viewer);
            }
            while self.viewers[viewer].connection.as_ref().is_some_and(|connection| connection.gathering.is_some()) {
                self.go_on(viewer, 0);
            }
        }
        self.rig.hub.pulse(self.now);
        let stored = self.stored();
        let of = |values: &Vec<f64>| (values.len() as u64, values.iter().sum::<f64>());
        let expected: Held = stored.iter().map(|(key, values)| (key.clone(), of(values))).collect();
        for (number, viewer) in self.viewers.iter_mut().enumerate() {
            viewer.take(u64::MAX);
            viewer.held.retain(|_, (count, _)| *count > 0);
            let expected: Held = expected.clone().into_iter().filter(|(_, (count, _))| *count > 0).collect();
            assert_eq!(viewer.held, expected, "viewer {number} has what the store has");
        }
    }
}

/// Says how to repeat a run that ends in a panic.
struct Repeatable(u64);

impl Drop for Repeatable {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("this run is repeated by: cargo xtask sim --seed {}", self.0);
        }
    }
}

fn simulate(seed: u64) -> Seen {
    let _told = Repeatable(seed);
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.settle();
    assert!(world.acknowledged.len() > 20, "seed {seed}: hardly anything happened");
    let mut seen = world.seen;
    world.viewers.iter().for_each(|viewer| seen.add(viewer.seen));
    seen
}

#[test]
fn whatever_happens_nothing_is_lost_and_every_viewer_ends_with_what_the_store_holds() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("BELLWETHER_SIM_SEED") {
        println!("seed {seed}: {:?}", simulate(seed));
        return;
    }
    let mut seen = Seen::default();
    for seed in 0..if number("BELLWETHER_SOAK") == Some(1) { 1_000 } else { 20 } {
        seen.add(simulate(seed));
    }
    println!("{seen:?}");
    let Seen { failed_batches, repeated_batches, power_cuts, gaps, resumed } = seen;
    for times in [failed_batches, repeated_batches, power_cuts, gaps, resumed] {
        assert!(times >= 20, "the simulation leaves out what it is about: {seen:?}");
    }
}
