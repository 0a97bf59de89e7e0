//! What the views that have code of their own are drawn from, and what stands there until it has come.

use bellwether_core::board::Board;
use yew::prelude::{Callback, Html, MouseEvent, html};

use super::alerts::alerts;
use super::explore::explore;
use super::icon::{Icon, icon};
use super::kpi::kpi;
use super::screens;
use super::sources::sources;
use super::strip::Pen;
use crate::figures::Snapshot;
use crate::message::Msg;
use crate::remote::Remote;
use crate::route::View;
use crate::state::State;
use crate::texts::Text;

/// What a view is drawn from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage<'a> {
    /// The page.
    pub(crate) state: &'a State,
    /// Its figures.
    pub(crate) snapshot: &'a Snapshot,
    /// The gateway's address, for people.
    pub(crate) gateway: &'a str,
    /// The time of day that the figures are of, where that is not now; else empty.
    pub(crate) then: &'a str,
    /// What charts are drawn with.
    pub(crate) pen: &'a Pen,
    /// Hears of what the reader does.
    pub(crate) dispatch: &'a Callback<Msg>,
}

impl Stage<'_> {
    /// What stands there until the figures of a view have come, or where the board has none: a heading and words.
    pub(super) fn missing(&self, [head, words]: [Text; 2], has: impl Fn(&Board, &str) -> bool) -> Html {
        let state = self.state;
        let id = state.route.view.id();
        if state.board.as_ref().is_some_and(|board| has(board, id)) {
            return screens::loading(Text::MakingChart.say());
        }
        html! {
            <section class="screen">
                <h3>{ head.say() }</h3>
                <p>{ words.fill(&[id]) }</p>
                <a class="button button-primary" href={state.route.with_view(View::Overview).hash()}>{ Text::ViewOverview.say() }</a>
            </section>
        }
    }
}

/// Draws the views of [`crate::lazy::Chunk::Views`].
pub(crate) fn views(stage: &Stage<'_>) -> Html {
    match stage.state.route.view {
        View::Alerts => alerts(stage),
        View::Explore => explore(stage),
        View::Sources => sources(stage),
        View::Kpi(_) => kpi(stage),
        View::Overview | View::Help | View::Panel(_) => Html::default(),
    }
}

/// In the place of a view whose code is not here: that it is on its way, or why not and a button to try again.
pub(super) fn waiting(code: &Remote<()>, dispatch: &Callback<Msg>) -> Html {
    let Remote::Failed(reason) = code else { return screens::loading(Text::LoadingView.say()) };
    let again = dispatch.reform(|_: MouseEvent| Msg::AgainPressed);
    let reload = dispatch.reform(|_: MouseEvent| Msg::ReloadPressed);
    html! {
        <section class="screen" role="alert">
            <p>{ icon(Icon::Warning) }{ reason }</p>
            <button type="button" class="button button-primary" onclick={again}>{ Text::TryAgain.say() }</button>
            { " " }
            <button type="button" class="button" onclick={reload}>{ Text::Reload.say() }</button>
        </section>
    }
}
