//! What a board must keep to beyond the shape of its parts, and how far back it looks.

use std::collections::BTreeMap;

use super::Board;
use crate::labels::{LabelName, MAX_LABELS, MAX_VALUE_BYTES, MetricName};
use crate::postings::Map;
use crate::query::{Aggregation, Expression, Query};
use crate::rule::{ALERT_NAME, Rule};
use crate::sample::Kind;
use crate::time::DurationMs;

/// Most bytes of an id.
const MAX_ID_BYTES: usize = 64;

/// One thing that is wrong with a board.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct BoardError {
    /// Where it is, as a path into `board.json`: `kpis[2].target`.
    pub place: String,
    /// What is wrong, and how to mend it.
    pub problem: BoardProblem,
}

/// What is wrong in one place of a board, and how to mend it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BoardProblem {
    /// A text that people or addresses need is empty.
    #[error("it is empty; give it a text")]
    Empty,
    /// An id that cannot stand in an address.
    #[error(
        "the id {id:?} cannot stand in an address; use 1 to {MAX_ID_BYTES} letters a-z, A-Z, digits, '-', '_' and '.'"
    )]
    Id {
        /// The id.
        id: String,
    },
    /// A name or id that is taken.
    #[error("{name:?} is already the name of {first}; give each a name of its own")]
    Taken {
        /// The name or id.
        name: String,
        /// Where it came first.
        first: String,
    },
    /// A name that is too long to be the value of a label.
    #[error("the name is {bytes} bytes long; at most {MAX_VALUE_BYTES} are allowed")]
    NameTooLong {
        /// Its length.
        bytes: usize,
    },
    /// A target or threshold that is NaN or infinite.
    #[error("it is not a finite number; give a number, or leave it out where it is optional")]
    NotFinite,
    /// A window of no length.
    #[error("the window is empty; give a length such as 5m")]
    ZeroWindow,
    /// A window that reaches back further than samples are kept.
    #[error("it looks back {range}, and samples are kept for {longest}; choose a shorter window")]
    WindowTooLong {
        /// How far back it looks.
        range: DurationMs,
        /// How long samples are kept.
        longest: DurationMs,
    },
    /// An aggregation that makes no sense for the metric's kind.
    #[error("{aggregation} does not fit {metric}, which is a {}; use delta, avg, min, max or last", .kind.as_str())]
    NotForKind {
        /// The metric.
        metric: MetricName,
        /// The aggregation.
        aggregation: Aggregation,
        /// The metric's kind.
        kind: Kind,
    },
    /// A label that is grouped by twice.
    #[error("it groups by {label:?} twice; name each label once")]
    RepeatedBy {
        /// The label.
        label: String,
    },
    /// The two queries of a ratio group by different labels, so that no groups would meet.
    #[error("the two queries of a ratio must group by the same labels; give both the same \"by\"")]
    RatioBy,
    /// A KPI that is grouped.
    #[error("a KPI is one figure; leave \"by\" out, or show the groups in a panel")]
    KpiBy,
    /// A rule that sets the label that carries its own name.
    #[error("the label {ALERT_NAME:?} carries the rule's name; leave it out")]
    AlertName,
    /// A rule that sets a label that it groups by, so that its alerts could not be told apart.
    #[error("the rule groups by {label:?}; a label of its own with that name would make its alerts one")]
    LabelGroupedBy {
        /// The label.
        label: String,
    },
    /// A rule whose alerts would have more labels than a series may have.
    #[error("its alerts would have {count} labels; at most {MAX_LABELS} are allowed")]
    TooManyLabels {
        /// How many.
        count: usize,
    },
}

impl Board {
    /// Checks what types alone cannot: unique ids and names, finite numbers, windows, groups, and
    /// aggregations that fit the kind of their metric where it is known.
    ///
    /// # Errors
    /// All that is wrong, in the order of the board: what, where and how to mend it.
    pub fn check(&self) -> Result<(), Vec<BoardError>> {
        let mut checker = Checker { board: self, errors: Vec::new() };
        checker.metrics();
        checker.kpis();
        checker.panels();
        checker.rules();
        if checker.errors.is_empty() { Ok(()) } else { Err(checker.errors) }
    }

    /// [`Board::check`], and that no figure looks back further than `longest`, the longest span for
    /// which samples are kept. The window before a KPI's own, needed for its trend, may be longer.
    ///
    /// # Errors
    /// All that is wrong, as [`Board::check`].
    pub fn check_within(&self, longest: DurationMs) -> Result<(), Vec<BoardError>> {
        let mut errors = self.check().err().unwrap_or_default();
        for (place, expression, offset) in self.figures() {
            for (place, query) in queries(&place, expression) {
                let range = range(query, offset);
                if range > longest {
                    let place = format!("{place}.window");
                    errors.push(BoardError { place, problem: BoardProblem::WindowTooLong { range, longest } });
                }
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// How far back each metric must be known: the longest range that a KPI with its trend, a panel
    /// or a rule looks at. A KPI's trend and a `delta` need twice their window.
    #[must_use]
    pub fn ranges(&self) -> BTreeMap<MetricName, DurationMs> {
        let mut ranges = BTreeMap::new();
        let mut need = |query: &Query, length: DurationMs| {
            let longest = ranges.entry(query.metric.clone()).or_insert(length);
            *longest = length.max(*longest);
        };
        for (_, expression, offset) in self.figures() {
            for (_, query) in queries("", expression) {
                need(query, range(query, offset));
            }
        }
        for kpi in &self.kpis {
            for (_, query) in queries("", &kpi.figure) {
                need(query, plus(range(query, DurationMs::ZERO), query.window));
            }
        }
        ranges
    }

    /// Every expression of the board with its place and how far back its "now" is set.
    fn figures(&self) -> impl Iterator<Item = (String, &Expression, DurationMs)> {
        let kpis = self.kpis.iter().enumerate();
        let panels = self.panels.iter().enumerate();
        let rules = self.rules.iter().enumerate();
        kpis.map(|(n, kpi)| (format!("kpis[{n}].query"), &kpi.figure, DurationMs::ZERO))
            .chain(panels.map(|(n, panel)| (format!("panels[{n}].query"), &panel.figure, DurationMs::ZERO)))
            .chain(rules.map(|(n, rule)| (format!("rules[{n}].query"), &rule.figure, rule.query_offset)))
    }
}

/// The queries of an expression with their places.
fn queries<'a>(place: &str, expression: &'a Expression) -> Vec<(String, &'a Query)> {
    match expression {
        Expression::Single(query) => vec![(place.to_owned(), query)],
        Expression::Ratio(over, under) => {
            vec![(format!("{place}.ratio[0]"), over), (format!("{place}.ratio[1]"), under)]
        }
    }
}

/// How far back a query looks from `offset` after its own now.
fn range(query: &Query, offset: DurationMs) -> DurationMs {
    let window = if query.aggregation == Aggregation::Delta { plus(query.window, query.window) } else { query.window };
    plus(window, offset)
}

/// The labels that a query groups by, in the order of their names.
fn sorted(query: &Query) -> Vec<&str> {
    let mut by: Vec<&str> = query.by.iter().map(LabelName::as_str).collect();
    by.sort_unstable();
    by
}

fn plus(one: DurationMs, other: DurationMs) -> DurationMs {
    DurationMs::from_millis(one.as_millis().saturating_add(other.as_millis()))
}

struct Checker<'a> {
    board: &'a Board,
    errors: Vec<BoardError>,
}

impl<'a> Checker<'a> {
    fn push(&mut self, place: String, problem: BoardProblem) {
        self.errors.push(BoardError { place, problem });
    }

    fn metrics(&mut self) {
        let mut seen = Map::default();
        for (n, metric) in self.board.metrics.iter().enumerate() {
            self.unique(&mut seen, metric.name.as_str(), format!("metrics[{n}]"), "name");
        }
    }

    fn kpis(&mut self) {
        let mut seen = Map::default();
        for (n, kpi) in self.board.kpis.iter().enumerate() {
            let place = format!("kpis[{n}]");
            self.id(&mut seen, &kpi.id, &place);
            self.text(&kpi.title, format!("{place}.title"));
            self.finite(kpi.target, format!("{place}.target"));
            self.expression(&kpi.figure, &format!("{place}.query"));
            for (place, query) in queries(&format!("{place}.query"), &kpi.figure) {
                if !query.by.is_empty() {
                    self.push(format!("{place}.by"), BoardProblem::KpiBy);
                }
            }
        }
    }

    fn panels(&mut self) {
        let mut seen = Map::default();
        for (n, panel) in self.board.panels.iter().enumerate() {
            let place = format!("panels[{n}]");
            self.id(&mut seen, &panel.id, &place);
            self.text(&panel.title, format!("{place}.title"));
            self.finite(panel.threshold, format!("{place}.threshold"));
            self.expression(&panel.figure, &format!("{place}.query"));
        }
    }

    fn rules(&mut self) {
        let mut seen = Map::default();
        for (n, rule) in self.board.rules.iter().enumerate() {
            let place = format!("rules[{n}]");
            self.text(&rule.name, format!("{place}.name"));
            if rule.name.len() > MAX_VALUE_BYTES {
                self.push(format!("{place}.name"), BoardProblem::NameTooLong { bytes: rule.name.len() });
            }
            self.unique(&mut seen, &rule.name, place.clone(), "name");
            self.finite(Some(rule.threshold), format!("{place}.threshold"));
            self.expression(&rule.figure, &format!("{place}.query"));
            self.rule_labels(rule, &place);
        }
    }

    fn rule_labels(&mut self, rule: &Rule, place: &str) {
        let (Expression::Single(Query { by, .. }) | Expression::Ratio(Query { by, .. }, _)) = &rule.figure;
        for (label, _) in rule.labels.iter() {
            let place = format!("{place}.labels.{label}");
            if label == ALERT_NAME {
                self.push(place, BoardProblem::AlertName);
            } else if by.iter().any(|name| name.as_str() == label) {
                self.push(place, BoardProblem::LabelGroupedBy { label: label.to_owned() });
            }
        }
        let count = by.len() + rule.labels.len() + 1;
        if count > MAX_LABELS {
            self.push(format!("{place}.labels"), BoardProblem::TooManyLabels { count });
        }
    }

    fn text(&mut self, text: &str, place: String) {
        if text.trim().is_empty() {
            self.push(place, BoardProblem::Empty);
        }
    }

    fn id(&mut self, seen: &mut Map<&'a str, String>, id: &'a str, place: &str) {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if id.is_empty() || id.len() > MAX_ID_BYTES || !id.bytes().all(allowed) {
            self.push(format!("{place}.id"), BoardProblem::Id { id: id.to_owned() });
        } else {
            self.unique(seen, id, place.to_owned(), "id");
        }
    }

    fn unique(&mut self, seen: &mut Map<&'a str, String>, name: &'a str, place: String, field: &str) {
        match seen.get(name) {
            // Emptiness has an error of its own.
            _ if name.is_empty() => {}
            Some(first) => {
                let problem = BoardProblem::Taken { name: name.to_owned(), first: first.clone() };
                self.push(format!("{place}.{field}"), problem);
            }
            None => {
                seen.insert(name, place);
            }
        }
    }

    fn finite(&mut self, number: Option<f64>, place: String) {
        if number.is_some_and(|number| !number.is_finite()) {
            self.push(place, BoardProblem::NotFinite);
        }
    }

    fn expression(&mut self, expression: &Expression, place: &str) {
        for (place, query) in queries(place, expression) {
            self.query(query, &place);
        }
        if let Expression::Ratio(over, under) = expression
            && sorted(over) != sorted(under)
        {
            self.push(format!("{place}.ratio"), BoardProblem::RatioBy);
        }
    }

    fn query(&mut self, query: &Query, place: &str) {
        if query.window == DurationMs::ZERO {
            self.push(format!("{place}.window"), BoardProblem::ZeroWindow);
        }
        for pair in sorted(query).windows(2).filter(|pair| pair[0] == pair[1]) {
            self.push(format!("{place}.by"), BoardProblem::RepeatedBy { label: pair[0].to_owned() });
        }
        let declared = self.board.metrics.iter().find(|metric| metric.name == query.metric);
        let kind = declared.map(|metric| metric.kind).or_else(|| Kind::implied_by(query.metric.as_str()));
        if let Some(kind) = kind
            && !query.aggregation.fits(kind)
        {
            let (metric, aggregation) = (query.metric.clone(), query.aggregation);
            self.push(format!("{place}.agg"), BoardProblem::NotForKind { metric, aggregation, kind });
        }
    }
}

#[cfg(test)]
mod tests;
