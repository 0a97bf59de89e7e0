//! Every stored sample of a selection, series by series and in the order of time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use bellwether_core::labels::MetricName;
use bellwether_core::selector::Matcher;
use bellwether_core::summary::Summary;
use bellwether_core::time::TimestampMs;
use redb::ReadableTable;

use super::chunk::{self, ChunkKey, end_of, hour_of};
use super::error::{StoreError, While};
use super::fault::{Fault, Faults, Place};
use super::redb_store::shielded;
use super::series::SeriesIx;
use super::snapshot::{DOING, Snapshot};
use super::{StoredSample, StoredSeries, batch, histograms, tables};

/// Which samples are asked for; all of them by default.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// Only these metrics; all where it is empty.
    pub metrics: BTreeSet<MetricName>,
    /// Only series whose labels meet all of these.
    pub matchers: Vec<Matcher>,
    /// Only samples with timestamps after this one.
    pub from: TimestampMs,
    /// Only samples with timestamps up to this one.
    pub to: TimestampMs,
}

impl Default for Selection {
    fn default() -> Self {
        let (from, to) = (TimestampMs::new(i64::MIN), TimestampMs::new(i64::MAX));
        Self { metrics: BTreeSet::new(), matchers: Vec::new(), from, to }
    }
}

impl Selection {
    pub(super) fn wants(&self, series: &StoredSeries) -> bool {
        (self.metrics.is_empty() || self.metrics.contains(&series.key.metric))
            && self.matchers.iter().all(|matcher| matcher.matches(&series.key.labels))
    }

    fn holds(&self, timestamp: TimestampMs) -> bool {
        self.from < timestamp && timestamp <= self.to
    }
}

/// A sample with everything that is known of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exported<'a> {
    /// Whose it is.
    pub series: &'a StoredSeries,
    /// The unit that senders declared of the metric.
    pub unit: Option<&'a str>,
    /// The sample and its reference.
    pub stored: &'a StoredSample,
}

/// What a histogram added, with everything that is known of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExportedHistogram<'a> {
    /// Whose it is.
    pub series: &'a StoredSeries,
    /// The unit that senders declared of the metric.
    pub unit: Option<&'a str>,
    /// The instant of the histogram.
    pub at: TimestampMs,
    /// What it added.
    pub summary: &'a Summary,
}

impl Snapshot {
    /// Gives what every histogram of `selection` added to `each`: series in the order in which they first came,
    /// each in the order of time; one that added nothing is left out. Where `each` breaks, nothing more is read.
    /// Returns the damage that was met. Cost: reads the histograms that are asked for.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    pub fn export_histograms(
        &self,
        selection: &Selection,
        each: &mut dyn FnMut(ExportedHistogram<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Fault>, StoreError> {
        shielded(|| {
            let mut faults = Faults::default();
            let Some(points) = self.table_if_there(tables::POINTS)? else { return Ok(Vec::new()) };
            // What is damaged of names and declarations is told with the samples.
            let declared = self.declarations(&mut Faults::default())?;
            let (first, last) = (selection.from.get().saturating_add(1), selection.to.get());
            for (ix, (key, kind)) in self.series(&mut Faults::default())? {
                let series = StoredSeries { ix, key, kind };
                if !selection.wants(&series) {
                    continue;
                }
                let unit = declared.get(&series.key.metric).and_then(|declaration| declaration.unit.as_deref());
                for row in points.range((ix.0, first)..=(ix.0, last)).while_doing(DOING)? {
                    let (row, record) = row.while_doing(DOING)?;
                    let at = TimestampMs::new(row.value().1);
                    match histograms::decode_point(ix, at, record.value()) {
                        Ok((_, None)) => {}
                        Ok((_, Some(summary))) => {
                            let row = ExportedHistogram { series: &series, unit, at, summary: &summary };
                            if each(row).is_break() {
                                return Ok(faults.named);
                            }
                        }
                        Err(reason) => faults.add(Fault { place: Place::Point { series: ix, at }, reason }),
                    }
                }
            }
            Ok(faults.named)
        })
    }

    /// Gives every sample of `selection` to `each`: series in the order in which they first came, samples in
    /// the order of time, equal timestamps in the order in which they came. Where `each` breaks, nothing more
    /// is read. Returns the damage that was met: where there is any, samples are missing.
    /// Cost: reads the chunks that are asked for; holds an hour of one series, and of the tail what is asked
    /// for.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    pub fn export(
        &self,
        selection: &Selection,
        each: &mut dyn FnMut(Exported<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Fault>, StoreError> {
        shielded(|| self.export_series(selection, each))
    }

    pub(super) fn export_series(
        &self,
        selection: &Selection,
        each: &mut dyn FnMut(Exported<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Faults::default();
        let all = self.series(&mut faults)?.into_iter();
        let all = all.map(|(ix, (key, kind))| StoredSeries { ix, key, kind });
        let wanted: BTreeMap<SeriesIx, StoredSeries> =
            all.filter(|series| selection.wants(series)).map(|series| (series.ix, series)).collect();
        let declared = self.declarations(&mut faults)?;
        let mut tail = self.tail_of(&wanted, selection, &mut faults)?;
        let chunks = self.table(tables::CHUNKS)?;
        let first = hour_of(TimestampMs::new(selection.from.get().saturating_add(1)));
        let last = hour_of(selection.to);
        for series in wanted.values() {
            let unit = declared.get(&series.key.metric).and_then(|declaration| declaration.unit.as_deref());
            let give = |stored: &StoredSample| each(Exported { series, unit, stored });
            let of_tail = tail.remove(&series.ix).unwrap_or_default();
            let mut run = Run { waiting: of_tail.into_iter().peekable(), hour: None, samples: Vec::new(), give };
            for row in chunks.range((series.ix.0, first, 0)..=(series.ix.0, last, u32::MAX)).while_doing(DOING)? {
                let (row, record) = row.while_doing(DOING)?;
                let key = ChunkKey::of_row(row.value());
                if run.enter(key.hour).is_break() {
                    return Ok(faults.named);
                }
                match chunk::decode(key, record.value()) {
                    Ok(samples) => {
                        run.samples.extend(samples.into_iter().filter(|each| selection.holds(each.sample.timestamp())));
                    }
                    Err(reason) => faults.add(Fault { place: key.place(), reason }),
                }
            }
            if run.end().is_break() {
                return Ok(faults.named);
            }
        }
        Ok(faults.named)
    }

    /// What is not sealed of the wanted series, ordered by time.
    pub(super) fn tail_of(
        &self,
        wanted: &BTreeMap<SeriesIx, StoredSeries>,
        selection: &Selection,
        faults: &mut Faults,
    ) -> Result<BTreeMap<SeriesIx, Vec<StoredSample>>, StoreError> {
        let sealing = self.sealing()?;
        let mut tail: BTreeMap<SeriesIx, Vec<StoredSample>> = BTreeMap::new();
        for row in self.table(tables::TAIL)?.iter().while_doing(DOING)? {
            let (seq, record) = row.while_doing(DOING)?;
            let seq = seq.value();
            let batch = match batch::decode(seq, record.value()) {
                Ok(batch) => batch,
                Err(reason) => {
                    faults.add(Fault { place: Place::Batch { seq }, reason });
                    continue;
                }
            };
            for each in batch.samples {
                let timestamp = each.sample.timestamp();
                let sealed = sealing.holds(seq, each.series, timestamp);
                if !sealed && selection.holds(timestamp) && wanted.contains_key(&each.series) {
                    let stored = StoredSample { sample: each.sample, reference: each.reference };
                    tail.entry(each.series).or_default().push(stored);
                }
            }
        }
        for samples in tail.values_mut() {
            chunk::sort(samples);
        }
        Ok(tail)
    }
}

/// One series on its way out: the samples of an hour, from chunks and tail.
struct Run<G> {
    /// The tail's samples that are not given yet, ordered by time.
    waiting: std::iter::Peekable<std::vec::IntoIter<StoredSample>>,
    hour: Option<i64>,
    samples: Vec<StoredSample>,
    give: G,
}

impl<G: FnMut(&StoredSample) -> ControlFlow<()>> Run<G> {
    /// Comes to a chunk of `hour`; gives what lies before.
    fn enter(&mut self, hour: i64) -> ControlFlow<()> {
        match self.hour.replace(hour) {
            Some(before) if before != hour => self.flush(end_of(before)),
            _ => ControlFlow::Continue(()),
        }
    }

    fn end(&mut self) -> ControlFlow<()> {
        self.flush(TimestampMs::new(i64::MAX))
    }

    fn flush(&mut self, through: TimestampMs) -> ControlFlow<()> {
        while let Some(sample) = self.waiting.next_if(|each| each.sample.timestamp() <= through) {
            self.samples.push(sample);
        }
        // Stable, and of equal timestamps the sealed ones came first.
        chunk::sort(&mut self.samples);
        for sample in self.samples.drain(..) {
            (self.give)(&sample)?;
        }
        ControlFlow::Continue(())
    }
}
