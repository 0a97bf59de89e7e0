//! Any metric of the gateway, as the reader asks for it.

use bellwether_core::board::Board;
use bellwether_core::labels::{LabelName, MetricName};
use bellwether_core::query::{Aggregation, Query};
use bellwether_core::time::{DurationMs, TimestampMs};

use super::evaluate::Source;
use super::sheet::{Pick, Picks, Sheet};
use super::{Strip, detail, others};
use crate::feed::EXPLORED;
use crate::format;
use crate::others::LOOKS_BACK;
use crate::route::{Param, Route};
use crate::texts::Text;

/// What can be asked of a metric, where it fits its kind.
const FIGURES: [&str; 10] = ["avg", "p50", "p95", "p99", "min", "max", "sum", "count", "rate", "increase"];
/// How far each point may look back, in seconds.
const LOOKS_BACK_SECS: [u64; 3] = [10, 60, EXPLORED.as_millis() / 1_000];
/// What stands in the address for all series together.
const TOGETHER: &str = "-";

/// The chart of the metric, what else can be asked of it, and its figures of now.
pub(super) fn explore(
    source: Source<'_>,
    board: &Board,
    name: &MetricName,
    route: &Route,
    at: TimestampMs,
) -> (Strip, Vec<Picks>, Vec<Sheet>) {
    let kind = source.engine.kind(name);
    let fits = |aggregation: &Aggregation| kind.is_none_or(|kind| aggregation.fits(kind));
    let asked = route.param(Param::Figure).parse().ok().filter(fits);
    let aggregation = asked.unwrap_or_else(|| others::usual(kind));
    let asked = route.param(Param::Back);
    let back = LOOKS_BACK_SECS.into_iter().map(DurationMs::from_secs).find(|back| back.to_string() == asked);
    let back = back.unwrap_or(LOOKS_BACK);
    let all = Query { matchers: route.filter.matchers().to_vec(), ..Query::new(name.clone(), back, aggregation) };
    let labels = detail::labels(source, &all);
    let asked = route.param(Param::By);
    let by: Option<Vec<LabelName>> = match labels.iter().find(|label| label.as_str() == asked) {
        Some(label) => Some(vec![label.clone()]),
        None if asked == TOGETHER => Some(Vec::new()),
        None => None,
    };
    let (strip, figure) = others::chart(source, board, &route.filter, all, by.clone(), route.length(), at);

    let pick =
        |param, text: String, value: &str, chosen| Pick { text, href: route.with_param(param, value).hash(), chosen };
    let figures = FIGURES.iter().filter(|word| word.parse().is_ok_and(|figure| fits(&figure)));
    let figures = figures.map(|word| {
        let text = word.parse().map_or_else(|_| (*word).to_owned(), others::short);
        pick(Param::Figure, text, word, aggregation.to_string() == *word)
    });
    let mut groups = vec![
        pick(Param::By, Text::EachSeries.say().to_owned(), "", by.is_none()),
        pick(Param::By, Text::AllTogether.say().to_owned(), TOGETHER, by.as_ref().is_some_and(Vec::is_empty)),
    ];
    groups.extend(labels.iter().map(|label| {
        let chosen = by.as_ref().is_some_and(|by| by.contains(label));
        pick(Param::By, label.to_string(), label.as_str(), chosen)
    }));
    let backs = LOOKS_BACK_SECS.into_iter().map(DurationMs::from_secs);
    let backs = backs.map(|length| pick(Param::Back, format::length(length), &length.to_string(), length == back));
    let mut picks = vec![
        Picks { title: Text::Figure.say().to_owned(), picks: figures.collect() },
        Picks { title: Text::By.say().to_owned(), picks: groups },
    ];
    if strip.looks_back.is_some() {
        picks.push(Picks { title: Text::EachPointOfLast.say().to_owned(), picks: backs.collect() });
    }
    let mut sheets = Vec::new();
    if by.as_ref().is_some_and(|by| !by.is_empty()) && strip.failure.is_none() {
        sheets.extend(detail::by_label(source, &figure, (&strip.unit, None), route, "-1", at));
    }
    for sheet in &mut sheets {
        // They stand above the chart already.
        sheet.picks.clear();
    }
    (strip, picks, sheets)
}
