//! Any metric: which, what of it, by which label; its chart, table and CSV.

use std::rc::Rc;

use web_sys::HtmlInputElement;
use yew::prelude::{Callback, Html, Properties, SubmitEvent, component, html, use_node_ref};

use super::panel::panel;
use super::sheet::{picks, sheet};
use crate::figures::Snapshot;
use crate::message::Msg;
use crate::others::{Listing, MOST_SERIES};
use crate::remote::Remote;
use crate::route::Param;
use crate::state::State;

/// Most metrics that are listed; all can be named.
const MOST_LISTED: usize = 500;

/// The choices and what they lead to.
pub(crate) fn explore(state: &State, snapshot: &Snapshot, dispatch: &Callback<Msg>) -> Html {
    let name = state.route.param(Param::Metric);
    let listing = state.others.list.ready().cloned().unwrap_or_default();
    let known = listing.metrics.iter().find(|metric| metric.name.as_str() == name);
    let words = match (&state.others.list, known) {
        (Remote::Failed(reason), _) => reason.clone(),
        (Remote::Ready(_), None) if name.is_empty() => {
            "Every metric that the gateway has, with the number of its series:".to_owned()
        }
        (Remote::Ready(list), None) if list.left_out == 0 => format!("The gateway has no metric called {name}."),
        (Remote::Ready(_), Some(metric)) if metric.series > MOST_SERIES => format!(
            "{name} has {} series. A page takes {MOST_SERIES} of a metric that its board does not name.",
            metric.series
        ),
        (Remote::Ready(_), _) => String::new(),
        (Remote::NotAsked | Remote::Loading, _) => "Asking the gateway for its metrics…".to_owned(),
    };
    let links = listing.metrics.iter().take(MOST_LISTED).map(|metric| {
        let href = state.route.with_param(Param::Metric, metric.name.as_str()).hash();
        html! { <li><a {href}>{ metric.name.as_str() }</a>{ " " }<span class="words">{ metric.series }</span></li> }
    });
    html! {
        <>
            <Choose listing={Rc::clone(&listing)} name={name.to_owned()} chosen={dispatch.reform(Msg::MetricChosen)} />
            if !words.is_empty() {
                <p class="words" role="status">{ words }</p>
            }
            if name.is_empty() {
                <ul class="metrics">{ for links }</ul>
            } else {
                { for snapshot.picks.iter().map(|found| picks(&found.title, &found.picks)) }
                if let Some(chart) = snapshot.chart.as_ref().filter(|chart| chart.id == name) {
                    <div class="large">{ panel(chart, &state.palette, None) }</div>
                }
                { for snapshot.sheets.iter().map(sheet) }
            }
        </>
    }
}

/// What can be chosen.
#[derive(Clone, Debug, PartialEq, Properties)]
struct ChooseProps {
    /// The metrics to choose from.
    listing: Rc<Listing>,
    /// The one that is shown.
    name: String,
    /// Hears of a name.
    chosen: Callback<String>,
}

/// A field that searches as one types, by the browser's own list.
#[component]
fn Choose(props: &ChooseProps) -> Html {
    let node = use_node_ref();
    let submitted = {
        let node = node.clone();
        props.chosen.reform(move |event: SubmitEvent| {
            event.prevent_default();
            node.cast::<HtmlInputElement>().map(|field| field.value()).unwrap_or_default()
        })
    };
    let options = props.listing.metrics.iter().map(|metric| html! { <option value={metric.name.to_string()} /> });
    html! {
        <form class="filter-pick" role="search" onsubmit={submitted}>
            <label for="metric">{ "Metric" }</label>
            <input class="button metric" id="metric" type="search" list="metrics" autocomplete="off" spellcheck="false"
                ref={node} value={props.name.clone()} />
            <datalist id="metrics">{ for options }</datalist>
            <button type="submit" class="button">{ "Show" }</button>
        </form>
    }
}
