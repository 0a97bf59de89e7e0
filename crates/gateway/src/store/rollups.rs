//! A long past, from the summaries of its hours: what a question asks that the engine in memory cannot answer.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use bellwether_core::time::{DurationMs, TimestampMs};

use super::chunk::{end_of, hour_of, last_over};
use super::error::{StoreError, While};
use super::export::Selection;
use super::fault::{Fault, Faults, Place};
use super::recovery::Recovered;
use super::redb_store::shielded;
use super::series::SeriesIx;
use super::snapshot::{DOING, Snapshot};
use super::{StoredSeries, histograms, hour, tables};

impl Snapshot {
    /// Streams the past of the selected series to `each`: summaries of the hours that ended by `raw_from`, then
    /// raw samples of what lies after it, and what is older and not sealed yet. Each sample comes once, in one
    /// form or the other; the hour that `selection` begins in comes whole. Where `each` breaks, nothing more is
    /// read. Returns the damage that was met. Cost: reads the hours that are asked for, and the raw samples.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    pub fn past(
        &self,
        selection: &Selection,
        raw_from: TimestampMs,
        each: &mut dyn FnMut(Recovered<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Fault>, StoreError> {
        shielded(|| self.past_of_series(selection, end_of(last_over(raw_from)), each))
    }

    fn past_of_series(
        &self,
        selection: &Selection,
        edge: TimestampMs,
        each: &mut dyn FnMut(Recovered<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Faults::default();
        let all = self.series(&mut faults)?.into_iter();
        let all = all.map(|(ix, (key, kind))| StoredSeries { ix, key, kind });
        let wanted: BTreeMap<SeriesIx, StoredSeries> =
            all.filter(|series| selection.wants(series)).map(|series| (series.ix, series)).collect();
        let until = Selection { to: edge.min(selection.to), ..selection.clone() };
        let tail = self.tail_of(&wanted, &until, &mut faults)?;
        let hours = [Some(self.table(tables::HOURS)?), self.table_if_there(tables::POINT_HOURS)?];
        let points = self.table_if_there(tables::POINTS)?;
        let (first, last) = (hour_of(TimestampMs::new(selection.from.get().saturating_add(1))), hour_of(until.to));
        for series in wanted.values() {
            let ix = series.ix;
            if each(Recovered::Series(series)).is_break() {
                return Ok(faults.named);
            }
            let of_series = hours.iter().flatten().map(|hours| hours.range((ix.0, first)..=(ix.0, last)));
            for row in of_series.collect::<Result<Vec<_>, _>>().while_doing(DOING)?.into_iter().flatten() {
                let (row, record) = row.while_doing(DOING)?;
                let (_, hour) = row.value();
                let summary = match hour::decode(ix, hour, record.value()) {
                    Ok(summary) => summary,
                    Err(reason) => {
                        faults.add(Fault { place: Place::Hour { series: ix, end: end_of(hour) }, reason });
                        continue;
                    }
                };
                let width = DurationMs::from_hours(1);
                let piece = Recovered::Hour { series: ix, width, bucket_end: end_of(hour), summary: &summary };
                if each(piece).is_break() {
                    return Ok(faults.named);
                }
            }
            let after = ((ix.0, edge.max(selection.from).get().saturating_add(1)), (ix.0, selection.to.get()));
            if let Some(points) = points.as_ref().filter(|_| after.0 <= after.1) {
                for row in points.range(after.0..=after.1).while_doing(DOING)? {
                    let (row, record) = row.while_doing(DOING)?;
                    let at = TimestampMs::new(row.value().1);
                    match histograms::decode_point(ix, at, record.value()) {
                        Ok((_, None)) => {}
                        Ok((_, Some(summary))) => {
                            let (width, bucket_end) = histograms::second_of(at);
                            let piece = Recovered::Hour { series: ix, width, bucket_end, summary: &summary };
                            if each(piece).is_break() {
                                return Ok(faults.named);
                            }
                        }
                        Err(reason) => faults.add(Fault { place: Place::Point { series: ix, at }, reason }),
                    }
                }
            }
            let of_tail = tail.get(&ix).into_iter().flatten();
            let samples: Vec<_> = of_tail.map(|stored| stored.sample).collect();
            if !samples.is_empty() && each(Recovered::Samples { series: ix, samples: &samples }).is_break() {
                return Ok(faults.named);
            }
        }
        let after = Selection { from: edge.max(selection.from), ..selection.clone() };
        if after.from < after.to {
            let of_chunks = self.export_series(&after, &mut |row| {
                each(Recovered::Samples { series: row.series.ix, samples: &[row.stored.sample] })
            })?;
            for fault in of_chunks {
                faults.add(fault);
            }
        }
        Ok(faults.named)
    }
}
