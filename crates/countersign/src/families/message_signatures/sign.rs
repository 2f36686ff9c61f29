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
    message::{Message, UriScheme},
    parse::normalized,
    signature_base::SignatureBase,
    signature_params::{Param, SignatureParams},
    structured_field::{self, StructuredType, is_plain_text},
    verify_settings::{DEFAULT_COMPONENTS, ensure_tag, known_fields},
};
use crate::{
    error::{ConfigError, ConfigErrorKind, Reason, SignError, SignErrorKind},
    families::{Nonce, Refresh, SignatureHeaders, SignerOfFamily, SigningInput},
    head::{RequestHead, Target, cannot_be_covered, parse_method},
    key::{Fingerprint, SigningKey, SigningOperation},
    key_id::KeyId,
    payload::PayloadDigest,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// How requests are signed with HTTP Message Signatures (RFC 9421): the key, and what a signature covers and says.
///
/// By default it covers `"@method" "@authority" "@path" "@query"`, `content-type` and `content-encoding` where they are
/// present, and `content-digest`, which it sets, where there is a body; and it has the parameters `created`, `nonce`, which
/// is 128 fresh random bits, and `keyid`. No other field is covered unless it is [named](Self::covering): what hops add,
/// rewrite or remove, such as `accept-encoding` or `traceparent`, is left alone.
#[derive(Clone, Debug)]
#[must_use]
pub struct MessageSignaturesSignSettings {
    key_id: KeyId,
    key: SigningKey,
    label: Box<str>,
    components: Components,
    further: Vec<ComponentId<'static>>,
    structured_fields: Vec<(HeaderName, StructuredType)>,
    scheme: Option<UriScheme>,
    expires_in: Option<Duration>,
    nonce: NonceParam,
    alg: AlgParam,
    tag: Option<Box<str>>,
}

#[derive(Clone, Debug)]
enum Components {
    Default,
    Only(Vec<ComponentId<'static>>),
}

#[derive(Clone, Copy, Debug)]
enum NonceParam {
    Sent,
    LeftOut,
}

#[derive(Clone, Copy, Debug)]
enum AlgParam {
    Sent,
    LeftOut,
}

impl MessageSignaturesSignSettings {
    /// Signs with this key, which the receiver knows by this `keyid`: the caller's name, unless its record has another.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`] if `key_id` is no [`KeyId`]; [`ConfigErrorKind::Key`] if the key is for another scheme;
    /// [`ConfigErrorKind::WeakKey`] if it is short, repetitive or published.
    pub fn new(key_id: &str, key: SigningKey) -> Result<Self, ConfigError> {
        let key_id = KeyId::new(key_id)?;
        key.ensure_for(&[Scheme::MessageSignatures])
            .and_then(|()| key.ensure_strong())
            .map_err(|error| error.within(format_args!("signer {key_id}")))?;
        Ok(Self {
            key_id,
            key,
            label: "sig1".into(),
            components: Components::Default,
            further: Vec::new(),
            structured_fields: known_fields(),
            scheme: None,
            expires_in: None,
            nonce: NonceParam::Sent,
            alg: AlgParam::LeftOut,
            tag: None,
        })
    }

    /// Also covers this component, which every request must then have.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Coverage`] if it is one of the fields that carry the signature, or belongs to one connection.
    pub fn covering(
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
            // Here it carries no signature, and may say what the request is allowed to do.
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

    /// The label of the signature in its two fields; `sig1` by default. It means nothing.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if it is no key of a dictionary (RFC 9651 section 3.1.2).
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

    /// Sends `tag`, by which a receiver knows which signature is meant for it.
    ///
    /// # Errors
    ///
    /// As [`MessageSignaturesVerifySettings::with_tag`](crate::MessageSignaturesVerifySettings::with_tag).
    pub fn with_tag(mut self, tag: &str) -> Result<Self, ConfigError> {
        self.tag = Some(ensure_tag(tag)?.into());
        Ok(self)
    }

    /// Sends `alg`. A receiver knows the algorithm from its key, and can only find that this agrees.
    pub fn with_alg(mut self) -> Self {
        self.alg = AlgParam::Sent;
        self
    }

    /// Sends `expires`, this many whole seconds after `created`.
    pub fn with_expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_in = Some(lifetime);
        self
    }

    /// The scheme of the requests whose URI is not absolute.
    pub fn with_scheme(mut self, scheme: UriScheme) -> Self {
        self.scheme = Some(scheme);
        self
    }

    /// What type a structured field is of, so that it can be covered as `;sf` and a dictionary's members as
    /// `;key="…"`.
    pub fn with_structured_field(mut self, name: HeaderName, kind: StructuredType) -> Self {
        self.structured_fields.insert(0, (name, kind));
        self
    }

    /// Covers these components in this order, and those of [`covering`](Self::covering), in place of the default ones.
    ///
    /// Whoever sees a request can send whatever is left out anew with another value: a body without `content-digest`,
    /// another method to the same path.
    pub fn insecure_cover_only<I>(mut self, components: I) -> Self
    where
        I: IntoIterator<Item = ComponentId<'static>>,
    {
        self.components = Components::Only(components.into_iter().collect());
        self
    }

    /// Sends no `nonce`, for receivers that refuse it. Such a request can be replayed for as long as its date is accepted.
    pub fn insecure_omit_nonce(mut self) -> Self {
        self.nonce = NonceParam::LeftOut;
        self
    }

    /// What is covered of this request.
    fn covered<'s>(
        &'s self,
        head: &RequestHead<'_>,
        digest: PayloadDigest,
    ) -> CoveredComponents<'s> {
        let mut covered = CoveredComponents::default();
        let mut add = |id: ComponentId<'s>| {
            // One that the application names may be among the default ones.
            let _: Result<(), &'static str> = covered.push(id);
        };
        match &self.components {
            Components::Default => {
                DEFAULT_COMPONENTS.into_iter().for_each(&mut add);
                for (name, id) in [
                    (&CONTENT_TYPE, ComponentId::CONTENT_TYPE),
                    (&CONTENT_ENCODING, ComponentId::CONTENT_ENCODING),
                ] {
                    if head.headers().contains_key(name) {
                        add(id);
                    }
                }
                if digest != PayloadDigest::OF_NOTHING {
                    add(ComponentId::CONTENT_DIGEST);
                }
            }
            Components::Only(components) => components.iter().cloned().for_each(&mut add),
        }
        self.further.iter().cloned().for_each(&mut add);
        covered
    }

    fn params<'s>(
        &'s self,
        now: Timestamp,
        nonce: Option<&'s Nonce>,
    ) -> Result<SignatureParams<'s>, SignError> {
        // Invariant: the microseconds of a timestamp leave fewer seconds than `MAX_INTEGER`.
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
            Some(Param::Keyid(self.key_id.as_str())),
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

    fn refresh(&self, _now: Timestamp) -> Option<Refresh<'_>> {
        None
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
        .then(|| content_digest::format(digest))
        .transpose()?;

    let scheme = UriScheme::of(&head).or(signer.scheme);
    let authority: Cow<'_, str> = normalized(input.authority, scheme);
    let lines = content_digest.as_ref();
    let message = Message {
        head,
        method,
        target,
        authority: &authority,
        scheme,
        structured_fields: &signer.structured_fields,
        content_digest: lines.as_slice(),
        max_field_bytes: usize::MAX,
        max_query_parameters: usize::MAX,
    };
    let base = signature_base(&message, &covered, &params)
        .map_err(|problem| SignError::new(SignErrorKind::Header, problem))?;

    let signature_input = [&signer.label, "=", base.signature_params()].concat();
    let signature = signature(&signer.label, &signer.key, &base)?;
    let mut headers = SignatureHeaders::new();
    if let Some(content_digest) = content_digest {
        headers.push((CONTENT_DIGEST.clone(), content_digest));
    }
    headers.push((SIGNATURE_INPUT.clone(), header(signature_input)?));
    let mut signature = header(signature)?;
    // Not shown by `Debug`, and not kept in the compression tables of HTTP/2.
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

/// A request is signed once, and its digest is the signer's to say.
fn refuse_signatures(head: RequestHead<'_>) -> Result<(), SignError> {
    for name in [&SIGNATURE_INPUT, &SIGNATURE, &CONTENT_DIGEST] {
        if head.headers().contains_key(name) {
            let message = format!("header {name} is already there");
            return Err(SignError::new(SignErrorKind::AlreadySigned, message));
        }
    }
    Ok(())
}

/// The signature over the base: its label and a byte sequence.
fn signature(label: &str, key: &SigningKey, base: &SignatureBase) -> Result<String, SignError> {
    let base = base.as_str().as_bytes();
    match key.operation() {
        SigningOperation::Mac(mac) => {
            let mac = mac.begin().chain(base);
            structured_field::byte_sequence([label, "="], &mac.finish())
        }
        SigningOperation::Ed25519(key) => {
            structured_field::byte_sequence([label, "="], &key.sign(base))
        }
    }
    .ok_or_else(|| SignError::new(SignErrorKind::Header, "the signature is no header value"))
}

fn header(text: String) -> Result<HeaderValue, SignError> {
    HeaderValue::try_from(text)
        .map_err(|_| SignError::new(SignErrorKind::Header, "the signature is no header value"))
}

/// The greatest integer of a structured field (RFC 9651 section 3.3.1).
const MAX_INTEGER: u64 = 999_999_999_999_999;
