//! One KPI, with what stands behind its figure.

use yew::prelude::{Html, html};

use super::card::lead;
use super::distribution::{Props as Spreading, Spread};
use super::panel::panel;
use super::sheet::sheet;
use super::stage::Stage;
use crate::texts::Text;

/// The figure, its course and the tables behind it.
pub(crate) fn kpi(stage: &Stage<'_>) -> Html {
    let Stage { state, snapshot, gateway, then, pen, .. } = stage;
    match (&snapshot.kpi, &snapshot.chart) {
        (Some(kpi), Some(chart)) if kpi.id == state.route.view.id() => html! {
            <>
                { lead(kpi, gateway, then) }
                <div class="large">{ panel(chart, pen, None) }</div>
                if let Some(sentence) = kpi.on_target(chart) {
                    <p class="words">{ sentence }</p>
                }
                if let Some(spread) = &snapshot.distribution {
                    <Spread ..Spreading::new(spread, pen) />
                }
                { for snapshot.sheets.iter().map(sheet) }
            </>
        },
        _ => {
            stage.missing([Text::NoSuchKpi, Text::NoSuchKpiText], |board, id| board.kpis.iter().any(|kpi| kpi.id == id))
        }
    }
}
