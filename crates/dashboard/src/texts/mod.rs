//! What the page says, in the reader's language.
//!
//! The texts are files of the site, `www/texts/<language>.json`: one object whose names are those of [`Text`], in the same
//! order. The wasm holds none of them and knows each by its number.

#[cfg(target_arch = "wasm32")]
mod browser;
mod language;
#[cfg(not(target_arch = "wasm32"))]
mod plain;
#[cfg(test)]
mod tests;

use bellwether_core::rule::Comparison;
use bellwether_core::sample::Kind;

pub use language::Language;

#[cfg(target_arch = "wasm32")]
pub use browser::{language, locales, speak, start};

#[cfg(target_arch = "wasm32")]
use browser as platform;
#[cfg(not(target_arch = "wasm32"))]
use plain as platform;

use crate::format;

macro_rules! texts {
    ($($name:ident,)*) => {
        /// One text of the page, by its name in the files of texts. What looks one up is never put into its callers, of which
        /// there are hundreds.
        #[expect(missing_docs, reason = "each says what it is in the files of texts")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub enum Text {
            $($name,)*
        }

        /// The names of all texts, in order.
        #[cfg(any(test, not(target_arch = "wasm32")))]
        const NAMES: &[&str] = &[$(stringify!($name),)*];
    };
}

texts! {
    // The views.
    ViewOverview, ViewAlerts, ViewExplore, ViewSources, ViewHelp, ViewChart, ViewKpi, Views,
    // Words that several parts share.
    And, AndMore, NoneValue, FirstOf, Reload,
    // The head of the page.
    SkipToFigures, Simulation, FiringHidden, ConnectionHidden, Window, Pause, PauseTitle, Resume, PausedAt,
    // The span of time.
    AsOfThen, NotLive, TimeRange, RangeTitle, LiveTitle, BackToLive, PastLoading, PastNot, PastShown, PastHours, PastAlerts,
    PastUnjudged, PastTooLarge, Steps, StepEarlier, StepLater, StepIn, StepOut, SpanFrom, SpanTo, SpanUnread, SpanShort,
    SpanLong, SpanFuture,
    ThemeSystem, ThemeLight, ThemeDark, ThemeHidden, ThemeTitle, LanguageOther, LanguageOtherTitle,
    // The connection.
    Connecting, ReconnectingNow, ReconnectingIn, LoadingHistory, DataOld, Live, Paused, RefusedByGateway,
    BlockedByBrowser, ClosedForGood, GatewaySays, FeedUnreadable, SocketRefused,
    // Why there is no connection.
    CauseSilentHead, CauseUnreadableHead, CauseNoGatewayHead, CauseNotReadyHead, CauseFeedHead, CauseUnknown,
    CauseSaid, CauseSilent, CauseCertificate, CauseUnreadable, CauseNoGateway, CauseNotReady, CauseReady, CausePolicy,
    // Settings and files.
    SettingsNotJson, SettingsNotObject, SettingsNotText, SettingsUnknown, SettingsGateway, SettingsUnreadable,
    BoardUnreadable, FileNoAddress, FileUnread, FileNoAnswer, FileStatus, FileNoText, LoadingHelp,
    // What stands in the place of figures.
    GatewayRefuses, BrowserRefuses, KeepsTrying, TryNow, FirstSample, EmptyHead, EmptyText, EmptyThen, BareHead,
    BareText, LoadingView, ViewNotLoaded, TryAgain, MakingChart, FromFile, FileNotice, FileInvite, OpenFile, OpenExample,
    NoSuchKpi, NoSuchKpiText, NoSuchPanel, NoSuchPanelText,
    // Notices.
    PausedNotice, MemoryFits, OthersGivenUp, KnownUntil, TooManySeries, TooMuchHistory, OtherKind, LeftOut,
    LeftOutOthers, LeftOutMost, LeftOutMostOfMetric, LeftOutKind, WhatToDo,
    // The sentence of status.
    AsOfKnown, HistoryLoading, OnlyStatus, Yet, NoDataOne, NoDataOneThen, NoDataAny, NoDataAnyThen, NoDataSome,
    NoDataSomeThen, NoDataMore, NoDataMoreThen, TargetMet, TargetMetThen, TargetsMet, TargetsMetThen, TargetNotMet,
    TargetNotMetThen, NoneMet, NoneMetThen, SomeMet, SomeMetThen, Unjudged, EachCardSays, AlertsOfAll, NoAlert,
    NoAlertThen, OneAlert, OneAlertThen, ManyAlerts, ManyAlertsThen, AtLeastAlerts, AtLeastAlertsThen,
    // Filter and preview.
    Filter, FilterHidden, FiltersInForce, FilterRemove, FilterMore, FilterWhich, FilterChoose,
    EverythingShown, OnlyShown, PreviewFilling, PreviewNone, PreviewNoneThen, PreviewHeld,
    PreviewHeldThen, PreviewMore, PreviewUnknown, PreviewEnd,
    // A KPI's card.
    Met, NotMet, NoFigureBadge, NoFigure, NoDataBadge, NoData, AtThen, NoTarget, TargetAtMost, TargetAtLeast,
    AskGateway, AskGatewayFor, NothingInWindow, NoEarlierFigure, AsBefore, BetterThan, WorseThan, Owner,
    CourseSummary, Filtered, MadeOf, MadeShare, MadeAverage, MadeTotal, MadeLowest, MadeHighest, MadeLatest, MadeRate,
    MadeChange, MadeSum, MadeCount, MadeIncrease, MadeDeviation, OfSeries, WindowTooLong, NotForKind, AcrossNeeded,
    EdgeGone, NoAnswer,
    // Charts.
    Analyse, Threshold, Target, HighestOf, ZeroThroughout, EachPointOver, Restated, NoDataInWindow, LatestIn, LatestAt,
    SummaryLine, SummaryNone, Summary, SummaryEach, SummaryIdle, SummaryHidden, CursorOf, CursorHow, CursorSpoken, Time, ChartFigures, Line, Latest,
    Lowest, Highest, Table, OfTitle, TableOf, DownloadCsv, LoadingChart, Percentiles, LowestToHighest,
    ChartNoDocument, ChartNoAddress, ChartNotLoaded, ChartNotMade, ChartNotDrawn, ChartNoReason,
    // A KPI with what stands behind it.
    Course, Value, LengthBefore, LastLength, Spread, Samples, OfTheHighest, Number, SpreadNote, ByLabel, Figure,
    CoursesNote, OnTarget, Distribution, DistributionTooMany, DistributionSummary, DistributionCell, DistributionHow,
    DistributionNote, PercentileError, RangeTo, Range, RangeHolds, Share, ShareUpTo, SamplesAField, TargetMark,
    // Alerts.
    Firing, Pending, Resolved, NoneFiring, NoneFiringThen, NonePending, NonePendingThen, NoneResolved,
    NoneResolvedThen, AlertsNotListed, AlertFiring, AlertPending, AlertResolved, WhenLastHeard, Runbook, AlertWas,
    AlertWasThen, RuleIs, FigureIs, NoFigureRule, StaleNow, ResolvedAt, Lasted, SinceTime, ForLength, Above,
    AtOrAbove, Below, AtOrBelow, SeverityPage, SeverityTicket, SeverityInfo, Changes, Alert, ConditionMet, Fired,
    Ended, ChangesAll, ChangesFirst, ChangesNone, ChangesToldFor, PastNotTold, Calls, CallNotify,
    CallSound, CallOn, CallOff, CallsOff, CallsOn, CallsDenied, CallsMissing, Watched, Rule, WatchesWhat, FiresWhen, Severity, State, ByLabels, HoldsFor,
    RuleNotTold, RuleNotJudged, RuleQuiet, RulePending, RuleFiring, NoRuleWatches, NoRules,
    // Explore and other metrics.
    Metric, Show, ExploreAll, ExploreFirst, ExploreNone, ExploreTooMany, ExploreAsking, MetricsNotListed, EachSeries,
    AllTogether, By, EachPointOfLast, FigureAvg, FigureMin, FigureMax, OtherMetrics, AskingGateway, ShowMore,
    NotDrawn, OthersNone, OthersSome, OthersLarge, MetricSeries, AndMoreMetrics,
    // Sources and foot.
    Gateway, What, HowItStands, Version, LiveFeed, SeriesOfBoard, LimitsReached, LimitsNone, LimitsNamed, OfAtMost,
    StoresAndRefuses, Metrics, Kind, Series, LatestSample, GapsLast, Ago, NoSample, NotOnBoard, NotHere, MoreListed,
    KindObservation, KindGauge, KindCounter, KindEvent, SeriesOnPage, AsOf,
}

impl Text {
    /// The text as it is.
    #[must_use]
    #[inline(never)]
    pub fn say(self) -> &'static str {
        platform::texts().get(self as usize).copied().unwrap_or_default()
    }

    /// The text with `parts` in the places that it names: `{0}` is the first.
    #[must_use]
    #[inline(never)]
    pub fn fill(self, parts: &[&str]) -> String {
        fill(self.say(), parts)
    }

    /// The form of the text that suits `count`, which is `{0}` in it; `parts` follow from `{1}` on. Forms are parted by
    /// `|`: that of one, then that of any other number.
    #[must_use]
    #[inline(never)]
    pub fn count(self, count: u64, parts: &[&str]) -> String {
        let (one, other) = self.say().split_once('|').unwrap_or((self.say(), self.say()));
        let number = format::count(count);
        let mut all = vec![number.as_str()];
        all.extend(parts);
        fill(if platform::is_one(count) { one } else { other }, &all)
    }
}

fn fill(text: &str, parts: &[&str]) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let digit = after.bytes().next().map_or(usize::MAX, |digit| usize::from(digit.wrapping_sub(b'0')));
        match parts.get(digit) {
            Some(part) => {
                filled.push_str(part);
                rest = after.get(2..).unwrap_or_default();
            }
            // A brace of its own.
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// `text` with a small letter at its beginning, where that is a plain one: to go on within a sentence.
#[must_use]
pub fn lowered(mut text: String) -> String {
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    text
}

/// A comparison in words.
#[must_use]
pub fn comparison(comparison: Comparison) -> &'static str {
    let word = match comparison {
        Comparison::Above => Text::Above,
        Comparison::AtLeast => Text::AtOrAbove,
        Comparison::Below => Text::Below,
        Comparison::AtMost => Text::AtOrBelow,
    };
    word.say()
}

/// A kind of metric in a word.
#[must_use]
pub fn kind(kind: Kind) -> &'static str {
    let word = match kind {
        Kind::Observation => Text::KindObservation,
        Kind::Gauge => Text::KindGauge,
        Kind::Counter => Text::KindCounter,
        Kind::Event => Text::KindEvent,
    };
    word.say()
}
