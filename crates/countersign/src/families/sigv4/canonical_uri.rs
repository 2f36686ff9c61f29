//! The canonical path.
//!
//! ```text
//! double: UriEncode(path as sent, keeping "/")           every service but S3
//! single: UriEncode(UriDecode(path as sent), keeping "/")  S3
//! ```
//!
//! Most services also normalise the path first: `.` and `..` are resolved, and empty segments
//! dropped (RFC 3986 section 5.2.4). Normalising is many-to-one: `/admin/../public`, `//public` and
//! `/public` have one signature, while a router uses the path as sent. A verifier therefore accepts
//! only [canonical paths](is_canonical) by default.

use super::uri_encode::{self, Slash};
use crate::{
    error::{Reason, reason},
    wire::Sink,
};

/// The encoding of a path for signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SigV4PathEncoding {
    /// Encodes the path as sent once more: `%20` is signed as `%2520`. Every service but S3.
    Double,
    /// Decodes the path, then encodes it: `%20` is signed as `%20`. S3 only.
    Single,
}

/// Whether `.`, `..` and empty segments are resolved before signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SigV4PathNormalization {
    /// Resolves them, as every service but S3 does.
    Enabled,
    /// Signs them unchanged, as S3 does.
    Disabled,
}

/// The rule by which a path is normalised and encoded for signing.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathRule {
    pub(super) encoding: SigV4PathEncoding,
    pub(super) normalization: SigV4PathNormalization,
}

impl PathRule {
    /// Returns the rule of a service, by its name.
    pub(super) fn of_service(service: &str) -> Self {
        match service {
            "s3" | "s3-object-lambda" | "s3-outposts" | "s3express" => Self {
                encoding: SigV4PathEncoding::Single,
                normalization: SigV4PathNormalization::Disabled,
            },
            _ => Self {
                encoding: SigV4PathEncoding::Double,
                normalization: SigV4PathNormalization::Enabled,
            },
        }
    }
}

/// The path of a request, ready to be written in canonical form.
#[derive(Clone, Debug)]
pub(super) struct CanonicalUri<'r> {
    path: &'r str,
    /// The remaining segments, if normalising changed the path.
    segments: Option<Vec<&'r str>>,
    encoding: SigV4PathEncoding,
}

impl<'r> CanonicalUri<'r> {
    pub(super) fn new(path: &'r str, rule: PathRule) -> Result<Self, Reason> {
        if !path.starts_with('/') {
            return Err(reason!("target: expected a path, found an asterisk"));
        }
        match rule.encoding {
            SigV4PathEncoding::Single if !uri_encode::is_well_formed(path) => {
                return Err(reason!(
                    "path: expected two hexadecimal digits after every %"
                ));
            }
            SigV4PathEncoding::Single | SigV4PathEncoding::Double => {}
        }
        let segments = match rule.normalization {
            SigV4PathNormalization::Enabled if has_dots_or_gaps(path) => {
                Some(normalized_segments(path))
            }
            SigV4PathNormalization::Enabled | SigV4PathNormalization::Disabled => None,
        };
        Ok(Self {
            path,
            segments,
            encoding: rule.encoding,
        })
    }

    pub(super) fn write_to(&self, sink: &mut impl Sink) {
        let Some(segments) = &self.segments else {
            self.encode(self.path, sink);
            return;
        };
        if segments.is_empty() {
            sink.write("/");
        }
        for segment in segments {
            sink.write("/");
            self.encode(segment, sink);
        }
    }

    fn encode(&self, text: &str, sink: &mut impl Sink) {
        match self.encoding {
            SigV4PathEncoding::Double => uri_encode::encode(text, Slash::Keep, sink),
            SigV4PathEncoding::Single => uri_encode::recode(text, Slash::Keep, sink),
        }
    }
}

/// Returns whether no other path has the same signature under any rule, apart from [its
/// spelling](is_spelled_as_signed).
/// A canonical path has no dot segments, no empty segments except at the end, and no escaped dot or
/// slash. A router or a later decoder may treat an escaped dot or slash like a plain one.
pub(super) fn is_canonical(path: &str) -> bool {
    let escapes_dot_or_slash = || {
        let mut escapes = path.split('%').skip(1);
        escapes.any(|escape| matches!(escape.as_bytes(), [b'2', b'e' | b'E' | b'f' | b'F', ..]))
    };
    let escape = |any: u8, byte| any | u8::from(byte == b'%');
    let has_escapes = path.bytes().fold(0, escape) > 0;
    !(has_dots_or_gaps(path) || has_escapes && escapes_dot_or_slash())
}

/// Returns whether no other spelling of a path has the same signature. Double encoding keeps every
/// spelling distinct. Single encoding decodes first and signs `/%61` as `/a`, so only the signed
/// spelling is unique.
pub(super) fn is_spelled_as_signed(path: &str, encoding: SigV4PathEncoding) -> bool {
    match encoding {
        SigV4PathEncoding::Double => true,
        SigV4PathEncoding::Single => uri_encode::is_canonical(path, Slash::Keep),
    }
}

fn has_dots_or_gaps(path: &str) -> bool {
    // Most paths have none of these. Reads all bytes before judging any, so that the compiler
    // vectorises the loop.
    let bytes = path.as_bytes();
    let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    let dot_or_gap = |byte: u8| (byte == b'/') || (byte == b'.');
    let may_have = pairs.fold(false, |any, (byte, next)| {
        any | ((*byte == b'/') & dot_or_gap(*next))
    });
    if !may_have {
        return false;
    }
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if matches!(segment, "." | "..") || (segment.is_empty() && !is_last) {
            return true;
        }
    }
    false
}

/// Returns the segments of a path without `.`, `..` and empty ones. An empty last segment keeps a
/// final slash.
pub(crate) fn normalized_segments(path: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut ends_in_slash = false;
    for segment in path.split('/').skip(1) {
        ends_in_slash = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    if ends_in_slash && !kept.is_empty() {
        kept.push("");
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(path: &str, rule: PathRule) -> Result<String, Reason> {
        let mut text = String::new();
        CanonicalUri::new(path, rule)?.write_to(&mut text);
        Ok(text)
    }

    #[test]
    fn other_services_normalise_and_encode_once_more() {
        let rule = PathRule::of_service("execute-api");
        for (path, expected) in [
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/a/..", "/"),
            ("/a/../..", "/"),
            ("/../../a", "/a"),
            ("/a//b/", "/a/b/"),
            ("/a/b/.", "/a/b/"),
            ("/a/b/..", "/a/"),
            ("/a/./b", "/a/b"),
            ("/a/.b/..c", "/a/.b/..c"),
            ("/a%20b", "/a%2520b"),
            ("/%2f%2F", "/%252f%252F"),
            ("/%2e%2e/a", "/%252e%252e/a"),
            ("/a+b", "/a%2Bb"),
            ("/%zz", "/%25zz"),
            ("/ü", "/%C3%BC"),
            ("/a:b@c", "/a%3Ab%40c"),
        ] {
            assert_eq!(canonical(path, rule).as_deref(), Ok(expected), "{path}");
        }
        assert!(canonical("*", rule).is_err());
    }

    #[test]
    fn s3_keeps_every_segment_and_encodes_once() {
        let rule = PathRule::of_service("s3");
        for (path, expected) in [
            ("/", "/"),
            ("//a/b/..//c/.", "//a/b/..//c/."),
            ("/a%20b", "/a%20b"),
            ("/%2f", "//"),
            ("/%41%c3%bc", "/A%C3%BC"),
            ("/a+b", "/a%2Bb"),
            ("/$", "/%24"),
        ] {
            assert_eq!(canonical(path, rule).as_deref(), Ok(expected), "{path}");
        }
        assert!(canonical("/%zz", rule).is_err());
        assert!(canonical("/%", rule).is_err());
    }

    #[test]
    fn a_path_is_canonical_if_no_other_one_is_signed_like_it() {
        for (path, expected) in [
            ("/", true),
            ("/a/b", true),
            ("/a/b/", true),
            ("/.a/b..", true),
            ("/a%20b", true),
            ("//", false),
            ("//a", false),
            ("/a//b", false),
            ("/a//", false),
            ("/.", false),
            ("/a/..", false),
            ("/a/../b", false),
            ("/%2e%2e/a", false),
            ("/a%2Fb", false),
            ("/a%2fb", false),
            ("/a%2Eb", false),
        ] {
            assert_eq!(is_canonical(path), expected, "{path}");
        }
    }

    #[test]
    fn a_path_that_is_decoded_first_has_one_spelling() {
        for (path, expected) in [
            ("/", true),
            ("/admin", true),
            ("/a%20b", true),
            ("/%C3%BC", true),
            ("/~a-b_c.d", true),
            ("/%61dmin", false),
            ("/%7Ea", false),
            ("/%c3%bc", false),
            ("/a:b", false),
            ("/a+b", false),
            ("/a%", false),
            ("/ü", false),
        ] {
            let spelled = |encoding| is_spelled_as_signed(path, encoding);
            assert_eq!(spelled(SigV4PathEncoding::Single), expected, "{path}");
            assert!(spelled(SigV4PathEncoding::Double), "{path}");
            let signed = canonical(path, PathRule::of_service("s3"));
            assert_eq!(signed.as_deref() == Ok(path), expected, "{path}");
        }
    }
}
