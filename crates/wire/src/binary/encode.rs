//! Frames to bytes.

use std::collections::HashMap;

use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};

use super::fields::{metadata, request, sample, time_series};
use super::histogram;
use super::protobuf::{put_bytes, put_double, put_signed, put_unsigned, put_varint};
use crate::feed::{FeedHeader, Follow, Phase};
use crate::ingest::NAME_LABEL;

/// Builds frames, one after the other, and keeps its memory in between.
///
/// ```
/// use bellwether_core::labels::{Labels, MetricName, SeriesKey};
/// use bellwether_core::sample::{Kind, Sample};
/// use bellwether_core::time::TimestampMs;
/// use bellwether_wire::binary::{FrameEncoder, decode};
/// use bellwether_wire::feed::FeedHeader;
///
/// let key = SeriesKey { metric: MetricName::new("up")?, labels: Labels::empty() };
/// let sample = Sample::new(TimestampMs::new(1_000), 1.0)?;
/// let mut encoder = FrameEncoder::new();
/// encoder.samples(&key, Kind::Gauge, &[sample]);
/// let bytes = encoder.finish(&FeedHeader { seq: 7, ..FeedHeader::default() });
/// assert_eq!(decode(&bytes)?.series[0].samples, [sample]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct FrameEncoder {
    /// Place of each text among the symbols; 0 is the empty text.
    places: HashMap<Box<str>, u32>,
    /// The `symbols` fields, but for the empty one.
    symbols: Vec<u8>,
    /// The `timeseries` fields.
    series: Vec<u8>,
    labels: Vec<u8>,
    samples: Vec<u8>,
    histograms: Vec<u8>,
    message: Vec<u8>,
    scratch: Vec<u8>,
}

impl FrameEncoder {
    /// An encoder of an empty frame.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing was added since the last frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Bytes of the frame so far, but for its header (at most 60).
    ///
    /// A frame must stay below [`MAX_FRAME_BYTES`](super::MAX_FRAME_BYTES); send what is there long
    /// before, since a reader takes a frame in one go.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.symbols.len() + self.series.len()
    }

    /// Adds samples of a series, oldest first.
    pub fn samples(&mut self, key: &SeriesKey, kind: Kind, samples: &[Sample]) {
        self.series(key, kind, samples, []);
    }

    /// Adds time buckets of a series as `(end, summary)`, oldest first.
    pub fn summaries<'a>(
        &mut self,
        key: &SeriesKey,
        kind: Kind,
        summaries: impl IntoIterator<Item = (TimestampMs, &'a Summary)>,
    ) {
        self.series(key, kind, &[], summaries);
    }

    /// Adds samples and time buckets of a series, each oldest first.
    ///
    /// A time bucket that is no more than its one sample is written as that sample. Where there are
    /// both, they become two time series of the message, one after the other: the standard allows
    /// no mixture.
    pub fn series<'a>(
        &mut self,
        key: &SeriesKey,
        kind: Kind,
        samples: &[Sample],
        summaries: impl IntoIterator<Item = (TimestampMs, &'a Summary)>,
    ) {
        self.samples.clear();
        self.histograms.clear();
        let mut samples = samples.iter().copied().peekable();
        for (end, summary) in summaries {
            if is_one_sample(summary, kind) {
                // Keeps the samples in order, those from time buckets among the others.
                while let Some(earlier) = samples.next_if(|sample| sample.timestamp() <= end) {
                    self.put_sample(earlier);
                }
                self.put_sample(summary.last);
            } else {
                self.message.clear();
                histogram::write(&mut self.message, &mut self.scratch, end, summary);
                put_bytes(&mut self.histograms, time_series::HISTOGRAMS, &self.message);
            }
        }
        for sample in samples {
            self.put_sample(sample);
        }
        if self.samples.is_empty() && self.histograms.is_empty() {
            return;
        }
        self.put_labels(key);
        let points = std::mem::take(&mut self.samples);
        self.put_series(kind, &points, metric_type(kind));
        self.samples = points;
        let points = std::mem::take(&mut self.histograms);
        self.put_series(kind, &points, metadata::GAUGE_HISTOGRAM);
        self.histograms = points;
    }

    fn put_sample(&mut self, one: Sample) {
        self.scratch.clear();
        put_double(&mut self.scratch, sample::VALUE, one.value());
        put_signed(&mut self.scratch, sample::TIMESTAMP, one.timestamp().get());
        put_bytes(&mut self.samples, time_series::SAMPLES, &self.scratch);
    }

    /// Fills `labels` with the places of the series' names and values, sorted by name as the
    /// standard asks.
    fn put_labels(&mut self, key: &SeriesKey) {
        self.labels.clear();
        let mut name_written = false;
        for (label, value) in key.labels.iter() {
            if !name_written && label > NAME_LABEL {
                self.put_label(NAME_LABEL, key.metric.as_str());
                name_written = true;
            }
            self.put_label(label, value);
        }
        if !name_written {
            self.put_label(NAME_LABEL, key.metric.as_str());
        }
    }

    fn put_label(&mut self, label: &str, value: &str) {
        for text in [label, value] {
            let place = self.place(text);
            put_varint(&mut self.labels, u64::from(place));
        }
    }

    fn place(&mut self, text: &str) -> u32 {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        // A frame of 2^32 texts would be beyond any memory.
        let place = u32::try_from(self.places.len() + 1).unwrap_or(u32::MAX);
        self.places.insert(text.into(), place);
        put_bytes(&mut self.symbols, request::SYMBOLS, text.as_bytes());
        place
    }

    fn put_series(&mut self, kind: Kind, points: &[u8], metric_type: u64) {
        if points.is_empty() {
            return;
        }
        self.message.clear();
        put_bytes(&mut self.message, time_series::LABELS_REFS, &self.labels);
        self.message.extend_from_slice(points);
        if metric_type != 0 {
            self.scratch.clear();
            put_unsigned(&mut self.scratch, metadata::TYPE, metric_type);
            put_bytes(&mut self.message, time_series::METADATA, &self.scratch);
        }
        put_unsigned(&mut self.message, time_series::KIND, u64::from(kind.number()));
        put_bytes(&mut self.series, request::TIMESERIES, &self.message);
    }

    /// The frame's bytes; the encoder is empty afterwards.
    #[must_use]
    pub fn finish(&mut self, header: &FeedHeader) -> Vec<u8> {
        let FeedHeader { epoch, seq, subscription, phase, step, follow } = *header;
        let mut frame = Vec::with_capacity(self.byte_len() + 64);
        put_bytes(&mut frame, request::SYMBOLS, b"");
        frame.extend_from_slice(&self.symbols);
        frame.extend_from_slice(&self.series);
        put_unsigned(&mut frame, request::EPOCH, epoch);
        put_unsigned(&mut frame, request::SEQ, seq);
        put_unsigned(&mut frame, request::SUBSCRIPTION, u64::from(subscription));
        if phase == Phase::History {
            put_unsigned(&mut frame, request::HISTORY, 1);
        }
        if step != DurationMs::ZERO {
            put_unsigned(&mut frame, request::STEP_MS, step.as_millis());
        }
        if follow == Follow::More {
            put_unsigned(&mut frame, request::MORE, 1);
        }
        self.places.clear();
        self.symbols.clear();
        self.series.clear();
        frame
    }
}

/// Whether the summary says nothing that its one sample would not say.
fn is_one_sample(summary: &Summary, kind: Kind) -> bool {
    summary.count == 1 && *summary == Summary::of(summary.last, kind)
}

/// What the standard knows of a kind; 0 for what it has no word for.
fn metric_type(kind: Kind) -> u64 {
    match kind {
        Kind::Counter => metadata::COUNTER,
        Kind::Gauge => metadata::GAUGE,
        Kind::Observation | Kind::Event => 0,
    }
}
