//! Alerts, most urgent first.

use bellwether_core::rule::Severity;
use bellwether_core::time::TimestampMs;
use yew::prelude::{Html, classes, html};

use super::icon::{Icon, icon};
use crate::figures::{AlertCard, Phase, watch};
use crate::format;
use crate::state::Knowledge;

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
        html! { <p class="alerts-more" role="status"><a href={all}>{ format!("and {more} more") }</a></p> }
    });
    html! { <section class="alerts" aria-label="Alerts">{ for banners }{ more }</section> }
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
        Phase::Firing => format!("{}, firing", watch::severity(alert.severity)),
        Phase::Pending => "Pending".to_owned(),
        Phase::Resolved => "Resolved".to_owned(),
    };
    let then = (knowledge == Knowledge::Old && alert.phase != Phase::Resolved).then_some(" when last heard of");
    let slim = (alert.phase != Phase::Firing).then_some("alert-slim");
    // A page interrupts whoever listens; all else waits until they have finished.
    let role = if alert.phase == Phase::Firing && alert.severity == Severity::Page { "alert" } else { "status" };
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
                        { " " }<a href={address} rel="noopener noreferrer" target="_blank">{ "Runbook" }</a>
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
    let value = alert.value.map(|value| {
        html! { <strong aria-live="off">{ format::figure(value, &alert.unit).text() }</strong> }
    });
    let text = match (alert.phase, value) {
        (Phase::Resolved, Some(value)) => {
            html! { <>{ "Was " }{ value }{ format!(" when it ended; the rule is {} {threshold}.", alert.comparison) }</> }
        }
        (Phase::Resolved, None) => html! { { format!("The rule is {} {threshold}.", alert.comparison) } },
        (_, Some(value)) => html! { <>{ value }{ format!(", {} {threshold}.", alert.comparison) }</> },
        (_, None) => html! { { format!("No figure; the rule is {} {threshold}.", alert.comparison) } },
    };
    let stale = alert.stale.then_some(" No data now; this is the last known state.");
    html! { <>{ text }{ stale }</> }
}

fn since(alert: &AlertCard, at: TimestampMs) -> Html {
    let time = |instant: TimestampMs| format::instant(instant, at);
    if let Some(ended) = alert.resolved_at {
        let lasted = format::length(ended.since(alert.since));
        return html! { <>{ format!("resolved at {}", time(ended)) }<small>{ format!("lasted {lasted}") }</small></> };
    }
    let length = format::length(at.since(alert.since));
    html! {
        <>
            { format!("since {}", time(alert.since)) }
            <small aria-live="off">{ format!("for {length}") }</small>
        </>
    }
}
