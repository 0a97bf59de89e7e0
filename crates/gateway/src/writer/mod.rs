//! The one thread that writes: it gathers the batches that wait, makes them durable together, shows
//! them to the hub, and only then has them answered. It also looks after the store between commits.

mod correct;
mod receipts;
mod restate;
#[cfg(test)]
pub(crate) mod rig;
mod thread;
mod unsaved;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use bellwether_core::engine::Engine;
use bellwether_core::time::TimestampMs;
use bellwether_wire::ingest::{IngestedSample, Rejection};
use bellwether_wire::protocol::IngestedHistogram;
use tokio::sync::oneshot;

pub(crate) use receipts::BatchName;
pub(crate) use restate::orders;
pub(crate) use thread::WriterThread;
pub(crate) use unsaved::NewNotice;

use crate::store::{AlertChange, Corrected, Correction, Notice, Snapshot, StoreError, Whereabouts};
use crate::telemetry::Metrics;

/// How much may wait to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueRoom {
    /// Most batches.
    pub(crate) batches: usize,
    /// Most samples.
    pub(crate) samples: usize,
}

/// A batch on its way to the store.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) samples: Vec<IngestedSample>,
    pub(crate) histograms: Vec<IngestedHistogram>,
    /// Under which it is stored once only.
    pub(crate) name: Option<BatchName>,
    pub(crate) received_at: TimestampMs,
}

impl Delivery {
    /// How many samples and histograms it holds.
    fn len(&self) -> usize {
        self.samples.len() + self.histograms.len()
    }
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Receipt {
    /// How many samples are stored.
    pub(crate) accepted: usize,
    /// How many histograms are stored.
    pub(crate) histograms: usize,
    /// What the engine or the store refused.
    pub(crate) rejected: Vec<Rejection>,
}

/// The answer to a batch that is on disk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Written {
    /// It is stored as the receipt says, now or before.
    Told(Receipt),
    /// A batch of that name was stored before, and what became of its samples is forgotten.
    Before,
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
    OutOfTime { reason: String },
    #[error(
        "the key was given to another body before, which is stored; nothing of this one is: give it a key of its own"
    )]
    KeyReused,
}

type Reply = oneshot::Sender<Result<Written, WriteError>>;

/// What the thread is asked to do.
enum Job {
    Write(Delivery, Option<Reply>),
    SaveAlerts { changes: Vec<AlertChange>, notices: Vec<NewNotice> },
    Notices { reply: SyncSender<Vec<Notice>> },
    NoticeDelivered { id: u64, kept: SyncSender<bool> },
    NoticeFailed { id: u64, next_attempt_at: TimestampMs, kept: SyncSender<bool> },
    Correct { asked: Arc<Correction>, found: Whereabouts, reply: oneshot::Sender<Result<Corrected, WriteError>> },
    Restated { number: u64, anew: Result<Box<Engine>, StoreError> },
    Snapshot { reply: oneshot::Sender<Result<Snapshot, WriteError>> },
    Stop,
}

/// The way to the writer thread. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Writer {
    jobs: SyncSender<Job>,
    waiting_samples: Arc<AtomicUsize>,
    most_samples: usize,
    metrics: Metrics,
}

impl Writer {
    /// Queues a batch and waits until it is on disk and visible.
    ///
    /// # Errors
    /// [`WriteError`] where it could not be stored; then nothing of it was kept.
    pub(crate) async fn write(&self, delivery: Delivery) -> Result<Written, WriteError> {
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
        let samples = delivery.len();
        let waiting = self.waiting_samples.fetch_add(samples, Ordering::AcqRel);
        let refusal = if waiting > 0 && waiting + samples > self.most_samples {
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
    pub(crate) fn save_alerts(&self, changes: Vec<AlertChange>, notices: Vec<NewNotice>) {
        self.ask(Job::SaveAlerts { changes, notices });
    }

    /// All notices that wait, due or not, oldest first; empty where the store cannot say.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let (reply, answer) = sync_channel(1);
        self.ask(Job::Notices { reply });
        answer.recv().unwrap_or_default()
    }

    /// Has a notice forgotten; whether the store has done so.
    pub(crate) fn notice_delivered(&self, id: u64) -> bool {
        let (kept, answer) = sync_channel(1);
        self.ask(Job::NoticeDelivered { id, kept });
        answer.recv().unwrap_or(false)
    }

    /// Has a notice kept for another attempt; whether the store has noted it.
    pub(crate) fn notice_failed(&self, id: u64, next_attempt_at: TimestampMs) -> bool {
        let (kept, answer) = sync_channel(1);
        self.ask(Job::NoticeFailed { id, next_attempt_at, kept });
        answer.recv().unwrap_or(false)
    }

    /// The store as it is once what was queued before is written.
    ///
    /// # Errors
    /// [`WriteError`] where the queue is full, the gateway stops or the store cannot be read.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, WriteError> {
        let (reply, answer) = oneshot::channel();
        match self.jobs.try_send(Job::Snapshot { reply }) {
            Ok(()) => answer.await.map_err(|_| WriteError::Stopping)?,
            Err(TrySendError::Full(_)) => Err(WriteError::Overloaded),
            Err(TrySendError::Disconnected(_)) => Err(WriteError::Stopping),
        }
    }

    /// Changes stored samples and waits until the change is on disk and visible.
    ///
    /// # Errors
    /// [`WriteError`] where it could not be made; after [`WriteError::Store`] it may be on disk all the same.
    pub(crate) async fn correct(&self, asked: Arc<Correction>, found: Whereabouts) -> Result<Corrected, WriteError> {
        let (reply, answer) = oneshot::channel();
        match self.jobs.try_send(Job::Correct { asked, found, reply }) {
            Ok(()) => answer.await.map_err(|_| WriteError::Stopping)?,
            Err(TrySendError::Full(_)) => Err(WriteError::Overloaded),
            Err(TrySendError::Disconnected(_)) => Err(WriteError::Stopping),
        }
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
pub(crate) fn writer(metrics: Metrics, room: QueueRoom) -> (Writer, WriterQueue) {
    let (jobs, queue) = sync_channel(room.batches);
    let waiting_samples = Arc::new(AtomicUsize::new(0));
    let writer = Writer { jobs, waiting_samples: Arc::clone(&waiting_samples), most_samples: room.samples, metrics };
    (writer, WriterQueue { jobs: queue, waiting_samples })
}

/// The thread's end of a [`Writer`].
pub(crate) struct WriterQueue {
    jobs: Receiver<Job>,
    waiting_samples: Arc<AtomicUsize>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::labels::{Labels, MetricName, SeriesKey};
    use bellwether_core::sample::Sample;
    use bellwether_wire::ingest::Repeats;

    const ROOM: QueueRoom = QueueRoom { batches: 10, samples: 1_000 };

    fn delivery(samples: usize) -> Delivery {
        let now = TimestampMs::new(0);
        let key = SeriesKey { metric: MetricName::new("m").unwrap(), labels: Labels::empty() };
        let sample = |index| IngestedSample {
            index,
            key: key.clone(),
            sample: Sample::new(now, 1.0).unwrap(),
            kind: None,
            suggested: None,
            repeats: Repeats::Count,
            unit: None,
            reference: None,
        };
        Delivery { samples: (0..samples).map(sample).collect(), histograms: Vec::new(), name: None, received_at: now }
    }

    #[test]
    fn only_so_many_batches_wait() {
        let (writer, queue) = writer(Metrics::new(), ROOM);
        for _ in 0..ROOM.batches {
            assert_eq!(writer.write_unanswered(delivery(1)), Ok(()));
        }
        assert_eq!(writer.write_unanswered(delivery(1)), Err(WriteError::Overloaded));
        drop(queue);
        assert_eq!(writer.write_unanswered(delivery(1)), Err(WriteError::Stopping));
    }

    #[test]
    fn only_so_many_samples_wait() {
        let (writer, _queue) = writer(Metrics::new(), ROOM);
        // A batch always finds room where nothing waits.
        assert_eq!(writer.write_unanswered(delivery(ROOM.samples + 1)), Ok(()));
        assert_eq!(writer.write_unanswered(delivery(1)), Err(WriteError::Overloaded));
        assert_eq!(writer.waiting_samples.load(Ordering::Acquire), ROOM.samples + 1);
    }
}
