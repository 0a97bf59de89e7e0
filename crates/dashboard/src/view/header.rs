//! The page's head: what it is, whether it is live, and the controls.

use yew::prelude::{Callback, Event, Html, MouseEvent, html};

use super::icon::{Icon, icon};
use crate::connection::Tone;
use crate::feed::Origin;
use crate::format::{self, Precision};
use crate::message::Msg;
use crate::route::{Route, View};
use crate::span::Turn;
use crate::state::{Picture, Spans};
use crate::texts::{Language, Text};
use crate::theme::Theme;
use crate::window::PageWindow;

/// What is drawn.
pub(crate) struct Head<'a> {
    /// The page's title.
    pub(crate) title: &'a str,
    /// Whether what is shown is real.
    pub(crate) origin: Origin,
    /// How the connection is to be read at a glance.
    pub(crate) tone: Tone,
    /// The connection in words.
    pub(crate) words: &'a str,
    /// The view and its window.
    pub(crate) route: &'a Route,
    /// How many alerts are firing.
    pub(crate) firing: usize,
    /// Whether the picture moves.
    pub(crate) picture: Picture,
    /// Whether the choice of a span is open.
    pub(crate) spans: Spans,
    /// The theme in force.
    pub(crate) theme: Theme,
    /// The language in force.
    pub(crate) language: Language,
    /// Where facts go.
    pub(crate) dispatch: &'a Callback<Msg>,
}

/// The banner landmark of the page.
pub(crate) fn header(props: &Head<'_>) -> Html {
    html! {
        <header class="page-header">
            <div class="header-row">
                <div class="brand">
                    <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
                        <rect class="brand-tile" width="32" height="32" rx="7" />
                        <path class="brand-line" d="M6 19h5l3-9 5 14 3-8h4" />
                    </svg>
                    <h1>{ props.title }</h1>
                    if props.origin == Origin::Simulated {
                        <span class="badge badge-demo">{ Text::Simulation.say() }</span>
                    }
                </div>
                { navigation(props) }
                { connection(props.tone, props.words) }
                <div class="controls">
                    { windows(props) }
                    { spans(props) }
                    { pause(props) }
                    { theme(props) }
                    { language(props) }
                </div>
            </div>
        </header>
    }
}

fn navigation(props: &Head<'_>) -> Html {
    let links = View::NAVIGATION.into_iter().map(|view| {
        // What is one thing of the overview lies below it.
        let current = match (&props.route.view, &view) {
            (shown, view) if shown == view => Some("page"),
            (View::Panel(_) | View::Kpi(_), View::Overview) => Some("true"),
            _ => None,
        };
        let firing = (view == View::Alerts && props.firing > 0).then(|| {
            html! { <span class="badge badge-bad">{ props.firing }<span class="visually-hidden">{ Text::FiringHidden.count(props.firing as u64, &[]) }</span></span> }
        });
        html! { <li><a href={props.route.with_view(view.clone()).hash()} aria-current={current}>{ view.title() }{ firing }</a></li> }
    });
    html! { <nav class="views" aria-label={Text::Views.say()}><ul>{ for links }</ul></nav> }
}

fn connection(tone: Tone, words: &str) -> Html {
    let (class, shape) = match tone {
        Tone::Good => ("badge badge-good connection", Icon::Dot),
        Tone::Busy => ("badge connection", Icon::Clock),
        Tone::Doubtful => ("badge badge-warn connection", Icon::Clock),
        Tone::Bad => ("badge badge-bad connection", Icon::Cross),
    };
    // A countdown is not read aloud second by second: the live region below says what changed.
    html! { <p class={class} data-connection=""><span class="visually-hidden">{ Text::ConnectionHidden.say() }</span>{ icon(shape) }{ words }</p> }
}

fn windows(props: &Head<'_>) -> Html {
    let choices = PageWindow::ALL.into_iter().map(|window| {
        let chosen = props.dispatch.reform(move |_: Event| Msg::WindowChosen(window));
        html! {
            <label>
                <input type="radio" name="window" value={window.as_str()} checked={window.length() == props.route.length()} onchange={chosen} />
                <span>{ format::length(window.length()) }</span>
            </label>
        }
    });
    html! { <div class="windows" role="radiogroup" aria-label={Text::Window.say()}>{ for choices }</div> }
}

/// Opens the choice of a span; while the page stands at one, that is open.
fn spans(props: &Head<'_>) -> Html {
    if props.route.span.is_some() {
        return Html::default();
    }
    let toggled = props.dispatch.reform(|_: MouseEvent| Msg::SpansToggled);
    let open = props.spans == Spans::Open;
    html! {
        <button type="button" class="button" onclick={toggled} aria-expanded={open.to_string()} title={Text::RangeTitle.say()}>
            { icon(Icon::Clock) }{ Text::TimeRange.say() }
        </button>
    }
}

fn pause(props: &Head<'_>) -> Html {
    if props.route.span.is_some() {
        let live = props.dispatch.reform(|_: MouseEvent| Msg::Turned(Turn::Live));
        return html! {
            <button type="button" class="button button-primary" onclick={live} title={Text::LiveTitle.say()}>
                { icon(Icon::Play) }{ Text::Live.say() }
            </button>
        };
    }
    let toggled = props.dispatch.reform(|_: MouseEvent| Msg::PauseToggled);
    let (shape, word, title) = match props.picture {
        Picture::Following => (Icon::Pause, Text::Pause, Text::PauseTitle.say().to_owned()),
        Picture::Paused(at) => {
            let time = format::time_of_day(at, Precision::Seconds);
            (Icon::Play, Text::Resume, Text::PausedAt.fill(&[&time]))
        }
    };
    html! { <button type="button" class="button" onclick={toggled} {title}>{ icon(shape) }{ word.say() }</button> }
}

/// The name of the other language, in that language: whoever cannot read this one finds it.
fn language(props: &Head<'_>) -> Html {
    let next = props.language.next();
    let chosen = props.dispatch.reform(move |_: MouseEvent| Msg::LanguageChosen(next));
    html! {
        <button type="button" class="button" onclick={chosen} lang={next.code()} title={Text::LanguageOtherTitle.say()}>
            { Text::LanguageOther.say() }
        </button>
    }
}

fn theme(props: &Head<'_>) -> Html {
    let next = props.theme.next();
    let chosen = props.dispatch.reform(move |_: MouseEvent| Msg::ThemeChosen(next));
    let word = match props.theme {
        Theme::System => Text::ThemeSystem,
        Theme::Light => Text::ThemeLight,
        Theme::Dark => Text::ThemeDark,
    };
    html! {
        <button type="button" class="button" onclick={chosen} title={Text::ThemeTitle.say()}>
            { icon(Icon::Theme) }<span class="visually-hidden">{ Text::ThemeHidden.say() }</span>{ word.say() }
        </button>
    }
}
