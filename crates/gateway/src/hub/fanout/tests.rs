use super::super::feed::{Encoding, STEP};
use super::super::queue::{LiveRoom, QueueReceiver, queue};
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
        let (sender, receiver) = queue(LiveRoom::USUAL);
        let connection = fanout.connect(sender);
        fanout.subscribe(connection, &feed, PLACE);
        queues.push(receiver);
    }
    fanout.record(&engine, id, Kind::Gauge, sample);
    fanout.flush(&engine, PLACE, NOW);
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
    let (sender, _receiver) = queue(LiveRoom::USUAL);
    let connection = fanout.connect(sender);
    fanout.subscribe(connection, &feed(1, STEP), PLACE);
    fanout.record(&engine, id, Kind::Gauge, sample);
    assert_eq!(fanout.increments.steps.len(), 1);
    fanout.flush(&engine, PLACE, NOW);
    fanout.disconnect(connection);
    for _ in 0..DESERTED_FOR_SECS {
        fanout.tick(|| Frame::Text("tick".into()));
    }
    fanout.record(&engine, id, Kind::Gauge, sample);
    assert_eq!(fanout.increments.steps.len(), 1, "it may come back");
    fanout.flush(&engine, PLACE, NOW);
    fanout.tick(|| Frame::Text("tick".into()));
    fanout.record(&engine, id, Kind::Gauge, sample);
    assert!(fanout.increments.steps.is_empty() && fanout.channels.is_empty());
}

#[test]
fn a_subscription_of_the_same_number_takes_the_place_of_the_other() {
    let mut fanout = Fanout::default();
    let (sender, _receiver) = queue(LiveRoom::USUAL);
    let connection = fanout.connect(sender);
    fanout.subscribe(connection, &feed(1, STEP), PLACE);
    let mut other = feed(1, STEP);
    other.resolution = Resolution::Raw;
    fanout.subscribe(connection, &other, PLACE);
    let of: Vec<_> = fanout.channels.iter().filter(|channel| channel.members.contains_key(&connection)).collect();
    assert_eq!((of.len(), of[0].feed.resolution), (1, Resolution::Raw));
    assert_eq!(fanout.subscription_count(connection, 1), 0);
    assert_eq!(fanout.subscription_count(connection, 2), 1);
}

#[tokio::test]
async fn a_tick_comes_each_second_to_the_silent_and_every_fifth_to_all() {
    let (engine, id, sample) = engine();
    let mut fanout = Fanout::default();
    let (sender, mut busy) = queue(LiveRoom::USUAL);
    let connection = fanout.connect(sender);
    fanout.subscribe(connection, &feed(1, STEP), PLACE);
    let (sender, mut quiet) = queue(LiveRoom::USUAL);
    fanout.connect(sender);
    let mut ticks_of_busy = Vec::new();
    for second in 1..=10 {
        fanout.record(&engine, id, Kind::Gauge, sample);
        fanout.flush(&engine, PLACE, NOW);
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

/// What waits on a connection, in words.
fn waiting(queue: &mut QueueReceiver) -> Vec<String> {
    let mut words = Vec::new();
    while let Some(outbound) = queue.next_at_once() {
        words.push(match outbound {
            Outbound::Live(frame) => {
                queue.sent(frame.bytes());
                "live".to_owned()
            }
            Outbound::Reply(Frame::Text(text)) => text.as_str().to_owned(),
            Outbound::Reply(frame) => format!("{frame:?}"),
            Outbound::Begun(bytes) => format!("the rest of {bytes} bytes"),
            Outbound::Past(past) => {
                queue.sent_past(&past);
                match past {
                    Past::History(_) => "history".to_owned(),
                    Past::Rest { frames, .. } => format!("the rest of {}", frames.len()),
                    Past::Missed(missed) => format!("missed {}", missed.frames.len()),
                }
            }
        });
    }
    words
}

/// The place after so many batches.
fn place(seq: u64) -> Place {
    Place { epoch: 1, seq }
}

#[test]
fn who_was_cut_off_gets_what_the_others_got_meanwhile() {
    let (engine, id, sample) = engine();
    let mut fanout = Fanout::default();
    let (sender, mut stays) = queue(LiveRoom::USUAL);
    let connection = fanout.connect(sender);
    fanout.subscribe(connection, &feed(1, STEP), place(0));
    let (sender, _cut_off) = queue(LiveRoom::USUAL);
    let cut_off = fanout.connect(sender);
    fanout.subscribe(cut_off, &feed(1, DurationMs::ZERO), place(0));
    for seq in 1..=4 {
        if seq == 2 {
            fanout.disconnect(cut_off);
        }
        fanout.record(&engine, id, Kind::Gauge, sample);
        fanout.flush(&engine, place(seq), NOW);
    }
    let (sender, mut back) = queue(LiveRoom::USUAL);
    let back_again = fanout.connect(sender);
    let mut raw = feed(1, STEP);
    raw.resolution = Resolution::Raw;
    for (feed, seq) in [(feed(2, STEP), 1), (raw, 1), (feed(1, STEP), 9)] {
        assert!(!fanout.resume(back_again, &feed, seq, place(4), Vec::new), "of another feed, or of the future");
    }
    assert!(fanout.resume(back_again, &feed(1, STEP), 1, place(4), Vec::new));
    fanout.record(&engine, id, Kind::Gauge, sample);
    fanout.flush(&engine, place(5), NOW);
    assert_eq!(waiting(&mut back), ["the rest of 3", "live"]);
    assert_eq!(waiting(&mut stays), ["live"; 5]);
}

#[test]
fn who_is_slow_gets_what_it_missed_at_once_and_holds_up_nobody() {
    let (engine, id, sample) = engine();
    let mut fanout = Fanout::default();
    let mut queues = Vec::new();
    for _ in 0..2 {
        let (sender, receiver) = queue(LiveRoom::USUAL);
        let connection = fanout.connect(sender);
        fanout.subscribe(connection, &feed(1, STEP), place(0));
        queues.push(receiver);
    }
    let [slow, quick] = &mut queues[..] else { panic!() };
    let newest = || vec![Frame::Text("newest".into())];
    // As many frames as a queue has room for, and three more.
    for seq in 1..=1_027 {
        fanout.record(&engine, id, Kind::Gauge, sample);
        fanout.flush(&engine, place(seq), NOW);
        assert_eq!(waiting(quick), ["live"]);
    }
    fanout.broadcast(&Frame::Text("alerts".into()));
    fanout.tick(|| panic!("a tick would say that all was sent"));
    assert_eq!(fanout.catch_up(place(1_027), newest), Stragglers { behind: 1, caught_up: 0 });
    assert_eq!(waiting(slow), vec!["live"; 1_024]);
    assert_eq!(fanout.catch_up(place(1_027), newest), Stragglers { behind: 0, caught_up: 1 });
    fanout.record(&engine, id, Kind::Gauge, sample);
    fanout.flush(&engine, place(1_028), NOW);
    assert_eq!(waiting(slow), ["missed 3", "newest", "live"]);
    assert_eq!(fanout.catch_up(place(1_028), newest), Stragglers::default());
}

#[test]
fn who_is_too_slow_is_given_up_when_what_it_missed_is_gone() {
    let (engine, id, sample) = engine();
    let mut fanout = Fanout::default();
    let (sender, slow) = queue(LiveRoom::USUAL);
    let connection = fanout.connect(sender);
    fanout.subscribe(connection, &feed(1, STEP), place(0));
    for seq in 1..=1_026 {
        fanout.record(&engine, id, Kind::Gauge, sample);
        fanout.flush(&engine, place(seq), NOW);
    }
    fanout.catch_up(place(1_026), Vec::new);
    assert!(!slow.overflowed() && fanout.connections.contains_key(&connection));
    let much_later = NOW + DurationMs::from_hours(1);
    fanout.record(&engine, id, Kind::Gauge, sample);
    fanout.flush(&engine, place(1_027), much_later);
    fanout.catch_up(place(1_027), Vec::new);
    assert!(slow.overflowed() && !fanout.connections.contains_key(&connection));
}
