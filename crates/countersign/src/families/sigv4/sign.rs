use std::{borrow::Cow, future::ready, sync::Arc};

use http::{
    HeaderName, HeaderValue,
    header::{AUTHORIZATION, GetAll},
};

use super::{
    X_AMZ_CONTENT_SHA256, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN,
    canonical_headers::{
        CoveredHeader, CoveredHeaders, canonical_text, canonical_value, is_single, joined,
    },
    canonical_query::{self, CanonicalQuery},
    canonical_request::CanonicalRequest,
    canonical_uri::CanonicalUri,
    credential_scope::CredentialScope,
    current_credentials::{CurrentCredentials, Due},
    date::AmzDate,
    payload_hash::{PayloadHash, UNSIGNED_PAYLOAD},
    provider::SigV4Credentials,
    query_parameters,
    refresh::CredentialsRefresh,
    sign_settings::{NonceMode, PayloadMode, SigV4SignSettings},
    signed_headers,
    string_to_sign::StringToSign,
};
use crate::{
    error::{SignError, SignErrorKind},
    families::{
        Nonce, Refresh, SignatureHeaders, SignerOfFamily, SigningInput, SigningText, X_NONCE,
    },
    head::{RequestHead, Target, parse_method},
    key::{Fingerprint, SigningOperation},
    scheme::Scheme,
    timestamp::Timestamp,
};

/// Signing settings and the cached credentials.
#[derive(Clone, Debug)]
pub(crate) struct FamilySigner {
    pub(super) settings: Arc<SigV4SignSettings>,
    pub(super) credentials: Arc<CurrentCredentials>,
}

impl SignerOfFamily for FamilySigner {
    fn scheme(&self) -> Scheme {
        Scheme::SigV4
    }

    /// Names no caller: an access key id is not a caller's name and changes over time.
    fn refresh(&self, now: Timestamp) -> Option<Refresh<'_>> {
        match self.credentials.due(now) {
            Due::Nothing | Due::Done(CredentialsRefresh::Unchanged) => None,
            Due::Done(done) => Some(Box::pin(ready(Ok(done)))),
            Due::Ask => Some(Box::pin(self.credentials.refresh(now))),
        }
    }

    fn sign(&self, input: SigningInput<'_>) -> Result<SignatureHeaders, SignError> {
        let nonce = match (self.settings.nonce, input.nonce.clone()) {
            (NonceMode::None, _) => None,
            (NonceMode::Header, Some(given)) => Some(given),
            (NonceMode::Header, None) => Some(Nonce::generate()?),
        };
        sign(self, &input, nonce)
    }

    fn needs_body(&self) -> bool {
        false
    }

    fn fingerprints(&self, each: &mut dyn FnMut(&Fingerprint)) {
        if let Some(credentials) = self.credentials.at_hand() {
            credentials.key.fingerprints().for_each(each);
        }
    }
}

fn sign(
    signer: &FamilySigner,
    input: &SigningInput<'_>,
    nonce: Option<Nonce>,
) -> Result<SignatureHeaders, SignError> {
    let FamilySigner {
        settings,
        credentials,
    } = signer;
    let head = input.head;
    refuse_credentials(&head)?;
    refuse_header(&head, &AUTHORIZATION)?;
    refuse_header(&head, &X_AMZ_DATE)?;
    let credentials = credentials.at(input.now)?;
    let date = date_of(input.now)?;

    // In the order in which they are set.
    let mut headers = SignatureHeaders::new();
    headers.push((X_AMZ_DATE.clone(), value(date.as_str())?));
    let payload_hash = match settings.payload {
        PayloadMode::Implied => PayloadHash::Sha256(input.payload.digest()),
        PayloadMode::Unsigned => {
            let value = HeaderValue::from_static(UNSIGNED_PAYLOAD);
            headers.push((X_AMZ_CONTENT_SHA256.clone(), value));
            PayloadHash::Unsigned
        }
        PayloadMode::Header => {
            // Called once: this may read the whole body.
            let digest = input.payload.digest();
            let digits = base16ct::lower::encode_string(digest.as_bytes());
            let digits = HeaderValue::try_from(digits).map_err(|_| no_header_value())?;
            headers.push((X_AMZ_CONTENT_SHA256.clone(), digits));
            PayloadHash::Sha256(digest)
        }
    };
    if let Some(token) = &credentials.session_token {
        let mut token = value(token.as_str())?;
        token.set_sensitive(true);
        headers.push((X_AMZ_SECURITY_TOKEN.clone(), token));
    }
    if let Some(nonce) = nonce {
        refuse_header(&head, &X_NONCE)?;
        headers.push((X_NONCE.clone(), nonce.into_value()));
    }

    let mut covered = headers_to_cover(&head, input.authority, settings)?;
    for (name, value) in &headers {
        covered.push(CoveredHeader {
            name: name.as_str(),
            value: canonical_value(value).ok_or_else(no_header_value)?,
        });
    }
    sort(&mut covered);
    let scope = scope_of(settings, &date);
    let unsigned = Unsigned::new(&credentials, &scope, &covered);
    let query = head.uri().query();
    let mut text = input.text.map(|_| String::new());
    let request_hash = request_hash(
        &head,
        query,
        settings,
        &covered,
        payload_hash,
        text.as_mut(),
    )?;
    drop(covered);
    if let Some(text) = text {
        input.keep_text(|| {
            let mut string = String::new();
            string_to_sign(date, scope, request_hash).write_to(&mut string);
            SigningText::new(text.into_bytes()).with_string_to_sign(string)
        });
    }
    let signature = signature(&credentials, date, scope, request_hash)?;
    let authorization = unsigned.sign(&signature)?;
    headers.push((AUTHORIZATION, authorization));
    Ok(headers)
}

/// Refuses a request that already carries credentials, so that a request is signed once.
pub(super) fn refuse_credentials(head: &RequestHead<'_>) -> Result<(), SignError> {
    for name in [&X_AMZ_CONTENT_SHA256, &X_AMZ_SECURITY_TOKEN] {
        refuse_header(head, name)?;
    }
    let query = head.uri().query().unwrap_or_default();
    let is_reserved = |parameter: canonical_query::Parameter<'_>| {
        let mut reserved = query_parameters::NAMES.iter();
        reserved.any(|name| parameter.is_like(name))
    };
    if canonical_query::parameters(query).any(is_reserved) {
        return Err(SignError::new(
            SignErrorKind::AlreadySigned,
            "query: a parameter of a signature is already there",
        ));
    }
    Ok(())
}

pub(super) fn refuse_header(head: &RequestHead<'_>, name: &HeaderName) -> Result<(), SignError> {
    if head.headers().contains_key(name) {
        let message = format!("header {name} is already there");
        return Err(SignError::new(SignErrorKind::AlreadySigned, message));
    }
    Ok(())
}

pub(super) fn date_of(now: Timestamp) -> Result<AmzDate, SignError> {
    AmzDate::of(now).ok_or_else(|| {
        SignError::new(
            SignErrorKind::Date,
            format!("{now} is outside the years 0 to 9999"),
        )
    })
}

pub(super) fn scope_of<'s>(
    settings: &'s SigV4SignSettings,
    date: &'s AmzDate,
) -> CredentialScope<'s> {
    CredentialScope {
        date: date.day(),
        region: &settings.scope.region,
        service: &settings.scope.service,
    }
}

/// Returns `host` and the covered headers of the request, unsorted.
pub(super) fn headers_to_cover<'h>(
    head: &RequestHead<'h>,
    authority: &'h str,
    settings: &SigV4SignSettings,
) -> Result<CoveredHeaders<'h>, SignError> {
    let mut covered = CoveredHeaders::new();
    covered.push(CoveredHeader {
        name: "host",
        value: canonical_text(authority),
    });
    let headers = head.headers();
    let is_to_cover = |name: &HeaderName| *name != http::header::HOST && settings.covers(name);
    let mut cover = |name: &'h HeaderName, value: Result<Cow<'h, str>, &str>| {
        let name = name.as_str();
        let value = value.map_err(|problem| {
            let message = format!("covered header {name}: {problem}");
            SignError::new(SignErrorKind::Header, message)
        })?;
        covered.push(CoveredHeader { name, value });
        Ok(())
    };
    if headers.len() > headers.keys_len() {
        for name in headers.keys().filter(|name| is_to_cover(name)) {
            cover(name, value_of_lines(name, headers.get_all(name)))?;
        }
    } else {
        // Faster than a hash look-up of each name.
        for (name, value) in headers.iter().filter(|(name, _)| is_to_cover(name)) {
            cover(name, canonical_value(value).ok_or(NOT_ASCII))?;
        }
    }
    Ok(covered)
}

/// Returns the value of a header that may have several lines.
fn value_of_lines<'h>(
    name: &HeaderName,
    lines: GetAll<'h, HeaderValue>,
) -> Result<Cow<'h, str>, &'static str> {
    if lines.iter().nth(1).is_some() && is_single(name.as_str()) {
        return Err("expected once, found more than once");
    }
    joined(name.as_str(), lines).ok_or(NOT_ASCII)
}

const NOT_ASCII: &str = "expected visible ASCII";

/// Sorts covered headers into signing order.
pub(super) fn sort(covered: &mut CoveredHeaders<'_>) {
    covered.sort_unstable_by(|one, other| signed_headers::by_bytes(one.name, other.name));
}

/// Returns the hash of the canonical request with this query, and keeps the request if asked to.
pub(super) fn request_hash(
    head: &RequestHead<'_>,
    query: Option<&str>,
    settings: &SigV4SignSettings,
    headers: &[CoveredHeader<'_>],
    payload_hash: PayloadHash,
    text: Option<&mut String>,
) -> Result<[u8; 32], SignError> {
    let refused = |problem| SignError::new(SignErrorKind::Target, problem);
    let target = Target::parse(head.method(), head.uri()).map_err(refused)?;
    let request = CanonicalRequest {
        method: parse_method(head.method())
            .map_err(|problem| SignError::new(SignErrorKind::Method, problem))?,
        uri: &CanonicalUri::new(target.path, settings.scope.path).map_err(refused)?,
        query: &CanonicalQuery::parse(query, usize::MAX).map_err(refused)?,
        headers,
        signed_headers: None,
        payload_hash,
    };
    if let Some(text) = text {
        request.write_to(text);
    }
    Ok(request.hash())
}

/// Signs a request with this hash.
pub(super) fn signature(
    credentials: &SigV4Credentials,
    date: AmzDate,
    scope: CredentialScope<'_>,
    request_hash: [u8; 32],
) -> Result<[u8; 32], SignError> {
    let string_to_sign = string_to_sign(date, scope, request_hash);
    let mac = match (credentials.key.operation(), credentials.key.derived()) {
        (SigningOperation::Mac(secret), Some(derived)) => string_to_sign.mac(secret, derived),
        // Invariant: credentials hold a key of this scheme.
        _ => {
            return Err(SignError::new(
                SignErrorKind::Credentials,
                "expected a key for AWS4-HMAC-SHA256",
            ));
        }
    };
    Ok(mac.finish())
}

fn string_to_sign(
    date: AmzDate,
    scope: CredentialScope<'_>,
    request_hash: [u8; 32],
) -> StringToSign<'_> {
    StringToSign {
        date,
        scope,
        request_hash,
    }
}

fn value(text: &str) -> Result<HeaderValue, SignError> {
    HeaderValue::from_str(text).map_err(|_| no_header_value())
}

pub(super) fn no_header_value() -> SignError {
    SignError::new(SignErrorKind::Header, "the signature is no header value")
}

/// Writes the value of `Authorization` up to the signature, which covers its list.
struct Unsigned(String);

impl Unsigned {
    fn new(
        credentials: &SigV4Credentials,
        scope: &CredentialScope<'_>,
        covered: &[CoveredHeader<'_>],
    ) -> Self {
        let start = [
            Scheme::SigV4.name(),
            " Credential=",
            credentials.access_key_id.as_str(),
            "/",
        ];
        // A header value takes over a string without a copy if its length equals its capacity.
        let names = covered
            .iter()
            .map(|header| header.name.len().saturating_add(1));
        let pieces = start.iter().chain(&[SIGNED_HEADERS, SIGNATURE]);
        let capacity = pieces
            .map(|piece| piece.len())
            .chain(names)
            .fold(scope.len(), usize::saturating_add)
            // The last name has no semicolon, and the signature has 64 digits.
            .saturating_add(63);
        let mut text = String::with_capacity(capacity);
        text.extend(start);
        scope.write_to(&mut text);
        text.push_str(SIGNED_HEADERS);
        for (count, header) in covered.iter().enumerate() {
            if count > 0 {
                text.push(';');
            }
            text.push_str(header.name);
        }
        text.push_str(SIGNATURE);
        Self(text)
    }

    fn sign(self, signature: &[u8; 32]) -> Result<HeaderValue, SignError> {
        let mut text = self.0;
        push_digits(&mut text, signature);
        let mut value = HeaderValue::try_from(text).map_err(|_| no_header_value())?;
        // Keeps the value out of `Debug` and of the compression tables of HTTP/2.
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Appends a signature in lower-case hexadecimal digits.
pub(super) fn push_digits(text: &mut String, signature: &[u8; 32]) {
    let mut digits = [0; 64];
    // Invariant: 32 bytes have 64 digits.
    text.push_str(base16ct::lower::encode_str(signature, &mut digits).unwrap_or_default());
}

const SIGNED_HEADERS: &str = ", SignedHeaders=";
const SIGNATURE: &str = ", Signature=";
