//! Frames as they go out: from the hub's types to the wire's.

use std::collections::BTreeMap;

use bellwether_core::alerts::Alert;
use bellwether_core::board::Board;
use bellwether_core::labels::SeriesKey;
use bellwether_core::rule::Rule;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::binary::FrameEncoder;
use bellwether_wire::feed::{BucketSummary, FeedFrame, FeedHeader, FeedSeries, Phase};
use bellwether_wire::frame::{AlertList, AlertNotice, Hello, ServerFrame, Subscribed};

use super::Greeting;
use super::feed::{Encoding, Feed, Place, STEP};
use super::history::Piece;
use super::queue::Frame;

/// About the longest frame of the past; a reader takes a frame in one go.
const LONGEST_FRAME_BYTES: usize = 1024 * 1024;
/// How many times longer JSON is, at most, than the same frame in binary.
const JSON_TO_BINARY: usize = 8;
/// How many time buckets are added before the length is looked at.
const BUCKETS_A_LOOK: usize = 8;

/// Time buckets of one series, as they are encoded.
type Run<'a> = (&'a SeriesKey, Kind, Vec<(TimestampMs, &'a Summary)>);

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

/// A piece of a subscription's history, from a tier of the given width; several frames where one
/// would be longer than about [`LONGEST_FRAME_BYTES`].
pub(super) fn history(feed: &Feed, place: Place, width: DurationMs, pieces: &[Piece<'_>]) -> Vec<Frame> {
    let header = header(feed, place, Phase::History, width);
    let longest = match feed.encoding {
        Encoding::Binary => LONGEST_FRAME_BYTES,
        Encoding::Json => LONGEST_FRAME_BYTES / JSON_TO_BINARY,
    };
    let mut frames = Vec::new();
    let mut waiting = Vec::new();
    // The length that counts is the binary one, also for JSON.
    let mut encoder = FrameEncoder::new();
    let cut = |encoder: &mut FrameEncoder, waiting: Vec<Run<'_>>| match feed.encoding {
        Encoding::Binary => Frame::Binary(encoder.finish(&header).into()),
        Encoding::Json => {
            *encoder = FrameEncoder::new();
            summaries(feed, header, waiting.into_iter())
        }
    };
    for (stretch, buckets) in pieces {
        for run in buckets.chunks(BUCKETS_A_LOOK) {
            let run: Vec<_> = run.iter().map(|(end, summary)| (*end, summary)).collect();
            encoder.summaries(&stretch.key, stretch.kind, run.iter().copied());
            waiting.push((&stretch.key, stretch.kind, run));
            if encoder.byte_len() >= longest {
                frames.push(cut(&mut encoder, std::mem::take(&mut waiting)));
            }
        }
    }
    if !waiting.is_empty() {
        frames.push(cut(&mut encoder, waiting));
    }
    frames
}

/// What a step brought of some series.
pub(super) fn steps(
    feed: &Feed,
    place: Place,
    series: &[(&SeriesKey, Kind, &BTreeMap<TimestampMs, Summary>)],
) -> Frame {
    let header = header(feed, place, Phase::Live, STEP);
    let series = series
        .iter()
        .map(|(key, kind, steps)| (*key, *kind, steps.iter().map(|(end, summary)| (*end, summary)).collect()));
    summaries(feed, header, series)
}

/// Samples as they are.
pub(super) fn samples(feed: &Feed, place: Place, series: &[(&SeriesKey, Kind, &[Sample])]) -> Frame {
    let header = header(feed, place, Phase::Live, DurationMs::ZERO);
    match feed.encoding {
        Encoding::Binary => {
            let mut encoder = FrameEncoder::new();
            for (key, kind, samples) in series {
                encoder.samples(key, *kind, samples);
            }
            Frame::Binary(encoder.finish(&header).into())
        }
        Encoding::Json => {
            let series = series.iter().map(|(key, kind, samples)| FeedSeries {
                key: (*key).clone(),
                kind: *kind,
                samples: samples.to_vec(),
                summaries: Vec::new(),
            });
            text(&ServerFrame::Samples(FeedFrame { header, series: series.collect() }))
        }
    }
}

fn header(feed: &Feed, place: Place, phase: Phase, step: DurationMs) -> FeedHeader {
    FeedHeader { epoch: place.epoch, seq: place.seq, subscription: feed.id, phase, step }
}

fn summaries<'a>(
    feed: &Feed,
    header: FeedHeader,
    series: impl Iterator<Item = (&'a SeriesKey, Kind, Vec<(TimestampMs, &'a Summary)>)>,
) -> Frame {
    match feed.encoding {
        Encoding::Binary => {
            let mut encoder = FrameEncoder::new();
            for (key, kind, summaries) in series {
                encoder.summaries(key, kind, summaries);
            }
            Frame::Binary(encoder.finish(&header).into())
        }
        Encoding::Json => {
            let series = series.map(|(key, kind, summaries)| {
                let bucket = |(end, summary): (TimestampMs, &Summary)| BucketSummary { end, summary: summary.clone() };
                FeedSeries {
                    key: key.clone(),
                    kind,
                    samples: Vec::new(),
                    summaries: summaries.into_iter().map(bucket).collect(),
                }
            });
            text(&ServerFrame::Samples(FeedFrame { header, series: series.collect() }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::feed::Resolution;
    use super::super::history::Stretch;
    use super::*;
    use bellwether_core::labels::{Labels, MetricName};

    /// A summary whose sketch is as large as it comes.
    fn wide() -> Summary {
        let sample = |place: i32| {
            let value = 1.02_f64.powi(place - 1_000);
            Sample::new(TimestampMs::new(1_000), if place % 2 == 0 { value } else { -value }).unwrap()
        };
        let mut summary = Summary::of(sample(0), Kind::Observation);
        for place in 1..2_000 {
            summary.record(sample(place), Kind::Observation);
        }
        summary
    }

    #[test]
    fn no_frame_of_the_past_is_much_longer_than_a_mebibyte() {
        let key = SeriesKey { metric: MetricName::new("m").unwrap(), labels: Labels::empty() };
        let buckets: Vec<_> = (1..=2_000).map(|end| (TimestampMs::new(end * 1_000), wide())).collect();
        let stretch = Stretch { key, kind: Kind::Observation, buckets };
        let pieces: [Piece<'_>; 1] = [(&stretch, &stretch.buckets)];
        for encoding in [Encoding::Binary, Encoding::Json] {
            let feed = Feed { id: 1, selections: Vec::new(), resolution: Resolution::Step, encoding };
            let place = Place { epoch: 1, seq: 2 };
            let frames = history(&feed, place, DurationMs::from_secs(1), &pieces);
            let lengths: Vec<usize> = frames.iter().map(Frame::bytes).collect();
            let longest = lengths.iter().max().copied().unwrap_or_default();
            assert!(lengths.len() > 1 && longest < LONGEST_FRAME_BYTES * 5 / 4, "{encoding:?}: {lengths:?}");
        }
    }
}
