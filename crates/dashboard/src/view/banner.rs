//! Alerts, most urgent first.

use bellwether_core::rule::Severity;
use bellwether_core::time::TimestampMs;
use yew::prelude::{Html, classes, html};

use super::icon::{Icon, icon};
use crate::figures::alerts::MOST_BANNERS;
use crate::figures::{AlertCard, Phase};
use crate::format::{self, Precision};
use crate::state::Knowledge;

/// One banner for each of the first alerts at `at`, in the order given, and how many more there are, with the
/// `left_out` that the gateway did not tell; nothing where there is none. What is old is told as it was.
pub fn banners(alerts: &[AlertCard], left_out: u64, at: TimestampMs, knowledge: Knowledge) -> Html {
    if alerts.is_empty() {
        return Html::default();
    }
    let banners = alerts.iter().take(MOST_BANNERS).map(|alert| banner(alert, at, knowledge));
    let more = alerts.len().saturating_sub(MOST_BANNERS) as u64 + left_out;
    let more = (more > 0).then(|| html! { <p class="alerts-more" role="status">{ format!("and {more} more") }</p> });
    html! { <section class="alerts" aria-label="Alerts">{ for banners }{ more }</section> }
}

fn banner(alert: &AlertCard, at: TimestampMs, knowledge: Knowledge) -> Html {
    let (class, shape, word) = match (alert.phase, alert.severity) {
        (Phase::Firing, Severity::Page) => ("alert-page", Icon::Bell, "Page, firing"),
        (Phase::Firing, Severity::Ticket) => ("alert-ticket", Icon::Warning, "Ticket, firing"),
        (Phase::Firing, Severity::Info) => ("alert-info", Icon::Info, "Info, firing"),
        (Phase::Pending, _) => ("alert-pending", Icon::Clock, "Pending"),
        (Phase::Resolved, _) => ("alert-resolved", Icon::Tick, "Resolved"),
    };
    let then = (knowledge == Knowledge::Old && alert.phase != Phase::Resolved).then_some(" when last heard of");
    let slim = (alert.phase != Phase::Firing).then_some("alert-slim");
    // A page interrupts whoever listens; all else waits until they have finished.
    let role = if alert.phase == Phase::Firing && alert.severity == Severity::Page { "alert" } else { "status" };
    let key = format!("{} {}", alert.rule, alert.labels);
    html! {
        <div class={classes!("alert", class, slim)} {key} {role} data-alert={alert.rule.clone()} data-phase={word}>
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
    let time = |instant: TimestampMs| {
        let old = at.since(instant).as_millis() > 20 * 3_600_000;
        if old { format::date_and_time(instant) } else { format::time_of_day(instant, Precision::Seconds) }
    };
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
