use std::fmt;

use super::verified::{Proven, Verified};
use crate::{
    error::Rejection,
    key::KeyId,
    payload::{DeclaredPayload, PayloadCheck},
    replay::ReplayKey,
};

/// An [`AuthenticatedHead`](crate::AuthenticatedHead) that borrows nothing. The body is still to come.
///
/// It is what is kept of a request while its body arrives: smaller than what it was read into, and free to move.
pub struct DetachedHead {
    pub(super) proven: Proven,
    pub(super) payload: PayloadCheck<DeclaredPayload>,
}

impl DetachedHead {
    /// The caller, as its key record names it.
    pub fn caller(&self) -> &KeyId {
        &self.proven.caller
    }

    /// The replay identity of the request, or `None` if it carries no covered nonce.
    ///
    /// See [`ReplayKey::new`] for `audience`.
    pub fn replay_key(&self, audience: &str) -> Option<ReplayKey> {
        self.proven.replay_key(audience)
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
        let proven = self.proven;
        match self.payload.finish() {
            Ok(body) => Ok(proven.with(body)),
            Err(rejection) => Err(rejection.of(proven.caller)),
        }
    }
}

impl fmt::Debug for DetachedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedHead")
            .field("caller", &self.proven.caller)
            .finish_non_exhaustive()
    }
}
