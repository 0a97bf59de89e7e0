//! The unit of a rule's figure: rules name none, so it follows from the metric and the aggregation.

use bellwether_core::board::Board;
use bellwether_core::labels::MetricName;
use bellwether_core::query::{Aggregation, Expression, Query};

use crate::format::Unit;

/// The unit of `figure`, as far as the board tells; [`Unit::None`] where it does not.
#[must_use]
pub fn of_figure(board: &Board, figure: &Expression) -> Unit {
    // A KPI or panel with the very same figure has said it.
    let named = board.kpis.iter().find(|kpi| kpi.figure == *figure).map(|kpi| &kpi.unit);
    if let Some(unit) = named.or_else(|| board.panels.iter().find(|panel| panel.figure == *figure).map(|p| &p.unit)) {
        return Unit::parse(unit);
    }
    match figure {
        Expression::Ratio(..) => Unit::Ratio,
        Expression::Single(query) => of_query(board, query),
    }
}

fn of_query(board: &Board, query: &Query) -> Unit {
    match (query.aggregation, of_metric(board, &query.metric)) {
        (Aggregation::Count, _) => Unit::None,
        (Aggregation::Rate, Unit::Bytes) => Unit::BytesPerSec,
        (Aggregation::Rate, _) => Unit::PerSec,
        (_, unit) => unit,
    }
}

fn of_metric(board: &Board, metric: &MetricName) -> Unit {
    if let Some(declared) = board.metrics.iter().find(|declared| declared.name == *metric) {
        return Unit::parse(&declared.unit);
    }
    let keeps_unit = |figure: &Expression| match figure {
        Expression::Single(query) => {
            query.metric == *metric && !matches!(query.aggregation, Aggregation::Count | Aggregation::Rate)
        }
        Expression::Ratio(..) => false,
    };
    board.kpis.iter().find(|kpi| keeps_unit(&kpi.figure)).map_or(Unit::None, |kpi| Unit::parse(&kpi.unit))
}

#[cfg(test)]
mod tests {
    use bellwether_core::board::MetricDeclaration;
    use bellwether_core::sample::Kind;
    use bellwether_core::time::DurationMs;

    use super::*;

    fn query(metric: &str, aggregation: Aggregation) -> Query {
        Query::new(MetricName::new(metric).unwrap(), DurationMs::from_minutes(5), aggregation)
    }

    #[track_caller]
    fn check(metric: &str, aggregation: Aggregation, expected: Unit) {
        let declared = |name: &str, unit: &str| MetricDeclaration {
            name: MetricName::new(name).unwrap(),
            kind: Kind::Observation,
            unit: unit.to_owned(),
            help: String::new(),
        };
        let metrics = vec![declared("latency", "ms"), declared("received_total", "bytes")];
        let board = Board { metrics, ..Board::default() };
        assert_eq!(of_figure(&board, &Expression::Single(query(metric, aggregation))), expected);
    }

    #[test]
    fn units_follow_from_metric_and_aggregation() {
        check("latency", Aggregation::Avg, Unit::Millis);
        check("latency", Aggregation::Count, Unit::None);
        check("latency", Aggregation::Rate, Unit::PerSec);
        check("received_total", Aggregation::Rate, Unit::BytesPerSec);
        check("received_total", Aggregation::Increase, Unit::Bytes);
        check("unknown", Aggregation::Avg, Unit::None);
    }

    #[test]
    fn a_ratio_is_a_share() {
        let figure = Expression::Ratio(query("a", Aggregation::Increase), query("b", Aggregation::Increase));
        assert_eq!(of_figure(&Board::default(), &figure), Unit::Ratio);
    }
}
