//! Tries variations of one request, and limits the number of signature checks.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
};

use super::{
    candidates::{Change, Variation, layout_of},
    cause::Cause,
    head_copy::{Edit, HeadCopy},
    keys::OtherKey,
    report::Candidate,
    text_lines::TextLines,
};
use crate::{
    error::Rejection,
    head::RequestHead,
    keyring::CallerKeys,
    payload::PayloadDigest,
    scheme::{Algorithm, Scheme},
    timestamp::Timestamp,
    verify::{Authentication, OtherText, SignedText, UnverifiedHead, Verifier},
};

/// A path that no request has, without characters that a canonicalizer encodes.
const STAND_IN: &str = "countersign-substitute-for-target";

/// A head that could be read, and the time of reading.
pub(super) struct Base<'b, 'r> {
    pub(super) head: &'b HeadCopy,
    pub(super) verifier: &'b Verifier,
    pub(super) unverified: &'b UnverifiedHead<'r>,
    pub(super) at: Timestamp,
    pub(super) keys: &'b CallerKeys,
    pub(super) body: Option<&'b [u8]>,
    /// The digest of the body, computed once.
    pub(super) digest: Option<PayloadDigest>,
    /// The signed text, if it is made from the head. Made once.
    pub(super) text: Option<String>,
}

/// Reads a head, at its own date if it is stale at `now`.
pub(super) fn read<'r>(
    verifier: &Verifier,
    head: RequestHead<'r>,
    now: Timestamp,
) -> Result<(UnverifiedHead<'r>, Timestamp), Rejection> {
    match verifier.parse(head, now) {
        Ok(unverified) => Ok((unverified, now)),
        Err(rejection) => {
            let at = rejection.stale_date().ok_or(rejection)?;
            let unverified = verifier.parse(head, at)?;
            Ok((unverified, at))
        }
    }
}

/// Returns whether one of these keys made the signature. `None` if that needs a body and there is
/// none.
pub(super) fn matches(
    unverified: &UnverifiedHead<'_>,
    keys: &CallerKeys,
    at: Timestamp,
    (body, digest): (Option<&[u8]>, Option<&PayloadDigest>),
) -> Option<bool> {
    if let Some(matched) = digest.and_then(|digest| unverified.matches_digest(keys, digest)) {
        return Some(matched);
    }
    let is_proven = |rejection: &Rejection| rejection.proven_caller().is_some();
    match unverified.authenticate(keys, at) {
        Err(rejection) => Some(is_proven(&rejection)),
        Ok(Authentication::Head(_)) => Some(true),
        Ok(Authentication::Body(mut mac)) => {
            mac.update(body?);
            Some(match mac.finish(at) {
                Ok(_) => true,
                Err(rejection) => is_proven(&rejection),
            })
        }
    }
}

/// The trials made so far.
pub(super) struct Trials {
    left: usize,
    /// The cost of reading the head once: one check per kibibyte.
    reading: usize,
    pub(super) checks: usize,
    pub(super) is_complete: bool,
    pub(super) made: Vec<Candidate>,
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl Trials {
    pub(super) fn new(limit: usize, head: &HeadCopy) -> Self {
        Self {
            left: limit,
            reading: head.bytes() / 1024,
            ..Self::none()
        }
    }

    /// Makes no trial.
    pub(super) fn none() -> Self {
        Self {
            left: 0,
            reading: 0,
            checks: 0,
            is_complete: true,
            made: Vec::new(),
            seen: HashSet::new(),
            hasher: RandomState::new(),
        }
    }

    /// Reserves one more signature check.
    fn may_check(&mut self, weight: usize) -> bool {
        let may = self.spend(weight);
        if may {
            self.checks = self.checks.saturating_add(1);
        }
        may
    }

    /// Reserves one more reading of the head.
    pub(super) fn may_read(&mut self) -> bool {
        self.spend(self.reading)
    }

    /// After one refusal, refuses everything.
    fn spend(&mut self, weight: usize) -> bool {
        let left = self.left.checked_sub(weight).filter(|_| self.left > 0);
        self.left = left.unwrap_or_default();
        self.is_complete &= left.is_some();
        left.is_some()
    }

    /// Returns the number of variations that may be made. Equal texts cost no check.
    pub(super) fn room(&self) -> usize {
        let each = self.reading.saturating_add(1);
        self.left
            .saturating_mul(2)
            .checked_div(each)
            .unwrap_or_default()
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Forgets the tried texts, before another signature is tried.
    pub(super) fn forget_texts(&mut self) {
        self.seen.clear();
    }

    /// Returns whether a text is new.
    fn is_new(&mut self, kind: &str, text: &[u8]) -> bool {
        let hash = self.hasher.hash_one((kind, text));
        self.seen.insert(hash)
    }

    /// Records the text of the base itself, which is checked elsewhere.
    pub(super) fn note(&mut self, base: &Base<'_, '_>) {
        if let Some(text) = &base.text {
            self.is_new("text", text.as_bytes());
        }
    }

    /// Returns whether the signature is right for the base itself.
    pub(super) fn matches(&mut self, base: &Base<'_, '_>) -> Option<bool> {
        self.check(base, |base| {
            matches(
                base.unverified,
                base.keys,
                base.at,
                (base.body, base.digest.as_ref()),
            )
        })
    }

    /// Tries a variation. `None` if it changes nothing, or cannot be made.
    pub(super) fn vary(&mut self, base: &Base<'_, '_>, variation: &Variation) -> Option<bool> {
        if self.is_spent() {
            self.is_complete = false;
            return None;
        }
        let matched = self.judge(base, &variation.change)?;
        self.made.push(Candidate {
            cause: variation.cause,
            also: None,
            detail: variation.detail.clone(),
            matched,
        });
        Some(matched)
    }

    fn judge(&mut self, base: &Base<'_, '_>, change: &Change) -> Option<bool> {
        match change {
            Change::Head(edit) => self.judge_head(base, base.verifier, &base.head.with(edit)?),
            Change::Verifier(verifier) => self.judge_head(base, verifier, base.head),
            Change::Path(path) => {
                let stand_in = ["/", STAND_IN].concat();
                let edit = Edit::Path(stand_in.clone());
                self.judge_stand_in(base, &edit, &stand_in, path)
            }
            Change::Query(query) => {
                let edit = Edit::Query(Some(STAND_IN.to_owned()));
                self.judge_stand_in(base, &edit, STAND_IN, query)
            }
            Change::Text(edit) => {
                let text = base.text.as_deref()?;
                let layout = layout_of(base.unverified.scheme())?;
                let text = edit.apply(TextLines { text, layout })?;
                self.judge_text(base, OtherText::Head(&text))
            }
            Change::StringToSign(text) => self.judge_text(base, OtherText::StringToSign(text)),
            Change::Bytes(bytes) => self.judge_text(base, OtherText::Bytes(bytes)),
            Change::Body(body) => {
                // If a head declares its body, the signature does not depend on the body.
                if !base.unverified.needs_body() || !self.is_new("body", body) {
                    return None;
                }
                let digest = PayloadDigest::of(body);
                self.check(base, |base| {
                    matches(
                        base.unverified,
                        base.keys,
                        base.at,
                        (Some(body), Some(&digest)),
                    )
                })
            }
        }
    }

    fn judge_head(
        &mut self,
        base: &Base<'_, '_>,
        verifier: &Verifier,
        head: &HeadCopy,
    ) -> Option<bool> {
        if !self.may_read() {
            return None;
        }
        let (unverified, at) = read(verifier, head.head(), base.at).ok()?;
        if let SignedText::Head { text, .. } = unverified.signed_text(base.digest.as_ref())
            && !self.is_new("text", text.as_bytes())
        {
            return None;
        }
        self.check(base, |base| {
            matches(
                &unverified,
                base.keys,
                at,
                (base.body, base.digest.as_ref()),
            )
        })
    }

    /// Tries a target that the HTTP types cannot hold, by substituting one that they can.
    fn judge_stand_in(
        &mut self,
        base: &Base<'_, '_>,
        edit: &Edit,
        stand_in: &str,
        target: &str,
    ) -> Option<bool> {
        if base.unverified.scheme() == Scheme::SigV4 {
            // This canonicalizer encodes, so the text would not hold the target unchanged.
            return None;
        }
        let head = base.head.with(edit)?;
        if !self.may_read() {
            return None;
        }
        let (unverified, _) = read(base.verifier, head.head(), base.at).ok()?;
        let SignedText::Head { text, .. } = unverified.signed_text(base.digest.as_ref()) else {
            return None;
        };
        let text = text.replace(stand_in, target);
        self.judge_text(base, OtherText::Head(&text))
    }

    pub(super) fn judge_text(&mut self, base: &Base<'_, '_>, text: OtherText<'_>) -> Option<bool> {
        let is_new = match text {
            OtherText::Head(text) => self.is_new("text", text.as_bytes()),
            OtherText::StringToSign(text) => self.is_new("string", text.as_bytes()),
            OtherText::Bytes(bytes) => self.is_new("bytes", bytes),
        };
        if !is_new {
            return None;
        }
        self.check(base, |base| Some(base.unverified.is_over(text, base.keys)))
    }

    /// Tries a key other than the caller's keys for this request.
    pub(super) fn try_key(&mut self, base: &Base<'_, '_>, other: &OtherKey) -> Option<bool> {
        let matched = self.check(base, |base| {
            Some(base.unverified.is_signed_with(&other.key, base.body))
        })?;
        self.made.push(Candidate {
            cause: other.cause,
            also: None,
            detail: other.detail.clone(),
            matched,
        });
        Some(matched)
    }

    /// Tries two changes of the head at once.
    pub(super) fn try_pair(
        &mut self,
        base: &Base<'_, '_>,
        (one, one_edit): (&Variation, &Edit),
        (other, other_edit): (&Variation, &Edit),
    ) -> Option<bool> {
        let head = base.head.with(one_edit)?.with(other_edit)?;
        let matched = self.judge_head(base, base.verifier, &head)?;
        self.made.push(Candidate {
            cause: one.cause,
            also: Some(other.cause),
            detail: [&*one.detail, "; ", &other.detail].concat(),
            matched,
        });
        Some(matched)
    }

    /// Records a result that is not a variation.
    pub(super) fn record(&mut self, cause: Cause, detail: String, matched: bool) {
        self.made.push(Candidate {
            cause,
            also: None,
            detail,
            matched,
        });
    }

    fn check(
        &mut self,
        base: &Base<'_, '_>,
        matches: impl FnOnce(&Base<'_, '_>) -> Option<bool>,
    ) -> Option<bool> {
        let keys = base.weight_of_keys();
        // Every kibibyte to hash counts as one more check.
        let hashed = base.signed_bytes() / 1024;
        if !self.may_check(keys.saturating_add(hashed)) {
            return None;
        }
        matches(base)
    }
}

impl Base<'_, '_> {
    /// Returns the cost of a check with all keys. An Ed25519 key costs 16 times as much as a
    /// secret, and the other public keys more. An unknown caller costs as much as its decoys, so
    /// that it gets as many trials.
    fn weight_of_keys(&self) -> usize {
        let scheme = self.unverified.scheme();
        let weights = scheme.definition().algorithms.iter().map(|algorithm| {
            let keys = self.keys.keys_for(scheme, self.unverified.key_id());
            let own = keys.filter(|key| key.verifying_key().algorithm() == *algorithm);
            let mut decoys = self.keys.decoys(scheme);
            let padded = decoys
                .find(|(of, ..)| of == algorithm)
                .map_or(0, |(.., work)| work);
            let each = match algorithm {
                Algorithm::HmacSha256 => 1,
                Algorithm::Ed25519 => 16,
                Algorithm::EcdsaP256Sha256 | Algorithm::RsaPssSha512 | Algorithm::RsaV15Sha256 => {
                    64
                }
                Algorithm::EcdsaP384Sha384 => 256,
            };
            own.count().max(padded).saturating_mul(each)
        });
        weights.fold(0, usize::saturating_add).max(1)
    }

    /// Returns the number of signed bytes.
    fn signed_bytes(&self) -> usize {
        match &self.text {
            Some(text) => text.len(),
            None => self.body.map_or(0, <[u8]>::len),
        }
    }
}
