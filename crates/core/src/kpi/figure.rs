//! What a KPI shows at one instant.

use super::{Kpi, Standing, Trend};
use crate::engine::Engine;
use crate::query::{Expression, QueryError};
use crate::time::{DurationMs, TimestampMs};

/// What a KPI shows at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KpiFigure {
    /// The figure; `None` where its window holds none.
    pub value: Option<f64>,
    /// Number of samples in the window.
    pub count: u64,
    /// Bound of the relative error of `value`: 0 where it is exact.
    pub relative_error: f64,
    /// Where it stands against the target.
    pub standing: Standing,
    /// The figure of the window before, of the same length; `None` where that holds none or
    /// reaches back further than samples are kept.
    pub previous: Option<f64>,
    /// The change from `previous`; `None` where either figure is missing.
    pub trend: Option<Trend>,
    /// Left edge of the range that was really covered (not included).
    pub from: TimestampMs,
    /// Right edge of the range that was really covered (included).
    pub to: TimestampMs,
}

impl Kpi {
    /// The length of the KPI's window; of a ratio, the longer of the two.
    #[must_use]
    pub fn window(&self) -> DurationMs {
        match &self.figure {
            Expression::Single(query) => query.window,
            Expression::Ratio(over, under) => over.window.max(under.window),
        }
    }

    /// The KPI's figure at `now`, where it stands, and how it changed against the window before.
    ///
    /// Cost: that of two queries.
    ///
    /// # Errors
    /// [`QueryError`] where its own figure cannot be made. That the window before cannot be looked
    /// at is no error: `previous` is then `None`.
    pub fn evaluate(&self, engine: &Engine, now: TimestampMs) -> Result<KpiFigure, QueryError> {
        let answer = engine.evaluate_one(&self.figure, now)?;
        // It ends where this one really begins, so that no sample is in both; one that is only
        // partly kept would make a trend out of what was forgotten.
        let start = answer.from - self.window();
        let previous = engine
            .evaluate_one(&self.figure, answer.from)
            .ok()
            .filter(|earlier| earlier.from <= start)
            .and_then(|earlier| earlier.value);
        let trend = match (previous, answer.value) {
            (Some(previous), Some(value)) => Some(Trend::between(previous, value, &self.unit)),
            _ => None,
        };
        Ok(KpiFigure {
            value: answer.value,
            count: answer.count,
            relative_error: answer.relative_error,
            standing: self.standing(answer.value),
            previous,
            trend,
            from: answer.from,
            to: answer.to,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineConfig;
    use crate::kpi::Direction;
    use crate::labels::{Labels, MetricName, SeriesKey};
    use crate::query::Query;
    use crate::sample::Sample;

    const START: TimestampMs = TimestampMs::new(1_699_999_200_000);

    fn at(secs: u64) -> TimestampMs {
        START + DurationMs::from_secs(secs)
    }

    fn engine(metric: &str, samples: &[(u64, f64)]) -> Engine {
        let mut engine = Engine::new(EngineConfig::default()).unwrap();
        let key = SeriesKey { metric: MetricName::new(metric).unwrap(), labels: Labels::empty() };
        let id = engine.series(&key, None).unwrap();
        for (secs, value) in samples {
            engine.record(id, Sample::new(at(*secs), *value).unwrap(), at(*secs)).unwrap();
        }
        engine
    }

    fn query(metric: &str, window: &str, aggregation: &str) -> Query {
        Query::new(MetricName::new(metric).unwrap(), window.parse().unwrap(), aggregation.parse().unwrap())
    }

    fn kpi(figure: Expression, unit: &str) -> Kpi {
        Kpi {
            id: "k".into(),
            title: "K".into(),
            unit: unit.into(),
            figure,
            direction: Direction::LowerIsBetter,
            target: Some(300.0),
            owner: String::new(),
            section: String::new(),
        }
    }

    #[test]
    fn a_figure_its_standing_and_its_trend() {
        let engine = engine("m", &[(10, 212.0), (60, 300.0), (70, 320.0), (120, 320.0)]);
        let found = kpi(Expression::Single(query("m", "1m", "avg")), "ms").evaluate(&engine, at(120)).unwrap();
        let expected = KpiFigure {
            value: Some(320.0),
            count: 2,
            relative_error: 0.0,
            standing: Standing::NotMet,
            previous: Some(256.0),
            trend: Some(Trend::Change { by: 64.0, percent: Some(25.0) }),
            from: at(60),
            to: at(120),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn no_sample_is_in_both_windows() {
        // Now is between two time buckets: the window's left edge moves out to 60 s, and the window
        // before ends there.
        let engine = engine("m", &[(1, 8.0), (60, 4.0), (61, 2.0)]);
        let kpi = kpi(Expression::Single(query("m", "1m", "sum")), "");
        let found = kpi.evaluate(&engine, START + DurationMs::from_millis(120_500)).unwrap();
        assert_eq!((found.value, found.previous, found.from), (Some(2.0), Some(12.0), at(60)));
    }

    #[test]
    fn nothing_before_is_no_trend() {
        let engine = engine("m", &[(120, 320.0)]);
        let kpi = kpi(Expression::Single(query("m", "1m", "avg")), "ms");
        let found = kpi.evaluate(&engine, at(120)).unwrap();
        assert_eq!((found.value, found.previous, found.trend), (Some(320.0), None, None));
        let empty = kpi.evaluate(&engine, at(230)).unwrap();
        assert_eq!((empty.value, empty.standing, empty.trend), (None, Standing::NoFigure, None));
        assert_eq!(empty.previous, Some(320.0));
    }

    #[test]
    fn a_window_before_that_is_only_partly_kept_is_no_trend() {
        let day = 86_400;
        let engine = engine("m", &[(day, 1.0), (60 * day, 2.0), (100 * day, 3.0)]);
        let kpi = kpi(Expression::Single(query("m", "90d", "avg")), "days");
        let found = kpi.evaluate(&engine, at(100 * day)).unwrap();
        assert_eq!((found.value, found.previous, found.trend), (Some(2.5), None, None));
    }

    #[test]
    fn a_share_is_compared_in_points() {
        let mut engine = engine("errors_total", &[(0, 0.0), (60, 5.0), (120, 8.0)]);
        let key = SeriesKey { metric: MetricName::new("all_total").unwrap(), labels: Labels::empty() };
        let id = engine.series(&key, None).unwrap();
        for (secs, value) in [(0, 0.0), (60, 10.0), (120, 20.0)] {
            engine.record(id, Sample::new(at(secs), value).unwrap(), at(120)).unwrap();
        }
        let ratio = Expression::Ratio(query("errors_total", "1m", "increase"), query("all_total", "1m", "increase"));
        let kpi = kpi(ratio, "ratio");
        assert_eq!(kpi.window(), DurationMs::from_minutes(1));
        let found = kpi.evaluate(&engine, at(120)).unwrap();
        assert_eq!((found.value, found.previous), (Some(0.3), Some(0.5)));
        assert_eq!(found.trend, Some(Trend::Points(-20.0)));
    }

    #[test]
    fn what_cannot_be_asked_is_an_error() {
        let engine = engine("m", &[(0, 1.0)]);
        let kpi = kpi(Expression::Single(query("m", "0s", "avg")), "");
        assert_eq!(kpi.evaluate(&engine, at(0)), Err(QueryError::ZeroWindow));
    }
}
