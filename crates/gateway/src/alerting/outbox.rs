//! Delivers the notices of the store's outbox: in order for each alert, again and again until the
//! receiver says 2xx.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use bellwether_core::time::DurationMs;
use serde::Deserialize;

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
    agent: ureq::Agent,
    writer: Writer,
    metrics: Metrics,
}

/// The alert that a message is about.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    group_key: String,
}

impl Dispatcher {
    pub(crate) fn new(url: String, writer: Writer, metrics: Metrics) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(CALL_TIMEOUT))
            // A redirect could lead anywhere, into the private network too.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("bellwether/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { url, agent, writer, metrics }
    }

    /// Delivers until `wake` is closed; a message on it says that there is something new.
    pub(crate) fn run(&self, wake: &Receiver<()>) {
        loop {
            self.deliver_due(wake);
            match wake.recv_timeout(LOOK_EVERY) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn deliver_due(&self, wake: &Receiver<()>) {
        let mut notices = self.writer.notices();
        notices.sort_by_key(|notice| notice.id);
        let mut waiting = BTreeSet::new();
        for notice in notices {
            if matches!(wake.try_recv(), Err(TryRecvError::Disconnected)) {
                return;
            }
            let about = serde_json::from_slice::<About>(&notice.payload).map(|about| about.group_key).ok();
            // "resolved" never overtakes the "firing" of the same alert.
            if waiting.contains(&about) {
                continue;
            }
            if notice.next_attempt_at > clock::now() {
                waiting.insert(about);
                continue;
            }
            if !self.deliver(&notice) {
                waiting.insert(about);
            }
        }
    }

    /// Makes one attempt; whether it was delivered.
    fn deliver(&self, notice: &Notice) -> bool {
        let failure = match self.call(&notice.payload) {
            Ok(status) if (200..300).contains(&status) => {
                self.metrics.webhook_call("delivered");
                self.writer.notice_delivered(notice.id);
                tracing::info!(notice = notice.id, "the alert webhook was told");
                return true;
            }
            Ok(status) => format!("it answered {status}"),
            // The address may hold a secret; the library's texts for these faults do not name it.
            Err(error) => error.to_string(),
        };
        self.metrics.webhook_call("failed");
        let wait = wait_after(notice.attempts);
        tracing::warn!(notice = notice.id, failure, retry_in = %wait, "the alert webhook could not be told");
        self.writer.notice_failed(notice.id, clock::now() + wait);
        false
    }

    fn call(&self, payload: &[u8]) -> Result<u16, ureq::Error> {
        let answer = self.agent.post(&self.url).content_type("application/json").send(payload)?;
        Ok(answer.status().as_u16())
    }
}

/// The wait after the failed call number `attempts`, counted from 0.
fn wait_after(attempts: u32) -> DurationMs {
    let factor = 1_u64.checked_shl(attempts).unwrap_or(u64::MAX);
    DurationMs::from_millis(FIRST_WAIT.as_millis().saturating_mul(factor)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute() {
        let waits: Vec<_> = (0..8).map(|attempts| wait_after(attempts).as_millis() / 1_000).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(wait_after(u32::MAX), LONGEST_WAIT);
    }
}
