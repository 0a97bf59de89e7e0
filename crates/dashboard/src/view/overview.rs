//! All figures and charts of the board.

use std::rc::Rc;

use yew::prelude::{Html, Properties, component, html};

use super::card::Card;
use super::icon::{Icon, icon};
use super::panel::Panel;
use crate::chart::palette::Palette;
use crate::figures::Section;
use crate::figures::status::Mood;
use crate::route::{Route, View};

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

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Properties)]
pub(crate) struct Props {
    /// The section.
    pub section: Rc<Section>,
    /// The theme's colours.
    pub palette: Rc<Palette>,
    /// Where the page is, so that links keep its window.
    pub route: Route,
}

/// The cards and strips of one section.
#[component]
pub(crate) fn SectionView(props: &Props) -> Html {
    let section = &props.section;
    let title = if section.title.is_empty() { "Overview" } else { &section.title };
    let cards = section.kpis.iter().map(|card| html! { <Card key={card.id.clone()} card={Rc::clone(card)} /> });
    let panels = section.strips.iter().map(|strip| {
        let analyse = props.route.with_view(View::Panel(strip.id.clone())).hash();
        html! { <Panel key={strip.id.clone()} strip={Rc::clone(strip)} palette={Rc::clone(&props.palette)} {analyse} /> }
    });
    html! {
        <section class="section" aria-label={title.to_owned()}>
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
