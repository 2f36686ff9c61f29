use std::fmt;

use super::{
    detached_head::DetachedHead,
    evidence::Evidence,
    verified::{Proven, Verified},
};
use crate::{
    error::Rejection,
    families::ParsedHead,
    key::CallerKey,
    key_id::KeyId,
    key_version::KeyVersion,
    payload::{DeclaredPayload, PayloadCheck, PayloadDigest},
    replay::ReplayKey,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// A head whose signature matched. The body is still to come.
///
/// Feed every byte of the body to [`update`](Self::update) as it arrives, then [`finish`](Self::finish). Nothing here
/// needs the body in memory.
pub struct AuthenticatedHead<'c, 'r> {
    pub(super) parsed: &'c ParsedHead<'r>,
    pub(super) caller: &'c KeyId,
    pub(super) key: &'c CallerKey,
    pub(super) payload: PayloadCheck<&'c DeclaredPayload>,
    pub(super) evidence: Option<Box<Evidence>>,
}

impl AuthenticatedHead<'_, '_> {
    /// The caller, as its key record names it.
    pub fn caller(&self) -> &KeyId {
        self.caller
    }

    /// Which of the caller's keys matched.
    pub fn key_version(&self) -> &KeyVersion {
        self.key.version()
    }

    /// The scheme of the signature.
    pub fn scheme(&self) -> Scheme {
        self.parsed.scheme
    }

    /// The signed date.
    pub fn signed_at(&self) -> Timestamp {
        self.parsed.date.signed_at()
    }

    /// The SHA-256 that the body must have; `None` if the signature is over another digest of it, or over none.
    pub fn expected_digest(&self) -> Option<PayloadDigest> {
        self.payload.expected()
    }

    /// The replay identity of the request, or `None` if it carries no covered nonce.
    ///
    /// See [`ReplayKey::new`] for `audience`.
    pub fn replay_key(&self, audience: &str) -> Option<ReplayKey> {
        let identity = self.parsed.replay?;
        Some(identity.key(audience, self.caller.as_str()))
    }

    /// Takes the next bytes of the body, exactly as they arrived.
    pub fn update(&mut self, chunk: &[u8]) {
        self.payload.update(chunk);
    }

    /// Ends the body and compares its digest with the signed one, in constant time.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::BodyMismatch`](crate::RejectionKind::BodyMismatch) if they differ, with the caller as
    /// [`proven_caller`](Rejection::proven_caller).
    pub fn finish(self) -> Result<Verified, Rejection> {
        let body = self.payload.finish();
        let body = body.map_err(|rejection| rejection.of(self.caller.clone()))?;
        Ok(Proven::new(self.caller, self.key, self.parsed, self.evidence).with(body))
    }

    /// The same, without the borrow of the request's head and of the keys: for whoever may have to wait for the body, and
    /// would keep the whole [`UnverifiedHead`](crate::UnverifiedHead) meanwhile.
    pub fn detach(self) -> DetachedHead {
        DetachedHead {
            proven: Proven::new(self.caller, self.key, self.parsed, self.evidence),
            payload: self.payload.detach(),
        }
    }
}

impl fmt::Debug for AuthenticatedHead<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticatedHead")
            .field("caller", &self.caller)
            .field("key_version", self.key.version())
            .field("scheme", &self.parsed.scheme)
            .finish_non_exhaustive()
    }
}
