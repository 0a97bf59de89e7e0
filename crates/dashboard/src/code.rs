//! The code of views that comes when it is needed: the points where `cargo xtask` splits the page's wasm.
//!
//! With the feature `split`, what only one of the functions in `points` reaches lies in a file of its own, which the
//! function's first call fetches. Without it all is one file: so the tests have it, and whoever calls Trunk themselves.

use std::cell::Cell;

use bellwether_core::board::Board;
use bellwether_core::time::TimestampMs;
use yew::prelude::{Callback, Html};

use crate::figures::evaluate::Source;
use crate::figures::replay::Replayed;
use crate::figures::views::Fill;
use crate::lazy::Chunk;
use crate::message::Msg;
use crate::route::View;
use crate::span::Grain;
use crate::state::State;
use crate::view::Stage;

/// What a chunk brings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    /// Evaluates one of its views.
    pub(crate) fill: Fill,
    /// Draws one of its views.
    pub(crate) draw: fn(&Stage<'_>) -> Html,
    /// What any view needs that stands at a span of the past.
    then: Option<Then>,
}

/// What a page needs that goes back in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Then {
    /// Says how the rules stood.
    pub(crate) replay: fn(Source<'_>, &Board, TimestampMs, Grain) -> Replayed,
    /// Draws where the page stands, and the choice of another span.
    pub(crate) bar: fn(&State, &Callback<Msg>) -> Html,
}

thread_local! {
    static HERE: Cell<[Option<Code>; Chunk::ALL.len()]> = const { Cell::new([None; Chunk::ALL.len()]) };
}

/// Fetches the chunk; `false` where it does not come. What has not come may be fetched again.
pub(crate) async fn fetch(chunk: Chunk) -> bool {
    let code = match chunk {
        Chunk::Views => points::views().await,
        Chunk::Panel => points::panel().await,
    };
    let Ok(code) = code else { return false };
    let mut here = HERE.get();
    here[chunk as usize] = Some(code);
    HERE.set(here);
    true
}

/// The code of the view, where it is here; none for a view that the page begins with.
pub(crate) fn of(view: &View) -> Option<Code> {
    HERE.get()[Chunk::of(view)? as usize]
}

/// What going back in time needs, where it is here.
pub(crate) fn then() -> Option<Then> {
    HERE.get()[Chunk::TIME as usize]?.then
}

mod points {
    use super::{Code, Then};
    use crate::figures::replay::replay;
    use crate::figures::views as fill;
    use crate::view::{self, time_bar};

    const TIME: Option<Then> = Some(Then { replay, bar: time_bar });

    /// A function that brings a chunk. It fails where the chunk cannot be fetched.
    macro_rules! point {
        ($name:ident, $draw:path, $then:expr) => {
            #[cfg(feature = "split")]
            #[wasm_split_helpers::wasm_split($name, fallible)]
            pub(super) fn $name() -> Result<Code, wasm_split_helpers::SplitLoaderError> {
                Ok(Code { fill: fill::$name, draw: $draw, then: $then })
            }

            #[cfg(not(feature = "split"))]
            pub(super) async fn $name() -> Result<Code, ()> {
                Ok(Code { fill: fill::$name, draw: $draw, then: $then })
            }
        };
    }

    point!(views, view::views, TIME);
    point!(panel, view::focus, None);
}
