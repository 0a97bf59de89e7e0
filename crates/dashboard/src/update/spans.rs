//! How facts turn the page to a span of the past, and back to now.

use std::rc::Rc;

use super::{chosen, refresh};
use crate::connection::Connection;
use crate::effect::{Effect, Part};
use crate::remote::Remote;
use crate::span::Turn;
use crate::state::{Picture, Spans, State};

/// Questions for the past that are asked one right after the other; each second one more. A key that is held down asks
/// for thirty a second, and a gateway that is sent a hundred messages in a minute closes the connection.
const MOST_AT_ONCE: u8 = 10;

/// Turns to a span, or to now.
pub(super) fn turn(state: &mut State, turn: Turn) -> Vec<Effect> {
    let span = match turn {
        Turn::To(span) => Some(span),
        Turn::By(shift) => {
            let snapshot = state.snapshot.as_deref();
            // Before the first figures there is nothing to step from but a span of the address, and nothing later is known.
            let Some(span) = state.route.span.or_else(|| Some(state.on_screen(snapshot?))) else { return Vec::new() };
            let now = snapshot.map_or(span.to(), |snapshot| snapshot.now);
            Some(span.shifted(shift, state.cursor, now))
        }
        Turn::Live => {
            state.picture = Picture::Following;
            None
        }
    };
    if span == state.route.span {
        // What could not be had may be had now.
        return if matches!(state.past, Remote::Failed(_)) { recall(state) } else { Vec::new() };
    }
    let mut effects = chosen(state, state.route.with_span(span));
    if span.is_none() && state.spans == Spans::Closed {
        // The button that was pressed is gone, and all that is around it.
        effects.push(Effect::Focus(Part::Heading));
    }
    effects
}

/// Asks for what was known at the end of the span of the route, or gives up what was recalled where it has none.
pub(super) fn recall(state: &mut State) -> Vec<Effect> {
    state.past_left_out.clear();
    let Some(span) = state.route.span else {
        if state.past == Remote::NotAsked {
            return Vec::new();
        }
        state.past = Remote::NotAsked;
        return vec![Effect::Forget];
    };
    state.past = Remote::Loading;
    // Without a connection it is asked for with the next one; while another question is out, when that is answered.
    let live = matches!(state.connection, Connection::Live { .. });
    let may_ask = live && state.recalling.is_none() && state.recalls < MOST_AT_ONCE;
    let Some(board) = state.board.clone().filter(|_| may_ask) else { return Vec::new() };
    state.recalls += 1;
    let metrics = Rc::clone(&state.others.drawn);
    state.recalling = Some((span, Rc::clone(&metrics)));
    vec![Effect::Recall(board, metrics, span)]
}

/// Takes an answer in: what has come of the question that it is of, where that is still the reader's; else that one is
/// asked.
pub(super) fn answered(state: &mut State, came: Remote<()>) -> Vec<Effect> {
    let asked = state.recalling.take();
    let Some(span) = state.route.span else {
        state.past = Remote::NotAsked;
        return Vec::new();
    };
    if came == Remote::Loading || asked.is_some_and(|asked| asked != (span, Rc::clone(&state.others.drawn))) {
        return recall(state);
    }
    state.past = came;
    refresh(state)
}

/// A second has passed: what was not asked because so much was is asked now.
pub(super) fn second(state: &mut State) -> Vec<Effect> {
    state.recalls = state.recalls.saturating_sub(1);
    if state.past == Remote::Loading { recall(state) } else { Vec::new() }
}
