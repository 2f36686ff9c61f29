use super::{Change, Subject, Variations, quoted, said_by};
use crate::{
    diagnose::{
        cause::Cause,
        head_copy::Edit,
        percent::{KEPT_SETS, decoded, decoded_text, encoded, with_lower_case_digits},
    },
    families::sigv4::normalized_segments,
};

/// The headers in which proxies send the prefix that they removed.
const PREFIX_HEADERS: [&str; 2] = ["x-forwarded-prefix", "x-script-name"];

/// The headers in which proxies send the client's target.
const TARGET_HEADERS: [&str; 5] = [
    "x-original-uri",
    "x-original-url",
    "x-forwarded-uri",
    "x-rewrite-url",
    "x-envoy-original-path",
];

/// The number of leading segments that may be a prefix added by a proxy.
const ADDED_SEGMENTS: usize = 3;

/// Adds the path with and without prefixes and slashes, normalized, decoded, and in other
/// encodings.
pub(super) fn add(subject: &Subject<'_>, found: &mut Variations) {
    let path = subject.head.path();
    let mut edit = |cause, other: &str| {
        let detail = ["signed path: ", &quoted(other)].concat();
        found.edit(cause, detail, Edit::Path(other.to_owned()));
    };
    let configured = subject.path_prefixes.iter().map(String::as_str);
    let said = said_by(subject.head, &PREFIX_HEADERS);
    let said = said.iter().map(|(_, prefix)| *prefix);
    for prefix in configured.chain(said).take(8) {
        let prefix = prefix.trim_end_matches('/');
        let with = if path == "/" {
            prefix.to_owned()
        } else {
            [prefix, path].concat()
        };
        edit(Cause::PathPrefixStripped, &with);
        edit(Cause::PathPrefixStripped, &[prefix, path].concat());
        if let Some(without) = path.strip_prefix(prefix) {
            edit(
                Cause::PathPrefixAdded,
                if without.is_empty() { "/" } else { without },
            );
        }
    }
    for (_, target) in said_by(subject.head, &TARGET_HEADERS) {
        let (target, _) = target.split_once('?').unwrap_or((target, ""));
        edit(Cause::PathPrefixStripped, target);
    }
    match path.strip_suffix('/') {
        Some(without) if !without.is_empty() => edit(Cause::TrailingSlash, without),
        Some(_) => {}
        None => edit(Cause::TrailingSlash, &[path, "/"].concat()),
    }
    edit(Cause::PathNormalized, &normalized(path));
    let mut rest = path;
    for _ in 0..ADDED_SEGMENTS {
        let Some((_, behind)) = rest.strip_prefix('/').and_then(|rest| rest.split_once('/')) else {
            break;
        };
        let at = path.len().saturating_sub(behind.len()).saturating_sub(1);
        rest = path.get(at..).unwrap_or_default();
        edit(Cause::PathPrefixAdded, rest);
    }
    let bytes = decoded(path);
    for kept in KEPT_SETS {
        let kept = [kept, b"/"].concat();
        edit(Cause::PathEncoding, &encoded(&bytes, &kept));
    }
    edit(Cause::PathEncoding, &with_lower_case_digits(path));
    edit(Cause::PathEncodedAgain, &encoded(path.as_bytes(), b"-._~/"));
    let Some(other) = decoded_text(path).filter(|other| other != path) else {
        return;
    };
    let detail = ["signed path: ", &quoted(&other)].concat();
    found.add(Cause::PathDecoded, detail, Change::Path(other));
}

/// Removes `.`, `..` and empty segments (RFC 3986 section 5.2.4).
fn normalized(path: &str) -> String {
    ["/", &normalized_segments(path).join("/")].concat()
}
