//! The hub: the engine, the alerts and the live connections under one lock, so that a sample is in
//! a subscription's history or in its live values, never in both or in neither.

mod admission;
mod bygone;
mod courier;
mod encode;
mod fanout;
mod feed;
mod gather;
mod history;
mod joining;
mod log;
mod news;
mod pack;
mod past;
mod queue;
mod recovery;
mod refill;
mod restated;
mod units;
mod years;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bellwether_core::alerts::{Alert, Alerts};
use bellwether_core::board::Board;
use bellwether_core::engine::{ConfigError, Engine, EngineConfig, Memory, MergeError, SeriesId};
use bellwether_core::labels::{MetricName, SeriesKey};
use bellwether_core::query::{Answer, Expression, Group, QueryError};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::scorecard::{Scorecard, ScorecardError, scorecard};
use bellwether_core::summary::Summary;
use bellwether_core::time::TimestampMs;
use bellwether_core::watch::Watches;
use bellwether_wire::frame::{ErrorFrame, ServerFrame, Subscribe, Tick};

pub(crate) use admission::{Admission, AdmittedHistogram};
pub(crate) use bygone::AskedPast;
pub(crate) use courier::{Courier, Direct, Rounds, Sent};
pub(crate) use fanout::ConnectionId;
pub(crate) use news::News;
pub(crate) use past::Past;
pub(crate) use queue::{Frame, LiveRoom, Outbound, QueueReceiver, Replies};
pub(crate) use recovery::{Recovery, recover};
pub(crate) use refill::Refill;
pub(crate) use restated::NewMarks;
pub(crate) use units::Units;
pub(crate) use years::{PastError, engine_of_past};

use crate::store::{BatchSample, Increment};
use fanout::{Fanout, Stragglers};
use feed::{BadStep, Feed, Place, STEP, step_end};
use gather::{Bounds, Gathering, NoRoom, Progress, Refused, Waiting};
use restated::Restated;

/// Most subscriptions of one connection.
const MAX_SUBSCRIPTIONS: usize = 16;
/// Most histories that wait to be sent on one connection.
const MAX_HISTORIES_WAITING: usize = MAX_SUBSCRIPTIONS;
/// How long others have the hub for themselves between two slices of a history.
const BREATH: Duration = Duration::from_millis(1);

/// What the gateway says of itself to a new connection.
#[derive(Clone, Debug)]
pub(crate) struct Greeting {
    pub(crate) board: Arc<Board>,
    /// Whether the page must say that it shows a simulation.
    pub(crate) demo: bool,
    pub(crate) version: &'static str,
}

/// The hub.
pub(crate) struct Hub {
    greeting: Greeting,
    /// Of each connection.
    room: LiveRoom,
    state: Mutex<State>,
}

struct State {
    engine: Engine,
    /// The figures of the rules, kept from one second to the next; of this engine only.
    watches: Watches,
    alerts: Alerts,
    /// The alerts as they were last sent.
    alerts_sent: Vec<Alert>,
    place: Place,
    fanout: Fanout,
    histories: Waiting,
    restated: Restated,
}

/// Why a subscription was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SubscribeError {
    #[error("{MAX_SUBSCRIPTIONS} subscriptions are open on this connection; take an id again to replace one")]
    TooManySubscriptions,
    #[error("{MAX_HISTORIES_WAITING} histories wait to be sent already; read them before asking for more")]
    TooManyHistories,
    /// Of all connections together: it is not this one's fault, and soon over.
    #[error("too much history waits to be sent to others; connect again")]
    Busy,
    #[error(transparent)]
    Step(#[from] BadStep),
}

impl SubscribeError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::TooManySubscriptions => "too_many_subscriptions",
            Self::TooManyHistories => "too_many_histories",
            Self::Busy => "busy",
            Self::Step(_) => "bad_step",
        }
    }
}

impl Hub {
    /// A hub over an empty engine that knows the board's kinds; so much may wait on each of its connections.
    ///
    /// # Errors
    /// [`ConfigError`] never in practice: the engine's settings are fixed.
    pub(crate) fn new(greeting: Greeting, room: LiveRoom) -> Result<Self, ConfigError> {
        let engine = new_engine(&greeting.board, EngineConfig::default())?;
        let place = Place { epoch: 0, seq: 0 };
        let state = State {
            engine,
            watches: Watches::default(),
            alerts: Alerts::new(),
            alerts_sent: Vec::new(),
            place,
            fanout: Fanout::default(),
            histories: Waiting::default(),
            restated: Restated::default(),
        };
        Ok(Self { greeting, room, state: Mutex::new(state) })
    }

    /// Shows what the store held.
    pub(crate) fn install(&self, engine: Engine, alerts: Alerts, epoch: u64, seq: u64) {
        let mut state = self.state();
        state.engine = engine;
        state.watches = Watches::default();
        state.alerts_sent = alerts.iter().cloned().collect();
        state.alerts = alerts;
        state.place = Place { epoch, seq };
    }

    pub(crate) fn board(&self) -> &Arc<Board> {
        &self.greeting.board
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic under the lock loses at most the frame or figure under way; going on is better
        // than an end for everybody.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows batches that are on disk, each with its `seq`, and what the histograms among them added; sends
    /// what is waited for at once. All of it at once: the places of the batches stand for their histograms too.
    pub(crate) fn record(&self, batches: &[(u64, Vec<BatchSample>)], increments: &[Increment], now: TimestampMs) {
        let mut state = self.state();
        let State { engine, fanout, place, .. } = &mut *state;
        for (seq, samples) in batches {
            // Samples of one series mostly stand together: it is looked for once.
            let mut before: Option<(&SeriesKey, Option<SeriesId>)> = None;
            for BatchSample { series: key, kind, sample, .. } in samples {
                let id = match before {
                    Some((before, id)) if before.is_clone_of(key) => id,
                    _ => series_of(engine, key, *kind),
                };
                before = Some((key, id));
                let Some(id) = id else { continue };
                // Between admission and here the oldest time bucket may have left; the sample is
                // then stored and in nobody's window.
                if engine.record(id, *sample, now).is_ok() {
                    fanout.record(engine, id, *kind, *sample);
                }
            }
            // A place of its own for each, also for what turns out to be on disk after later ones.
            place.seq = (*seq).max(place.seq + 1);
        }
        for Increment { series, kind, summary } in increments {
            let Some(id) = series_of(engine, series, *kind) else { continue };
            let end = step_end(summary.last.timestamp());
            if increment(engine, id, summary, now).is_ok() {
                fanout.merge(engine, id, *kind, end, summary);
            }
        }
        fanout.flush_raw(engine, *place, now);
    }

    /// One figure over all series.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn evaluate_one(&self, expression: &Expression, at: TimestampMs) -> Result<Answer, QueryError> {
        self.state().engine.evaluate_one(expression, at)
    }

    /// How the engine is set.
    pub(crate) fn config(&self) -> EngineConfig {
        self.state().engine.config().clone()
    }

    /// One figure for each group.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn evaluate(&self, expression: &Expression, at: TimestampMs) -> Result<Vec<Group>, QueryError> {
        self.state().engine.evaluate(expression, at)
    }

    /// The grants office's scorecard over everything that is kept.
    ///
    /// # Errors
    /// The core's.
    pub(crate) fn scorecard(&self, now: TimestampMs) -> Result<Scorecard, ScorecardError> {
        scorecard(&self.state().engine, now)
    }

    /// The first `most` metrics that have series, by name, with their kinds and numbers of series; and how
    /// many there are beyond.
    pub(crate) fn metrics(&self, most: usize) -> (Vec<(MetricName, Kind, usize)>, usize) {
        let state = self.state();
        let mut metrics = state.engine.metrics().filter(|(.., series)| *series > 0);
        let first = metrics.by_ref().take(most).map(|(name, kind, series)| (name.clone(), kind, series)).collect();
        (first, metrics.count())
    }

    /// The timestamp of a metric's newest sample.
    pub(crate) fn newest(&self, metric: &MetricName) -> Option<TimestampMs> {
        let state = self.state();
        let newest = state.engine.matching(metric, &[]).filter_map(|id| state.engine.latest(id)).map(Sample::timestamp);
        newest.max()
    }

    pub(crate) fn memory(&self) -> Memory {
        self.state().engine.memory()
    }

    /// Greets a new connection and tells it of the alerts.
    pub(crate) fn connect(&self, now: TimestampMs) -> (ConnectionId, QueueReceiver) {
        let (sender, receiver) = queue::queue(self.room);
        let mut state = self.state();
        let staleness = state.engine.config().staleness;
        let hello = encode::hello(&self.greeting, state.place, staleness, now);
        let alerts = encode::alerts(&state.alerts_sent, &self.greeting.board.rules, state.place.seq);
        for frame in [hello, alerts] {
            // The receiver is in our hands: it cannot be gone.
            let _queued = sender.push(Outbound::Reply(frame));
        }
        (state.fanout.connect(sender), receiver)
    }

    /// Greets a connection that may send and not read: it is told no board and no alerts.
    pub(crate) fn connect_producer(&self, now: TimestampMs) -> (ConnectionId, QueueReceiver) {
        let (sender, receiver) = queue::queue(self.room);
        let mut state = self.state();
        let staleness = state.engine.config().staleness;
        let greeting = Greeting { board: Arc::default(), ..self.greeting.clone() };
        // The receiver is in our hands: it cannot be gone.
        let _queued = sender.push(Outbound::Reply(encode::hello(&greeting, state.place, staleness, now)));
        let id = state.fanout.connect(sender);
        state.fanout.keep_news_from(id);
        (id, receiver)
    }

    /// Has live frames carried by a courier from now on, or with `None` by the task of each connection.
    pub(crate) fn employ(&self, courier: Option<Courier>) {
        self.state().fanout.employ(courier);
    }

    pub(crate) fn disconnect(&self, id: ConnectionId) {
        self.state().fanout.disconnect(id);
    }

    /// Answers one connection.
    pub(crate) fn reply(&self, id: ConnectionId, frame: &ServerFrame) {
        self.state().fanout.push(id, Outbound::Reply(encode::text(frame)));
    }

    /// Sends a connection the past of what it asks for and from then on the live values; where it was cut off and
    /// says where, only what came since. Selections that are too large are answered with an error and left out.
    ///
    /// # Errors
    /// [`SubscribeError`] where none of it can be had.
    pub(crate) async fn subscribe(
        &self,
        id: ConnectionId,
        subscribe: Subscribe,
        now: TimestampMs,
    ) -> Result<(), SubscribeError> {
        let Some(mut gathering) = self.resume_or_gather(id, subscribe, now, gather::BOUNDS)? else { return Ok(()) };
        while self.gather_on(&mut gathering)? == Progress::More {
            tokio::time::sleep(BREATH).await;
        }
        self.join(gathering, now);
        Ok(())
    }

    /// Resumes a subscription, or begins to copy its history.
    fn resume_or_gather(
        &self,
        id: ConnectionId,
        subscribe: Subscribe,
        now: TimestampMs,
        bounds: Bounds,
    ) -> Result<Option<Gathering>, SubscribeError> {
        let resume = subscribe.resume;
        let feed = Feed::try_from(subscribe)?;
        let mut state = self.state();
        let State { engine, fanout, place, histories, restated, .. } = &mut *state;
        if fanout.subscription_count(id, feed.id) >= MAX_SUBSCRIPTIONS {
            return Err(SubscribeError::TooManySubscriptions);
        }
        if fanout.histories_waiting(id) >= MAX_HISTORIES_WAITING {
            return Err(SubscribeError::TooManyHistories);
        }
        if let Some(had) = resume {
            let ours = had.epoch == place.epoch;
            // What is gathered so far belongs to what came while it was away.
            fanout.flush(engine, *place, now);
            if ours && fanout.resume(id, &feed, had.seq, *place, || restated.spans(&feed, now)) {
                return Ok(None);
            }
            fanout.push(id, Outbound::Reply(encode::gap(&feed, ours.then_some(had.seq), *place)));
        }
        let (gathering, series) = Gathering::begin(id, &feed, engine, now, histories, bounds);
        fanout.joining().begin(id, feed, series);
        Ok(Some(gathering))
    }

    /// Copies a slice of a history.
    fn gather_on(&self, gathering: &mut Gathering) -> Result<Progress, SubscribeError> {
        let mut state = self.state();
        let State { engine, fanout, .. } = &mut *state;
        gathering.slice(engine, fanout.joining()).map_err(|NoRoom| {
            fanout.joining().end(gathering.connection);
            SubscribeError::Busy
        })
    }

    /// Sends a history that is copied, and from now on the live values.
    fn join(&self, gathering: Gathering, now: TimestampMs) {
        let mut state = self.state();
        let State { engine, fanout, place, restated, .. } = &mut *state;
        let id = gathering.connection;
        // The connection may have been let go meanwhile.
        let Some(beside) = fanout.joining().end(id) else { return };
        let (mut history, refused) = gathering.finish(engine, &beside, *place);
        history.restated = restated.spans(&history.feed, now);
        for frame in refusal_frames(history.feed.id, refused) {
            fanout.push(id, Outbound::Reply(encode::text(&ServerFrame::Error(frame))));
        }
        // What is gathered so far is in the history; let nobody get it twice.
        fanout.flush(engine, *place, now);
        let feed = history.feed.clone();
        fanout.push(id, Outbound::Past(Past::History(Box::new(history))));
        fanout.subscribe(id, &feed, *place);
    }

    /// What is done every second: the oldest time buckets leave, rules are evaluated, gathered
    /// values are sent. Says what changed among the alerts.
    pub(crate) fn pulse(&self, now: TimestampMs) -> Pulse {
        let mut state = self.state();
        let State { engine, watches, alerts, alerts_sent, place, fanout, .. } = &mut *state;
        engine.advance(now);
        let transitions = alerts.evaluate_watched(&self.greeting.board.rules, watches, engine, now);
        let news = news::news(transitions, &self.greeting.board.rules);
        let failures = alerts.failures().iter().map(ToString::to_string).collect();
        fanout.flush(engine, *place, now);
        if !alerts.iter().eq(alerts_sent.iter()) {
            *alerts_sent = alerts.iter().cloned().collect();
            fanout.broadcast(&encode::alerts(alerts_sent, &self.greeting.board.rules, place.seq));
        }
        let tick = || encode::text(&ServerFrame::Tick(Tick { now, seq: place.seq }));
        let newest = || vec![encode::alerts(alerts_sent, &self.greeting.board.rules, place.seq), tick()];
        let stragglers = fanout.catch_up(*place, newest);
        fanout.tick(tick);
        Pulse { news, failures, alerts: alerts_sent.clone(), stragglers }
    }
}

/// One error for each code, so that their number does not grow with the number of selections; each names all that it
/// is of.
fn refusal_frames(subscription: u32, refusals: Vec<Refused>) -> Vec<ErrorFrame> {
    let mut frames: Vec<ErrorFrame> = Vec::new();
    for Refused { selection, reason } in refusals {
        match frames.iter_mut().find(|frame| frame.code == reason.code()) {
            Some(frame) => frame.metrics.push(selection),
            None => frames.push(ErrorFrame {
                subscription: Some(subscription),
                metrics: vec![selection],
                ..ErrorFrame::new(reason.code(), &reason.to_string())
            }),
        }
    }
    for frame in &mut frames {
        let more = frame.metrics.len() - 1;
        if more > 0 {
            frame.message += &format!(" (and {more} more for the same reason)");
        }
    }
    frames
}

/// The series of what is stored, made where it is new; `None` where the engine cannot take it.
fn series_of(engine: &mut Engine, key: &SeriesKey, kind: Kind) -> Option<SeriesId> {
    let id = engine.series(key, Some(kind));
    id.inspect_err(|error| {
        tracing::error!(%error, series = %key, "what is stored is left out of figures; it stays stored");
    })
    .ok()
}

/// Merges what a histogram added, in the step of its last sample.
///
/// # Errors
/// The engine's.
pub(crate) fn increment(
    engine: &mut Engine,
    id: SeriesId,
    summary: &Summary,
    now: TimestampMs,
) -> Result<(), MergeError> {
    engine.merge(id, STEP, step_end(summary.last.timestamp()), summary, now)
}

/// What a second brought.
pub(crate) struct Pulse {
    /// Alerts that began to fire or ended.
    pub(crate) news: Vec<News>,
    /// Rules that could not be evaluated.
    pub(crate) failures: Vec<String>,
    /// All alerts there are.
    pub(crate) alerts: Vec<Alert>,
    /// Connections that do not keep up.
    pub(crate) stragglers: Stragglers,
}

/// An empty engine that knows the kinds of the board's metrics.
///
/// # Errors
/// [`ConfigError`] never in practice: the engine's settings are fixed.
fn new_engine(board: &Board, config: EngineConfig) -> Result<Engine, ConfigError> {
    let mut engine = Engine::new(config)?;
    for metric in &board.metrics {
        if let Err(error) = engine.declare(&metric.name, metric.kind) {
            tracing::warn!(%error, "the board declares a metric twice");
        }
    }
    Ok(engine)
}

#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;
