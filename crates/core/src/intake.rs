//! Intake: samples of many series at once, in columns.

use crate::engine::{Engine, TimestampError};
use crate::sample::{NotFinite, Sample};
use crate::time::TimestampMs;

/// The most refused samples that a receipt names one by one; all are counted.
const NAMED: usize = 100;
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
    #[error("{timestamp_ms} is no timestamp; give milliseconds since 1970")]
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
        for (index, ((number, timestamp_ms), value)) in series.iter().zip(timestamps_ms).zip(values).enumerate() {
            match self.record_row(*number, *timestamp_ms, *value, now) {
                Ok(()) => receipt.accepted += 1,
                Err(why) => receipt.refuse(index, why),
            }
        }
        Ok(receipt)
    }

    fn record_row(&mut self, number: u32, timestamp_ms: f64, value: f64, now: TimestampMs) -> Result<(), Refusal> {
        let id = self.numbered(number).ok_or(Refusal::Series { number })?;
        if timestamp_ms.is_nan() || timestamp_ms.abs() > GREATEST_MS {
            return Err(Refusal::NoTimestamp { timestamp_ms });
        }
        let sample = Sample::new(TimestampMs::new(timestamp_ms.ceil() as i64), value)?;
        Ok(self.record(id, sample, now)?)
    }
}
