//! The texts of all reasons, as the sources of the crates have them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Texts that no request can be refused with, and why.
pub(crate) const UNREACHABLE: [(&str, &str); 26] = [
    (
        "expected a service with a name, found none",
        "a service without a name is no service whose keys are known",
    ),
    (
        "@status: expected a response, found a request",
        "a list of components of a request has none",
    ),
    (
        "req: expected a response, found a request",
        "a list of components of a request has none",
    ),
    (
        "target: expected a path that starts with a slash",
        "no URI of the http types has another path than one with a slash, or an asterisk",
    ),
    (
        "expected created and keyid, found too few",
        "a signature without them is not chosen",
    ),
    (
        "parameter headers: expected a date in the list, found none",
        "that a date is covered is judged before",
    ),
    (
        "covered components: expected ASCII",
        "no value that is written holds anything else",
    ),
    (
        "covered components: expected a line for each",
        "no value that is written holds a line break",
    ),
    (
        "expected a path that starts with a slash, with its query if it has one",
        "an error of the settings",
    ),
    (
        "query: expected {} once, found it twice",
        "that each parameter of a signature is there once is judged before",
    ),
    (
        "trailer: expected x-amz-trailer-signature of the lines before as its last line, found another",
        "needs chunks that are signed before; in sigv4_chunked",
    ),
    (
        "header x-amz-decoded-content-length: expected with signed chunks, found none",
        "needs settings that accept chunks; in chunked_uploads",
    ),
    (
        "header x-amz-trailer: expected exactly if x-amz-content-sha256 ends in -TRAILER, found {} of them",
        "needs settings that accept chunks; in chunked_uploads",
    ),
    (
        "chunks: expected a key for SigV4, found another",
        "a key of another scheme does not match the head",
    ),
    (
        "header {}: expected visible ASCII, found other",
        "a covered value is ASCII by then",
    ),
    (
        "header x-amz-decoded-content-length: expected a number without leading zeros, found \"{}\"",
        "needs settings that accept chunks; in chunked_uploads",
    ),
    (
        "header content-encoding: expected aws-chunked only with a STREAMING value of x-amz-content-sha256, found it with another",
        "needs a header that is not in the table's base; in chunked_uploads",
    ),
    (
        "x-amz-content-sha256: expected no chunks in a presigned request, found {}",
        "needs settings that accept chunks; in sigv4_pitfalls",
    ),
    (
        "body: expected a layer that enforces, found one that only reports",
        "an error of the handler, not of a request",
    ),
    (
        "body: expected its end, found an error of a layer inside this one",
        "an error of a layer of the application",
    ),
    (
        "expected ASCII",
        "the covered member of signature-agent is read before, from the same lines",
    ),
    (
        "expected fewer bytes",
        "the covered member of signature-agent is read before, within the same limit",
    ),
    (
        "expected a dictionary of URLs",
        "the covered member of signature-agent is read before, from the same dictionary",
    ),
    (
        "expected a member under the label of the signature",
        "the member under the label is covered, so it is there",
    ),
    (
        "header {}: expected once, found more than once",
        "needs settings that accept chunks; in chunked_uploads",
    ),
    (
        "replay identity: expected a new one, found none",
        "without an identity there is no claim",
    ),
];

/// The code before the text of a reason. `…` is anything but a quotation mark or a semicolon.
const BEFORE: [&str; 17] = [
    "reason!(",
    "Rejection::malformed(",
    "Rejection::insufficient_coverage(",
    "Rejection::invalid_signature(",
    "Rejection::new(RejectionKind::…,",
    "Rejection::header(…,",
    "Rejection::naming(…format_args!(",
    "Rejection::stale(",
    "Reason::Fixed(",
    "malformed(",
    "Err(",
    "ok_or(",
    "const WRONG: &str =",
    "ended: Some(",
    "return Some(",
    "Some(",
    "let reason =",
];

/// Where texts of reasons are.
const FOLDERS: [&str; 6] = [
    "crates/countersign/src/families",
    "crates/countersign/src/head",
    "crates/countersign/src/payload",
    "crates/countersign/src/scheme",
    "crates/countersign/src/verify",
    "crates/tower-countersign/src/verify",
];

/// Every text of a reason, with the file that it is in.
pub(crate) fn texts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for folder in FOLDERS {
        for path in files(&root.join(folder)) {
            let code = fs::read_to_string(&path).unwrap();
            let code = code.split("#[cfg(test)]\nmod tests").next().unwrap();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let texts = texts_of(code);
            found.extend(texts.into_iter().map(|text| (name.clone(), text)));
        }
    }
    assert!(found.len() > 100, "{} texts are too few", found.len());
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // A folder of tests holds no reasons.
            if !path.ends_with("tests") {
                found.extend(files(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("sign.rs")
            // Its texts are errors of a policy, and no reasons.
            && !path.ends_with("plain_path.rs")
            // It reads the suites of the dialects, for tests.
            && !path.ends_with("dialect_suites.rs")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The literals of this code that stand behind what makes a reason.
fn texts_of(code: &str) -> Vec<String> {
    let code: String = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = code[at..].find('"').map(|start| at + start) {
        let is_character = code[..start].ends_with('\'') || code[..start].ends_with("b'");
        if is_character {
            at = start + 1;
            continue;
        }
        let (text, end) = literal(&code, start);
        if is_behind(&code[..start]) {
            found.push(text);
        }
        at = end;
    }
    found
}

/// The text of the literal that begins here, and where it ends.
fn literal(code: &str, start: usize) -> (String, usize) {
    let mut text = String::new();
    let mut characters = code[start + 1..].char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (text, start + 1 + at + 1),
            '\\' if characters.as_str().starts_with('\n') => {
                // The literal goes on at the next character that is not white space.
                while characters.as_str().starts_with(char::is_whitespace) {
                    characters.next();
                }
            }
            '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => text.push(character),
        }
    }
    panic!("a literal without an end");
}

/// Whether what comes next is the text of a reason.
fn is_behind(code: &str) -> bool {
    let code = code.trim_end();
    BEFORE.iter().any(|before| match before.split_once('…') {
        None => code.ends_with(before),
        Some((before, behind)) => {
            let Some(rest) = code.strip_suffix(behind) else {
                return false;
            };
            let between = rest.rfind(before).map(|at| &rest[at + before.len()..]);
            between.is_some_and(|between| !between.contains(['"', ';']))
        }
    })
}

/// Whether a reason is made of this text: its parts between the places for what it names stand in
/// the reason in their order.
pub(crate) fn is_of(text: &str, reason: &str) -> bool {
    let mut rest = reason;
    for part in text.split('{') {
        // Text between braces is a place.
        let part = part.split_once('}').map_or(part, |(_, part)| part);
        let Some((_, behind)) = rest.split_once(part) else {
            return false;
        };
        rest = behind;
    }
    true
}

#[test]
fn texts_are_found_in_code_and_nowhere_else() {
    let code = r#"
        // reason!("a comment")
        fn f() {
            let other = "no reason";
            Err(Rejection::malformed(reason!(
                "header {}: expected \"{}\"",
                name
            )))?;
            Rejection::new(RejectionKind::Expired, "a second");
            let quote = '"';
            malformed("a third")
        }
    "#;
    assert_eq!(
        texts_of(code),
        ["header {}: expected \"{}\"", "a second", "a third"]
    );
    assert!(is_of(
        "header {}: expected \"{}\"",
        "header a: expected \"b\""
    ));
    assert!(!is_of(
        "header {}: expected \"{}\"",
        "header a: found \"b\""
    ));
}
