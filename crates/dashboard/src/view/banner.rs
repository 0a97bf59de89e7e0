//! Alerts, most urgent first.

use bellwether_core::rule::Severity;
use bellwether_core::time::TimestampMs;
use yew::prelude::{Html, classes, html};

use super::icon::{Icon, icon};
use crate::figures::{AlertCard, Phase, watch};
use crate::format;
use crate::state::Knowledge;
use crate::texts::Text;

/// Most alerts that have a banner each; of more only the number is told.
pub const MOST_BANNERS: usize = 5;

/// One banner for each of the first alerts at `at`, in the order given, and how many more there are, with the
/// `left_out` that the gateway did not tell; nothing where there is none. What is old is told as it was. All of them are
/// at the address `all`.
pub fn banners(alerts: &[AlertCard], left_out: u64, at: TimestampMs, knowledge: Knowledge, all: String) -> Html {
    if alerts.is_empty() {
        return Html::default();
    }
    let banners = alerts.iter().take(MOST_BANNERS).map(|alert| banner(alert, at, knowledge));
    let more = alerts.len().saturating_sub(MOST_BANNERS) as u64 + left_out;
    let more = (more > 0).then(|| {
        html! { <p class="alerts-more" role="status"><a href={all}>{ Text::AndMore.fill(&[&format::count(more)]).trim() }</a></p> }
    });
    html! { <section class="alerts" aria-label={Text::ViewAlerts.say()}>{ for banners }{ more }</section> }
}

/// One alert, with all that is known of it.
pub(crate) fn banner(alert: &AlertCard, at: TimestampMs, knowledge: Knowledge) -> Html {
    let (class, shape) = match (alert.phase, alert.severity) {
        (Phase::Firing, Severity::Page) => ("alert-page", Icon::Bell),
        (Phase::Firing, Severity::Ticket) => ("alert-ticket", Icon::Warning),
        (Phase::Firing, Severity::Info) => ("alert-info", Icon::Info),
        (Phase::Pending, _) => ("alert-pending", Icon::Clock),
        (Phase::Resolved, _) => ("alert-resolved", Icon::Tick),
    };
    let word = match alert.phase {
        Phase::Firing => Text::AlertFiring.fill(&[watch::severity(alert.severity)]),
        Phase::Pending => Text::AlertPending.say().to_owned(),
        Phase::Resolved => Text::AlertResolved.say().to_owned(),
    };
    let then = (knowledge == Knowledge::Old && alert.phase != Phase::Resolved).then(|| Text::WhenLastHeard.say());
    let slim = (alert.phase != Phase::Firing).then_some("alert-slim");
    // A page interrupts whoever listens; all else waits until they have finished.
    let is_page = alert.phase == Phase::Firing && alert.severity == Severity::Page;
    // What once was calls nobody now.
    let role = if is_page && knowledge != Knowledge::Chosen { "alert" } else { "status" };
    let key = format!("{} {}", alert.rule, alert.labels);
    html! {
        <div class={classes!("alert", class, slim)} {key} {role} data-alert={alert.rule.clone()} data-phase={word.clone()}>
            { icon(shape) }
            <div class="alert-body">
                <p class="alert-title">
                    <span class="alert-rule">{ &alert.rule }</span>
                    if !alert.labels.is_empty() {
                        <span class="alert-labels">{ &alert.labels }</span>
                    }
                    <span class="alert-word">{ word }{ then }</span>
                </p>
                <p class="alert-text">
                    { condition(alert) }
                    if !alert.summary.is_empty() && alert.phase != Phase::Resolved {
                        { " " }{ &alert.summary }
                    }
                    if let Some(address) = alert.runbook.clone() {
                        { " " }<a href={address} rel="noopener noreferrer" target="_blank">{ Text::Runbook.say() }</a>
                    }
                </p>
            </div>
            <p class="alert-since">{ since(alert, at) }</p>
        </div>
    }
}

/// The figure changes every second: it is kept out of what a live region reads aloud.
fn condition(alert: &AlertCard) -> Html {
    let threshold = format::text(alert.threshold, &alert.unit);
    let rule = [alert.comparison, threshold.as_str()];
    let value = alert.value.map(|value| {
        html! { <strong aria-live="off">{ format::figure(value, &alert.unit).text() }</strong> }
    });
    let text = match (alert.phase, value) {
        (Phase::Resolved, Some(value)) => {
            html! { <>{ Text::AlertWas.say() }{ value }{ Text::AlertWasThen.fill(&rule) }</> }
        }
        (Phase::Resolved, None) => html! { { Text::RuleIs.fill(&rule) } },
        (_, Some(value)) => html! { <>{ value }{ Text::FigureIs.fill(&rule) }</> },
        (_, None) => html! { { Text::NoFigureRule.fill(&rule) } },
    };
    let stale = alert.stale.then(|| Text::StaleNow.say());
    html! { <>{ text }{ stale }</> }
}

fn since(alert: &AlertCard, at: TimestampMs) -> Html {
    let time = |instant: TimestampMs| format::instant(instant, at);
    // As the webhook tells it; when its condition was met first is in the list of alerts.
    let began = alert.fired_at.unwrap_or(alert.since);
    if let Some(ended) = alert.resolved_at {
        let lasted = format::length(ended.since(began));
        return html! { <>{ Text::ResolvedAt.fill(&[&time(ended)]) }<small>{ Text::Lasted.fill(&[&lasted]) }</small></> };
    }
    let length = format::length(at.since(began));
    html! {
        <>
            { Text::SinceTime.fill(&[&time(began)]) }
            <small aria-live="off">{ Text::ForLength.fill(&[&length]) }</small>
        </>
    }
}
