//! The canonical request, whose hash is signed.
//!
//! ```text
//! METHOD
//! canonical URI
//! canonical query
//! name:value          (each covered header, sorted, each with a line break)
//!
//! name;name           (the covered headers again)
//! payload hash
//! ```
//!
//! No part can hold a line break: the `http` types refuse it in methods, targets and header values.

use std::ops::Range;

use super::{
    canonical_headers::CoveredHeader, canonical_query::CanonicalQuery, canonical_uri::CanonicalUri,
    payload_hash::PayloadHash,
};
use crate::{
    crypto::sha256::{self, Sha256},
    payload::PayloadDigest,
    wire::{Gathered, Sink},
};

/// Initial capacity: most texts are shorter and need one allocation.
const CAPACITY: usize = 1024;

/// The parts of a canonical request.
#[derive(Clone, Debug)]
pub(super) struct CanonicalRequest<'p, 'r> {
    pub(super) method: &'r str,
    pub(super) uri: &'p CanonicalUri<'r>,
    pub(super) query: &'p CanonicalQuery<'r>,
    /// Sorted by name.
    pub(super) headers: &'p [CoveredHeader<'r>],
    /// The names of these headers joined by semicolons, if they were sent in this form.
    pub(super) signed_headers: Option<&'r str>,
    pub(super) payload_hash: PayloadHash,
}

impl CanonicalRequest<'_, '_> {
    /// Builds the text, as far as the head declares it.
    pub(super) fn head_text(&self) -> HeadText {
        let mut text = String::with_capacity(CAPACITY);
        self.write_target_to(&mut text);
        let start = text.len();
        self.write_headers_to(&mut text);
        let covered = start..text.len();
        self.write_end_to(&mut text);
        HeadText {
            text,
            covered,
            lacks_body: self.payload_hash == PayloadHash::OfBody,
        }
    }

    /// Hashes the text.
    pub(super) fn hash(&self) -> [u8; 32] {
        let mut gathered = Gathered::new();
        self.write_to(&mut gathered);
        if let Some(text) = gathered.text() {
            return sha256::digest(text);
        }
        let mut hash = Sha256::new();
        self.write_to(&mut Hash(&mut hash));
        hash.finish()
    }

    /// Writes the text to `sink`, as far as the head declares it.
    pub(super) fn write_to(&self, sink: &mut impl Sink) {
        self.write_target_to(sink);
        self.write_headers_to(sink);
        self.write_end_to(sink);
    }

    fn write_target_to(&self, sink: &mut impl Sink) {
        sink.write(self.method);
        sink.write("\n");
        self.uri.write_to(sink);
        sink.write("\n");
        self.query.write_to(sink);
        sink.write("\n");
    }

    fn write_headers_to(&self, sink: &mut impl Sink) {
        for header in self.headers {
            sink.write(header.name);
            sink.write(":");
            sink.write(&header.value);
            sink.write("\n");
        }
    }

    fn write_end_to(&self, sink: &mut impl Sink) {
        sink.write("\n");
        if let Some(names) = self.signed_headers {
            sink.write(names);
        } else {
            for (count, header) in self.headers.iter().enumerate() {
                if count > 0 {
                    sink.write(";");
                }
                sink.write(header.name);
            }
        }
        sink.write("\n");
        self.payload_hash.write_to(None, sink);
    }
}

struct Hash<'h>(&'h mut Sha256);

impl Sink for Hash<'_> {
    fn write(&mut self, text: &str) {
        self.0.update(text.as_bytes());
    }
}

/// The text of a canonical request as far as the head declares it. Only the digest of the body can
/// be missing.
#[derive(Clone)]
pub(super) struct HeadText {
    text: String,
    /// The range of the covered headers in the text.
    covered: Range<usize>,
    lacks_body: bool,
}

impl HeadText {
    /// Returns the covered headers: `name:value` with a line break after each.
    pub(super) fn covered_lines(&self) -> &str {
        // Invariant: `covered` is the range that was written.
        self.text.get(self.covered.clone()).unwrap_or_default()
    }

    /// Returns the whole text. `body` is the digest of the body, used if the head declares none.
    pub(super) fn with_body(&self, body: Option<&PayloadDigest>) -> String {
        let mut text = self.text.clone();
        if self.lacks_body {
            PayloadHash::OfBody.write_to(body, &mut text);
        }
        text
    }

    pub(super) fn hash(&self) -> HeadHash {
        if self.lacks_body {
            let mut hash = Sha256::new();
            hash.update(self.text.as_bytes());
            HeadHash::BeforeBody(hash)
        } else {
            HeadHash::Whole(sha256::digest(self.text.as_bytes()))
        }
    }
}

/// The hash of a canonical request, as far as the head declares it.
#[derive(Clone)]
pub(super) enum HeadHash {
    Whole([u8; 32]),
    /// The hash state before the digest of the body, which ends the text.
    BeforeBody(Sha256),
}

impl HeadHash {
    /// Returns the hash of the whole text.
    pub(super) fn with_body(&self, body: Option<&PayloadDigest>) -> [u8; 32] {
        match self {
            Self::Whole(hash) => *hash,
            Self::BeforeBody(state) => {
                let mut hash = state.clone();
                PayloadHash::OfBody.write_to(body, &mut Hash(&mut hash));
                hash.finish()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::sigv4::canonical_uri::PathRule;

    /// Calls `then` with a request that has this query, value of `x-amz-date` and body hash.
    fn with_request<T>(
        query: Option<&str>,
        value: &str,
        payload_hash: PayloadHash,
        signed_headers: Option<&str>,
        then: impl FnOnce(&CanonicalRequest<'_, '_>) -> T,
    ) -> T {
        let headers = [("host", "h"), ("x-amz-date", value)];
        then(&CanonicalRequest {
            method: "GET",
            uri: &CanonicalUri::new("/a b", PathRule::of_service("s")).unwrap(),
            query: &CanonicalQuery::parse(query, 100).unwrap(),
            headers: &headers.map(|(name, value)| CoveredHeader {
                name,
                value: value.into(),
            }),
            signed_headers,
            payload_hash,
        })
    }

    #[test]
    fn has_six_parts_and_no_newline_at_its_end() {
        let body = PayloadDigest::of(b"");
        for payload_hash in [PayloadHash::OfBody, PayloadHash::Sha256(body)] {
            let text = with_request(Some("b=1&a"), "d", payload_hash, None, |request| {
                request.head_text()
            });
            assert_eq!(
                text.with_body(Some(&body)),
                format!("GET\n/a%20b\na=&b=1\nhost:h\nx-amz-date:d\n\nhost;x-amz-date\n{body}")
            );
            assert_eq!(text.covered_lines(), "host:h\nx-amz-date:d\n");
        }
    }

    #[test]
    fn every_way_to_the_hash_leads_to_that_of_the_text() {
        let digest = PayloadDigest::of(b"");
        for (payload_hash, body) in [
            (PayloadHash::OfBody, Some(&digest)),
            (PayloadHash::OfBody, None),
            (PayloadHash::Sha256(digest), None),
            (PayloadHash::Unsigned, None),
        ] {
            for len in (0..2500).step_by(11).chain(900..1100) {
                let long = "v".repeat(len);
                for names in [None, Some("host;x-amz-date")] {
                    let (text, hash) = with_request(None, &long, payload_hash, names, |request| {
                        (request.head_text(), request.hash())
                    });
                    let expected = |text: &str| sha256::digest(text.as_bytes());
                    let whole = text.with_body(body);
                    assert_eq!(text.hash().with_body(body), expected(&whole), "{len}");
                    assert_eq!(hash, expected(&text.with_body(None)), "{len}");
                    let ends = whole.ends_with(&digest.to_string());
                    assert_eq!(
                        ends,
                        body.is_some() || payload_hash == PayloadHash::Sha256(digest)
                    );
                }
            }
        }
    }
}
