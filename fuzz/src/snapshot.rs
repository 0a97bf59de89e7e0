//! Snapshots of any bytes.

use bellwether_core::engine::Engine;
use bellwether_core::labels::MetricName;
use bellwether_core::query::Query;
use bellwether_core::time::{DurationMs, TimestampMs};

use crate::engine_model::small_tiers;
use crate::source::Source;

/// The body of a snapshot of small tiers, sealed here as a forger would: an error, or an engine
/// that a snapshot keeps as it is and that answers and records without fault.
pub fn snapshot(body: &[u8]) {
    assert!(Engine::restore(small_tiers(), body).is_err() || body.starts_with(b"BWSNAP"));
    // Of a version that there is not yet, every body is refused.
    for version in 1..=3_u8 {
        let mut bytes = [&b"BWSNAP"[..], &[version, 0], body].concat();
        let checksum = crc32(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        if let Ok(engine) = Engine::restore(small_tiers(), &bytes) {
            restored(engine, body);
        }
    }
}

/// An engine of a forged snapshot, and the bytes that choose what is asked of it.
fn restored(mut engine: Engine, body: &[u8]) {
    let kept = engine.snapshot();
    let again = Engine::restore(small_tiers(), &kept).unwrap();
    assert_eq!(again.snapshot(), kept);

    let mut source = Source::new(body);
    let metrics: Vec<MetricName> = engine.metrics().map(|(metric, ..)| metric.clone()).collect();
    for metric in &metrics {
        for _ in 0..4 {
            let mut query = Query::new(metric.clone(), source.length(), source.aggregation());
            query.across = source.across();
            let now = source.instant();
            let (one, other) = (engine.query(&query, now), again.query(&query, now));
            // Compared as text, in which NaN would be equal to itself, and it must not be there.
            assert_eq!(format!("{one:?}"), format!("{other:?}"));
            assert!(one.is_err() || one.is_ok_and(|answer| answer.value.is_none_or(f64::is_finite)));
        }
    }
    for metric in &metrics {
        let series: Vec<_> = engine.matching(metric, &[]).collect();
        for id in series {
            engine.history(id, TimestampMs::new(i64::MIN)).for_each(drop);
            let now = source.instant();
            let _ = engine.record(id, source.sample(), now);
            engine.advance(now + DurationMs::from_secs(1));
        }
    }
    let _ = engine.snapshot();
}

/// CRC-32 (IEEE), bit by bit, as `docs/formats/snapshot.md` asks for.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |rest, byte| {
        (0..8).fold(rest ^ u32::from(*byte), |rest, _| (rest >> 1) ^ if rest & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}
