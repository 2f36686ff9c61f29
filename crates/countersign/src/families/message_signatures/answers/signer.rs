use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::DATE, response::Parts};

use super::{
    super::{
        CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT,
        component_id::ComponentId,
        content_digest,
        covered_components::CoveredComponents,
        covered_values::CoveredValues,
        message::{Message, OfResponse},
        rules::Bytes,
        signature_base::SignatureBase,
        signature_params::{Param, SignatureParams},
        structured_field,
    },
    COVERED_IF_PRESENT, ResponseBinding, TAG, never_has_content,
};
use crate::{
    error::{ConfigError, ConfigErrorKind, Reason, SignError, SignErrorKind},
    head::{RequestHead, cannot_be_covered},
    key::SigningKey,
    key_id::KeyId,
    payload::PayloadDigest,
    scheme::Scheme,
    timestamp::Timestamp,
};

const LABEL: &str = "res1";

/// Signs responses for the requests that they answer (RFC 9421 section 2.4).
#[derive(Clone, Debug)]
#[must_use]
pub struct ResponseSigner {
    key_id: KeyId,
    further: Vec<HeaderName>,
}

impl ResponseSigner {
    /// Creates a signer whose keys clients know by this `keyid`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`] if `key_id` is no valid [`KeyId`].
    pub fn new(key_id: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            key_id: KeyId::new(key_id)?,
            further: Vec::new(),
        })
    }

    /// Also covers this field if the response has it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Coverage`] if it carries the signature or belongs to one connection.
    pub fn with_covered_header(mut self, name: HeaderName) -> Result<Self, ConfigError> {
        if cannot_be_covered(name.as_str()) || [&SIGNATURE_INPUT, &SIGNATURE].contains(&&name) {
            return Err(ConfigError::new(
                ConfigErrorKind::Coverage,
                format!("covered header {name}: it carries the signature, or is of one connection"),
            ));
        }
        if !self.further.contains(&name) {
            self.further.push(name);
        }
        Ok(self)
    }

    /// Returns the `keyid`.
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// Signs a response. `digest` is that of its content, after encoding. It is ignored for a
    /// response without content, such as a 204.
    ///
    /// The key must be one for RFC 9421: see
    /// [`VerifyingKey::response_signing_key`](crate::VerifyingKey::response_signing_key).
    ///
    /// # Errors
    ///
    /// - [`SignErrorKind::AlreadySigned`] if the response has a signature or a digest already.
    /// - [`SignErrorKind::Header`] if the key is of another scheme, or a covered field is not
    ///   visible ASCII.
    pub fn sign(
        &self,
        key: &SigningKey,
        binding: &ResponseBinding,
        response: &Parts,
        digest: PayloadDigest,
        now: Timestamp,
    ) -> Result<ResponseSignature, SignError> {
        let error = |problem: Reason| SignError::new(SignErrorKind::Header, problem.to_string());
        if key.scheme() != Scheme::MessageSignatures {
            return Err(SignError::new(
                SignErrorKind::Header,
                format!(
                    "response key: expected one for {}, found one for {}",
                    Scheme::MessageSignatures,
                    key.scheme()
                ),
            ));
        }
        for name in [&SIGNATURE_INPUT, &SIGNATURE, &CONTENT_DIGEST] {
            if response.headers.contains_key(name) {
                return Err(SignError::new(
                    SignErrorKind::AlreadySigned,
                    format!("response header {name}: expected none, found one"),
                ));
            }
        }
        let digest = (!never_has_content(&binding.method, response.status)).then_some(digest);
        let content_digest = digest
            .map(|digest| content_digest::format(digest, Bytes::Base64))
            .transpose()?;
        let covered = self.covered(binding, response, content_digest.is_some());
        let mut params = SignatureParams::default();
        for param in [
            Param::Created(now.as_unix_seconds()),
            Param::Keyid(Cow::Borrowed(self.key_id.as_str())),
            Param::Tag(TAG),
        ] {
            params
                .push(param)
                .map_err(|problem| SignError::new(SignErrorKind::Header, problem))?;
        }
        let base = binding
            .with_message(|request| {
                let status = response.status;
                let lines = content_digest.as_ref();
                let message = of_response(request, status.as_str(), &response.headers);
                let message = Message {
                    content_digest: lines.as_slice(),
                    ..message
                };
                let mut values = CoveredValues::of(&message);
                values.find(&covered)?;
                SignatureBase::new(&covered, &mut values, &params, None)
            })
            .map_err(error)?;
        let signature = key.sign_message(base.as_str().as_bytes());
        let header = |text: Option<String>| {
            text.and_then(|text| HeaderValue::try_from(text).ok())
                .ok_or_else(|| {
                    SignError::new(SignErrorKind::Header, "the signature is no header value")
                })
        };
        Ok(ResponseSignature {
            content_digest,
            signature_input: header(Some([LABEL, "=", base.signature_params()].concat()))?,
            signature: header(structured_field::byte_sequence(
                [LABEL, "="],
                &signature,
                Bytes::Base64,
            ))?,
        })
    }

    /// Returns the components to cover for this response.
    fn covered<'b>(
        &self,
        binding: &'b ResponseBinding,
        response: &Parts,
        has_digest: bool,
    ) -> CoveredComponents<'b> {
        let mut covered = CoveredComponents::default();
        let mut add = |id: ComponentId<'b>| {
            // A field named by the application may be one of the default ones.
            let _: Result<(), &'static str> = covered.push(id);
        };
        add(ComponentId::STATUS);
        let headers = &response.headers;
        // A refusal tells the time by which a client can correct its clock.
        let date = (response.status == StatusCode::UNAUTHORIZED).then_some(&DATE);
        COVERED_IF_PRESENT
            .iter()
            .chain(date)
            .chain(&self.further)
            .filter(|name| headers.contains_key(*name))
            .for_each(|name| add(ComponentId::from(name.clone())));
        if has_digest {
            add(ComponentId::CONTENT_DIGEST);
        }
        binding.components().into_iter().for_each(add);
        covered
    }
}

/// Returns the source of a response's components. The caller adds the lines of `Content-Digest`.
pub(super) fn of_response<'m>(
    request: &'m Message<'m>,
    status: &'m str,
    headers: &'m HeaderMap,
) -> Message<'m> {
    Message {
        // Method and target are those of the request: no component of a response reads them.
        head: RequestHead::new(request.head.method(), request.head.uri(), headers),
        content_digest: &[],
        response: Some(OfResponse { status, request }),
        ..*request
    }
}

/// The headers of a signature, to be added to the response.
#[derive(Clone, Debug)]
#[must_use = "a response is signed once the headers are on it"]
pub struct ResponseSignature {
    content_digest: Option<HeaderValue>,
    signature_input: HeaderValue,
    signature: HeaderValue,
}

impl ResponseSignature {
    /// Adds the headers to the response.
    pub fn apply(self, response: &mut Parts) {
        let headers = &mut response.headers;
        if let Some(digest) = self.content_digest {
            headers.insert(&CONTENT_DIGEST, digest);
        }
        headers.insert(&SIGNATURE_INPUT, self.signature_input);
        headers.insert(&SIGNATURE, self.signature);
    }
}
