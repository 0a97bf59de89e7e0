//! Which figures are restated: those whose window holds a sample that was changed after it was stored.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use bellwether_core::engine::Engine;
use bellwether_core::labels::{Labels, SeriesKey};
use bellwether_core::query::{Aggregation, Answer, Expression, Group, Query};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_core::watch::Watches;
use bellwether_wire::frame::RestatedSpan;

use super::feed::Feed;
use super::{Hub, State};
use crate::store::Mark;

/// Most spans that a subscription is told.
const MOST_SPANS: usize = 1_000;
/// The longest span of a mark.
const LONGEST: DurationMs = DurationMs::from_hours(1);

/// The spans of each series in which samples were changed, by their ends.
#[derive(Debug, Default)]
pub(super) struct Restated(BTreeMap<SeriesKey, BTreeMap<TimestampMs, Mark>>);

impl Restated {
    pub(super) fn add(&mut self, marks: impl IntoIterator<Item = (SeriesKey, Mark)>) {
        for (series, mark) in marks {
            let spans = self.0.entry(series).or_default();
            let before = spans.get(&mark.to).map_or(mark.from, |before| before.from);
            spans.insert(mark.to, Mark { from: before.min(mark.from), ..mark });
        }
    }

    /// All marks, by series and by their ends.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<(SeriesKey, Mark)> {
        self.0.iter().flat_map(|(series, spans)| spans.values().map(|mark| (series.clone(), *mark))).collect()
    }

    /// Takes out the marks that end at these instants.
    fn forget(&mut self, instants: impl IntoIterator<Item = (SeriesKey, TimestampMs)>) {
        for (series, at) in instants {
            if let Some(spans) = self.0.get_mut(&series) {
                spans.remove(&at);
            }
        }
        self.0.retain(|_, spans| !spans.is_empty());
    }

    /// Takes out the marks of spans that ended by `edge`.
    fn forget_until(&mut self, edge: TimestampMs) {
        for spans in self.0.values_mut() {
            while spans.first_entry().is_some_and(|oldest| *oldest.key() <= edge) {
                spans.pop_first();
            }
        }
        self.0.retain(|_, spans| !spans.is_empty());
    }

    /// Where samples of the series of a feed were changed in the range that it asks for: those that were changed
    /// last.
    pub(super) fn spans(&self, feed: &Feed, now: TimestampMs) -> Vec<RestatedSpan> {
        let of_feed = self.0.iter().filter(|(series, _)| feed.takes(series)).flat_map(|(series, spans)| {
            let from = now - feed.range_of(series);
            spans.range(from..).map(move |(_, mark)| (series, mark))
        });
        let mut spans: Vec<_> = of_feed.collect();
        spans.sort_by_key(|(_, mark)| Reverse(mark.changed_at));
        let span = |(series, mark): (&SeriesKey, &Mark)| {
            let Mark { from, to, changed_at: at } = *mark;
            RestatedSpan { series: series.clone(), from, to, at }
        };
        spans.into_iter().take(MOST_SPANS).map(span).collect()
    }

    /// When a sample of the windows that end at `at` was changed last; of those that answer for `group`, where
    /// there are groups. `covered` is the left edge that the answer says.
    fn of(
        &self,
        expression: &Expression,
        group: Option<&Labels>,
        covered: TimestampMs,
        at: TimestampMs,
    ) -> Option<TimestampMs> {
        if self.0.is_empty() {
            return None;
        }
        let queries = match expression {
            Expression::Single(query) => vec![query],
            Expression::Ratio(query, over) => vec![query, over],
        };
        queries.into_iter().filter_map(|query| self.of_query(query, group, covered, at)).max()
    }

    fn of_query(
        &self,
        query: &Query,
        group: Option<&Labels>,
        covered: TimestampMs,
        at: TimestampMs,
    ) -> Option<TimestampMs> {
        let mut from = covered.min(at - query.window);
        if query.aggregation == Aggregation::Delta {
            // It is against the window before.
            from = from - at.since(from);
        }
        let wanted = |series: &SeriesKey| {
            series.metric == query.metric
                && query.matchers.iter().all(|matcher| matcher.matches(&series.labels))
                && group.is_none_or(|group| series.labels.only(&query.by) == *group)
        };
        let spans =
            self.0.iter().filter(|(series, _)| wanted(series)).flat_map(|(_, spans)| {
                spans.range(from + DurationMs::from_millis(1)..=at + LONGEST).map(|(_, mark)| mark)
            });
        spans.filter(|mark| mark.from < at).map(|mark| mark.changed_at).max()
    }
}

/// What a correction changes of the marks of series.
#[derive(Clone, Debug)]
pub(crate) enum NewMarks {
    /// Those that end at the instants `untold` go, then `restated` come.
    Changed { untold: Vec<(SeriesKey, TimestampMs)>, restated: Vec<(SeriesKey, Mark)> },
    /// These are all there are of the series.
    All(Vec<(SeriesKey, Mark)>),
}

impl Hub {
    /// Shows which spans were restated before.
    pub(crate) fn install_restated(&self, marks: Vec<(SeriesKey, Mark)>) {
        self.state().restated.add(marks);
    }

    /// Forgets which spans that ended by `edge` were restated: nothing is kept of them.
    pub(crate) fn forget_restated_until(&self, edge: TimestampMs) {
        self.state().restated.forget_until(edge);
    }

    /// Shows series anew after samples of them were changed: as `anew` has them, an engine like this one, of which
    /// nothing is left. `seq` is the place of the change. Who follows one of them is let go: on connecting again it is
    /// told of a gap and gets the history anew. Cost: O(series), whatever they hold.
    pub(crate) fn restate(&self, series: &[SeriesKey], mut anew: Engine, marks: NewMarks, seq: u64) {
        let mut state = self.state();
        let State { engine, watches, fanout, place, restated, .. } = &mut *state;
        for key in series {
            let Some(id) = engine.find(key) else { continue };
            if !engine.replace(id, &mut anew) {
                tracing::error!(series = %key, "a corrected series is of another kind in the store; its figures stay as they were");
            }
        }
        *watches = Watches::default();
        match marks {
            NewMarks::Changed { untold, restated: marks } => {
                restated.forget(untold);
                restated.add(marks);
            }
            NewMarks::All(marks) => {
                series.iter().for_each(|key| drop(restated.0.remove(key)));
                restated.add(marks);
            }
        }
        // A place that nobody has had yet, so that no resumption finds its place behind the change.
        place.seq = seq.max(place.seq + 1);
        fanout.restate(series);
    }

    /// When a sample of a figure's window was changed last.
    pub(crate) fn restated(&self, expression: &Expression, at: TimestampMs, answer: &Answer) -> Option<TimestampMs> {
        self.state().restated.of(expression, None, answer.from, at)
    }

    /// The same for each group.
    pub(crate) fn restated_groups(
        &self,
        expression: &Expression,
        at: TimestampMs,
        groups: &[Group],
    ) -> Vec<Option<TimestampMs>> {
        let state = self.state();
        let of = |group: &Group| state.restated.of(expression, Some(&group.labels), group.answer.from, at);
        groups.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::labels::{LabelName, MetricName};

    fn key(team: &str) -> SeriesKey {
        SeriesKey { metric: MetricName::new("m").unwrap(), labels: Labels::new([("team", team)]).unwrap() }
    }

    fn at(ms: i64) -> TimestampMs {
        TimestampMs::new(ms)
    }

    #[track_caller]
    fn check(aggregation: Aggregation, group: Option<&str>, end: i64, expected: Option<i64>) {
        let mut restated = Restated::default();
        let mark = |from, to, changed_at| Mark { from: at(from), to: at(to), changed_at: at(changed_at) };
        restated.add([(key("a"), mark(9_999, 10_000, 77)), (key("b"), mark(0, 3_600_000, 78))]);
        let metric = MetricName::new("m").unwrap();
        let by = group.map(|_| LabelName::new("team").unwrap()).into_iter().collect();
        let query = Query { by, ..Query::new(metric, DurationMs::from_secs(5), aggregation) };
        let labels = group.map(|team| Labels::new([("team", team)]).unwrap());
        let end = at(end);
        let found = restated.of(&Expression::Single(query), labels.as_ref(), end - DurationMs::from_secs(5), end);
        assert_eq!(found, expected.map(at), "{end:?}");
    }

    #[test]
    fn what_is_erased_and_what_is_dropped_is_told_no_more() {
        let mut restated = Restated::default();
        let mark = |to: i64| Mark { from: at(to - 1), to: at(to), changed_at: at(77) };
        restated.add([(key("a"), mark(1_000)), (key("a"), mark(2_000)), (key("b"), mark(9_000))]);
        let ends = |restated: &Restated| {
            restated
                .0
                .iter()
                .flat_map(|(key, spans)| spans.keys().map(move |at| (key.clone(), at.get())))
                .collect::<Vec<_>>()
        };
        restated.forget([(key("a"), at(1_000)), (key("c"), at(1_000))]);
        assert_eq!(ends(&restated), [(key("a"), 2_000), (key("b"), 9_000)]);
        restated.forget_until(at(2_000));
        assert_eq!((ends(&restated), restated.0.len()), (vec![(key("b"), 9_000)], 1));
    }

    #[test]
    fn a_figure_is_restated_where_its_window_holds_a_change() {
        let avg = Aggregation::Avg;
        check(avg, Some("a"), 9_999, None);
        check(avg, Some("a"), 10_000, Some(77));
        check(avg, Some("a"), 14_999, Some(77));
        check(avg, Some("a"), 15_000, None);
        check(Aggregation::Delta, Some("a"), 15_000, Some(77));
        check(avg, Some("b"), 12_000, Some(78));
        check(avg, Some("c"), 12_000, None);
        check(avg, None, 12_000, Some(78));
        check(avg, None, 4_000_000, None);
    }
}
