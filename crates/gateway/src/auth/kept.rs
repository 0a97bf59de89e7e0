//! What is kept for a secret until it ends: bounded, and by the secret's digest only.

use std::collections::HashMap;
use std::time::Duration;

use super::secret::{Digest, Secret};

/// Values by secret. Times are since any fixed moment.
#[derive(Debug)]
pub(super) struct Kept<T> {
    most: usize,
    values: HashMap<Digest, (T, Duration)>,
}

/// What room another value found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// There was some.
    Found,
    /// Another value had to go.
    Made,
}

impl<T: Clone> Kept<T> {
    /// Room for `most`.
    pub(super) fn new(most: usize) -> Self {
        Self { most, values: HashMap::new() }
    }

    /// Keeps a value until `ends`. Where all room is taken, the one that ends first goes. Cost: O(1), or
    /// O(kept) where room must be made.
    pub(super) fn put(&mut self, key: &Secret, value: T, ends: Duration) -> Room {
        let mut room = Room::Found;
        if self.values.len() >= self.most {
            let first = self.values.iter().min_by_key(|(_, (_, ends))| *ends).map(|(key, _)| *key);
            first.and_then(|key| self.values.remove(&key));
            room = Room::Made;
        }
        self.values.insert(Digest::of(key.reveal()), (value, ends));
        room
    }

    /// Whether a value is kept, by the digest of its secret.
    pub(super) fn holds(&self, key: &Digest, now: Duration) -> bool {
        self.values.get(key).is_some_and(|(_, ends)| *ends > now)
    }

    /// The value and when it ends, unless it has.
    pub(super) fn get(&mut self, key: &str, now: Duration) -> Option<(T, Duration)> {
        let digest = Digest::of(key);
        let (value, ends) = self.values.get(&digest)?.clone();
        if ends <= now {
            self.values.remove(&digest);
            return None;
        }
        Some((value, ends))
    }

    /// The value, which is then no longer kept.
    pub(super) fn take(&mut self, key: &str, now: Duration) -> Option<(T, Duration)> {
        self.values.remove(&Digest::of(key)).filter(|(_, ends)| *ends > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_ends_and_is_bounded() {
        let secs = Duration::from_secs;
        let keys: Vec<_> = (0..3).map(|_| Secret::new().unwrap()).collect();
        let mut kept = Kept::new(2);
        assert_eq!(kept.put(&keys[0], 0, secs(10)), Room::Found);
        assert_eq!(kept.put(&keys[1], 1, secs(20)), Room::Found);
        let first = Digest::of(keys[0].reveal());
        assert!(kept.holds(&first, secs(9)) && !kept.holds(&first, secs(10)));
        assert_eq!(kept.get(keys[0].reveal(), secs(9)), Some((0, secs(10))));
        assert_eq!(kept.put(&keys[2], 2, secs(30)), Room::Made);
        assert_eq!(kept.get(keys[0].reveal(), secs(9)), None, "the oldest made room");
        assert_eq!(kept.get(keys[1].reveal(), secs(20)), None, "it has ended");
        assert_eq!(kept.take(keys[2].reveal(), secs(29)), Some((2, secs(30))));
        assert_eq!(kept.take(keys[2].reveal(), secs(29)), None);
        assert!(kept.values.is_empty());
    }
}
