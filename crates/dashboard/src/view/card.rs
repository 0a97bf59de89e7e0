//! One KPI.

use bellwether_core::kpi::{Direction, Standing, Trend};
use yew::prelude::{Html, classes, html};

use super::figure::figure;
use super::icon::{Icon, icon};
use super::panel::restated;
use super::spark::spark;
use crate::figures::{Absence, KpiCard, WindowBefore};
use crate::format;
use crate::texts::Text;

/// Title, standing, figure, course, target, trend and owner of a KPI. Where the page has no figure of it `gateway`, an
/// address, can be asked for one. `then` is the time of day that the figure is of, where that is not now; else empty. The title leads to `open`.
pub fn card(card: &KpiCard, gateway: &str, then: &str, open: String) -> Html {
    let formatted = card.value.map(|value| format::figure(value, &card.unit));
    let not_met = (card.standing == Standing::NotMet).then_some("card-not-met");
    html! {
        <article class={classes!("card", not_met)} key={card.id.clone()} data-kpi={card.id.clone()}>
            <div class="card-head">
                <h3 class="card-title"><a href={open}>{ &card.title }</a></h3>
                { standing(card, then) }
            </div>
            <div class="card-figure">
                { figure(formatted.as_ref(), none(card).1) }
                { spark(&card.course, card.course_target, &card.unit, course_summary(card)) }
            </div>
            { facts(card, gateway) }
        </article>
    }
}

/// The figure of a KPI and what is said of it, where the view's heading is its title.
pub(crate) fn lead(card: &KpiCard, gateway: &str, then: &str) -> Html {
    let formatted = card.value.map(|value| format::figure(value, &card.unit));
    html! {
        <div class="lead" data-kpi={card.id.clone()}>
            <p class="lead-figure">{ figure(formatted.as_ref(), none(card).1) }{ standing(card, then) }</p>
            { facts(card, gateway) }
        </div>
    }
}

fn facts(card: &KpiCard, gateway: &str) -> Html {
    html! {
        <div class="card-facts">
            <p class="card-fact"><span>{ target(card) }</span>{ owner(card) }</p>
            <p class="card-fact">{ trend(card, gateway) }<span>{ &card.made_of }</span></p>
            if let Some(at) = card.restated {
                <p class="card-fact">{ restated(at) }</p>
            }
        </div>
    }
}

/// What stands for a figure that there is not, and what is heard in its place: only where nothing came there is no data.
fn none(card: &KpiCard) -> (&'static str, &'static str) {
    let (badge, heard) =
        if card.absence.is_some() { (Text::NoFigureBadge, Text::NoFigure) } else { (Text::NoDataBadge, Text::NoData) };
    (badge.say(), heard.say())
}

fn standing(card: &KpiCard, then: &str) -> Html {
    let (mut class, shape, word) = match card.standing {
        Standing::Met => ("badge badge-good", Icon::Tick, Text::Met.say()),
        Standing::NotMet => ("badge badge-bad", Icon::Cross, Text::NotMet.say()),
        Standing::NoFigure => ("badge", Icon::Unknown, none(card).0),
        Standing::NoTarget => return Html::default(),
    };
    let then = (!then.is_empty() && card.value.is_some()).then(|| {
        // What was good is not said to be.
        class = "badge";
        Text::AtThen.fill(&[then])
    });
    html! { <span {class}>{ icon(shape) }{ word }{ then }</span> }
}

fn target(card: &KpiCard) -> Html {
    let Some(target) = card.target else { return html! { Text::NoTarget.say() } };
    let bound = match card.direction {
        Direction::LowerIsBetter => Text::TargetAtMost,
        Direction::HigherIsBetter => Text::TargetAtLeast,
    };
    html! { <>{ bound.say() }<strong>{ format::figure(target, &card.unit).text() }</strong></> }
}

fn trend(card: &KpiCard, gateway: &str) -> Html {
    if let Some(absence) = &card.absence {
        let ask = match absence {
            Absence::Lacking { ask: Some(ask), .. } => Some(format!("{gateway}{ask}")),
            _ => None,
        };
        return html! {
            <span>
                { absence.words() }
                if let Some(address) = ask {
                    { ". " }
                    <a href={address} rel="noopener noreferrer" target="_blank">
                        { Text::AskGateway.say() }<span class="visually-hidden">{ Text::AskGatewayFor.fill(&[&card.title]) }</span>
                    </a>
                }
            </span>
        };
    }
    if card.value.is_none() {
        return html! { <span>{ Text::NothingInWindow.fill(&[&format::length(card.window)]) }</span> };
    }
    let Some(trend) = card.trend else {
        // An empty place keeps what stands beside it at its edge.
        let said = if card.before == WindowBefore::Kept { Text::NoEarlierFigure.say() } else { "" };
        return html! { <span>{ said }</span> };
    };
    let (by, text) = match trend {
        Trend::Points(points) => (points, format::points(points)),
        Trend::Change { by, percent: None } => (by, format::change(by, &card.unit)),
        Trend::Change { by, percent: Some(percent) } => {
            (by, format!("{} ({})", format::change(by, &card.unit), format::percent_change(percent / 100.0)))
        }
    };
    // What would be written as no change is none, and one of less than a half per cent is no news.
    let none = match trend {
        Trend::Points(points) => points.abs() < 0.05,
        Trend::Change { percent: Some(percent), .. } => percent.abs() < 0.5,
        Trend::Change { percent: None, .. } => by == 0.0,
    };
    if none {
        return html! { <span>{ Text::AsBefore.fill(&[&format::length(card.window)]) }</span> };
    }
    let lower = card.direction == Direction::LowerIsBetter;
    let (class, word) = if (by < 0.0) == lower {
        ("trend trend-better", Text::BetterThan)
    } else {
        ("trend trend-worse", Text::WorseThan)
    };
    let shape = icon(if by > 0.0 { Icon::Up } else { Icon::Down });
    html! {
        <span>
            <span class={class}>{ shape }{ text }</span>{ word.fill(&[&format::length(card.window)]) }
        </span>
    }
}

fn owner(card: &KpiCard) -> Html {
    if card.owner.is_empty() {
        return Html::default();
    }
    html! { <span><span class="visually-hidden">{ Text::Owner.say() }</span>{ &card.owner }</span> }
}

fn course_summary(card: &KpiCard) -> String {
    let values = || card.course.iter().flatten().copied();
    let text = |value| format::figure(value, &card.unit).text();
    match (values().reduce(f64::min), values().reduce(f64::max)) {
        (Some(low), Some(high)) => {
            let over = format::length(card.course_over);
            Text::CourseSummary.fill(&[&over, &text(low), &text(high)])
        }
        _ => String::new(),
    }
}
