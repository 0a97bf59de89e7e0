//! A clock that moves when it is told to.

use std::sync::atomic::{AtomicI64, Ordering};

use bellwether_core::time::{DurationMs, TimestampMs};

/// A clock for tests: it stands still between calls and may be shared by threads.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub const fn new(now: TimestampMs) -> Self {
        Self(AtomicI64::new(now.get()))
    }

    /// What the clock shows.
    #[must_use]
    pub fn now(&self) -> TimestampMs {
        TimestampMs::new(self.0.load(Ordering::SeqCst))
    }

    /// Sets the clock, also back.
    pub fn set(&self, now: TimestampMs) {
        self.0.store(now.get(), Ordering::SeqCst);
    }

    /// Moves the clock on by `length` and says what it then shows; saturates.
    pub fn advance(&self, length: DurationMs) -> TimestampMs {
        let step = |now| Some((TimestampMs::new(now) + length).get());
        let before = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step);
        TimestampMs::new(before.unwrap_or_else(|now| now)) + length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_when_told_to() {
        let clock = ManualClock::new(TimestampMs::new(5));
        assert_eq!(clock.now().get(), 5);
        assert_eq!(clock.advance(DurationMs::from_secs(2)).get(), 2_005);
        assert_eq!(clock.now().get(), 2_005);
        clock.set(TimestampMs::new(i64::MAX));
        assert_eq!(clock.advance(DurationMs::from_secs(2)).get(), i64::MAX);
    }
}
