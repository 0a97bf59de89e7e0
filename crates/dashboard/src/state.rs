//! The whole state of the page.

use std::rc::Rc;

use bellwether_core::board::Board;
use bellwether_core::labels::MetricName;
use bellwether_core::rule::AlertState;
use bellwether_core::time::TimestampMs;

use crate::calls::Calls;
use crate::cause::Cause;
use crate::chart::palette::Palette;
use crate::clock::Monotonic;
use crate::connection::{Connection, OLD_AFTER};
use crate::ended::EndedAlert;
use crate::feed::{AlertNotice, Completeness, Hello};
use crate::figures::Snapshot;
use crate::lazy::Chunks;
use crate::message::Visibility;
use crate::others::Others;
use crate::remote::Remote;
use crate::route::{Route, View};
use crate::settings::{Settings, TAB};
use crate::span::Span;
use crate::texts::Language;
use crate::theme::Theme;
use crate::window::PageWindow;

/// Whether the picture moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Picture {
    /// It follows the clock.
    #[default]
    Following,
    /// It stands still at this instant; the engine goes on taking samples.
    Paused(TimestampMs),
}

/// Whether the choice of a span is open, also while the page follows now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spans {
    /// It is not.
    #[default]
    Closed,
    /// It is.
    Open,
}

/// Whether something was ever told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// Not yet.
    #[default]
    NotYet,
    /// It was.
    Told,
}

/// Whether what the page knows reaches until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// It does, or the first history is still on its way.
    Current,
    /// It ends with the gateway's last words: nothing may be said of now.
    Old,
    /// It is of an instant that the reader has chosen.
    Chosen,
}

/// Whether an animation frame has been asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NextFrame {
    /// Nobody waits for one.
    #[default]
    Idle,
    /// One will be reported.
    Requested,
}

/// The state of the page; only [`crate::update::update`] changes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// What `config.json` says.
    pub settings: Remote<Rc<Settings>>,
    /// The board that `config.json` names, where it names one.
    pub own_board: Remote<Rc<Board>>,
    /// The connection to the gateway.
    pub connection: Connection,
    /// Why there is no connection, where something is known of it.
    pub cause: Option<Cause>,
    /// What the page's own engine does not take, in words.
    pub not_taken: Rc<[String]>,
    /// How many series the page keeps, where memory lets it keep fewer than it would.
    pub series_that_fit: Option<usize>,
    /// The page's help, as markup of its own site.
    pub help: Remote<Rc<str>>,
    /// The metrics that the board does not name.
    pub others: Others,
    /// Whether a history was ever complete, so that there is something known to stand by.
    pub history: Completeness,
    /// What the gateway said of itself when it was last reached.
    pub hello: Option<Rc<Hello>>,
    /// The board in force.
    pub board: Option<Rc<Board>>,
    /// The alerts that the gateway told last.
    pub alerts: Rc<[AlertNotice]>,
    /// How many more there are that it did not tell.
    pub alerts_left_out: u64,
    /// The alerts that are over, as the gateway has kept them.
    pub ended: Remote<Rc<[EndedAlert]>>,
    /// When those were last asked for.
    pub ended_asked_at: Option<Monotonic>,
    /// What the gateway has left out of what was asked for, in sentences.
    pub left_out: Vec<String>,
    /// The figures on screen.
    pub snapshot: Option<Rc<Snapshot>>,
    /// The view and its window.
    pub route: Route,
    /// The longest window that was asked of the gateway.
    pub asked: PageWindow,
    /// Whether the picture moves.
    pub picture: Picture,
    /// What has come of the past that the reader has turned to.
    pub past: Remote<()>,
    /// What the gateway has left out of that, in sentences.
    pub past_left_out: Vec<String>,
    /// What was asked of the past and is not answered yet: its span, and the metrics that the board does not name.
    pub recalling: Option<(Span, Rc<[MetricName]>)>,
    /// How many questions for the past were asked of late; each second that passes takes one off.
    pub recalls: u8,
    /// Whether the choice of a span is open.
    pub spans: Spans,
    /// The instant that the reader points at, on all charts.
    pub cursor: Option<TimestampMs>,
    /// How the reader is called when an alert fires.
    pub calls: Calls,
    /// Whether the alerts of this gateway were ever told.
    pub alerts_known: Known,
    /// The theme that the reader has chosen.
    pub theme: Theme,
    /// The language in force.
    pub language: Language,
    /// The theme's colours.
    pub palette: Rc<Palette>,
    /// The code of views that is fetched on its own.
    pub chunks: Chunks,
    /// The chart bundle.
    pub plotly: Remote<()>,
    /// Whether the page can be seen.
    pub visibility: Visibility,
    /// Whether an animation frame is on its way.
    pub next_frame: NextFrame,
    /// Overloads of the gateway in a row, each soon after the one before.
    pub overloads: u32,
    /// When the last of them was.
    pub overload_at: Option<Monotonic>,
    /// When a second last passed.
    pub now: Monotonic,
}

impl State {
    /// Whether a file is shown, and no gateway asked.
    #[must_use]
    pub fn is_of_file(&self) -> bool {
        self.settings.ready().is_some_and(|settings| settings.gateway == TAB)
    }

    /// Whether what the page knows reaches until now.
    #[must_use]
    pub fn knowledge(&self) -> Knowledge {
        if self.route.span.is_some() {
            return Knowledge::Chosen;
        }
        let cut_off = match &self.connection {
            // Nothing is known of what came after a file's last row.
            Connection::Live { silence } => *silence >= OLD_AFTER || self.is_of_file(),
            // The old picture stays until the new history is complete; before the first there is none.
            Connection::Starting | Connection::Filling { .. } | Connection::Connecting { .. } => true,
            Connection::Waiting { .. } | Connection::Refused { .. } => true,
        };
        if cut_off && self.history == Completeness::Complete { Knowledge::Old } else { Knowledge::Current }
    }

    /// Whether the page shows, or lets choose, another span than the one up to now.
    #[must_use]
    pub fn needs_time(&self) -> bool {
        self.route.span.is_some() || self.spans == Spans::Open
    }

    /// The span that is chosen, else the one that the charts of `snapshot` show.
    #[must_use]
    pub fn on_screen(&self, snapshot: &Snapshot) -> Span {
        self.route.span.unwrap_or_else(|| Span::ending(snapshot.at, self.route.length()))
    }

    /// The heading of the view.
    #[must_use]
    pub fn heading(&self) -> &str {
        let view = &self.route.view;
        let board = self.board.as_deref();
        let title = match view {
            View::Kpi(id) => board.and_then(|board| Some(&board.kpis.iter().find(|kpi| kpi.id == *id)?.title)),
            View::Panel(id) => board.and_then(|board| Some(&board.panels.iter().find(|panel| panel.id == *id)?.title)),
            _ => None,
        };
        title.map_or(view.title(), String::as_str)
    }

    /// How many alerts are firing, of those that the gateway told.
    #[must_use]
    pub fn firing(&self) -> usize {
        self.alerts.iter().filter(|alert| matches!(alert.state, AlertState::Firing { .. })).count()
    }

    /// The title of the page: the settings', else the gateway's, else the board's, else the product's.
    #[must_use]
    pub fn title(&self) -> &str {
        let own = self.settings.ready().and_then(|settings| settings.title.as_deref());
        let hello = self.hello.as_ref().map(|hello| hello.title.as_str());
        let board = self.board.as_ref().map(|board| board.title.as_str());
        let named = if matches!(self.own_board, Remote::Ready(_)) { board.or(hello) } else { hello.or(board) };
        own.or(named.filter(|title| !title.is_empty())).unwrap_or("Bellwether")
    }
}
