//! How facts change what is shown of metrics that the board does not name.

use std::rc::Rc;

use super::refresh;
use crate::connection::Connection;
use crate::effect::Effect;
use crate::others::{LISTED_EVERY, Others, Section};
use crate::remote::Remote;
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
    if state.others.section == Section::Closed {
        return Vec::new();
    }
    let mut effects = vec![Effect::Follow(Rc::clone(&state.others.drawn))];
    effects.extend(list(state));
    effects
}

/// While they are shown the list is asked for now and then: metrics come and grow.
pub(super) fn list_again(state: &mut State) -> Vec<Effect> {
    let due = state.others.asked_at.is_none_or(|asked| state.now.since(asked) >= LISTED_EVERY);
    let live = matches!(state.connection, Connection::Live { .. });
    if state.others.section == Section::Open && live && due { list(state) } else { Vec::new() }
}

fn list(state: &mut State) -> Vec<Effect> {
    state.others.asked_at = Some(state.now);
    state.settings.ready().map(|settings| Effect::ListMetrics(Rc::clone(settings))).into_iter().collect()
}

/// Asks for what is to be drawn, where that is not what is asked for already.
pub(super) fn follow(state: &mut State) -> Vec<Effect> {
    let board = state.board.as_ref();
    let Some(choice) = board.and_then(|board| state.others.choose(board)) else { return Vec::new() };
    let live = matches!(state.connection, Connection::Live { .. });
    if !live || state.others.section == Section::Closed || choice.drawn == state.others.drawn {
        return Vec::new();
    }
    state.others.drawn = Rc::clone(&choice.drawn);
    vec![Effect::Follow(choice.drawn)]
}
