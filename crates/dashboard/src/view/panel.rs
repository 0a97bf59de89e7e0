//! One live chart with its title, legend and table.

use std::rc::Rc;

use bellwether_core::time::TimestampMs;
use yew::prelude::{Html, html};

use super::strip::{Pen, StripCanvas};
use super::table::TableBehind;
use crate::chart::palette::DASHES;
use crate::figures::Strip;
use crate::format;
use crate::texts::Text;

/// Title, strip, legend and table of a panel; `analyse` is the address of the same panel, large, where there
/// is one.
pub fn panel(strip: &Rc<Strip>, pen: &Pen, analyse: Option<String>) -> Html {
    // Of the charts that lead to no other, that of a KPI alone has a line across.
    let mark = if analyse.is_some() { Text::Threshold } else { Text::Target };
    html! {
        <article class="panel" key={strip.id.clone()} data-panel={strip.id.clone()}>
            <div class="panel-head">
                <h3 class="panel-title">{ &strip.title }</h3>
                if let Some(address) = analyse {
                    <a class="button button-quiet strip-actions" href={address}>
                        { Text::Analyse.say() }<span class="visually-hidden">{ format!(" {}", strip.title) }</span>
                    </a>
                }
            </div>
            <StripCanvas strip={Rc::clone(strip)} pen={pen.clone()} />
            <div class="panel-foot">
                { legend(strip, mark, pen.cursor) }
                <TableBehind strip={Rc::clone(strip)} />
            </div>
        </article>
    }
}

/// Colour, dash, name and figure of each line, and of the line across, which is called `mark`. The figure is the latest, or that
/// at `cursor`.
pub(crate) fn legend(strip: &Strip, mark: Text, cursor: Option<TimestampMs>) -> Html {
    let lines = strip.lines.iter().enumerate().map(|(place, line)| {
        let old = cursor.is_none() && !line.is_current(strip.to);
        let class = if old { "legend-value legend-old" } else { "legend-value" };
        let figure = cursor.map_or_else(|| strip.latest(line), |at| strip.figure_at(line, at));
        let name = (!line.name.is_empty()).then(|| html! { <span class="legend-name">{ &line.name }</span> });
        html! { <li>{ swatch(place) }{ name }<span {class}>{ figure }</span></li> }
    });
    let all = strip.lines.len() + strip.hidden_lines;
    let count = |number: usize| format::count(number as u64);
    let hidden = (strip.hidden_lines > 0)
        .then(|| html! { <li>{ Text::HighestOf.fill(&[&count(strip.lines.len()), &count(all)]) }</li> });
    let idle =
        (strip.idle_lines > 0).then(|| html! { <li>{ Text::ZeroThroughout.fill(&[&count(strip.idle_lines)]) }</li> });
    // A card of the same title may be over another window.
    let over =
        strip.looks_back.map(|window| html! { <li>{ Text::EachPointOver.fill(&[&format::length(window)]) }</li> });
    let restated = strip.restated.map(|at| html! { <li>{ restated(at) }</li> });
    let threshold = strip.threshold.map(|threshold| {
        html! {
            <li>
                <svg class="swatch swatch-threshold" viewBox="0 0 24 8" aria-hidden="true">
                    <line x1="0" x2="24" y1="4" y2="4" stroke-dasharray="4 3" />
                </svg>
                { mark.fill(&[&format::figure(threshold, &strip.unit).text()]) }
            </li>
        }
    });
    html! { <ul class="legend">{ for lines }{ hidden }{ idle }{ over }{ restated }{ threshold }</ul> }
}

/// That a figure is not what it was, and since when.
pub(crate) fn restated(at: TimestampMs) -> String {
    Text::Restated.fill(&[&format::date_and_time(at)])
}

fn swatch(place: usize) -> Html {
    let dashes: Vec<_> = DASHES[place % DASHES.len()].iter().map(u8::to_string).collect();
    let class = format!("swatch swatch-{}", place % DASHES.len() + 1);
    html! {
        <svg class={class} viewBox="0 0 24 8" aria-hidden="true">
            <line x1="0" x2="24" y1="4" y2="4" stroke-dasharray={dashes.join(" ")} />
        </svg>
    }
}
