//! How facts change the state, and what is to be done then. Pure: no browser, no clock.

mod calls;
mod ended;
mod others;
mod spans;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use bellwether_core::board::Board;
use bellwether_core::time::DurationMs;

use crate::cause::Cause;
use crate::clock::Monotonic;
use crate::connection::{CONNECT_WITHIN, Connection, GIVE_UP_AFTER, OVERLOADED, OVERLOADS_ARE_APART, Refuser};
use crate::effect::{Effect, Part};
use crate::feed::Completeness;
use crate::figures::{Ask, Instant};
use crate::lazy::Chunk;
use crate::message::{Msg, Visibility};
use crate::others::Others;
use crate::remote::Remote;
use crate::route::{Param, Route, View};
use crate::settings::Settings;
use crate::span::Span;
use crate::state::{Knowledge, Known, NextFrame, Picture, Spans, State};
use crate::texts::Text;
use crate::window::PageWindow;

/// Close codes by which the gateway says that trying again is of no use: policy violation and the codes
/// of its own for "sign in" and "forbidden".
const FINAL_CODES: [u16; 3] = [1008, 4401, 4403];
/// The close code of a gateway that has too much to do, for this connection or for all.
const TRY_AGAIN_LATER: u16 = 1013;
/// The first word of that code's reason where stored samples were changed.
const RESTATED: &str = "restated:";
/// Most sentences of a gateway that are shown at once.
const MOST_LEFT_OUT: usize = 8;

/// Takes in one fact and says what is to be done.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    if is_late(state, &msg) {
        return Vec::new();
    }
    match msg {
        Msg::Started { hash, theme, language } => {
            state.language = language;
            state.route = Route::parse(&hash);
            if state.route.span.is_some() {
                state.past = Remote::Loading;
            }
            state.theme = theme;
            state.settings = Remote::Loading;
            let mut effects = vec![Effect::ApplyTheme(theme), Effect::FetchSettings];
            effects.extend(needed(state));
            effects
        }
        Msg::SettingsLoaded(settings) => {
            let board = settings.board.clone();
            state.settings = Remote::Ready(Rc::new(settings));
            if let Some(address) = board {
                state.own_board = Remote::Loading;
                return vec![Effect::FetchBoard(address)];
            }
            connect(state, 0)
        }
        Msg::SettingsFailed(reason) => {
            state.settings = Remote::Failed(reason);
            Vec::new()
        }
        Msg::BoardLoaded(board) => {
            state.own_board = Remote::Ready(Rc::clone(&board));
            state.board = Some(board);
            connect(state, 0)
        }
        Msg::BoardFailed(reason) => {
            state.own_board = Remote::Failed(reason);
            Vec::new()
        }
        Msg::HelloReceived { hello, at } => {
            let board = state.own_board.ready().unwrap_or(&hello.board).clone();
            state.board = Some(Rc::clone(&board));
            state.hello = Some(hello);
            state.left_out.clear();
            state.cause = None;
            let failures = if let Connection::Connecting { failures, .. } = state.connection { failures } else { 0 };
            state.connection = Connection::Filling { failures, since: at };
            state.not_taken = [].into();
            vec![subscribe(state, board), Effect::SetTitle(tab_title(state))]
        }
        Msg::HistoryCompleted => {
            state.history = Completeness::Complete;
            state.connection = Connection::Live { silence: DurationMs::ZERO };
            let mut effects = refresh(state);
            effects.extend(others::connected(state));
            // What was asked for on the connection before did not come.
            if state.past == Remote::Loading {
                effects.extend(spans::recall(state));
            }
            effects.extend(ended::wanted(state));
            // The figures come first; also after a cut that kept code from coming.
            effects.push(Effect::AwaitIdle);
            effects
        }
        Msg::FeedChanged => refresh_now(state),
        Msg::AlertsReceived { alerts, left_out } => {
            let before = tab_title(state);
            let known = (state.alerts_known == Known::Told).then(|| Rc::clone(&state.alerts));
            (state.alerts, state.alerts_left_out, state.alerts_known) = (alerts, left_out, Known::Told);
            let mut effects = refresh_now(state);
            effects.extend(calls::tell(state, known));
            let after = tab_title(state);
            if before != after {
                effects.push(Effect::SetTitle(after));
            }
            effects
        }
        Msg::PartLeftOut(said) => left_out(&mut state.left_out, said),
        Msg::PastLeftOut(said) => left_out(&mut state.past_left_out, said),
        Msg::GatewayRefused(reason) => refused(state, Refuser::Gateway, reason),
        Msg::BrowserRefused(reason) => refused(state, Refuser::Browser, reason),
        Msg::Probed(probe) => {
            if matches!(state.connection, Connection::Waiting { .. } | Connection::Connecting { .. }) {
                state.cause = Some(Cause::Probed(probe));
            }
            Vec::new()
        }
        Msg::SeriesNotTaken(sentences) => {
            state.not_taken = sentences;
            Vec::new()
        }
        Msg::MemoryFull { series } => {
            state.series_that_fit = Some(series);
            fill_anew(state)
        }
        Msg::ResumeRefused => fill_anew(state),
        Msg::OthersGivenUp => {
            state.others.given_up = true;
            others::close(state)
        }
        Msg::OthersOpened => others::open(state),
        Msg::OthersClosed => others::close(state),
        Msg::MoreOthersPressed => {
            state.others.want_more();
            followed(state)
        }
        Msg::MetricsListed { list, .. } => {
            state.others.list = Remote::Ready(list);
            let mut effects = followed(state);
            // A picture of the past waits for no other figures to show the list.
            if state.route.span.is_some() {
                effects.extend(refresh(state));
            }
            effects
        }
        Msg::MetricsNotListed { reason, .. } => {
            // One answer that fails says nothing against the charts that follow the list before.
            if state.others.list.ready().is_none() {
                state.others.list = Remote::Failed(reason);
            }
            Vec::new()
        }
        Msg::EndedListed { list, .. } => ended::came(state, list),
        Msg::FeedUnreadable(reason) => refused(state, Refuser::Gateway, reason),
        Msg::SocketClosed { code, reason } => closed(state, code, reason),
        Msg::RetryScheduled { at } => {
            if let Connection::Waiting { retry_at, .. } = &mut state.connection {
                *retry_at = at;
            }
            Vec::new()
        }
        Msg::RetryDue { at } => retry(state, at),
        Msg::FileOpened => {
            state.settings = Remote::Ready(Rc::new(Settings::of_tab()));
            state.own_board = Remote::NotAsked;
            (state.alerts, state.alerts_left_out, state.alerts_known) = ([].into(), 0, Known::NotYet);
            (state.snapshot, state.history) = (None, Completeness::Filling);
            state.others = Others::default();
            (state.ended, state.ended_asked_at) = (Remote::NotAsked, None);
            state.picture = Picture::Following;
            state.past = if state.route.span.is_some() { Remote::Loading } else { Remote::NotAsked };
            // What fits is another question of another board.
            state.series_that_fit = None;
            connect(state, 0)
        }
        Msg::RetryPressed => retry(state, state.now),
        Msg::ReloadPressed => vec![Effect::Reload],
        Msg::SecondPassed { at, heard } => second(state, at, heard),
        Msg::FrameStarted => {
            state.next_frame = NextFrame::Idle;
            ask(state).map(Box::new).map(Effect::Evaluate).into_iter().collect()
        }
        Msg::Evaluated(snapshot) => {
            if snapshot.is_some() {
                state.snapshot = snapshot;
            }
            Vec::new()
        }
        Msg::HashChanged(hash) => {
            let route = Route::parse(&hash);
            if route == state.route {
                return Vec::new();
            }
            let language = route.language.filter(|language| *language != state.language);
            let mut effects = turned(state, route);
            effects.extend(language.map(Effect::ApplyLanguage));
            effects
        }
        Msg::WindowChosen(window) => {
            let span = state.route.span.map(|span| Span::ending(span.to(), window.length()));
            chosen(state, state.route.with_window(window).with_span(span))
        }
        Msg::Turned(turn) => spans::turn(state, turn),
        Msg::SpansToggled => {
            state.spans = if state.spans == Spans::Open { Spans::Closed } else { Spans::Open };
            needed(state)
        }
        Msg::PastCompleted => spans::answered(state, Remote::Ready(())),
        Msg::PastLapsed if state.past == Remote::Loading => spans::answered(state, Remote::Loading),
        Msg::PastLapsed => {
            state.recalling = None;
            Vec::new()
        }
        Msg::PastFailed(reason) => spans::answered(state, Remote::Failed(reason)),
        Msg::FilterChosen(condition) => {
            let filter = state.route.filter.with(&condition);
            chosen(state, state.route.with_filter(filter))
        }
        Msg::FilterRemoved(label) => {
            let filter = state.route.filter.without(&label);
            let mut effects = chosen(state, state.route.with_filter(filter));
            // The button that was pressed is gone.
            effects.push(Effect::Focus(Part::Filter));
            effects
        }
        Msg::MetricChosen(name) => {
            let route = state.route.with_view(View::Explore).with_param(Param::Metric, name.trim());
            chosen(state, route)
        }
        Msg::CursorMoved(at) => {
            state.cursor = at;
            Vec::new()
        }
        // A picture of the past stands still.
        Msg::PauseToggled if state.route.span.is_some() => Vec::new(),
        Msg::PauseToggled => {
            state.picture = match (state.picture, &state.snapshot) {
                (Picture::Following, Some(snapshot)) => Picture::Paused(snapshot.at),
                (Picture::Following, None) | (Picture::Paused(_), _) => Picture::Following,
            };
            refresh(state)
        }
        Msg::NotifyPressed => calls::pressed(state),
        Msg::NotifyAnswered(permission) => calls::answered(state, permission),
        Msg::SoundPressed => calls::sound_pressed(state),
        Msg::ThemeChosen(theme) => {
            state.theme = theme;
            vec![Effect::ApplyTheme(theme)]
        }
        Msg::LanguageChosen(language) => vec![Effect::ApplyLanguage(language)],
        Msg::LanguageInForce(language) => {
            state.language = language;
            // What was said in the other language is said anew.
            state.help = Remote::NotAsked;
            let mut effects = needed(state);
            effects.extend(refresh(state));
            effects.push(Effect::SetTitle(tab_title(state)));
            if state.route.language.is_some() {
                state.route.language = Some(language);
                effects.push(Effect::SetHash(state.route.hash()));
            }
            effects
        }
        Msg::PaletteRead(palette) => {
            state.palette = palette;
            Vec::new()
        }
        Msg::VisibilityChanged { visibility, at } => {
            state.visibility = visibility;
            state.now = at;
            if visibility == Visibility::Hidden {
                return Vec::new();
            }
            // A frame asked for before the page was hidden may never have come.
            state.next_frame = NextFrame::Idle;
            let mut effects = refresh(state);
            if matches!(state.connection, Connection::Waiting { .. }) {
                effects.extend(retry(state, at));
            }
            effects
        }
        Msg::HelpLoaded(help) => {
            state.help = Remote::Ready(help);
            Vec::new()
        }
        Msg::HelpFailed(reason) => {
            state.help = Remote::Failed(reason);
            Vec::new()
        }
        Msg::ChunkLoaded(chunk) => {
            state.chunks.set(chunk, Remote::Ready(()));
            let mut effects = refresh(state);
            effects.extend(ahead(state));
            effects
        }
        Msg::ChunkFailed(chunk) => {
            // Of what nobody waits for nothing needs to be said: it is fetched when its view is opened.
            let waited_for =
                Chunk::of(&state.route.view) == Some(chunk) || (chunk == Chunk::TIME && state.needs_time());
            let reason = || Remote::Failed(Text::ViewNotLoaded.say().to_owned());
            state.chunks.set(chunk, if waited_for { reason() } else { Remote::NotAsked });
            Vec::new()
        }
        Msg::IdleReached => ahead(state),
        Msg::AgainPressed => needed(state),
        Msg::PlotlyLoaded => {
            state.plotly = Remote::Ready(());
            Vec::new()
        }
        Msg::PlotlyFailed(reason) => {
            state.plotly = Remote::Failed(reason);
            Vec::new()
        }
    }
}

/// Whether the fact answers what was asked before the reader opened a file: it says nothing of the file, which comes
/// with a board and a list of metrics of its own.
fn is_late(state: &State, msg: &Msg) -> bool {
    match msg {
        Msg::SettingsLoaded(_) | Msg::SettingsFailed(_) => state.is_of_file(),
        Msg::BoardLoaded(_) | Msg::BoardFailed(_) | Msg::Probed(_) => state.is_of_file(),
        Msg::MetricsListed { of, .. } | Msg::MetricsNotListed { of, .. } | Msg::EndedListed { of, .. } => {
            state.settings.ready() != Some(of)
        }
        _ => false,
    }
}

fn connect(state: &mut State, failures: u32) -> Vec<Effect> {
    let Remote::Ready(settings) = &state.settings else { return Vec::new() };
    let effects = vec![Effect::OpenSocket(Rc::clone(settings))];
    // What was asked on the connection before will not be answered.
    state.recalling = None;
    state.connection = Connection::Connecting { failures, since: state.now };
    effects
}

fn fill_anew(state: &mut State) -> Vec<Effect> {
    let Some(board) = &state.board else { return Vec::new() };
    state.connection = Connection::Filling { failures: 0, since: state.now };
    let board = Rc::clone(board);
    vec![subscribe(state, board)]
}

fn subscribe(state: &mut State, board: Rc<Board>) -> Effect {
    state.asked = if state.asked.length() > state.route.window.length() { state.asked } else { state.route.window };
    Effect::Subscribe(board, state.asked)
}

fn retry(state: &mut State, at: Monotonic) -> Vec<Effect> {
    state.now = at;
    match state.connection {
        Connection::Waiting { failures, .. } => connect(state, failures),
        _ => Vec::new(),
    }
}

fn refused(state: &mut State, by: Refuser, reason: String) -> Vec<Effect> {
    state.connection = Connection::Refused { by, reason };
    vec![Effect::CloseSocket]
}

fn closed(state: &mut State, code: u16, reason: String) -> Vec<Effect> {
    if FINAL_CODES.contains(&code) {
        let reason = if reason.is_empty() { Text::ClosedForGood.say().to_owned() } else { reason };
        return refused(state, Refuser::Gateway, reason);
    }
    let failures = match state.connection {
        Connection::Refused { .. } | Connection::Waiting { .. } => return Vec::new(),
        // A greeting is no success yet: a history that ends in the middle would else be asked for without a pause.
        Connection::Connecting { failures, .. } | Connection::Filling { failures, .. } => failures.saturating_add(1),
        Connection::Starting | Connection::Live { .. } => 1,
    };
    let in_silence = reason.is_empty();
    let restated = code == TRY_AGAIN_LATER && reason.starts_with(RESTATED);
    if !in_silence {
        state.cause = Some(Cause::Said(reason));
    } else if failures > 1 && matches!(state.cause, Some(Cause::Said(_))) {
        // Why the last connection ended is not why this one did not come about.
        state.cause = None;
    }
    if restated {
        // The gateway has not too much to do: what was shown is not right any more, and is taken anew at once. What
        // is changed again before it has come is not asked for without a pause.
        let live = matches!(state.connection, Connection::Live { .. });
        return away(state, if live { 0 } else { failures });
    }
    if code == TRY_AGAIN_LATER {
        return overloaded(state);
    }
    let mut effects = away(state, failures);
    // A socket that closes without a word may not have opened at all. It is asked why at once, and then
    // less and less often.
    if let Remote::Ready(settings) = &state.settings
        && in_silence
        && failures.is_power_of_two()
    {
        effects.push(Effect::Probe(Rc::clone(settings)));
    }
    effects
}

/// A gateway that asks to be left alone has too much to do already, so that each time soon after another waits
/// longer. A greeting in between forgets none: the greeting is not what is too much.
fn overloaded(state: &mut State) -> Vec<Effect> {
    let soon = state.overload_at.is_some_and(|last| state.now.since(last) < OVERLOADS_ARE_APART);
    let times = if soon { state.overloads.saturating_add(1) } else { 1 };
    (state.overloads, state.overload_at) = (times, Some(state.now));
    away(state, times.saturating_add(OVERLOADED))
}

fn away(state: &mut State, failures: u32) -> Vec<Effect> {
    state.connection = Connection::Waiting { failures, retry_at: state.now };
    vec![Effect::CloseSocket, Effect::ScheduleRetry { failures }]
}

fn second(state: &mut State, at: Monotonic, heard: Option<Monotonic>) -> Vec<Effect> {
    state.now = at;
    let is_of_file = state.is_of_file();
    let silence_since = |instant: Monotonic| at.since(heard.filter(|heard| *heard > instant).unwrap_or(instant));
    match &mut state.connection {
        Connection::Live { silence } => {
            // A file has said all that it will say.
            *silence = heard.filter(|_| !is_of_file).map_or(DurationMs::ZERO, |heard| at.since(heard));
            if *silence >= GIVE_UP_AFTER {
                return closed(state, 1006, String::new());
            }
        }
        Connection::Filling { since, .. } if silence_since(*since) >= GIVE_UP_AFTER => {
            return closed(state, 1006, String::new());
        }
        Connection::Connecting { since, .. } if at.since(*since) >= CONNECT_WITHIN => {
            return closed(state, 1006, String::new());
        }
        _ => {}
    }
    let mut effects = others::list_again(state);
    effects.extend(ended::wanted(state));
    effects.extend(spans::second(state));
    effects.extend(refresh_now(state));
    effects
}

/// The same for what changes nothing in a picture of the past.
fn refresh_now(state: &mut State) -> Vec<Effect> {
    if state.route.span.is_some() { Vec::new() } else { refresh(state) }
}

/// Asks for one animation frame, unless one is on its way or nobody could see it.
fn refresh(state: &mut State) -> Vec<Effect> {
    if state.next_frame == NextFrame::Requested || state.visibility == Visibility::Hidden || state.board.is_none() {
        return Vec::new();
    }
    state.next_frame = NextFrame::Requested;
    vec![Effect::RequestFrame]
}

fn ask(state: &State) -> Option<Ask> {
    let at = match state.picture {
        // Until it is here, what is on screen stays there.
        _ if state.route.span.is_some() => {
            state.past.ready().and(state.chunks.get(Chunk::TIME).ready())?;
            Instant::Bygone
        }
        Picture::Paused(at) => Instant::Fixed(at),
        Picture::Following if state.knowledge() == Knowledge::Old => Instant::LastKnown,
        Picture::Following => Instant::Now,
    };
    Some(Ask {
        board: state.board.clone()?,
        route: state.route.clone(),
        at,
        alerts: Rc::clone(&state.alerts),
        alerts_left_out: state.alerts_left_out,
        unjudged: [].into(),
        ended: state.ended.ready().cloned(),
        listing: state.others.list.ready().cloned(),
        others: Rc::clone(&state.others.drawn),
    })
}

/// Turns to what the reader has chosen, and says it in the address.
fn chosen(state: &mut State, route: Route) -> Vec<Effect> {
    let hash = Effect::SetHash(route.hash());
    let mut effects = turned(state, route);
    effects.push(hash);
    effects
}

fn turned(state: &mut State, route: Route) -> Vec<Effect> {
    let elsewhere = route.view != state.route.view;
    let other_span = route.span != state.route.span;
    if elsewhere || other_span || route.window != state.route.window {
        state.cursor = None;
    }
    state.route = route;
    let mut effects = needed(state);
    // What is on screen stays there until the longer history is whole.
    let longer = state.route.window.length() > state.asked.length().max(PageWindow::AT_ONCE.length());
    if longer && matches!(state.connection, Connection::Live { .. } | Connection::Filling { .. }) {
        effects.extend(fill_anew(state));
    }
    effects.extend(others::turned(state));
    if other_span || effects.iter().any(|effect| matches!(effect, Effect::Follow(_))) {
        effects.extend(spans::recall(state));
    }
    effects.extend(ended::wanted(state));
    effects.extend(refresh(state));
    if elsewhere {
        effects.extend([Effect::SetTitle(tab_title(state)), Effect::Focus(Part::Heading)]);
    }
    effects
}

/// Keeps one more sentence, unless it is known or there are enough.
fn left_out(sentences: &mut Vec<String>, said: String) -> Vec<Effect> {
    if sentences.len() < MOST_LEFT_OUT && !sentences.contains(&said) {
        sentences.push(said);
    }
    Vec::new()
}

/// Follows what is wanted of the other metrics; of the past too, where the page stands there.
fn followed(state: &mut State) -> Vec<Effect> {
    let mut effects = others::follow(state);
    if !effects.is_empty() && state.route.span.is_some() {
        effects.extend(spans::recall(state));
    }
    effects
}

/// Fetches the next piece of code that no view has needed yet, so that the network may be cut when one does.
fn ahead(state: &mut State) -> Vec<Effect> {
    let next = state.chunks.next().filter(|_| state.history == Completeness::Complete);
    let next = next.filter(|chunk| state.chunks.begin(*chunk));
    next.map(Effect::FetchChunk).into_iter().collect()
}

/// A view's code, the chart bundle and the help are loaded when first needed; what failed is tried again on the next visit.
fn needed(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    let of_time = state.needs_time().then_some(Chunk::TIME);
    for chunk in Chunk::of(&state.route.view).into_iter().chain(of_time) {
        if state.chunks.begin(chunk) {
            effects.push(Effect::FetchChunk(chunk));
        }
    }
    if state.route.view == View::Help && matches!(state.help, Remote::NotAsked | Remote::Failed(_)) {
        state.help = Remote::Loading;
        effects.push(Effect::FetchHelp(state.language));
    }
    let is_chart = matches!(state.route.view, View::Panel(_));
    if is_chart && matches!(state.plotly, Remote::NotAsked | Remote::Failed(_)) {
        state.plotly = Remote::Loading;
        effects.push(Effect::LoadPlotly);
    }
    effects
}

/// The tab's title says which view it is and how many alerts are firing: it is read when the page is behind others, so it counts
/// what the gateway told and waits for no evaluation, which a hidden page does not make. A plus says that
/// there may be more than it told.
fn tab_title(state: &State) -> String {
    let title = match state.route.view {
        View::Overview => state.title().to_owned(),
        _ => format!("{} · {}", state.heading(), state.title()),
    };
    match state.firing() {
        0 => title,
        firing if firing == state.alerts.len() && state.alerts_left_out > 0 => format!("({firing}+) {title}"),
        firing => format!("({firing}) {title}"),
    }
}
