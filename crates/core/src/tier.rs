//! Tier: the time buckets of one series at one width.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::sample::{Kind, Sample};
use crate::summary::Summary;
use crate::time::TimestampMs;

/// What a time bucket keeps: a lone sample as it is, more as a summary.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    One(Sample),
    Many(Box<Summary>),
}

impl Content {
    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Many(summary) => summary.count,
        }
    }

    pub(crate) fn first(&self) -> Sample {
        match self {
            Self::One(sample) => *sample,
            Self::Many(summary) => summary.first,
        }
    }

    pub(crate) fn last(&self) -> Sample {
        match self {
            Self::One(sample) => *sample,
            Self::Many(summary) => summary.last,
        }
    }

    pub(crate) fn increase(&self, kind: Kind) -> f64 {
        match self {
            Self::One(sample) => Summary::without_sketch(*sample, kind).increase,
            Self::Many(summary) => summary.increase,
        }
    }

    pub(crate) fn summary(&self, kind: Kind) -> Cow<'_, Summary> {
        match self {
            Self::One(sample) => Cow::Owned(Summary::of(*sample, kind)),
            Self::Many(summary) => Cow::Borrowed(summary),
        }
    }

    /// Where a sample or summary of `first..=last` lies to the samples that are kept.
    fn place(&self, first: TimestampMs, last: TimestampMs) -> Place {
        let is_among = last >= self.first().timestamp() && first < self.last().timestamp();
        if is_among { Place::Among } else { Place::Outside }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Many(summary) => size_of::<Summary>() + summary.sketch.heap_bytes(),
        }
    }
}

/// A time bucket and its number on the grid of its width.
#[derive(Clone, Debug)]
pub(crate) struct TimeBucket {
    pub(crate) number: i64,
    pub(crate) content: Content,
}

/// Whether what was added lies outside of what a time bucket held, or among it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Outside,
    Among,
}

/// The time buckets of one series at one width, ascending; there is none where no sample is.
#[derive(Clone, Debug)]
pub(crate) struct Tier {
    buckets: VecDeque<TimeBucket>,
    /// The latest sample that is in none of them: it has left the tier, came too late for it or in
    /// a wider time bucket. A counter's first step is taken from it.
    before: Option<Sample>,
    /// Samples up to here came in wider time buckets and are only in wider tiers.
    incomplete_until: TimestampMs,
}

impl Default for Tier {
    fn default() -> Self {
        Self { buckets: VecDeque::new(), before: None, incomplete_until: TimestampMs::new(i64::MIN) }
    }
}

impl Tier {
    pub(crate) fn incomplete_until(&self) -> TimestampMs {
        self.incomplete_until
    }

    /// Sets what [`Tier::incomplete_until`] says, for a tier that is restored.
    pub(crate) fn set_incomplete_until(&mut self, until: TimestampMs) {
        self.incomplete_until = until;
    }

    /// Appends a time bucket that is newer than all, for a tier that is restored.
    pub(crate) fn push(&mut self, number: i64, content: Content) {
        self.buckets.push_back(TimeBucket { number, content });
    }

    /// Notes that samples up to `end` are not in this tier, of which `last` is the latest.
    pub(crate) fn lacks_until(&mut self, end: TimestampMs, last: Sample) {
        self.incomplete_until = self.incomplete_until.max(end);
        self.pass_by(last);
    }

    /// Notes a sample that is not in the time buckets.
    pub(crate) fn pass_by(&mut self, sample: Sample) {
        if self.before.is_none_or(|before| before.timestamp() <= sample.timestamp()) {
            self.before = Some(sample);
        }
    }

    /// The latest sample that is in none of the time buckets.
    pub(crate) fn before(&self) -> Option<Sample> {
        self.before
    }

    /// Adds a sample to the time bucket `number`. Cost: O(1) for the newest time bucket, else
    /// O(log time buckets), and a move of those behind it where a late one has to be made.
    pub(crate) fn record(&mut self, number: i64, sample: Sample, kind: Kind) -> Place {
        match self.content(number) {
            Ok(content) => {
                let place = content.place(sample.timestamp(), sample.timestamp());
                match content {
                    Content::One(one) => {
                        let mut summary = Summary::of(*one, kind);
                        summary.record(sample, kind);
                        *content = Content::Many(Box::new(summary));
                    }
                    Content::Many(summary) => summary.record(sample, kind),
                }
                place
            }
            Err(position) => {
                self.buckets.insert(position, TimeBucket { number, content: Content::One(sample) });
                Place::Outside
            }
        }
    }

    /// Merges a summary into the time bucket `number`. Cost: as [`Tier::record`], plus the sketch.
    pub(crate) fn merge(&mut self, number: i64, summary: &Summary, kind: Kind) -> Place {
        match self.content(number) {
            Ok(content) => {
                let place = content.place(summary.first.timestamp(), summary.last.timestamp());
                match content {
                    Content::One(one) => {
                        let mut whole = Summary::of(*one, kind);
                        whole.merge(summary, kind);
                        *content = Content::Many(Box::new(whole));
                    }
                    Content::Many(whole) => whole.merge(summary, kind),
                }
                place
            }
            Err(position) => {
                let content = match summary.count {
                    1 => Content::One(summary.first),
                    _ => Content::Many(Box::new(summary.clone())),
                };
                self.buckets.insert(position, TimeBucket { number, content });
                Place::Outside
            }
        }
    }

    /// Sets the increase of a time bucket that holds several samples.
    pub(crate) fn set_increase(&mut self, number: i64, increase: f64) {
        if let Ok(Content::Many(summary)) = self.content(number) {
            summary.increase = increase;
        }
    }

    /// Drops the time buckets up to `number`, all but the last sample.
    pub(crate) fn evict(&mut self, number: i64) {
        while let Some(gone) = self.buckets.pop_front_if(|bucket| bucket.number <= number) {
            self.pass_by(gone.content.last());
        }
        // A series that has gone quiet gives its room back.
        if self.buckets.capacity() > 32 && self.buckets.len() < self.buckets.capacity() / 4 {
            self.buckets.shrink_to(self.buckets.len() * 2);
        }
    }

    /// The time buckets numbered `from..=to`, ascending. Cost: O(log time buckets) to find them.
    pub(crate) fn range(&self, from: i64, to: i64) -> impl DoubleEndedIterator<Item = &TimeBucket> {
        let start = self.buckets.partition_point(|bucket| bucket.number < from);
        let end = self.buckets.partition_point(|bucket| bucket.number <= to);
        self.buckets.range(start..end.max(start))
    }

    /// The time bucket `number`.
    pub(crate) fn get(&self, number: i64) -> Option<&TimeBucket> {
        self.range(number, number).next()
    }

    /// The newest time bucket numbered at most `number`.
    pub(crate) fn newest_until(&self, number: i64) -> Option<&TimeBucket> {
        let end = self.buckets.partition_point(|bucket| bucket.number <= number);
        end.checked_sub(1).and_then(|place| self.buckets.get(place))
    }

    /// The newest time bucket.
    pub(crate) fn newest(&self) -> Option<&TimeBucket> {
        self.buckets.back()
    }

    pub(crate) fn len(&self) -> usize {
        self.buckets.len()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<TimeBucket>()
            + self.buckets.iter().map(|bucket| bucket.content.heap_bytes()).sum::<usize>()
    }

    /// The content of the time bucket `number`, or where it would have to be put.
    fn content(&mut self, number: i64) -> Result<&mut Content, usize> {
        let place = match self.buckets.back() {
            None => return Err(0),
            Some(newest) if newest.number < number => return Err(self.buckets.len()),
            Some(newest) if newest.number == number => self.buckets.len() - 1,
            Some(_) => self.buckets.binary_search_by_key(&number, |bucket| bucket.number)?,
        };
        Ok(&mut self.buckets[place].content)
    }
}
