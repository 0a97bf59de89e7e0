//! Cuts what a subscription gets into frames of bounded length; a reader takes a frame in one go.

use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::TimestampMs;
use bellwether_wire::binary::FrameEncoder;
use bellwether_wire::feed::{BucketSummary, FeedFrame, FeedHeader, FeedSeries, Follow};
use bellwether_wire::frame::ServerFrame;

use super::feed::Encoding;
use super::queue::Frame;

/// The longest frame of samples and time buckets.
const LONGEST_FRAME_BYTES: usize = 1024 * 1024;

// What a frame is at most made of. Each is an upper bound, so that a frame is cut before it
// is too long; the longest series and time bucket together are well below a frame.
/// What every frame says of itself.
const HEADER_BYTES: usize = 256;
/// A series, beside its texts.
const SERIES_BYTES: usize = 64;
/// A text of a series in a binary frame, beside itself.
const BINARY_TEXT_BYTES: usize = 12;
/// A sample.
const BINARY_SAMPLE_BYTES: usize = 24;
const JSON_SAMPLE_BYTES: usize = 80;
/// A time bucket, beside its value buckets.
const TIME_BUCKET_BYTES: usize = 512;
/// A value bucket.
const VALUE_BUCKET_BYTES: usize = 32;

/// Frames in the making.
pub(super) struct Packer {
    header: FeedHeader,
    frames: Vec<Frame>,
    content: Content,
}

/// The frame under way.
enum Content {
    Binary(FrameEncoder),
    Json {
        series: Vec<FeedSeries>,
        /// At most so long is its text.
        bytes: usize,
    },
}

impl Packer {
    /// No frames yet.
    pub(super) fn new(encoding: Encoding, header: FeedHeader) -> Self {
        let content = match encoding {
            Encoding::Binary => Content::Binary(FrameEncoder::new()),
            Encoding::Json => Content::Json { series: Vec::new(), bytes: 0 },
        };
        Self { header, frames: Vec::new(), content }
    }

    /// Adds samples of a series, oldest first.
    pub(super) fn samples(&mut self, key: &SeriesKey, kind: Kind, mut samples: &[Sample]) {
        let (of_series, of_sample) = match self.content {
            Content::Binary(_) => (binary_bytes(key), BINARY_SAMPLE_BYTES),
            // JSON says of each sample what series it is of.
            Content::Json { .. } => (0, json_bytes(key) + JSON_SAMPLE_BYTES),
        };
        while !samples.is_empty() {
            let fitting = self.room().saturating_sub(of_series) / of_sample;
            if fitting == 0 && !self.is_empty() {
                self.cut(Follow::More);
                continue;
            }
            let (now, later) = samples.split_at(fitting.clamp(1, samples.len()));
            match &mut self.content {
                Content::Binary(encoder) => encoder.samples(key, kind, now),
                Content::Json { series, bytes } => {
                    *bytes += now.len() * of_sample;
                    series.push(FeedSeries { key: key.clone(), kind, samples: now.to_vec(), summaries: Vec::new() });
                }
            }
            samples = later;
        }
    }

    /// Adds time buckets of a series as `(end, summary)`, oldest first.
    pub(super) fn summaries<'a>(
        &mut self,
        key: &SeriesKey,
        kind: Kind,
        summaries: impl IntoIterator<Item = (TimestampMs, &'a Summary)>,
    ) {
        let (of_series, of_bucket) = match self.content {
            Content::Binary(_) => (binary_bytes(key), TIME_BUCKET_BYTES),
            Content::Json { .. } => (0, json_bytes(key) + TIME_BUCKET_BYTES),
        };
        let mut run = Vec::new();
        let mut bytes = of_series;
        for (end, summary) in summaries {
            let value_buckets = summary.sketch.positive().count() + summary.sketch.negative().count();
            let more = of_bucket + VALUE_BUCKET_BYTES * value_buckets;
            if bytes + more > self.room() && !(run.is_empty() && self.is_empty()) {
                self.add(key, kind, std::mem::take(&mut run), bytes);
                self.cut(Follow::More);
                bytes = of_series;
            }
            run.push((end, summary));
            bytes += more;
        }
        self.add(key, kind, run, bytes);
    }

    fn add(&mut self, key: &SeriesKey, kind: Kind, run: Vec<(TimestampMs, &Summary)>, run_bytes: usize) {
        if run.is_empty() {
            return;
        }
        match &mut self.content {
            Content::Binary(encoder) => encoder.summaries(key, kind, run),
            Content::Json { series, bytes } => {
                *bytes += run_bytes;
                let bucket = |(end, summary): (TimestampMs, &Summary)| BucketSummary { end, summary: summary.clone() };
                let summaries = run.into_iter().map(bucket).collect();
                series.push(FeedSeries { key: key.clone(), kind, samples: Vec::new(), summaries });
            }
        }
    }

    /// The frames, in their order; none where nothing was added.
    pub(super) fn finish(mut self) -> Vec<Frame> {
        self.cut(Follow::End);
        self.frames
    }

    fn is_empty(&self) -> bool {
        match &self.content {
            Content::Binary(encoder) => encoder.is_empty(),
            Content::Json { series, .. } => series.is_empty(),
        }
    }

    /// How many bytes the frame under way may still grow by.
    fn room(&self) -> usize {
        let bytes = match &self.content {
            Content::Binary(encoder) => encoder.byte_len(),
            Content::Json { bytes, .. } => *bytes,
        };
        LONGEST_FRAME_BYTES.saturating_sub(HEADER_BYTES + bytes)
    }

    fn cut(&mut self, follow: Follow) {
        if self.is_empty() {
            return;
        }
        let header = FeedHeader { follow, ..self.header };
        self.frames.push(match &mut self.content {
            Content::Binary(encoder) => Frame::Binary(encoder.finish(&header).into()),
            Content::Json { series, bytes } => {
                *bytes = 0;
                let frame = ServerFrame::Samples(FeedFrame { header, series: std::mem::take(series) });
                Frame::Text(frame.encode().into())
            }
        });
    }
}

/// At most so long is a series in a binary frame, without its points.
fn binary_bytes(key: &SeriesKey) -> usize {
    let labels: usize = key.labels.iter().map(|(name, value)| name.len() + value.len() + 2 * BINARY_TEXT_BYTES).sum();
    SERIES_BYTES + key.metric.as_str().len() + 2 * BINARY_TEXT_BYTES + labels
}

/// At most so long is what a JSON frame says of each point's series.
fn json_bytes(key: &SeriesKey) -> usize {
    let labels: usize = key.labels.iter().map(|(name, value)| escaped_bytes(name) + escaped_bytes(value)).sum();
    SERIES_BYTES + escaped_bytes(key.metric.as_str()) + labels
}

/// The length of a text in JSON, with its quotes and the sign after it.
fn escaped_bytes(text: &str) -> usize {
    let escaped = text.bytes().map(|byte| match byte {
        0..0x20 => 6,
        b'"' | b'\\' => 2,
        _ => 1,
    });
    3 + escaped.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::labels::{Labels, MetricName};
    use bellwether_core::time::DurationMs;
    use bellwether_wire::feed::Phase;

    const HEADER_OF_ALL: FeedHeader = FeedHeader {
        epoch: 1 << 53,
        seq: 1 << 53,
        subscription: u32::MAX,
        phase: Phase::History,
        step: DurationMs::from_secs(1),
        follow: Follow::End,
    };

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

    /// A series with texts as long as they come, which JSON makes six times longer.
    fn long_key(number: usize) -> SeriesKey {
        let label = |place: usize| (format!("{place:x<256}"), format!("{number}{}", "\u{1}".repeat(2_000)));
        SeriesKey { metric: MetricName::new("m").unwrap(), labels: Labels::new((0..30).map(label)).unwrap() }
    }

    fn short_key(number: usize) -> SeriesKey {
        let labels = Labels::new([("host", format!("host-{number}"))]).unwrap();
        SeriesKey { metric: MetricName::new("m").unwrap(), labels }
    }

    /// Packs, checks that no frame is too long and that each says the same of itself, and gives back how
    /// many samples and time buckets a reader finds.
    #[track_caller]
    fn check(encoding: Encoding, add: impl Fn(&mut Packer)) -> (usize, usize, usize) {
        let mut packer = Packer::new(encoding, HEADER_OF_ALL);
        add(&mut packer);
        let frames = packer.finish();
        let (mut samples, mut buckets) = (0, 0);
        for (place, frame) in frames.iter().enumerate() {
            assert!(frame.bytes() <= LONGEST_FRAME_BYTES, "{encoding:?}: {}", frame.bytes());
            let read = match frame {
                Frame::Binary(bytes) => bellwether_wire::binary::decode(bytes).unwrap(),
                Frame::Text(text) => match ServerFrame::decode(text.as_str()).unwrap() {
                    ServerFrame::Samples(frame) => frame,
                    other => panic!("{other:?}"),
                },
            };
            let follow = if place + 1 < frames.len() { Follow::More } else { Follow::End };
            assert_eq!(read.header, FeedHeader { follow, ..HEADER_OF_ALL });
            assert!(!read.series.is_empty());
            samples += read.series.iter().map(|series| series.samples.len()).sum::<usize>();
            buckets += read.series.iter().map(|series| series.summaries.len()).sum::<usize>();
        }
        (frames.len(), samples, buckets)
    }

    #[test]
    fn no_frame_is_longer_than_a_mebibyte_and_nothing_is_left_out() {
        let now = TimestampMs::new(1_795_000_000_123);
        let samples = vec![Sample::new(now, -1.234_567_890_123_456e-300).unwrap(); 60_000];
        let (wide, keys) = (wide(), [long_key(1), short_key(2), long_key(3)]);
        for encoding in [Encoding::Binary, Encoding::Json] {
            let many_samples = |packer: &mut Packer| packer.samples(&keys[1], Kind::Gauge, &samples);
            let (frames, found, _) = check(encoding, many_samples);
            assert!(frames > 1 && found == samples.len(), "{encoding:?}: {frames}, {found}");

            let long =
                |packer: &mut Packer| keys.iter().for_each(|key| packer.samples(key, Kind::Gauge, &samples[..20]));
            assert_eq!(check(encoding, long).1, 60, "{encoding:?}");

            let many_buckets = |packer: &mut Packer| {
                for key in &keys {
                    packer.summaries(key, Kind::Observation, (0..40).map(|_| (now, &wide)));
                }
            };
            let (frames, _, found) = check(encoding, many_buckets);
            assert!(frames > 1 && found == 120, "{encoding:?}: {frames}, {found}");
        }
    }

    #[test]
    fn what_fits_in_a_frame_is_one_frame() {
        let sample = Sample::new(TimestampMs::new(1_000), 1.0).unwrap();
        let summary = Summary::of(sample, Kind::Counter);
        for encoding in [Encoding::Binary, Encoding::Json] {
            let few = |packer: &mut Packer| {
                for number in 0..1_000 {
                    packer.summaries(&short_key(number), Kind::Observation, [(TimestampMs::new(2_000), &summary)]);
                }
            };
            let (frames, samples, buckets) = check(encoding, few);
            assert_eq!((frames, samples + buckets), (1, 1_000), "{encoding:?}");
            assert_eq!(check(encoding, |_| {}), (0, 0, 0));
        }
    }
}
