//! The text whose hash is signed.
//!
//! ```text
//! METHOD
//! canonical URI
//! canonical query
//! name:value          (each covered header, sorted)
//!
//! name;name           (the covered headers again)
//! payload hash
//! ```
//!
//! No part can hold a line break: the `http` types refuse it in methods, targets and header values.

use sha2::{Digest, Sha256};

use super::{
    canonical_headers::CoveredHeaders, canonical_query::CanonicalQuery,
    canonical_uri::CanonicalUri, payload_hash::PayloadHash,
};
use crate::{
    payload::PayloadDigest,
    scheme::native::canonical_request::{Gathered, Sink},
};

/// The parts of the text.
#[derive(Clone, Debug)]
pub(super) struct CanonicalRequest<'r> {
    pub(super) method: &'r str,
    pub(super) uri: CanonicalUri<'r>,
    pub(super) query: CanonicalQuery<'r>,
    pub(super) headers: CoveredHeaders<'r>,
    /// The names of these headers, joined by semicolons, where they were sent so.
    pub(super) signed_headers: Option<&'r str>,
    pub(super) payload_hash: PayloadHash,
}

impl CanonicalRequest<'_> {
    /// Streams the text into `sink`. `body` is the digest of the body where the head declares none.
    pub(super) fn write_to(&self, body: Option<&PayloadDigest>, sink: &mut impl Sink) {
        sink.write(self.method);
        sink.write("\n");
        self.uri.write_to(sink);
        sink.write("\n");
        self.query.write_to(sink);
        sink.write("\n");
        for header in &self.headers {
            sink.write(header.name);
            sink.write(":");
            sink.write(&header.value);
            sink.write("\n");
        }
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
        self.payload_hash.write_to(body, sink);
    }

    /// The hash of the text, as far as the head declares it.
    pub(super) fn head_hash(&self) -> HeadHash {
        let mut hash = Sha256::new();
        let mut gathered = Gathered::new();
        self.write_to(None, &mut gathered);
        match gathered.text() {
            Some(text) => hash.update(text),
            None => self.write_to(None, &mut Hash(&mut hash)),
        }
        match self.payload_hash {
            PayloadHash::OfBody => HeadHash::BeforeBody(hash),
            PayloadHash::Sha256(_) | PayloadHash::Unsigned => {
                HeadHash::Whole(hash.finalize().into())
            }
        }
    }
}

/// The hash of a canonical request, as far as the head declares it.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each request, and it is not moved"
)]
pub(super) enum HeadHash {
    /// All of it.
    Whole([u8; 32]),
    /// All but the digest of the body, which is the end of the text.
    BeforeBody(Sha256),
}

impl HeadHash {
    /// The hash of the whole text.
    pub(super) fn finish(&self, body: Option<&PayloadDigest>) -> [u8; 32] {
        match self {
            Self::Whole(hash) => *hash,
            Self::BeforeBody(hash) => {
                let mut hash = hash.clone();
                PayloadHash::OfBody.write_to(body, &mut Hash(&mut hash));
                hash.finalize().into()
            }
        }
    }
}

struct Hash<'h>(&'h mut Sha256);

impl Sink for Hash<'_> {
    fn write(&mut self, text: &str) {
        self.0.update(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::sigv4::{canonical_headers::CoveredHeader, canonical_uri::PathRule};

    fn request<'r>(query: Option<&'r str>, value: &'r str) -> CanonicalRequest<'r> {
        let headers = [("host", "h"), ("x-amz-date", value)];
        CanonicalRequest {
            method: "GET",
            uri: CanonicalUri::new("/a b", PathRule::of_service("s")).unwrap(),
            query: CanonicalQuery::parse(query, 100).unwrap(),
            headers: headers
                .into_iter()
                .map(|(name, value)| CoveredHeader {
                    name,
                    value: value.into(),
                })
                .collect(),
            signed_headers: None,
            payload_hash: PayloadHash::OfBody,
        }
    }

    #[test]
    fn has_six_parts_and_no_newline_at_its_end() {
        let mut text = String::new();
        let body = PayloadDigest::of(b"");
        request(Some("b=1&a"), "d").write_to(Some(&body), &mut text);
        assert_eq!(
            text,
            format!("GET\n/a%20b\na=&b=1\nhost:h\nx-amz-date:d\n\nhost;x-amz-date\n{body}")
        );
    }

    #[test]
    fn gathering_changes_no_byte_at_any_length() {
        let digest = PayloadDigest::of(b"");
        for (payload_hash, body) in [
            (PayloadHash::OfBody, Some(&digest)),
            (PayloadHash::OfBody, None),
            (PayloadHash::Sha256(digest), None),
            (PayloadHash::Unsigned, None),
        ] {
            for len in (0..2500).step_by(11).chain(900..1100) {
                let long = "v".repeat(len);
                let request = CanonicalRequest {
                    payload_hash,
                    ..request(None, &long)
                };
                let mut text = String::new();
                request.write_to(body, &mut text);
                let found = request.head_hash().finish(body);
                assert_eq!(found, <[u8; 32]>::from(Sha256::digest(&text)), "{len}");
                let listed = CanonicalRequest {
                    signed_headers: Some("host;x-amz-date"),
                    ..request
                };
                let found = listed.head_hash().finish(body);
                assert_eq!(found, <[u8; 32]>::from(Sha256::digest(&text)), "{len}");
            }
        }
    }
}
