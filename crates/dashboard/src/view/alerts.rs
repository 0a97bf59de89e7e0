//! All alerts, by what has become of them.

use bellwether_core::time::TimestampMs;
use yew::prelude::{Html, html};

use super::banner::banner;
use crate::figures::{AlertCard, Phase};
use crate::state::Knowledge;

/// A list for each phase, or words in its place; `left_out` more the gateway did not tell.
pub(crate) fn alerts(alerts: &[AlertCard], left_out: u64, at: TimestampMs, knowledge: Knowledge) -> Html {
    let phases = [
        (Phase::Firing, "Firing", "No alert is firing", "No alert was firing"),
        (Phase::Pending, "Pending", "No condition is waiting to fire", "No condition was waiting to fire"),
        (
            Phase::Resolved,
            "Resolved",
            "None has ended in the last 15 minutes",
            "None had ended in the 15 minutes before",
        ),
    ];
    let groups = phases.into_iter().map(|(phase, title, none, none_then)| {
        let of_phase = alerts.iter().filter(|alert| alert.phase == phase);
        let count = of_phase.clone().count();
        let list = of_phase.map(|alert| banner(alert, at, knowledge));
        let none = if knowledge == Knowledge::Old { none_then } else { none };
        html! {
            <section class="section" key={title} aria-label={title} data-phases={title}>
                <h3 class="section-title">{ title }<span class="badge">{ count }</span></h3>
                if count == 0 {
                    <p class="words">{ none }{ "." }</p>
                } else {
                    <div class="alerts">{ for list }</div>
                }
            </section>
        }
    });
    html! {
        <>
            { for groups }
            if left_out > 0 {
                <p class="words" role="status">{ format!("There are {left_out} more that the gateway did not list.") }</p>
            }
        </>
    }
}
