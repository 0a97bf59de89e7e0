//! The start of a text, for messages that must not grow with what a sender wrote.

use std::fmt::{self, Display, Write};

/// The start of what `text` writes: at most `most_bytes` bytes, and `…` where there is more. Cost: no more than
/// that, however long the text is.
///
/// ```
/// use bellwether_wire::start_of;
/// assert_eq!(start_of("a short one", 20), "a short one");
/// assert_eq!(start_of("caf\u{e9} au lait", 4), "caf…");
/// ```
#[must_use]
pub fn start_of(text: impl Display, most_bytes: usize) -> String {
    let mut start = Start { text: String::new(), most_bytes, is_cut: false };
    // It fails where the room ends; what is there by then is the start.
    let _full = write!(start, "{text}");
    start.text
}

struct Start {
    text: String,
    most_bytes: usize,
    is_cut: bool,
}

impl Write for Start {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.is_cut {
            return Err(fmt::Error);
        }
        let room = self.most_bytes - self.text.len();
        if piece.len() <= room {
            self.text.push_str(piece);
            return Ok(());
        }
        self.is_cut = true;
        self.text.push_str(&piece[..piece.floor_char_boundary(room)]);
        self.text.push('…');
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes without end, and notices where it is asked to.
    struct Endless;

    impl Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("ab")?;
            }
        }
    }

    /// Writes on although there is no more room.
    struct Deaf;

    impl Display for Deaf {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let _full = f.write_str("abc");
            f.write_str("d")
        }
    }

    #[test]
    fn a_text_is_cut_between_letters_and_not_written_further() {
        assert_eq!(start_of("", 0), "");
        assert_eq!(start_of("ab", 2), "ab");
        assert_eq!(start_of("abc", 2), "ab…");
        assert_eq!(start_of("aéb", 2), "a…");
        assert_eq!(start_of(Endless, 5), "ababa…");
        assert_eq!(start_of(Deaf, 2), "ab…");
    }
}
