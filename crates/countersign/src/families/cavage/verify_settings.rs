use std::borrow::Cow;

#[cfg(feature = "diagnose")]
use http::header::AUTHORIZATION;
use http::{HeaderName, header::WWW_AUTHENTICATE};
use smallvec::SmallVec;

use super::{
    SIGNATURE, SIGNATURE_INPUT,
    dialect::{self, Dialect},
    parameters::Parameters,
    parse,
};
use crate::{
    error::{ConfigError, Rejection, RejectionKind},
    families::{
        AcceptedScheme, Carrier, FamilyVerifier, ParsedHead, Requirements, VerifierOfFamily,
        stale_parameter,
    },
    head::{HeadLimits, RequestHead},
    scheme::{Algorithm, AlgorithmSet, Scheme},
    timestamp::Timestamp,
};

/// Requirements of a verifier for draft-cavage-http-signatures-12 ([`Scheme::Cavage`]), in the form
/// of the draft or of a gateway.
///
/// ```
/// use countersign::{Algorithm, CavageVerifySettings, Scheme, Verifier};
///
/// // Clients of Kong's hmac-auth, which sign `date request-line` and not the host.
/// let kong = CavageVerifySettings::kong().insecure_allow_uncovered_host();
/// let verifier = Verifier::builder().accept_only(kong).build()?;
/// assert!(verifier.accepts(Scheme::Cavage));
///
/// // The Fediverse: RSA keys, and the parameters in the header `Signature`.
/// let fediverse = CavageVerifySettings::new().with_algorithm(Algorithm::RsaV15Sha256);
/// let verifier = Verifier::builder()
///     .expected_hosts(["social.example"])
///     .accept_only(fediverse)
///     .build()?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// # Required coverage
///
/// A signature must cover:
///
/// - the request target: `(request-target)`, or the name that the gateway gives it,
/// - `host`,
/// - `date`, or in the draft itself `(created)`,
/// - `digest` if the request has a body or a `Digest`; otherwise the body must be empty,
/// - `content-encoding` and `x-nonce` if present,
/// - the headers that the verifier [requires](crate::VerifierBuilder::require_headers).
///
/// `content-type` is required only by a [rule of the key](crate::CallerKey::with_content_type).
///
/// # Algorithms
///
/// The key decides: `hmac-sha256`, `ed25519`, and `rsa-sha256` with the feature `rsa`. A parameter
/// `algorithm` of another name than the key's is refused, and never selects anything. `hs2019` and
/// no parameter agree with every key.
///
/// # Replay
///
/// The draft has no nonce. A signature is accepted once. Two equal requests within one second have
/// one signature, so the second one is refused. Signers of this crate cover an `x-nonce`, which
/// then identifies the request. See
/// [`insecure_accept_repeats`](Self::insecure_accept_repeats).
#[derive(Clone, Debug)]
#[must_use]
pub struct CavageVerifySettings {
    pub(super) dialect: &'static Dialect,
    pub(super) algorithms: AlgorithmSet,
    pub(super) host: HostRule,
    pub(super) content: Content,
    pub(super) repeats: Repeats,
}

/// Whether the host must be covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostRule {
    Covered,
    Optional,
}

/// Whether a body must be covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Signed,
    SignedIfCovered,
}

/// Whether a signature without a nonce is accepted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeats {
    Refused,
    Accepted,
}

impl Default for CavageVerifySettings {
    fn default() -> Self {
        Self::new()
    }
}

impl CavageVerifySettings {
    /// Accepts the draft itself, in `Authorization: Signature` or in the header `Signature`.
    ///
    /// A `Signature` beside `Signature-Input` belongs to RFC 9421 and is ignored.
    pub fn new() -> Self {
        let algorithms = Scheme::Cavage.definition().algorithms;
        Self::of(&dialect::DRAFT, AlgorithmSet::of(algorithms))
    }

    /// Accepts clients of Kong's plugin hmac-auth with `hmac-sha256`.
    ///
    /// They send `Authorization: hmac username="…",…` and sign `@request-target` or `request-line`,
    /// and `date` or `x-date`. The version in `request-line` is read as `HTTP/1.1`, with which such
    /// clients sign. `Proxy-Authorization` is ignored.
    pub fn kong() -> Self {
        Self::of(&dialect::KONG, HMAC)
    }

    /// Accepts clients of Apache APISIX's plugin hmac-auth, 3.11 or later, with `hmac-sha256`.
    ///
    /// They sign the name of the key, `@request-target` without its name, and a line break at the
    /// end. APISIX leaves out the lines of absent headers; here such a request is refused.
    pub fn apisix() -> Self {
        Self::of(&dialect::APISIX, HMAC)
    }

    /// Accepts clients of Tyk's request signing with `hmac-sha256`.
    ///
    /// They send the signature percent-encoded. Tyk signs neither the query nor the escapes of a
    /// path; here a request with either is refused.
    pub fn tyk() -> Self {
        Self::of(&dialect::TYK, HMAC)
    }

    const fn of(dialect: &'static Dialect, algorithms: AlgorithmSet) -> Self {
        Self {
            dialect,
            algorithms,
            host: HostRule::Covered,
            content: Content::Signed,
            repeats: Repeats::Refused,
        }
    }

    /// Accepts keys of this algorithm only.
    ///
    /// With [`Algorithm::HmacSha256`], [expected hosts](crate::VerifierBuilder::expected_hosts) are
    /// optional: a secret is shared with one callee, while every callee may know a public key.
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithms = AlgorithmSet::of(&[algorithm]);
        self
    }

    /// Accepts a signature that does not cover `host`, as clients of gateways usually send it.
    ///
    /// # Attack
    ///
    /// Anyone who sees a request can resend it to another service that accepts the same key.
    pub fn insecure_allow_uncovered_host(mut self) -> Self {
        self.host = HostRule::Optional;
        self
    }

    /// Accepts a body that no signature covers. Still checks a covered `digest`.
    ///
    /// # Attack
    ///
    /// Anyone who sees a request can resend it with another body.
    pub fn insecure_allow_unsigned_content(mut self) -> Self {
        self.content = Content::SignedIfCovered;
        self
    }

    /// Accepts a signature without a nonce any number of times, for clients that send two equal
    /// requests within one second.
    ///
    /// # Attack
    ///
    /// Anyone who sees a request can replay it while its date is accepted.
    pub fn insecure_accept_repeats(mut self) -> Self {
        self.repeats = Repeats::Accepted;
        self
    }

    /// A verifier has one set of these settings: the settings given last.
    pub(crate) fn merge(&mut self, other: Self) {
        *self = other;
    }

    /// Requires the least, for a diagnosis.
    #[cfg(feature = "diagnose")]
    pub(crate) fn relaxed(&self) -> Self {
        self.clone()
            .insecure_allow_uncovered_host()
            .insecure_allow_unsigned_content()
    }

    /// Returns the draft and the gateways whose form differs from it at the first look.
    #[cfg(feature = "diagnose")]
    pub(crate) fn dialects() -> [Self; 2] {
        [Self::new(), Self::kong()]
    }

    /// Returns whether a head carries a signature in this form, valid or not.
    #[cfg(feature = "diagnose")]
    pub(crate) fn has_form_of(&self, head: &RequestHead<'_>) -> bool {
        let authorization = head.headers().get(AUTHORIZATION);
        let text = authorization.and_then(|value| value.to_str().ok());
        let name = text.and_then(|text| text.split(' ').next());
        name.is_some_and(|name| name.eq_ignore_ascii_case(self.dialect.scheme_name))
            || self.is_in_signature_header(head)
    }

    fn is_in_signature_header(&self, head: &RequestHead<'_>) -> bool {
        let headers = head.headers();
        self.dialect.signature_header
            && headers.contains_key(&SIGNATURE)
            && !headers.contains_key(&SIGNATURE_INPUT)
    }
}

const HMAC: AlgorithmSet = AlgorithmSet::of(&[Algorithm::HmacSha256]);

impl VerifierOfFamily for CavageVerifySettings {
    fn schemes(&self) -> &[Scheme] {
        &[Scheme::Cavage]
    }

    fn carriers<'r>(
        &self,
        head: &RequestHead<'r>,
        authorization: Option<(&'r str, &'r str)>,
        _requirements: &Requirements,
        found: &mut SmallVec<[Carrier<'r>; 2]>,
    ) {
        let mut add = |parameters| {
            found.push(Carrier {
                scheme: Scheme::Cavage,
                parameters,
            });
        };
        if let Some((name, parameters)) = authorization
            && name.eq_ignore_ascii_case(self.dialect.scheme_name)
            && !parameters.is_empty()
        {
            add(parameters);
        }
        if self.is_in_signature_header(head) {
            add("");
        }
    }

    fn parse<'r>(
        &self,
        carrier: Carrier<'r>,
        head: RequestHead<'r>,
        requirements: &Requirements,
        now: Timestamp,
    ) -> Result<ParsedHead<'r>, Rejection> {
        parse::parse(self, carrier, head, requirements, now)
    }

    fn asserted_key_id<'r>(
        &self,
        carrier: Carrier<'r>,
        head: &RequestHead<'r>,
    ) -> Option<Cow<'r, str>> {
        let text = parse::text_of(carrier, *head, &HeadLimits::default()).ok()?;
        Parameters::asserted_key_id(text, self.dialect).map(Cow::Borrowed)
    }

    /// The challenge of the draft names what must be covered (section 3.1.1).
    fn challenges(
        &self,
        realm: &str,
        kind: RejectionKind,
        add: &mut dyn FnMut(HeaderName, String),
    ) {
        let stale = stale_parameter(kind);
        let mut names: Vec<&str> = Vec::new();
        names.extend(self.dialect.targets.first().map(|(name, _)| *name));
        names.extend((self.host == HostRule::Covered).then_some("host"));
        names.push("date");
        names.extend((self.content == Content::Signed).then_some("digest"));
        let (scheme_name, names) = (self.dialect.scheme_name, names.join(" "));
        add(
            WWW_AUTHENTICATE,
            format!("{scheme_name} realm=\"{realm}\", headers=\"{names}\"{stale}"),
        );
    }

    fn check(&self, requirements: &Requirements) -> Result<(), ConfigError> {
        match self.algorithms.single() {
            Some(Algorithm::HmacSha256) => Ok(()),
            _ => requirements.ensure_expected_hosts(
                "draft-cavage-12 with public keys, which with_algorithm(HmacSha256) excludes,",
            ),
        }
    }
}

impl From<CavageVerifySettings> for AcceptedScheme {
    fn from(settings: CavageVerifySettings) -> Self {
        Self::new(FamilyVerifier::Cavage(settings))
    }
}
