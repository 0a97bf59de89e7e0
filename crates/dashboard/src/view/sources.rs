//! Where the figures come from.

use yew::prelude::{Html, html};

use super::sheet::sheet;
use super::stage::Stage;
use crate::figures::sources::feed;

/// The gateway with its feed, and each metric.
pub(crate) fn sources(stage: &Stage<'_>) -> Html {
    let Stage { state, snapshot, gateway, .. } = stage;
    let feed = feed(state, gateway, snapshot.series);
    html! { <>{ sheet(&feed) }{ for snapshot.sheets.iter().map(sheet) }</> }
}
