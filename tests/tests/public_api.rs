//! The public API of the crates that ship: a listing that is kept, and three claims about it.
//!
//! `bash .ci/public_api` compares the listing with the code, `bash .ci/public_api --write` renews
//! the listing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// `countersign-cli` is left out: its library serves its binary and its tests, and promises no API.
const CRATES: [&str; 3] = ["countersign", "tower-countersign", "countersign-redis"];

/// The other crates whose types each crate may name: a new major version of one of these breaks
/// our API. Each entry is the beginning of a path.
const EXTERNAL_TYPES: [(&str, &[&str]); 3] = [
    ("countersign", &["bytes::", "http::"]),
    (
        "tower-countersign",
        &[
            "axum_core::",
            "bytes::",
            "countersign::",
            "http::",
            "http_body::",
            // In the bound of `Unpin` that `pin_project!` writes. Nobody names it.
            "pin_project_lite::__private::PinnedFieldsOf",
            "reqwest::",
            "reqwest_middleware::",
            "tower_layer::",
            "tower_service::",
        ],
    ),
    ("countersign-redis", &["countersign::"]),
];

fn listing(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("public_api")
        .join(name)
        .with_extension("txt")
}

fn read(name: &str) -> String {
    let path = listing(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
#[ignore = "needs COUNTERSIGN_RUSTDOC_JSON, which `.ci/public_api` sets"]
fn the_listing_is_current() {
    let folder = PathBuf::from(env::var_os("COUNTERSIGN_RUSTDOC_JSON").expect("a folder"));
    let write = env::var_os("COUNTERSIGN_WRITE_PUBLIC_API").is_some();
    for name in CRATES {
        let json = folder.join(name.replace('-', "_")).with_extension("json");
        let api = public_api::Builder::from_rustdoc_json(&json)
            .omit_blanket_impls(true)
            .omit_auto_trait_impls(true)
            .build()
            .unwrap_or_else(|error| panic!("{}: {error}", json.display()));
        let current = api.to_string();
        if write {
            fs::write(listing(name), &current).unwrap();
            continue;
        }
        let kept = read(name);
        let [gone, new] = [(&kept, &current), (&current, &kept)].map(|(one, other)| {
            let lines = missing(one, other);
            lines.into_iter().collect::<Vec<_>>().join("\n")
        });
        assert!(
            kept == current,
            "the listing of {name} is not current: run `bash .ci/public_api --write`\n\
             only in the listing:\n{gone}\nonly in the code:\n{new}"
        );
    }
}

/// The lines of `before` that are not in `after`.
fn missing<'a>(before: &'a str, after: &str) -> BTreeSet<&'a str> {
    let after: BTreeSet<&str> = after.lines().collect();
    before
        .lines()
        .filter(|line| !after.contains(line))
        .collect()
}

/// The full paths in a line of the listing, such as `http::header::HeaderMap`. Paths of type
/// parameters, such as `Self::Error`, are left out.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    line.split(|char: char| !(char.is_ascii_alphanumeric() || "_:".contains(char)))
        .filter(|word| word.contains("::") && word.starts_with(|c: char| c.is_ascii_lowercase()))
}

#[test]
fn the_public_api_names_types_of_listed_crates_only() {
    for (name, allowed) in EXTERNAL_TYPES {
        let own = format!("{}::", name.replace('-', "_"));
        let text = read(name);
        let found: BTreeSet<&str> = text
            .lines()
            .flat_map(paths)
            .filter(|path| {
                !["core::", "alloc::", "std::", &own]
                    .iter()
                    .any(|root| path.starts_with(root))
            })
            .collect();
        let strangers: Vec<_> = found
            .iter()
            .filter(|path| !allowed.iter().any(|start| path.starts_with(start)))
            .collect();
        assert!(strangers.is_empty(), "{name} exposes {strangers:#?}");
        for start in allowed {
            assert!(
                found.iter().any(|path| path.starts_with(start)),
                "{name} no longer exposes {start}: take it off the list"
            );
        }
    }
}

/// Whether the versions are incompatible by Semantic Versioning: before 1.0, a minor release may
/// break.
fn may_break(before: &str, after: &str) -> bool {
    let [before, after] = [before, after].map(|version| {
        let mut numbers = version.split('.').map(str::parse::<u64>);
        let mut next = || numbers.next().expect("three numbers").expect("a number");
        let (major, minor) = (next(), next());
        (major, if major == 0 { minor } else { 0 })
    });
    after > before
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).unwrap())
}

/// The baseline is the listing at the last tag. Before the first release there is none.
#[test]
fn public_items_leave_with_a_breaking_version_only() {
    let Some(tag) = git(&["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]) else {
        return;
    };
    let tag = tag.trim();
    let released = tag.trim_start_matches('v');
    let current = env!("CARGO_PKG_VERSION");
    for name in CRATES {
        let Some(before) = git(&["show", &format!("{tag}:tests/public_api/{name}.txt")]) else {
            continue;
        };
        let now = read(name);
        let gone = missing(&before, &now);
        assert!(
            gone.is_empty() || may_break(released, current),
            "{name} {current} lacks what {tag} had: {gone:#?}"
        );
    }
}

#[test]
fn a_breaking_version_is_a_new_major_or_before_1_0_a_new_minor() {
    for (name, before, after, expected) in [
        ("the same", "0.1.0", "0.1.0", false),
        ("a patch before 1.0", "0.1.0", "0.1.1", false),
        ("a minor before 1.0", "0.1.1", "0.2.0", true),
        ("1.0", "0.9.0", "1.0.0", true),
        ("a minor", "1.1.0", "1.2.0", false),
        ("a major", "1.9.9", "2.0.0", true),
        ("an earlier one", "1.0.0", "0.9.0", false),
    ] {
        assert_eq!(may_break(before, after), expected, "{name}");
    }
}

#[test]
fn paths_are_found_wherever_they_are_in_a_line() {
    for (name, line, expected) in [
        (
            "a function",
            "pub fn a::B::c(&self, &http::HeaderMap) -> Self::D",
            vec!["a::B::c", "http::HeaderMap"],
        ),
        (
            "generics",
            "impl<S: tower::Service<S::R>> core::Clone for a::B<S>",
            vec!["tower::Service", "core::Clone", "a::B"],
        ),
        ("none", "pub fn f(u8) -> [u8; 4]", vec![]),
    ] {
        assert_eq!(paths(line).collect::<Vec<_>>(), expected, "{name}");
    }
}
