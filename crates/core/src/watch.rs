//! Watches: the figures of rules, which are asked for again and again.

use crate::engine::Engine;
use crate::labels::Labels;
use crate::postings::Map;
use crate::query::{Expression, Query, QueryError};
use crate::table::{Rows, Table};
use crate::time::TimestampMs;

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
    ) -> Result<Vec<Figure>, QueryError> {
        if self.watches.len() <= place {
            self.watches.resize_with(place + 1, || None);
        }
        let watch = &mut self.watches[place];
        if watch.as_ref().is_some_and(|watch| watch.expression != *expression) {
            *watch = None;
        }
        let watch = watch.get_or_insert_with(|| Watch::new(expression));
        let mut answers = Vec::with_capacity(2);
        for table in &mut watch.tables {
            let values = table.answer(engine, now)?.values;
            let value = |value: f64| (!value.is_nan()).then_some(value);
            answers.push(table.rows().iter().cloned().zip(values.into_iter().map(value)).collect::<Vec<Figure>>());
        }
        let mut figures = answers.pop().unwrap_or_default();
        if let Some(dividends) = answers.pop() {
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
