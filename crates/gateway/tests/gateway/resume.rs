//! A feed that was cut off goes on where it was; where that cannot be, it says so and begins anew.

use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_core::query::Aggregation;
use bellwether_wire::frame::ServerFrame;

use crate::live::Live;
use crate::running::{Running, now_ms, rounds, until};

/// Samples of `m`, some of them late; how many they are.
fn ingest(gateway: &Running, batch: i64) -> u64 {
    let late = [0, 0, 5_000, 90_000, 700_000, 1_900_000];
    let samples: Vec<_> = late
        .iter()
        .map(|late| {
            let (timestamp, label) = (now_ms() - late, batch % 3);
            format!(r#"{{"name":"m","value":{batch},"timestamp":{timestamp},"labels":{{"l":"{label}"}}}}"#)
        })
        .collect();
    assert_eq!(gateway.ingest(&format!("[{}]", samples.join(","))).status, 204);
    samples.len() as u64
}

/// Reads on for two ticks, in which whatever came twice would come.
#[track_caller]
fn settles_at(live: &mut Live, count: u64) {
    live.until("all is there", |live| live.subscribed && live.figure("m", Aggregation::Count).count >= count);
    let mut ticks = 0;
    while ticks < 2 {
        ticks += u32::from(matches!(live.step().unwrap(), ServerFrame::Tick(_)));
    }
    assert_eq!(live.figure("m", Aggregation::Count).value, Some(count as f64));
}

/// Is cut off again and again while samples come, also while it is away.
fn resumes(step: &str, format: &str) {
    let gateway = Running::start(&[]);
    let mut count = ingest(&gateway, 0);
    let mut live = Live::open(&gateway);
    live.subscribe("m", step, format);
    live.until("the history is there", |live| live.subscribed);
    let done = AtomicBool::new(false);
    let (mut live, sent) = std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            let mut sent = 0;
            let mut batch = 1;
            while !done.load(Ordering::Acquire) {
                sent += ingest(&gateway, batch);
                batch += 1;
            }
            sent
        });
        for _ in 0..rounds(8, 60) {
            let before = live.figure("m", Aggregation::Count).count;
            live.until("something live came", |live| live.figure("m", Aggregation::Count).count > before);
            let stored = || gateway.result("name=m&window=2h&agg=count");
            let at_the_cut = stored();
            // The socket stays open and is not read, until it is dropped.
            let cut = live;
            until("samples came meanwhile", || stored() > at_the_cut);
            live = cut.reopen(&gateway);
            live.resume("m", step, format);
            live.until("it has gone on", |live| live.subscribed);
        }
        done.store(true, Ordering::Release);
        (live, sending.join().unwrap())
    });
    count += sent;
    settles_at(&mut live, count);
    assert_eq!((live.gaps.len(), live.history_frames), (0, 0), "no history came again");
}

#[test]
fn a_cut_feed_goes_on_in_binary_steps() {
    resumes("1s", "binary");
}

#[test]
fn a_cut_feed_goes_on_in_binary_raw() {
    resumes("raw", "binary");
}

#[test]
fn a_cut_feed_goes_on_in_json_raw() {
    resumes("raw", "json");
}

#[test]
fn a_place_that_is_forgotten_is_a_gap_and_the_history_comes_anew() {
    let gateway = Running::start(&[]);
    let mut count = ingest(&gateway, 0);
    let mut live = Live::open(&gateway);
    live.subscribe("m", "raw", "json");
    live.until("the history is there", |live| live.subscribed);
    // More than is kept of the frames of one feed: 8 MiB.
    let sample = format!(r#"{{"name":"m","value":1,"labels":{{"text":"{}"}}}}"#, "x".repeat(100));
    let body = format!("[{}]", vec![sample; 5_000].join(","));
    for _ in 0..16 {
        assert_eq!(gateway.ingest(&body).status, 204);
        count += 5_000;
    }
    let mut live = live.reopen(&gateway);
    let (_, had) = live.place.unwrap();
    live.resume("m", "raw", "json");
    settles_at(&mut live, count);
    let [gap] = live.gaps[..] else { panic!("{:?}", live.gaps) };
    assert_eq!((gap.subscription, gap.from_seq), (1, had + 1));
    assert!(gap.to_seq >= had + 16, "{gap:?}");
    assert!(live.history_frames > 0);
    // What is live now is resumed again.
    let mut live = live.reopen(&gateway);
    count += ingest(&gateway, 1);
    live.resume("m", "raw", "json");
    settles_at(&mut live, count);
    assert_eq!(live.gaps.len(), 1);
}

#[test]
fn a_gateway_that_was_restarted_has_a_stream_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let count = ingest(&gateway, 0);
    let mut live = Live::open(&gateway);
    live.subscribe("m", "1s", "binary");
    live.until("the history is there", |live| live.subscribed);
    let before = live.hello.epoch;
    gateway.kill();
    let gateway = Running::start_in(folder.path(), &[]);
    let count = count + ingest(&gateway, 1);
    let mut live = live.reopen(&gateway);
    assert_ne!(live.hello.epoch, before);
    live.resume("m", "1s", "binary");
    settles_at(&mut live, count);
    let [gap] = live.gaps[..] else { panic!("{:?}", live.gaps) };
    assert_eq!(gap.from_seq, 0, "nothing of the other stream counts here");
}

#[test]
fn another_subscription_cannot_be_gone_on_with() {
    let gateway = Running::start(&[]);
    let count = ingest(&gateway, 0);
    let mut live = Live::open(&gateway);
    live.subscribe("other", "1s", "binary");
    live.until("the history is there", |live| live.subscribed);
    let mut live = live.reopen(&gateway);
    live.resume("m", "1s", "binary");
    settles_at(&mut live, count);
    assert_eq!(live.gaps.len(), 1);
}
