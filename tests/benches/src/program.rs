//! The program `countersign`: verifying a recorded request of 1 MiB, beside hashing its body.

use std::{env, ffi::OsString, fs, path::PathBuf, process};

use countersign::{PayloadDigest, Timestamp};
use countersign_cli::{Exit, Terminal, run};
use http::uri::PathAndQuery;
use sha2::{Digest, Sha256};

use crate::{
    case::{Case, Group},
    groups::{HASH, MIB},
    request::{self, Layout},
};

/// The name of the least that the work costs: arguments and keys are read, and the body is hashed.
const BOUND: &str = "verify no body, then hash FILE";
/// The name of the case.
const VERIFY: &str = "countersign verify FILE";

/// Files that are removed with their value.
struct Files {
    record: PathBuf,
    keys: PathBuf,
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.record);
        let _ = fs::remove_file(&self.keys);
    }
}

/// Reading the record and the keys from files, and deciding. Starting a process is left out.
pub fn group() -> Group {
    let body = request::body(MIB);
    let now = Timestamp::from_unix_seconds(1_767_323_045);
    let (empty, files) = (files(b"", now), files(&body, now));
    let record = files.record.clone();
    let cases = vec![
        Case::repeated(HASH, move || Sha256::digest(&body)),
        Case::repeated(BOUND, move || {
            verify(&empty, now);
            Sha256::digest(fs::read(&record).unwrap())
        }),
        Case::repeated(VERIFY, move || verify(&files, now)),
    ];
    Group::new("the program verifies a record of 1 MiB", cases).at_most(VERIFY, 1.2, BOUND)
}

fn verify(files: &Files, now: Timestamp) {
    let arguments = ["countersign", "verify", "--keys"].map(OsString::from);
    let paths = [files.keys.clone().into(), files.record.clone().into()];
    let arguments = arguments.into_iter().chain(paths);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut stdin: &[u8] = &[];
    let mut terminal = Terminal::new(&mut stdin, &mut stdout, &mut stderr).with_now(now);
    assert_eq!(run(arguments, &mut terminal), Exit::Yes);
}

fn files(body: &[u8], now: Timestamp) -> Files {
    let mut parts = request::unsigned(body.len());
    let signer = Layout::Default.signer();
    let signature = signer.sign(&parts, PayloadDigest::of(body), now);
    signature.unwrap().apply(&mut parts);
    let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let mut record = format!("{} {target} HTTP/1.1\r\n", parts.method).into_bytes();
    if !parts.headers.contains_key("host") {
        record.extend(format!("host: {}\r\n", request::HOST).bytes());
    }
    for (name, value) in &parts.headers {
        record.extend(format!("{name}: ").bytes());
        record.extend(value.as_bytes());
        record.extend(b"\r\n");
    }
    if !parts.headers.contains_key("content-length") {
        record.extend(format!("content-length: {}\r\n", body.len()).bytes());
    }
    record.extend(b"\r\n");
    record.extend(body);
    let keys = format!(
        "[[callers]]\nname = \"{}\"\n[[callers.keys]]\nversion = \"2026-01\"\nsecret_hex = \
         \"{}\"\n",
        request::CALLER,
        request::KEY
    );
    let file = |name: &str, content: &[u8]| {
        let name = format!("countersign-bench-{}-{}-{name}", process::id(), body.len());
        let path = env::temp_dir().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    Files {
        record: file("record", &record),
        keys: file("callers.toml", keys.as_bytes()),
    }
}
