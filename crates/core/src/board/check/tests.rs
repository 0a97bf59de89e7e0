//! What is wrong with a board is said with its place.

use super::*;
use crate::board::{MetricDeclaration, Panel};
use crate::kpi::{Direction, Kpi};
use crate::labels::Labels;
use crate::rule::{Comparison, NoData, Severity};

fn query(metric: &str, window: &str, aggregation: &str) -> Query {
    Query::new(MetricName::new(metric).unwrap(), window.parse().unwrap(), aggregation.parse().unwrap())
}

fn by(mut query: Query, labels: &[&str]) -> Query {
    query.by = labels.iter().map(|label| LabelName::new(label).unwrap()).collect();
    query
}

fn metric(name: &str, kind: Kind) -> MetricDeclaration {
    MetricDeclaration { name: MetricName::new(name).unwrap(), kind, unit: String::new(), help: String::new() }
}

fn kpi(id: &str, query: Query) -> Kpi {
    Kpi {
        id: id.into(),
        title: "Booking".into(),
        unit: "ms".into(),
        figure: Expression::Single(query),
        direction: Direction::LowerIsBetter,
        target: Some(300.0),
        owner: String::new(),
        section: String::new(),
    }
}

fn panel(id: &str, query: Query) -> Panel {
    Panel {
        id: id.into(),
        title: "Booking".into(),
        unit: "ms".into(),
        figure: Expression::Single(query),
        threshold: None,
        section: String::new(),
    }
}

fn rule(name: &str, query: Query) -> Rule {
    Rule {
        name: name.into(),
        figure: Expression::Single(query),
        comparison: Comparison::Above,
        threshold: 300.0,
        hold: DurationMs::ZERO,
        keep_firing_for: DurationMs::ZERO,
        query_offset: DurationMs::ZERO,
        no_data: NoData::Keep,
        severity: Severity::Page,
        labels: Labels::empty(),
        summary: String::new(),
        runbook: String::new(),
    }
}

/// A board that is right in every part.
fn board() -> Board {
    Board {
        title: "Bookings".into(),
        metrics: vec![metric("response", Kind::Observation), metric("memory", Kind::Gauge)],
        kpis: vec![kpi("booking", query("response", "5m", "avg")), kpi("memory", query("memory", "5m", "last"))],
        panels: vec![panel("booking", by(query("response", "1m", "p95"), &["route"]))],
        rules: vec![rule("Slow", by(query("response", "5m", "avg"), &["route"]))],
    }
}

/// Changes the right board and compares all that is then wrong with it.
#[track_caller]
fn check(change: impl FnOnce(&mut Board), expected: &[&str]) {
    let mut board = board();
    change(&mut board);
    let found: Vec<String> = board.check().err().unwrap_or_default().iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_board_that_is_right() {
    check(|_| {}, &[]);
    assert_eq!(Board::default().check(), Ok(()));
}

#[test]
fn names_and_ids_are_unique() {
    check(
        |board| {
            board.metrics.push(metric("response", Kind::Gauge));
            board.kpis.push(kpi("booking", query("response", "5m", "avg")));
            board.panels.push(panel("booking", query("response", "5m", "avg")));
            board.rules.push(rule("Slow", query("response", "5m", "avg")));
        },
        &[
            r#"metrics[2].name: "response" is already the name of metrics[0]; give each a name of its own"#,
            r#"kpis[2].id: "booking" is already the name of kpis[0]; give each a name of its own"#,
            r#"panels[1].id: "booking" is already the name of panels[0]; give each a name of its own"#,
            r#"rules[1].name: "Slow" is already the name of rules[0]; give each a name of its own"#,
        ],
    );
}

#[test]
fn texts_are_there() {
    check(
        |board| {
            board.kpis[0].id = "a b".into();
            board.kpis[1].title = " ".into();
            board.panels[0].id = String::new();
            board.rules[0].name = String::new();
        },
        &[
            "kpis[0].id: the id \"a b\" cannot stand in an address; use 1 to 64 letters a-z, A-Z, digits, '-', '_' and '.'",
            "kpis[1].title: it is empty; give it a text",
            "panels[0].id: the id \"\" cannot stand in an address; use 1 to 64 letters a-z, A-Z, digits, '-', '_' and '.'",
            "rules[0].name: it is empty; give it a text",
        ],
    );
    check(
        |board| board.rules[0].name = "n".repeat(2_049),
        &["rules[0].name: the name is 2049 bytes long; at most 2048 are allowed"],
    );
}

#[test]
fn numbers_are_finite() {
    check(
        |board| {
            board.kpis[1].target = Some(f64::NAN);
            board.panels[0].threshold = Some(f64::INFINITY);
            board.rules[0].threshold = f64::NEG_INFINITY;
        },
        &[
            "kpis[1].target: it is not a finite number; give a number, or leave it out where it is optional",
            "panels[0].threshold: it is not a finite number; give a number, or leave it out where it is optional",
            "rules[0].threshold: it is not a finite number; give a number, or leave it out where it is optional",
        ],
    );
}

#[test]
fn queries_make_sense() {
    check(
        |board| {
            board.kpis[0].figure = Expression::Single(by(query("response", "0s", "avg"), &["route"]));
            board.kpis[1].figure = Expression::Single(query("memory", "5m", "rate"));
            board.panels[0].figure = Expression::Single(by(query("response", "1m", "avg"), &["a", "b", "a"]));
        },
        &[
            r#"kpis[0].query.window: the window is empty; give a length such as 5m"#,
            r#"kpis[0].query.by: a KPI is one figure; leave "by" out, or show the groups in a panel"#,
            "kpis[1].query.agg: rate does not fit memory, which is a gauge; use delta, avg, min, max or last",
            r#"panels[0].query.by: it groups by "a" twice; name each label once"#,
        ],
    );
}

#[test]
fn both_queries_of_a_ratio_are_checked() {
    let ratio = |over, under| Expression::Ratio(over, under);
    check(
        |board| {
            board.panels[0].figure = ratio(
                by(query("response", "1m", "count"), &["a", "b"]),
                by(query("response", "1m", "count"), &["b", "a"]),
            );
        },
        &[],
    );
    check(
        |board| {
            board.panels[0].figure =
                ratio(by(query("response", "1m", "count"), &["a"]), query("memory", "0s", "increase"));
        },
        &[
            r#"panels[0].query.ratio[1].window: the window is empty; give a length such as 5m"#,
            "panels[0].query.ratio[1].agg: increase does not fit memory, which is a gauge; use delta, avg, min, max or last",
            r#"panels[0].query.ratio: the two queries of a ratio must group by the same labels; give both the same "by""#,
        ],
    );
}

#[test]
fn labels_of_rules_keep_their_alerts_apart() {
    check(
        |board| board.rules[0].labels = Labels::new([("alertname", "x"), ("route", "x"), ("team", "x")]).unwrap(),
        &[
            r#"rules[0].labels.alertname: the label "alertname" carries the rule's name; leave it out"#,
            r#"rules[0].labels.route: the rule groups by "route"; a label of its own with that name would make its alerts one"#,
        ],
    );
    check(
        |board| board.rules[0].labels = Labels::new((0..29).map(|n| (format!("l{n}"), "v"))).unwrap(),
        &["rules[0].labels: its alerts would have 31 labels; at most 30 are allowed"],
    );
}

#[test]
fn windows_are_held_against_what_is_kept() {
    let mut board = board();
    board.rules[0].query_offset = DurationMs::from_secs(15);
    board.kpis[0].figure = Expression::Single(query("response", "3m", "delta"));
    assert_eq!(board.check_within(DurationMs::from_millis(360_000)).map_err(|errors| errors.len()), Ok(()));
    let errors = board.check_within(DurationMs::from_minutes(5)).unwrap_err();
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "kpis[0].query.window: it looks back 6m, and samples are kept for 5m; choose a shorter window",
            "rules[0].query.window: it looks back 5m15s, and samples are kept for 5m; choose a shorter window",
        ]
    );
}

#[test]
fn ranges_cover_the_longest_look_back() {
    let mut board = board();
    board.rules[0].query_offset = DurationMs::from_secs(15);
    board.rules.push(rule("Ratio", query("response", "5m", "avg")));
    board.rules[1].figure = Expression::Ratio(query("errors", "1h", "increase"), query("all", "2h", "increase"));
    board.kpis[1].figure = Expression::Single(query("memory", "5m", "delta"));
    let ranges: Vec<(String, String)> =
        board.ranges().iter().map(|(metric, range)| (metric.to_string(), range.to_string())).collect();
    let expected = [("all", "2h"), ("errors", "1h"), ("memory", "15m"), ("response", "10m")];
    assert_eq!(ranges, expected.map(|(metric, range)| (metric.to_owned(), range.to_owned())));
}
