//! The value buckets of a sketch: a sorted list of keys and counts, eight bytes each.

/// Bits of a count.
const COUNT_BITS: u32 = 43;
/// The greatest count of an entry.
const MAX_COUNT: u64 = super::MAX_COUNT;
/// Added to a key so that packed keys are never negative; half of the 21 bits that a key has.
const BIAS: i32 = 1 << 20;

/// A key in the upper 21 bits and a count in the lower 43, so that entries sort by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry(u64);

impl Entry {
    pub(super) fn new(key: i32, count: u64) -> Self {
        Self(((key + BIAS) as u64) << COUNT_BITS | count.min(MAX_COUNT))
    }

    pub(super) const fn key(self) -> i32 {
        (self.0 >> COUNT_BITS) as i32 - BIAS
    }

    pub(super) const fn count(self) -> u64 {
        self.0 & MAX_COUNT
    }

    /// Stops at the greatest count instead of spilling into the key.
    fn add(&mut self, count: u64) {
        *self = Self::new(self.key(), self.count().saturating_add(count));
    }
}

/// Entries sorted by key, each key once; a single one lives without a heap allocation.
#[derive(Clone, Debug)]
pub(super) enum Entries {
    One(Entry),
    Many(Vec<Entry>),
}

impl Default for Entries {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl From<Vec<Entry>> for Entries {
    fn from(list: Vec<Entry>) -> Self {
        if let [entry] = list[..] { Self::One(entry) } else { Self::Many(list) }
    }
}

impl Entries {
    pub(super) fn as_slice(&self) -> &[Entry] {
        match self {
            Self::One(entry) => std::slice::from_ref(entry),
            Self::Many(list) => list,
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Many(list) => list.capacity() * size_of::<Entry>(),
        }
    }

    /// The list to change, taken out; what is put back must be sorted.
    fn take(&mut self) -> Vec<Entry> {
        match std::mem::take(self) {
            Self::Many(list) => list,
            Self::One(entry) => {
                let mut list = Vec::with_capacity(4);
                list.push(entry);
                list
            }
        }
    }

    pub(super) fn add(&mut self, key: i32, count: u64) {
        match self {
            Self::One(entry) if entry.key() == key => entry.add(count),
            Self::One(_) => {
                let mut list = self.take();
                let place = usize::from(list[0].key() < key);
                list.insert(place, Entry::new(key, count));
                *self = Self::Many(list);
            }
            Self::Many(list) if list.is_empty() => *self = Self::One(Entry::new(key, count)),
            Self::Many(list) => match list.binary_search_by_key(&key, |entry| entry.key()) {
                Ok(place) => list[place].add(count),
                Err(place) => list.insert(place, Entry::new(key, count)),
            },
        }
    }

    pub(super) fn merge(&mut self, other: &[Entry]) {
        match other {
            [] => return,
            [entry] => return self.add(entry.key(), entry.count()),
            _ if self.as_slice().is_empty() => {
                *self = Self::Many(other.to_vec());
                return;
            }
            _ => {}
        }
        let mut list = self.take();
        let old = list.len();
        list.resize(old + missing(&list, other), Entry(0));
        // From the back, so that no entry is overwritten before it has moved.
        let (mut from, mut write) = (old, list.len());
        for entry in other.iter().rev() {
            while from > 0 && list[from - 1].key() > entry.key() {
                (from, write) = (from - 1, write - 1);
                list[write] = list[from];
            }
            write -= 1;
            if from > 0 && list[from - 1].key() == entry.key() {
                from -= 1;
                list[write] = list[from];
                list[write].add(entry.count());
            } else {
                list[write] = *entry;
            }
        }
        *self = Self::Many(list);
    }

    /// Takes counts away; `false`, and nothing changed, where one of them would fall below zero.
    pub(super) fn subtract(&mut self, other: &[Entry]) -> bool {
        let own = self.as_slice();
        let mut place = 0;
        for entry in other {
            place += own[place..].partition_point(|own| own.key() < entry.key());
            if own.get(place).is_none_or(|own| own.key() != entry.key() || own.count() < entry.count()) {
                return false;
            }
        }
        let mut rest = other.iter().peekable();
        let mut list = self.take();
        list.retain_mut(|own| {
            if let Some(taken) = rest.next_if(|taken| taken.key() == own.key()) {
                *own = Entry::new(own.key(), own.count() - taken.count());
            }
            own.count() > 0
        });
        *self = Self::from(list);
        true
    }

    /// Replaces each key by `map(key)`, which must not change their order; equal keys become one.
    pub(super) fn map_keys(&mut self, map: impl Fn(i32) -> i32) {
        match self {
            Self::One(entry) => *entry = Entry::new(map(entry.key()), entry.count()),
            Self::Many(list) => {
                for entry in list.iter_mut() {
                    *entry = Entry::new(map(entry.key()), entry.count());
                }
                list.dedup_by(|next, kept| {
                    let equal = next.key() == kept.key();
                    if equal {
                        kept.add(next.count());
                    }
                    equal
                });
            }
        }
    }
}

/// How many keys of `other` are not in `list`; both are sorted.
fn missing(list: &[Entry], other: &[Entry]) -> usize {
    let mut place = 0;
    let mut missing = 0;
    for entry in other {
        while place < list.len() && list[place].key() < entry.key() {
            place += 1;
        }
        if place == list.len() || list[place].key() != entry.key() {
            missing += 1;
        }
    }
    missing
}
