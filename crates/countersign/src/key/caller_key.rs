use std::{fmt, sync::Arc};

use super::{KeyState, SigningKey, Validity, VerifyingKey};
use crate::{
    error::ConfigError,
    key_id::KeyId,
    key_version::KeyVersion,
    scheme::{ContentTypeRule, NonceRule, Scheme},
};

/// One of a caller's keys in a verifier: the key, its version label and its rules.
///
/// A new key is active without a time limit. Requests signed with it must cover their content type
/// and carry a covered nonce, unless clients of the scheme send none.
#[derive(Clone)]
pub struct CallerKey {
    version: KeyVersion,
    key_id: Option<KeyId>,
    key: VerifyingKey,
    rules: KeyRules,
}

/// The rules for requests signed with this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyRules {
    pub(crate) validity: Validity,
    pub(crate) nonce: NonceRule,
    pub(crate) content_type: ContentTypeRule,
    /// Whether the verifier must have expected hosts that match the request.
    pub(crate) audience_required: bool,
}

impl CallerKey {
    /// Makes an active key with the strictest rules.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`](crate::ConfigErrorKind::Name) if `version` is no [`KeyVersion`].
    pub fn new(version: &str, key: VerifyingKey) -> Result<Self, ConfigError> {
        Ok(Self {
            version: KeyVersion::new(version)?,
            key_id: None,
            rules: KeyRules {
                validity: Validity::default(),
                nonce: key.scheme().definition().nonce,
                content_type: key.scheme().definition().content_type,
                audience_required: false,
            },
            key,
        })
    }

    /// Sets the key id that selects this key, in place of the caller's name: an access key id of
    /// SigV4, a `keyid` of RFC 9421, or a `keyId` of draft-cavage-12. Requests with the caller's
    /// name then do not find this key.
    ///
    /// In RFC 9421 and draft-cavage-12 a key id may be any string of visible ASCII and spaces, up
    /// to 2048 bytes. It selects the key; the caller keeps its own name.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`](crate::ConfigErrorKind::Name) if `key_id` is no [`KeyId`] and, in
    /// those two schemes, no such string.
    pub fn with_key_id(mut self, key_id: &str) -> Result<Self, ConfigError> {
        let read = match self.key.scheme() {
            Scheme::MessageSignatures | Scheme::Cavage => KeyId::of_string,
            _ => KeyId::named,
        };
        self.key_id = Some(read("key id", key_id)?);
        Ok(self)
    }

    /// Sets the state and the dates of the key. It verifies nothing if it is revoked, or outside
    /// its dates by the verifier's clock.
    #[must_use]
    pub fn with_validity(mut self, validity: impl Into<Validity>) -> Self {
        self.rules.validity = validity.into();
        self
    }

    /// Sets whether requests must carry a covered nonce.
    #[must_use]
    pub fn with_nonce(mut self, nonce: NonceRule) -> Self {
        self.rules.nonce = nonce;
        self
    }

    /// Sets whether requests must cover a content type that is present.
    #[must_use]
    pub fn with_content_type(mut self, content_type: ContentTypeRule) -> Self {
        self.rules.content_type = content_type;
        self
    }

    /// Allows a caller to sign only three headers and no nonce: the nonce is optional, and
    /// `content-type` need not be covered.
    ///
    /// # Attack
    ///
    /// Anyone who sees a request without a nonce can replay it within the window, with another
    /// content type.
    #[must_use]
    pub fn insecure_three_headers(mut self) -> Self {
        self.rules.nonce = NonceRule::Optional;
        self.rules.content_type = ContentTypeRule::Exempt;
        self
    }

    /// Refuses this key in a verifier without expected hosts.
    pub(crate) fn requiring_audience(mut self) -> Self {
        self.rules.audience_required = true;
        self
    }

    /// Returns the label of the key.
    pub fn version(&self) -> &KeyVersion {
        &self.version
    }

    /// Returns the key id that selects this key, if it differs from the caller's name.
    pub fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }

    /// Returns the scheme that the key is bound to.
    pub fn scheme(&self) -> Scheme {
        self.key.scheme()
    }

    /// Returns the rotation state of the key.
    pub fn state(&self) -> KeyState {
        self.rules.validity.state
    }

    /// Returns the key that signs responses to requests signed with this key. See
    /// [`VerifyingKey::response_signing_key`].
    pub fn response_signing_key(&self) -> Option<Arc<SigningKey>> {
        self.key.response_signing_key()
    }

    pub(crate) fn verifying_key(&self) -> &VerifyingKey {
        &self.key
    }

    /// See [`VerifyingKey::with_own_cache`].
    #[cfg(feature = "diagnose")]
    pub(crate) fn with_own_cache(&self) -> Self {
        let mut key = self.clone();
        key.key = key.key.with_own_cache();
        key
    }

    pub(crate) fn rules(&self) -> KeyRules {
        self.rules
    }
}

impl fmt::Debug for CallerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerKey")
            .field("version", &self.version)
            .field("key_id", &self.key_id.as_ref().map(KeyId::shown))
            .field("key", &self.key)
            .field("rules", &self.rules)
            .finish()
    }
}
