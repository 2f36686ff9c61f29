use std::{fmt, sync::Arc};

use super::{
    body_check::BodyCheck, content_check::ContentCheck, head_verified::HeadVerified,
    verified::Verified,
};
#[cfg(feature = "sigv4-chunked")]
use crate::families::sigv4::ChunkedDecoder;
use crate::{error::Rejection, key_id::KeyId, payload::DeclaredPayload, replay::ReplayKey};

/// An [`AuthenticatedHead`](crate::AuthenticatedHead) that borrows nothing. The body is not yet
/// checked.
///
/// Keep this while the body arrives: smaller than the parsed head, and free to move.
pub struct DetachedHead {
    pub(super) head: HeadVerified,
    pub(super) payload: ContentCheck<DeclaredPayload>,
}

impl DetachedHead {
    /// Returns what the signature over the head proves.
    pub fn head(&self) -> &HeadVerified {
        &self.head
    }

    /// Returns the caller's name from its key record.
    pub fn caller(&self) -> &KeyId {
        self.head.caller()
    }

    /// Returns the replay identity of the request, or `None` if no covered nonce is present.
    ///
    /// See [`ReplayKey::new`] for `audience`.
    pub fn replay_key(&self, audience: &str) -> Option<ReplayKey> {
        self.head.replay_key(audience)
    }

    /// Returns the rejection of a replay:
    /// [`RejectionKind::Replayed`](crate::RejectionKind::Replayed).
    pub fn replayed(&self) -> Rejection {
        self.head.replayed()
    }

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
            Ok(body) => Ok(self.head.with(body)),
            Err(rejection) => Err(rejection.of(self.head.caller)),
        }
    }

    /// Splits the proof of the head from the check of the body, for a receiver that handles a body
    /// while it arrives.
    pub fn into_body_check(self) -> (Arc<HeadVerified>, BodyCheck) {
        let head = Arc::new(self.head);
        let check = BodyCheck {
            head: Arc::clone(&head),
            payload: self.payload,
        };
        (head, check)
    }
}

impl fmt::Debug for DetachedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedHead")
            .field("caller", self.caller())
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
    fn a_head_proves_the_same_detached_or_not_and_shows_its_caller_alone() {
        let key = SigningKey::hmac_sha256(&Secret::generate().unwrap());
        let now = Timestamp::from_unix_seconds(1_767_323_045);
        let request = http::Request::post("http://b/path?query").body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        let signer = Signer::new("a", key.clone(), ["b"]).unwrap();
        let signature = signer.sign(&parts, PayloadDigest::of(b"body"), now);
        signature.unwrap().apply(&mut parts);
        let caller_key = CallerKey::new("1", key.verifying_key()).unwrap();
        let keys = Keyring::builder().caller("a", caller_key).build().unwrap();
        let unverified = Verifier::default().parse(&parts, now).unwrap();
        let keys = keys.try_lookup(unverified.key_id()).unwrap().unwrap();
        let head = || match unverified.authenticate(&keys, now) {
            Ok(Authentication::Head(head)) => head,
            other => panic!("expected a head, found {other:?}"),
        };

        let mut whole = head();
        whole.update(b"body");
        let whole = whole.finish().unwrap();
        let mut begun = head();
        begun.update(b"bo");
        let mut detached = begun.detach();
        detached.update(b"dy");
        assert_eq!(
            format!("{detached:?}"),
            "DetachedHead { caller: KeyId(\"a\"), .. }"
        );
        let replay_key = detached.replay_key("audience");
        assert!(replay_key.is_some());
        assert_eq!(replay_key, head().replay_key("audience"));
        let verified = detached.finish().unwrap();
        assert_eq!(format!("{verified:?}"), format!("{whole:?}"));
        assert_eq!(verified.replay_key("audience"), replay_key);
        assert!(verified.covered_headers().eq(whole.covered_headers()));
        assert_eq!(verified.fresh_until(), whole.fresh_until());

        let mut other = head().detach();
        other.update(b"bodx");
        let rejection = other.finish().unwrap_err();
        assert_eq!(rejection.kind(), RejectionKind::BodyMismatch);
        assert_eq!(rejection.proven_caller(), Some(verified.caller()));
    }
}
