//! Facts: what has happened, in the past tense. Nothing else changes the state.

use std::rc::Rc;

use bellwether_core::board::Board;
use bellwether_core::time::TimestampMs;

use crate::calls::Permission;
use crate::cause::Probe;
use crate::chart::palette::Palette;
use crate::clock::Monotonic;
use crate::ended::EndedAlert;
use crate::feed::{AlertNotice, Hello};
use crate::figures::Snapshot;
use crate::lazy::Chunk;
use crate::others::Listing;
use crate::settings::Settings;
use crate::span::Turn;
use crate::texts::Language;
use crate::theme::Theme;
use crate::window::PageWindow;

/// Whether the page can be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// On screen, as far as the browser knows.
    #[default]
    Visible,
    /// In a tab behind another, or minimised.
    Hidden,
}

/// One fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// The page has started: the address after `#` and the theme that was kept.
    Started {
        /// The address after `#`, with it.
        hash: String,
        /// The theme kept from the last visit.
        theme: Theme,
        /// The language that its texts came in.
        language: Language,
    },
    /// `config.json` has been read.
    SettingsLoaded(Settings),
    /// `config.json` cannot be read; the sentence says why.
    SettingsFailed(String),
    /// The board that `config.json` names has been read.
    BoardLoaded(Rc<Board>),
    /// That board cannot be read; the sentence says why.
    BoardFailed(String),
    /// The gateway has introduced itself.
    HelloReceived {
        /// What it said.
        hello: Rc<Hello>,
        /// When it was heard.
        at: Monotonic,
    },
    /// History is complete; the engine holds all of it.
    HistoryCompleted,
    /// The engine has new samples.
    FeedChanged,
    /// The list of current alerts has come.
    AlertsReceived {
        /// Those that fire, then the pending, then the resolved ones.
        alerts: Rc<[AlertNotice]>,
        /// How many more there are: the last ones of that order.
        left_out: u64,
    },
    /// The gateway has left out a part of what the page asked for; the sentence names it.
    PartLeftOut(String),
    /// The gateway cannot resume a feed: the history is to be asked for anew.
    ResumeRefused,
    /// The gateway has refused what the page asked for.
    GatewayRefused(String),
    /// The browser does not let the page reach the gateway; the sentence says why and what mends it.
    BrowserRefused(String),
    /// The gateway was asked over HTTP why its feed does not open.
    Probed(Probe),
    /// The page's own engine has left out series: sentences that say how many and why.
    SeriesNotTaken(Rc<[String]>),
    /// The board's series need more memory than the page may take; fewer are to be kept.
    MemoryFull {
        /// How many fit.
        series: usize,
    },
    /// There was no memory left for metrics that the board does not name.
    OthersGivenUp,
    /// The reader wants to see the metrics that the board does not name.
    OthersOpened,
    /// The reader has seen enough of them.
    OthersClosed,
    /// The reader wants more of them drawn.
    MoreOthersPressed,
    /// The gateway has listed its metrics.
    MetricsListed {
        /// The settings that it was asked by.
        of: Rc<Settings>,
        /// What it answered.
        list: Rc<Listing>,
    },
    /// The gateway does not list its metrics.
    MetricsNotListed {
        /// The settings that it was asked by.
        of: Rc<Settings>,
        /// The sentence that says why.
        reason: String,
    },
    /// The gateway has listed the alerts that are over, or does not.
    EndedListed {
        /// The settings that it was asked by.
        of: Rc<Settings>,
        /// What it answered; `None` where that is no list.
        list: Option<Rc<[EndedAlert]>>,
    },
    /// The page cannot make sense of what the gateway sends.
    FeedUnreadable(String),
    /// The socket has closed or could not be opened.
    SocketClosed {
        /// The code of the close frame; 1006 where there was none.
        code: u16,
        /// What the gateway said; may be empty.
        reason: String,
    },
    /// The next attempt has been set.
    RetryScheduled {
        /// When it is due.
        at: Monotonic,
    },
    /// The next attempt is due.
    RetryDue {
        /// When that was.
        at: Monotonic,
    },
    /// The reader has opened a file, which is shown in the place of what a gateway sends.
    FileOpened,
    /// The reader wants the next attempt at once.
    RetryPressed,
    /// The reader wants the page loaded anew.
    ReloadPressed,
    /// A second has passed.
    SecondPassed {
        /// When that was.
        at: Monotonic,
        /// When the gateway was last heard, where it ever was.
        heard: Option<Monotonic>,
    },
    /// The page's help has come.
    HelpLoaded(Rc<str>),
    /// It will not come; the sentence says why.
    HelpFailed(String),
    /// The browser is about to paint.
    FrameStarted,
    /// The figures have been evaluated; `None` while the engine is still empty of history.
    Evaluated(Option<Rc<Snapshot>>),
    /// The address after `#` has changed.
    HashChanged(String),
    /// The reader has chosen a window.
    WindowChosen(PageWindow),
    /// The reader wants to see only series of one value of a label, as [`crate::filter::condition`] writes it.
    FilterChosen(String),
    /// The reader wants to see all values of this label again.
    FilterRemoved(String),
    /// The reader wants to explore a metric, by its name.
    MetricChosen(String),
    /// The reader points at an instant of the charts, or at none any more.
    CursorMoved(Option<TimestampMs>),
    /// The reader has stopped or restarted the picture.
    PauseToggled,
    /// The reader has turned to a span of time, or back to now.
    Turned(Turn),
    /// The reader has opened or closed the choice of a span.
    SpansToggled,
    /// The past that was asked for is here.
    PastCompleted,
    /// The gateway leaves out a part of the past that was asked for; the sentence says which.
    PastLeftOut(String),
    /// What was asked of the past was answered after it had been given up.
    PastLapsed,
    /// It will not come; the sentence says why.
    PastFailed(String),
    /// The reader has pressed the button of notifications.
    NotifyPressed,
    /// The browser has said whether the page may notify.
    NotifyAnswered(Permission),
    /// The reader has pressed the button of the sound.
    SoundPressed,
    /// The reader has chosen a theme.
    ThemeChosen(Theme),
    /// The reader has chosen a language.
    LanguageChosen(Language),
    /// The texts of that language are in force.
    LanguageInForce(Language),
    /// The style sheet's colours have changed.
    PaletteRead(Rc<Palette>),
    /// The page has come to the front or gone behind.
    VisibilityChanged {
        /// Which of the two.
        visibility: Visibility,
        /// When that was.
        at: Monotonic,
    },
    /// The code of a view is here.
    ChunkLoaded(Chunk),
    /// It will not come.
    ChunkFailed(Chunk),
    /// The page has had nothing to do for a moment.
    IdleReached,
    /// The reader wants what did not come to be fetched again.
    AgainPressed,
    /// The chart bundle is here.
    PlotlyLoaded,
    /// The chart bundle will not come; the sentence says why.
    PlotlyFailed(String),
}

impl Msg {
    /// Whether the fact may change what is on screen. What only leads to a new evaluation does not: the
    /// evaluation does, once for each animation frame.
    #[must_use]
    pub const fn is_seen(&self) -> bool {
        !matches!(self, Self::FeedChanged | Self::FrameStarted | Self::AlertsReceived { .. } | Self::ReloadPressed)
    }
}
