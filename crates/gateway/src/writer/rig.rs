//! The writer over a disk that fails on purpose: what senders are told, and what is then to be seen.

use std::sync::Arc;

use bellwether_core::board::Board;
use bellwether_core::engine::EngineConfig;
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Aggregation, Expression, Query};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::sketch::Sketch;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::ingest::{IngestedSample, Repeats};
use bellwether_wire::protocol::{Course, HistogramPoint, IngestedHistogram};
use redb::ReadableTable;
use tokio::sync::oneshot;

use self::faulty::{Failure, FaultyDisk};
use super::restate::Orders;
use super::thread::WriterThread;
use super::{BatchName, Delivery, Job, NewNotice, QueueRoom, Receipt, WriteError, Written};
use crate::clock;
use crate::hub::{Greeting, Hub, LiveRoom, recover};
use crate::own::OwnWork;
use crate::store::{
    Action, AlertChange, Change, Corrected, Correction, Disk, IdempotencyKey, Progress, RedbStore, Retention, Store,
    Target, Whereabouts,
};
use crate::telemetry::Metrics;

#[path = "../../tests/store_support/faulty.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
pub(crate) mod faulty;

/// The end of whoever asked for a correction.
pub(crate) type Asked = oneshot::Receiver<Result<Corrected, WriteError>>;

pub(crate) struct Rig {
    pub(crate) disk: FaultyDisk,
    pub(crate) hub: Arc<Hub>,
    metrics: Metrics,
    pub(crate) writer: WriterThread<RedbStore>,
    orders: Orders,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::on(FaultyDisk::default())
    }

    pub(crate) fn on(disk: FaultyDisk) -> Self {
        let store = RedbStore::open_on(Box::new(disk.clone()), 7).unwrap();
        let metrics = Metrics::new();
        let (_, queue) = super::writer(metrics.clone(), QueueRoom { batches: 16, samples: 200_000 });
        let board =
            Arc::new(bellwether_wire::board::decode(r#"{"title":"Service"}"#).unwrap_or_else(|_| Board::default()));
        let hub = Arc::new(Hub::new(Greeting { board, demo: false, version: "0" }, LiveRoom::USUAL).unwrap());
        let retention = Retention::all(DurationMs::from_days(90));
        let own = Arc::new(OwnWork::default());
        let (restate, orders) = super::orders();
        let writer = WriterThread::new(store, Arc::clone(&hub), metrics.clone(), own, retention, queue, restate);
        Self { disk, hub, metrics, writer, orders }
    }

    /// Writes a group of batches and gives what each sender is told.
    fn write(&mut self, deliveries: Vec<Delivery>) -> Vec<Result<Written, WriteError>> {
        self.write_at(clock::now(), deliveries)
    }

    pub(crate) fn write_at(&mut self, now: TimestampMs, deliveries: Vec<Delivery>) -> Vec<Result<Written, WriteError>> {
        let (group, answers): (Vec<_>, Vec<_>) = deliveries
            .into_iter()
            .map(|delivery| {
                let (reply, answer) = oneshot::channel();
                ((delivery, Some(reply)), answer)
            })
            .unzip();
        self.writer.commit(group, now);
        answers.into_iter().map(|mut answer| answer.try_recv().unwrap()).collect()
    }

    fn write_one(&mut self, delivery: Delivery) -> Result<Written, WriteError> {
        self.write(vec![delivery]).remove(0)
    }

    /// Has samples corrected as of the instant of `asked`; the asker is answered once it is shown.
    pub(crate) fn ask(&mut self, asked: &Correction, found: &Whereabouts) -> Asked {
        let (reply, answer) = oneshot::channel();
        self.writer.correct(asked, found, asked.now, reply);
        answer
    }

    /// Corrects samples; what the asker is told once it is shown.
    fn correct(&mut self, asked: &Correction, found: &Whereabouts) -> Result<Corrected, WriteError> {
        let mut answer = self.ask(asked, found);
        self.settle();
        answer.try_recv().unwrap()
    }

    /// Shows the next series that are to be shown anew, and looks after what is in doubt; whether there were any.
    pub(crate) fn restate_next(&mut self, now: TimestampMs) -> bool {
        let next = self.orders.next_for_tests();
        let is_there = next.is_some();
        if let Some(Job::Restated { number, anew }) = next {
            self.writer.restated(number, anew, now);
        }
        self.writer.show_resurfaced(now);
        self.writer.show_unsure(now);
        is_there
    }

    /// Shows all that is to be shown anew.
    fn settle(&mut self) {
        while self.restate_next(clock::now()) {}
    }

    /// Writes a batch that comes when the store tries anew: a second after its failure.
    fn write_when_mended(&mut self, mut delivery: Delivery) -> Result<Written, WriteError> {
        delivery.received_at = delivery.received_at + DurationMs::from_millis(1_001);
        self.write_one(delivery)
    }

    /// The disk, once nothing is open on it any more.
    fn stopped(self) -> FaultyDisk {
        self.disk
    }

    /// How many samples of `m` there are to be seen.
    fn count(&self) -> f64 {
        let query = Query::new(MetricName::new("m").unwrap(), DurationMs::from_hours(1), Aggregation::Count);
        let now = clock::now() + DurationMs::from_minutes(1);
        self.hub.evaluate_one(&Expression::Single(query), now).unwrap().value.unwrap_or(0.0)
    }
}

fn sample(kind: Option<Kind>) -> IngestedSample {
    let key = SeriesKey { metric: MetricName::new("m").unwrap(), labels: Labels::empty() };
    let sample = Sample::new(clock::now(), 1.0).unwrap();
    let (suggested, repeats) = (None, Repeats::Count);
    IngestedSample { index: 0, key, sample, kind, suggested, repeats, unit: None, reference: None }
}

/// A batch whose body is as good as its key.
fn batch(key: &str, samples: Vec<IngestedSample>) -> Delivery {
    batch_of_body(key, key, samples)
}

fn batch_of_body(key: &str, body: &str, samples: Vec<IngestedSample>) -> Delivery {
    let name = BatchName::new(IdempotencyKey::new(key).unwrap(), body.as_bytes());
    Delivery { samples, histograms: Vec::new(), name: Some(name), received_at: clock::now() }
}

/// All `accepted` samples are stored.
fn stored(accepted: usize) -> Result<Written, WriteError> {
    Ok(Written::Told(Receipt { accepted, histograms: 0, rejected: Vec::new() }))
}

#[test]
fn a_batch_that_failed_and_yet_reached_the_disk_is_seen_once() {
    // The sync fails at another place of the commit in each.
    let mut rigs: Vec<Rig> = (0..30).map(|_| Rig::new()).collect();
    for (changes, rig) in rigs.iter_mut().enumerate() {
        rig.disk.fail_after(changes, Failure::Sync);
        let _first = rig.write_one(batch("first", vec![sample(None)]));
        rig.disk.fail(None);
    }
    let mut resurfaced = 0;
    for rig in &mut rigs {
        let again = rig.write_when_mended(batch("first", vec![sample(None)]));
        assert_eq!(again, stored(1));
        assert_eq!(rig.count(), 1.0);
        resurfaced += usize::from(rig.metrics.store_failures.get() > 0 && rig.metrics.batches_repeated.get() > 0);
    }
    assert!(resurfaced > 0, "no commit failed at its last step: the test tests nothing");
}

#[test]
fn a_sample_that_failed_and_yet_reached_the_disk_is_seen_once_without_a_name_too() {
    let mut rigs: Vec<Rig> = (0..30).map(|_| Rig::new()).collect();
    let mut found = 0;
    for (changes, rig) in rigs.iter_mut().enumerate() {
        let once = IngestedSample { repeats: Repeats::Once, ..sample(None) };
        let given = || Delivery { name: None, ..batch("-", vec![once.clone()]) };
        rig.disk.fail_after(changes, Failure::Sync);
        let _first = rig.write_one(given());
        rig.disk.fail(None);
        assert_eq!(rig.write_when_mended(given()), stored(1));
        assert_eq!(rig.count(), 1.0);
        found += usize::from(rig.metrics.store_failures.get() > 0 && rig.metrics.samples_repeated.get() > 0);
    }
    assert!(found > 0, "no commit failed at its last step: the test tests nothing");
}

#[test]
fn a_histogram_that_failed_and_yet_reached_the_disk_is_seen_once() {
    let mut rigs: Vec<Rig> = (0..30).map(|_| Rig::new()).collect();
    let mut found = 0;
    for (changes, rig) in rigs.iter_mut().enumerate() {
        let mut sketch = Sketch::default();
        sketch.record_all(&[1.0, 2.0, 3.0]).unwrap();
        let course = Course::Cumulative { since: None, restarted: true };
        let point = HistogramPoint { at: clock::now(), sketch, bounds: None, sum: 6.0, extremes: None, course };
        let key = SeriesKey { metric: MetricName::new("m").unwrap(), labels: Labels::empty() };
        let histogram = IngestedHistogram { index: 0, key, point, unit: None };
        let given = || Delivery { histograms: vec![histogram.clone()], name: None, ..batch("-", Vec::new()) };
        rig.disk.fail_after(changes, Failure::Sync);
        let _first = rig.write_one(given());
        rig.disk.fail(None);
        let written = rig.write_when_mended(given());
        assert_eq!(written, Ok(Written::Told(Receipt { accepted: 0, histograms: 1, rejected: Vec::new() })));
        assert_eq!(rig.count(), 3.0);
        found += usize::from(rig.metrics.store_failures.get() > 0 && rig.metrics.samples_repeated.get() > 0);
    }
    assert!(found > 0, "no commit failed at its last step: the test tests nothing");
}

#[test]
fn a_correction_that_failed_and_yet_reached_the_disk_is_seen_once() {
    let mut rigs: Vec<Rig> = (0..30).map(|_| Rig::new()).collect();
    let (mut found, mut lost) = (0, 0);
    for (changes, rig) in rigs.iter_mut().enumerate() {
        let referred = IngestedSample { reference: Some("r".to_owned()), ..sample(None) };
        assert_eq!(rig.write_one(batch("first", vec![referred, sample(None)])), stored(2));
        let target = Target::new("r");
        let whereabouts = rig.writer.store_for_tests().snapshot().unwrap().find(&target, Action::Correct).unwrap();
        let now = clock::now();
        // Moved to another instant: were it shown twice, or half, the count would tell.
        let timestamp = Some(now - DurationMs::from_secs(5));
        let change = Change::Correct { value: None, timestamp };
        let asked = Correction { target, change, reason: None, by: "desk".into(), now };
        rig.disk.fail_after(changes, Failure::Sync);
        let corrected = rig.correct(&asked, &whereabouts);
        rig.disk.fail(None);
        assert_eq!(rig.count(), 2.0);
        assert_eq!(rig.write_when_mended(batch("next", vec![sample(None)])), stored(1));
        rig.settle();
        assert_eq!(rig.count(), 3.0);
        let query = Query::new(MetricName::new("m").unwrap(), DurationMs::from_hours(1), Aggregation::Count);
        let expression = Expression::Single(query);
        let answer = rig.hub.evaluate_one(&expression, clock::now()).unwrap();
        let marked = rig.hub.restated(&expression, clock::now(), &answer).is_some();
        let on_disk = !rig.writer.store_for_tests().restated().unwrap().is_empty();
        assert_eq!(marked, on_disk);
        assert!(on_disk || corrected.is_err(), "what was acknowledged is there");
        found += usize::from(corrected.is_err() && on_disk);
        lost += usize::from(!on_disk);
    }
    assert!(found > 0 && lost > 0, "{found} {lost}: no commit failed at its last step, or none at another");
}

#[test]
fn what_comes_while_a_correction_is_made_ready_to_be_shown_counts_once() {
    let mut rig = Rig::new();
    let referred = |name: &str| IngestedSample { reference: Some(name.to_owned()), ..sample(None) };
    assert_eq!(rig.write_one(batch("first", vec![referred("r"), referred("s"), sample(None)])), stored(3));
    let withdraw = |rig: &mut Rig, reference: &str| {
        let target = Target::new(reference);
        let found = rig.writer.store_for_tests().snapshot().unwrap().find(&target, Action::Withdraw).unwrap();
        let asked = Correction { target, change: Change::Withdraw, reason: None, by: "desk".into(), now: clock::now() };
        rig.ask(&asked, &found)
    };
    let mut first = withdraw(&mut rig, "r");
    assert_eq!(rig.write_one(batch("between", vec![sample(None), referred("t")])), stored(2));
    let mut second = withdraw(&mut rig, "s");
    assert_eq!(rig.write_one(batch("after", vec![sample(None)])), stored(1));
    let mut third = withdraw(&mut rig, "t");
    assert_eq!(rig.count(), 6.0, "nobody is told yet, and nothing of it is shown");
    for answer in [&mut first, &mut second, &mut third] {
        assert!(answer.try_recv().is_err());
    }
    rig.settle();
    for answer in [&mut first, &mut second, &mut third] {
        assert!(matches!(answer.try_recv(), Ok(Ok(Corrected::Done { samples: 1, .. }))));
    }
    assert_eq!(rig.count(), 3.0);
}

#[test]
fn who_corrects_is_told_once_it_is_shown_however_much_comes_meanwhile() {
    let mut rig = Rig::new();
    rig.writer.most_since = 2;
    let referred = IngestedSample { reference: Some("r".to_owned()), ..sample(None) };
    assert_eq!(rig.write_one(batch("first", vec![referred, sample(None)])), stored(2));
    let target = Target::new("r");
    let found = rig.writer.store_for_tests().snapshot().unwrap().find(&target, Action::Withdraw).unwrap();
    let asked = Correction { target, change: Change::Withdraw, reason: None, by: "desk".into(), now: clock::now() };
    let mut answer = rig.ask(&asked, &found);
    assert_eq!(rig.write_one(batch("many", vec![sample(None); 3])), stored(3));
    // That was too much to be held, so the series is read anew; nobody is told of what cannot be seen yet.
    assert!(rig.restate_next(clock::now()));
    assert_eq!(rig.count(), 5.0);
    assert!(answer.try_recv().is_err());
    assert!(rig.restate_next(clock::now()));
    assert_eq!(rig.count(), 4.0);
    assert!(matches!(answer.try_recv(), Ok(Ok(Corrected::Done { samples: 1, .. }))));
}

#[test]
fn a_correction_is_shown_though_more_than_can_be_held_comes_ever_again() {
    let mut rig = Rig::new();
    rig.writer.most_since = 2;
    let referred = IngestedSample { reference: Some("r".to_owned()), ..sample(None) };
    assert_eq!(rig.write_one(batch("first", vec![referred, sample(None)])), stored(2));
    let target = Target::new("r");
    let found = rig.writer.store_for_tests().snapshot().unwrap().find(&target, Action::Withdraw).unwrap();
    let asked = Correction { target, change: Change::Withdraw, reason: None, by: "desk".into(), now: clock::now() };
    let mut answer = rig.ask(&asked, &found);
    for (batch_id, so_far) in [("one", 5.0), ("two", 7.0)] {
        assert_eq!(rig.write_one(batch(batch_id, vec![sample(None); 3])), stored(3));
        assert!(answer.try_recv().is_err());
        assert!(rig.restate_next(clock::now()));
        assert_eq!(rig.count(), so_far);
    }
    assert!(matches!(answer.try_recv(), Ok(Ok(Corrected::Done { samples: 1, .. }))));
    assert!(!rig.restate_next(clock::now()), "nothing is left to be made");
}

#[test]
fn who_corrects_while_the_gateway_stops_is_told_that_it_is_on_disk() {
    let mut rig = Rig::new();
    let referred = IngestedSample { reference: Some("r".to_owned()), ..sample(None) };
    assert_eq!(rig.write_one(batch("first", vec![referred, sample(None)])), stored(2));
    let target = Target::new("r");
    let found = rig.writer.store_for_tests().snapshot().unwrap().find(&target, Action::Withdraw).unwrap();
    let asked = Correction { target, change: Change::Withdraw, reason: None, by: "desk".into(), now: clock::now() };
    let mut answer = rig.ask(&asked, &found);
    // Nobody can ask for anything any more.
    rig.writer.run();
    assert!(matches!(answer.try_recv(), Ok(Ok(Corrected::Done { samples: 1, .. }))));
    assert!(!rig.writer.store_for_tests().restated().unwrap().is_empty());
}

#[test]
fn what_comes_before_corrections_are_shown_is_held_within_one_bound() {
    let mut rig = Rig::new();
    rig.writer.most_since = 3;
    let referred = |name: &str| IngestedSample { reference: Some(name.to_owned()), ..sample(None) };
    assert_eq!(rig.write_one(batch("first", vec![referred("r"), referred("s"), sample(None)])), stored(3));
    let mut answers: Vec<_> = ["r", "s"]
        .into_iter()
        .map(|reference| {
            let target = Target::new(reference);
            let found = rig.writer.store_for_tests().snapshot().unwrap().find(&target, Action::Withdraw).unwrap();
            let (change, now) = (Change::Withdraw, clock::now());
            rig.ask(&Correction { target, change, reason: None, by: "desk".into(), now }, &found)
        })
        .collect();
    // Both are of this series; what is noted down for both is more than is held.
    assert_eq!(rig.write_one(batch("two", vec![sample(None); 2])), stored(2));
    let held: Vec<_> = rig.writer.restating.iter().map(super::restate::Restating::held).collect();
    assert_eq!(held, [Some(2), None]);
    rig.settle();
    for answer in &mut answers {
        assert!(matches!(answer.try_recv(), Ok(Ok(Corrected::Done { samples: 1, .. }))));
    }
    assert_eq!(rig.count(), 3.0);
}

#[test]
fn what_was_not_stored_leaves_no_trace_in_the_engine() {
    let mut rig = Rig::new();
    rig.disk.fail(Some(Failure::Broken));
    let refused = rig.write_one(batch("a", vec![sample(Some(Kind::Gauge))]));
    assert!(matches!(refused, Err(WriteError::Store { .. })), "{refused:?}");
    assert_eq!(rig.metrics.own_samples_lost.get(), 0, "its sender was told");
    rig.writer.commit(vec![(batch("own", vec![sample(None)]), None)], clock::now());
    assert_eq!(rig.metrics.own_samples_lost.get(), 1, "nobody else would say so");
    assert_eq!(rig.hub.memory().series, 0);
    rig.disk.fail(None);
    let taken = rig.write_when_mended(batch("b", vec![sample(Some(Kind::Counter))]));
    assert_eq!(taken, stored(1));
    // From then on the other kind is refused, within a group of batches as after it.
    let other =
        rig.write(vec![batch("c", vec![sample(Some(Kind::Counter))]), batch("d", vec![sample(Some(Kind::Gauge))])]);
    assert_eq!(other[0], stored(1));
    let Ok(Written::Told(Receipt { accepted: 0, rejected, .. })) = &other[1] else { panic!("{other:?}") };
    assert_eq!(rejected[0].code.as_str(), "kind_conflict");
}

#[test]
fn a_repeated_batch_is_told_what_it_was_told_and_not_judged_anew() {
    let mut rig = Rig::new();
    let good = sample(None);
    let now = clock::now();
    // Too new by so little that it is not when the batch comes again.
    let later = now + DurationMs::from_millis(400);
    let too_new = Sample::new(later + DurationMs::from_minutes(10), 1.0).unwrap();
    let too_new = IngestedSample { index: 1, sample: too_new, ..good.clone() };
    let given = || batch("first", vec![good.clone(), too_new.clone()]);
    let [first, at_once] = rig.write_at(now, vec![given(), given()]).try_into().unwrap();
    let Ok(Written::Told(Receipt { accepted: 1, rejected, .. })) = &first else { panic!("{first:?}") };
    assert_eq!((rejected.len(), rejected[0].code.as_str()), (1, "too_new"));
    assert_eq!(at_once, first, "in the same group");
    let mut write_later = |delivery| rig.write_at(later, vec![delivery]).remove(0);
    assert_eq!(write_later(batch("other", vec![too_new.clone()])), stored(1), "it is not too new any more");
    assert_eq!(write_later(given()), first);
    assert_eq!(rig.metrics.rejected("too_new"), 1, "and counted once");
    assert_eq!(rig.count(), 1.0);

    // Another body under the same key is not stored, and nobody is told that it is.
    let other = || batch_of_body("first", "another", vec![good.clone()]);
    assert_eq!(rig.write_one(other()), Err(WriteError::KeyReused));
    // A start forgets the receipts, not the keys.
    let mut rig = Rig::on(rig.stopped());
    assert_eq!(rig.write_one(given()), Ok(Written::Before));
    assert_eq!(rig.write_one(other()), Ok(Written::Before));
}

#[test]
fn damage_that_a_start_finds_is_counted() {
    let mut rig = Rig::new();
    assert_eq!(rig.write_one(batch("first", vec![sample(None)])), stored(1));
    let now = clock::now();
    let two_hours_on = now + DurationMs::from_hours(2);
    while rig.writer.store_for_tests().seal(two_hours_on).unwrap() == Progress::More {}
    let disk = rig.stopped();
    {
        let database = Disk::open(&disk, &redb::Builder::new()).unwrap();
        let write = database.begin_write().unwrap();
        {
            let chunks = redb::TableDefinition::<(u32, i64, u32), &[u8]>::new("chunks");
            let mut table = write.open_table(chunks).unwrap();
            let (row, mut record) = {
                let (row, record) = table.first().unwrap().unwrap();
                (row.value(), record.value().to_vec())
            };
            record[3] ^= 0x10;
            table.insert(row, record.as_slice()).unwrap();
        }
        write.commit().unwrap();
    }
    let mut rig = Rig::on(disk);
    recover(rig.hub.board(), EngineConfig::default(), rig.writer.store_for_tests(), now, &|| false).unwrap();
    rig.writer.statistics();
    assert_eq!(rig.metrics.store_corrupt.get(), 1);
}

#[test]
fn a_notice_whose_commit_failed_and_yet_reached_the_disk_is_told_once() {
    let mut rigs: Vec<Rig> = (0..30).map(|_| Rig::new()).collect();
    for (changes, rig) in rigs.iter_mut().enumerate() {
        let set = AlertChange::Set { key: "slow".to_owned(), record: b"firing".to_vec() };
        let notice = NewNotice { alert: "slow".to_owned(), state: "firing", payload: b"slow fires since 1".to_vec() };
        rig.disk.fail_after(changes, Failure::Sync);
        rig.writer.save_alerts(vec![set], vec![notice]);
        rig.disk.fail(None);
    }
    let mut known = 0;
    for rig in &mut rigs {
        let failed = rig.metrics.store_failures.get() > 0;
        // Another change opens the file anew: what had reached the disk is there before it is saved again.
        let _stored = rig.write_when_mended(batch("first", vec![sample(None)]));
        known += usize::from(failed && rig.writer.store_for_tests().statistics().notices == 1);
        let notices = rig.writer.notices();
        let payloads: Vec<_> = notices.iter().map(|notice| notice.payload.as_slice()).collect();
        assert_eq!(payloads, [b"slow fires since 1"]);
        rig.writer.store_for_tests().notice_delivered(notices[0].id, clock::now()).unwrap();
        assert_eq!(rig.writer.notices(), []);
    }
    assert!(known > 0, "no commit failed at its last step: the test tests nothing");
}

#[test]
fn the_size_of_the_store_is_what_it_takes_and_not_its_holes() {
    let mut rig = Rig::new();
    rig.writer.statistics();
    let usage = rig.disk.usage().unwrap();
    assert!(usage.allocated_bytes < usage.file_bytes, "{usage:?}");
    assert_eq!(u64::try_from(rig.metrics.store_bytes.get()).unwrap(), usage.allocated_bytes);
}
