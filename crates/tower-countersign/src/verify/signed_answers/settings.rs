use std::{sync::Arc, time::Duration};

use countersign::{
    Algorithm, ConfigError, ConfigErrorKind, MessageSignaturesSignSettings, ResponseSigner, Scheme,
    SigningKey, Verifier,
};
use http::{HeaderName, Method, request::Parts};

use super::super::routes::{self, Route};

/// How a verifying layer signs its responses, for
/// [`VerifyLayer::with_signed_answers`](crate::VerifyLayer::with_signed_answers).
///
/// Every response to a request whose signature matched is signed, whatever its status. It is signed
/// in RFC 9421, whatever scheme the request had, and bound to the request: see
/// [`ResponseSigner`].
///
/// ```
/// use tower_countersign::AnswerSigning;
///
/// let signing = AnswerSigning::derived("user-service")?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AnswerSigning {
    derived: Option<ResponseSigner>,
    service: Option<(ResponseSigner, Arc<SigningKey>)>,
    pub(super) max_bytes: u64,
    pub(super) deadline: Duration,
    pub(super) large: Large,
    unsigned_for: Arc<[Route]>,
}

/// How a response that is too large to collect is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Large {
    Refused,
    Unsigned,
}

impl AnswerSigning {
    /// Signs with a key that is derived from the caller's shared secret. Both sides make it:
    /// nothing else is handed out. Clients know it by this `keyid`, such as the service's name.
    ///
    /// During a rotation, the response to a request on the old secret is signed with the key of the
    /// old secret.
    ///
    /// Callers with public keys need [`with_service_key`](Self::with_service_key) as well.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`] if `key_id` is no valid key id.
    pub fn derived(key_id: &str) -> Result<Self, ConfigError> {
        let mut signing = Self::by_nobody();
        signing.derived = Some(ResponseSigner::new(key_id)?);
        Ok(signing)
    }

    /// Signs every response with a private key of this service. Anyone may know the public key, so
    /// a signature is proof to third parties.
    ///
    /// # Errors
    ///
    /// As [`with_service_key`](Self::with_service_key).
    pub fn by_service_key(key_id: &str, key: SigningKey) -> Result<Self, ConfigError> {
        Self::by_nobody().with_service_key(key_id, key)
    }

    /// Signs with this key if no key can be derived: for callers that have public keys.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Name`] if `key_id` is no valid key id.
    /// - [`ConfigErrorKind::Key`] if the key is not a private key for RFC 9421.
    /// - [`ConfigErrorKind::WeakKey`] if the key is weak.
    pub fn with_service_key(mut self, key_id: &str, key: SigningKey) -> Result<Self, ConfigError> {
        // Checks the scheme and the strength.
        let _: MessageSignaturesSignSettings =
            MessageSignaturesSignSettings::new(key_id, key.clone())?;
        if key.algorithm() == Algorithm::HmacSha256 {
            return Err(ConfigError::new(
                ConfigErrorKind::Key,
                "service key: expected a private key, found a shared secret",
            ));
        }
        self.service = Some((ResponseSigner::new(key_id)?, Arc::new(key)));
        Ok(self)
    }

    fn by_nobody() -> Self {
        Self {
            derived: None,
            service: None,
            max_bytes: 2 * 1024 * 1024,
            deadline: Duration::from_secs(30),
            large: Large::Refused,
            unsigned_for: Arc::default(),
        }
    }

    /// Also covers this field of responses that have it. `content-type`, `content-encoding`,
    /// `content-range` and `location` are always covered.
    ///
    /// # Errors
    ///
    /// As [`ResponseSigner::with_covered_header`].
    pub fn with_covered_header(mut self, name: &HeaderName) -> Result<Self, ConfigError> {
        let add = |signer: ResponseSigner| signer.with_covered_header(name.clone());
        self.derived = self.derived.map(add).transpose()?;
        if let Some((signer, key)) = self.service {
            self.service = Some((add(signer)?, key));
        }
        Ok(self)
    }

    /// Sets the length up to which a body is read into memory, because the head holds the
    /// digest. Default: 2 MiB. A longer body is answered with 500 `unsignable`. A response whose
    /// extensions hold its [`PayloadDigest`](countersign::PayloadDigest) is streamed and has no
    /// limit.
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the time within which the handler must have written the whole body. Default: 30
    /// seconds. A later body is answered with 500 `unsignable`.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sends a body over the limit unsigned, in place of the 500.
    ///
    /// # Attack
    ///
    /// Clients that accept such responses accept whatever anyone on the way writes in their place.
    pub fn insecure_unsigned_if_large(mut self) -> Self {
        self.large = Large::Unsigned;
        self
    }

    /// Signs no response of these routes: of streams, upgrades and gRPC, which cannot be signed. A
    /// route is a method and a path, as in
    /// [`insecure_report_only_for`](crate::VerifyLayer::insecure_report_only_for).
    ///
    /// # Attack
    ///
    /// Anyone on the way can change these responses, or answer in the place of the service.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if a path is not in plain form.
    pub fn insecure_unsigned_for<P: AsRef<str>>(
        mut self,
        routes: impl IntoIterator<Item = (Method, P)>,
    ) -> Result<Self, ConfigError> {
        let mut all = self.unsigned_for.to_vec();
        for (method, pattern) in routes {
            all.push(Route::new(method, pattern.as_ref(), "unsigned route")?);
        }
        self.unsigned_for = all.into();
        Ok(self)
    }

    /// Returns whether the responses to this request are signed.
    pub(super) fn signs(&self, parts: &Parts) -> bool {
        if self.unsigned_for.is_empty() {
            return true;
        }
        let path = routes::path_of(parts);
        !path.is_some_and(|path| {
            let mut routes = self.unsigned_for.iter();
            routes.any(|route| route.is(&parts.method, path))
        })
    }

    /// Returns the signer and the key for a caller. `derived` is made of the caller's secret.
    pub(super) fn choose(
        &self,
        derived: Option<Arc<SigningKey>>,
    ) -> Option<(&ResponseSigner, Arc<SigningKey>)> {
        if let (Some(signer), Some(key)) = (&self.derived, derived) {
            return Some((signer, key));
        }
        let (signer, key) = self.service.as_ref()?;
        Some((signer, Arc::clone(key)))
    }

    /// Refuses settings by which the responses to some callers cannot be signed.
    pub(in super::super) fn check(&self, verifier: &Verifier) -> Result<(), ConfigError> {
        if self.service.is_none() && verifier.accepts(Scheme::Ed25519) {
            return Err(ConfigError::new(
                ConfigErrorKind::Setting,
                "signed answers: expected a service key (AnswerSigning::with_service_key), because \
                 the verifier accepts ED25519, found none",
            ));
        }
        Ok(())
    }
}
