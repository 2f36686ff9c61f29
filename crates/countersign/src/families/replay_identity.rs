use crate::{head::Target, replay::ReplayKey};

/// The part of a request by which a replay is detected.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ReplayIdentity<'r> {
    /// A covered nonce.
    Nonce(&'r str),
    /// `webhook-id` and `webhook-timestamp`. A sender's retry keeps the id, changes the timestamp,
    /// and must be accepted.
    IdAndTimestamp { id: &'r str, timestamp: &'r str },
    /// The signature itself, if two requests with one signature count as one request.
    Signature(&'r [u8]),
    /// The signature on each route. A captured signature can be sent once to every other route.
    SignatureOnRoute {
        signature: &'r [u8],
        method: &'r str,
        target: Target<'r>,
    },
}

impl ReplayIdentity<'_> {
    pub(crate) fn key(self, audience: &str, caller: &str) -> ReplayKey {
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
            Self::SignatureOnRoute {
                signature,
                method,
                target: Target { path, query },
            } => {
                // An empty query differs from no query.
                let query = query.map(str::as_bytes);
                let parts = [audience, caller, method, path].map(str::as_bytes);
                let [audience, caller, method, path] = parts;
                let parts = [audience, caller, signature, method, path];
                let parts = parts.into_iter().chain(query).collect::<Vec<_>>();
                ReplayKey::of_parts("countersign signature on a route\0", &parts)
            }
        }
    }
}
