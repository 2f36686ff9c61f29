use std::{borrow::Cow, time::Duration};

use http::{
    HeaderName, HeaderValue,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE},
};

use super::{
    CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT,
    component_id::ComponentId,
    content_digest,
    covered_components::CoveredComponents,
    covered_values::CoveredValues,
    dialects::signed_components,
    message::{Message, UriScheme},
    parse::normalized,
    rules::{Bytes, Facts, Required, TargetUri},
    signature_base::SignatureBase,
    signature_params::{Param, SignatureParams},
    structured_field::{self, StructuredType, is_plain_text},
    verify_settings::{ensure_tag, known_fields},
};
use crate::{
    error::{ConfigError, ConfigErrorKind, Reason, SignError, SignErrorKind},
    families::{Nonce, SignatureHeaders, SignerOfFamily, SigningInput, SigningText},
    head::{RequestHead, Target, cannot_be_covered, parse_method},
    key::{Fingerprint, SigningKey},
    key_id::KeyId,
    payload::PayloadDigest,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// Signing settings for HTTP Message Signatures (RFC 9421): the key, the covered components and the
/// parameters.
///
/// By default covers `"@method" "@authority" "@path" "@query"`, and `content-type` and
/// `content-encoding` if present. If there is a body, sets and covers `content-digest`. Sends the
/// parameters `created`, `keyid` and `nonce` (128 fresh random bits). Covers no other field unless
/// it is [named](Self::with_covered_component): hops add, rewrite or remove fields such as
/// `accept-encoding` or `traceparent`.
#[derive(Clone, Debug)]
#[must_use]
pub struct MessageSignaturesSignSettings {
    key_id: KeyId,
    pub(super) key: SigningKey,
    label: Box<str>,
    pub(super) components: Vec<Required>,
    further: Vec<ComponentId<'static>>,
    pub(super) structured_fields: Vec<(HeaderName, StructuredType)>,
    pub(super) scheme: Option<UriScheme>,
    pub(super) expires_in: Option<Duration>,
    pub(super) nonce: NonceParam,
    pub(super) alg: AlgParam,
    pub(super) tag: Option<Box<str>>,
    /// The dictionary whose member under the label is covered, if it is in the request.
    pub(super) agent: Option<HeaderName>,
    pub(super) signature_bytes: Bytes,
    pub(super) digest_bytes: Bytes,
    pub(super) target_uri: TargetUri,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum NonceParam {
    Sent,
    LeftOut,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum AlgParam {
    Sent,
    LeftOut,
}

impl MessageSignaturesSignSettings {
    /// Signs with this key. The receiver knows the key by this `keyid`: the caller's name, unless
    /// the caller's record sets another.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`] if `key_id` is no valid [`KeyId`]; [`ConfigErrorKind::Key`] if the
    /// key is for another scheme; [`ConfigErrorKind::WeakKey`] if it is short, repetitive or
    /// published.
    pub fn new(key_id: &str, key: SigningKey) -> Result<Self, ConfigError> {
        let key_id = KeyId::new(key_id)?;
        key.ensure_for(&[Scheme::MessageSignatures])
            .and_then(|()| key.ensure_strong())
            .map_err(|error| error.within(format_args!("signer {key_id}")))?;
        Ok(Self {
            key_id,
            key,
            label: "sig1".into(),
            components: signed_components(),
            further: Vec::new(),
            structured_fields: known_fields(),
            scheme: None,
            expires_in: None,
            nonce: NonceParam::Sent,
            alg: AlgParam::LeftOut,
            tag: None,
            agent: None,
            signature_bytes: Bytes::Base64,
            digest_bytes: Bytes::Base64,
            target_uri: TargetUri::AsSent,
        })
    }

    /// Also covers this component. Every request must then have it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Coverage`] if it is a field that carries the signature or belongs to one
    /// connection.
    pub fn with_covered_component(
        mut self,
        component: impl Into<ComponentId<'static>>,
    ) -> Result<Self, ConfigError> {
        let component = component.into();
        if [&SIGNATURE_INPUT, &SIGNATURE]
            .iter()
            .any(|name| component.is_of_field(name))
        {
            return Err(ConfigError::new(
                ConfigErrorKind::Coverage,
                format!("covered component {component}: it carries the signature"),
            ));
        }
        let is_of_one_connection = |name: &str| {
            // In this scheme `authorization` carries no signature, and may hold an access token.
            name != AUTHORIZATION.as_str() && cannot_be_covered(name)
        };
        if component.field_name().is_some_and(is_of_one_connection) {
            return Err(ConfigError::new(
                ConfigErrorKind::Coverage,
                format!("covered component {component}: it belongs to one connection"),
            ));
        }
        if !self.further.contains(&component) {
            self.further.push(component);
        }
        Ok(self)
    }

    /// Sets the label of the signature in the two fields. Default: `sig1`. The label has no
    /// meaning.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if it is no valid dictionary key (RFC 9651 section 3.1.2).
    pub fn with_label(mut self, label: &str) -> Result<Self, ConfigError> {
        if sfv::KeyRef::from_str(label).is_err() {
            return Err(ConfigError::new(
                ConfigErrorKind::Setting,
                "label: expected a key of a dictionary",
            ));
        }
        self.label = label.into();
        Ok(self)
    }

    /// Sends `tag`, with which a receiver selects the signature meant for it.
    ///
    /// # Errors
    ///
    /// As for [`with_tag`](crate::MessageSignaturesVerifySettings::with_tag) of the verifier's
    /// settings.
    pub fn with_tag(mut self, tag: &str) -> Result<Self, ConfigError> {
        self.tag = Some(ensure_tag(tag)?.into());
        Ok(self)
    }

    /// Sends `alg`. A receiver takes the algorithm from its key and can only compare.
    pub fn with_alg(mut self) -> Self {
        self.alg = AlgParam::Sent;
        self
    }

    /// Sends `expires`, this many whole seconds after `created`.
    pub fn with_expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_in = Some(lifetime);
        self
    }

    /// Sets the scheme of requests whose URI is not absolute.
    pub fn with_scheme(mut self, scheme: UriScheme) -> Self {
        self.scheme = Some(scheme);
        self
    }

    /// Sets the type of a structured field. Its value can then be covered as `;sf`, and the members
    /// of a dictionary as `;key="…"`.
    pub fn with_structured_field(mut self, name: HeaderName, kind: StructuredType) -> Self {
        self.structured_fields.insert(0, (name, kind));
        self
    }

    /// Covers these components in this order, then those of
    /// [`covering`](Self::with_covered_component), in place of the default components.
    ///
    /// # Attack
    ///
    /// Anyone who sees a request can resend it with other values for uncovered parts: another body
    /// without `content-digest`, or another method to the same path.
    pub fn insecure_cover_only<I>(mut self, components: I) -> Self
    where
        I: IntoIterator<Item = ComponentId<'static>>,
    {
        self.components = components.into_iter().map(Required::always).collect();
        self
    }

    /// Sends no `nonce`, for receivers that refuse it.
    ///
    /// # Attack
    ///
    /// Anyone who sees a request can replay it while its date is accepted.
    pub fn insecure_omit_nonce(mut self) -> Self {
        self.nonce = NonceParam::LeftOut;
        self
    }

    /// Returns the components to cover for this request.
    fn covered<'s>(
        &'s self,
        head: &RequestHead<'_>,
        digest: PayloadDigest,
    ) -> CoveredComponents<'s> {
        let mut covered = CoveredComponents::default();
        let mut add = |id: ComponentId<'s>| {
            // A component named by the application may be one of the default ones.
            let _: Result<(), &'static str> = covered.push(id);
        };
        let headers = head.headers();
        let facts = Facts {
            head: *head,
            has_content_type: headers.contains_key(CONTENT_TYPE),
            has_content_encoding: headers.contains_key(CONTENT_ENCODING),
            has_content: digest != PayloadDigest::OF_NOTHING,
            has_query: head.uri().query().is_some(),
        };
        let required = self.components.iter();
        required
            .filter(|required| required.applies(&facts))
            .for_each(|required| add(required.component.clone()));
        if let Some(field) = self
            .agent
            .as_ref()
            .filter(|field| headers.contains_key(*field))
            && let Ok(member) = ComponentId::member(field, &self.label)
        {
            add(member);
        }
        self.further.iter().cloned().for_each(&mut add);
        covered
    }

    fn params<'s>(
        &'s self,
        now: Timestamp,
        nonce: Option<&'s Nonce>,
    ) -> Result<SignatureParams<'s>, SignError> {
        // Invariant: a timestamp in microseconds has fewer seconds than `MAX_INTEGER`.
        let created = now.as_unix_seconds();
        let expires = self.expires_in.map(|lifetime| {
            let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
            created.saturating_add(lifetime)
        });
        if expires.is_some_and(|seconds| seconds.unsigned_abs() > MAX_INTEGER) {
            return Err(SignError::new(
                SignErrorKind::Date,
                "expires: outside what a structured field can say",
            ));
        }
        let nonce = nonce.map(Nonce::as_str);
        if nonce.is_some_and(|nonce| !is_plain_text(nonce)) {
            return Err(SignError::new(
                SignErrorKind::Header,
                "nonce: expected no \" and no \\",
            ));
        }
        let alg = match self.alg {
            AlgParam::Sent => Some(self.key.algorithm().name()),
            AlgParam::LeftOut => None,
        };
        let mut params = SignatureParams::default();
        for param in [
            Some(Param::Created(created)),
            expires.map(Param::Expires),
            nonce.map(Param::Nonce),
            Some(Param::Keyid(Cow::Borrowed(self.key_id.as_str()))),
            alg.map(Param::Alg),
            self.tag.as_deref().map(Param::Tag),
        ]
        .into_iter()
        .flatten()
        {
            params
                .push(param)
                .map_err(|problem| SignError::new(SignErrorKind::Header, problem))?;
        }
        Ok(params)
    }
}

impl SignerOfFamily for MessageSignaturesSignSettings {
    fn scheme(&self) -> Scheme {
        Scheme::MessageSignatures
    }

    fn caller(&self) -> Option<&KeyId> {
        Some(&self.key_id)
    }

    fn sign(&self, input: SigningInput<'_>) -> Result<SignatureHeaders, SignError> {
        let nonce = match (self.nonce, input.nonce.clone()) {
            (NonceParam::LeftOut, _) => None,
            (NonceParam::Sent, Some(given)) => Some(given),
            (NonceParam::Sent, None) => Some(Nonce::generate()?),
        };
        sign(self, &input, nonce.as_ref())
    }

    fn needs_body(&self) -> bool {
        false
    }

    fn fingerprints(&self, each: &mut dyn FnMut(&Fingerprint)) {
        self.key.fingerprints().for_each(each);
    }
}

fn sign(
    signer: &MessageSignaturesSignSettings,
    input: &SigningInput<'_>,
    nonce: Option<&Nonce>,
) -> Result<SignatureHeaders, SignError> {
    let head = input.head;
    refuse_signatures(head)?;
    let method = parse_method(head.method())
        .map_err(|problem| SignError::new(SignErrorKind::Method, problem))?;
    let target = Target::parse(head.method(), head.uri())
        .map_err(|problem| SignError::new(SignErrorKind::Target, problem))?;
    let digest = input.payload.digest();
    let covered = signer.covered(&head, digest);
    let params = signer.params(input.now, nonce)?;
    let content_digest = covered
        .covers_field(CONTENT_DIGEST.as_str())
        .then(|| content_digest::format(digest, signer.digest_bytes))
        .transpose()?;

    let scheme = UriScheme::of(&head).or(signer.scheme);
    let authority: Cow<'_, str> = normalized(input.authority, scheme);
    let normal_uri = signer
        .target_uri
        .of(&authority, target)
        .map_err(|problem| SignError::new(SignErrorKind::Target, problem))?;
    let lines = content_digest.as_ref();
    let message = Message {
        head,
        method,
        target,
        authority: &authority,
        normal_uri: normal_uri.as_ref(),
        scheme,
        structured_fields: &signer.structured_fields,
        content_digest: lines.as_slice(),
        max_field_bytes: usize::MAX,
        max_query_parameters: usize::MAX,
        response: None,
    };
    let base = signature_base(&message, &covered, &params)
        .map_err(|problem| SignError::new(SignErrorKind::Header, problem))?;

    input.keep_text(|| SigningText::new(base.as_str().as_bytes()));
    let signature_input = [&signer.label, "=", base.signature_params()].concat();
    let signature = signature(signer, &base)?;
    let mut headers = SignatureHeaders::new();
    if let Some(content_digest) = content_digest {
        headers.push((CONTENT_DIGEST.clone(), content_digest));
    }
    headers.push((SIGNATURE_INPUT.clone(), header(signature_input)?));
    let mut signature = header(signature)?;
    // Keeps the value out of `Debug` and of the compression tables of HTTP/2.
    signature.set_sensitive(true);
    headers.push((SIGNATURE.clone(), signature));
    Ok(headers)
}

fn signature_base(
    message: &Message<'_>,
    covered: &CoveredComponents<'_>,
    params: &SignatureParams<'_>,
) -> Result<SignatureBase, Reason> {
    let mut values = CoveredValues::of(message);
    values.find(covered)?;
    SignatureBase::new(covered, &mut values, params, None)
}

/// Refuses a request that is already signed, or that sets its own digest: only the signer sets it.
fn refuse_signatures(head: RequestHead<'_>) -> Result<(), SignError> {
    for name in [&SIGNATURE_INPUT, &SIGNATURE, &CONTENT_DIGEST] {
        if head.headers().contains_key(name) {
            let message = format!("header {name} is already there");
            return Err(SignError::new(SignErrorKind::AlreadySigned, message));
        }
    }
    Ok(())
}

/// Writes the signature over the base: its label and a byte sequence.
fn signature(
    signer: &MessageSignaturesSignSettings,
    base: &SignatureBase,
) -> Result<String, SignError> {
    let signature = signer.key.sign_message(base.as_str().as_bytes());
    structured_field::byte_sequence([&signer.label, "="], &signature, signer.signature_bytes)
        .ok_or_else(|| SignError::new(SignErrorKind::Header, "the signature is no header value"))
}

fn header(text: String) -> Result<HeaderValue, SignError> {
    HeaderValue::try_from(text)
        .map_err(|_| SignError::new(SignErrorKind::Header, "the signature is no header value"))
}

/// Maximum integer of a structured field (RFC 9651 section 3.3.1).
const MAX_INTEGER: u64 = 999_999_999_999_999;
