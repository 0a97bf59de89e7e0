//! What of the gateway's series the page asks for.

use bellwether_core::board::Board;
use bellwether_core::labels::MetricName;
use bellwether_core::query::{Expression, Query};
use bellwether_core::selector::Matcher;
use bellwether_core::time::DurationMs;
use bellwether_wire::frame::{MAX_SELECTIONS, Selection};

use super::EXPLORED;

/// One selection for each metric and set of conditions that the board asks of it, in the order of the board: where there
/// is no room for all, the first have it. A metric of which all series are needed is asked for once. At most `longest`
/// is looked back.
///
/// Asked for is what the longest window that the reader has chosen shows, `reach`, and as much more as its first point
/// looks back: a chart's window, or a KPI's and the one before, with which its trend compares, and five minutes at the
/// least.
pub(super) fn selections(board: &Board, reach: DurationMs, longest: DurationMs) -> Vec<Selection> {
    let ranges = board.ranges();
    let mut chosen: Vec<Selection> = Vec::new();
    for Query { metric, matchers, .. } in queries(board) {
        if chosen.iter().any(|selection| selection.name == *metric && covers(&selection.matchers, matchers)) {
            continue;
        }
        // A subscription may hold only a few patterns: what they choose is chosen here.
        let matchers = if matchers.iter().any(|matcher| matcher.condition.is_pattern()) { &[] } else { &matchers[..] };
        if matchers.is_empty() {
            chosen.retain(|selection| selection.name != *metric);
        }
        let needed = ranges.get(metric).map_or(0, |range| range.as_millis()).max(EXPLORED.as_millis());
        let range = DurationMs::from_millis(reach.as_millis().saturating_add(needed));
        chosen.push(Selection { name: metric.clone(), matchers: matchers.to_vec(), range: range.min(longest) });
    }
    if chosen.len() <= MAX_SELECTIONS {
        return chosen;
    }
    let mut whole: Vec<Selection> = Vec::new();
    for selection in chosen {
        if whole.iter().all(|known| known.name != selection.name) {
            whole.push(Selection { matchers: Vec::new(), ..selection });
        }
    }
    whole
}

/// Whether all series of `metric` are asked for.
#[must_use]
pub fn holds_whole(board: &Board, metric: &MetricName) -> bool {
    let is_whole =
        |query: &Query| query.matchers.is_empty() || query.matchers.iter().any(|one| one.condition.is_pattern());
    queries(board).any(|query| query.metric == *metric && is_whole(query))
}

/// Whether the series that satisfy `wide` are at least those that satisfy `narrow`.
pub(super) fn covers(wide: &[Matcher], narrow: &[Matcher]) -> bool {
    wide.iter().all(|matcher| narrow.contains(matcher))
}

fn queries(board: &Board) -> impl Iterator<Item = &Query> {
    let kpis = board.kpis.iter().map(|kpi| &kpi.figure);
    let panels = board.panels.iter().map(|panel| &panel.figure);
    let rules = board.rules.iter().map(|rule| &rule.figure);
    kpis.chain(panels)
        .chain(rules)
        .flat_map(|figure| match figure {
            Expression::Single(query) => [Some(query), None],
            Expression::Ratio(dividend, divisor) => [Some(dividend), Some(divisor)],
        })
        .flatten()
}
