//! A table, as all views draw it.

use yew::prelude::{Html, html};

use super::icon::{Icon, icon};
use super::spark::small;
use crate::figures::sheet::{Bar, Cell, Content, Pick, Sheet};
use crate::texts::Text;

/// Heading, table and note.
pub(crate) fn sheet(sheet: &Sheet) -> Html {
    html! {
        <section class="section" key={sheet.title.clone()} aria-label={sheet.title.clone()}>
            <h3 class="section-title">{ &sheet.title }</h3>
            { picks("", &sheet.picks) }
            if !sheet.rows.is_empty() {
                { table(sheet) }
            }
            if !sheet.note.is_empty() {
                <p class="words">{ &sheet.note }</p>
            }
        </section>
    }
}

/// The table alone: it scrolls where it does not fit, also by keyboard.
pub(crate) fn table(sheet: &Sheet) -> Html {
    let heads = sheet.columns.iter().map(|column| {
        let order = (!column.order.is_empty()).then_some(column.order);
        let shape = order.map(|order| icon(if order == "ascending" { Icon::Up } else { Icon::Down }));
        let title = html! { <>{ &column.title }{ shape }</> };
        let title = if column.href.is_empty() {
            title
        } else {
            html! { <a href={column.href.clone()}>{ title }</a> }
        };
        html! { <th scope="col" class={class(column.content)} aria-sort={order}>{ title }</th> }
    });
    let rows = sheet.rows.iter().map(|row| {
        let cells = row.iter().zip(&sheet.columns).enumerate().map(|(place, (cell, column))| {
            let content = content(cell);
            if place == 0 {
                html! { <th scope="row">{ content }</th> }
            } else {
                html! { <td class={class(column.content)}>{ content }</td> }
            }
        });
        html! { <tr>{ for cells }</tr> }
    });
    html! {
        <div class="table-scroll" tabindex="0" role="region" aria-label={Text::TableOf.fill(&[&sheet.title])}>
            <table class="figures">
                <thead><tr>{ for heads }</tr></thead>
                <tbody>{ for rows }</tbody>
            </table>
        </div>
    }
}

/// Links of which one is chosen, below `title`; nothing where there are fewer than two.
pub(crate) fn picks(title: &str, picks: &[Pick]) -> Html {
    if picks.len() < 2 {
        return Html::default();
    }
    let links = picks.iter().map(|pick| {
        let current = pick.chosen.then_some("true");
        html! { <li><a class="pick" href={pick.href.clone()} aria-current={current}>{ &pick.text }</a></li> }
    });
    html! { <div class="picks"><span class="words">{ title }</span><ul>{ for links }</ul></div> }
}

const fn class(content: Content) -> &'static str {
    match content {
        Content::Words => "words",
        Content::Figures => "",
        Content::Bars => "bars",
    }
}

/// Bars on one scale, for the eye.
pub(super) fn bars(bars: &[Bar]) -> Html {
    let bars = bars.iter().map(|Bar { from, to, class }| {
        html! { <rect class={*class} x={from.to_string()} width={(to - from).to_string()} height="12" /> }
    });
    html! {
        <svg viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true" focusable="false">{ for bars }</svg>
    }
}

fn content(cell: &Cell) -> Html {
    if let Some(course) = &cell.course {
        return small(course);
    }
    if !cell.bars.is_empty() {
        // What they say stands in the other columns as well.
        return bars(&cell.bars);
    }
    if cell.href.is_empty() {
        return html! { &cell.text };
    }
    html! { <a href={cell.href.clone()}>{ &cell.text }</a> }
}
