use std::borrow::Cow;

use http::{
    HeaderName, HeaderValue,
    header::{CONTENT_ENCODING, WWW_AUTHENTICATE},
};
use smallvec::SmallVec;

use super::{
    ACCEPT_SIGNATURE, CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT, accept_signature,
    component_id::ComponentId,
    fields::Fields,
    labeled_signature::{LabeledSignature, Place, Problem},
    message::UriScheme,
    parse::{self, of_label},
    signature_input::SignatureInput,
    structured_field::{StructuredType, is_plain_text},
};
use crate::{
    error::{ConfigError, ConfigErrorKind, Escaped, Reason, Rejection, RejectionKind, Set, reason},
    families::{AcceptedScheme, Carrier, ParsedHead, Requirements, VerifierOfFamily},
    head::{HeadLimits, RequestHead},
    scheme::{Algorithm, Scheme},
    timestamp::Timestamp,
};

/// What a verifier asks of HTTP Message Signatures (RFC 9421): the coverage that the RFC leaves to the application, and
/// which of several signatures it is that counts.
///
/// ```
/// use countersign::{ComponentId, MessageSignaturesVerifySettings, UriScheme, Verifier};
///
/// let verifier = Verifier::builder()
///     .expected_hosts(["user-service.internal"])
///     .accept_only(
///         MessageSignaturesVerifySettings::new()
///             .requiring(ComponentId::SCHEME)
///             .with_scheme(UriScheme::Https)
///             .with_tag("svc-v1")?,
///     )
///     .build()?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// # What a signature must cover
///
/// `"@method" "@authority" "@path" "@query"`, whatever else is [required](Self::requiring), the headers that the verifier
/// [requires](crate::VerifierBuilder::require_headers), `content-encoding` where it is present and, unless its key says
/// otherwise, `content-type` where it is present. It must have the parameters `created` and `keyid` and, unless its key
/// says otherwise, `nonce`. `"@target-uri"` stands for authority, path, query and scheme; `"@request-target"` for path and
/// query. A request with a body must cover `content-digest`; where that is not covered, the body must be empty.
///
/// # Which signature counts
///
/// A request may carry several. Those with another [tag](Self::with_tag), if one is set, are nobody's business here, nor do
/// they count as a second signature beside one in another scheme; of the others there must be exactly one that covers enough and has no parameter or component that is unknown. That one is
/// judged, and if it does not hold, no other one is tried. Two that could be judged are refused: which of them counts
/// would otherwise be for whoever sent them to choose. Where a proxy adds signatures of its own, set a tag.
///
/// A `Signature` without `Signature-Input` is of an older draft (draft-cavage-http-signatures). It is a header like any
/// other here: beside a signature in another scheme it changes nothing, and alone it is no signature.
#[derive(Clone, Debug)]
#[must_use]
pub struct MessageSignaturesVerifySettings {
    pub(super) required: Vec<ComponentId<'static>>,
    pub(super) tag: Option<Box<str>>,
    pub(super) scheme: Option<UriScheme>,
    pub(super) structured_fields: Vec<(HeaderName, StructuredType)>,
    pub(super) only: Option<Algorithm>,
    pub(super) content: Content,
}

/// Whether a body must be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Signed,
    SignedIfCovered,
}

impl Default for MessageSignaturesVerifySettings {
    fn default() -> Self {
        Self::new()
    }
}

impl MessageSignaturesVerifySettings {
    /// The strictest settings: any tag, any of the two algorithms, no scheme.
    pub fn new() -> Self {
        Self {
            required: DEFAULT_COMPONENTS.to_vec(),
            tag: None,
            scheme: None,
            structured_fields: known_fields(),
            only: None,
            content: Content::Signed,
        }
    }

    /// One more component that every signature must cover.
    pub fn requiring(mut self, component: impl Into<ComponentId<'static>>) -> Self {
        self.required.push(component.into());
        self
    }

    /// Only signatures with this tag are looked at.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if the tag is empty or has other characters than visible ASCII and spaces without `"`
    /// and `\`.
    pub fn with_tag(mut self, tag: &str) -> Result<Self, ConfigError> {
        self.tag = Some(ensure_tag(tag)?.into());
        Ok(self)
    }

    /// The scheme that clients reach this service by: the value of `"@scheme"`, part of `"@target-uri"`, and what decides
    /// which port is left out of `"@authority"`.
    ///
    /// Without this it is that of an absolute URI (HTTP/2, or an absolute form), and a request that has none, as most of
    /// HTTP/1.1, can cover neither. Set it where TLS ends before this service: then what the request says is what the
    /// proxy in front says, which is not what was signed; and what was signed is not looked for in a header.
    pub fn with_scheme(mut self, scheme: UriScheme) -> Self {
        self.scheme = Some(scheme);
        self
    }

    /// What type a structured field is of, so that it can be covered as `;sf` and a dictionary's members as `;key="…"`. The
    /// text of a field does not say it. Of `content-digest`, `signature` and `signature-input` it is known.
    pub fn with_structured_field(mut self, name: HeaderName, kind: StructuredType) -> Self {
        self.structured_fields.insert(0, (name, kind));
        self
    }

    /// Accepts shared secrets only. Then [expected hosts](crate::VerifierBuilder::expected_hosts) are not asked for: a
    /// secret is shared with one callee, while an Ed25519 key is known to all.
    pub fn hmac_sha256_only(mut self) -> Self {
        self.only = Some(Algorithm::HmacSha256);
        self
    }

    /// Accepts Ed25519 keys only.
    pub fn ed25519_only(mut self) -> Self {
        self.only = Some(Algorithm::Ed25519);
        self
    }

    /// Requires these components in place of `"@method" "@authority" "@path" "@query"` and of those required before.
    ///
    /// Whoever sees a request can send whatever is left out anew with another value: another method to the same path, the
    /// same path of another service. With an empty list a signature is good for every request.
    pub fn insecure_require_only<I>(mut self, components: I) -> Self
    where
        I: IntoIterator<Item = ComponentId<'static>>,
    {
        self.required = components.into_iter().collect();
        self
    }

    /// Takes a body that no signature covers. A `content-digest` that is covered is checked nevertheless.
    ///
    /// Whoever sees a request can send it anew with a body of their own.
    pub fn insecure_allow_unsigned_content(mut self) -> Self {
        self.content = Content::SignedIfCovered;
        self
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "other families have no settings to start from"
    )]
    pub(crate) fn plain(_scheme: Scheme) -> Result<Self, ConfigError> {
        Ok(Self::new())
    }

    /// There is one way in which a verifier reads the fields of these signatures: the settings given last.
    pub(crate) fn merge(&mut self, other: Self) {
        *self = other;
    }

    /// The one signature that is judged.
    pub(super) fn choose<'i, 'r>(
        &self,
        input: &'i SignatureInput<'r>,
        fields: &Fields<'r>,
        policy: &Requirements,
    ) -> Result<&'i LabeledSignature<'r>, Rejection> {
        let mut chosen: Option<&LabeledSignature<'r>> = None;
        let mut refused = None;
        for label in input.labels().filter(|label| self.is_ours(label)) {
            let lack = match label.problem {
                Some(problem) => Some(Lack::Problem(problem)),
                None => self.lack(label, fields, policy),
            };
            match (lack, chosen) {
                (None, Some(other)) => {
                    return Err(Rejection::malformed(reason!(
                        "signature-input: expected one signature that could be judged, found \"{}\" and \"{}\"",
                        Escaped::text(other.label),
                        Escaped::text(label.label)
                    )));
                }
                (None, None) => chosen = Some(label),
                (Some(lack), _) => {
                    refused.get_or_insert((label, lack));
                }
            }
        }
        match (chosen, refused) {
            (Some(chosen), _) => Ok(chosen),
            (None, Some((label, lack))) => Err(lack.refusal(label)),
            (None, None) => {
                let kind = RejectionKind::MissingSignature;
                Err(Rejection::because(kind, self.no_tag(input)))
            }
        }
    }

    /// What a request is refused with that has no signature with the tag that is set.
    #[cold]
    fn no_tag(&self, input: &SignatureInput<'_>) -> Reason {
        let labels: Vec<&str> = input.labels().map(|label| label.label).collect();
        let tags = input.labels().filter_map(|label| label.params.tag());
        let tags: Vec<&str> = tags.collect();
        reason!(
            "signature-input: expected a signature with the tag \"{}\", found the labels {} with the tags {}",
            Set(&self.tag.as_deref().unwrap_or_default()),
            &labels,
            &tags
        )
    }

    /// Whether all signatures are ones that [`choose`](Self::choose) passes over. Read as they are read there, to the same
    /// limits.
    fn are_others(&self, head: &RequestHead<'_>, policy: &Requirements) -> bool {
        self.tag.is_some()
            && SignatureInput::parse(&Fields::of(head.headers()), &policy.limits)
                .is_ok_and(|input| !input.labels().any(|label| self.is_ours(label)))
    }

    fn is_ours(&self, label: &LabeledSignature<'_>) -> bool {
        self.tag
            .as_deref()
            .is_none_or(|tag| label.params.tag() == Some(tag))
    }

    /// What a signature lacks to be judged.
    fn lack<'p, 'r>(
        &'p self,
        label: &LabeledSignature<'r>,
        fields: &Fields<'_>,
        policy: &'p Requirements,
    ) -> Option<Lack<'p, 'r>> {
        let LabeledSignature {
            covered, params, ..
        } = label;
        if params.created().is_none() {
            return Some(Lack::Parameter("created"));
        }
        if params.keyid().is_none() {
            return Some(Lack::Parameter("keyid"));
        }
        let mut required = self.required.iter();
        if let Some(missing) = required.find(|id| !covered.covers(id)) {
            return Some(Lack::Component(missing));
        }
        let has_content = !fields.content_digest.is_empty()
            || fields
                .content_length
                .is_some_and(|length| length.as_bytes() != b"0");
        let encoding = fields.has_content_encoding.then_some(&CONTENT_ENCODING);
        let digest = (has_content && self.content == Content::Signed).then_some(&CONTENT_DIGEST);
        let mut required = policy.required_headers.iter().chain(encoding).chain(digest);
        required
            .find(|name| !covered.covers_field(name.as_str()))
            .map(Lack::Field)
    }
}

/// Why a signature cannot be judged.
#[derive(Clone, Copy, Debug)]
enum Lack<'p, 'r> {
    /// What is not known here, or wrong.
    Problem(Problem<'r>),
    Parameter(&'static str),
    Component(&'p ComponentId<'static>),
    Field(&'p HeaderName),
}

impl Lack<'_, '_> {
    #[cold]
    fn refusal(self, signature: &LabeledSignature<'_>) -> Rejection {
        let LabeledSignature {
            label,
            covered,
            params,
            ..
        } = signature;
        let covered: Vec<String> = covered.iter().map(ComponentId::shown).collect();
        let covered: Vec<&str> = covered.iter().map(String::as_str).collect();
        let problem = match self {
            Self::Problem(Problem { text, place }) => {
                let place = match place {
                    Place::Component(number) => reason!("component {}", number),
                    Place::Parameter(name) => reason!("parameter {}", Escaped::text(name)),
                };
                let reason = reason!("{}, found in {}; it covers {}", text, Set(&place), &covered);
                return Rejection::malformed(of_label(label, &reason));
            }
            Self::Parameter(name) => reason!(
                "expected the parameter {}, found {}",
                name,
                &params.names().collect::<Vec<_>>()
            ),
            Self::Component(id) => reason!(
                "expected {} to be covered, found covered {}",
                Set(&id.shown()),
                &covered
            ),
            Self::Field(name) => reason!(
                "expected the header {} to be covered, found covered {}",
                name,
                &covered
            ),
        };
        Rejection::insufficient_coverage(of_label(label, &problem))
    }
}

impl VerifierOfFamily for MessageSignaturesVerifySettings {
    fn schemes(&self) -> &[Scheme] {
        &[Scheme::MessageSignatures]
    }

    /// `Signature-Input` is one, whether or not `Signature` is there. `Signature` alone is none: the drafts before RFC 9421
    /// (draft-cavage-http-signatures) have it without the other. Nor are fields that can be read and hold nothing but
    /// signatures with another tag than the one that is set, of which none would be judged.
    fn carriers<'r>(
        &self,
        head: &RequestHead<'r>,
        _authorization: Option<(&'r str, &'r str)>,
        policy: &Requirements,
        found: &mut SmallVec<[Carrier<'r>; 2]>,
    ) {
        if head.headers().contains_key(&SIGNATURE_INPUT) && !self.are_others(head, policy) {
            found.push(Carrier {
                scheme: Scheme::MessageSignatures,
                parameters: "",
            });
        }
    }

    fn passed_over(&self, head: &RequestHead<'_>, policy: &Requirements) -> Option<Reason> {
        let fields = Fields::of(head.headers());
        let input = SignatureInput::parse(&fields, &policy.limits).ok()?;
        input.labels().next()?;
        Some(self.no_tag(&input))
    }

    #[inline]
    fn parse<'r>(
        &self,
        _carrier: Carrier<'r>,
        head: RequestHead<'r>,
        policy: &Requirements,
        now: Timestamp,
    ) -> Result<ParsedHead<'r>, Rejection> {
        parse::parse(self, head, policy, now)
    }

    fn asserted_key_id<'r>(
        &self,
        _carrier: Carrier<'r>,
        head: &RequestHead<'r>,
    ) -> Option<Cow<'r, str>> {
        let input =
            SignatureInput::parse(&Fields::of(head.headers()), &HeadLimits::default()).ok()?;
        let mut labels = input.labels().filter(|label| self.is_ours(label));
        labels
            .find_map(|label| label.params.keyid())
            .map(Cow::Borrowed)
    }

    fn challenges(&self, realm: &str, stale: bool, add: &mut dyn FnMut(HeaderName, HeaderValue)) {
        let stale = if stale { ", error=\"stale\"" } else { "" };
        let digest = (self.content == Content::Signed).then_some(ComponentId::CONTENT_DIGEST);
        let components = accept_signature::components(&self.required, digest.into_iter());
        let accept = accept_signature::value(&components, self.only, self.tag.as_deref());
        for (name, text) in [
            (
                WWW_AUTHENTICATE,
                format!("Signature realm=\"{realm}\"{stale}"),
            ),
            (ACCEPT_SIGNATURE.clone(), accept),
        ] {
            if let Ok(value) = HeaderValue::try_from(text) {
                add(name, value);
            }
        }
    }

    fn check(&self, policy: &Requirements) -> Result<(), ConfigError> {
        match self.only {
            Some(Algorithm::HmacSha256) => Ok(()),
            Some(Algorithm::Ed25519) | None => policy.ensure_expected_hosts(
                "RFC 9421 with Ed25519 keys, which hmac_sha256_only excludes,",
            ),
        }
    }
}

impl From<MessageSignaturesVerifySettings> for AcceptedScheme {
    fn from(settings: MessageSignaturesVerifySettings) -> Self {
        Self::new(settings)
    }
}

/// What every signature covers, unless the settings say otherwise.
pub(super) const DEFAULT_COMPONENTS: [ComponentId<'static>; 4] = [
    ComponentId::METHOD,
    ComponentId::AUTHORITY,
    ComponentId::PATH,
    ComponentId::QUERY,
];

/// The structured fields of the specification itself.
pub(super) fn known_fields() -> Vec<(HeaderName, StructuredType)> {
    [&CONTENT_DIGEST, &SIGNATURE, &SIGNATURE_INPUT]
        .map(|name| (name.clone(), StructuredType::Dictionary))
        .to_vec()
}

/// A tag that stands in a string as it is.
pub(super) fn ensure_tag(tag: &str) -> Result<&str, ConfigError> {
    if !tag.is_empty() && is_plain_text(tag) {
        Ok(tag)
    } else {
        Err(ConfigError::new(
            ConfigErrorKind::Setting,
            "tag: expected visible ASCII and spaces without \" and \\",
        ))
    }
}
