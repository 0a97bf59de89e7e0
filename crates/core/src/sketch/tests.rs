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

/// A finite value of any size and sign, zero among them.
fn one() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |value| value.is_finite()),
        -100.0..100.0_f64,
        Just(0.0),
        Just(-0.0),
        (-1_074_i32..1_024).prop_map(|exponent| 2.0_f64.powi(exponent)),
    ]
}

/// Up to `most` values far apart, or up to ten times as many close together on one or both sides of
/// zero with a few others among them.
fn values(most: usize) -> impl Strategy<Value = Vec<f64>> {
    let crowd = (-1_074..1_022_i32, 1..4_i32).prop_flat_map(move |(exponent, octaves)| {
        let near = (1.0..2.0_f64, 0..octaves)
            .prop_map(move |(value, octave)| value * 2.0_f64.powi((exponent + octave).min(1_023)));
        let one = prop_oneof![60 => near.clone(), 3 => near.prop_map(|value| -value), 2 => Just(0.0), 1 => one()];
        proptest::collection::vec(one, 0..most * 10)
    });
    prop_oneof![proptest::collection::vec(one(), 0..most), crowd]
}

/// Counts by key, the slow and certain way.
fn counted(values: &[f64], scale: i8) -> Vec<(i32, u64)> {
    let mut counts = std::collections::BTreeMap::new();
    for value in values {
        *counts.entry(mapping::key(*value, scale)).or_default() += 1;
    }
    counts.into_iter().collect()
}

fn is_windows(sketch: &Sketch) -> bool {
    matches!(sketch.store, Store::Windows(_))
}

/// `count` values of the normal distribution, by the polar method.
fn normal(count: usize) -> Vec<f64> {
    let mut state = 42_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0
    };
    let mut found = Vec::new();
    while found.len() < count {
        let (x, y) = (random(), random());
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            found.push(x * (-2.0 * square.ln() / square).sqrt());
        }
    }
    found
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
fn many_values_close_together_are_counted_in_windows() {
    let latencies: Vec<f64> = normal(10_000).into_iter().map(|z| (3.0 + 0.8 * z).exp()).collect();
    let mut sketch = Sketch::default();
    let mut largest = 0;
    for value in &latencies {
        sketch.record(*value);
        largest = largest.max(sketch.heap_bytes());
    }
    assert!(is_windows(&sketch) && largest < 6_000, "{largest}");
    assert_eq!(sketch.store.iter().collect::<Vec<_>>(), counted(&latencies, 6));
    // One far away would make the window long: a list is smaller.
    let mut wide = of(&latencies[..100]);
    assert!(is_windows(&wide));
    wide.record(1e300);
    assert!(!is_windows(&wide) && wide.heap_bytes() < 2_000);
    assert_eq!(wide.count(), 101);
}

#[test]
fn windows_that_are_full_go_on_as_a_list() {
    let none: [(i32, u64); 0] = [];
    let crowd = (0..64).map(|index| (index, 1 << 25));
    let half = Sketch::from_parts(6, 1, crowd, none).unwrap();
    let mut sketch = merged(&Sketch::default(), &half);
    assert!(is_windows(&sketch));
    for merges in 2..10_u64 {
        sketch.merge(&half);
        assert_eq!(sketch.count(), merges * half.count());
        assert_eq!(is_windows(&sketch), merges * half.count() <= u64::from(u32::MAX));
    }
    sketch.record_all(&[1.5; 3]).unwrap();
    sketch.record(0.0);
    assert_eq!((sketch.count(), sketch.zero_count()), (9 * half.count() + 4, 10));
    // A window with room for two more values takes two of three.
    let room = u64::from(u32::MAX) - half.count() - 2;
    let mut sketch = merged(&half, &Sketch::from_parts(6, 0, [(1, room)], none).unwrap());
    assert!(is_windows(&sketch));
    sketch.record_all(&[1.5; 3]).unwrap();
    assert_eq!(sketch.count(), u64::from(u32::MAX) + 1);
    assert!(!is_windows(&sketch));
}

#[test]
fn what_is_not_finite_is_refused_with_its_place() {
    for (place, bad) in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -f64::NAN].into_iter().enumerate() {
        for length in [place + 1, 7, 8, 9, 40] {
            let mut values = vec![f64::MAX; length];
            values.push(-f64::MAX);
            let mut sketch = Sketch::default();
            sketch.record_all(&values).unwrap();
            assert_eq!(sketch.count(), length as u64 + 1);
            values[place] = bad;
            assert_eq!(sketch.record_all(&values), Err(NotFiniteAt { place }));
            assert_eq!(sketch.count(), length as u64 + 1);
        }
    }
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
    fn every_value_is_counted_once(values in values(60), scale in MIN_SCALE..=MAX_SCALE) {
        let mut one_by_one = Sketch::new(scale);
        for value in &values {
            one_by_one.record(*value);
        }
        prop_assert_eq!(one_by_one.store.iter().collect::<Vec<_>>(), counted(&values, one_by_one.scale()));
        prop_assert_eq!(one_by_one.count(), values.len() as u64);
        let mut at_once = Sketch::new(scale);
        for column in values.chunks(values.len() / 2 + 1) {
            at_once.record_all(column).unwrap();
        }
        prop_assert_eq!(&at_once, &one_by_one);
        let mut negated = Sketch::new(scale);
        negated.record_all(&values.iter().map(|value| -value).collect::<Vec<_>>()).unwrap();
        prop_assert!(negated.negative().eq(one_by_one.positive()) && negated.positive().eq(one_by_one.negative()));
        prop_assert_eq!(negated.zero_count(), one_by_one.zero_count());
    }

    #[test]
    fn the_published_error_holds_for_every_shape(shape in 0..7_usize, size in 0.01..3.0_f64, scale in 3_i8..=MAX_SCALE) {
        let normal = normal(2_000);
        let values: Vec<f64> = match shape {
            0 => normal.iter().map(|z| (size * z).exp()).collect(),
            1 => normal.iter().map(|z| z.abs() * size + 1.0).collect(),
            2 => normal.iter().enumerate().map(|(n, z)| if n % 2 == 0 { 10.0 + z } else { 1_000.0 + size * z }).collect(),
            3 => vec![size; 2_000],
            4 => normal.iter().map(|z| -(size * z).exp()).collect(),
            5 => normal.iter().map(|z| (size * z).exp() * 1e-320).collect(),
            _ => normal.iter().map(|z| (size * z).exp() * 1e300).filter(|value| value.is_finite()).collect(),
        };
        let mut sketch = Sketch::new(scale);
        sketch.record_all(&values).unwrap();
        prop_assert_eq!(sketch.scale(), scale);
        let mut sorted = values;
        sorted.sort_by(f64::total_cmp);
        for percent in 0..=100_u32 {
            let exact = sorted[(sorted.len() - 1) * percent as usize / 100];
            let found = sketch.quantile(q(f64::from(percent) / 100.0)).unwrap();
            let allowed = exact.abs() * sketch.relative_error() * (1.0 + 1e-12) + f64::from_bits(1);
            prop_assert!((found - exact).abs() <= allowed, "p{percent}: {found} for {exact}");
        }
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
        let whole = sketch.clone();
        prop_assert_eq!(sketch.subtract(&b), Ok(()));
        let mut coarser = a.clone();
        coarser.downscale(sketch.scale());
        prop_assert_eq!(&sketch, &coarser);
        prop_assert_eq!(sketch.count(), a.count());
        // What is not held is refused and changes nothing.
        if sketch != whole {
            prop_assert_eq!(sketch.subtract(&whole), Err(SubtractError));
            prop_assert_eq!(&sketch, &coarser);
        }
        prop_assert_eq!(sketch.subtract(&coarser), Ok(()));
        prop_assert!(sketch.is_empty());
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
