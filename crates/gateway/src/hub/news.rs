//! What a second brings that people must hear of: alerts that begin to fire, and alerts that are over.

use bellwether_core::alerts::{Alert, Transition};
use bellwether_core::labels::Labels;
use bellwether_core::query::Expression;
use bellwether_core::rule::{ALERT_NAME, AlertState, NoData, Rule};

/// An alert that began to fire or ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum News {
    /// It fires from now on.
    Fires(Alert),
    /// It fired and is over.
    Resolved(Alert, Ending),
}

/// What ended an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The condition no longer holds.
    Figure,
    /// There is no figure any more.
    NoFigure,
    /// It fired for want of figures, and there are some again.
    FiguresAgain,
    /// The board has no such rule any more.
    RuleRemoved,
    /// The rule's labels or groups are others now, and none of its alerts is this one.
    RuleChanged,
}

impl Ending {
    /// In words.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Figure => "the condition no longer holds",
            Self::NoFigure => "there is no figure any more",
            Self::FiguresAgain => "there are figures again",
            Self::RuleRemoved => "the rule was removed from the board",
            Self::RuleChanged => "the rule was changed and has no such alert any more",
        }
    }
}

/// What of `transitions` people must hear, in their order.
pub(super) fn news(transitions: Vec<Transition>, rules: &[Rule]) -> Vec<News> {
    let heard = |Transition { alert, to, .. }| match to {
        AlertState::Firing { .. } => Some(News::Fires(alert)),
        AlertState::Resolved { .. } => {
            let ending = ending(&alert, rules);
            Some(News::Resolved(alert, ending))
        }
        AlertState::Inactive | AlertState::Pending { .. } => None,
    };
    transitions.into_iter().filter_map(heard).collect()
}

fn ending(alert: &Alert, rules: &[Rule]) -> Ending {
    let Some(rule) = rules.iter().find(|rule| rule.name == alert.rule) else { return Ending::RuleRemoved };
    if !comes_from(alert, rule) {
        return Ending::RuleChanged;
    }
    match (alert.value, rule.no_data) {
        (Some(_), _) => Ending::Figure,
        // Missing data makes such a rule fire, it never ends an alert of its.
        (None, NoData::Fire) => Ending::FiguresAgain,
        (None, NoData::Keep | NoData::Resolve) => Ending::NoFigure,
    }
}

/// Whether the rule, as it is now, may have such an alert.
fn comes_from(alert: &Alert, rule: &Rule) -> bool {
    let name = Labels::new([(ALERT_NAME, rule.name.as_str())]).unwrap_or_default();
    let by = match &rule.figure {
        Expression::Single(query) | Expression::Ratio(query, _) => &query.by,
    };
    alert.labels.only(by).overlaid(&rule.labels.overlaid(&name)) == alert.labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::alerts::Alerts;
    use bellwether_core::board::Board;
    use bellwether_core::engine::{Engine, EngineConfig};
    use bellwether_core::labels::{MetricName, SeriesKey};
    use bellwether_core::sample::{Kind, Sample};
    use bellwether_core::time::{DurationMs, TimestampMs};

    const NOW: TimestampMs = TimestampMs::new(1_795_000_000_000);

    fn board(rule: &str) -> Board {
        let rule = format!(r#"{{"name":"Slow","is":"above","threshold":300,"severity":"page",{rule}}}"#);
        bellwether_wire::board::decode(&format!(r#"{{"title":"T","rules":[{rule}]}}"#)).unwrap()
    }

    const BY_ROUTE: &str =
        r#""query":{"metric":"m","window":"10s","agg":"avg","by":["route"]},"labels":{"team":"booking"}"#;

    struct Rig {
        engine: Engine,
        alerts: Alerts,
    }

    impl Rig {
        /// Two routes are slow and fire.
        fn firing() -> Self {
            let mut rig = Self { engine: Engine::new(EngineConfig::default()).unwrap(), alerts: Alerts::new() };
            rig.record("/a", 900.0, NOW);
            rig.record("/b", 800.0, NOW);
            let news = rig.evaluate(&board(BY_ROUTE), NOW);
            assert!(matches!(&news[..], [News::Fires(_), News::Fires(_)]), "{news:?}");
            rig
        }

        fn record(&mut self, route: &str, value: f64, at: TimestampMs) {
            let labels = Labels::new([("route", route)]).unwrap();
            let key = SeriesKey { metric: MetricName::new("m").unwrap(), labels };
            let id = self.engine.series(&key, Some(Kind::Observation)).unwrap();
            self.engine.record(id, Sample::new(at, value).unwrap(), at).unwrap();
        }

        fn evaluate(&mut self, board: &Board, now: TimestampMs) -> Vec<News> {
            self.engine.advance(now);
            let transitions = self.alerts.evaluate(&board.rules, &self.engine, now);
            news(transitions, &board.rules)
        }

        /// What ended the alerts, by their routes, and their last figures.
        #[track_caller]
        fn endings(&mut self, board: &Board, now: TimestampMs) -> Vec<(String, Ending, Option<f64>)> {
            let ended = |news| match news {
                News::Resolved(alert, ending) => {
                    (alert.labels.get("route").unwrap_or_default().to_owned(), ending, alert.value)
                }
                News::Fires(_) => panic!("{news:?}"),
            };
            self.evaluate(board, now).into_iter().map(ended).collect()
        }
    }

    #[test]
    fn an_alert_ends_with_the_figure_of_now_or_with_none() {
        let mut rig = Rig::firing();
        let later = NOW + DurationMs::from_secs(11);
        rig.record("/a", 5.0, later);
        let gone = board(&format!(r#"{BY_ROUTE},"no_data":"resolve""#));
        let expected = [("/a".to_owned(), Ending::Figure, Some(5.0)), ("/b".to_owned(), Ending::NoFigure, None)];
        assert_eq!(rig.endings(&gone, later), expected);
    }

    #[test]
    fn an_alert_whose_rule_is_gone_says_so() {
        let both = |ending| [("/a".to_owned(), ending, None), ("/b".to_owned(), ending, None)];
        assert_eq!(Rig::firing().endings(&Board::default(), NOW), both(Ending::RuleRemoved));
        let changed = board(&BY_ROUTE.replace("booking", "grants"));
        let ended = Rig::firing().evaluate(&changed, NOW);
        let changes = ended.iter().filter(|news| matches!(news, News::Resolved(_, Ending::RuleChanged))).count();
        assert_eq!(changes, 2, "{ended:?}");
    }

    #[test]
    fn an_alert_for_want_of_figures_ends_when_there_are_some() {
        let mut rig = Rig { engine: Engine::new(EngineConfig::default()).unwrap(), alerts: Alerts::new() };
        let board = board(&format!(r#"{BY_ROUTE},"no_data":"fire""#));
        assert!(matches!(&rig.evaluate(&board, NOW)[..], [News::Fires(_)]));
        rig.record("/a", 5.0, NOW);
        assert_eq!(rig.endings(&board, NOW), [(String::new(), Ending::FiguresAgain, None)]);
    }
}
