//! Every target with its committed corpus, with bytes made of it, and with random ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is wrong")]

use std::path::Path;

use bellwether_fuzz::TARGETS;
use proptest::prelude::*;

/// The files of a target's corpus, sorted by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() >= 3, "{target} has a corpus of {} files", files.len());
    files
}

#[test]
fn what_was_kept_holds() {
    for (name, target) in TARGETS {
        for (file, bytes) in corpus(name) {
            eprintln!("{name}/{file}");
            target(&bytes);
        }
    }
}

/// One change of a list of bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    /// Another file's bytes from there on.
    Splice(prop::sample::Index, prop::sample::Index),
    /// A stretch comes once more.
    Repeat(prop::sample::Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = || any::<prop::sample::Index>();
    // Bytes that mean something in text and in numbers.
    let awkward = prop_oneof![any::<u8>(), prop::sample::select(b"\x00\x01\x7f\x80\xff\"\\{}[],:-+.e0919\n".to_vec())];
    prop_oneof![
        (place(), awkward.clone()).prop_map(|(place, byte)| Change::Set(place, byte)),
        (place(), 0..8_u8).prop_map(|(place, bit)| Change::Flip(place, bit)),
        (place(), 1..20_usize).prop_map(|(place, length)| Change::Remove(place, length)),
        (place(), prop::collection::vec(awkward, 1..9)).prop_map(|(place, bytes)| Change::Insert(place, bytes)),
        (place(), place()).prop_map(|(place, other)| Change::Splice(place, other)),
        (place(), 1..40_usize).prop_map(|(place, length)| Change::Repeat(place, length)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change], corpus: &[(String, Vec<u8>)]) -> Vec<u8> {
    for change in changes {
        let length = bytes.len();
        let at = |place: &prop::sample::Index| place.index(length + 1);
        match change {
            Change::Insert(place, more) => drop(bytes.splice(at(place)..at(place), more.iter().copied())),
            Change::Splice(place, other) => {
                let start = at(place);
                let tail = &other.get(corpus).1;
                bytes.truncate(start);
                bytes.extend_from_slice(tail.get(start.min(tail.len())..).unwrap_or_default());
            }
            _ if bytes.is_empty() => {}
            Change::Set(place, byte) => bytes[place.index(length)] = *byte,
            Change::Flip(place, bit) => bytes[place.index(length)] ^= 1 << bit,
            Change::Remove(place, most) => {
                let start = place.index(length);
                bytes.drain(start..length.min(start + most));
            }
            Change::Repeat(place, most) => {
                let start = place.index(length);
                let stretch = bytes[start..length.min(start + most)].to_vec();
                bytes.splice(start..start, stretch);
            }
        }
    }
    bytes
}

macro_rules! any_bytes_hold {
    ($($target:ident),*) => {$(
        mod $target {
            use super::*;

            proptest! {
                #[test]
                fn random_bytes_hold(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
                    bellwether_fuzz::$target(&bytes);
                }

                #[test]
                fn changed_bytes_hold(file in any::<prop::sample::Index>(), changes in prop::collection::vec(change(), 1..6)) {
                    let corpus = corpus(stringify!($target));
                    let bytes = file.get(&corpus).1.clone();
                    bellwether_fuzz::$target(&changed(bytes, &changes, &corpus));
                }
            }
        }
    )*
    #[test]
    fn no_target_is_left_out() {
        assert_eq!(TARGETS.map(|(name, _)| name), [$(stringify!($target)),*]);
    }
    };
}

any_bytes_hold!(
    board,
    client_frame,
    correction,
    engine,
    engine_model,
    exposition,
    feed_frame,
    influx,
    ingest,
    otlp,
    query,
    remote_write,
    server_frame,
    sketch,
    snapshot
);
