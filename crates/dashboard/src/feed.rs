//! What comes from the gateway: frames in, an engine and facts out. Pure: it knows no socket and no clock.

mod left_out;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use bellwether_core::board::Board;
use bellwether_core::engine::{Engine, EngineConfig};
use bellwether_core::labels::MetricName;
use bellwether_core::query::Expression;
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::binary;
use bellwether_wire::feed::{FeedFrame, Point};
use bellwether_wire::frame::{ClientFrame, FeedFormat, Selection, ServerFrame, Step, Subscribe};

pub use bellwether_wire::frame::AlertNotice;

use crate::clock::{GatewayClock, Monotonic};
use crate::figures::Instant;
use crate::message::Msg;
use crate::window::PageWindow;
use left_out::LeftOut;

/// The one subscription of a page.
const SUBSCRIPTION: u32 = 1;
/// How fine the page follows the gateway.
const STEP: DurationMs = DurationMs::from_secs(1);
/// Most series of the page. One that has a sample each second takes 255 KB, so that all of them stay
/// within 128 MiB; `a_full_engine_stays_within_its_memory` measures it.
const MOST_SERIES: usize = 500;
/// Codes of errors that leave nothing to show: the gateway does not understand this page. Of all others,
/// such as a metric with too many series, the rest of the page goes on.
const FINAL_ERRORS: [&str; 4] = ["bad_frame", "unknown_type", "bad_step", "not_supported"];

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
///
/// After each connect a fresh engine is filled beside the one that is on screen and takes its place when
/// its history is complete: nothing is counted twice, and the screen never empties.
#[derive(Debug, Default)]
pub struct Feed {
    clock: Option<GatewayClock>,
    heard: Option<Monotonic>,
    staleness: DurationMs,
    complete: Option<Engine>,
    /// Until when the complete engine has heard all.
    known: Option<TimestampMs>,
    filling: Option<Engine>,
    left_out: LeftOut,
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
        }
    }

    /// How long a series may be silent before a line is broken.
    #[must_use]
    pub const fn staleness(&self) -> DurationMs {
        self.staleness
    }

    /// The engine to ask. While the very first history is on its way that is the one being filled, as
    /// soon as it holds something; `None` before.
    #[must_use]
    pub fn engine(&self) -> Option<(&Engine, Completeness)> {
        let complete = self.complete.as_ref().map(|engine| (engine, Completeness::Complete));
        complete.or_else(|| {
            let filling = self.filling.as_ref().filter(|engine| engine.series_count() > 0)?;
            Some((filling, Completeness::Filling))
        })
    }

    /// Evicts what has left the engine's tiers by `now`.
    pub fn advance(&mut self, now: TimestampMs) {
        for engine in [&mut self.complete, &mut self.filling].into_iter().flatten() {
            engine.advance(now);
        }
    }

    /// Starts a fresh engine for `board` and gives the frame that asks the gateway to fill it.
    ///
    /// Asked for is as far back as the board looks, and never less than the page's longest window: twice
    /// that for a KPI, whose trend compares with the window before; for a chart, and as much more as its
    /// first point looks back.
    ///
    /// # Errors
    /// A sentence where no engine can be made for the board.
    pub fn begin(&mut self, board: &Board) -> Result<String, String> {
        let mut engine = Engine::new(page_config()).map_err(|error| error.to_string())?;
        for declared in &board.metrics {
            engine.declare(&declared.name, declared.kind).map_err(|error| error.to_string())?;
        }
        let longest = engine.longest_window();
        let metrics = board
            .ranges()
            .into_iter()
            .map(|(name, range)| {
                let page = PageWindow::LONGEST.length();
                let reach = if in_a_kpi(board, &name) { page } else { range };
                let needed = DurationMs::from_millis(page.as_millis().saturating_add(reach.as_millis()));
                Selection { name, matchers: Vec::new(), range: range.max(needed).min(longest) }
            })
            .collect();
        self.filling = Some(engine);
        self.left_out = LeftOut::default();
        let subscribe = Subscribe { id: SUBSCRIPTION, metrics, step: Step::Every(STEP), format: FeedFormat::Binary };
        Ok(ClientFrame::Subscribe(subscribe).encode())
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
            ServerFrame::Subscribed(subscribed) if subscribed.id == SUBSCRIPTION => {
                if let Some(filled) = self.filling.take() {
                    self.complete = Some(filled);
                }
                self.know(at);
                vec![Msg::HistoryCompleted]
            }
            ServerFrame::Samples(frame) => self.take(&frame, at),
            ServerFrame::Alerts(list) => vec![Msg::AlertsReceived(list.alerts.into())],
            ServerFrame::Tick(tick) => {
                if let Some(clock) = &mut self.clock {
                    clock.hear(tick.now, at);
                }
                self.know(at);
                Vec::new()
            }
            ServerFrame::Gap(gap) if gap.subscription == SUBSCRIPTION => vec![Msg::GapReported],
            ServerFrame::Error(error) => {
                let said = format!("The gateway says: {} ({})", error.message, error.code);
                let ends_all = FINAL_ERRORS.contains(&error.code.as_str());
                vec![if ends_all { Msg::GatewayRefused(said) } else { Msg::PartLeftOut(said) }]
            }
            // Answers to what this page does not ask; later gateways may send more.
            _ => Vec::new(),
        }
    }

    /// Notes that the engine on screen has heard all until `at`, unless what comes fills another one.
    fn know(&mut self, at: Monotonic) {
        if self.filling.is_none() && self.complete.is_some() {
            self.known = self.now(at);
        }
    }

    fn take(&mut self, frame: &FeedFrame, at: Monotonic) -> Vec<Msg> {
        self.know(at);
        let Some(now) = self.now(at) else { return Vec::new() };
        let Some(engine) = self.filling.as_mut().or(self.complete.as_mut()) else { return Vec::new() };
        let mut news = false;
        for series in &frame.series {
            let id = match engine.series(&series.key, Some(series.kind)) {
                Ok(id) => id,
                Err(error) => {
                    news |= self.left_out.note(&series.key, &error);
                    continue;
                }
            };
            for point in series.points() {
                // What is older than everything kept has left the tiers while it was on its way.
                let _ = match point {
                    Point::Sample(sample) => engine.record(id, sample, now).is_ok(),
                    Point::Summary(bucket) => {
                        engine.merge(id, frame.header.step, bucket.end, &bucket.summary, now).is_ok()
                    }
                };
            }
        }
        let mut facts = vec![Msg::FeedChanged];
        if news {
            facts.push(Msg::SeriesNotTaken(self.left_out.sentences()));
        }
        facts
    }
}

fn page_config() -> EngineConfig {
    EngineConfig { max_series: MOST_SERIES, max_series_per_metric: MOST_SERIES, ..EngineConfig::page() }
}

fn in_a_kpi(board: &Board, metric: &MetricName) -> bool {
    board.kpis.iter().any(|kpi| match &kpi.figure {
        Expression::Single(query) => query.metric == *metric,
        Expression::Ratio(over, under) => over.metric == *metric || under.metric == *metric,
    })
}

fn unreadable(error: &impl std::fmt::Display) -> Msg {
    Msg::FeedUnreadable(format!("The page cannot read what the gateway sends: {error}. Load the page anew."))
}
