//! When the reader is called.

use std::rc::Rc;

use crate::calls::{Permission, Switch, news};
use crate::effect::Effect;
use crate::feed::AlertNotice;
use crate::state::State;

/// The reader has pressed the button of notifications.
pub(super) fn pressed(state: &mut State) -> Vec<Effect> {
    match state.calls.notifications {
        Switch::Off => vec![Effect::AskToNotify],
        Switch::On => {
            state.calls.notifications = Switch::Off;
            vec![Effect::KeepNotify(Switch::Off)]
        }
    }
}

/// The browser has answered.
pub(super) fn answered(state: &mut State, permission: Permission) -> Vec<Effect> {
    let switch = if permission == Permission::Granted { Switch::On } else { Switch::Off };
    (state.calls.permission, state.calls.notifications) = (permission, switch);
    vec![Effect::KeepNotify(switch)]
}

/// The reader has pressed the button of the sound, and hears what it is.
pub(super) fn sound_pressed(state: &mut State) -> Vec<Effect> {
    state.calls.sound = state.calls.sound.turned();
    if state.calls.sound == Switch::On { vec![Effect::PlayTone] } else { Vec::new() }
}

/// What is to be told of the alerts that have come after `before`. What fires when the page is opened is on it.
pub(super) fn tell(state: &State, before: Option<Rc<[AlertNotice]>>) -> Vec<Effect> {
    let Some(before) = before else { return Vec::new() };
    if state.calls.notifications == Switch::Off && state.calls.sound == Switch::Off {
        return Vec::new();
    }
    let news = news(&before, &state.alerts);
    let mut effects = Vec::new();
    if !news.is_empty() && state.calls.sound == Switch::On {
        effects.push(Effect::PlayTone);
    }
    if state.calls.notifications == Switch::On {
        effects.extend(news.into_iter().map(|(title, body)| Effect::Notify { title, body }));
    }
    effects
}
