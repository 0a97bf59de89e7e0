//! The table behind a chart.

use std::rc::Rc;

use web_sys::HtmlDetailsElement;
use yew::prelude::{
    Callback, Event, Html, MouseEvent, Properties, TargetCast, component, html, use_callback, use_state,
};

use crate::effects::download;
use crate::figures::Strip;
use crate::figures::csv::csv;

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
        let heads = strip.lines.iter().map(|line| {
            let name = if line.name.is_empty() { &strip.title } else { &line.name };
            html! { <th scope="col">{ name }</th> }
        });
        let rows = strip.table().into_iter().map(|(time, figures)| {
            let figures = figures.into_iter().map(|text| html! { <td>{ text }</td> });
            html! { <tr><th scope="row">{ time }</th>{ for figures }</tr> }
        });
        let wanted = Rc::clone(strip);
        let download = Callback::from(move |_: MouseEvent| download::csv(&format!("{}.csv", wanted.id), &csv(&wanted)));
        html! {
            <>
                <div class="table-scroll" tabindex="0" role="region" aria-label={format!("{}, table", strip.title)}>
                    <table class="figures">
                        <thead><tr><th scope="col">{ "Time" }</th>{ for heads }</tr></thead>
                        <tbody>{ for rows }</tbody>
                    </table>
                </div>
                <button type="button" class="button button-quiet table-download" onclick={download}>
                    { "Download all points (CSV)" }<span class="visually-hidden">{ format!(" of {}", strip.title) }</span>
                </button>
            </>
        }
    });
    html! {
        <details class="table-behind" ontoggle={toggled}>
            <summary>{ "Table" }<span class="visually-hidden">{ format!(" of {}", strip.title) }</span></summary>
            { table }
        </details>
    }
}
