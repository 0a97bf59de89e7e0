//! `board.json` ↔ [`Board`]: what a page shows and what is watched.
//!
//! The format is described by `www/board.schema.json`; a test holds the two against each other.

mod expression;
mod read;
mod repeats;
mod write;

use bellwether_core::board::Board;

pub(crate) use expression::{Conditions, PatternRoom, read_conditions};
pub use write::BoardJson;

use crate::json::{Faults, JsonFault, parse};

/// Reads a board and checks it as a whole.
///
/// # Errors
/// Everything that is wrong, in one go: a fault of syntax alone with its line and column, else every
/// fault of meaning with its path, such as `kpis[2].query.window`.
///
/// ```
/// let faults = bellwether_wire::board::decode(r#"{"title":"Service","kpi":[]}"#).unwrap_err();
/// assert_eq!(faults[0].to_string(), "kpi: this field is not known; did you mean \"kpis\"?");
/// ```
pub fn decode(text: &str) -> Result<Board, Vec<JsonFault>> {
    let value = parse(text).map_err(|fault| vec![fault])?;
    let faults = Faults::default();
    let board = read::board(&value, "", &faults);
    if board.as_ref().is_some_and(|board| board.title.trim().is_empty()) {
        faults.add("title", "this is missing; say what the page is called");
    }
    let board = faults.check(board)?;
    match board.check() {
        Ok(()) => Ok(board),
        Err(errors) => Err(errors
            .into_iter()
            .map(|error| JsonFault { path: error.place, position: None, message: error.problem.to_string() })
            .collect()),
    }
}

/// Reads a board as [`decode`] does, and refuses one that gives a field twice.
///
/// For the gateway and `bellwether check`. It is a function of its own so that the page, which calls
/// [`decode`], stays small; there the last one counts.
///
/// # Errors
/// As [`decode`], and the first field that is given twice with its line and column.
///
/// ```
/// let faults = bellwether_wire::board::decode_strictly("{\"title\": \"Service\",\n \"title\": \"Host\"}").unwrap_err();
/// assert_eq!(faults[0].to_string(), "line 2, column 8: field \"title\" is given twice; give it once");
/// ```
pub fn decode_strictly(text: &str) -> Result<Board, Vec<JsonFault>> {
    let board = decode(text);
    let Some(repeated) = repeats::first(text) else { return board };
    let mut faults = vec![repeated];
    faults.extend(board.err().into_iter().flatten());
    Err(faults)
}

/// A board that stands inside another document, such as `hello`; its figures were checked where it
/// was made.
pub(crate) fn read_inside(value: &serde_json::Value, path: &str, faults: &Faults) -> Option<Board> {
    read::board(value, path, faults)
}

/// The board as JSON text, its fields in the order of the documentation.
#[must_use]
pub fn encode(board: &Board) -> String {
    crate::json::text(&BoardJson(board))
}
