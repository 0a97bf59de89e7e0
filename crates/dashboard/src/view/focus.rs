//! One panel, large, to be analysed with Plotly.

use std::rc::Rc;

use web_sys::Element;
use yew::prelude::{Html, Properties, component, html, use_effect_with, use_node_ref, use_state_eq};

use super::icon::{Icon, icon};
use super::panel::legend;
use super::strip::StripCanvas;
use super::table::TableBehind;
use crate::chart::palette::Palette;
use crate::figures::{Focus, Quantiles};
use crate::format;
use crate::plot;
use crate::remote::Remote;

/// The chart, what it shows in words, its figures and its table; `back` is the address of the overview.
pub(crate) fn focus_view(focus: &Rc<Focus>, palette: &Rc<Palette>, plotly: &Remote<()>, back: String) -> Html {
    let strip = &focus.strip;
    let chart = match plotly {
        Remote::Ready(()) => {
            html! { <PlotlyChart focus={Rc::clone(focus)} palette={Rc::clone(palette)} /> }
        }
        Remote::Failed(reason) => html! {
            <>
                <p class="notice" role="status">{ icon(Icon::Warning) }{ reason }</p>
                <StripCanvas strip={Rc::clone(strip)} palette={Rc::clone(palette)} />
                { legend(strip) }
            </>
        },
        Remote::NotAsked | Remote::Loading => html! {
            <p class="focus-chart focus-wait" role="status">{ "Loading the chart…" }</p>
        },
    };
    html! {
        <section class="section" aria-label={strip.title.clone()}>
            <div class="focus-head">
                <h2 class="focus-title">{ &strip.title }</h2>
                <a class="button" href={back}>{ icon(Icon::Back) }{ "Overview" }</a>
            </div>
            <article class="panel" data-panel={strip.id.clone()}>
                { chart }
                <p class="focus-summary">{ strip.summary() }</p>
                if focus.quantiles == Quantiles::Drawn {
                    <p class="focus-summary">
                        { "Percentiles come from the sketch of all samples in the window of each point, never from averages of percentiles." }
                    </p>
                }
                { figures(focus) }
                <TableBehind strip={Rc::clone(strip)} />
            </article>
        </section>
    }
}

/// Latest, lowest and highest of each line.
fn figures(focus: &Focus) -> Html {
    let strip = &focus.strip;
    let rows = strip.lines.iter().filter_map(|line| {
        let (low, high) = line.extent()?;
        let cell = |value| html! { <td>{ format::figure(value, &strip.unit).text() }</td> };
        let name = if line.name.is_empty() { &strip.title } else { &line.name };
        Some(html! {
            <tr><th scope="row">{ name }</th><td>{ strip.latest(line) }</td>{ cell(low) }{ cell(high) }</tr>
        })
    });
    html! {
        <div class="table-scroll" tabindex="0" role="region" aria-label={format!("{}, figures", strip.title)}>
            <table class="figures">
                <thead>
                    <tr>
                        <th scope="col">{ "Line" }</th>
                        <th scope="col">{ "Latest" }</th>
                        <th scope="col">{ "Lowest" }</th>
                        <th scope="col">{ "Highest" }</th>
                    </tr>
                </thead>
                <tbody>{ for rows }</tbody>
            </table>
        </div>
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
