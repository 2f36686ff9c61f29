use crate::replay::ReplayKey;

/// What tells a request that comes again from another one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ReplayIdentity<'r> {
    /// A covered nonce.
    Nonce(&'r str),
    /// `webhook-id` and `webhook-timestamp`: a sender's retry keeps the id and changes the time, and must not be lost.
    IdAndTimestamp { id: &'r str, timestamp: &'r str },
    /// The signature itself, where two requests with one signature are the same request.
    Signature(&'r [u8]),
}

impl ReplayIdentity<'_> {
    pub(super) fn key(self, audience: &str, caller: &str) -> ReplayKey {
        match self {
            Self::Nonce(nonce) => ReplayKey::new(audience, caller, nonce),
            Self::IdAndTimestamp { id, timestamp } => ReplayKey::of_parts(
                "countersign id and timestamp\0",
                &[audience, caller, id, timestamp].map(str::as_bytes),
            ),
            Self::Signature(signature) => ReplayKey::of_parts(
                "countersign signature\0",
                &[audience.as_bytes(), caller.as_bytes(), signature],
            ),
        }
    }
}
