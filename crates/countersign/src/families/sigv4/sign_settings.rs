use std::{sync::Arc, time::Duration};

use http::HeaderName;

use super::{
    canonical_uri::{SigV4PathEncoding, SigV4PathNormalization},
    current_credentials::CurrentCredentials,
    provider::{ArcProvider, CredentialsProvider},
    scope::Scope,
    sign::FamilySigner,
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    head::{cannot_be_covered, is_owned_by_hops},
};

/// Settings of a [`Signer`](crate::Signer) for AWS Signature Version 4, for one region and one
/// service.
///
/// ```
/// use countersign::{
///     PayloadDigest, Secret, SigV4Credentials, SigV4SignSettings, Signer, SigningKey, Timestamp,
/// };
///
/// let secret = Secret::from_text("correct/Horse+battery/Staple+0123456789")?;
/// let credentials = SigV4Credentials::new("AKIDBILLING", SigningKey::sigv4(&secret))?;
/// let settings = SigV4SignSettings::new("eu-central-1", "user-service", credentials)?;
/// let signer = Signer::sigv4(settings, ["user-service.internal"])?;
///
/// let request = http::Request::get("https://user-service.internal/api/account/7");
/// let (parts, ()) = request.body(())?.into_parts();
/// let now = Timestamp::from_unix_seconds(1_767_323_045);
/// let signature = signer.sign(&parts, PayloadDigest::of(b""), now)?;
/// let (_, authorization) = signature.headers().last().unwrap();
/// assert!(authorization.to_str().unwrap().starts_with(
///     "AWS4-HMAC-SHA256 Credential=AKIDBILLING/20260102/eu-central-1/user-service/aws4_request, \
///      SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="
/// ));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Covers every header of the request except those that hops own. A hop may rewrite or remove
/// these, and the signature would then not match:
///
/// | not covered | why |
/// |---|---|
/// | `authorization` | carries the signature |
/// | `connection`, `keep-alive`, `proxy-…`, `te` | belong to one connection |
/// | `trailer`, `transfer-encoding`, `upgrade` | belong to one connection |
/// | `content-length`, `expect`, `accept-encoding` | intermediaries reframe and re-encode |
/// | `cache-control`, `pragma`, `cdn-loop`, `max-forwards` | caches and gateways change them |
/// | `via`, `priority`, `early-data` | caches and gateways change them |
/// | `forwarded`, `x-forwarded-…`, `x-real-ip`, `x-envoy-…` | every proxy writes its own |
/// | `user-agent`, `from`, `referer`, `sec-…` | proxies cut them for privacy |
/// | `traceparent`, `tracestate`, `baggage`, `b3`, `x-b3-…` | tracing changes them at every hop |
/// | `sentry-trace`, `uber-trace-id`, `x-amzn-trace-id` | tracing changes them at every hop |
/// | `x-cloud-trace-context`, `x-request-id` | tracing changes them at every hop |
///
/// [`with_covered_header`](Self::with_covered_header) covers one of them anyway.
#[derive(Clone, Debug)]
#[must_use]
pub struct SigV4SignSettings {
    pub(super) scope: Scope,
    pub(super) payload: PayloadMode,
    pub(super) nonce: NonceMode,
    excluded: Vec<HeaderName>,
    included: Vec<HeaderName>,
    provider: ArcProvider,
    max_credentials_age: Duration,
}

/// Default maximum age of credentials without a known expiry.
const MAX_CREDENTIALS_AGE: Duration = Duration::from_secs(15 * 60);

/// The signature's coverage of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PayloadMode {
    /// Signs its hash and sends the hash in a header.
    Header,
    /// Signs its hash without sending the hash.
    Implied,
    /// Does not sign the body.
    Unsigned,
}

/// Whether a nonce is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonceMode {
    None,
    Header,
}

impl SigV4SignSettings {
    /// Signs for this region and service, with credentials from the provider.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if region or service is not 1 to 64 letters, digits, `-`, `_`
    /// and `.`.
    pub fn new(
        region: &str,
        service: &str,
        credentials: impl CredentialsProvider,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            scope: Scope::new(region, service)?,
            payload: PayloadMode::Header,
            nonce: NonceMode::None,
            excluded: Vec::new(),
            included: Vec::new(),
            provider: ArcProvider::new(credentials),
            max_credentials_age: MAX_CREDENTIALS_AGE,
        })
    }

    /// Sets the encoding of the path. Default: by the name of the service.
    pub fn with_path_encoding(mut self, encoding: SigV4PathEncoding) -> Self {
        self.scope.path.encoding = encoding;
        self
    }

    /// Sets whether the path is normalised before signing. Default: by the name of the service. The
    /// sent path never changes.
    pub fn with_path_normalization(mut self, normalization: SigV4PathNormalization) -> Self {
        self.scope.path.normalization = normalization;
        self
    }

    /// Does not send `x-amz-content-sha256`. The signature still covers the body, but the receiver
    /// must read the body before checking the signature.
    pub fn with_implied_payload_hash(mut self) -> Self {
        self.payload = PayloadMode::Implied;
        self
    }

    /// Sends `UNSIGNED-PAYLOAD` and does not sign the body.
    ///
    /// # Attack
    ///
    /// Any intermediary can replace the body.
    pub fn insecure_unsigned_payload(mut self) -> Self {
        self.payload = PayloadMode::Unsigned;
        self
    }

    /// Does not cover this header, in addition to those that are never covered. For headers that a
    /// hop changes after signing.
    pub fn with_excluded_header(mut self, name: HeaderName) -> Self {
        self.excluded.push(name);
        self
    }

    /// Covers this header if a request has it, although [hops own it](Self). No hop may then change
    /// it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Coverage`] if the header carries the signature or belongs to one
    /// connection.
    pub fn with_covered_header(mut self, name: HeaderName) -> Result<Self, ConfigError> {
        if cannot_be_covered(name.as_str()) {
            return Err(ConfigError::new(
                ConfigErrorKind::Coverage,
                format!(
                    "covered header {name}: it carries the signature or belongs to one connection"
                ),
            ));
        }
        self.included.push(name);
        Ok(self)
    }

    /// Sends and covers an `x-nonce`, with which a Countersign verifier detects replays. Other
    /// verifiers treat it as an ordinary header.
    pub fn with_nonce(mut self) -> Self {
        self.nonce = NonceMode::Header;
        self
    }

    /// Sets the maximum age of credentials without a known expiry, before the provider is asked
    /// again. Default: 15 minutes. Minimum: 1 second. Credentials with an expiry are refreshed 5
    /// minutes before it.
    pub fn with_max_credentials_age(mut self, age: Duration) -> Self {
        self.max_credentials_age = age;
        self
    }

    pub(super) fn covers(&self, name: &HeaderName) -> bool {
        let text = name.as_str();
        let is_left_out = cannot_be_covered(text) || is_owned_by_hops(text);
        !self.excluded.contains(name) && (!is_left_out || self.included.contains(name))
    }
}

impl FamilySigner {
    pub(crate) fn new(settings: SigV4SignSettings) -> Self {
        let credentials =
            CurrentCredentials::new(settings.provider.clone(), settings.max_credentials_age);
        Self {
            settings: Arc::new(settings),
            credentials: Arc::new(credentials),
        }
    }
}
