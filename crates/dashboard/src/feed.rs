//! What comes from the gateway: frames in, an engine and facts out. Pure: it knows no socket and no clock.

mod left_out;
mod selections;
#[cfg(test)]
mod tests;
mod track;

use std::rc::Rc;

use bellwether_core::board::Board;
use bellwether_core::engine::Engine;
use bellwether_core::labels::MetricName;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::binary;
use bellwether_wire::feed::FeedFrame;
use bellwether_wire::frame::{
    FeedFormat, MAX_SELECTIONS, RestatedSpan, Resume, Selection, ServerFrame, Step, Subscribe, Subscribed,
};

pub use bellwether_wire::frame::AlertNotice;
pub use left_out::{Lack, Shortage};
pub use selections::holds_whole;

use crate::clock::{GatewayClock, Monotonic};
use crate::figures::{Instant, replay};
use crate::message::Msg;
use crate::others::MOST_SERIES as MOST_OTHER_SERIES;
use crate::span::Span;
use crate::texts::Text;
use crate::window::PageWindow;
use left_out::LeftOut;
use track::Track;

/// The subscription to what the board shows.
const SUBSCRIPTION: u32 = 1;
/// The subscription to metrics that the board does not name.
const OTHERS: u32 = 2;
/// The subscription to what was known at an instant of the past.
const PAST: u32 = 3;
/// How far a point of a metric that is explored looks back at most.
pub const EXPLORED: DurationMs = DurationMs::from_minutes(5);
/// How fine the page follows the gateway.
const STEP: DurationMs = DurationMs::from_secs(1);
/// Most series of the board. One that has a sample each second takes 67 KB after two hours, 78 KB after four
/// and from then on 1 KB more each hour, so that all of them stay within `MOST_BYTES` for half a day;
/// `a_full_engine_stays_within_its_memory_for_half_a_day` measures it, and the bytes are watched as well.
pub const MOST_SERIES: usize = 1_400;
/// Most bytes of all engines together, also while one is filled to take the place of another.
const MOST_BYTES: usize = 128 * 1024 * 1024;
/// Points between two weighings. Weighing looks at every time bucket: here it costs less than the points did.
const WEIGHED_EVERY: usize = 50_000;
/// The code of a frame that the gateway cannot make sense of.
const BAD_FRAME: &str = "bad_frame";
/// Codes of errors that leave nothing to show: the gateway does not understand this page. Of all others,
/// such as a metric with too many series, the rest of the page goes on.
const FINAL_ERRORS: [&str; 4] = [BAD_FRAME, "unknown_type", "bad_step", "not_supported"];

/// Whether what the gateway shows is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Measured.
    Measured,
    /// Made up, and to be labelled so.
    Simulated,
}

/// What the gateway says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// What its host calls it; may be empty.
    pub title: String,
    /// Its version.
    pub version: String,
    /// Whether what it shows is real.
    pub origin: Origin,
    /// What to show and what is watched.
    pub board: Rc<Board>,
    /// How long a series may be silent before a line is broken.
    pub staleness: DurationMs,
}

/// Whether an engine holds all of its history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completeness {
    /// All history has come.
    Complete,
    /// History is still on its way: figures that look far back are not to be trusted yet.
    #[default]
    Filling,
}

/// The feed of one gateway.
#[derive(Debug, Default)]
pub struct Feed {
    clock: Option<GatewayClock>,
    heard: Option<Monotonic>,
    staleness: DurationMs,
    board: Track,
    others: Track,
    past: Track,
    /// The instant that the engine of the past stands at.
    past_until: Option<TimestampMs>,
    /// Until when the board's engine has heard all.
    known: Option<TimestampMs>,
    /// Most series that fit, where the bytes have shown that they are fewer than [`MOST_SERIES`].
    fitting: Option<usize>,
    /// The longest window that the reader has chosen.
    longest: PageWindow,
    /// Points since the engines were weighed.
    unweighed: usize,
}

impl Feed {
    /// When the gateway was last heard; `None` before its first words.
    #[must_use]
    pub const fn heard(&self) -> Option<Monotonic> {
        self.heard
    }

    /// The gateway's time at `at`; `None` before its first words.
    #[must_use]
    pub fn now(&self, at: Monotonic) -> Option<TimestampMs> {
        self.clock.map(|clock| clock.now(at))
    }

    /// The gateway's time of `instant` when the page's clock says `at`; `None` before the gateway's first
    /// words. Without a complete engine nothing was ever known, and the last that is known is now.
    #[must_use]
    pub fn instant(&self, instant: Instant, at: Monotonic) -> Option<TimestampMs> {
        let now = self.now(at)?;
        match instant {
            Instant::Now => Some(now),
            Instant::LastKnown => Some(self.known.unwrap_or(now)),
            Instant::Fixed(fixed) => Some(fixed),
            Instant::Bygone => self.past_until,
        }
    }

    /// How long a series may be silent before a line is broken.
    #[must_use]
    pub const fn staleness(&self) -> DurationMs {
        self.staleness
    }

    /// From now on histories are asked for as `window` shows them, where none was longer.
    pub fn look_back(&mut self, window: PageWindow) {
        if window.length() > self.longest.length() {
            self.longest = window;
        }
    }

    fn reach(&self) -> DurationMs {
        self.longest.length().max(PageWindow::AT_ONCE.length())
    }

    /// The engine to ask of what the board shows. While the very first history is on its way that is the
    /// one being filled, as soon as it holds something; `None` before, and while there is no memory for the
    /// old one beside the one being filled: what is on screen then stays as it is.
    #[must_use]
    pub fn engine(&self) -> Option<(&Engine, Completeness)> {
        let engine = self.board.engine();
        engine.filter(|(_, completeness)| *completeness == Completeness::Complete || self.known.is_none())
    }

    /// The engine of what was known at an instant of the past, once it holds all of it.
    #[must_use]
    pub fn past(&self) -> Option<(&Engine, Completeness)> {
        self.past.engine().filter(|(_, completeness)| *completeness == Completeness::Complete)
    }

    /// Where samples were changed after they were stored: of the board's engine, of the other metrics', and of that of
    /// the past.
    #[must_use]
    pub fn restated(&self) -> [&[RestatedSpan]; 3] {
        [self.board.restated(), self.others.restated(), self.past.restated()]
    }

    /// The series of the board that its engine, or that of the past, does not have although they are there.
    #[must_use]
    pub fn lacks(&self, instant: Instant) -> Rc<[Lack]> {
        let track = if instant == Instant::Bygone { &self.past } else { &self.board };
        track.lacking().map_or_else(Rc::default, LeftOut::lacks)
    }

    /// The engine to ask of metrics that the board does not name; `None` where none are followed.
    #[must_use]
    pub fn others(&self) -> Option<(&Engine, Completeness)> {
        self.others.engine()
    }

    /// Evicts what has left the engines' tiers by `now`.
    pub fn advance(&mut self, now: TimestampMs) {
        self.board.advance(now);
        self.others.advance(now);
    }

    /// Starts a fresh engine for `board` and gives the frame that asks the gateway to fill it.
    ///
    /// # Errors
    /// A sentence where no engine can be made for the board.
    pub fn begin(&mut self, board: &Board) -> Result<String, String> {
        let most = self.fitting.unwrap_or(MOST_SERIES);
        let mut engine = Engine::new(track::config(most)).map_err(|error| error.to_string())?;
        for declared in &board.metrics {
            engine.declare(&declared.name, declared.kind).map_err(|error| error.to_string())?;
        }
        let metrics = selections::selections(board, self.reach(), engine.longest_window());
        let resume = self.board.begin(engine, &metrics);
        Ok(subscribe(SUBSCRIPTION, metrics, resume))
    }

    /// Starts a fresh engine for metrics that the board does not name and gives the frame that asks the
    /// gateway to fill it. No metrics end what was followed.
    ///
    /// # Errors
    /// A sentence where no engine can be made.
    pub fn follow(&mut self, metrics: &[MetricName]) -> Result<String, String> {
        let range = DurationMs::from_millis(self.reach().as_millis() + EXPLORED.as_millis());
        let select = |name: &MetricName| Selection { name: name.clone(), matchers: Vec::new(), range };
        let selections: Vec<_> = metrics.iter().map(select).collect();
        let mut resume = None;
        if metrics.is_empty() {
            self.others.end();
        } else {
            let engine = Engine::new(track::config(MOST_OTHER_SERIES)).map_err(|error| error.to_string())?;
            resume = self.others.begin(engine, &selections);
        }
        Ok(subscribe(OTHERS, selections, resume))
    }

    /// Starts an engine for what was known at the end of `span`, of `board` and of `metrics` that it does not name, and
    /// gives the frame that asks the gateway to fill it. It is as fine as one that had followed until then. A span that
    /// ends later than it is when the page's clock says `at` is known until now.
    ///
    /// # Errors
    /// A sentence where no engine can be made.
    pub fn recall(
        &mut self,
        board: &Board,
        metrics: &[MetricName],
        span: Span,
        at: Monotonic,
    ) -> Result<String, String> {
        let mut engine = Engine::new(track::config_of_past()).map_err(|error| error.to_string())?;
        for declared in &board.metrics {
            engine.declare(&declared.name, declared.kind).map_err(|error| error.to_string())?;
        }
        let reach = span.length().max(PageWindow::AT_ONCE.length());
        // Rules are evaluated again over what led to then.
        let reach_of_board = reach.max(replay::lead(board));
        let mut asked = selections::selections(board, reach_of_board, engine.longest_window());
        let range = DurationMs::from_millis(reach.as_millis() + EXPLORED.as_millis());
        asked.truncate(MAX_SELECTIONS.saturating_sub(metrics.len()));
        asked.extend(metrics.iter().map(|name| Selection { name: name.clone(), matchers: Vec::new(), range }));
        self.forget();
        self.past.begin(engine, &asked);
        self.past_until = Some(self.now(at).map_or(span.to(), |now| span.to().min(now)));
        let (step, format) = (Step::Every(STEP), FeedFormat::Binary);
        let subscribe = Subscribe { id: PAST, metrics: asked, step, format, resume: None, until: self.past_until };
        Ok(subscribe.encode())
    }

    /// Gives up the engine of the past.
    pub fn forget(&mut self) {
        self.past.give_up();
        self.past_until = None;
    }

    /// Takes in a text frame that came at `at`.
    pub fn receive_text(&mut self, text: &str, at: Monotonic) -> Vec<Msg> {
        self.heard = Some(at);
        match ServerFrame::decode(text) {
            Ok(frame) => self.receive(frame, at),
            Err(error) => vec![unreadable(&error)],
        }
    }

    /// Takes in a binary frame that came at `at`.
    pub fn receive_binary(&mut self, bytes: &[u8], at: Monotonic) -> Vec<Msg> {
        self.heard = Some(at);
        match binary::decode(bytes) {
            Ok(frame) => self.take(&frame, at),
            Err(error) => vec![unreadable(&error)],
        }
    }

    fn receive(&mut self, frame: ServerFrame, at: Monotonic) -> Vec<Msg> {
        match frame {
            ServerFrame::Hello(hello) => {
                self.clock = Some(GatewayClock::new(hello.now, at));
                self.board.connected();
                self.others.connected();
                self.past.connected();
                self.staleness = hello.staleness;
                let hello = Hello {
                    title: hello.title,
                    version: hello.version,
                    origin: if hello.demo { Origin::Simulated } else { Origin::Measured },
                    board: Rc::new(hello.board),
                    staleness: hello.staleness,
                };
                vec![Msg::HelloReceived { hello: Rc::new(hello), at }]
            }
            ServerFrame::Subscribed(Subscribed { id, epoch, seq, restated, until }) => {
                let complete = self.track(id).complete(Resume { epoch, seq }, restated);
                if id == PAST {
                    // Where samples are gone it may end a little earlier than was asked for.
                    self.past_until = until.filter(|_| complete).or(self.past_until);
                    return match complete {
                        true => vec![Msg::PastCompleted],
                        false if self.past.is_owed() => Vec::new(),
                        false => vec![Msg::PastLapsed],
                    };
                }
                if id == OTHERS {
                    return vec![Msg::FeedChanged];
                }
                if !complete {
                    return Vec::new();
                }
                self.know(at);
                vec![Msg::HistoryCompleted]
            }
            ServerFrame::Samples(frame) => self.take(&frame, at),
            ServerFrame::Alerts(list) => {
                vec![Msg::AlertsReceived { alerts: list.alerts.into(), left_out: list.left_out }]
            }
            ServerFrame::Tick(tick) => {
                if let Some(clock) = &mut self.clock {
                    clock.hear(tick.now, at);
                }
                self.know(at);
                self.board.reach(tick.seq);
                self.others.reach(tick.seq);
                Vec::new()
            }
            ServerFrame::Gap(gap) => {
                self.track(gap.subscription).gap();
                Vec::new()
            }
            ServerFrame::Error(error) if error.subscription == Some(SUBSCRIPTION) && !error.metrics.is_empty() => {
                self.board.left_out().map(|left_out| Msg::PartLeftOut(left_out.refuse(error))).into_iter().collect()
            }
            // A gateway of before frames could be resumed: it has the history all the same.
            ServerFrame::Error(error)
                // Both may have asked to resume: each is to know.
                if error.code == BAD_FRAME && (self.board.resume_refused() | self.others.resume_refused()) =>
            {
                self.board.is_partial();
                self.others.is_partial();
                vec![Msg::ResumeRefused]
            }
            ServerFrame::Error(error) if error.subscription == Some(PAST) && !error.metrics.is_empty() => {
                self.past.left_out().map(|left_out| Msg::PastLeftOut(left_out.refuse(error))).into_iter().collect()
            }
            // A gateway of before the past could be asked for says no more than that it does not know the question.
            ServerFrame::Error(error)
                if error.subscription == Some(PAST) || (error.code == BAD_FRAME && self.past.is_filling()) =>
            {
                let wanted = self.past.is_filling();
                if !self.past.refused() {
                    return Vec::new();
                }
                if !wanted {
                    return vec![Msg::PastLapsed];
                }
                vec![Msg::PastFailed(Text::GatewaySays.fill(&[&error.message, &error.code]))]
            }
            ServerFrame::Error(error) => {
                if let Some(id) = error.subscription {
                    self.track(id).is_partial();
                }
                let said = Text::GatewaySays.fill(&[&error.message, &error.code]);
                let ends_all = FINAL_ERRORS.contains(&error.code.as_str());
                vec![if ends_all { Msg::GatewayRefused(said) } else { Msg::PartLeftOut(said) }]
            }
            // Answers to what this page does not ask; later gateways may send more.
            _ => Vec::new(),
        }
    }

    /// What the subscription `id` fills.
    fn track(&mut self, id: u32) -> &mut Track {
        match id {
            OTHERS => &mut self.others,
            PAST => &mut self.past,
            _ => &mut self.board,
        }
    }

    /// Notes that the engine on screen has heard all until `at`, unless what comes fills another one.
    fn know(&mut self, at: Monotonic) {
        if self.board.is_live() {
            self.known = self.now(at);
        }
    }

    fn take(&mut self, frame: &FeedFrame, at: Monotonic) -> Vec<Msg> {
        self.know(at);
        let Some(now) = self.now(at) else { return Vec::new() };
        let id = frame.header.subscription;
        let now = if id == PAST { self.past_until.unwrap_or(now) } else { now };
        let of_board = id == SUBSCRIPTION;
        let Some(taken) = self.track(id).take(frame, now) else { return Vec::new() };
        let mut facts = if id == PAST { Vec::new() } else { vec![Msg::FeedChanged] };
        // A series more of a metric that the board does not name is counted in the list of metrics.
        if let (true, true, Some(left_out)) = (taken.refused, of_board, self.board.left_out()) {
            facts.push(Msg::SeriesNotTaken(left_out.sentences()));
        }
        self.unweighed += taken.points;
        if self.unweighed >= WEIGHED_EVERY {
            self.unweighed = 0;
            facts.extend(self.keep_within(MOST_BYTES));
        }
        facts
    }

    /// Gives up what can be spared until all engines together have at most `most` bytes: first the metrics
    /// that the board does not name, then the old picture's engine while another is filled. Where the
    /// board alone is too much, it is to be begun anew with as many series as fit.
    fn keep_within(&mut self, most: usize) -> Option<Msg> {
        let (bytes, series) = self.board.weight();
        if bytes + self.others.weight().0 + self.past.weight().0 <= most {
            return None;
        }
        // What is of now goes before what was.
        if self.past.weight().0 > 0 {
            self.forget();
            return Some(Msg::PastFailed(Text::PastTooLarge.say().to_owned()));
        }
        if self.others.engine().is_some() || self.others.is_filling() {
            self.others.give_up();
            return Some(Msg::OthersGivenUp);
        }
        if self.board.drop_the_old() {
            return None;
        }
        // A tenth is left for what the series will grow by.
        let fitting = series as u64 * (most as u64 / 10 * 9) / bytes.max(1) as u64;
        let fitting = usize::try_from(fitting).unwrap_or(MOST_SERIES).clamp(1, MOST_SERIES);
        self.fitting = Some(fitting);
        self.board.is_partial();
        Some(Msg::MemoryFull { series: fitting })
    }
}

fn subscribe(id: u32, metrics: Vec<Selection>, resume: Option<Resume>) -> String {
    let subscribe = Subscribe { id, metrics, step: Step::Every(STEP), format: FeedFormat::Binary, resume, until: None };
    subscribe.encode()
}

fn unreadable(error: &impl std::fmt::Display) -> Msg {
    Msg::FeedUnreadable(Text::FeedUnreadable.fill(&[&error.to_string()]))
}
