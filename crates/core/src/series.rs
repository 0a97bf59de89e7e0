//! Series: one metric with one set of labels, in time buckets of every width.

use crate::horizon::Horizon;
use crate::labels::SeriesKey;
use crate::sample::{Kind, Sample};
use crate::summary::{Summary, step};
use crate::tier::{Place, Tier};
use crate::time::{DurationMs, TimestampMs};

/// A series and what is kept of its samples.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    key: SeriesKey,
    kind: Kind,
    tiers: Box<[Tier]>,
}

impl Series {
    pub(crate) fn new(key: SeriesKey, kind: Kind, tiers: usize) -> Self {
        Self { key, kind, tiers: (0..tiers).map(|_| Tier::default()).collect() }
    }

    pub(crate) fn key(&self) -> &SeriesKey {
        &self.key
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn tier(&self, index: usize) -> &Tier {
        &self.tiers[index]
    }

    pub(crate) fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    pub(crate) fn tier_mut(&mut self, index: usize) -> &mut Tier {
        &mut self.tiers[index]
    }

    /// Records a sample into every tier that still holds its time bucket.
    pub(crate) fn record(&mut self, sample: Sample, horizon: &Horizon) {
        for index in 0..self.tiers.len() {
            let number = horizon.grid(index).bucket_of(sample.timestamp());
            let tier = &mut self.tiers[index];
            tier.evict(horizon.gone(index));
            if number <= horizon.gone(index) {
                tier.pass_by(sample);
            } else if tier.record(number, sample, self.kind) == Place::Among {
                self.settle(index, number, horizon);
            }
        }
    }

    /// Merges a summary of the time `width` before `end` into every tier whose time
    /// buckets are made of whole spans of that width.
    pub(crate) fn merge(&mut self, width: DurationMs, end: TimestampMs, summary: &Summary, horizon: &Horizon) {
        for index in 0..self.tiers.len() {
            let grid = horizon.grid(index);
            let number = grid.bucket_of(end);
            let tier = &mut self.tiers[index];
            tier.evict(horizon.gone(index));
            if !grid.is_multiple_of(width) {
                tier.lacks_until(end, summary.last);
            } else if number <= horizon.gone(index) {
                tier.pass_by(summary.last);
            } else if tier.merge(number, summary, self.kind) == Place::Among {
                self.settle(index, number, horizon);
            }
        }
    }

    pub(crate) fn evict(&mut self, index: usize, gone: i64) {
        self.tiers[index].evict(gone);
    }

    /// The last sample before or at `edge` of those that are kept, looked for from the tier `finest`
    /// on: exact where that tier holds all samples from `edge` on, as it knows the one before.
    ///
    /// Where no tier tells it apart, as after a clock that was set back, the first sample of the
    /// time bucket that `edge` lies in stands for it.
    pub(crate) fn last_until(&self, edge: TimestampMs, finest: usize, horizon: &Horizon) -> Option<Sample> {
        let mut found: Option<Sample> = None;
        for (index, tier) in self.tiers.iter().enumerate().skip(finest) {
            let bucket = tier.newest_until(horizon.grid(index).bucket_of(edge));
            let of_bucket = bucket.and_then(|bucket| {
                let earlier = || tier.newest_until(bucket.number - 1).map(|earlier| earlier.content.last());
                [bucket.content.last(), bucket.content.first()]
                    .into_iter()
                    .find(|sample| sample.timestamp() <= edge)
                    .or_else(earlier)
            });
            for sample in of_bucket.into_iter().chain(tier.before()) {
                let is_later = found.is_none_or(|found| found.timestamp() < sample.timestamp());
                if is_later && sample.timestamp() <= edge {
                    found = Some(sample);
                }
            }
        }
        found.filter(|sample| sample.timestamp() > horizon.kept_from())
    }

    /// Counts the increase of a counter's time bucket anew from the next finer tier, where that has
    /// all of it: what came late lies between samples whose order only the finer tier knows.
    fn settle(&mut self, index: usize, number: i64, horizon: &Horizon) {
        let Some(finer) = index.checked_sub(1) else { return };
        let grid = horizon.grid(index);
        let start = grid.start(number);
        if self.kind != Kind::Counter || start < horizon.complete_from(finer, &self.tiers[finer]) {
            return;
        }
        let numbers = horizon.grid(finer);
        let mut increase = 0.0;
        let mut before: Option<Sample> = None;
        for bucket in self.tiers[finer].range(numbers.bucket_of(start) + 1, numbers.bucket_of(grid.end(number))) {
            if let Some(before) = before {
                increase += step(before.value(), bucket.content.first().value());
            }
            increase += bucket.content.increase(self.kind);
            before = Some(bucket.content.last());
        }
        self.tiers[index].set_increase(number, increase.clamp(f64::MIN, f64::MAX));
    }
}
