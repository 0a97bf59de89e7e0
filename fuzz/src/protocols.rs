//! The standard protocols: whatever comes in, each sample is taken or named once, and what is taken is whole.

use std::collections::BTreeSet;

use bellwether_core::time::TimestampMs;
use bellwether_wire::ingest::MAX_SAMPLES;
use bellwether_wire::protocol::remote_write::Version;
use bellwether_wire::protocol::{
    Delivered, KnownSeries, ProtocolError, explicit, exposition as texts, line, otlp as otel, remote_write as writes,
};

const NOW: TimestampMs = TimestampMs::new(1_700_000_000_000);

fn check(delivered: Result<Delivered, ProtocolError>) {
    let delivered = match delivered {
        Ok(delivered) => delivered,
        Err(error) => {
            assert!(!error.code().is_empty() && (1..400).contains(&error.to_string().len()), "{error}");
            return;
        }
    };
    let samples = delivered.samples.iter().map(|sample| sample.index);
    let histograms = delivered.histograms.iter().map(|histogram| histogram.index);
    let rejected = delivered.rejected.iter().map(|rejection| rejection.index);
    let all: Vec<usize> = samples.chain(histograms).chain(rejected).collect();
    let places: BTreeSet<usize> = all.iter().copied().collect();
    assert!(all.len() == places.len() && all.len() + delivered.ended.len() <= MAX_SAMPLES, "{all:?}");
    assert!(delivered.rejected.iter().all(|rejection| (1..256).contains(&rejection.message.len())));
    for sample in &delivered.samples {
        assert!(sample.sample.timestamp().get() >= 0 && !sample.key.metric.as_str().is_empty());
    }
    for histogram in &delivered.histograms {
        let point = &histogram.point;
        assert!(point.at.get() >= 0 && point.sum.is_finite());
        if let Some(bounds) = &point.bounds
            && let Ok(spread) = explicit::spread(bounds, &point.sketch, point.extremes)
        {
            assert_eq!(spread.count(), point.sketch.count(), "every value counts");
        }
    }
}

/// A body of remote write, read as both versions.
pub fn remote_write(bytes: &[u8]) {
    for version in [Version::V1, Version::V2] {
        let decoded = writes::decode(bytes, version, |_| None);
        // A reader that knows the series from a message before reads the same.
        let mut known = KnownSeries::default();
        for _ in 0..2 {
            assert_eq!(writes::decode_knowing(&mut known, bytes, version, |_| None), decoded);
        }
        check(decoded);
    }
}

/// A body of OpenTelemetry metrics, read as protobuf and as JSON.
pub fn otlp(bytes: &[u8]) {
    for form in [otel::Form::Protobuf, otel::Form::Json] {
        check(otel::decode(bytes, form));
    }
}

/// A body of Influx line protocol.
pub fn influx(text: &[u8]) {
    for precision in [line::Precision::Nanoseconds, line::Precision::Hours] {
        check(line::decode(text, precision, NOW));
    }
}

/// The text of a metrics page, in both formats.
pub fn exposition(text: &[u8]) {
    for format in [texts::Format::Prometheus, texts::Format::OpenMetrics] {
        check(texts::decode(text, format, NOW, &[("job".to_owned(), "j".to_owned())]));
    }
}
