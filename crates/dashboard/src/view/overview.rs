//! All figures and charts of the board.

use yew::prelude::{Html, html};

use super::card::card;
use super::icon::{Icon, icon};
use super::panel::panel;
use super::strip::Pen;
use crate::figures::Section;
use crate::figures::status::Mood;
use crate::route::{Route, View};
use crate::texts::Text;

/// The sentence of status.
pub(crate) fn status(mood: Mood, sentence: &str) -> Html {
    let (class, shape) = match mood {
        Mood::Well => ("status status-well", Icon::Tick),
        Mood::Unknown => ("status status-unknown", Icon::Unknown),
        Mood::Attention => ("status status-attention", Icon::Warning),
        Mood::Trouble => ("status status-trouble", Icon::Bell),
    };
    html! { <p {class} role="status" data-status="">{ icon(shape) }<span>{ sentence }</span></p> }
}

/// The cards and strips of one section; links to its panels keep the window of `route`, others lead to `gateway`. `then` is
/// the time of day that the figures are of, where that is not now; else empty.
pub(crate) fn section(section: &Section, pen: &Pen, route: &Route, gateway: &str, then: &str) -> Html {
    let title = if section.title.is_empty() { Text::ViewOverview.say() } else { &section.title };
    let cards = section.kpis.iter().map(|found| {
        let open = route.with_view(View::Kpi(found.id.clone())).hash();
        card(found, gateway, then, open)
    });
    let panels = section.strips.iter().map(|strip| {
        let analyse = route.with_view(View::Panel(strip.id.clone())).hash();
        panel(strip, pen, Some(analyse))
    });
    html! {
        <section class="section" key={title.to_owned()} aria-label={title.to_owned()}>
            <h2 class="section-title">{ title }</h2>
            if !section.kpis.is_empty() {
                <div class="kpis">{ for cards }</div>
            }
            if !section.strips.is_empty() {
                <div class="strips">{ for panels }</div>
            }
        </section>
    }
}
