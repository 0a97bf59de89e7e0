//! Rules whose figures are kept against rules whose figures are asked anew at each evaluation.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use bellwether_core::alerts::Alerts;
use bellwether_core::engine::{Engine, EngineConfig};
use bellwether_core::labels::{LabelName, Labels, MetricName, SeriesKey};
use bellwether_core::query::{Across, Expression, Query};
use bellwether_core::rule::{Comparison, NoData, Rule, Severity};
use bellwether_core::sample::Sample;
use bellwether_core::selector::{Condition, Matcher};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_core::watch::Watches;
use proptest::prelude::*;

const START: TimestampMs = TimestampMs::new(1_699_999_200_000);

fn query(metric: &str, secs: u64, aggregation: &str, by: &[&str]) -> Query {
    let mut query =
        Query::new(MetricName::new(metric).unwrap(), DurationMs::from_secs(secs), aggregation.parse().unwrap());
    query.by = by.iter().map(|label| LabelName::new(label).unwrap()).collect();
    query
}

fn rule(name: &str, figure: Expression, threshold: f64) -> Rule {
    Rule {
        name: name.into(),
        figure,
        comparison: Comparison::Above,
        threshold,
        hold: DurationMs::from_secs(2),
        keep_firing_for: DurationMs::ZERO,
        query_offset: DurationMs::ZERO,
        no_data: NoData::Resolve,
        severity: Severity::Page,
        labels: Labels::empty(),
        summary: String::new(),
        runbook: String::new(),
    }
}

fn rules() -> Vec<Rule> {
    let mut one = query("m", 20, "max", &[]);
    one.matchers = vec![Matcher { label: LabelName::new("host").unwrap(), condition: Condition::Equal("1".into()) }];
    let across = Query { across: Across::Sum, ..query("m", 10, "last", &[]) };
    let mut late = rule("Late", Expression::Single(query("m", 5, "sum", &["host"])), 90.0);
    late.query_offset = DurationMs::from_secs(3);
    late.no_data = NoData::Fire;
    vec![
        rule("Slow", Expression::Single(query("m", 10, "avg", &["host"])), 50.0),
        rule("Spread", Expression::Single(query("m", 30, "p90", &[])), 80.0),
        rule(
            "Errors",
            Expression::Ratio(query("e_total", 10, "increase", &["host"]), query("m", 10, "count", &["host"])),
            2.0,
        ),
        rule("One", Expression::Single(one), 90.0),
        // Its name is taken, so that it is not evaluated.
        rule("Slow", Expression::Single(query("m", 10, "min", &[])), 0.0),
        rule("Across", Expression::Single(across), 100.0),
        // It cannot be answered where several series have samples.
        rule("First", Expression::Single(query("m", 10, "first", &[])), 50.0),
        late,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_kept_is_what_would_be_found_anew(
        steps in proptest::collection::vec((0..4_u64, proptest::collection::vec((0..4_u8, 0..9_u64, 0.0..100.0_f64), 0..5)), 1..60),
        changed in 0..60_usize,
    ) {
        let mut engine = Engine::new(EngineConfig::default()).unwrap();
        let (mut kept, mut anew, mut watches) = (Alerts::new(), Alerts::new(), Watches::default());
        let mut rules = rules();
        let mut now = START;
        for (number, (pass, samples)) in steps.into_iter().enumerate() {
            now = now + DurationMs::from_millis(pass * 1_000 + pass * 77);
            for (host, ago, value) in samples {
                let metric = MetricName::new(if host == 3 { "e_total" } else { "m" }).unwrap();
                let labels = Labels::new([("host", (host % 3).to_string())]).unwrap();
                let id = engine.series(&SeriesKey { metric, labels }, None).unwrap();
                engine.record(id, Sample::new(now - DurationMs::from_secs(ago), value).unwrap(), now).unwrap();
            }
            if number == changed {
                rules.remove(0);
                rules[1].threshold = 1.0;
                rules[0].figure = Expression::Single(query("m", 15, "p50", &["host"]));
            }
            engine.advance(now);
            let found = kept.evaluate_watched(&rules, &mut watches, &engine, now);
            prop_assert_eq!(found, anew.evaluate(&rules, &engine, now));
            prop_assert_eq!(&kept, &anew);
        }
    }
}
