//! The value buckets of values of one sign.

use bellwether_loops::places::{Place, find};

use crate::sketch::keys;

/// Neighbouring value buckets are added in steps of so many, so that a stretch seldom grows.
const STEP: i32 = 32;
/// A stretch is no longer than this; values outside are counted one key by one.
const LONGEST: i32 = 8_192;

/// The value buckets of values of one sign, by keys, which are positive.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    /// Key of the first place.
    first: i32,
    /// What is more than a place holds is kept with the keys that lie outside.
    counts: Vec<Place>,
    /// What lies too far away, and what is more than a place holds; ascending by key, none of them 0.
    outside: Vec<(i32, u64)>,
}

impl Side {
    pub(super) const fn first(&self) -> i32 {
        self.first
    }

    pub(super) fn places(&mut self) -> &mut [Place] {
        &mut self.counts
    }

    /// The place of a key.
    #[inline]
    fn place(&mut self, key: i32) -> Option<&mut Place> {
        // What lies before the first place becomes a number beyond the last.
        self.counts.get_mut(key.wrapping_sub(self.first) as u32 as usize)
    }

    pub(super) fn add(&mut self, key: i32, count: u64) {
        if !self.has(key) {
            self.grow(key);
        }
        if let Some(place) = self.place(key)
            && let Ok(count) = u32::try_from(count)
            && let Some(sum) = place.0.checked_add(count)
        {
            place.0 = sum;
            return;
        }
        if count > 0 {
            match self.outside.binary_search_by_key(&key, |(key, _)| *key) {
                Ok(place) => self.outside[place].1 = self.outside[place].1.saturating_add(count),
                Err(place) => self.outside.insert(place, (key, count)),
            }
        }
    }

    /// Takes away what was added, the places' first.
    pub(super) fn take(&mut self, key: i32, count: u64) {
        let mut left = count;
        if let Some(place) = self.place(key) {
            let taken = place.0.min(u32::try_from(left).unwrap_or(u32::MAX));
            place.0 -= taken;
            left -= u64::from(taken);
        }
        if left > 0
            && let Ok(place) = self.outside.binary_search_by_key(&key, |(key, _)| *key)
        {
            self.outside[place].1 = self.outside[place].1.saturating_sub(left);
            if self.outside[place].1 == 0 {
                self.outside.remove(place);
            }
        }
    }

    fn has(&self, key: i32) -> bool {
        (key.wrapping_sub(self.first) as u32 as usize) < self.counts.len()
    }

    /// Makes a place for a key, if it lies near enough.
    #[cold]
    fn grow(&mut self, key: i32) {
        let floor = key - key.rem_euclid(STEP);
        let (first, end) = match self.counts.len() {
            0 => (floor, floor + STEP),
            len => (self.first.min(floor), (self.first + len as i32).max(floor + STEP)),
        };
        if end - first > LONGEST {
            return;
        }
        let mut counts = vec![Place::default(); (end - first) as usize];
        if !self.counts.is_empty() {
            let start = (self.first - first) as usize;
            counts[start..start + self.counts.len()].copy_from_slice(&self.counts);
        }
        (self.first, self.counts) = (first, counts);
        self.outside.retain(|(key, count)| {
            let place = self.counts.get_mut(key.wrapping_sub(first) as u32 as usize);
            let sum = place.and_then(|place| Some((u32::try_from(*count).ok()?.checked_add(place.0)?, place)));
            sum.map(|(sum, place)| place.0 = sum).is_none()
        });
    }

    /// Number of keys that have no place, or more than it holds.
    pub(super) const fn outside(&self) -> usize {
        self.outside.len()
    }

    pub(super) fn total(&self) -> u64 {
        let outside = self.outside.iter().map(|(_, count)| *count);
        outside.fold(self.counts.iter().map(|place| u64::from(place.0)).sum(), u64::saturating_add)
    }

    /// Number of value buckets that hold something.
    pub(super) fn filled(&self) -> usize {
        let mut filled = 0;
        self.for_each(|_, _| filled += 1);
        filled
    }

    /// Keys and counts of the value buckets that hold something, ascending.
    #[inline]
    pub(super) fn for_each(&self, mut each: impl FnMut(i32, u64)) {
        let mut outside = self.outside.iter().copied().peekable();
        for (place, count) in self.counts.iter().enumerate() {
            let key = self.first + place as i32;
            let mut count = u64::from(count.0);
            while let Some((other, more)) = outside.next_if(|(other, _)| *other <= key) {
                if other == key {
                    count = count.saturating_add(more);
                } else {
                    each(other, more);
                }
            }
            if count > 0 {
                each(key, count);
            }
        }
        outside.for_each(|(key, count)| each(key, count));
    }

    /// What [`Side::for_each`] tells.
    pub(super) fn list(&self) -> Vec<(i32, u64)> {
        let mut list = Vec::new();
        self.for_each(|key, count| list.push((key, count)));
        list
    }

    /// The key of the value of this rank; all values of all sides are `n`. `reached` is where the last
    /// search ended, a place and the values before it; a search for a greater rank begins there.
    pub(super) fn find(&self, rank: u64, n: u64, reached: &mut (usize, u32)) -> Option<i32> {
        if !self.outside.is_empty() || n > u64::from(u32::MAX) || rank >= n {
            let (mut before, mut found) = (0_u64, None);
            self.for_each(|key, count| {
                before = before.saturating_add(count);
                if found.is_none() && rank < before {
                    found = Some(key);
                }
            });
            return found;
        }
        find(&self.counts, rank as u32, reached).map(|place| self.first + place as i32)
    }

    pub(super) fn coarsen(&mut self, steps: u8) {
        let mut coarser = Self::default();
        self.for_each(|key, count| coarser.add(keys::coarser(key, steps), count));
        *self = coarser;
    }

    /// Forgets all counts; of the places no more are kept than one look at all of them is worth.
    pub(super) fn clear(&mut self) {
        if self.counts.len() > 1_024 {
            self.counts.clear();
        }
        self.counts.fill(Place::default());
        self.outside.clear();
    }
}
