//! Histograms with bounds of their own, as OpenTelemetry's instruments have by default.
//!
//! Nothing is known of where in its value bucket a value lies. To be merged with others, the counts are
//! spread evenly between the bounds, as `histogram_quantile` of Prometheus reads them; a percentile then
//! lies in the right value bucket and is off by at most its width (docs/adr/0007-explicit-histograms.md).

use std::collections::BTreeMap;

use bellwether_core::sketch::{Sketch, SketchError};

/// Most bounds of one histogram.
pub const MAX_BOUNDS: usize = 500;
/// Into so many places, at most, are the values of one value bucket spread.
const PLACES: u64 = 64;
/// A carrier numbers value buckets instead of measuring them.
const CARRIER_SCALE: i8 = 0;

/// Counts by the number of their value bucket, in the form of a sketch, so that they are subtracted and
/// kept as one. It measures nothing until it is [`spread`].
///
/// # Errors
/// [`SketchError`] where a count is out of range.
pub fn carrier(counts: &[u64]) -> Result<Sketch, SketchError> {
    let numbered = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let numbered = numbered.map(|(number, count)| (i32::try_from(number).unwrap_or(i32::MAX), *count));
    Sketch::from_parts(CARRIER_SCALE, 0, numbered, [])
}

/// The sketch of what a carrier counts. Value bucket `i` holds `(bounds[i − 1], bounds[i]]`; the first and
/// the last reach to the extremes, where those are known, else the first to zero (where its bound is
/// above) and the last no further than its bound.
///
/// # Errors
/// [`SketchError`] where a count is out of range.
pub fn spread(bounds: &[f64], carrier: &Sketch, extremes: Option<(f64, f64)>) -> Result<Sketch, SketchError> {
    let (mut positive, mut negative) = (BTreeMap::new(), BTreeMap::new());
    let mut zero_count = 0_u64;
    for (number, count) in carrier.positive() {
        let (lower, upper) = edges(bounds, number, extremes);
        let places = count.min(PLACES);
        let mut before = 0;
        for place in 0..places {
            let share = (place as f64 + 0.5) / places as f64;
            let value = lower + (upper - lower) * share;
            // In whole numbers, so that none is lost by rounding.
            let after = (u128::from(count) * u128::from(place + 1) / u128::from(places)) as u64;
            let mut single = Sketch::new(Sketch::DEFAULT_SCALE);
            single.record(value);
            let (more, side) = (after - before, if value < 0.0 { &mut negative } else { &mut positive });
            let index = if value < 0.0 { single.negative().next() } else { single.positive().next() };
            match index {
                Some((index, _)) => *side.entry(index).or_insert(0) += more,
                None => zero_count += more,
            }
            before = after;
        }
    }
    Sketch::from_parts(Sketch::DEFAULT_SCALE, zero_count, positive, negative)
}

/// The bounds within which all that a carrier counts lies, as near as they are known; `None` where it counts
/// nothing.
#[must_use]
pub fn reach(bounds: &[f64], carrier: &Sketch, extremes: Option<(f64, f64)>) -> Option<(f64, f64)> {
    let (first, _) = carrier.positive().next()?;
    let (last, _) = carrier.positive().last()?;
    Some((edges(bounds, first, extremes).0, edges(bounds, last, extremes).1))
}

/// The bounds of one value bucket, drawn in to the extremes.
fn edges(bounds: &[f64], number: i32, extremes: Option<(f64, f64)>) -> (f64, f64) {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    let lower = number.checked_sub(1).and_then(|before| bounds.get(before)).copied();
    let upper = bounds.get(number).copied();
    let (least, greatest) = (extremes.map(|extremes| extremes.0), extremes.map(|extremes| extremes.1));
    let (lower, upper) = match (lower, upper) {
        (Some(lower), Some(upper)) => (lower, upper),
        (None, Some(upper)) => (least.unwrap_or(upper.min(0.0)).min(upper), upper),
        (Some(lower), None) => (lower, greatest.unwrap_or(lower).max(lower)),
        (None, None) => (least.unwrap_or(0.0), greatest.unwrap_or(0.0)),
    };
    // Extremes that lie elsewhere are of another value bucket.
    let lower = least.filter(|least| (lower..=upper).contains(least)).unwrap_or(lower);
    (lower, greatest.filter(|greatest| (lower..=upper).contains(greatest)).unwrap_or(upper))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::query::Quantile;

    fn quantile(sketch: &Sketch, q: f64) -> f64 {
        sketch.quantile(Quantile::new(q).unwrap()).unwrap()
    }

    #[test]
    fn values_are_spread_between_their_bounds() {
        let carrier = carrier(&[0, 1_000, 0, 10]).unwrap();
        let sketch = spread(&[5.0, 10.0, 25.0], &carrier, Some((6.0, 30.0))).unwrap();
        assert_eq!(sketch.count(), 1_010);
        let near = |q: f64, expected: f64| {
            let found = quantile(&sketch, q);
            assert!((found - expected).abs() < expected * 0.02, "{q}: {found}, not {expected}");
        };
        // None is below the least, 6: the thousand are spread over (6, 10].
        near(0.25, 7.01);
        near(0.5, 8.02);
        near(0.98, 9.96);
        near(1.0, 29.75);
    }

    #[test]
    fn every_value_counts_and_lies_within_its_value_bucket() {
        for counts in [vec![1], vec![0, 7, 65, 1_000_003], vec![3, 0, 0, 2]] {
            let bounds: Vec<f64> = (1..counts.len()).map(|bound| bound as f64 * 2.0 - 3.0).collect();
            let carrier = carrier(&counts).unwrap();
            let sketch = spread(&bounds, &carrier, None).unwrap();
            assert_eq!(sketch.count(), counts.iter().sum::<u64>(), "{counts:?}");
        }
    }
}
