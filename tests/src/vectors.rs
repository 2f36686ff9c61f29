//! The vector files: the project's own, and shared ones where they are present.

use std::{env, fs, path::PathBuf};

use base64ct::{Base64, Encoding};
use serde_json::Value;

/// A file of the project's own vectors.
pub fn own(path: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(path);
    read(&path).unwrap_or_else(|| panic!("{} is missing", path.display()))
}

/// A file of the shared conformance data. `None`, said on stderr, where there is no such data.
///
/// The data beside the project is whole: a file that is missing there is a failure. A folder that
/// `COUNTERSIGN_VECTORS` names must exist. It may hold other cases and lack whole suites, but no
/// file of a suite.
pub fn shared(path: &str) -> Option<Value> {
    let found = read(&shared_root()?.join(path));
    present(path, found)
}

/// The text of a shared file that a folder of the data may have or not. `None` where there is none.
pub fn shared_text(path: &str) -> Option<String> {
    fs::read_to_string(shared_root()?.join(path)).ok()
}

/// The names in a shared folder, sorted; none, said on stderr, where there is no such data.
pub fn shared_names(path: &str) -> Vec<String> {
    let entries = shared_root().map(|root| fs::read_dir(root.join(path)).ok());
    let Some(entries) = entries.and_then(|entries| present(path, entries)) else {
        return Vec::new();
    };
    let name = |entry: std::io::Result<fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
    let mut names: Vec<_> = entries.filter_map(name).collect();
    names.sort_unstable();
    names
}

/// Where the shared conformance data is: in `COUNTERSIGN_VECTORS`, else beside the project. `None`,
/// said on stderr, where no folder is named and there is none beside the project.
///
/// # Panics
///
/// If `COUNTERSIGN_VECTORS` names a folder that is not there: the tests would pass and try nothing.
pub fn shared_root() -> Option<PathBuf> {
    if let Some(named) = env::var_os("COUNTERSIGN_VECTORS").map(PathBuf::from) {
        assert!(
            named.is_dir(),
            "COUNTERSIGN_VECTORS: expected a folder, found none at {}",
            named.display()
        );
        return Some(named);
    }
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    if beside.is_dir() {
        return Some(beside);
    }
    eprintln!("shared vectors: not present, not run");
    None
}

/// Whether the shared data is the set beside the project, whose cases the tests count. Another set
/// has other cases.
pub fn is_known_set() -> bool {
    env::var_os("COUNTERSIGN_VECTORS").is_none()
}

/// Asserts that a file had cases, and that no case of the set beside the project is missing.
#[track_caller]
pub fn assert_count(file: &str, found: usize, known: usize) {
    assert!(found > 0, "{file}: expected cases, found none");
    if is_known_set() {
        assert_eq!(found, known, "{file}: cases");
    } else {
        eprintln!("{file}: {found} cases of another set");
    }
}

fn present<T>(path: &str, found: Option<T>) -> Option<T> {
    if found.is_none() {
        let suite = path.split('/').next().unwrap_or(path);
        let has_suite = shared_root().is_some_and(|root| root.join(suite).exists());
        let is_missing = shared_root().is_some() && (is_known_set() || has_suite);
        assert!(!is_missing, "shared vectors {path}: missing");
        eprintln!("shared vectors {path}: not present, not run");
    }
    found
}

fn read(path: &PathBuf) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("vector files are JSON"))
}

/// The text of a member that must be there.
pub fn text<'v>(case: &'v Value, member: &str) -> &'v str {
    case[member]
        .as_str()
        .unwrap_or_else(|| panic!("{member} is no text in {case}"))
}

/// The bytes of a Base64 member.
pub fn base64(case: &Value, member: &str) -> Vec<u8> {
    Base64::decode_vec(text(case, member)).expect("vector files hold valid Base64")
}
