//! How samples are spread: a map over time with what each range holds altogether beside it, and its table.

use std::rc::Rc;

use bellwether_core::time::TimestampMs;
use web_sys::{Element, HtmlDetailsElement};
use yew::prelude::{
    Callback, Event, FocusEvent, Html, KeyboardEvent, MouseEvent, PointerEvent, Properties, TargetCast, classes,
    component, html, use_callback, use_state,
};

use super::sheet::{bars, table};
use super::strip::Pen;
use crate::effects::download;
use crate::figures::Distribution;
use crate::figures::cursor::Move;
use crate::format;
use crate::texts::Text;

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Properties)]
pub(crate) struct Props {
    /// The counts.
    pub spread: Rc<Distribution>,
    /// The instant that the reader points at on any chart.
    pub cursor: Option<TimestampMs>,
    /// Where the map says that the reader points at another one, or at none.
    pub moved: Callback<Option<TimestampMs>>,
}

impl Props {
    /// The counts, with the cursor of all charts.
    pub(crate) fn new(spread: &Rc<Distribution>, pen: &Pen) -> Self {
        Self { spread: Rc::clone(spread), cursor: pen.cursor, moved: pen.moved.clone() }
    }
}

/// Map, numbers, legend, words and table.
#[component]
pub(crate) fn Spread(props: &Props) -> Html {
    // The range that the reader points at, from the top; where only the instant is known, the fullest one then.
    let range = use_state(|| None::<usize>);
    let open = use_state(|| false);
    let toggled = use_callback(open.setter(), |event: Event, open| {
        if let Some(details) = event.target_dyn_into::<HtmlDetailsElement>() {
            open.set(details.open());
        }
    });
    let spread = &props.spread;
    let of_title = html! { <span class="visually-hidden">{ Text::OfTitle.fill(&[&spread.title]) }</span> };
    let behind = (*open).then(|| {
        let wanted = Rc::clone(spread);
        let press = Callback::from(move |_: MouseEvent| download::csv(&format!("{}.csv", wanted.id), &wanted.csv()));
        html! {
            <>
                { table(&spread.sheet()) }
                <button type="button" class="button button-quiet table-download" onclick={press}>
                    { Text::DownloadCsv.say() }{ of_title.clone() }
                </button>
            </>
        }
    });
    html! {
        <section class="section" aria-label={spread.title.clone()}>
            <h3 class="section-title">{ &spread.title }</h3>
            if let Some(failure) = &spread.failure {
                <p class="words">{ failure }</p>
            } else {
                <article class="panel" data-panel={spread.id.clone()}>
                    <p class="focus-summary">{ spread.summary() }</p>
                    { chart(props, *range, &range.setter()) }
                    { legend(spread) }
                    <p class="words">{ spread.note() }</p>
                    <details class="table-behind" ontoggle={toggled}>
                        <summary>{ Text::Table.say() }{ of_title }</summary>
                        { behind }
                    </details>
                </article>
            }
        </section>
    }
}

/// Ranges, map and numbers, row beside row. Ranges and numbers are for the eye: the table says the same.
fn chart(props: &Props, range: Option<usize>, set: &yew::prelude::UseStateSetter<Option<usize>>) -> Html {
    let spread = &props.spread;
    let at = props.cursor.and_then(|at| spread.stretch_at(at)).map(|stretch| {
        let range = range.filter(|range| *range < spread.ranges.len()).unwrap_or_else(|| spread.fullest(stretch));
        (range, stretch)
    });
    let (class, says) = match at {
        Some((range, stretch)) => ("spread-head words", spread.spoken(range, stretch)),
        None => ("spread-head spread-hint words", Text::DistributionHow.say().to_owned()),
    };
    let chosen = |place: usize| at.is_some_and(|(range, _)| range == place).then_some("spread-at");
    let ranges = spread.ranges.iter().enumerate().map(|(place, range)| {
        let none = (range.count == 0).then_some("spread-none");
        html! { <li class={classes!(none, chosen(place))}>{ spread.say(range) }</li> }
    });
    let numbers = spread.ranges.iter().map(|range| {
        html! {
            <li>
                <span class="spread-bar">{ bars(&spread.bar(range).bars) }</span>
                <span class="spread-number">{ format::count(range.count) }</span>
                <span class="spread-marks">{ &range.marks }</span>
            </li>
        }
    });
    let view = format!("0 0 {} {}", spread.stretches.len(), spread.ranges.len());
    let shades = (0..spread.shades.len()).map(|shade| {
        html! { <path class={format!("shade-{}", shade + 1)} d={spread.outline(shade)} /> }
    });
    let mark = at.map(|(range, stretch)| {
        let (x, y) = (stretch.to_string(), range.to_string());
        html! {
            <>
                <rect class="spread-then" x={x.clone()} y="0" width="1" height={spread.ranges.len().to_string()} />
                <rect class="spread-here" {x} {y} width="1" height="1" />
            </>
        }
    });
    let [first, middle, last] = spread.times();
    html! {
        <div class="spread">
            <p {class} aria-hidden="true">{ says }</p>
            <ol class="spread-ranges" aria-hidden="true">{ for ranges }</ol>
            <div class="spread-map">
                <svg viewBox={view.clone()} preserveAspectRatio="none" role="img" aria-label={spread.summary()}>
                    { for shades }
                </svg>
                { cursor(props, at, set, html! {
                    <svg viewBox={view} preserveAspectRatio="none" aria-hidden="true">{ mark }</svg>
                }) }
            </div>
            <ol class="spread-numbers" aria-hidden="true">{ for numbers }</ol>
            <p class="spread-times words" aria-hidden="true">
                <span>{ first }</span><span>{ middle }</span><span>{ last }</span>
            </p>
        </div>
    }
}

/// What takes the pointer and the keys, and shows where they are: a slider, as over the other charts.
fn cursor(
    props: &Props,
    at: Option<(usize, usize)>,
    set: &yew::prelude::UseStateSetter<Option<usize>>,
    mark: Html,
) -> Html {
    let spread = &props.spread;
    // The end of a stretch is the instant that other charts show; at the right edge it may lie beyond theirs.
    let instant = {
        let spread = Rc::clone(spread);
        move |stretch: usize| spread.stretches.get(stretch).map(|stretch| stretch.to.min(spread.to))
    };
    let pointed = {
        let (spread, moved, set, instant) = (Rc::clone(spread), props.moved.clone(), set.clone(), instant.clone());
        Callback::from(move |event: PointerEvent| {
            let Some(element) = event.target_dyn_into::<Element>() else { return };
            // The cast saturates: what is left of the map is on its left edge.
            let place = |offset: i32, length: i32, number: usize| {
                let share = f64::from(offset) / f64::from(length.max(1));
                ((share * number as f64) as usize).min(number.saturating_sub(1))
            };
            let stretch = place(event.offset_x(), element.client_width(), spread.stretches.len());
            let range = place(event.offset_y(), element.client_height(), spread.ranges.len());
            if at != Some((range, stretch)) {
                set.set(Some(range));
                moved.emit(instant(stretch));
            }
        })
    };
    let left = {
        let (moved, set) = (props.moved.clone(), set.clone());
        Callback::from(move |event: PointerEvent| {
            // A finger that is lifted leaves what it pointed at.
            if event.pointer_type() == "mouse" {
                set.set(None);
                moved.emit(None);
            }
        })
    };
    let pressed = {
        let (spread, moved, set) = (Rc::clone(spread), props.moved.clone(), set.clone());
        Callback::from(move |event: KeyboardEvent| {
            if event.alt_key() || event.ctrl_key() || event.meta_key() {
                return;
            }
            let key = event.key();
            let stretch = at.map(|(_, stretch)| stretch);
            if key == "ArrowUp" || key == "ArrowDown" {
                let stretch = stretch.unwrap_or_else(|| spread.moved(None, Move::Last));
                let range = match at {
                    None => spread.fullest(stretch),
                    Some((range, _)) if key == "ArrowUp" => range.saturating_sub(1),
                    Some((range, _)) => (range + 1).min(spread.ranges.len().saturating_sub(1)),
                };
                set.set(Some(range));
                moved.emit(instant(stretch));
            } else if let Some(by) = Move::of_key(&key) {
                moved.emit(instant(spread.moved(stretch, by)));
            } else {
                return;
            }
            event.prevent_default();
        })
    };
    let blurred = {
        let (moved, set) = (props.moved.clone(), set.clone());
        Callback::from(move |_: FocusEvent| {
            set.set(None);
            moved.emit(None);
        })
    };
    let last = spread.stretches.len().saturating_sub(1);
    let (now, says) = match at {
        Some((range, stretch)) => (stretch, spread.spoken(range, stretch)),
        None => (last, Text::DistributionHow.say().to_owned()),
    };
    html! {
        <div
            class="spread-cursor"
            role="slider"
            tabindex="0"
            aria-label={Text::CursorOf.fill(&[&spread.title])}
            aria-valuemin="0"
            aria-valuemax={last.to_string()}
            aria-valuenow={now.to_string()}
            aria-valuetext={says}
            onpointermove={pointed.clone()}
            onpointerdown={pointed}
            onpointerleave={left}
            onkeydown={pressed}
            onblur={blurred}
        >
            { mark }
        </div>
    }
}

/// How many samples each shade stands for.
fn legend(spread: &Distribution) -> Html {
    let shades = spread.legend().into_iter().enumerate().map(|(place, words)| {
        let class = format!("shade-{}", place + 1);
        html! {
            <li>
                <svg class="spread-swatch" viewBox="0 0 1 1" aria-hidden="true"><rect {class} width="1" height="1" /></svg>
                { words }
            </li>
        }
    });
    html! { <ul class="legend"><li>{ Text::SamplesAField.say() }</li>{ for shades }</ul> }
}
