//! An hour of a series from which samples are taken: what its chunks and its summary are then.

use bellwether_core::sample::{Kind, Sample};
use bellwether_core::sketch::Sketch;
use bellwether_core::summary::{Summary, SummaryParts};
use bellwether_core::time::{DurationMs, TimestampMs};
use redb::ReadableTable;

use super::chunk::{self, ChunkKey};
use super::enter::summary_of;
use super::error::{StoreError, While};
use super::find::Target;
use super::series::SeriesIx;
use super::{StoredSample, hour};

const DOING: &str = "taking samples out of an hour";

/// What becomes of an hour. It is made of a snapshot, so that the thread that writes has only to write it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rework {
    /// The samples that are taken out; none: all stays as it is.
    pub(super) gone: Vec<StoredSample>,
    /// The records of the chunks that change; `None` of one that goes.
    pub(super) chunks: Vec<(ChunkKey, Option<Vec<u8>>)>,
    /// The record of the hour's summary; `None` where it goes.
    pub(super) summary: Option<Vec<u8>>,
    /// By how many bytes the chunks grow.
    pub(super) growth: i64,
    /// What it was made of.
    was: Stamps,
}

/// The chunks of an hour and its summary: the ordinal, the length and the checksum of each record.
type Stamps = Vec<(u32, usize, [u8; 4])>;

/// The ordinal under which a summary stands among the stamps.
const SUMMARY: u32 = u32::MAX;

fn stamp(ordinal: u32, record: &[u8]) -> (u32, usize, [u8; 4]) {
    (ordinal, record.len(), record.last_chunk().copied().unwrap_or_default())
}

impl Rework {
    /// Takes the samples that are meant out of an hour. Cost: unpacks the chunks of the hour and packs those that
    /// change.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    pub(super) fn of(
        chunks: &impl ReadableTable<(u32, i64, u32), &'static [u8]>,
        hours: &impl ReadableTable<(u32, i64), &'static [u8]>,
        target: &Target,
        series: SeriesIx,
        hour: i64,
        kind: Kind,
    ) -> Result<Self, StoreError> {
        let mut rework = Self::default();
        let (mut whole, mut left) = (true, Vec::new());
        for row in chunks.range((series.0, hour, 0)..=(series.0, hour, u32::MAX)).while_doing(DOING)? {
            let (row, record) = row.while_doing(DOING)?;
            let (key, record) = (ChunkKey::of_row(row.value()), record.value());
            rework.was.push(stamp(key.ordinal, record));
            let Ok(samples) = chunk::decode(key, record) else {
                whole = false;
                continue;
            };
            let (meant, others): (Vec<_>, Vec<_>) = samples.into_iter().partition(|stored| target.means(stored));
            if !meant.is_empty() {
                let anew = (!others.is_empty()).then(|| chunk::encode(key, &others));
                rework.growth += anew.as_ref().map_or(0, Vec::len) as i64 - record.len() as i64;
                rework.gone.extend(meant);
                rework.chunks.push((key, anew));
            }
            left.extend(others);
        }
        let before = hours.get((series.0, hour)).while_doing(DOING)?;
        if let Some(record) = &before {
            rework.was.push(stamp(SUMMARY, record.value()));
        }
        if rework.gone.is_empty() {
            return Ok(rework);
        }
        let before = before.and_then(|record| hour::decode(series, hour, record.value()).ok());
        // Where chunks were dropped for their size, the summary tells of more samples than there are.
        let all = (rework.gone.len() + left.len()) as u64;
        let summary = match before {
            Some(before) if !whole || before.count != all => {
                rework.gone.iter().try_fold(before, |summary, stored| without(&summary, stored.sample, kind, hour))
            }
            _ => {
                chunk::sort(&mut left);
                summary_of(&left, kind)
            }
        };
        rework.summary = summary.map(|summary| hour::encode(series, hour, &summary));
        Ok(rework)
    }

    /// Whether the hour is still what it was made of. Cost: looks its records up.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    pub(super) fn is_of(
        &self,
        chunks: &impl ReadableTable<(u32, i64, u32), &'static [u8]>,
        hours: &impl ReadableTable<(u32, i64), &'static [u8]>,
        series: SeriesIx,
        hour: i64,
    ) -> Result<bool, StoreError> {
        let mut is = Vec::with_capacity(self.was.len());
        for row in chunks.range((series.0, hour, 0)..=(series.0, hour, u32::MAX)).while_doing(DOING)? {
            let (row, record) = row.while_doing(DOING)?;
            is.push(stamp(row.value().2, record.value()));
        }
        if let Some(record) = hours.get((series.0, hour)).while_doing(DOING)? {
            is.push(stamp(SUMMARY, record.value()));
        }
        Ok(is == self.was)
    }

    /// How many bytes it would write.
    pub(super) fn bytes(&self) -> usize {
        let chunks = self.chunks.iter().filter_map(|(_, record)| record.as_ref()).map(Vec::len).sum::<usize>();
        chunks + self.summary.as_ref().map_or(0, Vec::len)
    }
}

/// A summary of an hour less one of its samples, where the others cannot be counted anew; `None` where nothing is left.
/// Extremes that go are put as near as the value buckets tell, and the first or the last sample that goes at the edge of
/// the hour, with a value that the others stand for: nothing of the sample is told any more. One whose sketch does not
/// know of the sample stays.
fn without(summary: &Summary, sample: Sample, kind: Kind, hour: i64) -> Option<Summary> {
    let SummaryParts { count, sum, m2, min, max, first, last, increase, mut sketch } = summary.parts();
    let (value, left) = (sample.value(), count.checked_sub(1).filter(|left| *left > 0)?);
    let mut own = Sketch::default();
    if own.record_all(&[value]).is_err() || sketch.subtract(&own).is_err() {
        return Some(summary.clone());
    }
    let (least, greatest) = (sketch.value_buckets().next()?.lower, sketch.value_buckets().last()?.upper);
    // Not clamped to the extremes that there were: one of them is what goes.
    let low = if value <= min { least.min(max) } else { min };
    let high = if value >= max { greatest.max(low) } else { max };
    let rest = sum - value;
    let (mean, mean_left) = (sum / count as f64, rest / left as f64);
    let m2 = (m2 - (value - mean) * (value - mean_left)).max(0.0);
    let increase = match kind {
        Kind::Event => rest,
        Kind::Observation => left as f64,
        // What it grew by may tell of an extreme or an edge that goes.
        Kind::Counter => increase.min(high - low),
        Kind::Gauge => 0.0,
    };
    let edge = |edge: (TimestampMs, f64), (at, instead): (TimestampMs, f64)| {
        let goes = edge.0 == sample.timestamp() && edge.1.to_bits() == value.to_bits();
        let (at, value) = if goes { (at, instead) } else { edge };
        (at, value.clamp(low, high))
    };
    // A counter begins low and ends high.
    let (begin, end) = if kind == Kind::Counter { (low, high) } else { (mean_left, mean_left) };
    let first = edge(first, (chunk::end_of(hour - 1) + DurationMs::from_millis(1), begin));
    let last = edge(last, (chunk::end_of(hour), end));
    let parts = SummaryParts { count: left, sum: rest, m2, min: low, max: high, first, last, increase, sketch };
    Summary::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(values: &[f64], kind: Kind) -> Summary {
        let sample = |(at, value): (usize, &f64)| Sample::new(TimestampMs::new(1_000 + at as i64), *value).unwrap();
        let mut samples = values.iter().enumerate().map(sample);
        let mut summary = Summary::of(samples.next().unwrap(), kind);
        samples.for_each(|each| summary.record(each, kind));
        summary
    }

    #[track_caller]
    fn check(values: &[f64], gone: usize, kind: Kind) {
        let sample = Sample::new(TimestampMs::new(1_000 + gone as i64), values[gone]).unwrap();
        let left: Vec<_> = values.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, value)| *value).collect();
        let (less, anew) = (without(&summary(values, kind), sample, kind, 1).unwrap(), summary(&left, kind));
        assert_eq!((less.count, &less.sketch), (anew.count, &anew.sketch));
        assert!((less.sum - anew.sum).abs() < 1e-9 && (less.m2 - anew.m2).abs() < 1e-6, "{less:?} {anew:?}");
        assert!((less.increase - anew.increase).abs() < 1e-9);
        assert!(less.min <= anew.min && anew.min - less.min < 0.022 * anew.min.abs() + 1e-9, "{less:?} {anew:?}");
        assert!(less.max >= anew.max && less.max - anew.max < 0.022 * anew.max.abs() + 1e-9, "{less:?} {anew:?}");
        let edges = [less.first, less.last];
        assert!(!edges.contains(&sample), "{less:?}");
        let others = |edge: &Sample| (edge.timestamp().get() - 1_000, edge.value());
        let [first, last] = [edges.first(), edges.last()].map(|edge| edge.map(others));
        assert!(gone == 0 || first == Some((0, values[0])), "{less:?}");
        assert!(
            gone == values.len() - 1 || last == Some((values.len() as i64 - 1, values[values.len() - 1])),
            "{less:?}"
        );
    }

    #[test]
    fn a_sample_is_taken_out_of_a_summary() {
        for kind in [Kind::Observation, Kind::Event, Kind::Gauge] {
            for gone in 0..4 {
                check(&[3.0, -1.5, 80.0, 7.0], gone, kind);
                check(&[0.0, 0.0, 5.0, 5.0], gone, kind);
            }
        }
        let one = summary(&[3.0], Kind::Gauge);
        assert_eq!(without(&one, one.first, Kind::Gauge, 1), None);
        // An extreme whose value bucket others share goes too.
        let near = summary(&[3.0, 3.001, 7.0, 6.999], Kind::Gauge);
        let seven = Sample::new(TimestampMs::new(1_002), 7.0).unwrap();
        let less = without(&near, near.first, Kind::Gauge, 1).and_then(|less| without(&less, seven, Kind::Gauge, 1));
        let less = less.unwrap();
        assert!(less.min < 3.0 && less.max > 7.0, "{less:?}");
        let counter = summary(&[10.0, 20.0, 30.0], Kind::Counter);
        let less = without(&counter, counter.last, Kind::Counter, 1).unwrap();
        assert!(less.increase < 10.5, "what it grew by does not tell of the last one: {less:?}");
        assert_eq!((less.first, less.last.timestamp()), (counter.first, chunk::end_of(1)));
        assert!((19.9..20.5).contains(&less.last.value()), "{less:?}");
    }
}
