//! Where the figures come from.

use yew::prelude::{Html, html};

use super::screens;
use super::sheet::sheet;
use super::stage::Stage;
use crate::figures::sources::feed;
use crate::texts::Text;

/// The gateway with its feed, and each metric.
pub(crate) fn sources(stage: &Stage<'_>) -> Html {
    let Stage { state, snapshot, gateway, .. } = stage;
    let feed = feed(state, gateway, snapshot.series);
    html! {
        <>
            { sheet(&feed) }
            { for snapshot.sheets.iter().map(sheet) }
            if !state.is_of_file() {
                <section class="section"><p class="words">{ Text::FileInvite.say() }</p>{ screens::open_file() }</section>
            }
        </>
    }
}
