use std::{fmt, ops::Range};

use super::{evidence::Evidence, parsed_head::ParsedHead};
use crate::{
    key::{KeyId, KeyVersion},
    payload::PayloadDigest,
    replay::ReplayKey,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// What was proven of a request. It cannot be made but by verifying one.
#[derive(Clone)]
pub struct Verified {
    caller: KeyId,
    key_version: KeyVersion,
    scheme: Scheme,
    signed_at: Timestamp,
    audience_checked: bool,
    body: BodyState,
    covered: CoveredLines,
    nonce: Option<Range<usize>>,
    evidence: Option<Box<Evidence>>,
}

/// What is known of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyState {
    /// Its digest is the signed one.
    Verified(PayloadDigest),
    /// The signature says nothing about it.
    Unsigned,
}

impl Verified {
    pub(super) fn new(
        caller: KeyId,
        key_version: KeyVersion,
        parsed: &ParsedHead<'_>,
        body: BodyState,
        evidence: Option<Box<Evidence>>,
    ) -> Self {
        let (covered, nonce) = CoveredLines::new(parsed.credentials.covered(), parsed.nonce);
        Self {
            caller,
            key_version,
            scheme: parsed.scheme,
            signed_at: parsed.signed_at,
            audience_checked: parsed.audience_checked,
            body,
            covered,
            nonce,
            evidence,
        }
    }

    /// The caller, as its key record names it: never a name taken from the message.
    pub fn caller(&self) -> &KeyId {
        &self.caller
    }

    /// Which of the caller's keys matched.
    pub fn key_version(&self) -> &KeyVersion {
        &self.key_version
    }

    /// The scheme of the signature.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The signed date.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// Whether the authority that the request was sent to was one of the verifier's expected hosts. `false` where none
    /// are configured: then a request that was meant for another service with the same key verifies here too.
    pub fn audience_checked(&self) -> bool {
        self.audience_checked
    }

    /// What is known of the body.
    pub fn body(&self) -> BodyState {
        self.body
    }

    /// The covered nonce.
    pub fn nonce(&self) -> Option<&str> {
        self.covered.0.get(self.nonce.clone()?)
    }

    /// The names of the covered headers in lower case, in the order in which they were signed.
    pub fn covered_headers(&self) -> impl Iterator<Item = &str> {
        self.covered.iter().map(|(name, _)| name)
    }

    /// The value of a covered header as it was signed; `None` for a header that was not covered, whether or not the
    /// request has one. `name` is in lower case; `host` is the authority in the form that was signed.
    pub fn covered(&self, name: &str) -> Option<&str> {
        self.covered
            .iter()
            .find(|(covered, _)| *covered == name)
            .map(|(_, value)| value)
    }

    /// The replay identity of the request, or `None` if it carries no covered nonce.
    ///
    /// See [`ReplayKey::new`] for `audience`.
    pub fn replay_key(&self, audience: &str) -> Option<ReplayKey> {
        let nonce = self.nonce()?;
        Some(ReplayKey::new(audience, self.caller.as_str(), nonce))
    }

    /// What an auditor needs to check the signature later; `None` unless the verifier
    /// [keeps it](crate::VerifierBuilder::keep_evidence).
    pub fn evidence(&self) -> Option<&Evidence> {
        self.evidence.as_deref()
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("caller", &self.caller)
            .field("key_version", &self.key_version)
            .field("scheme", &self.scheme)
            .field("signed_at", &self.signed_at)
            .field("audience_checked", &self.audience_checked)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// Covered headers as `name:value` lines in one allocation. Neither part can hold a line break, nor a name a colon.
#[derive(Clone)]
struct CoveredLines(Box<str>);

impl CoveredLines {
    /// The lines, and where the nonce stands in them.
    fn new<'r>(
        headers: impl Iterator<Item = (&'r str, &'r str)> + Clone,
        nonce: Option<&str>,
    ) -> (Self, Option<Range<usize>>) {
        let length = headers.clone().fold(0_usize, |length, (name, value)| {
            length
                .saturating_add(name.len())
                .saturating_add(value.len())
                .saturating_add(2)
        });
        let mut lines = String::with_capacity(length);
        let mut nonce_at = None;
        for (name, value) in headers {
            lines.push_str(name);
            lines.push(':');
            let start = lines.len();
            lines.push_str(value);
            if nonce == Some(value) {
                nonce_at = Some(start..lines.len());
            }
            lines.push('\n');
        }
        (Self(lines.into_boxed_str()), nonce_at)
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .split_terminator('\n')
            .filter_map(|line| line.split_once(':'))
    }
}
