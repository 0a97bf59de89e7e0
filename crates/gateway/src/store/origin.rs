//! Whether a store holds what was measured or what was made up; it says so of itself, so that the two
//! never mix.

use super::error::StoreError;
use bellwether_core::time::TimestampMs;

/// Where the samples of a store come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// From the world.
    #[default]
    Measured,
    /// From the simulation.
    Simulated,
}

impl Origin {
    /// The mark in the table `meta`.
    pub(super) fn mark(self) -> u64 {
        match self {
            Self::Measured => 0,
            Self::Simulated => 1,
        }
    }

    /// What a mark says; a store without one is older than the mark and counts as measured.
    pub(super) fn of_mark(mark: Option<u64>) -> Result<Self, StoreError> {
        match mark {
            None | Some(0) => Ok(Self::Measured),
            Some(1) => Ok(Self::Simulated),
            Some(other) => Err(StoreError::Corrupt { what: format!("the mark of its origin is {other}") }),
        }
    }
}

/// What a store is given when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewStore {
    /// A random number that names it; an old store keeps its own.
    pub epoch: u64,
    /// Where its samples come from; an old store of another origin is refused.
    pub origin: Origin,
    /// The time. A sender of which an old store does not say when it was heard counts as heard now.
    pub now: TimestampMs,
}

/// For measured samples, with 1970 for `now`: enough for a store that no program before this one wrote.
impl From<u64> for NewStore {
    fn from(epoch: u64) -> Self {
        Self { epoch, origin: Origin::Measured, now: TimestampMs::new(0) }
    }
}
