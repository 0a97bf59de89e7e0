//! What the values of samples come to: sum, least and greatest, distances from the mean.

use crate::lanes::Pair;
use crate::slim::Slim;

/// The lesser of two numbers; `a` where `b` is NaN. One instruction, where `f64::min` is a call in WebAssembly.
#[inline(always)]
#[must_use]
pub const fn lesser(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

/// The greater of two numbers; `a` where `b` is NaN.
#[inline(always)]
#[must_use]
pub const fn greater(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}

/// `value`, moved to the nearest of the edges where rounding has put it outside. Unlike `clamp`, it has no panic whose
/// text prints the edges, which takes 15 KB of the page.
#[inline(always)]
#[must_use]
pub const fn within(value: f64, min: f64, max: f64) -> f64 {
    lesser(max, greater(min, value))
}

/// Sums stop at the greatest finite float instead of becoming infinite, so that no later addition makes them NaN.
#[inline(always)]
#[must_use]
pub const fn finite(sum: f64) -> f64 {
    within(sum, f64::MIN, f64::MAX)
}

/// Sum, least and greatest of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Sum of the values; infinite where floats do not hold it.
    pub sum: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
}

impl Extent {
    /// What samples come to, the first of which is `first`. Cost: O(samples).
    #[inline(never)]
    #[must_use]
    pub fn of(slims: &[Slim], first: f64) -> Self {
        let (pairs, rest) = slims.as_chunks::<2>();
        let start = Pair::new(first, first);
        let (mut sum, mut min, mut max) = (Pair::new(0.0, 0.0), start, start);
        for [one, other] in pairs {
            let values = Pair::new(one.value(), other.value());
            sum = sum.plus(values);
            min = min.least(values);
            max = max.greatest(values);
        }
        for slim in rest {
            sum = sum.plus(Pair::new(slim.value(), 0.0));
            let value = Pair::new(slim.value(), slim.value());
            min = min.least(value);
            max = max.greatest(value);
        }
        let ([one, other], [low, lower], [high, higher]) = (sum.both(), min.both(), max.both());
        Self { sum: one + other, min: lesser(low, lower), max: greater(high, higher) }
    }
}

/// The sum of the squared distances from the mean; no more than the greatest float. Cost: O(samples).
#[inline(never)]
#[must_use]
pub fn m2_about(slims: &[Slim], mean: f64) -> f64 {
    let (pairs, rest) = slims.as_chunks::<2>();
    let (mut m2, center) = (Pair::new(0.0, 0.0), Pair::new(mean, mean));
    for [one, other] in pairs {
        let distance = Pair::new(one.value(), other.value()).minus(center);
        m2 = m2.plus(distance.times(distance));
    }
    for slim in rest {
        let distance = Pair::new(slim.value(), mean).minus(center);
        m2 = m2.plus(distance.times(distance));
    }
    let [one, other] = m2.both();
    lesser(f64::MAX, one + other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extent_is_that_of_the_values() {
        for count in 1..9_u32 {
            let values: Vec<f64> = (0..count).map(|n| f64::from((n * 7 + 3) % 5) - 1.0).collect();
            let slims: Vec<Slim> = values.iter().map(|value| Slim::new(0, *value)).collect();
            let Extent { sum, min, max } = Extent::of(&slims, values[0]);
            let mean = sum / f64::from(count);
            assert_eq!(sum, values.iter().sum::<f64>());
            assert_eq!(min, values.iter().copied().fold(f64::INFINITY, f64::min));
            assert_eq!(max, values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            let m2: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
            assert!((m2_about(&slims, mean) - m2).abs() <= 1e-12 * m2.max(1.0), "{count}");
        }
        assert_eq!(m2_about(&[Slim::new(0, f64::MAX)], f64::MIN), f64::MAX);
    }
}
