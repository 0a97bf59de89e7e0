//! Alerts beyond the state machine: kept across restarts, told to the webhook.

mod bearer;
mod outbox;
mod saved;
mod webhook;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use bellwether_core::alerts::{Alert, Alerts};
use bellwether_core::board::Board;
use bellwether_core::rule::AlertState;
use bellwether_core::time::{DurationMs, TimestampMs};

pub(crate) use bearer::BearerFile;
pub(crate) use outbox::Dispatcher;

use crate::hub::{News, Pulse};
use crate::store::AlertChange;
use crate::telemetry::Metrics;
use crate::writer::{NewNotice, Writer};

/// How often a pending alert is kept anew, so that a restart knows how long the gateway was away.
const PENDING_SAVED_EVERY: DurationMs = DurationMs::from_minutes(1);

/// Where notifications go.
#[derive(Debug)]
pub(crate) struct Webhook {
    /// Wakes the dispatcher.
    pub(crate) wake: SyncSender<()>,
    /// Where people find the page.
    pub(crate) address: String,
}

/// Follows what each second brings: keeps it, logs it, has it told.
pub(crate) struct Watch {
    board: Arc<Board>,
    writer: Writer,
    metrics: Metrics,
    webhook: Option<Webhook>,
    /// The alerts that the store knows, by key.
    kept: BTreeMap<String, AlertState>,
    pending_saved_at: TimestampMs,
    failing: Vec<String>,
}

impl Watch {
    /// Goes on from the alerts that the store holds.
    pub(crate) fn new(
        board: Arc<Board>,
        writer: Writer,
        metrics: Metrics,
        webhook: Option<Webhook>,
        alerts: &Alerts,
    ) -> Self {
        let kept = alerts.iter().map(|alert| (saved::key(alert), alert.state)).collect();
        let pending_saved_at = TimestampMs::new(0);
        Self { board, writer, metrics, webhook, kept, pending_saved_at, failing: Vec::new() }
    }

    /// Takes in one second.
    pub(crate) fn follow(&mut self, pulse: Pulse, now: TimestampMs) {
        self.report_failures(pulse.failures);
        self.metrics.subscribers_caught_up.inc_by(pulse.stragglers.caught_up as u64);
        self.metrics.subscribers_behind.set(i64::try_from(pulse.stragglers.behind).unwrap_or(i64::MAX));
        let firing = pulse.alerts.iter().filter(|alert| matches!(alert.state, AlertState::Firing { .. })).count();
        self.metrics.alerts_firing.set(i64::try_from(firing).unwrap_or(i64::MAX));
        let mut changes = self.changes(&pulse.alerts, now);
        changes.extend(pulse.news.iter().filter_map(|news| ended(news, now)));
        let notices = self.notices(pulse.news);
        if changes.is_empty() && notices.is_empty() {
            return;
        }
        let told = !notices.is_empty();
        self.writer.save_alerts(changes, notices);
        if told && let Some(webhook) = &self.webhook {
            // A full channel means that it is awake already.
            let _awake = webhook.wake.try_send(());
        }
    }

    fn notices(&self, news: Vec<News>) -> Vec<NewNotice> {
        let mut notices = Vec::new();
        for news in news {
            let (alert, state) = match news {
                News::Fires(alert) => {
                    tracing::warn!(labels = %alert.labels, value = alert.value, "an alert fires");
                    (alert, "firing")
                }
                News::Resolved(alert, ending) => {
                    let reason = ending.reason();
                    tracing::info!(labels = %alert.labels, value = alert.value, reason, "an alert is resolved");
                    (alert, "resolved")
                }
            };
            let Some(webhook) = &self.webhook else { continue };
            let rule = self.board.rules.iter().find(|rule| rule.name == alert.rule);
            let payload = webhook::message(&alert, rule, &webhook.address);
            notices.extend(payload.map(|payload| NewNotice { alert: saved::key(&alert), state, payload }));
        }
        notices
    }

    /// What the store must be told so that it knows the states as they are.
    fn changes(&mut self, alerts: &[Alert], now: TimestampMs) -> Vec<AlertChange> {
        let refresh_pending = now.since(self.pending_saved_at) >= PENDING_SAVED_EVERY;
        let mut changes = Vec::new();
        let mut present = BTreeMap::new();
        for alert in alerts {
            let key = saved::key(alert);
            let pending = matches!(alert.state, AlertState::Pending { .. });
            if self.kept.get(&key) != Some(&alert.state) || (pending && refresh_pending) {
                changes.extend(saved::record(alert, now).map(|record| AlertChange::Set { key: key.clone(), record }));
            }
            present.insert(key, alert.state);
        }
        if refresh_pending {
            self.pending_saved_at = now;
        }
        let gone = self.kept.keys().filter(|key| !present.contains_key(*key));
        changes.extend(gone.map(|key| AlertChange::Remove { key: key.clone() }));
        self.kept = present;
        changes
    }

    /// Says once that a rule fails, and once that it works again.
    fn report_failures(&mut self, failures: Vec<String>) {
        for failure in &failures {
            self.metrics.rule_failures.inc();
            if !self.failing.contains(failure) {
                tracing::error!(failure, "a rule cannot be evaluated; its alerts stay as they are");
            }
        }
        if failures.is_empty() && !self.failing.is_empty() {
            tracing::info!("all rules can be evaluated again");
        }
        self.failing = failures;
    }
}

/// What the store must keep of an alert that is over.
fn ended(news: &News, now: TimestampMs) -> Option<AlertChange> {
    let News::Resolved(alert, _) = news else { return None };
    let AlertState::Resolved { at, .. } = alert.state else { return None };
    Some(AlertChange::Ended { key: saved::key(alert), at, record: saved::record(alert, now)? })
}

/// An alert that is over, from what the store kept; `None`, and a line in the log, where it cannot be read.
pub(crate) fn read_ended(record: &[u8]) -> Option<Alert> {
    match saved::read(record) {
        Ok((alert, _)) => Some(alert),
        Err(error) => {
            tracing::error!(%error, "an alert that is over cannot be read and is left out");
            None
        }
    }
}

/// The alerts as they were before the restart, from what the store kept.
pub(crate) fn restore(board: &Board, records: &[(String, Vec<u8>)], now: TimestampMs) -> Alerts {
    let mut alerts = Alerts::new();
    let mut last_saved = TimestampMs::new(0);
    let mut saved = Vec::new();
    for (key, record) in records {
        match saved::read(record) {
            Ok((alert, saved_at)) => {
                last_saved = last_saved.max(saved_at);
                saved.push(alert);
            }
            Err(error) => tracing::error!(%error, key, "a stored alert cannot be read and is forgotten"),
        }
    }
    alerts.restore(&board.rules, saved, last_saved, now);
    alerts
}
