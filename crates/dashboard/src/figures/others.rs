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

/// The chart of one metric: averages of observations and gauges, rates of counters and events. Each series
/// has a line, as long as they can be told apart; else all have one together.
pub(super) fn strip(
    source: Source<'_>,
    board: &Board,
    name: &MetricName,
    filter: &Filter,
    window: DurationMs,
    at: TimestampMs,
) -> Strip {
    let engine = source.engine;
    let aggregation = match engine.kind(name) {
        Some(Kind::Counter | Kind::Event) => Aggregation::Rate,
        Some(Kind::Observation | Kind::Gauge) | None => Aggregation::Avg,
    };
    let mut by: Vec<LabelName> = Vec::new();
    let mut count = 0;
    for id in engine.matching(name, filter.matchers()) {
        count += 1;
        for (label, _) in engine.key(id).labels.iter() {
            if count <= LINES && by.iter().all(|known| known.as_str() != label) {
                by.extend(LabelName::new(label));
            }
        }
    }
    let together = count > LINES;
    let by = if together { Vec::new() } else { by };
    let matchers = filter.matchers().to_vec();
    let figure = Expression::Single(Query { by, matchers, ..Query::new(name.clone(), LOOKS_BACK, aggregation) });
    let unit = units::of_figure(board, &figure);
    let panel = Panel {
        id: name.to_string(),
        title: name.to_string(),
        unit: String::new(),
        figure,
        threshold: None,
        section: String::new(),
    };
    let mut strip = Strip { unit, ..drawn(source, &panel, filter, window, at, STRIP_COLUMNS, Idle::LeftOut) };
    if let (true, Some(line)) = (together, strip.lines.first_mut()) {
        let word = if aggregation == Aggregation::Rate { "sum" } else { "average" };
        line.name = format!("{word} of {count} series");
    }
    strip
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
