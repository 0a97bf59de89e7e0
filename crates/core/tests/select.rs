//! Selectors over many series against the labels themselves.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use bellwether_core::engine::{Engine, EngineConfig, SeriesId};
use bellwether_core::labels::{LabelName, Labels, MetricName, SeriesKey};
use bellwether_core::selector::{Condition, Matcher, Pattern};
use proptest::prelude::*;

/// A label name out of few, and one that no series has.
fn label() -> impl Strategy<Value = String> {
    "[abcx]"
}

fn series() -> impl Strategy<Value = Vec<(String, String)>> {
    let value = "[0-3]{0,2}";
    (value, value, value).prop_map(|(a, b, c)| [("a", a), ("b", b), ("c", c)].map(|(n, v)| (n.to_owned(), v)).into())
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let condition = prop_oneof![
        3 => "[0-3]{0,2}".prop_map(Condition::Equal),
        2 => "[0-3]{0,2}".prop_map(Condition::NotEqual),
        1 => "[0-3]{1,2}\\*?|[0-3]\\|[0-3]{0,1}|\\.\\*|\\.\\+".prop_map(|text| Condition::Matches(Pattern::new(&text).unwrap())),
        1 => "[0-3]{1,2}\\*?|\\.\\*|\\.\\+".prop_map(|text| Condition::MatchesNot(Pattern::new(&text).unwrap())),
    ];
    (label(), condition).prop_map(|(name, condition)| Matcher { label: LabelName::new(&name).unwrap(), condition })
}

proptest! {
    #[test]
    fn what_matches_is_what_the_labels_say(
        all in proptest::collection::vec((series(), 0..3_u8), 0..80),
        matchers in proptest::collection::vec(matcher(), 0..4),
    ) {
        let mut engine = Engine::new(EngineConfig::default()).unwrap();
        let metric = MetricName::new("m").unwrap();
        // Every third series is of another metric.
        let mut ids = Vec::new();
        for (labels, other) in &all {
            let metric = if *other == 0 { MetricName::new("other").unwrap() } else { metric.clone() };
            let key = SeriesKey { metric, labels: Labels::new(labels.clone()).unwrap() };
            ids.push(engine.series(&key, None).unwrap());
        }
        ids.sort_unstable();
        ids.dedup();
        let found: Vec<SeriesId> = engine.matching(&metric, &matchers).collect();
        ids.retain(|id| {
            let key = engine.key(*id);
            key.metric == metric && matchers.iter().all(|matcher| matcher.matches(&key.labels))
        });
        prop_assert_eq!(found, ids);
    }
}
