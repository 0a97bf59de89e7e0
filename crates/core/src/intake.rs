//! Intake: samples of many series at once, in columns.

use crate::engine::{Engine, TimestampError};
use crate::sample::{NotFinite, Sample};
use crate::series::{Series, rounded_up};
use crate::time::TimestampMs;

/// The most refused samples that a receipt names one by one; all are counted.
const NAMED: usize = 100;
/// So many rows go in between two looks at what is to be tidied up.
const RUN: usize = 512;
/// Greatest timestamp in a column of floats, either side of zero: beyond it not every whole number is
/// a float.
const GREATEST_MS: f64 = 9_007_199_254_740_991.0;

/// Columns of different lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{series} series, {timestamps} timestamps and {values} values were given; give one of each for a sample")]
pub struct LengthError {
    /// Length of the first column.
    pub series: usize,
    /// Length of the second column.
    pub timestamps: usize,
    /// Length of the third column.
    pub values: usize,
}

/// Why one sample of a column was refused.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A number that is no series of this engine.
    #[error("{number} is no series; give a number that the engine gave")]
    Series {
        /// The number that was given.
        number: u32,
    },
    /// A timestamp that is no instant.
    #[error("the timestamp is no number of milliseconds that a sample can have; give milliseconds since 1970")]
    NoTimestamp {
        /// What was given.
        timestamp_ms: f64,
    },
    /// A timestamp that is not accepted now.
    #[error(transparent)]
    Timestamp(#[from] TimestampError),
    /// A value that cannot be kept.
    #[error(transparent)]
    Value(#[from] NotFinite),
}

/// A sample that was refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Refused {
    /// Its place in the columns, from 0.
    pub index: usize,
    /// Why.
    pub why: Refusal,
}

/// What became of columns of samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Receipt {
    /// Number of samples that were recorded.
    pub accepted: usize,
    /// Number of samples that were refused.
    pub refused: usize,
    /// The first 100 of the refused ones, in order.
    pub refusals: Vec<Refused>,
}

impl Receipt {
    fn refuse(&mut self, index: usize, why: Refusal) {
        self.refused += 1;
        if self.refusals.len() < NAMED {
            self.refusals.push(Refused { index, why });
        }
    }
}

/// Whether a row is a sample that may be recorded, if its series is one.
#[inline(always)]
fn is_accepted(at_ms: f64, value: f64, (oldest, latest): (f64, f64)) -> bool {
    at_ms >= oldest && at_ms <= latest && value.abs() < f64::INFINITY
}

/// Appends row after row to the fresh samples of their series, up to the first that takes more than that; says how
/// many it were.
///
/// There is no call in it, so that all it works with stays in registers: it is what most of the time is spent in.
#[inline(never)]
fn push_run(all: &mut [Series], numbers: &[u32], timestamps_ms: &[f64], values: &[f64], bounds: (f64, f64)) -> usize {
    for (place, ((number, at_ms), value)) in numbers.iter().zip(timestamps_ms).zip(values).enumerate() {
        let Some(series) = all.get_mut(*number as usize) else { return place };
        if !is_accepted(*at_ms, *value, bounds) || !series.push(*at_ms, *value) {
            return place;
        }
    }
    numbers.len()
}

impl Engine {
    /// Records one sample for each row of three columns: the number of its series
    /// ([`crate::engine::SeriesId::index`]), its timestamp in milliseconds since the Unix epoch, and
    /// its value. A refused sample is counted and named, and the others are recorded.
    ///
    /// A fraction of a millisecond counts as the next whole one: time buckets are right-closed, so
    /// that the sample stays in each time bucket and window that it belongs to.
    ///
    /// # Errors
    /// [`LengthError`], and nothing is recorded, where the columns differ in length.
    pub fn record_columns(
        &mut self,
        series: &[u32],
        timestamps_ms: &[f64],
        values: &[f64],
        now: TimestampMs,
    ) -> Result<Receipt, LengthError> {
        let error = LengthError { series: series.len(), timestamps: timestamps_ms.len(), values: values.len() };
        if error.timestamps != error.series || error.values != error.series {
            return Err(error);
        }
        let mut receipt = Receipt::default();
        self.horizon.observe(now);
        let bounds = self.accepted(now);
        // Rows go in by runs, between which a few series are tidied up.
        let mut start = 0;
        let runs = series.chunks(RUN).zip(timestamps_ms.chunks(RUN)).zip(values.chunks(RUN));
        for ((series, timestamps_ms), values) in runs {
            let mut place = 0;
            loop {
                place +=
                    push_run(&mut self.series, &series[place..], &timestamps_ms[place..], &values[place..], bounds);
                let (Some(number), Some(at_ms), Some(value)) =
                    (series.get(place), timestamps_ms.get(place), values.get(place))
                else {
                    break;
                };
                let is_accepted = is_accepted(*at_ms, *value, bounds);
                match self.series.get_mut(*number as usize) {
                    Some(series) if is_accepted => {
                        let sample = Sample::kept(rounded_up(*at_ms), *value);
                        series.record(sample, &self.horizon, &mut self.scratch);
                    }
                    _ => receipt.refuse(start + place, self.refusal(*number, *at_ms, *value, now)),
                }
                place += 1;
            }
            start += series.len();
            self.tidy(series.len());
        }
        receipt.accepted = series.len() - receipt.refused;
        Ok(receipt)
    }

    /// The least and the greatest timestamp that a column may hold now.
    fn accepted(&self, now: TimestampMs) -> (f64, f64) {
        let (oldest, latest) = self.accepted_timestamps(now);
        // Rounded up, a timestamp must lie within; beyond the exact floats none does.
        let oldest = (oldest.get() as f64).max(-GREATEST_MS) - 1.0;
        (oldest.next_up(), (latest.get() as f64).min(GREATEST_MS))
    }

    /// Why a row is refused.
    #[cold]
    fn refusal(&self, number: u32, timestamp_ms: f64, value: f64, now: TimestampMs) -> Refusal {
        if self.numbered(number).is_none() {
            return Refusal::Series { number };
        }
        if timestamp_ms.is_nan() || timestamp_ms.abs() > GREATEST_MS {
            return Refusal::NoTimestamp { timestamp_ms };
        }
        match self.check(rounded_up(timestamp_ms), now) {
            Err(error) => Refusal::Timestamp(error),
            Ok(()) => Refusal::Value(Sample::new(now, value).err().unwrap_or(NotFinite)),
        }
    }
}
