//! Which views have code of their own that comes when it is needed, and what has come of it.

use crate::remote::Remote;
use crate::route::View;

/// Code that is fetched on its own: that of views, without what the overview has too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// Of the views that are words, tables and live charts.
    Views,
    /// Of one panel, with what makes a figure for Plotly.
    Panel,
}

impl Chunk {
    /// All of them, in the order in which they are fetched ahead.
    pub const ALL: [Self; 2] = [Self::Views, Self::Panel];

    /// The one that has what going back in time needs, whatever the view.
    pub const TIME: Self = Self::Views;

    /// The chunk that a view needs; `None` for what the page begins with.
    #[must_use]
    pub const fn of(view: &View) -> Option<Self> {
        match view {
            // The help is a text of the site, and no code.
            View::Overview | View::Help => None,
            View::Alerts | View::Explore | View::Sources | View::Kpi(_) => Some(Self::Views),
            View::Panel(_) => Some(Self::Panel),
        }
    }
}

/// What has come of each chunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunks([Remote<()>; Chunk::ALL.len()]);

impl Chunks {
    /// What has come of this one.
    #[must_use]
    pub const fn get(&self, chunk: Chunk) -> &Remote<()> {
        &self.0[chunk as usize]
    }

    /// Sets what has come of this one.
    pub fn set(&mut self, chunk: Chunk, to: Remote<()>) {
        self.0[chunk as usize] = to;
    }

    /// Marks the chunk as on its way; `false` where it is already, or here.
    pub fn begin(&mut self, chunk: Chunk) -> bool {
        let wanted = matches!(self.get(chunk), Remote::NotAsked | Remote::Failed(_));
        if wanted {
            self.set(chunk, Remote::Loading);
        }
        wanted
    }

    /// The next one to be fetched ahead; `None` where one is on its way, so that they come one after the other.
    #[must_use]
    pub fn next(&self) -> Option<Chunk> {
        let is_idle = self.0.iter().all(|chunk| *chunk != Remote::Loading);
        Chunk::ALL.into_iter().find(|chunk| is_idle && *self.get(*chunk) == Remote::NotAsked)
    }
}
