//! Moments and summaries, which have the same figures and more.

pub(crate) use bellwether_loops::moments::{Deviation, Moments};

use crate::sample::Sample;
use crate::summary::Summary;
use crate::time::TimestampMs;

/// What the samples of a summary come to.
pub(crate) fn of_summary(summary: &Summary) -> Moments {
    Moments::told(summary.count, (summary.sum, summary.residue()), summary.m2, (summary.min, summary.max))
}

/// As a summary without a sketch, whose first and last samples mean nothing.
pub(crate) fn summary(moments: &Moments) -> Option<Summary> {
    let (Moments { count, sum, m2, min, max, .. }, at) = (*moments, TimestampMs::new(0));
    (count > 0).then(|| Summary::unpacked(count, sum, m2, (min, max), Sample::kept(at, min), Sample::kept(at, max)))
}
