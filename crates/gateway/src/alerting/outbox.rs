//! Delivers the notices of the store's outbox: in order for each alert, again and again until the
//! receiver says 2xx.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use bellwether_core::time::{DurationMs, TimestampMs};
use serde::Deserialize;

use super::bearer::{BearerError, BearerFile};
use crate::clock;
use crate::store::Notice;
use crate::telemetry::Metrics;
use crate::writer::Writer;

/// How long a call may take in all.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The wait after the first failed call; it doubles with each further one.
const FIRST_WAIT: DurationMs = DurationMs::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: DurationMs = DurationMs::from_minutes(1);
/// How often the outbox is looked at without being told of a new notice.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Delivers to one webhook; runs on a thread of its own.
pub(crate) struct Dispatcher {
    url: String,
    bearer: Option<BearerFile>,
    agent: ureq::Agent,
    writer: Writer,
    metrics: Metrics,
    /// Notices that are delivered and that the store has not yet forgotten.
    unforgotten: BTreeSet<u64>,
    /// Failed attempts that the store could not note.
    unnoted: BTreeMap<u64, Failed>,
}

/// What an attempt in vain leads to.
#[derive(Clone, Copy, Debug)]
struct Failed {
    attempts: u32,
    next_attempt_at: TimestampMs,
}

/// The alert that a message is about.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    group_key: String,
}

impl Dispatcher {
    pub(crate) fn new(url: String, bearer: Option<BearerFile>, writer: Writer, metrics: Metrics) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(CALL_TIMEOUT))
            // A redirect could lead anywhere, into the private network too.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("bellwether/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { url, bearer, agent, writer, metrics, unforgotten: BTreeSet::new(), unnoted: BTreeMap::new() }
    }

    /// Delivers until `wake` is closed; a message on it says that there is something new.
    pub(crate) fn run(&mut self, wake: &Receiver<()>) {
        loop {
            self.deliver_due(wake);
            match wake.recv_timeout(LOOK_EVERY) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Makes all attempts whose time has come. What the store refuses to note is kept here until it
    /// does, so that a full disk sends nobody the same notice twice.
    pub(crate) fn deliver_due(&mut self, wake: &Receiver<()>) {
        while let Some(id) = self.unforgotten.first().copied()
            && self.writer.notice_delivered(id)
        {
            self.unforgotten.remove(&id);
        }
        let mut notices = self.writer.notices();
        notices.sort_by_key(|notice| notice.id);
        let mut waiting = BTreeSet::new();
        for notice in notices {
            if matches!(wake.try_recv(), Err(TryRecvError::Disconnected)) {
                return;
            }
            if self.unforgotten.contains(&notice.id) {
                continue;
            }
            let about = serde_json::from_slice::<About>(&notice.payload).map(|about| about.group_key).ok();
            // "resolved" never overtakes the "firing" of the same alert.
            if waiting.contains(&about) {
                continue;
            }
            let stored = Failed { attempts: notice.attempts, next_attempt_at: notice.next_attempt_at };
            let before = self.unnoted.get(&notice.id).copied().unwrap_or(stored);
            if before.next_attempt_at > clock::now() {
                waiting.insert(about);
                continue;
            }
            if !self.deliver(&notice, before.attempts) {
                waiting.insert(about);
            }
        }
    }

    /// Makes one attempt after so many in vain; whether it was delivered.
    fn deliver(&mut self, notice: &Notice, attempts: u32) -> bool {
        let failure = match self.call(&notice.payload) {
            Ok(status) if (200..300).contains(&status) => {
                self.metrics.webhook_call("delivered");
                self.unnoted.remove(&notice.id);
                if !self.writer.notice_delivered(notice.id) {
                    self.unforgotten.insert(notice.id);
                }
                tracing::info!(notice = notice.id, "the alert webhook was told");
                return true;
            }
            Ok(status) => format!("it answered {status}"),
            // The address may hold a secret; the library's texts for these faults do not name it.
            Err(error) => error.to_string(),
        };
        self.metrics.webhook_call("failed");
        let wait = wait_after(attempts);
        tracing::warn!(notice = notice.id, failure, retry_in = %wait, "the alert webhook could not be told");
        let failed = Failed { attempts: attempts.saturating_add(1), next_attempt_at: clock::now() + wait };
        if self.writer.notice_failed(notice.id, failed.next_attempt_at) {
            self.unnoted.remove(&notice.id);
        } else {
            self.unnoted.insert(notice.id, failed);
        }
        false
    }

    fn call(&self, payload: &[u8]) -> Result<u16, CallError> {
        let mut request = self.agent.post(&self.url).content_type("application/json");
        if let Some(bearer) = &self.bearer {
            request = request.header("authorization", bearer.header()?);
        }
        Ok(request.send(payload)?.status().as_u16())
    }
}

/// Why a call had no answer.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error(transparent)]
    Bearer(#[from] BearerError),
    #[error(transparent)]
    Http(#[from] ureq::Error),
}

/// The wait after the failed call number `attempts`, counted from 0.
fn wait_after(attempts: u32) -> DurationMs {
    let factor = 1_u64.checked_shl(attempts).unwrap_or(u64::MAX);
    DurationMs::from_millis(FIRST_WAIT.as_millis().saturating_mul(factor)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stopwatch;
    use crate::hub::{Greeting, Hub, LiveRoom};
    use crate::own::OwnWork;
    use crate::store::{RedbStore, Retention};
    use crate::writer::rig::faulty::{Failure, FaultyDisk};
    use crate::writer::{self, NewNotice, WriterThread};
    use bellwether_core::board::Board;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A receiver that says 200 to all; `at_first` is done before it says so for the first time.
    fn receiver(at_first: impl FnOnce() + Send + 'static) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        std::thread::spawn(move || {
            let mut at_first = Some(at_first);
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head_and_body = [0; 4_096];
                assert!(stream.read(&mut head_and_body).unwrap() > 0);
                counted.fetch_add(1, Ordering::AcqRel);
                if let Some(at_first) = at_first.take() {
                    at_first();
                }
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                stream.write_all(answer).unwrap();
            }
        });
        (url, calls)
    }

    #[test]
    fn a_notice_that_the_store_cannot_forget_is_told_once() {
        let disk = FaultyDisk::default();
        let store = RedbStore::open_on(Box::new(disk.clone()), 7).unwrap();
        let metrics = Metrics::new();
        let (writer, queue) = writer::writer(metrics.clone(), writer::QueueRoom { batches: 16, samples: 200_000 });
        let greeting = Greeting { board: Arc::new(Board::default()), demo: false, version: "0" };
        let hub = Arc::new(Hub::new(greeting, LiveRoom::USUAL).unwrap());
        let own = Arc::new(OwnWork::default());
        let retention = Retention::all(DurationMs::from_days(90));
        let mut thread = WriterThread::new(store, hub, metrics.clone(), own, retention, queue, writer::orders().0);
        let writing = std::thread::spawn(move || thread.run());

        let failing = disk.clone();
        let (url, calls) = receiver(move || failing.fail(Some(Failure::Full)));
        let notice = NewNotice { alert: "slow".to_owned(), state: "firing", payload: b"{}".to_vec() };
        writer.save_alerts(Vec::new(), vec![notice]);
        let mut dispatcher = Dispatcher::new(url, None, writer.clone(), metrics.clone());
        let (_awake, wake) = std::sync::mpsc::channel();
        dispatcher.deliver_due(&wake);
        assert_eq!(calls.load(Ordering::Acquire), 1);
        let began = Stopwatch::start();
        // It is counted after the dispatcher is answered.
        while metrics.store_failures.get() == 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "the store has not refused to forget it");
            std::thread::yield_now();
        }
        disk.fail(None);
        while metrics.notifications_waiting.get() > 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "it is never forgotten");
            dispatcher.deliver_due(&wake);
        }
        dispatcher.deliver_due(&wake);
        assert_eq!(calls.load(Ordering::Acquire), 1, "it was told again");
        writer.stop();
        writing.join().unwrap();
    }

    #[test]
    fn waits_double_up_to_a_minute() {
        let waits: Vec<_> = (0..8).map(|attempts| wait_after(attempts).as_millis() / 1_000).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(wait_after(u32::MAX), LONGEST_WAIT);
    }
}
