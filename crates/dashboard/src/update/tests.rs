mod spans;

use bellwether_core::board::Board;
use bellwether_core::labels::{Labels, MetricName};
use bellwether_core::rule::{AlertState, Comparison, Severity};
use bellwether_core::time::TimestampMs;

use super::*;
use crate::calls::{Permission, Switch};
use crate::cause::Probe;
use crate::connection::back_off;
use crate::feed::{AlertNotice, Hello, Origin};
use crate::figures::{Snapshot, Tally};
use crate::filter::Filter;
use crate::others::{self, Listing};
use crate::settings::{Settings, TAB};
use crate::span::{Shift, Turn};
use crate::texts::Language;
use crate::theme::Theme;
use crate::window::PageWindow;

fn ms(ms: f64) -> Monotonic {
    Monotonic::from_millis(ms)
}

fn hello() -> Msg {
    let hello = Hello {
        title: "Ours".into(),
        version: "1".into(),
        origin: Origin::Measured,
        board: Rc::new(Board::default()),
        staleness: DurationMs::from_minutes(5),
    };
    Msg::HelloReceived { hello: Rc::new(hello), at: ms(0.0) }
}

fn snapshot(at: i64) -> Option<Rc<Snapshot>> {
    Some(Rc::new(Snapshot {
        at: TimestampMs::new(at),
        now: TimestampMs::new(at),
        unjudged_rules: 0,
        sections: Vec::new(),
        others: Vec::new(),
        filter: Filter::default(),
        choices: [].into(),
        preview: String::new(),
        tally: Rc::new(Tally::default()),
        alerts: [].into(),
        series: 1,
        kpi: None,
        chart: None,
        distribution: None,
        picks: Vec::new(),
        sheets: Vec::new(),
        focus: None,
    }))
}

/// A page whose history has come.
fn live() -> State {
    let mut state = State::default();
    update(&mut state, Msg::Started { hash: String::new(), theme: Theme::System, language: Language::English });
    update(&mut state, Msg::SettingsLoaded(Settings::default()));
    update(&mut state, hello());
    update(&mut state, Msg::HistoryCompleted);
    update(&mut state, Msg::FrameStarted);
    update(&mut state, Msg::Evaluated(snapshot(1_000)));
    state
}

fn closed() -> Msg {
    Msg::SocketClosed { code: 1006, reason: String::new() }
}

#[test]
fn a_start_reads_settings_then_connects_then_subscribes() {
    let mut state = State::default();
    let started = update(
        &mut state,
        Msg::Started { hash: "#/?window=1h".into(), theme: Theme::Dark, language: Language::Spanish },
    );
    assert_eq!(started, [Effect::ApplyTheme(Theme::Dark), Effect::FetchSettings]);
    assert_eq!(state.route.window, PageWindow::Hour);
    let connecting = update(&mut state, Msg::SettingsLoaded(Settings::default()));
    assert_eq!(connecting, [Effect::OpenSocket(Rc::new(Settings::default()))]);
    let subscribing = update(&mut state, hello());
    assert_eq!(
        subscribing,
        [Effect::Subscribe(Rc::new(Board::default()), PageWindow::Hour), Effect::SetTitle("Ours".into())]
    );
    assert_eq!(update(&mut state, Msg::HistoryCompleted), [Effect::RequestFrame, Effect::AwaitIdle]);
    assert_eq!(state.connection, Connection::Live { silence: DurationMs::ZERO });
}

#[test]
fn a_longer_window_asks_for_a_longer_history_and_a_shorter_one_for_none() {
    let mut state = live();
    let longer = update(&mut state, Msg::WindowChosen(PageWindow::Week));
    assert!(matches!(&longer[..], [Effect::Subscribe(_, PageWindow::Week), ..]), "{longer:?}");
    assert!(matches!(state.connection, Connection::Filling { .. }));
    update(&mut state, Msg::HistoryCompleted);
    for window in [PageWindow::Day, PageWindow::FiveMinutes, PageWindow::Week] {
        let effects = update(&mut state, Msg::WindowChosen(window));
        assert!(effects.iter().all(|effect| !matches!(effect, Effect::Subscribe(..))), "{window:?}: {effects:?}");
    }
    assert!(matches!(fill_anew(&mut state)[..], [Effect::Subscribe(_, PageWindow::Week)]), "it is not asked for twice");
}

#[test]
fn a_language_is_in_force_once_its_texts_are_here() {
    let mut state = State::default();
    update(&mut state, Msg::Started { hash: "#/help".into(), theme: Theme::System, language: Language::English });
    let chosen = update(&mut state, Msg::LanguageChosen(Language::Spanish));
    assert_eq!((chosen, state.language), (vec![Effect::ApplyLanguage(Language::Spanish)], Language::English));
    update(&mut state, Msg::HelpLoaded("help".into()));
    let effects = update(&mut state, Msg::LanguageInForce(Language::Spanish));
    assert_eq!(state.language, Language::Spanish);
    assert!(effects.contains(&Effect::FetchHelp(Language::Spanish)), "the help is text as well: {effects:?}");
}

#[test]
fn an_address_may_ask_for_a_language_and_keeps_it() {
    let mut state = State::default();
    let asked = update(&mut state, Msg::HashChanged("#/alerts?lang=es".into()));
    assert!(asked.contains(&Effect::ApplyLanguage(Language::Spanish)), "{asked:?}");
    assert_eq!(state.route.with_view(View::Overview).hash(), "#/?window=5m&lang=es");
    update(&mut state, Msg::LanguageInForce(Language::Spanish));
    let english = update(&mut state, Msg::LanguageInForce(Language::English));
    assert!(english.contains(&Effect::SetHash("#/alerts?window=5m&lang=en".into())), "{english:?}");
    let none = update(&mut state, Msg::HashChanged("#/?lang=xx".into()));
    assert!(none.iter().all(|effect| !matches!(effect, Effect::ApplyLanguage(_))));
}

#[test]
fn a_board_of_the_settings_comes_first_and_counts() {
    let mut state = State::default();
    let settings = Settings { board: Some("board.json".into()), ..Settings::default() };
    assert_eq!(update(&mut state, Msg::SettingsLoaded(settings)), [Effect::FetchBoard("board.json".into())]);
    let own = Rc::new(Board { title: "Own".into(), ..Board::default() });
    assert!(matches!(update(&mut state, Msg::BoardLoaded(Rc::clone(&own)))[..], [Effect::OpenSocket(_)]));
    assert_eq!(update(&mut state, hello())[0], Effect::Subscribe(own, PageWindow::FiveMinutes));
    assert_eq!(state.title(), "Own");
}

#[test]
fn many_facts_ask_for_one_frame() {
    let mut state = live();
    assert_eq!(update(&mut state, Msg::FeedChanged), [Effect::RequestFrame]);
    assert_eq!(update(&mut state, Msg::FeedChanged), []);
    assert_eq!(update(&mut state, Msg::SecondPassed { at: ms(1_000.0), heard: Some(ms(900.0)) }), []);
    assert!(matches!(update(&mut state, Msg::FrameStarted)[..], [Effect::Evaluate(_)]));
    assert_eq!(update(&mut state, Msg::FeedChanged), [Effect::RequestFrame]);
}

#[test]
fn a_hidden_page_is_idle_and_shows_the_truth_when_it_comes_back() {
    let mut state = live();
    update(&mut state, Msg::VisibilityChanged { visibility: Visibility::Hidden, at: ms(0.0) });
    assert_eq!(update(&mut state, Msg::FeedChanged), []);
    let back = update(&mut state, Msg::VisibilityChanged { visibility: Visibility::Visible, at: ms(9_000.0) });
    assert_eq!(back, [Effect::RequestFrame]);
}

#[test]
fn a_page_that_comes_back_does_not_wait_for_its_turn() {
    let mut state = live();
    update(&mut state, closed());
    update(&mut state, Msg::VisibilityChanged { visibility: Visibility::Hidden, at: ms(0.0) });
    let back = update(&mut state, Msg::VisibilityChanged { visibility: Visibility::Visible, at: ms(1.0) });
    assert!(matches!(back[..], [Effect::RequestFrame, Effect::OpenSocket(_)]), "{back:?}");
}

#[test]
fn each_failure_waits_longer_and_success_forgets_them() {
    let mut state = live();
    assert_eq!(update(&mut state, closed())[..2], [Effect::CloseSocket, Effect::ScheduleRetry { failures: 1 }]);
    update(&mut state, Msg::RetryScheduled { at: ms(3_000.0) });
    assert_eq!(state.connection.words(ms(0.0)).1, "Reconnecting in 3\u{a0}s");
    assert!(matches!(update(&mut state, Msg::RetryDue { at: ms(3_000.0) })[..], [Effect::OpenSocket(_)]));
    assert_eq!(update(&mut state, closed())[1], Effect::ScheduleRetry { failures: 2 });
    update(&mut state, Msg::RetryDue { at: ms(4_000.0) });
    update(&mut state, hello());
    let ended = update(&mut state, closed());
    assert_eq!(ended[1], Effect::ScheduleRetry { failures: 3 }, "a greeting without its history is no success");
    update(&mut state, Msg::RetryDue { at: ms(6_000.0) });
    update(&mut state, hello());
    update(&mut state, Msg::HistoryCompleted);
    assert_eq!(update(&mut state, closed())[1], Effect::ScheduleRetry { failures: 1 });
    assert!(state.snapshot.is_some(), "what was known stays on screen");
}

#[test]
fn a_close_is_heard_once() {
    let mut state = live();
    update(&mut state, closed());
    assert_eq!(update(&mut state, closed()), []);
    assert_eq!(update(&mut state, Msg::RetryDue { at: ms(1.0) }).len(), 1);
    assert_eq!(update(&mut state, Msg::RetryDue { at: ms(2.0) }), [], "one attempt at a time");
}

#[test]
fn a_refusal_is_final() {
    let mut state = live();
    update(&mut state, Msg::SocketClosed { code: 1008, reason: "This page is not on the list.".into() });
    let reason = "This page is not on the list.".to_owned();
    assert_eq!(state.connection, Connection::Refused { by: Refuser::Gateway, reason });
    assert_eq!(update(&mut state, closed()), []);
}

#[test]
fn a_browser_that_blocks_the_gateway_ends_the_attempts_in_either_order() {
    for first in ["closed", "blocked"] {
        let mut state = State::default();
        update(&mut state, Msg::SettingsLoaded(Settings::default()));
        if first == "closed" {
            update(&mut state, closed());
        }
        assert_eq!(update(&mut state, Msg::BrowserRefused("Policy.".into())), [Effect::CloseSocket]);
        assert_eq!(update(&mut state, closed()), []);
        assert_eq!(state.connection, Connection::Refused { by: Refuser::Browser, reason: "Policy.".into() });
        assert_eq!(update(&mut state, Msg::RetryDue { at: ms(1.0) }), [], "nothing is tried again");
    }
}

#[test]
fn the_cause_is_asked_for_less_and_less_often_and_forgotten_when_the_gateway_speaks() {
    let mut state = State::default();
    update(&mut state, Msg::SettingsLoaded(Settings::default()));
    let mut asked = Vec::new();
    for attempt in 1..=9 {
        if update(&mut state, closed()).iter().any(|effect| matches!(effect, Effect::Probe(_))) {
            asked.push(attempt);
        }
        update(&mut state, Msg::RetryDue { at: ms(0.0) });
    }
    assert_eq!(asked, [1, 2, 4, 8]);
    update(&mut state, Msg::Probed(Probe::Unreadable));
    assert_eq!(state.cause, Some(Cause::Probed(Probe::Unreadable)));
    update(&mut state, hello());
    assert_eq!(state.cause, None);
    update(&mut state, Msg::HistoryCompleted);
    update(&mut state, Msg::Probed(Probe::Silent));
    assert_eq!(state.cause, None, "an answer that comes late says nothing of now");
    let said = update(&mut state, Msg::SocketClosed { code: 1001, reason: "stopping".into() });
    assert_eq!((said.len(), &state.cause), (2, &Some(Cause::Said("stopping".into()))), "its own words need no asking");
    update(&mut state, Msg::RetryDue { at: ms(0.0) });
    assert_eq!((update(&mut state, closed()).len(), &state.cause), (3, &None), "they were of the connection before");
}

#[test]
fn a_gateway_with_too_much_to_do_is_left_alone_longer_each_time() {
    let mut state = live();
    let mut waits = Vec::new();
    for _ in 0..3 {
        let busy = Msg::SocketClosed { code: 1013, reason: "too much history waits to be sent to others".into() };
        waits.extend(update(&mut state, busy).into_iter().filter_map(|effect| match effect {
            Effect::ScheduleRetry { failures } => Some(back_off(failures, 0.0).as_millis()),
            _ => None,
        }));
        update(&mut state, Msg::RetryDue { at: ms(1_000.0) });
        // Each time the gateway greets, and closes while it sends its history.
        update(&mut state, hello());
    }
    assert_eq!(waits, [2_000, 4_000, 8_000]);
}

#[test]
fn what_was_restated_is_taken_anew_at_once_and_is_no_overload() {
    let mut state = live();
    let restated = || Msg::SocketClosed { code: 1013, reason: "restated: stored samples were corrected".into() };
    let mut waits = Vec::new();
    for _ in 0..3 {
        waits.extend(update(&mut state, restated()).into_iter().filter_map(|effect| match effect {
            Effect::ScheduleRetry { failures } => Some(back_off(failures, 1.0).as_millis()),
            _ => None,
        }));
        update(&mut state, Msg::RetryDue { at: ms(1_000.0) });
        update(&mut state, hello());
    }
    assert_eq!(waits, [100, 500, 1_000], "the first at once, those before the history has come after a pause");
    assert_eq!(state.overloads, 0);
}

#[test]
fn silence_is_said_and_then_mended() {
    let mut state = live();
    update(&mut state, Msg::SecondPassed { at: ms(12_500.0), heard: Some(ms(500.0)) });
    assert_eq!(state.connection.words(state.now).1, "Data 12\u{a0}s old");
    let effects = update(&mut state, Msg::SecondPassed { at: ms(20_500.0), heard: Some(ms(500.0)) });
    assert_eq!(effects[..2], [Effect::CloseSocket, Effect::ScheduleRetry { failures: 1 }]);
}

#[test]
fn a_part_that_is_left_out_ends_nothing_and_is_said_until_the_next_connection() {
    let mut state = live();
    let before = state.connection.clone();
    assert_eq!(update(&mut state, Msg::PartLeftOut("m is left out".into())), []);
    update(&mut state, Msg::SeriesNotTaken(["Left out: 7 series of sent.".to_owned()].into()));
    assert_eq!((&state.connection, &state.left_out[..]), (&before, &["m is left out".to_owned()][..]));
    assert_eq!(state.not_taken.len(), 1);
    update(&mut state, hello());
    assert_eq!((state.left_out.len(), state.not_taken.len()), (0, 0));
}

#[test]
fn a_socket_that_never_opens_and_a_history_that_never_comes_are_given_up() {
    let mut state = State::default();
    update(&mut state, Msg::SettingsLoaded(Settings::default()));
    assert_eq!(update(&mut state, Msg::SecondPassed { at: ms(14_000.0), heard: None }), []);
    assert_eq!(update(&mut state, Msg::SecondPassed { at: ms(15_000.0), heard: None }).len(), 3);
    update(&mut state, Msg::RetryDue { at: ms(16_000.0) });
    update(&mut state, hello());
    update(&mut state, Msg::SecondPassed { at: ms(30_000.0), heard: Some(ms(29_000.0)) });
    assert!(matches!(state.connection, Connection::Filling { .. }), "a long history is no silence");
    update(&mut state, Msg::SecondPassed { at: ms(49_000.0), heard: Some(ms(29_000.0)) });
    assert!(matches!(state.connection, Connection::Waiting { .. }));
}

#[test]
fn a_paused_picture_stands_still() {
    let mut state = live();
    update(&mut state, Msg::PauseToggled);
    assert_eq!(state.picture, Picture::Paused(TimestampMs::new(1_000)));
    let Some(Effect::Evaluate(ask)) = update(&mut state, Msg::FrameStarted).pop() else { panic!("no evaluation") };
    assert_eq!(ask.at, Instant::Fixed(TimestampMs::new(1_000)));
    update(&mut state, Msg::PauseToggled);
    let Some(Effect::Evaluate(ask)) = update(&mut state, Msg::FrameStarted).pop() else { panic!("no evaluation") };
    assert_eq!(ask.at, Instant::Now);
}

#[test]
fn a_page_that_is_cut_off_stands_at_what_it_knew() {
    fn shown(state: &mut State) -> Instant {
        update(state, Msg::FeedChanged);
        match update(state, Msg::FrameStarted).pop() {
            Some(Effect::Evaluate(ask)) => ask.at,
            other => panic!("no evaluation: {other:?}"),
        }
    }
    let mut state = live();
    assert_eq!(shown(&mut state), Instant::Now);
    update(&mut state, Msg::SecondPassed { at: ms(9_000.0), heard: Some(ms(4_000.0)) });
    assert_eq!(shown(&mut state), Instant::LastKnown, "silence");
    update(&mut state, closed());
    assert_eq!(shown(&mut state), Instant::LastKnown);
    update(&mut state, Msg::RetryDue { at: ms(10_000.0) });
    update(&mut state, hello());
    assert_eq!(shown(&mut state), Instant::LastKnown, "the old picture stands until the new one is whole");
    update(&mut state, Msg::HistoryCompleted);
    assert_eq!(shown(&mut state), Instant::Now);

    let mut first = State::default();
    update(&mut first, Msg::SettingsLoaded(Settings::default()));
    update(&mut first, hello());
    assert_eq!(shown(&mut first), Instant::Now, "a first history shows as it comes");
}

#[test]
fn a_file_takes_the_place_of_a_gateway_and_says_all_that_it_will_say() {
    let mut state = live();
    state.own_board = Remote::Ready(Rc::new(Board::default()));
    state.alerts = [notice(PENDING)].into();
    let effects = update(&mut state, Msg::FileOpened);
    assert!(matches!(effects.as_slice(), [Effect::OpenSocket(settings)] if settings.gateway == TAB), "{effects:?}");
    assert!(state.alerts.is_empty() && state.snapshot.is_none() && state.own_board.ready().is_none());
    update(&mut state, hello());
    assert_eq!(state.knowledge(), Knowledge::Current, "its history is on its way");
    update(&mut state, Msg::HistoryCompleted);
    // A tab that slept for an hour has missed nothing.
    update(&mut state, Msg::SecondPassed { at: ms(3_600_000.0), heard: Some(ms(0.0)) });
    assert_eq!(state.connection, Connection::Live { silence: DurationMs::ZERO });
    assert_eq!(state.knowledge(), Knowledge::Old, "nothing is known of what came after it");
    assert_eq!(ask(&state).map(|ask| ask.at), Some(Instant::LastKnown));
    assert_eq!(state.title(), "Ours", "the file's own title");
}

#[test]
fn what_the_site_was_asked_for_before_a_file_was_opened_changes_nothing_of_the_file() {
    let slow = Settings { board: Some("slow.json".into()), ..Settings::default() };
    let late = [
        Msg::SettingsLoaded(slow),
        Msg::SettingsFailed("No.".into()),
        Msg::BoardLoaded(Rc::new(Board { title: "The site's".into(), ..Board::default() })),
        Msg::BoardFailed("No.".into()),
        Msg::Probed(Probe::Silent),
        listed(&["of_gateway"]),
        not_listed(),
    ];
    for answer in late {
        let mut state = State::default();
        let hash = "#/explore".to_owned();
        update(&mut state, Msg::Started { hash, theme: Theme::System, language: Language::English });
        for step in [Msg::FileOpened, hello(), Msg::HistoryCompleted] {
            update(&mut state, step);
            let before = state.clone();
            assert_eq!(update(&mut state, answer.clone()), [], "{answer:?}");
            assert_eq!(state, before, "{answer:?}");
        }
        let of = Rc::new(Settings::of_tab());
        update(&mut state, Msg::MetricsListed { of, list: listing(&["of_file"]) });
        assert_eq!(state.others.list, Remote::Ready(listing(&["of_file"])), "the file's own list comes in");
    }
}

#[test]
fn what_the_reader_points_at_ends_with_the_picture_that_it_is_of() {
    let mut state = live();
    let at = Some(TimestampMs::new(900));
    for turn in [Msg::WindowChosen(PageWindow::Hour), Msg::HashChanged("#/alerts?window=1h".into())] {
        assert_eq!(update(&mut state, Msg::CursorMoved(at)), [], "nothing is asked for and nothing evaluated");
        assert_eq!(state.cursor, at);
        update(&mut state, turn);
        assert_eq!(state.cursor, None);
    }
    update(&mut state, Msg::CursorMoved(at));
    update(&mut state, Msg::FilterChosen("team:a".into()));
    assert_eq!(state.cursor, at, "the same instant of fewer series");
}

#[test]
fn a_window_is_in_the_address() {
    let mut state = live();
    let effects = update(&mut state, Msg::WindowChosen(PageWindow::QuarterHour));
    assert_eq!(effects, [Effect::RequestFrame, Effect::SetHash("#/?window=15m".into())]);
    // The browser reports the change that the page itself has made.
    assert_eq!(update(&mut state, Msg::HashChanged("#/?window=15m".into())), []);
}

#[test]
fn another_view_has_the_focus_and_the_title() {
    let mut state = live();
    let (active_at, fired_at) = (TimestampMs::new(1), TimestampMs::new(2));
    let firing = AlertState::Firing { active_at, fired_at, keep_firing_since: None };
    update(&mut state, received([notice(firing)].into(), 0));
    state.chunks.set(Chunk::Views, Remote::Ready(()));
    let effects = update(&mut state, Msg::HashChanged("#/alerts?window=15m".into()));
    let past = Effect::ListEnded(Rc::new(Settings::default()));
    assert_eq!(effects, [past, Effect::SetTitle("(1) Alerts · Ours".into()), Effect::Focus(Part::Heading)]);
    assert_eq!(state.heading(), "Alerts");
    // A window more is no other view.
    update(&mut state, Msg::FrameStarted);
    assert_eq!(update(&mut state, Msg::HashChanged("#/alerts?window=1h".into())), [Effect::RequestFrame]);
    let back = update(&mut state, Msg::HashChanged("#/".into()));
    assert_eq!(back, [Effect::SetTitle("(1) Ours".into()), Effect::Focus(Part::Heading)]);
}

#[test]
fn alerts_that_are_over_are_asked_for_where_they_are_shown_and_now_and_then() {
    let asks = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::ListEnded(_)));
    let mut state = live();
    assert!(!asks(&second(&mut state, ms(1_000.0), Some(ms(1_000.0)))), "the overview shows none");
    assert!(asks(&update(&mut state, Msg::HashChanged("#/kpi/x".into()))));
    assert!(!asks(&update(&mut state, Msg::HashChanged("#/alerts".into()))), "they are on their way");
    let listed = |list| Msg::EndedListed { of: Rc::new(Settings::default()), list };
    update(&mut state, listed(None));
    assert!(matches!(&state.ended, Remote::Failed(reason) if reason.starts_with("This gateway does not tell")));
    assert!(!asks(&second(&mut state, ms(200_000.0), Some(ms(200_000.0)))));
    assert!(asks(&second(&mut state, ms(301_000.0), Some(ms(301_000.0)))), "five minutes later");
    update(&mut state, listed(Some([].into())));
    update(&mut state, listed(None));
    assert_eq!(state.ended, Remote::Ready([].into()), "what failed once takes nothing away");
    update(&mut state, Msg::FileOpened);
    assert_eq!(state.ended, Remote::NotAsked);
    update(&mut state, listed(Some([].into())));
    assert_eq!(state.ended, Remote::NotAsked, "a gateway's say nothing of a file");
}

#[test]
fn a_metric_that_is_explored_is_followed_as_long_as_it_is_on_screen() {
    let mut state = live();
    let list = Effect::ListMetrics(Rc::new(Settings::default()));
    let follow = |names: &[&str]| Effect::Follow(names.iter().filter_map(|name| MetricName::new(name).ok()).collect());
    let effects = update(&mut state, Msg::HashChanged("#/explore".into()));
    assert!(effects.contains(&list), "{effects:?}");
    update(&mut state, Msg::FrameStarted);
    let effects = update(&mut state, Msg::MetricChosen(" depth ".into()));
    assert_eq!(
        effects,
        [follow(&["depth"]), Effect::RequestFrame, Effect::SetHash("#/explore?window=5m&metric=depth".into())]
    );
    // Asking it in another way asks the gateway for nothing more.
    update(&mut state, Msg::FrameStarted);
    let effects = update(&mut state, Msg::HashChanged("#/explore?metric=depth&agg=max".into()));
    assert_eq!(effects, [Effect::RequestFrame]);
    // After a cut it is followed again; where memory ends, no more.
    update(&mut state, closed());
    update(&mut state, Msg::RetryDue { at: ms(1.0) });
    update(&mut state, hello());
    assert!(update(&mut state, Msg::HistoryCompleted).contains(&follow(&["depth"])));
    assert!(update(&mut state, Msg::OthersGivenUp).is_empty());
    update(&mut state, Msg::FrameStarted);
    let effects = update(&mut state, Msg::HashChanged("#/".into()));
    assert!(effects.contains(&follow(&[])), "{effects:?}");
}

#[test]
fn the_help_is_read_once() {
    let mut state = live();
    let reads = |state: &mut State, hash: &str| {
        update(state, Msg::HashChanged(hash.into())).contains(&Effect::FetchHelp(Language::English))
    };
    assert!(reads(&mut state, "#/help"));
    update(&mut state, Msg::HelpFailed("No.".into()));
    assert!(!reads(&mut state, "#/alerts"));
    assert!(reads(&mut state, "#/help"));
    update(&mut state, Msg::HelpLoaded("<p>Help</p>".into()));
    assert!(!reads(&mut state, "#/") && !reads(&mut state, "#/help"));
}

#[test]
fn a_feed_that_cannot_be_resumed_is_filled_anew() {
    let mut state = live();
    assert_eq!(
        update(&mut state, Msg::ResumeRefused),
        [Effect::Subscribe(Rc::new(Board::default()), PageWindow::FiveMinutes)]
    );
    assert!(matches!(state.connection, Connection::Filling { .. }));
}

#[test]
fn a_filter_is_in_the_address_and_in_what_is_asked() {
    let mut state = live();
    update(&mut state, Msg::WindowChosen(PageWindow::QuarterHour));
    update(&mut state, Msg::FrameStarted);
    let effects = update(&mut state, Msg::FilterChosen("agency:Public%20Works".into()));
    let hash = "#/?window=15m&where=agency:Public%20Works";
    assert_eq!(effects, [Effect::RequestFrame, Effect::SetHash(hash.into())]);
    assert_eq!(update(&mut state, Msg::HashChanged(hash.into())), []);
    let [Effect::Evaluate(ask)] = &update(&mut state, Msg::FrameStarted)[..] else { panic!("nothing is asked") };
    assert_eq!(ask.route.filter.words(), "agency: Public Works");
    let effects = update(&mut state, Msg::FilterRemoved("agency".into()));
    let focus = Effect::Focus(Part::Filter);
    assert_eq!(effects, [Effect::RequestFrame, Effect::SetHash("#/?window=15m".into()), focus]);
}

#[test]
fn the_chart_bundle_is_loaded_when_first_needed_and_tried_again_after_a_failure() {
    let mut state = live();
    let loads =
        |state: &mut State, hash: &str| update(state, Msg::HashChanged(hash.into())).contains(&Effect::LoadPlotly);
    assert!(loads(&mut state, "#/panel/cpu"));
    assert!(!loads(&mut state, "#/panel/disk"), "it is on its way");
    update(&mut state, Msg::PlotlyFailed("No.".into()));
    assert!(!loads(&mut state, "#/alerts"), "no chart there");
    assert!(loads(&mut state, "#/panel/cpu"));
    update(&mut state, Msg::PlotlyLoaded);
    assert!(!loads(&mut state, "#/panel/disk"));
}

#[test]
fn code_of_a_view_is_fetched_when_it_is_opened_and_again_after_a_failure() {
    let mut state = live();
    let fetches = |state: &mut State, hash: &str| {
        let effects = update(state, Msg::HashChanged(hash.into()));
        effects.into_iter().filter(|effect| matches!(effect, Effect::FetchChunk(_))).collect::<Vec<_>>()
    };
    assert_eq!(fetches(&mut state, "#/alerts"), [Effect::FetchChunk(Chunk::Views)]);
    assert_eq!(fetches(&mut state, "#/sources"), [], "it is on its way");
    update(&mut state, Msg::ChunkFailed(Chunk::Views));
    let Remote::Failed(reason) = state.chunks.get(Chunk::Views) else { panic!("it is said") };
    assert!(reason.starts_with("This view could not be loaded"), "{reason}");
    assert_eq!(update(&mut state, Msg::AgainPressed), [Effect::FetchChunk(Chunk::Views)]);
    update(&mut state, Msg::ChunkFailed(Chunk::Views));
    assert_eq!(fetches(&mut state, "#/help"), [], "that needs none");
    assert_eq!(fetches(&mut state, "#/kpi/a"), [Effect::FetchChunk(Chunk::Views)]);
    // What the view shows is evaluated with it.
    update(&mut state, Msg::FrameStarted);
    assert!(update(&mut state, Msg::ChunkLoaded(Chunk::Views)).contains(&Effect::RequestFrame));
    assert_eq!(fetches(&mut state, "#/alerts"), []);
}

#[test]
fn code_is_fetched_ahead_once_the_figures_are_there_one_after_the_other() {
    let mut state = live();
    assert!(update(&mut state, Msg::HistoryCompleted).contains(&Effect::AwaitIdle));
    assert_eq!(update(&mut state, Msg::IdleReached), [Effect::FetchChunk(Chunk::Views)]);
    assert_eq!(update(&mut state, Msg::IdleReached), [], "one is on its way");
    let effects = update(&mut state, Msg::ChunkLoaded(Chunk::Views));
    assert!(effects.contains(&Effect::FetchChunk(Chunk::Panel)), "{effects:?}");
    // Nobody waits for it: nothing is said, and the next connection tries again.
    assert_eq!(update(&mut state, Msg::ChunkFailed(Chunk::Panel)), []);
    assert_eq!(*state.chunks.get(Chunk::Panel), Remote::NotAsked);
    assert_eq!(update(&mut state, Msg::IdleReached), [Effect::FetchChunk(Chunk::Panel)]);
    update(&mut state, Msg::ChunkLoaded(Chunk::Panel));
    assert_eq!(update(&mut state, Msg::IdleReached), []);
}

fn notice(state: AlertState) -> AlertNotice {
    AlertNotice {
        rule: "Slow".into(),
        labels: Labels::empty(),
        severity: Severity::Page,
        state,
        value: Some(2.0),
        stale: false,
        comparison: Comparison::Above,
        threshold: 1.0,
        summary: String::new(),
        runbook: String::new(),
    }
}

fn received(alerts: Rc<[AlertNotice]>, left_out: u64) -> Msg {
    Msg::AlertsReceived { alerts, left_out }
}

const PENDING: AlertState = AlertState::Pending { active_at: TimestampMs::new(1) };

#[test]
fn the_tab_counts_firing_alerts_also_while_nobody_sees_the_page() {
    let mut state = live();
    update(&mut state, Msg::VisibilityChanged { visibility: Visibility::Hidden, at: ms(0.0) });
    let at = TimestampMs::new(1);
    let firing = notice(AlertState::Firing { active_at: at, fired_at: at, keep_firing_since: None });
    let told = received([firing.clone(), notice(PENDING)].into(), 7);
    assert_eq!(update(&mut state, told.clone()), [Effect::SetTitle("(1) Ours".into())]);
    assert_eq!(update(&mut state, told), [], "the same again changes nothing");
    let more = update(&mut state, received([firing].into(), 7));
    assert_eq!(more, [Effect::SetTitle("(1+) Ours".into())], "those left out may be firing as well");
    assert_eq!(update(&mut state, received([].into(), 0)), [Effect::SetTitle("Ours".into())]);
}

#[test]
fn the_reader_is_called_for_what_begins_to_fire_as_they_have_asked() {
    let mut state = live();
    let at = |ms| TimestampMs::new(ms);
    let firing = |ms| notice(AlertState::Firing { active_at: at(1), fired_at: at(ms), keep_firing_since: None });
    let calls = |effects: Vec<Effect>| {
        let is_call = |effect: &Effect| matches!(effect, Effect::Notify { .. } | Effect::PlayTone);
        effects.into_iter().filter(is_call).collect::<Vec<_>>()
    };
    let told = Effect::Notify { title: "Alert Slow is firing.".into(), body: String::new() };
    assert_eq!(update(&mut state, Msg::NotifyPressed), [Effect::AskToNotify], "the browser is asked on a press alone");
    assert_eq!(update(&mut state, Msg::NotifyAnswered(Permission::Denied)), [Effect::KeepNotify(Switch::Off)]);
    assert!(state.calls.words().starts_with("Your browser does not let this page notify you."));
    update(&mut state, Msg::NotifyAnswered(Permission::Granted));
    assert_eq!(calls(update(&mut state, received([firing(2)].into(), 0))), [], "what fires already is on the page");
    assert_eq!(calls(update(&mut state, received([firing(2)].into(), 0))), []);
    assert_eq!(calls(update(&mut state, received([].into(), 0))), []);
    assert_eq!(calls(update(&mut state, received([notice(PENDING)].into(), 0))), []);
    update(&mut state, Msg::VisibilityChanged { visibility: Visibility::Hidden, at: ms(0.0) });
    assert_eq!(calls(update(&mut state, received([firing(3)].into(), 0))), std::slice::from_ref(&told));
    assert_eq!(update(&mut state, Msg::SoundPressed), [Effect::PlayTone], "heard at once");
    let again = calls(update(&mut state, received([firing(4)].into(), 0)));
    assert_eq!(again, [Effect::PlayTone, told], "it fired anew");
    assert_eq!(update(&mut state, Msg::NotifyPressed), [Effect::KeepNotify(Switch::Off)]);
    assert_eq!(calls(update(&mut state, received([firing(5)].into(), 0))), [Effect::PlayTone]);
    assert_eq!(update(&mut state, Msg::SoundPressed), []);
    assert_eq!(calls(update(&mut state, received([firing(6)].into(), 0))), []);
    // Of many at once there is one call.
    update(&mut state, Msg::NotifyAnswered(Permission::Granted));
    let many = [7, 8, 9, 10, 11].map(|ms| AlertNotice { rule: format!("R{ms}"), ..firing(ms) });
    let one = calls(update(&mut state, received(many.into(), 0)));
    let title = "5 alerts are firing: R7, R8, R9 and 2 more".into();
    assert_eq!(one, [Effect::Notify { title, body: String::new() }]);
    update(&mut state, Msg::NotifyAnswered(Permission::Missing));
    assert!(state.calls.words().starts_with("Your browser shows no notifications"));
    assert_eq!(state.calls.notifications, Switch::Off);
}

#[test]
fn alerts_reach_the_next_evaluation() {
    let mut state = live();
    assert_eq!(update(&mut state, received([notice(PENDING)].into(), 3)), [Effect::RequestFrame]);
    assert_eq!(state.alerts_left_out, 3);
    let Some(Effect::Evaluate(ask)) = update(&mut state, Msg::FrameStarted).pop() else { panic!("no evaluation") };
    assert_eq!(ask.alerts[..], [notice(PENDING)]);
}

#[test]
fn what_cannot_be_read_is_said() {
    let mut state = State::default();
    update(&mut state, Msg::SettingsFailed("config.json is not JSON.".into()));
    assert_eq!(state.settings, Remote::Failed("config.json is not JSON.".into()));
    assert_eq!(update(&mut state, Msg::RetryDue { at: ms(0.0) }), []);
}

fn listing(names: &[&str]) -> Rc<Listing> {
    let metric = |name: &&str| others::Metric { name: MetricName::new(name).unwrap(), series: 1 };
    Rc::new(Listing { metrics: names.iter().map(metric).collect(), left_out: 0 })
}

fn listed(names: &[&str]) -> Msg {
    Msg::MetricsListed { of: Rc::new(Settings::default()), list: listing(names) }
}

fn not_listed() -> Msg {
    Msg::MetricsNotListed { of: Rc::new(Settings::default()), reason: "No.".into() }
}

fn followed(effects: Vec<Effect>) -> Vec<Vec<String>> {
    let names = |effect| match effect {
        Effect::Follow(metrics) => Some(metrics.iter().map(ToString::to_string).collect()),
        _ => None,
    };
    effects.into_iter().filter_map(names).collect()
}

#[test]
fn other_metrics_cost_nothing_until_they_are_wanted_and_nothing_after() {
    let mut state = live();
    let second = |state: &mut State, at| update(state, Msg::SecondPassed { at: ms(at), heard: Some(ms(at)) });
    assert!(second(&mut state, 1_000.0).iter().all(|effect| *effect == Effect::RequestFrame));
    assert!(matches!(update(&mut state, Msg::OthersOpened)[..], [Effect::ListMetrics(_)]));
    assert_eq!(update(&mut state, Msg::OthersOpened), [], "once is enough");
    assert_eq!(followed(update(&mut state, listed(&["a", "b"]))), [["a", "b"]]);
    assert!(followed(update(&mut state, listed(&["a", "b"]))).is_empty(), "that is no news");
    // The list is asked for again, and what is new in it is followed.
    assert!(!second(&mut state, 5_000.0).iter().any(|effect| matches!(effect, Effect::ListMetrics(_))));
    assert!(second(&mut state, 11_000.0).iter().any(|effect| matches!(effect, Effect::ListMetrics(_))));
    assert_eq!(followed(update(&mut state, listed(&["a", "b", "c"]))), [["a", "b", "c"]]);
    let nothing: [&str; 0] = [];
    assert_eq!(followed(update(&mut state, Msg::OthersClosed)), [nothing]);
    assert!(followed(update(&mut state, listed(&["a"]))).is_empty(), "a late answer");
    assert!(!second(&mut state, 60_000.0).iter().any(|effect| matches!(effect, Effect::ListMetrics(_))));
}

#[test]
fn a_list_that_fails_once_takes_no_chart_away() {
    let mut state = live();
    update(&mut state, Msg::OthersOpened);
    update(&mut state, not_listed());
    assert_eq!(state.others.list, Remote::Failed("No.".into()));
    update(&mut state, listed(&["a"]));
    update(&mut state, not_listed());
    assert_eq!(state.others.list, Remote::Ready(listing(&["a"])));
}

#[test]
fn other_metrics_are_followed_again_after_a_connection_and_given_up_where_memory_ends() {
    let mut state = live();
    update(&mut state, Msg::OthersOpened);
    update(&mut state, listed(&["a"]));
    update(&mut state, closed());
    update(&mut state, Msg::RetryDue { at: ms(1.0) });
    update(&mut state, hello());
    assert_eq!(followed(update(&mut state, Msg::HistoryCompleted)), [["a"]]);
    update(&mut state, Msg::OthersGivenUp);
    assert_eq!((state.others.section, state.others.given_up), (others::Section::Closed, true));
}

#[test]
fn a_board_that_is_too_large_is_begun_anew_with_what_fits() {
    let mut state = live();
    assert!(matches!(update(&mut state, Msg::MemoryFull { series: 40 })[..], [Effect::Subscribe(..)]));
    assert_eq!(state.series_that_fit, Some(40));
    assert!(matches!(state.connection, Connection::Filling { .. }));
    assert!(state.snapshot.is_some(), "the picture stands until then");
}
