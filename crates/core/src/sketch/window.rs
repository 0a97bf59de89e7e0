//! A stretch of neighbouring value buckets with a count each, zeros included: for many values that
//! lie close together. A value is counted without a search.

use bellwether_loops::mapping;
use bellwether_loops::places::count_values;

use super::entry::Entry;

/// Most value buckets of both signs together, so that with the one of zeros a sketch stays within
/// its bound.
const MAX_PLACES: usize = super::MAX_VALUE_BUCKETS - 1;
/// A list becomes windows where it has at least so many entries, …
const LEAST_ENTRIES: usize = 32;
/// … and at most so many places for each, …
const MOST_PLACES_TO_BEGIN: usize = 8;
/// … and goes back to a list where there would be more than so many.
const MOST_PLACES_TO_GO_ON: usize = 16;

/// The first and the last index of what is counted.
pub(super) type Extent = Option<(i32, i32)>;

/// Counts of neighbouring value buckets of one sign.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// Index of the first place.
    first: i32,
    counts: Vec<u32>,
}

impl Window {
    /// The count of the value bucket `index`, if it has a place.
    ///
    /// A value that is not positive and normal has none: windows begin above the subnormal floats and end
    /// with the greatest, and its bits stand for an index beyond.
    #[inline(always)]
    fn place(&mut self, index: i32) -> Option<&mut u32> {
        // What lies before the first place becomes a number beyond the last.
        self.counts.get_mut(index.wrapping_sub(self.first) as u32 as usize)
    }

    /// Index and count of the value buckets that hold something, ascending by index.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> + Clone + '_ {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(place, count)| (self.first + place as i32, u64::from(*count)))
    }

    pub(super) fn extent(&self) -> Extent {
        let first = self.counts.iter().position(|count| *count > 0)?;
        let last = self.counts.iter().rposition(|count| *count > 0)?;
        Some((self.first + first as i32, self.first + last as i32))
    }

    /// Takes places for the whole of `extent`, which holds what is counted.
    fn cover(&mut self, extent: (i32, i32)) {
        let mut counts = vec![0; places(Some(extent))];
        for (index, count) in self.iter() {
            counts[(index - extent.0) as usize] = count as u32;
        }
        *self = Self { first: extent.0, counts };
    }

    /// The part of the counts that begins at `index`, which has a place.
    fn from(&mut self, index: i32) -> &mut [u32] {
        &mut self.counts[(index - self.first) as usize..]
    }

    /// Adds the counts of another window whose extent is covered.
    fn merge(&mut self, other: &Self) {
        if let Some((first, last)) = other.extent() {
            let others = &other.counts[(first - other.first) as usize..=(last - other.first) as usize];
            for (own, other) in self.from(first).iter_mut().zip(others) {
                *own += other;
            }
        }
    }

    /// Whether every count is at least the other's.
    fn holds(&self, other: &Self) -> bool {
        other.iter().all(|(index, count)| {
            let own = self.counts.get(index.wrapping_sub(self.first) as u32 as usize);
            own.is_some_and(|own| u64::from(*own) >= count)
        })
    }

    /// Takes away the counts of a window that it holds.
    fn subtract(&mut self, other: &Self) {
        if let Some((first, last)) = other.extent() {
            let others = &other.counts[(first - other.first) as usize..=(last - other.first) as usize];
            for (own, other) in self.from(first).iter_mut().zip(others) {
                *own -= other;
            }
        }
    }

    /// Merges value buckets, each `2^steps` neighbours into one.
    fn downscale(&mut self, steps: u32) {
        let Some((first, last)) = self.extent() else {
            *self = Self::default();
            return;
        };
        let coarser = (first >> steps, last >> steps);
        let mut counts = vec![0; places(Some(coarser))];
        for (index, count) in self.iter() {
            counts[((index >> steps) - coarser.0) as usize] += count as u32;
        }
        *self = Self { first: coarser.0, counts };
    }

    /// The index at which `before` is used up, ascending; else what is left of it.
    fn find(&self, mut before: u64) -> Result<i32, u64> {
        const CHUNK: usize = 16;
        let mut chunks = self.counts.chunks(CHUNK);
        let mut skipped = 0;
        // Sums of whole chunks first: they are added up side by side.
        let found = chunks.find(|chunk| {
            let sum = u64::from(chunk.iter().sum::<u32>());
            let is_here = before < sum;
            if !is_here {
                before -= sum;
                skipped += CHUNK;
            }
            is_here
        });
        for (place, count) in found.unwrap_or_default().iter().enumerate() {
            match before.checked_sub(u64::from(*count)) {
                Some(rest) => before = rest,
                None => return Ok(self.first + (skipped + place) as i32),
            }
        }
        Err(before)
    }

    fn filled(&self) -> usize {
        self.counts.iter().filter(|count| **count > 0).count()
    }
}

/// The value buckets of a sketch as windows: of positive values, of negative ones, and the zeros.
#[derive(Clone, Debug, Default)]
pub(super) struct Windows {
    /// Sum of all counts: as it fits, so does each of them.
    total: u32,
    zeros: u32,
    pub(super) positive: Window,
    /// By magnitude.
    pub(super) negative: Window,
}

impl Windows {
    /// Windows with places for all of `list` and nothing counted, if windows suit it.
    pub(super) fn begin(list: &[Entry], scale: i8) -> Option<Self> {
        if list.len() < LEAST_ENTRIES {
            return None;
        }
        let (below, above) =
            (list.partition_point(|entry| entry.key() < 0), list.partition_point(|entry| entry.key() <= 0));
        let index = |entry: &Entry| mapping::index(entry.key().abs());
        let extent = |one: Option<&Entry>, other: Option<&Entry>| one.map(index).zip(other.map(index));
        let (negative, positive) = (&list[..below], &list[above..]);
        let (negative, positive) =
            (extent(negative.last(), negative.first()), extent(positive.first(), positive.last()));
        let mut windows = Self::default();
        windows.make_room(positive, negative, list.len() * MOST_PLACES_TO_BEGIN, scale).then_some(windows)
    }

    pub(super) fn total(&self) -> u64 {
        u64::from(self.total)
    }

    pub(super) fn zeros(&self) -> u64 {
        u64::from(self.zeros)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of::<Self>() + (self.positive.counts.capacity() + self.negative.counts.capacity()) * size_of::<u32>()
    }

    /// Counts one value; `false` where its value bucket has no place or the counts are full.
    #[inline(always)]
    pub(super) fn record(&mut self, value: f64, scale: i8) -> bool {
        if self.total == u32::MAX {
            return false;
        }
        let bits = value.to_bits();
        let is_counted = match self.positive.place(mapping::index_of_normal(bits, scale)) {
            Some(count) => {
                *count += 1;
                true
            }
            None => self.count_other(bits, scale),
        };
        self.total += u32::from(is_counted);
        is_counted
    }

    /// Counts values from the first on, as long as their value buckets have a place and the counts are
    /// not full; how many were counted.
    pub(super) fn record_all(&mut self, values: &[f64], scale: i8) -> usize {
        let room = (u32::MAX - self.total) as usize;
        let values = &values[..values.len().min(room)];
        let mut rest = values;
        loop {
            let counted = count_values(&mut self.positive.counts, self.positive.first, rest, scale);
            rest = &rest[counted..];
            match rest.split_first() {
                Some((value, later)) if self.count_other(value.to_bits(), scale) => rest = later,
                _ => break,
            }
        }
        let counted = values.len() - rest.len();
        self.total += counted as u32;
        counted
    }

    /// Counts one value that is not positive or has no place.
    fn count_other(&mut self, bits: u64, scale: i8) -> bool {
        let magnitude = bits & !(1 << 63);
        if magnitude == 0 {
            self.zeros += 1;
            return true;
        }
        let negative = (magnitude != bits).then(|| self.negative.place(mapping::index_of_normal(magnitude, scale)));
        match negative.flatten() {
            Some(count) => *count += 1,
            None => return false,
        }
        true
    }

    /// Adds to the count of the value bucket `key`; `false`, and nothing added, where windows do not
    /// suit what it would come to.
    pub(super) fn add(&mut self, key: i32, count: u64, scale: i8) -> bool {
        let Some(total) = self.total().checked_add(count).and_then(|total| u32::try_from(total).ok()) else {
            return false;
        };
        if let Some(place) = self.count_of(key) {
            *place += count as u32;
            self.total = total;
            return true;
        }
        let index = mapping::index(key.abs());
        let here = Some((index, index));
        let (positive, negative) = if key > 0 { (here, None) } else { (None, here) };
        let most = (self.filled() + 1) * MOST_PLACES_TO_GO_ON;
        self.make_room(positive, negative, most, scale) && self.add(key, count, scale)
    }

    /// Adds all counts of `other`, of the same scale; `false`, and nothing added, where windows do not
    /// suit what it would come to.
    pub(super) fn merge(&mut self, other: &Self, scale: i8) -> bool {
        let Some(total) = self.total.checked_add(other.total) else { return false };
        let most = (self.filled() + other.filled()) * MOST_PLACES_TO_GO_ON;
        if !self.make_room(other.positive.extent(), other.negative.extent(), most, scale) {
            return false;
        }
        self.positive.merge(&other.positive);
        self.negative.merge(&other.negative);
        self.zeros += other.zeros;
        self.total = total;
        true
    }

    /// Takes the counts of `other`, of the same scale, away; `false`, and nothing changed, where one
    /// of them would fall below zero.
    pub(super) fn subtract(&mut self, other: &Self) -> bool {
        let is_held =
            self.zeros >= other.zeros && self.positive.holds(&other.positive) && self.negative.holds(&other.negative);
        if is_held {
            self.positive.subtract(&other.positive);
            self.negative.subtract(&other.negative);
            self.zeros -= other.zeros;
            self.total -= other.total;
        }
        is_held
    }

    /// [`Windows::subtract`] of a list.
    pub(super) fn subtract_list(&mut self, list: &[Entry]) -> bool {
        let is_held =
            list.iter().all(|entry| self.count_of(entry.key()).is_some_and(|count| u64::from(*count) >= entry.count()));
        if is_held {
            for entry in list {
                if let Some(count) = self.count_of(entry.key()) {
                    *count -= entry.count() as u32;
                    self.total -= entry.count() as u32;
                }
            }
        }
        is_held
    }

    /// Merges value buckets, each `2^steps` neighbours into one; `false` where the values are then so
    /// near to the subnormal floats that windows do not suit them.
    pub(super) fn downscale(&mut self, steps: u32, scale: i8) -> bool {
        self.positive.downscale(steps);
        self.negative.downscale(steps);
        let least = mapping::least_normal(scale);
        [&self.positive, &self.negative].iter().all(|window| window.counts.is_empty() || window.first >= least)
    }

    /// The key of the value bucket that holds the value of rank `before`.
    pub(super) fn find(&self, mut before: u64) -> Option<i32> {
        for (index, count) in self.negative.iter().rev() {
            match before.checked_sub(count) {
                Some(rest) => before = rest,
                None => return Some(-mapping::key_of_index(index)),
            }
        }
        match before.checked_sub(self.zeros()) {
            None => Some(0),
            Some(rest) => self.positive.find(rest).ok().map(mapping::key_of_index),
        }
    }

    /// The count of the value bucket `key`, if it has a place.
    fn count_of(&mut self, key: i32) -> Option<&mut u32> {
        match key {
            0 => Some(&mut self.zeros),
            1.. => self.positive.place(mapping::index(key)),
            _ => self.negative.place(mapping::index(-key)),
        }
    }

    fn filled(&self) -> usize {
        self.positive.filled() + self.negative.filled() + usize::from(self.zeros > 0)
    }

    /// Makes places for the extents beside what is counted, with some to spare; `false` where that
    /// takes more than `most` of them, or some for subnormal floats.
    fn make_room(&mut self, positive: Extent, negative: Extent, most: usize, scale: i8) -> bool {
        let wanted = [union(self.positive.extent(), positive), union(self.negative.extent(), negative)];
        let taken: usize = wanted.into_iter().map(places).sum();
        let (least, greatest) = (mapping::least_normal(scale), *mapping::indexes(scale).end());
        if taken > most.min(MAX_PLACES) || wanted.iter().flatten().any(|(first, _)| *first < least) {
            return false;
        }
        let spare = MAX_PLACES - taken;
        for (window, extent) in [&mut self.positive, &mut self.negative].into_iter().zip(wanted) {
            let Some((first, last)) = extent else { continue };
            let is_covered = window.counts.len() > (last - window.first) as u32 as usize && window.first <= first;
            if !is_covered {
                // In proportion to what is there, so that growth costs little in the long run.
                let spare = (places(extent) / 8).min(spare / 4) as i32;
                window.cover(((first - spare).max(least), (last + spare).min(greatest)));
            }
        }
        true
    }
}

fn places(extent: Extent) -> usize {
    extent.map_or(0, |(first, last)| (i64::from(last) - i64::from(first) + 1) as usize)
}

fn union(a: Extent, b: Extent) -> Extent {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        _ => a.or(b),
    }
}
