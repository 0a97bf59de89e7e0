//! The state machine, step by step.

use super::*;
use crate::labels::MetricName;
use crate::query::{Aggregation, Query};

/// A rule `avg m [5m] > 10` with the given lengths in seconds.
fn rule(hold: u64, keep_firing_for: u64, no_data: NoData) -> Rule {
    let metric = MetricName::new("m").unwrap();
    Rule {
        name: "Slow".into(),
        figure: Expression::Single(Query::new(metric, DurationMs::from_minutes(5), Aggregation::Avg)),
        comparison: Comparison::Above,
        threshold: 10.0,
        hold: DurationMs::from_secs(hold),
        keep_firing_for: DurationMs::from_secs(keep_firing_for),
        query_offset: DurationMs::ZERO,
        no_data,
        severity: Severity::Page,
        labels: Labels::empty(),
        summary: String::new(),
        runbook: String::new(),
    }
}

const HIGH: Observed = Observed::Value(11.0);
const LOW: Observed = Observed::Value(10.0);

fn secs(secs: i64) -> TimestampMs {
    TimestampMs::new(secs * 1_000)
}

fn pending(active_at: i64) -> AlertState {
    AlertState::Pending { active_at: secs(active_at) }
}

fn firing(active_at: i64, fired_at: i64) -> AlertState {
    AlertState::Firing { active_at: secs(active_at), fired_at: secs(fired_at), keep_firing_since: None }
}

fn kept(active_at: i64, fired_at: i64, since: i64) -> AlertState {
    AlertState::Firing { active_at: secs(active_at), fired_at: secs(fired_at), keep_firing_since: Some(secs(since)) }
}

fn resolved(active_at: i64, fired_at: i64, at: i64) -> AlertState {
    AlertState::Resolved { active_at: secs(active_at), fired_at: secs(fired_at), at: secs(at) }
}

/// Takes a rule through `(second, observed, state after it)` from inactive; nothing may be stale.
#[track_caller]
fn walk(rule: &Rule, steps: &[(i64, Observed, AlertState)]) {
    let mut state = AlertState::Inactive;
    for (at, observed, expected) in steps {
        let step = advance(rule, state, *observed, secs(*at));
        assert_eq!(step, Step { state: *expected, stale: false }, "at {at} s, after {observed:?}");
        state = step.state;
    }
}

#[track_caller]
fn check(rule: &Rule, state: AlertState, observed: Observed, at: i64, expected: AlertState, stale: bool) {
    assert_eq!(advance(rule, state, observed, secs(at)), Step { state: expected, stale });
}

#[test]
fn without_for_it_fires_and_resolves_at_once() {
    walk(
        &rule(0, 0, NoData::Keep),
        &[
            (0, LOW, AlertState::Inactive),
            (1, HIGH, firing(1, 1)),
            (2, HIGH, firing(1, 1)),
            (3, LOW, resolved(1, 1, 3)),
            (4, HIGH, firing(4, 4)),
        ],
    );
}

#[test]
fn it_is_pending_until_for_has_passed() {
    walk(
        &rule(20, 0, NoData::Keep),
        &[
            (40, HIGH, pending(40)),
            (50, HIGH, pending(40)),
            (59, HIGH, pending(40)),
            (60, HIGH, firing(40, 60)),
            (61, LOW, resolved(40, 60, 61)),
        ],
    );
}

#[test]
fn a_pending_alert_ends_in_silence_and_begins_anew() {
    walk(
        &rule(20, 0, NoData::Keep),
        &[
            (0, HIGH, pending(0)),
            (10, LOW, AlertState::Inactive),
            (11, HIGH, pending(11)),
            (30, HIGH, pending(11)),
            (31, HIGH, firing(11, 31)),
        ],
    );
}

#[test]
fn it_goes_on_firing_for_a_while_and_a_return_clears_that() {
    walk(
        &rule(0, 30, NoData::Keep),
        &[
            (0, HIGH, firing(0, 0)),
            (10, LOW, kept(0, 0, 10)),
            (39, LOW, kept(0, 0, 10)),
            (39, HIGH, firing(0, 0)),
            (50, LOW, kept(0, 0, 50)),
            (79, LOW, kept(0, 0, 50)),
            (80, LOW, resolved(0, 0, 80)),
        ],
    );
}

#[test]
fn a_resolved_alert_is_kept_for_fifteen_minutes() {
    walk(
        &rule(0, 0, NoData::Keep),
        &[
            (0, HIGH, firing(0, 0)),
            (10, LOW, resolved(0, 0, 10)),
            (909, LOW, resolved(0, 0, 10)),
            (910, LOW, resolved(0, 0, 10)),
            (911, LOW, AlertState::Inactive),
        ],
    );
    // It grows old also where there is nothing to look at, and is never stale: it is over.
    let keep = rule(0, 0, NoData::Keep);
    check(&keep, resolved(0, 0, 10), Observed::NoData, 910, resolved(0, 0, 10), false);
    check(&keep, resolved(0, 0, 10), Observed::NoData, 911, AlertState::Inactive, false);
}

#[test]
fn no_data_keeps_the_state_and_says_so() {
    let keep = rule(20, 0, NoData::Keep);
    check(&keep, AlertState::Inactive, Observed::NoData, 5, AlertState::Inactive, false);
    // Also past `for`: what nobody saw must not fire.
    check(&keep, pending(0), Observed::NoData, 25, pending(0), true);
    check(&keep, firing(0, 20), Observed::NoData, 9_999, firing(0, 20), true);
    check(&keep, kept(0, 20, 30), Observed::NoData, 9_999, kept(0, 20, 30), true);
    // The next figure decides.
    check(&keep, pending(0), HIGH, 25, firing(0, 25), false);
    check(&keep, firing(0, 20), LOW, 40, resolved(0, 20, 40), false);
}

#[test]
fn no_data_can_mean_false() {
    let resolve = rule(20, 0, NoData::Resolve);
    check(&resolve, pending(0), Observed::NoData, 5, AlertState::Inactive, false);
    check(&resolve, firing(0, 20), Observed::NoData, 30, resolved(0, 20, 30), false);
    let slow_to_resolve = rule(20, 60, NoData::Resolve);
    check(&slow_to_resolve, firing(0, 20), Observed::NoData, 30, kept(0, 20, 30), false);
}

#[test]
fn no_data_can_mean_true() {
    let fire = rule(20, 0, NoData::Fire);
    check(&fire, AlertState::Inactive, Observed::NoData, 5, pending(5), false);
    check(&fire, pending(5), Observed::NoData, 25, firing(5, 25), false);
    check(&fire, firing(5, 25), LOW, 30, resolved(5, 25, 30), false);
}

#[test]
fn a_failed_query_changes_no_state() {
    for no_data in [NoData::Keep, NoData::Resolve, NoData::Fire] {
        let rule = rule(20, 30, no_data);
        check(&rule, AlertState::Inactive, Observed::Failed, 99_999, AlertState::Inactive, false);
        check(&rule, pending(0), Observed::Failed, 99_999, pending(0), true);
        check(&rule, firing(0, 20), Observed::Failed, 99_999, firing(0, 20), true);
        check(&rule, kept(0, 20, 30), Observed::Failed, 99_999, kept(0, 20, 30), true);
        check(&rule, resolved(0, 20, 30), Observed::Failed, 99_999, resolved(0, 20, 30), false);
    }
}

#[test]
fn a_clock_that_was_set_back_neither_fires_nor_resolves_early() {
    check(&rule(20, 0, NoData::Keep), pending(100), HIGH, 10, pending(100), false);
    check(&rule(0, 20, NoData::Keep), kept(0, 0, 100), LOW, 10, kept(0, 0, 100), false);
    check(&rule(0, 0, NoData::Keep), resolved(0, 0, 2_000), LOW, 10, resolved(0, 0, 2_000), false);
    let far = advance(&rule(1, 0, NoData::Keep), AlertState::Inactive, HIGH, TimestampMs::new(i64::MIN));
    let fired = advance(&rule(1, 0, NoData::Keep), far.state, HIGH, TimestampMs::new(i64::MAX));
    assert_eq!(fired.state.as_str(), "firing");
}

#[test]
fn comparisons_at_the_threshold() {
    let at = |comparison: Comparison, value| comparison.holds(value, 10.0);
    assert!(!at(Comparison::Above, 10.0) && at(Comparison::Above, 10.000_001));
    assert!(at(Comparison::AtLeast, 10.0) && !at(Comparison::AtLeast, 9.999_999));
    assert!(!at(Comparison::Below, 10.0) && at(Comparison::Below, 9.999_999));
    assert!(at(Comparison::AtMost, 10.0) && !at(Comparison::AtMost, 10.000_001));
}

#[test]
fn a_rule_that_is_gone_resolves_what_fires() {
    assert_eq!(pending(0).ended(secs(5)), AlertState::Inactive);
    assert_eq!(kept(0, 1, 2).ended(secs(5)), resolved(0, 1, 5));
    assert_eq!(resolved(0, 1, 2).ended(secs(5)), resolved(0, 1, 2));
    assert_eq!(resolved(0, 1, 2).ended(secs(903)), AlertState::Inactive);
    assert_eq!(AlertState::Inactive.ended(secs(5)), AlertState::Inactive);
}
