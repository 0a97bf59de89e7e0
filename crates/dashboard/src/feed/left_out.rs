//! Series that the page's engine does not have although they are there, and why: they are counted and named, never
//! dropped in silence.

use std::rc::Rc;

use bellwether_core::engine::SeriesError;
use bellwether_core::labels::{MetricName, SeriesKey};
use bellwether_core::query::Query;
use bellwether_core::selector::Matcher;
use bellwether_wire::frame::ErrorFrame;

use super::selections::covers;
use crate::format;
use crate::texts::{self, Text};

/// Metrics that are named; of more only the number is told.
const NAMED: usize = 3;
/// Series that are told apart; beyond them the count stands still.
const COUNTED: usize = 10_000;

/// Why the page lacks series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// There are more than one page takes.
    TooManySeries,
    /// Their history is longer than one page takes.
    TooMuchHistory,
    /// They are of another kind than those that came first.
    OtherKind,
}

impl Shortage {
    /// The reason in a few words, to begin a sentence with.
    #[must_use]
    pub fn words(self) -> &'static str {
        let words = match self {
            Self::TooManySeries => Text::TooManySeries,
            Self::TooMuchHistory => Text::TooMuchHistory,
            Self::OtherKind => Text::OtherKind,
        };
        words.say()
    }
}

/// Why the engine refuses a series, to go on with after a full stop.
fn reason(error: &SeriesError) -> String {
    match error {
        SeriesError::KindConflict(conflict) => {
            let (kept, declared) = (texts::kind(conflict.kept), texts::kind(conflict.declared));
            Text::LeftOutKind.fill(&[conflict.metric.as_str(), kept, declared])
        }
        SeriesError::TooManySeriesOfMetric { most, metric } => {
            Text::LeftOutMostOfMetric.fill(&[&format::count(*most as u64), metric.as_str()])
        }
        SeriesError::TooManySeries { most } => Text::LeftOutMost.fill(&[&format::count(*most as u64)]),
        // A later engine may know more reasons.
        other => other.to_string(),
    }
}

/// Series of a metric that the page's engine does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// The metric.
    pub metric: MetricName,
    /// The conditions that those series satisfy; without any they may be all, or nobody knows which.
    pub matchers: Vec<Matcher>,
    /// Why.
    pub shortage: Shortage,
}

impl Lack {
    /// Whether a figure of `query` would be one of some of its series.
    #[must_use]
    pub fn concerns(&self, query: &Query) -> bool {
        self.metric == query.metric && covers(&self.matchers, &query.matchers)
    }
}

/// What was left out since the engine was begun.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// In order.
    series: Vec<SeriesKey>,
    metrics: Vec<(MetricName, usize, String, Shortage)>,
    /// What the gateway has refused to send.
    refused: Vec<Lack>,
}

impl LeftOut {
    /// Notes one refusal of the page's engine; `true` where it is news.
    pub(super) fn note(&mut self, key: &SeriesKey, error: &SeriesError) -> bool {
        // A sorted list: a tree of them would be a kilobyte more of the page.
        let Err(place) = self.series.binary_search(key) else { return false };
        if self.series.len() >= COUNTED {
            return false;
        }
        self.series.insert(place, key.clone());
        match self.metrics.iter_mut().find(|(metric, ..)| *metric == key.metric) {
            Some((_, count, ..)) => *count += 1,
            None => {
                let shortage = match error {
                    SeriesError::KindConflict { .. } => Shortage::OtherKind,
                    _ => Shortage::TooManySeries,
                };
                self.metrics.push((key.metric.clone(), 1, reason(error), shortage));
            }
        }
        true
    }

    /// Notes what the gateway does not send, and says it in a sentence.
    pub(super) fn refuse(&mut self, error: ErrorFrame) -> String {
        let shortage =
            if error.code == "history_too_long" { Shortage::TooMuchHistory } else { Shortage::TooManySeries };
        let named: Vec<_> = error.metrics.iter().take(NAMED).map(|selection| selection.name.to_string()).collect();
        let more = error.metrics.len() - named.len();
        let more = if more > 0 { Text::AndMore.fill(&[&format::count(more as u64)]) } else { String::new() };
        let what_to_do = Text::WhatToDo.say();
        let sentence = format!("{}: {}{more}. {what_to_do}", shortage.words(), named.join(", "));
        let lacks = error.metrics.into_iter();
        self.refused.extend(lacks.map(|found| Lack { metric: found.name, matchers: found.matchers, shortage }));
        sentence
    }

    /// Whether the engine lacks nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.metrics.is_empty() && self.refused.is_empty()
    }

    /// All that the engine lacks.
    pub(super) fn lacks(&self) -> Rc<[Lack]> {
        let lacks = self.metrics.iter().map(|(metric, _, _, shortage)| Lack {
            metric: metric.clone(),
            matchers: Vec::new(),
            shortage: *shortage,
        });
        self.refused.iter().cloned().chain(lacks).collect()
    }

    /// One sentence for each of the first metrics, one for all others, and one that says what to do.
    pub(super) fn sentences(&self) -> Rc<[String]> {
        let named = self.metrics.iter().take(NAMED);
        let mut sentences: Vec<_> = named
            .map(|(metric, count, reason, _)| Text::LeftOut.count(*count as u64, &[metric.as_str(), reason]))
            .collect();
        if self.metrics.len() > NAMED {
            let more = self.metrics.len() - NAMED;
            sentences.push(Text::LeftOutOthers.count(more as u64, &[]));
        }
        sentences.push(Text::WhatToDo.say().to_owned());
        sentences.into()
    }
}
