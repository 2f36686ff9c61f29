use std::{fmt, hint::black_box, time::Duration};

use super::{authenticated_head::AuthenticatedHead, evidence::Evidence, parsed_head::ParsedHead};
use crate::{
    error::{Rejection, RejectionKind},
    key::{CallerKey, ContentTypeRule, NonceRule},
    keyring::CallerKeys,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// A well-formed head that says who it is from. **Nothing of it is proven.**
///
/// It gives away only what is needed to find the caller's keys.
pub struct Claim<'r> {
    parsed: ParsedHead<'r>,
    window: Duration,
    keep_evidence: bool,
}

impl<'r> Claim<'r> {
    pub(super) fn new(parsed: ParsedHead<'r>, window: Duration, keep_evidence: bool) -> Self {
        Self {
            parsed,
            window,
            keep_evidence,
        }
    }

    /// Judges the signed date, the very one that is part of the signed text.
    pub(super) fn ensure_fresh(&self, now: Timestamp) -> Result<(), Rejection> {
        let signed_at = self.parsed.signed_at;
        if signed_at.abs_diff(now) > self.window {
            return Err(Rejection::stale(signed_at, now, self.window));
        }
        Ok(())
    }

    /// The scheme that the signature is in.
    pub fn scheme(&self) -> Scheme {
        self.parsed.scheme
    }

    /// The caller that the request says it is from. It has the grammar of a [`KeyId`](crate::KeyId).
    pub fn key_id(&self) -> &'r str {
        self.parsed.key_id
    }

    /// Checks the signature with the keys that were found for [`key_id`](Self::key_id).
    ///
    /// Every key of the scheme is tried, without an early exit, and as much work again is done as the keys ask for, so
    /// that an unknown caller costs what a known one costs. The state and the dates of the key that matched are judged
    /// at `now`, the verifier's clock; then its rules on coverage, which only a peer that holds the key can learn of.
    /// The signed date is judged once more, because time may have passed while the keys were looked up.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::Expired`] if the date is outside the window by now.
    /// [`RejectionKind::InvalidSignature`] for an unknown caller, a key of another scheme, a wrong signature, a key that
    /// is revoked or outside its dates: all alike to the peer. [`RejectionKind::InsufficientCoverage`] if the key asks
    /// for a nonce or a covered content type that the request has not.
    pub fn authenticate(
        self,
        keys: &CallerKeys,
        now: Timestamp,
    ) -> Result<AuthenticatedHead<'r>, Rejection> {
        self.ensure_fresh(now)?;
        let key = self.matching_key(keys)?;
        let Some(caller) = keys.caller() else {
            return Err(Rejection::invalid_signature("unknown caller"));
        };
        self.check_key_rules(key, now)
            .map_err(|rejection| rejection.of(caller.clone()))?;
        let evidence = self.keep_evidence.then(|| {
            Box::new(Evidence::new(
                caller.clone(),
                key.verifying_key(),
                self.parsed.signed_at,
                self.parsed.credentials.canonical_request(),
                self.parsed.credentials.signature(),
            ))
        });
        Ok(AuthenticatedHead::new(
            caller.clone(),
            key,
            self.parsed,
            evidence,
        ))
    }

    fn matching_key<'k>(&self, keys: &'k CallerKeys) -> Result<&'k CallerKey, Rejection> {
        let scheme = self.parsed.scheme;
        let credentials = &self.parsed.credentials;
        let mut tried: usize = 0;
        let mut matched = None;
        for key in keys.keys().iter().filter(|key| key.scheme() == scheme) {
            tried = tried.saturating_add(1);
            if credentials.matches(key.verifying_key()) {
                matched = Some(key);
            }
        }
        if let Some(decoy) = keys.decoy(scheme) {
            for _ in tried..keys.work(scheme) {
                // The answer is thrown away: this is the time that a key would have taken.
                let _: bool = black_box(credentials.matches(decoy));
            }
        }
        matched.ok_or_else(|| {
            Rejection::invalid_signature(match (keys.caller(), tried) {
                (None, _) => "unknown caller",
                (Some(_), 0) => "the caller has no key of this scheme",
                (Some(_), _) => "no key of the caller matches",
            })
        })
    }

    fn check_key_rules(&self, key: &CallerKey, now: Timestamp) -> Result<(), Rejection> {
        let rules = key.rules();
        if let Some(reason) = rules.refusal_at(now) {
            return Err(Rejection::invalid_signature(reason));
        }
        let insufficient =
            |reason| Err(Rejection::new(RejectionKind::InsufficientCoverage, reason));
        if rules.nonce == NonceRule::Required && self.parsed.nonce.is_none() {
            return insufficient("the key asks for a covered nonce, found none");
        }
        if rules.content_type == ContentTypeRule::CoveredIfPresent
            && self.parsed.content_type_uncovered
        {
            return insufficient("header content-type: expected to be covered");
        }
        Ok(())
    }
}

impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("scheme", &self.parsed.scheme)
            .field("key_id", &self.parsed.key_id)
            .finish_non_exhaustive()
    }
}
