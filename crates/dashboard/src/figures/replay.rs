//! Alert states as of an instant of the past: the board's rules, evaluated again over the samples of then.

use std::rc::Rc;

use bellwether_core::alerts::Alerts;
use bellwether_core::board::Board;
use bellwether_core::rule::{RESOLVED_RETENTION, Rule};
use bellwether_core::time::{DurationMs, TimestampMs};

use super::evaluate::Source;
use crate::feed::AlertNotice;

/// How far apart two evaluations are: as far as an engine tells apart what is older than ten minutes.
const TICK: DurationMs = DurationMs::from_secs(10);
/// How far back rules are evaluated at most: as far as an engine tells ten seconds apart.
const LONGEST: DurationMs = DurationMs::from_minutes(110);

/// What the rules come to at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// The alerts of then, those that fired first.
    pub alerts: Rc<[AlertNotice]>,
    /// How many rules cannot be judged: the page lacks series of theirs, or their question cannot be answered then.
    pub unjudged: u64,
}

/// How far before an instant the rules are evaluated: so long that what is pending, firing or just resolved at it is known to be.
#[must_use]
pub fn lead(board: &Board) -> DurationMs {
    let longest = |rule: &Rule| rule.hold.as_millis().saturating_add(rule.keep_firing_for.as_millis());
    let longest = board.rules.iter().map(longest).max().unwrap_or(0);
    DurationMs::from_millis(longest.saturating_add(RESOLVED_RETENTION.as_millis())).min(LONGEST)
}

/// Evaluates the rules every ten seconds up to `at`. An alert that was on before the first of them seems to begin there.
/// Cost: that of the rules' queries for each tick.
#[must_use]
pub fn replay(source: Source<'_>, board: &Board, at: TimestampMs) -> Replayed {
    let (rules, unknown): (Vec<_>, Vec<_>) =
        board.rules.iter().cloned().partition(|rule| source.shortage(&rule.figure).is_none());
    let mut alerts = Alerts::new();
    let tick = i64::try_from(TICK.as_millis()).unwrap_or(i64::MAX);
    let first = (at - lead(board)).get().div_euclid(tick) + 1;
    let ticks = (first..=at.get().div_euclid(tick)).map(|tick_number| TimestampMs::new(tick_number * tick));
    for now in ticks.filter(|now| *now < at).chain([at]) {
        alerts.evaluate(&rules, source.engine, now);
    }
    let notice = |alert: &bellwether_core::alerts::Alert| {
        let rule = rules.iter().find(|rule| rule.name == alert.rule)?;
        Some(AlertNotice {
            rule: alert.rule.clone(),
            labels: alert.labels.clone(),
            severity: alert.severity,
            state: alert.state,
            value: alert.value,
            stale: alert.stale,
            comparison: rule.comparison,
            threshold: rule.threshold,
            summary: rule.summary.clone(),
            runbook: rule.runbook.clone(),
        })
    };
    let unjudged = (unknown.len() + alerts.failures().len()) as u64;
    Replayed { alerts: alerts.iter().filter_map(notice).collect(), unjudged }
}

#[cfg(test)]
mod tests {
    use bellwether_core::engine::{Engine, EngineConfig};
    use bellwether_core::labels::{Labels, MetricName, SeriesKey};
    use bellwether_core::sample::{Kind, Sample};

    use super::*;
    use crate::feed::{Completeness, Lack, Shortage};

    const END: i64 = 1_795_000_000_000;

    const fn at(secs: i64) -> TimestampMs {
        TimestampMs::new(END + secs * 1_000)
    }

    /// A queue that is over its limit in `(from, to]`, with a sample each 5 s over the last hour.
    fn engine(from: i64, to: i64) -> Engine {
        let mut engine = Engine::new(EngineConfig::page()).unwrap();
        let key = SeriesKey { metric: MetricName::new("depth").unwrap(), labels: Labels::empty() };
        let id = engine.series(&key, Some(Kind::Gauge)).unwrap();
        for secs in (-3_600..=0).step_by(5) {
            let value = if secs > from && secs <= to { 9.0 } else { 1.0 };
            engine.record(id, Sample::new(at(secs), value).unwrap(), at(0)).unwrap();
        }
        engine
    }

    fn board() -> Board {
        bellwether_wire::board::decode(
            r#"{"title": "t", "rules": [{"name": "Deep", "severity": "page", "is": ">", "threshold": 5, "for": "2m",
                "query": {"metric": "depth", "window": "10s", "agg": "last"}}]}"#,
        )
        .unwrap()
    }

    #[track_caller]
    fn check(from: i64, to: i64, expected: &[&str]) {
        let engine = engine(from, to);
        let source = Source {
            engine: &engine,
            completeness: Completeness::Complete,
            staleness: DurationMs::from_minutes(5),
            lacks: &[],
            restated: &[],
        };
        let replayed = replay(source, &board(), at(0));
        let states: Vec<_> = replayed.alerts.iter().map(|alert| alert.state.as_str()).collect();
        assert_eq!((states.as_slice(), replayed.unjudged), (expected, 0), "{from} {to}");
    }

    #[test]
    fn each_state_is_that_of_then() {
        check(0, 0, &[]);
        check(-60, 0, &["pending"]);
        check(-125, 0, &["firing"]);
        check(-3_600, 0, &["firing"]);
        check(-600, -300, &["resolved"]);
        check(-600, -540, &[]);
        check(-2_400, -1_200, &[]);
    }

    #[test]
    fn what_cannot_be_known_is_counted() {
        let engine = engine(-600, 0);
        let matchers = Vec::new();
        let metric = MetricName::new("depth").unwrap();
        let lacks = [Lack { metric, matchers, shortage: Shortage::TooManySeries }];
        let source = Source {
            engine: &engine,
            completeness: Completeness::Complete,
            staleness: DurationMs::from_minutes(5),
            lacks: &lacks,
            restated: &[],
        };
        let replayed = replay(source, &board(), at(0));
        assert_eq!((replayed.alerts.len(), replayed.unjudged), (0, 1));
    }
}
