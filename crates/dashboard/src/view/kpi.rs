//! One KPI, with what stands behind its figure.

use yew::prelude::{Html, html};

use super::card::lead;
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
                { for snapshot.sheets.iter().map(sheet) }
            </>
        },
        _ => {
            stage.missing([Text::NoSuchKpi, Text::NoSuchKpiText], |board, id| board.kpis.iter().any(|kpi| kpi.id == id))
        }
    }
}
