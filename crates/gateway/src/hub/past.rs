//! What a connection is sent that is not of now, piece by piece as its socket drains: the history of a
//! subscription, what came while it was cut off, what it was too slow for.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::Kind;
use bellwether_core::summary::Summary;
use bellwether_core::time::TimestampMs;
use bellwether_wire::binary;
use bellwether_wire::feed::{FeedFrame, Point};
use bellwether_wire::frame::ServerFrame;

use super::encode;
use super::feed::{Feed, Place, step_end};
use super::history::History;
use super::queue::Frame;

/// What a connection is sent of the past.
#[derive(Debug)]
pub(crate) enum Past {
    /// The history of a new subscription.
    History(Box<History>),
    /// What came while a subscription was cut off, as it was sent to the others, and the frame that says
    /// that this was all.
    Rest { frames: Vec<Frame>, last: Frame },
    /// What came while a connection did not keep up, to be made one frame of.
    Missed(Box<Missed>),
}

impl Past {
    /// The frames to send, made one at a time.
    pub(crate) fn frames(&self) -> Box<dyn Iterator<Item = Frame> + Send + '_> {
        match self {
            Self::History(history) => Box::new(history.frames()),
            Self::Rest { frames, last } => Box::new(frames.iter().chain(std::iter::once(last)).cloned()),
            Self::Missed(missed) => Box::new(std::iter::once_with(|| missed.coalesced()).flatten()),
        }
    }
}

/// Frames of a subscription that found no room.
#[derive(Debug)]
pub(crate) struct Missed {
    pub(super) feed: Feed,
    /// The place that they lead to.
    pub(super) place: Place,
    pub(super) frames: Vec<Frame>,
}

/// The time buckets of a series, by their ends.
type Steps = BTreeMap<TimestampMs, Summary>;

impl Missed {
    /// All of it as time buckets of a step, one for each series and step however many samples and frames there were.
    fn coalesced(&self) -> Vec<Frame> {
        let mut series: BTreeMap<SeriesKey, (Kind, Steps)> = BTreeMap::new();
        for frame in &self.frames {
            let Some(frame) = decoded(frame) else { continue };
            for one in &frame.series {
                let (kind, steps) = series.entry(one.key.clone()).or_insert_with(|| (one.kind, Steps::new()));
                for point in one.points() {
                    let (end, summary) = match point {
                        Point::Sample(sample) => (step_end(sample.timestamp()), Summary::of(sample, *kind)),
                        Point::Summary(bucket) => (bucket.end, bucket.summary.clone()),
                    };
                    match steps.entry(end) {
                        Entry::Vacant(vacant) => {
                            vacant.insert(summary);
                        }
                        Entry::Occupied(mut known) => known.get_mut().merge(&summary, *kind),
                    }
                }
            }
        }
        let series: Vec<_> = series.iter().map(|(key, (kind, steps))| (key, *kind, steps)).collect();
        encode::steps(&self.feed, self.place, &series)
    }
}

/// What a frame that we have encoded says.
fn decoded(frame: &Frame) -> Option<FeedFrame> {
    let read = match frame {
        Frame::Binary(bytes) => binary::decode(bytes).map_err(|error| error.to_string()),
        Frame::Text(text) => match ServerFrame::decode(text.as_str()) {
            Ok(ServerFrame::Samples(frame)) => Ok(frame),
            Ok(_) => Err("it is of another type".to_owned()),
            Err(error) => Err(error.to_string()),
        },
    };
    read.inspect_err(|error| tracing::error!(%error, "a frame of our own cannot be read")).ok()
}

#[cfg(test)]
mod tests {
    use super::super::feed::{Encoding, Resolution};
    use super::*;
    use bellwether_core::labels::{Labels, MetricName};
    use bellwether_core::sample::Sample;

    const PLACE: Place = Place { epoch: 1, seq: 9 };

    fn sample(ms: i64, value: f64) -> Sample {
        Sample::new(TimestampMs::new(ms), value).unwrap()
    }

    #[test]
    fn many_frames_become_one_that_counts_the_same() {
        let key = |name: &str| SeriesKey { metric: MetricName::new(name).unwrap(), labels: Labels::empty() };
        let (one, other) = (key("one"), key("other"));
        for encoding in [Encoding::Json, Encoding::Binary] {
            let feed = Feed { id: 3, selections: Vec::new(), resolution: Resolution::Raw, encoding };
            let mut frames = Vec::new();
            for number in 0..100_i64 {
                let samples = [sample(1_000 + number * 25, 1.0), sample(1_001 + number * 25, 2.0)];
                frames.extend(encode::samples(&feed, PLACE, &[(&one, Kind::Observation, &samples)], &[]));
            }
            frames.extend(encode::samples(&feed, PLACE, &[(&other, Kind::Gauge, &[sample(2_500, 7.0)])], &[]));
            let missed = Missed { feed, place: PLACE, frames };
            let [coalesced] = &missed.coalesced()[..] else { panic!("one frame") };
            let read = decoded(coalesced).unwrap();
            assert_eq!((read.header.seq, read.header.subscription), (9, 3));
            let mut counts = Vec::new();
            for series in &read.series {
                let summaries = series.summaries.iter().map(|bucket| (bucket.end, bucket.summary.count));
                let samples = series.samples.iter().map(|sample| (step_end(sample.timestamp()), 1));
                counts.extend(summaries.chain(samples).map(|(end, count)| (series.key.to_string(), end.get(), count)));
            }
            counts.sort();
            // (0, 1 s] holds the sample at 1,000 ms only.
            let of_one = [(1_000, 1), (2_000, 80), (3_000, 80), (4_000, 39)];
            let mut expected: Vec<_> = of_one.map(|(end, count)| ("one".to_owned(), end, count)).into();
            expected.push(("other".to_owned(), 3_000, 1));
            assert_eq!(counts, expected);
        }
    }
}
