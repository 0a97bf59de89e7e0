//! What a live feed carries, whether as JSON or in binary: samples and mergeable summaries.

use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};

/// Whether a frame belongs to the history that a subscription begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// What happens now.
    #[default]
    Live,
    /// What was before the subscription.
    History,
}

/// Whether a frame brings the last of what came together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// Nothing more has the frame's `seq`: who has taken it may resume from there.
    #[default]
    End,
    /// More of the same `seq` comes in the next frame.
    More,
}

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedHeader {
    /// The gateway's stream; at most 2^53, so that JSON keeps it. A gateway that starts anew has another.
    pub epoch: u64,
    /// The newest batch that the frame takes into account; at most 2^53. It never falls, and leaves
    /// numbers out.
    pub seq: u64,
    /// The subscription that it answers.
    pub subscription: u32,
    /// History or live.
    pub phase: Phase,
    /// Width of the time buckets behind the summaries; zero where there are none.
    pub step: DurationMs,
    /// Whether it is the last of its `seq`.
    pub follow: Follow,
}

/// The samples of one span of time, to be merged into whatever is there.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketSummary {
    /// End of the time bucket, included in it.
    pub end: TimestampMs,
    /// What the time bucket keeps.
    pub summary: Summary,
}

/// What a frame brings of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedSeries {
    /// The series.
    pub key: SeriesKey,
    /// What its samples mean.
    pub kind: Kind,
    /// Plain samples, oldest first. A time bucket of one sample comes as that sample.
    pub samples: Vec<Sample>,
    /// Time buckets, oldest first.
    pub summaries: Vec<BucketSummary>,
}

/// A sample or a time bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Point<'a> {
    /// To be recorded.
    Sample(Sample),
    /// To be merged.
    Summary(&'a BucketSummary),
}

impl FeedSeries {
    /// Samples and time buckets together, oldest first: the order in which to take them, so that
    /// the resets of a counter are seen.
    pub fn points(&self) -> impl Iterator<Item = Point<'_>> {
        let mut samples = self.samples.iter().peekable();
        let mut summaries = self.summaries.iter().peekable();
        std::iter::from_fn(move || {
            let sample_first = match (samples.peek(), summaries.peek()) {
                (Some(sample), Some(bucket)) => sample.timestamp() <= bucket.end,
                (sample, _) => sample.is_some(),
            };
            if sample_first {
                samples.next().map(|sample| Point::Sample(*sample))
            } else {
                summaries.next().map(Point::Summary)
            }
        })
    }
}

/// One frame of a live feed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedFrame {
    /// What it says of itself.
    pub header: FeedHeader,
    /// What it brings, series by series.
    pub series: Vec<FeedSeries>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::labels::{Labels, MetricName};

    #[test]
    fn points_come_in_order_of_time() {
        let sample = |ms, value| Sample::new(TimestampMs::new(ms), value).unwrap();
        let bucket = |end, ms| BucketSummary {
            end: TimestampMs::new(end),
            summary: Summary::of(sample(ms, 1.0), Kind::Counter),
        };
        let series = FeedSeries {
            key: SeriesKey { metric: MetricName::new("m").unwrap(), labels: Labels::empty() },
            kind: Kind::Counter,
            samples: vec![sample(500, 1.0), sample(2_500, 2.0), sample(9_000, 3.0)],
            summaries: vec![bucket(2_000, 1_500), bucket(4_000, 3_500)],
        };
        let times: Vec<_> = series
            .points()
            .map(|point| match point {
                Point::Sample(sample) => sample.timestamp().get(),
                Point::Summary(bucket) => bucket.end.get(),
            })
            .collect();
        assert_eq!(times, [500, 2_000, 2_500, 4_000, 9_000]);
    }
}
