//! How many wrong tokens came from an address in the current minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Over how long wrong tokens are counted.
const SPAN: Duration = Duration::from_secs(60);
/// Most addresses that are remembered.
const MOST_ADDRESSES: usize = 10_000;

/// Counts wrong tokens by address. Times are since any fixed moment.
#[derive(Debug)]
pub(super) struct Attempts {
    most: usize,
    wrong: HashMap<IpAddr, (Duration, usize)>,
}

impl Attempts {
    /// At most `most` wrong tokens of an address in a minute.
    pub(super) fn new(most: usize) -> Self {
        Self { most, wrong: HashMap::new() }
    }

    /// Whether another token of the address is looked at.
    pub(super) fn may(&self, from: IpAddr, now: Duration) -> bool {
        self.wrong.get(&from).is_none_or(|(since, count)| now.saturating_sub(*since) >= SPAN || *count < self.most)
    }

    /// Notes a wrong token.
    pub(super) fn was_wrong(&mut self, from: IpAddr, now: Duration) {
        if self.wrong.len() >= MOST_ADDRESSES && !self.wrong.contains_key(&from) {
            self.wrong.retain(|_, (since, _)| now.saturating_sub(*since) < SPAN);
            // So many at once guess together: forget one of them rather than take more memory.
            if self.wrong.len() >= MOST_ADDRESSES {
                let oldest = self.wrong.iter().min_by_key(|(_, (since, _))| *since).map(|(address, _)| *address);
                oldest.and_then(|address| self.wrong.remove(&address));
            }
        }
        let (since, count) = self.wrong.entry(from).or_insert((now, 0));
        if now.saturating_sub(*since) >= SPAN {
            (*since, *count) = (now, 0);
        }
        *count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_later_all_is_well_again() {
        let (home, secs) = (IpAddr::from([192, 0, 2, 1]), Duration::from_secs);
        let mut attempts = Attempts::new(2);
        attempts.was_wrong(home, secs(0));
        assert!(attempts.may(home, secs(1)));
        attempts.was_wrong(home, secs(1));
        assert!(!attempts.may(home, secs(59)));
        assert!(attempts.may(IpAddr::from([192, 0, 2, 2]), secs(59)));
        assert!(attempts.may(home, secs(60)));
        attempts.was_wrong(home, secs(60));
        assert!(attempts.may(home, secs(61)));
    }

    #[test]
    fn only_so_many_addresses_are_remembered() {
        let mut attempts = Attempts::new(1);
        for number in 0..(MOST_ADDRESSES as u32 + 100) {
            attempts.was_wrong(IpAddr::from(number.to_be_bytes()), Duration::from_millis(number.into()));
        }
        assert_eq!(attempts.wrong.len(), MOST_ADDRESSES);
    }
}
