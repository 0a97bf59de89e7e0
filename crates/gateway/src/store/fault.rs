//! Damage: records that are kept where they are and kept out of every answer.

use super::codec::CodecError;
use super::series::SeriesIx;
use crate::instant::rfc3339;
use bellwether_core::time::TimestampMs;
use std::collections::HashSet;
use std::fmt;

/// Where a damaged record is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// The name and labels of a series; its samples cannot be told to be its.
    Series {
        /// The series.
        series: SeriesIx,
    },
    /// What was declared of a metric.
    Metric {
        /// The metric.
        metric: String,
    },
    /// The batch ids of a sender.
    Sender {
        /// The sender.
        sender: String,
    },
    /// A batch of the tail.
    Batch {
        /// Its place in the stream.
        seq: u64,
    },
    /// Samples of a series in one hour; others of the same hour may be whole.
    Chunk {
        /// The series.
        series: SeriesIx,
        /// The last instant of the hour.
        end: TimestampMs,
        /// Which of the hour's chunks it is.
        ordinal: u32,
    },
    /// The summary of a series in one hour.
    Hour {
        /// The series.
        series: SeriesIx,
        /// The last instant of the hour.
        end: TimestampMs,
    },
    /// What a histogram added to its series.
    Point {
        /// The series.
        series: SeriesIx,
        /// Its timestamp.
        at: TimestampMs,
    },
    /// The summary of the histograms of a series in one hour.
    PointHour {
        /// The series.
        series: SeriesIx,
        /// The last instant of the hour.
        end: TimestampMs,
    },
    /// A notice.
    Notice {
        /// Its number.
        id: u64,
    },
    /// A correction in the trail.
    Correction {
        /// Its number.
        id: u64,
    },
    /// The mark of a span in which samples of a series were changed.
    Restated {
        /// The series.
        series: SeriesIx,
        /// The last instant of the span.
        end: TimestampMs,
    },
    /// A number about the whole store.
    Meta {
        /// Its name in the table `meta`.
        name: &'static str,
    },
    /// A table as a whole: it does not hold as many rows as it says.
    Table {
        /// The table.
        name: String,
    },
}

impl Place {
    /// The series that it is about.
    #[must_use]
    pub fn series(&self) -> Option<SeriesIx> {
        match self {
            Self::Series { series } | Self::Chunk { series, .. } | Self::Hour { series, .. } => Some(*series),
            _ => None,
        }
    }

    /// What is lost with the record, and what can be done.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Series { .. } => {
                "samples of the series are there but cannot be told whose they are; a backup from before has the name"
            }
            Self::Metric { .. } => "nothing needs to be done: the next sample that declares it writes it anew",
            Self::Sender { .. } => {
                "nothing is lost; a batch of the sender that comes once more would be counted once more"
            }
            Self::Batch { .. } => {
                "its samples are lost here and left out; whoever sent them, or a backup made since, may have them"
            }
            Self::Chunk { .. } => {
                "its samples are left out, and the hour's summary still counts them; a backup from before has them, and \
                 nothing else is touched"
            }
            Self::Hour { .. } => {
                "nothing needs to be done where the hour's chunks are whole: it is made anew from them"
            }
            Self::Point { .. } => "what the histogram added is left out; the summary of its hour still counts it",
            Self::PointHour { .. } => {
                "nothing needs to be done while its points are kept: the next histogram of the hour makes it anew"
            }
            Self::Notice { .. } => "the message about an alert is not sent; the next change of the alert is",
            Self::Correction { .. } => {
                "what was corrected stays so; who did it, when and why is lost but for a backup from before"
            }
            Self::Restated { .. } => "figures of that time are right and are no longer marked as restated",
            Self::Meta { .. } | Self::Table { .. } => {
                "do not go on with this file: take the newest backup, or export what can be read of it"
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series { series } => write!(f, "the name of series {}", series.0),
            Self::Metric { metric } => write!(f, "the declaration of metric {metric:?}"),
            Self::Sender { sender } => write!(f, "the batch ids of sender {sender:?}"),
            Self::Batch { seq } => write!(f, "batch {seq} of the tail"),
            Self::Chunk { series, end, ordinal } => {
                write!(f, "chunk {ordinal} of series {} in the hour that ends at {}", series.0, rfc3339(*end))
            }
            Self::Hour { series, end } => {
                write!(f, "the summary of series {} in the hour that ends at {}", series.0, rfc3339(*end))
            }
            Self::Point { series, at } => write!(f, "the histogram of series {} at {}", series.0, rfc3339(*at)),
            Self::PointHour { series, end } => {
                write!(f, "the histograms of series {} in the hour that ends at {}", series.0, rfc3339(*end))
            }
            Self::Notice { id } => write!(f, "notice {id}"),
            Self::Correction { id } => write!(f, "correction {id}"),
            Self::Restated { series, end } => {
                write!(f, "the mark of what was changed of series {} at {}", series.0, rfc3339(*end))
            }
            Self::Meta { name } => write!(f, "the store's number {name:?}"),
            Self::Table { name } => write!(f, "the table {name:?}"),
        }
    }
}

/// A damaged record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place} is damaged and left out: {reason}")]
pub struct Fault {
    /// Where it is.
    pub place: Place,
    /// What is wrong with it.
    pub reason: CodecError,
}

/// Most faults that are named; more are only counted.
const MOST_NAMED: usize = 1_000;

/// The faults that were met since the start, each place once.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    places: HashSet<Place>,
    pub(super) named: Vec<Fault>,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        // The same record may be met again and again.
        if !self.places.insert(fault.place.clone()) {
            return;
        }
        if self.named.len() < MOST_NAMED {
            self.named.push(fault);
        }
    }

    /// How many there are, named or not.
    pub(super) fn count(&self) -> u64 {
        self.places.len() as u64
    }

    /// Adds what was met before.
    pub(super) fn join(&mut self, before: Self) {
        self.places.extend(before.places);
        for fault in before.named {
            if self.named.len() < MOST_NAMED && !self.named.iter().any(|each| each.place == fault.place) {
                self.named.push(fault);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_once_whether_it_is_named_or_not() {
        let mut faults = Faults::default();
        for _ in 0..2 {
            for id in 0..MOST_NAMED as u64 + 500 {
                faults.add(Fault { place: Place::Notice { id }, reason: CodecError::Range { field: "a field" } });
            }
        }
        assert_eq!((faults.count(), faults.named.len()), (1_500, 1_000));
        let mut later = Faults::default();
        later.join(faults.clone());
        later.join(faults);
        assert_eq!((later.count(), later.named.len()), (1_500, 1_000));
    }
}
