use super::*;
use proptest::prelude::*;

fn sample(timestamp: i64, value: f64) -> Sample {
    Sample::new(TimestampMs::new(timestamp), value).unwrap()
}

fn of(samples: &[(i64, f64)], kind: Kind) -> Summary {
    let mut summary = Summary::of(sample(samples[0].0, samples[0].1), kind);
    for (timestamp, value) in &samples[1..] {
        summary.record(sample(*timestamp, *value), kind);
    }
    summary
}

fn merged(a: &Summary, b: &Summary, kind: Kind) -> Summary {
    let mut sum = a.clone();
    sum.merge(b, kind);
    sum
}

#[test]
fn a_counter_grows_through_its_resets() {
    let summary = of(&[(1, 10.0), (2, 15.0), (3, 2.0), (4, 6.0)], Kind::Counter);
    assert_eq!(summary.increase, 5.0 + 2.0 + 4.0);
    let later = of(&[(5, 1.0), (6, 2.0)], Kind::Counter);
    assert_eq!(merged(&summary, &later, Kind::Counter).increase, 11.0 + 1.0 + 1.0);
    assert_eq!(merged(&later, &summary, Kind::Counter).increase, 13.0, "whichever comes first");
}

#[test]
fn a_late_sample_of_a_counter_changes_nothing_between_its_neighbours() {
    let summary = of(&[(1, 10.0), (3, 30.0), (2, 20.0)], Kind::Counter);
    assert_eq!(summary.increase, 20.0);
    assert_eq!(of(&[(3, 30.0), (1, 10.0)], Kind::Counter).increase, 20.0, "before the first");
}

#[test]
fn overlapping_counters_without_a_reset_grow_from_end_to_end() {
    let a = of(&[(1, 10.0), (4, 40.0)], Kind::Counter);
    let b = of(&[(2, 20.0), (5, 50.0)], Kind::Counter);
    assert_eq!(merged(&a, &b, Kind::Counter).increase, 40.0);
    assert_eq!(merged(&b, &a, Kind::Counter).increase, 40.0);
}

#[test]
fn each_kind_has_its_increase() {
    let samples = [(1, 2.5), (2, 1.5), (3, 4.0)];
    assert_eq!(of(&samples, Kind::Event).increase, 8.0);
    assert_eq!(of(&samples, Kind::Observation).increase, 3.0);
    assert_eq!(of(&samples, Kind::Gauge).increase, 0.0);
}

#[test]
fn of_two_samples_at_one_instant_the_later_to_come_is_last() {
    let summary = of(&[(1, 2.0), (1, 3.0), (1, 1.0)], Kind::Gauge);
    assert_eq!((summary.first.value(), summary.last.value()), (2.0, 1.0));
}

#[test]
fn few_values_have_exact_quantiles() {
    let q = |q| Quantile::new(q).unwrap();
    let summary = of(&[(1, 10.0), (2, 30.0)], Kind::Observation);
    assert_eq!(summary.quantile(q(0.5)), (10.0, 0.0));
    assert_eq!(summary.quantile(q(1.0)), (30.0, 0.0));
    let (value, error) = of(&[(1, 10.0), (2, 20.0), (3, 30.0)], Kind::Observation).quantile(q(0.5));
    assert!((value - 20.0).abs() <= 20.0 * error && error > 0.0);
}

#[test]
fn a_sum_stops_at_the_greatest_float() {
    let huge = of(&[(1, f64::MAX), (2, f64::MAX)], Kind::Event);
    assert_eq!((huge.sum, huge.increase, huge.mean()), (f64::MAX, f64::MAX, f64::MAX));
    let both = merged(&huge, &of(&[(3, f64::MIN), (4, f64::MIN)], Kind::Event), Kind::Event);
    assert!(both.parts().m2.is_finite() && both.sum.is_finite() && both.stddev().is_finite());
    assert!(Summary::from_parts(both.parts()).is_ok());
}

#[test]
fn a_million_tenths_are_a_hundred_thousand() {
    let mut summary = Summary::of(sample(0, 0.1), Kind::Observation);
    for at in 1..1_000_000 {
        summary.record(sample(at, 0.1), Kind::Observation);
    }
    assert!((summary.sum - 100_000.0).abs() <= 1e-11 * 100_000.0 && summary.stddev() < 1e-9);
    assert_eq!(summary.sum, 100_000.0);
}

#[test]
fn parts_that_contradict_each_other_are_refused() {
    let good = of(&[(1, 2.0), (2, 3.0)], Kind::Observation).parts();
    let refused = |change: fn(&mut SummaryParts)| {
        let mut parts = good.clone();
        change(&mut parts);
        Summary::from_parts(parts).unwrap_err()
    };
    assert_eq!(refused(|parts| parts.sum = f64::NAN), SummaryError::NotFinite { field: "sum" });
    assert_eq!(refused(|parts| parts.last.1 = f64::INFINITY), SummaryError::NotFinite { field: "last" });
    assert_eq!(refused(|parts| parts.count = 0), SummaryError::Empty);
    assert_eq!(refused(|parts| parts.count = 3), SummaryError::Count { count: 3, sketch: 2 });
    assert_eq!(refused(|parts| parts.min = 9.0), SummaryError::Contradiction { field: "min" });
    assert_eq!(refused(|parts| parts.m2 = -1.0), SummaryError::Contradiction { field: "m2" });
    assert_eq!(refused(|parts| parts.first.0 = TimestampMs::new(3)), SummaryError::Contradiction { field: "first" });
    assert_eq!(refused(|parts| parts.last.1 = 4.0), SummaryError::Contradiction { field: "last" });
    assert_eq!(Summary::from_parts(good.clone()).map(|summary| summary.parts()), Ok(good));
}

fn samples() -> impl Strategy<Value = Vec<(i64, f64)>> {
    let value = prop_oneof![
        any::<f64>().prop_filter("finite", |value| value.is_finite()),
        -1e6..1e6_f64,
        (0..50_i32).prop_map(f64::from),
    ];
    proptest::collection::vec((0..1_000_i64, value), 1..40)
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Observation), Just(Kind::Counter), Just(Kind::Gauge), Just(Kind::Event)]
}

fn close(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-12 * scale || !scale.is_finite()
}

proptest! {
    #[test]
    fn merging_is_recording(mut samples in samples(), cut in 0..40_usize, kind in kinds()) {
        samples.sort_by_key(|(timestamp, _)| *timestamp);
        let whole = of(&samples, kind);
        let cut = cut.min(samples.len());
        if cut == 0 || cut == samples.len() {
            return Ok(());
        }
        let parts = merged(&of(&samples[..cut], kind), &of(&samples[cut..], kind), kind);
        prop_assert_eq!(parts.count, whole.count);
        prop_assert_eq!(&parts.sketch, &whole.sketch);
        prop_assert_eq!((parts.min, parts.max), (whole.min, whole.max));
        prop_assert_eq!((parts.first, parts.last), (whole.first, whole.last));
        let magnitude: f64 = samples.iter().map(|(_, value)| value.abs()).sum();
        prop_assert!(close(parts.sum, whole.sum, magnitude));
        prop_assert!(close(parts.increase, whole.increase, 2.0 * magnitude));
        prop_assert!(close(parts.m2, whole.m2, 10.0 * magnitude * magnitude));
    }

    #[test]
    fn moments_match_the_definition(samples in proptest::collection::vec((0..9_i64, -1e3..1e3_f64), 1..50)) {
        let summary = of(&samples, Kind::Gauge);
        let n = samples.len() as f64;
        let mean = samples.iter().map(|(_, value)| value).sum::<f64>() / n;
        let variance = samples.iter().map(|(_, value)| (value - mean).powi(2)).sum::<f64>() / n;
        prop_assert!((summary.mean() - mean).abs() <= 1e-9);
        prop_assert!((summary.stddev().powi(2) - variance).abs() <= 1e-6);
    }

    #[test]
    fn parts_of_anything_are_accepted_again(samples in samples(), kind in kinds()) {
        let summary = of(&samples, kind);
        prop_assert_eq!(Summary::from_parts(summary.parts()), Ok(summary));
    }
}
