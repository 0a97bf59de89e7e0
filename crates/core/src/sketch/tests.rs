use super::*;
use proptest::prelude::*;

fn of(values: &[f64]) -> Sketch {
    let mut sketch = Sketch::default();
    for value in values {
        sketch.record(*value);
    }
    sketch
}

fn q(q: f64) -> Quantile {
    Quantile::new(q).unwrap()
}

fn merged(a: &Sketch, b: &Sketch) -> Sketch {
    let mut sum = a.clone();
    sum.merge(b);
    sum
}

/// Values of every size and both signs, zeros among them.
fn values(most: usize) -> impl Strategy<Value = Vec<f64>> {
    let one = prop_oneof![
        any::<f64>().prop_filter("finite", |value| value.is_finite()),
        -100.0..100.0_f64,
        Just(0.0),
        Just(-0.0),
        (-1_074_i32..1_024).prop_map(|exponent| 2.0_f64.powi(exponent)),
    ];
    proptest::collection::vec(one, 0..most)
}

#[test]
fn the_published_errors_hold() {
    // The table in the module's documentation: `//! | 6 (default) | 0.54 % |`.
    let rows = include_str!("../sketch.rs").lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("//! |")?.split('|').map(str::trim).collect();
        let scale = cells[0].trim_end_matches(" (default)").parse::<i8>().ok()?;
        Some((scale, cells[1].to_owned(), cells[0].ends_with("(default)")))
    });
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows.iter().map(|(scale, ..)| *scale).collect::<Vec<_>>(), [3, 4, 5, 6, 7, 8]);
    for (scale, published, default) in rows {
        assert_eq!(format!("{:.2} %", Sketch::new(scale).relative_error() * 100.0), published, "scale {scale}");
        assert_eq!(default, scale == Sketch::DEFAULT_SCALE);
    }
    assert_eq!(Sketch::new(0).relative_error(), 1.0 / 3.0);
    assert!(Sketch::default().relative_error() < 0.005_5);
}

#[test]
fn a_rank_is_that_of_the_decimals() {
    for percent in 0..=100_u64 {
        assert_eq!(rank(q(percent as f64 / 100.0), 100), percent);
    }
    for tenths in 0..=1_000_u64 {
        assert_eq!(rank(q(f64::from(tenths as u32) / 10.0 / 100.0), 10_000), tenths * 10);
    }
    assert_eq!(rank(q(99.99 / 100.0), 10_000), 9_999);
    // What is no whole number is not rounded to one.
    assert_eq!((rank(q(0.999), 99), rank(q(0.5), 3), rank(q(0.999_999), 999_999)), (98, 1, 999_998));
    assert_eq!((rank(q(1.0), u64::MAX), rank(q(0.0), u64::MAX)), (u64::MAX, 0));
}

#[test]
fn one_value_costs_no_heap() {
    let sketch = of(&[7.0, 7.0, 7.0]);
    assert_eq!(sketch.heap_bytes(), 0);
    assert_eq!(sketch.count(), 3);
    assert!(size_of::<Sketch>() <= 32);
}

#[test]
fn parts_are_those_of_opentelemetry() {
    let sketch = of(&[0.0, 1.0, 2.0, 2.1, -4.0]);
    assert_eq!(sketch.zero_count(), 1);
    assert_eq!(sketch.positive().collect::<Vec<_>>(), [(-1, 1), (63, 1), (68, 1)]);
    assert_eq!(sketch.negative().collect::<Vec<_>>(), [(127, 1)]);
}

#[test]
fn bad_parts_are_refused() {
    let none: [(i32, u64); 0] = [];
    assert_eq!(Sketch::from_parts(9, 0, none, none), Err(SketchError::Scale { scale: 9 }));
    assert_eq!(Sketch::from_parts(-5, 0, none, none), Err(SketchError::Scale { scale: -5 }));
    assert_eq!(Sketch::from_parts(6, 0, [(2, 1), (2, 1)], none), Err(SketchError::Order { index: 2 }));
    assert_eq!(Sketch::from_parts(6, 0, none, [(2, 1), (1, 1)]), Err(SketchError::Order { index: 1 }));
    assert_eq!(Sketch::from_parts(6, 0, [(65_536, 1)], none), Err(SketchError::Index { index: 65_536, scale: 6 }));
    assert_eq!(Sketch::from_parts(6, 0, [(i32::MIN, 1)], none), Err(SketchError::Index { index: i32::MIN, scale: 6 }));
    assert_eq!(Sketch::from_parts(6, u64::MAX, [(0, 1)], none), Err(SketchError::Count));
    assert_eq!(Sketch::from_parts(6, 1, [(0, MAX_COUNT)], none), Err(SketchError::Count));
    assert_eq!(Sketch::from_parts(6, 0, [(1, 0)], none), Ok(Sketch::default()));
}

#[test]
fn counts_stop_at_their_greatest() {
    let none: [(i32, u64); 0] = [];
    let full = Sketch::from_parts(6, 0, [(0, MAX_COUNT)], none).unwrap();
    let twice = merged(&full, &full);
    assert_eq!(twice.count(), MAX_COUNT);
    assert!(twice.quantile(q(0.5)).is_some());
}

#[test]
fn many_value_buckets_become_coarser() {
    let mut sketch = Sketch::default();
    for step in 0..10_000 {
        sketch.record(2.0_f64.powf(f64::from(step) / 20.0));
    }
    assert!(sketch.positive().count() <= MAX_VALUE_BUCKETS);
    assert!(sketch.scale() < 6 && sketch.relative_error() > 0.005_5);
    assert_eq!(sketch.count(), 10_000);
}

#[test]
fn an_empty_sketch_has_no_quantile() {
    assert_eq!(Sketch::default().quantile(q(0.5)), None);
}

#[test]
fn nothing_but_what_was_merged_can_be_subtracted() {
    let mut sketch = of(&[1.0, 2.0]);
    assert_eq!(sketch.subtract(&of(&[1.0, 1.0])), Err(SubtractError));
    assert_eq!(sketch.subtract(&of(&[3.0])), Err(SubtractError));
    assert_eq!(sketch, of(&[1.0, 2.0]));
    assert_eq!(sketch.subtract(&of(&[2.0])), Ok(()));
    assert_eq!(sketch, of(&[1.0]));
    assert_eq!(sketch.subtract(&of(&[1.0])), Ok(()));
    assert!(sketch.is_empty());
}

proptest! {
    #[test]
    fn quantiles_are_within_the_published_error(values in values(200), share in 0.0..=1.0_f64) {
        prop_assume!(!values.is_empty());
        let sketch = of(&values);
        let mut sorted = values;
        sorted.sort_by(f64::total_cmp);
        let exact = sorted[(share * (sorted.len() - 1) as f64) as usize];
        let found = sketch.quantile(q(share)).unwrap();
        let allowed = exact.abs() * sketch.relative_error() * (1.0 + 1e-12) + f64::from_bits(1);
        prop_assert!((found - exact).abs() <= allowed, "{found} for {exact}");
    }

    #[test]
    fn merging_commutes_and_associates(a in values(60), b in values(60), c in values(60)) {
        let all: Vec<f64> = a.iter().chain(&b).chain(&c).copied().collect();
        let (a, b, c) = (of(&a), of(&b), of(&c));
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&merged(&a, &b), &c), of(&all));
    }

    #[test]
    fn subtracting_undoes_merging(a in values(60), b in values(60)) {
        let (a, b) = (of(&a), of(&b));
        let mut sketch = merged(&a, &b);
        prop_assert_eq!(sketch.subtract(&b), Ok(()));
        prop_assert_eq!(sketch, a);
    }

    #[test]
    fn downscaling_is_recording_coarser(values in values(60), scale in MIN_SCALE..=6) {
        let mut coarse = Sketch::new(scale);
        for value in &values {
            coarse.record(*value);
        }
        let mut sketch = of(&values);
        sketch.downscale(scale);
        prop_assert_eq!(&sketch, &coarse);
        // A merge of two scales has the coarser one, whichever comes first.
        let mut twice = coarse.clone();
        twice.merge(&coarse);
        prop_assert_eq!(merged(&of(&values), &coarse), twice.clone());
        prop_assert_eq!(merged(&coarse, &of(&values)), twice);
    }

    #[test]
    fn parts_make_the_same_sketch(values in values(100)) {
        let sketch = of(&values);
        let parts = Sketch::from_parts(sketch.scale(), sketch.zero_count(), sketch.positive(), sketch.negative());
        prop_assert_eq!(parts, Ok(sketch));
    }

    #[test]
    fn any_parts_are_made_or_refused(
        scale in any::<i8>(),
        zeros in any::<u64>(),
        positive in proptest::collection::vec((any::<i32>(), any::<u64>()), 0..5),
        negative in proptest::collection::vec((-70_000..70_000_i32, 0..5_u64), 0..5),
    ) {
        if let Ok(sketch) = Sketch::from_parts(scale, zeros, positive, negative) {
            let _ = sketch.quantile(q(0.5));
        }
    }
}
