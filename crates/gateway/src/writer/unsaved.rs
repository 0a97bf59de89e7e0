//! What is to be kept about alerts and could not be yet: the newest of each, so that it does not grow
//! while the disk is out of use.

use std::collections::BTreeMap;

use crate::store::AlertChange;

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
    changes: BTreeMap<String, AlertChange>,
    /// In the order in which they came; one for each alert and state.
    notices: Vec<NewNotice>,
}

impl Unsaved {
    /// Adds what has become of alerts; what is older about the same is dropped.
    pub(super) fn add(&mut self, changes: Vec<AlertChange>, notices: Vec<NewNotice>) {
        for change in changes {
            let (AlertChange::Set { key, .. } | AlertChange::Remove { key }) = &change;
            self.changes.insert(key.clone(), change);
        }
        for notice in notices {
            self.notices.retain(|each| (&each.alert, each.state) != (&notice.alert, notice.state));
            self.notices.push(notice);
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
}
