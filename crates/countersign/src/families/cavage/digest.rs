//! `Digest` (RFC 3230 section 4.3.2): digests of the body as sent, each after its algorithm.
//!
//! ```text
//! digests = digest *( OWS "," OWS digest )
//! digest  = algorithm "=" value
//! Digest: SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
//! ```
//!
//! The RFC gives the case of an algorithm no meaning, and SHA-256 and SHA-512 padded Base64 (RFC
//! 5843 section 2).

use base64ct::{Base64, Encoding as _};
use http::HeaderValue;

use super::DIGEST;
use crate::{
    error::{Rejection, RejectionKind, SignError, SignErrorKind},
    payload::{DeclaredPayload, PayloadDigest},
};

/// Parses the joined lines of the header. Every digest in a known algorithm (SHA-256, SHA-512) must
/// match the body. Ignores digests in other algorithms, and at least one known digest must be
/// present.
pub(super) fn parse(value: &str) -> Result<DeclaredPayload, Rejection> {
    let malformed = |problem| Rejection::header(RejectionKind::Malformed, &DIGEST, problem);
    let mut sha256: Option<[u8; 32]> = None;
    let mut sha512: Option<Box<[u8; 64]>> = None;
    for digest in value.split(',') {
        let digest = digest.trim_matches([' ', '\t']);
        let (algorithm, text) = digest
            .split_once('=')
            .filter(|(algorithm, _)| !algorithm.is_empty())
            .ok_or_else(|| malformed("expected algorithm=digest, found something else"))?;
        let is_again = if algorithm.eq_ignore_ascii_case("sha-256") {
            let mut bytes = [0; 32];
            decode(text, &mut bytes).ok_or_else(|| malformed(NO_DIGEST))?;
            sha256.replace(bytes).is_some()
        } else if algorithm.eq_ignore_ascii_case("sha-512") {
            let mut bytes = [0; 64];
            decode(text, &mut bytes).ok_or_else(|| malformed(NO_DIGEST))?;
            sha512.replace(Box::new(bytes)).is_some()
        } else {
            false
        };
        if is_again {
            return Err(malformed("expected each algorithm once, found one twice"));
        }
    }
    if sha256.is_none() && sha512.is_none() {
        return Err(malformed("expected SHA-256 or SHA-512, found neither"));
    }
    Ok(DeclaredPayload::ContentDigest {
        sha256: sha256.map(PayloadDigest::from_bytes),
        sha512,
    })
}

const NO_DIGEST: &str = "expected the padded Base64 of a digest, found something else";

/// Decodes Base64 of exactly this number of bytes.
fn decode(text: &str, into: &mut [u8]) -> Option<()> {
    let len = into.len();
    let decoded = Base64::decode(text, into).ok()?;
    (decoded.len() == len).then_some(())
}

/// Returns the header value for this digest.
pub(super) fn format(digest: PayloadDigest) -> Result<HeaderValue, SignError> {
    let text = ["SHA-256=", &Base64::encode_string(digest.as_bytes())].concat();
    HeaderValue::try_from(text)
        .map_err(|_| SignError::new(SignErrorKind::Header, "the digest is no header value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: RFC 3230 has no SHA-256; that of the empty body is in RFC 9530 section 6.1.
    const EMPTY: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    fn digests(value: &str) -> Option<[bool; 2]> {
        match parse(value).ok()? {
            DeclaredPayload::ContentDigest { sha256, sha512 } => {
                assert!(sha256.is_none_or(|sha256| sha256 == PayloadDigest::OF_NOTHING));
                Some([sha256.is_some(), sha512.is_some()])
            }
            _ => None,
        }
    }

    #[test]
    fn reads_every_known_digest() {
        let sha512 = Base64::encode_string(&[7; 64]);
        for (value, expected) in [
            (format!("SHA-256={EMPTY}"), [true, false]),
            (format!("sha-256={EMPTY}"), [true, false]),
            (format!("SHA-512={sha512}"), [false, true]),
            (format!("SHA-256={EMPTY},SHA-512={sha512}"), [true, true]),
            (format!("md5=x==, SHA-256={EMPTY}"), [true, false]),
            (format!("unknown=,\tSHA-256={EMPTY}"), [true, false]),
        ] {
            assert_eq!(digests(&value), Some(expected), "{value}");
        }
        assert_eq!(
            digests(format(PayloadDigest::OF_NOTHING).unwrap().to_str().unwrap()),
            Some([true, false])
        );
    }

    #[test]
    fn refuses_everything_else() {
        for value in [
            String::new(),
            "SHA-256".to_owned(),
            "SHA-256=".to_owned(),
            EMPTY.to_owned(),
            format!("={EMPTY}"),
            "MD5=HUXZLQLMuI/KZ5KDcJPcOA==".to_owned(),
            format!("SHA-256={}", EMPTY.trim_end_matches('=')),
            format!("SHA-256={EMPTY}="),
            format!("SHA-256=:{EMPTY}:"),
            format!("SHA-256 ={EMPTY}"),
            format!("SHA-256={EMPTY},"),
            format!("SHA-256={EMPTY},SHA-256={EMPTY}"),
            format!("SHA-256={EMPTY},sha-256={EMPTY}"),
            format!("SHA-512={EMPTY}"),
            format!("SHA-256={}", Base64::encode_string(&[0; 64])),
            format!("SHA-256={}", EMPTY.replace('+', "-")),
            format!("SHA-256={}", EMPTY.replace("U=", "V=")),
        ] {
            assert_eq!(digests(&value), None, "{value}");
        }
    }
}
