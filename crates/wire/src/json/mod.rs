//! What all readers of JSON share: objects read field by field, with the path of every fault.

mod any;
mod object;
mod write;

use std::borrow::Cow;

pub(crate) use any::{Any, ReadAny};
pub(crate) use object::{Faults, Object, parse, type_name};
pub(crate) use write::{Figure, LabelMap, text};

/// A fault of a JSON document: where, what, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// `kpis[2].query.window`; empty for the document itself.
    pub path: String,
    /// Line and column of a fault of syntax, from 1.
    pub position: Option<(usize, usize)>,
    /// One sentence for people.
    pub message: String,
}

impl std::fmt::Display for JsonFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        if let Some((line, column)) = self.position {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// What the parser says, less the place that it adds at the end.
pub(crate) fn syntax_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Most letters of a sender's text in a message.
const SHOWN: usize = 60;

/// The start of a text that a sender made, short enough for a message; `…` says that there is more.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned([&text[..end], "…"].concat()),
        None => Cow::Borrowed(text),
    }
}

/// The known word that `word` most likely stands for: it begins with `word`, or is at most about a
/// third of its letters away.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    if word.len() > 64 {
        return None;
    }
    let word = word.to_ascii_lowercase();
    if word.len() >= 3
        && let Some(longer) = known.iter().find(|known| known.starts_with(&word))
    {
        return Some(longer);
    }
    let allowed = word.chars().count().div_ceil(3);
    let (away, found) = known.iter().map(|known| (distance(&word, known), *known)).min()?;
    (away <= allowed).then_some(found)
}

/// Letters to insert, drop or replace to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (place, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], place + 1);
        for (column, expected) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *expected);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, expected: Option<&str>) {
        assert_eq!(nearest(word, &["name", "value", "timestamp", "labels", "ref"]), expected, "{word}");
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        let sixty = "é".repeat(60);
        assert_eq!(shortened(""), "");
        assert_eq!(shortened(&sixty), sixty);
        assert_eq!(shortened(&format!("{sixty}x")), format!("{sixty}…"));
    }

    #[test]
    fn a_slip_finds_its_word() {
        check("vaule", Some("value"));
        check("time", Some("timestamp"));
        check("valu", Some("value"));
        check("Value", Some("value"));
        check("timestmp", Some("timestamp"));
        check("time_stamp", Some("timestamp"));
        check("label", Some("labels"));
        check("host", None);
        check("", None);
    }
}
