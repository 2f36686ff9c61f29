use std::{fmt, sync::Arc};

use super::{
    content_check::ContentCheck, detached_head::DetachedHead, evidence::Evidence,
    head_verified::HeadVerified, verified::Verified,
};
use crate::{
    error::Rejection,
    families::ParsedHead,
    key::{CallerKey, SigningKey},
    key_id::KeyId,
    key_version::KeyVersion,
    payload::{DeclaredPayload, PayloadDigest},
    replay::ReplayKey,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// A head whose signature matched. The body is not yet checked.
///
/// Feed every byte of the body to [`update`](Self::update) as it arrives, then call
/// [`finish`](Self::finish). The body need not be in memory.
pub struct AuthenticatedHead<'c, 'r> {
    pub(super) parsed: &'c ParsedHead<'r>,
    pub(super) caller: &'c KeyId,
    pub(super) key: &'c CallerKey,
    pub(super) payload: ContentCheck<&'c DeclaredPayload>,
    pub(super) evidence: Option<Box<Evidence>>,
}

impl AuthenticatedHead<'_, '_> {
    /// Returns the caller's name from its key record.
    pub fn caller(&self) -> &KeyId {
        self.caller
    }

    /// Returns the version of the caller's key that matched.
    pub fn key_version(&self) -> &KeyVersion {
        self.key.version()
    }

    /// Returns the key that signs the response. See [`VerifyingKey::response_signing_key`].
    ///
    /// [`VerifyingKey::response_signing_key`]: crate::VerifyingKey::response_signing_key
    pub fn response_signing_key(&self) -> Option<Arc<SigningKey>> {
        self.key.verifying_key().response_signing_key()
    }

    /// Returns the scheme of the signature.
    pub fn scheme(&self) -> Scheme {
        self.parsed.scheme
    }

    /// Returns the signed date.
    pub fn signed_at(&self) -> Timestamp {
        self.parsed.date.signed_at()
    }

    /// Returns the SHA-256 that the body must have. `None` if the signature covers another digest
    /// of the body, or no digest.
    pub fn expected_digest(&self) -> Option<PayloadDigest> {
        self.payload.expected()
    }

    /// Returns the replay identity of the request, or `None` if no covered nonce is present.
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

    /// Ends the body and compares its digest with the signed one in constant time.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::BodyMismatch`](crate::RejectionKind::BodyMismatch) if the digests differ.
    /// The rejection names the caller as [`proven_caller`](Rejection::proven_caller).
    pub fn finish(self) -> Result<Verified, Rejection> {
        let body = self.payload.finish();
        let body = body.map_err(|rejection| rejection.of(self.caller.clone()))?;
        Ok(HeadVerified::new(self.caller, self.key, self.parsed, self.evidence).with(body))
    }

    /// Drops the borrows of the request head and of the keys.
    ///
    /// Use this to wait for the body without keeping the whole
    /// [`UnverifiedHead`](crate::UnverifiedHead) in memory.
    pub fn detach(self) -> DetachedHead {
        DetachedHead {
            head: HeadVerified::new(self.caller, self.key, self.parsed, self.evidence),
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
