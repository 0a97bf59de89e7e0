//! What a filter needs to know and what it adds: the labels that can be chosen, and the rules as they would be judged on
//! the filtered view.

use bellwether_core::board::Board;
use bellwether_core::engine::Engine;
use bellwether_core::time::TimestampMs;

use super::evaluate::{Source, leading};
use super::{Ask, Instant, labels, units};
use crate::feed::Completeness;
use crate::format::{self, Precision, Unit};
use crate::texts::{self, Text};

/// Most values of a label that can be chosen from.
pub const MOST_VALUES: usize = 200;
/// Most conditions that a preview lists.
const MOST_PREVIEWED: usize = 5;

/// A label of the series on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its name.
    pub label: String,
    /// Its values in order; the first [`MOST_VALUES`] of them.
    pub values: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

/// The labels of all series, in order: first those of what somebody answers for, the KPIs of the board, then all others, such as
/// those of the gateway's own metrics. Cost: O(series · labels · log values).
#[must_use]
pub fn choices(engines: &[&Engine], board: &Board) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    let mut of_kpis: Vec<String> = Vec::new();
    for (engine, (metric, ..)) in engines.iter().flat_map(|engine| engine.metrics().map(move |metric| (engine, metric)))
    {
        let of_kpi = board.kpis.iter().any(|kpi| leading(&kpi.figure).metric == *metric);
        for id in engine.matching(metric, &[]) {
            for (label, value) in engine.key(id).labels.iter() {
                if of_kpi && of_kpis.iter().all(|known| known != label) {
                    of_kpis.push(label.to_owned());
                }
                let place = choices.binary_search_by(|choice| choice.label.as_str().cmp(label));
                let place = place.unwrap_or_else(|place| {
                    choices.insert(place, Choice { label: label.to_owned(), values: Vec::new(), more: 0 });
                    place
                });
                let values = &mut choices[place].values;
                if let Err(place) = values.binary_search_by(|known| known.as_str().cmp(value)) {
                    values.insert(place, value.to_owned());
                }
            }
        }
    }
    for choice in &mut choices {
        choice.more = choice.values.len().saturating_sub(MOST_VALUES);
        choice.values.truncate(MOST_VALUES);
    }
    let mut first = 0;
    for place in 0..choices.len() {
        if of_kpis.contains(&choices[place].label) {
            let choice = choices.remove(place);
            choices.insert(first, choice);
            first += 1;
        }
    }
    choices
}

/// A sentence about the rules of the board whose conditions hold at `at` for the series that the filter leaves: this
/// instant only, for nobody has watched them for as long as a rule asks. Empty where there is no filter or there are no
/// rules.
#[must_use]
pub fn preview(source: Source<'_>, ask: &Ask, at: TimestampMs) -> String {
    let (board, filter) = (&ask.board, &ask.route.filter);
    if filter.is_empty() || board.rules.is_empty() {
        return String::new();
    }
    if source.completeness == Completeness::Filling {
        return Text::PreviewFilling.fill(&[&filter.words()]);
    }
    let mut held = Vec::new();
    let mut unknown = 0;
    for rule in &board.rules {
        let mut figure = rule.figure.clone();
        filter.narrow_figure(&mut figure);
        if source.shortage(&figure).is_some() {
            unknown += 1;
            continue;
        }
        for group in source.engine.evaluate(&figure, at - rule.query_offset).unwrap_or_default() {
            let Some(value) = group.answer.value.filter(|value| rule.comparison.holds(*value, rule.threshold)) else {
                continue;
            };
            let unit: Unit = units::of_figure(board, &rule.figure);
            let name = labels::text(group.labels.iter());
            let name = if name.is_empty() { rule.name.clone() } else { format!("{} ({name})", rule.name) };
            let text = |value| format::figure(value, &unit).text();
            held.push(format!(
                "{name}, {}, {} {}",
                text(value),
                texts::comparison(rule.comparison),
                text(rule.threshold)
            ));
        }
    }
    let more = held.len().saturating_sub(MOST_PREVIEWED);
    held.truncate(MOST_PREVIEWED);
    // Of a picture that stands still nothing is said of now.
    let (words, list, then) = (filter.words(), held.join("; "), format::time_of_day(at, Precision::Seconds));
    let mut said = match (ask.at, held.is_empty()) {
        (Instant::Now, true) => Text::PreviewNone.fill(&[&words]),
        (Instant::Now, false) => Text::PreviewHeld.fill(&[&words, &list]),
        (Instant::LastKnown | Instant::Fixed(_) | Instant::Bygone, true) => {
            Text::PreviewNoneThen.fill(&[&words, &then])
        }
        (Instant::LastKnown | Instant::Fixed(_) | Instant::Bygone, false) => {
            Text::PreviewHeldThen.fill(&[&words, &list, &then])
        }
    };
    if more > 0 {
        said.push_str(&Text::PreviewMore.fill(&[&format::count(more as u64)]));
    }
    if unknown > 0 {
        said.push_str(&Text::PreviewUnknown.fill(&[&format::count(unknown)]));
    }
    said.push_str(Text::PreviewEnd.say());
    said
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use bellwether_core::board::Board;
    use bellwether_core::engine::EngineConfig;
    use bellwether_core::labels::{Labels, MetricName, SeriesKey};
    use bellwether_core::sample::Sample;
    use bellwether_core::time::DurationMs;

    use super::*;
    use crate::feed::{Lack, Shortage};
    use crate::filter::Filter;
    use crate::route::Route;

    const NOW: TimestampMs = TimestampMs::new(1_700_000_000_000);

    /// Two agencies, of which each has two teams: Housing takes 4 and 9 days, Culture 2 and 3.
    fn engine() -> Engine {
        let mut engine = Engine::new(EngineConfig::page()).unwrap();
        for (agency, team, days) in
            [("Housing", "a", 4.0), ("Housing", "b", 9.0), ("Culture", "a", 2.0), ("Culture", "c", 3.0)]
        {
            let labels = Labels::new([("agency", agency), ("team", team)]).unwrap();
            let key = SeriesKey { metric: MetricName::new("days").unwrap(), labels };
            let id = engine.series(&key, None).unwrap();
            engine.record(id, Sample::new(TimestampMs::new(NOW.get() - 500), days).unwrap(), NOW).unwrap();
        }
        engine
    }

    fn board() -> Board {
        bellwether_wire::board::decode(
            r#"{"title": "t", "metrics": [{"name": "days", "kind": "observation"}], "rules": [
                {"name": "Slow", "severity": "ticket", "is": ">", "threshold": 5,
                 "query": {"metric": "days", "window": "5m", "agg": "avg"}},
                {"name": "TeamSlow", "severity": "ticket", "is": ">=", "threshold": 3,
                 "query": {"metric": "days", "window": "5m", "agg": "avg", "by": ["team"]}}]}"#,
        )
        .unwrap()
    }

    #[track_caller]
    fn check(lacks: &[Lack], filter: &str, expected: &str) {
        assert_eq!(said(lacks, filter, Instant::Now, Completeness::Complete), expected);
    }

    fn said(lacks: &[Lack], filter: &str, instant: Instant, completeness: Completeness) -> String {
        let engine = engine();
        let source = Source { engine: &engine, completeness, staleness: DurationMs::ZERO, lacks, restated: &[] };
        let ask = Ask {
            board: Rc::new(board()),
            route: Route::default().with_filter(Filter::default().with(filter)),
            at: instant,
            alerts: [].into(),
            alerts_left_out: 0,
            unjudged: [].into(),
            ended: None,
            listing: None,
            others: [].into(),
        };
        preview(source, &ask, NOW)
    }

    #[test]
    fn a_preview_says_of_when_it_is() {
        let of = |instant, completeness| said(&[], "team:a", instant, completeness);
        let then = of(Instant::LastKnown, Completeness::Complete);
        assert!(then.contains("the conditions of these rules held at 22:13:20: TeamSlow (a)"), "{then}");
        assert_eq!(of(Instant::Fixed(NOW), Completeness::Complete), then);
        let none = said(&[], "agency:Nobody", Instant::LastKnown, Completeness::Complete);
        assert!(none.contains("no rule's condition held at 22:13:20."), "{none}");
        assert_eq!(of(Instant::Now, Completeness::Filling), "Preview for team: a: not before the history is here.");
    }

    #[test]
    fn labels_and_their_values_can_be_chosen() {
        let choices = choices(&[&engine()], &board());
        let texts: Vec<_> =
            choices.iter().map(|choice| format!("{}={}", choice.label, choice.values.join("|"))).collect();
        assert_eq!(texts, ["agency=Culture|Housing", "team=a|b|c"]);
    }

    #[test]
    fn labels_of_kpis_come_before_those_of_all_else() {
        let board = bellwether_wire::board::decode(
            r#"{"title": "t", "kpis": [{"id": "k", "title": "K", "better": "lower",
                "query": {"metric": "days", "window": "5m", "agg": "avg"}}]}"#,
        )
        .unwrap();
        let mut engine = engine();
        for (metric, label) in [("cpu", "a_core"), ("cpu", "team"), ("requests", "route")] {
            let key =
                SeriesKey { metric: MetricName::new(metric).unwrap(), labels: Labels::new([(label, "x")]).unwrap() };
            engine.series(&key, None).unwrap();
        }
        let choices = choices(&[&engine], &board);
        let labels: Vec<_> = choices.iter().map(|choice| choice.label.as_str()).collect();
        assert_eq!(labels, ["agency", "team", "a_core", "route"]);
    }

    #[test]
    fn rules_are_judged_on_the_filtered_view() {
        check(
            &[],
            "agency:Housing",
            "Preview for agency: Housing: the conditions of these rules hold now: Slow, 6.50, above 5; TeamSlow (a), 4, \
             at or above 3; TeamSlow (b), 9, at or above 3. This page computes it and calls nobody.",
        );
        check(
            &[],
            "team:a",
            "Preview for team: a: the conditions of these rules hold now: TeamSlow (a), 3, at or above 3. This page \
             computes it and calls nobody.",
        );
        check(
            &[],
            "agency:Nobody",
            "Preview for agency: Nobody: no rule's condition holds now. This page computes it and calls nobody.",
        );
        check(&[], "no filter", "");
        let metric = MetricName::new("days").unwrap();
        let lack = Lack { metric, matchers: Vec::new(), shortage: Shortage::TooManySeries };
        check(
            &[lack],
            "team:a",
            "Preview for team: a: no rule's condition holds now; 2 cannot be judged here. This page computes it and calls \
             nobody.",
        );
    }
}
