use std::fmt;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Uri,
    header::{AUTHORIZATION, HOST},
    request::Parts,
};
use smallvec::SmallVec;

use super::{
    super::{
        CONTENT_DIGEST, SIGNATURE_INPUT,
        component_id::ComponentId,
        fields::Fields,
        message::{Message, UriScheme},
        parse::normalized,
        rules::Bytes,
        signature_input::SignatureInput,
    },
    AnswerError, AnswerErrorKind, STRUCTURED_FIELDS,
};
use crate::{
    error::{Reason, Rejection, reason},
    head::{Authority, HeadLimits, RequestHead, Target, parse_method},
};

/// The request that a response answers, as far as a signature of the response covers it.
///
/// The service takes it from the request that it verified
/// ([`UnverifiedHead::response_binding`](crate::UnverifiedHead::response_binding)), the client from
/// the request that it signed ([`of`](Self::of)). Both are equal, or no signature matches.
#[derive(Clone)]
pub struct ResponseBinding {
    pub(super) method: Method,
    uri: Uri,
    headers: HeaderMap,
    authority: Box<str>,
    scheme: Option<UriScheme>,
    unique: Unique,
}

/// The part of a request that tells it from all others.
#[derive(Clone, Debug)]
pub(crate) enum Unique {
    /// The member of `Signature-Input` under the caller's label.
    SignatureInput(Box<str>),
    /// `X-Nonce`.
    Nonce,
    /// `Authorization`, which holds a signature.
    Authorization,
    /// The query, which holds a signature.
    Query,
}

impl Unique {
    /// Finds it in a request that this service signed.
    fn of_sent(head: &RequestHead<'_>) -> Result<Self, AnswerError> {
        let headers = head.headers();
        if headers.contains_key(&SIGNATURE_INPUT) {
            return Self::of_own_label(headers);
        }
        Self::of_other(head).ok_or_else(|| {
            AnswerError::new(
                AnswerErrorKind::Unbound,
                "request: expected a signature with a nonce or one over the request, found none",
            )
        })
    }

    /// Finds it in a request that has no signature of RFC 9421.
    pub(crate) fn of_other(head: &RequestHead<'_>) -> Option<Self> {
        let headers = head.headers();
        let scheme = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let is_in = |names: &[&[u8]]| {
            scheme.is_some_and(|scheme| names.iter().any(|name| scheme.starts_with(name)))
        };
        if headers.contains_key("x-nonce") && is_in(&[b"HMAC-SHA256 ", b"ED25519 ", SIGV4]) {
            Some(Self::Nonce)
        } else if is_in(&[b"HMAC-SHA256 ", b"ED25519 ", SIGV4]) {
            Some(Self::Authorization)
        } else {
            let query = head.uri().query().unwrap_or_default();
            let mut names = query.split('&').filter_map(|pair| pair.split('=').next());
            names
                .any(|name| name == "X-Amz-Signature")
                .then_some(Self::Query)
        }
    }

    /// Finds the only label, or the only one of several that has a nonce: hops add none.
    fn of_own_label(headers: &HeaderMap) -> Result<Self, AnswerError> {
        let unbound = |reason| AnswerError::because(AnswerErrorKind::Unbound, reason);
        let fields = Fields::of(headers);
        let input = SignatureInput::parse(&fields, &HeadLimits::default(), Bytes::Base64)
            .map_err(|rejection| unbound(rejection.into_reason()))?;
        let labels: Vec<_> = input.labels().collect();
        let with_nonce = labels.iter().filter(|label| label.params.nonce().is_some());
        let found: Vec<_> = match labels.as_slice() {
            [only] => vec![only],
            _ => with_nonce.collect(),
        };
        match found.as_slice() {
            [own] => Ok(Self::SignatureInput(own.label.into())),
            _ => Err(unbound(reason!(
                "request: expected one signature with a nonce, found {}",
                found.len()
            ))),
        }
    }

    /// Returns the fields of the request that a response covers for it.
    fn fields(&self) -> &'static [&'static str] {
        match self {
            Self::SignatureInput(_) => &["signature-input"],
            Self::Nonce => &["x-nonce", "x-content-sha256"],
            Self::Authorization => &["authorization"],
            Self::Query => &[],
        }
    }
}

const SIGV4: &[u8] = b"AWS4-HMAC-SHA256 ";

impl ResponseBinding {
    /// Returns the binding of a signed request, as the client sends it. Keeps its head.
    ///
    /// # Errors
    ///
    /// [`AnswerErrorKind::Unbound`] if the request is not signed, if several of its signatures have
    /// a nonce, or if its method or target cannot be signed.
    pub fn of(parts: &Parts) -> Result<Self, AnswerError> {
        let head = RequestHead::from(parts);
        let unique = Unique::of_sent(&head)?;
        Self::new(&head, UriScheme::of(&head), unique, parts.headers.clone())
            .map_err(|rejection| AnswerError::of(AnswerErrorKind::Unbound, rejection))
    }

    /// Returns the binding of a request that was received. Keeps only what a response covers.
    pub(crate) fn of_received(
        head: &RequestHead<'_>,
        scheme: Option<UriScheme>,
        unique: Unique,
    ) -> Result<Self, Rejection> {
        let mut headers = HeaderMap::new();
        for name in unique.fields().iter().copied().chain(["content-digest"]) {
            for line in head.headers().get_all(name) {
                headers.append(HeaderName::from_static(name), line.clone());
            }
        }
        let scheme = scheme.or(UriScheme::of(head));
        Self::new(head, scheme, unique, headers)
    }

    fn new(
        head: &RequestHead<'_>,
        scheme: Option<UriScheme>,
        unique: Unique,
        headers: HeaderMap,
    ) -> Result<Self, Rejection> {
        parse_method(head.method()).map_err(Rejection::malformed)?;
        Target::parse(head.method(), head.uri()).map_err(Rejection::malformed)?;
        let host = head.single(&HOST)?;
        let authority = Authority::agreed(head.uri(), host)?;
        Ok(Self {
            authority: normalized(authority.as_str(), scheme).into(),
            method: head.method().clone(),
            uri: head.uri().clone(),
            headers,
            scheme,
            unique,
        })
    }

    /// Returns the authority of the request, in lower case.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns the components of the request that a signature of its response must cover.
    pub(super) fn components(&self) -> SmallVec<[ComponentId<'_>; 7]> {
        let mut components: SmallVec<[ComponentId<'_>; 7]> = SmallVec::from_iter([
            ComponentId::METHOD,
            ComponentId::AUTHORITY,
            ComponentId::PATH,
            ComponentId::QUERY,
        ]);
        if self.headers.contains_key(&CONTENT_DIGEST) {
            components.push(ComponentId::CONTENT_DIGEST);
        }
        match &self.unique {
            Unique::SignatureInput(label) => components.push(ComponentId::signature_input(label)),
            other => {
                let present = other.fields().iter();
                let present = present.filter(|name| self.headers.contains_key(**name));
                components.extend(present.map(|name| ComponentId::field(name)));
            }
        }
        components
            .into_iter()
            .map(ComponentId::of_request)
            .collect()
    }

    /// Passes the request on as a source of components.
    pub(super) fn with_message<T>(
        &self,
        use_message: impl FnOnce(&Message<'_>) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        let fields = Fields::of(&self.headers);
        let limits = HeadLimits::default();
        use_message(&Message {
            head: RequestHead::new(&self.method, &self.uri, &self.headers),
            method: parse_method(&self.method)?,
            target: Target::parse(&self.method, &self.uri)?,
            authority: &self.authority,
            normal_uri: None,
            scheme: self.scheme,
            structured_fields: &STRUCTURED_FIELDS,
            content_digest: &fields.content_digest,
            // The request was accepted, or made here.
            max_field_bytes: usize::MAX,
            max_query_parameters: limits.query_parameters,
            response: None,
        })
    }
}

impl fmt::Debug for ResponseBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBinding")
            .field("method", &self.method)
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}
