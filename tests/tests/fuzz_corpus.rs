//! The fuzz targets with a stable toolchain: every kept input, and mutations by a fixed seed.
//!
//! `tests/fuzz/README.md` says how to fuzz for longer, guided by coverage.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    collections::BTreeSet,
    fmt, fs,
    path::{Path, PathBuf},
};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

#[path = "../fuzz/lib.rs"]
#[allow(
    unreachable_pub,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "written for cargo-fuzz, in a workspace without our lints"
)]
mod fuzz;

use fuzz::targets::TARGETS;

/// How many mutated inputs each target gets.
const CASES: u32 = 1_000;

/// What the grammars give a meaning to.
const TOKENS: [&[u8]; 24] = [
    b"\n", b"\r", b"\t", b" ", b"\"", b"\\", b"%", b"%2F", b"%00", b"&", b"(", b")", b"*", b"+",
    b",", b"/", b":", b";", b"=", b"?", b"@", b"0", b"\x80", b"\xff",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(name)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            path.file_stem().unwrap().to_str().unwrap().to_owned()
        })
        .collect()
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = folder("corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort_unstable();
    assert!(!paths.is_empty(), "{} has no input", folder.display());
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Prints as text, so that a failure shows what to add to the corpus.
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

#[derive(Clone, Debug)]
enum Mutation {
    Insert(Index, Vec<u8>),
    Replace(Index, u8),
    Remove(Index, Index),
    Repeat(Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let token = prop_oneof![
        select(&TOKENS[..]).prop_map(<[u8]>::to_vec),
        vec(any::<u8>(), 1..4)
    ];
    prop_oneof![
        (any::<Index>(), token).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        any::<(Index, Index)>().prop_map(|(from, to)| Mutation::Remove(from, to)),
        any::<(Index, Index)>().prop_map(|(from, to)| Mutation::Repeat(from, to)),
    ]
}

fn mutate(mut input: Vec<u8>, mutations: Vec<Mutation>) -> Vec<u8> {
    for mutation in mutations {
        let ends = input.len().saturating_add(1);
        let range = |one: Index, other: Index| {
            let (one, other) = (one.index(ends), other.index(ends));
            one.min(other)..one.max(other)
        };
        match mutation {
            Mutation::Insert(at, bytes) => {
                let at = at.index(ends);
                input.splice(at..at, bytes);
            }
            Mutation::Replace(at, byte) => {
                if !input.is_empty() {
                    *at.get_mut(&mut input) = byte;
                }
            }
            Mutation::Remove(from, to) => drop(input.drain(range(from, to))),
            Mutation::Repeat(from, to) => input.extend_from_within(range(from, to)),
        }
    }
    input
}

#[test]
fn no_kept_input_panics_or_is_accepted() {
    for (name, target) in TARGETS {
        for input in corpus(name) {
            println!("{name}: {}", input.escape_ascii());
            target(&input);
        }
    }
}

#[test]
fn no_mutated_input_panics_or_is_accepted() {
    for (name, target) in TARGETS {
        let config = Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        };
        let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let inputs = (select(corpus(name)), vec(mutation(), 1..6))
            .prop_map(|(input, mutations)| Input(mutate(input, mutations)));
        let result = TestRunner::new_with_rng(config, seed).run(&inputs, |input| {
            target(&input.0);
            Ok(())
        });
        if let Err(error) = result {
            panic!("{name}: {error}");
        }
    }
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder("fuzz_targets")), targets);
    assert_eq!(names(&folder("corpus")), targets);
}
