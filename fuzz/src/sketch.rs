//! Sketches from parts that come from outside.

use bellwether_core::query::Quantile;
use bellwether_core::sketch::{MAX_COUNT, MAX_SCALE, MAX_VALUE_BUCKETS, MIN_SCALE, Sketch};

use crate::source::Source;

/// Sketches from any parts: refused or within every law of merging, subtracting and estimating.
pub fn sketch(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let (Some(one), Some(other)) = (read(&mut source), read(&mut source)) else { return };
    looks_right(&one);
    let mut merged = one.clone();
    merged.merge(&other);
    let mut reversed = other.clone();
    reversed.merge(&one);
    assert_eq!(merged, reversed, "merging has an order");
    looks_right(&merged);
    // Counts of a value bucket stop at the greatest, and what was cut off cannot be taken away.
    if one.count().saturating_add(other.count()) <= MAX_COUNT {
        assert_eq!(merged.count(), one.count() + other.count());
        let mut back = merged.clone();
        back.subtract(&other).unwrap();
        let mut coarse = one.clone();
        coarse.downscale(back.scale());
        assert_eq!(back, coarse, "subtracting does not undo merging");
    }
    let scale = source.one_of(&[MIN_SCALE, 0, 3, 6, MAX_SCALE]);
    let (count, before) = (merged.count(), merged.scale());
    merged.downscale(scale);
    assert_eq!(merged.scale(), before.min(scale));
    if count <= MAX_COUNT {
        assert_eq!(merged.count(), count);
    }
    let value = source.value();
    let known = merged.count();
    merged.record(value);
    if known < MAX_COUNT {
        assert_eq!(merged.count(), known + 1);
    }
}

fn read(source: &mut Source<'_>) -> Option<Sketch> {
    let scale = if source.below(8) == 0 { source.byte() as i8 } else { source.below(13) as i8 + MIN_SCALE };
    let side = |source: &mut Source<'_>| -> Vec<(i32, u64)> {
        let mut index = source.int() as i32 >> source.below(32);
        let mut buckets = Vec::new();
        for _ in 0..source.below(40) {
            let count = if source.below(8) == 0 { source.int() as u64 } else { source.below(1 << 40) };
            buckets.push((index, count));
            index = index.saturating_add(source.below(300) as i32 - 1);
        }
        buckets
    };
    let zero_count = source.below(4);
    let (positive, negative) = (side(source), side(source));
    Sketch::from_parts(scale, zero_count, positive, negative).ok()
}

fn looks_right(sketch: &Sketch) {
    let (positive, negative) = (sketch.positive().collect::<Vec<_>>(), sketch.negative().collect::<Vec<_>>());
    let total: u64 = positive.iter().chain(&negative).map(|(_, count)| count).sum::<u64>() + sketch.zero_count();
    assert_eq!(sketch.count(), total);
    assert_eq!(sketch.is_empty(), total == 0);
    assert!(positive.len() + negative.len() <= MAX_VALUE_BUCKETS);
    if total <= MAX_COUNT {
        let again = Sketch::from_parts(sketch.scale(), sketch.zero_count(), positive, negative).unwrap();
        assert_eq!(&again, sketch);
    }
    let mut before = f64::NEG_INFINITY;
    for permille in 0..=20 {
        let estimate = sketch.quantile(Quantile::new(f64::from(permille) / 20.0).unwrap());
        assert_eq!(estimate.is_some(), total > 0);
        let estimate = estimate.unwrap_or_default();
        assert!(estimate.is_finite(), "{estimate}");
        if total > 0 {
            assert!(before <= estimate, "{before} {estimate}");
            before = estimate;
        }
    }
}
