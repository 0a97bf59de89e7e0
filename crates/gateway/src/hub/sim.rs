//! A simulation of the whole way of a sample: senders over a network that loses, repeats and reorders, the writer and
//! the store on a disk that fails and loses power, the hub, viewers that are slow and cut off, and somebody who corrects
//! samples. The parts are the
//! real ones; time, randomness and disk are given to them, so that a seed repeats everything.
//! `cargo xtask sim --seed N` runs one.

mod viewer;

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::alerts::Alerts;
use bellwether_core::engine::EngineConfig;
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::Sample;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_testkit::random::Random;
use bellwether_wire::frame::{FeedFormat, Selection, Step, Subscribe};
use bellwether_wire::ingest::{IngestedSample, Repeats};

use self::viewer::{Connection, Viewer};
use super::gather::{Bounds, Progress};
use super::recover;
use crate::store::{Change, Corrected, Correction, IdempotencyKey, Store, Target};
use crate::writer::rig::faulty::{Failure, FaultyDisk};
use crate::writer::rig::{Asked, Rig};
use crate::writer::{BatchName, Delivery, Written};

/// 2026-11-22T10:00:00Z.
const START: TimestampMs = TimestampMs::new(1_795_341_600_000);
const SENDERS: u64 = 3;
const VIEWERS: u64 = 3;
const STEPS: u64 = 600;
/// More than any mark; a multiple of it is in the value of a sample that was corrected.
const CORRECTED: u64 = 1_000_000;
/// Batches that a sender has on the way at most.
const MOST_UNANSWERED: usize = 4;
/// A history comes a series at a time, so that much happens in between.
const SLICES: Bounds = super::tests::SLICES;

/// A sender's batch: who sent it, and its number.
type Name = (u64, u64);

/// A sample: its batch, and its place in there.
type Which = (Name, u64);

/// Of each series how many values there are, and their sum.
type Held = BTreeMap<SeriesKey, (u64, f64)>;

fn metric() -> MetricName {
    MetricName::new("m").unwrap()
}

fn key(sender: u64) -> SeriesKey {
    SeriesKey { metric: metric(), labels: Labels::new([("sender", sender.to_string())]).unwrap() }
}

/// How many samples a batch has.
fn size((_, number): Name) -> u64 {
    1 + number % 3
}

/// What tells one sample of a sender from all others.
fn mark(((_, number), place): Which) -> u64 {
    number * 4 + place
}

/// The value of a sample after the correction of that number, or as it was sent, 0.
fn value(which: Which, correction: u64) -> f64 {
    (correction * CORRECTED + mark(which)) as f64
}

fn reference(which: Which) -> String {
    format!("case {} of {}", mark(which), which.0.0)
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
    corrected: usize,
    /// Corrections that failed, or of which nobody was told.
    in_doubt: usize,
    /// Viewers let go since what they had was changed.
    restated: usize,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.failed_batches += other.failed_batches;
        self.repeated_batches += other.repeated_batches;
        self.power_cuts += other.power_cuts;
        self.gaps += other.gaps;
        self.resumed += other.resumed;
        self.corrected += other.corrected;
        self.in_doubt += other.in_doubt;
        self.restated += other.restated;
    }
}

/// What may have become of a sample, `None` where it counts no more: what it was after a correction of that number, of
/// which it is not known whether it was made, each.
type Fates = Vec<(u64, Option<f64>)>;

struct World {
    random: Random,
    now: TimestampMs,
    rig: Rig,
    /// Starts of the gateway; each makes a stream of its own.
    starts: u64,
    /// Samples that somebody set out to correct.
    fates: BTreeMap<Which, Fates>,
    corrections: u64,
    /// Corrections of which nobody was told yet.
    asked: Vec<(Which, u64, Asked)>,
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
            starts: 0,
            fates: BTreeMap::new(),
            corrections: 0,
            asked: Vec::new(),
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
        match self.random.below(28) {
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
            23 if self.chance(8) => self.lose_power(),
            24 if self.chance(2) => self.correct(),
            _ => drop(self.restate()),
        }
        let pulse = self.rig.hub.pulse(self.now);
        assert!(pulse.failures.is_empty(), "{:?}", pulse.failures);
    }

    /// Corrects, withdraws or erases a sample that was sent, which may be stored or not.
    fn correct(&mut self) {
        let names: Vec<_> = self.made.keys().copied().collect();
        if names.is_empty() {
            return;
        }
        let name = names[self.random.below(names.len() as u64) as usize];
        let which = (name, self.random.below(size(name)));
        self.corrections += 1;
        let number = self.corrections;
        let (change, fate) = match self.random.below(4) {
            0 => (Change::Withdraw, None),
            1 => (Change::Erase, None),
            _ => {
                let timestamp = self.chance(2).then(|| self.made[&name] - DurationMs::from_secs(self.random.below(90)));
                (Change::Correct { value: Some(value(which, number)), timestamp }, Some(value(which, number)))
            }
        };
        let target = Target::new(&reference(which));
        // Where the disk is gone, nobody gets that far.
        let Ok(snapshot) = self.rig.writer.store_for_tests().snapshot() else { return };
        let Ok(found) = snapshot.find(&target, change.action()) else { return };
        drop(snapshot);
        // More comes and is sealed before it is its turn.
        if self.chance(3) {
            self.deliver();
            let _failed = self.rig.writer.store_for_tests().seal(self.now + DurationMs::from_hours(2));
        }
        let asked = Correction { target, change, reason: None, by: "desk".into(), now: self.now };
        let mut answer = self.rig.ask(&asked, &found);
        let fates = self.fates.entry(which).or_insert_with(|| vec![(0, Some(value(which, 0)))]);
        match answer.try_recv() {
            // It is on disk, and is told once it is shown.
            Err(_) => {
                fates.push((number, fate));
                self.asked.push((which, number, answer));
            }
            Ok(Err(_)) => {
                fates.push((number, fate));
                self.seen.in_doubt += 1;
            }
            Ok(Ok(Corrected::Unknown)) => {
                let may_be_gone = !self.acknowledged.contains(&name) || fates.iter().any(|(_, fate)| fate.is_none());
                assert!(may_be_gone, "{which:?} was acknowledged and is not found");
            }
            Ok(Ok(Corrected::Overtaken)) => {}
            Ok(Ok(other)) => panic!("{which:?}: {other:?}"),
        }
    }

    /// Shows the next of what was corrected, and hears who is told.
    fn restate(&mut self) -> bool {
        let is_there = self.rig.restate_next(self.now);
        let fates = &mut self.fates;
        let mut corrected = 0;
        self.asked.retain_mut(|(which, number, answer)| match answer.try_recv() {
            Ok(told) => {
                let fates = fates.get_mut(which).unwrap();
                let made = fates.iter().find(|(of, _)| of == number).map(|(_, fate)| *fate);
                let Ok(Corrected::Done { samples, .. }) = told else { panic!("{which:?}: {told:?}") };
                // Of what was withdrawn before, an erase takes what the trail says of it.
                assert!(samples == 1 || (samples == 0 && made == Some(None)), "{which:?}: {samples}");
                // Whatever was in doubt before is not any more.
                fates.retain(|(of, _)| of >= number);
                corrected += 1;
                false
            }
            Err(_) => true,
        });
        self.seen.corrected += corrected;
        is_there
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
                sample: Sample::new(self.made[name], value((*name, place), 0)).unwrap(),
                kind: None,
                suggested: None,
                repeats: Repeats::Count,
                unit: None,
                reference: Some(reference((*name, place))),
            };
            let id = format!("{}:{}", name.0, name.1);
            let batch = BatchName::new(IdempotencyKey::new(&id).unwrap(), id.as_bytes());
            let samples = (0..size(*name)).map(sample).collect();
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
            until: None,
        };
        let gathering = self.rig.hub.resume_or_gather(id, subscribe, self.now, SLICES).unwrap();
        viewer.connection = Some(Connection { id, queue, gathering });
    }

    /// A viewer gets a part of its history, and takes some of what waits.
    fn go_on(&mut self, viewer: usize, most: u64) {
        if self.viewers[viewer].is_restated() {
            self.seen.restated += 1;
            return self.cut(viewer);
        }
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
        // Whoever waits to be told of a correction never is.
        self.seen.in_doubt += self.asked.len();
        self.asked.clear();
        self.rig = Rig::on(disk);
        self.starts += 1;
        let board = std::sync::Arc::clone(self.rig.hub.board());
        let store = self.rig.writer.store_for_tests();
        let (engine, recovery) = recover(&board, EngineConfig::default(), store, self.now, &|| false).unwrap().unwrap();
        assert_eq!((recovery.series_left_out, recovery.points_left_out, recovery.damaged), (0, 0, 0));
        let (seq, marks) = (store.seq(), store.restated().unwrap());
        self.rig.hub.install(engine, Alerts::new(), self.starts, seq);
        self.rig.hub.install_restated(marks);
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

    /// Nothing that was acknowledged is missing, nothing is there twice, or in part, and what was corrected is as whoever
    /// was told has it.
    fn check_store(&mut self) {
        for (key, values) in self.stored() {
            let found: BTreeMap<u64, f64> = values.iter().map(|value| (*value as u64 % CORRECTED, *value)).collect();
            assert_eq!(found.len(), values.len(), "{key}: a value is there twice: {values:?}");
            for name in self.made.keys().filter(|name| self::key(name.0) == key) {
                let all = (0..size(*name)).map(|place| (*name, place));
                let is_stored = all.clone().any(|which| found.contains_key(&mark(which)));
                for which in all {
                    let now = found.get(&mark(which)).copied();
                    if now.is_none() && !is_stored {
                        let may_be_gone = |fates: &Fates| fates.iter().any(|(_, fate)| fate.is_none());
                        let is_gone = self.fates.get(&which).is_some_and(may_be_gone);
                        assert!(is_gone || !self.acknowledged.contains(name), "{which:?} was acknowledged and is lost");
                        continue;
                    }
                    match self.fates.get(&which) {
                        Some(fates) => {
                            let may_be = fates.iter().any(|(_, fate)| *fate == now);
                            assert!(may_be, "{which:?} is {now:?}, and may be {fates:?}");
                        }
                        None => {
                            assert_eq!(now, Some(value(which, 0)), "{which:?} is there in part, or as nobody sent it")
                        }
                    }
                }
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
            // As the writer does every few seconds, also where nobody sends.
            let _failed = self.rig.writer.store_for_tests().seal(self.now);
        }
        assert_eq!(self.acknowledged.len(), self.made.len(), "everybody is answered");
        while self.restate() {}
        assert!(self.asked.is_empty(), "whoever corrected is told");
        self.check_store();
        let mut marks = self.rig.writer.store_for_tests().restated().unwrap();
        marks.sort_by(|(a, left), (b, right)| a.cmp(b).then(left.to.cmp(&right.to)));
        assert_eq!(self.rig.hub.state().restated.all(), marks, "what is told to be restated is what the store says");
        for viewer in 0..self.viewers.len() {
            if self.viewers[viewer].is_restated() {
                self.cut(viewer);
            }
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
    for seed in 0..if number("BELLWETHER_SOAK") == Some(1) { 1_000 } else { 30 } {
        seen.add(simulate(seed));
    }
    println!("{seen:?}");
    let Seen { failed_batches, repeated_batches, power_cuts, gaps, resumed, corrected, in_doubt, restated } = seen;
    for times in [failed_batches, repeated_batches, power_cuts, gaps, resumed, corrected, in_doubt, restated] {
        assert!(times >= 20, "the simulation leaves out what it is about: {seen:?}");
    }
}
