use std::borrow::Cow;

use http::{HeaderName, header::WWW_AUTHENTICATE};
use smallvec::SmallVec;

use super::{
    ACCEPT_SIGNATURE, CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT, accept_signature,
    component_id::ComponentId,
    covered_components::CoveredComponents,
    fields::Fields,
    labeled_signature::{LabeledSignature, Place, Problem},
    message::UriScheme,
    parse::{self, of_label},
    rules::{
        Bytes, Choice, Content, Counts, Facts, KeyIdForm, NonceForm, ParamSet, Required, TargetUri,
        Times, When,
    },
    signature_input::SignatureInput,
    structured_field::{StructuredType, is_plain_text},
};
use crate::{
    error::{ConfigError, ConfigErrorKind, Escaped, Reason, Rejection, RejectionKind, Set, reason},
    families::{
        AcceptedScheme, Carrier, Decides, FamilyVerifier, ParsedHead, Requirements,
        VerifierOfFamily, stale_parameter,
    },
    head::{HeadLimits, RequestHead},
    scheme::{Algorithm, AlgorithmSet, Scheme},
    timestamp::Timestamp,
};

/// Requirements of a verifier for HTTP Message Signatures (RFC 9421): the coverage that the RFC
/// leaves to the application, and the choice among several signatures.
///
/// ```
/// use countersign::{ComponentId, MessageSignaturesVerifySettings, UriScheme, Verifier};
///
/// let verifier = Verifier::builder()
///     .expected_hosts(["user-service.internal"])
///     .accept_only(
///         MessageSignaturesVerifySettings::new()
///             .with_required_component(ComponentId::SCHEME)
///             .with_scheme(UriScheme::Https)
///             .with_tag("svc-v1")?,
///     )
///     .build()?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// # Required coverage
///
/// A signature must cover:
///
/// - `"@method" "@authority" "@path" "@query"` and any other [required
///   component](Self::with_required_component),
/// - the headers that the verifier [requires](crate::VerifierBuilder::require_headers),
/// - `content-encoding` if present, and `content-type` if present, unless its key waives
///   `content-type`,
/// - `content-digest` if the request has a body; otherwise the body must be empty.
///
/// `"@target-uri"` counts as authority, path, query and scheme; `"@request-target"` as path and
/// query. The signature must have the parameters `created`, `keyid` and, unless its key waives it,
/// `nonce`.
///
/// # Several signatures
///
/// If a [tag](Self::with_tag) is set, signatures with any other tag are ignored, also when
/// signatures in several schemes are counted. Exactly one of the remaining signatures must cover
/// enough and use only known parameters and components. Only that signature is verified: if it
/// fails, no other one is tried. Two such signatures are refused, because the sender could
/// otherwise choose between them. If a proxy adds signatures, set a tag.
///
/// A `Signature` without `Signature-Input` belongs to an older draft (draft-cavage-http-signatures)
/// and is ignored like any other header. Alone it is no signature.
#[derive(Clone, Debug)]
#[must_use]
pub struct MessageSignaturesVerifySettings {
    pub(super) required: Vec<Required>,
    pub(super) counts: Counts,
    pub(super) tag: Option<Box<str>>,
    pub(super) choice: Choice,
    pub(super) params: ParamSet,
    pub(super) times: Times,
    pub(super) nonce: Decides,
    pub(super) nonce_form: NonceForm,
    pub(super) key_id_form: KeyIdForm,
    pub(super) algorithms: AlgorithmSet,
    /// The dictionary whose member under the label of the signature says who signed.
    pub(super) agent: Option<HeaderName>,
    pub(super) content: Content,
    pub(super) content_type: Decides,
    pub(super) signature_bytes: Bytes,
    pub(super) digest_bytes: Bytes,
    pub(super) target_uri: TargetUri,
    pub(super) scheme: Option<UriScheme>,
    pub(super) structured_fields: Vec<(HeaderName, StructuredType)>,
}

impl Default for MessageSignaturesVerifySettings {
    fn default() -> Self {
        Self::new()
    }
}

impl MessageSignaturesVerifySettings {
    /// Returns the strictest settings, with any tag, any algorithm and no scheme.
    pub fn new() -> Self {
        Self::strict()
    }

    /// Adds a component that every signature must cover.
    pub fn with_required_component(mut self, component: impl Into<ComponentId<'static>>) -> Self {
        self.required.push(Required::always(component.into()));
        self
    }

    /// Accepts only signatures with this tag and ignores all others.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if the tag is empty, or has characters other than visible ASCII
    /// and spaces without `"` and `\`.
    pub fn with_tag(mut self, tag: &str) -> Result<Self, ConfigError> {
        self.tag = Some(ensure_tag(tag)?.into());
        Ok(self)
    }

    /// Sets the scheme with which clients reach this service. It is the value of `"@scheme"`, part
    /// of `"@target-uri"`, and decides which port `"@authority"` omits.
    ///
    /// By default the scheme is that of an absolute URI (HTTP/2 or absolute form). A request
    /// without one, as in most of HTTP/1.1, can then cover neither component.
    /// Set the scheme if TLS ends before this service: the request then shows the proxy's scheme,
    /// not the signed one. No header is read for it.
    pub fn with_scheme(mut self, scheme: UriScheme) -> Self {
        self.scheme = Some(scheme);
        self
    }

    /// Sets the type of a structured field, which its text does not tell. Its value can then be
    /// covered as `;sf`, and the members of a dictionary as `;key="…"`. The types of
    /// `content-digest`, `signature` and `signature-input` are known.
    pub fn with_structured_field(mut self, name: HeaderName, kind: StructuredType) -> Self {
        self.structured_fields.insert(0, (name, kind));
        self
    }

    /// Accepts keys of this algorithm only.
    ///
    /// With [`Algorithm::HmacSha256`], [expected hosts](crate::VerifierBuilder::expected_hosts) are
    /// optional: a secret is shared with one callee, while every callee may know a public key.
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithms = AlgorithmSet::of(&[algorithm]);
        self
    }

    /// Requires these components in place of `"@method" "@authority" "@path" "@query"` and of those
    /// required before.
    ///
    /// # Attack
    ///
    /// Anyone who sees a request can resend it with other values for uncovered parts. Examples:
    /// another method to the same path, or the same path of another service. With an empty list, a
    /// signature fits every request.
    pub fn insecure_require_only<I>(mut self, components: I) -> Self
    where
        I: IntoIterator<Item = ComponentId<'static>>,
    {
        self.required
            .retain(|required| required.when == When::IfPresent);
        let components = components.into_iter().map(Required::always);
        self.required.extend(components);
        self
    }

    /// Accepts a body that no signature covers. Still checks a covered `content-digest`.
    ///
    /// # Attack
    ///
    /// Anyone who sees a request can resend it with another body.
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

    /// A verifier has one set of these settings: the settings given last.
    pub(crate) fn merge(&mut self, other: Self) {
        *self = other;
    }

    /// Chooses the one signature to verify.
    pub(super) fn choose<'i, 'r>(
        &self,
        input: &'i SignatureInput<'r>,
        facts: &Facts<'_>,
        requirements: &Requirements,
    ) -> Result<&'i LabeledSignature<'r>, Rejection> {
        if let Choice::Label(own) = self.choice {
            return self.choose_label(own, input, facts, requirements);
        }
        let mut chosen: Option<&LabeledSignature<'r>> = None;
        let mut refused = None;
        for label in input.labels().filter(|label| self.is_ours(label)) {
            let lack = self.lack(label, facts, requirements);
            match (lack, chosen) {
                (None, Some(other)) => {
                    return Err(Rejection::malformed(reason!(
                        "signature-input: expected one signature that could be judged, found \
                         \"{}\" and \"{}\"",
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

    /// Returns the signature under this label, else the only one.
    fn choose_label<'i, 'r>(
        &self,
        own: &str,
        input: &'i SignatureInput<'r>,
        facts: &Facts<'_>,
        requirements: &Requirements,
    ) -> Result<&'i LabeledSignature<'r>, Rejection> {
        let mut labels = input.labels();
        let only = labels.next().filter(|_| labels.next().is_none());
        let Some(chosen) = input.labels().find(|label| label.label == own).or(only) else {
            let labels: Vec<&str> = input.labels().map(|label| label.label).collect();
            return Err(Rejection::malformed(reason!(
                "signature-input: expected the label \"{}\" or one other, found {}",
                Escaped::text(own),
                &labels
            )));
        };
        if !self.is_ours(chosen) {
            let reason = reason!(
                "expected the tag \"{}\", found \"{}\"",
                Set(&self.tag.as_deref().unwrap_or_default()),
                Escaped::text(chosen.params.tag().unwrap_or_default())
            );
            return Err(Rejection::malformed(of_label(chosen.label, &reason)));
        }
        match self.lack(chosen, facts, requirements) {
            None => Ok(chosen),
            Some(lack) => Err(lack.refusal(chosen)),
        }
    }

    /// Returns the rejection for a request without a signature with the required tag.
    #[cold]
    fn no_tag(&self, input: &SignatureInput<'_>) -> Reason {
        let labels: Vec<&str> = input.labels().map(|label| label.label).collect();
        let tags = input.labels().filter_map(|label| label.params.tag());
        let tags: Vec<&str> = tags.collect();
        reason!(
            "signature-input: expected a signature with the tag \"{}\", found the labels {} with \
             the tags {}",
            Set(&self.tag.as_deref().unwrap_or_default()),
            &labels,
            &tags
        )
    }

    /// Returns whether [`choose`](Self::choose) would ignore all signatures. Parses them in the
    /// same way, with the same limits.
    fn are_others(&self, head: &RequestHead<'_>, requirements: &Requirements) -> bool {
        let fields = Fields::of(head.headers());
        self.tag.is_some()
            && self.choice == Choice::OnlyOne
            && SignatureInput::parse(&fields, &requirements.limits, self.signature_bytes)
                .is_ok_and(|input| !input.labels().any(|label| self.is_ours(label)))
    }

    fn is_ours(&self, label: &LabeledSignature<'_>) -> bool {
        self.tag
            .as_deref()
            .is_none_or(|tag| label.params.tag() == Some(tag))
    }

    /// Returns whether a required component is covered.
    #[inline]
    fn counts(&self, covered: &CoveredComponents<'_>, required: &ComponentId<'_>) -> bool {
        match self.counts {
            Counts::WhatBinds => covered.covers(required),
            Counts::WhatIsListed => covered.lists(required),
        }
    }

    /// Returns why a signature cannot be verified.
    fn lack<'p, 'r>(
        &'p self,
        label: &LabeledSignature<'r>,
        facts: &Facts<'_>,
        requirements: &'p Requirements,
    ) -> Option<Lack<'p, 'r>> {
        if let Some(problem) = label.problem {
            return Some(Lack::Problem(problem));
        }
        let LabeledSignature {
            covered, params, ..
        } = label;
        if let Some(name) = self.params.first_not_in(params.present()) {
            return Some(Lack::Parameter(name));
        }
        if let Some(problem) = params.escaped_key_id()
            && self.key_id_form != KeyIdForm::Text
        {
            return Some(Lack::Problem(problem));
        }
        let mut required = self.required.iter();
        if let Some(missing) = required
            .find(|required| required.applies(facts) && !self.counts(covered, &required.component))
        {
            return Some(Lack::Component(&missing.component));
        }
        let digest = match self.content {
            Content::Signed if facts.has_content => Some(&CONTENT_DIGEST),
            Content::NeverCovered if covered.covers_field(CONTENT_DIGEST.as_str()) => {
                return Some(Lack::Unwanted(&CONTENT_DIGEST));
            }
            _ => None,
        };
        let mut required = requirements.required_headers.iter().chain(digest);
        let missing = required.find(|name| !covered.covers_field(name.as_str()));
        if let Some(name) = missing {
            return Some(Lack::Field(name));
        }
        let agent = self.agent.as_ref()?;
        let covers_agent = covered.covers_member(agent.as_str(), label.label);
        (facts.head.headers().contains_key(agent) && !covers_agent).then_some(Lack::Member(agent))
    }
}

/// Why a signature cannot be verified.
#[derive(Clone, Copy, Debug)]
enum Lack<'p, 'r> {
    /// An unknown or faulty part.
    Problem(Problem<'r>),
    Parameter(&'static str),
    Component(&'p ComponentId<'static>),
    Field(&'p HeaderName),
    /// A field that must not be covered.
    Unwanted(&'p HeaderName),
    /// The member of this field under the label of the signature.
    Member(&'p HeaderName),
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
            Self::Unwanted(name) => reason!(
                "expected the header {} not to be covered, found covered {}",
                name,
                &covered
            ),
            Self::Member(name) => reason!(
                "expected the member of the header {} under the label to be covered, found covered \
                 {}",
                name,
                &covered
            ),
            Self::Component(id) if id.plain_field().is_some() => reason!(
                "expected the header {} to be covered, found covered {}",
                Set(&id.shown()),
                &covered
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

    /// `Signature-Input` marks a signature, with or without `Signature`. `Signature` alone does
    /// not: drafts before RFC 9421 (draft-cavage-http-signatures) use it that way. Fields that hold
    /// only signatures with another tag than the one set do not count either: none of them would be
    /// verified.
    fn carriers<'r>(
        &self,
        head: &RequestHead<'r>,
        _authorization: Option<(&'r str, &'r str)>,
        requirements: &Requirements,
        found: &mut SmallVec<[Carrier<'r>; 2]>,
    ) {
        if head.headers().contains_key(&SIGNATURE_INPUT) && !self.are_others(head, requirements) {
            found.push(Carrier {
                scheme: Scheme::MessageSignatures,
                parameters: "",
            });
        }
    }

    fn passed_over(&self, head: &RequestHead<'_>, requirements: &Requirements) -> Option<Reason> {
        let fields = Fields::of(head.headers());
        let input =
            SignatureInput::parse(&fields, &requirements.limits, self.signature_bytes).ok()?;
        input.labels().next()?;
        Some(self.no_tag(&input))
    }

    #[inline]
    fn parse<'r>(
        &self,
        _carrier: Carrier<'r>,
        head: RequestHead<'r>,
        requirements: &Requirements,
        now: Timestamp,
    ) -> Result<ParsedHead<'r>, Rejection> {
        parse::parse(self, head, requirements, now)
    }

    fn asserted_key_id<'r>(
        &self,
        _carrier: Carrier<'r>,
        head: &RequestHead<'r>,
    ) -> Option<Cow<'r, str>> {
        let fields = Fields::of(head.headers());
        let input =
            SignatureInput::parse(&fields, &HeadLimits::default(), self.signature_bytes).ok()?;
        let mut labels = input.labels().filter(|label| self.is_ours(label));
        labels.find_map(|label| label.params.keyid().cloned())
    }

    fn challenges(
        &self,
        realm: &str,
        kind: RejectionKind,
        add: &mut dyn FnMut(HeaderName, String),
    ) {
        let stale = stale_parameter(kind);
        let digest = (self.content == Content::Signed).then_some(ComponentId::CONTENT_DIGEST);
        let always = |required: &&Required| required.when == When::Always;
        let required = self.required.iter().filter(always);
        let required = required.map(|required| &required.component);
        let components = accept_signature::components(required, digest.into_iter());
        let only = self.algorithms.single();
        let accept = accept_signature::value(&components, only, self.tag.as_deref());
        add(
            WWW_AUTHENTICATE,
            format!("Signature realm=\"{realm}\"{stale}"),
        );
        add(ACCEPT_SIGNATURE.clone(), accept);
    }

    fn check(&self, requirements: &Requirements) -> Result<(), ConfigError> {
        match self.algorithms.single() {
            Some(Algorithm::HmacSha256) => Ok(()),
            _ => requirements.ensure_expected_hosts(
                "RFC 9421 with public keys, which with_algorithm(HmacSha256) excludes,",
            ),
        }
    }
}

impl From<MessageSignaturesVerifySettings> for AcceptedScheme {
    fn from(settings: MessageSignaturesVerifySettings) -> Self {
        Self::new(FamilyVerifier::MessageSignatures(settings))
    }
}

/// The structured fields of the specification itself.
pub(super) fn known_fields() -> Vec<(HeaderName, StructuredType)> {
    [&CONTENT_DIGEST, &SIGNATURE, &SIGNATURE_INPUT]
        .map(|name| (name.clone(), StructuredType::Dictionary))
        .to_vec()
}

/// Validates a tag that needs no escapes in a string.
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
