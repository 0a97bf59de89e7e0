//! The least and the greatest of many values, found side by side.

/// Values that are compared side by side.
const LANES: usize = 8;
/// Values of which only the least and the greatest are looked at in the first pass.
const BLOCK: usize = 16 * LANES;

/// The places of the least and the greatest value, of equal ones the first; (0, 0) of no value.
///
/// A first pass finds only in which block they are, without asking where: that has no branches. The
/// second looks for them in one block each.
#[must_use]
pub fn extremes(values: &[f64]) -> (usize, usize) {
    let (blocks, rest) = values.as_chunks::<BLOCK>();
    let mut least = (f64::INFINITY, 0);
    let mut greatest = (f64::NEG_INFINITY, 0);
    let mut look = |start: usize, (low, high): (f64, f64)| {
        if low < least.0 {
            least = (low, start);
        }
        if high > greatest.0 {
            greatest = (high, start);
        }
    };
    for (number, block) in blocks.iter().enumerate() {
        look(number * BLOCK, of_block(block));
    }
    if !rest.is_empty() {
        match values.last_chunk() {
            // What it has in common with the block before is no less than that block's least.
            Some(last) => look(values.len() - BLOCK, of_block(last)),
            None => look(0, of_few(rest)),
        }
    }
    let find = |(value, start): (f64, usize)| {
        let place = values[start..].iter().position(|other| *other == value);
        start + place.unwrap_or_default()
    };
    if values.is_empty() { (0, 0) } else { (find(least), find(greatest)) }
}

/// The least and the greatest value of a block.
///
/// Compilers make no vector instructions of such comparisons by themselves, or make them only as long
/// as nothing around them changes, and in WebAssembly they take most of the time.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
fn of_block(block: &[f64; BLOCK]) -> (f64, f64) {
    use std::arch::wasm32::{f64x2, f64x2_extract_lane, f64x2_pmax, f64x2_pmin};
    let (rows, _) = block.as_chunks::<LANES>();
    // Two values to a vector, four vectors at a time, so that none waits for the one before.
    let vectors = |row: &[f64; LANES]| {
        [f64x2(row[0], row[1]), f64x2(row[2], row[3]), f64x2(row[4], row[5]), f64x2(row[6], row[7])]
    };
    let (mut low, mut high) = (vectors(&rows[0]), vectors(&rows[0]));
    for row in &rows[1..] {
        for (place, vector) in vectors(row).into_iter().enumerate() {
            low[place] = f64x2_pmin(low[place], vector);
            high[place] = f64x2_pmax(high[place], vector);
        }
    }
    let low = f64x2_pmin(f64x2_pmin(low[0], low[1]), f64x2_pmin(low[2], low[3]));
    let high = f64x2_pmax(f64x2_pmax(high[0], high[1]), f64x2_pmax(high[2], high[3]));
    (
        of_few(&[f64x2_extract_lane::<0>(low), f64x2_extract_lane::<1>(low)]).0,
        of_few(&[f64x2_extract_lane::<0>(high), f64x2_extract_lane::<1>(high)]).1,
    )
}

/// The least and the greatest value of a block.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
fn of_block(block: &[f64; BLOCK]) -> (f64, f64) {
    let (rows, _) = block.as_chunks::<LANES>();
    let (mut low, mut high) = (rows[0], rows[0]);
    for row in &rows[1..] {
        for (lane, value) in row.iter().enumerate() {
            low[lane] = if *value < low[lane] { *value } else { low[lane] };
            high[lane] = if high[lane] < *value { *value } else { high[lane] };
        }
    }
    (of_few(&low).0, of_few(&high).1)
}

/// Comparisons as the vector instructions have them, unlike those of `f64::min`: there is no NaN.
fn of_few(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (if *value < low { *value } else { low }, if high < *value { *value } else { high })
    })
}
