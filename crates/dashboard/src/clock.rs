//! The page's notion of now: the gateway's clock, carried on by the browser's monotonic one, so that a
//! wrong wall clock on the reader's machine changes nothing.

use bellwether_core::time::{DurationMs, TimestampMs};

/// Milliseconds on the browser's monotonic clock; they mean something only against one another.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Monotonic(f64);

impl Monotonic {
    /// `ms` milliseconds after the page's start.
    #[must_use]
    pub const fn from_millis(ms: f64) -> Self {
        Self(ms)
    }

    /// The time since `earlier`; zero where `earlier` is the later one.
    #[must_use]
    pub fn since(self, earlier: Self) -> DurationMs {
        // The cast saturates: less than zero and NaN become zero.
        DurationMs::from_millis((self.0 - earlier.0) as u64)
    }

    /// The instant `length` later.
    #[must_use]
    pub fn plus(self, length: DurationMs) -> Self {
        Self(self.0 + length.as_millis() as f64)
    }
}

/// More than this between what the gateway says and what was carried on means that the machine slept or
/// a clock was set: the gateway is believed.
const TOLERANCE_MS: f64 = 1_000.0;

/// The gateway's clock as the page knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GatewayClock {
    /// Gateway milliseconds less monotonic milliseconds.
    offset_ms: f64,
}

impl GatewayClock {
    /// Set by what the gateway said at `at`.
    #[must_use]
    pub const fn new(said: TimestampMs, at: Monotonic) -> Self {
        Self { offset_ms: said.get() as f64 - at.0 }
    }

    /// Hears again from the gateway; small differences are the network's and change nothing.
    pub fn hear(&mut self, said: TimestampMs, at: Monotonic) {
        let heard = Self::new(said, at);
        if (heard.offset_ms - self.offset_ms).abs() > TOLERANCE_MS {
            *self = heard;
        }
    }

    /// The gateway's time at `at`.
    #[must_use]
    pub fn now(&self, at: Monotonic) -> TimestampMs {
        TimestampMs::new((at.0 + self.offset_ms) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_is_the_gateways_carried_on() {
        let mut clock = GatewayClock::new(TimestampMs::new(1_000_000), Monotonic::from_millis(500.0));
        assert_eq!(clock.now(Monotonic::from_millis(750.0)), TimestampMs::new(1_000_250));
        clock.hear(TimestampMs::new(1_001_000), Monotonic::from_millis(1_600.0));
        assert_eq!(clock.now(Monotonic::from_millis(1_600.0)), TimestampMs::new(1_001_100), "100 ms is the network's");
        clock.hear(TimestampMs::new(9_000_000), Monotonic::from_millis(2_000.0));
        assert_eq!(clock.now(Monotonic::from_millis(2_000.0)), TimestampMs::new(9_000_000), "the machine slept");
    }

    #[test]
    fn time_never_runs_backwards() {
        let (earlier, later) = (Monotonic::from_millis(10.0), Monotonic::from_millis(25.0));
        assert_eq!(later.since(earlier), DurationMs::from_millis(15));
        assert_eq!(earlier.since(later), DurationMs::ZERO);
        assert_eq!(earlier.plus(DurationMs::from_millis(15)), later);
    }
}
