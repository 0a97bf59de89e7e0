//! What is dropped and what stays: raw samples by age and by size, summaries of hours for longer.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failure of the test")]

mod store_support;

use bellwether_core::sample::Kind;
use bellwether_core::time::DurationMs;
use bellwether_gateway::store::{Progress, Recovered, RedbStore, Retention, Selection, Store};
use std::ops::ControlFlow;
use store_support::{HOUR, START, all_of, at, batch, key, open, replay, sample, seal_all, store_one};

const DAY: i64 = 24 * HOUR;

fn expire(store: &mut RedbStore, now: i64, retention: Retention) {
    for _ in 0..10_000 {
        if store.expire(at(now), retention).unwrap() == Progress::Done {
            return;
        }
    }
    panic!("dropping does not end");
}

/// Ten days of two series, sealed; the value counts the quarters of an hour.
fn ten_days(store: &mut RedbStore) -> i64 {
    let end = START + 10 * DAY;
    for quarter in 0..10 * 24 * 4_i64 {
        let now = START + quarter * HOUR / 4 + 1;
        let samples = ["a", "b"].map(|host| sample(&key("cases", host), Kind::Counter, now, quarter as f64));
        store_one(store, batch(now, samples.to_vec()));
    }
    seal_all(store, end + HOUR);
    assert_eq!(store.statistics().tail_samples, 0);
    end
}

/// What is left of a series: its oldest raw sample, how many there are, and how many its summaries count.
fn left(store: &RedbStore, host: &str) -> (Option<i64>, usize, u64) {
    let raw = all_of(store, &key("cases", host));
    let mut counted = 0;
    let faults = store.snapshot().unwrap().past(&Selection::default(), at(i64::MAX), &mut |piece| {
        if let Recovered::Hour { series, summary, .. } = piece
            && store.series().iter().any(|each| each.ix == series && each.key == key("cases", host))
        {
            counted += summary.count;
        }
        ControlFlow::Continue(())
    });
    assert_eq!(faults.unwrap(), []);
    (raw.first().map(|(timestamp, _)| *timestamp), raw.len(), counted)
}

#[test]
fn summaries_of_hours_outlive_their_samples() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let end = ten_days(&mut store);
    let retention = Retention { raw: DurationMs::from_days(3), raw_bytes: None, rollups: DurationMs::from_days(8) };
    expire(&mut store, end, retention);
    for host in ["a", "b"] {
        assert_eq!(left(&store, host), (Some(end - 3 * DAY + 1), 3 * 96, 8 * 96));
    }
    // Raw samples are gone long before the series is.
    expire(&mut store, end + 7 * DAY, retention);
    assert_eq!(left(&store, "a"), (None, 0, 96));
    assert_eq!(store.series().len(), 2);
    expire(&mut store, end + 9 * DAY, retention);
    assert_eq!(store.series(), []);
    assert_eq!(store.statistics().chunk_bytes, 0);
    assert_eq!(store.verify().unwrap().fault_count, 0);
}

#[test]
fn the_oldest_samples_make_room_but_the_last_two_days_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let end = ten_days(&mut store);
    let all = store.statistics().chunk_bytes;
    assert_eq!(all, store.verify().unwrap().chunk_bytes, "it is counted as it grows");
    let of_size = |raw_bytes| Retention {
        raw: DurationMs::from_days(90),
        raw_bytes: Some(raw_bytes),
        rollups: DurationMs::from_days(3_653),
    };
    expire(&mut store, end, of_size(all));
    assert_eq!(left(&store, "a").1, 960, "as much as may be");
    expire(&mut store, end, of_size(all / 2));
    let bytes = store.statistics().chunk_bytes;
    assert_eq!(bytes, store.verify().unwrap().chunk_bytes, "and as it shrinks");
    assert!(bytes <= all / 2 && bytes > all / 3, "{bytes} of {all}: no more than was needed");
    let (oldest, count, counted) = left(&store, "a");
    assert_eq!(
        (count as i64, counted),
        ((end + 1 - oldest.unwrap()) / (HOUR / 4), 960),
        "the newest ones, and all summaries"
    );
    assert_eq!(left(&store, "b"), left(&store, "a"));

    drop(store);
    let mut store = open(folder.path());
    assert_eq!(store.statistics().chunk_bytes, bytes, "also after a start");
    expire(&mut store, end, of_size(1));
    assert_eq!(left(&store, "a"), (Some(end - 2 * DAY + 1), 2 * 96, 960));
    assert_eq!(store.verify().unwrap().fault_count, 0);
}

#[test]
fn a_late_sample_of_an_hour_whose_samples_were_dropped_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let end = ten_days(&mut store);
    let small = Retention { raw: DurationMs::from_days(90), raw_bytes: Some(1), rollups: DurationMs::from_days(90) };
    expire(&mut store, end, small);
    let (_, raw, counted) = left(&store, "a");
    let late = START + 5 * DAY + 17;
    store_one(&mut store, batch(end, vec![sample(&key("cases", "a"), Kind::Counter, late, 480.0)]));
    let counts = |store: &RedbStore| {
        let (all, faults) = replay(store, end);
        assert_eq!(faults, []);
        let of_series = &all[&key("cases", "a")];
        of_series.points.len() as u64 + of_series.hours.values().map(|hour| hour.count).sum::<u64>()
    };
    assert_eq!(counts(&store), 961, "while it is in the tail");
    seal_all(&mut store, end + 2 * HOUR);
    assert_eq!(counts(&store), 961, "once it is sealed");
    assert_eq!((left(&store, "a").1, left(&store, "a").2), (raw + 1, counted + 1));
    assert_eq!(store.verify().unwrap().fault_count, 0);
}

#[test]
fn the_past_comes_once_whatever_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let end = ten_days(&mut store);
    store_one(&mut store, batch(end, vec![sample(&key("cases", "a"), Kind::Counter, START + DAY + 9, 96.0)]));
    for raw_from in [START - DAY, START + 3 * DAY + 5, end - DAY, end + DAY] {
        let (mut counted, mut raw) = (0, 0);
        let selection = Selection { from: at(START + DAY), to: at(end), ..Selection::default() };
        let faults = store.snapshot().unwrap().past(&selection, at(raw_from), &mut |piece| {
            match piece {
                Recovered::Hour { summary, .. } => counted += summary.count,
                Recovered::Samples { samples, .. } => raw += samples.len() as u64,
                _ => {}
            }
            ControlFlow::Continue(())
        });
        assert_eq!(faults.unwrap(), []);
        assert_eq!(counted + raw, 2 * 9 * 96 + 1, "raw from {raw_from}");
        assert_eq!(counted == 0, raw_from < START);
    }
}
