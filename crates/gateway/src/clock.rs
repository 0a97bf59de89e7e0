//! The one door to the clock: nothing else in the gateway asks what time it is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bellwether_core::time::TimestampMs;

/// The wall clock's time. An instant before 1970 counts as 1970.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this module is the one that reads the clock")]
pub fn now() -> TimestampMs {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    TimestampMs::new(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// Measures how long something takes, whatever happens to the wall clock meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to measure.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Sixty-four bits that differ from one call to the next, for epochs. Not for secrets.
#[must_use]
pub fn random_bits() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // The standard library keys its hash maps from the system's random source.
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_i64(now().get());
    hasher.write_u32(std::process::id());
    hasher.finish()
}
