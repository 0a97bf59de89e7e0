//! Where the connection to the gateway stands, in a type and in words.

use bellwether_core::time::DurationMs;

use crate::clock::Monotonic;
use crate::format;
use crate::texts::Text;

/// A feed that is silent for longer is called old: the gateway says something every second.
pub const OLD_AFTER: DurationMs = DurationMs::from_secs(4);
/// A feed that is silent for longer is given up and opened anew.
pub const GIVE_UP_AFTER: DurationMs = DurationMs::from_secs(20);
/// A connection that does not come about in this time is given up.
pub const CONNECT_WITHIN: DurationMs = DurationMs::from_secs(15);
/// An overload that comes sooner after the one before counts as one more in a row.
pub const OVERLOADS_ARE_APART: DurationMs = DurationMs::from_minutes(2);
/// Failures that a gateway with too much to do counts for beforehand: the first wait is of 2 to 4 s.
pub const OVERLOADED: u32 = 3;

/// Where the connection stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Connection {
    /// Settings are being read; nothing is connected yet.
    #[default]
    Starting,
    /// A socket is being opened or waits for the gateway's first words.
    Connecting {
        /// Attempts that have failed since the feed was last live.
        failures: u32,
        /// When it began.
        since: Monotonic,
    },
    /// The gateway has spoken; its history is on its way.
    Filling {
        /// Attempts that have failed since the feed was last live.
        failures: u32,
        /// When the history was asked for.
        since: Monotonic,
    },
    /// History is complete, live values follow.
    Live {
        /// How long nothing has been heard.
        silence: DurationMs,
    },
    /// The last attempt failed; the next one is due.
    Waiting {
        /// Attempts that have failed since the feed was last live.
        failures: u32,
        /// When the next attempt is made.
        retry_at: Monotonic,
    },
    /// There will be no connection; trying again would not help.
    Refused {
        /// Who refuses it.
        by: Refuser,
        /// Why, and what mends it.
        reason: String,
    },
}

/// Who refuses a connection for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refuser {
    /// The gateway.
    Gateway,
    /// The reader's browser, which follows the page's own policy.
    Browser,
}

/// How a state is to be read at a glance; always shown beside words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Good,
    /// It takes a moment.
    Busy,
    /// What is shown may be old.
    Doubtful,
    /// It does not work.
    Bad,
}

impl Connection {
    /// The state in words, at `now`.
    #[must_use]
    pub fn words(&self, now: Monotonic) -> (Tone, String) {
        match self {
            Self::Starting | Self::Connecting { failures: 0, .. } => (Tone::Busy, Text::Connecting.say().to_owned()),
            Self::Connecting { .. } => (Tone::Doubtful, Text::ReconnectingNow.say().to_owned()),
            Self::Filling { .. } => (Tone::Busy, Text::LoadingHistory.say().to_owned()),
            Self::Live { silence } if *silence >= OLD_AFTER => {
                (Tone::Doubtful, Text::DataOld.fill(&[&format::length(*silence)]))
            }
            Self::Live { .. } => (Tone::Good, Text::Live.say().to_owned()),
            Self::Waiting { retry_at, .. } => match retry_at.since(now).as_millis().div_ceil(1_000) {
                0 => (Tone::Doubtful, Text::ReconnectingNow.say().to_owned()),
                secs => {
                    let wait = format::length(DurationMs::from_secs(secs));
                    (Tone::Doubtful, Text::ReconnectingIn.fill(&[&wait]))
                }
            },
            Self::Refused { by: Refuser::Gateway, .. } => (Tone::Bad, Text::RefusedByGateway.say().to_owned()),
            Self::Refused { by: Refuser::Browser, .. } => (Tone::Bad, Text::BlockedByBrowser.say().to_owned()),
        }
    }
}

/// How long to wait after `failures` failed attempts: a tenth of a second after none, for what came was changed and is
/// to be taken anew; then from half a second, doubling, at most 30 s; and of
/// that a random share between a half and the whole (`random` in `0..1`), so that the pages of a whole
/// office do not come back in one instant.
#[must_use]
pub fn back_off(failures: u32, random: f64) -> DurationMs {
    let whole = match failures {
        0 => 100,
        failures => 500_u64.saturating_mul(1 << (failures - 1).min(6)).min(30_000),
    };
    let share = 0.5 + random.clamp(0.0, 1.0) / 2.0;
    DurationMs::from_millis((whole as f64 * share) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(connection: Connection, now_ms: f64, tone: Tone, words: &str) {
        let (is, said) = connection.words(Monotonic::from_millis(now_ms));
        assert_eq!((is, said.replace('\u{a0}', " ")), (tone, words.to_owned()));
    }

    #[test]
    fn every_state_has_words() {
        let retry_at = Monotonic::from_millis(3_000.0);
        check(Connection::Starting, 0.0, Tone::Busy, "Connecting");
        check(Connection::Waiting { failures: 1, retry_at }, 0.0, Tone::Doubtful, "Reconnecting in 3 s");
        check(Connection::Waiting { failures: 1, retry_at }, 2_999.0, Tone::Doubtful, "Reconnecting in 1 s");
        check(Connection::Waiting { failures: 1, retry_at }, 3_001.0, Tone::Doubtful, "Reconnecting now");
        let refused = |by| Connection::Refused { by, reason: String::new() };
        check(refused(Refuser::Gateway), 0.0, Tone::Bad, "Refused by the gateway");
        check(refused(Refuser::Browser), 0.0, Tone::Bad, "Blocked by the browser");
        check(Connection::Live { silence: DurationMs::from_millis(900) }, 0.0, Tone::Good, "Live");
        check(Connection::Live { silence: DurationMs::from_millis(12_400) }, 0.0, Tone::Doubtful, "Data 12 s old");
    }

    #[test]
    fn waiting_doubles_up_to_half_a_minute() {
        assert_eq!(back_off(1, 1.0), DurationMs::from_millis(500));
        assert_eq!(back_off(1, 0.0), DurationMs::from_millis(250));
        assert_eq!(back_off(2, 1.0), DurationMs::from_millis(1_000));
        assert_eq!(back_off(7, 1.0), DurationMs::from_millis(30_000));
        assert_eq!(back_off(u32::MAX, 0.0), DurationMs::from_millis(15_000));
        assert_eq!(back_off(0, 1.0), DurationMs::from_millis(100), "what was changed is taken anew at once");
        assert_eq!(back_off(1 + OVERLOADED, 0.0), DurationMs::from_secs(2));
    }
}
