//! The grants office's scorecard: three figures over everything that is kept.

use crate::engine::{ConfigError, Engine, EngineConfig, SeriesError, SeriesId, TimestampError};
use crate::labels::{LabelError, Labels, MetricName, SeriesKey};
use crate::query::{Aggregation, Query, QueryError};
use crate::sample::{Kind, NotFinite, Sample};
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

/// The cases of a grants office and their scorecard, in an engine of its own: the `MonitoringModule` of
/// the npm package, in Rust. The time is an argument here.
///
/// ```
/// use bellwether_core::scorecard::MonitoringModule;
/// use bellwether_core::time::TimestampMs;
///
/// let now = TimestampMs::new(1_700_000_000_000);
/// let mut monitoring = MonitoringModule::new()?;
/// monitoring.record_resolution_time("HA-001", 5.0, now)?;
/// monitoring.record_satisfaction("HA-001", 4.2, now)?;
/// monitoring.record_conflict("HA-002", now)?;
/// let dashboard = monitoring.dashboard(now)?;
/// assert_eq!(dashboard.avg_resolution_time, 5.0);
/// assert_eq!(dashboard.avg_satisfaction, 4.2);
/// assert_eq!(dashboard.total_conflicts, 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MonitoringModule {
    engine: Engine,
    resolution_time: SeriesId,
    satisfaction: SeriesId,
    conflict: SeriesId,
}

/// Why a case was not recorded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MonitoringError {
    /// The value is not a finite number.
    #[error(transparent)]
    Value(#[from] NotFinite),
    /// The time is negative.
    #[error(transparent)]
    Timestamp(#[from] TimestampError),
    /// The engine's settings; never, for they are fixed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A series of the engine; never, for there are three.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// A metric's name; never, for they are fixed.
    #[error(transparent)]
    Name(#[from] LabelError),
}

impl MonitoringModule {
    /// A module without any case.
    ///
    /// # Errors
    /// Never in practice: its settings and names are fixed.
    pub fn new() -> Result<Self, MonitoringError> {
        let mut engine = Engine::new(EngineConfig::default())?;
        let mut series = |metric, kind| {
            let key = SeriesKey { metric: MetricName::new(metric)?, labels: Labels::empty() };
            Ok::<SeriesId, MonitoringError>(engine.series(&key, Some(kind))?)
        };
        let resolution_time = series(RESOLUTION_TIME, Kind::Observation)?;
        let satisfaction = series(SATISFACTION, Kind::Observation)?;
        let conflict = series(CONFLICT, Kind::Event)?;
        Ok(Self { engine, resolution_time, satisfaction, conflict })
    }

    /// Records how many days a case took. The case itself is not kept: an engine counts, a gateway stores.
    ///
    /// # Errors
    /// [`MonitoringError`] where `days` is not finite; nothing is recorded then.
    pub fn record_resolution_time(&mut self, _case: &str, days: f64, now: TimestampMs) -> Result<(), MonitoringError> {
        self.record(self.resolution_time, days, now)
    }

    /// Records the score that somebody gave.
    ///
    /// # Errors
    /// [`MonitoringError`] where `score` is not finite; nothing is recorded then.
    pub fn record_satisfaction(&mut self, _case: &str, score: f64, now: TimestampMs) -> Result<(), MonitoringError> {
        self.record(self.satisfaction, score, now)
    }

    /// Records a conflict or an escalation.
    ///
    /// # Errors
    /// [`MonitoringError`] where `now` is negative.
    pub fn record_conflict(&mut self, _case: &str, now: TimestampMs) -> Result<(), MonitoringError> {
        self.record(self.conflict, 1.0, now)
    }

    /// The scorecard over everything that is kept at `now`.
    ///
    /// # Errors
    /// Never in practice: the kinds are fixed.
    pub fn dashboard(&self, now: TimestampMs) -> Result<Scorecard, ScorecardError> {
        scorecard(&self.engine, now)
    }

    fn record(&mut self, series: SeriesId, value: f64, now: TimestampMs) -> Result<(), MonitoringError> {
        Ok(self.engine.record(series, Sample::new(now, value)?, now)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn the_module_keeps_cases_and_refuses_what_is_no_number() {
        let mut monitoring = MonitoringModule::new().unwrap();
        assert_eq!(monitoring.dashboard(NOW), Ok(Scorecard::default()));
        for days in [5.0, 4.0] {
            monitoring.record_resolution_time("HA-001", days, NOW).unwrap();
        }
        monitoring.record_satisfaction("HA-001", 4.2, NOW).unwrap();
        monitoring.record_conflict("HA-002", NOW).unwrap();
        assert_eq!(monitoring.record_satisfaction("HA-003", f64::NAN, NOW), Err(MonitoringError::Value(NotFinite)),);
        let expected = Scorecard { avg_resolution_time: 4.5, avg_satisfaction: 4.2, total_conflicts: 1.0 };
        assert_eq!(monitoring.dashboard(NOW), Ok(expected));
    }
}
