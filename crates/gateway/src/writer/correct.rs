//! Corrections on the thread that writes: made durable here, then shown anew, then answered.

use std::collections::BTreeSet;

use bellwether_core::time::TimestampMs;
use tokio::sync::oneshot;

use super::WriteError;
use super::restate::{MOST_RESTATING, ToShow};
use super::thread::WriterThread;
use crate::hub::NewMarks;
use crate::store::{Change, Corrected, Correction, Store, Whereabouts};

impl<S: Store> WriterThread<S> {
    /// Changes stored samples; `reply` is answered once what is left is shown.
    pub(super) fn correct(
        &mut self,
        asked: &Correction,
        found: &Whereabouts,
        now: TimestampMs,
        reply: oneshot::Sender<Result<Corrected, WriteError>>,
    ) {
        let refused = match self.change(asked, found, now) {
            Ok(Corrected::Done { id, seq, at, samples, restated, untold }) => {
                let series: BTreeSet<_> = restated.iter().map(|(key, _)| key.clone()).collect();
                let marks = NewMarks::Changed { untold: untold.clone(), restated: restated.clone() };
                let done = Corrected::Done { id, seq, at, samples, restated, untold };
                let to_show = ToShow { series, told: vec![(reply, done)], outrun: 0 };
                return self.restate(to_show, marks, seq, now);
            }
            refused => refused,
        };
        // The asker may have gone away.
        let _gone = reply.send(refused);
    }

    fn change(&mut self, asked: &Correction, found: &Whereabouts, now: TimestampMs) -> Result<Corrected, WriteError> {
        if self.restating.len() >= MOST_RESTATING {
            return Err(WriteError::Overloaded);
        }
        // Since it was asked for, the search took its time.
        let asked = &Correction { now, ..asked.clone() };
        if let Change::Correct { timestamp: Some(timestamp), .. } = asked.change {
            let oldest = now - self.retention.raw;
            self.hub.accepts(timestamp, oldest, now).map_err(|reason| WriteError::OutOfTime { reason })?;
        }
        let corrected = self.store.correct(asked, found);
        // The call may have opened the file anew, and what was in doubt is then known.
        self.show_resurfaced(now);
        corrected.map_err(|error| {
            self.complain(&error);
            // It may have reached the disk all the same.
            self.unsure.series.extend(self.store.series_of(found));
            WriteError::Store { reason: error.to_string() }
        })
    }

    /// Has series shown anew of which it is in doubt what the store holds, once that can be read.
    pub(crate) fn show_unsure(&mut self, now: TimestampMs) {
        if self.unsure.series.is_empty() || self.restating.len() >= MOST_RESTATING {
            return;
        }
        let Ok(mut marks) = self.store.restated() else { return };
        marks.retain(|(series, _)| self.unsure.series.contains(series));
        let to_show = std::mem::take(&mut self.unsure);
        self.restate(to_show, NewMarks::All(marks), self.store.seq(), now);
    }
}
