//! What the state wants done: values here, carried out in `effects`.

use std::rc::Rc;

use bellwether_core::board::Board;
use bellwether_core::labels::MetricName;

use crate::calls::Switch;
use crate::figures::Ask;
use crate::lazy::Chunk;
use crate::settings::Settings;
use crate::span::Span;
use crate::texts::Language;
use crate::theme::Theme;
use crate::window::PageWindow;

/// A part of the page that the keyboard is moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The heading of the view.
    Heading,
    /// The list of labels and values to filter by.
    Filter,
}

impl Part {
    /// The id of its element.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Heading => "view",
            Self::Filter => "filter",
        }
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Read `config.json`.
    FetchSettings,
    /// Read the board at this address.
    FetchBoard(String),
    /// Read the page's help in this language.
    FetchHelp(Language),
    /// Open the feed, closing any socket that is open.
    OpenSocket(Rc<Settings>),
    /// Close the feed.
    CloseSocket,
    /// Start a fresh engine for this board and ask the gateway to fill it, as far back as this window needs.
    Subscribe(Rc<Board>, PageWindow),
    /// Ask the gateway which metrics it has, and report the list.
    ListMetrics(Rc<Settings>),
    /// Ask the gateway which alerts have ended, and report the list.
    ListEnded(Rc<Settings>),
    /// Ask the gateway for these metrics, which the board does not name; of none that it ends.
    Follow(Rc<[MetricName]>),
    /// Ask the gateway for what was known at the end of a span, of the board and these metrics.
    Recall(Rc<Board>, Rc<[MetricName]>, Span),
    /// Give up what was recalled.
    Forget,
    /// Ask the gateway over HTTP why its feed does not open, and report what that came to.
    Probe(Rc<Settings>),
    /// Wait for a time that suits so many failures, then report that the next attempt is due.
    ScheduleRetry {
        /// Attempts that have failed.
        failures: u32,
    },
    /// Report the next animation frame.
    RequestFrame,
    /// Evaluate figures and report them.
    Evaluate(Box<Ask>),
    /// Put the theme in force, keep it for the next visit, and report its colours.
    ApplyTheme(Theme),
    /// Put the texts of a language in force, keep the choice for the next visit, and report it.
    ApplyLanguage(Language),
    /// Ask the browser whether the page may notify the reader, and report its answer.
    AskToNotify,
    /// Keep for the next visit whether notifications are wanted.
    KeepNotify(Switch),
    /// Show a notification; report where the browser shows none.
    Notify {
        /// What it says.
        title: String,
        /// What follows that; may be empty.
        body: String,
    },
    /// Play the sound of an alert.
    PlayTone,
    /// Change the address after `#`.
    SetHash(String),
    /// Move the keyboard to a part of the page, once it is drawn.
    Focus(Part),
    /// Change the title of the tab.
    SetTitle(String),
    /// Load the whole page anew.
    Reload,
    /// Fetch the code of a view and report how that went.
    FetchChunk(Chunk),
    /// Report when the page has nothing else to do.
    AwaitIdle,
    /// Load the chart bundle and report how that went.
    LoadPlotly,
}
