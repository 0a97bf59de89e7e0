//! The language of scripts: what is wrong with one is said with file, line and column, and a check
//! that does not hold is never passed over.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test ends where something is wrong")]

use bellwether_core::engine::EngineConfig;
use bellwether_core::time::TimestampMs;
use bellwether_testkit::engine_target::EngineTarget;
use bellwether_testkit::script::{Report, RunError, Script};

const START: TimestampMs = TimestampMs::new(1_700_006_400_000);

fn run(text: &str) -> Result<Report, RunError> {
    let script = Script::parse("a.test", text).unwrap_or_else(|error| panic!("{error}"));
    script.run(START, || EngineTarget::new(EngineConfig::default()))
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    match Script::parse("a.test", text) {
        Ok(script) => panic!("{script:?} was read"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

#[track_caller]
fn holds(text: &str, checks: usize) {
    assert_eq!(run(text), Ok(Report { checks }), "{text}");
}

#[track_caller]
fn differs(text: &str, expected: &[&str]) {
    let error = run(text).map(|report| format!("{report:?}")).unwrap_err();
    assert_eq!(error.to_string(), expected.join("\n"));
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    refused(
        "\n\nlaod 10s m 1",
        r#"a.test:3:1: expected kind, load, put, late, every, rule, at or clear, found "laod""#,
    );
    refused("load 10 m 1", r#"a.test:1:6: "10" is not a duration; write it like 30s, 5m, 1h30m or 90d"#);
    refused("load 0s m 1", "a.test:1:6: expected a length above zero");
    refused("load 10s m", "a.test:1:11: expected values");
    refused("load 10s m 1 x", r#"a.test:1:14: "x" is no value; write 3, _, _x4, 1x4 or 1+0.5x4"#);
    refused("load 10s m inf", r#"a.test:1:12: "inf" is no value; write 3, _, _x4, 1x4 or 1+0.5x4"#);
    refused("load 10s m 1x9999999", r#"a.test:1:12: "1x9999999" is no value; write 3, _, _x4, 1x4 or 1+0.5x4"#);
    refused("load 10s m{a=\"1\",a=\"2\"} 1", r#"a.test:1:11: label "a" is given twice; give each label once"#);
    refused("load 10s m{a=\"1 1", "a.test:1:15: the text has no closing quote");
    refused("put m 1", r#"a.test:1:8: expected "@", found """#);
    refused(
        "kind m number",
        r#"a.test:1:8: expected a kind, one of observation, counter, gauge, event, found "number""#,
    );
    refused(
        "at 40s mean m [1m] => 3",
        r#"a.test:1:8: "mean" is not an aggregation; use avg, sum, count, min, max, first, last, stddev, rate, increase, delta or p<q> such as p95 or p99.9"#,
    );
    refused("at 40s avg m => 3", r#"a.test:1:14: expected "[", found "=> 3""#);
    refused("at 40s avg m [1m] 3", r#"a.test:1:19: expected "=>", found "3""#);
    refused("at 40s avg m [1m] => 3 ± 1% 4", r#"a.test:1:29: expected nothing more, found "4""#);
    refused("at 40s avg m{a~\"x\"} [1m] => 3", "a.test:1:15: expected one of = != =~ !~");
    refused("at 40s avg m [1m] by (a) => 3", r#"a.test:1:29: expected the labels of a group, as {route="/a"}"#);
    refused("rule R: avg m [1m] = 3", "a.test:1:20: expected one of > >= < <=");
    refused(
        "rule R: avg m [1m] > 3 during 5m",
        r#"a.test:1:24: expected for, keep_firing_for, offset, no_data, severity or labels, found "during""#,
    );
    refused("at 1s alerts => R on", r#"a.test:1:19: expected a state, one of pending, firing, resolved, found "on""#);
    refused("load 10s m 1\n# at 10s avg m [1m] => 1", "a.test: it checks nothing; add a line with =>");
}

#[test]
fn columns_count_characters() {
    refused("load 10s \"größe\" 1 ?", r#"a.test:1:20: "" is no value; write 3, _, _x4, 1x4 or 1+0.5x4"#);
}

#[test]
fn values_are_written_as_in_prometheus() {
    holds("load 1s m 1 _ 3 # 5\nat 9s sum m [1m] => 4\nat 9s last m [1m] => 3", 2);
    holds("load 1s m 1x2 4-1x2 -1e1+1.5x1\nat 9s sum m [1m] => -6.5\nat 9s count m [1m] => 8", 2);
    holds("load 1s m _x3 7\nat 9s first m [6s] => null\nat 9s first m [7s] => 7", 2);
    holds("load 1s from 4s \"from\" 2 3\nat 9s first \"from\" [1m] => 2\nat 9s count \"from\" [4s] => null", 2);
    holds("put \"m#1\"{a=\"x\\\"#\\\\\"} 2@1s\nat 1s sum \"m#1\"{a=\"x\\\"#\\\\\"} [1m] => 2 # a comment", 1);
}

#[test]
fn a_figure_that_differs_is_said_with_both() {
    let load = "load 10s m{r=\"a\"} 1 2\nload 10s m{r=\"b\"} 3 4\n";
    differs(
        &format!("{load}at 10s sum m [1m] => 11\nat 10s sum m [1m] => 10\nat 10s max m [1m] => 5 ±10%"),
        &[
            "a.test:3: at 10s sum m [1m]: expected 11, found 10",
            "a.test:5: at 10s max m [1m]: expected 5 ±0.5, found 4",
        ],
    );
    differs(&format!("{load}at 10s sum m [1m] => null"), &["a.test:3: at 10s sum m [1m]: expected null, found 10"]);
    differs(&format!("{load}at 10s sum x [1m] => 0"), &["a.test:3: at 10s sum x [1m]: expected 0, found null"]);
    differs(
        &format!("{load}at 10s sum m [1m] by (r) => {{r=\"a\"}} 3"),
        &[r#"a.test:3: at 10s sum m [1m] by (r): expected {r="a"} 3, found {r="a"} 3, {r="b"} 7"#],
    );
    differs(
        &format!("{load}at 10s sum m [1m] by (r) => {{r=\"a\"}} 3, {{r=\"b\"}} null"),
        &[r#"a.test:3: at 10s sum m [1m] by (r): expected {r="a"} 3, {r="b"} null, found {r="a"} 3, {r="b"} 7"#],
    );
    differs(
        &format!("{load}at 10s sum m [1m] => refused \"window\""),
        &[r#"a.test:3: at 10s sum m [1m]: expected an error with "window", found 10"#],
    );
    differs(
        &format!("{load}at 10s sum m [0s] => 10"),
        &[
            r#"a.test:3: at 10s sum m [0s]: expected 10, found the error "the window is zero long; ask for at least 1 ms, such as 5m""#,
        ],
    );
}

#[test]
fn an_alert_that_differs_is_said_with_both() {
    let text = "rule High: last m [1m] > 10 for 5s\nload 10s m 11\n";
    for (expected, wanted) in [
        ("none", "none"),
        ("High firing", "High firing"),
        ("High pending stale", "High pending stale"),
        ("High pending value 12", "High pending value 12"),
        ("High pending since 1s", "High pending since 1s"),
        ("Other pending", "Other pending"),
        ("High{a=\"1\"} pending", "High{a=\"1\"} pending"),
        ("High pending, Other pending", "High pending, Other pending"),
    ] {
        differs(
            &format!("{text}at 4s alerts => {expected}"),
            &[&format!("a.test:3: at 4s alerts: expected {wanted}, found High pending value 11 since 0s")],
        );
    }
    holds(&format!("{text}at 4s alerts => High pending value 11 since 0s\nat 4s failures => none"), 2);
    differs(
        &format!("{text}at 4s failures => \"High\""),
        &[r#"a.test:3: at 4s failures: expected ["High"], found []"#],
    );
    differs(
        "at 0s scorecard => 0 0 1",
        &["a.test:1: at 0s scorecard: expected [0.0, 0.0, 1.0], found [0.0, 0.0, 0.0]"],
    );
}

#[test]
fn a_range_a_refused_kind_and_a_kpi_that_differ_are_said_with_both() {
    let load = "load 10s m 1 3\n";
    holds(&format!("{load}at 10s sum m [10s] => 3 over 0s 10s"), 1);
    differs(
        &format!("{load}at 10s sum m [10s] => 3 over 1s 10s"),
        &["a.test:2: at 10s sum m [10s]: expected 3 over 1s 10s, found 3 over 0s 10s"],
    );
    differs(
        "kind m gauge => refused \"kept\"",
        &[r#"a.test:1: kind m gauge: expected an error with "kept", found it declared"#],
    );
    let kpi = |kpi: &str| format!("{load}at 10s kpi last m [10s] {kpi}");
    holds(&kpi("lower target 3 unit ms => met 3 by 2 percent 200"), 1);
    differs(
        &kpi("higher target 4 => met 3 by 2 percent 200"),
        &[
            "a.test:2: at 10s kpi last m [10s] higher target 4: expected met 3 by 2 percent 200, found not_met 3 by 2 percent 200",
        ],
    );
    differs(
        &kpi("lower unit ratio => no_target 3 by 2"),
        &[
            "a.test:2: at 10s kpi last m [10s] lower unit ratio: expected no_target 3 by 2, found no_target 3 points 200",
        ],
    );
    refused("at 10s kpi last m [10s] by (a) lower => no_figure", "a.test:1:12: a KPI has one figure; leave out by");
}

#[test]
fn the_fate_of_a_late_sample_is_checked() {
    differs(
        "load 1d m 1 2\nat 1d sum m [1m] => 2\nlate 1d m 3@1h => too_late",
        &["a.test:3: late 1d m: expected too_late, found accepted"],
    );
    let error = run("load 1d m{a=\"1\"} 1\nlate 100d m 1@1d => too_late\nkind n gauge\nkind n event").unwrap_err();
    assert!(error.to_string().starts_with("a.test:4: "), "{error}");
}

#[test]
fn time_only_goes_on() {
    let broken = |text: &str| run(text).unwrap_err().to_string();
    assert_eq!(
        broken("at 10s sum m [1m] => null\nat 9s sum m [1m] => null"),
        "a.test:2: 9s is in the past, time has come to 10s; times only grow"
    );
    assert_eq!(
        broken("at 10s sum m [1m] => null\nput m 1@10s"),
        "a.test:2: the sample at 10s is in the past, time has come to 10s; move the line up, or write late"
    );
    holds("put m 1@20s\nat 10s sum m [1m] => null\nclear\nput m 1@1s\nat 1s sum m [1m] => 1", 2);
}

#[test]
fn a_rule_further_down_is_evaluated_from_now_on() {
    let text = "rule A: last m [1m] > 1\nload 10s m 2\nat 3s alerts => A firing since 0s\n";
    holds(&format!("{text}rule B: last m [1m] > 1\nat 3s alerts => A firing since 0s, B firing since 3s"), 2);
    holds(&format!("{text}every 10s\nrule B: last m [1m] > 1\nat 4s alerts => A firing, B firing since 4s"), 2);
}

#[test]
fn a_script_says_what_it_needs() {
    let needs = |text: &str| {
        let script = Script::parse("a.test", text).unwrap();
        (script.length().to_string(), script.has_rules(), script.has_late_samples())
    };
    assert_eq!(needs("at 10s sum m [1m] => null"), ("10s".to_owned(), false, false));
    assert_eq!(needs("load 10s m 1x6\nrule A: last m [1m] > 1\nat 10s alerts => none"), ("1m".to_owned(), true, false));
    assert_eq!(needs("late 10s m 1@3m => accepted"), ("3m".to_owned(), false, true));
}
