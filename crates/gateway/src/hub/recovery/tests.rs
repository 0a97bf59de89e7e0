//! A restart loses nothing and doubles nothing in figures: the same random samples, with sealing,
//! expiry, restarts and power cuts in between, go to a hub that never stops and to one that is made
//! anew from the store, and both say what a list of the samples says.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_core::board::Board;
use bellwether_core::engine::{EngineConfig, Plan};
use bellwether_core::labels::{LabelName, Labels, MetricName, SeriesKey};
use bellwether_core::query::{Aggregation, Expression, Group, Query, QueryError};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_testkit::random::Random;
use bellwether_wire::ingest::{IngestedSample, Repeats};
use proptest::prelude::*;

use super::super::{Greeting, Hub, LiveRoom, Units, recover};
use crate::store::{Batch, BatchSample, Progress, RedbStore, Retention, SealLimits, Store};
use crate::writer::rig::faulty::FaultyDisk;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// An instant on the edge of an hour: 2026-11-22T00:00:00Z.
const START: i64 = 1_795_305_600_000;
/// Longer than the longest window from the earliest instant that is asked about.
const RETENTION: DurationMs = DurationMs::from_days(35);

/// Metric, kind and hosts.
const METRICS: [(&str, Kind); 4] = [
    ("latency", Kind::Observation),
    ("requests_total", Kind::Counter),
    ("temperature", Kind::Gauge),
    ("conflict", Kind::Event),
];
const HOSTS: [&str; 2] = ["a", "b"];

/// How a counter goes. Its value follows from the timestamp, so that it is known at each instant
/// whatever the order in which the samples come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    /// It never falls.
    Steady,
    /// It begins again every 50 minutes.
    Sawtooth,
    /// Nearly every other sample is less than the one before.
    Wild,
}

#[derive(Clone, Debug)]
enum Op {
    /// Time goes on.
    Pass(i64),
    /// A batch: of each sample the series, how long ago it was, and what it says.
    Record(Vec<(usize, i64, i16)>),
    /// So many steps of sealing.
    Seal(usize),
    /// All is sealed, and what is older than the retention is dropped.
    Expire,
    /// The gateway is stopped and started.
    Restart,
    /// The power fails, and the gateway is started again.
    PowerCut,
}

fn op() -> impl Strategy<Value = Op> {
    let pass = prop_oneof![
        3 => 0..5 * SECOND,
        3 => 0..10 * MINUTE,
        3 => 0..3 * HOUR,
        2 => 0..2 * DAY,
        1 => 0..12 * DAY,
        1 => (1..30_i64).prop_map(|hours| hours * HOUR),
    ];
    let age = prop_oneof![
        4 => 0..3 * SECOND,
        1 => -5 * MINUTE..0,
        3 => 0..10 * MINUTE,
        3 => 0..3 * HOUR,
        2 => 0..30 * HOUR,
        1 => 0..36 * DAY,
    ];
    let samples = proptest::collection::vec((0..8_usize, age, any::<i16>()), 1..40);
    prop_oneof![
        4 => pass.prop_map(Op::Pass),
        6 => samples.prop_map(Op::Record),
        2 => (1..20_usize).prop_map(Op::Seal),
        1 => Just(Op::Expire),
        2 => Just(Op::Restart),
        1 => Just(Op::PowerCut),
    ]
}

fn hub() -> Hub {
    let board = Arc::new(Board::default());
    Hub::new(Greeting { board, demo: false, version: "0" }, LiveRoom::USUAL).unwrap()
}

fn open(disk: &FaultyDisk, limits: SealLimits) -> RedbStore {
    RedbStore::open_on(Box::new(disk.clone()), 7).unwrap().with_seal_limits(limits)
}

/// Value of a counter at an instant; whole, so that what it grows by is exact.
fn counted(counting: Counting, at: i64) -> f64 {
    let count = match counting {
        Counting::Steady => (at - START + 100 * DAY) / 250,
        Counting::Sawtooth => at.rem_euclid(50 * MINUTE) / 250,
        Counting::Wild => (at / 250).wrapping_mul(0x9e37_79b9).rem_euclid(1_009),
    };
    count as f64
}

fn ingested(index: usize, counting: Counting, timestamp: i64, which: usize, raw: i16) -> IngestedSample {
    let (metric, kind) = METRICS[which % 4];
    let value = match kind {
        Kind::Counter => counted(counting, timestamp),
        Kind::Event => f64::from(raw),
        // Sums of these are rounded; every 16th is far from the others, so that sketches get coarser.
        _ if raw % 16 == 0 => f64::from(raw) * 1e-7,
        _ => f64::from(raw) * 0.1,
    };
    let labels = Labels::new([("host", HOSTS[which / 4])]).unwrap();
    IngestedSample {
        index,
        key: SeriesKey { metric: MetricName::new(metric).unwrap(), labels },
        sample: Sample::new(TimestampMs::new(timestamp), value).unwrap(),
        kind: Some(kind),
        suggested: None,
        repeats: Repeats::Count,
        unit: None,
        reference: None,
    }
}

struct Rig {
    counting: Counting,
    limits: SealLimits,
    disk: FaultyDisk,
    store: RedbStore,
    random: Random,
    now: TimestampMs,
    /// Never stops.
    live: Hub,
    /// Is made anew at each start.
    restarted: Hub,
    /// Everything that was accepted, by metric and host, in the order in which it came.
    list: BTreeMap<(usize, usize), Vec<Sample>>,
    /// Whether a counter's sample came after a later one.
    late: bool,
}

impl Rig {
    fn new(counting: Counting, limits: SealLimits) -> Self {
        let disk = FaultyDisk::default();
        let store = open(&disk, limits);
        let random = Random::new(11);
        let now = TimestampMs::new(START);
        let list = BTreeMap::new();
        Self { counting, limits, disk, store, random, now, live: hub(), restarted: hub(), list, late: false }
    }

    /// As the writer does it.
    fn record(&mut self, samples: &[(usize, i64, i16)]) -> Result<(), TestCaseError> {
        // On the quarter of a second, so that timestamps repeat and fall on edges.
        let given = || -> Vec<IngestedSample> {
            let one = |(index, (which, age, raw)): (usize, &(usize, i64, i16))| {
                let timestamp = (self.now.get() - age).div_euclid(250) * 250;
                ingested(index, self.counting, timestamp, *which, *raw)
            };
            samples.iter().enumerate().map(one).collect()
        };
        let oldest = self.now - RETENTION;
        let admit =
            |hub: &Hub| hub.admit(&mut Plan::default(), &mut Units::default(), given(), Vec::new(), (oldest, self.now));
        let (admission, declarations) = admit(&self.live);
        let (also, _) = admit(&self.restarted);
        prop_assert_eq!(&admission.rejected, &also.rejected, "a restart changes what is accepted");
        let batch = Batch {
            samples: admission.samples.clone(),
            histograms: Vec::new(),
            declarations,
            idempotency: None,
            received_at: self.now,
        };
        self.store.append(&[batch]).unwrap();
        for BatchSample { series: key, kind, sample, .. } in &admission.samples {
            let metric = METRICS.iter().position(|(name, _)| *name == key.metric.as_str()).unwrap();
            let host = HOSTS.iter().position(|host| key.labels == Labels::new([("host", *host)]).unwrap()).unwrap();
            let before = self.list.entry((metric, host)).or_default();
            let is_late = before.iter().any(|before| before.timestamp() > sample.timestamp());
            self.late |= *kind == Kind::Counter && is_late;
            before.push(*sample);
        }
        let batches = [(self.store.seq(), admission.samples)];
        self.live.record(&batches, &[], self.now);
        self.restarted.record(&batches, &[], self.now);
        Ok(())
    }

    fn start(&mut self, disk: FaultyDisk) -> Result<(), TestCaseError> {
        let store = open(&disk, self.limits);
        drop(std::mem::replace(&mut self.store, store));
        self.disk = disk;
        let (engine, recovery) =
            recover(&Board::default(), EngineConfig::default(), &self.store, self.now, &|| false).unwrap().unwrap();
        prop_assert_eq!((recovery.series_left_out, recovery.points_left_out, recovery.damaged), (0, 0, 0));
        self.restarted = hub();
        self.restarted.state().engine = engine;
        Ok(())
    }

    fn apply(&mut self, op: &Op) -> Result<(), TestCaseError> {
        match op {
            Op::Pass(by) => {
                self.now = TimestampMs::new((self.now.get() + by).min(START + 40 * DAY));
                self.live.pulse(self.now);
                self.restarted.pulse(self.now);
            }
            Op::Record(samples) => self.record(samples)?,
            Op::Seal(steps) => {
                for _ in 0..*steps {
                    self.store.seal(self.now).unwrap();
                }
            }
            Op::Expire => {
                let sealed = (0..5_000).any(|_| self.store.seal(self.now).unwrap() == Progress::Done);
                let expired = (0..5_000)
                    .any(|_| self.store.expire(self.now, Retention::all(RETENTION)).unwrap() == Progress::Done);
                prop_assert!(sealed && expired, "housekeeping does not end");
            }
            Op::Restart => {
                // The file is closed in between, as at an orderly end.
                self.store = open(&FaultyDisk::default(), self.limits);
                self.start(self.disk.clone())?;
                self.check(Since::Restart)?;
            }
            Op::PowerCut => {
                let left = self.disk.after_power_cut(&mut self.random);
                self.start(left)?;
                self.check(Since::Restart)?;
            }
        }
        Ok(())
    }

    fn instants(&self) -> [TimestampMs; 6] {
        let now = self.now.get();
        let hour = now.div_euclid(HOUR) * HOUR;
        [now, now - 90 * SECOND, now - 7 * MINUTE, (now - 3 * HOUR).div_euclid(MINUTE) * MINUTE, hour, hour - 4 * DAY]
            .map(TimestampMs::new)
    }

    fn check(&self, since: Since) -> Result<(), TestCaseError> {
        for at in self.instants() {
            for window in [MINUTE, HOUR, DAY, 30 * DAY] {
                let window = DurationMs::from_millis(window.unsigned_abs());
                for (metric, (name, kind)) in METRICS.into_iter().enumerate() {
                    for aggregation in ["avg", "sum", "count", "min", "max", "increase", "last", "p95", "stddev"] {
                        let aggregation: Aggregation = aggregation.parse().unwrap();
                        if aggregation.fits(kind) {
                            let asked = Asked { metric, name, kind, window, aggregation, at };
                            self.check_one(&asked, since)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn check_one(&self, asked: &Asked, since: Since) -> Result<(), TestCaseError> {
        let (live, restarted) = (asked.of(&self.live), asked.of(&self.restarted));
        let (live, restarted) = match (live, restarted) {
            (Ok(live), Ok(restarted)) => (live, restarted),
            // What cannot be told apart any more is the same for both.
            (live, restarted) => {
                prop_assert_eq!(live, restarted, "{:?}", asked);
                return Ok(());
            }
        };
        for (host, name) in HOSTS.into_iter().enumerate() {
            let labels = Labels::new([("host", name)]).unwrap();
            let of = |groups: &[Group]| groups.iter().find(|group| group.labels == labels).map(|group| group.answer);
            let Some(samples) = self.list.get(&(asked.metric, host)) else { continue };
            let live = of(&live).unwrap();
            let said = |what: &str| format!("{what} {asked:?} of {name}, now {}", self.now.get());
            let Some(restarted) = of(&restarted) else {
                // A series is forgotten with its last sample.
                prop_assert_eq!(live.count, 0, "{}", said("lost"));
                continue;
            };
            prop_assert_eq!(
                (live.from, live.to, live.count),
                (restarted.from, restarted.to, restarted.count),
                "{}",
                said("range")
            );
            prop_assert_eq!(live.relative_error, restarted.relative_error, "{}", said("error bound"));
            let truth = Truth::of(samples, live.from, live.to);
            prop_assert_eq!(restarted.count, truth.values.len() as u64, "{}", said("count"));
            if asked.aggregation == Aggregation::Increase && asked.kind == Kind::Counter {
                // Live, a counter's late sample that comes to lie in a time bucket is not told from
                // its neighbours there once finer time buckets are gone: a reset next to it is missed,
                // as `Summary::record` says. A start reads the samples in the order of time, so that
                // it is exact from then on.
                let is_blurred = self.late && self.counting != Counting::Steady;
                if !is_blurred {
                    prop_assert_eq!(live.value, truth.increase(truth.before), "{}", said("live"));
                }
                if !is_blurred || since == Since::Restart {
                    // The step from a sample that the retention has dropped is gone with it.
                    let dropped = truth.before.is_some_and(|before| before.timestamp() <= self.now - RETENTION);
                    let alone = dropped && restarted.value == truth.increase(None);
                    prop_assert!(
                        alone || restarted.value == truth.increase(truth.before),
                        "{}: {:?} and not {:?}",
                        said("restarted"),
                        restarted.value,
                        truth.increase(truth.before)
                    );
                }
                continue;
            }
            let tolerance = truth.tolerance(asked.aggregation);
            match (live.value, restarted.value) {
                (Some(live), Some(restarted)) if asked.aggregation == Aggregation::Stddev => {
                    prop_assert!(
                        (live * live - restarted * restarted).abs() <= tolerance,
                        "{}: {live} {restarted}",
                        said("differs")
                    );
                }
                (Some(live), Some(restarted)) => {
                    prop_assert!((live - restarted).abs() <= tolerance, "{}: {live} {restarted}", said("differs"));
                }
                (live, restarted) => prop_assert_eq!(live, restarted, "{}", said("differs")),
            }
            if let Some((expected, found)) = truth.figure(asked.aggregation).zip(restarted.value) {
                prop_assert!((expected - found).abs() <= tolerance, "{}: {found} and not {expected}", said("wrong"));
            }
        }
        Ok(())
    }
}

/// Whether samples have come since the restarted hub was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    Restart,
    Samples,
}

#[derive(Debug)]
struct Asked {
    metric: usize,
    name: &'static str,
    kind: Kind,
    window: DurationMs,
    aggregation: Aggregation,
    at: TimestampMs,
}

impl Asked {
    fn of(&self, hub: &Hub) -> Result<Vec<Group>, QueryError> {
        let mut query = Query::new(MetricName::new(self.name).unwrap(), self.window, self.aggregation);
        query.by = vec![LabelName::new("host").unwrap()];
        hub.evaluate(&Expression::Single(query), self.at)
    }
}

/// What the list says of a window.
struct Truth {
    /// In the order of time.
    values: Vec<f64>,
    /// The last sample before the window.
    before: Option<Sample>,
}

impl Truth {
    fn of(samples: &[Sample], from: TimestampMs, to: TimestampMs) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_by_key(|sample| sample.timestamp());
        let before = sorted.iter().rev().find(|sample| sample.timestamp() <= from).copied();
        let within = |sample: &&Sample| from < sample.timestamp() && sample.timestamp() <= to;
        Self { values: sorted.iter().filter(within).map(|sample| sample.value()).collect(), before }
    }

    /// What a counter grew by; `None` without two samples.
    fn increase(&self, before: Option<Sample>) -> Option<f64> {
        if self.values.is_empty() {
            return None;
        }
        let all: Vec<f64> = before.map(Sample::value).into_iter().chain(self.values.iter().copied()).collect();
        let steps = all.windows(2).map(|pair| if pair[1] < pair[0] { pair[1] } else { pair[1] - pair[0] });
        (all.len() > 1).then(|| steps.sum())
    }

    /// What the figure is, of those that are more than a repetition of the engine's arithmetic.
    fn figure(&self, aggregation: Aggregation) -> Option<f64> {
        match aggregation {
            Aggregation::Sum => Some(self.values.iter().sum()),
            Aggregation::Min => Some(self.values.iter().copied().fold(f64::INFINITY, f64::min)),
            Aggregation::Max => Some(self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            Aggregation::Last => self.values.last().copied(),
            _ => None,
        }
    }

    /// By how much the order of additions may change a figure; of a deviation, its square. All others
    /// are exact, also what events grow by: their values are whole.
    fn tolerance(&self, aggregation: Aggregation) -> f64 {
        let sum: f64 = self.values.iter().map(|value| value.abs()).sum();
        let greatest = self.values.iter().fold(0.0_f64, |greatest, value| greatest.max(value.abs()));
        match aggregation {
            Aggregation::Sum => 1e-12 * sum,
            Aggregation::Avg => 1e-12 * sum / self.values.len().max(1) as f64,
            Aggregation::Stddev => 1e-12 * greatest * greatest,
            _ => 0.0,
        }
    }
}

/// A step of sealing takes a few samples, and a tail of some is too long to wait for the hour.
const SMALL_STEPS: SealLimits = SealLimits {
    tail_samples: 150,
    tail_batches: 12,
    round_samples: 100,
    load_samples: 15,
    write_samples: 20,
    write_series: 2,
    sweep_batches: 2,
    chunk_samples: 16,
};

#[test]
fn who_is_told_to_stop_reads_no_further() {
    let mut rig = Rig::new(Counting::Steady, SealLimits::default());
    let samples = (0..4).flat_map(|series| (0..10).map(move |ago| (series, ago * MINUTE, 1))).collect();
    rig.apply(&Op::Record(samples)).unwrap();
    let asked = std::cell::Cell::new(0);
    let third = || {
        asked.set(asked.get() + 1);
        asked.get() >= 3
    };
    assert!(recover(&Board::default(), EngineConfig::default(), &rig.store, rig.now, &third).unwrap().is_none());
    assert_eq!(asked.get(), 3);
}

fn run(counting: Counting, limits: SealLimits, ops: &[Op]) -> Result<(), TestCaseError> {
    let mut rig = Rig::new(counting, limits);
    for op in ops {
        rig.apply(op)?;
    }
    rig.check(Since::Samples)?;
    rig.apply(&Op::Restart)
}

/// Each case opens stores: 24 where others try 256, and as much more of them in a soak.
fn few() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: (usual.cases * 3).div_ceil(32), max_shrink_iters: 300, ..usual }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn a_restart_changes_no_figure(
        counting in prop_oneof![Just(Counting::Steady), Just(Counting::Sawtooth), Just(Counting::Wild)],
        limits in prop_oneof![Just(SealLimits::default()), Just(SMALL_STEPS)],
        ops in proptest::collection::vec(op(), 1..24),
    ) {
        run(counting, limits, &ops)?;
    }
}
