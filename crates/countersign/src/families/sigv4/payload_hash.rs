//! The last line of the canonical request: the payload hash.
//!
//! | `x-amz-content-sha256` | meaning |
//! |---|---|
//! | 64 lower-case hexadecimal digits | the SHA-256 of the body |
//! | absent | the SHA-256 of the body, known only after reading it |
//! | `UNSIGNED-PAYLOAD` | the body is not signed; refused by default |
//! | `STREAMING-…` | chunks, signed one by one or not at all; refused by default |
//! | anything else | refused |

#[cfg(feature = "sigv4-chunked")]
use super::chunked::ChunkMode;
use crate::{
    error::{Escaped, Reason, reason},
    payload::PayloadDigest,
    wire::{
        Sink,
        hex::{self, Letters},
    },
};

/// The SHA-256 of nothing.
#[cfg(feature = "sigv4-chunked")]
pub(super) const EMPTY_SHA256: &str =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(super) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The declaration of a head about the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PayloadHash {
    /// Its SHA-256.
    Sha256(PayloadDigest),
    /// Nothing; the line holds the computed SHA-256.
    OfBody,
    /// `UNSIGNED-PAYLOAD`: the body is not signed.
    Unsigned,
    /// Chunks, signed one by one or not at all.
    #[cfg(feature = "sigv4-chunked")]
    Chunked(ChunkMode),
}

impl PayloadHash {
    /// Parses the value of `x-amz-content-sha256`.
    pub(super) fn parse(text: &str) -> Result<Self, Reason> {
        #[cfg(feature = "sigv4-chunked")]
        if let Some(mode) = ChunkMode::parse(text) {
            return Ok(Self::Chunked(mode));
        }
        if text == UNSIGNED_PAYLOAD {
            Ok(Self::Unsigned)
        } else if let Some(digest) = hex::decode(text, Letters::Lower) {
            Ok(Self::Sha256(PayloadDigest::from_bytes(digest)))
        } else if text.starts_with("STREAMING-") {
            Err(reason!(
                "x-amz-content-sha256: expected the hash of the whole body, found {}",
                Escaped::text(text)
            ))
        } else {
            Err(reason!(
                "x-amz-content-sha256: expected 64 lower-case hexadecimal digits or \
                 UNSIGNED-PAYLOAD, found {} characters, {} of them no such digits",
                text.len(),
                hex::others(text)
            ))
        }
    }

    /// Writes the line. `body` is the digest of the body, used if the head declares none.
    pub(super) fn write_to(self, body: Option<&PayloadDigest>, sink: &mut impl Sink) {
        match (self, body) {
            (Self::Unsigned, _) => sink.write(UNSIGNED_PAYLOAD),
            #[cfg(feature = "sigv4-chunked")]
            (Self::Chunked(mode), _) => sink.write(mode.as_str()),
            (Self::Sha256(digest), _) => write_hex(&digest, sink),
            (Self::OfBody, Some(digest)) => write_hex(digest, sink),
            // An empty line is no hash: a signature over it matches no request.
            (Self::OfBody, None) => {}
        }
    }
}

fn write_hex(digest: &PayloadDigest, sink: &mut impl Sink) {
    let mut digits = [0; 64];
    // Invariant: 32 bytes have 64 digits.
    sink.write(base16ct::lower::encode_str(digest.as_bytes(), &mut digits).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn reads_a_hash_or_that_there_is_none() {
        let digest = PayloadDigest::of(b"");
        assert_eq!(PayloadHash::parse(EMPTY), Ok(PayloadHash::Sha256(digest)));
        assert_eq!(
            PayloadHash::parse("UNSIGNED-PAYLOAD"),
            Ok(PayloadHash::Unsigned)
        );
        assert_eq!(digest.to_string(), EMPTY);
    }

    /// Source: CVE-2026-40344 (MinIO), NVIDIA/OpenShell#1638: an unknown literal counted as an
    /// unsigned payload.
    #[test]
    fn refuses_every_other_literal() {
        for text in [
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
            "STREAMING-",
            "streaming-unsigned-payload-trailer",
            "",
            "unsigned-payload",
            "UNSIGNED-PAYLOAD ",
            "UNSIGNED-PAYLOADS",
            "required",
            "My-Generated-Body-Hash",
            &EMPTY[1..],
            &format!("{EMPTY}0"),
            &EMPTY.to_uppercase(),
        ] {
            #[cfg(feature = "sigv4-chunked")]
            if ChunkMode::parse(text).is_some() {
                // The settings decide on these.
                continue;
            }
            let problem = PayloadHash::parse(text).unwrap_err();
            assert_eq!(
                problem.to_string().contains("STREAMING-"),
                text.starts_with("STREAMING-"),
                "{text}"
            );
        }
    }

    #[test]
    fn writes_what_is_signed_of_the_body() {
        let digest = PayloadDigest::of(b"a");
        for (hash, body, expected) in [
            (
                PayloadHash::Sha256(PayloadDigest::of(b"")),
                Some(&digest),
                EMPTY.to_owned(),
            ),
            (PayloadHash::OfBody, Some(&digest), digest.to_string()),
            (PayloadHash::OfBody, None, String::new()),
            (
                PayloadHash::Unsigned,
                Some(&digest),
                UNSIGNED_PAYLOAD.to_owned(),
            ),
        ] {
            let mut text = String::new();
            hash.write_to(body, &mut text);
            assert_eq!(text, expected);
        }
    }
}
