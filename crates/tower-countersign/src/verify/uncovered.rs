use std::collections::HashSet;

use countersign::{Escaped, Rejection, RejectionKind, Verified};
use http::{HeaderMap, HeaderName};

/// Headers that tell frameworks to handle another method or another URL than the one of the request line. Some read a `_`
/// for a `-`, so that both are meant.
const OVERRIDES: [&str; 7] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-uri",
    "x-original-url",
    "x-override-url",
    "x-rewrite-url",
];

/// What stays of a presigned request, whose sender is not its signer, besides what is covered: the framing of the message,
/// and what says how the answer is to be written.
const KEPT_OF_PRESIGNED: [&str; 7] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "content-length",
    "host",
    "transfer-encoding",
    "user-agent",
];

/// What becomes of the headers that a signature does not cover, which anyone on the way can have added.
///
/// By default those that override the method or the URL are taken away, because they would have another request handled
/// than the one that was verified; the others are passed on.
///
/// Of a [presigned](Verified::presigned) request nothing is passed on but `accept`, `accept-encoding`, `accept-language`,
/// `user-agent`, `host`, the length of the message, and what
/// [is named for such requests](Self::with_presigned_headers): whoever sends it is not who signed it.
#[derive(Clone, Debug, Default)]
pub struct UncoveredHeaders {
    mode: UncoveredMode,
    presigned: HashSet<HeaderName>,
}

#[derive(Clone, Debug, Default)]
enum UncoveredMode {
    #[default]
    StripOverrides,
    StripAllBut(HashSet<HeaderName>),
    RefuseAllBut(HashSet<HeaderName>),
}

impl UncoveredHeaders {
    /// Takes away the headers that override the method or the URL and passes the others on. This is the default.
    pub fn strip_overrides() -> Self {
        UncoveredMode::StripOverrides.into()
    }

    /// Takes away every uncovered header but these. `host`, `authorization`, `content-length` and `transfer-encoding`
    /// always stay.
    pub fn strip_all_but(allowed: impl IntoIterator<Item = HeaderName>) -> Self {
        UncoveredMode::StripAllBut(allowed.into_iter().collect()).into()
    }

    /// Refuses a request with an uncovered header that is not one of these. `host`, `authorization`, `content-length`
    /// and `transfer-encoding` are always allowed; headers of other names that carry a signature, such as `signature`,
    /// `signature-input` and `webhook-signature`, must be listed.
    pub fn refuse_all_but(allowed: impl IntoIterator<Item = HeaderName>) -> Self {
        UncoveredMode::RefuseAllBut(allowed.into_iter().collect()).into()
    }

    /// Also passes these headers of a presigned request on, although its signature does not cover them: `range`,
    /// `if-none-match` and `origin` for those who are given a URL to read, `content-type` for those who upload.
    ///
    /// Whoever has the URL chooses their values. A handler must not take one for the signer's word: a `content-type`, for
    /// example, decides how a browser shows what was uploaded. Headers that override the method or the URL cannot be
    /// passed on so.
    #[must_use]
    pub fn with_presigned_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.presigned.extend(names);
        self
    }

    pub(super) fn apply(
        &self,
        headers: &mut HeaderMap,
        verified: &Verified,
    ) -> Result<(), Rejection> {
        if verified.presigned() {
            let covered: HashSet<&str> = verified.covered_headers().collect();
            let names = headers.keys().filter(|name| {
                !covered.contains(name.as_str())
                    && !KEPT_OF_PRESIGNED.contains(&name.as_str())
                    && (!self.presigned.contains(*name) || is_override(name.as_str()))
            });
            for name in names.cloned().collect::<Vec<_>>() {
                headers.remove(name);
            }
        }
        let is_allowed = |allowed: &HashSet<HeaderName>, name: &HeaderName| {
            allowed.contains(name) || verified.presigned() && self.presigned.contains(name)
        };
        match &self.mode {
            UncoveredMode::StripOverrides => {
                let names = headers.keys().filter(|name| is_override(name.as_str()));
                let uncovered = names.filter(|name| verified.covered(name.as_str()).is_none());
                for name in uncovered.cloned().collect::<Vec<_>>() {
                    headers.remove(name);
                }
            }
            UncoveredMode::StripAllBut(allowed) => {
                for name in uncovered(headers, verified, |name| is_allowed(allowed, name)) {
                    headers.remove(name);
                }
            }
            UncoveredMode::RefuseAllBut(allowed) => {
                let is_allowed = |name: &HeaderName| is_allowed(allowed, name);
                if let Some(name) = uncovered(headers, verified, is_allowed).first() {
                    return Err(Rejection::naming(
                        RejectionKind::InsufficientCoverage,
                        format_args!(
                            "header {}: expected to be covered, to be absent, or to be one of UncoveredHeaders::refuse_all_but",
                            Escaped::text(name.as_str())
                        ),
                    ));
                }
            }
        }
        Ok(())
    }
}

impl From<UncoveredMode> for UncoveredHeaders {
    fn from(mode: UncoveredMode) -> Self {
        Self {
            mode,
            presigned: HashSet::new(),
        }
    }
}

pub(super) fn is_override(name: &str) -> bool {
    let alike = |known: &str| {
        let dashes = |byte: u8| if byte == b'_' { b'-' } else { byte };
        known.len() == name.len() && known.bytes().eq(name.bytes().map(dashes))
    };
    name.starts_with('x') && OVERRIDES.iter().any(|known| alike(known))
}

fn uncovered(
    headers: &HeaderMap,
    verified: &Verified,
    is_allowed: impl Fn(&HeaderName) -> bool,
) -> Vec<HeaderName> {
    let of_the_message = |name: &HeaderName| {
        matches!(
            name.as_str(),
            "host" | "authorization" | "content-length" | "transfer-encoding"
        )
    };
    // Looked for one by one, each header would cost as much as all that is covered is long.
    let covered: HashSet<&str> = verified.covered_headers().collect();
    headers
        .keys()
        .filter(|name| !covered.contains(name.as_str()))
        .filter(|name| !of_the_message(name) && !is_allowed(name))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: CVE-2025-64484 (oauth2-proxy stripped `X-Forwarded-User` and let `X_Forwarded_User` through).
    #[test]
    fn an_underscore_is_read_as_a_dash() {
        for name in [
            "x-http-method-override",
            "x_http_method_override",
            "x-http_method-override",
            "x-rewrite-url",
        ] {
            assert!(is_override(name), "{name}");
        }
        for name in [
            "x-http-method-overrides",
            "http-method-override",
            "x-request-id",
            "x-",
        ] {
            assert!(!is_override(name), "{name}");
        }
    }
}
