//! Alert states as of an instant of the past: the board's rules, evaluated again over the samples of then.

use std::collections::BTreeSet;
use std::rc::Rc;

use bellwether_core::alerts::Alerts;
use bellwether_core::board::Board;
use bellwether_core::rule::{RESOLVED_RETENTION, Rule};
use bellwether_core::time::{DurationMs, TimestampMs};

use super::evaluate::Source;
use crate::feed::AlertNotice;
use crate::span::Grain;

/// How far apart two evaluations are: as far as an engine tells apart what is older than ten minutes.
const TICK: DurationMs = DurationMs::from_secs(10);
/// How far back they are: as far as an engine tells ten seconds apart.
const TICKS: DurationMs = DurationMs::from_minutes(110);
/// How far apart they are before that.
const COARSE_TICK: DurationMs = DurationMs::from_minutes(1);
/// How far back rules are evaluated at most: as far as an engine of the past tells minutes apart.
pub const LONGEST: DurationMs = DurationMs::from_hours(22);

/// What the rules come to at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// The alerts of then, those that fired first.
    pub alerts: Rc<[AlertNotice]>,
    /// The names of the rules that cannot be judged: the page lacks series of theirs, their question cannot be answered
    /// at each instant that counts, or what they wait for takes longer than the page looks back.
    pub unjudged: Rc<[String]>,
}

/// How far back a rule has to be evaluated so that what is pending, firing or just resolved is known to be.
fn needed(rule: &Rule) -> DurationMs {
    let held = rule.hold.as_millis().saturating_add(rule.keep_firing_for.as_millis());
    DurationMs::from_millis(held.saturating_add(RESOLVED_RETENTION.as_millis()))
}

/// How far before an instant the rules are evaluated that can be judged.
#[must_use]
pub fn lead(board: &Board) -> DurationMs {
    board.rules.iter().map(needed).filter(|needed| *needed <= LONGEST).max().unwrap_or_default()
}

/// Evaluates the rules up to `at`, every ten seconds and, more than two hours before it, every minute. An alert that was
/// on before the first of them seems to begin there. Where `grain` is of hours, no rule can be judged: what it waits for
/// is not told apart. Cost: that of the rules' queries for each tick.
#[must_use]
pub fn replay(source: Source<'_>, board: &Board, at: TimestampMs, grain: Grain) -> Replayed {
    let is_known =
        |rule: &Rule| grain == Grain::Fine && needed(rule) <= LONGEST && source.shortage(&rule.figure).is_none();
    let (rules, unknown): (Vec<_>, Vec<_>) = board.rules.iter().cloned().partition(is_known);
    let mut unjudged: BTreeSet<String> = unknown.into_iter().map(|rule| rule.name).collect();
    let mut alerts = Alerts::new();
    let (first, fine) = (at - lead(board), at - lead(board).min(TICKS));
    let ticks = every(COARSE_TICK, first, fine).chain(every(TICK, fine, at)).chain([at]);
    for now in ticks.filter(|_| !rules.is_empty()) {
        alerts.evaluate(&rules, source.engine, now);
        // What is not known of one instant may be that it was quiet then, and waited anew.
        unjudged.extend(alerts.failures().iter().map(|failure| failure.rule().to_owned()));
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
    Replayed { alerts: alerts.iter().filter_map(notice).collect(), unjudged: unjudged.into_iter().collect() }
}

/// The multiples of `tick` after `from` and before `to`.
fn every(tick: DurationMs, from: TimestampMs, to: TimestampMs) -> impl Iterator<Item = TimestampMs> {
    let tick = i64::try_from(tick.as_millis()).unwrap_or(i64::MAX);
    let (first, end) = (from.get().div_euclid(tick) + 1, to.get().div_euclid(tick));
    (first..=end).map(move |number| TimestampMs::new(number * tick)).filter(move |at| *at < to)
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
        let replayed = replay(source, &board(), at(0), Grain::Fine);
        let states: Vec<_> = replayed.alerts.iter().map(|alert| alert.state.as_str()).collect();
        assert_eq!((states.as_slice(), replayed.unjudged.len()), (expected, 0), "{from} {to}");
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
        let replayed = replay(source, &board(), at(0), Grain::Fine);
        assert_eq!((replayed.alerts.len(), &*replayed.unjudged), (0, &["Deep".to_owned()][..]));
    }

    /// The states and the rules that are not judged where the queue has been over its limit for four hours and a rule waits
    /// for `hold`.
    fn waiting_for(hold: &str, offset: &str, grain: Grain) -> (Vec<&'static str>, usize) {
        let mut engine = Engine::new(EngineConfig::default()).unwrap();
        let key = SeriesKey { metric: MetricName::new("depth").unwrap(), labels: Labels::empty() };
        let id = engine.series(&key, Some(Kind::Gauge)).unwrap();
        for secs in (-14_400..=0).step_by(5) {
            engine.record(id, Sample::new(at(secs), 9.0).unwrap(), at(0)).unwrap();
        }
        let source = Source {
            engine: &engine,
            completeness: Completeness::Complete,
            staleness: DurationMs::from_minutes(5),
            lacks: &[],
            restated: &[],
        };
        let mut board = board();
        (board.rules[0].hold, board.rules[0].query_offset) = (hold.parse().unwrap(), offset.parse().unwrap());
        let replayed = replay(source, &board, at(0), grain);
        (replayed.alerts.iter().map(|alert| alert.state.as_str()).collect(), replayed.unjudged.len())
    }

    #[test]
    fn what_waits_for_hours_is_known_to_fire_and_what_waits_for_days_is_not_judged() {
        let waits = |hold| waiting_for(hold, "0s", Grain::Fine);
        assert_eq!(waits("2h"), (vec!["firing"], 0));
        assert_eq!(waits("3h30m"), (vec!["firing"], 0));
        assert_eq!(waits("5h"), (vec!["pending"], 0));
        assert_eq!(waits("3d"), (vec![], 1));
    }

    #[test]
    fn a_past_of_hours_judges_no_rule() {
        assert_eq!(waiting_for("2m", "0s", Grain::Hours), (vec![], 1));
    }

    #[test]
    fn a_rule_with_an_instant_that_cannot_be_told_is_not_judged() {
        // Five seconds apart is finer than the engine tells what is older than ten minutes.
        assert_eq!(waiting_for("2m", "5s", Grain::Fine).1, 1);
        assert_eq!(waiting_for("2m", "10s", Grain::Fine).1, 0);
    }
}
