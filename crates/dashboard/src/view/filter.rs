//! The filter of the whole page: what is chosen, and what can be.

use std::rc::Rc;

use web_sys::HtmlSelectElement;
use yew::prelude::{Callback, Html, MouseEvent, Properties, component, html, use_node_ref};

use super::icon::{Icon, icon};
use crate::effect::Part;
use crate::figures::filtered::Choice;
use crate::filter::{self, Filter};
use crate::format;
use crate::message::Msg;
use crate::texts::Text;

/// A button for each condition, which takes it away, and a list of all labels and values to add one; nothing where there
/// is nothing to filter by.
pub(crate) fn filter_bar(filter: &Filter, choices: &Rc<[Choice]>, dispatch: &Callback<Msg>) -> Html {
    if filter.is_empty() && choices.is_empty() {
        return Html::default();
    }
    let chosen = filter.pairs().map(|(label, value)| {
        let removed = label.to_owned();
        let remove = dispatch.reform(move |_: MouseEvent| Msg::FilterRemoved(removed.clone()));
        html! {
            <li key={label.to_owned()}>
                <button type="button" class="button filter-chosen" onclick={remove}>
                    { format!("{label}: {value}") }<span class="visually-hidden">{ Text::FilterRemove.say() }</span>{ icon(Icon::Cross) }
                </button>
            </li>
        }
    });
    html! {
        <section class="filter" aria-label={Text::Filter.say()}>
            if !filter.is_empty() {
                <ul class="filter-list" aria-label={Text::FiltersInForce.say()}>{ for chosen }</ul>
            }
            <Choose choices={Rc::clone(choices)} chosen={dispatch.reform(Msg::FilterChosen)} />
        </section>
    }
}

/// What can be chosen.
#[derive(Clone, Debug, PartialEq, Properties)]
struct ChooseProps {
    /// The labels and their values.
    choices: Rc<[Choice]>,
    /// Hears of a condition.
    chosen: Callback<String>,
}

/// A native list and a button: who goes through the list by its arrow keys changes nothing on the way.
#[component]
fn Choose(props: &ChooseProps) -> Html {
    let node = use_node_ref();
    let pressed = {
        let node = node.clone();
        props.chosen.reform(move |_: MouseEvent| {
            let Some(list) = node.cast::<HtmlSelectElement>() else { return String::new() };
            let condition = list.value();
            // What is chosen stands beside the list, which is ready for the next.
            list.set_selected_index(0);
            condition
        })
    };
    let groups = props.choices.iter().map(|choice| {
        let values = choice.values.iter().map(|value| {
            let condition = filter::condition(&choice.label, value);
            let text = if value.is_empty() { Text::NoneValue.say() } else { value };
            html! { <option key={condition.clone()} value={condition}>{ text }</option> }
        });
        let more = (choice.more > 0)
            .then(|| html! { <option disabled=true>{ Text::FilterMore.fill(&[&format::count(choice.more as u64)]) }</option> });
        html! { <optgroup key={choice.label.clone()} label={choice.label.clone()}>{ for values }{ more }</optgroup> }
    });
    html! {
        <div class="filter-pick">
            <select class="button filter-choose" id={Part::Filter.id()} ref={node} aria-label={Text::FilterWhich.say()}>
                <option value="" selected=true>{ Text::FilterChoose.say() }</option>
                { for groups }
            </select>
            <button type="button" class="button" onclick={pressed}>
                { Text::Filter.say() }<span class="visually-hidden">{ Text::FilterHidden.say() }</span>
            </button>
        </div>
    }
}
