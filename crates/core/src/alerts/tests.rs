//! Sets of alerts over several evaluations.

use super::*;
use crate::labels::{LabelName, MetricName};
use crate::query::{Aggregation, Answer, Query};
use crate::rule::Comparison;

fn rule(name: &str, hold: u64) -> Rule {
    let query = Query::new(MetricName::new("m").unwrap(), DurationMs::from_minutes(5), Aggregation::Avg);
    Rule {
        name: name.into(),
        figure: Expression::Single(query),
        comparison: Comparison::Above,
        threshold: 10.0,
        hold: DurationMs::from_secs(hold),
        keep_firing_for: DurationMs::ZERO,
        query_offset: DurationMs::ZERO,
        no_data: NoData::Keep,
        severity: Severity::Page,
        labels: Labels::empty(),
        summary: String::new(),
        runbook: String::new(),
    }
}

fn by(mut rule: Rule, label: &str) -> Rule {
    let Expression::Single(query) = &mut rule.figure else { unreachable!("made above") };
    query.by = vec![LabelName::new(label).unwrap()];
    rule
}

fn secs(secs: i64) -> TimestampMs {
    TimestampMs::new(secs * 1_000)
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    Labels::new(pairs.iter().copied()).unwrap()
}

/// A group `{route=…}`, or the group without labels.
fn group(route: &str, value: Option<f64>) -> Group {
    let labels = Labels::new([("route", route)]).unwrap();
    let answer = Answer { value, count: 1, from: secs(0), to: secs(0), relative_error: 0.0 };
    Group { labels, answer }
}

/// Evaluates `rules` at a second over the same groups for each and says what changed:
/// `name{route}: from → to`.
fn evaluate(alerts: &mut Alerts, rules: &[Rule], at: i64, groups: &[Group]) -> Vec<String> {
    let transitions = alerts.evaluate_with(rules, secs(at), |_, _| Ok(groups.to_vec()));
    told(&transitions)
}

fn told(transitions: &[Transition]) -> Vec<String> {
    let tell = |transition: &Transition| {
        assert_eq!(transition.alert.state, transition.to);
        let route = transition.alert.labels.get("route").unwrap_or("");
        format!("{}{{{route}}}: {} → {}", transition.alert.rule, transition.from.as_str(), transition.to.as_str())
    };
    transitions.iter().map(tell).collect()
}

/// `name{route} state value`, with `stale` where it is.
fn shown(alerts: &Alerts) -> Vec<String> {
    let show = |alert: &Alert| {
        let route = alert.labels.get("route").unwrap_or("");
        let stale = if alert.stale { " stale" } else { "" };
        format!("{}{{{route}}} {} {:?}{stale}", alert.rule, alert.state.as_str(), alert.value)
    };
    alerts.iter().map(show).collect()
}

#[test]
fn each_group_has_an_alert_of_its_own() {
    let rules = [by(rule("Slow", 20), "route")];
    let mut alerts = Alerts::new();
    let first = evaluate(&mut alerts, &rules, 0, &[group("/a", Some(11.0)), group("/b", Some(9.0))]);
    assert_eq!(first, ["Slow{/a}: inactive → pending"]);
    let second = evaluate(&mut alerts, &rules, 20, &[group("/a", Some(12.0)), group("/b", Some(13.0))]);
    assert_eq!(second, ["Slow{/a}: pending → firing", "Slow{/b}: inactive → pending"]);
    assert_eq!(shown(&alerts), ["Slow{/a} firing Some(12.0)", "Slow{/b} pending Some(13.0)"]);
    let third = evaluate(&mut alerts, &rules, 21, &[group("/a", Some(1.0)), group("/b", Some(2.0))]);
    assert_eq!(third, ["Slow{/a}: firing → resolved", "Slow{/b}: pending → inactive"]);
    assert_eq!(shown(&alerts), ["Slow{/a} resolved Some(1.0)"]);
    // Kept for 15 minutes with the figure that ended it, then gone.
    assert_eq!(evaluate(&mut alerts, &rules, 921, &[group("/a", Some(3.0))]), [""; 0]);
    assert_eq!(shown(&alerts), ["Slow{/a} resolved Some(1.0)"]);
    assert_eq!(evaluate(&mut alerts, &rules, 922, &[group("/a", Some(3.0))]), ["Slow{/a}: resolved → inactive"]);
    assert_eq!(alerts, Alerts::new());
}

#[test]
fn a_quiet_rule_has_its_errors_told() {
    let mut alerts = Alerts::new();
    let long = [rule(&"x".repeat(MAX_VALUE_BYTES + 1), 0)];
    assert_eq!(evaluate(&mut alerts, &long, 0, &[group("", Some(1.0))]), [""; 0]);
    assert!(matches!(alerts.failures(), [RuleError::Name { .. }]));
    // Its own label makes one alert of two groups.
    let mut twice = by(rule("Slow", 0), "route");
    twice.labels = labels(&[("route", "any")]);
    evaluate(&mut alerts, &[twice], 1, &[group("/a", Some(1.0)), group("/b", Some(2.0))]);
    assert!(matches!(alerts.failures(), [RuleError::DuplicateKey { .. }]));
    let same_name = [rule("Slow", 0), rule("Slow", 0)];
    evaluate(&mut alerts, &same_name, 2, &[group("", None)]);
    assert!(matches!(alerts.failures(), [RuleError::DuplicateName { .. }]));
    assert_eq!(alerts.iter().count(), 0);
}

#[test]
fn the_labels_are_the_groups_the_rules_and_the_name() {
    let mut rule = by(rule("Slow", 0), "route");
    rule.labels = labels(&[("team", "bookings")]);
    let mut alerts = Alerts::new();
    evaluate(&mut alerts, &[rule], 0, &[group("/a", Some(11.0))]);
    let found: Vec<_> = alerts.iter().map(|alert| alert.labels.clone()).collect();
    assert_eq!(found, [labels(&[("alertname", "Slow"), ("route", "/a"), ("team", "bookings")])]);
}

#[test]
fn a_duplicate_key_fails_the_rule_and_changes_nothing() {
    let mut rules = [by(rule("Slow", 0), "route"), rule("Other", 0)];
    let mut alerts = Alerts::new();
    let groups = [group("/a", Some(11.0))];
    evaluate(&mut alerts, &rules[..1], 0, &groups);
    rules[0].labels = labels(&[("route", "/a")]);
    let both = [group("/a", Some(1.0)), group("/b", Some(1.0))];
    assert_eq!(evaluate(&mut alerts, &rules[..1], 1, &both), [""; 0]);
    assert_eq!(shown(&alerts), ["Slow{/a} firing Some(11.0) stale"]);
    let errors: Vec<String> = alerts.failures().iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            r#"rule "Slow" makes two alerts with the labels {alertname="Slow", route="/a"}; its own labels must not repeat one that it groups by"#
        ]
    );
    // The next evaluation begins with a clean sheet, and other rules were never held up.
    rules[0].labels = Labels::empty();
    assert_eq!(evaluate(&mut alerts, &rules, 2, &groups), ["Other{/a}: inactive → firing"]);
    assert_eq!(alerts.failures(), []);
}

#[test]
fn a_failing_query_changes_no_state() {
    let rules = [rule("Slow", 20)];
    let mut alerts = Alerts::new();
    evaluate(&mut alerts, &rules, 0, &[group("", Some(11.0))]);
    let transitions = alerts.evaluate_with(&rules, secs(30), |_, _| Err(QueryError::ZeroWindow));
    assert_eq!(told(&transitions), [""; 0]);
    assert_eq!(shown(&alerts), ["Slow{} pending Some(11.0) stale"]);
    let named = matches!(alerts.failures(), [RuleError::Query { rule, .. }] if rule == "Slow");
    assert!(named, "{:?}", alerts.failures());
    assert_eq!(evaluate(&mut alerts, &rules, 31, &[group("", Some(12.0))]), ["Slow{}: pending → firing"]);
}

#[test]
fn the_second_rule_of_a_name_is_not_evaluated() {
    let mut alerts = Alerts::new();
    let told = evaluate(&mut alerts, &[rule("Slow", 0), rule("Slow", 5)], 0, &[group("", Some(11.0))]);
    assert_eq!(told, ["Slow{}: inactive → firing"]);
    assert_eq!(alerts.failures(), [RuleError::DuplicateName { rule: "Slow".into() }]);
}

#[test]
fn no_data_keeps_resolves_or_fires() {
    let groups = [group("", Some(11.0))];
    for (no_data, expected) in [
        (NoData::Keep, "Slow{} firing Some(11.0) stale"),
        (NoData::Resolve, "Slow{} resolved None"),
        (NoData::Fire, "Slow{} firing None"),
    ] {
        for empty in [vec![], vec![group("", None)]] {
            let rules = [Rule { no_data, ..rule("Slow", 0) }];
            let mut alerts = Alerts::new();
            evaluate(&mut alerts, &rules, 0, &groups);
            evaluate(&mut alerts, &rules, 1, &empty);
            assert_eq!(shown(&alerts), [expected], "{no_data:?} with {empty:?}");
        }
    }
}

#[test]
fn a_rule_that_fires_on_no_data_fires_where_there_never_was_any() {
    let rules = [by(Rule { no_data: NoData::Fire, ..rule("Silent", 5) }, "route")];
    let mut alerts = Alerts::new();
    assert_eq!(evaluate(&mut alerts, &rules, 0, &[]), ["Silent{}: inactive → pending"]);
    assert_eq!(evaluate(&mut alerts, &rules, 5, &[]), ["Silent{}: pending → firing"]);
    // Once groups are there, the alert for "none at all" is over, and each speaks for itself.
    assert_eq!(evaluate(&mut alerts, &rules, 6, &[group("/a", Some(1.0))]), ["Silent{}: firing → resolved"]);
    assert_eq!(evaluate(&mut alerts, &rules, 7, &[group("/a", None)]), ["Silent{/a}: inactive → pending"]);
    assert_eq!(evaluate(&mut alerts, &rules, 8, &[]), [""; 0]);
    assert_eq!(shown(&alerts), ["Silent{} resolved None", "Silent{/a} pending None"]);
}

#[test]
fn a_rule_that_is_gone_or_changed_ends_its_alerts() {
    let mut alerts = Alerts::new();
    let groups = [group("/a", Some(11.0))];
    let slow = by(rule("Slow", 0), "route");
    evaluate(&mut alerts, &[slow.clone(), by(rule("Gone", 0), "route"), by(rule("Young", 60), "route")], 0, &groups);
    let relabelled = Rule { labels: labels(&[("team", "x")]), ..slow };
    let told = evaluate(&mut alerts, &[relabelled], 1, &groups);
    assert_eq!(
        told,
        [
            "Slow{/a}: firing → resolved",
            "Slow{/a}: inactive → firing",
            "Gone{/a}: firing → resolved",
            "Young{/a}: pending → inactive",
        ]
    );
}

#[test]
fn the_query_looks_back_by_the_offset_and_the_state_does_not() {
    let rules = [Rule { query_offset: DurationMs::from_secs(15), ..rule("Slow", 0) }];
    let mut alerts = Alerts::new();
    let mut asked = Vec::new();
    alerts.evaluate_with(&rules, secs(100), |_, at| {
        asked.push(at);
        Ok(vec![group("", Some(11.0))])
    });
    assert_eq!(asked, [secs(85)]);
    let states: Vec<_> = alerts.iter().map(|alert| alert.state).collect();
    assert_eq!(states, [AlertState::Firing { active_at: secs(100), fired_at: secs(100), keep_firing_since: None }]);
}

const HOUR: i64 = 3_600;

/// When a pending alert with a `for` of that many seconds counts as begun after a restart.
#[track_caller]
fn check_restored(hold: u64, active_at: i64, saved_at: i64, now: i64, expected: Option<i64>) {
    let rules = [rule("Slow", hold)];
    let mut before = Alerts::new();
    evaluate(&mut before, &rules, active_at, &[group("", Some(11.0))]);
    let mut after = Alerts::new();
    after.restore(&rules, before.iter().cloned(), secs(saved_at), secs(now));
    let found: Vec<_> = after.iter().map(|alert| (alert.state, alert.stale)).collect();
    let expected: Vec<_> = expected.into_iter().map(|at| (AlertState::Pending { active_at: secs(at) }, true)).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_restart_takes_up_what_was_pending() {
    let hold = 2 * 3_600;
    // Half an hour pending, half an hour away: the outage does not count towards `for`.
    check_restored(hold, 0, HOUR / 2, HOUR, Some(HOUR / 2));
    // A minute was missing: it fires no sooner than 10 minutes after the restart.
    check_restored(hold, 0, 2 * HOUR - 60, 2 * HOUR, Some(2 * HOUR + 600 - 2 * HOUR));
    // An outage of exactly the tolerance, and one second more.
    check_restored(hold, 0, HOUR / 2, HOUR / 2 + HOUR, Some(HOUR));
    check_restored(hold, 0, HOUR / 2, HOUR / 2 + HOUR + 1, None);
    // A `for` below the grace begins anew.
    check_restored(599, 0, 60, 120, None);
    check_restored(600, 0, 60, 120, Some(120));
}

#[test]
fn a_restart_keeps_what_fires_and_what_is_resolved() {
    let rules = [by(rule("Slow", 0), "route")];
    let mut before = Alerts::new();
    evaluate(&mut before, &rules, 0, &[group("/a", Some(11.0)), group("/b", Some(11.0))]);
    evaluate(&mut before, &rules, 5, &[group("/a", Some(11.0)), group("/b", Some(1.0))]);
    let mut after = Alerts::new();
    after.restore(&rules, before.iter().cloned(), secs(5), secs(65));
    assert_eq!(shown(&after), ["Slow{/a} firing Some(11.0) stale", "Slow{/b} resolved Some(1.0)"]);
    // Still firing: nobody is told twice. Over: the end is told.
    assert_eq!(evaluate(&mut after, &rules, 65, &[group("/a", Some(12.0))]), [""; 0]);
    assert_eq!(shown(&after), ["Slow{/a} firing Some(12.0)", "Slow{/b} resolved Some(1.0)"]);
    assert_eq!(evaluate(&mut after, &rules, 66, &[group("/a", Some(1.0))]), ["Slow{/a}: firing → resolved"]);
}

#[test]
fn a_restart_without_the_rule_tells_the_end() {
    let mut before = Alerts::new();
    evaluate(&mut before, &[rule("Slow", 0), rule("Young", 3_600)], 0, &[group("", Some(11.0))]);
    let mut after = Alerts::new();
    after.restore(&[], before.iter().cloned(), secs(5), secs(6));
    assert_eq!(shown(&after), ["Slow{} firing Some(11.0) stale"]);
    assert_eq!(evaluate(&mut after, &[], 7, &[]), ["Slow{}: firing → resolved"]);
    assert_eq!(shown(&after), ["Slow{} resolved None"], "no figure ended it");
}
