use std::fmt;

use hmac::digest::{CtOutput, OutputSizeUser};
use sha2::{Digest, Sha256, Sha512};

use super::{DeclaredPayload, PayloadDigest};
use crate::{
    error::{Rejection, RejectionKind},
    verify::BodyState,
};

/// The check of a body that arrives in pieces against what its head declared.
#[derive(Clone)]
pub(crate) struct PayloadCheck {
    sha256: Option<(Sha256, PayloadDigest)>,
    sha512: Option<Box<(Sha512, [u8; 64])>>,
}

impl PayloadCheck {
    pub(crate) fn new(declared: &DeclaredPayload) -> Self {
        let (sha256, sha512) = match declared {
            DeclaredPayload::Sha256(digest) => (Some(*digest), None),
            DeclaredPayload::ContentDigest { sha256, sha512 } => (*sha256, sha512.as_deref()),
            DeclaredPayload::Unsigned => (None, None),
        };
        Self {
            sha256: sha256.map(|expected| (Sha256::new(), expected)),
            sha512: sha512.map(|expected| Box::new((Sha512::new(), *expected))),
        }
    }

    /// The SHA-256 that the body must have, if one was declared.
    pub(crate) fn expected(&self) -> Option<PayloadDigest> {
        self.sha256.as_ref().map(|(_, expected)| *expected)
    }

    pub(crate) fn update(&mut self, chunk: &[u8]) {
        if let Some((hash, _)) = &mut self.sha256 {
            hash.update(chunk);
        }
        if let Some(check) = &mut self.sha512 {
            check.0.update(chunk);
        }
    }

    /// Compares in constant time: how much of a guessed digest was right is nobody's business. Every digest that was
    /// declared must match.
    pub(crate) fn finish(self) -> Result<BodyState, Rejection> {
        let mut state = BodyState::Unsigned;
        if let Some(check) = self.sha512 {
            let (hash, expected) = *check;
            ensure_equal::<Sha512>(
                &CtOutput::new(hash.finalize()),
                &CtOutput::new(expected.into()),
            )?;
            state = BodyState::Signed;
        }
        if let Some((hash, expected)) = self.sha256 {
            let declared = CtOutput::new((*expected.as_bytes()).into());
            ensure_equal::<Sha256>(&CtOutput::new(hash.finalize()), &declared)?;
            state = BodyState::Verified(expected);
        }
        Ok(state)
    }
}

fn ensure_equal<D: OutputSizeUser>(
    actual: &CtOutput<D>,
    declared: &CtOutput<D>,
) -> Result<(), Rejection> {
    if actual == declared {
        Ok(())
    } else {
        Err(Rejection::new(
            RejectionKind::BodyMismatch,
            "the body is not the one whose hash was signed",
        ))
    }
}

impl fmt::Debug for PayloadCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayloadCheck")
            .field("expected", &self.expected())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(body: &[u8]) -> [DeclaredPayload; 4] {
        let sha256 = PayloadDigest::of(body);
        let sha512: Box<[u8; 64]> = Box::new(Sha512::digest(body).into());
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
    fn pieces_and_the_whole_have_one_digest() {
        let body: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for declared in declared(&body) {
            for size in [1, 7, 64, 999, 1000] {
                let chunks: Vec<_> = body.chunks(size).collect();
                assert!(finish(&declared, &chunks).is_ok(), "{declared:?} {size}");
            }
        }
    }

    /// Source: CVE-2026-26275 (httpsig-hyper compared the digest with a pattern that always matched).
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
        let sha512: Option<Box<[u8; 64]>> = Some(Box::new(Sha512::digest(body).into()));
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
    fn what_was_not_declared_is_said_to_be_unsigned() {
        let found = finish(&DeclaredPayload::Unsigned, &[b"anything"]);
        assert_eq!(found, Ok(BodyState::Unsigned));
    }
}
