use proptest::prelude::*;

use super::*;

fn points(of: &[(f64, f64)]) -> Points {
    let mut points = Points::default();
    let (timestamps, values): (Vec<_>, Vec<_>) = of.iter().copied().unzip();
    points.extend(&timestamps, &values).unwrap();
    points
}

fn m4(points: &Points, from: f64, to: f64, columns: usize) -> Vec<u32> {
    let mut indexes = vec![7];
    points.m4(from..=to, columns, &mut indexes);
    indexes
}

fn lttb(points: &Points, from: f64, to: f64, count: usize) -> Vec<u32> {
    let mut indexes = vec![7];
    points.min_max_lttb(from..=to, count, &mut indexes);
    indexes
}

/// M4 as its definition reads: every point is asked for its column.
fn naive_m4(points: &Points, from: f64, to: f64, columns: usize) -> Vec<u32> {
    let edge = |column: usize| from + (to - from) * column as f64 / columns as f64;
    let mut chosen = Vec::new();
    for column in 0..columns {
        let is_in = |at: f64| {
            let is_left = column + 1 == columns || at < edge(column + 1);
            at >= from && at <= to && (column == 0 || at >= edge(column)) && is_left
        };
        let places: Vec<usize> = (0..points.len()).filter(|place| is_in(points.timestamps()[*place])).collect();
        let value = |place: &usize| points.values()[*place];
        let Some(first) = places.first() else { continue };
        let least = places.iter().fold(first, |best, place| if value(place) < value(best) { place } else { best });
        let greatest = places.iter().fold(first, |best, place| if value(place) > value(best) { place } else { best });
        let mut four = vec![*first as u32, *least as u32, *greatest as u32, places[places.len() - 1] as u32];
        four.sort_unstable();
        four.dedup();
        chosen.extend(four);
    }
    chosen
}

/// The triangles as they stand in Steinarsson's thesis, over all points.
fn naive_lttb(points: &[(f64, f64)], count: usize) -> Vec<usize> {
    let edge = |stretch: usize| 1 + (points.len() - 2) * stretch / (count - 2);
    let mut chosen = vec![0];
    for stretch in 0..count - 2 {
        let next =
            if stretch + 3 == count { points.len() - 1..points.len() } else { edge(stretch + 1)..edge(stretch + 2) };
        let mean =
            |pick: fn(&(f64, f64)) -> f64| points[next.clone()].iter().map(pick).sum::<f64>() / next.len() as f64;
        let c = (mean(|point| point.0), mean(|point| point.1));
        let a = points[chosen[stretch]];
        let area = |b: (f64, f64)| ((a.0 - c.0) * (b.1 - a.1) - (a.0 - b.0) * (c.1 - a.1)).abs().max(-1.0);
        let places = edge(stretch)..edge(stretch + 1);
        let best = places
            .clone()
            .fold(places.start, |best, place| if area(points[place]) > area(points[best]) { place } else { best });
        chosen.push(best);
    }
    chosen.push(points.len() - 1);
    chosen
}

/// Points with any spacing: some at one instant, some far apart, values that repeat.
fn any_points(most: usize) -> impl Strategy<Value = Vec<(f64, f64)>> {
    let step = prop_oneof![3 => 0.0..2.0_f64, 1 => Just(0.0), 1 => Just(1.0), 1 => 0.0..500.0_f64];
    let value =
        prop_oneof![4 => -100.0..100.0_f64, 2 => (-3..3_i32).prop_map(f64::from), 1 => Just(-0.0), 1 => Just(f64::MAX)];
    proptest::collection::vec((step, value), 0..most).prop_map(|steps| {
        let mut at = -50.0;
        let next = |(step, value): (f64, f64)| {
            at += step;
            (at, value)
        };
        steps.into_iter().map(next).collect()
    })
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let mut points = points(&[(5.0, 1.0)]);
    let refused = |points: &mut Points, at: &[f64], values: &[f64]| points.extend(at, values).unwrap_err();
    assert_eq!(refused(&mut points, &[6.0], &[]), PointsError::Lengths { timestamps: 1, values: 0 });
    assert_eq!(refused(&mut points, &[6.0, 7.0], &[1.0, f64::NAN]), PointsError::NotFinite { place: 1 });
    assert_eq!(refused(&mut points, &[f64::INFINITY], &[1.0]), PointsError::NotFinite { place: 0 });
    assert_eq!(refused(&mut points, &[6.0, 5.5], &[1.0, 1.0]), PointsError::Order { place: 1 });
    assert_eq!(refused(&mut points, &[4.0], &[1.0]), PointsError::Order { place: 0 });
    assert_eq!((points.len(), points.extent()), (1, Some(5.0..=5.0)));
    points.extend(&[5.0, 8.0], &[2.0, 3.0]).unwrap();
    points.drop_until(5.0);
    assert_eq!((points.timestamps(), points.values()), (&[8.0][..], &[3.0][..]));
}

#[test]
fn no_point_is_no_index() {
    let none = Points::default();
    assert!(none.is_empty() && none.extent().is_none());
    assert_eq!((m4(&none, 0.0, 1.0, 3), lttb(&none, 0.0, 1.0, 3)), (vec![], vec![]));
    let one = points(&[(5.0, 1.0)]);
    for (from, to) in [(6.0, 9.0), (9.0, 1.0), (f64::NAN, f64::NAN)] {
        assert_eq!((m4(&one, from, to, 3), lttb(&one, from, to, 3)), (vec![], vec![]), "{from} {to}");
    }
    assert_eq!((m4(&one, 5.0, 5.0, 0), lttb(&one, 5.0, 5.0, 0)), (vec![], vec![]));
    assert_eq!((m4(&one, 5.0, 5.0, 3), lttb(&one, 5.0, 5.0, 1)), (vec![0], vec![0]));
}

#[test]
fn a_spike_survives() {
    let flat: Vec<(f64, f64)> = (0..10_000).map(|n| (f64::from(n), if n == 4_321 { 9.0 } else { 1.0 })).collect();
    let points = points(&flat);
    assert!(m4(&points, 0.0, 9_999.0, 10).contains(&4_321));
    assert!(lttb(&points, 0.0, 9_999.0, 20).contains(&4_321));
    assert_eq!(lttb(&points, 0.0, 9_999.0, 2), [0, 9_999]);
}

proptest! {
    #[test]
    fn m4_is_what_it_is_defined_as(of in any_points(300), from in -60.0..200.0_f64, length in 0.0..900.0_f64, columns in 1..20_usize) {
        let points = points(&of);
        prop_assert_eq!(m4(&points, from, from + length, columns), naive_m4(&points, from, from + length, columns));
    }

    #[test]
    fn min_max_lttb_keeps_the_ends_and_the_number(of in any_points(900), count in 3..40_usize) {
        let points = points(&of);
        let chosen = lttb(&points, -60.0, 1e9, count);
        prop_assert!(chosen.is_sorted_by(|a, b| a < b));
        prop_assert!(chosen.len() <= count);
        if of.len() <= count {
            prop_assert_eq!(chosen.len(), of.len());
        } else {
            prop_assert_eq!((chosen[0], chosen[chosen.len() - 1] as usize), (0, of.len() - 1));
        }
        if of.len() > count && of.len() <= 4 * count {
            let naive: Vec<u32> = naive_lttb(&of, count).into_iter().map(|place| place as u32).collect();
            prop_assert_eq!(chosen, naive);
        }
    }

    #[test]
    fn many_points_are_looked_at_by_their_extremes(seed in any::<u64>(), count in 3..12_usize) {
        let mut state = seed;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64
        };
        let of: Vec<(f64, f64)> = (0..300).map(|n| (f64::from(n), random())).collect();
        let points = points(&of);
        let chosen = lttb(&points, 0.0, 299.0, count);
        // The same by hand: least and greatest of each column, then the triangles.
        let columns = count * 2;
        let mut looked_at: Vec<u32> = (0..columns).flat_map(|column| {
            let edges = [column, column + 1].map(|edge| 299.0 * edge as f64 / columns as f64);
            let last = column + 1 == columns;
            let places: Vec<u32> = (0..300).filter(|n| f64::from(*n) >= edges[0] && (last || f64::from(*n) < edges[1])).collect();
            let by_value = |a: &&u32, b: &&u32| of[**a as usize].1.total_cmp(&of[**b as usize].1);
            [places.iter().min_by(by_value).copied().unwrap(), places.iter().max_by(by_value).copied().unwrap()]
        }).chain([0, 299]).collect();
        looked_at.sort_unstable();
        looked_at.dedup();
        let seen: Vec<(f64, f64)> = looked_at.iter().map(|place| of[*place as usize]).collect();
        let naive: Vec<u32> = naive_lttb(&seen, count).into_iter().map(|place| looked_at[place]).collect();
        prop_assert_eq!(chosen, naive);
    }

    #[test]
    fn the_extremes_are_the_first_of_their_value(values in proptest::collection::vec(prop_oneof![-3.0..3.0_f64, (-2..2_i32).prop_map(f64::from), Just(f64::MIN), Just(f64::MAX)], 1..400)) {
        let first = |is_better: fn(f64, f64) -> bool| {
            (0..values.len()).reduce(|best, place| if is_better(values[place], values[best]) { place } else { best }).unwrap()
        };
        prop_assert_eq!(extremes(&values), (first(|a, b| a < b), first(|a, b| a > b)));
    }
}
