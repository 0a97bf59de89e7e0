use proptest::prelude::*;

use super::*;

fn of(values: &[f64], scale: i8) -> Sketch {
    let mut sketch = Sketch::new(scale);
    sketch.record_all(values).unwrap();
    sketch
}

fn native(spans: &[(i32, u32)], deltas: &[i64]) -> NativeBuckets {
    let spans = spans.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect();
    NativeBuckets { spans, deltas: deltas.to_vec() }
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let one = prop_oneof![
        3 => 0.5..200.0_f64,
        1 => -20.0..0.0_f64,
        1 => Just(0.0),
        1 => any::<f64>().prop_filter("finite", |value| value.is_finite()),
    ];
    proptest::collection::vec(one, 0..80)
}

/// The worked table of the data model: at scale 3 the indexes of one power of two.
#[test]
fn the_value_buckets_of_scale_three_are_those_of_the_data_model() {
    let bounds = [1.0, 1.09051, 1.18921, 1.29684, std::f64::consts::SQRT_2, 1.54221, 1.68179, 1.83401, 2.0];
    for (index, pair) in bounds.windows(2).enumerate() {
        let histogram = ExponentialHistogram::of(&of(&[(pair[0] + pair[1]) / 2.0], 3), 0.0);
        let expected = ExponentialBuckets { offset: index as i32, counts: vec![1] };
        assert_eq!((histogram.scale, histogram.positive), (3, expected));
    }
    // Bounds are included above and not below: 1 closes the value bucket before.
    assert_eq!(ExponentialHistogram::of(&of(&[1.0, 2.0], 3), 0.0).positive.offset, -1);
    assert_eq!(ExponentialHistogram::of(&of(&[1.0, 2.0], 3), 0.0).positive.counts, [1, 0, 0, 0, 0, 0, 0, 0, 1]);
}

/// "Perfect subsetting": neighbours are merged two by two, whatever the sign of their index.
#[test]
fn finer_scales_than_are_kept_are_merged_exactly() {
    let fine = ExponentialHistogram {
        scale: 10,
        zero_count: 3,
        positive: ExponentialBuckets { offset: -3, counts: vec![1, 10, 100, 1_000, 0, 10_000] },
        negative: ExponentialBuckets { offset: 4, counts: vec![7] },
        ..ExponentialHistogram::default()
    };
    let sketch = fine.sketch().unwrap();
    assert_eq!((sketch.scale(), sketch.zero_count()), (8, 3));
    assert_eq!(sketch.positive().collect::<Vec<_>>(), [(-1, 111), (0, 11_000)]);
    assert_eq!(sketch.negative().collect::<Vec<_>>(), [(1, 7)]);
}

/// The histogram of Prometheus' own tests: twelve values at schema 1.
#[test]
fn spans_and_deltas_are_read_as_prometheus_writes_them() {
    let buckets = native(&[(0, 2), (1, 2)], &[1, 1, -1, 0]);
    let histogram = NativeHistogram {
        schema: 1,
        zero_threshold: 0.001,
        zero_count: 2,
        positive: buckets.clone(),
        negative: buckets,
    };
    let sketch = histogram.sketch().unwrap();
    assert_eq!(sketch.count(), 12);
    // Index 0 of Prometheus is (1/√2, 1], whose OpenTelemetry index is −1.
    assert_eq!(sketch.positive().collect::<Vec<_>>(), [(-1, 1), (0, 2), (2, 1), (3, 1)]);
    assert!(sketch.negative().eq(sketch.positive()));
    let upper: Vec<f64> = sketch.value_buckets().map(|bucket| bucket.upper).filter(|upper| *upper > 0.0).collect();
    let bounds = [1.0, std::f64::consts::SQRT_2, 2.0 * std::f64::consts::SQRT_2, 4.0];
    assert!(upper.iter().zip(bounds).all(|(found, bound)| (found - bound).abs() < 1e-15), "{upper:?}");
    // Written again, the short gap is bridged with a zero.
    let again = NativeHistogram::of(&sketch, 0.001);
    assert_eq!((again.positive, again.zero_threshold), (native(&[(0, 5)], &[1, 1, -2, 1, 0]), 0.001));
}

#[test]
fn long_gaps_make_spans() {
    let sketch = of(&[1.0, 1.0, 64.0, 4_096.0], 0);
    let histogram = NativeHistogram::of(&sketch, 0.0);
    assert_eq!(histogram.positive, native(&[(0, 1), (5, 1), (5, 1)], &[2, -1, 0]));
    assert_eq!(histogram.negative, NativeBuckets::default());
}

#[test]
fn the_zero_bucket_takes_in_what_is_below_the_threshold() {
    let sketch = of(&[0.0, 0.3, -0.6, 3.0], 0);
    // 0.6 is in (0.5, 1], which a threshold of 0.75 cuts: it is raised to 1.
    let histogram = ExponentialHistogram::of(&sketch, 0.75);
    assert_eq!((histogram.zero_threshold, histogram.zero_count), (1.0, 3));
    assert_eq!(histogram.positive, ExponentialBuckets { offset: 1, counts: vec![1] });
    // Nothing reaches below a bound that is met.
    assert_eq!(ExponentialHistogram::of(&sketch, 0.25).zero_count, 1);
    let both = of(&[0.6, -0.9], 3);
    let raised = NativeHistogram::of(&both, 0.62);
    assert_eq!((raised.zero_count, raised.positive.deltas.len(), raised.negative.deltas), (1, 0, vec![1]));
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(ExponentialHistogram::of(&sketch, bad).zero_threshold, 0.0);
        let histogram = NativeHistogram { zero_threshold: bad, ..NativeHistogram::default() };
        assert!(matches!(histogram.sketch(), Err(ExchangeError::Threshold { .. })));
    }
}

#[test]
fn what_no_sketch_can_hold_is_refused() {
    let refused =
        |schema, positive| NativeHistogram { schema, positive, ..NativeHistogram::default() }.sketch().unwrap_err();
    assert_eq!(refused(-53, NativeBuckets::default()), ExchangeError::Scale { scale: -53, most: 8 });
    assert_eq!(refused(9, NativeBuckets::default()), ExchangeError::Scale { scale: 9, most: 8 });
    assert_eq!(refused(0, native(&[(0, 2)], &[1])), ExchangeError::Spans);
    assert_eq!(refused(0, native(&[(0, 1), (-1, 1)], &[1, 1])), ExchangeError::Spans);
    assert_eq!(refused(0, native(&[(0, 2)], &[1, -2])), ExchangeError::Deltas);
    assert_eq!(refused(0, native(&[(0, 2)], &[i64::MAX, 1])), ExchangeError::Deltas);
    assert_eq!(refused(0, native(&[(0, 1)], &[i64::MAX])), ExchangeError::Sketch(SketchError::Count));
    assert!(matches!(refused(0, native(&[(2_000, 1)], &[1])), ExchangeError::Sketch(SketchError::Index { .. })));
    assert!(matches!(
        refused(0, native(&[(i32::MAX, 1), (i32::MAX, 1)], &[1, 1])),
        ExchangeError::Sketch(SketchError::Index { .. })
    ));
    for scale in [-5, 21] {
        let histogram = ExponentialHistogram { scale, ..ExponentialHistogram::default() };
        assert_eq!(histogram.sketch(), Err(ExchangeError::Scale { scale, most: 20 }));
    }
    let positive = ExponentialBuckets { offset: i32::MAX, counts: vec![1, 1] };
    let histogram = ExponentialHistogram { positive, ..ExponentialHistogram::default() };
    assert!(matches!(histogram.sketch(), Err(ExchangeError::Sketch(SketchError::Index { .. }))));
}

proptest! {
    #[test]
    fn there_and_back_is_the_same_sketch(values in values(), scale in MIN_SCALE..=MAX_SCALE) {
        let sketch = of(&values, scale);
        let exponential = ExponentialHistogram::of(&sketch, 0.0);
        prop_assert_eq!(exponential.sketch(), Ok(sketch.clone()));
        let native = NativeHistogram::of(&sketch, 0.0);
        prop_assert_eq!(native.sketch(), Ok(sketch.clone()));
        // And back again, with their thresholds.
        let exponential = ExponentialHistogram::of(&sketch, 1e-3);
        let again = ExponentialHistogram::of(&exponential.sketch().unwrap(), exponential.zero_threshold);
        prop_assert_eq!(again, exponential);
        let native = NativeHistogram::of(&sketch, 1e-3);
        prop_assert_eq!(NativeHistogram::of(&native.sketch().unwrap(), native.zero_threshold), native);
    }

    #[test]
    fn a_threshold_moves_whole_value_buckets(values in values(), threshold in 0.0..3.0_f64, scale in MIN_SCALE..=MAX_SCALE) {
        let sketch = of(&values, scale);
        let histogram = ExponentialHistogram::of(&sketch, threshold);
        prop_assert!(histogram.zero_threshold >= threshold);
        let near = values.iter().filter(|value| value.abs() <= histogram.zero_threshold).count();
        prop_assert_eq!(histogram.zero_count, near as u64);
        prop_assert_eq!(histogram.sketch().unwrap().count(), values.len() as u64);
        let native = NativeHistogram::of(&sketch, threshold);
        prop_assert_eq!(native.sketch(), histogram.sketch());
    }

    #[test]
    fn any_parts_are_a_sketch_or_an_error(
        schema in -60..30_i32,
        threshold in any::<f64>(),
        zeros in any::<u64>(),
        spans in proptest::collection::vec((prop_oneof![any::<i32>(), -9..9_i32], 0..4_u32), 0..5),
        deltas in proptest::collection::vec(prop_oneof![any::<i64>(), -3..9_i64], 0..8),
        counts in proptest::collection::vec(prop_oneof![any::<u64>(), 0..9_u64], 0..8),
    ) {
        let positive = native(&spans, &deltas);
        let _ = NativeHistogram { schema, zero_threshold: threshold, zero_count: zeros, positive, ..NativeHistogram::default() }.sketch();
        let offset = spans.first().map_or(0, |span| span.0);
        let negative = ExponentialBuckets { offset, counts };
        let _ = ExponentialHistogram { scale: schema, zero_threshold: threshold, zero_count: zeros, negative, ..ExponentialHistogram::default() }.sketch();
    }
}
