//! Binary frames: they read back bit for bit, a second implementation agrees, and no bytes do harm.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where something is wrong")]

mod oracle;

use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::sketch::{MAX_SCALE, MIN_SCALE, Sketch};
use bellwether_core::summary::{Summary, SummaryParts};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::binary::{DecodeError, FrameEncoder, MAX_FRAME_BYTES, decode, encode};
use bellwether_wire::feed::{BucketSummary, FeedFrame, FeedHeader, FeedSeries, Follow, Phase};
use proptest::prelude::*;
use prost::Message;

fn sample(ms: i64, value: f64) -> Sample {
    Sample::new(TimestampMs::new(ms), value).unwrap()
}

fn key(metric: &str, labels: &[(&str, &str)]) -> SeriesKey {
    let labels = Labels::new(labels.iter().copied()).unwrap();
    SeriesKey { metric: MetricName::new(metric).unwrap(), labels }
}

fn summary(kind: Kind, values: &[(i64, f64)]) -> Summary {
    let mut summary = Summary::of(sample(values[0].0, values[0].1), kind);
    for (ms, value) in &values[1..] {
        summary.record(sample(*ms, *value), kind);
    }
    summary
}

/// Every float of a summary as bits, and its sketch.
fn bits(summary: &Summary) -> impl PartialEq + std::fmt::Debug {
    let parts = summary.parts();
    let floats = [parts.sum, parts.m2, parts.min, parts.max, parts.first.1, parts.last.1, parts.increase];
    (parts.count, floats.map(f64::to_bits), parts.first.0, parts.last.0, parts.sketch)
}

fn values() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -1e6..1e6_f64,
        2 => prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        1 => Just(-0.0),
        1 => prop_oneof![Just(f64::MAX), Just(f64::MIN), Just(f64::MIN_POSITIVE), Just(1.0)],
    ]
}

fn instants() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 1_700_000_000_000..1_700_000_100_000_i64, 1 => any::<i64>()]
}

fn summaries(kind: Kind) -> impl Strategy<Value = Summary> {
    prop::collection::vec((instants(), values()), 1..20).prop_map(move |values| summary(kind, &values))
}

fn series() -> impl Strategy<Value = FeedSeries> {
    let labels = prop::collection::btree_map("[a-zA-Z_é.]{1,6}", "\\PC{1,8}", 0..5);
    ("[a-z_:é]{1,12}", labels, prop::sample::select(&Kind::ALL[..])).prop_flat_map(|(metric, mut labels, kind)| {
        labels.remove("__name__");
        let labels = Labels::new(labels).unwrap();
        let key = SeriesKey { metric: MetricName::new(&metric).unwrap(), labels };
        let samples = prop::collection::vec((instants(), values()), 0..6);
        let buckets = prop::collection::vec((instants(), summaries(kind)), 0..4);
        (Just(key), samples, buckets).prop_map(move |(key, mut samples, mut buckets)| {
            samples.sort_by_key(|(ms, _)| *ms);
            buckets.sort_by_key(|(end, _)| *end);
            // A time bucket of one sample comes back as that sample.
            buckets.retain(|(_, summary)| summary.count > 1);
            FeedSeries {
                key,
                kind,
                samples: samples.into_iter().map(|(ms, value)| sample(ms, value)).collect(),
                summaries: buckets
                    .into_iter()
                    .map(|(end, summary)| BucketSummary { end: TimestampMs::new(end), summary })
                    .collect(),
            }
        })
    })
}

fn frames() -> impl Strategy<Value = FeedFrame> {
    let phase = prop::sample::select(&[Phase::Live, Phase::History][..]);
    let follow = prop::sample::select(&[Follow::End, Follow::More][..]);
    let header = (any::<u64>(), any::<u64>(), any::<u32>(), phase, any::<u64>(), follow);
    (header, prop::collection::vec(series(), 0..6)).prop_map(
        |((epoch, seq, subscription, phase, step, follow), mut series)| {
            series.retain(|series| !series.samples.is_empty() || !series.summaries.is_empty());
            // Neighbours with one name come back as one series.
            series.dedup_by(|one, other| one.key == other.key);
            let step = DurationMs::from_millis(step);
            FeedFrame { header: FeedHeader { epoch, seq, subscription, phase, step, follow }, series }
        },
    )
}

#[track_caller]
fn assert_same(one: &FeedFrame, other: &FeedFrame) {
    assert_eq!(one, other);
    for (one, other) in one.series.iter().zip(&other.series) {
        for (one, other) in one.samples.iter().zip(&other.samples) {
            assert_eq!(one.value().to_bits(), other.value().to_bits());
        }
        for (one, other) in one.summaries.iter().zip(&other.summaries) {
            assert_eq!(bits(&one.summary), bits(&other.summary));
        }
    }
}

proptest! {
    #[test]
    fn frames_read_back(frame in frames()) {
        let bytes = encode(&frame);
        assert_same(&decode(&bytes).unwrap(), &frame);
        // The same frame has the same bytes: equal subscriptions share one.
        prop_assert_eq!(encode(&decode(&bytes).unwrap()), bytes);
    }

    #[test]
    fn a_protobuf_library_reads_the_same(frame in frames()) {
        let bytes = encode(&frame);
        let message = oracle::Request::decode(bytes.as_slice()).unwrap();
        assert_same(&message.frame(), &frame);
        // And what such a library writes is read here; it leaves out zeros, and so their sign.
        prop_assert_eq!(decode(&message.encode_to_vec()).unwrap(), frame);
    }

    #[test]
    fn damaged_frames_do_no_harm(frame in frames(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), cut in any::<prop::sample::Index>()) {
        let mut bytes = encode(&frame);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _ = decode(&bytes);
        let _ = decode(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&bytes);
    }
}

#[test]
fn a_time_bucket_of_one_sample_is_that_sample() {
    let mut encoder = FrameEncoder::new();
    let one = summary(Kind::Counter, &[(1_500, 7.0)]);
    let two = summary(Kind::Counter, &[(2_200, 7.5), (2_900, 8.0)]);
    let three = summary(Kind::Counter, &[(4_000, 9.0)]);
    let ends = [2_000, 3_000, 4_000].map(TimestampMs::new);
    let buckets = ends.into_iter().zip([&one, &two, &three]);
    encoder.summaries(&key("c_total", &[("a", "b")]), Kind::Counter, buckets);
    let frame = decode(&encoder.finish(&FeedHeader::default())).unwrap();
    assert_eq!(frame.series.len(), 1);
    assert_eq!(frame.series[0].samples, [sample(1_500, 7.0), sample(4_000, 9.0)]);
    assert_eq!(frame.series[0].summaries, [BucketSummary { end: TimestampMs::new(3_000), summary: two }]);
}

#[test]
fn a_coarser_sketch_stays_a_summary() {
    let mut coarse = summary(Kind::Gauge, &[(1_500, 7.0)]);
    coarse.sketch.downscale(2);
    let mut encoder = FrameEncoder::new();
    encoder.summaries(&key("g", &[]), Kind::Gauge, [(TimestampMs::new(2_000), &coarse)]);
    let frame = decode(&encoder.finish(&FeedHeader::default())).unwrap();
    assert_eq!(frame.series[0].summaries[0].summary.sketch.scale(), 2);
}

#[test]
fn every_scale_reads_back() {
    for scale in MIN_SCALE..=MAX_SCALE {
        let values = [f64::MIN, -1.0, -5e-324, 0.0, 5e-324, f64::MIN_POSITIVE, 0.1, 1.0, 1.5, 8.0, 1e9, f64::MAX];
        let mut sketch = Sketch::new(scale);
        values.iter().for_each(|value| sketch.record(*value));
        assert_eq!(sketch.scale(), scale);
        let parts = SummaryParts {
            count: values.len() as u64,
            sum: 1e9,
            m2: 1.0,
            min: f64::MIN,
            max: f64::MAX,
            first: (TimestampMs::new(1), -1.0),
            last: (TimestampMs::new(999), 8.0),
            increase: 0.0,
            sketch,
        };
        let summary = Summary::from_parts(parts).unwrap();
        let bucket = BucketSummary { end: TimestampMs::new(1_000), summary };
        let series = FeedSeries { key: key("g", &[]), kind: Kind::Gauge, samples: vec![], summaries: vec![bucket] };
        let frame = FeedFrame { header: FeedHeader::default(), series: vec![series] };
        let bytes = encode(&frame);
        assert_same(&decode(&bytes).unwrap(), &frame);
        assert_same(&oracle::Request::decode(bytes.as_slice()).unwrap().frame(), &frame);
    }
}

#[test]
fn an_encoder_forgets_the_frame_before() {
    let mut encoder = FrameEncoder::new();
    let header = FeedHeader::default();
    encoder.samples(&key("one", &[("a", "b")]), Kind::Gauge, &[sample(1, 1.0)]);
    assert!(!encoder.is_empty());
    let first = encoder.finish(&header);
    assert!(encoder.is_empty());
    assert_eq!(encoder.byte_len(), 0);
    encoder.samples(&key("one", &[("a", "b")]), Kind::Gauge, &[sample(1, 1.0)]);
    assert_eq!(encoder.finish(&header), first);
    encoder.samples(&key("none", &[]), Kind::Gauge, &[]);
    assert!(encoder.is_empty());
    assert_eq!(decode(&encoder.finish(&header)).unwrap(), FeedFrame::default());
}

/// The message of `docs/formats/live-feed.md`; its bytes must be read for ever.
fn golden() -> FeedFrame {
    let header = FeedHeader {
        epoch: 1_700_000_000_000,
        seq: 42,
        subscription: 7,
        phase: Phase::History,
        step: DurationMs::from_secs(1),
        follow: Follow::End,
    };
    let latency = summary(
        Kind::Observation,
        &[(1_700_000_001_100, 120.0), (1_700_000_001_400, 125.0), (1_700_000_001_900, 480.5), (1_700_000_002_000, 0.0)],
    );
    let change = summary(Kind::Gauge, &[(1_700_000_001_500, -1.0), (1_700_000_001_600, 1.0)]);
    let bucket = |summary| BucketSummary { end: TimestampMs::new(1_700_000_002_000), summary };
    let series = vec![
        FeedSeries {
            key: key("booking_response_time", &[("route", "/book"), ("Zone", "eu")]),
            kind: Kind::Observation,
            samples: vec![sample(1_700_000_000_500, 120.0)],
            summaries: vec![bucket(latency)],
        },
        FeedSeries { key: key("change", &[]), kind: Kind::Gauge, samples: vec![], summaries: vec![bucket(change)] },
        FeedSeries {
            key: key("conflict", &[("route", "/book")]),
            kind: Kind::Event,
            samples: vec![sample(1_700_000_001_000, 1.0), sample(1_700_000_002_000, 1.0)],
            summaries: vec![],
        },
        FeedSeries {
            key: key("requests_total", &[]),
            kind: Kind::Counter,
            samples: vec![sample(1_700_000_001_000, -0.0)],
            summaries: vec![],
        },
    ];
    FeedFrame { header, series }
}

fn hex(bytes: &[u8]) -> String {
    let lines = bytes.chunks(32).map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn the_bytes_stay_what_they_are() {
    let kept = include_str!("../../../tests/golden/wire/frame-v1.hex");
    assert_eq!(hex(&encode(&golden())), kept);
    let digits: Vec<u8> = kept.bytes().filter(u8::is_ascii_hexdigit).collect();
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect();
    assert_same(&decode(&bytes).unwrap(), &golden());
}

#[test]
fn a_plain_remote_write_message_is_read() {
    let symbols = ["", "__name__", "http_requests_total", "job", "api", "up", "temperature"].map(str::to_owned);
    let plain = |references: &[u32], metric_type, value| oracle::TimeSeries {
        labels_refs: references.to_vec(),
        samples: vec![oracle::Sample { value, timestamp: 1_000 }],
        metadata: Some(oracle::Metadata { r#type: metric_type, help_ref: 0, unit_ref: 0 }),
        ..Default::default()
    };
    let message = oracle::Request {
        symbols: symbols.to_vec(),
        timeseries: vec![plain(&[1, 2, 3, 4], 0, 5.0), plain(&[1, 5], 0, 1.0), plain(&[1, 6], 1, 20.5)],
        ..Default::default()
    };
    let frame = decode(&message.encode_to_vec()).unwrap();
    assert_eq!(frame.header, FeedHeader::default());
    let found: Vec<_> =
        frame.series.iter().map(|series| (series.key.to_string(), series.kind, series.samples[0].value())).collect();
    assert_eq!(
        found,
        [
            ("http_requests_total{job=\"api\"}".to_owned(), Kind::Counter, 5.0),
            ("up".to_owned(), Kind::Gauge, 1.0),
            ("temperature".to_owned(), Kind::Counter, 20.5),
        ]
    );
}

#[test]
fn the_prometheus_index_is_one_above() {
    let eight = summary(Kind::Gauge, &[(1, 8.0), (2, 8.0), (3, -8.0)]);
    let mut encoder = FrameEncoder::new();
    encoder.summaries(&key("g", &[]), Kind::Gauge, [(TimestampMs::new(1_000), &eight)]);
    let message = oracle::Request::decode(encoder.finish(&FeedHeader::default()).as_slice()).unwrap();
    let histogram = &message.timeseries[0].histograms[0];
    // At scale 6, 8 = base^192 ends Prometheus' bucket 192 and OpenTelemetry's bucket 191.
    assert_eq!((histogram.schema, histogram.reset_hint), (6, 3));
    assert_eq!(histogram.positive_spans, [oracle::BucketSpan { offset: 192, length: 1 }]);
    assert_eq!(histogram.negative_spans, [oracle::BucketSpan { offset: 192, length: 1 }]);
    assert_eq!((&histogram.positive_deltas[..], &histogram.negative_deltas[..]), (&[2][..], &[1][..]));
}

#[track_caller]
fn refuse(change: impl FnOnce(&mut oracle::Request), expected: &DecodeError) {
    let mut message = oracle::Request::decode(encode(&golden()).as_slice()).unwrap();
    change(&mut message);
    assert_eq!(decode(&message.encode_to_vec()).as_ref(), Err(expected));
}

/// The histogram of the golden frame's first series.
fn histogram(message: &mut oracle::Request) -> &mut oracle::Histogram {
    &mut message.timeseries[1].histograms[0]
}

#[test]
fn what_is_wrong_is_named() {
    refuse(|message| message.timeseries[0].labels_refs.push(1), &DecodeError::Reference);
    refuse(|message| message.timeseries[0].labels_refs[1] = 99, &DecodeError::Reference);
    refuse(|message| message.timeseries[0].labels_refs.truncate(2), &DecodeError::NoName);
    refuse(|message| message.timeseries[0].samples[0].value = f64::NAN, &DecodeError::NotFinite);
    refuse(|message| message.timeseries[0].kind = Some(4), &DecodeError::Kind { number: 4 });
    refuse(
        |message| {
            let samples = message.timeseries[0].samples.clone();
            message.timeseries[1].samples = samples;
        },
        &DecodeError::Mixed,
    );
    refuse(|message| histogram(message).m2 = None, &DecodeError::PlainHistogram);
    refuse(|message| histogram(message).first_timestamp = None, &DecodeError::PlainHistogram);
    refuse(|message| histogram(message).schema = -53, &DecodeError::Sketch(sketch_scale(-53)));
    refuse(|message| histogram(message).schema = 1_000, &DecodeError::Schema { schema: 1_000 });
    refuse(|message| histogram(message).positive_spans[0].length = u32::MAX, &DecodeError::Spans);
    refuse(|message| histogram(message).positive_spans[0].offset = i32::MIN, &DecodeError::Spans);
    refuse(|message| histogram(message).custom_values.push(1.0), &DecodeError::FloatHistogram);
    let bytes = vec![0; MAX_FRAME_BYTES + 1];
    assert_eq!(decode(&bytes), Err(DecodeError::TooLong { bytes: bytes.len() }));
}

fn sketch_scale(scale: i8) -> bellwether_core::sketch::SketchError {
    bellwether_core::sketch::SketchError::Scale { scale }
}

#[test]
fn one_long_symbol_cannot_fill_the_memory() {
    let long = "x".repeat(2_048);
    let timeseries = (0..40_000).map(|_| oracle::TimeSeries {
        labels_refs: vec![1, 2, 3, 4],
        samples: vec![oracle::Sample { value: 1.0, timestamp: 1 }],
        ..Default::default()
    });
    let mut message = oracle::Request {
        symbols: ["", "__name__", "m", "l", &long].map(str::to_owned).to_vec(),
        timeseries: timeseries.collect(),
        ..Default::default()
    };
    // Two names in turn, so that no series is joined to the one before.
    for series in message.timeseries.iter_mut().step_by(2) {
        series.labels_refs[1] = 3;
    }
    assert_eq!(decode(&message.encode_to_vec()), Err(DecodeError::LabelsTooLong));
}
