//! Any metric: which, what of it, by which label; its chart, table and CSV.

use std::rc::Rc;

use bellwether_core::labels::MetricName;
use web_sys::HtmlInputElement;
use yew::prelude::{Callback, Html, Properties, SubmitEvent, component, html, use_node_ref};

use super::panel::panel;
use super::sheet::{picks, sheet};
use super::stage::Stage;
use crate::feed::holds_whole;
use crate::format;
use crate::message::Msg;
use crate::others::{Listing, MOST_SERIES};
use crate::remote::Remote;
use crate::route::Param;
use crate::texts::Text;

/// Most metrics that are listed; all can be named.
const MOST_LISTED: usize = 500;

/// The choices and what they lead to.
pub(crate) fn explore(stage: &Stage<'_>) -> Html {
    let Stage { state, snapshot, pen, dispatch, .. } = stage;
    let name = state.route.param(Param::Metric);
    let listing = state.others.list.ready().cloned().unwrap_or_default();
    let count = |count: usize| format::count(count as u64);
    let is_on_board =
        state.board.as_ref().zip(MetricName::new(name).ok()).is_some_and(|(board, name)| holds_whole(board, &name));
    let known = listing.metrics.iter().find(|metric| metric.name.as_str() == name);
    let words = match (&state.others.list, known) {
        (Remote::Failed(reason), _) => reason.clone(),
        (Remote::Ready(list), None) if name.is_empty() => {
            let all = list.metrics.len() + list.left_out;
            if all <= MOST_LISTED {
                Text::ExploreAll.say().to_owned()
            } else {
                Text::ExploreFirst.fill(&[&count(MOST_LISTED), &count(all)])
            }
        }
        (Remote::Ready(list), None) if list.left_out == 0 => Text::ExploreNone.fill(&[name]),
        // Of what the board names whole, the page takes as many as of the board.
        (Remote::Ready(_), Some(metric)) if metric.series > MOST_SERIES && !is_on_board => {
            Text::ExploreTooMany.fill(&[name, &count(metric.series), &count(MOST_SERIES)])
        }
        (Remote::Ready(_), _) => String::new(),
        (Remote::NotAsked | Remote::Loading, _) => Text::ExploreAsking.say().to_owned(),
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
                    <div class="large">{ panel(chart, pen, None) }</div>
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
            <label for="metric">{ Text::Metric.say() }</label>
            <input class="button metric" id="metric" type="search" list="metrics" autocomplete="off" spellcheck="false"
                ref={node} value={props.name.clone()} />
            <datalist id="metrics">{ for options }</datalist>
            <button type="submit" class="button">{ Text::Show.say() }</button>
        </form>
    }
}
