//! Postings: the series of one metric by their labels, so that a search looks at values, not at
//! every series.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use crate::catalog::SeriesId;
use crate::labels::{LabelName, Labels};
use crate::selector::{Condition, Matcher};

/// Hashing without a random seed: the order of a map is never shown, and core draws no randomness.
pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// For each label and each of its values the series that have it, ascending.
#[derive(Clone, Debug, Default)]
pub(crate) struct Postings {
    labels: Map<LabelName, Map<Arc<str>, Vec<SeriesId>>>,
}

impl Postings {
    /// Adds a series that is newer than all others.
    pub(crate) fn add(&mut self, id: SeriesId, labels: &Labels) {
        for (name, value) in labels.pairs() {
            // Most labels are there already: no clone of the name for them.
            let values = match self.labels.get_mut(name) {
                Some(values) => values,
                None => self.labels.entry(name.clone()).or_default(),
            };
            values.entry(Arc::clone(value)).or_default().push(id);
        }
    }

    /// The series among `all`, which were added, whose labels satisfy all `matchers`, ascending.
    ///
    /// Cost: that of the shortest list of an equality, times the logarithm of the others; every other
    /// condition looks at each value of its label once, or at each series left where those are fewer.
    pub(crate) fn select<'a, 'b>(
        &'a self,
        all: &'a [SeriesId],
        matchers: &[Matcher],
        labels_of: impl Fn(SeriesId) -> &'b Labels,
    ) -> Cow<'a, [SeriesId]> {
        let (mut lists, mut others) = (Vec::new(), Vec::new());
        for matcher in matchers {
            match &matcher.condition {
                // An absent label has the empty value and is in no list.
                Condition::Equal(value) if !value.is_empty() => {
                    let values = self.labels.get(&matcher.label);
                    match values.and_then(|values| values.get(value.as_str())) {
                        Some(list) => lists.push(list.as_slice()),
                        None => return Cow::Borrowed(&[]),
                    }
                }
                _ => others.push(matcher),
            }
        }
        // The shortest is narrowed by the others.
        if let Some(shortest) = (0..lists.len()).min_by_key(|place| lists[*place].len()) {
            lists.swap(0, shortest);
        }
        let mut chosen = Cow::Borrowed(lists.first().copied().unwrap_or(all));
        // What all series have narrows nothing.
        for list in lists.iter().skip(1).filter(|list| list.len() < all.len()) {
            chosen.to_mut().retain(|id| list.binary_search(id).is_ok());
        }
        for matcher in others {
            let values = self.labels.get(&matcher.label);
            if let (Condition::NotEqual(value), Some(values)) = (&matcher.condition, values)
                && !value.is_empty()
            {
                if let Some(list) = values.get(value.as_str()) {
                    chosen.to_mut().retain(|id| list.binary_search(id).is_err());
                }
                continue;
            }
            // To follow a series to its labels takes longer than to go on to the next value.
            if chosen.len() * 4 <= values.map_or(0, |values| values.len()) {
                chosen.to_mut().retain(|id| matcher.matches(labels_of(*id)));
            } else {
                self.keep(&mut chosen, matcher, all);
            }
        }
        chosen
    }

    /// Keeps the series that satisfy one condition, each value of the label looked at once.
    fn keep(&self, chosen: &mut Cow<'_, [SeriesId]>, matcher: &Matcher, all: &[SeriesId]) {
        // The lists name those that have the label; what becomes of all others is one question.
        let keeps_absent = matcher.accepts("");
        let values = self.labels.get(&matcher.label).into_iter().flatten();
        let exceptions = values.filter(|(value, _)| matcher.accepts(value) != keeps_absent);
        let (Some(first), Some(last)) = (all.first(), all.last()) else { return };
        let mut is_exception = vec![false; last.index() - first.index() + 1];
        let mut is_any = false;
        for id in exceptions.flat_map(|(_, list)| list) {
            is_exception[id.index() - first.index()] = true;
            is_any = true;
        }
        if is_any || !keeps_absent {
            chosen.to_mut().retain(|id| is_exception[id.index() - first.index()] != keeps_absent);
        }
    }
}
