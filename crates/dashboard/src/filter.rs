//! The reader's filter: the whole page is of the series with these label values.

use std::rc::Rc;

use bellwether_core::board::Board;
use bellwether_core::labels::LabelName;
use bellwether_core::query::Expression;
use bellwether_core::selector::{Condition, Matcher};

use crate::route::{decoded, encoded};
use crate::texts::Text;

/// Most labels that are filtered by at once.
const MOST: usize = 8;

/// One value for each of some labels; all must hold. Empty where everything is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<Matcher>);

impl Filter {
    /// The filter with a condition as [`condition`] writes it; its value takes the place of the label's former one. As it
    /// was where the text is no condition, or one too many.
    #[must_use]
    pub fn with(&self, text: &str) -> Self {
        let Some((label, value)) = text.split_once(':') else { return self.clone() };
        let Ok(label) = LabelName::new(&decoded(label)) else { return self.clone() };
        let mut filter = self.without(label.as_str());
        if filter.0.len() < MOST {
            filter.0.push(Matcher { label, condition: Condition::Equal(decoded(value)) });
        }
        filter
    }

    /// The filter without a condition on `label`.
    #[must_use]
    pub fn without(&self, label: &str) -> Self {
        Self(self.0.iter().filter(|matcher| matcher.label.as_str() != label).cloned().collect())
    }

    /// Whether everything is shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The conditions.
    #[must_use]
    pub fn matchers(&self) -> &[Matcher] {
        &self.0
    }

    /// Labels and values.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|matcher| match &matcher.condition {
            Condition::Equal(value) => (matcher.label.as_str(), value.as_str()),
            // `with` makes no other.
            _ => (matcher.label.as_str(), ""),
        })
    }

    /// The filter as a part of an address, such as `&where=agency:Housing`; empty where everything is shown.
    #[must_use]
    pub fn search(&self) -> String {
        self.pairs().map(|(label, value)| format!("&where={}", condition(label, value))).collect()
    }

    /// The filter in words, such as `agency: Housing and team: North`.
    #[must_use]
    pub fn words(&self) -> String {
        let pairs: Vec<_> = self.pairs().map(|(label, value)| format!("{label}: {value}")).collect();
        pairs.join(Text::And.say())
    }

    /// The board with KPIs and panels of the filtered series; its rules stay as they are.
    #[must_use]
    pub fn narrow(&self, board: &Rc<Board>) -> Rc<Board> {
        if self.is_empty() {
            return Rc::clone(board);
        }
        let mut narrowed = Board::clone(board);
        let kpis = narrowed.kpis.iter_mut().map(|kpi| &mut kpi.figure);
        for figure in kpis.chain(narrowed.panels.iter_mut().map(|panel| &mut panel.figure)) {
            self.narrow_figure(figure);
        }
        Rc::new(narrowed)
    }

    /// Makes a figure one of the filtered series.
    pub fn narrow_figure(&self, figure: &mut Expression) {
        let narrow = |matchers: &mut Vec<Matcher>| matchers.extend(self.0.iter().cloned());
        match figure {
            Expression::Single(query) => narrow(&mut query.matchers),
            Expression::Ratio(dividend, divisor) => {
                narrow(&mut dividend.matchers);
                narrow(&mut divisor.matchers);
            }
        }
    }
}

/// A condition as text that stands in an address: `label:value`, both percent-encoded.
#[must_use]
pub fn condition(label: &str, value: &str) -> String {
    format!("{}:{}", encoded(label), encoded(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(chosen: &[&str], words: &str) {
        let filter = chosen.iter().fold(Filter::default(), |filter, text| filter.with(text));
        assert_eq!(filter.words(), words);
    }

    #[test]
    fn a_label_has_one_value_and_all_labels_must_hold() {
        check(&[], "");
        check(&["agency:Housing"], "agency: Housing");
        check(&["agency:Housing", "team:a:b", "agency:Culture"], "team: a:b and agency: Culture");
        check(&[&condition("a:b", "ä &=%")], "a:b: ä &=%");
        check(&["no colon", ":x", "agency:"], "agency: ");
        let many: Vec<_> = (0..20).map(|place| format!("l{place}:x")).collect();
        let many = many.iter().fold(Filter::default(), |filter, text| filter.with(text));
        assert_eq!(many.pairs().count(), MOST);
        assert_eq!(many.without("l0").pairs().next(), Some(("l1", "x")));
    }

    #[test]
    fn kpis_and_panels_are_narrowed_and_rules_are_not() {
        let text = r#"{"title": "t",
            "kpis": [{"id": "k", "title": "K", "better": "lower", "query": {"ratio": [
                {"metric": "e", "window": "1h", "agg": "rate"}, {"metric": "a", "window": "1h", "agg": "rate"}]}}],
            "panels": [{"id": "p", "title": "P", "query": {"metric": "m", "window": "1m", "agg": "avg", "where": {"x": "y"}}}],
            "rules": [{"name": "R", "is": ">", "threshold": 1, "severity": "page",
                "query": {"metric": "m", "window": "1m", "agg": "avg"}}]}"#;
        let board = Rc::new(bellwether_wire::board::decode(text).unwrap());
        assert!(Rc::ptr_eq(&Filter::default().narrow(&board), &board));
        let narrowed = Filter::default().with("agency:Housing").narrow(&board);
        let conditions = |figure: &Expression| match figure {
            Expression::Single(query) => query.matchers.len(),
            Expression::Ratio(dividend, divisor) => dividend.matchers.len() + divisor.matchers.len(),
        };
        let figures = [&narrowed.kpis[0].figure, &narrowed.panels[0].figure, &narrowed.rules[0].figure];
        assert_eq!(figures.map(conditions), [2, 2, 0]);
    }
}
