//! Shapes that stand beside words, so that no state is known by its colour alone.

use yew::prelude::{Html, html};

/// One shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    /// A tick in a circle: well, met, resolved.
    Tick,
    /// A cross in a circle: not met.
    Cross,
    /// A dashed circle: no figure, not known.
    Unknown,
    /// A triangle: attention.
    Warning,
    /// A bell: somebody is called.
    Bell,
    /// An i in a circle: good to know.
    Info,
    /// A clock: waiting, pending, old.
    Clock,
    /// A filled dot: live.
    Dot,
    /// An arrow up.
    Up,
    /// An arrow down.
    Down,
    /// Two bars.
    Pause,
    /// A triangle on its side.
    Play,
    /// A half-filled circle: the theme.
    Theme,
}

/// Draws a shape; it is hidden from screen readers, which read the word beside it.
pub(crate) fn icon(icon: Icon) -> Html {
    let solid = |d: &'static str| html! { <path class="solid" d={d} /> };
    let line = |d: &'static str| html! { <path d={d} /> };
    let ring = || html! { <circle cx="8" cy="8" r="6.5" /> };
    let shape = match icon {
        Icon::Tick => html! { <>{ ring() }{ line("M5 8.2l2.2 2.2L11.2 6") }</> },
        Icon::Cross => html! { <>{ ring() }{ line("M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6") }</> },
        Icon::Unknown => html! { <circle cx="8" cy="8" r="6.5" stroke-dasharray="2.5 3" /> },
        Icon::Warning => html! { <>{ line("M8 1.8l6.6 12H1.4z") }{ line("M8 6.4v3.2M8 11.9v.1") }</> },
        Icon::Bell => {
            html! { <>{ line("M3.5 11.5h9c-1-1-1.2-2-1.2-4.2C11.3 4.6 10 3 8 3S4.7 4.6 4.7 7.3c0 2.2-.2 3.2-1.2 4.2z") }{ line("M6.8 13.9h2.4M8 1.5V3") }</> }
        }
        Icon::Info => html! { <>{ ring() }{ line("M8 7.3v4M8 4.8v.1") }</> },
        Icon::Clock => html! { <>{ ring() }{ line("M8 4.5V8l2.5 1.6") }</> },
        Icon::Dot => html! { <circle class="solid" cx="8" cy="8" r="4.5" /> },
        Icon::Up => line("M8 13V3M3.5 7.5L8 3l4.5 4.5"),
        Icon::Down => line("M8 3v10M3.5 8.5L8 13l4.5-4.5"),
        Icon::Pause => html! { <>{ solid("M4 3h3v10H4z") }{ solid("M9 3h3v10H9z") }</> },
        Icon::Play => solid("M4.5 2.5l9 5.5-9 5.5z"),
        Icon::Theme => html! { <>{ ring() }{ solid("M8 1.5a6.5 6.5 0 0 1 0 13z") }</> },
    };
    html! { <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{ shape }</svg> }
}
