//! Frames as they go out: from the hub's types to the wire's.

use std::collections::BTreeMap;

use bellwether_core::alerts::Alert;
use bellwether_core::board::Board;
use bellwether_core::labels::SeriesKey;
use bellwether_core::rule::Rule;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::feed::{FeedHeader, Phase};
use bellwether_wire::frame::{AlertList, AlertNotice, Hello, ServerFrame, Subscribed};

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

/// The list of all alerts.
pub(super) fn alerts(alerts: &[Alert], rules: &[Rule], seq: u64) -> Frame {
    let alerts = alerts.iter().filter_map(|alert| {
        // An alert whose rule has gone from the board ends with the first evaluation.
        let rule = rules.iter().find(|rule| rule.name == alert.rule)?;
        Some(AlertNotice {
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
        })
    });
    text(&ServerFrame::Alerts(AlertList { seq, alerts: alerts.collect() }))
}

/// The end of a subscription's history.
pub(super) fn subscribed(feed: &Feed, place: Place) -> Frame {
    text(&ServerFrame::Subscribed(Subscribed { id: feed.id, epoch: place.epoch, seq: place.seq }))
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

/// Samples as they are.
pub(super) fn samples(feed: &Feed, place: Place, series: &[(&SeriesKey, Kind, &[Sample])]) -> Vec<Frame> {
    let mut packer = Packer::new(feed.encoding, header(feed, place, Phase::Live, DurationMs::ZERO));
    for (key, kind, samples) in series {
        packer.samples(key, *kind, samples);
    }
    packer.finish()
}

fn header(feed: &Feed, place: Place, phase: Phase, step: DurationMs) -> FeedHeader {
    FeedHeader { epoch: place.epoch, seq: place.seq, subscription: feed.id, phase, step }
}
