//! What a second brings that people must hear of: alerts that begin to fire, and alerts that are over.

use std::collections::BTreeMap;

use bellwether_core::alerts::{Alert, Transition};
use bellwether_core::engine::Engine;
use bellwether_core::labels::Labels;
use bellwether_core::query::{Expression, Group};
use bellwether_core::rule::{ALERT_NAME, AlertState, Rule};
use bellwether_core::time::TimestampMs;

/// An alert that began to fire or ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum News {
    /// It fires from now on.
    Fires(Alert),
    /// It fired and is over.
    Resolved(Alert, Ending),
}

/// What ended an alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ending {
    /// The condition no longer holds; the figure as it is now.
    Figure(f64),
    /// There is no figure any more.
    NoFigure,
    /// The board has no such rule any more.
    RuleRemoved,
    /// The rule's labels or groups are others now, and none of its alerts is this one.
    RuleChanged,
}

impl Ending {
    /// The figure as it is now; never one of before.
    pub(crate) fn value(self) -> Option<f64> {
        match self {
            Self::Figure(value) => Some(value),
            Self::NoFigure | Self::RuleRemoved | Self::RuleChanged => None,
        }
    }

    /// In words.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Figure(_) => "the condition no longer holds",
            Self::NoFigure => "there is no figure any more",
            Self::RuleRemoved => "the rule was removed from the board",
            Self::RuleChanged => "the rule was changed and has no such alert any more",
        }
    }
}

/// What of `transitions` people must hear, in their order. A transition does not say what ended an
/// alert, so the figures of rules whose alerts ended are made once more. Cost: that of their queries.
pub(super) fn news(transitions: Vec<Transition>, rules: &[Rule], engine: &Engine, now: TimestampMs) -> Vec<News> {
    let mut figures: BTreeMap<String, Vec<Group>> = BTreeMap::new();
    let mut news = Vec::new();
    for Transition { alert, to, .. } in transitions {
        match to {
            AlertState::Firing { .. } => news.push(News::Fires(alert)),
            AlertState::Resolved { .. } => {
                let ending = match rules.iter().find(|rule| rule.name == alert.rule) {
                    None => Ending::RuleRemoved,
                    Some(rule) => {
                        let groups = figures.entry(rule.name.clone()).or_insert_with(|| {
                            // A rule that fails ends no alert.
                            engine.evaluate(&rule.figure, now - rule.query_offset).unwrap_or_default()
                        });
                        ending(&alert, rule, groups)
                    }
                };
                news.push(News::Resolved(alert, ending));
            }
            AlertState::Inactive | AlertState::Pending { .. } => {}
        }
    }
    news
}

fn ending(alert: &Alert, rule: &Rule, groups: &[Group]) -> Ending {
    let name = Labels::new([(ALERT_NAME, rule.name.as_str())]).unwrap_or_default();
    let fixed = rule.labels.overlaid(&name);
    let by = match &rule.figure {
        Expression::Single(query) | Expression::Ratio(query, _) => &query.by,
    };
    if alert.labels.only(by).overlaid(&fixed) != alert.labels {
        return Ending::RuleChanged;
    }
    let own = groups.iter().find(|group| group.labels.overlaid(&fixed) == alert.labels);
    own.and_then(|group| group.answer.value).map_or(Ending::NoFigure, Ending::Figure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::alerts::Alerts;
    use bellwether_core::board::Board;
    use bellwether_core::engine::EngineConfig;
    use bellwether_core::labels::{MetricName, SeriesKey};
    use bellwether_core::sample::{Kind, Sample};
    use bellwether_core::time::DurationMs;

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
            news(transitions, &board.rules, &self.engine, now)
        }

        /// What ended the alerts, by their routes.
        #[track_caller]
        fn endings(&mut self, board: &Board, now: TimestampMs) -> Vec<(String, Ending)> {
            let ended = |news| match news {
                News::Resolved(alert, ending) => (alert.labels.get("route").unwrap().to_owned(), ending),
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
        let expected = [("/a".to_owned(), Ending::Figure(5.0)), ("/b".to_owned(), Ending::NoFigure)];
        assert_eq!(rig.endings(&gone, later), expected);
    }

    #[test]
    fn an_alert_whose_rule_is_gone_says_so() {
        let both = |ending| [("/a".to_owned(), ending), ("/b".to_owned(), ending)];
        assert_eq!(Rig::firing().endings(&Board::default(), NOW), both(Ending::RuleRemoved));
        let changed = board(&BY_ROUTE.replace("booking", "grants"));
        let ended = Rig::firing().evaluate(&changed, NOW);
        let changes = ended.iter().filter(|news| matches!(news, News::Resolved(_, Ending::RuleChanged))).count();
        assert_eq!(changes, 2, "{ended:?}");
    }
}
