//! Stored samples are corrected, withdrawn and erased, wherever they are: the store then says what a list says in
//! which the same was done, whatever was sealed, restarted or failed in between.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failure of the test")]

mod store_support;

use std::collections::BTreeSet;

use bellwether_core::labels::{MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::DurationMs;
use bellwether_gateway::store::{
    Action, Batch, BatchSample, Change, Corrected, Correction, IdempotencyKey, Progress, RedbStore, Retention,
    SealLimits, Store, Target, Trail, Whereabouts,
};
use proptest::prelude::*;
use store_support::faulty::{Failure, FaultyDisk};
use store_support::{
    EPOCH, HOUR, Point, SMALL_STEPS, START, all_of, at, batch, expire_all, key, named, open, replay, sample, seal_all,
    store_one,
};

const KINDS: [Kind; 4] = [Kind::Observation, Kind::Counter, Kind::Gauge, Kind::Event];
/// When corrections are made.
const NOW: i64 = START + 5 * HOUR;

fn series(which: usize) -> (SeriesKey, Kind) {
    (key(["latency", "requests_total", "temperature", "conflict"][which], "a"), KINDS[which])
}

fn reference(number: u8) -> String {
    format!("the case of person {number}")
}

fn referred(which: usize, offset: i64, value: f64, number: Option<u8>) -> BatchSample {
    let (key, kind) = series(which);
    let reference = number.map(|number| reference(number).into());
    BatchSample { reference, ..sample(&key, kind, START + offset, value) }
}

fn asked(target: Target, change: Change) -> Correction {
    let reason = Some("it was entered wrongly".into());
    Correction { target, change, reason, by: "desk".into(), now: at(NOW) }
}

fn find(store: &RedbStore, target: &Target, change: Change) -> Whereabouts {
    store.snapshot().unwrap().find(target, change.action()).unwrap()
}

fn correct(store: &mut RedbStore, target: Target, change: Change) -> Corrected {
    let found = find(store, &target, change);
    store.correct(&asked(target, change), &found).unwrap()
}

#[track_caller]
fn changed(corrected: &Corrected) -> usize {
    match corrected {
        Corrected::Done { samples, .. } => *samples,
        other => panic!("{other:?}"),
    }
}

/// Everything that a backup of the store would hold, as bytes.
fn bytes(store: &RedbStore) -> Vec<u8> {
    let mut all = Vec::new();
    let sent: Result<(), ()> = store
        .snapshot()
        .unwrap()
        .send(&mut |piece| {
            all.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
    sent.unwrap();
    all
}

fn holds(store: &RedbStore, text: &str) -> bool {
    bytes(store).windows(text.len()).any(|window| window == text.as_bytes())
}

#[derive(Clone, Debug)]
enum Op {
    /// One batch: of each sample the series, its place in time, its value and its reference.
    Append(Vec<(usize, i64, i16, Option<u8>)>),
    /// So many steps of sealing, `.1` hours after the start.
    Seal(usize, i64),
    Restart,
    /// Of a reference, perhaps of one series only.
    Correct(u8, Option<usize>, Option<i16>, Option<i64>),
    Withdraw(u8, Option<usize>),
    Erase(u8, Option<usize>),
}

fn op() -> impl Strategy<Value = Op> {
    let time = || prop_oneof![8 => (0..3 * 3_600_i64).prop_map(|s| s * 1_000), 1 => Just(HOUR)];
    let of = || (0..6_u8, proptest::option::of(0..4_usize));
    let each = (0..4_usize, time(), any::<i16>(), proptest::option::weighted(0.6, 0..6_u8));
    prop_oneof![
        4 => proptest::collection::vec(each, 0..40).prop_map(Op::Append),
        3 => (1..20_usize, 0..5_i64).prop_map(|(steps, hours)| Op::Seal(steps, hours)),
        1 => Just(Op::Restart),
        2 => (of(), proptest::option::of(any::<i16>()), proptest::option::of(time()))
            .prop_map(|((number, which), value, time)| Op::Correct(number, which, value, time)),
        1 => of().prop_map(|(number, which)| Op::Withdraw(number, which)),
        1 => of().prop_map(|(number, which)| Op::Erase(number, which)),
    ]
}

fn target(number: u8, which: Option<usize>) -> Target {
    Target { metric: which.map(|which| series(which).0.metric), ..Target::new(&reference(number)) }
}

impl Op {
    /// What a correction is about and what it does.
    fn correction(&self) -> Option<(u8, Option<usize>, Change)> {
        Some(match *self {
            Self::Correct(number, which, value, time) => {
                let timestamp = time.map(|offset| at(START + offset));
                (number, which, Change::Correct { value: value.map(f64::from), timestamp })
            }
            Self::Withdraw(number, which) => (number, which, Change::Withdraw),
            Self::Erase(number, which) => (number, which, Change::Erase),
            _ => return None,
        })
    }
}

/// A sample of the list: its series, its point and its reference.
type Kept = (usize, Point, Option<u8>);

#[derive(Default)]
struct Model {
    samples: Vec<Kept>,
    /// References of which something was withdrawn or corrected: the trail tells of them.
    told: Vec<(u8, usize)>,
    seq: u64,
    corrections: u64,
}

/// What the list says of a correction.
#[derive(Debug, PartialEq)]
enum Expected {
    Done(usize),
    Unknown,
    Same,
    Ambiguous(usize),
}

impl Model {
    fn correct(&mut self, number: u8, which: Option<usize>, change: Change) -> Expected {
        let meant = |sample: &Kept| sample.2 == Some(number) && which.is_none_or(|which| which == sample.0);
        let gone: Vec<Kept> = self.samples.iter().copied().filter(meant).collect();
        let told = |told: &(u8, usize)| told.0 == number && which.is_none_or(|which| which == told.1);
        let was_told = self.told.iter().any(told);
        let mut after = None;
        match (change, &gone[..]) {
            (Change::Erase, _) if was_told => {}
            (_, []) => return Expected::Unknown,
            (Change::Correct { value, timestamp }, [(which, (ms, bits), reference)]) => {
                let point = (timestamp.map_or(*ms, |at| at.get()), value.map_or(*bits, f64::to_bits));
                if point == (*ms, *bits) {
                    return Expected::Same;
                }
                after = Some((*which, point, *reference));
            }
            (Change::Correct { .. }, many) => return Expected::Ambiguous(many.len()),
            _ => {}
        }
        self.samples.retain(|sample| !meant(sample));
        self.samples.extend(after);
        if change == Change::Erase {
            self.told.retain(|each| !told(each));
        } else {
            self.told.extend(gone.iter().map(|(which, ..)| (number, *which)));
        }
        self.seq += 1;
        self.corrections += 1;
        Expected::Done(gone.len())
    }

    fn points(&self, which: usize) -> Vec<Point> {
        self.samples.iter().filter(|sample| sample.0 == which).map(|sample| sample.1).collect()
    }
}

fn summary_of(points: &[Point], kind: Kind) -> Summary {
    let mut samples = points.iter().map(|(ms, bits)| Sample::new(at(*ms), f64::from_bits(*bits)).unwrap());
    let mut summary = Summary::of(samples.next().unwrap(), kind);
    samples.for_each(|sample| summary.record(sample, kind));
    summary
}

fn check(store: &RedbStore, model: &Model) -> Result<(), TestCaseError> {
    prop_assert_eq!(store.seq(), model.seq);
    let (replayed, faults) = replay(store, START + 60 * HOUR);
    prop_assert_eq!(faults, []);
    for which in 0..4 {
        let (key, kind) = series(which);
        let mut points = model.points(which);
        let mut sorted = points.clone();
        sorted.sort_unstable();
        prop_assert_eq!(all_of(store, &key), sorted, "{}", key);
        let Some(replayed) = replayed.get(&key) else {
            prop_assert!(points.is_empty(), "{key} is not told");
            continue;
        };
        for point in &replayed.points {
            let place = points.iter().position(|each| each == point);
            prop_assert!(place.is_some(), "{key} {point:?} comes once too often");
            points.remove(place.unwrap_or_default());
        }
        for (end, summary) in &replayed.hours {
            let mut of_hour: Vec<Point> =
                points.extract_if(.., |point| end - HOUR < point.0 && point.0 <= *end).collect();
            of_hour.sort_by_key(|point| point.0);
            prop_assert!(!of_hour.is_empty(), "{key} has an hour without samples");
            let expected = summary_of(&of_hour, kind);
            prop_assert_eq!((summary.count, &summary.sketch), (expected.count, &expected.sketch));
            prop_assert_eq!((summary.min, summary.max, summary.sum), (expected.min, expected.max, expected.sum));
            prop_assert_eq!(summary.increase, expected.increase, "{} at {}", key, end);
            prop_assert_eq!((summary.first, summary.last), (expected.first, expected.last));
        }
        prop_assert!(points.is_empty(), "{key} lost {points:?}");
    }
    let verified = store.verify().unwrap();
    prop_assert_eq!((verified.faults, verified.corrections), (Vec::new(), model.corrections));
    prop_assert_eq!(verified.chunk_bytes, store.statistics().chunk_bytes);
    prop_assert_eq!(verified.tail_samples + verified.chunk_samples, model.samples.len() as u64);
    let all = bytes(store);
    for number in 0..6 {
        let text = reference(number);
        let there = all.windows(text.len()).any(|window| window == text.as_bytes());
        let expected = model.samples.iter().any(|sample| sample.2 == Some(number))
            || model.told.iter().any(|told| told.0 == number);
        prop_assert_eq!(there, expected, "{}", text);
    }
    Ok(())
}

fn run(ops: &[Op], limits: SealLimits) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path()).with_seal_limits(limits);
    let mut model = Model::default();
    let mut searched = None;
    for (place, op) in ops.iter().enumerate() {
        // What the next correction is about is looked for before this is done.
        let next = ops.get(place + 1).and_then(Op::correction);
        let search_of_next = next.map(|(number, which, change)| find(&store, &target(number, which), change));
        match op {
            Op::Append(samples) => {
                let of = |(which, offset, value, number): &(usize, i64, i16, Option<u8>)| {
                    referred(*which, *offset, f64::from(*value), *number)
                };
                model.seq = store_one(&mut store, batch(START + 3 * HOUR, samples.iter().map(of).collect()));
                model.samples.extend(samples.iter().map(|(which, offset, value, number)| {
                    (*which, (START + offset, f64::from(*value).to_bits()), *number)
                }));
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
            correction => {
                let Some((number, which, change)) = correction.correction() else { continue };
                let target = target(number, which);
                let asked = asked(target.clone(), change);
                let found = searched.unwrap_or_else(|| find(&store, &target, change));
                let corrected = match store.correct(&asked, &found).unwrap() {
                    Corrected::Overtaken => store.correct(&asked, &find(&store, &target, change)).unwrap(),
                    corrected => corrected,
                };
                let corrected = match corrected {
                    Corrected::Done { samples, .. } => Expected::Done(samples),
                    Corrected::Unknown => Expected::Unknown,
                    Corrected::Same => Expected::Same,
                    Corrected::Ambiguous { samples } => Expected::Ambiguous(samples),
                    other => panic!("{other:?}"),
                };
                prop_assert_eq!(corrected, model.correct(number, which, change), "{:?}", op);
            }
        }
        searched = search_of_next;
        check(&store, &model)?;
    }
    seal_all(&mut store, START + 6 * HOUR);
    check(&store, &model)
}

/// Each case opens stores: 32 where others try 256, and as much more of them in a soak.
fn few() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.div_ceil(8), max_shrink_iters: 200, ..usual }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn the_store_says_what_the_corrected_list_says(ops in proptest::collection::vec(op(), 1..16), small in any::<bool>()) {
        run(&ops, if small { SMALL_STEPS } else { SealLimits::default() })?;
    }
}

#[test]
fn a_correction_is_all_on_disk_or_not_at_all() {
    let (mut before, mut after) = (0, 0);
    for sealed in [false, true] {
        for changes in 0..60 {
            let disk = FaultyDisk::default();
            let mut store = RedbStore::open_on(Box::new(disk.clone()), EPOCH).unwrap();
            let samples = (0..50).map(|n| referred(0, n * 1_000, n as f64, Some(n as u8))).collect();
            store_one(&mut store, batch(START, samples));
            if sealed {
                seal_all(&mut store, START + 2 * HOUR);
            }
            let target = Target::new(&reference(7));
            let change = Change::Correct { value: Some(-7.0), timestamp: Some(at(START + 90_000)) };
            let found = find(&store, &target, change);
            disk.fail_after(changes, Failure::Sync);
            let acknowledged = store.correct(&asked(target, change), &found).is_ok();
            disk.fail(None);
            drop(store);
            let mut store = RedbStore::open_on(Box::new(disk.clone()), EPOCH).unwrap();
            let points = all_of(&store, &series(0).0);
            let old = (START + 7_000, 7.0_f64.to_bits());
            let new = (START + 90_000, (-7.0_f64).to_bits());
            let trail = store.snapshot().unwrap().trail(0, (at(i64::MIN), at(i64::MAX)), 9).unwrap().entries;
            assert_eq!(points.len(), 50);
            if points.contains(&new) {
                assert!(!points.contains(&old));
                assert_eq!((trail.len(), store.restated().unwrap().len()), (1, 2));
                after += 1;
            } else {
                assert!(points.contains(&old) && !acknowledged, "what was acknowledged is there");
                assert_eq!((trail.len(), store.restated().unwrap().len()), (0, 0));
                before += 1;
            }
            seal_all(&mut store, START + 3 * HOUR);
            assert_eq!(all_of(&store, &series(0).0), points);
            assert_eq!(store.verify().unwrap().fault_count, 0);
        }
    }
    assert!(before > 0 && after > 0, "{before} {after}: no commit failed, or none came through");
}

#[test]
fn the_trail_says_what_was_done_and_of_what_is_erased_only_that_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let samples =
        vec![referred(0, 1_000, 5.0, Some(1)), referred(0, 2_000, 6.0, Some(2)), referred(3, 3_000, 1.0, Some(2))];
    store_one(&mut store, named("the case of person 2:1", batch(START, samples)));
    store_one(&mut store, named("the case of person 2", batch(START, Vec::new())));
    let fix = Change::Correct { value: Some(8.0), timestamp: None };
    assert_eq!(changed(&correct(&mut store, Target::new(&reference(1)), fix)), 1);
    let of_conflict = Target { metric: Some(series(3).0.metric), ..Target::new(&reference(2)) };
    assert_eq!(changed(&correct(&mut store, of_conflict, Change::Withdraw)), 1);
    let trail = |store: &RedbStore| {
        let Trail { entries, faults, .. } = store.snapshot().unwrap().trail(0, (at(0), at(NOW)), 9).unwrap();
        assert_eq!(faults, []);
        entries.into_iter().map(|(_, entry)| entry).collect::<Vec<_>>()
    };
    let [corrected, withdrawn] = &trail(&store)[..] else { panic!("two corrections") };
    assert_eq!((corrected.action, &*corrected.by, corrected.at), (Action::Correct, "desk", at(NOW)));
    let about = corrected.about.as_ref().unwrap();
    assert_eq!((&*about.reference, about.reason.as_deref()), (&*reference(1), Some("it was entered wrongly")));
    let values: Vec<_> =
        about.samples.iter().map(|each| (each.before.value(), each.after.map(Sample::value))).collect();
    assert_eq!(values, [(5.0, Some(8.0))]);
    assert_eq!(withdrawn.about.as_ref().unwrap().samples[0].after, None);

    assert!(holds(&store, &reference(2)));
    assert_eq!(changed(&correct(&mut store, Target::new(&reference(2)), Change::Erase)), 1);
    assert!(!holds(&store, &reference(2)), "not in chunks, tail, trail or batch ids");
    assert!(!store.remembers(&IdempotencyKey::new("the case of person 2:1").unwrap(), at(START)));
    let [_, blanked, erased] = &trail(&store)[..] else { panic!("three corrections") };
    assert_eq!((blanked.action, &blanked.about), (Action::Withdraw, &None));
    assert_eq!((erased.action, &*erased.by, erased.at, &erased.about), (Action::Erase, "desk", at(NOW), &None));
    assert_eq!(correct(&mut store, Target::new(&reference(2)), Change::Erase), Corrected::Unknown);
    drop(store);
    let store = open(folder.path());
    assert_eq!(all_of(&store, &series(0).0), [(START + 1_000, 8.0_f64.to_bits())]);
    assert_eq!(store.restated().unwrap().len(), 1 + 2, "an instant, and two hours that say less");
    assert_eq!(store.verify().unwrap().fault_count, 0);
}

#[test]
fn of_a_sample_that_was_moved_twice_nothing_is_left_where_only_it_is_erased() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let samples = (1..=2).map(|n| referred(0, n * HOUR, n as f64, Some(1))).collect();
    store_one(&mut store, named("the case of person 1:1", batch(START, samples)));
    let at_hour = |hour: i64| Target { at: Some(at(START + hour * HOUR)), ..Target::new(&reference(1)) };
    for hour in [1, 3] {
        let change =
            Change::Correct { value: Some(70.0 + hour as f64), timestamp: Some(at(START + (hour + 2) * HOUR)) };
        assert_eq!(changed(&correct(&mut store, at_hour(hour), change)), 1);
    }
    seal_all(&mut store, START + 9 * HOUR);
    assert_eq!(correct(&mut store, at_hour(1), Change::Erase), Corrected::Unknown, "it is of that instant no more");
    let erased = correct(&mut store, at_hour(5), Change::Erase);
    let Corrected::Done { samples: 1, restated, untold, .. } = erased else { panic!("{erased:?}") };
    let instants: BTreeSet<_> = untold.iter().map(|(_, at)| at.get() - START).collect();
    assert_eq!(instants, [HOUR, 3 * HOUR, 5 * HOUR].into(), "all that was told of it");
    assert!(restated.iter().all(|(_, mark)| mark.to.since(mark.from) == DurationMs::from_hours(1)), "{restated:?}");
    let trail = |store: &RedbStore| store.snapshot().unwrap().trail(0, (at(0), at(NOW)), 9).unwrap().entries;
    assert!(trail(&store).iter().all(|(_, entry)| entry.about.is_none()), "{:?}", trail(&store));
    // The other sample of the reference came in the same batch: sent again, it is stored no second time.
    let id = IdempotencyKey::new("the case of person 1:1").unwrap();
    assert!(store.remembers(&id, at(START)) && holds(&store, &reference(1)));
    assert_eq!(changed(&correct(&mut store, at_hour(2), Change::Erase)), 1);
    assert!(!store.remembers(&id, at(START)) && !holds(&store, &reference(1)), "nothing is left that it would name");
    assert_eq!(store.verify().unwrap().fault_count, 0);
}

#[test]
fn a_batch_id_that_is_a_reference_is_forgotten_with_the_last_that_tells_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let id = IdempotencyKey::new(&reference(1)).unwrap();
    let of = |which: usize| Target { metric: Some(series(which).0.metric), ..Target::new(&reference(1)) };
    for sealed in [false, true] {
        store_one(&mut store, named(&reference(1), batch(NOW, (0..4).map(|n| referred(n, 1, 5.0, Some(1))).collect())));
        if sealed {
            seal_all(&mut store, START + 9 * HOUR);
        }
        let before = find(&store, &of(1), Change::Erase);
        assert_eq!(changed(&correct(&mut store, of(0), Change::Withdraw)), 1);
        let stale = store.correct(&asked(of(1), Change::Erase), &before).unwrap();
        assert_eq!(stale, Corrected::Overtaken, "what else there is may have changed");
        for (which, gone) in [(1, 1), (2, 1), (3, 1), (0, 0)] {
            assert!(store.remembers(&id, at(NOW)), "{which}");
            assert_eq!(changed(&correct(&mut store, of(which), Change::Erase)), gone, "{which}");
        }
        assert!(!store.remembers(&id, at(NOW)) && !holds(&store, &reference(1)));
    }
    // An id alone can be erased too.
    store_one(&mut store, named(&reference(1), batch(NOW, Vec::new())));
    assert_eq!(changed(&correct(&mut store, Target::new(&reference(1)), Change::Erase)), 0);
    assert!(!holds(&store, &reference(1)));
    assert_eq!(correct(&mut store, Target::new(&reference(1)), Change::Erase), Corrected::Unknown);
}

#[test]
fn a_reading_of_the_trail_is_bounded_by_what_its_entries_tell() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for (number, count) in [(1, 6_000), (2, 4_000), (3, 1), (4, 10_000)] {
        let of = |n: i64| referred((n % 4) as usize, n * 100, n as f64, Some(number));
        store_one(&mut store, batch(START, (0..count).map(of).collect()));
        assert_eq!(changed(&correct(&mut store, Target::new(&reference(number)), Change::Withdraw)), count as usize);
    }
    let read = |from: u64, most: usize| {
        let trail = store.snapshot().unwrap().trail(from, (at(0), at(NOW)), most).unwrap();
        (trail.entries.iter().map(|(id, _)| *id).collect::<Vec<_>>(), trail.next)
    };
    assert_eq!(read(0, 9), (vec![0, 1], Some(2)));
    assert_eq!(read(2, 9), (vec![2], Some(3)));
    assert_eq!(read(3, 9), (vec![3], None));
    assert_eq!(read(0, 1), (vec![0], Some(1)));
}

#[test]
fn a_start_leaves_nothing_of_what_is_erased_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for round in 0..3_u8 {
        let of = |n: usize| referred(n % 4, n as i64 * 1_000, n as f64, Some(round * 60 + n as u8));
        store_one(&mut store, batch(START, (0..60).map(of).collect()));
        seal_all(&mut store, START + 2 * HOUR);
    }
    for number in 0..120 {
        let change = if number % 3 == 0 { Change::Withdraw } else { Change::Erase };
        assert_eq!(changed(&correct(&mut store, Target::new(&reference(number)), change)), 1);
    }
    let (seq, points) = (store.seq(), all_of(&store, &series(0).0));
    let path = store.path().to_owned();
    drop(store);
    let in_file = |number| {
        // The last figure ends it: 7 is not in 77.
        let (text, bytes) = (reference(number), std::fs::read(&path).unwrap());
        bytes
            .windows(text.len() + 1)
            .any(|window| window.starts_with(text.as_bytes()) && !window[text.len()].is_ascii_digit())
    };
    assert!((0..120).any(|number| number % 3 != 0 && in_file(number)), "free pages hold it: the test tests nothing");
    for _ in 0..2 {
        let store = open(folder.path());
        assert_eq!((store.epoch(), store.seq()), (EPOCH, seq));
        assert_eq!(all_of(&store, &series(0).0), points);
        assert_eq!(store.verify().unwrap().fault_count, 0);
        for number in 0..180 {
            assert_eq!(in_file(number), number % 3 == 0 || number >= 120, "{number}");
        }
    }
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["bellwether.redb"]);
}

#[test]
fn a_summary_that_tells_of_dropped_samples_goes_on_telling_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store_one(&mut store, batch(START, (1..=9).map(|n| referred(0, n * 1_000, n as f64, None)).collect()));
    let now = START + 72 * HOUR;
    seal_all(&mut store, now);
    let long = DurationMs::from_days(3_653);
    let retention = Retention { raw: long, raw_bytes: Some(1), rollups: long };
    while store.expire(at(now), retention).unwrap() == Progress::More {}
    store_one(&mut store, batch(now, vec![referred(0, 20_000, 100.0, Some(1)), referred(0, 21_000, 4.0, Some(2))]));
    drop(store);
    let mut store = open(folder.path());
    seal_all(&mut store, now + 2 * HOUR);
    assert_eq!(changed(&correct(&mut store, Target::new(&reference(1)), Change::Withdraw)), 1);
    let (replayed, _) = replay(&store, now);
    let hour = &replayed[&series(0).0].hours[&(START + HOUR)];
    assert_eq!((hour.count, hour.sum, hour.min), (10, 49.0, 1.0));
    assert!((9.0..9.2).contains(&hour.max), "{}", hour.max);
    assert_eq!(store.verify().unwrap().fault_count, 0);
}

#[test]
fn marks_go_with_the_summaries_of_their_hours() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store_one(&mut store, batch(START, vec![referred(0, 1_000, 5.0, Some(1)), referred(0, 90 * HOUR, 5.0, Some(2))]));
    for number in [1, 2] {
        let change = Change::Correct { value: Some(6.0), timestamp: None };
        assert_eq!(changed(&correct(&mut store, Target::new(&reference(number)), change)), 1);
    }
    let ends =
        |store: &RedbStore| store.restated().unwrap().iter().map(|(_, mark)| mark.to.get() - START).collect::<Vec<_>>();
    assert_eq!(ends(&store), [1_000, 90 * HOUR]);
    let now = START + 100 * HOUR;
    seal_all(&mut store, now);
    expire_all(&mut store, now, DurationMs::from_hours(48));
    assert_eq!(ends(&store), [90 * HOUR]);
    assert_eq!(store.verify().unwrap().fault_count, 0);
}

#[test]
fn a_series_that_is_corrected_while_a_round_is_under_way_is_sealed_as_it_is_then() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path()).with_seal_limits(SMALL_STEPS);
    let all: Vec<Batch> = (0..4)
        .map(|which| batch(START, (0..30).map(|n| referred(which, n * 1_000, n as f64, Some(n as u8))).collect()))
        .collect();
    store.append(&all).unwrap();
    let mut withdrawn = 0;
    for number in 0..30 {
        store.seal(at(START + 2 * HOUR)).unwrap();
        let target = Target { metric: Some(MetricName::new("conflict").unwrap()), ..Target::new(&reference(number)) };
        withdrawn += changed(&correct(&mut store, target, Change::Withdraw));
    }
    seal_all(&mut store, START + 2 * HOUR);
    assert_eq!((withdrawn, all_of(&store, &series(3).0)), (30, Vec::new()));
    for which in 0..3 {
        assert_eq!(all_of(&store, &series(which).0).len(), 30);
    }
    assert_eq!(store.verify().unwrap().fault_count, 0);
}
