use super::unverified_head::{UnverifiedHead, try_keys};
use crate::{
    families::{BodySignature, Credentials, CredentialsOfFamily, SignedOver, sigv4::StringToSign},
    key::VerifyingKey,
    keyring::CallerKeys,
    payload::PayloadDigest,
    timestamp::Timestamp,
};

/// The text that a signature should cover, computed by this verifier. For diagnosis only.
#[derive(Clone)]
pub(crate) enum SignedText {
    /// A text made from the head. If the body is covered, the text holds its digest.
    Head {
        text: String,
        /// The text that is signed in place of `text` and holds its hash, in the schemes that
        /// have one.
        string_to_sign: Option<String>,
    },
    /// A prefix made from the head. The bytes of the body follow the prefix.
    Body { prefix: Vec<u8> },
}

/// A text to check the signature over, in place of the verifier's own text.
#[derive(Clone, Copy)]
pub(crate) enum OtherText<'t> {
    /// Replaces the text made from the head.
    Head(&'t str),
    /// Replaces the text that holds the hash of the head's text.
    StringToSign(&'t str),
    /// Replaces prefix and body.
    Bytes(&'t [u8]),
}

impl UnverifiedHead<'_> {
    /// Returns the text that the signature should cover. `body` is the body's digest, used if the
    /// head declares none.
    pub(crate) fn signed_text(&self, body: Option<&PayloadDigest>) -> SignedText {
        match &self.parsed.signed_over {
            SignedOver::Head { credentials, .. } | SignedOver::HeadAndDigest { credentials } => {
                let text = credentials.signed_text(body);
                let string_to_sign = credentials.string_to_sign(&text);
                SignedText::Head {
                    text,
                    string_to_sign,
                }
            }
            SignedOver::Body(signed) => SignedText::Body {
                prefix: signed.prefix.clone(),
            },
        }
    }

    /// Returns the names of the covered headers, in lower case.
    pub(crate) fn covered_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.parsed
            .signed_over
            .covered(&mut |name, _| names.push(name.to_owned()));
        names
    }

    /// Returns the signed date.
    pub(crate) fn signed_at(&self) -> Timestamp {
        self.parsed.date.signed_at()
    }

    /// Returns whether the head carries the replay identity that a key may require.
    pub(crate) fn has_replay_identity(&self) -> bool {
        self.parsed.replay.is_some()
    }

    /// Returns whether one of these keys made the signature over another text. Does the same work
    /// for an unknown caller.
    pub(crate) fn is_over(&self, text: OtherText<'_>, keys: &CallerKeys) -> bool {
        let (found, _) = try_keys(&self.parsed, keys, |key| self.is_over_with(text, key));
        found.is_some()
    }

    /// Returns whether one of these keys made the signature, if it covers a digest of the body that
    /// the head does not declare. `None` if the signature covers something else.
    pub(crate) fn matches_digest(&self, keys: &CallerKeys, body: &PayloadDigest) -> Option<bool> {
        let SignedOver::HeadAndDigest { credentials } = &self.parsed.signed_over else {
            return None;
        };
        let matches = |key: &VerifyingKey| credentials.matches(key, Some(body));
        let (found, _) = try_keys(&self.parsed, keys, matches);
        Some(found.is_some())
    }

    /// Returns whether this key made the signature over the verifier's own text. The key may be
    /// bound to another scheme. `body` is needed if the signature covers the body.
    pub(crate) fn is_signed_with(&self, key: &VerifyingKey, body: Option<&[u8]>) -> bool {
        match &self.parsed.signed_over {
            SignedOver::Head { credentials, .. } => credentials.matches(key, None),
            SignedOver::HeadAndDigest { credentials } => {
                body.is_some_and(|body| credentials.matches(key, Some(&PayloadDigest::of(body))))
            }
            SignedOver::Body(signed) => body.is_some_and(|body| {
                let bytes = [&*signed.prefix, body].concat();
                self.is_over_with(OtherText::Bytes(&bytes), key)
            }),
        }
    }

    fn is_over_with(&self, text: OtherText<'_>, key: &VerifyingKey) -> bool {
        match (&self.parsed.signed_over, text) {
            (
                SignedOver::Head { credentials, .. } | SignedOver::HeadAndDigest { credentials },
                OtherText::Head(text),
            ) => match credentials.string_to_sign(text) {
                Some(string_to_sign) => is_over_string(credentials, &string_to_sign, key),
                None => key.verifies_message(text.as_bytes(), credentials.signature()),
            },
            (
                SignedOver::Head { credentials, .. } | SignedOver::HeadAndDigest { credentials },
                OtherText::StringToSign(text),
            ) => is_over_string(credentials, text, key),
            (SignedOver::Body(signed), OtherText::Bytes(bytes)) => {
                signed.signatures.iter().any(|signature| match signature {
                    BodySignature::HmacSha256(signature) => key.verifies_message(bytes, signature),
                    BodySignature::Ed25519(signature) => key.verifies_message(bytes, signature),
                })
            }
            (SignedOver::Head { .. } | SignedOver::HeadAndDigest { .. }, OtherText::Bytes(_))
            | (SignedOver::Body(_), OtherText::Head(_) | OtherText::StringToSign(_)) => false,
        }
    }
}

fn is_over_string(credentials: &Credentials<'_>, text: &str, key: &VerifyingKey) -> bool {
    StringToSign::parse(text)
        .is_some_and(|string_to_sign| string_to_sign.matches(key, credentials.signature()))
}
