//! When the alerts that are over are asked for.

use std::rc::Rc;

use super::refresh;
use crate::connection::Connection;
use crate::effect::Effect;
use crate::ended::{EndedAlert, LISTED_EVERY};
use crate::remote::Remote;
use crate::route::View;
use crate::state::State;
use crate::texts::Text;

/// Asks for them where a view shows them, and they have not come or not for long. A file has none.
pub(super) fn wanted(state: &mut State) -> Vec<Effect> {
    let is_shown = matches!(state.route.view, View::Alerts | View::Kpi(_));
    let due = state.ended_asked_at.is_none_or(|asked| state.now.since(asked) >= LISTED_EVERY);
    let live = matches!(state.connection, Connection::Live { .. });
    if !is_shown || !due || !live || state.is_of_file() {
        return Vec::new();
    }
    let Some(settings) = state.settings.ready().map(Rc::clone) else { return Vec::new() };
    state.ended_asked_at = Some(state.now);
    vec![Effect::ListEnded(settings)]
}

/// They have come, or will not; one answer that fails takes nothing away.
pub(super) fn came(state: &mut State, list: Option<Rc<[EndedAlert]>>) -> Vec<Effect> {
    match list {
        Some(list) => state.ended = Remote::Ready(list),
        None if state.ended.ready().is_none() => state.ended = Remote::Failed(Text::PastNotTold.say().to_owned()),
        None => {}
    }
    refresh(state)
}
