//! The one thread that writes: it gathers the batches that wait, makes them durable together, shows
//! them to the hub, and only then has them answered. It also looks after the store between commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::ingest::{IngestedSample, Rejection};
use tokio::sync::oneshot;

use crate::clock::{self, Stopwatch};
use crate::hub::{Admission, Hub};
use crate::own::OwnWork;
use crate::store::{AlertChange, Batch, BatchSample, IdempotencyKey, Notice, Outcome, Progress, Store, StoreError};
use crate::telemetry::Metrics;

/// Most batches that wait to be written.
const MAX_WAITING_BATCHES: usize = 1_024;
/// Most samples that wait to be written.
const MAX_WAITING_SAMPLES: usize = 200_000;
/// Most samples of one group commit, so that the first of them does not wait long.
const MAX_GROUP_SAMPLES: usize = 50_000;
/// How often the store is looked after.
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(5);
/// How soon it is looked after again where one step did not do.
const HOUSEKEEPING_STEP: Duration = Duration::from_millis(20);
/// How often the store's own figures are brought up to date.
const STATISTICS_EVERY: Duration = Duration::from_secs(5);
/// How often the engine's memory is measured, which looks at every time bucket.
const MEASURE_EVERY: Duration = Duration::from_secs(60);

/// A batch on its way to the store.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) samples: Vec<IngestedSample>,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) received_at: TimestampMs,
}

/// What became of a batch.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Receipt {
    /// How many samples are stored.
    pub(crate) accepted: usize,
    /// What the engine or the store refused.
    pub(crate) rejected: Vec<Rejection>,
}

/// Why a batch was not stored; nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("more waits than can be written")]
    Overloaded,
    #[error("the gateway is stopping")]
    Stopping,
    #[error("{reason}")]
    Store { reason: String },
    #[error("{reason}")]
    KeyRefused { reason: String },
}

type Reply = oneshot::Sender<Result<Receipt, WriteError>>;

/// What the thread is asked to do.
enum Job {
    Write(Delivery, Option<Reply>),
    SaveAlerts { changes: Vec<AlertChange>, notices: Vec<Vec<u8>> },
    Notices { reply: SyncSender<Vec<Notice>> },
    NoticeDelivered { id: u64 },
    NoticeFailed { id: u64, next_attempt_at: TimestampMs },
    Stop,
}

/// The way to the writer thread. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Writer {
    jobs: SyncSender<Job>,
    waiting_samples: Arc<AtomicUsize>,
    metrics: Metrics,
}

impl Writer {
    /// Queues a batch and waits until it is on disk and visible.
    ///
    /// # Errors
    /// [`WriteError`] where it could not be stored; then nothing of it was kept.
    pub(crate) async fn write(&self, delivery: Delivery) -> Result<Receipt, WriteError> {
        let (reply, answer) = oneshot::channel();
        self.queue(delivery, Some(reply))?;
        answer.await.map_err(|_| WriteError::Stopping)?
    }

    /// Queues a batch of the gateway's own; what becomes of it is only counted.
    ///
    /// # Errors
    /// [`WriteError`] where there is no room.
    pub(crate) fn write_unanswered(&self, delivery: Delivery) -> Result<(), WriteError> {
        self.queue(delivery, None)
    }

    fn queue(&self, delivery: Delivery, reply: Option<Reply>) -> Result<(), WriteError> {
        let samples = delivery.samples.len();
        let waiting = self.waiting_samples.fetch_add(samples, Ordering::AcqRel);
        let refusal = if waiting > 0 && waiting + samples > MAX_WAITING_SAMPLES {
            WriteError::Overloaded
        } else {
            match self.jobs.try_send(Job::Write(delivery, reply)) {
                Ok(()) => {
                    self.metrics.batches_waiting.inc();
                    return Ok(());
                }
                Err(TrySendError::Full(_)) => WriteError::Overloaded,
                Err(TrySendError::Disconnected(_)) => WriteError::Stopping,
            }
        };
        self.waiting_samples.fetch_sub(samples, Ordering::AcqRel);
        Err(refusal)
    }

    /// Has alerts and what is to be told of them kept, together.
    pub(crate) fn save_alerts(&self, changes: Vec<AlertChange>, notices: Vec<Vec<u8>>) {
        self.ask(Job::SaveAlerts { changes, notices });
    }

    /// All notices that wait, due or not, oldest first; empty where the store cannot say.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let (reply, answer) = sync_channel(1);
        self.ask(Job::Notices { reply });
        answer.recv().unwrap_or_default()
    }

    /// Has a notice forgotten.
    pub(crate) fn notice_delivered(&self, id: u64) {
        self.ask(Job::NoticeDelivered { id });
    }

    /// Has a notice kept for another attempt.
    pub(crate) fn notice_failed(&self, id: u64, next_attempt_at: TimestampMs) {
        self.ask(Job::NoticeFailed { id, next_attempt_at });
    }

    /// Lets the thread finish what was queued before and end.
    pub(crate) fn stop(&self) {
        self.ask(Job::Stop);
    }

    fn ask(&self, job: Job) {
        // The thread is gone only when the gateway ends; the store then holds what matters.
        let _ended = self.jobs.send(job);
    }
}

/// Makes a writer and the thread's end of it.
pub(crate) fn writer(metrics: Metrics) -> (Writer, WriterQueue) {
    let (jobs, queue) = sync_channel(MAX_WAITING_BATCHES);
    let waiting_samples = Arc::new(AtomicUsize::new(0));
    let writer = Writer { jobs, waiting_samples: Arc::clone(&waiting_samples), metrics };
    (writer, WriterQueue { jobs: queue, waiting_samples })
}

/// The thread's end of a [`Writer`].
pub(crate) struct WriterQueue {
    jobs: Receiver<Job>,
    waiting_samples: Arc<AtomicUsize>,
}

/// The thread's own state.
struct WriterThread<S> {
    store: S,
    hub: Arc<Hub>,
    metrics: Metrics,
    own: Arc<OwnWork>,
    retention: DurationMs,
    queue: WriterQueue,
    /// Alert changes that could not be saved yet.
    unsaved: (Vec<AlertChange>, Vec<Vec<u8>>),
    last_housekeeping: Stopwatch,
    housekeeping_in: Duration,
    last_statistics: Stopwatch,
    last_measure: Stopwatch,
    last_complaint: Option<Stopwatch>,
}

/// Starts the thread over a store whose samples the hub already shows.
///
/// # Errors
/// The system's, where it gives no thread.
pub(crate) fn start<S: Store + 'static>(
    store: S,
    hub: Arc<Hub>,
    metrics: Metrics,
    own: Arc<OwnWork>,
    retention: DurationMs,
    queue: WriterQueue,
) -> std::io::Result<JoinHandle<()>> {
    let mut thread = WriterThread {
        store,
        hub,
        metrics,
        own,
        retention,
        queue,
        unsaved: (Vec::new(), Vec::new()),
        last_housekeeping: Stopwatch::start(),
        housekeeping_in: HOUSEKEEPING_STEP,
        last_statistics: Stopwatch::start(),
        last_measure: Stopwatch::start(),
        last_complaint: None,
    };
    std::thread::Builder::new().name("writer".to_owned()).spawn(move || thread.run())
}

impl<S: Store> WriterThread<S> {
    fn run(&mut self) {
        self.statistics();
        self.measure();
        loop {
            let mut stop = false;
            match self.queue.jobs.recv_timeout(self.housekeeping_in) {
                Ok(job) => stop = self.work(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => stop = true,
            }
            if stop {
                self.save_unsaved();
                return;
            }
            if self.last_housekeeping.elapsed() >= self.housekeeping_in {
                self.housekeeping();
                self.last_housekeeping = Stopwatch::start();
            }
            if self.last_statistics.elapsed() >= STATISTICS_EVERY {
                self.last_statistics = Stopwatch::start();
                self.statistics();
            }
            if self.last_measure.elapsed() >= MEASURE_EVERY {
                self.last_measure = Stopwatch::start();
                self.measure();
            }
        }
    }

    /// Does `first` and what waits behind it; `true` where that says to stop.
    fn work(&mut self, first: Job) -> bool {
        let mut group = Vec::new();
        let mut samples = 0;
        let mut next = Some(first);
        let mut other = None;
        while let Some(job) = next {
            match job {
                Job::Write(delivery, reply) => {
                    samples += delivery.samples.len();
                    group.push((delivery, reply));
                }
                job => {
                    // What was queued before comes first: the order of the queue is kept.
                    other = Some(job);
                    break;
                }
            }
            next = if samples < MAX_GROUP_SAMPLES { self.queue.jobs.try_recv().ok() } else { None };
        }
        if !group.is_empty() {
            self.queue.waiting_samples.fetch_sub(samples, Ordering::AcqRel);
            self.metrics.batches_waiting.dec_by(i64::try_from(group.len()).unwrap_or(i64::MAX));
            self.commit(group);
        }
        match other {
            None => false,
            Some(Job::Stop) => true,
            Some(job) => {
                self.other(job);
                false
            }
        }
    }

    /// Makes a group of batches durable with one fsync, shows it, and answers.
    fn commit(&mut self, group: Vec<(Delivery, Option<Reply>)>) {
        let now = clock::now();
        let oldest = now - self.retention;
        let mut admissions: Vec<(Admission, Option<Reply>)> = Vec::with_capacity(group.len());
        let mut batches = Vec::with_capacity(group.len());
        for (delivery, reply) in group {
            let Delivery { samples, key, received_at } = delivery;
            let (admission, declarations) = self.hub.admit(samples, oldest, now);
            batches.push(Batch {
                samples: admission.samples.iter().map(admitted_as_stored).collect(),
                declarations,
                idempotency: key,
                received_at,
            });
            admissions.push((admission, reply));
        }
        let watch = Stopwatch::start();
        match self.store.append(&batches) {
            Ok(outcomes) => {
                let secs = watch.elapsed().as_secs_f64();
                self.metrics.commit_duration.observe(secs);
                if !self.own.commit(now, secs) {
                    self.metrics.own_samples_lost.inc();
                }
                self.show(admissions, outcomes, now);
            }
            Err(error) => {
                self.complain(&error);
                let reason = error.to_string();
                for (_, reply) in admissions {
                    answer(reply, Err(WriteError::Store { reason: reason.clone() }));
                }
            }
        }
    }

    fn show(&mut self, admissions: Vec<(Admission, Option<Reply>)>, outcomes: Vec<Outcome>, now: TimestampMs) {
        let mut answers = Vec::with_capacity(admissions.len());
        let mut stored = Vec::with_capacity(admissions.len());
        for ((admission, reply), outcome) in admissions.into_iter().zip(outcomes) {
            let receipt = match outcome {
                Outcome::Stored { seq } => {
                    let accepted = admission.samples.len();
                    self.metrics.samples_accepted.inc_by(accepted as u64);
                    stored.push((seq, admission.samples));
                    Ok(Receipt { accepted, rejected: admission.rejected })
                }
                Outcome::Duplicate => {
                    self.metrics.batches_repeated.inc();
                    Ok(Receipt { accepted: admission.samples.len(), rejected: admission.rejected })
                }
                Outcome::Refused { reason } => Err(WriteError::KeyRefused { reason: reason.to_string() }),
            };
            answers.push((reply, receipt));
        }
        self.hub.record(&stored, now);
        for (reply, receipt) in answers {
            if let Ok(receipt) = &receipt {
                for rejection in &receipt.rejected {
                    self.metrics.reject(rejection.code.as_str(), 1);
                }
            }
            answer(reply, receipt);
        }
    }

    fn other(&mut self, job: Job) {
        let now = clock::now();
        let done = match job {
            Job::SaveAlerts { changes, notices } => {
                self.unsaved.0.extend(changes);
                self.unsaved.1.extend(notices);
                self.save_unsaved();
                Ok(())
            }
            Job::Notices { reply } => {
                let far = TimestampMs::new(i64::MAX);
                let notices = self.store.due_notices(far, MAX_NOTICES).unwrap_or_else(|error| {
                    self.complain(&error);
                    Vec::new()
                });
                // The asker may have ended meanwhile.
                let _ended = reply.send(notices);
                Ok(())
            }
            Job::NoticeDelivered { id } => self.store.notice_delivered(id, now),
            Job::NoticeFailed { id, next_attempt_at } => self.store.notice_failed(id, next_attempt_at, now),
            Job::Write(..) | Job::Stop => Ok(()),
        };
        if let Err(error) = done {
            self.complain(&error);
        }
        self.metrics.notifications_waiting.set(gauge(self.store.statistics().notices as u64));
    }

    fn save_unsaved(&mut self) {
        let (changes, notices) = &self.unsaved;
        if changes.is_empty() && notices.is_empty() {
            return;
        }
        match self.store.save_alerts(changes, notices, clock::now()) {
            Ok(_) => self.unsaved = (Vec::new(), Vec::new()),
            Err(error) => self.complain(&error),
        }
    }

    /// One bounded step of what the store needs from time to time: soon again where there is more to
    /// do, else after a while.
    fn housekeeping(&mut self) {
        self.save_unsaved();
        let now = clock::now();
        let sealed = self.store.seal(now);
        let expired = self.store.expire(now, self.retention);
        let mut more = false;
        for step in [sealed, expired] {
            match step {
                Ok(progress) => more |= progress == Progress::More,
                Err(error) => self.complain(&error),
            }
        }
        self.housekeeping_in = if more { HOUSEKEEPING_STEP } else { HOUSEKEEPING_EVERY };
    }

    fn statistics(&mut self) {
        let statistics = self.store.statistics();
        self.metrics.store_bytes.set(gauge(statistics.disk.file_bytes));
        self.metrics.store_corrupt.set(gauge(statistics.faults));
        self.metrics.notifications_waiting.set(gauge(statistics.notices as u64));
    }

    fn measure(&self) {
        let memory = self.hub.memory();
        self.metrics.engine_series.set(gauge(memory.series as u64));
        self.metrics.engine_bytes.set(gauge(memory.bytes as u64));
    }

    /// Counts a failure of the store; says so at most once in five seconds.
    fn complain(&mut self, error: &StoreError) {
        self.metrics.store_failures.inc();
        if self.last_complaint.is_none_or(|last| last.elapsed() >= Duration::from_secs(5)) {
            self.last_complaint = Some(Stopwatch::start());
            tracing::error!(%error, "the store failed; samples are refused until it works again");
        }
    }
}

/// Most notices that are looked at at once.
const MAX_NOTICES: usize = 1_000;

fn admitted_as_stored(admitted: &crate::hub::Admitted) -> BatchSample {
    BatchSample {
        series: admitted.key.clone(),
        kind: admitted.kind,
        sample: admitted.sample,
        reference: admitted.reference.clone(),
    }
}

fn answer(reply: Option<Reply>, receipt: Result<Receipt, WriteError>) {
    if let Some(reply) = reply {
        // The sender may have gone away; its batch is stored or not all the same.
        let _gone = reply.send(receipt);
    }
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
