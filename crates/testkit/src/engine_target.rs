//! The engine as the target of scripts.

use bellwether_core::alerts::Alerts;
use bellwether_core::engine::{Engine, EngineConfig, TimestampError};
use bellwether_core::kpi::{Kpi, Standing};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::Expression;
use bellwether_core::rule::Rule;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::scorecard::{Scorecard, scorecard};
use bellwether_core::time::TimestampMs;

use crate::target::{Acceptance, Figure, SeenAlert, SeenKpi, Target, is_grouped};

/// The engine with a set of rules.
#[derive(Debug)]
pub struct EngineTarget {
    engine: Result<Engine, String>,
    rules: Vec<Rule>,
    alerts: Alerts,
}

impl EngineTarget {
    /// An empty engine. A configuration that is refused is the error of every later call.
    #[must_use]
    pub fn new(config: EngineConfig) -> Self {
        let engine = Engine::new(config).map_err(|error| error.to_string());
        Self { engine, rules: Vec::new(), alerts: Alerts::new() }
    }

    fn engine(&mut self) -> Result<&mut Engine, String> {
        self.engine.as_mut().map_err(|error| error.clone())
    }
}

impl Target for EngineTarget {
    fn declare(&mut self, metric: &MetricName, kind: Kind) -> Result<(), String> {
        self.engine()?.declare(metric, kind).map_err(|error| error.to_string())
    }

    fn load(&mut self, samples: &[(SeriesKey, Sample)], now: TimestampMs) -> Result<Vec<Acceptance>, String> {
        let engine = self.engine()?;
        engine.advance(now);
        let mut fates = Vec::new();
        for (key, sample) in samples {
            let id = engine.series(key, None).map_err(|error| error.to_string())?;
            fates.push(match engine.record(id, *sample, now) {
                Ok(()) => Acceptance::Accepted,
                Err(TimestampError::TooLate { .. }) => Acceptance::TooLate,
                Err(TimestampError::TooNew { .. }) => Acceptance::TooNew,
                Err(error) => return Err(error.to_string()),
            });
        }
        Ok(fates)
    }

    fn query(&mut self, expression: &Expression, now: TimestampMs) -> Result<Vec<Figure>, String> {
        let engine = self.engine()?;
        engine.advance(now);
        if is_grouped(expression) {
            let groups = engine.evaluate(expression, now).map_err(|error| error.to_string())?;
            return Ok(groups.into_iter().map(Figure::from).collect());
        }
        let answer = engine.evaluate_one(expression, now).map_err(|error| error.to_string())?;
        Ok(vec![Figure::of(Labels::empty(), &answer)])
    }

    fn set_rules(&mut self, rules: &[Rule]) -> Result<(), String> {
        self.rules = rules.to_vec();
        Ok(())
    }

    fn evaluate(&mut self, now: TimestampMs) -> Result<(), String> {
        let engine = self.engine.as_mut().map_err(|error| error.clone())?;
        engine.advance(now);
        // The alerts themselves are looked at; what changed is for those who send notifications.
        let _ = self.alerts.evaluate(&self.rules, engine, now);
        Ok(())
    }

    fn alerts(&mut self) -> Result<Vec<SeenAlert>, String> {
        Ok(self.alerts.iter().map(SeenAlert::from).collect())
    }

    fn failures(&mut self) -> Result<Vec<String>, String> {
        Ok(self.alerts.failures().iter().map(ToString::to_string).collect())
    }

    fn scorecard(&mut self, now: TimestampMs) -> Result<Scorecard, String> {
        let engine = self.engine()?;
        engine.advance(now);
        scorecard(engine, now).map_err(|error| error.to_string())
    }

    fn kpi(&mut self, kpi: &Kpi, now: TimestampMs) -> Result<SeenKpi, String> {
        let engine = self.engine()?;
        engine.advance(now);
        let figure = kpi.evaluate(engine, now).map_err(|error| error.to_string())?;
        let standing = match figure.standing {
            Standing::Met => "met",
            Standing::NotMet => "not_met",
            Standing::NoTarget => "no_target",
            Standing::NoFigure => "no_figure",
        };
        Ok(SeenKpi { standing: standing.to_owned(), value: figure.value, trend: figure.trend })
    }
}
