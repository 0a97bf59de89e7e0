use bellwether_core::labels::{Labels, SeriesKey};
use bellwether_core::summary::Summary;
use bellwether_wire::feed::Phase;
use bellwether_wire::frame::{FeedFormat, Resume, Selection, Step};
use bellwether_wire::ingest::Repeats;

use super::*;
use bellwether_core::time::DurationMs;

const NOW: TimestampMs = TimestampMs::new(1_795_000_000_000);
/// Each series is a slice of its own.
pub(super) const SLICES: Bounds = Bounds { slice: 1, ..gather::BOUNDS };

fn hub() -> Hub {
    let board = Arc::new(Board::default());
    let hub = Hub::new(Greeting { board, demo: false, version: "0" }, LiveRoom::USUAL).unwrap();
    let engine = Engine::new(EngineConfig::default()).unwrap();
    hub.install(engine, Alerts::new(), 7, 0);
    hub
}

fn key(series: i64) -> SeriesKey {
    let labels = Labels::new([("series", format!("{series:02}"))]).unwrap();
    SeriesKey { metric: MetricName::new("m").unwrap(), labels }
}

/// A batch of one sample of each series, `ago` before now.
fn record(hub: &Hub, seq: u64, series: std::ops::Range<i64>, ago: i64) {
    let sample = Sample::new(TimestampMs::new(NOW.get() - ago), 1.0).unwrap();
    let repeats = Repeats::Count;
    let admitted =
        |series| BatchSample { series: key(series), kind: Kind::Observation, sample, reference: None, repeats };
    hub.record(&[(seq, series.map(admitted).collect())], &[], NOW);
}

/// The same of histograms, each of which adds one value.
fn count(hub: &Hub, seq: u64, series: std::ops::Range<i64>, ago: i64) {
    let sample = Sample::new(TimestampMs::new(NOW.get() - ago), 1.0).unwrap();
    let kind = Kind::Observation;
    let increment = |series| Increment { series: key(series), kind, summary: Summary::of(sample, kind) };
    hub.record(&[(seq, Vec::new())], &series.map(increment).collect::<Vec<_>>(), NOW);
}

fn subscribe(resume: Option<Resume>) -> Subscribe {
    let name = MetricName::new("m").unwrap();
    let metrics = vec![Selection { name, matchers: Vec::new(), range: DurationMs::from_hours(1) }];
    let step = Step::Every(DurationMs::from_secs(1));
    Subscribe { id: 1, metrics, step, format: FeedFormat::Binary, resume, until: None }
}

/// The samples of each series that a connection was sent, and the places of its frames; what is of no
/// subscription is left out.
fn received(queue: &mut QueueReceiver) -> (std::collections::BTreeMap<SeriesKey, u64>, Vec<(Phase, u64)>) {
    let (mut counts, mut places) = (std::collections::BTreeMap::new(), Vec::new());
    let mut take = |frame: &Frame| {
        let Frame::Binary(bytes) = frame else { return };
        let frame = bellwether_wire::binary::decode(bytes).unwrap();
        places.push((frame.header.phase, frame.header.seq));
        for series in frame.series {
            let summaries: u64 = series.summaries.iter().map(|bucket| bucket.summary.count).sum();
            *counts.entry(series.key).or_default() += summaries + series.samples.len() as u64;
        }
    };
    while let Some(outbound) = queue.next_at_once() {
        match outbound {
            Outbound::Reply(frame) | Outbound::Live(frame) => take(&frame),
            Outbound::Past(past) => past.frames().for_each(|frame| take(&frame)),
            Outbound::Begun(_) => panic!("there is no socket"),
        }
    }
    (counts, places)
}

#[test]
fn samples_are_recorded_between_the_slices_of_a_history_and_each_is_told_once() {
    each_is_told_once(record);
}

#[test]
fn so_it_is_with_what_histograms_add() {
    each_is_told_once(count);
}

fn each_is_told_once(record: fn(&Hub, u64, std::ops::Range<i64>, i64)) {
    let hub = hub();
    record(&hub, 1, 0..20, 30_000);
    let (id, mut queue) = hub.connect(NOW);
    let mut gathering = hub.resume_or_gather(id, subscribe(None), NOW, SLICES).unwrap().unwrap();
    let mut rounds = 0;
    loop {
        let progress = hub.gather_on(&mut gathering).unwrap();
        // Of series that are copied, of series that are not, and of one that nobody knew.
        rounds += 1;
        record(&hub, 2 * rounds, 0..20, 2_000);
        record(&hub, 2 * rounds + 1, 20..21, 1_000);
        if progress == Progress::Done {
            break;
        }
    }
    assert!(rounds >= 20, "there were as many slices as series: {rounds}");
    hub.join(gathering, NOW);
    let (complete, live) = (2 * rounds + 1, 2 * rounds + 2);
    record(&hub, live, 0..21, 500);
    let pulsed = hub.pulse(NOW);
    assert!(pulsed.failures.is_empty());
    let (counts, places) = received(&mut queue);
    assert_eq!(counts.len(), 21);
    for (key, count) in &counts {
        let expected = if *key == self::key(20) { rounds + 1 } else { rounds + 2 };
        assert_eq!(*count, expected, "{key}");
    }
    let expected = |phase| if phase == Phase::Live { live } else { complete };
    assert!(places.iter().all(|(phase, at)| *at == expected(*phase)), "{places:?}");
}

#[test]
fn a_place_of_another_stream_or_of_the_future_is_a_gap() {
    let hub = hub();
    record(&hub, 1, 0..1, 1_000);
    let gap = |epoch, seq| {
        let (id, mut queue) = hub.connect(NOW);
        let gathering = hub.resume_or_gather(id, subscribe(Some(Resume { epoch, seq })), NOW, SLICES).unwrap();
        assert!(gathering.is_some(), "the history comes anew");
        let said = std::iter::from_fn(|| queue.next_at_once()).find_map(|outbound| match outbound {
            Outbound::Reply(Frame::Text(text)) => match ServerFrame::decode(text.as_str()) {
                Ok(ServerFrame::Gap(gap)) => Some((gap.subscription, gap.from_seq, gap.to_seq)),
                _ => None,
            },
            _ => None,
        });
        said.unwrap()
    };
    assert_eq!(gap(6, 1), (1, 0, 1));
    assert_eq!(gap(7, 5), (1, 6, 1));
    assert_eq!(gap(7, 1), (1, 2, 1), "nobody has had this feed");
}
