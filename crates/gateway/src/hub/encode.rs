//! Frames as they go out: from the hub's types to the wire's.

use std::collections::BTreeMap;

use bellwether_core::alerts::Alert;
use bellwether_core::board::Board;
use bellwether_core::labels::SeriesKey;
use bellwether_core::rule::{AlertState, Rule};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::feed::{FeedHeader, Follow, Phase};
use bellwether_wire::frame::{AlertList, AlertNotice, Gap, Hello, RestatedSpan, ServerFrame, Subscribed};

use super::Greeting;
use super::feed::{Feed, Place, STEP};
use super::history::Piece;
use super::pack::Packer;
use super::queue::Frame;

/// A text frame.
pub(super) fn text(frame: &ServerFrame) -> Frame {
    Frame::Text(frame.encode().into())
}

/// The first frame of a connection.
pub(super) fn hello(greeting: &Greeting, place: Place, staleness: DurationMs, now: TimestampMs) -> Frame {
    let board = Board::clone(&greeting.board);
    text(&ServerFrame::Hello(Hello {
        version: greeting.version.to_owned(),
        epoch: place.epoch,
        seq: place.seq,
        now,
        title: board.title.clone(),
        demo: greeting.demo,
        board,
        staleness,
    }))
}

/// Most alerts of one list: more than anybody reads, and each page gets it anew whenever one changes.
const MOST_ALERTS: usize = 500;
/// The longest list of alerts: a quarter of what may wait on a connection, for the values of the same
/// second are queued just before it.
const LONGEST_ALERTS_BYTES: usize = 256 * 1024;

/// The list of alerts, the most urgent ones first; what would make it too long is left out and counted.
pub(super) fn alerts(alerts: &[Alert], rules: &[Rule], seq: u64) -> Frame {
    // An alert whose rule has gone from the board ends with the first evaluation.
    let mut all: Vec<(&Alert, &Rule)> =
        alerts.iter().filter_map(|alert| Some((alert, rules.iter().find(|rule| rule.name == alert.rule)?))).collect();
    all.sort_by_key(|(alert, _)| urgency(alert.state));
    let mut shown = all.len().min(MOST_ALERTS);
    loop {
        let notices = all.iter().take(shown).map(|(alert, rule)| notice(alert, rule)).collect();
        let left_out = (all.len() - shown) as u64;
        let frame = text(&ServerFrame::Alerts(AlertList { seq, alerts: notices, left_out }));
        if frame.bytes() <= LONGEST_ALERTS_BYTES || shown <= 1 {
            return frame;
        }
        shown /= 2;
    }
}

/// The place of an alert's state in the list.
fn urgency(state: AlertState) -> u8 {
    match state {
        AlertState::Firing { .. } => 0,
        AlertState::Pending { .. } => 1,
        AlertState::Resolved { .. } | AlertState::Inactive => 2,
    }
}

fn notice(alert: &Alert, rule: &Rule) -> AlertNotice {
    AlertNotice {
        rule: alert.rule.clone(),
        labels: alert.labels.clone(),
        severity: alert.severity,
        state: alert.state,
        value: alert.value,
        stale: alert.stale,
        comparison: rule.comparison,
        threshold: rule.threshold,
        summary: rule.summary.clone(),
        runbook: rule.runbook.clone(),
    }
}

/// A subscription that cannot be resumed from the place `had`.
pub(super) fn gap(feed: &Feed, had: Option<u64>, place: Place) -> Frame {
    let from_seq = had.map_or(0, |seq| seq.saturating_add(1));
    text(&ServerFrame::Gap(Gap { subscription: feed.id, from_seq, to_seq: place.seq }))
}

/// The end of a subscription's history.
pub(super) fn subscribed(feed: &Feed, place: Place, restated: Vec<RestatedSpan>, until: Option<TimestampMs>) -> Frame {
    text(&ServerFrame::Subscribed(Subscribed { id: feed.id, epoch: place.epoch, seq: place.seq, restated, until }))
}

/// A piece of a subscription's history, from a tier of the given width.
pub(super) fn history(feed: &Feed, place: Place, width: DurationMs, pieces: &[Piece<'_>]) -> Vec<Frame> {
    let mut packer = Packer::new(feed.encoding, header(feed, place, Phase::History, width));
    for (stretch, buckets) in pieces {
        packer.summaries(&stretch.key, stretch.kind, buckets.iter().map(|(end, summary)| (*end, summary)));
    }
    packer.finish()
}

/// What a step brought of some series.
pub(super) fn steps(
    feed: &Feed,
    place: Place,
    series: &[(&SeriesKey, Kind, &BTreeMap<TimestampMs, Summary>)],
) -> Vec<Frame> {
    let mut packer = Packer::new(feed.encoding, header(feed, place, Phase::Live, STEP));
    for (key, kind, steps) in series {
        packer.summaries(key, *kind, steps.iter().map(|(end, summary)| (*end, summary)));
    }
    packer.finish()
}

/// Samples of some series as they are, and of histograms, which have none, what a step brought.
pub(super) fn samples(
    feed: &Feed,
    place: Place,
    series: &[(&SeriesKey, Kind, &[Sample])],
    histograms: &[(&SeriesKey, Kind, &BTreeMap<TimestampMs, Summary>)],
) -> Vec<Frame> {
    let step = if histograms.is_empty() { DurationMs::ZERO } else { STEP };
    let mut packer = Packer::new(feed.encoding, header(feed, place, Phase::Live, step));
    for (key, kind, samples) in series {
        packer.samples(key, *kind, samples);
    }
    for (key, kind, steps) in histograms {
        packer.summaries(key, *kind, steps.iter().map(|(end, summary)| (*end, summary)));
    }
    packer.finish()
}

fn header(feed: &Feed, place: Place, phase: Phase, step: DurationMs) -> FeedHeader {
    FeedHeader { epoch: place.epoch, seq: place.seq, subscription: feed.id, phase, step, follow: Follow::End }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::labels::Labels;
    use bellwether_core::rule::Severity;

    const AT: TimestampMs = TimestampMs::new(1_795_000_000_000);
    const FIRING: AlertState = AlertState::Firing { active_at: AT, fired_at: AT, keep_firing_since: None };

    fn alert(number: usize, label: &str, state: AlertState) -> Alert {
        let labels = Labels::new([("number", format!("{number:06}").as_str()), ("label", label)]).unwrap();
        Alert { rule: "Slow".to_owned(), labels, severity: Severity::Page, state, value: Some(1.0), stale: false }
    }

    /// The states of the list, and how many alerts it leaves out.
    #[track_caller]
    fn listed(all: &[Alert]) -> (Vec<&'static str>, u64) {
        let rule = r#"{"name":"Slow","query":{"metric":"m","window":"10s","agg":"avg"},"is":"above","threshold":3,
            "severity":"page"}"#;
        let board = bellwether_wire::board::decode(&format!(r#"{{"title":"T","rules":[{rule}]}}"#)).unwrap();
        let frame = alerts(all, &board.rules, 7);
        assert!(frame.bytes() <= LONGEST_ALERTS_BYTES, "{}", frame.bytes());
        let Frame::Text(text) = frame else { panic!("alerts are text") };
        let Ok(ServerFrame::Alerts(list)) = ServerFrame::decode(text.as_str()) else { panic!("{text}") };
        assert_eq!((list.seq, list.alerts.len() + usize::try_from(list.left_out).unwrap()), (7, all.len()));
        (list.alerts.iter().map(|notice| notice.state.as_str()).collect(), list.left_out)
    }

    #[test]
    fn the_most_urgent_alerts_come_first_and_the_rest_is_counted() {
        let resolved = AlertState::Resolved { active_at: AT, fired_at: AT, at: AT };
        let states = [resolved, AlertState::Pending { active_at: AT }, FIRING];
        let few: Vec<_> = states.into_iter().enumerate().map(|(number, state)| alert(number, "", state)).collect();
        assert_eq!(listed(&few), (vec!["firing", "pending", "resolved"], 0));

        let many: Vec<_> = (0..3_000).map(|number| alert(number, "", states[number % 3])).collect();
        assert_eq!(listed(&many), (vec!["firing"; 500], 2_500));
    }

    #[test]
    fn a_list_of_long_alerts_is_cut() {
        // JSON makes six characters of each.
        let long = "\u{1}".repeat(2_000);
        let many: Vec<_> = (0..256).map(|number| alert(number, &long, FIRING)).collect();
        let (shown, left_out) = listed(&many);
        assert_eq!((shown.len(), left_out), (16, 240));
    }
}
