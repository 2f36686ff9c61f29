use std::fmt;

use super::{AnswerError, AnswerErrorKind};
use crate::{
    key_id::KeyId,
    key_version::KeyVersion,
    payload::{DeclaredPayload, PayloadCheck},
    timestamp::Timestamp,
};

/// A response whose signature matched. The body is not yet checked.
///
/// Feed every byte of the body to [`update`](Self::update) as it arrives, then call
/// [`finish`](Self::finish). Hold back the last bytes until then.
pub struct AuthenticatedAnswer {
    pub(super) service: KeyId,
    pub(super) key_version: KeyVersion,
    pub(super) signed_at: Timestamp,
    pub(super) clock_offset: Option<i64>,
    pub(super) payload: PayloadCheck<DeclaredPayload>,
}

impl AuthenticatedAnswer {
    /// Returns the name of the service from its key record.
    pub fn service(&self) -> &KeyId {
        &self.service
    }

    /// Returns the version of the service's key that matched.
    pub fn key_version(&self) -> &KeyVersion {
        &self.key_version
    }

    /// Returns the signed date of the response.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// Returns by how many seconds the service's clock is ahead of this one, or behind it if
    /// negative. `None` unless the response is a 401 outside the window that signs its `date`: the
    /// service refused the request because the clocks differ.
    pub fn clock_offset_seconds(&self) -> Option<i64> {
        self.clock_offset
    }

    /// Takes the next bytes of the body, exactly as they arrived.
    pub fn update(&mut self, chunk: &[u8]) {
        self.payload.update(chunk);
    }

    /// Ends the body and compares its digest with the signed one in constant time.
    ///
    /// # Errors
    ///
    /// [`AnswerErrorKind::BodyMismatch`] if the digests differ.
    pub fn finish(self) -> Result<(), AnswerError> {
        match self.payload.finish() {
            Ok(_) => Ok(()),
            Err(rejection) => Err(AnswerError::of(AnswerErrorKind::BodyMismatch, rejection)),
        }
    }
}

impl fmt::Debug for AuthenticatedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticatedAnswer")
            .field("service", &self.service)
            .field("key_version", &self.key_version)
            .field("signed_at", &self.signed_at)
            .finish_non_exhaustive()
    }
}
