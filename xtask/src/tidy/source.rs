//! What Rust source must not name: core touches no clock, file, network or thread; elsewhere one module reads the clock.

use super::{Complaint, File};

/// What core must not name below `std`.
const NOT_IN_CORE: [&str; 7] = ["env", "fs", "io", "net", "os", "process", "thread"];

/// The clocks, as they are called.
const CLOCKS: [&str; 6] = [
    "SystemTime::now",
    "Instant::now",
    "Date::now",
    "Date::new_0",
    "performance.now",
    "SystemTime::UNIX_EPOCH.elapsed",
];

/// The types that read a clock: core has no use for them under any name, so not even an import passes.
const CLOCK_TYPES: [&str; 2] = ["Instant", "SystemTime"];

/// The crates with a clock, whose only door is the file `clock.rs`.
const WITH_CLOCK: [&str; 4] = ["crates/gateway/src/", "crates/dashboard/src/", "crates/wasm/src/", "crates/wire/src/"];

/// Complains about clocks, files, network, threads and the environment in core's source.
pub(super) fn core_is_pure(files: &[File]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| is_of_core(&file.path) && file.path.ends_with(".rs")) {
        let code = without_tests(&code_only(&file.text));
        for (line, word) in named(&code, &CLOCK_TYPES) {
            complaints
                .push(format!("{}:{line}: core has no clock, so no `{word}`; take the time as an argument", file.path));
        }
        for (line, module) in std_modules(&code) {
            if NOT_IN_CORE.contains(&module.as_str()) {
                complaints.push(format!("{}:{line}: core is pure, so no `std::{module}`", file.path));
            }
        }
    }
    complaints
}

/// Whether a file belongs to core or to its loops.
fn is_of_core(path: &str) -> bool {
    path.starts_with("crates/core/src/") || path.starts_with("crates/loops/src/")
}

/// Complains about clocks that are read outside `clock.rs`, and about a crate with two such files that read one.
pub(super) fn one_clock(files: &[File]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for crate_source in WITH_CLOCK {
        let mut door = None;
        for file in files.iter().filter(|file| file.path.starts_with(crate_source) && file.path.ends_with(".rs")) {
            let read = named(&without_tests(&code_only(&file.text)), &CLOCKS);
            if read.is_empty() {
                continue;
            }
            if !file.path.ends_with("/clock.rs") {
                complaints.extend(read.iter().map(|(line, word)| {
                    format!("{}:{line}: `{word}` outside clock.rs; take the time as an argument", file.path)
                }));
            } else if let Some(first) = door.replace(&file.path) {
                complaints.push(format!("{}: reads a clock, and so does {first}; one door is enough", file.path));
            }
        }
    }
    complaints
}

/// Line and name of each of `words` that `code` names, also with spaces around its `::` and dots.
fn named(code: &str, words: &[&str]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut dense = line.split_whitespace().collect::<Vec<_>>().join(" ");
        for (spaced, joined) in [(" ::", "::"), (":: ", "::"), (" .", "."), (". ", ".")] {
            dense = dense.replace(spaced, joined);
        }
        for word in words {
            if dense.match_indices(word).any(|(at, _)| !in_a_name(&dense, at, word.len())) {
                found.push((index + 1, (*word).to_owned()));
            }
        }
    }
    found
}

/// Whether the word at `at` is only a part of a longer name.
fn in_a_name(text: &str, at: usize, length: usize) -> bool {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    letter(text[..at].chars().next_back()) || letter(text[at + length..].chars().next())
}

/// Line and name of each module right below `std` that `code` names, in paths and in grouped imports.
fn std_modules(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("std::") {
        if in_a_name(code, at, "std".len()) {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "std::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_heads(group).into_iter().map(|name| (line, name))),
            None => found.push((line, head(rest))),
        }
    }
    found
}

/// The first name of a path.
fn head(path: &str) -> String {
    path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first names of the paths in a group whose opening brace is already read.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut heads) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.push(head(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(head(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    heads.retain(|name| !name.is_empty());
    heads
}

/// The source with comments and the insides of literals blanked, line for line.
fn code_only(source: &str) -> String {
    let bytes: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    let blank = |code: &mut String, c: char| code.push(if c == '\n' { '\n' } else { ' ' });
    while at < bytes.len() {
        let next = bytes.get(at + 1).copied();
        match bytes[at] {
            '/' if next == Some('/') => {
                while at < bytes.len() && bytes[at] != '\n' {
                    at += 1;
                }
            }
            '/' if next == Some('*') => {
                let mut depth = 0;
                while at < bytes.len() {
                    let pair = (bytes[at], bytes.get(at + 1).copied());
                    let step = match pair {
                        ('/', Some('*')) => {
                            depth += 1;
                            2
                        }
                        ('*', Some('/')) => {
                            depth -= 1;
                            2
                        }
                        _ => 1,
                    };
                    blank(&mut code, bytes[at]);
                    at += step;
                    if depth == 0 {
                        break;
                    }
                }
            }
            'r' if matches!(next, Some('"' | '#')) && !ends_in_name(&code) && raw_end(&bytes, at).is_some() => {
                let end = raw_end(&bytes, at).unwrap_or(bytes.len());
                while at < end {
                    blank(&mut code, bytes[at]);
                    at += 1;
                }
            }
            '"' => {
                code.push('"');
                at += 1;
                while at < bytes.len() && bytes[at] != '"' {
                    let step = if bytes[at] == '\\' { 2 } else { 1 };
                    for c in bytes.iter().skip(at).take(step) {
                        blank(&mut code, *c);
                    }
                    at += step;
                }
                code.push('"');
                at += 1;
            }
            // A quote or an escaped character as a char literal; a lifetime has no closing quote.
            '\'' if next == Some('\\') && bytes.get(at + 3) == Some(&'\'') => at += 4,
            '\'' if bytes.get(at + 2) == Some(&'\'') => at += 3,
            c => {
                code.push(c);
                at += 1;
            }
        }
    }
    code
}

fn ends_in_name(code: &str) -> bool {
    code.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// Where the raw string that starts at `at` ends; `None` where none starts (a raw identifier, `r#type`).
fn raw_end(source: &[char], at: usize) -> Option<usize> {
    let hashes = source[at + 1..].iter().take_while(|c| **c == '#').count();
    let open = at + 1 + hashes;
    if source.get(open) != Some(&'"') {
        return None;
    }
    let closes =
        |from: usize| source[from] == '"' && source[from + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
    (open + 1..source.len()).find(|from| closes(*from)).map(|from| from + 1 + hashes)
}

/// The code with each module under `#[cfg(test)]` blanked, line for line.
fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..at]);
        let tail = &rest[at..];
        // A declaration (`mod tests;`) ends at its semicolon, anything else with its block.
        let end = match tail.find(['{', ';']) {
            Some(at) if tail[at..].starts_with(';') => at + 1,
            Some(open) => open + block_length(&tail[open..]),
            None => tail.len(),
        };
        kept.extend(tail[..end].chars().filter(|c| *c == '\n'));
        rest = &tail[end..];
    }
    kept.push_str(rest);
    kept
}

/// The length of the block that `text` starts with.
fn block_length(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + c.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[track_caller]
    fn core(source: &str, complaints: &[&str]) {
        let found = core_is_pure(&[file("crates/core/src/x.rs", source)]);
        assert_eq!(found.len(), complaints.len(), "{found:?}");
        for (found, expected) in found.iter().zip(complaints) {
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn core_has_no_clock() {
        core("let t = std::time::Instant::now();", &["x.rs:1: core has no clock"]);
        core("\nuse std::time::SystemTime;\nlet t = SystemTime::now ();", &["x.rs:2: core has", "x.rs:3: core has"]);
        core("use std::time::{Duration, Instant as Clock};\nlet t = Clock::now();", &["x.rs:1: core has no clock"]);
        core("use std::time::Duration;\nlet end = MyInstant::nowhere();", &[]);
    }

    #[test]
    fn core_touches_no_system() {
        core("use std::fs::File;", &["`std::fs`"]);
        core(
            "use std::{\n    collections::BTreeMap,\n    net::{IpAddr, TcpStream},\n    thread,\n};",
            &["`std::net`", "`std::thread`"],
        );
        core("use std::collections::{BTreeMap, btree_map};\nuse std::fmt;", &[]);
    }

    #[test]
    fn comments_literals_and_tests_may_name_anything() {
        core("/// Not `std::fs` nor Instant::now().\n/* std::net /* nested */ */ fn f() {}", &[]);
        core("let a = \"std::fs \\\" std::net\"; let b = r#\"std::io \" \"#; let c = '\"'; let d = b'\\'';", &[]);
        core(
            "#[cfg(test)]\nmod tests {\n    use std::fs;\n    fn f() { { } }\n}\nuse std::thread;",
            &["x.rs:6: core is pure"],
        );
        core("#[cfg(test)]\nmod tests;\nuse std::thread;", &["x.rs:3"]);
    }

    #[test]
    fn a_lifetime_is_not_a_literal() {
        core("fn f<'a>(x: &'a str) -> &'a str { std::fs::read(x) }", &["`std::fs`"]);
    }

    #[test]
    fn the_clock_has_one_door() {
        let read = "pub fn now() { SystemTime::now() }";
        let check = |paths: &[&str]| one_clock(&paths.iter().map(|path| file(path, read)).collect::<Vec<_>>()).len();
        assert_eq!(check(&["crates/gateway/src/clock.rs", "crates/dashboard/src/effects/clock.rs"]), 0);
        assert_eq!(check(&["crates/gateway/src/hub/mod.rs"]), 1);
        assert_eq!(check(&["crates/gateway/src/clock.rs", "crates/gateway/src/hub/clock.rs"]), 1);
        assert_eq!(check(&["crates/gateway/tests/run.rs"]), 0);

        let arithmetic = file("crates/dashboard/src/clock.rs", "pub fn since() {}");
        assert!(one_clock(&[arithmetic, file("crates/dashboard/src/effects/clock.rs", read)]).is_empty());
    }
}
