//! What was acknowledged is there after a restart, once.

mod store_support;

use bellwether_core::labels::MetricName;
use bellwether_core::sample::Kind;
use bellwether_core::time::DurationMs;
use bellwether_gateway::store::{
    AlertChange, BatchSample, Declaration, Found, IdempotencyKey, LeftOut, Outcome, Store, StoreError,
};
use bellwether_wire::ingest::Repeats;
use store_support::{
    EPOCH, HOUR, START, all_of, at, batch, copy_files, expire_all, key, named, open, replayed, sample, seal_all,
    store_one,
};

#[test]
fn what_was_appended_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (cpu, requests) = (key("host_cpu_usage_ratio", "a"), key("requests_total", "b"));
    {
        let mut store = open(folder.path());
        assert_eq!((store.epoch(), store.seq()), (EPOCH, 0));
        let one =
            batch(START, vec![sample(&cpu, Kind::Gauge, START, 0.5), sample(&requests, Kind::Counter, START, 7.0)]);
        let two = batch(START + 1_000, vec![sample(&cpu, Kind::Gauge, START + 1_000, -0.0)]);
        assert_eq!(store.append(&[one, two]).unwrap(), [Outcome::Stored { seq: 1 }, Outcome::Stored { seq: 2 }]);
        // No close: the drop of the whole store must not be what makes it durable.
        std::mem::forget(store);
    }
    let copy = tempfile::tempdir().unwrap();
    copy_files(folder.path(), copy.path());
    let mut store = bellwether_gateway::store::RedbStore::open(copy.path(), 1).unwrap();
    assert_eq!((store.epoch(), store.seq()), (EPOCH, 2), "an old store keeps its epoch");
    let samples = replayed(&store, START);
    assert_eq!(samples[&cpu], [(START, 0.5_f64.to_bits()), (START + 1_000, (-0.0_f64).to_bits())]);
    assert_eq!(samples[&requests], [(START, 7.0_f64.to_bits())]);
    assert_eq!(store_one(&mut store, batch(START, vec![sample(&cpu, Kind::Gauge, START + 2_000, 1.0)])), 3);
}

#[test]
fn of_very_many_senders_those_that_were_silent_for_longest_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    // The first ten are heard a minute before the others.
    let first = |number: u32| named(&format!("early-{number}:1"), batch(START, Vec::new()));
    store.append(&(0..10).map(first).collect::<Vec<_>>()).unwrap();
    let other = |number: u32| named(&format!("sender-{number}:1"), batch(START + 60_000, Vec::new()));
    store.append(&(0..90_000).map(other).collect::<Vec<_>>()).unwrap();
    let remembers = |store: &bellwether_gateway::store::RedbStore, id: &str| {
        store.remembers(&IdempotencyKey::new(id).unwrap(), at(START + 2 * 86_400_000))
    };
    let (day, retention) = (86_400_000, DurationMs::from_days(90));
    expire_all(&mut store, START + day - 1, retention);
    assert!(remembers(&store, "early-0:1"), "a day is not over");
    expire_all(&mut store, START + day, retention);
    drop(store);
    let store = open(folder.path());
    assert!((0..10).all(|number| !remembers(&store, &format!("early-{number}:1"))));
    assert!((0..90_000).all(|number| remembers(&store, &format!("sender-{number}:1"))));
}

#[test]
fn a_batch_id_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let cases = key("resolution_time", "a");
    let one = |id: &str, value: f64| named(id, batch(START, vec![sample(&cases, Kind::Observation, START, value)]));
    let mut store = open(folder.path());
    let outcomes = store.append(&[one("s:1", 1.0), one("s:1", 2.0), one("opaque", 3.0), one("opaque", 4.0)]).unwrap();
    assert_eq!(
        outcomes,
        [Outcome::Stored { seq: 1 }, Outcome::Duplicate, Outcome::Stored { seq: 2 }, Outcome::Duplicate]
    );
    drop(store);
    let mut store = open(folder.path());
    let outcomes = store.append(&[one("s:1", 5.0), one("s:0", 6.0), one("t:1", 7.0), one("opaque", 8.0)]).unwrap();
    assert_eq!(
        outcomes,
        [Outcome::Duplicate, Outcome::Stored { seq: 3 }, Outcome::Stored { seq: 4 }, Outcome::Duplicate]
    );
    let values: Vec<u64> = replayed(&store, START)[&cases].iter().map(|(_, bits)| *bits).collect();
    let expected: Vec<u64> = [1.0_f64, 3.0, 6.0, 7.0].iter().map(|value| value.to_bits()).collect();
    assert_eq!(values, expected);
    // Ten minutes later the opaque id is forgotten, the counter is not.
    let later = |id: &str| named(id, batch(START + 600_000, Vec::new()));
    assert_eq!(
        store.append(&[later("opaque"), later("s:1")]).unwrap(),
        [Outcome::Stored { seq: 5 }, Outcome::Duplicate]
    );
}

#[test]
fn ids_that_only_look_like_counters_are_never_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    // Every other number is left out, as random ones do.
    let batches: Vec<_> = (0..4_200).map(|n| named(&format!("s:{}", n * 2 + 1), batch(START, Vec::new()))).collect();
    let outcomes = store.append(&batches).unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Stored { .. })));
    drop(store);
    let mut store = open(folder.path());
    let outcomes = store.append(&batches).unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Duplicate), "within ten minutes each is remembered");
    let later = |id: &str| named(id, batch(START + 600_000, Vec::new()));
    assert_eq!(
        store.append(&[later("s:1"), later("s:8399"), later("s:0")]).unwrap(),
        [Outcome::Duplicate, Outcome::Stored { seq: 4_201 }, Outcome::Stored { seq: 4_202 }],
        "then only what fitted the gaps; nothing is taken for a repeated one that is none"
    );
}

#[test]
fn declarations_alerts_and_notices_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let declaration = |unit: &str| Declaration {
        metric: MetricName::new("booking_response_time").unwrap(),
        kind: Kind::Observation,
        unit: Some(unit.into()),
    };
    let set = |key: &str, record: &[u8]| AlertChange::Set { key: key.to_owned(), record: record.to_vec() };
    {
        let mut store = open(folder.path());
        for unit in ["s", "ms"] {
            let declared =
                bellwether_gateway::store::Batch { declarations: vec![declaration(unit)], ..batch(START, vec![]) };
            store_one(&mut store, declared);
        }
        let ids =
            store.save_alerts(&[set("a", b"1"), set("b", b"2")], &[b"x".to_vec(), b"y".to_vec()], at(START)).unwrap();
        assert_eq!(ids, [0, 1]);
        store.save_alerts(&[set("a", b"3"), AlertChange::Remove { key: "b".to_owned() }], &[], at(START)).unwrap();
        store.notice_failed(0, at(START + 5_000), at(START)).unwrap();
    }
    let mut store = open(folder.path());
    assert_eq!(store.declarations(), [declaration("ms")]);
    assert_eq!(store.alerts().unwrap(), [("a".to_owned(), b"3".to_vec())]);
    assert_eq!(store.next_notice_at(), Some(at(START)));
    let due = store.due_notices(at(START + 4_999), 10).unwrap();
    assert_eq!(due.iter().map(|notice| (notice.id, notice.attempts)).collect::<Vec<_>>(), [(1, 0)]);
    store.notice_delivered(1, at(START)).unwrap();
    let due = store.due_notices(at(START + 5_000), 10).unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].id, due[0].attempts, &due[0].payload[..], due[0].created_at), (0, 1, &b"x"[..], at(START)));
    store.notice_delivered(0, at(START)).unwrap();
    assert_eq!(store.next_notice_at(), None);
    assert_eq!(store.save_alerts(&[], &[b"z".to_vec()], at(START)).unwrap(), [2], "numbers are not given again");
}

#[test]
fn who_cannot_open_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let locked = bellwether_gateway::store::RedbStore::open(folder.path(), EPOCH);
    assert!(matches!(locked, Err(StoreError::Locked { .. })), "{locked:?}");
    store.close().unwrap();

    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let no_folder = bellwether_gateway::store::RedbStore::open(&file, EPOCH).unwrap_err();
    assert!(matches!(no_folder, StoreError::NotWritable { .. }), "{no_folder:?}");
    let sentence = format!("the data folder {file:?} is a file, or is below one; name another one with --data-dir");
    assert_eq!(no_folder.to_string(), sentence);
    // Whoever prints the whole chain of an error must not print its reason twice.
    assert!(std::error::Error::source(&no_folder).is_none());

    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("bellwether.redb"), b"this is not a store, but a text of some length").unwrap();
    let garbage = bellwether_gateway::store::RedbStore::open(other.path(), EPOCH).unwrap_err();
    assert!(matches!(garbage, StoreError::Corrupt { .. }), "{garbage:?}");
}

#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close().unwrap();
    let path = folder.path().join("bellwether.redb");
    let meta = redb::TableDefinition::<&str, u64>::new("meta");
    {
        let database = redb::Database::create(&path).unwrap();
        let write = database.begin_write().unwrap();
        write.open_table(meta).unwrap().insert("format", 3).unwrap();
        write.commit().unwrap();
    }
    let newer = bellwether_gateway::store::RedbStore::open(folder.path(), EPOCH).unwrap_err();
    assert!(matches!(newer, StoreError::Newer { found: 3, known: 2 }), "{newer:?}");
    let database = redb::Database::create(&path).unwrap();
    let read = redb::ReadableDatabase::begin_read(&database).unwrap();
    let format =
        redb::ReadableTable::get(&read.open_table(meta).unwrap(), "format").unwrap().map(|guard| guard.value());
    assert_eq!(format, Some(3), "it was written to");
}

#[test]
fn where_there_is_one_value_a_timestamp_it_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let key = key("up", "a");
    let once = |offset: i64, value: f64| {
        let sample = sample(&key, Kind::Gauge, START + offset, value);
        BatchSample { repeats: Repeats::Once, ..sample }
    };
    let (same, another) = (Found::Same, Found::Another);
    let first = || batch(START + HOUR, vec![once(1_000, 1.0), once(2_000, 2.0), once(3_000, 3.0)]);
    // Within a batch, and within a commit.
    let twice = batch(START + HOUR, vec![once(4_000, 4.0), once(4_000, 4.0), once(4_000, 5.0)]);
    let left_out = vec![LeftOut { place: 1, found: same }, LeftOut { place: 2, found: another }];
    let all = [0, 1, 2].map(|place| LeftOut { place, found: same }).to_vec();
    assert_eq!(
        store.append(&[first(), twice, first()]).unwrap(),
        [
            Outcome::Stored { seq: 1 },
            Outcome::StoredInPart { seq: 2, left_out, counted: Vec::new() },
            Outcome::StoredInPart { seq: 3, left_out: all.clone(), counted: Vec::new() },
        ]
    );
    // After a start, sealed, and late but new.
    for round in 0..2 {
        drop(store);
        store = open(folder.path());
        if round == 1 {
            seal_all(&mut store, START + 3 * HOUR);
            drop(store);
            store = open(folder.path());
        }
        let Outcome::StoredInPart { left_out, .. } = store.append(&[first()]).unwrap().remove(0) else { panic!() };
        assert_eq!(left_out, all);
        let late = batch(START + HOUR, vec![once(1_500 + round, 1.5)]);
        assert!(matches!(store.append(&[late]).unwrap()[..], [Outcome::Stored { .. }]));
    }
    assert_eq!(all_of(&store, &key).len(), 6);
}
