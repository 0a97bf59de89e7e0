//! How the time buckets of a tier are made of what the next finer one holds.

use crate::chunk::{Scratch, Terms};
use crate::pack::unpack;
use crate::part::{Run, Values, summary_of};
use crate::slim::Slims;
use crate::summary::Summary;
use crate::tier::Tier;
use crate::time::TimestampMs;

/// Takes in the runs of a finer tier, in order of time, and appends the wide time buckets that they make.
///
/// A time bucket that lies within one run of samples is packed from where they are; what may go on in the next run
/// waits in the scratch.
pub(super) struct Widening<'a> {
    tier: &'a mut Tier,
    terms: Terms,
    scratch: &'a mut Scratch,
    held: Held,
    /// Number and right edge of the last time bucket of samples.
    before: Option<(i64, TimestampMs)>,
    work: usize,
}

/// The time bucket at hand, as far as it came.
enum Held {
    Nothing,
    /// Its samples are in the scratch.
    Samples(i64),
    /// Its values are in the scratch.
    Summary(i64, Summary),
}

impl<'a> Widening<'a> {
    pub(super) const fn new(tier: &'a mut Tier, terms: Terms, scratch: &'a mut Scratch) -> Self {
        Self { tier, terms, scratch, held: Held::Nothing, before: None, work: 0 }
    }

    /// Takes in the next run.
    pub(super) fn take(&mut self, run: Run<'_>) {
        match run {
            Run::Samples(samples) => self.take_samples(samples),
            Run::Packed { start, content } => {
                let part = unpack(0, content, start, self.terms.kind);
                let number = self.terms.grid.bucket_of(part.summary.last.timestamp());
                self.merge(number, part.summary, &part.values);
            }
        }
    }

    /// Appends the last time bucket. Says how much work all was, counted in samples, parts and values.
    pub(super) fn end(mut self) -> usize {
        self.put();
        self.work
    }

    fn take_samples(&mut self, samples: Slims<'_>) {
        let mut rest = samples;
        while let Some(first) = rest.first() {
            let (number, end) = self.terms.grid.bucket_after(self.before, first.timestamp());
            self.before = Some((number, end));
            let bucket;
            (bucket, rest) = rest.split_at(rest.count_until(end));
            match self.held {
                Held::Samples(held) if held == number => {
                    if !self.scratch.samples.append(bucket) {
                        self.merge_samples(number, bucket);
                    }
                }
                Held::Summary(held, _) if held == number => self.merge_samples(number, bucket),
                _ => {
                    self.put();
                    if rest.is_empty() {
                        self.scratch.samples.clear(bucket.base);
                        self.scratch.samples.append(bucket);
                        self.held = Held::Samples(number);
                    } else {
                        self.put_samples(number, bucket);
                    }
                }
            }
        }
    }

    #[cold]
    fn merge_samples(&mut self, number: i64, samples: Slims<'_>) {
        if let Some(summary) = summary_of(samples, self.terms.kind) {
            self.merge(number, summary, &Values::Samples(samples));
        }
    }

    /// Takes in what lies behind all that came.
    fn merge(&mut self, number: i64, summary: Summary, values: &Values<'_>) {
        if let Held::Samples(held) = self.held
            && held == number
        {
            let samples = std::mem::take(&mut self.scratch.samples);
            self.held = Held::Nothing;
            self.merge_samples(number, samples.slims());
            self.scratch.samples = samples;
        }
        match &mut self.held {
            Held::Summary(held, merged) if *held == number => merged.merge_without_sketch(&summary, self.terms.kind),
            _ => {
                self.put();
                self.scratch.spread.clear();
                self.held = Held::Summary(number, summary);
            }
        }
        self.scratch.spread.add(values);
        self.work += 4;
    }

    /// Appends the time bucket at hand.
    fn put(&mut self) {
        match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::Nothing => {}
            Held::Samples(number) => {
                let samples = std::mem::take(&mut self.scratch.samples);
                self.put_samples(number, samples.slims());
                self.scratch.samples = samples;
            }
            Held::Summary(number, mut summary) => {
                self.work += 8 + self.scratch.spread.work();
                summary.set_residue(0.0);
                self.tier.append_packed(number, &summary, self.terms, self.scratch);
            }
        }
    }

    fn put_samples(&mut self, number: i64, samples: Slims<'_>) {
        self.work += 8 + samples.len();
        if Tier::keeps_samples(samples.len()) {
            self.tier.append_samples(samples, self.terms, self.scratch);
        } else {
            self.tier.append_whole(number, samples, self.terms, self.scratch);
        }
    }
}
