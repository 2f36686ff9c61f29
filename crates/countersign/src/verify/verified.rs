use std::fmt;

use super::{evidence::Evidence, head_verified::HeadVerified};
use crate::{
    error::Rejection, families::Coverage, key_id::KeyId, key_version::KeyVersion,
    payload::BodyState, replay::ReplayKey, scheme::Scheme, timestamp::Timestamp,
};

/// A verified request. Only verification can make one.
#[derive(Clone)]
pub struct Verified {
    head: HeadVerified,
    body: BodyState,
}

impl Verified {
    pub(super) fn new(head: HeadVerified, body: BodyState) -> Self {
        Self { head, body }
    }

    /// Returns what the signature over the head proves.
    pub fn head(&self) -> &HeadVerified {
        &self.head
    }

    /// Returns the caller's name from its key record, never a name taken from the message.
    pub fn caller(&self) -> &KeyId {
        self.head.caller()
    }

    /// Returns the version of the caller's key that matched.
    pub fn key_version(&self) -> &KeyVersion {
        self.head.key_version()
    }

    /// Returns the scheme of the signature.
    pub fn scheme(&self) -> Scheme {
        self.head.scheme()
    }

    /// Returns the signed date.
    pub fn signed_at(&self) -> Timestamp {
        self.head.signed_at()
    }

    /// Returns whether the request's authority was one of the verifier's expected hosts.
    ///
    /// `false` if no expected hosts are configured, or if the signature does not cover the
    /// authority. A request that was meant for another service with the same key then verifies here
    /// too.
    pub fn audience_checked(&self) -> bool {
        self.head.audience_checked()
    }

    /// Returns how the body was checked.
    pub fn body(&self) -> BodyState {
        self.body
    }

    /// Returns whether the signature covers the request, a part of the request, or its body alone.
    pub fn coverage(&self) -> Coverage {
        self.head.coverage()
    }

    /// Returns whether the signature is in the URL. Anyone who was given the URL can send the
    /// request, with any uncovered headers.
    pub fn presigned(&self) -> bool {
        self.head.presigned()
    }

    /// Returns the last moment at which the signed date is accepted.
    pub fn fresh_until(&self) -> Timestamp {
        self.head.fresh_until()
    }

    /// Returns the covered nonce.
    pub fn nonce(&self) -> Option<&str> {
        self.head.nonce()
    }

    /// Returns the id that a sender keeps when it resends a message (`webhook-id`). A handler can
    /// skip a message whose id it has already handled.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.head.idempotency_key()
    }

    /// Returns the names of the covered headers in lower case, in signed order.
    pub fn covered_headers(&self) -> impl Iterator<Item = &str> {
        self.head.covered_headers()
    }

    /// Returns the signed value of a covered header. `None` if the header was not covered, even if
    /// the request has it.
    ///
    /// `name` is in lower case. `host` is the authority in the form that was signed.
    ///
    /// A header on several lines has one value here. SigV4 joins the lines with `,`, and RFC 9421
    /// with `, `. Every scheme joins `cookie` lines with `; `. The request itself keeps the lines
    /// as they arrived; a hop may have combined them (RFC 9110 section 5.3).
    pub fn covered(&self, name: &str) -> Option<&str> {
        self.head.covered(name)
    }

    /// Returns the replay identity of the request, or `None` if nothing in the request
    /// distinguishes it from a copy.
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

    /// Returns the evidence for an auditor. `None` unless the verifier [keeps
    /// it](crate::VerifierBuilder::keep_evidence).
    pub fn evidence(&self) -> Option<&Evidence> {
        self.head.evidence()
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("caller", self.caller())
            .field("key_version", self.key_version())
            .field("scheme", &self.scheme())
            .field("signed_at", &self.signed_at())
            .field("audience_checked", &self.audience_checked())
            .field("body", &self.body)
            .field("coverage", &self.coverage())
            .finish_non_exhaustive()
    }
}
