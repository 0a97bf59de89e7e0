use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn file(language: Language) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/texts");
    fs::read_to_string(folder.join(language.code()).with_extension("json")).unwrap()
}

/// Names and texts in the order of the file: one a line.
fn texts(language: Language) -> Vec<(String, String)> {
    let file = file(language);
    let by_name: BTreeMap<String, String> = serde_json::from_str(&file).unwrap();
    let lines = file.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\": "));
    let texts: Vec<_> = lines.map(|(name, _)| (name.to_owned(), by_name[name].clone())).collect();
    assert_eq!(texts.len(), by_name.len(), "{language:?}: one text a line, and each name once");
    texts
}

/// The places that a text names, each once, in order.
fn places(text: &str) -> Vec<char> {
    let mut places: Vec<_> = text.match_indices('{').filter_map(|(at, _)| text[at + 1..].chars().next()).collect();
    places.retain(char::is_ascii_digit);
    places.sort_unstable();
    places.dedup();
    places
}

#[test]
fn every_language_has_every_text_in_the_order_of_their_numbers() {
    for language in Language::ALL {
        let texts = texts(language);
        let names: Vec<_> = texts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, NAMES, "{language:?}");
        for (name, text) in texts {
            assert!(!text.trim().is_empty(), "{language:?} {name}");
        }
    }
}

#[test]
fn translations_have_the_same_places_forms_and_edges() {
    for ((name, english), (_, spanish)) in texts(Language::English).into_iter().zip(texts(Language::Spanish)) {
        let forms = |text: &str| text.split('|').count();
        assert_eq!(forms(&english), forms(&spanish), "{name}");
        assert!(forms(&english) <= 2, "{name}");
        let last = |text: &str| places(text.rsplit('|').next().unwrap());
        assert_eq!(last(&english), last(&spanish), "{name}");
        // What begins or ends with a space is put before or behind something.
        let edges = |text: &str| (text.starts_with(' '), text.ends_with(' '));
        assert_eq!(edges(&english), edges(&spanish), "{name}");
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_text_is_used() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let code: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let is_used = |name: &&&str| {
        let whole = format!("Text::{name}");
        code.match_indices(&whole).any(|(at, _)| !code[at + whole.len()..].starts_with(char::is_alphanumeric))
    };
    let unused: Vec<_> = NAMES.iter().filter(|name| !is_used(name)).collect();
    assert_eq!(unused, Vec::<&&str>::new());
}

#[test]
fn parts_are_put_where_the_text_names_them() {
    assert_eq!(fill("{1} of {0}", &["a", "b"]), "b of a");
    assert_eq!(fill("{} {x} {9} {0", &["a"]), "{} {x} {9} a");
    assert_eq!(fill("{0}", &["{1}", "b"]), "{1}", "a part is never a place");
    assert_eq!(Text::SeriesOnPage.count(1, &[]), "1 series on this page");
    assert_eq!(Text::LeftOutOthers.count(7, &[]), "Left out as well: series of 7 other metrics.");
    assert_eq!(lowered("Élan".to_owned()), "Élan");
}
