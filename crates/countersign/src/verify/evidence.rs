use std::fmt;

use base16ct::HexDisplay;

use crate::{
    families::sigv4::StringToSign, key::VerifyingKey, key_id::KeyId, scheme::Scheme,
    timestamp::Timestamp,
};

/// What an auditor needs to check a request's sender later: the signed text, its signature and, for
/// Ed25519, the public key.
///
/// With `ED25519`, evidence is proof to a third party: only the holder of the caller's private key
/// can make the signature. With `HMAC-SHA256` and `AWS4-HMAC-SHA256`, evidence is a record only:
/// every holder of the shared secret, including the callee, can make it. The secret is not
/// included.
#[derive(Clone)]
pub struct Evidence {
    caller: KeyId,
    scheme: Scheme,
    signed_at: Timestamp,
    canonical_request: Box<str>,
    string_to_sign: Option<Box<str>>,
    signature: Box<[u8]>,
    public_key: Option<[u8; 32]>,
}

impl Evidence {
    pub(super) fn new(
        caller: KeyId,
        key: &VerifyingKey,
        signed_at: Timestamp,
        canonical_request: String,
        string_to_sign: Option<String>,
        signature: &[u8],
    ) -> Self {
        Self {
            caller,
            scheme: key.scheme(),
            signed_at,
            canonical_request: canonical_request.into_boxed_str(),
            string_to_sign: string_to_sign.map(String::into_boxed_str),
            signature: Box::from(signature),
            public_key: key.public_key().copied(),
        }
    }

    /// Returns the caller whose key matched.
    pub fn caller(&self) -> &KeyId {
        &self.caller
    }

    /// Returns the scheme of the signature.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the signed date.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// Returns the text that the signature covers: visible ASCII and line breaks, with a target
    /// that may be UTF-8.
    ///
    /// The text holds the SHA-256 of the body and the covered headers unredacted, including a SigV4
    /// session token.
    pub fn canonical_request(&self) -> &str {
        &self.canonical_request
    }

    /// Returns the text that is signed in place of the canonical request and holds its hash. `Some`
    /// for `AWS4-HMAC-SHA256` only.
    pub fn string_to_sign(&self) -> Option<&str> {
        self.string_to_sign.as_deref()
    }

    /// Returns the signature: 32 bytes for `HMAC-SHA256` and `AWS4-HMAC-SHA256`, 64 for `ED25519`
    /// (RFC 8032 section 5.1.6).
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Returns the signature in lower-case hexadecimal digits.
    pub fn signature_hex(&self) -> String {
        format!("{:x}", HexDisplay(&self.signature))
    }

    /// Returns the public key that verifies the signature. `None` for a shared secret.
    pub fn public_key(&self) -> Option<&[u8; 32]> {
        self.public_key.as_ref()
    }

    /// Returns whether `key` made the signature over the signed text.
    ///
    /// Take `key` from a trusted place, not from [`public_key`](Self::public_key): evidence checked
    /// with the key inside it proves nothing.
    pub fn is_signed_with(&self, key: &VerifyingKey) -> bool {
        let request = &*self.canonical_request;
        key.scheme() == self.scheme
            && match &self.string_to_sign {
                None => key.verifies_message(request.as_bytes(), &self.signature),
                Some(text) => StringToSign::parse(text).is_some_and(|string_to_sign| {
                    string_to_sign.is_of(request) && string_to_sign.matches(key, &self.signature)
                }),
            }
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("caller", &self.caller)
            .field("scheme", &self.scheme)
            .field("signed_at", &self.signed_at)
            .finish_non_exhaustive()
    }
}
