use std::{fmt, hint::black_box};

use smallvec::SmallVec;

#[cfg(feature = "sigv4-chunked")]
use super::chunk_check::ChunkCheck;
use super::{
    authenticated_head::AuthenticatedHead, authentication::Authentication,
    content_check::ContentCheck, evidence::Evidence, pending_body::PendingBody,
};
use crate::{
    error::{Detail, Found, Mismatch, Rejection, RejectionKind, Set, Tried, reason},
    families::{
        Credentials, CredentialsOfFamily, Decides, ParsedHead, SignedOver,
        message_signatures::ResponseBinding,
    },
    head::RequestHead,
    key::{CallerKey, VerifyingKey},
    key_id::KeyId,
    keyring::CallerKeys,
    payload::{PayloadCheck, PayloadDigest},
    scheme::{Algorithm, ContentTypeRule, NonceRule, Scheme},
    timestamp::Timestamp,
};

/// A well-formed head that asserts a caller. **Nothing is authenticated yet.**
///
/// Only the values that are needed to find the caller's keys are readable.
pub struct UnverifiedHead<'r> {
    pub(super) parsed: ParsedHead<'r>,
    keep_evidence: bool,
}

impl<'r> UnverifiedHead<'r> {
    #[inline]
    pub(crate) fn new(parsed: ParsedHead<'r>, keep_evidence: bool) -> Self {
        Self {
            parsed,
            keep_evidence,
        }
    }

    /// Returns the scheme of the signature.
    pub fn scheme(&self) -> Scheme {
        self.parsed.scheme
    }

    /// Returns the asserted key id: the caller's name, or the key id that the scheme has. The text
    /// has the grammar of a [`KeyId`](crate::KeyId).
    pub fn key_id(&self) -> &str {
        &self.parsed.key_id
    }

    /// Returns whether the signature can be checked only after the body. This is so if the
    /// signature covers the body, or a digest of the body that the head does not declare.
    pub fn needs_body(&self) -> bool {
        !matches!(self.parsed.signed_over, SignedOver::Head { .. })
    }

    /// Returns what a signed response covers of this request. `head` is the head that was parsed.
    ///
    /// `None` if no response can be bound to the request: its signature covers the body alone.
    pub fn response_binding(&self, head: &RequestHead<'_>) -> Option<ResponseBinding> {
        match &self.parsed.signed_over {
            SignedOver::Head { credentials, .. } | SignedOver::HeadAndDigest { credentials } => {
                credentials.response_binding(head)?.ok()
            }
            SignedOver::Body(_) => None,
        }
    }

    /// Returns the caller's key that made the signature over the head, if that key is valid at
    /// `now`. The date of the request is not checked.
    ///
    /// This is for the refusal of a request whose date is not accepted: only a peer that holds the
    /// key is told anything in a signed response. A decoy takes the place of a key that is not
    /// there, as in [`authenticate`](Self::authenticate).
    ///
    /// `None` for a signature that covers the body.
    pub fn key_of_head<'k>(&self, keys: &'k CallerKeys, now: Timestamp) -> Option<&'k CallerKey> {
        let SignedOver::Head { credentials, .. } = &self.parsed.signed_over else {
            return None;
        };
        let (found, _) = try_keys(&self.parsed, keys, |key| credentials.matches(key, None));
        let (_, key) = found?;
        key.rules()
            .validity
            .refusal_at(now)
            .is_none()
            .then_some(key)
    }

    /// Checks the signature with the keys that were found for [`key_id`](Self::key_id), as far as
    /// possible without the body.
    ///
    /// 1. Every key of the scheme is tried, without an early exit. Decoy keys are tried as well, so
    ///    that an unknown caller takes as long as a known one.
    /// 2. The state and the validity of the key that matched are checked at `now`, the verifier's
    ///    clock.
    /// 3. The coverage rules of that key are checked. Only a peer that holds the key can learn
    ///    these rules.
    /// 4. The signed date is checked again, because the key lookup may have taken time.
    ///
    /// If the signature covers the body, [`PendingBody::finish`] does all of this.
    ///
    /// # Errors
    ///
    /// - [`RejectionKind::Expired`] if the date is now outside the window.
    /// - [`RejectionKind::InvalidSignature`] for an unknown caller, a key of another scheme, a
    ///   wrong signature, and a revoked, expired or not yet valid key. The peer cannot tell these
    ///   apart.
    /// - [`RejectionKind::InsufficientCoverage`] if the key requires a nonce or a covered content
    ///   type that the request does not have.
    pub fn authenticate<'c>(
        &'c self,
        keys: &'c CallerKeys,
        now: Timestamp,
    ) -> Result<Authentication<'c, 'r>, Rejection> {
        let parsed = &self.parsed;
        parsed.date.ensure_still_fresh(now)?;
        let SignedOver::Head {
            credentials,
            payload,
        } = &parsed.signed_over
        else {
            let mac = PendingBody::new(parsed, keys, self.keep_evidence);
            return Ok(Authentication::Body(mac));
        };
        let matches = |key: &VerifyingKey| credentials.matches(key, None);
        let (caller, key) = matching_key(parsed, keys, now, credentials, matches)?;
        check_key_rules(parsed, caller, key, now)?;
        let evidence = self
            .keep_evidence
            .then(|| Box::new(evidence(parsed, caller, key, credentials, None)));
        let content = ContentCheck::Digest(PayloadCheck::new(payload));
        #[cfg(feature = "sigv4-chunked")]
        let content = match credentials.chunked_decoder(key.verifying_key())? {
            Some(decoder) => ContentCheck::Chunks(Box::new(ChunkCheck::new(Box::new(decoder)))),
            None => content,
        };
        Ok(Authentication::Head(AuthenticatedHead {
            parsed,
            caller,
            key,
            payload: content,
            evidence,
        }))
    }
}

/// The number of keys tried, for each algorithm.
type TriedKeys = [usize; Algorithm::ALL.len()];

fn tried_of(tried: &TriedKeys, algorithm: Algorithm) -> usize {
    tried.get(algorithm.position()).copied().unwrap_or_default()
}

/// Tries every key with the request's key id. Adds decoys until an unknown caller takes as long as
/// a known one. Returns the caller and the key that matched.
#[inline]
pub(super) fn try_keys<'k>(
    parsed: &ParsedHead<'_>,
    keys: &'k CallerKeys,
    matches: impl Fn(&VerifyingKey) -> bool,
) -> (Option<(&'k KeyId, &'k CallerKey)>, TriedKeys) {
    let scheme = parsed.scheme;
    let mut tried = TriedKeys::default();
    let mut found = None;
    for key in keys.keys_for(scheme, &parsed.key_id) {
        if let Some(tried) = tried.get_mut(key.verifying_key().algorithm().position()) {
            *tried = tried.saturating_add(1);
        }
        if matches(key.verifying_key()) {
            found = Some(key);
        }
    }
    for (algorithm, decoy, work) in keys.decoys(scheme) {
        for _ in tried_of(&tried, algorithm)..work {
            // The result is discarded: only the time matters.
            let _: bool = black_box(matches(decoy));
        }
    }
    (keys.caller().zip(found), tried)
}

/// Returns the caller and the key that made the signature.
#[inline]
pub(super) fn matching_key<'k>(
    parsed: &ParsedHead<'_>,
    keys: &'k CallerKeys,
    now: Timestamp,
    credentials: &Credentials<'_>,
    matches: impl Fn(&VerifyingKey) -> bool,
) -> Result<(&'k KeyId, &'k CallerKey), Rejection> {
    let (found, tried) = try_keys(parsed, keys, matches);
    if let Some(found) = found {
        return Ok(found);
    }
    let scheme = parsed.scheme;
    for (algorithm, decoy, work) in keys.decoys(scheme) {
        for _ in tried_of(&tried, algorithm)..work {
            let _: Option<&str> = black_box(credentials.objection(decoy));
        }
    }
    Err(mismatch(parsed, keys, now, |key| {
        credentials.objection(key)
    }))
}

/// Returns the rejection of a request whose signature matches no key with its key id.
#[cold]
pub(super) fn mismatch(
    parsed: &ParsedHead<'_>,
    keys: &CallerKeys,
    now: Timestamp,
    objection: impl Fn(&VerifyingKey) -> Option<&'static str>,
) -> Rejection {
    let tried = keys.keys_for(parsed.scheme, &parsed.key_id);
    let tried: SmallVec<[Tried; 4]> = tried
        .map(|key| Tried {
            version: key.version().clone(),
            ended: key.rules().validity.refusal_at(now),
            objection: objection(key.verifying_key()),
        })
        .collect();
    let found = match keys.caller() {
        None => Found::Nobody,
        Some(_) if tried.is_empty() => Found::OtherSchemes(keys.schemes().collect()),
        Some(_) => Found::Tried(tried),
    };
    let mismatch = Mismatch {
        key_id: Box::from(&*parsed.key_id),
        scheme: parsed.scheme,
        body_is_signed: !matches!(parsed.signed_over, SignedOver::Head { .. }),
        found,
    };
    Rejection::invalid_signature(Detail::Mismatch(mismatch))
}

/// Checks the rules of the key that matched.
pub(super) fn check_key_rules(
    parsed: &ParsedHead<'_>,
    caller: &KeyId,
    key: &CallerKey,
    now: Timestamp,
) -> Result<(), Rejection> {
    let rules = key.rules();
    let version = Set(key.version());
    let refused = |kind, reason| Err(Rejection::because(kind, reason).of(caller.clone()));
    if let Some(ended) = rules.validity.refusal_at(now) {
        let reason = reason!("key version {}: {}", version, ended);
        return refused(RejectionKind::InvalidSignature, reason);
    }
    if rules.audience_required && !parsed.audience_checked {
        // Checked only after the signature. Earlier it would reveal which callers have such keys.
        return refused(
            RejectionKind::Misdirected,
            reason!(
                "key version {}: the key is derived, so that expected hosts must be configured \
                 (VerifierBuilder::expected_hosts), found none",
                version
            ),
        );
    }
    if rules.nonce == NonceRule::Required && parsed.replay.is_none() && parsed.nonce == Decides::Key
    {
        return refused(
            RejectionKind::InsufficientCoverage,
            reason!(
                "key version {}: expected {} to be covered, found none",
                version,
                parsed.scheme.definition().replay_identity
            ),
        );
    }
    if rules.content_type == ContentTypeRule::CoveredIfPresent && parsed.content_type_uncovered {
        return refused(
            RejectionKind::InsufficientCoverage,
            reason!(
                "key version {}: expected the header content-type to be covered where it is \
                present",
                version
            ),
        );
    }
    Ok(())
}

/// Returns the evidence of a signature that matched.
pub(super) fn evidence(
    parsed: &ParsedHead<'_>,
    caller: &KeyId,
    key: &CallerKey,
    credentials: &Credentials<'_>,
    body: Option<&PayloadDigest>,
) -> Evidence {
    let signed_text = credentials.signed_text(body);
    let string_to_sign = credentials.string_to_sign(&signed_text);
    Evidence::new(
        caller.clone(),
        key.verifying_key(),
        parsed.date.signed_at(),
        signed_text,
        string_to_sign,
        credentials.signature(),
    )
}

impl fmt::Debug for UnverifiedHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedHead")
            .field("scheme", &self.parsed.scheme)
            .field("key_id", &self.parsed.key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::{
        key::{Secret, SigningKey},
        keyring::{KeyStore, Keyring},
        sign::Signer,
        verify::Verifier,
    };

    /// Returns the number of MACs computed for a request with this key id.
    fn macs(keys: &Keyring, name: &str) -> usize {
        let now = Timestamp::from_unix_seconds(1_767_323_045);
        let stranger = SigningKey::hmac_sha256(&Secret::generate().unwrap());
        let signer = Signer::new(name, stranger, ["users"]).unwrap();
        let (mut parts, ()) = http::Request::get("http://users/")
            .body(())
            .unwrap()
            .into_parts();
        let signature = signer.sign(&parts, PayloadDigest::of(b""), now);
        signature.unwrap().apply(&mut parts);
        let verifier = Verifier::default();
        let unverified = verifier.parse(&parts, now).unwrap();
        let found = keys.try_lookup(unverified.key_id()).unwrap().unwrap();
        let count = Cell::new(0_usize);
        let SignedOver::Head { credentials, .. } = &unverified.parsed.signed_over else {
            panic!("the signature is over the head");
        };
        let matched = matching_key(&unverified.parsed, &found, now, credentials, |key| {
            assert_eq!(
                key.scheme(),
                unverified.scheme(),
                "a key of another one costs no MAC"
            );
            count.set(count.get().saturating_add(1));
            false
        });
        assert!(matched.is_err());
        count.get()
    }

    #[test]
    fn an_unknown_caller_costs_as_many_macs_as_the_caller_with_most_keys() {
        let key = |version: usize| {
            let key = SigningKey::hmac_sha256(&Secret::generate().unwrap());
            CallerKey::new(&version.to_string(), key.verifying_key()).unwrap()
        };
        let other = SigningKey::drf(&Secret::generate().unwrap());
        let other = CallerKey::new("drf", other.verifying_key()).unwrap();
        let keys = Keyring::builder()
            .caller("one", key(1))
            .caller("three", key(1))
            .caller("three", key(2))
            .caller("three", key(3))
            .caller("other", other)
            .build()
            .unwrap();
        for (name, caller) in [
            ("one key", "one"),
            ("most keys", "three"),
            ("a key of another scheme", "other"),
            ("unknown", "nobody"),
        ] {
            assert_eq!(macs(&keys, caller), 3, "{name}");
        }
    }
}
