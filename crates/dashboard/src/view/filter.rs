//! The filter of the whole page: what is chosen, and what can be.

use web_sys::HtmlSelectElement;
use yew::prelude::{Callback, Event, Html, MouseEvent, TargetCast, html};

use super::icon::{Icon, icon};
use crate::figures::filtered::Choice;
use crate::filter::{self, Filter};
use crate::message::Msg;

/// A button for each condition, which takes it away, and one native list of all labels and values; nothing where there
/// is nothing to filter by.
pub(crate) fn filter_bar(filter: &Filter, choices: &[Choice], dispatch: &Callback<Msg>) -> Html {
    if filter.is_empty() && choices.is_empty() {
        return Html::default();
    }
    let chosen = filter.pairs().map(|(label, value)| {
        let removed = label.to_owned();
        let remove = dispatch.reform(move |_: MouseEvent| Msg::FilterRemoved(removed.clone()));
        html! {
            <li key={label.to_owned()}>
                <button type="button" class="button filter-chosen" onclick={remove}>
                    { format!("{label}: {value}") }<span class="visually-hidden">{ ", remove this filter" }</span>{ icon(Icon::Cross) }
                </button>
            </li>
        }
    });
    let pick = dispatch.reform(|event: Event| {
        let list = event.target_dyn_into::<HtmlSelectElement>();
        let condition = list.as_ref().map_or_else(String::new, HtmlSelectElement::value);
        // The list stays on its heading: what is chosen stands beside it.
        if let Some(list) = list {
            list.set_selected_index(0);
        }
        Msg::FilterChosen(condition)
    });
    let groups = choices.iter().map(|choice| {
        let values = choice.values.iter().map(|value| {
            let condition = filter::condition(&choice.label, value);
            let text = if value.is_empty() { "(none)" } else { value };
            html! { <option key={condition.clone()} value={condition}>{ text }</option> }
        });
        let more = (choice.more > 0)
            .then(|| html! { <option disabled=true>{ format!("and {} more, by address only", choice.more) }</option> });
        html! { <optgroup key={choice.label.clone()} label={choice.label.clone()}>{ for values }{ more }</optgroup> }
    });
    html! {
        <section class="filter" aria-label="Filter">
            if !filter.is_empty() {
                <ul class="filter-list" aria-label="Filters in force">{ for chosen }</ul>
            }
            <select class="button filter-choose" aria-label="Filter the whole page by label" onchange={pick}>
                <option value="">{ "Filter…" }</option>
                { for groups }
            </select>
        </section>
    }
}
