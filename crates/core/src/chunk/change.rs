//! What late samples and summaries do to a time bucket that is sealed.

use crate::pack::Spread;
use crate::part::{Values, summary_of};
use crate::sample::{Kind, Sample};
use crate::sketch::{Sketch, keys};
use crate::slim::Slims;
use crate::summary::Summary;

/// What is done to a time bucket that is sealed already.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change<'a> {
    Sample(Sample),
    /// Samples in order of time, at least one.
    Samples(Slims<'a>),
    Summary(&'a Summary),
    /// Its increase is set, where it is there.
    Increase(f64),
}

impl Change<'_> {
    /// What `before` becomes, whose values are in `spread`.
    pub(super) fn apply(self, before: Option<Summary>, kind: Kind, spread: &mut Spread) -> Option<Summary> {
        match self {
            Self::Sample(sample) => spread.record(keys::key(sample.value(), Sketch::DEFAULT_SCALE)),
            Self::Samples(samples) => spread.add(&Values::Samples(samples)),
            Self::Summary(summary) => spread.add_sketch(&summary.sketch),
            Self::Increase(_) => {}
        }
        match (before, self) {
            (Some(mut summary), Self::Sample(sample)) => {
                summary.record_without_sketch(sample, kind);
                Some(summary)
            }
            (Some(mut summary), Self::Samples(samples)) => {
                if let Some(other) = summary_of(samples, kind) {
                    summary.merge_without_sketch(&other, kind);
                }
                Some(summary)
            }
            (Some(mut summary), Self::Summary(other)) => {
                summary.merge_without_sketch(other, kind);
                Some(summary)
            }
            (Some(mut summary), Self::Increase(increase)) => {
                summary.increase = increase;
                Some(summary)
            }
            (None, Self::Sample(sample)) => Some(Summary::without_sketch(sample, kind)),
            (None, Self::Samples(samples)) => summary_of(samples, kind),
            (None, Self::Summary(summary)) => Some(summary.clone_without_sketch()),
            (None, Self::Increase(_)) => None,
        }
    }
}
