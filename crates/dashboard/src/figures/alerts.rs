//! Alerts as the page shows them.

use bellwether_core::rule::Severity;
use bellwether_core::time::TimestampMs;

use crate::format::Unit;

/// Most alerts whose figure is of now; further ones have the last that the gateway told.
pub const MOST_LIVE: usize = 20;

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The condition holds and the alert is on.
    Firing,
    /// The condition holds, not yet for long enough.
    Pending,
    /// The alert was on and is over.
    Resolved,
}

/// One alert.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertCard {
    /// The rule's name.
    pub rule: String,
    /// The labels that tell this alert from others of the same rule, as text; empty where there are none.
    pub labels: String,
    /// Where it stands.
    pub phase: Phase,
    /// Who must act.
    pub severity: Severity,
    /// The figure that is watched; `None` where there is none.
    pub value: Option<f64>,
    /// Unit of the figure and the threshold.
    pub unit: Unit,
    /// How the figure is compared, in words, such as `above`.
    pub comparison: &'static str,
    /// What it is compared with.
    pub threshold: Option<f64>,
    /// When the condition began to hold.
    pub since: TimestampMs,
    /// When the alert fired, where it has.
    pub fired_at: Option<TimestampMs>,
    /// When it ended, where it has.
    pub resolved_at: Option<TimestampMs>,
    /// Whether no figure has come lately, so that the state is the last one known.
    pub stale: bool,
    /// One sentence for people; may be empty.
    pub summary: String,
    /// Where to read what to do; only `http` and `https` addresses.
    pub runbook: Option<String>,
}

impl AlertCard {
    /// Most urgent first: firing before pending before resolved, pages before tickets, newest first; with
    /// each what belongs to it.
    #[must_use]
    pub fn sorted<T>(cards: impl Iterator<Item = (Self, T)>) -> Vec<(Self, T)> {
        let mut sorted: Vec<(Self, T)> = Vec::new();
        for card in cards {
            // There are a few alerts, and the library's sort is 6 KB of the page.
            let place = sorted.partition_point(|other| !card.0.is_before(&other.0));
            sorted.insert(place, card);
        }
        sorted
    }

    fn is_before(&self, other: &Self) -> bool {
        let order = self.phase.cmp(&other.phase);
        let order = order.then_with(|| other.severity.cmp(&self.severity));
        let order = order.then_with(|| other.since.cmp(&self.since));
        let order = order.then_with(|| self.rule.cmp(&other.rule));
        order.then_with(|| self.labels.cmp(&other.labels)).is_lt()
    }

    #[cfg(test)]
    pub(crate) fn example(phase: Phase) -> Self {
        Self {
            rule: "Slow".to_owned(),
            labels: String::new(),
            phase,
            severity: Severity::Page,
            value: Some(412.0),
            unit: Unit::Millis,
            comparison: "above",
            threshold: Some(300.0),
            since: TimestampMs::new(0),
            fired_at: None,
            resolved_at: None,
            stale: false,
            summary: String::new(),
            runbook: None,
        }
    }
}

/// An address that may become a link: a board is not trusted to name a script.
#[must_use]
pub fn safe_link(address: &str) -> Option<String> {
    let address = address.trim();
    let lower = address.get(..8).unwrap_or(address).to_ascii_lowercase();
    (lower.starts_with("http://") || lower.starts_with("https://")).then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(safe_link("https://example.org/runbook").as_deref(), Some("https://example.org/runbook"));
        assert_eq!(safe_link(" HTTP://example.org").as_deref(), Some("HTTP://example.org"));
        for address in ["", "javascript:alert(1)", "data:text/html,x", "//example.org", "é://h", " jAvascript:https://"]
        {
            assert_eq!(safe_link(address), None, "{address}");
        }
    }

    #[test]
    fn the_most_urgent_comes_first() {
        let card = |phase, severity, since| AlertCard {
            severity,
            since: TimestampMs::new(since),
            ..AlertCard::example(phase)
        };
        let cards = AlertCard::sorted(
            [
                card(Phase::Resolved, Severity::Page, 9),
                card(Phase::Firing, Severity::Ticket, 5),
                card(Phase::Pending, Severity::Page, 9),
                card(Phase::Firing, Severity::Page, 1),
                card(Phase::Firing, Severity::Page, 2),
            ]
            .into_iter()
            .map(|card| (card, ())),
        );
        let order: Vec<_> = cards.iter().map(|(card, ())| (card.phase, card.severity, card.since.get())).collect();
        assert_eq!(
            order,
            [
                (Phase::Firing, Severity::Page, 2),
                (Phase::Firing, Severity::Page, 1),
                (Phase::Firing, Severity::Ticket, 5),
                (Phase::Pending, Severity::Page, 9),
                (Phase::Resolved, Severity::Page, 9),
            ]
        );
    }
}
