//! Watches: the figures of rules, which are asked for again and again.

use crate::engine::Engine;
use crate::labels::Labels;
use crate::postings::Map;
use crate::query::{Expression, Query, QueryError};
use crate::table::{Rows, Table};
use crate::time::{DurationMs, TimestampMs};
use crate::window::Plan;

/// The figures of a list of expressions, each kept from one evaluation to the next, so that only what
/// changed is looked at.
///
/// They belong to one engine: with another one, begin anew.
#[derive(Clone, Debug, Default)]
pub struct Watches {
    /// By place in the list; none where the expression there was never asked for.
    watches: Vec<Option<Watch>>,
}

#[derive(Clone, Debug)]
struct Watch {
    expression: Expression,
    /// One table, or of a ratio the dividend's and the divisor's.
    tables: Vec<Table>,
}

impl Watch {
    fn new(expression: &Expression) -> Self {
        let table = |query: &Query| Table::new(query.clone(), vec![query.aggregation], Rows::ByLabels);
        let tables = match expression {
            Expression::Single(query) => vec![table(query)],
            Expression::Ratio(dividend, divisor) => vec![table(dividend), table(divisor)],
        };
        Self { expression: expression.clone(), tables }
    }

    /// The figure of each group of a table.
    fn figures_of(
        &mut self,
        table: usize,
        engine: &Engine,
        now: TimestampMs,
        round: &mut Round,
    ) -> Result<Vec<Figure>, QueryError> {
        let Some(table) = self.tables.get_mut(table) else { return Ok(Vec::new()) };
        let Round { whole, values } = round;
        let window = table.window();
        if whole.as_ref().is_some_and(|(of, at, _)| (*of, *at) != (window, now)) {
            *whole = None;
        }
        let (_, _, plan) = whole.get_or_insert_with(|| (window, now, engine.plan_of_whole(window, now)));
        table.answer_into(values, engine, (now, plan))?;
        let value = |value: &f64| (!value.is_nan()).then_some(*value);
        Ok(table.rows().iter().cloned().zip(values.iter().map(value)).collect())
    }
}

/// What the expressions that are looked at one after the other share.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// The time buckets of the window that was looked at last: most rules have the same one.
    whole: Option<(DurationMs, TimestampMs, Plan)>,
    /// Memory for the figures of a table.
    values: Vec<f64>,
}

/// One figure of an expression: the labels of its group, and its value where there is one.
pub(crate) type Figure = (Labels, Option<f64>);

impl Watches {
    /// The figure of each group of the expression at `place` of the list, as [`Engine::evaluate`] has
    /// them, in any order.
    pub(crate) fn figures(
        &mut self,
        place: usize,
        expression: &Expression,
        engine: &Engine,
        now: TimestampMs,
        round: &mut Round,
    ) -> Result<Vec<Figure>, QueryError> {
        if self.watches.len() <= place {
            self.watches.resize_with(place + 1, || None);
        }
        let watch = &mut self.watches[place];
        if watch.as_ref().is_some_and(|watch| watch.expression != *expression) {
            *watch = None;
        }
        let watch = watch.get_or_insert_with(|| Watch::new(expression));
        let mut figures = watch.figures_of(0, engine, now, round)?;
        if watch.tables.len() > 1 {
            let dividends = std::mem::replace(&mut figures, watch.figures_of(1, engine, now, round)?);
            // The groups of a ratio are those that both have.
            let mut places: Map<Labels, usize> = Map::default();
            for (place, (labels, _)) in dividends.iter().enumerate() {
                places.insert(labels.clone(), place);
            }
            figures.retain_mut(|(labels, value)| {
                let dividend = places.get(labels).map(|place| dividends[*place].1);
                let both = dividend.and_then(|dividend| dividend.zip(*value));
                *value = both.map(|(dividend, divisor)| dividend / divisor).filter(|ratio| ratio.is_finite());
                dividend.is_some()
            });
        }
        Ok(figures)
    }

    /// Forgets what comes behind `length` places.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.watches.truncate(length);
    }
}
