//! The board: read from its file, or the one that is built in.

use std::fmt::Display;
use std::path::Path;

use anyhow::Context;
use bellwether_core::board::Board;
use bellwether_core::engine::{Engine, EngineConfig};

/// The board of those who bring none.
const DEFAULT_BOARD: &str = include_str!("../../../www/board.json");

/// The board that shows the gateway itself.
pub(crate) const OWN_BOARD: &str = include_str!("own_board.json");

/// Longest board file: every page gets the whole board in one frame.
const MAX_BOARD_BYTES: usize = 1024 * 1024;

/// The board of `file`, or the built-in one.
///
/// # Errors
/// One text with everything that is wrong, a line for each fault.
pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Board> {
    let Some(file) = file else { return decode(DEFAULT_BOARD, "the built-in board") };
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("the board {} cannot be read; give the path of a board file", file.display()))?;
    let bytes = text.len();
    anyhow::ensure!(
        bytes <= MAX_BOARD_BYTES,
        "the board {} is {bytes} bytes long, and at most {MAX_BOARD_BYTES} are taken; make several boards of it",
        file.display()
    );
    decode(&text, &file.display().to_string())
}

fn decode(text: &str, name: &str) -> anyhow::Result<Board> {
    match bellwether_wire::board::decode_strictly(text) {
        Ok(board) => {
            // A board can be right and still ask for more than this gateway keeps.
            let longest = Engine::new(EngineConfig::default())?.longest_window();
            board.check_within(longest).map_err(|faults| faulty(name, &faults))?;
            Ok(board)
        }
        Err(faults) => Err(faulty(name, &faults)),
    }
}

/// One text with all faults of a board.
fn faulty(name: &str, faults: &[impl Display]) -> anyhow::Error {
    let count = if faults.len() == 1 { "a fault".to_owned() } else { format!("{} faults", faults.len()) };
    let faults: Vec<_> = faults.iter().map(|fault| format!("  {fault}")).collect();
    anyhow::anyhow!("{name} has {count}; mend it and start again:\n{}", faults.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_board_is_right() {
        let board = load(None).unwrap();
        assert!(!board.kpis.is_empty() && !board.rules.is_empty());
    }

    #[test]
    fn the_board_of_the_gateway_itself_is_right() {
        let board = decode(OWN_BOARD, "the gateway's own board").unwrap();
        assert!(board.kpis.len() >= 10 && board.panels.len() >= 7);
    }

    #[test]
    fn a_board_that_is_too_long_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("board.json");
        std::fs::write(&file, format!(r#"{{"title":"T"}}{}"#, " ".repeat(MAX_BOARD_BYTES))).unwrap();
        let said = load(Some(&file)).unwrap_err().to_string();
        assert!(said.contains("board.json") && said.contains("at most 1048576"), "{said}");
    }
}
