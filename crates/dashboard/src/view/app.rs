//! The whole page: holds the state, lets facts change it and hands effects on.

use std::rc::Rc;

use yew::prelude::{Callback, Component, Context, Html, KeyboardEvent, MouseEvent, html};

use super::banner::banners;
use super::filter::filter_bar;
use super::header::{Head, header};
use super::icon::{Icon, icon};
use super::others::others;
use super::overview::{section, status};
use super::screens;
use super::stage::{Stage, waiting};
use super::strip::Pen;
use crate::cause::Cause;
use crate::code;
use crate::connection::{Connection, Refuser, Tone};
use crate::effect::Part;
use crate::effects::{self, Runtime};
use crate::feed::{Completeness, Origin};
use crate::figures::Snapshot;
use crate::figures::evaluate::leading;
use crate::figures::status::{self as wording, Standpoint};
use crate::format::{self, Precision};
use crate::lazy::Chunk;
use crate::message::Msg;
use crate::remote::Remote;
use crate::route::View;
use crate::state::{Knowledge, Picture, State};
use crate::texts::Text;
use crate::update::update;

/// The root of the page.
#[derive(Debug)]
pub struct App {
    state: State,
    runtime: Runtime,
}

impl Component for App {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        let dispatch = ctx.link().callback(|msg| msg);
        Self { state: State::default(), runtime: Runtime::start(dispatch) }
    }

    fn update(&mut self, _ctx: &Context<Self>, msg: Msg) -> bool {
        let seen = msg.is_seen();
        for effect in update(&mut self.state, msg) {
            self.runtime.carry_out(effect);
        }
        seen
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let state = &self.state;
        let dispatch = ctx.link().callback(|msg| msg);
        let (mut tone, mut words) = state.connection.words(state.now);
        // What stands still is not live, whatever comes in behind it.
        if matches!(state.picture, Picture::Paused(_)) && tone == Tone::Good {
            (tone, words) = (Tone::Busy, Text::Paused.say().to_owned());
        }
        if state.route.span.is_some() && matches!(tone, Tone::Good | Tone::Busy) {
            (tone, words) = (Tone::Busy, Text::NotLive.say().to_owned());
        } else if state.is_of_file() && tone == Tone::Good {
            (tone, words) = (Tone::Busy, Text::FromFile.say().to_owned());
        }
        let origin = state.hello.as_ref().map_or(Origin::Measured, |hello| hello.origin);
        let skipped = Callback::from(|event: MouseEvent| {
            // The address after # names the view: a link to an element of the page would change it.
            event.prevent_default();
            effects::focus("main");
        });
        let head = header(&Head {
            title: state.title(),
            origin,
            tone,
            words: &words,
            route: &state.route,
            firing: state.firing(),
            picture: state.picture,
            spans: state.spans,
            theme: state.theme,
            language: state.language,
            dispatch: &dispatch,
        });
        let pointed = state.cursor.is_some();
        let escaped = {
            let dispatch = dispatch.clone();
            Callback::from(move |event: KeyboardEvent| {
                if pointed && event.key() == "Escape" {
                    dispatch.emit(Msg::CursorMoved(None));
                }
            })
        };
        html! {
            <div class="page" onkeydown={escaped}>
                <a class="skip button" href="#main" onclick={skipped}>{ Text::SkipToFigures.say() }</a>
                { head }
                <main class="page-main" id="main" tabindex="-1">{ self.main(&words, &dispatch) }</main>
                { self.footer() }
            </div>
        }
    }
}

impl App {
    fn main(&self, words: &str, dispatch: &Callback<Msg>) -> Html {
        let state = &self.state;
        if state.route.view == View::Help {
            return html! { <>{ self.heading() }{ self.time_bar(dispatch) }{ screens::help(&state.help) }</> };
        }
        if let Remote::Failed(reason) = &state.settings {
            return screens::problem(Text::SettingsUnreadable.say(), reason, dispatch);
        }
        if let Remote::Failed(reason) = &state.own_board {
            return screens::problem(Text::BoardUnreadable.say(), reason, dispatch);
        }
        if let Connection::Refused { by, reason } = &state.connection {
            let title = match by {
                Refuser::Gateway => Text::GatewayRefuses,
                Refuser::Browser => Text::BrowserRefuses,
            };
            return screens::problem(title.say(), reason, dispatch);
        }
        let Some(snapshot) = &state.snapshot else {
            // What the reader can do about a past that does not come stands there too.
            if state.needs_time()
                && (matches!(state.past, Remote::Failed(_))
                    || matches!(state.chunks.get(Chunk::TIME), Remote::Failed(_)))
            {
                return html! { <>{ self.heading() }{ self.time_bar(dispatch) }</> };
            }
            return match &state.connection {
                Connection::Waiting { .. } => self.away(words, dispatch),
                Connection::Connecting { failures, .. } if *failures > 0 => self.away(words, dispatch),
                _ => screens::loading(words),
            };
        };
        let (moved, turned) = (dispatch.reform(Msg::CursorMoved), dispatch.reform(Msg::Turned));
        let pen = Pen { palette: Rc::clone(&state.palette), cursor: state.cursor, moved, turned };
        let known_until = self.time_of(snapshot);
        let board = state.board.as_ref();
        let overview = state.route.view == View::Overview;
        let heading = self.heading();
        if overview && board.is_some_and(|board| board.kpis.is_empty() && board.panels.is_empty()) {
            return html! { <>{ heading }{ self.time_bar(dispatch) }{ screens::bare() }{ self.others(snapshot, &pen, dispatch) }</> };
        }
        let live = matches!(state.connection, Connection::Live { .. });
        let metric = || {
            let kpi = board.and_then(|board| board.kpis.first()).map(|kpi| &kpi.figure);
            let shown = kpi.or_else(|| board.and_then(|board| board.panels.first()).map(|panel| &panel.figure));
            shown.map_or("booking_response_time", |figure| leading(figure).metric.as_str())
        };
        // That nothing came in a span of the past does not say that nothing ever came.
        let new_here = overview && live && state.route.span.is_none();
        if new_here && snapshot.series == 0 && state.left_out.is_empty() {
            let empty = screens::empty(&self.runtime.gateway_address(), metric());
            return html! { <>{ heading }{ self.time_bar(dispatch) }{ self.notice(&known_until) }{ empty }{ self.others(snapshot, &pen, dispatch) }</> };
        }
        let standpoint = match (state.history, state.knowledge()) {
            (_, Knowledge::Chosen) => Standpoint::Then(&known_until, snapshot.unjudged_rules),
            (Completeness::Filling, _) => Standpoint::Filling,
            (Completeness::Complete, Knowledge::Old) => Standpoint::AsOf(&known_until),
            (Completeness::Complete, Knowledge::Current) => Standpoint::Now,
        };
        // The whole page says of when a file or a span of the past is: each card need not.
        let then = match standpoint {
            Standpoint::AsOf(then) if !state.is_of_file() => then,
            _ => "",
        };
        let left_out = if state.route.span.is_some() { 0 } else { state.alerts_left_out };
        let only = snapshot.filter.words();
        let (mood, sentence) = wording::sentence(&snapshot.tally, &snapshot.alerts, left_out, standpoint, &only);
        html! {
            <>
                <div class="top">
                    { heading }
                    if overview {
                        { status(mood, &sentence) }
                    } else {
                        // The sentence says it on the overview.
                        <p class="visually-hidden" role="status">
                            { if only.is_empty() { Text::EverythingShown.say().to_owned() } else { Text::OnlyShown.fill(&[&only]) } }
                        </p>
                    }
                    { filter_bar(&state.route.filter, &snapshot.choices, dispatch) }
                </div>
                { self.time_bar(dispatch) }
                { self.notice(&known_until) }
                if state.route.view != View::Alerts {
                    { banners(&snapshot.alerts, left_out, snapshot.at, state.knowledge(), state.route.with_view(View::Alerts).hash()) }
                }
                if !snapshot.preview.is_empty() {
                    <p class="notice notice-calm" data-preview="">{ &snapshot.preview }</p>
                }
                if new_here && snapshot.tally.fed == 0 && only.is_empty() {
                    { screens::hint(&self.runtime.gateway_address(), metric()) }
                }
                { self.figures(snapshot, then, &pen, dispatch) }
            </>
        }
    }

    /// The heading of the view; on the overview the sentence stands in its place for those who see.
    fn heading(&self) -> Html {
        let state = &self.state;
        let class = if state.route.view == View::Overview { "visually-hidden" } else { "view-title" };
        html! { <h2 {class} id={Part::Heading.id()} tabindex="-1">{ state.heading() }</h2> }
    }

    /// Where the page stands in time, and the choice of another span, where it does not just follow now.
    fn time_bar(&self, dispatch: &Callback<Msg>) -> Html {
        let state = &self.state;
        if !state.needs_time() {
            return Html::default();
        }
        match (code::then(), state.chunks.get(Chunk::TIME)) {
            (Some(then), _) => (then.bar)(state, dispatch),
            (None, failed @ Remote::Failed(_)) => waiting(failed, dispatch),
            (None, _) => Html::default(),
        }
    }

    /// The metrics that the board does not name, below those that it does.
    fn others(&self, snapshot: &Snapshot, pen: &Pen, dispatch: &Callback<Msg>) -> Html {
        let state = &self.state;
        others(&state.others, state.board.as_deref(), &snapshot.others, pen, dispatch)
    }

    /// The gateway is away and nothing has been shown yet.
    fn away(&self, words: &str, dispatch: &Callback<Msg>) -> Html {
        let heading = self.state.cause.as_ref().map_or_else(|| Text::CauseSilentHead.say(), Cause::heading);
        screens::away(heading, &self.cause(), words, dispatch)
    }

    /// Why there is no connection, as far as it is known.
    fn cause(&self) -> String {
        let gateway = self.runtime.gateway_address();
        match &self.state.cause {
            Some(cause) => cause.sentence(&gateway, &self.runtime.site()),
            None => Text::CauseUnknown.fill(&[&gateway]),
        }
    }

    /// What must be known before the figures are read: that they stand still, or why.
    fn notice(&self, known_until: &str) -> Html {
        let state = &self.state;
        let paused = match state.picture {
            Picture::Paused(at) if state.route.span.is_none() => {
                let time = format::time_of_day(at, Precision::Seconds);
                let text = Text::PausedNotice.fill(&[&time]);
                html! { <p class="notice" role="status">{ icon(Icon::Pause) }{ text }</p> }
            }
            Picture::Paused(_) | Picture::Following => Html::default(),
        };
        let fit = state.series_that_fit.map(|series| Text::MemoryFits.fill(&[&format::count(series as u64)]));
        let given_up = state.others.given_up.then(|| Text::OthersGivenUp.say().to_owned());
        let left_out =
            state.left_out.iter().chain(&state.past_left_out).chain(&*state.not_taken).chain(&fit).chain(&given_up);
        let left_out =
            left_out.map(|text| html! { <p class="notice" role="status">{ icon(Icon::Warning) }{ text }</p> });
        let away = matches!(state.connection, Connection::Waiting { .. } | Connection::Connecting { .. });
        html! {
            <>
                { for left_out }
                { paused }
                if state.is_of_file() {
                    <div class="notice notice-calm">
                        <p>{ Text::FileNotice.fill(&[known_until]) }</p>
                        { screens::open_file() }
                    </div>
                }
                if away {
                    <p class="notice" role="status">
                        { icon(Icon::Clock) }
                        { self.cause() }
                        if state.route.span.is_none() {
                            { Text::KnownUntil.fill(&[known_until]) }
                        }
                    </p>
                }
            </>
        }
    }

    fn figures(&self, snapshot: &Snapshot, then: &str, pen: &Pen, dispatch: &Callback<Msg>) -> Html {
        let state = &self.state;
        let gateway = &self.runtime.gateway_address();
        let Some(chunk) = Chunk::of(&state.route.view) else {
            let sections = snapshot.sections.iter().map(|found| section(found, pen, &state.route, gateway, then));
            return html! { <>{ for sections }{ self.others(snapshot, pen, dispatch) }</> };
        };
        match code::of(&state.route.view) {
            Some(code) => (code.draw)(&Stage { state, snapshot, gateway, then, pen, dispatch }),
            None => waiting(state.chunks.get(chunk), dispatch),
        }
    }

    /// The instant of the figures; with the date where they are of a file, which may be old.
    fn time_of(&self, snapshot: &Snapshot) -> String {
        if self.state.is_of_file() || self.state.route.span.is_some() {
            return format::date_and_time(snapshot.at);
        }
        format::time_of_day(snapshot.at, Precision::Seconds)
    }

    fn footer(&self) -> Html {
        let Some(hello) = &self.state.hello else { return Html::default() };
        let snapshot = self.state.snapshot.as_ref();
        html! {
            <footer class="page-footer">
                <span>{ format!("Bellwether {}", hello.version) }</span>
                if let Some(snapshot) = snapshot {
                    <span>{ Text::SeriesOnPage.count(snapshot.series as u64, &[]) }</span>
                    <span>{ Text::AsOf.fill(&[&self.time_of(snapshot)]) }</span>
                }
            </footer>
        }
    }
}
