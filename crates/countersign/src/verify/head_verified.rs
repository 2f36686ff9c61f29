use std::{fmt, ops::Range};

use super::{evidence::Evidence, verified::Verified};
use crate::{
    error::{Escaped, Rejection, RejectionKind, reason},
    families::{Coverage, CredentialsOfFamily, ParsedHead, ReplayIdentity, SignedOver},
    head::Target,
    key::CallerKey,
    key_id::KeyId,
    key_version::KeyVersion,
    payload::BodyState,
    replay::ReplayKey,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// What a signature over the head proves: everything but the body. Borrows nothing of the request.
///
/// Made by [`DetachedHead::into_body_check`](crate::DetachedHead::into_body_check), for a receiver
/// that handles the body while it arrives. The request is a [`Verified`] one only after the
/// [`BodyCheck`](crate::BodyCheck) has finished.
#[derive(Clone)]
pub struct HeadVerified {
    pub(super) caller: KeyId,
    key_version: KeyVersion,
    scheme: Scheme,
    signed_at: Timestamp,
    audience_checked: bool,
    coverage: Coverage,
    presigned: bool,
    fresh_until: Timestamp,
    covered: CoveredLines,
    identity: Option<Identity>,
    evidence: Option<Box<Evidence>>,
}

/// A [`ReplayIdentity`] that outlives the request.
#[derive(Clone)]
enum Identity {
    /// A nonce, as a range in the text of the covered headers.
    Nonce(Range<usize>),
    IdAndTimestamp(IdAndTimestamp),
    Signature(Box<[u8]>),
    /// Boxed to keep the common identities small.
    SignatureOnRoute(Box<SignatureOnRoute>),
}

/// A message id and its timestamp, concatenated in one text.
#[derive(Clone)]
struct IdAndTimestamp {
    text: Box<str>,
    id_len: usize,
}

impl IdAndTimestamp {
    fn new(id: &str, timestamp: &str) -> Self {
        Self {
            text: [id, timestamp].concat().into(),
            id_len: id.len(),
        }
    }

    fn parts(&self) -> (&str, &str) {
        // Invariant: `id_len` is the length of the id at the start of `text`.
        self.text.split_at_checked(self.id_len).unwrap_or_default()
    }
}

#[derive(Clone)]
struct SignatureOnRoute {
    signature: Box<[u8]>,
    method: Box<str>,
    path: Box<str>,
    query: Option<Box<str>>,
}

impl HeadVerified {
    #[inline]
    pub(super) fn new(
        caller: &KeyId,
        key: &CallerKey,
        parsed: &ParsedHead<'_>,
        evidence: Option<Box<Evidence>>,
    ) -> Self {
        let nonce = match parsed.replay {
            Some(ReplayIdentity::Nonce(nonce)) => Some(nonce),
            Some(
                ReplayIdentity::IdAndTimestamp { .. }
                | ReplayIdentity::Signature(_)
                | ReplayIdentity::SignatureOnRoute { .. },
            )
            | None => None,
        };
        let (covered, nonce_at) = CoveredLines::new(&parsed.signed_over, nonce);
        let identity = parsed.replay.map(|identity| match identity {
            ReplayIdentity::Nonce(_) => Identity::Nonce(nonce_at),
            ReplayIdentity::IdAndTimestamp { id, timestamp } => {
                Identity::IdAndTimestamp(IdAndTimestamp::new(id, timestamp))
            }
            ReplayIdentity::Signature(signature) => Identity::Signature(signature.into()),
            ReplayIdentity::SignatureOnRoute {
                signature,
                method,
                target: Target { path, query },
            } => Identity::SignatureOnRoute(Box::new(SignatureOnRoute {
                signature: signature.into(),
                method: method.into(),
                path: path.into(),
                query: query.map(Box::from),
            })),
        });
        Self {
            caller: caller.clone(),
            key_version: key.version().clone(),
            scheme: parsed.scheme,
            signed_at: parsed.date.signed_at(),
            audience_checked: parsed.audience_checked,
            coverage: parsed.coverage,
            presigned: parsed.presigned,
            fresh_until: parsed.date.until(),
            covered,
            identity,
            evidence,
        }
    }

    /// Combines the proof with the state of the body.
    pub(super) fn with(self, body: BodyState) -> Verified {
        Verified::new(self, body)
    }

    /// Returns the replay identity of the request, or `None` if nothing in the request
    /// distinguishes it from a copy.
    ///
    /// See [`ReplayKey::new`] for `audience`.
    pub fn replay_key(&self, audience: &str) -> Option<ReplayKey> {
        let identity = match self.identity.as_ref()? {
            Identity::Nonce(at) => ReplayIdentity::Nonce(self.covered.text.get(at.clone())?),
            Identity::IdAndTimestamp(message) => {
                let (id, timestamp) = message.parts();
                ReplayIdentity::IdAndTimestamp { id, timestamp }
            }
            Identity::Signature(signature) => ReplayIdentity::Signature(signature),
            Identity::SignatureOnRoute(route) => ReplayIdentity::SignatureOnRoute {
                signature: &route.signature,
                method: &route.method,
                target: Target {
                    path: &route.path,
                    query: route.query.as_deref(),
                },
            },
        };
        Some(identity.key(audience, self.caller.as_str()))
    }

    /// Returns the rejection of a replay: [`RejectionKind::Replayed`].
    #[cold]
    pub fn replayed(&self) -> Rejection {
        let reason = match &self.identity {
            Some(Identity::Nonce(at)) => {
                let nonce = self.covered.text.get(at.clone()).unwrap_or_default();
                reason!(
                    "nonce: expected a new one, found \"{}\" again",
                    Escaped::text(nonce)
                )
            }
            Some(Identity::IdAndTimestamp(message)) => {
                let (id, timestamp) = message.parts();
                reason!(
                    "webhook-id: expected a new one of this webhook-timestamp, found \"{}\" of {} \
                    again",
                    Escaped::text(id),
                    Escaped::text(timestamp)
                )
            }
            Some(Identity::Signature(_)) => {
                reason!("signature: expected a new one, found one that was used before")
            }
            Some(Identity::SignatureOnRoute(_)) => {
                reason!(
                    "signature: expected a new one on this route, found one that was used here \
                    before"
                )
            }
            None => reason!("replay identity: expected a new one, found none"),
        };
        Rejection::because(RejectionKind::Replayed, reason).of(self.caller.clone())
    }

    /// Returns the caller's name from its key record, never a name taken from the message.
    pub fn caller(&self) -> &KeyId {
        &self.caller
    }

    /// Returns the version of the caller's key that matched.
    pub fn key_version(&self) -> &KeyVersion {
        &self.key_version
    }

    /// Returns the scheme of the signature.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the signed date.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// Returns whether the request's authority was one of the verifier's expected hosts.
    ///
    /// `false` if no expected hosts are configured, or if the signature does not cover the
    /// authority. A request that was meant for another service with the same key then verifies here
    /// too.
    pub fn audience_checked(&self) -> bool {
        self.audience_checked
    }

    /// Returns whether the signature covers the request, a part of the request, or its body alone.
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// Returns whether the signature is in the URL. Anyone who was given the URL can send the
    /// request, with any uncovered headers.
    pub fn presigned(&self) -> bool {
        self.presigned
    }

    /// Returns the last moment at which the signed date is accepted.
    pub fn fresh_until(&self) -> Timestamp {
        self.fresh_until
    }

    /// Returns the covered nonce.
    pub fn nonce(&self) -> Option<&str> {
        match self.identity.as_ref()? {
            Identity::Nonce(at) => self.covered.text.get(at.clone()),
            Identity::IdAndTimestamp(_)
            | Identity::Signature(_)
            | Identity::SignatureOnRoute(_) => None,
        }
    }

    /// Returns the id that a sender keeps when it resends a message (`webhook-id`). A handler can
    /// skip a message whose id it has already handled.
    pub fn idempotency_key(&self) -> Option<&str> {
        match self.identity.as_ref()? {
            Identity::IdAndTimestamp(message) => Some(message.parts().0),
            Identity::Nonce(_) | Identity::Signature(_) | Identity::SignatureOnRoute(_) => None,
        }
    }

    /// Returns the names of the covered headers in lower case, in signed order.
    pub fn covered_headers(&self) -> impl Iterator<Item = &str> {
        self.covered.iter().map(|(name, _)| name)
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
        self.covered
            .iter()
            .find(|(covered, _)| *covered == name)
            .map(|(_, value)| value)
    }

    /// Returns the evidence for an auditor. `None` unless the verifier [keeps
    /// it](crate::VerifierBuilder::keep_evidence).
    pub fn evidence(&self) -> Option<&Evidence> {
        self.evidence.as_deref()
    }
}

impl SignedOver<'_> {
    fn covered_lines(&self) -> Option<&str> {
        match self {
            Self::Head { credentials, .. } | Self::HeadAndDigest { credentials } => {
                credentials.covered_lines()
            }
            Self::Body(_) => None,
        }
    }

    pub(super) fn covered(&self, each: &mut impl FnMut(&str, &str)) {
        match self {
            Self::Head { credentials, .. } | Self::HeadAndDigest { credentials } => {
                credentials.covered(each);
            }
            Self::Body(signed) => signed
                .covered
                .iter()
                .for_each(|(name, value)| each(name, value)),
        }
    }
}

impl fmt::Debug for HeadVerified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadVerified")
            .field("caller", &self.caller)
            .field("key_version", &self.key_version)
            .field("scheme", &self.scheme)
            .field("signed_at", &self.signed_at)
            .field("audience_checked", &self.audience_checked)
            .field("coverage", &self.coverage)
            .finish_non_exhaustive()
    }
}

/// Covered headers as `name:value` lines, followed by a nonce that is not among them, in one
/// allocation. A line holds no line break, and a name holds no colon.
#[derive(Clone)]
struct CoveredLines {
    text: Box<str>,
    lines: usize,
}

impl CoveredLines {
    /// Returns the lines and the range of the nonce, if any.
    #[inline]
    fn new(proof: &SignedOver<'_>, nonce: Option<&str>) -> (Self, Range<usize>) {
        let mut length = nonce.map_or(0, str::len);
        let written = proof.covered_lines();
        if let Some(written) = written {
            length = length.saturating_add(written.len());
        } else {
            proof.covered(&mut |name, value| {
                length = length
                    .saturating_add(name.len())
                    .saturating_add(value.len())
                    .saturating_add(2);
            });
        }
        let mut text = String::with_capacity(length);
        if let Some(written) = written {
            text.push_str(written);
        } else {
            proof.covered(&mut |name, value| {
                text.extend([name, ":", value, "\n"]);
            });
        }
        let lines = text.len();
        text.push_str(nonce.unwrap_or_default());
        let nonce_at = lines..text.len();
        let text = text.into_boxed_str();
        (Self { text, lines }, nonce_at)
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.text.get(..self.lines).unwrap_or_default();
        lines
            .split_terminator('\n')
            .filter_map(|line| line.split_once(':'))
    }
}
