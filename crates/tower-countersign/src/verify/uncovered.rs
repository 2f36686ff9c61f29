use std::collections::HashSet;

use countersign::{Escaped, HeadVerified, Rejection, RejectionKind};
use http::{HeaderMap, HeaderName};

/// Headers that make frameworks handle another method or URL than that of the request line. Some
/// frameworks read `_` as `-`, so both forms are included.
const OVERRIDES: [&str; 7] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-uri",
    "x-original-url",
    "x-override-url",
    "x-rewrite-url",
];

/// Headers of a presigned request that are kept, besides those that are covered. They frame the
/// message and negotiate the response.
const KEPT_OF_PRESIGNED: [&str; 7] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "content-length",
    "host",
    "transfer-encoding",
    "user-agent",
];

/// How to treat headers that the signature does not cover. Anyone on the way can add such headers.
///
/// By default, headers that override the method or the URL are removed, and the others are passed
/// on. Otherwise another request would be handled than the verified one.
///
/// A [presigned](HeadVerified::presigned) request is sent by someone other than the signer. Of its
/// uncovered headers, only these are passed on:
///
/// - `accept`, `accept-encoding`, `accept-language`, `user-agent`, `host`,
/// - `content-length` and `transfer-encoding`,
/// - the headers of [`with_presigned_headers`](Self::with_presigned_headers).
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
    /// Removes headers that override the method or the URL, and passes the others on. This is the
    /// default.
    pub fn strip_overrides() -> Self {
        UncoveredMode::StripOverrides.into()
    }

    /// Removes every uncovered header except these. `host`, `authorization`, `content-length` and
    /// `transfer-encoding` are always kept.
    pub fn strip_all_but(allowed: impl IntoIterator<Item = HeaderName>) -> Self {
        UncoveredMode::StripAllBut(allowed.into_iter().collect()).into()
    }

    /// Refuses a request with an uncovered header that is not in this list. `host`,
    /// `authorization`, `content-length` and `transfer-encoding` are always allowed.
    ///
    /// Other headers that carry a signature must be listed, such as `signature`, `signature-input`
    /// and `webhook-signature`.
    pub fn refuse_all_but(allowed: impl IntoIterator<Item = HeaderName>) -> Self {
        UncoveredMode::RefuseAllBut(allowed.into_iter().collect()).into()
    }

    /// Also passes on these headers of a presigned request, although its signature does not cover
    /// them. Useful are `range`, `if-none-match` and `origin` for downloads, and `content-type` for
    /// uploads.
    ///
    /// Anyone with the URL can choose their values, so a handler must not trust them as signed. For
    /// example, `content-type` decides how a browser shows the uploaded file. Headers that override
    /// the method or the URL are never passed on.
    #[must_use]
    pub fn with_presigned_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.presigned.extend(names);
        self
    }

    pub(super) fn apply(
        &self,
        headers: &mut HeaderMap,
        verified: &HeadVerified,
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
                            "header {}: expected to be covered, to be absent, or to be one of \
                             UncoveredHeaders::refuse_all_but",
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
    verified: &HeadVerified,
    is_allowed: impl Fn(&HeaderName) -> bool,
) -> Vec<HeaderName> {
    let of_the_message = |name: &HeaderName| {
        matches!(
            name.as_str(),
            "host" | "authorization" | "content-length" | "transfer-encoding"
        )
    };
    // A set, because a linear search for each header costs as much as all covered headers together.
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

    /// Source: CVE-2025-64484. oauth2-proxy stripped `X-Forwarded-User` and passed
    /// `X_Forwarded_User` on.
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
