//! How a sketch keeps its counts: in a list while they are few or far apart, in windows else.

use bellwether_loops::mapping;

use super::MAX_VALUE_BUCKETS;
use super::entry::{Entries, Entry};
use super::window::Windows;

/// The counts of a sketch by the key of their value bucket.
#[derive(Clone, Debug)]
pub(super) enum Store {
    List(Entries),
    Windows(Box<Windows>),
}

impl Default for Store {
    fn default() -> Self {
        Self::List(Entries::default())
    }
}

impl Store {
    /// Key and count of every value bucket that holds something, ascending by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        let (list, windows) = self.halves();
        let zeros = windows.map(Windows::zeros).filter(|zeros| *zeros > 0).map(|zeros| (0, zeros));
        let of_list = list.iter().map(|entry| (entry.key(), entry.count()));
        let negative = windows.into_iter().flat_map(|windows| windows.negative.iter().rev());
        let negative = negative.map(|(index, count)| (-mapping::key_of_index(index), count));
        let positive = windows.into_iter().flat_map(|windows| windows.positive.iter());
        let positive = positive.map(|(index, count)| (mapping::key_of_index(index), count));
        of_list.chain(negative).chain(zeros).chain(positive)
    }

    /// Index and count of the positive value buckets, ascending.
    pub(super) fn positive(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        let (list, windows) = self.halves();
        let start = list.partition_point(|entry| entry.key() <= 0);
        let of_list = list[start..].iter().map(|entry| (mapping::index(entry.key()), entry.count()));
        of_list.chain(windows.into_iter().flat_map(|windows| windows.positive.iter()))
    }

    /// Index and count of the negative value buckets by their magnitude, ascending.
    pub(super) fn negative(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        let (list, windows) = self.halves();
        let end = list.partition_point(|entry| entry.key() < 0);
        let of_list = list[..end].iter().rev().map(|entry| (mapping::index(-entry.key()), entry.count()));
        of_list.chain(windows.into_iter().flat_map(|windows| windows.negative.iter()))
    }

    pub(super) fn zeros(&self) -> u64 {
        match self {
            Self::List(list) => {
                let list = list.as_slice();
                list.binary_search_by_key(&0, |entry| entry.key()).map_or(0, |place| list[place].count())
            }
            Self::Windows(windows) => windows.zeros(),
        }
    }

    /// Sum of the counts.
    pub(super) fn total(&self) -> u64 {
        match self {
            Self::List(list) => list.as_slice().iter().map(|entry| entry.count()).sum(),
            Self::Windows(windows) => windows.total(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::List(list) => list.as_slice().is_empty(),
            Self::Windows(windows) => windows.total() == 0,
        }
    }

    /// Whether there are more value buckets than a sketch may have.
    pub(super) fn is_too_long(&self) -> bool {
        // Windows have no places for more.
        matches!(self, Self::List(list) if list.as_slice().len() > MAX_VALUE_BUCKETS)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::List(list) => list.heap_bytes(),
            Self::Windows(windows) => windows.heap_bytes(),
        }
    }

    /// The key of the value bucket that holds the value of rank `before`.
    pub(super) fn find(&self, mut before: u64) -> Option<i32> {
        match self {
            Self::List(list) => {
                for entry in list.as_slice() {
                    let Some(rest) = before.checked_sub(entry.count()) else { return Some(entry.key()) };
                    before = rest;
                }
                None
            }
            Self::Windows(windows) => windows.find(before),
        }
    }

    pub(super) fn add(&mut self, key: i32, count: u64, scale: i8) {
        if let Self::Windows(windows) = self {
            if windows.add(key, count, scale) {
                return;
            }
            self.make_list();
        }
        if let Self::List(list) = self {
            let before = list.as_slice().len();
            list.add(key, count);
            if list.as_slice().len() > before {
                self.make_windows(scale);
            }
        }
    }

    /// Adds all counts of another store of the same scale.
    pub(super) fn merge(&mut self, other: &Self, scale: i8) {
        match (&mut *self, other) {
            (Self::List(own), Self::List(others)) => {
                own.merge(others.as_slice());
                self.make_windows(scale);
            }
            (Self::Windows(own), Self::Windows(others)) => {
                if !own.merge(others, scale) {
                    self.add_each(other, scale);
                }
            }
            (Self::List(_), Self::Windows(_)) => {
                // Into the windows, which take more: the order is all the same.
                let own = std::mem::replace(self, other.clone());
                self.add_each(&own, scale);
            }
            (Self::Windows(_), Self::List(_)) => self.add_each(other, scale),
        }
    }

    /// Takes the counts of another store of the same scale away; `false`, and nothing changed, where
    /// one of them would fall below zero.
    pub(super) fn subtract(&mut self, other: &Self) -> bool {
        match (&mut *self, other) {
            (Self::List(own), Self::List(others)) => own.subtract(others.as_slice()),
            (Self::Windows(own), Self::Windows(others)) => own.subtract(others),
            (_, Self::Windows(_)) => self.subtract(&Self::List(other.list())),
            (Self::Windows(own), Self::List(others)) => own.subtract_list(others.as_slice()),
        }
    }

    /// Merges value buckets, each `2^steps` neighbours into one; `scale` is the one that comes of it.
    pub(super) fn downscale(&mut self, steps: u8, scale: i8) {
        match self {
            Self::List(list) => list.map_keys(|key| mapping::coarser(key, steps)),
            Self::Windows(windows) => {
                if !windows.downscale(u32::from(steps), scale) {
                    self.make_list();
                }
            }
        }
    }

    fn halves(&self) -> (&[Entry], Option<&Windows>) {
        match self {
            Self::List(list) => (list.as_slice(), None),
            Self::Windows(windows) => (&[], Some(windows)),
        }
    }

    fn add_each(&mut self, other: &Self, scale: i8) {
        for (key, count) in other.iter() {
            self.add(key, count, scale);
        }
    }

    fn list(&self) -> Entries {
        Entries::from(self.iter().map(|(key, count)| Entry::new(key, count)).collect::<Vec<_>>())
    }

    fn make_list(&mut self) {
        *self = Self::List(self.list());
    }

    /// Turns a list into windows where they suit it.
    fn make_windows(&mut self, scale: i8) {
        let Self::List(list) = self else { return };
        let entries = list.as_slice();
        if let Some(mut windows) = Windows::begin(entries, scale)
            && entries.iter().all(|entry| windows.add(entry.key(), entry.count(), scale))
        {
            *self = Self::Windows(Box::new(windows));
        }
    }
}
