//! The windows that a reader can switch between.

use bellwether_core::time::DurationMs;

/// The length of time that the page looks back on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageWindow {
    /// The last five minutes.
    #[default]
    FiveMinutes,
    /// The last quarter of an hour.
    QuarterHour,
    /// The last hour.
    Hour,
}

impl PageWindow {
    /// All windows, shortest first.
    pub const ALL: [Self; 3] = [Self::FiveMinutes, Self::QuarterHour, Self::Hour];

    /// The longest window.
    pub const LONGEST: Self = Self::Hour;

    /// Its length.
    #[must_use]
    pub const fn length(self) -> DurationMs {
        DurationMs::from_minutes(match self {
            Self::FiveMinutes => 5,
            Self::QuarterHour => 15,
            Self::Hour => 60,
        })
    }

    /// The text that addresses use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            Self::QuarterHour => "15m",
            Self::Hour => "1h",
        }
    }

    /// The window that an address names; `None` for any other text.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.as_str() == text)
    }
}
