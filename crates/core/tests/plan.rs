//! A plan says what beginning the series would say, and begins none.

#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

use bellwether_core::engine::{Engine, EngineConfig, Plan};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::Kind;
use proptest::prelude::*;

fn key(metric: u8, host: u8) -> SeriesKey {
    let labels = Labels::new([("host", host.to_string().as_str())]).unwrap();
    SeriesKey { metric: MetricName::new(&format!("m{metric}")).unwrap(), labels }
}

fn kind() -> impl Strategy<Value = Option<Kind>> {
    prop_oneof![3 => Just(None), 1 => Just(Some(Kind::Gauge)), 1 => Just(Some(Kind::Counter))]
}

proptest! {
    #[test]
    fn planning_says_what_beginning_says(
        before in proptest::collection::vec((0..4_u8, 0..4_u8, kind()), 0..6),
        wanted in proptest::collection::vec((0..4_u8, 0..4_u8, kind()), 0..30),
    ) {
        let config = EngineConfig { max_series: 9, max_series_per_metric: 3, ..EngineConfig::default() };
        let mut engine = Engine::new(config).unwrap();
        for (metric, host, kind) in before {
            let _ = engine.series(&key(metric, host), kind);
        }
        let mut plan = Plan::default();
        let planned: Vec<_> =
            wanted.iter().map(|(metric, host, kind)| engine.plan(&mut plan, &key(*metric, *host), *kind)).collect();
        let known = engine.series_count();
        for ((metric, host, kind), planned) in wanted.into_iter().zip(planned) {
            let begun = engine.series(&key(metric, host), kind).map(|id| engine.series_kind(id));
            prop_assert_eq!(planned, begun);
        }
        prop_assert!(engine.series_count() >= known);
    }
}
