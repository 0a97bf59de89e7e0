//! The engine as the target of scripts.

use bellwether_core::alerts::{Alert, Alerts};
use bellwether_core::engine::{Engine, EngineConfig, TimestampError};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Expression, Group, Query};
use bellwether_core::rule::{ALERT_NAME, AlertState, Rule};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::scorecard::{Scorecard, scorecard};
use bellwether_core::time::TimestampMs;

use crate::target::{Acceptance, Figure, SeenAlert, Target};

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
            return Ok(groups.into_iter().map(figure).collect());
        }
        let answer = engine.evaluate_one(expression, now).map_err(|error| error.to_string())?;
        Ok(vec![Figure { labels: Labels::empty(), value: answer.value }])
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
        Ok(self.alerts.iter().map(seen).collect())
    }

    fn failures(&mut self) -> Result<Vec<String>, String> {
        Ok(self.alerts.failures().iter().map(ToString::to_string).collect())
    }

    fn scorecard(&mut self, now: TimestampMs) -> Result<Scorecard, String> {
        let engine = self.engine()?;
        engine.advance(now);
        scorecard(engine, now).map_err(|error| error.to_string())
    }
}

/// Whether the expression is answered group by group.
pub(crate) fn is_grouped(expression: &Expression) -> bool {
    let (Expression::Single(Query { by, .. }) | Expression::Ratio(Query { by, .. }, _)) = expression;
    !by.is_empty()
}

pub(crate) fn figure(group: Group) -> Figure {
    Figure { labels: group.labels, value: group.answer.value }
}

/// An alert as scripts compare it.
pub(crate) fn seen(alert: &Alert) -> SeenAlert {
    let pairs = alert.labels.iter().filter(|(name, _)| *name != ALERT_NAME);
    let active_at = match alert.state {
        AlertState::Inactive => TimestampMs::default(),
        AlertState::Pending { active_at }
        | AlertState::Firing { active_at, .. }
        | AlertState::Resolved { active_at, .. } => active_at,
    };
    SeenAlert {
        rule: alert.rule.clone(),
        // Fewer of what were labels before are labels still.
        labels: Labels::new(pairs).unwrap_or_default(),
        state: alert.state.as_str().to_owned(),
        stale: alert.stale,
        value: alert.value,
        active_at,
    }
}
