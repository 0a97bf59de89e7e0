//! One panel, large, to be analysed with Plotly.

use std::rc::Rc;

use web_sys::Element;
use yew::prelude::{Html, Properties, component, html, use_effect_with, use_node_ref, use_state_eq};

use super::icon::{Icon, icon};
use super::panel::legend;
use super::sheet::table;
use super::stage::Stage;
use super::strip::{Pen, StripCanvas};
use super::table::TableBehind;
use crate::chart::palette::Palette;
use crate::figures::{Focus, Quantiles};
use crate::plot;
use crate::remote::Remote;
use crate::texts::Text;

/// The panel, or words in its place.
pub(crate) fn focus(stage: &Stage<'_>) -> Html {
    let Stage { state, snapshot, pen, .. } = stage;
    match &snapshot.focus {
        Some(focus) => chart(focus, pen, &state.plotly),
        None => stage.missing([Text::NoSuchPanel, Text::NoSuchPanelText], |board, id| {
            board.panels.iter().any(|panel| panel.id == id)
        }),
    }
}

/// The chart, what it shows in words, its figures and its table.
fn chart(focus: &Rc<Focus>, pen: &Pen, plotly: &Remote<()>) -> Html {
    let strip = &focus.strip;
    let chart = match plotly {
        Remote::Ready(()) => {
            html! { <PlotlyChart focus={Rc::clone(focus)} palette={Rc::clone(&pen.palette)} /> }
        }
        Remote::Failed(reason) => html! {
            <>
                <p class="notice" role="status">{ icon(Icon::Warning) }{ reason }</p>
                <StripCanvas strip={Rc::clone(strip)} pen={pen.clone()} />
                { legend(strip, Text::Threshold, pen.cursor) }
            </>
        },
        Remote::NotAsked | Remote::Loading => html! {
            <p class="focus-chart focus-wait" role="status">{ Text::LoadingChart.say() }</p>
        },
    };
    html! {
        <section class="section" aria-label={strip.title.clone()}>
            <article class="panel" data-panel={strip.id.clone()}>
                { chart }
                <p class="focus-summary">{ strip.summary() }</p>
                if focus.quantiles == Quantiles::Drawn {
                    <p class="focus-summary">
                        { Text::Percentiles.say() }
                    </p>
                }
                { table(&strip.extremes()) }
                <TableBehind strip={Rc::clone(strip)} />
            </article>
        </section>
    }
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Properties)]
struct ChartProps {
    /// The panel.
    focus: Rc<Focus>,
    /// The theme's colours.
    palette: Rc<Palette>,
}

/// The element that Plotly draws in.
#[component]
fn PlotlyChart(props: &ChartProps) -> Html {
    let node = use_node_ref();
    let failure = use_state_eq(|| None::<String>);
    {
        let (node, failure) = (node.clone(), failure.setter());
        let drawn = (Rc::clone(&props.focus), Rc::clone(&props.palette));
        use_effect_with(drawn, move |(focus, palette)| {
            if let Some(element) = node.cast::<Element>() {
                let later = failure.clone();
                let failed = move |sentence| later.set(Some(sentence));
                failure.set(plot::draw(&element, focus, palette, failed).err());
            }
        });
    }
    {
        let node = node.clone();
        use_effect_with((), move |()| {
            let element = node.cast::<Element>();
            move || {
                if let Some(element) = element {
                    plot::discard(&element);
                }
            }
        });
    }
    html! {
        <>
            if let Some(reason) = &*failure {
                <p class="notice" role="status">{ reason }</p>
            }
            <div class="focus-chart" ref={node} role="group" aria-label={props.focus.strip.summary()}></div>
        </>
    }
}
