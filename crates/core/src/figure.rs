//! Figures: how the engine answers a query.

use std::borrow::Cow;

use crate::engine::{Engine, SeriesId};
use crate::kept::Kept;
use crate::labels::{self, Labels};
use crate::moments;
use crate::query::{Across, Aggregation, Answer, Expression, Group, Quantile, Query, QueryError};
use crate::sample::Kind;
use crate::series::Series;
use crate::summary::{Summary, finite, greater, lesser};
use crate::time::{DurationMs, TimestampMs};
use crate::window::{Plan, Pool, Spread};

impl Aggregation {
    pub(crate) const fn spread(self) -> Spread {
        match self {
            Self::Quantile(_) => Spread::Needed,
            _ => Spread::NotNeeded,
        }
    }

    /// What a change is the change of.
    pub(crate) const fn of_which_delta(kind: Kind) -> Self {
        match kind {
            Kind::Counter | Kind::Event => Self::Increase,
            Kind::Observation | Kind::Gauge => Self::Avg,
        }
    }

    /// Whether it needs the order of the samples of one series.
    pub(crate) const fn is_of_one_series(self) -> bool {
        matches!(self, Self::First | Self::Last)
    }

    /// The figure of a window of length `covered`, and the bound of its relative error.
    pub(crate) fn of(self, pool: &Pool, covered: DurationMs) -> Option<(f64, f64)> {
        self.of_summary(pool.summary()?, pool.increase(), |q| pool.quantile(q), covered)
    }

    /// [`Aggregation::of`] where increase and quantiles are told apart from the summary.
    fn of_summary(
        self,
        summary: &Summary,
        increase: Option<f64>,
        quantile: impl FnOnce(Quantile) -> Option<(f64, f64)>,
        covered: DurationMs,
    ) -> Option<(f64, f64)> {
        Some(match self {
            Self::Quantile(q) => quantile(q)?,
            Self::Avg => (summary.mean(), 0.0),
            Self::Sum => (summary.sum, 0.0),
            Self::Count => (summary.count as f64, 0.0),
            Self::Min => (summary.min, 0.0),
            Self::Max => (summary.max, 0.0),
            Self::First => (summary.first.value(), 0.0),
            Self::Last => (summary.last.value(), 0.0),
            Self::Stddev => (summary.stddev(), 0.0),
            Self::Increase => (increase?, 0.0),
            Self::Rate if covered == DurationMs::ZERO => return None,
            Self::Rate => (finite(increase? / covered.as_secs_f64()), 0.0),
            // Made of two windows, by those who have both.
            Self::Delta => return None,
        })
    }
}

impl Across {
    /// Joins the figures of several series; of [`Across::Merge`] there is one already.
    pub(crate) fn join(self, figures: impl Iterator<Item = f64>) -> Option<f64> {
        let mut joined: Option<f64> = None;
        let mut count = 0_u32;
        for figure in figures {
            count += 1;
            joined = Some(match (joined, self) {
                (None, _) => figure,
                (Some(joined), Self::Min) => lesser(joined, figure),
                (Some(joined), Self::Max) => greater(joined, figure),
                (Some(joined), _) => finite(joined + figure),
            });
        }
        if self == Self::Avg { joined.map(|sum| sum / f64::from(count)) } else { joined }
    }

    /// The bound of the relative error of what figures come to, each of which has a bound below 1 of
    /// its own.
    ///
    /// Figures of one sign keep the greatest of their bounds, and so do the least and the greatest of
    /// any. In a sum of both signs the errors stay and the figures cancel: it is infinite where the
    /// sum is no greater than its error may be.
    fn relative_error(self, figures: &[(f64, f64)]) -> f64 {
        let greatest = figures.iter().fold(0.0_f64, |greatest, (_, bound)| greater(greatest, *bound));
        let is_above = figures.iter().any(|(figure, _)| *figure > 0.0);
        let is_below = figures.iter().any(|(figure, _)| *figure < 0.0);
        if greatest == 0.0 || !(is_above && is_below) || !matches!(self, Self::Sum | Self::Avg) {
            return greatest;
        }
        // A bound is relative to the exact figure, which may be greater than the estimate.
        let error: f64 = figures.iter().map(|(figure, bound)| figure.abs() * bound / (1.0 - bound)).sum();
        let sum = figures.iter().map(|(figure, _)| figure).sum::<f64>().abs();
        if sum > error { error / (sum - error) } else { f64::INFINITY }
    }
}

impl Engine {
    /// One figure over all series that match; `by` is left aside. A metric or series that is not
    /// there gives an answer without value.
    ///
    /// Cost: O(time buckets in the window) for each series, not its samples.
    ///
    /// # Errors
    /// [`QueryError`] where the window has no length or is longer than what is kept, `now` lies within
    /// a time bucket of the past that is no longer told apart, the aggregation does not fit the
    /// metric's kind, or `first` or `last` is asked of several series
    /// at once.
    pub fn query(&self, query: &Query, now: TimestampMs) -> Result<Answer, QueryError> {
        let kind = self.checked(query)?;
        let series: Vec<SeriesId> = self.matching(&query.metric, &query.matchers).collect();
        self.answer(query, kind, &series, now)
    }

    /// One figure for each group of series that agree in the labels of `by`, sorted by those
    /// labels; with an empty `by` one group when any series matches.
    ///
    /// # Errors
    /// [`QueryError`], as [`Engine::query`].
    pub fn query_groups(&self, query: &Query, now: TimestampMs) -> Result<Vec<Group>, QueryError> {
        let kind = self.checked(query)?;
        let answer = |(labels, series): (Labels, Vec<SeriesId>)| {
            let answer = self.answer(query, kind, &series, now)?;
            Ok(Group { labels, answer })
        };
        self.groups(query).into_iter().map(answer).collect()
    }

    /// The groups of an expression. The groups of a ratio are those that both queries have; the
    /// count is the divisor's.
    ///
    /// # Errors
    /// [`QueryError`], as [`Engine::query`].
    pub fn evaluate(&self, expression: &Expression, now: TimestampMs) -> Result<Vec<Group>, QueryError> {
        match expression {
            Expression::Single(query) => self.query_groups(query, now),
            Expression::Ratio(dividend, divisor) => {
                let dividends = self.query_groups(dividend, now)?;
                let mut divisors = self.query_groups(divisor, now)?;
                divisors.retain_mut(|divisor| {
                    let dividend = dividends.binary_search_by(|group| group.labels.cmp(&divisor.labels));
                    if let Ok(place) = dividend {
                        divisor.answer = ratio(&dividends[place].answer, &divisor.answer);
                    }
                    dividend.is_ok()
                });
                Ok(divisors)
            }
        }
    }

    /// One figure of an expression over all series; `by` is left aside.
    ///
    /// # Errors
    /// [`QueryError`], as [`Engine::query`].
    pub fn evaluate_one(&self, expression: &Expression, now: TimestampMs) -> Result<Answer, QueryError> {
        match expression {
            Expression::Single(query) => self.query(query, now),
            Expression::Ratio(dividend, divisor) => Ok(ratio(&self.query(dividend, now)?, &self.query(divisor, now)?)),
        }
    }

    /// Checks what can be checked before any series is looked at; the kind is that of the metric,
    /// or any where there is no such metric.
    pub(crate) fn checked(&self, query: &Query) -> Result<Kind, QueryError> {
        let (window, longest) = (query.window, self.longest_window());
        if window == DurationMs::ZERO {
            return Err(QueryError::ZeroWindow);
        }
        if window > longest {
            return Err(QueryError::WindowTooLong { window, longest });
        }
        let kind = self.kind(&query.metric).unwrap_or(Kind::Observation);
        if !query.aggregation.fits(kind) {
            let (metric, aggregation) = (query.metric.clone(), query.aggregation);
            return Err(QueryError::NotForKind { metric, aggregation, kind });
        }
        Ok(kind)
    }

    /// The matching series by the labels of `by`, in the order of the labels.
    pub(crate) fn groups(&self, query: &Query) -> Vec<(Labels, Vec<SeriesId>)> {
        let all: Vec<SeriesId> = self.matching(&query.metric, &query.matchers).collect();
        if query.by.is_empty() {
            return if all.is_empty() { Vec::new() } else { vec![(Labels::empty(), all)] };
        }
        let mut sorted: Vec<(Labels, u32)> = Vec::with_capacity(all.len());
        sorted.extend((0..).zip(&all).map(|(place, id)| (self.key(*id).labels.only(&query.by), place)));
        labels::sort(&mut sorted);
        let mut groups: Vec<(Labels, Vec<SeriesId>)> = Vec::new();
        for (labels, place) in sorted {
            let id = all[place as usize];
            match groups.last_mut() {
                Some((last, series)) if *last == labels => series.push(id),
                _ => groups.push((labels, vec![id])),
            }
        }
        groups
    }

    /// The edges from which on each tier holds all samples of all of `series`.
    pub(crate) fn complete_from(&self, series: &[SeriesId]) -> Vec<TimestampMs> {
        let of_tier = |tier: usize| {
            let edges = series.iter().map(|id| self.horizon.complete_from(tier, self.of(*id).tier(tier)));
            edges.fold(self.horizon.edge(tier), TimestampMs::max)
        };
        (0..self.horizon.tiers()).map(of_tier).collect()
    }

    fn answer(&self, query: &Query, kind: Kind, series: &[SeriesId], now: TimestampMs) -> Result<Answer, QueryError> {
        let complete = self.complete_from(series);
        let plan = |from, to| {
            let plan = Plan::new(&self.horizon, &complete, from, to);
            plan.settled(series.iter().map(|id| self.of(*id)), &self.horizon)
        };
        let whole = plan(now - query.window, now)?;
        if query.aggregation != Aggregation::Delta {
            return self.figure(query, query.aggregation, series, &whole);
        }
        let aggregation = Aggregation::of_which_delta(kind);
        let current = self.figure(query, aggregation, series, &whole)?;
        // The window before ends where this one really begins, so that no sample is in both.
        let start = whole.from - query.window;
        let value = match (current.value, plan(start, whole.from)) {
            (Some(value), Ok(earlier)) if earlier.from <= start => {
                let previous = self.figure(query, aggregation, series, &earlier)?;
                previous.value.map(|previous| finite(value - previous))
            }
            _ => None,
        };
        Ok(Answer { value, ..current })
    }

    /// The time buckets of a window over series that have all that came in every tier.
    pub(crate) fn plan_of_whole(&self, window: DurationMs, now: TimestampMs) -> Plan {
        Plan::new(&self.horizon, &self.complete_from(&[]), now - window, now)
    }

    /// Several figures of the same window, which is put together once, and kept for the next time
    /// where `kept` can. The query's own aggregation is left aside; each of `aggregations` is one that
    /// [`Engine::checked`] lets pass. `whole` is what [`Engine::plan_of_whole`] says of the window.
    pub(crate) fn answers(
        &self,
        query: &Query,
        aggregations: &[Aggregation],
        series: &[SeriesId],
        (now, whole): (TimestampMs, &Plan),
        kept: &mut Kept,
        mut each: impl FnMut(usize, Answer),
    ) -> Result<(), QueryError> {
        let kind = self.kind_of_all(query, series);
        let of_series = || series.iter().map(|id| self.of(*id));
        let mut plan = Cow::Borrowed(whole);
        if of_series().any(Series::is_patchy) {
            plan = Cow::Owned(Plan::new(&self.horizon, &self.complete_from(series), now - query.window, now));
        }
        if !plan.is_settled(of_series(), &self.horizon) {
            plan = Cow::Owned(plan.into_owned().settled(of_series(), &self.horizon)?);
        }
        let plan = &*plan;
        let can_be_kept = kind != Kind::Counter
            && (query.across == Across::Merge || series.len() == 1)
            && !aggregations
                .iter()
                .any(|aggregation| matches!(aggregation, Aggregation::First | Aggregation::Last | Aggregation::Delta));
        if can_be_kept {
            kept.look(self, series, plan, |moments, tally| {
                let mut summary = moments::summary(moments);
                if let Some(summary) = &mut summary {
                    summary.settle_increase(kind);
                }
                let mut walk = tally.walk(moments.count);
                for (place, aggregation) in aggregations.iter().enumerate() {
                    let figure = summary.as_ref().and_then(|summary| {
                        let quantile = |q| Some(summary.quantile_of(q, |rank| walk.value_at(rank), tally.scale()));
                        aggregation.of_summary(summary, Some(summary.increase), quantile, plan.covered())
                    });
                    let value = query.across.join(figure.iter().map(|(figure, _)| *figure));
                    let relative_error = figure.map_or(0.0, |(_, bound)| bound);
                    each(place, Answer { value, count: moments.count, from: plan.from, to: plan.to, relative_error });
                }
            });
            return Ok(());
        }
        let needs_sketches = aggregations.iter().any(|aggregation| aggregation.spread() == Spread::Needed);
        let pooled = self.pooled(query, if needs_sketches { Spread::Needed } else { Spread::NotNeeded }, series, plan);
        for (place, aggregation) in aggregations.iter().enumerate() {
            let answer = match aggregation {
                // It is made of two windows.
                Aggregation::Delta => {
                    self.answer(&Query { aggregation: *aggregation, ..query.clone() }, kind, series, now)
                }
                _ => pooled.answer(query, *aggregation, plan),
            };
            each(place, answer?);
        }
        Ok(())
    }

    /// The kind of the metric, which all its series have.
    fn kind_of_all(&self, query: &Query, series: &[SeriesId]) -> Kind {
        let first = series.first().map(|id| self.of(*id).kind());
        first.or_else(|| self.kind(&query.metric)).unwrap_or(Kind::Observation)
    }

    fn figure(
        &self,
        query: &Query,
        aggregation: Aggregation,
        series: &[SeriesId],
        plan: &Plan,
    ) -> Result<Answer, QueryError> {
        self.pooled(query, aggregation.spread(), series, plan).answer(query, aggregation, plan)
    }

    fn pooled(&self, query: &Query, spread: Spread, series: &[SeriesId], plan: &Plan) -> Pooled {
        let pools = series.iter().map(|id| plan.pool(self.of(*id), &self.horizon, spread));
        let pools: Vec<Pool> = pools.filter(|pool| pool.count() > 0).collect();
        Pooled {
            count: pools.iter().fold(0, |count: u64, pool| count.saturating_add(pool.count())),
            series: pools.len(),
            pools: if query.across == Across::Merge { merged(pools).into_iter().collect() } else { pools },
        }
    }
}

/// The samples of a window, joined as far as the query says.
struct Pooled {
    /// Number of samples.
    count: u64,
    /// Number of series that have any.
    series: usize,
    pools: Vec<Pool>,
}

impl Pooled {
    fn answer(&self, query: &Query, aggregation: Aggregation, plan: &Plan) -> Result<Answer, QueryError> {
        if query.across == Across::Merge && aggregation.is_of_one_series() && self.series > 1 {
            let (metric, series) = (query.metric.clone(), self.series);
            return Err(QueryError::AcrossNeeded { metric, aggregation, series });
        }
        Ok(answer_of(&self.pools, query, aggregation, plan, self.count))
    }
}

fn answer_of(pools: &[Pool], query: &Query, aggregation: Aggregation, plan: &Plan, count: u64) -> Answer {
    let covered = plan.covered();
    let figures: Vec<(f64, f64)> = pools.iter().filter_map(|pool| aggregation.of(pool, covered)).collect();
    Answer {
        value: query.across.join(figures.iter().map(|(figure, _)| *figure)),
        count,
        from: plan.from,
        to: plan.to,
        relative_error: query.across.relative_error(&figures),
    }
}

/// The samples of several series as one.
pub(crate) fn merged(pools: Vec<Pool>) -> Option<Pool> {
    pools.into_iter().reduce(|mut merged, pool| {
        merged.add_series(pool);
        merged
    })
}

fn ratio(dividend: &Answer, divisor: &Answer) -> Answer {
    let value = match (dividend.value, divisor.value) {
        (Some(dividend), Some(divisor)) => Some(dividend / divisor).filter(|ratio| ratio.is_finite()),
        _ => None,
    };
    let relative_error = if divisor.relative_error < 1.0 {
        (1.0 + dividend.relative_error) / (1.0 - divisor.relative_error) - 1.0
    } else {
        f64::INFINITY
    };
    Answer {
        value,
        count: divisor.count,
        from: dividend.from.min(divisor.from),
        to: dividend.to.min(divisor.to),
        relative_error,
    }
}
