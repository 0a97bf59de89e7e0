//! What runs on vector instructions in WebAssembly, against the slow and certain way.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "these are tests")]

use bellwether_core::points::Points;
use wasm_bindgen_test::wasm_bindgen_test;

/// Numbers that look random, the same at each run.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 40
    }
}

/// First, least, greatest and last of each column of as many points, of equal ones the first.
fn naive(values: &[f64], of_column: usize) -> Vec<u32> {
    let mut chosen = Vec::new();
    for (number, column) in values.chunks(of_column).enumerate() {
        let (mut least, mut greatest) = (0, 0);
        for (place, value) in column.iter().enumerate() {
            least = if *value < column[least] { place } else { least };
            greatest = if *value > column[greatest] { place } else { greatest };
        }
        let mut four = [0, least, greatest, column.len() - 1];
        four.sort_unstable();
        let before = chosen.len();
        for place in four.map(|place| (number * of_column + place) as u32) {
            if chosen[before..].last() != Some(&place) {
                chosen.push(place);
            }
        }
    }
    chosen
}

#[wasm_bindgen_test]
fn columns_keep_their_extremes() {
    const { assert!(cfg!(target_feature = "simd128"), "this build runs no vector instructions") };
    let mut indexes = Vec::new();
    for of_column in [1, 2, 7, 127, 128, 129, 255, 256, 300, 1_000] {
        // Few different values, so that many are equal; zeros of both signs and the ends of the floats.
        for (seed, most) in [(1, 3), (2, 50), (3, u64::MAX)] {
            let mut next = numbers(seed);
            let mut value = || match next() % 41 {
                0 => -0.0,
                1 => 0.0,
                2 if seed == 3 => f64::MAX,
                3 if seed == 3 => f64::MIN,
                _ => (next() % most) as f64 - 20.0,
            };
            let values: Vec<f64> = (0..of_column * 12).map(|_| value()).collect();
            let timestamps: Vec<f64> = (0..values.len()).map(|at| at as f64).collect();
            let mut points = Points::default();
            points.extend(&timestamps, &values).unwrap();
            points.m4(0.0..=values.len() as f64, 12, &mut indexes);
            assert_eq!(indexes, naive(&values, of_column), "{of_column} points in a column, seed {seed}");
        }
    }
}
