use std::fmt;

use hmac::digest::CtOutput;
use sha2::{Digest, Sha256};

use super::PayloadDigest;
use crate::error::{Rejection, RejectionKind};

/// The check of a body that arrives in pieces against the digest that its head declared.
#[derive(Clone)]
pub(crate) struct PayloadCheck {
    hash: Sha256,
    expected: PayloadDigest,
}

impl PayloadCheck {
    pub(crate) fn new(expected: PayloadDigest) -> Self {
        Self {
            hash: Sha256::new(),
            expected,
        }
    }

    pub(crate) fn expected(&self) -> PayloadDigest {
        self.expected
    }

    pub(crate) fn update(&mut self, chunk: &[u8]) {
        self.hash.update(chunk);
    }

    /// Compares in constant time: how much of a guessed digest was right is nobody's business.
    pub(crate) fn finish(self) -> Result<PayloadDigest, Rejection> {
        let actual = CtOutput::<Sha256>::new(self.hash.finalize());
        if actual == CtOutput::new((*self.expected.as_bytes()).into()) {
            Ok(self.expected)
        } else {
            Err(Rejection::new(
                RejectionKind::BodyMismatch,
                "the body is not the one whose hash was signed",
            ))
        }
    }
}

impl fmt::Debug for PayloadCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayloadCheck")
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_the_whole_have_one_digest() {
        let body: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for size in [1, 7, 64, 999, 1000] {
            let mut check = PayloadCheck::new(PayloadDigest::of(&body));
            for chunk in body.chunks(size) {
                check.update(chunk);
            }
            assert!(check.finish().is_ok(), "{size}");
        }
    }

    /// Source: CVE-2026-26275 (httpsig-hyper compared the digest with a pattern that always matched).
    #[test]
    fn refuses_a_body_that_differs_in_one_bit_or_in_length() {
        let body = b"{\"userId\":123}";
        let mut flipped = *body;
        flipped[3] ^= 1;
        for other in [&flipped[..], &body[..13], b"{\"userId\":123}\n", b""] {
            let mut check = PayloadCheck::new(PayloadDigest::of(body));
            check.update(other);
            assert_eq!(
                check.finish().unwrap_err().kind(),
                RejectionKind::BodyMismatch
            );
        }
    }
}
