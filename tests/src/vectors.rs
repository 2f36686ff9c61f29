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

/// A file of the shared conformance data: below `COUNTERSIGN_VECTORS`, else beside the project. `None`, said aloud, where
/// there is none.
pub fn shared(path: &str) -> Option<Value> {
    let found = read(&shared_root().join(path));
    if found.is_none() {
        eprintln!("shared vectors {path}: not present, not run");
    }
    found
}

/// The text of a shared file. `None` where there is none.
pub fn shared_text(path: &str) -> Option<String> {
    fs::read_to_string(shared_root().join(path)).ok()
}

/// The names in a shared folder, sorted; none, said aloud, where it is not there.
pub fn shared_names(path: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(shared_root().join(path)) else {
        eprintln!("shared vectors {path}: not present, not run");
        return Vec::new();
    };
    let name = |entry: std::io::Result<fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
    let mut names: Vec<_> = entries.filter_map(name).collect();
    names.sort_unstable();
    names
}

/// Where the shared conformance data is, if it is there.
pub fn shared_root() -> PathBuf {
    env::var_os("COUNTERSIGN_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    )
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
