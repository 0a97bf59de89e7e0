//! The naive model as the target of scripts: every figure comes from the raw samples.

use bellwether_core::alerts::Alerts;
use bellwether_core::engine::{EngineConfig, TierConfig};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Aggregation, Answer, Expression, Group, Query, QueryError};
use bellwether_core::rule::Rule;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::scorecard::{CONFLICT, RESOLUTION_TIME, SATISFACTION, Scorecard};
use bellwether_core::time::{DurationMs, TimestampMs};

use crate::naive::{Exact, Naive, NaiveError};
use crate::target::{Acceptance, Figure, SeenAlert, Target, is_grouped};

/// The naive model with a set of rules, and what an engine's tiers allow it to be asked.
///
/// The alerts share the state machine of core; what they are made of does not come from core.
#[derive(Debug)]
pub struct NaiveTarget {
    model: Naive,
    config: EngineConfig,
    rules: Vec<Rule>,
    alerts: Alerts,
}

impl NaiveTarget {
    /// A model without samples that accepts and widens as an engine of `config` does.
    #[must_use]
    pub fn new(config: EngineConfig) -> Self {
        Self { model: Naive::new(), config, rules: Vec::new(), alerts: Alerts::new() }
    }

    fn fate(&self, timestamp: TimestampMs, now: TimestampMs) -> Acceptance {
        let oldest = self.config.tiers.last().map(|tier| edge_before(now - tier.span, tier.width));
        if timestamp > now + self.config.future_skew {
            Acceptance::TooNew
        } else if oldest.is_some_and(|oldest| timestamp <= oldest) {
            Acceptance::TooLate
        } else {
            Acceptance::Accepted
        }
    }
}

/// The edge of time buckets of `width` at or before an instant.
fn edge_before(instant: TimestampMs, width: DurationMs) -> TimestampMs {
    let width = i64::try_from(width.as_millis()).unwrap_or(i64::MAX);
    TimestampMs::new(instant.get() - instant.get().rem_euclid(width))
}

/// The query as the tiers see it: the left edge moves outward to a time bucket of the finest tier
/// that reaches back so far.
fn widened(query: &Query, tiers: &[TierConfig], now: TimestampMs) -> Result<Query, QueryError> {
    let longest = tiers.last().map_or(DurationMs::ZERO, |tier| tier.span);
    if query.window == DurationMs::ZERO {
        return Err(QueryError::ZeroWindow);
    }
    if query.window > longest {
        return Err(QueryError::WindowTooLong { window: query.window, longest });
    }
    let from = now - query.window;
    // A tier begins where a time bucket of the next coarser one ends.
    let begins = |place: usize, tier: &TierConfig| {
        let coarser = tiers.get(place + 1).unwrap_or(tier);
        edge_before(now - tier.span, coarser.width)
    };
    let tier = tiers.iter().enumerate().find(|(place, tier)| begins(*place, tier) <= from);
    let from = tier.map_or(from, |(_, tier)| edge_before(from, tier.width));
    Ok(Query { window: now.since(from), ..query.clone() })
}

/// The figures of an expression from the raw samples.
fn figures(
    model: &Naive,
    tiers: &[TierConfig],
    expression: &Expression,
    now: TimestampMs,
) -> Result<Vec<Group>, QueryError> {
    let (expression, first) = match expression {
        Expression::Single(query) => (Expression::Single(widened(query, tiers, now)?), query),
        Expression::Ratio(over, under) => {
            (Expression::Ratio(widened(over, tiers, now)?, widened(under, tiers, now)?), over)
        }
    };
    let refused = |error| match error {
        NaiveError::SeveralSeries => {
            let (metric, aggregation) = (first.metric.clone(), first.aggregation);
            QueryError::AcrossNeeded { metric, aggregation, series: 2 }
        }
        _ => {
            let (metric, aggregation) = (first.metric.clone(), first.aggregation);
            QueryError::NotForKind { metric, aggregation, kind: model.kind(&first.metric) }
        }
    };
    let groups = if is_grouped(&expression) {
        model.evaluate(&expression, now).map_err(refused)?
    } else {
        vec![(Labels::empty(), model.evaluate_one(&expression, now).map_err(refused)?)]
    };
    let group = |(labels, Exact { value, count, .. })| {
        let answer = Answer { value, count, from: now - first.window, to: now, relative_error: 0.0 };
        Group { labels, answer }
    };
    Ok(groups.into_iter().map(group).collect())
}

impl Target for NaiveTarget {
    fn declare(&mut self, metric: &MetricName, kind: Kind) -> Result<(), String> {
        self.model.declare(metric, kind);
        let first = self.model.kind(metric);
        if first == kind { Ok(()) } else { Err(format!("{metric} is a {} already", first.as_str())) }
    }

    fn load(&mut self, samples: &[(SeriesKey, Sample)], now: TimestampMs) -> Result<Vec<Acceptance>, String> {
        let mut fates = Vec::new();
        for (key, sample) in samples {
            let fate = self.fate(sample.timestamp(), now);
            if fate == Acceptance::Accepted {
                self.model.record(key, *sample);
            }
            fates.push(fate);
        }
        Ok(fates)
    }

    fn query(&mut self, expression: &Expression, now: TimestampMs) -> Result<Vec<Figure>, String> {
        let groups = figures(&self.model, &self.config.tiers, expression, now).map_err(|error| error.to_string())?;
        Ok(groups.into_iter().map(Figure::from).collect())
    }

    fn set_rules(&mut self, rules: &[Rule]) -> Result<(), String> {
        self.rules = rules.to_vec();
        Ok(())
    }

    fn evaluate(&mut self, now: TimestampMs) -> Result<(), String> {
        let (model, tiers) = (&self.model, &self.config.tiers);
        // The alerts themselves are looked at; what changed is for those who send notifications.
        let _ = self.alerts.evaluate_with(&self.rules, now, |figure, at| figures(model, tiers, figure, at));
        Ok(())
    }

    fn alerts(&mut self) -> Result<Vec<SeenAlert>, String> {
        Ok(self.alerts.iter().map(SeenAlert::from).collect())
    }

    fn failures(&mut self) -> Result<Vec<String>, String> {
        Ok(self.alerts.failures().iter().map(ToString::to_string).collect())
    }

    fn scorecard(&mut self, now: TimestampMs) -> Result<Scorecard, String> {
        let longest = self.config.tiers.last().map_or(DurationMs::ZERO, |tier| tier.span);
        let mut figure = |metric: &str, aggregation| {
            let metric = MetricName::new(metric).map_err(|error| error.to_string())?;
            let figures = self.query(&Expression::Single(Query::new(metric, longest, aggregation)), now)?;
            Ok::<f64, String>(figures.first().and_then(|figure| figure.value).unwrap_or(0.0))
        };
        Ok(Scorecard {
            avg_resolution_time: figure(RESOLUTION_TIME, Aggregation::Avg)?,
            avg_satisfaction: figure(SATISFACTION, Aggregation::Avg)?,
            total_conflicts: figure(CONFLICT, Aggregation::Increase)?,
        })
    }
}
