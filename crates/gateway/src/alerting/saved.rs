//! An alert as the store keeps it.

use std::collections::BTreeMap;

use bellwether_core::alerts::Alert;
use bellwether_core::labels::{LabelError, Labels};
use bellwether_core::rule::{AlertState, Severity};
use bellwether_core::time::TimestampMs;
use serde::{Deserialize, Serialize};

/// The version of the record; a reader refuses a newer one.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct SavedAlert {
    version: u8,
    saved_at: i64,
    rule: String,
    labels: BTreeMap<String, String>,
    severity: SavedSeverity,
    state: SavedState,
    value: Option<f64>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedSeverity {
    Page,
    Ticket,
    Info,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedState {
    Inactive,
    Pending { active_at: i64 },
    Firing { active_at: i64, fired_at: i64, keep_firing_since: Option<i64> },
    Resolved { active_at: i64, fired_at: i64, at: i64 },
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SavedError {
    #[error("it is not a record of an alert: {0}")]
    NotARecord(#[from] serde_json::Error),
    #[error("it has version {0}, which a newer program wrote")]
    Newer(u8),
    #[error("its labels cannot be used: {0}")]
    Labels(#[from] LabelError),
}

/// What tells an alert from all others: its labels, which name the rule.
pub(super) fn key(alert: &Alert) -> String {
    alert.labels.to_string()
}

/// The record of an alert; `None`, and a line in the log, where it cannot be written.
pub(super) fn record(alert: &Alert, now: TimestampMs) -> Option<Vec<u8>> {
    let saved = SavedAlert {
        version: VERSION,
        saved_at: now.get(),
        rule: alert.rule.clone(),
        labels: alert.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        severity: match alert.severity {
            Severity::Page => SavedSeverity::Page,
            Severity::Ticket => SavedSeverity::Ticket,
            Severity::Info => SavedSeverity::Info,
        },
        state: match alert.state {
            AlertState::Inactive => SavedState::Inactive,
            AlertState::Pending { active_at } => SavedState::Pending { active_at: active_at.get() },
            AlertState::Firing { active_at, fired_at, keep_firing_since } => SavedState::Firing {
                active_at: active_at.get(),
                fired_at: fired_at.get(),
                keep_firing_since: keep_firing_since.map(TimestampMs::get),
            },
            AlertState::Resolved { active_at, fired_at, at } => {
                SavedState::Resolved { active_at: active_at.get(), fired_at: fired_at.get(), at: at.get() }
            }
        },
        value: alert.value,
    };
    match serde_json::to_vec(&saved) {
        Ok(record) => Some(record),
        Err(error) => {
            tracing::error!(%error, rule = alert.rule, "an alert could not be written down");
            None
        }
    }
}

/// An alert and when it was kept.
///
/// # Errors
/// [`SavedError`] where the record is damaged or of a newer program.
pub(super) fn read(record: &[u8]) -> Result<(Alert, TimestampMs), SavedError> {
    let saved: SavedAlert = serde_json::from_slice(record)?;
    if saved.version > VERSION {
        return Err(SavedError::Newer(saved.version));
    }
    let state = match saved.state {
        SavedState::Inactive => AlertState::Inactive,
        SavedState::Pending { active_at } => AlertState::Pending { active_at: TimestampMs::new(active_at) },
        SavedState::Firing { active_at, fired_at, keep_firing_since } => AlertState::Firing {
            active_at: TimestampMs::new(active_at),
            fired_at: TimestampMs::new(fired_at),
            keep_firing_since: keep_firing_since.map(TimestampMs::new),
        },
        SavedState::Resolved { active_at, fired_at, at } => AlertState::Resolved {
            active_at: TimestampMs::new(active_at),
            fired_at: TimestampMs::new(fired_at),
            at: TimestampMs::new(at),
        },
    };
    let severity = match saved.severity {
        SavedSeverity::Page => Severity::Page,
        SavedSeverity::Ticket => Severity::Ticket,
        SavedSeverity::Info => Severity::Info,
    };
    let labels = Labels::new(saved.labels)?;
    let alert = Alert { rule: saved.rule, labels, severity, state, value: saved.value, stale: false };
    Ok((alert, TimestampMs::new(saved.saved_at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_reads_back() {
        let [active_at, fired_at, at] = [1, 2, 3].map(TimestampMs::new);
        for state in [
            AlertState::Pending { active_at },
            AlertState::Firing { active_at, fired_at, keep_firing_since: None },
            AlertState::Firing { active_at, fired_at, keep_firing_since: Some(at) },
            AlertState::Resolved { active_at, fired_at, at },
        ] {
            let alert = Alert {
                rule: "Slow".to_owned(),
                labels: Labels::new([("alertname", "Slow"), ("route", "/a\"b")]).unwrap(),
                severity: Severity::Ticket,
                state,
                value: Some(0.1 + 0.2),
                stale: false,
            };
            let record = record(&alert, TimestampMs::new(9)).unwrap();
            let (read, saved_at) = read(&record).unwrap();
            assert_eq!((read, saved_at), (alert, TimestampMs::new(9)));
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        assert!(read(b"{}").is_err());
        assert!(read(b"").is_err());
    }
}
