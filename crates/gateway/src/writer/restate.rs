//! Series shown anew after samples of them were changed.
//!
//! An engine is made of what the store holds of them, on a thread of its own and of a snapshot, while the writer goes
//! on. What it stores of them meanwhile it notes down and adds; then the series of the two engines change places. So a
//! correction holds up neither senders nor questions, however much its series hold.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};

use bellwether_core::engine::{Engine, EngineConfig};
use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::TimestampMs;
use tokio::sync::oneshot;

use super::thread::WriterThread;
use super::{Job, WriteError, Writer};
use crate::hub::{NewMarks, Refill, increment};
use crate::store::{BatchSample, Corrected, Increment, Snapshot, Store, StoreError};

/// Most corrections that are on disk and not shown yet.
pub(super) const MOST_RESTATING: usize = 16;
/// Most samples of the series of all corrections that may come before these are shown; beyond, they are read anew.
pub(super) const MOST_SINCE: usize = 1_000_000;
/// So often series are read anew because more came than could be held. Then the writer makes them itself: senders wait
/// for once, and what was corrected is shown, however fast they send.
const MOST_OUTRUN: u8 = 2;

/// Series that are to be made anew.
pub(crate) struct Order {
    number: u64,
    snapshot: Snapshot,
    series: Vec<SeriesKey>,
    config: EngineConfig,
    now: TimestampMs,
}

/// The end of the thread that makes series anew.
pub(crate) struct Orders(Receiver<Order>);

/// Makes the way of orders.
pub(crate) fn orders() -> (Sender<Order>, Orders) {
    let (sender, receiver) = channel();
    (sender, Orders(receiver))
}

impl Orders {
    /// Makes series anew, one order after the other, until nobody can give one any more.
    pub(crate) fn run(&self, writer: &Writer) {
        while let Ok(order) = self.0.recv() {
            writer.ask(order.job());
        }
    }

    /// The next order that was given, done.
    #[cfg(test)]
    pub(super) fn next_for_tests(&self) -> Option<Job> {
        self.0.try_recv().ok().map(|order| order.job())
    }
}

impl Order {
    fn job(self) -> Job {
        let number = self.number;
        Job::Restated { number, anew: self.make().map(Box::new) }
    }

    /// An engine with nothing but the series as they are in the snapshot.
    fn make(self) -> Result<Engine, StoreError> {
        let Self { snapshot, series, config, now, .. } = self;
        let mut engine = Engine::new(config).map_err(|error| StoreError::Internal { what: error.to_string() })?;
        let mut refill = Refill::new(&mut engine, now);
        let faults = snapshot.replay(&series, now, &mut |piece| {
            refill.take(piece);
            ControlFlow::Continue(())
        })?;
        for fault in &faults {
            tracing::error!(%fault, "the store holds a damaged record");
        }
        Ok(engine)
    }
}

/// Whoever asked for a correction, and what it is told once that is shown.
pub(super) type Told = (oneshot::Sender<Result<Corrected, WriteError>>, Corrected);

/// Series that are to be shown as the store holds them.
#[derive(Default)]
pub(super) struct ToShow {
    pub(super) series: BTreeSet<SeriesKey>,
    /// Whoever is to be told once they are shown.
    pub(super) told: Vec<Told>,
    /// How often more came of them than could be held before they were shown.
    pub(super) outrun: u8,
}

/// Series of which an engine is being made.
pub(super) struct Restating {
    number: u64,
    to_show: ToShow,
    marks: NewMarks,
    /// The place of the change in the stream.
    seq: u64,
    since: Since,
}

#[cfg(test)]
impl Restating {
    /// How much is noted down for it; `None` where it was too much.
    pub(super) fn held(&self) -> Option<usize> {
        (!self.since.overflowed).then(|| self.since.len())
    }
}

/// What was stored of series since the snapshot.
#[derive(Default)]
struct Since {
    samples: Vec<(SeriesKey, Kind, Sample)>,
    increments: Vec<Increment>,
    /// Whether it was too much to be held.
    overflowed: bool,
}

impl Since {
    fn len(&self) -> usize {
        self.samples.len() + self.increments.len()
    }

    fn add_to(self, engine: &mut Engine, now: TimestampMs) {
        for (key, kind, sample) in self.samples {
            if let Ok(id) = engine.series(&key, Some(kind)) {
                let _older = engine.record(id, sample, now);
            }
        }
        for Increment { series, kind, summary } in self.increments {
            if let Ok(id) = engine.series(&series, Some(kind)) {
                let _older = increment(engine, id, &summary, now);
            }
        }
    }
}

impl<S: Store> WriterThread<S> {
    /// Has series made anew as the store now holds them. Where the store cannot be read, they are in doubt until it can.
    pub(super) fn restate(&mut self, to_show: ToShow, marks: NewMarks, seq: u64, now: TimestampMs) {
        let snapshot = match self.store.snapshot() {
            Ok(snapshot) => snapshot,
            Err(error) => {
                self.complain(&error);
                return self.doubt(to_show);
            }
        };
        let number = self.next_restating;
        self.next_restating += 1;
        let (series, config) = (to_show.series.iter().cloned().collect(), self.hub.config());
        let order = Order { number, snapshot, series, config, now };
        let outrun = to_show.outrun;
        self.restating.push(Restating { number, to_show, marks, seq, since: Since::default() });
        if outrun >= MOST_OUTRUN {
            tracing::warn!("more came of corrected series than could be held: senders wait until they are shown");
            return self.restated(number, order.make().map(Box::new), now);
        }
        // The thread is gone only when the gateway ends.
        let _ended = self.orders.send(order);
    }

    /// Notes down what is stored of series that are being made anew.
    pub(super) fn note_since(&mut self, stored: &[(u64, Vec<BatchSample>)], increments: &[Increment]) {
        let mut held: usize = self.restating.iter().map(|each| each.since.len()).sum();
        for Restating { to_show: ToShow { series, .. }, since, .. } in
            self.restating.iter_mut().filter(|each| !each.since.overflowed)
        {
            held -= since.len();
            // Samples of one series mostly stand together: it is looked for once.
            let mut before: Option<(&SeriesKey, bool)> = None;
            for each in stored.iter().flat_map(|(_, samples)| samples) {
                let taken = match before {
                    Some((before, taken)) if before.is_clone_of(&each.series) => taken,
                    _ => series.contains(&each.series),
                };
                before = Some((&each.series, taken));
                if taken {
                    since.samples.push((each.series.clone(), each.kind, each.sample));
                }
            }
            since.increments.extend(increments.iter().filter(|each| series.contains(&each.series)).cloned());
            if held + since.len() > self.most_since {
                *since = Since { overflowed: true, ..Since::default() };
            }
            held += since.len();
        }
    }

    /// Answers those whose corrections are not shown yet, for the gateway ends: they are on disk, and the next start
    /// shows them.
    pub(super) fn tell_of_what_is_on_disk(&mut self) {
        let told = self.restating.drain(..).flat_map(|restating| restating.to_show.told);
        for (reply, corrected) in told.chain(std::mem::take(&mut self.unsure.told)) {
            // The asker may have gone away; it is changed all the same.
            let _gone = reply.send(Ok(corrected));
        }
    }

    /// Shows series that were made anew.
    pub(super) fn restated(&mut self, number: u64, anew: Result<Box<Engine>, StoreError>, now: TimestampMs) {
        let Some(place) = self.restating.iter().position(|each| each.number == number) else { return };
        let Restating { to_show, marks, seq, since, .. } = self.restating.remove(place);
        match anew {
            Ok(mut anew) if !since.overflowed => {
                since.add_to(&mut anew, now);
                let series: Vec<_> = to_show.series.into_iter().collect();
                self.hub.restate(&series, *anew, marks, seq);
                for (reply, corrected) in to_show.told {
                    // The asker may have gone away; it is changed all the same.
                    let _gone = reply.send(Ok(corrected));
                }
            }
            Ok(_) => self.doubt(ToShow { outrun: to_show.outrun + 1, ..to_show }),
            Err(error) => {
                self.complain(&error);
                self.doubt(to_show);
            }
        }
    }

    /// Leaves series to be shown as soon as the store can be read.
    fn doubt(&mut self, to_show: ToShow) {
        self.unsure.series.extend(to_show.series);
        self.unsure.told.extend(to_show.told);
        self.unsure.outrun = self.unsure.outrun.max(to_show.outrun);
    }
}
