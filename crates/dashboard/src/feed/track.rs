//! The engine behind one subscription, and the one that is filled to take its place.

use bellwether_core::engine::{Engine, EngineConfig};
use bellwether_core::time::TimestampMs;
use bellwether_wire::feed::{FeedFrame, FeedHeader, Follow, Phase, Point};
use bellwether_wire::frame::{RestatedSpan, Resume, Selection};

use super::left_out::LeftOut;
use super::{Completeness, MOST_SERIES};

/// After each subscription a fresh engine is filled beside the one that is on screen and takes its place
/// when its history is complete: nothing is counted twice, and the screen never empties. Where a connection
/// was cut, the engine on screen goes on instead, with what came meanwhile, if the gateway still has that.
///
/// A subscription may follow another before the gateway has answered that one, whose frames are still on
/// their way. The gateway answers each in turn, so that counting the answers tells whose a history is.
#[derive(Debug, Default)]
pub(super) struct Track {
    complete: Option<Filled>,
    filling: Option<Filled>,
    /// To be filled where the gateway has not what came meanwhile.
    spare: Option<Engine>,
    /// What the complete engine is of; `None` where the gateway left out a part of it.
    asked: Option<Vec<Selection>>,
    /// Up to where the complete engine has all.
    place: Option<Resume>,
    /// Whether this connection has answered the last subscription.
    live: bool,
    /// Subscriptions of this connection that the gateway has not answered yet.
    unanswered: usize,
}

/// An engine, and what it lacks of that which it is filled with.
#[derive(Debug)]
struct Filled {
    engine: Engine,
    left_out: LeftOut,
    /// Where samples were changed after they were stored.
    restated: Vec<RestatedSpan>,
}

/// What a frame has brought.
pub(super) struct Taken {
    /// Points of all series.
    pub(super) points: usize,
    /// Whether a series was left out that was not before.
    pub(super) refused: bool,
}

impl Track {
    /// Begins to fill `engine`, with what a subscription to `asked` that is now sent brings; or has that
    /// resume from the place that is returned.
    pub(super) fn begin(&mut self, engine: Engine, asked: &[Selection]) -> Option<Resume> {
        self.unanswered += 1;
        let cut_off = !std::mem::take(&mut self.live) && self.filling.is_none();
        let the_same = self.asked.as_deref() == Some(asked)
            && self.complete.as_ref().is_none_or(|complete| complete.left_out.is_empty());
        if let Some(place) = self.place.filter(|_| cut_off && the_same) {
            self.spare = Some(engine);
            return Some(place);
        }
        self.asked = Some(asked.to_vec());
        self.fill(Some(engine));
        None
    }

    /// What came meanwhile is gone: the history comes anew.
    pub(super) fn gap(&mut self) {
        let spare = self.spare.take();
        self.fill(spare);
    }

    fn fill(&mut self, engine: Option<Engine>) {
        self.filling = engine.map(|engine| Filled { engine, left_out: LeftOut::default(), restated: Vec::new() });
        self.place = None;
    }

    /// What the engine lacks that [`Self::engine`] gives.
    pub(super) fn lacking(&self) -> Option<&LeftOut> {
        self.complete.as_ref().or(self.filling.as_ref()).map(|filled| &filled.left_out)
    }

    /// Where samples were changed that the engine has that [`Self::engine`] gives.
    pub(super) fn restated(&self) -> &[RestatedSpan] {
        self.complete.as_ref().map_or(&[], |filled| &filled.restated)
    }

    /// What the engine of the last subscription lacks.
    pub(super) fn left_out(&mut self) -> Option<&mut LeftOut> {
        self.filling.as_mut().or(self.complete.as_mut()).map(|filled| &mut filled.left_out)
    }

    /// The gateway leaves out a part of what was asked for: the subscription cannot be resumed as it was.
    pub(super) fn is_partial(&mut self) {
        self.asked = None;
    }

    /// A gateway that knows no `resume` has refused the subscription as a whole: the next one asks anew. `false` where
    /// it did not ask to resume.
    pub(super) fn resume_refused(&mut self) -> bool {
        let asked = self.spare.take().is_some();
        if asked {
            self.unanswered = self.unanswered.saturating_sub(1);
            self.asked = None;
        }
        asked
    }

    /// Gives up its engines; a subscription to nothing that is now sent will be answered as any other.
    pub(super) fn end(&mut self) {
        self.give_up();
        self.unanswered += 1;
    }

    /// A subscription was refused; `true` where that is what was asked for last, which will not come then.
    pub(super) fn refused(&mut self) -> bool {
        self.unanswered = self.unanswered.saturating_sub(1);
        let the_last = self.unanswered == 0;
        if the_last {
            self.give_up();
        }
        the_last
    }

    /// Whether the gateway still owes an answer.
    pub(super) const fn is_owed(&self) -> bool {
        self.unanswered > 0
    }

    /// Gives up its engines.
    pub(super) fn give_up(&mut self) {
        *self = Self { unanswered: self.unanswered, ..Self::default() };
    }

    /// A new connection: nothing of the one before is on its way any more.
    pub(super) fn connected(&mut self) {
        self.unanswered = 0;
        self.live = false;
    }

    /// All up to `place` has come; `true` where that is what was asked for last, and was not given up meanwhile: what was
    /// filled is what counts.
    /// Samples were changed where `restated` says.
    pub(super) fn complete(&mut self, place: Resume, restated: Vec<RestatedSpan>) -> bool {
        self.unanswered = self.unanswered.saturating_sub(1);
        if self.unanswered > 0 {
            return false;
        }
        if let Some(filled) = self.filling.take() {
            self.complete = Some(filled);
        }
        let Some(complete) = &mut self.complete else { return false };
        complete.restated = restated;
        self.place = Some(place);
        self.live = true;
        true
    }

    /// All up to batch `seq` was sent.
    pub(super) fn reach(&mut self, seq: u64) {
        if let (true, Some(place)) = (self.live, &mut self.place) {
            place.seq = seq;
        }
    }

    /// Whether history is on its way.
    pub(super) fn is_filling(&self) -> bool {
        self.filling.is_some()
    }

    /// Whether the engine on screen has all, and what comes is for it.
    pub(super) fn is_live(&self) -> bool {
        self.live && self.complete.is_some()
    }

    /// Gives up the engine on screen while another is filled; `false` where there are not two.
    pub(super) fn drop_the_old(&mut self) -> bool {
        self.filling.is_some() && self.complete.take().is_some()
    }

    /// The engine with a whole history, else the one that is being filled, as soon as it holds something.
    pub(super) fn engine(&self) -> Option<(&Engine, Completeness)> {
        let complete = self.complete.as_ref().map(|complete| (&complete.engine, Completeness::Complete));
        complete.or_else(|| {
            let filling = self.filling.as_ref().filter(|filling| filling.engine.series_count() > 0)?;
            Some((&filling.engine, Completeness::Filling))
        })
    }

    /// Evicts what has left the tiers by `now`.
    pub(super) fn advance(&mut self, now: TimestampMs) {
        for filled in [&mut self.complete, &mut self.filling].into_iter().flatten() {
            filled.engine.advance(now);
        }
    }

    /// Bytes and series of both engines.
    pub(super) fn weight(&self) -> (usize, usize) {
        [&self.complete, &self.filling]
            .into_iter()
            .flatten()
            .map(|filled| filled.engine.memory())
            .fold((0, 0), |(bytes, series), memory| (bytes + memory.bytes, series + memory.series))
    }

    /// Records a history in the engine that is being filled, and live values in the one on screen: until the
    /// history is complete they are of the subscription before, and the history holds them as well.
    pub(super) fn take(&mut self, frame: &FeedFrame, now: TimestampMs) -> Option<Taken> {
        let Filled { engine, left_out, .. } = match frame.header.phase {
            Phase::History if self.unanswered > 1 => None,
            Phase::History => self.filling.as_mut().or(self.complete.as_mut()),
            Phase::Live => {
                let FeedHeader { epoch, seq, follow, .. } = frame.header;
                // Cut off in the middle of what belongs together, it could not go on.
                let place = (follow == Follow::End).then_some(Resume { epoch, seq });
                self.place = place.filter(|_| self.filling.is_none());
                self.complete.as_mut()
            }
        }?;
        let mut taken = Taken { points: 0, refused: false };
        for series in &frame.series {
            let id = match engine.series(&series.key, Some(series.kind)) {
                Ok(id) => id,
                Err(error) => {
                    taken.refused |= left_out.note(&series.key, &error);
                    continue;
                }
            };
            for point in series.points() {
                taken.points += 1;
                // What is older than everything kept has left the tiers while it was on its way.
                let _ = match point {
                    Point::Sample(sample) => engine.record(id, sample, now).is_ok(),
                    Point::Summary(bucket) => {
                        engine.merge(id, frame.header.step, bucket.end, &bucket.summary, now).is_ok()
                    }
                };
            }
        }
        Some(taken)
    }
}

/// What an engine of the page keeps, of at most `series` series.
pub(super) fn config(series: usize) -> EngineConfig {
    EngineConfig { max_series: series, max_series_per_metric: series, ..EngineConfig::page() }
}

/// What an engine of the past keeps: minutes too, for it is not filled any further, and who looks back looks closely.
pub(super) fn config_of_past() -> EngineConfig {
    EngineConfig { max_series: MOST_SERIES, max_series_per_metric: MOST_SERIES, ..EngineConfig::default() }
}
