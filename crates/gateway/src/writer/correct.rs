//! Corrections on the thread that writes: made durable, then shown, then answered.

use std::collections::HashMap;
use std::ops::ControlFlow;

use bellwether_core::labels::SeriesKey;
use bellwether_core::time::TimestampMs;

use super::WriteError;
use super::thread::WriterThread;
use crate::clock;
use crate::hub::{NewMarks, Piece};
use crate::store::{Change, Corrected, Correction, Recovered, SeriesIx, Store, StoreError, Whereabouts};

impl<S: Store> WriterThread<S> {
    /// Changes stored samples and shows what is left.
    pub(super) fn correct(&mut self, asked: &Correction, found: &Whereabouts) -> Result<Corrected, WriteError> {
        // Since it was asked for, the search took its time.
        let now = clock::now();
        let asked = &Correction { now, ..asked.clone() };
        if let Change::Correct { timestamp: Some(timestamp), .. } = asked.change {
            let oldest = now - self.retention.raw;
            self.hub.accepts(timestamp, oldest, now).map_err(|reason| WriteError::OutOfTime { reason })?;
        }
        let corrected = self.store.correct(asked, found);
        // The call may have opened the file anew, and what was in doubt is then known.
        self.show_resurfaced(now);
        match corrected {
            Ok(Corrected::Done { id, seq, at, samples, restated, untold }) => {
                let mut series: Vec<SeriesKey> = restated.iter().map(|(key, _)| key.clone()).collect();
                series.dedup();
                let marks = NewMarks::Changed { untold: untold.clone(), restated: restated.clone() };
                if let Err(error) = self.restate(&series, marks, seq, now) {
                    // It is on disk; it is shown as soon as the store can be read.
                    self.complain(&error);
                    self.unsure.extend(series);
                }
                Ok(Corrected::Done { id, seq, at, samples, restated, untold })
            }
            Ok(other) => Ok(other),
            Err(error) => {
                self.complain(&error);
                // It may have reached the disk all the same.
                self.unsure.extend(self.store.series_of(found));
                Err(WriteError::Store { reason: error.to_string() })
            }
        }
    }

    /// Shows series anew of which it is in doubt whether a correction reached the disk, once that can be read.
    pub(super) fn show_unsure(&mut self, now: TimestampMs) {
        if self.unsure.is_empty() {
            return;
        }
        let Ok(mut marks) = self.store.restated() else { return };
        marks.retain(|(series, _)| self.unsure.contains(series));
        let series: Vec<_> = self.unsure.iter().cloned().collect();
        let seq = self.store.seq();
        if self.restate(&series, NewMarks::All(marks), seq, now).is_ok() {
            self.unsure.clear();
        }
    }

    fn restate(&self, series: &[SeriesKey], marks: NewMarks, seq: u64, now: TimestampMs) -> Result<(), StoreError> {
        let mut names: HashMap<SeriesIx, SeriesKey> = HashMap::new();
        let mut pieces = Vec::new();
        let faults = self.store.replay_series(series, now, &mut |piece| {
            match piece {
                Recovered::Series(series) => {
                    names.insert(series.ix, series.key.clone());
                }
                Recovered::Hour { series, width, bucket_end, summary } => {
                    if let Some(series) = names.get(&series).cloned() {
                        let summary = Box::new(summary.clone());
                        pieces.push(Piece::Summary { series, width, end: bucket_end, summary });
                    }
                }
                Recovered::Samples { series, samples } => {
                    if let Some(series) = names.get(&series).cloned() {
                        pieces.push(Piece::Samples { series, samples: samples.to_vec() });
                    }
                }
            }
            ControlFlow::Continue(())
        })?;
        for fault in &faults {
            tracing::error!(%fault, "the store holds a damaged record");
        }
        self.hub.restate(series, &pieces, marks, seq, now);
        Ok(())
    }
}
