//! The table behind a chart.

use std::rc::Rc;

use web_sys::HtmlDetailsElement;
use yew::prelude::{
    Callback, Event, Html, MouseEvent, Properties, TargetCast, component, html, use_callback, use_state,
};

use super::sheet::table as draw;
use crate::effects::download;
use crate::figures::Strip;
use crate::figures::csv::csv;
use crate::texts::Text;

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Properties)]
pub(crate) struct Props {
    /// The chart that the table stands behind.
    pub strip: Rc<Strip>,
}

/// Round times and the figure of each line there; made only while it is open.
#[component]
pub(crate) fn TableBehind(props: &Props) -> Html {
    let open = use_state(|| false);
    let toggled = use_callback(open.setter(), |event: Event, open| {
        if let Some(details) = event.target_dyn_into::<HtmlDetailsElement>() {
            open.set(details.open());
        }
    });
    let strip = &props.strip;
    let table = (*open).then(|| {
        let wanted = Rc::clone(strip);
        let download = Callback::from(move |_: MouseEvent| download::csv(&format!("{}.csv", wanted.id), &csv(&wanted)));
        html! {
            <>
                { draw(&strip.sheet()) }
                <button type="button" class="button button-quiet table-download" onclick={download}>
                    { Text::DownloadCsv.say() }<span class="visually-hidden">{ Text::OfTitle.fill(&[&strip.title]) }</span>
                </button>
            </>
        }
    });
    html! {
        <details class="table-behind" ontoggle={toggled}>
            <summary>{ Text::Table.say() }<span class="visually-hidden">{ Text::OfTitle.fill(&[&strip.title]) }</span></summary>
            { table }
        </details>
    }
}
