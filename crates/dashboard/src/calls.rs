//! How the reader is called when an alert begins to fire: by a notification of the browser, by a sound. Both are off until
//! they are pressed.

use crate::feed::AlertNotice;
use crate::format;
use crate::texts::Text;
use bellwether_core::rule::AlertState;

/// Most alerts of one list that are told one by one; of more only their number is.
const MOST_NAMED: usize = 3;

/// Whether something is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Switch {
    /// It is not.
    #[default]
    Off,
    /// It is.
    On,
}

impl Switch {
    /// The other one.
    #[must_use]
    pub const fn turned(self) -> Self {
        match self {
            Self::Off => Self::On,
            Self::On => Self::Off,
        }
    }
}

/// What the browser says of notifications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Permission {
    /// It was not asked, or the reader did not answer it.
    #[default]
    Unasked,
    /// The page may.
    Granted,
    /// The page may not.
    Denied,
    /// The browser has none for pages such as this one.
    Missing,
}

impl Permission {
    /// What the browser's word means.
    #[must_use]
    pub fn named(word: &str) -> Self {
        match word {
            "granted" => Self::Granted,
            "denied" => Self::Denied,
            "default" => Self::Unasked,
            _ => Self::Missing,
        }
    }
}

/// What the reader has chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Whether notifications are shown.
    pub notifications: Switch,
    /// What the browser says of that.
    pub permission: Permission,
    /// Whether a sound is played.
    pub sound: Switch,
}

impl Calls {
    /// How it stands, in a sentence.
    #[must_use]
    pub fn words(&self) -> &'static str {
        let words = match (self.notifications, self.permission) {
            (Switch::On, _) => Text::CallsOn,
            (_, Permission::Denied) => Text::CallsDenied,
            (_, Permission::Missing) => Text::CallsMissing,
            (Switch::Off, _) => Text::CallsOff,
        };
        words.say()
    }
}

/// What is told of alerts that fire in `now` and did not in `before`: a title and what follows it, at most a few.
#[must_use]
pub fn news(before: &[AlertNotice], now: &[AlertNotice]) -> Vec<(String, String)> {
    let fired = |notice: &AlertNotice| match notice.state {
        AlertState::Firing { fired_at, .. } => Some(fired_at),
        _ => None,
    };
    let is_new = |notice: &&AlertNotice| {
        let is_it = |known: &AlertNotice| known.labels == notice.labels && fired(known) == fired(notice);
        fired(notice).is_some() && !before.iter().any(is_it)
    };
    let new: Vec<_> = now.iter().filter(is_new).collect();
    if new.len() > MOST_NAMED {
        let names: Vec<_> = new.iter().take(MOST_NAMED).map(|notice| notice.rule.as_str()).collect();
        let others = format::count((new.len() - MOST_NAMED) as u64);
        let named = names.join(", ") + &Text::AndMore.fill(&[&others]);
        return vec![(Text::ManyAlerts.fill(&[&format::count(new.len() as u64), &named]), String::new())];
    }
    new.into_iter().map(|notice| (Text::OneAlert.fill(&[&notice.rule]), notice.summary.clone())).collect()
}
