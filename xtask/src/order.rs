//! The order of a module's functions: like beside like, which gzip rewards.
//!
//! gzip finds again what it saw within the last 32 KB. So the functions stand in a chain: next comes the one that shares
//! most with those just before it. What order is best nobody can tell in useful time; this one takes a fiftieth off what
//! the order of their names leaves, and is the same for the same module.

use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use wasmparser::{Parser, Payload, TypeRef};

use crate::shell;

/// What wasm-opt does in the end: functions stand in the order of their names, none in its only caller, and what tells
/// tools how the module was made is left out.
const LAST: [&str; 5] = [
    "-Oz",
    "--one-caller-inline-max-function-size=0",
    "--reorder-functions-by-name",
    "--strip-producers",
    "--strip-target-features",
];

/// Bytes of a piece: gzip repeats no fewer than three, and four that agree are seldom chance.
const PIECE: usize = 4;
/// A piece that so many functions have tells nothing about them.
const COMMON: usize = 400;
/// How many functions back likeness is looked for; about what gzip sees.
const BACK: usize = 16;
/// What likeness to a function counts, of that to the one after it.
const FADING: f32 = 0.9;
/// What is shared counts by this power of a function's length: between how much it shares and how much of it.
const LENGTH_POWER: f32 = 0.6;
/// Added to the length, so that the shortest do not come first for a byte or two.
const SHORTEST: f32 = 20.0;

/// Orders the functions of the module in `file`, in place; nothing can be done with it afterwards that needs to know its
/// target's features.
///
/// # Errors
/// When it is no module, or wasm-opt is missing or fails.
pub(crate) fn by_likeness(file: &Path) -> Result<()> {
    let wasm = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    fs::write(file, named_by_likeness(&wasm)?).with_context(|| format!("cannot write {}", file.display()))?;
    let mut optimise = shell::command("wasm-opt")?;
    optimise.args(LAST).arg(file).arg("-o").arg(file);
    shell::stream(&mut optimise).context("wasm-opt failed")
}

/// The module with a name section that gives each function its place as its name: sorted by name, like stands beside
/// like. Names that it had are dropped.
///
/// # Errors
/// When the bytes are no module that can be read.
fn named_by_likeness(wasm: &[u8]) -> Result<Vec<u8>> {
    let module = Module::read(wasm).context("cannot read the wasm")?;
    let bodies: Vec<&[u8]> = module.bodies.iter().map(|body| &wasm[body.clone()]).collect();
    ensure!(!bodies.is_empty(), "the wasm has no function");
    let mut places = vec![0_usize; bodies.len()];
    for (place, function) in chain(&bodies).into_iter().enumerate() {
        places[function] = place;
    }
    let mut named = wasm.to_vec();
    for range in module.names.iter().rev() {
        named.drain(range.clone());
    }
    named.extend(name_section(module.imported, &places));
    Ok(named)
}

/// Where in a module lies what is needed here.
#[derive(Default)]
struct Module {
    /// Number of functions that are imported; they are numbered first.
    imported: usize,
    bodies: Vec<Range<usize>>,
    /// Name sections, with their heads.
    names: Vec<Range<usize>>,
}

impl Module {
    fn read(wasm: &[u8]) -> Result<Self> {
        let mut module = Self::default();
        let mut end = 0;
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            match &payload {
                Payload::ImportSection(imports) => {
                    for import in imports.clone().into_imports() {
                        module.imported += usize::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::CodeSectionEntry(body) => module.bodies.push(body.range()),
                Payload::CustomSection(section) if section.name() == "name" => {
                    module.names.push(end..section.range().end);
                }
                _ => {}
            }
            if let Some((_, range)) = payload.as_section() {
                end = range.end;
            }
        }
        Ok(module)
    }
}

/// The functions in the order in which each is most like those before it, beginning with the longest.
fn chain(bodies: &[&[u8]]) -> Vec<usize> {
    let pieces = Pieces::of(bodies);
    let weights: Vec<f32> =
        pieces.owners.iter().map(|owners| (bodies.len() as f32 / owners.len() as f32).ln()).collect();
    let sizes: Vec<f32> = bodies.iter().map(|body| (body.len() as f32 + SHORTEST).powf(LENGTH_POWER)).collect();
    let mut left: Vec<usize> = (0..bodies.len()).collect();
    left.sort_by_key(|function| bodies[*function].len());
    let mut order: Vec<usize> = left.pop().into_iter().collect();
    // Which pieces counted already in this round, by its number.
    let mut counted = vec![0_usize; pieces.owners.len()];
    let mut shared = vec![0.0_f32; bodies.len()];
    while !left.is_empty() {
        shared.fill(0.0);
        let mut factor = 1.0;
        for function in order.iter().rev().take(BACK) {
            for piece in &pieces.of_function[*function] {
                if std::mem::replace(&mut counted[*piece], order.len()) != order.len() {
                    for owner in &pieces.owners[*piece] {
                        shared[*owner] += weights[*piece] * factor;
                    }
                }
            }
            factor *= FADING;
        }
        let likeness = |function: usize| shared[function] / sizes[function];
        let next = (0..left.len()).max_by(|a, b| likeness(left[*a]).total_cmp(&likeness(left[*b])));
        order.extend(next.map(|next| left.remove(next)));
    }
    order
}

/// The pieces that more functions than one have.
struct Pieces {
    /// The functions that have a piece.
    owners: Vec<Vec<usize>>,
    /// The pieces of each function.
    of_function: Vec<Vec<usize>>,
}

impl Pieces {
    fn of(bodies: &[&[u8]]) -> Self {
        let mut all: Vec<(&[u8], usize)> = bodies
            .iter()
            .enumerate()
            .flat_map(|(function, body)| body.windows(PIECE).map(move |piece| (piece, function)))
            .collect();
        all.sort_unstable();
        all.dedup();
        let mut pieces = Self { owners: Vec::new(), of_function: vec![Vec::new(); bodies.len()] };
        for owners in all.chunk_by(|a, b| a.0 == b.0).filter(|owners| (2..COMMON).contains(&owners.len())) {
            for (_, function) in owners {
                pieces.of_function[*function].push(pieces.owners.len());
            }
            pieces.owners.push(owners.iter().map(|(_, function)| *function).collect());
        }
        pieces
    }
}

/// The custom section that names each function by its place.
fn name_section(imported: usize, places: &[usize]) -> Vec<u8> {
    let digits = places.len().to_string().len();
    let mut names = leb(places.len());
    for (function, place) in places.iter().enumerate() {
        names.extend(leb(imported + function));
        names.extend(text(&format!("{place:0digits$}")));
    }
    // 1 is the subsection of functions' names, 0 a custom section.
    let content = [text("name"), section(1, &names)].concat();
    section(0, &content)
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id][..], &leb(content.len()), content].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&leb(text.len()), text.as_bytes()].concat()
}

/// A number as WebAssembly writes it: seven bits a byte, the lowest first.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::{KnownCustom, Name};

    #[test]
    fn like_stands_beside_like() {
        let bodies: [&[u8]; 5] = [b"abcdefgh", b"123456789 longest", b"abcdefgh!", b"12345678", b"????????"];
        let order = chain(&bodies);
        let place = |function| order.iter().position(|other| *other == function).unwrap();
        assert_eq!(order[..2], [1, 3]);
        assert_eq!(place(0).abs_diff(place(2)), 1);
        assert_eq!(order.len(), bodies.len());
    }

    /// One type, one import `m.f`, and functions of the type: no locals, `end`.
    fn module(functions: usize, names: &[u8]) -> Vec<u8> {
        let import = [&[1][..], &text("m"), &text("f"), &[0, 0]].concat();
        [
            b"\0asm\x01\0\0\0".to_vec(),
            section(1, &[1, 0x60, 0, 0]),
            section(2, &import),
            section(3, &[leb(functions), vec![0; functions]].concat()),
            section(10, &[leb(functions), [2, 0, 0x0b].repeat(functions)].concat()),
            names.to_vec(),
            section(0, &text("kept")),
        ]
        .concat()
    }

    #[test]
    fn each_function_is_named_by_its_place_and_old_names_go() {
        let named = named_by_likeness(&module(200, &name_section(1, &[7; 200]))).unwrap();
        wasmparser::validate(&named).unwrap();
        let mut numbers = Vec::new();
        let mut places = Vec::new();
        let mut has_other = false;
        for payload in Parser::new(0).parse_all(&named) {
            let Payload::CustomSection(section) = payload.unwrap() else { continue };
            has_other |= section.name() == "kept";
            let KnownCustom::Name(names) = section.as_known() else { continue };
            for names in names {
                let Name::Function(functions) = names.unwrap() else { panic!("functions only") };
                for function in functions {
                    let function = function.unwrap();
                    numbers.push(function.index);
                    places.push(function.name.to_owned());
                }
            }
        }
        assert!(has_other);
        assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
        places.sort();
        assert_eq!(places, (0..200).map(|place| format!("{place:03}")).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(named_by_likeness(b"no wasm at all").is_err());
        assert!(named_by_likeness(b"\0asm\x01\0\0\0").is_err());
    }
}
