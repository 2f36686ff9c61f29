use std::{fmt, sync::Arc};

use super::{content_check::ContentCheck, head_verified::HeadVerified, verified::Verified};
#[cfg(feature = "sigv4-chunked")]
use crate::families::sigv4::ChunkedDecoder;
use crate::{error::Rejection, payload::DeclaredPayload};

/// The check of a body that is handled while it arrives.
///
/// Feed every byte to [`update`](Self::update) as it arrives, then call [`finish`](Self::finish).
/// Hold back the last bytes until then: a reader must never hold the complete body before its
/// digest matched.
pub struct BodyCheck {
    pub(super) head: Arc<HeadVerified>,
    pub(super) payload: ContentCheck<DeclaredPayload>,
}

impl BodyCheck {
    /// Takes the next bytes of the body, exactly as they arrived.
    pub fn update(&mut self, chunk: &[u8]) {
        self.payload.update(chunk);
    }

    /// Returns the decoder of a chunked body, or `None` for any other body, and if it was returned
    /// before. The receiver then decodes the body, and [`update`](Self::update) takes nothing.
    ///
    /// [`finish`](Self::finish) fails until [`ChunkedDecoder::finish`] has succeeded.
    #[cfg(feature = "sigv4-chunked")]
    pub fn take_decoder(&mut self) -> Option<Box<ChunkedDecoder>> {
        self.payload.take_decoder()
    }

    /// Ends the body and compares its digest with the signed one in constant time.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::BodyMismatch`](crate::RejectionKind::BodyMismatch) if the digests differ.
    /// The rejection names the caller as [`proven_caller`](Rejection::proven_caller).
    pub fn finish(self) -> Result<Verified, Rejection> {
        match self.payload.finish() {
            Ok(body) => Ok(Arc::unwrap_or_clone(self.head).with(body)),
            Err(rejection) => Err(rejection.of(self.head.caller().clone())),
        }
    }
}

impl fmt::Debug for BodyCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyCheck")
            .field("caller", self.head.caller())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Authentication, CallerKey, KeyStore, Keyring, PayloadDigest, RejectionKind, Secret, Signer,
        SigningKey, Timestamp, Verifier,
    };

    #[test]
    fn a_head_is_proven_before_its_body_and_a_request_only_with_it() {
        let key = SigningKey::hmac_sha256(&Secret::generate().unwrap());
        let now = Timestamp::from_unix_seconds(1_767_323_045);
        let request = http::Request::post("http://b/path").body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        let signer = Signer::new("a", key.clone(), ["b"]).unwrap();
        let signature = signer.sign(&parts, PayloadDigest::of(b"body"), now);
        signature.unwrap().apply(&mut parts);
        let caller_key = CallerKey::new("1", key.verifying_key()).unwrap();
        let keys = Keyring::builder().caller("a", caller_key).build().unwrap();
        let unverified = Verifier::default().parse(&parts, now).unwrap();
        let keys = keys.try_lookup(unverified.key_id()).unwrap().unwrap();
        for (name, body, expected) in [
            ("the signed body", &b"body"[..], None),
            ("another body", b"bodx", Some(RejectionKind::BodyMismatch)),
            ("a shorter body", b"bod", Some(RejectionKind::BodyMismatch)),
            ("no body", b"", Some(RejectionKind::BodyMismatch)),
        ] {
            let Ok(Authentication::Head(head)) = unverified.authenticate(&keys, now) else {
                panic!("{name}: expected a head");
            };
            let (head, mut check) = head.detach().into_body_check();
            assert_eq!(head.caller().as_str(), "a", "{name}");
            assert_eq!(
                head.nonce(),
                parts.headers["x-nonce"].to_str().ok(),
                "{name}"
            );
            for byte in body.chunks(1) {
                check.update(byte);
            }
            assert_eq!(
                format!("{check:?}"),
                "BodyCheck { caller: KeyId(\"a\"), .. }"
            );
            match (check.finish(), expected) {
                (Ok(verified), None) => {
                    assert_eq!(
                        format!("{:?}", verified.head()),
                        format!("{head:?}"),
                        "{name}"
                    );
                }
                (Err(rejection), Some(kind)) => {
                    assert_eq!(rejection.kind(), kind, "{name}");
                    assert_eq!(rejection.proven_caller(), Some(head.caller()), "{name}");
                }
                (found, _) => panic!("{name}: found {found:?}"),
            }
        }
    }
}
