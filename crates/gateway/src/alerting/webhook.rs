//! What the alert webhook is told: Alertmanager's webhook JSON, version 4, one alert a message.

use bellwether_core::alerts::Alert;
use bellwether_core::labels::Labels;
use bellwether_core::rule::{AlertState, Rule};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::instant::rfc3339;

/// The name of the receiver in the messages.
const RECEIVER: &str = "bellwether";
/// How Go writes the time that is not set: the end of an alert that still fires.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    version: &'static str,
    group_key: String,
    truncated_alerts: u32,
    status: &'static str,
    receiver: &'static str,
    group_labels: LabelMap<'a>,
    common_labels: LabelMap<'a>,
    common_annotations: Annotations<'a>,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    alerts: [AlertEntry<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertEntry<'a> {
    status: &'static str,
    labels: LabelMap<'a>,
    annotations: Annotations<'a>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    fingerprint: String,
}

struct LabelMap<'a>(&'a Labels);

impl Serialize for LabelMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

/// What people are told beside the labels; an empty one is left out.
#[derive(Clone)]
struct Annotations<'a> {
    summary: &'a str,
    runbook: &'a str,
    value: String,
}

impl Serialize for Annotations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let entries = [("runbook_url", self.runbook), ("summary", self.summary), ("value", &self.value)];
        for (name, text) in entries.into_iter().filter(|(_, text)| !text.is_empty()) {
            map.serialize_entry(name, text)?;
        }
        map.end()
    }
}

/// The message about an alert that began to fire or is resolved; `None` for any other state.
///
/// `address` is where people find the page. The label `severity` is added where the rule's own
/// labels do not set it, since receivers route by it.
pub(super) fn message(alert: &Alert, rule: Option<&Rule>, address: &str) -> Option<Vec<u8>> {
    let (status, starts_at, ends_at) = match alert.state {
        AlertState::Firing { fired_at, .. } => ("firing", fired_at, NO_TIME.to_owned()),
        AlertState::Resolved { fired_at, at, .. } => ("resolved", fired_at, rfc3339(at)),
        AlertState::Inactive | AlertState::Pending { .. } => return None,
    };
    let severity = Labels::new([("severity", alert.severity.as_str())]).unwrap_or_default();
    let labels = severity.overlaid(&alert.labels);
    let annotations = Annotations {
        summary: rule.map_or("", |rule| &rule.summary),
        runbook: rule.map_or("", |rule| &rule.runbook),
        value: alert.value.map_or_else(String::new, |value| value.to_string()),
    };
    let entry = AlertEntry {
        status,
        labels: LabelMap(&labels),
        annotations: annotations.clone(),
        starts_at: rfc3339(starts_at),
        ends_at,
        generator_url: address,
        fingerprint: fingerprint(&labels),
    };
    let message = Message {
        version: "4",
        group_key: group_key(alert),
        truncated_alerts: 0,
        status,
        receiver: RECEIVER,
        group_labels: LabelMap(&alert.labels),
        common_labels: LabelMap(&labels),
        common_annotations: annotations,
        external_url: address,
        alerts: [entry],
    };
    match serde_json::to_vec(&message) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            tracing::error!(%error, rule = alert.rule, "a notification could not be written");
            None
        }
    }
}

/// Alertmanager's form of a group's key; messages about one alert share it.
fn group_key(alert: &Alert) -> String {
    format!("{{}}:{}", alert.labels)
}

/// Prometheus' fingerprint of a set of labels: 64-bit FNV-1a over names and values, each followed
/// by the byte 255.
fn fingerprint(labels: &Labels) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes.iter().chain(&[255]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for (name, value) in labels.iter() {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::rule::Severity;
    use bellwether_core::time::TimestampMs;

    fn alert(state: AlertState) -> Alert {
        Alert {
            rule: "BookingSlow".to_owned(),
            labels: Labels::new([("alertname", "BookingSlow")]).unwrap(),
            severity: Severity::Page,
            state,
            value: Some(420.5),
            stale: false,
        }
    }

    #[test]
    fn a_message_is_alertmanagers() {
        let (active_at, fired_at, at) = (TimestampMs::new(0), TimestampMs::new(1_000), TimestampMs::new(2_000));
        let read = |state| {
            let bytes = message(&alert(state), None, "http://127.0.0.1:4000").unwrap();
            serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()
        };
        let firing = read(AlertState::Firing { active_at, fired_at, keep_firing_since: None });
        assert_eq!(firing["version"], "4");
        assert_eq!(firing["status"], "firing");
        assert_eq!(firing["alerts"][0]["labels"]["severity"], "page");
        assert_eq!(firing["alerts"][0]["startsAt"], "1970-01-01T00:00:01.000Z");
        assert_eq!(firing["alerts"][0]["endsAt"], NO_TIME);
        assert_eq!(firing["alerts"][0]["annotations"]["value"], "420.5");
        let resolved = read(AlertState::Resolved { active_at, fired_at, at });
        assert_eq!(resolved["status"], "resolved");
        assert_eq!(resolved["alerts"][0]["endsAt"], "1970-01-01T00:00:02.000Z");
        assert_eq!(resolved["groupKey"], firing["groupKey"]);
        assert_eq!(resolved["alerts"][0]["fingerprint"], firing["alerts"][0]["fingerprint"]);
        assert_eq!(message(&alert(AlertState::Pending { active_at }), None, ""), None);
    }

    #[test]
    fn a_fingerprint_is_prometheus() {
        // `TestLabelsToSignature` in Prometheus' common/model/signature_test.go: 5799056148416392346.
        let labels = Labels::new([("name", "garland, briggs"), ("fear", "love is not enough")]).unwrap();
        assert_eq!(fingerprint(&labels), format!("{:016x}", 5_799_056_148_416_392_346_u64));
        // No labels: the hash's start value.
        assert_eq!(fingerprint(&Labels::empty()), "cbf29ce484222325");
        let one = Labels::new([("alertname", "a"), ("b", "c")]).unwrap();
        let other = Labels::new([("alertname", "ab"), ("b", "c")]).unwrap();
        assert_ne!(fingerprint(&one), fingerprint(&other));
    }
}
