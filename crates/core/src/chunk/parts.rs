//! The time buckets of a chunk, one after the other.

use bellwether_loops::packed::Reader;

use super::Terms;
use crate::grid::Grid;
use crate::pack::unpack;
use crate::part::{Part, Values, summary_of};
use crate::slim::Slims;

/// Time buckets of a chunk, ascending.
#[derive(Clone, Debug)]
pub(crate) struct Parts<'a> {
    pub(super) rest: Rest<'a>,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) terms: Terms,
    /// Whose numbers the time buckets have.
    pub(super) wide: Grid,
}

#[derive(Clone, Debug)]
pub(super) enum Rest<'a> {
    Samples(Slims<'a>),
    Packed { base: i64, reader: Reader<'a> },
}

impl<'a> Parts<'a> {
    /// Number and bytes of the next packed time bucket.
    #[inline]
    pub(super) fn next_content(&mut self) -> Option<(i64, &'a [u8])> {
        let Rest::Packed { base, reader } = &mut self.rest else { return None };
        loop {
            let (number, content) = reader.time_bucket()?;
            let number = base.wrapping_add(number as i64);
            if number > self.to {
                return None;
            }
            if number >= self.from {
                return Some((number, content));
            }
        }
    }
}

impl<'a> Parts<'a> {
    /// Calls `each` with what is left: parts are large, and in WebAssembly it takes a call to move one.
    pub(crate) fn each(mut self, each: &mut dyn FnMut(Part<'a>)) {
        let Terms { grid, kind } = self.terms;
        let wide = self.wide;
        if let Rest::Samples(samples) = self.rest {
            return samples.each_bucket(wide, &mut |number, bucket| {
                if let Some(summary) = summary_of(bucket, kind) {
                    each(Part { number, summary, values: Values::Samples(bucket) });
                }
            });
        }
        while let Some((number, content)) = self.next_content() {
            let mut part = unpack(number, content, grid.start(number), kind);
            if wide != grid {
                part.number = wide.bucket_of(part.summary.last.timestamp());
            }
            each(part);
        }
    }
}
