//! The metrics that the board does not name, when the reader wants to see them.

use std::rc::Rc;

use bellwether_core::board::Board;
use web_sys::HtmlDetailsElement;
use yew::prelude::{Callback, Event, Html, MouseEvent, TargetCast, html};

use super::panel::panel;
use super::strip::Pen;
use crate::figures::Strip;
use crate::format;
use crate::message::Msg;
use crate::others::{Others, Section};
use crate::remote::Remote;
use crate::texts::Text;

/// A heading that opens; below it what there is, what is drawn of it and what is not.
pub(crate) fn others(
    others: &Others,
    board: Option<&Board>,
    strips: &[Rc<Strip>],
    pen: &Pen,
    dispatch: &Callback<Msg>,
) -> Html {
    let open = others.section == Section::Open;
    let toggled = dispatch.reform(|event: Event| {
        let open = event.target_dyn_into::<HtmlDetailsElement>().is_some_and(|details| details.open());
        if open { Msg::OthersOpened } else { Msg::OthersClosed }
    });
    html! {
        <details class="section others" key="other metrics" {open} ontoggle={toggled}>
            <summary class="section-title"><h2>{ Text::OtherMetrics.say() }</h2></summary>
            if open {
                { body(others, board, strips, pen, dispatch) }
            }
        </details>
    }
}

fn body(others: &Others, board: Option<&Board>, strips: &[Rc<Strip>], pen: &Pen, dispatch: &Callback<Msg>) -> Html {
    if let Remote::Failed(reason) = &others.list {
        return html! { <p class="others-words" role="status">{ reason }</p> };
    }
    let Some(choice) = board.and_then(|board| others.choose(board)) else {
        return html! { <p class="others-words" role="status">{ Text::AskingGateway.say() }</p> };
    };
    let panels = strips.iter().map(|strip| panel(strip, pen, None));
    let more = others.can_draw_more(&choice).then(|| {
        let pressed = dispatch.reform(|_: MouseEvent| Msg::MoreOthersPressed);
        html! { <button type="button" class="button" onclick={pressed}>{ Text::ShowMore.say() }</button> }
    });
    let end = (choice.waiting > 0 && more.is_none()).then(|| {
        let text = Text::NotDrawn.fill(&[&format::count(choice.waiting as u64)]);
        html! { <p class="others-words">{ text }</p> }
    });
    html! {
        <>
            <p class="others-words" role="status">{ choice.sentence() }</p>
            <div class="strips">{ for panels }</div>
            { more }
            { end }
        </>
    }
}
