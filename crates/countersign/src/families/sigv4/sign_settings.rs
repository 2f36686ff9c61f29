use std::{sync::Arc, time::Duration};

use http::HeaderName;

use super::{
    canonical_uri::{PathRule, SigV4PathEncoding, SigV4PathNormalization},
    provider::{ArcProvider, CredentialsProvider},
    refresh::CurrentCredentials,
    sign::FamilySigner,
    verify_settings::ensure_scope,
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    head::{cannot_be_covered, is_owned_by_hops},
};

/// How a [`Signer`] signs in AWS Signature Version 4, for one region and one service.
///
/// ```
/// use countersign::{PayloadDigest, Secret, SigV4Credentials, SigV4SignSettings, Signer, SigningKey, Timestamp};
///
/// let secret = Secret::from_text("correct/Horse+battery/Staple+0123456789")?;
/// let credentials = SigV4Credentials::new("AKIDBILLING", SigningKey::sigv4(&secret))?;
/// let settings = SigV4SignSettings::new("eu-central-1", "user-service", credentials)?;
/// let signer = Signer::sigv4(settings, ["user-service.internal"])?;
///
/// let (parts, ()) = http::Request::get("https://user-service.internal/api/account/7").body(()).unwrap().into_parts();
/// let signature = signer.sign(&parts, PayloadDigest::of(b""), Timestamp::from_unix_seconds(1_767_323_045))?;
/// let (_, authorization) = signature.headers().last().unwrap();
/// assert!(authorization.to_str().unwrap().starts_with(
///     "AWS4-HMAC-SHA256 Credential=AKIDBILLING/20260102/eu-central-1/user-service/aws4_request, \
///      SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="
/// ));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Every header that the request has is covered, but for those that hops own. Each of them may be rewritten or removed
/// between the signer and the receiver, and the signature would then not match:
///
/// | left out | why |
/// |---|---|
/// | `authorization` | it carries the signature |
/// | `connection`, `keep-alive`, `proxy-…`, `te`, `trailer`, `transfer-encoding`, `upgrade` | they belong to one connection |
/// | `content-length`, `expect`, `accept-encoding` | an intermediary frames and encodes the message anew |
/// | `cache-control`, `pragma`, `cdn-loop`, `max-forwards`, `via`, `priority`, `early-data` | they are written to caches and gateways, which may change them |
/// | `forwarded`, `x-forwarded-…`, `x-real-ip`, `x-envoy-…` | every proxy writes its own |
/// | `user-agent`, `from`, `referer`, `sec-…` | clients set them, and proxies cut them for privacy |
/// | `traceparent`, `tracestate`, `baggage`, `b3`, `x-b3-…`, `sentry-trace`, `uber-trace-id`, `x-amzn-trace-id`, `x-cloud-trace-context`, `x-request-id` | tracing writes a new value at every hop |
///
/// [`with_covered_header`](Self::with_covered_header) covers one of them nevertheless.
#[derive(Clone, Debug)]
#[must_use]
pub struct SigV4SignSettings {
    pub(super) region: Box<str>,
    pub(super) service: Box<str>,
    pub(super) path: PathRule,
    pub(super) payload: PayloadMode,
    pub(super) nonce: NonceMode,
    excluded: Vec<HeaderName>,
    included: Vec<HeaderName>,
    provider: ArcProvider,
    max_credentials_age: Duration,
}

/// How long credentials without a known end are used, unless set.
const MAX_CREDENTIALS_AGE: Duration = Duration::from_secs(15 * 60);

/// What is said of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PayloadMode {
    /// Its hash, in a header.
    Header,
    /// Its hash, without a header that says it.
    Implied,
    /// Nothing.
    Unsigned,
}

/// Whether a nonce is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonceMode {
    None,
    Header,
}

impl SigV4SignSettings {
    /// Signs for this region and service, with what the provider gives.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if region or service is not 1 to 64 letters, digits, `-`, `_` and `.`.
    pub fn new(
        region: &str,
        service: &str,
        credentials: impl CredentialsProvider,
    ) -> Result<Self, ConfigError> {
        ensure_scope(region, service)?;
        Ok(Self {
            region: region.into(),
            service: service.into(),
            path: PathRule::of_service(service),
            payload: PayloadMode::Header,
            nonce: NonceMode::None,
            excluded: Vec::new(),
            included: Vec::new(),
            provider: ArcProvider::new(credentials),
            max_credentials_age: MAX_CREDENTIALS_AGE,
        })
    }

    /// How the path is encoded, if not as the service's name says.
    pub fn with_path_encoding(mut self, encoding: SigV4PathEncoding) -> Self {
        self.path.encoding = encoding;
        self
    }

    /// Whether the path is normalised before it is signed, if not as the service's name says. What is sent is not changed.
    pub fn with_path_normalization(mut self, normalization: SigV4PathNormalization) -> Self {
        self.path.normalization = normalization;
        self
    }

    /// Does not send `x-amz-content-sha256`. The body is signed as well, but its receiver has to read it before it can check
    /// the signature.
    pub fn with_implied_payload_hash(mut self) -> Self {
        self.payload = PayloadMode::Implied;
        self
    }

    /// Sends `UNSIGNED-PAYLOAD` and does not sign the body, which whoever stands between can then exchange.
    pub fn insecure_unsigned_payload(mut self) -> Self {
        self.payload = PayloadMode::Unsigned;
        self
    }

    /// Does not cover this header, besides those that are never covered: something changes it behind the signer.
    pub fn with_excluded_header(mut self, name: HeaderName) -> Self {
        self.excluded.push(name);
        self
    }

    /// Covers this header where a request has it, although [hops own it](Self): none on the way changes it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Coverage`] if the header carries the signature or belongs to one connection.
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

    /// Sends and covers an `x-nonce`, by which a verifier of this project tells a replay. Others take it for a header like
    /// any other.
    pub fn with_nonce(mut self) -> Self {
        self.nonce = NonceMode::Header;
        self
    }

    /// Sets how long credentials without a known end are used before the provider is asked for them again: 15 minutes
    /// unless set, 1 second at least. Those that have an end are asked for again 5 minutes before it.
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
