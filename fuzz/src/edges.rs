//! What comes in from outside as text or bytes, and what it becomes.

use bellwether_core::engine::{Engine, EngineConfig};
use bellwether_core::time::TimestampMs;
use bellwether_wire::correction::{CorrectionAction, MAX_REASON_BYTES};
use bellwether_wire::feed::{FeedFrame, FeedSeries, Point};
use bellwether_wire::frame::{ClientFrame, ServerFrame};
use bellwether_wire::ingest::{BodyFormat, MAX_REF_BYTES, MAX_SAMPLES};
use bellwether_wire::{binary, board as boards, correction as corrections, ingest as bodies, query as queries};

const NOW: TimestampMs = TimestampMs::new(1_700_000_000_000);

/// A body of `POST /ingest` in both formats: every sample is taken or named, once and in order, and
/// the engine takes what was taken.
pub fn ingest(body: &[u8]) {
    for format in [BodyFormat::Json, BodyFormat::Ndjson] {
        let ingested = match bodies::decode(body, format, NOW) {
            Ok(ingested) => ingested,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        assert!(ingested.rejected.iter().all(|rejection| rejection.message.len() < 256));
        let accepted: Vec<usize> = ingested.accepted.iter().map(|sample| sample.index).collect();
        let rejected: Vec<usize> = ingested.rejected.iter().map(|rejection| rejection.index).collect();
        assert!(accepted.is_sorted() && rejected.is_sorted());
        let mut all = [accepted, rejected].concat();
        all.sort_unstable();
        assert!(all.len() <= MAX_SAMPLES && all.iter().enumerate().all(|(place, index)| place == *index), "{all:?}");
        let mut engine = Engine::new(EngineConfig::default()).unwrap();
        for sample in ingested.accepted {
            assert!(sample.sample.timestamp().get() >= 0);
            if let Ok(id) = engine.series(&sample.key, sample.kind) {
                let _ = engine.record(id, sample.sample, NOW);
            }
        }
    }
}

/// A body of `POST /api/v1/corrections`: everything wrong is said, or what is asked is within its limits.
pub fn correction(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let asked = match corrections::decode(&text) {
        Ok(asked) => asked,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!((1..=MAX_REF_BYTES).contains(&asked.reference.len()));
    assert!(asked.at.is_none_or(|at| at.get() >= 0));
    assert!(asked.reason.as_ref().is_none_or(|reason| (1..=MAX_REASON_BYTES).contains(&reason.len())));
    assert!(asked.reason.is_some() || asked.action == CorrectionAction::Erase);
    if let CorrectionAction::Correct { value, timestamp } = asked.action {
        assert!(value.is_some() || timestamp.is_some());
        assert!(value.is_none_or(f64::is_finite) && timestamp.is_none_or(|timestamp| timestamp.get() >= 0));
    }
}

/// The query string of `GET /query`: an error that says why, or a question that the engine takes.
pub fn query(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    match queries::from_query_string(&text) {
        Ok(request) => {
            let engine = Engine::new(EngineConfig::default()).unwrap();
            let at = request.at.unwrap_or(NOW);
            let _ = engine.evaluate(&request.expression, at);
            let _ = engine.evaluate_one(&request.expression, at);
        }
        Err(error) => assert!(!error.code().is_empty() && !error.to_string().is_empty()),
    }
}

/// The text of a `board.json`: everything wrong is said, or the board reads back as it is.
pub fn board(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    match boards::decode(&text) {
        Ok(board) => {
            let again = boards::encode(&board);
            assert_eq!(boards::decode_strictly(&again).as_ref(), Ok(&board), "{again}");
            if let Ok(strict) = boards::decode_strictly(&text) {
                assert_eq!(strict, board);
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            assert!(boards::decode_strictly(&text).is_err());
        }
    }
}

/// A text frame of a client: refused, or it reads back as it is.
pub fn client_frame(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    if let Ok(frame) = ClientFrame::decode(&text) {
        let again = frame.encode();
        assert_eq!(ClientFrame::decode(&again).as_ref(), Ok(&frame), "{again}");
    }
}

/// A text frame of a gateway: refused, or it reads back as it is.
pub fn server_frame(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    if let Ok(frame) = ServerFrame::decode(&text) {
        let again = frame.encode();
        assert_eq!(ServerFrame::decode(&again).as_ref(), Ok(&frame), "{again}");
    }
}

/// What a frame brings, one by one: a series without samples brings nothing, and two of the same name
/// side by side are one.
fn points(frame: &FeedFrame) -> Vec<String> {
    let of_series = |series: &FeedSeries| -> Vec<String> {
        let samples = series.samples.iter().map(|sample| format!("{sample:?}"));
        let all = samples.chain(series.summaries.iter().map(|bucket| format!("{bucket:?}")));
        all.map(|point| format!("{} {:?} {point}", series.key, series.kind)).collect()
    };
    frame.series.iter().flat_map(of_series).collect()
}

/// A binary frame of the live feed: refused, or what it brings reads back as it is, and the engine
/// takes it.
pub fn feed_frame(bytes: &[u8]) {
    let Ok(frame) = binary::decode(bytes) else { return };
    let read = binary::decode(&binary::encode(&frame)).unwrap();
    assert_eq!((read.header, points(&read)), (frame.header, points(&frame)));
    let mut engine = Engine::new(EngineConfig::page()).unwrap();
    for series in &frame.series {
        let Ok(id) = engine.series(&series.key, Some(series.kind)) else { continue };
        for point in series.points() {
            match point {
                Point::Sample(sample) => {
                    let _ = engine.record(id, sample, sample.timestamp());
                }
                Point::Summary(bucket) => {
                    let _ = engine.merge(id, frame.header.step, bucket.end, &bucket.summary, bucket.end);
                }
            }
        }
    }
    let _ = engine.snapshot();
}
