//! The state machine against Prometheus' own, written down as it stands in `rules/alerting.go`:
//! one struct whose zero times mean "unset", and a map from which alerts are deleted.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is wrong")]

use bellwether_core::labels::{Labels, MetricName};
use bellwether_core::query::{Aggregation, Expression, Query};
use bellwether_core::rule::{AlertState, Comparison, NoData, Observed, Rule, Severity, Step, advance};
use bellwether_core::time::{DurationMs, TimestampMs};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    Inactive,
    Pending,
    Firing,
}

/// `Alert` of Prometheus; seconds, and `None` is Go's zero time.
#[derive(Clone, Copy, Debug)]
struct TheirAlert {
    state: Word,
    active_at: i64,
    fired_at: Option<i64>,
    resolved_at: Option<i64>,
    keep_firing_since: Option<i64>,
}

/// `AlertingRule.Eval` of Prometheus 3 for a rule with one alert; `active` is the map's one entry.
fn their_eval(active: &mut Option<TheirAlert>, hold: i64, keep_firing_for: i64, holds: bool, ts: i64) {
    if holds {
        // `if alert, ok := r.active[h]; ok && alert.State != StateInactive { … continue }`
        if active.is_none_or(|alert| alert.state == Word::Inactive) {
            *active = Some(TheirAlert {
                state: Word::Pending,
                active_at: ts,
                fired_at: None,
                resolved_at: None,
                keep_firing_since: None,
            });
        }
    }
    let Some(alert) = active else { return };
    if holds {
        alert.keep_firing_since = None;
    } else {
        let mut keep_firing = false;
        if alert.state == Word::Firing && keep_firing_for > 0 {
            let since = *alert.keep_firing_since.get_or_insert(ts);
            keep_firing = ts - since < keep_firing_for;
        }
        if alert.state == Word::Pending || alert.resolved_at.is_some_and(|at| ts - at > 15 * 60) {
            *active = None;
            return;
        }
        if alert.state != Word::Inactive && !keep_firing {
            alert.state = Word::Inactive;
            alert.resolved_at = Some(ts);
        }
        if !keep_firing {
            return;
        }
    }
    if alert.state == Word::Pending && ts - alert.active_at >= hold {
        alert.state = Word::Firing;
        alert.fired_at = Some(ts);
    }
}

/// Their alert in our words.
fn ours(active: Option<TheirAlert>) -> AlertState {
    let secs = |secs: i64| TimestampMs::new(secs * 1_000);
    match active {
        None => AlertState::Inactive,
        Some(TheirAlert { state: Word::Pending, active_at, .. }) => AlertState::Pending { active_at: secs(active_at) },
        Some(TheirAlert { state: Word::Firing, active_at, fired_at, keep_firing_since, .. }) => AlertState::Firing {
            active_at: secs(active_at),
            fired_at: secs(fired_at.expect("it fires")),
            keep_firing_since: keep_firing_since.map(secs),
        },
        Some(TheirAlert { state: Word::Inactive, active_at, fired_at, resolved_at, .. }) => AlertState::Resolved {
            active_at: secs(active_at),
            fired_at: secs(fired_at.expect("it fired")),
            at: secs(resolved_at.expect("it was resolved")),
        },
    }
}

fn rule(hold: i64, keep_firing_for: i64) -> Rule {
    let metric = MetricName::new("m").unwrap();
    Rule {
        name: "R".into(),
        figure: Expression::Single(Query::new(metric, DurationMs::from_minutes(5), Aggregation::Avg)),
        comparison: Comparison::Above,
        threshold: 0.0,
        hold: DurationMs::from_secs(hold.unsigned_abs()),
        keep_firing_for: DurationMs::from_secs(keep_firing_for.unsigned_abs()),
        query_offset: DurationMs::ZERO,
        no_data: NoData::Resolve,
        severity: Severity::Page,
        labels: Labels::empty(),
        summary: String::new(),
        runbook: String::new(),
    }
}

/// A case is cheap, and what it looks for is rare: 2,048 where others try 256, and as much more of them in a soak.
fn many() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases * 8, ..usual }
}

proptest! {
    #![proptest_config(many())]

    /// With `no_data: resolve` the two agree step by step, whatever happens.
    #[test]
    fn each_step_is_theirs(
        hold in prop_oneof![Just(0_i64), 1..60_i64],
        keep_firing_for in prop_oneof![Just(0_i64), 1..60_i64],
        steps in prop::collection::vec((prop_oneof![4 => 1..30_i64, 1 => 600..1_200_i64], 0..4_u8), 1..60),
    ) {
        let rule = rule(hold, keep_firing_for);
        let mut theirs = None;
        let mut state = AlertState::Inactive;
        let mut ts = 0;
        for (pause, what) in steps {
            ts += pause;
            let observed = match what {
                0 => Observed::NoData,
                1 => Observed::Value(0.0),
                _ => Observed::Value(1.0),
            };
            their_eval(&mut theirs, hold, keep_firing_for, observed == Observed::Value(1.0), ts);
            let step = advance(&rule, state, observed, TimestampMs::new(ts * 1_000));
            prop_assert_eq!(step, Step { state: ours(theirs), stale: false }, "at {} s", ts);
            state = step.state;
        }
    }
}
