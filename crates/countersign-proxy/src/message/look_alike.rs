//! Finds the headers that an upstream could take for the identity that the proxy adds.

use http::{HeaderMap, HeaderName};

/// The names that only the proxy may set: those that begin with `countersign-`, and the additional
/// names of the configuration.
///
/// Servers fold other spellings onto one name: CGI and WSGI read `_` as `-`, PHP reads `.` as `_`,
/// and both drop the difference of case. So every byte that is no letter or digit is read as `-`,
/// and a leading `x-` is ignored.
#[derive(Clone, Debug, Default)]
pub(crate) struct LookAlikes {
    /// Folded, without a leading `x-`.
    also: Vec<Box<[u8]>>,
}

const OURS: &[u8] = b"countersign-";

impl LookAlikes {
    pub(crate) fn new(also: &[HeaderName]) -> Self {
        let also = also.iter().map(|name| folded(name).collect());
        Self {
            also: also.collect(),
        }
    }

    /// Returns whether an upstream could take this header for one of ours.
    pub(crate) fn contain(&self, name: &HeaderName) -> bool {
        let ours = folded(name).take(OURS.len()).eq(OURS.iter().copied());
        ours || self
            .also
            .iter()
            .any(|known| folded(name).eq(known.iter().copied()))
    }

    /// Removes each of these headers.
    pub(crate) fn remove_from(&self, headers: &mut HeaderMap) {
        for name in self.among(headers) {
            headers.remove(name);
        }
    }

    /// Returns the names of these headers in a message, as they came.
    pub(crate) fn among(&self, headers: &HeaderMap) -> Vec<HeaderName> {
        let alike = headers.keys().filter(|name| self.contain(name));
        alike.cloned().collect()
    }
}

fn folded(name: &HeaderName) -> impl Iterator<Item = u8> {
    let name = name.as_str().as_bytes();
    let name = match name {
        [b'x' | b'X', separator, rest @ ..] if !separator.is_ascii_alphanumeric() => rest,
        _ => name,
    };
    name.iter().map(|byte| {
        if byte.is_ascii_alphanumeric() {
            byte.to_ascii_lowercase()
        } else {
            b'-'
        }
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> HeaderName {
        HeaderName::from_bytes(text.as_bytes()).unwrap()
    }

    /// Sources: CVE-2025-64484 (`_`), CVE-2026-39858 and its sibling with `.`.
    #[test]
    fn every_spelling_of_our_names_is_found() {
        let also = [name("X-Remote-User"), name("remote-group")];
        let alike = LookAlikes::new(&also);
        for (text, expected) in [
            ("countersign-caller", true),
            ("COUNTERSIGN_CALLER", true),
            ("X-Countersign.Caller", true),
            ("x_countersign~caller", true),
            ("countersign~caller", true),
            ("countersign-anything", true),
            ("countersign-", true),
            ("x.countersign-secret", true),
            ("x-remote-user", true),
            ("Remote_User", true),
            ("x.remote.user", true),
            ("remote|group", true),
            ("x-remote-group", true),
            ("countersign", false),
            ("countersignature", false),
            ("x-x-countersign-caller", false),
            ("remote-users", false),
            ("x-date", false),
        ] {
            assert_eq!(alike.contain(&name(text)), expected, "{text}");
        }
    }

    #[test]
    fn all_lines_are_removed_and_others_stay() {
        let mut headers = HeaderMap::new();
        for text in [
            "countersign-caller",
            "countersign-caller",
            "x_countersign_proof",
            "accept",
        ] {
            headers.append(name(text), HeaderValue::from_static(""));
        }
        LookAlikes::default().remove_from(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["accept"]);
    }

    proptest! {
        /// The fold is CGI's, WSGI's and PHP's: no spelling that they read as our name is left.
        #[test]
        fn no_spelling_is_left(
            separators in proptest::collection::vec("[-_.~!#$%&'*+^`|]", 3),
            upper in any::<u32>(),
            prefixed in any::<bool>(),
        ) {
            let text = if prefixed {
                format!("x{}countersign{}caller", separators[0], separators[1])
            } else {
                format!("countersign{}caller", separators[1])
            };
            let text: String = text
                .chars()
                .enumerate()
                .map(|(at, it)| {
                    if upper >> (at % 32) & 1 == 1 { it.to_ascii_uppercase() } else { it }
                })
                .collect();
            let mut headers = HeaderMap::new();
            headers.insert(name(&text), HeaderValue::from_static("evil"));
            LookAlikes::default().remove_from(&mut headers);
            prop_assert!(headers.is_empty(), "{text}");
        }
    }
}
