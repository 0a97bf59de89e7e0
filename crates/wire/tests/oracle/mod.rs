//! Remote-write 2.0 messages as a protobuf library knows them: a second opinion on every byte.

use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample as CoreSample};
use bellwether_core::sketch::Sketch;
use bellwether_core::summary::{Summary, SummaryParts};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::feed::{BucketSummary, FeedFrame, FeedHeader, FeedSeries, Follow, Phase};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Request {
    #[prost(string, repeated, tag = "4")]
    pub(super) symbols: Vec<String>,
    #[prost(message, repeated, tag = "5")]
    pub(super) timeseries: Vec<TimeSeries>,
    #[prost(uint64, optional, tag = "1000")]
    pub(super) epoch: Option<u64>,
    #[prost(uint64, optional, tag = "1001")]
    pub(super) seq: Option<u64>,
    #[prost(uint32, optional, tag = "1002")]
    pub(super) subscription: Option<u32>,
    #[prost(bool, optional, tag = "1003")]
    pub(super) history: Option<bool>,
    #[prost(uint64, optional, tag = "1004")]
    pub(super) step_ms: Option<u64>,
    #[prost(bool, optional, tag = "1005")]
    pub(super) more: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TimeSeries {
    #[prost(uint32, repeated, tag = "1")]
    pub(super) labels_refs: Vec<u32>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    pub(super) histograms: Vec<Histogram>,
    #[prost(message, optional, tag = "5")]
    pub(super) metadata: Option<Metadata>,
    #[prost(int64, tag = "6")]
    pub(super) created_timestamp: i64,
    #[prost(uint32, optional, tag = "1000")]
    pub(super) kind: Option<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Sample {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    #[prost(int64, tag = "2")]
    pub(super) timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Metadata {
    #[prost(int32, tag = "1")]
    pub(super) r#type: i32,
    #[prost(uint32, tag = "3")]
    pub(super) help_ref: u32,
    #[prost(uint32, tag = "4")]
    pub(super) unit_ref: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Histogram {
    #[prost(uint64, optional, tag = "1")]
    pub(super) count_int: Option<u64>,
    #[prost(double, optional, tag = "3")]
    pub(super) sum: Option<f64>,
    #[prost(sint32, tag = "4")]
    pub(super) schema: i32,
    #[prost(double, tag = "5")]
    pub(super) zero_threshold: f64,
    #[prost(uint64, optional, tag = "6")]
    pub(super) zero_count_int: Option<u64>,
    #[prost(message, repeated, tag = "8")]
    pub(super) negative_spans: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "9")]
    pub(super) negative_deltas: Vec<i64>,
    #[prost(message, repeated, tag = "11")]
    pub(super) positive_spans: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "12")]
    pub(super) positive_deltas: Vec<i64>,
    #[prost(int32, tag = "14")]
    pub(super) reset_hint: i32,
    #[prost(int64, tag = "15")]
    pub(super) timestamp: i64,
    #[prost(double, repeated, tag = "16")]
    pub(super) custom_values: Vec<f64>,
    #[prost(double, optional, tag = "1000")]
    pub(super) min: Option<f64>,
    #[prost(double, optional, tag = "1001")]
    pub(super) max: Option<f64>,
    #[prost(double, optional, tag = "1002")]
    pub(super) first: Option<f64>,
    #[prost(double, optional, tag = "1003")]
    pub(super) last: Option<f64>,
    #[prost(double, optional, tag = "1004")]
    pub(super) increase: Option<f64>,
    #[prost(double, optional, tag = "1005")]
    pub(super) m2: Option<f64>,
    #[prost(int64, optional, tag = "1006")]
    pub(super) first_timestamp: Option<i64>,
    #[prost(int64, optional, tag = "1007")]
    pub(super) last_timestamp: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BucketSpan {
    #[prost(sint32, tag = "1")]
    pub(super) offset: i32,
    #[prost(uint32, tag = "2")]
    pub(super) length: u32,
}

impl Request {
    /// What the message says, by the words of the standard.
    pub(super) fn frame(&self) -> FeedFrame {
        let header = FeedHeader {
            epoch: self.epoch.unwrap(),
            seq: self.seq.unwrap(),
            subscription: self.subscription.unwrap(),
            phase: if self.history == Some(true) { Phase::History } else { Phase::Live },
            step: DurationMs::from_millis(self.step_ms.unwrap_or(0)),
            follow: if self.more == Some(true) { Follow::More } else { Follow::End },
        };
        assert_eq!(self.symbols[0], "");
        let mut series: Vec<FeedSeries> = Vec::new();
        for one in &self.timeseries {
            assert!(one.samples.is_empty() || one.histograms.is_empty());
            let names: Vec<_> = one
                .labels_refs
                .chunks(2)
                .map(|pair| (&self.symbols[pair[0] as usize], &self.symbols[pair[1] as usize]))
                .collect();
            assert!(names.is_sorted(), "{names:?}");
            let metric = names.iter().find(|(name, _)| *name == "__name__").unwrap().1;
            let labels = names.iter().filter(|(name, _)| *name != "__name__");
            let key =
                SeriesKey { metric: MetricName::new(metric).unwrap(), labels: Labels::new(labels.copied()).unwrap() };
            let kind = [Kind::Observation, Kind::Counter, Kind::Gauge, Kind::Event][one.kind.unwrap() as usize];
            if series.last().is_none_or(|last| last.key != key) {
                series.push(FeedSeries { key, kind, samples: vec![], summaries: vec![] });
            }
            let last = series.last_mut().unwrap();
            let samples = one.samples.iter();
            last.samples.extend(
                samples.map(|sample| CoreSample::new(TimestampMs::new(sample.timestamp), sample.value).unwrap()),
            );
            last.summaries.extend(one.histograms.iter().map(Histogram::bucket));
        }
        FeedFrame { header, series }
    }
}

impl Histogram {
    fn bucket(&self) -> BucketSummary {
        let sketch = Sketch::from_parts(
            i8::try_from(self.schema).unwrap(),
            self.zero_count_int.unwrap(),
            counts(&self.positive_spans, &self.positive_deltas),
            counts(&self.negative_spans, &self.negative_deltas),
        );
        let summary = Summary::from_parts(SummaryParts {
            count: self.count_int.unwrap(),
            sum: self.sum.unwrap(),
            m2: self.m2.unwrap(),
            min: self.min.unwrap(),
            max: self.max.unwrap(),
            first: (TimestampMs::new(self.first_timestamp.unwrap()), self.first.unwrap()),
            last: (TimestampMs::new(self.last_timestamp.unwrap()), self.last.unwrap()),
            increase: self.increase.unwrap(),
            sketch: sketch.unwrap(),
        });
        BucketSummary { end: TimestampMs::new(self.timestamp), summary: summary.unwrap() }
    }
}

/// Spans and deltas as the standard explains them: offsets from the end of the span before, counts
/// as differences; one less makes the sketch's index.
fn counts(spans: &[BucketSpan], deltas: &[i64]) -> Vec<(i32, u64)> {
    let mut indexes = Vec::new();
    let mut next = 0;
    for span in spans {
        next += span.offset;
        for _ in 0..span.length {
            indexes.push(next - 1);
            next += 1;
        }
    }
    let counts = deltas.iter().scan(0, |count, delta| {
        *count += delta;
        Some(u64::try_from(*count).unwrap())
    });
    assert_eq!(indexes.len(), deltas.len());
    indexes.into_iter().zip(counts).collect()
}
