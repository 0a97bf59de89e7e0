//! Wrong tokens by address: how many came in the current minute, and what becomes of the next one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::secret::Digest;

/// Over how long wrong tokens are counted.
const SPAN: Duration = Duration::from_secs(60);
/// Most addresses that are remembered.
const MOST_ADDRESSES: usize = 10_000;
/// Most tokens of one address that wait at once where too many wrong ones came.
pub(super) const MOST_WAITING: usize = 10;
/// Most pairs of address and token of which it is remembered that they were right.
const MOST_RIGHT: usize = 10_000;

/// What becomes of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is heard.
    Heard,
    /// It is heard after a wait; [`Attempts::waited`] is to be told of its end.
    Waits,
    /// So many of its address wait that this one is not heard.
    Refused,
}

/// What came from one address.
#[derive(Debug)]
struct Wrong {
    since: Duration,
    count: usize,
    /// How many wait.
    waiting: usize,
}

/// Counts wrong tokens by address. Times are since any fixed moment.
#[derive(Debug)]
pub(super) struct Attempts {
    most: usize,
    wrong: HashMap<IpAddr, Wrong>,
    /// Tokens that were right, and from where.
    right: HashMap<(IpAddr, Digest), ()>,
}

impl Attempts {
    /// At most `most` wrong tokens of an address in a minute are heard at once.
    pub(super) fn new(most: usize) -> Self {
        Self { most, wrong: HashMap::new(), right: HashMap::new() }
    }

    /// What becomes of a token of the address; `right` names it where it is one.
    pub(super) fn verdict(&mut self, from: IpAddr, right: Option<Digest>, now: Duration) -> Verdict {
        let was_right = right.is_some_and(|digest| self.right.contains_key(&(from, digest)));
        match self.wrong.get_mut(&from) {
            Some(wrong) if !was_right && now.saturating_sub(wrong.since) < SPAN && wrong.count >= self.most => {
                if wrong.waiting >= MOST_WAITING {
                    return Verdict::Refused;
                }
                wrong.waiting += 1;
                Verdict::Waits
            }
            _ => Verdict::Heard,
        }
    }

    /// Notes that a token of the address has waited.
    pub(super) fn waited(&mut self, from: IpAddr) {
        if let Some(wrong) = self.wrong.get_mut(&from) {
            wrong.waiting = wrong.waiting.saturating_sub(1);
        }
    }

    /// Notes a right token.
    pub(super) fn was_right(&mut self, from: IpAddr, digest: Digest) {
        // Whoever has a token may fill this; then it is begun anew, and a wait is all that it costs.
        if self.right.len() >= MOST_RIGHT && !self.right.contains_key(&(from, digest)) {
            self.right.clear();
        }
        self.right.insert((from, digest), ());
    }

    /// Notes a wrong token.
    pub(super) fn was_wrong(&mut self, from: IpAddr, now: Duration) {
        if self.wrong.len() >= MOST_ADDRESSES && !self.wrong.contains_key(&from) {
            self.wrong.retain(|_, wrong| now.saturating_sub(wrong.since) < SPAN);
            // So many at once guess together: forget one of them rather than take more memory.
            if self.wrong.len() >= MOST_ADDRESSES {
                let oldest = self.wrong.iter().min_by_key(|(_, wrong)| wrong.since).map(|(address, _)| *address);
                oldest.and_then(|address| self.wrong.remove(&address));
            }
        }
        let wrong = self.wrong.entry(from).or_insert(Wrong { since: now, count: 0, waiting: 0 });
        if now.saturating_sub(wrong.since) >= SPAN {
            (wrong.since, wrong.count) = (now, 0);
        }
        wrong.count += 1;
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
        assert_eq!(attempts.verdict(home, None, secs(1)), Verdict::Heard);
        attempts.was_wrong(home, secs(1));
        for _ in 0..MOST_WAITING {
            assert_eq!(attempts.verdict(home, None, secs(59)), Verdict::Waits);
        }
        assert_eq!(attempts.verdict(home, None, secs(59)), Verdict::Refused);
        assert_eq!(attempts.verdict(IpAddr::from([192, 0, 2, 2]), None, secs(59)), Verdict::Heard);
        attempts.waited(home);
        assert_eq!(attempts.verdict(home, None, secs(59)), Verdict::Waits);
        assert_eq!(attempts.verdict(home, None, secs(60)), Verdict::Heard);
        attempts.was_wrong(home, secs(60));
        assert_eq!(attempts.verdict(home, None, secs(61)), Verdict::Heard);
    }

    #[test]
    fn a_token_that_was_right_from_there_is_heard() {
        let (home, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let (token, now) = (Digest::of("right"), Duration::ZERO);
        let mut attempts = Attempts::new(1);
        attempts.was_right(home, token);
        for address in [home, other] {
            attempts.was_wrong(address, now);
        }
        assert_eq!(attempts.verdict(home, Some(token), now), Verdict::Heard);
        assert_eq!(attempts.verdict(other, Some(token), now), Verdict::Waits);
        assert_eq!(attempts.verdict(home, Some(Digest::of("another")), now), Verdict::Waits);
    }

    #[test]
    fn only_so_much_is_remembered() {
        let mut attempts = Attempts::new(1);
        for number in 0..(MOST_ADDRESSES as u32 + 100) {
            let address = IpAddr::from(number.to_be_bytes());
            attempts.was_wrong(address, Duration::from_millis(number.into()));
            attempts.was_right(address, Digest::of("right"));
        }
        assert_eq!(attempts.wrong.len(), MOST_ADDRESSES);
        assert!(attempts.right.len() <= MOST_RIGHT);
    }
}
