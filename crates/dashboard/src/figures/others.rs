//! Charts of metrics that the board does not name: nobody has said how to draw them, so that the kind of
//! the metric and its name decide.

use bellwether_core::board::{Board, Panel};
use bellwether_core::labels::{LabelName, MetricName};
use bellwether_core::query::{Aggregation, Expression, Query};
use bellwether_core::sample::Kind;
use bellwether_core::time::{DurationMs, TimestampMs};

use super::evaluate::{Idle, STRIP_COLUMNS, Source, strip as drawn};
use super::{Strip, units};
use crate::chart::palette::LINES;
use crate::filter::Filter;
use crate::others::LOOKS_BACK;
use crate::texts::Text;

/// An aggregation in a word; as boards write it where that is what people say.
pub(super) fn short(aggregation: Aggregation) -> String {
    let word = match aggregation {
        Aggregation::Avg => Text::FigureAvg,
        Aggregation::Min => Text::FigureMin,
        Aggregation::Max => Text::FigureMax,
        Aggregation::Sum => Text::MadeSum,
        Aggregation::Count => Text::MadeCount,
        Aggregation::Rate => Text::MadeRate,
        Aggregation::Increase => Text::MadeIncrease,
        Aggregation::Stddev => Text::MadeDeviation,
        other => return other.to_string(),
    };
    word.say().to_owned()
}

/// What a metric is drawn as where nobody says: averages of observations and gauges, rates of counters and events.
pub(super) const fn usual(kind: Option<Kind>) -> Aggregation {
    match kind {
        Some(Kind::Counter | Kind::Event) => Aggregation::Rate,
        Some(Kind::Observation | Kind::Gauge) | None => Aggregation::Avg,
    }
}

/// The chart of one metric as it is usual.
pub(super) fn strip(
    source: Source<'_>,
    board: &Board,
    name: &MetricName,
    filter: &Filter,
    window: DurationMs,
    at: TimestampMs,
) -> Strip {
    let query = Query::new(name.clone(), LOOKS_BACK, usual(source.engine.kind(name)));
    chart(source, board, filter, query, None, window, at).0
}

/// The chart of a query that has no conditions but the filter's, and its figure. Without `by` each series has a line, as
/// long as they can be told apart; else all have one together.
pub(super) fn chart(
    source: Source<'_>,
    board: &Board,
    filter: &Filter,
    query: Query,
    by: Option<Vec<LabelName>>,
    window: DurationMs,
    at: TimestampMs,
) -> (Strip, Expression) {
    let engine = source.engine;
    let mut each: Vec<LabelName> = Vec::new();
    let mut count = 0;
    for id in engine.matching(&query.metric, filter.matchers()) {
        count += 1;
        for (label, _) in engine.key(id).labels.iter() {
            if count <= LINES && each.iter().all(|known| known.as_str() != label) {
                each.extend(LabelName::new(label));
            }
        }
    }
    let by = by.unwrap_or(if count > LINES { Vec::new() } else { each });
    let together = count > 1 && by.is_empty();
    let (name, aggregation) = (query.metric.to_string(), query.aggregation);
    let figure = Expression::Single(Query { by, matchers: filter.matchers().to_vec(), ..query });
    let unit = units::of_figure(board, &figure);
    let panel =
        Panel { id: name.clone(), title: name, unit: String::new(), figure, threshold: None, section: String::new() };
    let mut strip = Strip { unit, ..drawn(source, &panel, filter, window, at, STRIP_COLUMNS, Idle::LeftOut) };
    if let (true, Some(line)) = (together, strip.lines.first_mut()) {
        let word = match aggregation {
            Aggregation::Rate => Text::MadeSum.say().to_owned(),
            Aggregation::Avg => Text::MadeAverage.say().to_owned(),
            other => short(other),
        };
        line.name = Text::OfSeries.count(count as u64, &[&word]);
    }
    (strip, panel.figure)
}

#[cfg(test)]
mod tests {
    use bellwether_core::engine::{Engine, EngineConfig};
    use bellwether_core::labels::{Labels, SeriesKey};
    use bellwether_core::sample::Sample;

    use super::*;
    use crate::feed::Completeness;
    use crate::format::Unit;

    const NOW: i64 = 1_700_000_000_000;

    /// Two minutes of `count` series that rise by `number` each second.
    fn drawn(metric: &str, kind: Kind, count: u32) -> Strip {
        let mut engine = Engine::new(EngineConfig::page()).unwrap();
        let name = MetricName::new(metric).unwrap();
        for number in 1..=count {
            let labels = Labels::new([("shard", number.to_string())]).unwrap();
            let id = engine.series(&SeriesKey { metric: name.clone(), labels }, Some(kind)).unwrap();
            for second in 0..120 {
                let at = TimestampMs::new(NOW - 119_500 + second * 1_000);
                let sample = Sample::new(at, f64::from(number) * second as f64).unwrap();
                engine.record(id, sample, TimestampMs::new(NOW)).unwrap();
            }
        }
        let source = Source {
            engine: &engine,
            completeness: Completeness::Complete,
            staleness: DurationMs::from_minutes(5),
            lacks: &[],
            restated: &[],
        };
        strip(source, &Board::default(), &name, &Filter::default(), DurationMs::from_minutes(5), TimestampMs::new(NOW))
    }

    fn latest(strip: &Strip) -> Vec<(&str, f64)> {
        let latest = |line: &crate::figures::Line| line.latest().map_or(f64::NAN, |point| point.value.round());
        strip.lines.iter().map(|line| (line.name.as_str(), latest(line))).collect()
    }

    #[test]
    fn few_series_have_a_line_each() {
        let strip = drawn("queue_depth", Kind::Gauge, 2);
        assert_eq!(latest(&strip), [("shard 1", 119.0), ("shard 2", 238.0)]);
        assert_eq!((strip.title.as_str(), strip.looks_back), ("queue_depth", None));
    }

    #[test]
    fn many_series_have_one_line_together() {
        let strip = drawn("sent_bytes_total", Kind::Counter, 7);
        assert_eq!(latest(&strip), [("sum of 7 series", 28.0)]);
        assert_eq!((strip.unit, strip.looks_back), (Unit::BytesPerSec, Some(LOOKS_BACK)));
        let strip = drawn("queue_depth", Kind::Gauge, 7);
        assert_eq!(latest(&strip), [("average of 7 series", 476.0)]);
    }
}
