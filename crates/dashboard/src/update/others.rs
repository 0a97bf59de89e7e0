//! How facts change what is shown of metrics that the board does not name.

use std::rc::Rc;

use bellwether_core::labels::MetricName;

use super::refresh;
use crate::connection::Connection;
use crate::effect::Effect;
use crate::feed::holds_whole;
use crate::others::{LISTED_EVERY, Others, Section};
use crate::remote::Remote;
use crate::route::{Param, View};
use crate::state::State;

pub(super) fn open(state: &mut State) -> Vec<Effect> {
    if state.others.section == Section::Open {
        return Vec::new();
    }
    state.others = Others { section: Section::Open, list: Remote::Loading, ..Others::default() };
    list(state)
}

/// What was followed costs the gateway and the page nothing any more.
pub(super) fn close(state: &mut State) -> Vec<Effect> {
    if state.others.section == Section::Closed {
        return Vec::new();
    }
    state.others = Others { given_up: state.others.given_up, ..Others::default() };
    let mut effects = vec![Effect::Follow([].into())];
    effects.extend(refresh(state));
    effects
}

/// After a connection: the gateway knows nothing any more of what was followed.
pub(super) fn connected(state: &mut State) -> Vec<Effect> {
    if !is_listed(state) {
        return Vec::new();
    }
    state.others.drawn = wanted(state).unwrap_or_else(|| Rc::clone(&state.others.drawn));
    let mut effects = vec![Effect::Follow(Rc::clone(&state.others.drawn))];
    effects.extend(list(state));
    effects
}

/// After a turn to another view, or to another metric.
pub(super) fn turned(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    if state.route.view == View::Explore {
        state.others.given_up = false;
    }
    if is_listed(state) && matches!(state.others.list, Remote::NotAsked | Remote::Failed(_)) {
        state.others.list = Remote::Loading;
        effects.extend(list(state));
    }
    effects.extend(follow(state));
    effects
}

/// While they are shown the list is asked for now and then: metrics come and grow.
pub(super) fn list_again(state: &mut State) -> Vec<Effect> {
    let due = state.others.asked_at.is_none_or(|asked| state.now.since(asked) >= LISTED_EVERY);
    let live = matches!(state.connection, Connection::Live { .. });
    if is_listed(state) && live && due { list(state) } else { Vec::new() }
}

/// Whether something on screen tells which metrics there are.
fn is_listed(state: &State) -> bool {
    state.others.section == Section::Open || matches!(state.route.view, View::Explore | View::Sources)
}

fn list(state: &mut State) -> Vec<Effect> {
    state.others.asked_at = Some(state.now);
    state.settings.ready().map(|settings| Effect::ListMetrics(Rc::clone(settings))).into_iter().collect()
}

/// The metrics to be followed beside those of the board; `None` where that is not known yet.
fn wanted(state: &State) -> Option<Rc<[MetricName]>> {
    let board = state.board.as_ref()?;
    if state.route.view == View::Explore && !state.others.given_up {
        let name = MetricName::new(state.route.param(Param::Metric)).ok();
        return Some(name.into_iter().filter(|name| !holds_whole(board, name)).collect());
    }
    if state.others.section == Section::Closed {
        return Some([].into());
    }
    state.others.choose(board).map(|choice| choice.drawn)
}

/// Asks for what is to be drawn, where that is not what is asked for already.
pub(super) fn follow(state: &mut State) -> Vec<Effect> {
    let live = matches!(state.connection, Connection::Live { .. });
    let Some(wanted) = wanted(state).filter(|wanted| live && *wanted != state.others.drawn) else { return Vec::new() };
    state.others.drawn = Rc::clone(&wanted);
    vec![Effect::Follow(wanted)]
}
