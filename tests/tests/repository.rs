//! Rules of this repository that a machine can check.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Every file below `dir` with this ending, built output left out.
fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(
                &*name,
                "target" | ".git" | "node_modules" | "corpus" | "artifacts"
            ) {
                found.extend(files(&path, ending));
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found
}

/// The source files of the crates that ship, with their text before the first test module.
fn shipped() -> Vec<(PathBuf, String)> {
    files(&root().join("crates"), ".rs")
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let code = text
                .split("#[cfg(test)]\nmod tests")
                .next()
                .unwrap()
                .to_owned();
            (path, code)
        })
        .collect()
}

/// The code of a file without its comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

fn toml_of(path: &Path) -> toml::Table {
    fs::read_to_string(path).unwrap().parse().unwrap()
}

/// Which dependencies of our crates are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Features {
    All,
    None,
}

/// The names of the packages that the manifest of a crate of ours lists, on any platform.
fn direct_dependencies(package: &str, features: Features) -> Vec<String> {
    let manifest = toml_of(&root().join("crates").join(package).join("Cargo.toml"));
    let for_platforms = manifest.get("target").and_then(toml::Value::as_table);
    let tables = for_platforms
        .into_iter()
        .flat_map(toml::Table::values)
        .filter_map(toml::Value::as_table)
        .chain([&manifest]);
    let is_counted = |dependency: &toml::Value| {
        let optional = dependency.get("optional").and_then(toml::Value::as_bool);
        features == Features::All || optional != Some(true)
    };
    tables
        .filter_map(|table| table.get("dependencies")?.as_table())
        .flatten()
        .filter(|(_, dependency)| is_counted(dependency))
        .map(|(name, _)| name.clone())
        .collect()
}

/// The names of all packages that a crate of ours needs, directly or not, on any platform.
///
/// Reads the manifests and the lock file: `cargo metadata` would need every package to be
/// downloaded.
fn dependencies_of(package: &str, features: Features) -> BTreeSet<String> {
    let mut left = direct_dependencies(package, features);
    let lock = toml_of(&root().join("Cargo.lock"));
    let packages = lock["package"].as_array().unwrap();
    let mut names = BTreeSet::new();
    while let Some(name) = left.pop() {
        if !names.insert(name.clone()) {
            continue;
        }
        if root().join("crates").join(&name).is_dir() {
            left.extend(direct_dependencies(&name, features));
            continue;
        }
        let versions: Vec<_> = packages
            .iter()
            .filter(|known| known["name"].as_str() == Some(&name))
            .collect();
        assert!(!versions.is_empty(), "{name} is in Cargo.lock");
        for version in versions {
            let dependencies = version.get("dependencies").and_then(toml::Value::as_array);
            // An entry is a name, and a version where the lock file has several.
            let entries = dependencies
                .into_iter()
                .flatten()
                .map(|entry| entry.as_str().unwrap());
            left.extend(entries.map(|entry| entry.split(' ').next().unwrap().to_owned()));
        }
    }
    names
}

#[test]
fn the_core_has_no_runtime_no_tower_and_no_clock_of_others() {
    let names = dependencies_of("countersign", Features::All);
    assert!(names.contains("sha2"), "the walk found the tree: {names:?}");
    for name in [
        "tokio",
        "tower",
        "tower-service",
        "tower-layer",
        "futures-core",
        "futures",
        "async-trait",
        "hyper",
        "axum",
        "tracing",
        "httpdate",
        "chrono",
        "time",
    ] {
        assert!(!names.contains(name), "countersign depends on {name}");
    }
}

#[test]
fn a_verifier_without_features_needs_no_toml_and_no_json() {
    for package in ["countersign", "countersign-redis", "tower-countersign"] {
        let names = dependencies_of(package, Features::None);
        assert!(names.contains("sha2"), "the walk found the tree: {names:?}");
        for name in ["toml", "serde_json", "ipnet", "wildmatch"] {
            assert!(!names.contains(name), "{package} depends on {name}");
        }
        // The lock file lists it for packages that need it with another feature alone.
        let direct = direct_dependencies(package, Features::None);
        assert!(!direct.iter().any(|name| name == "serde"), "{package}");
        // The default features of the core would be turned on again here.
        let manifest = toml_of(&root().join("crates").join(package).join("Cargo.toml"));
        if let Some(core) = manifest["dependencies"].get("countersign") {
            let defaults = core.get("default-features").and_then(toml::Value::as_bool);
            assert_eq!(defaults, Some(false), "{package}");
        }
    }
}

#[test]
fn the_core_reads_no_clock() {
    let mut files = 0_usize;
    for (path, text) in shipped() {
        if !path.starts_with(root().join("crates/countersign")) {
            continue;
        }
        files = files.saturating_add(1);
        for line in code(&text) {
            for clock in [
                "SystemTime::now",
                "Instant::now",
                "Timestamp::now",
                "Zoned::now",
            ] {
                assert!(!line.contains(clock), "{}: {line}", path.display());
            }
        }
    }
    assert!(files > 100, "{files} files of the core");
}

/// The crates of the primitives. A second provider is added in one room alone.
const PRIMITIVES: [&str; 11] = [
    "aws_lc_rs",
    "ctutils",
    "ed25519_dalek",
    "getrandom",
    "hkdf",
    "hmac",
    "p256",
    "p384",
    "rsa",
    "sha2",
    "subtle",
];

#[test]
fn one_room_of_the_core_names_the_crates_of_primitives() {
    let core = root().join("crates/countersign/src");
    let mut named = 0_usize;
    for (path, text) in shipped() {
        let Ok(file) = path.strip_prefix(&core) else {
            continue;
        };
        let is_of_a_name = |character: char| character.is_alphanumeric() || character == '_';
        for line in code(&text) {
            let mut parts = line
                .split("::")
                .filter_map(|part| part.rsplit(|c| !is_of_a_name(c)).next());
            let mut words = parts.by_ref().filter(|name| PRIMITIVES.contains(name));
            if words.next().is_some() {
                named = named.saturating_add(1);
                assert!(file.starts_with("crypto"), "{}: {line}", path.display());
            }
        }
    }
    assert!(named > 8, "{named} lines name a primitive");
}

/// The rooms of the core, the lowest first. A room uses those below it; a row is one floor,
/// whose rooms do not need each other. `lib.rs` is above all.
const ROOMS: &[&[&str]] = &[
    &["crypto", "scheme", "timestamp"],
    &["error", "key_id", "key_version"],
    &["document", "wire"],
    &["head", "payload", "replay"],
    &["key"],
    &["keyring"],
    &["families"],
    &["sign", "verify"],
    &["derived_keyring", "diagnose", "policy"],
    &["config", "replay_conformance"],
];

/// Arrows that are accepted: `(from, to, why)`.
const ACCEPTED_ARROWS: &[(&str, &str, &str)] = &[
    ("error", "key_id", "a refusal names its caller"),
    ("key_id", "error", "a name that is none is an error"),
    (
        "error",
        "key_version",
        "a refusal names the keys that were tried",
    ),
    ("key_version", "error", "a label that is none is an error"),
    ("key_version", "key_id", "both are shown by one rule"),
];

/// The rooms that the code of a file names: the first part of every path in the crate.
fn rooms_named(code: &str) -> BTreeSet<String> {
    let of_a_name = |character: char| character.is_alphanumeric() || character == '_';
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let path = code.get(at..).unwrap().trim_start_matches("crate::");
        // Of `{a::b, c::{d, e}}` every part that is in the outermost braces begins a path.
        let (mut depth, mut begins) = (0_u32, true);
        let mut rest = path.chars().peekable();
        let is_list = path.starts_with('{');
        while let Some(character) = rest.next() {
            match character {
                '{' => depth = depth.saturating_add(1),
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            let mut name = String::new();
            if of_a_name(character) && begins {
                name.push(character);
                while let Some(next) = rest.next_if(|next| of_a_name(*next)) {
                    name.push(next);
                }
                rooms.insert(name);
                begins = false;
            }
            if !is_list || depth == 0 {
                break;
            }
            begins = (begins || character == ',') && depth == 1;
        }
    }
    rooms
}

#[test]
fn every_room_of_the_core_uses_only_those_below() {
    let core = root().join("crates/countersign/src");
    let floor_of = |room: &str| ROOMS.iter().position(|floor| floor.contains(&room));
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    let mut upwards = Vec::new();
    for (path, text) in shipped() {
        let Ok(file) = path.strip_prefix(&core) else {
            continue;
        };
        let first = file.iter().next().unwrap().to_str().unwrap();
        let room = first.strip_suffix(".rs").unwrap_or(first);
        if room == "lib" {
            continue;
        }
        let floor = floor_of(room).unwrap_or_else(|| panic!("{room} is in no row of the table"));
        let lines: String = code(&text).flat_map(|line| [line, "\n"]).collect();
        for other in rooms_named(&lines) {
            let Some(below) = floor_of(&other) else {
                continue; // An item of `lib.rs`, or a macro.
            };
            if other == room || below < floor {
                continue;
            }
            let accepted = ACCEPTED_ARROWS
                .iter()
                .any(|(from, to, _)| (*from, *to) == (room, &*other));
            if accepted {
                used.insert((room.to_owned(), other));
            } else {
                upwards.push(format!("{} names {other}", file.display()));
            }
        }
    }
    assert!(upwards.is_empty(), "{upwards:#?}");
    assert_eq!(
        used.len(),
        ACCEPTED_ARROWS.len(),
        "an exception is not needed: {used:?}"
    );
    for room in ROOMS.iter().copied().flatten() {
        let (folder, file) = (core.join(room), core.join(format!("{room}.rs")));
        assert!(folder.is_dir() || file.is_file(), "{room} is not there");
    }
}

#[test]
fn top_level_names_are_the_six_and_nothing_loud() {
    let known = [
        "Cargo.toml",
        "README.md",
        "crates",
        "examples",
        "tests",
        "deny.toml",
        "Cargo.lock",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ];
    let output = Command::new("git")
        .args(["ls-files"])
        .current_dir(root())
        .output();
    let Ok(output) = output else { return };
    let listed = String::from_utf8(output.stdout).unwrap();
    for file in listed.lines() {
        let top = file.split('/').next().unwrap();
        assert!(top.starts_with('.') || known.contains(&top), "{top}");
    }
}

/// The tables of the README point each promise at the test that shows it.
#[test]
fn links_of_the_pages_lead_somewhere() {
    let mut links = 0;
    for page in files(&root(), ".md") {
        let text = fs::read_to_string(&page).unwrap();
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for target in targets {
            let path = target.split('#').next().unwrap();
            if path.is_empty() || path.contains("://") || path.contains(char::is_whitespace) {
                continue;
            }
            links += 1;
            let file = page.parent().unwrap().join(path);
            assert!(file.exists(), "{}: {target}", page.display());
        }
    }
    assert!(links > 50, "{links}");
}

/// A path of the table is the end of a file's or a folder's path.
#[test]
fn the_table_of_where_to_look_names_files_that_are_there() {
    let text = fs::read_to_string(root().join("crates/README.md")).unwrap();
    let (_, table) = text.split_once("## Where to look").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for path in files(&root().join("crates"), ".rs") {
        for folder in path.ancestors().skip(1) {
            known.insert(format!("/{}/", folder.display()));
        }
        known.insert(format!("/{}", path.display()));
    }
    let mut named = 0;
    for path in table.split('`').skip(1).step_by(2) {
        if Path::new(path).extension().is_some_and(|it| it == "rs") || path.ends_with('/') {
            named += 1;
            let end = format!("/{path}");
            assert!(known.iter().any(|known| known.ends_with(&end)), "{path}");
        }
    }
    assert!(named > 40, "{named}");
}

#[test]
fn every_member_takes_the_one_table_of_lints() {
    let manifests = files(&root(), "Cargo.toml");
    assert!(manifests.len() >= 8, "{manifests:?}");
    for manifest in manifests {
        let text: toml::Table = fs::read_to_string(&manifest).unwrap().parse().unwrap();
        let Some(package) = text.get("package") else {
            continue;
        };
        if text.contains_key("workspace") {
            continue; // A separate workspace, for fuzzing.
        }
        let inherits = text.get("lints").and_then(|lints| lints.get("workspace"));
        assert_eq!(
            inherits,
            Some(&toml::Value::Boolean(true)),
            "{}",
            manifest.display()
        );
        let folder = manifest
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        assert_eq!(
            package["name"].as_str().unwrap(),
            folder,
            "a folder has its package's name"
        );
    }
}

#[test]
fn file_names_say_what_is_in_them() {
    for (path, _) in shipped() {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            !matches!(
                &*stem,
                "utils" | "util" | "helpers" | "helper" | "common" | "manager" | "types" | "misc"
            ),
            "{}",
            path.display()
        );
    }
}

#[test]
fn no_shipped_file_is_longer_than_600_lines() {
    for (path, text) in shipped() {
        assert!(text.lines().count() <= 600, "{}", path.display());
    }
}

/// Source: httpsig <= 0.0.18 and others compared MACs with an early exit (pitfalls, part 1, row 3).
/// Here the types that hold a MAC, a digest to be checked or a secret cannot be compared at all.
#[test]
fn secrets_and_signatures_cannot_be_compared() {
    for (type_name, file) in [
        ("pub struct Secret", "crates/countersign/src/key/secret.rs"),
        (
            "pub struct SigningKey",
            "crates/countersign/src/key/signing_key.rs",
        ),
        (
            "pub struct VerifyingKey",
            "crates/countersign/src/key/verifying_key.rs",
        ),
        (
            "pub(super) enum Signature",
            "crates/countersign/src/families/native/authorization.rs",
        ),
        (
            "pub(super) struct Signature",
            "crates/countersign/src/families/sigv4/authorization.rs",
        ),
        (
            "pub(crate) struct SessionToken",
            "crates/countersign/src/key/session_token.rs",
        ),
        (
            "pub(crate) struct PayloadCheck",
            "crates/countersign/src/payload/check.rs",
        ),
    ] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let (before, _) = text
            .split_once(type_name)
            .unwrap_or_else(|| panic!("{type_name} is not in {file}"));
        let attributes: String = before
            .lines()
            .rev()
            .take_while(|line| line.starts_with('#') || line.starts_with("///"))
            .collect();
        assert!(!attributes.contains("PartialEq"), "{type_name}");
        assert!(
            !text.contains(&format!(
                "PartialEq for {}",
                type_name.rsplit(' ').next().unwrap()
            )),
            "{type_name}"
        );
    }
}

/// Beginnings of words in the name of a public function that may weaken a check.
const WEAKENING: [&str; 28] = [
    "allow",
    "any",
    "assume",
    "bypass",
    "continue",
    "danger",
    "disable",
    "except",
    "exclude",
    "exempt",
    "ignore",
    "implied",
    "lenient",
    "omit",
    "once",
    "only",
    "optional",
    "permissive",
    "presigned",
    "relax",
    "skip",
    "trust",
    "unchecked",
    "uncovered",
    "unsigned",
    "unverified",
    "weak",
    "without",
];

/// Public functions with such a word in their name, and why they weaken no check.
const HARMLESS: [(&str, &str); 14] = [
    ("accept_only", "accepts fewer schemes"),
    (
        "allow",
        "lists the callers of a root, and without the list there are none",
    ),
    ("is_allowed", "reads a decision"),
    ("presigned", "reads a value"),
    ("replay_store_bypassed", "counts"),
    ("uncovered", "lists the routes that no statement allows"),
    ("unsigned", "names the targets that verify nothing"),
    (
        "with_excluded_header",
        "a hop changes the header, so that it cannot be signed",
    ),
    (
        "with_implied_payload_hash",
        "the signature covers the body all the same",
    ),
    (
        "with_presigned",
        "a scheme's other place for the signature, with separate limits",
    ),
    (
        "with_presigned_headers",
        "presigned requests lose all other uncovered headers",
    ),
    (
        "with_trusted_hops",
        "counts the operator's proxies, by default none",
    ),
    (
        "with_uncovered_headers",
        "refuses or removes more than the default",
    ),
    ("with_single_changes_only", "a diagnosis admits nothing"),
];

#[test]
fn a_switch_that_weakens_a_check_is_spelled_insecure_and_names_its_attack() {
    let mut insecure = 0;
    let mut harmless = BTreeSet::new();
    for (path, text) in shipped() {
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let Some((_, rest)) = line.split_once("pub fn ") else {
                continue;
            };
            let name = rest.split(['(', '<']).next().unwrap();
            let place = format!("{}:{}: {name}", path.display(), number + 1);
            if name.starts_with("insecure_") {
                insecure += 1;
                let documentation = lines[..number].iter().rev();
                let documentation = documentation
                    .map(|line| line.trim_start())
                    .take_while(|line| line.starts_with("///") || line.starts_with("#["));
                assert!(
                    documentation.clone().any(|line| line == "/// # Attack"),
                    "{place} does not say which attack becomes possible"
                );
                continue;
            }
            let known = HARMLESS.iter().find(|(harmless, _)| *harmless == name);
            harmless.extend(known);
            for word in name.split('_') {
                let weakens = WEAKENING.iter().any(|start| word.starts_with(start));
                assert!(known.is_some() || !weakens, "{place}: {word}");
            }
        }
    }
    assert_eq!(insecure, 37);
    assert_eq!(harmless, BTreeSet::from(HARMLESS), "no such function");
}

#[test]
fn nothing_is_left_for_later_without_a_word() {
    for (path, text) in shipped() {
        for line in text.lines() {
            for mark in ["TODO", "FIXME", "XXX", "HACK", "dbg!", "#[allow("] {
                assert!(!line.contains(mark), "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn names_of_tests_are_claims() {
    for path in files(&root().join("crates"), ".rs")
        .into_iter()
        .chain(files(&root().join("tests"), ".rs"))
    {
        let text = fs::read_to_string(&path).unwrap();
        let start = concat!("fn te", "st_");
        assert!(!text.contains(start), "{}", path.display());
    }
}

#[test]
fn every_crate_keeps_a_changelog() {
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let text = fs::read_to_string(path.join("CHANGELOG.md")).unwrap();
            assert!(text.contains("## "), "{}", path.display());
        }
    }
}

/// The crates that are published, in the order of their dependencies.
const PUBLISHED: [&str; 5] = [
    "countersign",
    "tower-countersign",
    "countersign-redis",
    "countersign-proxy",
    "countersign-cli",
];

#[test]
fn features_are_explained_in_the_manifest_the_documentation_and_the_readme() {
    for name in PUBLISHED {
        let folder = root().join("crates").join(name);
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let table: toml::Table = manifest.parse().unwrap();
        // The proxies have none.
        let Some(features) = table.get("features").and_then(toml::Value::as_table) else {
            continue;
        };
        let features: BTreeSet<&str> = features.keys().map(String::as_str).collect();
        let features: BTreeSet<&str> = &features - &BTreeSet::from(["default"]);
        for page in ["src/lib.rs", "README.md"] {
            let text = fs::read_to_string(folder.join(page)).unwrap();
            let (_, rows) = text.split_once("| feature | default |").unwrap();
            let rows: BTreeSet<&str> = rows
                .lines()
                .skip(2)
                .map_while(|row| row.trim_start_matches("//! ").strip_prefix("| `"))
                .map(|row| row.split('`').next().unwrap())
                .collect();
            assert_eq!(rows, features, "the table of features in {page} of {name}");
        }
        for feature in features {
            let start = format!("\n{feature} = ");
            let (before, _) = manifest.split_once(&start).unwrap();
            let above = before.lines().last().unwrap();
            assert!(
                above.starts_with("# "),
                "{feature} of {name} has no comment in the manifest"
            );
        }
    }
}

#[test]
fn each_dependency_has_its_reason_above_it() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, rest) = manifest.split_once("[workspace.dependencies]\n").unwrap();
    let (dependencies, _) = rest.split_once("\n[").unwrap();
    let lines: Vec<&str> = dependencies.lines().collect();
    let mut found = 0_usize;
    for pair in lines.windows(2) {
        let [above, line] = pair else { unreachable!() };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        found += 1;
        assert!(above.starts_with("# "), "expected a reason above: {line}");
    }
    assert!(found > 30, "{found} dependencies");
}

#[test]
fn published_crates_have_what_a_registry_and_docs_rs_show() {
    let mut published = Vec::new();
    for manifest in files(&root(), "Cargo.toml") {
        let table = toml_of(&manifest);
        let Some(package) = table.get("package").and_then(toml::Value::as_table) else {
            continue;
        };
        if package.get("publish") == Some(&toml::Value::Boolean(true)) {
            published.push(package["name"].as_str().unwrap().to_owned());
        }
    }
    published.sort_unstable();
    let mut expected = PUBLISHED.map(str::to_owned);
    expected.sort_unstable();
    assert_eq!(published, expected, "all other packages stay private");

    for name in PUBLISHED {
        let folder = root().join("crates").join(name);
        let manifest = toml_of(&folder.join("Cargo.toml"));
        let package = manifest["package"].as_table().unwrap();
        for key in ["description", "readme"] {
            assert!(package[key].as_str().is_some(), "{key} of {name}");
        }
        for key in ["keywords", "categories"] {
            let words = package[key].as_array().unwrap();
            assert!((1..=5).contains(&words.len()), "{key} of {name}");
        }
        for key in ["version", "rust-version", "license", "repository"] {
            let inherited = package[key].get("workspace");
            assert_eq!(
                inherited,
                Some(&toml::Value::Boolean(true)),
                "{key} of {name}"
            );
        }
        assert_eq!(
            package["metadata"]["docs"]["rs"]["all-features"].as_bool(),
            Some(true),
            "{name}"
        );
        for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let ours = fs::read(root().join(file)).unwrap();
            let theirs = fs::read(folder.join(file)).unwrap();
            assert!(theirs == ours, "{file} of {name} differs");
        }
    }
}

#[test]
fn the_crates_that_ship_have_one_version() {
    let manifest = toml_of(&root().join("Cargo.toml"));
    let workspace = manifest["workspace"].as_table().unwrap();
    let version = workspace["package"]["version"].as_str().unwrap();
    // Nothing depends on the program, so the workspace does not list it.
    for name in PUBLISHED.iter().filter(|name| **name != "countersign-cli") {
        let required = workspace["dependencies"][*name]["version"].as_str();
        assert_eq!(required, Some(version), "{name}");
    }
}

#[test]
fn the_workflow_runs_the_gate_and_no_action_but_the_checkout() {
    let path = root().join(".github/workflows/gate.yml");
    let workflow: serde_norway::Value =
        serde_norway::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let steps = workflow["jobs"]["gate"]["steps"].as_sequence().unwrap();
    let actions: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["uses"].as_str())
        .collect();
    assert_eq!(actions.len(), 1, "{actions:?}");
    assert!(actions[0].starts_with("actions/checkout@"), "{actions:?}");
    let last = steps.last().unwrap();
    assert_eq!(last["run"].as_str(), Some("bash .ci/run"));
}

#[test]
fn the_pages_state_the_compiler_of_the_manifest() {
    let manifest = toml_of(&root().join("Cargo.toml"));
    let version = manifest["workspace"]["package"]["rust-version"]
        .as_str()
        .unwrap();
    let sentence = format!("The minimum supported Rust version is {version}.");
    for name in PUBLISHED {
        let page = root().join("crates").join(name).join("README.md");
        let text = fs::read_to_string(page).unwrap();
        assert!(text.contains(&sentence), "{name}: {sentence}");
    }
}

#[test]
fn tests_that_need_something_say_what() {
    for path in files(&root().join("tests"), ".rs")
        .into_iter()
        .chain(files(&root().join("examples"), ".rs"))
    {
        let text = fs::read_to_string(&path).unwrap();
        let bare = concat!("#[igno", "re]");
        assert!(!text.contains(bare), "{}", path.display());
    }
}
