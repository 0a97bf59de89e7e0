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
    let kpi = board.kpis.iter().find(|kpi| keeps_unit(&kpi.figure));
    kpi.map_or_else(|| of_name(metric.as_str()), |kpi| Unit::parse(&kpi.unit))
}

/// The unit at the end of a name in the Prometheus style, before `_total`.
fn of_name(name: &str) -> Unit {
    let name = name.strip_suffix("_total").unwrap_or(name);
    match name.rsplit('_').next() {
        Some(last @ ("seconds" | "milliseconds" | "ms" | "bytes" | "ratio" | "percent" | "days")) => Unit::parse(last),
        _ => Unit::None,
    }
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
        check("process_cpu_seconds_total", Aggregation::Increase, Unit::Secs);
        check("process_resident_memory_bytes", Aggregation::Avg, Unit::Bytes);
        check("seconds", Aggregation::Avg, Unit::Secs);
        check("ratio_of_things", Aggregation::Avg, Unit::None);
    }

    #[test]
    fn a_ratio_is_a_share() {
        let figure = Expression::Ratio(query("a", Aggregation::Increase), query("b", Aggregation::Increase));
        assert_eq!(of_figure(&Board::default(), &figure), Unit::Ratio);
    }
}
