//! Random batches, with sealing, restarts and crashes at random points, against a model that keeps
//! a list: nothing is lost, nothing comes twice, and the hours' summaries say what the list says.

#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod store_support;

use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::DurationMs;
use bellwether_gateway::store::{BatchSample, Found, LeftOut, Outcome, RedbStore, SealLimits, Store};
use bellwether_wire::ingest::Repeats;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};
use store_support::{
    EPOCH, HOUR, Point, SMALL_STEPS, START, all_of, at, batch, copy_files, expire_all, key, named, open, replay,
    sample, store_one,
};

const KINDS: [Kind; 4] = [Kind::Observation, Kind::Counter, Kind::Gauge, Kind::Event];

fn series(which: usize) -> (SeriesKey, Kind) {
    (key(["latency", "requests_total", "temperature", "conflict"][which % 4], ["a", "b"][which / 4]), KINDS[which % 4])
}

/// Half of the series have one value a timestamp.
fn repeats(which: usize) -> Repeats {
    if which < 4 { Repeats::Count } else { Repeats::Once }
}

/// A batch: its id, and of each sample the series, its place in time and its value.
type Given = (Option<u64>, Vec<(usize, i64, i16)>);

#[derive(Clone, Debug)]
enum Op {
    /// One commit.
    Append(Vec<Given>),
    /// So many steps of sealing, `.1` hours after the start.
    Seal(usize, i64),
    /// The store is dropped and opened.
    Restart,
    /// The file is taken as it is, under the open store, and opened.
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    // Mostly within three hours, on the second, so that timestamps repeat and fall on hours' edges.
    let time = prop_oneof![8 => (0..3 * 3_600_i64).prop_map(|s| s * 1_000), 1 => Just(HOUR), 1 => -30 * HOUR..0];
    let samples = proptest::collection::vec((0..8_usize, time, any::<i16>()), 0..60);
    let batch = (proptest::option::weighted(0.5, 0..12_u64), samples);
    prop_oneof![
        4 => proptest::collection::vec(batch, 1..4).prop_map(Op::Append),
        3 => (1..20_usize, 0..5_i64).prop_map(|(steps, hours)| Op::Seal(steps, hours)),
        1 => Just(Op::Restart),
        1 => Just(Op::Crash),
    ]
}

#[derive(Default)]
struct Model {
    samples: BTreeMap<SeriesKey, Vec<Point>>,
    ids: HashSet<u64>,
    seq: u64,
}

impl Model {
    /// Applies the batches and says what becomes of each.
    fn append(&mut self, batches: &[Given]) -> Vec<Outcome> {
        let outcome = |(id, samples): &Given| {
            if id.is_some_and(|id| !self.ids.insert(id)) {
                return Outcome::Duplicate;
            }
            let mut left_out = Vec::new();
            for (place, (which, offset, value)) in samples.iter().enumerate() {
                let point = (START + offset, f64::from(*value).to_bits());
                let points = self.samples.entry(series(*which).0).or_default();
                match points.iter().find(|there| there.0 == point.0).filter(|_| repeats(*which) == Repeats::Once) {
                    None => points.push(point),
                    Some(there) if *there == point => left_out.push(LeftOut { place, found: Found::Same }),
                    Some(_) => left_out.push(LeftOut { place, found: Found::Another }),
                }
            }
            self.seq += 1;
            match left_out.len() {
                0 => Outcome::Stored { seq: self.seq },
                _ => Outcome::StoredInPart { seq: self.seq, left_out, counted: Vec::new() },
            }
        };
        batches.iter().map(outcome).collect()
    }
}

/// The summary of points that are put in the order of time.
fn summary_of(points: &[Point], kind: Kind) -> Summary {
    let mut samples = points.iter().map(|(ms, bits)| Sample::new(at(*ms), f64::from_bits(*bits)).unwrap());
    let mut summary = Summary::of(samples.next().unwrap(), kind);
    for sample in samples {
        summary.record(sample, kind);
    }
    summary
}

fn check(store: &RedbStore, model: &Model) -> Result<(), TestCaseError> {
    prop_assert_eq!(store.seq(), model.seq);
    for (key, points) in &model.samples {
        let mut points = points.clone();
        points.sort_unstable();
        prop_assert_eq!(all_of(store, key), points, "{}", key);
    }
    // Far enough after the start that every hour comes as a summary, and as near that none does.
    for now in [START + 60 * HOUR, START - 20 * HOUR] {
        let (replayed, faults) = replay(store, now);
        prop_assert_eq!(faults, []);
        prop_assert_eq!(replayed.keys().collect::<Vec<_>>(), model.samples.keys().collect::<Vec<_>>());
        for (key, replayed) in replayed {
            let kind = store.series().into_iter().find(|each| each.key == key).unwrap().kind;
            let mut rest = model.samples[&key].clone();
            prop_assert!(replayed.points.is_sorted_by_key(|point| point.0), "{key} is out of the order of time");
            for point in &replayed.points {
                let place = rest.iter().position(|each| each == point);
                prop_assert!(place.is_some(), "{key} {point:?} comes once too often");
                rest.remove(place.unwrap_or_default());
            }
            for (end, summary) in &replayed.hours {
                let mut of_hour: Vec<Point> =
                    rest.extract_if(.., |point| end - HOUR < point.0 && point.0 <= *end).collect();
                of_hour.sort_by_key(|point| point.0);
                prop_assert!(!of_hour.is_empty(), "{key} has an hour without samples");
                let expected = summary_of(&of_hour, kind);
                prop_assert_eq!(summary.count, expected.count);
                prop_assert_eq!(&summary.sketch, &expected.sketch);
                prop_assert_eq!((summary.min, summary.max), (expected.min, expected.max));
                prop_assert_eq!(summary.first.timestamp(), expected.first.timestamp());
                prop_assert_eq!(summary.last.timestamp(), expected.last.timestamp());
                prop_assert_eq!(summary.sum, expected.sum, "sums of whole numbers are exact");
                // Equal timestamps of a counter are told apart by the order in which they came, which
                // the sorted list keeps.
                prop_assert_eq!(summary.increase, expected.increase, "{} at {}", key, end);
                prop_assert_eq!((summary.first, summary.last), (expected.first, expected.last));
                let greatest = expected.max.abs().max(expected.min.abs());
                let tolerance = 1e-12 * expected.count as f64 * greatest * greatest;
                prop_assert!((summary.m2 - expected.m2).abs() <= tolerance, "m2 {} {}", summary.m2, expected.m2);
            }
            prop_assert!(rest.is_empty(), "{key} lost {rest:?}");
        }
    }
    Ok(())
}

fn run(ops: &[Op], limits: SealLimits) -> Result<(), TestCaseError> {
    let mut folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path()).with_seal_limits(limits);
    let mut model = Model::default();
    for op in ops {
        match op {
            Op::Append(batches) => {
                let given: Vec<_> = batches
                    .iter()
                    .map(|(id, samples)| {
                        let samples = samples.iter().map(|(which, offset, value)| {
                            let (key, kind) = series(*which);
                            let sample = sample(&key, kind, START + offset, f64::from(*value));
                            BatchSample { repeats: repeats(*which), ..sample }
                        });
                        let batch = batch(START + 3 * HOUR, samples.collect());
                        match id {
                            Some(id) => named(&format!("sender:{id}"), batch),
                            None => batch,
                        }
                    })
                    .collect();
                prop_assert_eq!(store.append(&given).unwrap(), model.append(batches));
            }
            Op::Seal(steps, hours) => {
                for _ in 0..*steps {
                    store.seal(at(START + hours * HOUR)).unwrap();
                }
            }
            Op::Restart => {
                drop(store);
                store = open(folder.path()).with_seal_limits(limits);
            }
            Op::Crash => {
                let after = tempfile::tempdir().unwrap();
                copy_files(folder.path(), after.path());
                drop(store);
                folder = after;
                store = open(folder.path()).with_seal_limits(limits);
            }
        }
        check(&store, &model)?;
    }
    store_support::seal_all(&mut store, START + 6 * HOUR);
    check(&store, &model)?;
    let left = store.statistics();
    prop_assert_eq!((left.tail_samples, left.tail_batches, left.faults), (0, 0, 0), "all hours are over");
    Ok(())
}

/// Each case opens stores: 32 where others try 256, and as much more of them in a soak.
fn few() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.div_ceil(8), max_shrink_iters: 200, ..usual }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn the_store_says_what_the_list_says(ops in proptest::collection::vec(op(), 1..16), small in any::<bool>()) {
        run(&ops, if small { SMALL_STEPS } else { SealLimits::default() })?;
    }

    #[test]
    fn dropping_leaves_the_hours_within_the_retention(
        hours in proptest::collection::vec((0..4_usize, 0..200_i64), 1..60),
        retention in 1..200_u64,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = RedbStore::open(folder.path(), EPOCH).unwrap();
        let now = START + 201 * HOUR;
        for (which, hour) in &hours {
            let (key, kind) = series(*which);
            store.append(&[batch(now, vec![sample(&key, kind, START + hour * HOUR + 1, 1.0)])]).unwrap();
        }
        store_support::seal_all(&mut store, now);
        // In the tail only, and older than any retention: it is not of an hour that could be dropped.
        let (in_tail, kind) = series(4);
        store.append(&[batch(now, vec![sample(&in_tail, kind, START, 1.0)])]).unwrap();
        expire_all(&mut store, now, DurationMs::from_hours(retention));
        for which in 0..4 {
            let (key, _) = series(which);
            let edge = now - i64::try_from(retention).unwrap() * HOUR;
            let mut expected: Vec<i64> = hours
                .iter()
                .filter(|each| each.0 == which && START + (each.1 + 1) * HOUR > edge)
                .map(|each| START + each.1 * HOUR + 1)
                .collect();
            expected.sort_unstable();
            let left: Vec<i64> = all_of(&store, &key).iter().map(|point| point.0).collect();
            prop_assert_eq!(&left, &expected);
            let known = store.series().iter().any(|each| each.key == key);
            prop_assert_eq!(known, !expected.is_empty(), "a series goes with its last sample");
        }
        prop_assert_eq!(all_of(&store, &in_tail).len(), 1, "what is not sealed is not dropped");
        let (replayed, faults) = replay(&store, now);
        prop_assert_eq!(faults, []);
        let told: u64 = replayed.values().map(|each| each.points.len() as u64 + each.hours.values().map(|hour| hour.count).sum::<u64>()).sum();
        let kept: usize = (0..5).map(|which| all_of(&store, &series(which).0).len()).sum();
        prop_assert_eq!(told, kept as u64);
    }
}

#[test]
fn a_counters_late_samples_do_not_blur_what_it_grew_by() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let (key, kind) = series(1);
    // With a reset in the middle that only the late half shows: 10 · 20 · 30 | 5 · 15.
    let (early, late) = ([(1_000, 10.0), (3_000, 30.0), (5_000, 15.0)], [(2_000, 20.0), (4_000, 5.0)]);
    for half in [&early[..], &late[..]] {
        let samples = half.iter().map(|(offset, value)| sample(&key, kind, START + offset, *value)).collect();
        store.append(&[batch(START + HOUR, samples)]).unwrap();
        // Each half is sealed by a start of its own, so that the second meets what the first left.
        drop(store);
        store = open(folder.path());
        store_support::seal_all(&mut store, START + 2 * HOUR);
    }
    let (replayed, _) = replay(&store, START + 60 * HOUR);
    let summary = &replayed[&key].hours[&(START + HOUR)];
    assert_eq!((summary.count, summary.increase), (5, 10.0 + 10.0 + 5.0 + 10.0));
}

#[test]
fn sealing_ends_though_batches_stay_that_are_sealed_by_half() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path()).with_seal_limits(SMALL_STEPS);
    let (key, kind) = series(0);
    // More samples than a round takes and fewer than a tail may hold, each batch in two hours.
    for _ in 0..3 {
        let samples = (0..40).map(|n| sample(&key, kind, START + n * HOUR / 20, 1.0)).collect();
        store_one(&mut store, batch(START + 2 * HOUR, samples));
    }
    store_support::seal_all(&mut store, START + HOUR + HOUR / 2);
    assert_eq!(all_of(&store, &key).len(), 120);
}
