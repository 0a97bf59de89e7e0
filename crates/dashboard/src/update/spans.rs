//! How facts turn the page to a span of the past, and back to now.

use std::rc::Rc;

use super::chosen;
use crate::connection::Connection;
use crate::effect::Effect;
use crate::remote::Remote;
use crate::span::Turn;
use crate::state::{Picture, State};

/// Turns to a span, or to now.
pub(super) fn turn(state: &mut State, turn: Turn) -> Vec<Effect> {
    let span = match turn {
        Turn::To(span) => Some(span),
        Turn::By(shift) => {
            // Before the first figures there is nothing to step from.
            let Some(snapshot) = &state.snapshot else { return Vec::new() };
            Some(state.on_screen(snapshot).shifted(shift, state.cursor, snapshot.now))
        }
        Turn::Live => {
            state.picture = Picture::Following;
            None
        }
    };
    if span == state.route.span {
        return Vec::new();
    }
    chosen(state, state.route.with_span(span))
}

/// Asks for what was known at the end of the span of the route, or gives up what was recalled where it has none.
pub(super) fn recall(state: &mut State) -> Vec<Effect> {
    let Some(span) = state.route.span else {
        if state.past == Remote::NotAsked {
            return Vec::new();
        }
        state.past = Remote::NotAsked;
        return vec![Effect::Forget];
    };
    state.past = Remote::Loading;
    // Without a connection it is asked for with the next one.
    let live = matches!(state.connection, Connection::Live { .. });
    let Some(board) = state.board.clone().filter(|_| live) else { return Vec::new() };
    vec![Effect::Recall(board, Rc::clone(&state.others.drawn), span)]
}
