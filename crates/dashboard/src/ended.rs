//! Alerts that fired and are over, as the gateway has kept them.

use bellwether_core::labels::Labels;
use bellwether_core::rule::Severity;
use bellwether_core::time::{DurationMs, TimestampMs};
use serde_json::Value;

/// They are asked for anew after so long, while they are on screen: what has ended meanwhile the feed tells for longer.
pub const LISTED_EVERY: DurationMs = DurationMs::from_minutes(5);

/// One that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct EndedAlert {
    /// The rule's name.
    pub rule: String,
    /// The labels that tell it from others.
    pub labels: Labels,
    /// Who had to act.
    pub severity: Severity,
    /// When its condition began to hold.
    pub active_at: TimestampMs,
    /// When it fired.
    pub fired_at: TimestampMs,
    /// When it ended.
    pub resolved_at: TimestampMs,
}

/// Reads the gateway's answer, the one that ended last first; `None` where it is none.
#[must_use]
pub fn parse(text: &str) -> Option<Vec<EndedAlert>> {
    let answer: Value = serde_json::from_str(text).ok()?;
    let alert = |alert: &Value| {
        let time = |name| alert.get(name).and_then(Value::as_i64).map(TimestampMs::new);
        let labels = alert.get("labels")?.as_object()?;
        let labels = labels.iter().map(|(name, value)| Some((name.as_str(), value.as_str()?)));
        Some(EndedAlert {
            rule: alert.get("rule")?.as_str()?.to_owned(),
            labels: Labels::new(labels.collect::<Option<Vec<_>>>()?).ok()?,
            severity: match alert.get("severity")?.as_str()? {
                "page" => Severity::Page,
                "ticket" => Severity::Ticket,
                _ => Severity::Info,
            },
            active_at: time("active_at")?,
            fired_at: time("fired_at")?,
            resolved_at: time("resolved_at")?,
        })
    };
    answer.get("alerts")?.as_array()?.iter().map(alert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_or_none() {
        let text = r#"{"alerts": [{"rule": "Slow", "labels": {"alertname": "Slow", "route": "/a"}, "severity": "page",
            "active_at": 1, "fired_at": 2, "resolved_at": 3, "value": null}], "more": false}"#;
        let ended = parse(text).unwrap();
        assert_eq!((ended[0].rule.as_str(), ended[0].severity), ("Slow", Severity::Page));
        assert_eq!([ended[0].active_at, ended[0].fired_at, ended[0].resolved_at], [1, 2, 3].map(TimestampMs::new));
        assert_eq!(ended[0].labels.get("route"), Some("/a"));
        assert_eq!(parse(r#"{"alerts": [], "more": false}"#), Some(Vec::new()));
        for none in ["", "{}", r#"{"error": {"code": "not_found"}}"#, &text.replace("\"fired_at\": 2,", "")] {
            assert_eq!(parse(none), None, "{none}");
        }
    }
}
