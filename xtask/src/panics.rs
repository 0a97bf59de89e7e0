//! Panics: what they carry along in the wasm that nobody reads.
//!
//! In the npm package they are made plain traps before wasm-opt sees it. Nobody can read what such a panic says: `wasm32-unknown-unknown` has no standard error, and the package sets no hook. It
//! ends in a trap, which JavaScript gets as a `RuntimeError`. So the functions that only make a panic's message trap at
//! once instead: wasm-opt then drops what they called, and what each call handed to them. With the messages goes the
//! list of the places in the source that they would have named, which nothing else reads.
//!
//! Rust has a way of its own, `-C panic=immediate-abort`, for those who build the standard library with a nightly
//! compiler. The page keeps what its panics say, which a hook writes to the console, and loses only the places in the
//! source: they are more than a hundredth of what a reader waits for.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use wasmparser::{
    BinaryReader, DataKind, FunctionBody, KnownCustom, Name, NameSectionReader, Operator, Parser, Payload, TypeRef,
};

/// What never returns and only says why, without the hashes of crates and functions.
const FAILURES: [&str; 9] = [
    "core::panicking::",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::result::unwrap_failed",
    "core::cell::panic_already_",
    "core::slice::index::slice_index_fail",
    "core::str::slice_error_fail",
    "alloc::raw_vec::handle_error",
    "alloc::alloc::handle_alloc_error",
];
/// How the standard library names those of a single method.
const METHODS_FAILURES: [&str; 2] = ["::assert_failed", "::len_mismatch_fail"];
/// Where all panics pass: not to find it means that the standard library has changed its names.
const HEART: &str = "core::panicking::panic_fmt";

/// The instruction `unreachable`; also the number of locals of a function that has none.
const UNREACHABLE: u8 = 0x00;

/// Makes panics traps, in place; says how many functions that were.
///
/// # Errors
/// When the bytes are no module with the names of its functions, or the standard library's names have changed.
pub(crate) fn silence(wasm: &mut [u8]) -> Result<usize> {
    let Layout { bodies, imported, names, data } = Layout::read(wasm).context("cannot read the wasm")?;
    let mut silenced = 0;
    let mut has_heart = false;
    for (number, name) in names.into_iter().filter(|(_, name)| is_failure(name)) {
        // What was imported has no body here.
        let Some(body) = number.checked_sub(imported).and_then(|place| bodies.get(place).cloned()) else { continue };
        has_heart |= name == HEART;
        trap(&mut wasm[body]).with_context(|| format!("{name} is not what it was"))?;
        silenced += 1;
    }
    ensure!(has_heart, "the wasm has no function {HEART}: see how panics are made now, in xtask/src/panics.rs");
    forget_places(wasm, &data);
    Ok(silenced)
}

/// Blanks the places in the source that panics name, in place, and leaves what they say.
///
/// # Errors
/// When the bytes are no module, or name no place.
pub(crate) fn without_places(wasm: &mut [u8]) -> Result<()> {
    let Layout { data, .. } = Layout::read(wasm).context("cannot read the wasm")?;
    let places = forget_places(wasm, &data);
    ensure!(places > 0, "the wasm names no place in the source: see how panics name them now, in xtask/src/panics.rs");
    Ok(())
}

/// Where in a module lies what is changed.
struct Layout {
    /// Of the functions that are defined, in order.
    bodies: Vec<Range<usize>>,
    /// Number of functions that are imported; they are numbered first.
    imported: usize,
    /// Number and plain name.
    names: Vec<(usize, String)>,
    /// Address of each data segment, and its bytes.
    data: Vec<(usize, Range<usize>)>,
}

impl Layout {
    fn read(wasm: &[u8]) -> Result<Self> {
        let mut layout = Self { bodies: Vec::new(), imported: 0, names: Vec::new(), data: Vec::new() };
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        layout.imported += usize::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::CodeSectionEntry(body) => layout.bodies.push(body.range()),
                Payload::DataSection(segments) => {
                    for segment in segments {
                        let segment = segment?;
                        let DataKind::Active { offset_expr, .. } = segment.kind else { continue };
                        let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else { continue };
                        let end = segment.range.end;
                        layout.data.push((value.cast_unsigned() as usize, end - segment.data.len()..end));
                    }
                }
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        layout.names = function_names(names)?;
                    }
                }
                _ => {}
            }
        }
        Ok(layout)
    }
}

fn function_names(names: NameSectionReader<'_>) -> Result<Vec<(usize, String)>> {
    let mut found = Vec::new();
    for part in names {
        if let Name::Function(functions) = part? {
            for function in functions {
                let function = function?;
                found.push((function.index as usize, plain(function.name)));
            }
        }
    }
    Ok(found)
}

/// A name without the hash of its crate, `core[0123456789abcdef]`.
fn plain(name: &str) -> String {
    let mut parts = name.split('[');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((hash, rest)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                plain.push_str(rest);
            }
            _ => plain.extend(["[", part]),
        }
    }
    plain
}

fn is_failure(name: &str) -> bool {
    FAILURES.iter().any(|failure| name.starts_with(failure)) || METHODS_FAILURES.iter().any(|end| name.ends_with(end))
}

/// Makes of a body that never returns one without locals that traps at once, of the same length.
fn trap(body: &mut [u8]) -> Result<()> {
    let operators = FunctionBody::new(BinaryReader::new(body, 0)).get_operators_reader()?;
    let operators = operators.into_iter().collect::<Result<Vec<_>, _>>()?;
    let returns = operators.iter().any(|operator| matches!(operator, Operator::Return));
    ensure!(!returns && operators.ends_with(&[Operator::Unreachable, Operator::End]), "it may return");
    let last = body.len() - 1;
    body[..last].fill(UNREACHABLE);
    Ok(())
}

/// Blanks the `core::panic::Location`s and the names of files that they point to: address and length of a name that ends
/// in `.rs`, line and column, each of four bytes. Says how many.
fn forget_places(wasm: &mut [u8], data: &[(usize, Range<usize>)]) -> usize {
    let mut names: Vec<Range<usize>> = Vec::new();
    let mut places: Vec<usize> = Vec::new();
    for (address, segment) in data {
        let mut at = segment.start + address.next_multiple_of(4) - address;
        while at + 16 <= segment.end {
            match file_of_place(wasm, at, data) {
                Some(name) => {
                    names.push(name);
                    places.push(at);
                    at += 16;
                }
                None => at += 4,
            }
        }
    }
    for at in &places {
        wasm[*at..at + 16].fill(0);
    }
    for name in names {
        wasm[name].fill(0);
    }
    places.len()
}

/// The bytes of the file's name, where a place lies at `at`.
fn file_of_place(wasm: &[u8], at: usize, data: &[(usize, Range<usize>)]) -> Option<Range<usize>> {
    let mut words = BinaryReader::new(&wasm[at..at + 16], 0);
    let [address, length, line, column] = [(); 4].map(|()| words.read_u32().unwrap_or_default() as usize);
    if !(4..512).contains(&length) || !(1..100_000).contains(&line) || !(1..1_000).contains(&column) {
        return None;
    }
    let (start, segment) = data.iter().find(|(start, segment)| (*start..start + segment.len()).contains(&address))?;
    let name = segment.start + address - start..segment.start + address - start + length;
    (name.end <= segment.end && wasm[name.clone()].ends_with(b".rs")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The instruction `end`.
    const END: u8 = 0x0b;

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        // LEB128, of which two bytes are enough.
        let mut bytes = vec![id, content.len() as u8 | 0x80, (content.len() >> 7) as u8];
        bytes.extend_from_slice(content);
        bytes
    }

    fn text(text: &str) -> Vec<u8> {
        let mut bytes = vec![text.len() as u8];
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }

    /// A module that imports one function and has those of `functions`, each with its body.
    fn module(functions: &[(&str, &[u8])], data: &[u8]) -> Vec<u8> {
        let mut wasm = b"\0asm\x01\0\0\0".to_vec();
        // One type, without parameters and results.
        wasm.extend(section(1, &[1, 0x60, 0, 0]));
        wasm.extend(section(2, &[&[1][..], &text("m"), &text("f"), &[0, 0]].concat()));
        let count = functions.len() as u8;
        wasm.extend(section(3, &[&[count][..], &vec![0; functions.len()]].concat()));
        wasm.extend(section(5, &[1, 0, 1]));
        let bodies = functions.iter().flat_map(|(_, body)| [&[body.len() as u8][..], body].concat());
        wasm.extend(section(10, &[&[count][..], &bodies.collect::<Vec<_>>()].concat()));
        // At address 64: `i32.const 64` as a signed LEB128.
        wasm.extend(section(11, &[&[1, 0, 0x41, 0xc0, 0, END, data.len() as u8][..], data].concat()));
        let names = functions.iter().zip(1_u8..).flat_map(|((name, _), number)| [vec![number], text(name)].concat());
        let names = section(1, &[&[count][..], &names.collect::<Vec<_>>()].concat());
        wasm.extend(section(0, &[text("name"), names].concat()));
        wasm
    }

    /// No locals, a call of the import, `unreachable`, `end`.
    const FAILING: [u8; 5] = [0, 0x10, 0, UNREACHABLE, END];
    const TRAPPING: [u8; 5] = [0, UNREACHABLE, UNREACHABLE, UNREACHABLE, END];
    /// No locals, a call of the import, `end`.
    const RETURNING: [u8; 4] = [0, 0x10, 0, END];

    #[track_caller]
    fn bodies(wasm: &[u8]) -> Vec<Vec<u8>> {
        Layout::read(wasm).unwrap().bodies.into_iter().map(|body| wasm[body].to_vec()).collect()
    }

    #[test]
    fn a_panic_traps_and_all_else_stays() {
        let functions: [(&str, &[u8]); 4] = [
            ("engine_record", &RETURNING),
            ("core[c5930c85a12de822]::panicking::panic_fmt", &FAILING),
            ("<alloc[3ca501edff3f0c7c]::vec::Vec<u8>>::remove::assert_failed", &FAILING),
            ("bellwether_core::engine::Engine::record::h0123456789abcdef", &FAILING),
        ];
        let mut wasm = module(&functions, &[]);
        assert_eq!(silence(&mut wasm).unwrap(), 2);
        assert_eq!(bodies(&wasm), [&RETURNING[..], &TRAPPING, &TRAPPING, &FAILING]);
    }

    #[test]
    fn the_places_in_the_source_go_and_other_bytes_stay() {
        let word = |number: u32| number.to_le_bytes();
        let place = |address: u32, length: u32| [word(address), word(length), word(17), word(9)].concat();
        let kept = b"a text, and its ending .rs stays".to_vec();
        // A text of 12 bytes, a word that tells nothing, a place, one that points beyond the data, one into another text.
        let data =
            |name: &[u8], its: &[u8]| [name, &word(7), its, &place(4_000, 12), &place(64 + 64, 10), &kept].concat();
        let functions: [(&str, &[u8]); 1] = [("core::panicking::panic_fmt", &FAILING)];
        let mut wasm = module(&functions, &data(b"src/index.rs", &place(64, 12)));
        let mut without = wasm.clone();
        without_places(&mut without).unwrap();
        assert_eq!(bodies(&without), [FAILING]);
        silence(&mut wasm).unwrap();
        let expected = data(&[0; 12], &[0; 16]);
        assert!(without.windows(expected.len()).any(|bytes| bytes == expected), "{without:?}");
        assert!(wasm.windows(expected.len()).any(|bytes| bytes == expected), "{wasm:?}");
    }

    #[test]
    fn other_names_of_panics_are_no_success() {
        let mut wasm = module(&[("core::failing::fail", &FAILING)], &[]);
        assert!(silence(&mut wasm).unwrap_err().to_string().contains("core::panicking::panic_fmt"));
        let mut wasm = module(&[("core::panicking::panic_fmt", &RETURNING)], &[]);
        assert!(silence(&mut wasm).unwrap_err().to_string().contains("is not what it was"));
        assert!(silence(&mut b"no wasm at all".to_vec()).is_err());
    }

    #[test]
    fn a_name_loses_the_hash_of_its_crate_and_nothing_else() {
        assert_eq!(plain("core[c5930c85a12de822]::panicking::panic"), "core::panicking::panic");
        assert_eq!(plain("<[core[c5930c85a12de822]::x]>::first"), "<[core::x]>::first");
        assert_eq!(plain("alloc::vec::Vec<[u8]>"), "alloc::vec::Vec<[u8]>");
    }
}
