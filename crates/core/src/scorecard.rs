//! The grants office's scorecard: three figures over everything that is kept.

use crate::engine::Engine;
use crate::labels::{LabelError, MetricName};
use crate::query::{Aggregation, Query, QueryError};
use crate::time::TimestampMs;

/// Milliseconds from a booking request to its answer, one sample a request.
pub const BOOKING_RESPONSE_TIME: &str = "booking_response_time";
/// Days that a case took, one sample a case.
pub const RESOLUTION_TIME: &str = "resolution_time";
/// Score that a person gave, one sample an answer.
pub const SATISFACTION: &str = "satisfaction";
/// A conflict or escalation, one sample of value 1 each.
pub const CONFLICT: &str = "conflict";

/// The three figures of the grants office.
///
/// DIFFERENCE: an average over nothing is 0 here and no value everywhere else, because the
/// interface that this answers has always said 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scorecard {
    /// Mean of [`RESOLUTION_TIME`] in days; 0 where no case is kept.
    pub avg_resolution_time: f64,
    /// Mean of [`SATISFACTION`]; 0 where no score is kept.
    pub avg_satisfaction: f64,
    /// Number of conflicts; where a sample counted for several, their sum.
    pub total_conflicts: f64,
}

/// Why a scorecard could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScorecardError {
    /// One of its figures could not be made, as where the conflicts were declared a gauge.
    #[error("the scorecard's {metric} could not be made: {source}")]
    Query {
        /// The metric.
        metric: &'static str,
        /// Why.
        source: QueryError,
    },
    /// One of its metrics has a name that is refused.
    #[error(transparent)]
    Name(#[from] LabelError),
}

/// The scorecard over everything that is kept at `now`.
///
/// Cost: that of three queries over the longest window.
///
/// # Errors
/// [`ScorecardError`] where a metric was declared with a kind that has no such figure.
pub fn scorecard(engine: &Engine, now: TimestampMs) -> Result<Scorecard, ScorecardError> {
    let figure = |metric: &'static str, aggregation| {
        let query = Query::new(MetricName::new(metric)?, engine.longest_window(), aggregation);
        let answer = engine.query(&query, now).map_err(|source| ScorecardError::Query { metric, source })?;
        Ok::<f64, ScorecardError>(answer.value.unwrap_or(0.0))
    };
    Ok(Scorecard {
        avg_resolution_time: figure(RESOLUTION_TIME, Aggregation::Avg)?,
        avg_satisfaction: figure(SATISFACTION, Aggregation::Avg)?,
        total_conflicts: figure(CONFLICT, Aggregation::Increase)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineConfig;
    use crate::labels::{Labels, SeriesKey};
    use crate::sample::{Kind, Sample};

    const NOW: TimestampMs = TimestampMs::new(1_700_000_000_000);

    fn record(engine: &mut Engine, metric: &str, values: &[f64]) {
        let key = SeriesKey { metric: MetricName::new(metric).unwrap(), labels: Labels::empty() };
        let id = engine.series(&key, None).unwrap();
        for value in values {
            engine.record(id, Sample::new(NOW, *value).unwrap(), NOW).unwrap();
        }
    }

    #[test]
    fn over_nothing_it_says_zero() {
        let engine = Engine::new(EngineConfig::default()).unwrap();
        assert_eq!(scorecard(&engine, NOW), Ok(Scorecard::default()));
    }

    #[test]
    fn averages_and_a_total() {
        for declared in [Some(Kind::Event), None] {
            let mut engine = Engine::new(EngineConfig::default()).unwrap();
            if let Some(kind) = declared {
                engine.declare(&MetricName::new(CONFLICT).unwrap(), kind).unwrap();
            }
            record(&mut engine, RESOLUTION_TIME, &[5.0, 4.0]);
            record(&mut engine, SATISFACTION, &[4.2]);
            record(&mut engine, CONFLICT, &[1.0, 2.0]);
            let expected = Scorecard { avg_resolution_time: 4.5, avg_satisfaction: 4.2, total_conflicts: 3.0 };
            assert_eq!(scorecard(&engine, NOW), Ok(expected), "conflicts declared {declared:?}");
        }
    }

    #[test]
    fn conflicts_as_a_gauge_are_refused_by_name() {
        let mut engine = Engine::new(EngineConfig::default()).unwrap();
        engine.declare(&MetricName::new(CONFLICT).unwrap(), Kind::Gauge).unwrap();
        let error = scorecard(&engine, NOW).unwrap_err().to_string();
        assert!(error.starts_with("the scorecard's conflict could not be made: increase does not fit"), "{error}");
    }
}
