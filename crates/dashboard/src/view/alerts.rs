//! All alerts, by what has become of them.

use bellwether_core::rule::RESOLVED_RETENTION;
use yew::prelude::{Callback, Html, MouseEvent, html};

use super::banner::banner;
use super::icon::{Icon, icon};
use super::sheet::sheet;
use super::stage::Stage;
use crate::calls::{Calls, Switch};
use crate::figures::{Phase, Snapshot};
use crate::format;
use crate::message::Msg;
use crate::remote::Remote;
use crate::state::Knowledge;
use crate::texts::Text;

/// What has become of each alert, and what is watched.
pub(crate) fn alerts(stage: &Stage<'_>) -> Html {
    let Stage { state, snapshot, .. } = stage;
    html! {
        <>
            { calls(state.calls, stage.dispatch) }
            { lists(snapshot, if state.route.span.is_some() { 0 } else { state.alerts_left_out }, state.knowledge()) }
            if let Remote::Failed(reason) = &state.ended {
                <p class="words" role="status">{ reason }</p>
            }
            { for snapshot.sheets.iter().map(sheet) }
        </>
    }
}

/// Whether and how the reader is called, and what calls them: nothing that they have not pressed.
fn calls(calls: Calls, dispatch: &Callback<Msg>) -> Html {
    let button = |text: Text, switch: Switch, msg: Msg| {
        let pressed = dispatch.reform(move |_: MouseEvent| msg.clone());
        let (shape, state) = match switch {
            Switch::On => (Icon::Bell, Text::CallOn),
            Switch::Off => (Icon::Unknown, Text::CallOff),
        };
        html! {
            <button type="button" class="button" aria-pressed={(switch == Switch::On).to_string()} onclick={pressed}>
                { icon(shape) }<span>{ text.say() }<span aria-hidden="true">{ state.say() }</span></span>
            </button>
        }
    };
    html! {
        <div class="calls" role="group" aria-label={Text::Calls.say()}>
            { button(Text::CallNotify, calls.notifications, Msg::NotifyPressed) }
            { button(Text::CallSound, calls.sound, Msg::SoundPressed) }
            <p class="words" role="status">{ calls.words() }</p>
        </div>
    }
}

/// A list for each phase, or words in its place; `left_out` more the gateway did not tell.
fn lists(snapshot: &Snapshot, left_out: u64, knowledge: Knowledge) -> Html {
    let (alerts, at, unjudged) = (&snapshot.alerts, snapshot.at, snapshot.unjudged_rules);
    let phases = [
        (Phase::Firing, "Firing", Text::Firing, Text::NoneFiring, Text::NoneFiringThen),
        (Phase::Pending, "Pending", Text::Pending, Text::NonePending, Text::NonePendingThen),
        (Phase::Resolved, "Resolved", Text::Resolved, Text::NoneResolved, Text::NoneResolvedThen),
    ];
    let kept = format::length(RESOLVED_RETENTION);
    let groups = phases.into_iter().map(|(phase, name, title, none, none_then)| {
        let title = title.say();
        let of_phase = alerts.iter().filter(|alert| alert.phase == phase);
        let count = of_phase.clone().count();
        let list = of_phase.map(|alert| banner(alert, at, knowledge));
        let none = if knowledge != Knowledge::Current { none_then } else { none };
        html! {
            <section class="section" key={title} aria-label={title} data-phases={name}>
                <h3 class="section-title">{ title }<span class="badge">{ count }</span></h3>
                if count == 0 && unjudged > 0 {
                    <p class="words">{ Text::PastUnjudged.count(unjudged, &[]).trim() }</p>
                } else if count == 0 {
                    <p class="words">{ none.fill(&[&kept]) }</p>
                } else {
                    <div class="alerts">{ for list }</div>
                }
            </section>
        }
    });
    html! {
        <>
            { for groups }
            if left_out > 0 {
                <p class="words" role="status">{ Text::AlertsNotListed.fill(&[&format::count(left_out)]) }</p>
            }
        </>
    }
}
