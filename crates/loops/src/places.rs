//! Counts of values by value bucket, in neighbouring places.

use crate::mapping::{index_of_normal, key_of_normal};
use crate::slim::Slim;

/// The count of one value bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place(pub u32);

/// What is done at the place of each value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One more is counted.
    Up,
    /// One less is counted.
    Down,
}

impl Place {
    #[inline(always)]
    fn up(&mut self) -> bool {
        let is_open = self.0 != u32::MAX;
        self.0 += u32::from(is_open);
        is_open
    }

    #[inline(always)]
    fn down(&mut self) -> bool {
        let is_open = self.0 != 0;
        self.0 -= u32::from(is_open);
        is_open
    }
}

/// Takes the step at the place of each key, up to the first that has none or cannot take it.
#[inline(always)]
fn through<T>(
    places: &mut [Place],
    first: i32,
    rows: &[T],
    key: impl Fn(&T) -> i32,
    step: impl Fn(&mut Place) -> bool,
) -> usize {
    for (done, row) in rows.iter().enumerate() {
        // What lies before the first place becomes a number beyond the last.
        let place = places.get_mut(key(row).wrapping_sub(first) as u32 as usize);
        if !place.is_some_and(&step) {
            return done;
        }
    }
    rows.len()
}

#[inline(never)]
fn up_samples(places: &mut [Place], first: i32, slims: &[Slim], scale: i8) -> usize {
    through(places, first, slims, |slim| key_of_normal(slim.value(), scale), Place::up)
}

#[inline(never)]
fn down_samples(places: &mut [Place], first: i32, slims: &[Slim], scale: i8) -> usize {
    through(places, first, slims, |slim| key_of_normal(slim.value(), scale), Place::down)
}

/// Takes a step at the place of each sample's key at `scale`; `first` is the key of the first place, which is at least
/// [`crate::mapping::least_normal`]'s. Says how many samples it were up to the first that has no place, or where nothing
/// is left to count down or no more can be counted.
#[inline]
pub fn step_samples(places: &mut [Place], first: i32, slims: &[Slim], scale: i8, step: Step) -> usize {
    match step {
        Step::Up => up_samples(places, first, slims, scale),
        Step::Down => down_samples(places, first, slims, scale),
    }
}

/// A zero's offset is 0, and the key that is made of it is one that no place has.
#[inline(always)]
fn key_of(base: i32, offset: i32) -> i32 {
    if offset == 0 { i32::MIN } else { base.wrapping_add(offset - 1) }
}

#[inline(never)]
fn up_narrow(places: &mut [Place], first: i32, base: i32, offsets: &[u8]) -> usize {
    through(places, first, offsets, |offset| key_of(base, i32::from(*offset)), Place::up)
}

#[inline(never)]
fn down_narrow(places: &mut [Place], first: i32, base: i32, offsets: &[u8]) -> usize {
    through(places, first, offsets, |offset| key_of(base, i32::from(*offset)), Place::down)
}

/// [`step_samples`] of a list of offsets in a byte each: 0 of a zero, which has no place, else 1 + key − `base`.
#[inline]
pub fn step_narrow(places: &mut [Place], first: i32, base: i32, offsets: &[u8], step: Step) -> usize {
    match step {
        Step::Up => up_narrow(places, first, base, offsets),
        Step::Down => down_narrow(places, first, base, offsets),
    }
}

#[inline(never)]
fn up_wide(places: &mut [Place], first: i32, base: i32, offsets: &[[u8; 2]]) -> usize {
    through(places, first, offsets, |offset| key_of(base, i32::from(u16::from_le_bytes(*offset))), Place::up)
}

#[inline(never)]
fn down_wide(places: &mut [Place], first: i32, base: i32, offsets: &[[u8; 2]]) -> usize {
    through(places, first, offsets, |offset| key_of(base, i32::from(u16::from_le_bytes(*offset))), Place::down)
}

/// [`step_narrow`] of offsets in two bytes each, the lower one first.
#[inline]
pub fn step_wide(places: &mut [Place], first: i32, base: i32, offsets: &[[u8; 2]], step: Step) -> usize {
    match step {
        Step::Up => up_wide(places, first, base, offsets),
        Step::Down => down_wide(places, first, base, offsets),
    }
}

/// Counts each value one up at the place of its index at `scale`; `first` is the index of the first place. Says how many
/// values it were up to the first that has no place. No count may be as many as a place holds.
#[inline(never)]
pub fn count_values(counts: &mut [u32], first: i32, values: &[f64], scale: i8) -> usize {
    for (done, value) in values.iter().enumerate() {
        let index = index_of_normal(value.to_bits(), scale);
        let Some(count) = counts.get_mut(index.wrapping_sub(first) as u32 as usize) else { return done };
        *count += 1;
    }
    values.len()
}

/// Places that are added up side by side, first so many …
const CHUNK: usize = 32;
/// … and of those that hold a rank so many.
const PART: usize = 8;

#[inline(always)]
fn sum_of(places: &[Place]) -> u32 {
    places.iter().map(|place| place.0).sum()
}

/// The place of the value of this rank, all values of all places being no more than 32 bits count. `reached` is where the
/// last search ended, a place and the values before it; a search for a greater rank begins there.
#[inline(never)]
pub fn find(places: &[Place], rank: u32, reached: &mut (usize, u32)) -> Option<usize> {
    if rank < reached.1 {
        *reached = (0, 0);
    }
    let (mut start, mut before) = *reached;
    for chunk in places.get(start..)?.chunks(CHUNK) {
        let sum = sum_of(chunk);
        if rank - before < sum {
            *reached = (start, before);
            for part in chunk.chunks(PART) {
                let sum = sum_of(part);
                if rank - before < sum {
                    for (place, count) in part.iter().enumerate() {
                        if rank - before < count.0 {
                            return Some(start + place);
                        }
                        before += count.0;
                    }
                }
                before += sum;
                start += part.len();
            }
        }
        before += sum;
        start += chunk.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{key, least_normal_key};

    const SCALE: i8 = 6;

    #[test]
    fn samples_and_lists_are_counted_up_to_what_has_no_place() {
        let values = [1.0, 1.5, 2.0, 1.0, -1.0, 1.5];
        let slims = values.map(|value| Slim::new(0, value));
        let first = key(1.0, SCALE);
        let mut places = vec![Place(0); 80];
        assert!(first >= least_normal_key(SCALE));
        assert_eq!(step_samples(&mut places, first, &slims, SCALE, Step::Up), 4);
        assert_eq!((places[0], places[64]), (Place(2), Place(1)));
        assert_eq!(step_samples(&mut places, first, &slims[..1], SCALE, Step::Down), 1);
        assert_eq!(step_samples(&mut places, first, &slims[3..], SCALE, Step::Down), 1);
        assert_eq!(step_samples(&mut places, first, &slims, SCALE, Step::Down), 0);
        assert_eq!(step_narrow(&mut places, first, first, &[1, 3, 0, 1], Step::Up), 2);
        assert_eq!(step_wide(&mut places, first, first, &[[1, 0], [0, 1]], Step::Up), 1);
        assert_eq!((places[0], places[2]), (Place(2), Place(1)));
        assert_eq!(step_narrow(&mut places, first, first, &[1, 3], Step::Down), 2);
        assert_eq!(step_wide(&mut places, first, first, &[[1, 0], [1, 0]], Step::Down), 1);
        places[0] = Place(u32::MAX);
        assert_eq!(step_narrow(&mut places, first, first, &[1], Step::Up), 0);
    }

    #[test]
    fn every_rank_is_found_from_wherever_the_last_one_was() {
        let mut places = vec![Place(0); 100];
        (places[3], places[31], places[32], places[99]) = (Place(2), Place(1), Place(3), Place(1));
        let expected = [3, 3, 31, 32, 32, 32, 99];
        let mut reached = (0, 0);
        for (rank, place) in (0..).zip(expected) {
            assert_eq!(find(&places, rank, &mut reached), Some(place));
            assert_eq!(find(&places, rank, &mut (0, 0)), Some(place));
        }
        assert_eq!(find(&places, 0, &mut reached), Some(3));
        assert_eq!(find(&places, 7, &mut reached), None);
        assert_eq!(find(&[], 0, &mut (0, 0)), None);
    }

    #[test]
    fn values_are_counted_up_to_the_first_without_a_place() {
        let mut counts = [0; 65];
        let first = index_of_normal(1.0_f64.to_bits(), SCALE);
        assert_eq!(count_values(&mut counts, first, &[1.0, 2.0, 2.0, 0.5, 1.0], SCALE), 3);
        assert_eq!((counts[0], counts[64]), (1, 2));
    }
}
