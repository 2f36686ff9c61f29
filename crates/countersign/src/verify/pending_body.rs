use std::fmt;

use smallvec::SmallVec;

use super::{
    head_verified::HeadVerified,
    unverified_head::{check_key_rules, evidence, matching_key, mismatch},
    verified::Verified,
};
use crate::{
    crypto::{hmac_sha256::Mac, sha256::Sha256},
    error::{Rejection, Set, reason},
    families::{BodySignature, CredentialsOfFamily, ParsedHead, SignedOver},
    key::{CallerKey, VerifyingKey, VerifyingOperation},
    keyring::CallerKeys,
    payload::{BodyState, PayloadDigest},
    scheme::Scheme,
    timestamp::Timestamp,
};

/// A request whose signature cannot be checked before its body is complete. **Nothing is
/// authenticated yet.**
///
/// Read the body within limits for unauthenticated peers: bytes, time, and memory across all of
/// them. Feed every byte to [`update`](Self::update), then call [`finish`](Self::finish).
pub struct PendingBody<'c, 'r> {
    parsed: &'c ParsedHead<'r>,
    keys: &'c CallerKeys,
    state: State,
    keep_evidence: bool,
}

enum State {
    /// The digest of the body. The signed text holds this digest.
    Digest(Sha256),
    /// For each of the caller's keys, the signed text so far, in the form that its algorithm needs.
    Body(SmallVec<[KeyState; 1]>),
}

enum KeyState {
    Mac(Mac),
    /// Ed25519 hashes the message together with the signature, and there may be several signatures.
    Message(Vec<u8>),
}

impl<'c, 'r> PendingBody<'c, 'r> {
    pub(super) fn new(
        parsed: &'c ParsedHead<'r>,
        keys: &'c CallerKeys,
        keep_evidence: bool,
    ) -> Self {
        let state = match &parsed.signed_over {
            SignedOver::Head { .. } | SignedOver::HeadAndDigest { .. } => {
                State::Digest(Sha256::new())
            }
            SignedOver::Body(signed) => State::Body(
                keys.keys_for(parsed.scheme, &parsed.key_id)
                    .map(|key| KeyState::new(key, &signed.prefix))
                    .collect(),
            ),
        };
        Self {
            parsed,
            keys,
            state,
            keep_evidence,
        }
    }

    /// Returns the key id that the request asserts. Unauthenticated.
    pub fn key_id(&self) -> &str {
        &self.parsed.key_id
    }

    /// Returns the scheme of the signature.
    pub fn scheme(&self) -> Scheme {
        self.parsed.scheme
    }

    /// Returns the number of copies of the body that this value holds, besides the reader's own.
    pub fn copies(&self) -> usize {
        match &self.state {
            State::Digest(_) => 0,
            State::Body(states) => states
                .iter()
                .filter(|state| matches!(state, KeyState::Message(_)))
                .count(),
        }
    }

    /// Takes the next bytes of the body, exactly as they arrived.
    pub fn update(&mut self, chunk: &[u8]) {
        match &mut self.state {
            State::Digest(hash) => hash.update(chunk),
            State::Body(states) => states.iter_mut().for_each(|state| state.update(chunk)),
        }
    }

    /// Ends the body and checks the signature, like
    /// [`UnverifiedHead::authenticate`](crate::UnverifiedHead::authenticate) for a head.
    ///
    /// `now` is the verifier's clock at this moment.
    ///
    /// # Errors
    ///
    /// See [`UnverifiedHead::authenticate`](crate::UnverifiedHead::authenticate). A changed body
    /// gives [`RejectionKind::InvalidSignature`](crate::RejectionKind::InvalidSignature), because
    /// it looks the same as a wrong key.
    pub fn finish(self, now: Timestamp) -> Result<Verified, Rejection> {
        let Self {
            parsed,
            keys,
            state,
            keep_evidence,
        } = self;
        parsed.date.ensure_still_fresh(now)?;
        let (caller, key, body, kept) = match (&parsed.signed_over, state) {
            (
                SignedOver::Head { credentials, .. } | SignedOver::HeadAndDigest { credentials },
                State::Digest(hash),
            ) => {
                let digest = PayloadDigest::from_bytes(hash.finish());
                let matches = |key: &VerifyingKey| credentials.matches(key, Some(&digest));
                let (caller, key) = matching_key(parsed, keys, now, credentials, matches)?;
                let kept = keep_evidence
                    .then(|| Box::new(evidence(parsed, caller, key, credentials, Some(&digest))));
                (caller, key, BodyState::Verified(digest), kept)
            }
            (SignedOver::Body(signed), State::Body(states)) => {
                let mut matched = None;
                let tried = keys.keys_for(parsed.scheme, &parsed.key_id);
                for (key, state) in tried.zip(&states) {
                    for signature in &signed.signatures {
                        // If several keys match, a revoked or expired one must not hide a valid
                        // one.
                        if state.matches(key, signature)
                            && matched.is_none_or(|known| has_ended(known, now))
                        {
                            matched = Some(key);
                        }
                    }
                }
                let (Some(caller), Some(key)) = (keys.caller(), matched) else {
                    return Err(mismatch(parsed, keys, now, |_| None));
                };
                if let Some(nonce) = &signed.nonce
                    && !nonce.is_by(key.verifying_key())
                {
                    return Err(Rejection::invalid_signature(reason!(
                        "header {}: expected a MAC of the nonce and this signature by key version \
                        {}, found another",
                        nonce.header,
                        Set(key.version())
                    )));
                }
                (caller, key, BodyState::Signed, None)
            }
            (SignedOver::Head { .. } | SignedOver::HeadAndDigest { .. }, State::Body(_))
            | (SignedOver::Body(_), State::Digest(_)) => {
                // Invariant: the state was made from the signed fields.
                return Err(mismatch(parsed, keys, now, |_| None));
            }
        };
        check_key_rules(parsed, caller, key, now)?;
        Ok(HeadVerified::new(caller, key, parsed, kept).with(body))
    }
}

fn has_ended(key: &CallerKey, now: Timestamp) -> bool {
    key.rules().validity.refusal_at(now).is_some()
}

impl KeyState {
    fn new(key: &CallerKey, prefix: &[u8]) -> Self {
        match key.verifying_key().operation() {
            VerifyingOperation::Mac(mac) => Self::Mac(mac.begin().chain(prefix)),
            VerifyingOperation::Ed25519(_) | VerifyingOperation::Other => {
                Self::Message(prefix.to_vec())
            }
        }
    }

    fn update(&mut self, chunk: &[u8]) {
        match self {
            Self::Mac(mac) => mac.update(chunk),
            Self::Message(message) => message.extend_from_slice(chunk),
        }
    }

    fn matches(&self, key: &CallerKey, signature: &BodySignature) -> bool {
        match (self, signature, key.verifying_key().operation()) {
            (Self::Mac(mac), BodySignature::HmacSha256(signature), VerifyingOperation::Mac(_)) => {
                mac.clone().verify(signature)
            }
            (
                Self::Message(message),
                BodySignature::Ed25519(signature),
                VerifyingOperation::Ed25519(key),
            ) => key.verify(message, signature),
            (Self::Mac(_) | Self::Message(_), _, _) => false,
        }
    }
}

impl fmt::Debug for PendingBody<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingBody")
            .field("scheme", &self.parsed.scheme)
            .field("key_id", &self.parsed.key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, Request, header::HOST};

    use super::*;
    use crate::{
        families::webhooks::StandardWebhooksVerifySettings,
        key::{KeyState as State, Secret, SigningKey},
        key_id::KeyId,
        keyring::{KeyStore as _, Keyring},
        sign::Signer,
        verify::Verifier,
    };

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_649_367_553);

    /// Verifies a message signed with all of these keys, in this order. The verifier knows the keys
    /// in these states.
    fn judged(keys: &[(&str, State)]) -> Result<String, Rejection> {
        let mut builder = Keyring::builder();
        let mut signing = Vec::new();
        for (version, state) in keys {
            let key = SigningKey::standard_webhooks(&Secret::generate().unwrap());
            let known = CallerKey::new(version, key.verifying_key()).unwrap();
            builder = builder.caller("svix", known.with_validity(*state));
            signing.push(key);
        }
        let keyring = builder.build().unwrap();
        let settings = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
        let verifier = Verifier::builder()
            .accept_only(settings.with_route(Method::POST, "/hook").unwrap())
            .build()
            .unwrap();

        let request = Request::post("/hook").header(HOST, "a").body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        let signer = Signer::standard_webhooks(signing, ["a"]).unwrap();
        let signature = signer.sign(&parts, &b"body"[..], NOW).unwrap();
        signature.apply(&mut parts);
        let unverified = verifier.parse(&parts, NOW).unwrap();
        let keys = keyring.try_lookup(unverified.key_id()).unwrap().unwrap();
        let proven = unverified
            .authenticate(&keys, NOW)?
            .finish_with(b"body", NOW)?;
        Ok(proven.key_version().as_str().to_owned())
    }

    /// A sender signs with the old key and the new one until every receiver has the new one.
    #[test]
    fn a_key_that_has_ended_does_not_hide_another_one_that_matches() {
        let (active, revoked) = (("new", State::Active), ("old", State::Revoked));
        assert_eq!(judged(&[active, revoked]).as_deref(), Ok("new"));
        assert_eq!(judged(&[revoked, active]).as_deref(), Ok("new"));
        let refused = judged(&[revoked]).unwrap_err();
        assert_eq!(refused.kind().code(), "invalid_signature");
        assert_eq!(refused.proven_caller().map(KeyId::as_str), Some("svix"));
    }
}
