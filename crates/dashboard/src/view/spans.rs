//! The span of time that the page shows: what it stands at, any other one, steps from it, and back to now.

use bellwether_core::time::TimestampMs;
use web_sys::HtmlInputElement;
use yew::TargetCast as _;
use yew::prelude::{
    Callback, Html, InputEvent, MouseEvent, Properties, SubmitEvent, component, html, use_effect_with, use_state,
};

use super::icon::{Icon, icon};
use crate::format;
use crate::message::Msg;
use crate::remote::Remote;
use crate::span::{Grain, LONGEST, SHORTEST, Shift, Span, SpanFault, Turn};
use crate::state::{Spans, State};
use crate::texts::Text;

/// What the page stands at, and the choice of another span; nothing where it follows now and nobody wants to choose.
pub(crate) fn time_bar(state: &State, dispatch: &Callback<Msg>) -> Html {
    let (stands_at, snapshot) = (state.route.span, state.snapshot.as_deref());
    let Some(span) = stands_at.or_else(|| Some(state.on_screen(snapshot?))) else { return Html::default() };
    if stands_at.is_none() && state.spans == Spans::Closed {
        return Html::default();
    }
    let turned = dispatch.reform(Msg::Turned);
    let until = format::date_and_time(span.to());
    let said = stands_at.map(|span| {
        let length = format::length(span.length());
        let mut more = String::new();
        let (shape, text) = match &state.past {
            Remote::Failed(reason) => (Icon::Warning, Text::PastNot.fill(&[&until, reason])),
            Remote::NotAsked | Remote::Loading => (Icon::Clock, Text::PastLoading.fill(&[&until])),
            Remote::Ready(()) => {
                let shown = snapshot.map_or(span.to(), |snapshot| snapshot.at);
                if span.grain(shown) == Grain::Hours {
                    more.push_str(Text::PastHours.say());
                }
                if state.board.as_ref().is_some_and(|board| !board.rules.is_empty()) {
                    more.push_str(Text::PastAlerts.say());
                }
                let unjudged = snapshot.map_or(0, |snapshot| snapshot.unjudged_rules);
                if unjudged > 0 {
                    more.push_str(&Text::PastUnjudged.count(unjudged, &[]));
                }
                (Icon::Clock, Text::PastShown.fill(&[&format::date_and_time(shown), &length]))
            }
        };
        html! {
            <div class="time-said" role="status">
                { icon(shape) }<p><strong>{ text }</strong><span class="time-more">{ more }</span></p>
            </div>
        }
    });
    // What a finger has pointed at is forgotten when the chart loses the focus: a step is to go around it.
    let stays = Callback::from(|event: MouseEvent| event.prevent_default());
    let step = |by: Shift, word: Text| {
        let pressed = turned.reform(move |_: MouseEvent| Turn::By(by));
        html! { <button type="button" class="button" onclick={pressed} onmousedown={stays.clone()}>{ word.say() }</button> }
    };
    let live = turned.reform(|_: MouseEvent| Turn::Live);
    let now = snapshot.map_or(TimestampMs::LATEST, |snapshot| snapshot.now);
    html! {
        <section class="time-bar" aria-label={Text::TimeRange.say()} aria-busy={(state.past == Remote::Loading).to_string()}>
            { said }
            if let (Some(span), Remote::Failed(_)) = (stands_at, &state.past) {
                <button type="button" class="button button-primary" onclick={turned.reform(move |_: MouseEvent| Turn::To(span))}>
                    { Text::TryAgain.say() }
                </button>
            }
            <Fields {span} {stands_at} {now} turned={turned.clone()} />
            <div class="time-steps" role="group" aria-label={Text::Steps.say()}>
                { step(Shift::Earlier, Text::StepEarlier) }
                if stands_at.is_some() {
                    { step(Shift::Later, Text::StepLater) }
                }
                { step(Shift::In, Text::StepIn) }
                { step(Shift::Out, Text::StepOut) }
                if stands_at.is_some() {
                    <button type="button" class="button button-primary" onclick={live}>{ Text::BackToLive.say() }</button>
                }
            </div>
        </section>
    }
}

/// What is in the fields at first.
#[derive(Clone, PartialEq, Properties)]
struct FieldsProps {
    /// The span on screen.
    span: Span,
    /// The same, where it stands still.
    stands_at: Option<Span>,
    /// What a span may end at, at the latest.
    now: TimestampMs,
    /// Hears of another span.
    turned: Callback<Turn>,
}

/// What stands in a field.
#[derive(Clone, Debug, PartialEq)]
struct Written {
    text: String,
    /// The instant that it was written for, until the reader writes: a local time may come twice, and has no milliseconds.
    meant: Option<TimestampMs>,
}

impl Written {
    fn of(at: TimestampMs) -> Self {
        Self { text: format::field(at), meant: Some(at) }
    }

    fn instant(&self) -> Option<TimestampMs> {
        self.meant.or_else(|| format::of_field(&self.text))
    }
}

/// From and to, in the reader's zone. What somebody is writing there stays while a live picture goes on below.
#[component]
fn Fields(props: &FieldsProps) -> Html {
    let written = use_state(|| [props.span.from(), props.span.to()].map(Written::of));
    let fault = use_state(String::new);
    {
        let (setter, fault, span) = (written.setter(), fault.setter(), props.span);
        use_effect_with((props.stands_at, props.span.length()), move |_| {
            setter.set([span.from(), span.to()].map(Written::of));
            fault.set(String::new());
        });
    }
    let submitted = {
        let (written, fault, turned, now) = (written.clone(), fault.setter(), props.turned.clone(), props.now);
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let [from, to] = [&written[0], &written[1]].map(Written::instant);
            let span =
                from.zip(to).map(|(from, to)| if to > now { Err(SpanFault::Future) } else { Span::new(from, to) });
            fault.set(match span {
                Some(Ok(span)) => {
                    turned.emit(Turn::To(span));
                    String::new()
                }
                Some(Err(fault)) => words(fault),
                None => Text::SpanUnread.say().to_owned(),
            });
        })
    };
    let field = |place: usize, id: &'static str, word: Text| {
        let typed = {
            let written = written.clone();
            Callback::from(move |event: InputEvent| {
                if let Some(field) = event.target_dyn_into::<HtmlInputElement>() {
                    let mut texts = (*written).clone();
                    texts[place] = Written { text: field.value(), meant: None };
                    written.set(texts);
                }
            })
        };
        html! {
            <label class="time-field" for={id}>
                <span>{ word.say() }</span>
                <input class="button" {id} type="datetime-local" step="1" value={written[place].text.clone()} oninput={typed} />
            </label>
        }
    };
    html! {
        <form class="time-form" onsubmit={submitted}>
            { field(0, "from", Text::SpanFrom) }
            { field(1, "to", Text::SpanTo) }
            <button type="submit" class="button">{ Text::Show.say() }</button>
            if !fault.is_empty() {
                <p class="time-fault" role="alert">{ icon(Icon::Warning) }{ (*fault).clone() }</p>
            }
        </form>
    }
}

fn words(fault: SpanFault) -> String {
    match fault {
        SpanFault::Short => Text::SpanShort.fill(&[&format::length(SHORTEST)]),
        SpanFault::Long => Text::SpanLong.fill(&[&format::length(LONGEST)]),
        SpanFault::Future => Text::SpanFuture.say().to_owned(),
    }
}
