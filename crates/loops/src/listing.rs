//! The value buckets of positive samples as a list of offsets, and what they come to on the way.

use crate::extent::{lesser, m2_about};
use crate::lanes::Pair;
use crate::mapping::key_of_normal;
use crate::slim::Slim;

/// Lists the value buckets at `scale` of positive normal samples in a byte each, 1 + key − `least`; gives [`m2_about`].
#[inline(never)]
#[must_use]
pub fn put_narrow(list: &mut [u8], slims: &[Slim], (least, scale): (i32, i8), mean: f64) -> f64 {
    let offset = |slim: &Slim| key_of_normal(slim.value(), scale).wrapping_sub(least).wrapping_add(1) as u8;
    let (pairs, rest) = slims.as_chunks::<2>();
    let (place_pairs, place_rest) = list.as_chunks_mut::<2>();
    let (mut m2, center) = (Pair::new(0.0, 0.0), Pair::new(mean, mean));
    for ([one, other], places) in pairs.iter().zip(place_pairs) {
        let distance = Pair::new(one.value(), other.value()).minus(center);
        m2 = m2.plus(distance.times(distance));
        *places = [offset(one), offset(other)];
    }
    for (slim, place) in rest.iter().zip(place_rest) {
        let distance = Pair::new(slim.value(), mean).minus(center);
        m2 = m2.plus(distance.times(distance));
        *place = offset(slim);
    }
    let [one, other] = m2.both();
    lesser(f64::MAX, one + other)
}

/// [`put_narrow`] in two bytes each, the lower one first.
#[inline(never)]
#[must_use]
pub fn put_wide(list: &mut [u8], slims: &[Slim], (least, scale): (i32, i8), mean: f64) -> f64 {
    for (slim, place) in slims.iter().zip(list.as_chunks_mut::<2>().0) {
        *place = (key_of_normal(slim.value(), scale).wrapping_sub(least).wrapping_add(1) as u16).to_le_bytes();
    }
    m2_about(slims, mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{MAX_SCALE, key};

    #[test]
    fn a_list_holds_the_offset_of_each_value_bucket() {
        let slims: Vec<Slim> = (1..8_u32).map(|n| Slim::new(n, 1.0 + f64::from(n * n % 5) / 10.0)).collect();
        let scale = MAX_SCALE - 2;
        let least = slims.iter().map(|slim| key(slim.value(), scale)).min().unwrap();
        let expected: Vec<i32> = slims.iter().map(|slim| 1 + key(slim.value(), scale) - least).collect();
        let (mut narrow, mut wide) = ([0; 7], [0; 14]);
        let m2 = put_narrow(&mut narrow, &slims, (least, scale), 1.1);
        assert_eq!(m2.to_bits(), m2_about(&slims, 1.1).to_bits());
        assert_eq!(narrow.map(i32::from).to_vec(), expected);
        assert_eq!(put_wide(&mut wide, &slims, (least, scale), 1.1).to_bits(), m2.to_bits());
        let pairs: Vec<i32> = wide.as_chunks::<2>().0.iter().map(|pair| i32::from(u16::from_le_bytes(*pair))).collect();
        assert_eq!(pairs, expected);
    }
}
