//! A figure set as number and unit.

use yew::prelude::{Html, html};

use crate::format::{Formatted, NO_FIGURE, Part};

/// The figure, its unit smaller; a dash, and for who hears it the words `none`, where there is none.
pub(crate) fn figure(formatted: Option<&Formatted>, none: &'static str) -> Html {
    let Some(Formatted(parts)) = formatted else {
        return html! {
            <span class="figure-value figure-none">
                <span aria-hidden="true">{ NO_FIGURE }</span><span class="visually-hidden">{ none }</span>
            </span>
        };
    };
    let parts = parts.iter().map(|(part, text)| match part {
        Part::Number => html! { text },
        Part::Unit => html! { <span class="figure-unit">{ text }</span> },
    });
    html! { <span class="figure-value">{ for parts }</span> }
}
