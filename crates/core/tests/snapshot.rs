//! Snapshots: a restored engine is the engine that it was, now and ever after; bytes that are no
//! snapshot are refused; those of older programs still read.
//!
//! `fixtures/snapshot-v1.bin` and its like are kept for ever. A new version gets a fixture of its own: where there
//! is none, the test writes it, fails, and asks for it to be committed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is wrong")]

use std::path::Path;

use bellwether_core::engine::{Engine, EngineConfig, TierConfig};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Across, Aggregation, Query};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::sketch::Sketch;
use bellwether_core::snapshot::SnapshotError;
use bellwether_core::summary::Summary;
use bellwether_core::time::{DurationMs, TimestampMs};
use proptest::prelude::*;

fn ms(ms: u64) -> DurationMs {
    DurationMs::from_millis(ms)
}

fn at(ms: i64) -> TimestampMs {
    TimestampMs::new(ms)
}

fn sample(timestamp: i64, value: f64) -> Sample {
    Sample::new(at(timestamp), value).unwrap()
}

/// Small tiers, so that few samples fill and leave them all.
fn config() -> EngineConfig {
    let tier = |(width, span)| TierConfig { width: ms(width), span: ms(span) };
    EngineConfig {
        tiers: [(100, 2_000), (500, 10_000), (2_000, 60_000)].map(tier).to_vec(),
        future_skew: ms(1_000),
        ..EngineConfig::default()
    }
}

const METRICS: [(&str, Kind); 4] = [
    ("booking_response_time", Kind::Observation),
    ("requests_total", Kind::Counter),
    ("temperature", Kind::Gauge),
    ("conflict", Kind::Event),
];

fn key(metric: usize, host: &str) -> SeriesKey {
    let labels = if host.is_empty() { Labels::empty() } else { Labels::new([("host", host)]).unwrap() };
    SeriesKey { metric: MetricName::new(METRICS[metric].0).unwrap(), labels }
}

/// One thing that happens to an engine.
#[derive(Clone, Debug)]
enum Step {
    /// The clock moves, also back.
    Move(i64),
    Advance,
    Declare(usize),
    Record {
        metric: usize,
        host: &'static str,
        ago: i64,
        value: f64,
    },
    /// A summary of two samples at the ends of a time bucket, given in that width.
    Merge {
        metric: usize,
        host: &'static str,
        width: u64,
        ago: i64,
        values: (f64, f64),
    },
}

/// The kind of a metric; a forger may have given it another.
fn kind_of(engine: &Engine, metric: usize) -> Kind {
    engine.kind(&key(metric, "").metric).unwrap_or(METRICS[metric].1)
}

fn carry_out(engine: &mut Engine, now: &mut i64, step: &Step) {
    let series = |engine: &mut Engine, metric: usize, host| {
        let kind = kind_of(engine, metric);
        engine.series(&key(metric, host), Some(kind)).unwrap()
    };
    match *step {
        Step::Move(length) => *now += length,
        Step::Advance => engine.advance(at(*now)),
        Step::Declare(metric) => engine.declare(&key(metric, "").metric, kind_of(engine, metric)).unwrap(),
        Step::Record { metric, host, ago, value } => {
            let id = series(engine, metric, host);
            // What is refused is refused by both.
            let _ = engine.record(id, sample(*now - ago, value), at(*now));
        }
        Step::Merge { metric, host, width, ago, values } => {
            let id = series(engine, metric, host);
            let end = (*now - ago).div_euclid(width as i64) * width as i64;
            let kind = kind_of(engine, metric);
            let mut summary = Summary::of(sample(end - width as i64 + 1, values.0), kind);
            summary.record(sample(end, values.1), kind);
            let _ = engine.merge(id, ms(width), at(end), &summary, at(*now));
        }
    }
}

/// All that can be asked, as text; floats are told apart to the bit.
fn answers(engine: &Engine, now: i64) -> Vec<String> {
    let mut answers = vec![format!("{:?}", engine.metrics().collect::<Vec<_>>())];
    for (metric, _) in METRICS {
        let metric = MetricName::new(metric).unwrap();
        for window in [1, 99, 1_500, 2_000, 7_301, 10_000, 33_000, 60_000] {
            for aggregation in
                ["avg", "sum", "count", "min", "max", "first", "last", "stddev", "increase", "delta", "p50", "p99"]
            {
                let mut query = Query::new(metric.clone(), ms(window), aggregation.parse().unwrap());
                for across in [Across::Merge, Across::Sum] {
                    query.across = across;
                    for now in [now, now - 777, now + 999] {
                        answers.push(format!("{query:?} at {now}: {:?}", engine.query(&query, at(now))));
                    }
                }
            }
        }
    }
    let metrics: Vec<MetricName> = METRICS.iter().map(|(metric, _)| MetricName::new(metric).unwrap()).collect();
    for id in metrics.iter().flat_map(|metric| engine.matching(metric, &[])) {
        answers.push(format!("{:?} {:?} {:?}", engine.key(id), engine.series_kind(id), engine.latest(id)));
        for from in [i64::MIN, now - 5_000, now] {
            answers.push(format!("{:?}", engine.history(id, at(from)).collect::<Vec<_>>()));
        }
    }
    answers
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let metric = || 0..METRICS.len();
    let host = || prop_oneof![Just(""), Just("a"), Just("größe")];
    let ago = || prop_oneof![Just(0_i64), 0..200_i64, 0..15_000_i64, -1_200..70_000_i64];
    let value = || {
        prop_oneof![
            Just(0.0),
            Just(-0.0),
            -1e3..1e3_f64,
            (0..100_i32).prop_map(f64::from),
            Just(5e-324),
            Just(f64::MAX),
            Just(f64::MIN),
        ]
    };
    let width = prop_oneof![Just(100_u64), Just(500), Just(1_000), Just(2_000)];
    let record = (metric(), host(), ago(), value());
    let merge = (metric(), host(), width, ago(), (value(), value()));
    let length = prop_oneof![0..300_i64, 0..3_000_i64, -2_000..30_000_i64];
    let step = prop_oneof![
        8 => record.prop_map(|(metric, host, ago, value)| Step::Record { metric, host, ago, value }),
        3 => merge.prop_map(|(metric, host, width, ago, values)| Step::Merge { metric, host, width, ago, values }),
        4 => length.prop_map(Step::Move),
        1 => Just(Step::Advance),
        1 => metric().prop_map(Step::Declare),
    ];
    proptest::collection::vec(step, 0..60)
}

/// The checksum of the format: CRC-32 (IEEE), bit by bit.
fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let checksum = !body.iter().fold(u32::MAX, |rest, byte| {
        (0..8).fold(rest ^ u32::from(*byte), |rest, _| (rest >> 1) ^ if rest & 1 == 1 { 0xedb8_8320 } else { 0 })
    });
    body.extend_from_slice(&checksum.to_le_bytes());
    body
}

/// A wider tier is sealed as far as the finest one, so that a sample at that instant is late.
#[test]
fn a_restored_engine_is_over_as_soon_as_the_engine_that_it_was() {
    use Step::{Advance, Merge, Move};
    let mut original = Engine::new(config()).unwrap();
    let mut now = 0;
    let before = Merge { metric: 1, host: "", width: 100, ago: 72, values: (0.0, 0.0) };
    for step in [Move(171), before, Move(17_090), Move(15_389), Advance] {
        carry_out(&mut original, &mut now, &step);
    }
    let mut restored = Engine::restore(config(), &original.snapshot()).unwrap();
    let mut restored_now = now;
    for step in [Move(27_350), Advance] {
        carry_out(&mut original, &mut now, &step);
        carry_out(&mut restored, &mut restored_now, &step);
    }
    assert_eq!(restored.snapshot(), original.snapshot());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_restored_engine_is_the_engine_that_it_was(
        start in prop_oneof![Just(0_i64), Just(1_700_000_000_000), -100_000..100_000_i64],
        before in steps(),
        after in steps(),
    ) {
        let mut original = Engine::new(config()).unwrap();
        let mut now = start;
        for step in &before {
            carry_out(&mut original, &mut now, step);
        }
        let bytes = original.snapshot();
        let mut restored = Engine::restore(config(), &bytes).unwrap();
        prop_assert_eq!(restored.snapshot(), bytes);
        prop_assert_eq!(answers(&restored, now), answers(&original, now));
        let mut restored_now = now;
        for step in &after {
            carry_out(&mut original, &mut now, step);
            carry_out(&mut restored, &mut restored_now, step);
        }
        prop_assert_eq!(restored.snapshot(), original.snapshot());
        prop_assert_eq!(answers(&restored, now), answers(&original, now));
    }

    #[test]
    fn a_changed_byte_is_noticed(steps in steps(), place in any::<prop::sample::Index>(), change in 1..=255_u8) {
        let mut engine = Engine::new(config()).unwrap();
        let mut now = 0;
        for step in &steps {
            carry_out(&mut engine, &mut now, step);
        }
        let mut bytes = engine.snapshot();
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        prop_assert!(Engine::restore(config(), &bytes).is_err());
        prop_assert!(Engine::restore(config(), &bytes[..place]).is_err());
    }

    #[test]
    fn what_a_forger_sealed_is_an_engine_or_an_error(
        steps in steps(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        end in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut engine = Engine::new(config()).unwrap();
        let mut now = 0;
        for step in &steps {
            carry_out(&mut engine, &mut now, step);
        }
        let bytes = engine.snapshot();
        let mut body = bytes[..bytes.len() - 4].to_vec();
        for (place, byte) in changes {
            // The magic and the version stay, so that the rest is looked at.
            let place = 8 + place.index(body.len() - 8);
            body[place] = byte;
        }
        if is_cut {
            body.truncate(8 + end.index(body.len() - 8));
        }
        if let Ok(mut forged) = Engine::restore(config(), &sealed(body)) {
            let again = Engine::restore(config(), &forged.snapshot()).unwrap();
            prop_assert_eq!(answers(&again, now), answers(&forged, now));
            for step in &steps {
                carry_out(&mut forged, &mut now, step);
            }
            answers(&forged, now);
        }
    }

    #[test]
    fn any_bytes_are_an_engine_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Engine::restore(config(), &bytes).is_err());
        for head in [b"BWSNAP\x01\0", b"BWSNAP\x02\0"] {
            let mut body = head.to_vec();
            body.extend_from_slice(&bytes);
            // Whatever it is, it is no panic.
            let _ = Engine::restore(config(), &sealed(body));
        }
    }
}

#[test]
fn what_is_no_snapshot_is_named() {
    let whole = Engine::new(config()).unwrap().snapshot();
    let restored = |bytes: &[u8]| Engine::restore(config(), bytes).map(|_| ());
    assert_eq!(restored(b""), Err(SnapshotError::NotASnapshot));
    assert_eq!(restored(b"BWSNAP"), Err(SnapshotError::NotASnapshot));
    assert_eq!(restored(b"PK\x03\x04 and so on"), Err(SnapshotError::NotASnapshot));
    assert_eq!(restored(b"BWSNAP\x03\0"), Err(SnapshotError::Version { found: 3, newest: 2 }));
    assert_eq!(restored(b"BWSNAP\0\0"), Err(SnapshotError::Version { found: 0, newest: 2 }));
    assert_eq!(restored(b"BWSNAP\x01\0"), Err(SnapshotError::Checksum));
    assert_eq!(restored(b"BWSNAP\x02\0"), Err(SnapshotError::Checksum));
    assert_eq!(restored(&whole[..whole.len() - 1]), Err(SnapshotError::Checksum));
    assert_eq!(restored(&[&whole[..], b"\n"].concat()), Err(SnapshotError::Checksum));
    let mut body = whole[..whole.len() - 4].to_vec();
    body.push(0);
    assert_eq!(
        restored(&sealed(body.clone())).unwrap_err().to_string(),
        format!("the snapshot cannot be read at byte {}: expected the end", body.len() - 1)
    );
    assert_eq!(restored(&whole), Ok(()));
}

#[test]
fn the_configuration_must_fit() {
    let mut engine = Engine::new(config()).unwrap();
    engine.series(&key(0, "a"), None).unwrap();
    engine.series(&key(0, "b"), None).unwrap();
    let bytes = engine.snapshot();
    let mut other = config();
    other.tiers.pop();
    assert_eq!(
        Engine::restore(other, &bytes).unwrap_err().to_string(),
        "the snapshot is of an engine with the tiers 100ms for 2s, 500ms for 10s, 2s for 1m, not 100ms for 2s, 500ms for 10s; make the engine with those"
    );
    let small = EngineConfig { max_series: 1, ..config() };
    assert!(matches!(Engine::restore(small, &bytes), Err(SnapshotError::Series(_))));
    let none = EngineConfig { tiers: Vec::new(), ..config() };
    assert!(matches!(Engine::restore(none, &bytes), Err(SnapshotError::Config(_))));
    // Limits are the caller's, not the snapshot's.
    let tight = EngineConfig { max_series: 2, future_skew: ms(5), ..config() };
    let mut restored = Engine::restore(tight, &bytes).unwrap();
    assert!(restored.series(&key(0, "c"), None).is_err());
    assert!(restored.record(restored.find(&key(0, "a")).unwrap(), sample(6, 1.0), at(0)).is_err());
}

#[test]
fn more_samples_than_a_sketch_counts_are_kept() {
    let mut engine = Engine::new(config()).unwrap();
    let id = engine.series(&key(0, ""), None).unwrap();
    let sketch = |index| Sketch::from_parts(6, 0, [(index, (1 << 43) - 1)], []).unwrap();
    for (value, index) in [(1.5, 37), (1.5, 37), (3.0, 101), (-3.0, 101)] {
        let mut parts = Summary::of(sample(50, value), Kind::Observation).parts();
        parts.count = (1 << 43) - 1;
        parts.sketch = sketch(index);
        if value < 0.0 {
            parts.sketch = Sketch::from_parts(6, 0, [], [(index, parts.count)]).unwrap();
        }
        let summary = Summary::from_parts(parts).unwrap();
        engine.merge(id, ms(100), at(100), &summary, at(100)).unwrap();
    }
    let restored = Engine::restore(config(), &engine.snapshot()).unwrap();
    assert_eq!(answers(&restored, 100), answers(&engine, 100));
    assert_eq!(restored.snapshot(), engine.snapshot());
}

#[test]
fn a_summary_of_more_samples_than_its_sketch_counts_is_kept() {
    let mut engine = Engine::new(config()).unwrap();
    let id = engine.series(&key(0, ""), None).unwrap();
    let mut parts = Summary::of(sample(50, 1.5), Kind::Observation).parts();
    parts.count = (1 << 43) - 1;
    parts.sketch = Sketch::from_parts(6, 0, [(37, parts.count)], []).unwrap();
    let mut summary = Summary::from_parts(parts).unwrap();
    summary.merge(&summary.clone(), Kind::Observation);
    assert_ne!(summary.count, summary.sketch.count());
    engine.merge(id, ms(100), at(100), &summary, at(100)).unwrap();
    let restored = Engine::restore(config(), &engine.snapshot()).unwrap();
    assert_eq!(answers(&restored, 100), answers(&engine, 100));
}

/// The snapshot's instants are counted from its `now`: where that is moved on, so are they.
#[test]
fn samples_later_than_any_that_could_be_recorded_are_refused() {
    let mut engine = Engine::new(config()).unwrap();
    let id = engine.series(&key(0, ""), None).unwrap();
    engine.record(id, sample(TimestampMs::LATEST.get(), 1.0), TimestampMs::LATEST).unwrap();
    let bytes = engine.snapshot();
    let mut body = bytes[..bytes.len() - 4].to_vec();
    assert_eq!(body[8] & 0x7f, 0x7e, "the lowest bits of now, zigzag");
    assert!(Engine::restore(config(), &sealed(body.clone())).is_ok());
    // 2^53 in place of 2^53 - 1.
    body[8..16].copy_from_slice(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]);
    let error = Engine::restore(config(), &sealed(body)).unwrap_err();
    assert!(matches!(error, SnapshotError::Malformed { expected: "an instant of a sample", .. }), "{error}");
}

/// What the fixture holds: every kind, labels, resets, late samples, wide summaries, lone samples and
/// many in one time bucket, a metric without series, a series without samples, a clock set back.
fn of_the_fixture() -> Engine {
    let mut engine = Engine::new(config()).unwrap();
    let start = 1_700_000_000_000_i64;
    let gauges = MetricName::new("declared_only").unwrap();
    engine.declare(&gauges, Kind::Gauge).unwrap();
    engine.series(&key(2, "silent"), Some(Kind::Gauge)).unwrap();
    for (metric, (_, kind)) in METRICS.iter().enumerate() {
        for host in ["", "a", "größe"] {
            let id = engine.series(&key(metric, host), Some(*kind)).unwrap();
            for step in 0..400_i64 {
                let timestamp = start + step * 170;
                let value = match kind {
                    Kind::Counter => (step % 90 * 3) as f64,
                    Kind::Event => 1.0,
                    _ => ((step * 37) % 101) as f64 / 4.0 - 5.0,
                };
                engine.record(id, sample(timestamp, value), at(timestamp)).unwrap();
            }
            engine.record(id, sample(start + 61_001, 7.5), at(start + 68_000)).unwrap();
            let mut wide = Summary::of(sample(start + 50_100, 1.25), *kind);
            wide.record(sample(start + 51_900, 2.5), *kind);
            engine.merge(id, ms(2_000), at(start + 52_000), &wide, at(start + 68_000)).unwrap();
        }
    }
    engine.advance(at(start + 70_000));
    engine.advance(at(start + 67_950));
    engine
}

#[test]
fn a_snapshot_of_version_1_still_reads() {
    check_fixture("snapshot-v1.bin");
}

#[test]
fn a_snapshot_of_version_2_still_reads() {
    check_fixture("snapshot-v2.bin");
}

#[track_caller]
fn check_fixture(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    if !path.exists() {
        std::fs::write(&path, of_the_fixture().snapshot()).unwrap();
        panic!("there was no {}; it is written now: look at it and commit it", path.display());
    }
    let bytes = std::fs::read(&path).unwrap();
    let restored = Engine::restore(config(), &bytes).unwrap();
    let now = 1_700_000_067_950;
    let ask = |metric: usize, aggregation: &str, window| {
        let aggregation: Aggregation = aggregation.parse().unwrap();
        restored.query(&Query::new(key(metric, "").metric, ms(window), aggregation), at(now)).unwrap().value.unwrap()
    };
    assert_eq!(restored.series_count(), 13);
    assert_eq!(restored.kind(&MetricName::new("declared_only").unwrap()), Some(Kind::Gauge));
    for (metric, aggregation, window, expected) in FIGURES {
        let found = ask(*metric, aggregation, *window);
        assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{metric} {aggregation} {window}: {found}");
    }
}

/// Metric, aggregation, window in ms, figure; worked out from the samples by hand, but for percentiles.
const FIGURES: &[(usize, &str, u64, f64)] = &[
    (0, "count", 2_000, 42.0),
    (0, "count", 10_000, 213.0),
    (0, "sum", 60_000, 7710.0),
    (0, "avg", 10_000, 7.651408450704225),
    (0, "stddev", 60_000, 7.273085599294662),
    (0, "p50", 60_000, 7.537266202484527),
    (0, "p99", 60_000, 19.762127264787548),
    (1, "increase", 2_000, 126.0),
    (1, "increase", 10_000, 1413.0),
    (2, "min", 10_000, -4.75),
    (2, "max", 60_000, 20.0),
    (3, "increase", 60_000, 1056.75),
    (3, "count", 1_000, 24.0),
];

#[test]
fn the_newest_version_is_the_one_that_is_written() {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/snapshot-v2.bin")).unwrap();
    assert_eq!(Engine::restore(config(), &bytes).unwrap().snapshot(), bytes);
}

#[test]
fn a_series_whose_fresh_samples_were_all_sealed_goes_on_in_the_same_bytes() {
    let start = 1_700_000_000_000;
    let mut engine = Engine::new(EngineConfig::default()).unwrap();
    // The one that waits longest until it seals, so that what it seals is a chunk of its own.
    let all: Vec<_> = (0..32).map(|host| engine.series(&key(2, &host.to_string()), None).unwrap()).collect();
    let series = all[31];
    for number in 0..50_u32 {
        let now = start + 400 * i64::from(number);
        engine.record(series, sample(now, number.into()), at(now)).unwrap();
    }
    // A wide summary behind them seals them all.
    let wide = Summary::of(sample(start + 25_500, 2.0), Kind::Gauge);
    engine.merge(series, ms(10_000), at(start + 30_000), &wide, at(start + 30_000)).unwrap();
    let mut again = Engine::restore(EngineConfig::default(), &engine.snapshot()).unwrap();
    for number in 0..150_u32 {
        let now = start + 31_030 + 400 * i64::from(number);
        for engine in [&mut engine, &mut again] {
            engine.record(series, sample(now, number.into()), at(now)).unwrap();
        }
        assert!(engine.snapshot() == again.snapshot(), "after {number}");
    }
}
