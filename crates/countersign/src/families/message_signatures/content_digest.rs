//! `Content-Digest` (RFC 9530 section 2): a dictionary of digests of the body as sent, keyed by
//! algorithm.
//!
//! ```text
//! Content-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:
//! ```

use http::HeaderValue;
use sfv::{
    BareItemFromInput, KeyRef, Parser,
    visitor::{DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, Never},
};

use super::{
    CONTENT_DIGEST, base64url_bytes,
    rules::Bytes,
    serialized,
    structured_field::{Unreadable, byte_sequence, lines},
};
use crate::{
    error::{Rejection, RejectionKind, SignError, SignErrorKind},
    head::HeadLimits,
    payload::{DeclaredPayload, PayloadDigest},
};

/// Parses the field. Every digest in a known algorithm (SHA-256, SHA-512) must match the body.
/// Ignores digests in other algorithms, and at least one known digest must be present. The
/// deprecated algorithms (`md5`, `sha`, `unixsum` and others) never suffice.
pub(super) fn parse(
    field: &[&HeaderValue],
    limits: &HeadLimits,
    form: Bytes,
) -> Result<DeclaredPayload, Rejection> {
    let malformed = |problem| Rejection::header(RejectionKind::Malformed, &CONTENT_DIGEST, problem);
    let mut digests = Digests::default();
    for line in lines(field, &CONTENT_DIGEST, limits.covered_value_bytes) {
        let line = line?;
        let rewritten;
        let line = match form {
            Bytes::Base64 => line,
            Bytes::Base64Url => {
                let in_base64 = base64url_bytes::to_base64(line);
                rewritten = in_base64
                    .ok_or_else(|| malformed("expected unpadded base64url, found more"))?;
                &rewritten
            }
        };
        let mut bytes = [0; 32];
        if let Digests { sha256: None, .. } = digests
            && let Some(("sha-256", read)) = serialized::byte_sequence(line, &mut bytes)
            && read.len() == 32
        {
            digests.sha256 = Some(PayloadDigest::from_bytes(bytes));
            continue;
        }
        Parser::new(line)
            .parse_dictionary_with_visitor(&mut digests)
            .map_err(|_| {
                malformed("expected a dictionary of digests, each once, found something else")
            })?;
    }
    match digests {
        Digests {
            sha256: None,
            sha512: None,
        } => Err(malformed("expected sha-256 or sha-512, found neither")),
        Digests { sha256, sha512 } => Ok(DeclaredPayload::ContentDigest { sha256, sha512 }),
    }
}

/// Returns the field value for this digest.
pub(super) fn format(digest: PayloadDigest, form: Bytes) -> Result<HeaderValue, SignError> {
    byte_sequence(["sha-256", "="], digest.as_bytes(), form)
        .and_then(|text| HeaderValue::try_from(text).ok())
        .ok_or_else(|| {
            let problem = "the content digest is no header value";
            SignError::new(SignErrorKind::Header, problem)
        })
}

#[derive(Debug, Default)]
struct Digests {
    sha256: Option<PayloadDigest>,
    sha512: Option<Box<[u8; 64]>>,
}

impl<'de> DictionaryVisitor<'de> for &mut Digests {
    type Out = ();
    type Error = Unreadable;

    fn entry(&mut self, algorithm: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Self::Error> {
        // Of a repeated name, the last would count (RFC 9651 section 4.2.2), while other readers
        // take the first.
        match (algorithm.as_str(), &self.sha256, &self.sha512) {
            ("sha-256", None, _) => Ok(Some(Digest::Sha256(&mut self.sha256))),
            ("sha-512", _, None) => Ok(Some(Digest::Sha512(&mut self.sha512))),
            ("sha-256" | "sha-512", _, _) => Err(Unreadable),
            _ => Ok(None),
        }
    }

    fn finish(self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Returns the slot for the digest of a known algorithm.
enum Digest<'v> {
    Sha256(&'v mut Option<PayloadDigest>),
    Sha512(&'v mut Option<Box<[u8; 64]>>),
}

impl<'de> EntryVisitor<'de> for Digest<'_> {
    type Error = Unreadable;

    fn item(self) -> Result<impl ItemVisitor<'de>, Self::Error> {
        Ok(move |item: BareItemFromInput<'de>| {
            let BareItemFromInput::ByteSequence(bytes) = item else {
                return Err(Unreadable);
            };
            match self {
                Self::Sha256(into) => {
                    let bytes = bytes.as_slice().try_into().map_err(|_| Unreadable)?;
                    *into = Some(PayloadDigest::from_bytes(bytes));
                }
                Self::Sha512(into) => {
                    *into = Some(Box::new(
                        bytes.as_slice().try_into().map_err(|_| Unreadable)?,
                    ));
                }
            }
            Ok(Ignored)
        })
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Self::Error> {
        Err::<Never, _>(Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256: &str = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
    const SHA512: &str = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+\
         TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
    const MD5: &str = "md5=:Sd/dVLAcvNLSq16eXua5uQ==:";

    fn read(values: &[&str]) -> Option<(bool, bool)> {
        let value = |value: &&str| HeaderValue::from_str(value).unwrap();
        let values: Vec<_> = values.iter().map(value).collect();
        let values: Vec<_> = values.iter().collect();
        match parse(&values, &HeadLimits::default(), Bytes::Base64) {
            Ok(DeclaredPayload::ContentDigest { sha256, sha512 }) => {
                Some((sha256.is_some(), sha512.is_some()))
            }
            Ok(DeclaredPayload::Sha256(_) | DeclaredPayload::Unsigned) | Err(_) => None,
        }
    }

    #[test]
    fn a_digest_is_taken_once_whichever_parser_reads_it() {
        let spaced = format!(" {SHA256}");
        assert_eq!(read(&[SHA256]), Some((true, false)));
        assert_eq!(read(&[&spaced]), Some((true, false)));
        for values in [[SHA256, SHA256], [SHA256, &spaced], [&spaced, SHA256]] {
            assert_eq!(read(&values), None, "{values:?}");
        }
        // 31 bytes.
        let short = format!("sha-256=:{}==:", "A".repeat(42));
        assert_eq!(read(&[&short]), None);
    }

    #[test]
    fn reads_the_algorithms_it_knows_and_passes_over_the_others() {
        for (name, values, expected) in [
            ("SHA-256", &[SHA256][..], (true, false)),
            ("SHA-512", &[SHA512], (false, true)),
            ("both", &[&format!("{SHA256}, {SHA512}")], (true, true)),
            ("both on two lines", &[SHA512, SHA256], (true, true)),
            ("an unknown one beside", &[MD5, SHA256], (true, false)),
            ("an unknown one twice", &[MD5, MD5, SHA256], (true, false)),
            ("a parameter", &[&format!("{SHA256};x=1")], (true, false)),
        ] {
            assert_eq!(read(values), Some(expected), "{name}");
        }
    }

    #[test]
    fn refuses_what_holds_no_digest_or_two_of_one_kind() {
        for (name, values) in [
            ("nothing", &[][..]),
            ("an empty line", &[""]),
            ("a deprecated algorithm alone", &[MD5]),
            ("an unknown algorithm alone", &["foo=:AAAA:"]),
            ("SHA-256 twice", &[&format!("{SHA256}, {SHA256}")]),
            ("SHA-512 twice on two lines", &[SHA512, SHA512]),
            ("a short digest", &["sha-256=:c2hvcnQ=:"]),
            (
                "the digest of another algorithm",
                &[&SHA512.replace("512=", "256=")],
            ),
            ("an empty digest", &["sha-256=::"]),
            (
                "no byte sequence",
                &["sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="],
            ),
            (
                "a list",
                &["sha-256=(:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:)"],
            ),
            ("no value", &["sha-256"]),
            (
                "RFC 3230",
                &["SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="],
            ),
            (
                "one wrong beside a right one",
                &[&format!("{SHA256}, sha-512=:AAAA:")],
            ),
        ] {
            assert_eq!(read(values), None, "{name}");
        }
    }

    #[test]
    fn is_written_as_it_is_read() {
        let value = format(PayloadDigest::of(br#"{"hello": "world"}"#), Bytes::Base64).unwrap();
        assert_eq!(value, SHA256);
    }
}
