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
    /// The last 24 hours.
    Day,
    /// The last seven days.
    Week,
    /// The last 90 days.
    Quarter,
}

impl PageWindow {
    /// All windows, shortest first.
    pub const ALL: [Self; 6] = [Self::FiveMinutes, Self::QuarterHour, Self::Hour, Self::Day, Self::Week, Self::Quarter];

    /// The window whose samples the page asks for at once; a longer one is asked for when it is chosen.
    pub const AT_ONCE: Self = Self::Hour;

    /// Its length.
    #[must_use]
    pub const fn length(self) -> DurationMs {
        DurationMs::from_minutes(match self {
            Self::FiveMinutes => 5,
            Self::QuarterHour => 15,
            Self::Hour => 60,
            Self::Day => 24 * 60,
            Self::Week => 7 * 24 * 60,
            Self::Quarter => 90 * 24 * 60,
        })
    }

    /// The text that addresses use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            Self::QuarterHour => "15m",
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Quarter => "90d",
        }
    }

    /// How much time one point of a chart over it is of at least, of at most `most` points. What is older than two hours is
    /// kept by hours: over days, points over a part of one would leave out the rest, or stand for more than they say.
    #[must_use]
    pub const fn point(length: DurationMs, most: usize) -> DurationMs {
        const HOUR_MS: u64 = 3_600_000;
        if length.as_millis() < 24 * HOUR_MS {
            return DurationMs::ZERO;
        }
        let share = length.as_millis() / most as u64;
        DurationMs::from_millis(share.div_ceil(HOUR_MS) * HOUR_MS)
    }

    /// The window that an address names; `None` for any other text.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.as_str() == text)
    }
}
