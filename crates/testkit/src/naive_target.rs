//! The naive model as the target of scripts: every figure comes from the raw samples.

use bellwether_core::alerts::Alerts;
use bellwether_core::engine::{EngineConfig, TierConfig};
use bellwether_core::kpi::{Direction, Kpi, Trend};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Aggregation, Answer, Expression, Group, Query, QueryError};
use bellwether_core::rule::Rule;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::scorecard::{CONFLICT, RESOLUTION_TIME, SATISFACTION, Scorecard};
use bellwether_core::time::{DurationMs, TimestampMs};

use crate::naive::{Exact, Naive, NaiveError, ratio};
use crate::target::{Acceptance, Figure, SeenAlert, SeenKpi, Target};

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

/// What a query covers at `now`, as `(from, to]`, by the rules of windows: the left edge moves outward to
/// a time bucket of the finest tier that reaches back so far, and to where anything is kept; the time
/// bucket of the finest tier that holds `now` counts only where nothing in it lies ahead of `now`.
fn covered(
    model: &Naive,
    tiers: &[TierConfig],
    query: &Query,
    now: TimestampMs,
) -> Result<(TimestampMs, TimestampMs), QueryError> {
    let longest = tiers.last().map_or(DurationMs::ZERO, |tier| tier.span);
    if query.window == DurationMs::ZERO {
        return Err(QueryError::ZeroWindow);
    }
    if query.window > longest {
        return Err(QueryError::WindowTooLong { window: query.window, longest });
    }
    let from = now - query.window;
    let tier = tiers.iter().enumerate().find(|(place, _)| begins(tiers, *place, now) <= from);
    let from = tier.map_or(from, |(_, tier)| edge_before(from, tier.width));
    let finest = tiers.first().map_or(DurationMs::ZERO, |tier| tier.width);
    let open = edge_before(now, finest);
    let is_ahead = open < now && model.any_between(query, now, open + finest);
    Ok((from, if is_ahead { open } else { now }))
}

/// Where a tier begins: at the end of a time bucket of the next coarser one.
fn begins(tiers: &[TierConfig], place: usize, now: TimestampMs) -> TimestampMs {
    let coarser = tiers.get(place + 1).unwrap_or(&tiers[place]);
    edge_before(now - tiers[place].span, coarser.width)
}

/// The figures of a query, one for each group, and the range that they cover.
struct Figures {
    groups: Vec<(Labels, Exact)>,
    from: TimestampMs,
    to: TimestampMs,
}

/// The figures of a query from the raw samples: one for each group of `by`, or one in all.
fn of_query(model: &Naive, tiers: &[TierConfig], query: &Query, now: TimestampMs) -> Result<Figures, QueryError> {
    let (from, to) = covered(model, tiers, query, now)?;
    // The window before, of a change, is as long as this one really is.
    let wide = Query { window: to.since(from), ..query.clone() };
    let groups = if query.by.is_empty() {
        model.figure(&wide, from, to).map(|figure| vec![(Labels::empty(), figure)])
    } else {
        model.figures(&wide, from, to)
    };
    let groups = groups.map_err(|error| match error {
        NaiveError::SeveralSeries => {
            let (metric, aggregation) = (query.metric.clone(), query.aggregation);
            QueryError::AcrossNeeded { metric, aggregation, series: 2 }
        }
        _ => {
            let (metric, aggregation) = (query.metric.clone(), query.aggregation);
            QueryError::NotForKind { metric, aggregation, kind: model.kind(&query.metric) }
        }
    })?;
    Ok(Figures { groups, from, to })
}

/// The figures of an expression from the raw samples.
fn figures(
    model: &Naive,
    tiers: &[TierConfig],
    expression: &Expression,
    now: TimestampMs,
) -> Result<Vec<Group>, QueryError> {
    let Figures { groups, from, to } = match expression {
        Expression::Single(query) => of_query(model, tiers, query, now)?,
        Expression::Ratio(over, under) => {
            let dividends = of_query(model, tiers, over, now)?;
            let mut divisors = of_query(model, tiers, under, now)?;
            divisors.groups.retain_mut(|(labels, divisor)| {
                let dividend = dividends.groups.iter().find(|(of, _)| of == labels);
                if let Some((_, dividend)) = dividend {
                    *divisor = ratio(*dividend, *divisor);
                }
                dividend.is_some()
            });
            divisors
        }
    };
    let group = |(labels, Exact { value, count, .. })| {
        let answer = Answer { value, count, from, to, relative_error: 0.0 };
        Group { labels, answer }
    };
    Ok(groups.into_iter().map(group).collect())
}

impl Target for NaiveTarget {
    fn declare(&mut self, metric: &MetricName, kind: Kind) -> Result<(), String> {
        self.model.declare(metric, kind);
        let first = self.model.kind(metric);
        if first == kind { Ok(()) } else { Err(format!("{metric} is kept as {}", first.as_str())) }
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

    fn kpi(&mut self, kpi: &Kpi, now: TimestampMs) -> Result<SeenKpi, String> {
        let (model, tiers) = (&self.model, &self.config.tiers);
        let one = |at| -> Result<Answer, String> {
            let groups = figures(model, tiers, &kpi.figure, at).map_err(|error| error.to_string())?;
            groups.into_iter().next().map(|group| group.answer).ok_or_else(|| "a KPI has one figure".to_owned())
        };
        let current = one(now)?;
        let standing = match (current.value, kpi.target, kpi.direction) {
            (None, ..) => "no_figure",
            (_, None, _) => "no_target",
            (Some(value), Some(target), Direction::LowerIsBetter) if value > target => "not_met",
            (Some(value), Some(target), Direction::HigherIsBetter) if value < target => "not_met",
            _ => "met",
        };
        // The window before ends where this one begins, and counts only where all of it is kept.
        let is_kept = begins(tiers, tiers.len() - 1, now) <= current.from - kpi.window();
        let previous = if is_kept { one(current.from).ok().and_then(|answer| answer.value) } else { None };
        let trend = current.value.zip(previous).map(|(value, previous)| {
            let by = value - previous;
            match kpi.unit.as_str() {
                "ratio" => Trend::Points(100.0 * by),
                "%" | "percent" => Trend::Points(by),
                _ if previous == 0.0 => Trend::Change { by, percent: None },
                _ => Trend::Change { by, percent: Some(100.0 * by / previous.abs()) },
            }
        });
        Ok(SeenKpi { standing: standing.to_owned(), value: current.value, trend })
    }
}
