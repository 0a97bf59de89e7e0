//! What is to be kept about alerts and could not be yet: the newest of each, so that it does not grow
//! while the disk is out of use.

use std::collections::BTreeMap;

use bellwether_core::time::TimestampMs;

use crate::store::AlertChange;

/// Most ends of alerts that wait.
const MOST_ENDS: usize = 1_000;

/// A message about an alert, on its way into the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewNotice {
    /// What tells the alert from the others.
    pub(crate) alert: String,
    /// The state that it tells of.
    pub(crate) state: &'static str,
    /// What is to be sent.
    pub(crate) payload: Vec<u8>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    /// By alert, and those that are over also by when that was.
    changes: BTreeMap<(String, Option<TimestampMs>), AlertChange>,
    /// In the order in which they came; one for each alert and state.
    notices: Vec<NewNotice>,
}

impl Unsaved {
    /// Adds what has become of alerts; what is older about the same is dropped.
    pub(super) fn add(&mut self, changes: Vec<AlertChange>, notices: Vec<NewNotice>) {
        for change in changes {
            let place = match &change {
                AlertChange::Set { key, .. } | AlertChange::Remove { key } => (key.clone(), None),
                AlertChange::Ended { key, at, .. } => (key.clone(), Some(*at)),
            };
            self.changes.insert(place, change);
        }
        self.forget_oldest();
        for notice in notices {
            self.notices.retain(|each| (&each.alert, each.state) != (&notice.alert, notice.state));
            self.notices.push(notice);
        }
    }

    /// Of alerts that are over only so many wait: those that ended last.
    fn forget_oldest(&mut self) {
        let mut ends: Vec<_> = self.changes.keys().filter_map(|(_, at)| *at).collect();
        if ends.len() > MOST_ENDS {
            ends.sort_unstable();
            let oldest_kept = ends[ends.len() - MOST_ENDS];
            self.changes.retain(|(_, at), _| at.is_none_or(|at| at >= oldest_kept));
            tracing::warn!("the store has been out of use for so long that ends of alerts are forgotten");
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.notices.is_empty()
    }

    /// All of it, as the store takes it.
    pub(super) fn all(&self) -> (Vec<AlertChange>, Vec<Vec<u8>>) {
        let notices = self.notices.iter().map(|notice| notice.payload.clone());
        (self.changes.values().cloned().collect(), notices.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_that_flaps_does_not_grow() {
        let mut unsaved = Unsaved::default();
        for round in 0..100_u8 {
            for state in ["firing", "resolved"] {
                let set = AlertChange::Set { key: "a".to_owned(), record: vec![round] };
                let notice = NewNotice { alert: "a".to_owned(), state, payload: vec![round, state.len() as u8] };
                unsaved.add(vec![set], vec![notice]);
            }
        }
        unsaved.add(vec![AlertChange::Remove { key: "b".to_owned() }], Vec::new());
        let (changes, notices) = unsaved.all();
        assert_eq!(notices, [[99, 6], [99, 8]], "the last of each state, in their order");
        assert_eq!(changes.len(), 2);
        assert_eq!(changes[0], AlertChange::Set { key: "a".to_owned(), record: vec![99] });
    }

    #[test]
    fn each_end_waits_beside_the_newest_state_the_last_thousand_of_them() {
        let mut unsaved = Unsaved::default();
        for at in 0..1_500 {
            let at = TimestampMs::new(at);
            let set = AlertChange::Set { key: "a".to_owned(), record: Vec::new() };
            unsaved.add(vec![set, AlertChange::Ended { key: "a".to_owned(), at, record: Vec::new() }], Vec::new());
        }
        let (changes, _) = unsaved.all();
        let ends = changes.iter().filter_map(|change| match change {
            AlertChange::Ended { at, .. } => Some(at.get()),
            _ => None,
        });
        assert_eq!(ends.collect::<Vec<_>>(), (500..1_500).collect::<Vec<_>>());
        assert_eq!(changes.len(), 1_001);
    }
}
