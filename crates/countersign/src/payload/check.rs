use std::{borrow::Borrow, fmt};

use super::{BodyState, DeclaredPayload, PayloadDigest};
use crate::{
    crypto::{sha256::Sha256, sha512::Sha512},
    error::{Rejection, RejectionKind, reason},
};

/// Checks a body that arrives in pieces against the digest that its head declared.
///
/// Creates a hash in place with the first piece, because hashes are large to move and wiped on
/// drop.
///
/// `D` is the declared digest, or a borrow of it.
#[derive(Clone)]
pub(crate) struct PayloadCheck<D> {
    declared: D,
    sha256: Option<Sha256>,
    sha512: Option<Box<Sha512>>,
    /// The length so far in bytes.
    bytes: u64,
}

impl PayloadCheck<&DeclaredPayload> {
    /// Drops the borrow.
    pub(crate) fn detach(self) -> PayloadCheck<DeclaredPayload> {
        PayloadCheck {
            declared: self.declared.clone(),
            sha256: self.sha256,
            sha512: self.sha512,
            bytes: self.bytes,
        }
    }
}

impl<D: Borrow<DeclaredPayload>> PayloadCheck<D> {
    pub(crate) fn new(declared: D) -> Self {
        Self {
            declared,
            sha256: None,
            sha512: None,
            bytes: 0,
        }
    }

    /// Returns the SHA-256 that the body must have, if declared.
    pub(crate) fn expected(&self) -> Option<PayloadDigest> {
        self.declared.borrow().sha256()
    }

    #[inline]
    pub(crate) fn update(&mut self, chunk: &[u8]) {
        let bytes = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.declared.borrow().sha256().is_some() {
            self.sha256.get_or_insert_default().update(chunk);
        }
        if self.declared.borrow().sha512().is_some() {
            self.sha512.get_or_insert_default().update(chunk);
        }
    }

    /// Compares in constant time, to hide how many bytes of a guess were right. Every declared
    /// digest must match. Without a piece, uses the digest of the empty body.
    #[inline]
    pub(crate) fn finish(self) -> Result<BodyState, Rejection> {
        let mut state = BodyState::Unsigned;
        if let Some(expected) = self.declared.borrow().sha512() {
            if !self.sha512.unwrap_or_default().verify(expected) {
                return Err(mismatch("SHA-512", self.bytes));
            }
            state = BodyState::Signed;
        }
        if let Some(expected) = self.declared.borrow().sha256() {
            if !self.sha256.unwrap_or_default().verify(expected.as_bytes()) {
                return Err(match expected {
                    PayloadDigest::OF_NOTHING => not_empty(self.bytes),
                    _ => mismatch("SHA-256", self.bytes),
                });
            }
            state = BodyState::Verified(expected);
        }
        Ok(state)
    }
}

/// Returns the rejection of a body that should be empty.
#[cold]
fn not_empty(bytes: u64) -> Rejection {
    Rejection::because(
        RejectionKind::BodyMismatch,
        reason!("body: expected none, found one of {} bytes", bytes),
    )
}

#[cold]
fn mismatch(algorithm: &'static str, bytes: u64) -> Rejection {
    Rejection::because(
        RejectionKind::BodyMismatch,
        reason!(
            "body: expected the one whose {} was signed, found another one of {} bytes",
            algorithm,
            bytes
        ),
    )
}

impl<D: Borrow<DeclaredPayload>> fmt::Debug for PayloadCheck<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayloadCheck")
            .field("expected", &self.expected())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sha512;

    fn declared(body: &[u8]) -> [DeclaredPayload; 4] {
        let sha256 = PayloadDigest::of(body);
        let sha512: Box<[u8; 64]> = Box::new(sha512::digest(body));
        [
            DeclaredPayload::Sha256(sha256),
            DeclaredPayload::ContentDigest {
                sha256: Some(sha256),
                sha512: None,
            },
            DeclaredPayload::ContentDigest {
                sha256: None,
                sha512: Some(sha512.clone()),
            },
            DeclaredPayload::ContentDigest {
                sha256: Some(sha256),
                sha512: Some(sha512),
            },
        ]
    }

    fn finish(declared: &DeclaredPayload, chunks: &[&[u8]]) -> Result<BodyState, RejectionKind> {
        let mut check = PayloadCheck::new(declared);
        for chunk in chunks {
            check.update(chunk);
        }
        check.finish().map_err(|rejection| rejection.kind())
    }

    #[test]
    fn a_check_that_is_detached_between_two_pieces_goes_on_where_it_was() {
        for declared in declared(b"body") {
            for (rest, expected) in [("dy", true), ("dx", false), ("body", false)] {
                let mut check = PayloadCheck::new(&declared);
                check.update(b"bo");
                let mut check = check.detach();
                check.update(rest.as_bytes());
                assert_eq!(check.finish().is_ok(), expected, "{declared:?}: {rest}");
            }
        }
    }

    #[test]
    fn pieces_and_the_whole_have_one_digest() {
        let body: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for declared in declared(&body) {
            for size in [1, 7, 64, 999, 1000] {
                let chunks: Vec<_> = body.chunks(size).collect();
                assert!(finish(&declared, &chunks).is_ok(), "{declared:?} {size}");
            }
        }
    }

    /// Source: CVE-2026-26275 (httpsig-hyper compared the digest with a pattern that always
    /// matched).
    #[test]
    fn refuses_a_body_that_differs_in_one_bit_or_in_length() {
        let body = b"{\"userId\":123}";
        let mut flipped = *body;
        flipped[3] ^= 1;
        for declared in declared(body) {
            for other in [&flipped[..], &body[..13], b"{\"userId\":123}\n", b""] {
                assert_eq!(
                    finish(&declared, &[other]),
                    Err(RejectionKind::BodyMismatch),
                    "{declared:?}"
                );
            }
        }
    }

    #[test]
    fn refuses_a_body_that_only_one_of_two_digests_is_of() {
        let body = b"body";
        let sha256 = Some(PayloadDigest::of(body));
        let sha512: Option<Box<[u8; 64]>> = Some(Box::new(sha512::digest(body)));
        for declared in [
            DeclaredPayload::ContentDigest {
                sha256,
                sha512: Some(Box::new([0; 64])),
            },
            DeclaredPayload::ContentDigest {
                sha256: Some(PayloadDigest::of(b"other")),
                sha512,
            },
        ] {
            let found = finish(&declared, &[body]);
            assert_eq!(found, Err(RejectionKind::BodyMismatch), "{declared:?}");
        }
    }

    #[test]
    fn no_piece_at_all_is_an_empty_body() {
        for (empty, other) in declared(b"").iter().zip(&declared(b"body")) {
            assert!(finish(empty, &[]).is_ok(), "{empty:?}");
            let found = finish(other, &[]);
            assert_eq!(found, Err(RejectionKind::BodyMismatch), "{other:?}");
        }
    }

    #[test]
    fn what_was_not_declared_is_said_to_be_unsigned() {
        let found = finish(&DeclaredPayload::Unsigned, &[b"anything"]);
        assert_eq!(found, Ok(BodyState::Unsigned));
    }
}
