//! From a value to its value bucket and back, without a logarithm.
//!
//! Value bucket i at scale s holds `(base^i, base^(i+1)]`, where the base is 2^(2^−s). The engine names it by a *key*:
//! `index + OFFSET` for positive values, the same negated for negative ones, 0 for zeros. So keys ascend with the values.

use std::ops::RangeInclusive;

use crate::bounds::{CELL_BITS, CELLS, ROW_BITS, STEP, mantissa};

/// Coarsest scale: base 65,536.
pub const MIN_SCALE: i8 = -4;
/// Finest scale: base 2^(1/256).
pub const MAX_SCALE: i8 = 8;
/// Bits of a float's mantissa.
const MANTISSA_BITS: u32 = 52;
/// The bits of a float's mantissa.
const MANTISSA_MASK: u64 = (1 << MANTISSA_BITS) - 1;
/// The bias of a float's exponent.
const BIAS: i32 = 1_023;
/// Value buckets of one power of two at the finest scale.
const FINEST: i32 = 1 << MAX_SCALE;
/// Index of the least subnormal float, 2^−1074, at the finest scale: a power of two closes the
/// value bucket below it.
const LEAST_INDEX: i32 = -1_074 * FINEST - 1;
/// Index of the greatest float at the finest scale.
const GREATEST_INDEX: i32 = 1_024 * FINEST - 1;
/// What makes the key of every positive value positive.
const OFFSET: i32 = 1 - LEAST_INDEX;

/// The indexes of finite floats at `scale`.
#[must_use]
pub const fn indexes(scale: i8) -> RangeInclusive<i32> {
    let steps = MAX_SCALE - scale;
    (LEAST_INDEX >> steps)..=(GREATEST_INDEX >> steps)
}

/// The key of a positive value's index.
#[must_use]
pub const fn key_of_index(index: i32) -> i32 {
    index + OFFSET
}

/// The index of a positive key.
#[must_use]
pub const fn index(key: i32) -> i32 {
    key - OFFSET
}

/// The key of a finite value at `scale`.
#[must_use]
pub fn key(value: f64, scale: i8) -> i32 {
    let bits = value.abs().to_bits();
    if bits == 0 {
        return 0;
    }
    let index = finest_index(bits) >> (MAX_SCALE - scale);
    if value < 0.0 { -(index + OFFSET) } else { index + OFFSET }
}

/// The key of the value bucket that takes up `key` when the scale falls by `steps`.
#[must_use]
pub const fn coarser(key: i32, steps: u8) -> i32 {
    if key > 0 {
        ((key - OFFSET) >> steps) + OFFSET
    } else if key < 0 {
        -(((-key - OFFSET) >> steps) + OFFSET)
    } else {
        0
    }
}

/// The index at the finest scale of the positive float with these bits.
fn finest_index(bits: u64) -> i32 {
    if bits >> MANTISSA_BITS != 0 {
        return finest_index_of_normal(bits);
    }
    // Subnormal: move the leading one to where it is implied.
    let shift = bits.leading_zeros() - (63 - MANTISSA_BITS);
    let mantissa = (bits << shift) & MANTISSA_MASK;
    finest_index_of_normal(1 << MANTISSA_BITS | mantissa) - shift as i32 * FINEST
}

#[inline(always)]
fn finest_index_of_normal(bits: u64) -> i32 {
    let cell = (bits >> CELL_BITS) as usize % CELLS;
    // The exponent, and the number of bounds that lie at or below the mantissa.
    let above = bits.wrapping_add(STEP[cell]) >> ROW_BITS;
    // An exact power of two has no bound below it, so that it falls into the value bucket before.
    above as i32 - BIAS * FINEST - 1
}

/// The index at `scale` of the positive normal float with these bits. Any other bits give an index
/// below [`least_normal`], beyond that of the greatest float, or its very own.
#[inline(always)]
#[must_use]
pub fn index_of_normal(bits: u64, scale: i8) -> i32 {
    finest_index_of_normal(bits) >> (MAX_SCALE - scale)
}

/// The key at `scale` of a positive normal value.
#[inline(always)]
#[must_use]
pub fn key_of_normal(value: f64, scale: i8) -> i32 {
    key_of_index(index_of_normal(value.to_bits(), scale))
}

/// The key of [`least_normal`].
#[must_use]
pub const fn least_normal_key(scale: i8) -> i32 {
    key_of_index(least_normal(scale))
}

/// The least index at `scale` whose value bucket holds normal floats only.
#[must_use]
pub const fn least_normal(scale: i8) -> i32 {
    // The least normal float is a power of two and so closes the value bucket before.
    (((1 - BIAS) * FINEST - 1) >> (MAX_SCALE - scale)) + 1
}

/// 2^(1/2^scale).
#[must_use]
pub const fn base(scale: i8) -> f64 {
    if scale > 0 { fraction(FINEST >> scale) } else { power_of_two(1 << -scale) }
}

/// Number of scales.
const SCALES: usize = (MAX_SCALE - MIN_SCALE) as usize + 1;

/// Of each scale, what takes the lower bound of a value bucket to its middle, and the bound of that one's relative error.
static MIDDLES: [(f64, f64); SCALES] = {
    let mut middles = [(0.0, 0.0); SCALES];
    let mut place = 0;
    while place < SCALES {
        let base = base(place as i8 + MIN_SCALE);
        middles[place] = (2.0 * base / (base + 1.0), (base - 1.0) / (base + 1.0));
        place += 1;
    }
    middles
};

/// Bound of the relative error of [`midpoint`].
#[must_use]
pub fn relative_error(scale: i8) -> f64 {
    middle_of(scale).1
}

#[inline(always)]
fn middle_of(scale: i8) -> (f64, f64) {
    MIDDLES[(scale.clamp(MIN_SCALE, MAX_SCALE) - MIN_SCALE) as usize]
}

/// The value whose relative distance to both bounds of a value bucket is the same.
#[must_use]
pub fn midpoint(key: i32, scale: i8) -> f64 {
    if key == 0 {
        return 0.0;
    }
    let index = i64::from(key.abs() - OFFSET);
    let finest = index << (MAX_SCALE - scale);
    let lower = fraction(finest.rem_euclid(i64::from(FINEST)) as i32);
    // The harmonic mean of lower and lower·base.
    let middle = lower * middle_of(scale).0;
    let magnitude = times_power_of_two(middle, finest.div_euclid(i64::from(FINEST)) as i32);
    if key < 0 { -magnitude } else { magnitude }
}

/// The greatest float that lies below the value bucket `index` at `scale`; 0 below the first one, and
/// the greatest finite float below the one behind the last.
#[must_use]
pub fn lower_bound(index: i32, scale: i8) -> f64 {
    let finest = i64::from(index) << (MAX_SCALE - scale);
    let exponent = finest.div_euclid(i64::from(FINEST)) as i32;
    let part = finest.rem_euclid(i64::from(FINEST)) as i32;
    let near_one = fraction(part).to_bits() & MANTISSA_MASK;
    match exponent + BIAS {
        biased @ 1.. if biased <= 2 * BIAS => f64::from_bits((biased as u64) << MANTISSA_BITS | near_one),
        1.. => f64::MAX,
        // Subnormal floats lack bits at the end, whose loss makes the bound lower.
        biased => f64::from_bits((1 << MANTISSA_BITS | near_one) >> (1 - biased).min(63)),
    }
}

/// 2^(part/256) for a part in 0..256.
const fn fraction(part: i32) -> f64 {
    f64::from_bits((BIAS as u64) << MANTISSA_BITS | (mantissa(part.cast_unsigned()) - 1))
}

/// 2^exponent for a normal result.
const fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + BIAS) as u64) << MANTISSA_BITS)
}

/// `value · 2^exponent` for a value near 1, rounded once also where the result is subnormal.
fn times_power_of_two(value: f64, exponent: i32) -> f64 {
    let half = exponent / 2;
    value * power_of_two(half) * power_of_two(exponent - half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::BOUNDS;

    /// Numbers of any size, least significant 32 bits first: the slow and certain way.
    fn multiply(a: &[u32], b: &[u32]) -> Vec<u32> {
        let mut product = vec![0_u32; a.len() + b.len()];
        for (i, x) in a.iter().enumerate() {
            let mut carry = 0_u64;
            for (j, y) in b.iter().enumerate() {
                let sum = u64::from(*x) * u64::from(*y) + u64::from(product[i + j]) + carry;
                product[i + j] = sum as u32;
                carry = sum >> 32;
            }
            product[i + b.len()] = carry as u32;
        }
        while product.last() == Some(&0) {
            product.pop();
        }
        product
    }

    /// Number of significant bits of `mantissa^256`.
    fn bits_of_256th_power(mantissa: u64) -> usize {
        let mut power = vec![mantissa as u32, (mantissa >> 32) as u32];
        for _ in 0..8 {
            power = multiply(&power, &power);
        }
        power.len() * 32 - power.last().unwrap().leading_zeros() as usize
    }

    #[test]
    fn every_bound_is_the_least_mantissa_above_its_root() {
        for part in 0..BOUNDS {
            let mantissa = mantissa(part);
            // (1 + m/2^52)^256 > 2^part, as whole numbers: (2^52 + m)^256 > 2^(52·256 + part).
            // A number is at least 2^n exactly where it has more than n bits; no power of a
            // mantissa is a power of two unless the mantissa is zero.
            let threshold = 52 * 256 + part as usize;
            assert!(bits_of_256th_power((1 << 52) + mantissa) > threshold, "part {part}");
            if part == 0 {
                assert_eq!(mantissa, 1);
            } else {
                assert!(bits_of_256th_power((1 << 52) + mantissa - 1) <= threshold, "part {part}");
            }
        }
    }

    /// The independent mapping of the OpenTelemetry data model for scales of at most zero.
    fn slow_index_at_or_below_zero(value: f64, scale: i8) -> i32 {
        // The least e with value <= 2^e, less one, is the index at scale zero.
        let mut e = -1_075_i32;
        while value > 2.0_f64.powi(e / 2) * 2.0_f64.powi(e - e / 2) {
            e += 1;
        }
        (e - 1) >> -scale
    }

    #[test]
    fn powers_of_two_close_the_bucket_below() {
        for scale in MIN_SCALE..=MAX_SCALE {
            for exponent in -1_074..1_024 {
                let value = times_power_of_two(1.0, exponent);
                let found = index(key(value, scale));
                let expected = if scale > 0 { (exponent << scale) - 1 } else { (exponent - 1) >> -scale };
                assert_eq!(found, expected, "2^{exponent} at {scale}");
                if exponent > -1_022 {
                    let above = f64::from_bits(value.to_bits() + 1);
                    let expected = if scale > 0 { exponent << scale } else { exponent >> -scale };
                    assert_eq!(index(key(above, scale)), expected, "above 2^{exponent} at {scale}");
                }
            }
        }
    }

    #[test]
    fn the_ends_of_the_floats_are_in_range() {
        for scale in MIN_SCALE..=MAX_SCALE {
            let least = f64::from_bits(1);
            assert_eq!(index(key(least, scale)), *indexes(scale).start());
            assert_eq!(index(key(f64::MAX, scale)), *indexes(scale).end());
            assert_eq!(key(-least, scale), -key(least, scale));
            assert_eq!(key(-f64::MAX, scale), -key(f64::MAX, scale));
            assert!(key(least, scale) > 0);
        }
        assert_eq!(key(-0.0, 6), 0);
    }

    #[test]
    fn scales_of_at_most_zero_match_the_slow_mapping() {
        for value in [5e-324, 1.5e-320, 2.2e-308, 1e-9, 0.3, 1.0, 1.000_000_1, 7.0, 65_536.0, 1e300, f64::MAX] {
            for scale in MIN_SCALE..=0 {
                let expected = slow_index_at_or_below_zero(value, scale);
                assert_eq!(index(key(value, scale)), expected, "{value} at {scale}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn bounds_enclose_the_values_of_a_bucket(value in proptest::num::f64::POSITIVE, scale in MIN_SCALE..=MAX_SCALE) {
            proptest::prop_assume!(value.is_finite() && value > 0.0);
            let index = index(key(value, scale));
            let (lower, upper) = (lower_bound(index, scale), lower_bound(index + 1, scale));
            proptest::prop_assert!(lower < value && value <= upper);
            // They are the very bounds: the greatest floats of two neighbouring value buckets.
            proptest::prop_assert_eq!(key(upper, scale), key(value, scale));
            proptest::prop_assert!(lower == 0.0 || key(lower, scale) == key(value, scale) - 1 || lower < f64::MIN_POSITIVE);
        }

        /// Against `powf`, which may be off at the very bound: there only the neighbour is allowed.
        #[test]
        fn positive_scales_match_powf(mantissa in 1.0_f64..2.0, exponent in -1_000_i32..1_000, scale in 1_i8..=8) {
            let value = times_power_of_two(mantissa, exponent);
            let found = index(key(value, scale));
            let within = found - (exponent << scale);
            let buckets = f64::from(1_i32 << scale);
            let lower = 2.0_f64.powf(f64::from(within) / buckets);
            let upper = 2.0_f64.powf(f64::from(within + 1) / buckets);
            proptest::prop_assert!(mantissa > lower * (1.0 - 1e-15) && mantissa <= upper * (1.0 + 1e-15));
        }

        #[test]
        fn the_midpoint_is_within_the_error(value in proptest::num::f64::NORMAL, scale in MIN_SCALE..=MAX_SCALE) {
            let base = base(scale);
            let bound = (base - 1.0) / (base + 1.0) * (1.0 + 1e-12);
            let middle = midpoint(key(value, scale), scale);
            proptest::prop_assert!((middle - value).abs() <= value.abs() * bound + f64::from_bits(1), "{} {}", value, middle);
        }

        #[test]
        fn a_coarser_scale_is_a_shift(value in proptest::num::f64::ANY, scale in MIN_SCALE..=MAX_SCALE) {
            proptest::prop_assume!(value.is_finite());
            let steps = (MAX_SCALE - scale).unsigned_abs();
            proptest::prop_assert_eq!(coarser(key(value, MAX_SCALE), steps), key(value, scale));
        }
    }
}
