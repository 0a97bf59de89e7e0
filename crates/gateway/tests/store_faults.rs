//! A full disk, a failing disk, a power cut, a flipped bit, a file cut short: what was acknowledged
//! stays or is said to be damaged, and the store goes on by itself when the disk does.

#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod store_support;

use bellwether_core::sample::Kind;
use bellwether_gateway::store::{Outcome, Place, Progress, RedbStore, SealLimits, StoppedStore, Store, StoreError};
use bellwether_testkit::random::Random;
use store_support::faulty::{Failure, FaultyDisk};
use store_support::{
    EPOCH, HOUR, SMALL_STEPS, START, all_of, at, batch, copy_files, key, named, points, replay, sample, seal_all,
    store_one,
};

fn open(disk: &FaultyDisk) -> RedbStore {
    RedbStore::open_on(Box::new(disk.clone()), EPOCH).unwrap().with_seal_limits(SMALL_STEPS)
}

/// A batch of one sample whose value is its number.
fn numbered(number: u32, received_at: i64) -> bellwether_gateway::store::Batch {
    let one = sample(&key("cases", "a"), Kind::Observation, START + i64::from(number), f64::from(number));
    named(&format!("sender:{number}"), batch(received_at, vec![one]))
}

fn numbers(store: &RedbStore) -> Vec<u32> {
    all_of(store, &key("cases", "a")).iter().map(|(_, bits)| f64::from_bits(*bits) as u32).collect()
}

#[track_caller]
fn refuses_and_mends_itself(failure: Failure, is_expected: fn(&StoreError) -> bool) {
    let disk = FaultyDisk::default();
    let mut store = open(&disk);
    store_one(&mut store, numbered(0, START));
    disk.fail(Some(failure));
    let error = store.append(&[numbered(1, START)]).unwrap_err();
    assert!(is_expected(&error), "{error:?}");
    // Within the second it does not even try; after it, it tries and fails, and says so.
    assert!(matches!(store.append(&[numbered(1, START + 999)]), Err(StoreError::Closed)));
    assert!(store.append(&[numbered(1, START + 1_000)]).is_err());
    disk.fail(None);
    let outcomes = store.append(&[numbered(1, START + 3_000), numbered(2, START + 3_000)]).unwrap();
    // The first try may have reached the disk although it was not acknowledged; then the id says so.
    assert!(matches!(outcomes[1], Outcome::Stored { .. }));
    let resurfaced: Vec<_> = store.take_resurfaced().iter().map(|batch| batch.samples.len()).collect();
    assert_eq!(resurfaced, if outcomes[0] == Outcome::Duplicate { vec![1] } else { vec![] });
    assert_eq!(store.take_resurfaced(), [], "each is given once");
    assert_eq!(numbers(&store), [0, 1, 2]);
    assert_eq!(store.statistics().reopened, 1);
}

#[test]
fn a_full_disk_refuses_until_there_is_room() {
    refuses_and_mends_itself(Failure::Full, |error| matches!(error, StoreError::Full { .. }));
}

#[test]
fn a_failing_fsync_acknowledges_nothing() {
    refuses_and_mends_itself(Failure::Sync, |error| matches!(error, StoreError::Io { .. }));
}

#[test]
fn a_broken_disk_refuses_until_it_works() {
    refuses_and_mends_itself(Failure::Broken, |error| matches!(error, StoreError::Io { .. }));
}

#[test]
fn a_reading_that_fails_does_so_no_longer_than_until_the_next_commit() {
    let disk = FaultyDisk::default();
    let mut store = open(&disk);
    store_one(&mut store, numbered(0, START));
    // To read, the database takes up what is in the journal.
    disk.fail(Some(Failure::Broken));
    let read = |store: &RedbStore| store.read(&key("cases", "a"), at(START), at(START + HOUR)).map(|_| ());
    assert!(matches!(read(&store), Err(StoreError::Io { .. })));
    disk.fail(None);
    assert!(matches!(read(&store), Err(StoreError::Closed)));
    store_one(&mut store, numbered(1, START));
    assert_eq!(numbers(&store), [0, 1]);
    assert_eq!((store.take_resurfaced(), store.statistics().reopened), (vec![], 1));
}

#[test]
fn a_disk_that_is_nearly_full_takes_no_samples_and_all_else_goes_on() {
    let disk = FaultyDisk::default();
    let mut store = open(&disk).with_reserve(1_000);
    for number in 0..40 {
        store_one(&mut store, numbered(number, START));
    }
    disk.leave(999);
    let error = store.append(&[numbered(40, START)]).unwrap_err();
    assert!(matches!(error, StoreError::Scarce { free_bytes: 999, reserve_bytes: 1_000 }), "{error:?}");
    assert!(error.to_string().contains("make room"), "{error}");
    assert_eq!(numbers(&store).len(), 40, "what is there is served");
    seal_all(&mut store, START + 9 * HOUR);
    assert_eq!(store.statistics().tail_samples, 0, "what is there is sealed");
    assert_eq!(store.save_alerts(&[], &[b"full".to_vec()], at(START)).unwrap(), [0]);
    disk.leave(1_000);
    store_one(&mut store, numbered(40, START));
    assert_eq!((numbers(&store).len(), store.statistics().reopened), (41, 0), "at once, without opening anew");
}

#[test]
fn a_commit_that_failed_and_yet_reached_the_disk_comes_to_light_once() {
    let mut resurfaced = 0;
    for changes in 0..60 {
        let disk = FaultyDisk::default();
        let mut store = open(&disk);
        store_one(&mut store, numbered(0, START));
        disk.fail_after(changes, Failure::Sync);
        if store.append(&[numbered(1, START)]).is_ok() {
            continue;
        }
        assert_eq!(store.take_resurfaced(), []);
        disk.fail(None);
        store_one(&mut store, numbered(2, START + 2_000));
        let found = store.take_resurfaced();
        if numbers(&store) == [0, 2] {
            assert_eq!(found, []);
        } else {
            assert_eq!(numbers(&store), [0, 1, 2]);
            assert_eq!((found.len(), found[0].seq), (1, 2));
            assert_eq!(found[0].samples, numbered(1, START).samples);
            resurfaced += 1;
        }
    }
    assert!(resurfaced > 0, "no commit failed at its last step: the test tests nothing");
}

/// Commits, seals and fails at random places; then the power is cut. Whatever was acknowledged is
/// there once, and a sender that repeats what was not acknowledged ends with everything once.
#[track_caller]
fn survives(seed: u64) {
    let mut random = Random::new(seed);
    let mut disk = FaultyDisk::default();
    let mut store = open(&disk);
    let mut now = START;
    let mut acknowledged = Vec::new();
    let mut open_question = Vec::new();
    let mut next = 0;
    for _ in 0..60 {
        now += 60_000 + i64::try_from(random.below(120_000)).unwrap();
        match random.below(8) {
            0 => disk.fail_after(
                random.below(40) as usize,
                [Failure::Full, Failure::Sync, Failure::Broken][random.below(3) as usize],
            ),
            1 | 2 => {
                for _ in 0..=random.below(4) {
                    // A failure here is of no consequence for what is stored.
                    let _ = store.seal(at(now));
                }
            }
            3 => {
                let after = disk.after_power_cut(&mut random);
                drop(store);
                disk = after;
                store = open(&disk);
            }
            _ => {
                let batches: Vec<_> = (0..=random.below(3)).map(|n| next + n as u32).collect();
                next += batches.len() as u32;
                let given: Vec<_> = batches.iter().map(|number| numbered(*number, now)).collect();
                match store.append(&given) {
                    Ok(outcomes) => {
                        assert!(outcomes.iter().all(|each| matches!(each, Outcome::Stored { .. })), "seed {seed}");
                        acknowledged.extend(batches);
                    }
                    Err(_) => open_question.extend(batches),
                }
            }
        }
        if random.below(4) == 0 {
            disk.fail(None);
        }
    }
    disk.fail(None);
    let disk = disk.after_power_cut(&mut random);
    drop(store);
    let mut store = open(&disk);
    let found = numbers(&store);
    for number in &acknowledged {
        assert_eq!(found.iter().filter(|each| *each == number).count(), 1, "seed {seed}: {number}");
    }
    assert!(found.iter().all(|each| acknowledged.contains(each) || open_question.contains(each)), "seed {seed}");
    let again: Vec<_> = open_question.iter().map(|number| numbered(*number, now)).collect();
    store.append(&again).unwrap();
    seal_all(&mut store, now + 2 * HOUR);
    assert_eq!(numbers(&store), (0..next).collect::<Vec<_>>(), "seed {seed}");
}

#[test]
fn what_was_acknowledged_survives_failures_and_power_cuts() {
    for seed in 0..40 {
        survives(seed);
    }
}

/// A store with two hours of three series in chunks, and a tail.
fn filled(disk: &FaultyDisk) {
    let mut store = open(disk).with_seal_limits(SealLimits::default());
    let series = ["a", "b", "c"].map(|host| key("cpu", host));
    for minute in 0..150 {
        let received_at = START + minute * 60_000 + 1;
        let samples = series
            .iter()
            .enumerate()
            .map(|(place, key)| sample(key, Kind::Gauge, received_at, (minute * 3) as f64 + place as f64))
            .collect();
        store_one(&mut store, batch(received_at, samples));
    }
    seal_all(&mut store, START + 150 * 60_000);
    assert!(store.statistics().tail_samples > 0);
    store.close().unwrap();
}

#[test]
fn a_flipped_bit_anywhere_costs_at_most_what_it_hit_and_is_never_served() {
    let disk = FaultyDisk::default();
    filled(&disk);
    let whole = {
        let store = open(&disk);
        ["a", "b", "c"].map(|host| all_of(&store, &key("cpu", host)))
    };
    let mut random = Random::new(7);
    let (mut found, mut refused) = (0, 0);
    for round in 0..600 {
        let damaged = disk.with_flipped_bit(&mut random);
        // The panic message of redb on a broken page would only be noise here.
        let store = match RedbStore::open_on(Box::new(damaged), EPOCH) {
            Ok(store) => store,
            Err(error) => {
                assert!(matches!(error, StoreError::Corrupt { .. } | StoreError::Io { .. }), "{error:?}");
                refused += 1;
                continue;
            }
        };
        for (host, expected) in ["a", "b", "c"].iter().zip(&whole) {
            match store.read(&key("cpu", host), at(i64::MIN), at(i64::MAX)) {
                Ok(reading) => {
                    let read = points(&reading.samples);
                    assert!(
                        read.iter().all(|point| expected.contains(point)),
                        "round {round}: a value that was never stored"
                    );
                    if read.len() < expected.len() {
                        found += 1;
                        let named = !reading.faults.is_empty() || store.statistics().faults > 0;
                        assert!(named, "round {round}: samples of {host} are missing and nothing says so");
                    }
                }
                Err(error) => {
                    assert!(matches!(error, StoreError::Corrupt { .. } | StoreError::Io { .. }), "{error:?}");
                    refused += 1;
                }
            }
        }
    }
    assert!(found > 0, "no flip hit a sample: the test tests nothing ({refused} refused)");
}

/// Turns over a bit where the page that holds `needle` says what is where in it.
fn break_page_of(disk: &FaultyDisk, needle: &[u8], random: &mut Random) -> FaultyDisk {
    const PAGE: usize = 4_096;
    let (byte, bit) = (random.below(64) as usize, random.below(8));
    disk.with(|bytes| {
        let mut found = 0;
        for page in bytes.chunks_mut(PAGE) {
            // Also in the copies that redb has left behind.
            if page.windows(needle.len()).any(|window| window == needle) {
                page[byte] ^= 1 << bit;
                found += 1;
            }
        }
        assert!(found > 0, "the record is in no page");
    })
}

#[test]
fn sealing_that_meets_damage_leaves_commits_alone() {
    let disk = FaultyDisk::default();
    filled(&disk);
    let records = {
        let database = bellwether_gateway::store::Disk::open(&disk, &redb::Builder::new()).unwrap();
        let read = redb::ReadableDatabase::begin_read(&database).unwrap();
        let hours = read.open_table(redb::TableDefinition::<(u32, i64), &[u8]>::new("hours")).unwrap();
        let hour = redb::ReadableTable::first(&hours).unwrap().unwrap().1.value().to_vec();
        let tail = read.open_table(redb::TableDefinition::<u64, &[u8]>::new("tail")).unwrap();
        let batch = redb::ReadableTable::first(&tail).unwrap().unwrap().1.value().to_vec();
        [hour, batch]
    };
    let mut random = Random::new(3);
    let now = START + 9 * HOUR;
    let one = || numbered(1, now);
    let mut met = 0;
    for round in 0..200 {
        let damaged = break_page_of(&disk, &records[round % 2], &mut random);
        let Ok(mut store) = RedbStore::open_on(Box::new(damaged.with(|_| ())), EPOCH) else { continue };
        let taken = store.append(&[one()]).is_ok();
        drop(store);
        let Ok(mut store) = RedbStore::open_on(Box::new(damaged), EPOCH) else { continue };
        let mut sealed = Ok(Progress::More);
        while matches!(sealed, Ok(Progress::More)) {
            sealed = store.seal(at(now));
        }
        let Err(error) = sealed else { continue };
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
        if taken {
            met += 1;
            let after = store.append(&[one()]);
            assert!(after.is_ok(), "round {round}: {error}; then {after:?}");
            assert_eq!(store.seal(at(now + 1_000)).unwrap(), Progress::Done, "round {round}: it pauses");
            assert!(store.append(&[numbered(2, now + 2_000)]).is_ok(), "round {round}");
        }
    }
    assert!(met > 0, "no flip stopped sealing: the test tests nothing");
}

#[test]
fn a_damaged_chunk_is_isolated_and_its_hour_stays_right() {
    let disk = FaultyDisk::default();
    filled(&disk);
    let chunk = {
        let database = bellwether_gateway::store::Disk::open(&disk, &redb::Builder::new()).unwrap();
        let chunks = redb::TableDefinition::<(u32, i64, u32), &[u8]>::new("chunks");
        let hour = START / HOUR + 1;
        let write = database.begin_write().unwrap();
        let damaged = {
            let mut table = write.open_table(chunks).unwrap();
            let mut record = redb::ReadableTable::get(&table, (1, hour, 0)).unwrap().unwrap().value().to_vec();
            let middle = record.len() / 2;
            record[middle] ^= 0x10;
            table.insert((1, hour, 0), record.as_slice()).unwrap();
            hour
        };
        write.commit().unwrap();
        damaged
    };
    let store = open(&disk);
    let reading = store.read(&key("cpu", "b"), at(START), at(START + 3 * HOUR)).unwrap();
    assert_eq!(reading.samples.len(), 150 - 60, "the other hours are served");
    assert!(matches!(reading.faults[0].place, Place::Chunk { ordinal: 0, .. }), "{:?}", reading.faults);
    assert!(reading.faults[0].to_string().contains("series 1"), "{}", reading.faults[0]);
    for host in ["a", "c"] {
        assert_eq!(all_of(&store, &key("cpu", host)).len(), 150);
    }
    let verification = store.verify().unwrap();
    assert_eq!(verification.fault_count, 1, "{:?}", verification.faults);

    // Within the last 24 h, where whole hours come sample by sample, this one comes as its summary.
    drop(store);
    let store = open(&disk);
    assert_eq!(store.statistics().faults, 0, "chunks are not read when the file is opened");
    for _ in 0..2 {
        let (_, faults) = replay(&store, START + 3 * HOUR);
        assert_eq!((faults.len(), store.statistics().faults), (1, 1), "a start counts it, once");
    }
    let (replayed, _) = replay(&store, START + 3 * HOUR);
    let damaged = &replayed[&key("cpu", "b")];
    assert_eq!(damaged.hours.keys().copied().collect::<Vec<_>>(), [chunk * HOUR]);
    assert_eq!(damaged.hours[&(chunk * HOUR)].count, 60);
    assert_eq!(damaged.points.len(), 90);
    assert_eq!(replayed[&key("cpu", "a")].points.len(), 150);
}

#[test]
fn a_file_that_is_cut_short_is_refused_or_served_in_part_but_never_wrong() {
    let disk = FaultyDisk::default();
    filled(&disk);
    let expected = all_of(&open(&disk), &key("cpu", "a"));
    let mut random = Random::new(11);
    let length = bellwether_gateway::store::Disk::usage(&disk).unwrap().file_bytes;
    for cut in (0..40).map(|_| random.below(length)).chain([0, 1, 511, 512, 4_095, 4_096]) {
        let short = disk.with(|bytes| bytes.truncate(usize::try_from(cut).unwrap()));
        match RedbStore::open_on(Box::new(short), EPOCH) {
            // Nothing is left of it: a new store.
            Ok(store) if cut == 0 => assert_eq!(store.seq(), 0),
            Ok(store) => {
                if let Ok(reading) = store.read(&key("cpu", "a"), at(i64::MIN), at(i64::MAX)) {
                    let read = points(&reading.samples);
                    assert!(read == expected || !reading.faults.is_empty(), "cut at {cut}: less, and nothing says so");
                }
            }
            Err(error) => {
                let plain = error.to_string();
                assert!(matches!(error, StoreError::Corrupt { .. } | StoreError::Io { .. }), "cut at {cut}: {error:?}");
                assert!(plain.contains("store"), "{plain}");
            }
        }
    }
}

#[test]
fn a_damaged_commit_of_the_journal_costs_its_batch_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = RedbStore::open(folder.path(), EPOCH).unwrap();
    for number in 0..4 {
        store_one(&mut store, numbered(number, START));
    }
    // It ends on a sudden.
    std::mem::forget(store);
    let ended = tempfile::tempdir().unwrap();
    copy_files(folder.path(), ended.path());
    let journal = ended.path().join("bellwether.journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    // Each has a block; its last bytes are the checksum's and zeros.
    bytes[2 * 4_096 + 50] ^= 1;
    std::fs::write(&journal, &bytes).unwrap();

    let lost = Place::Batch { seq: 3 };
    let stopped = StoppedStore::open(ended.path()).unwrap();
    assert_eq!(stopped.lost().iter().map(|fault| fault.place.clone()).collect::<Vec<_>>(), [lost]);
    assert_eq!(stopped.snapshot().unwrap().verify().unwrap().fault_count, 0, "all else is whole");
    drop(stopped);
    assert_eq!(std::fs::read(&journal).unwrap(), bytes, "a look changes nothing");
    let store = RedbStore::open(ended.path(), EPOCH).unwrap();
    assert_eq!((numbers(&store), store.seq(), store.statistics().faults), (vec![0, 1, 3], 4, 1));
}
