//! Carries effects out: the one place that touches the browser beside the views and the chart glue.

mod address;
mod calls;
mod chance;
mod clock;
pub mod download;
mod fetch;
mod palette;
mod socket;
mod tab;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use gloo_timers::callback::{Interval, Timeout};
use js_sys::{Function, Reflect};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Document, Event, EventTarget, HtmlElement, Storage, VisibilityState, Window};
use yew::Callback;

use self::socket::Socket;
use crate::calls::{Permission, Switch};
use crate::cause;
use crate::code;
use crate::connection::back_off;
use crate::effect::Effect;
use crate::feed::Feed;
use crate::figures::evaluate::{Source, evaluate_with};
use crate::figures::replay::Replayed;
use crate::figures::{Ask, Instant, Snapshot};
use crate::message::{Msg, Visibility};
use crate::plot::bundle;
use crate::settings::{Settings, TAB};
use crate::texts;
use crate::theme::Theme;

/// Where the theme is kept for the next visit.
const THEME_KEY: &str = "bellwether.theme";

/// How long after its figures a browser that does not tell is taken to have nothing to do.
const IDLE_AFTER_MS: i32 = 2_000;

/// The event by which `www/file/open.js` says that the tab has a feed of its own.
const FILE_OPENED: &str = "bellwether-file";

/// The settings that the last socket was opened with.
type Gateway = Rc<RefCell<Option<Rc<Settings>>>>;

/// What effects need to keep while the page lives.
pub struct Runtime {
    dispatch: Callback<Msg>,
    feed: Rc<RefCell<Feed>>,
    socket: Option<Socket>,
    gateway: Gateway,
    retry: Option<Timeout>,
    _ticker: Interval,
    _listeners: Vec<Closure<dyn FnMut(Event)>>,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("feed", &self.feed).finish_non_exhaustive()
    }
}

fn window() -> Option<Window> {
    web_sys::window()
}

fn document() -> Option<Document> {
    window().and_then(|window| window.document())
}

/// Moves the keyboard to the element `id`, where there is one.
pub fn focus(id: &str) {
    let element = document().and_then(|document| document.get_element_by_id(id));
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // Focusing an element that is there cannot fail.
        let _ = element.focus();
    }
}

impl Runtime {
    /// Listens to the browser and reports that the page has started.
    #[must_use]
    pub fn start(dispatch: Callback<Msg>) -> Self {
        let feed = Rc::new(RefCell::new(Feed::default()));
        let ticker = {
            let (dispatch, feed) = (dispatch.clone(), Rc::clone(&feed));
            Interval::new(1_000, move || {
                let heard = feed.borrow().heard();
                dispatch.emit(Msg::SecondPassed { at: clock::now(), heard });
            })
        };
        let mut listeners = Vec::new();
        let gateway = Gateway::default();
        if let (Some(window), Some(document)) = (window(), document()) {
            let turned = dispatch.reform(|_: Event| Msg::HashChanged(address::hash()));
            listeners.push(listen(&window, "hashchange", turned));
            let seen = document.clone();
            let changed = dispatch.reform(move |_: Event| {
                let hidden = seen.visibility_state() == VisibilityState::Hidden;
                let visibility = if hidden { Visibility::Hidden } else { Visibility::Visible };
                Msg::VisibilityChanged { visibility, at: clock::now() }
            });
            listeners.push(listen(&document, "visibilitychange", changed));
            listeners.push(listen(&document, FILE_OPENED, dispatch.reform(|_: Event| Msg::FileOpened)));
            listeners.push(listen(&document, "securitypolicyviolation", blocked(&dispatch, &gateway)));
            for query in
                ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "(forced-colors: active)", "print"]
            {
                if let Ok(Some(media)) = window.match_media(query) {
                    let repainted = dispatch.reform(|_: Event| Msg::PaletteRead(Rc::new(palette::read())));
                    listeners.push(listen(&media, "change", repainted));
                }
            }
        }
        // Who wanted notifications has them again, where the browser still lets the page; nobody is asked unasked.
        if calls::kept() == Switch::On {
            dispatch.emit(Msg::NotifyAnswered(calls::known_permission()));
        }
        dispatch.emit(Msg::Started { hash: address::hash(), theme: kept_theme(), language: texts::language() });
        Self { dispatch, feed, socket: None, gateway, retry: None, _ticker: ticker, _listeners: listeners }
    }

    /// The gateway's address, for people.
    #[must_use]
    pub fn gateway_address(&self) -> String {
        gateway_address(&self.gateway)
    }

    /// The origin of the page, for people.
    #[must_use]
    pub fn site(&self) -> String {
        address::site()
    }

    /// Carries out one effect; what comes of it arrives as a fact later.
    pub fn carry_out(&mut self, effect: Effect) {
        let dispatch = self.dispatch.clone();
        match effect {
            Effect::FetchSettings => spawn_local(async move {
                dispatch.emit(fetch::settings().await.map_or_else(Msg::SettingsFailed, Msg::SettingsLoaded));
            }),
            Effect::FetchBoard(address) => spawn_local(async move {
                let board = fetch::board(&address).await;
                dispatch.emit(board.map_or_else(Msg::BoardFailed, |board| Msg::BoardLoaded(Rc::new(board))));
            }),
            Effect::FetchHelp(language) => spawn_local(async move {
                dispatch.emit(
                    fetch::help(language).await.map_or_else(Msg::HelpFailed, |help| Msg::HelpLoaded(help.into())),
                );
            }),
            Effect::OpenSocket(settings) => {
                self.retry = None;
                if settings.gateway == TAB {
                    // Nothing of a gateway, or of another file, goes into its figures.
                    self.feed.replace(Feed::default());
                }
                self.gateway.replace(Some(Rc::clone(&settings)));
                self.socket = Socket::open(&settings.gateway, Rc::clone(&self.feed), dispatch);
            }
            Effect::CloseSocket => self.socket = None,
            Effect::Subscribe(board, window) => {
                let mut feed = self.feed.borrow_mut();
                feed.look_back(window);
                let request = feed.begin(&board);
                drop(feed);
                self.send(request);
            }
            Effect::ListMetrics(settings) => spawn_local(async move {
                dispatch.emit(match fetch::metrics(&settings.gateway).await {
                    Ok(list) => Msg::MetricsListed { of: settings, list: Rc::new(list) },
                    Err(reason) => Msg::MetricsNotListed { of: settings, reason },
                });
            }),
            Effect::ListEnded(settings) => spawn_local(async move {
                let list = fetch::ended(&settings.gateway).await.map(Into::into);
                dispatch.emit(Msg::EndedListed { of: settings, list });
            }),
            Effect::Follow(metrics) => {
                let request = self.feed.borrow_mut().follow(&metrics);
                self.send(request);
            }
            Effect::Recall(board, metrics, span) => {
                let request = self.feed.borrow_mut().recall(&board, &metrics, span, clock::now());
                self.send(request);
            }
            Effect::Forget => self.feed.borrow_mut().forget(),
            Effect::Probe(settings) => spawn_local(async move {
                dispatch.emit(Msg::Probed(fetch::probe(&settings.gateway).await));
            }),
            Effect::ScheduleRetry { failures } => {
                let wait = back_off(failures, chance::random());
                let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
                dispatch.emit(Msg::RetryScheduled { at: clock::now().plus(wait) });
                self.retry = Some(Timeout::new(wait_ms, move || dispatch.emit(Msg::RetryDue { at: clock::now() })));
            }
            Effect::RequestFrame => request_frame(move || dispatch.emit(Msg::FrameStarted)),
            // What it is moved to may not be drawn before the next frame.
            Effect::Focus(part) => request_frame(move || focus(part.id())),
            Effect::Evaluate(ask) => self.evaluate(&ask),
            Effect::ApplyTheme(theme) => {
                apply(theme);
                dispatch.emit(Msg::PaletteRead(Rc::new(palette::read())));
            }
            Effect::ApplyLanguage(language) => spawn_local(async move {
                // Where its texts do not come, the page stays in the language that it has.
                if texts::speak(language).await {
                    dispatch.emit(Msg::LanguageInForce(language));
                }
            }),
            Effect::AskToNotify => spawn_local(async move {
                dispatch.emit(Msg::NotifyAnswered(calls::permission().await));
            }),
            Effect::KeepNotify(switch) => calls::keep(switch),
            Effect::Notify { title, body } => {
                if !calls::notify(&title, &body) {
                    dispatch.emit(Msg::NotifyAnswered(Permission::Missing));
                }
            }
            Effect::PlayTone => calls::tone(),
            Effect::SetHash(hash) => address::set_hash(&hash),
            Effect::SetTitle(title) => {
                if let Some(document) = document() {
                    document.set_title(&title);
                }
            }
            Effect::Reload => {
                if let Some(window) = window() {
                    // Fails only where the browser forbids navigation, and then there is nothing to do.
                    let _ = window.location().reload();
                }
            }
            Effect::FetchChunk(chunk) => spawn_local(async move {
                let came = code::fetch(chunk).await;
                dispatch.emit(if came { Msg::ChunkLoaded(chunk) } else { Msg::ChunkFailed(chunk) });
            }),
            // A browser that is idle before the next frame has not yet drawn the figures.
            Effect::AwaitIdle => request_frame(move || await_idle(move || dispatch.emit(Msg::IdleReached))),
            Effect::LoadPlotly => bundle::load(move |loaded| {
                dispatch.emit(loaded.map_or_else(Msg::PlotlyFailed, |()| Msg::PlotlyLoaded));
            }),
        }
    }

    fn send(&self, request: Result<String, String>) {
        match (request, &self.socket) {
            (Ok(request), Some(socket)) => socket.send(request),
            (Ok(_), None) => {}
            (Err(reason), _) => self.dispatch.emit(Msg::FeedUnreadable(reason)),
        }
    }

    fn evaluate(&self, ask: &Ask) {
        let mut feed = self.feed.borrow_mut();
        let here = clock::now();
        let (Some(now), Some(at)) = (feed.now(here), feed.instant(ask.at, here)) else { return };
        // A cut-off page shows what it knew for as long as it takes: nothing of it leaves the engine.
        feed.advance(if ask.at == Instant::LastKnown { at } else { now });
        let staleness = feed.staleness();
        let source =
            |lacks, restated| move |(engine, completeness)| Source { engine, completeness, staleness, lacks, restated };
        let lacks = feed.lacks(ask.at);
        let [of_board, of_others, of_past] = feed.restated();
        // What is recalled is all in one engine.
        let then = feed.past().filter(|_| ask.at == Instant::Bygone).map(source(&lacks, of_past));
        if then.is_none() && ask.at == Instant::Bygone {
            return;
        }
        let others = then.or_else(|| feed.others().map(source(&[], of_others)));
        // Until its code has come, a view has the figures that all have.
        let fill = code::of(&ask.route.view).map(|code| code.fill);
        // How the rules stood then is worked out here; how they stand the gateway says.
        let replayed =
            then.zip(code::then()).map(|(then, code)| (code.replay)(then, &ask.board, at, ask.route.grain(at)));
        let unjudged_rules = replayed.as_ref().map_or(0, |replayed| replayed.unjudged.len() as u64);
        let of_then =
            replayed.map(|Replayed { alerts, unjudged }| Ask { alerts, alerts_left_out: 0, unjudged, ..ask.clone() });
        let ask = of_then.as_ref().unwrap_or(ask);
        let snapshot = then
            .or_else(|| feed.engine().map(source(&lacks, of_board)))
            .map(|found| Rc::new(Snapshot { now, unjudged_rules, ..evaluate_with(found, others, ask, at, fill) }));
        self.dispatch.emit(Msg::Evaluated(snapshot));
    }
}

fn gateway_address(gateway: &Gateway) -> String {
    let settings = gateway.borrow();
    let gateway = settings.as_ref().map_or("", |settings| settings.gateway.as_str());
    address::http(gateway).unwrap_or_else(|| gateway.to_owned())
}

/// Hears of what the page's policy forbids, and reports it where it is the gateway.
fn blocked(dispatch: &Callback<Msg>, gateway: &Gateway) -> Callback<Event> {
    let (dispatch, gateway) = (dispatch.clone(), Rc::clone(gateway));
    Callback::from(move |event: Event| {
        let blocked = Reflect::get(&event, &"blockedURI".into()).ok().and_then(|address| address.as_string());
        let gateway = gateway_address(&gateway);
        if blocked.is_some_and(|blocked| cause::is_gateway(&blocked, &gateway)) {
            dispatch.emit(Msg::BrowserRefused(cause::policy(&gateway)));
        }
    })
}

fn listen(target: &EventTarget, name: &str, heard: Callback<Event>) -> Closure<dyn FnMut(Event)> {
    let closure = Closure::<dyn FnMut(Event)>::new(move |event| heard.emit(event));
    // Fails only for a listener that is no function.
    let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    closure
}

/// Calls when the browser has nothing else to do; in one that does not tell, a little later.
fn await_idle(reached: impl FnOnce() + 'static) {
    let reached = Closure::once_into_js(reached);
    let Some(window) = window() else { return };
    let reached: &Function = reached.unchecked_ref();
    if !Reflect::has(&window, &"requestIdleCallback".into()).unwrap_or(false)
        || window.request_idle_callback(reached).is_err()
    {
        // Fails only for a callback that is no function.
        let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(reached, IDLE_AFTER_MS);
    }
}

fn request_frame(started: impl FnOnce() + 'static) {
    let started = Closure::once_into_js(started);
    if let Some(window) = window() {
        // Fails only for a callback that is no function.
        let _ = window.request_animation_frame(started.unchecked_ref());
    }
}

/// What is kept for the next visit; none where storage is forbidden.
fn storage() -> Option<Storage> {
    window().and_then(|window| window.local_storage().ok().flatten())
}

fn kept_theme() -> Theme {
    // Without it the system's theme will do.
    storage()
        .and_then(|storage| storage.get_item(THEME_KEY).ok().flatten())
        .map_or(Theme::System, |word| Theme::named(&word))
}

fn apply(theme: Theme) {
    if let Some(root) = document().and_then(|document| document.document_element()) {
        // Both names are valid: setting or removing them cannot fail.
        let _ = match theme {
            Theme::System => root.remove_attribute("data-theme"),
            Theme::Light | Theme::Dark => root.set_attribute("data-theme", theme.as_str()),
        };
    }
    if let Some(storage) = storage() {
        // A full or forbidden storage only means that the choice is not kept.
        let _ = match theme {
            Theme::System => storage.remove_item(THEME_KEY),
            Theme::Light | Theme::Dark => storage.set_item(THEME_KEY, theme.as_str()),
        };
    }
}
