use http::{HeaderName, HeaderValue};

use super::{Subject, Variations, quoted};
use crate::diagnose::{cause::Cause, head_copy::Edit, text_lines::TextEdit};

/// Values of `content-type` that clients set by default.
const CONTENT_TYPES: [&str; 12] = [
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=utf-8",
    "application/json; charset=UTF-8",
    "application/json;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-8",
    "application/octet-stream",
    "text/plain",
    "text/plain; charset=utf-8",
    "text/plain;charset=UTF-8",
    "",
];

/// Headers that have separate candidates, or that no hop rewrites.
const OTHERS: [&str; 11] = [
    "host",
    "x-date",
    "x-amz-date",
    "date",
    "x-content-sha256",
    "x-amz-content-sha256",
    "content-digest",
    "digest",
    "x-nonce",
    "webhook-id",
    "webhook-timestamp",
];

/// Returns values that clients and proxies commonly set.
pub(in crate::diagnose) fn known_values(name: &str) -> &'static [&'static str] {
    match name {
        "accept-encoding" => &[
            "identity",
            "gzip",
            "gzip, deflate",
            "gzip, deflate, br",
            "gzip, deflate, br, zstd",
            "gzip,deflate",
            "br, gzip, deflate",
            "gzip, br",
            "deflate, gzip",
            "*",
            "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
        ],
        "accept" => &[
            "*/*",
            "application/json",
            "application/json, text/plain, */*",
        ],
        "accept-language" => &["*"],
        "cache-control" => &["no-cache", "max-age=0", "no-store"],
        "pragma" => &["no-cache"],
        "content-encoding" => &["gzip", "identity", "br", "deflate"],
        "content-length" => &["0"],
        "content-type" => &CONTENT_TYPES,
        _ => &[],
    }
}

/// The greatest length of a value that is tried in other forms, in bytes.
const MAX_VALUE: usize = 2048;

/// The greatest number of places at which a value is folded.
const MAX_FOLDS: usize = 4;

/// Adds other values of each covered header.
pub(super) fn add(subject: &Subject<'_>, found: &mut Variations) {
    for name in &subject.covered {
        if OTHERS.contains(&name.as_str()) {
            continue;
        }
        if let Ok(header) = HeaderName::from_bytes(name.as_bytes()) {
            let before = found.found.len();
            add_values(subject, &header, found);
            for variation in found.found.iter_mut().skip(before) {
                variation.header = Some(header.clone());
            }
        }
    }
}

fn add_values(subject: &Subject<'_>, name: &HeaderName, found: &mut Variations) {
    let lines: Option<Vec<&str>> = subject
        .head
        .headers
        .get_all(name)
        .iter()
        .map(|line| line.to_str().ok())
        .collect();
    let Some(lines) = lines.filter(|lines| !lines.is_empty()) else {
        return;
    };
    let value = lines.join(", ");
    if value.len() > MAX_VALUE {
        return;
    }
    let mut set = |cause, other: String| {
        let shown = subject.redaction.value(name.as_str(), &other);
        let detail = ["signed value of ", name.as_str(), ": ", &quoted(shown)].concat();
        // A canonicalizer may fold a value that was signed unfolded.
        let in_text = TextEdit::Header(name.as_str().to_owned(), other.clone());
        found.text(cause, detail.clone(), in_text);
        if let Ok(other) = HeaderValue::from_str(&other) {
            found.edit(cause, detail, Edit::Header(name.clone(), Some(other)));
        }
    };
    if name == http::header::CONTENT_TYPE {
        let (kind, _) = value.split_once(';').unwrap_or((&value, ""));
        set(Cause::ContentType, kind.trim().to_owned());
        for end in [
            "; charset=utf-8",
            ";charset=utf-8",
            "; charset=UTF-8",
            ";charset=UTF-8",
        ] {
            set(Cause::ContentType, [kind.trim(), end].concat());
        }
        for other in CONTENT_TYPES {
            set(Cause::ContentType, other.to_owned());
        }
        set(Cause::ContentType, value.to_ascii_lowercase());
        return;
    }
    if lines.len() > 1 {
        for between in [",", ", ", "; "] {
            set(Cause::HeaderLines, lines.join(between));
        }
    }
    let items: Vec<&str> = value.split(',').map(str::trim).collect();
    if let ([first, .., last], true) = (items.as_slice(), items.len() > 1) {
        set(Cause::HeaderLines, (*first).to_owned());
        set(Cause::HeaderLines, (*last).to_owned());
        set(Cause::HeaderLines, items.join(","));
        set(Cause::HeaderLines, items.join(", "));
        let mut sorted = items.clone();
        sorted.sort_unstable();
        set(Cause::HeaderItems, sorted.join(", "));
        set(Cause::HeaderItems, sorted.join(","));
        let reversed: Vec<_> = items.iter().rev().copied().collect();
        set(Cause::HeaderItems, reversed.join(", "));
        set(Cause::HeaderItems, reversed.join(","));
    }
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    set(Cause::HeaderSpaces, words.join(" "));
    set(Cause::HeaderSpaces, words.concat());
    set(Cause::HeaderSpaces, value.clone());
    set(Cause::HeaderSpaces, [&value, " "].concat());
    set(Cause::HeaderSpaces, [" ", &value].concat());
    for (at, _) in value.match_indices(' ').take(MAX_FOLDS) {
        // A client may sign a folded line, which a server reads as one.
        if let Some((before, after)) = value.split_at_checked(at) {
            set(Cause::HeaderSpaces, [before, "\r\n", after].concat());
            set(Cause::HeaderSpaces, [before, "\n", after].concat());
        }
    }
    set(Cause::HeaderCase, value.to_ascii_lowercase());
    for other in known_values(name.as_str()) {
        set(Cause::HeaderRewritten, (*other).to_owned());
    }
    set(Cause::HeaderRewritten, String::new());
    let detail = ["signed without the line of ", name.as_str()].concat();
    let without = TextEdit::WithoutHeader(name.as_str().to_owned());
    found.text(Cause::HeaderOrder, detail, without);
}
